"""Cases: folders of real-looking files beside what must come of them, run and compared; and what of the maps they exercise.

    fixtures/<system>/<message>/<case>/
        in.*  bundle.json  account.json     what is read (a folder `in/` for an extract of several files: bundle-1.json ...)
        in.*  outcome.json                  what is refused
        bundle.json  out.*                  what is written; with outcome.json instead: what cannot be

Every case is received at the same instant, and ids are compared by the place of their entry, so that a case can be written by
hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapter.fhir.json import decode
from adapter.fhir.outcome import Issue, Refused, is_error, place_of, rule_of
from adapter.mapping.survival import Slot, slots
from adapter.systems import hub

if TYPE_CHECKING:
    from adapter.systems.message import Message
    from adapter.systems.translate import Adapter, Translation

#: When every case is received.
RECEIVED = "2026-03-18T18:10:00Z"

_INDEX = re.compile(r"\[\d+\]")


@dataclass(slots=True)
class Ran:
    """One case that was run: where what came differs from what must come (no line: it passes), and the hub Bundles of it."""

    case: Path
    differences: list[str] = field(default_factory=list)
    bundles: list[dict[str, Any]] = field(default_factory=list)


def found(fixtures: Path, message: str) -> list[Path]:
    """The cases of system/message in a folder of fixtures."""
    return sorted(folder for folder in (fixtures / message).glob("*") if folder.is_dir())


def run(ost: Adapter, message: str, case: Path) -> Ran:
    """Run one case. Never raises for what the case or the message says."""
    ran = Ran(case)
    inputs = sorted(case.glob("in.*")) + sorted(case.glob("in"))
    try:
        if not inputs:
            _written(ost, message, case, ran)
        else:
            _read(ost, message, case, inputs[0], ran)
    except FileNotFoundError as missing:
        ran.differences.append(f"{Path(str(missing.filename)).name}: is not there")
    except Refused as refused:
        ran.differences += [f"refused: {rule_of(one)} at {', '.join(one.get('expression', [])) or '-'}" for one in refused.issues]
    return ran


def _read(ost: Adapter, message: str, case: Path, source: Path, ran: Ran) -> None:
    came: list[Translation | Refused]
    try:
        if source.is_dir() or source.suffix == ".csv":
            came = list(ost.many(source, read=message, received=RECEIVED))
        else:
            came = [ost.translate(source.read_bytes(), read=message, received=RECEIVED)]
    except Refused as refused:  # the whole of it
        came = [refused]
    ran.bundles += [one.bundle for one in came if not isinstance(one, Refused)]
    if (case / "outcome.json").exists():
        said = [i for one in came if isinstance(one, Refused) for i in one.issues]
        _refused(said, case, ran)
        return
    goldens = sorted(case.glob("bundle*.json"))
    if not goldens:
        ran.differences.append("bundle.json is not there: write by hand what must come, before looking at what does")
    elif len(goldens) != len(came):
        ran.differences.append(f"{len(came)} messages came, and {len(goldens)} bundles stand in the case")
    for index, one in enumerate(came):
        golden = goldens[index] if index < len(goldens) else None
        if isinstance(one, Refused):
            ran.differences += [f"refused: {rule_of(i)} at {', '.join(i.get('expression', [])) or '-'}" for i in one.issues]
            continue
        if golden is not None:
            ran.differences += differ(comparable(load(golden)), comparable(one.bundle), golden.name)
        accounted = case / (golden.name.replace("bundle", "account") if golden is not None else "account.json")
        if golden is not None or accounted.exists():
            _same_account(load(accounted), account(one), ran)


def _same_account(wanted: dict[str, Any], said: dict[str, Any], ran: Ran) -> None:
    _same_unread(wanted, said, ran)
    if "carried" in wanted:
        ran.differences += differ(sorted(wanted["carried"]), sorted(said["carried"]), "account.carried")
    _same("account.issues", said["issues"], wanted["issues"], ran)


def _same_unread(wanted: dict[str, Any], said: dict[str, Any], ran: Ran) -> None:
    for side in ("source", "bundle"):
        left = list(said["unread"][side])
        for place in wanted["unread"].get(side, ()):
            if place in left:
                left.remove(place)
            else:
                ran.differences.append(f"account.unread: {place} was read, and was not to be")
        ran.differences += [f"account.unread: {place} is not read" for place in left]


def _written(ost: Adapter, message: str, case: Path, ran: Ran) -> None:
    body = (case / "bundle.json").read_bytes()
    try:
        made = ost.translate(body, read="fhir", write=message)
    except Refused as refused:
        if not (case / "outcome.json").exists():
            raise
        _refused(refused.issues, case, ran)
        return
    ran.bundles.append(made.bundle)
    if (case / "account.json").exists():
        _same_unread(load(case / "account.json"), account(made), ran)
    outs = sorted(case.glob("out.*"))
    if not outs:
        ran.differences.append("out.*: is not there, and nothing is compared")
    for out in outs:
        if out.suffix == ".json":
            ran.differences += differ(comparable(load(out)), comparable(decode(made.result or b"")), out.name)
        elif out.read_bytes() != made.result:
            ran.differences.append(f"{out.name}: differs")


def _refused(said: list[Issue], case: Path, ran: Ran) -> None:
    """Compare the issues of a refusal with those that the case wants; a case may leave out what is no error."""
    wanted = load(case / "outcome.json")["issues"]
    if all(is_error({"severity": "error", **one}) for one in wanted):
        said = [i for i in said if is_error(i)]
    _same("outcome.json", issues(said), wanted, ran)


def load(file: Path) -> Any:
    """A JSON file, strictly read."""
    return decode(file.read_bytes(), source=file.name)


# comparing --------------------------------------------------------------------------------------------------------------
def comparable(value: Any) -> Any:
    """A Bundle with its entries' ids replaced by their places, decimals by value and precision, stamped profiles left out."""
    entries = value.get("entry", ()) if isinstance(value, dict) else ()
    names = {entry.get("fullUrl", ""): f"#{i}" for i, entry in enumerate(entries)}

    def walk(one: Any) -> Any:
        if isinstance(one, dict):
            made = {k: walk(v) for k, v in one.items()}
            if "resourceType" in one and f"urn:uuid:{one.get('id')}" in names:
                made["id"] = names[f"urn:uuid:{one['id']}"]
            if isinstance(made.get("meta"), dict):
                made["meta"].pop("profile", None)
                made = {k: v for k, v in made.items() if k != "meta" or v}
            return made
        if isinstance(one, list):
            return [walk(v) for v in one]
        if isinstance(one, Decimal):
            return ("decimal", str(one))
        return names.get(one, one) if isinstance(one, str) else one

    return walk(value)


