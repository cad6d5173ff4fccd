"""Policy: thresholds, clocks, feeds and depot intervals as data, each with its source, read and checked all at once.

The shipped policies stand in `policies/`; a site's own extend one of them and say what differs. docs/care.md
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from adapter.fhir.dates import LONDON
from adapter.fhir.schema_document import document_faults
from adapter.mapping.faults import Fault, Faults, MapFaults, Unknown
from adapter.mapping.language import compose, data

POLICIES = Path(__file__).resolve().parent / "policies"
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DURATION = re.compile(r"P(?:(?P<days>\d+)D)?(?:T(?P<hours>\d+)H)?")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\['([^']+)'\]")
#: What every policy has in the end, whatever it extends.
_THRESHOLDS = (
    "discuss assess stop drop-out odd-days odd-days-window order-ending restart-review death-after-form incident-hours"
    " incident-working-days longest-due"
).split()
_CLOCKS = (
    "consultation consultation-face-to-face joint-review strategic-review-first strategic-review-latest strategic-review"
    " outcome-profile outcome-profile-window health-check consent consent-after-refusal naloxone-after-form naloxone-kit"
).split()


@dataclass(frozen=True, slots=True)
class Threshold:
    """One number of a policy. exceeded: more than the value reaches it, the value itself does not."""

    value: int
    unit: str
    source: str
    exceeded: bool = False

    def reached(self, count: int) -> bool:
        """Whether a count reaches it."""
        return count > self.value if self.exceeded else count >= self.value


@dataclass(frozen=True, slots=True)
class Feed:
    """How a pharmacy reports: its closing time on London's clock, and how long after it a day's report comes at the latest."""

    closing: time
    cadence: timedelta
    closed: frozenset[int]
    closed_dates: frozenset[str]
    bank_holidays: bool

    def closes(self, day: str) -> datetime:
        """The moment at which that service day closes."""
        return datetime.combine(date.fromisoformat(day), self.closing, LONDON)

    def is_closed(self, day: str) -> bool:
        """Whether the pharmacy has no contracted hours on that day."""
        on = date.fromisoformat(day)
        return on.weekday() in self.closed or day in self.closed_dates or (self.bank_holidays and is_bank_holiday(on))


@dataclass(frozen=True, slots=True)
class Depot:
    """A prolonged-release injection: the doses in milligrams by which it is known, and how many dose dates it covers."""

    doses: frozenset[int]
    covers: int


@dataclass(frozen=True)
class Policy:
    """A policy with everything that it extends. clocks: how long after what went before something is due again."""

    name: str
    version: str
    thresholds: Mapping[str, Threshold]
    clocks: Mapping[str, Threshold]
    feeds: Mapping[str, Feed]
    default_feed: Feed
    depots: tuple[Depot, ...]
    sources: Mapping[str, str]

    def __getitem__(self, name: str) -> int:
        """The value of a threshold."""
        return self.thresholds[name].value

    def feed(self, pharmacy: str | None) -> Feed:
        """The feed of a pharmacy, by its ODS code."""
        return self.feeds.get(pharmacy or "", self.default_feed)

    def covers(self, milligrams: int | None) -> int:
        """How many dose dates an injection of this dose covers; 1 where no depot has it: what is not known lasts no longer."""
        return next((depot.covers for depot in self.depots if milligrams in depot.doses), 1)


@cache
def is_bank_holiday(day: date) -> bool:
    """Whether this is a bank holiday in England."""
    import holidays  # a tenth of a second, and only closed days need it

    return day in _england(day.year, holidays.country_holidays)


@cache
def _england(year: int, of: Any) -> frozenset[date]:
    return frozenset(of("GB", subdiv="ENG", years=year))


def load(name: str = "default", folders: Sequence[Path] = ()) -> Policy:
    """A policy by its name, from the folders given or from those shipped.

    Raises MapFaults with every fault of every file it comes from, Unknown (with the nearest names) where there is none.
    """
    return read(_documents(name, folders))


def names(folders: Sequence[Path] = ()) -> list[str]:
    """The names of the policies that can be loaded."""
    return sorted({file.stem for folder in (*folders, POLICIES) for file in folder.glob("*.yaml")})


def _documents(name: str, folders: Sequence[Path]) -> list[dict[str, Any]]:
    """The document of a policy and of those it extends, the most general first."""
    found: list[dict[str, Any]] = []
    faults: list[Fault] = []
    seen: list[str] = []
    while name:
        file = next((folder / f"{name}.yaml" for folder in (*folders, POLICIES) if (folder / f"{name}.yaml").is_file()), None)
        if file is None:
            raise Unknown("policy", name, names(folders))
        if name in seen:
            faults.append(Fault(file.name, 1, "a policy extends itself", "", "let it extend another"))
            break
        seen.append(name)
        document, wrong = _read(file)
        faults += wrong
        found.insert(0, document)
        name = str(document.get("extends", ""))
    if faults:
        raise MapFaults(faults)
    return found


def _read(file: Path) -> tuple[dict[str, Any], list[Fault]]:
    found = Faults(file.name)
    node = compose(file.read_text("utf-8"), found)
    document = data(node, found) if node is not None else {}
    if not isinstance(document, dict):
        found.add(1, "a policy is a mapping", "", "start with policy:")
        document = {}
    schema = json.loads((POLICIES / "policy.schema.json").read_text("utf-8"))
    for place in sorted(set(document_faults(document, schema))) if node is not None else ():
        what = f"{place.removeprefix('$.') or 'the policy'} is not as a policy has it"
        found.add(_line(node, place), what, "a wrong number would be a wrong alarm", "see policy.schema.json")
    if document.get("policy") != file.stem:
        found.add(1, "policy is not the name of the file", "a policy is known by its file", f"write policy: {file.stem}")
    known = document.get("sources", {})
    numbers = [(kind, name, one) for kind in ("thresholds", "clocks") for name, one in (document.get(kind) or {}).items()]
    for kind, name, one in numbers if "extends" not in document and not found.found else ():
        if not any(re.search(rf"\b{re.escape(key)}\b", one["source"]) for key in known) and "approval" not in one:
            found.add(_line(node, f"$.{kind}.{name}"), f"{name} names none of the sources", "", "name one by its key")
    return document, found.found


def _line(node: yaml.Node | None, place: str) -> int:
    """The line of a JSONPath in a YAML document, or of the last part of it that is there."""
    line = 1
    for name, index, quoted in _STEP.findall(place):
        if isinstance(node, yaml.MappingNode):
            below = {key.value: (key, value) for key, value in node.value}.get(name or quoted)
            if below is None:
                break
            line, node = below[0].start_mark.line + 1, below[1]
        elif isinstance(node, yaml.SequenceNode) and index and int(index) < len(node.value):
            node = node.value[int(index)]
            line = node.start_mark.line + 1
    return line


def read(documents: Sequence[Mapping[str, Any]]) -> Policy:
    """The policy that documents say together, the most general first. Raises MapFaults where a number is missing in the end."""
    thresholds: dict[str, Any] = {}
    clocks: dict[str, Any] = {}
    pharmacies: dict[str, Any] = {}
    default: dict[str, Any] = {}
    depots: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for document in documents:
        thresholds |= document.get("thresholds") or {}
        clocks |= document.get("clocks") or {}
        feeds = document.get("feeds") or {}
        default |= feeds.get("default") or {}
        pharmacies |= feeds.get("pharmacies") or {}
        depots |= document.get("depots") or {}
        sources |= document.get("sources") or {}
    last = documents[-1]
    file = f"{last.get('policy')}.yaml"
    faults = [*_named(file, "threshold", thresholds, _THRESHOLDS), *_named(file, "clock", clocks, _CLOCKS)]
    if faults:
        raise MapFaults(faults)
    return Policy(
        name=str(last["policy"]),
        version=str(last["version"]),
        thresholds=_numbers(thresholds),
        clocks=_numbers(clocks),
        feeds={code: _feed({**default, **one}) for code, one in pharmacies.items()},
        default_feed=_feed(default),
        depots=tuple(Depot(frozenset(one["doses-mg"]), one["covers"]) for one in depots.values()),
        sources=sources,
    )


def _named(file: str, kind: str, given: Collection[str], known: Sequence[str]) -> list[Fault]:
    """The faults of a policy that lacks a number, or has one that nobody asks for."""
    missing = (name for name in known if name not in given)
    unknown = (name for name in given if name not in known)
    faults = [Fault(file, 1, f"{name} is missing", "no alarm may be without its number", "add it") for name in missing]
    return faults + [Fault(file, 1, f"{name} is no {kind}", "nothing reads it", "see default.yaml") for name in unknown]


def _numbers(said: Mapping[str, Any]) -> dict[str, Threshold]:
    return {name: Threshold(one["value"], one["unit"], one["source"], one.get("exceeded", False)) for name, one in said.items()}


def _feed(said: Mapping[str, Any]) -> Feed:
    return Feed(
        closing=time.fromisoformat(said["closing"]),
        cadence=duration(said["cadence"]),
        closed=frozenset(map(_DAYS.index, said.get("closed", ()))),
        closed_dates=frozenset(said.get("closed-dates", ())),
        bank_holidays=said.get("bank-holidays", False),
    )


def duration(text: str) -> timedelta:
    """An ISO 8601 duration of days and hours. Raises ValueError for any other."""
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        raise ValueError("not a duration of days and hours")
    return timedelta(days=int(found["days"] or 0), hours=int(found["hours"] or 0))
