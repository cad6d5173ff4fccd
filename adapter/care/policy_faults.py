"""What the documents of a policy say together, and every fault of it: all at once, each by file and line.

What a schema cannot say: which names there are, in which unit each number is counted, that the rungs of the ladder follow each
other, that every action has an owner, and that an injection is known by its dose.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import cache
from typing import Any

from adapter.care.policy_files import Document, place_of
from adapter.fhir.dates import precision
from adapter.mapping.faults import Fault, MapFaults, did_you_mean, nearest
from adapter.shipped import PROFILES

Json = dict[str, Any]
#: What every policy has in the end, whatever it extends: by its unit the thresholds; the clocks choose among units.
THRESHOLDS = {
    name: unit
    for unit, said in {
        "dose-day": "discuss assess stop drop-out odd-days form-days",
        "day": "odd-days-window order-ending restart-review death-after-form first-supply",
        "hour": "incident-hours longest-due late-entry",
        "minute": "clock-skew",
        "working-day": "incident-working-days",
    }.items()
    for name in said.split()
}
CLOCKS = (
    "consultation consultation-face-to-face joint-review strategic-review-first strategic-review-latest strategic-review"
    " outcome-profile outcome-profile-window sub-intervention-review health-check consent consent-after-refusal"
    " naloxone-after-form naloxone-kit"
).split()
#: Which number may not be reached after which.
_RUNGS = (("discuss", "assess"), ("assess", "stop"), ("stop", "drop-out"), ("odd-days", "odd-days-window"))
_CLOCK_ORDER = (
    ("strategic-review-first", "strategic-review-latest"),
    ("outcome-profile-window", "outcome-profile"),
    ("consultation", "consultation-face-to-face"),
)
#: Days of a unit at most, for comparing clocks of different units.
_DAYS = {"day": 1, "week": 7, "month": 31}
_UNITS = frozenset({*THRESHOLDS.values(), *_DAYS})
_DURATION = re.compile(r"P(?:(?P<days>[0-9]{1,9})D)?(?:T(?P<hours>[0-9]{1,9})H)?")
_FORM = re.compile(r"P(?=[0-9T])(?:[0-9]+D)?(?:T[0-9]+H)?")
#: A feed that may take longer than this to report is none.
_LONGEST_CADENCE = timedelta(days=366)
_KINDS = {"thresholds": "threshold", "clocks": "clock"}


@cache
def actions() -> frozenset[str]:
    """The codes of the actions that a policy says the owners of."""
    found = json.loads((PROFILES / "CodeSystem-care-action.json").read_text("utf-8"))["concept"]
    return frozenset(one["code"] for one in found)


def duration(text: str) -> timedelta:
    """An ISO 8601 duration of days and hours. Raises ValueError for any other, and for one that is longer than can be counted."""
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        raise ValueError("not a duration of days and hours")
    return timedelta(days=int(found["days"] or 0), hours=int(found["hours"] or 0))


def check(found: Sequence[Document]) -> None:
    """Raise MapFaults with every fault of these documents (the most general first), of each alone and of all together."""
    faults = [fault for one in found for fault in one.faults]
    # Where `extends` is misspelt, that is the fault, and not all that it would have brought.
    misspelt = any(fault.what.endswith("did you mean extends?") for fault in found[0].faults)
    whole = bool(found[0].said) and "extends" not in found[0].said and not misspelt
    for kind, known in (("thresholds", list(THRESHOLDS)), ("clocks", CLOCKS)):
        faults += [fault for one in found for fault in _unknown(one, kind, known)]
        faults += _missing(found, (kind,), known, kind) if whole else ()
    faults += _owners(found, whole)
    for one in found:
        faults += [*_units(one), *_days(one), *_cadences(one)]
    faults += [*_sources(found[0])] if whole else ()
    faults += [*_feed(found)] if whole else ()
    faults += [*_order(found), *_silence(found), *_depots(found)]
    if faults:
        raise MapFaults({(one.file, one.line, one.what): one for one in faults}.values())


def _missing(found: Sequence[Document], path: tuple[str, ...], known: Sequence[str], among: str) -> Iterator[Fault]:
    given = {name for one in found for name in one.part(*path)}
    for name in known:
        if name not in given:
            what = f"{name} is missing among the {among}"
            yield found[0].fault(path, what, "no alarm may be without it", "add it; default.yaml has it")


def _unknown(one: Document, kind: str, known: Sequence[str]) -> Iterator[Fault]:
    other, others = ("clocks", CLOCKS) if kind == "thresholds" else ("thresholds", list(THRESHOLDS))
    for name in one.part(kind):
        if name not in known:
            meant = f"; it stands among the {other}" if name in others else did_you_mean(nearest(name, known)[:1])
            yield one.fault([kind, name], f"{name} is no {_KINDS[kind]}{meant}", "nothing reads it", "see default.yaml")


def _owners(found: Sequence[Document], whole: bool) -> Iterator[Fault]:
    """Each action has an owner, once: among those of the ladder or those of the clocks, where the most general has it."""
    home: dict[str, str] = {}
    for one in found:
        for group in ("ladder", "clocks"):
            for name in one.part("owners", group):
                at = ["owners", group, name]
                other = home.setdefault(name, group)
                if name not in actions():
                    meant = did_you_mean(nearest(name, actions())[:1])
                    yield one.fault(at, f"{name} is no action{meant}", "nothing raises it", "see default.yaml")
                elif other != group:
                    what = f"{name} is no action of the {group}; it stands among those of the {other}"
                    yield one.fault(at, what, "", f"put it under {other}")
    for name in sorted(actions() - home.keys()) if whole else ():
        why = "nobody would be asked to act"
        yield found[0].fault(["owners"], f"{name} is missing among the owners", why, "add it; default.yaml has it")


def _numbers(one: Document, kind: str) -> Iterator[tuple[str, Json]]:
    """The numbers of a kind that have the form of one."""
    for name, number in one.part(kind).items():
        if not isinstance(number, dict) or type(number.get("value")) is not int or number["value"] < 1:
            continue
        if isinstance(number.get("unit"), str):
            yield name, number


def _units(one: Document) -> Iterator[Fault]:
    for name, number in _numbers(one, "thresholds"):
        unit = THRESHOLDS.get(name)
        if unit is not None and number["unit"] != unit and number["unit"] in _UNITS:
            what = f"{name} is in {number['unit']}, and is counted in {unit}"
            mend = f"write unit: {unit}, and the number of them"
            yield one.fault(["thresholds", name, "unit"], what, "the number would be taken for so many of another unit", mend)


def _feeds(one: Document) -> list[tuple[str, ...]]:
    return [("feeds", "default"), *(("feeds", "pharmacies", name) for name in one.part("feeds", "pharmacies"))]


def _cadences(one: Document) -> Iterator[Fault]:
    """Cadences by which nothing would ever be late."""
    for place in _feeds(one):
        said = one.part(*place).get("cadence")
        if isinstance(said, str) and _FORM.fullmatch(said) and _too_long(said):
            path = [*place, "cadence"]
            what = f"{place_of(path)} is longer than {_LONGEST_CADENCE.days} days"
            yield one.fault(path, what, "no silence would ever be told", "say how soon after closing a day's report comes")


def _too_long(cadence: str) -> bool:
    try:
        return duration(cadence) > _LONGEST_CADENCE
    except ValueError:
        return True


def _days(one: Document) -> Iterator[Fault]:
    """Days on which a pharmacy is closed that the calendar does not have."""
    for place in _feeds(one):
        said = one.part(*place).get("closed-dates")
        for n, day in enumerate(said if isinstance(said, list) else ()):
            if isinstance(day, str) and precision(day) != "day":
                path: list[str | int] = [*place, "closed-dates", n]
                yield one.fault(path, f"{place_of(path)} is no day", "the calendar does not have it", "write YYYY-MM-DD")


def _sources(one: Document) -> Iterator[Fault]:
    """The numbers that name none of the sources, of a policy that extends none: nobody could look them up."""
    keys = one.part("sources")
    for kind in _KINDS:
        for name, number in _numbers(one, kind):
            said = str(number.get("source", ""))
            named = any(re.search(rf"\b{re.escape(key)}\b", said) for key in keys)
            if said and not named and "approval" not in number:
                yield one.fault(
                    [kind, name], f"{name} names none of the sources", "nobody could look it up", "name one by its key"
                )


def _feed(found: Sequence[Document]) -> Iterator[Fault]:
    said = {name for one in found for name in one.part("feeds", "default")}
    for name in ("closing", "cadence"):
        if name not in said:
            yield found[0].fault(["feeds", "default"], f"feeds.default has no {name}", "no day would fall due", f"add {name}:")


def _order(found: Sequence[Document]) -> Iterator[Fault]:
    """Rungs that would be reached before the one below them, and clocks that would run out before one within them."""
    for kind, order in (("thresholds", _RUNGS), ("clocks", _CLOCK_ORDER)):
        said = {name: (n, number) for n, one in enumerate(found) for name, number in _numbers(one, kind)}
        said = {name: one for name, one in said.items() if one[1]["unit"] == THRESHOLDS.get(name, one[1]["unit"])}
        for low, high in order:
            if low not in said or high not in said:
                continue
            (below, lower), (above, higher) = said[low], said[high]
            what = _before(low, lower, high, higher) if kind == "thresholds" else _within(low, lower, high, higher)
            if what:
                # Of two files it is the one that extends the other that has moved it.
                at = found[max(below, above)], high if above > below else low
                yield at[0].fault([kind, at[1]], what, "one of them would never be due", "mend one of the two")


def _silence(found: Sequence[Document]) -> Iterator[Fault]:
    """A day that may stay due for longer than it takes to miss enough doses for a talk: silence would then be told by nobody."""
    said = {name: (n, number) for n, one in enumerate(found) for name, number in _numbers(one, "thresholds")}
    if not {"longest-due", "discuss"} <= said.keys():
        return
    (last, longest), (other, discuss) = said["longest-due"], said["discuss"]
    if (longest["unit"], discuss["unit"]) == ("hour", "dose-day") and longest["value"] > discuss["value"] * 24:
        what = f"longest-due, {longest['value']} hour, is longer than discuss, {discuss['value']} dose-day"
        name = "longest-due" if last >= other else "discuss"
        mend = f"at most {discuss['value'] * 24} hour: 24 for each dose-day"
        yield found[max(last, other)].fault(["thresholds", name], what, "a silence would be told after the talk is due", mend)


def _before(low: str, lower: Json, high: str, higher: Json) -> str:
    first, then = (int(one["value"]) + bool(one.get("exceeded")) for one in (lower, higher))
    return f"{low} is reached at {first}, and {high}, which follows it, at {then}" if first > then else ""


def _within(low: str, lower: Json, high: str, higher: Json) -> str:
    first, then = (int(one["value"]) * _DAYS.get(str(one["unit"]), 0) for one in (lower, higher))
    spans = [f"{one['value']} {one['unit']}" for one in (lower, higher)]
    return f"{low}, {spans[0]}, is longer than {high}, {spans[1]}" if first > then else ""


def _depots(found: Sequence[Document]) -> Iterator[Fault]:
    """Doses that two depots have: which injection it was could not be known by them. And a next that could not come too early."""
    last = {name: one for one in found for name in one.part("depots")}
    for name, one in last.items():
        early, covers = (one.part("depots", name).get(word, 0) for word in ("early", "covers"))
        if type(early) is int and type(covers) is int and early >= covers > 0:
            what = f"{name} may come {early} days early, and covers {covers} dose dates"
            yield one.fault(
                ["depots", name, "early"], what, "two on one day would be no double dose", "let it be less than covers"
            )
    doses = {name: one.part("depots", name).get("doses-mg") for name, one in last.items()}
    held: dict[Any, str] = {}
    for name, said in doses.items():
        for dose in said if isinstance(said, list) else ():
            if isinstance(dose, int) and held.setdefault(dose, name) != name:
                what = f"{name} has {dose} mg, and so has {held[dose]}"
                yield last[name].fault(["depots", name], what, "an injection is known by its dose", "leave it to one of them")