def differ(wanted: Any, came: Any, place: str) -> Iterator[str]:
    """The places at which two values differ, without the values."""
    if isinstance(wanted, dict) and isinstance(came, dict):
        for name in sorted({*wanted, *came}):
            if name not in came:
                yield f"{place}.{name}: did not come"
            elif name not in wanted:
                yield f"{place}.{name}: came, and was not wanted"
            else:
                yield from differ(wanted[name], came[name], f"{place}.{name}")
    elif isinstance(wanted, list) and isinstance(came, list):
        if len(wanted) != len(came):
            yield f"{place}: {len(came)} came, {len(wanted)} were wanted"
        for index, (one, other) in enumerate(zip(wanted, came, strict=False)):
            yield from differ(one, other, f"{place}[{index}]")
    elif wanted != came or type(wanted) is not type(came):
        yield f"{place}: differs"


def issues(said: list[Issue]) -> list[dict[str, Any]]:
    """What a golden says of issues."""
    return [
        {
            "severity": i["severity"],
            "code": i["code"],
            "rule": rule_of(i),
            "expression": i.get("expression", []),
            "place": place_of(i),
        }
        for i in said
    ]


def account(done: Translation) -> dict[str, Any]:
    """What a golden says of the account."""
    return {"unread": done.unread, "carried": done.carried, "issues": issues(done.found)}


def _same(name: str, came: list[dict[str, Any]], wanted: list[dict[str, Any]], ran: Ran) -> None:
    """Compare issues as sets, by what the golden says of them."""
    keys = set().union(*(set(one) for one in wanted)) if wanted else {"severity", "rule", "expression"}
    wanted = [{k: v for k, v in one.items() if v} for one in wanted]
    left = [{k: v for k, v in one.items() if k in keys and v} for one in came]
    for one in wanted:
        if one in left:
            left.remove(one)
        else:
            ran.differences.append(f"{name}: {one.get('rule')} at {', '.join(one.get('expression', [])) or '-'} did not come")
    ran.differences += [
        f"{name}: {one.get('rule')} at {', '.join(one.get('expression', [])) or '-'} was not wanted" for one in left
    ]


# coverage ---------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of one map the cases exercise: holes that a case filled or read, and those that none did."""

    map: str
    holes: int
    missed: tuple[Slot, ...]

    @property
    def exercised(self) -> int:
        """Holes that some case exercised."""
        return self.holes - len(self.missed)


def coverage(message: Message, bundles: list[dict[str, Any]]) -> list[Coverage]:
    """The coverage of each hub map of a message (for all its events), by hub Bundles that it read or writes.

    A hole that cannot be reversed leaves no lineage: it counts as exercised where some Bundle has its element.
    """
    made = []
    for one in (message, *message.others):
        mine = [bundle for bundle in bundles if hub.event_of(bundle) == one.info.event]
        traced = {
            (row.map, _field(row.source), _element(row.target))
            for bundle in mine
            for row in one.table.lineage(one.take_apart(bundle))
        }
        there = {
            path for bundle in mine for resource in _resources(bundle) for path in _paths(resource, resource["resourceType"])
        }
        every = slots(one.table.spec)
        for each in one.table.spec.maps:
            holes = [slot for slot in every if slot.map is each]
            missed = tuple(slot for slot in holes if not _is_exercised(slot, traced, there))
            made.append(Coverage(each.name, len(holes), missed))
    return made


def _is_exercised(slot: Slot, traced: set[tuple[str, str, str]], there: set[str]) -> bool:
    if not all(step.reversible for step in slot.steps):
        return ".".join(slot.element) in there
    return (f"{slot.map.file}:{slot.line}", slot.field.removesuffix("[]"), ".".join(slot.element[1:])) in traced


def _resources(bundle: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield {k: v for k, v in bundle.items() if k != "entry"}
    yield from (entry["resource"] for entry in bundle.get("entry", ()))


def _paths(value: Any, path: str) -> Iterator[str]:
    """The elements that have a value, without indexes."""
    if isinstance(value, dict):
        for name, below in value.items():
            yield from _paths(below, f"{path}.{name}")
    elif isinstance(value, list):
        for below in value:
            yield from _paths(below, path)
    else:
        yield path


def _field(source: str) -> str:
    """A place in a record without its indexes; an element of a list of plain values is the list's field."""
    return _INDEX.sub("[]", source).removesuffix("[]")


def _element(place: str) -> str:
    """The element of a place in a Bundle, without the entry and the indexes."""
    return _INDEX.sub("", place).removeprefix("Bundle.entry.resource.").removeprefix("Bundle.")
