"""The codecs of nebula's CSV: text in cells, dates as a British calendar shows them, and codes coarser than the hub's.

A cell holds one text. A day is dd/mm/yyyy, a moment dd/mm/yyyy hh:mm on London's clock, an amount its digits. Where a code of
nebula's stands for several of the hub's, reading gives the one that its ConceptMap names, and writing says of every other that
what arrives is wider than what was sent: `check_write`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

from adapter.fhir.dates import LONDON, from_wall_clock, precision
from adapter.fhir.outcome import BASE, Issue, issue
from adapter.mapping.codecs import codec
from adapter.shipped import MAPPINGS
from adapter.systems.contracts import STATUSES, WITHDRAWN, dose_status, order_status

#: Code lists in which several codes of the hub are one of nebula's: codes/<name>.json reads, and writes with <name>-coarse.json.
COARSE = (
    "achievement",
    "activity",
    "activity-state",
    "attendance",
    "care-action",
    "goal-state",
    "medium",
    "nhs-no-status",
    "outcome-state",
    "plan-kind",
    "referral-kind",
    "referral-outcome",
    "risk",
    "session-kind",
)
#: The same for codes that stand in an element of type code, whose system FHIR leaves unsaid: type and element -> its system.
_UNSAID = {
    ("Goal", "lifecycleStatus"): "http://hl7.org/fhir/goal-status",
    ("Task", "status"): "http://hl7.org/fhir/task-status",
    ("CarePlan", "activity.detail.status"): "http://hl7.org/fhir/care-plan-activity-status",
}

_DAY = re.compile(r"(?:(?:(\d\d)/)?(\d\d)/)?(\d{4})")
_MOMENT = re.compile(r"(\d\d)/(\d\d)/(\d{4}) (\d\d:\d\d)((?::\d\d(?:\.\d+)?)?)(?: (GMT|BST))?")
_OFFSETS = {"GMT": "+00:00", "BST": "+01:00"}
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?", re.ASCII)


# dates and times --------------------------------------------------------------------------------------------------
def read_when(text: str) -> str:
    """dd/mm/yyyy hh:mm on London's clock, dd/mm/yyyy, mm/yyyy or yyyy -> date or dateTime of the same precision.

    GMT or BST says which clock; it stands in the hour in which the clocks may change, and only there.
    """
    moment = _MOMENT.fullmatch(text)
    if moment:
        day, month, year, clock, seconds, zone = moment.groups()
        wall = f"{year}-{month}-{day}T{clock}{seconds or ':00'}"
        made = wall + _OFFSETS[zone] if zone else from_wall_clock(wall)
        if bool(zone) == _changes(day, month, clock) and precision(made) == "time":
            return made
    part = _DAY.fullmatch(text)
    if part:
        made = "-".join(p for p in reversed(part.groups()) if p)
        if precision(made):
            return made
    raise ValueError("neither a day nor a moment")


def write_when(value: str) -> str:
    """A date or dateTime -> dd/mm/yyyy hh:mm on London's clock, dd/mm/yyyy, mm/yyyy or yyyy.

    The moment is kept, the spelling of its zone is not. Raises ValueError for what is neither.
    """
    said = precision(value)
    if said is None:
        raise ValueError("not a date or dateTime")
    if said != "time":
        return "/".join(reversed(value.split("-")))
    fraction = re.search(r"\.\d+", value)
    shown = datetime.fromisoformat(value.replace(fraction[0], "") if fraction else value)
    hours = shown.utcoffset()
    ours = hours is not None and hours.total_seconds() in (0, 3600)
    if not (ours and _changes(f"{shown:%d}", f"{shown:%m}", f"{shown:%H:%M}")):
        shown = shown.astimezone(LONDON)
    text = f"{shown:%d/%m/%Y %H:%M}"
    if shown.second or fraction:
        text += f":{shown:%S}" + (fraction[0] if fraction else "")
    if _changes(text[:2], text[3:5], text[11:16]):
        text += " BST" if shown.utcoffset() else " GMT"
    return text


def _changes(day: str, month: str, clock: str) -> bool:
    """Whether London's clocks may show this hour twice, or skip it: one to two at the end of March and of October."""
    return month in ("03", "10") and day >= "25" and clock.startswith("01")


codec("nebula-when", read=read_when, write=write_when)


# numbers, lines ---------------------------------------------------------------------------------------------------
def read_number(text: str) -> int | Decimal:
    """A number as text, exact to the digit: 40 and 40.0 are two."""
    if not _NUMBER.fullmatch(text):
        raise ValueError("not a number")
    return Decimal(text) if "." in text else int(text)


def write_number(value: Any) -> str:
    """A number -> its digits, never with an exponent."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise TypeError("not a number")
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def read_lines(lines: tuple[str | None, ...]) -> list[str]:
    """The lines of an address, one column each -> a list."""
    return [line for line in lines if line is not None]


def write_lines(lines: Any) -> tuple[str | None, ...]:
    """The other way. Of more than three lines nothing is written, so that the whole is told as unread."""
    if not isinstance(lines, list) or len(lines) > 3:
        return (None, None, None)
    return (*lines, *(None for _ in range(3 - len(lines))))


codec("nebula-number", read=read_number, write=write_number)
codec("nebula-lines", read=read_lines, write=write_lines)


# coarser codes ----------------------------------------------------------------------------------------------------
@cache
def _rows(name: str) -> Mapping[str, str]:
    """One of nebula's ConceptMaps, code -> code."""
    elements = _group(name)["element"]
    return {element["code"]: element["target"][0]["code"] for element in elements}


def _group(name: str) -> dict[str, Any]:
    group: dict[str, Any] = json.loads((MAPPINGS / f"nebula/codes/{name}.json").read_text("utf-8"))["group"][0]
    return group


def _coarse(name: str) -> None:
    """The codec nebula-<name>: one code of the hub for each of nebula's, and one of nebula's for every code of the hub."""

    def read(code: str) -> str:
        return _rows(name)[code]

    def write(code: str) -> str:
        return _back(name)[code]

    doc = f"Codes of the list {name}; a code of the hub that nebula does not have is written as the wider one that it has."
    codec(f"nebula-{name}", read=read, write=write, doc=doc)


@cache
def _back(name: str) -> Mapping[str, str]:
    return {**{theirs: ours for ours, theirs in _rows(name).items()}, **_rows(f"{name}-coarse")}


for _name in COARSE:
    _coarse(_name)


# statuses ---------------------------------------------------------------------------------------------------------
#: Attendance -> status of the Encounter; contacts that happened are apart, since their record may still be open.
NOT_HELD: Mapping[str, str] = {"D": "cancelled", "P": "cancelled", "S": "cancelled", "B": "planned"}
#: State of the record of a contact that happened, or of which nobody says whether it did -> status of the Encounter.
HELD: Mapping[str, str] = {"F": "finished", "O": "in-progress", "U": "unknown"}
#: Status of the Encounter -> state of the record.
RECORD_STATES: Mapping[str, str] = {
    **{status: state for state, status in HELD.items()},
    **dict.fromkeys(NOT_HELD.values(), "F"),
    WITHDRAWN: "W",
}
#: Medium -> class of the Encounter (v3-ActCode); any other, and none, is virtual: never face to face.
CLASSES: Mapping[str, str] = {"F": "AMB", "H": "HH"}


def _session_status(pair: tuple[str | None, str | None]) -> str | None:
    """(state of the record, attendance) -> status of the Encounter."""
    state, attendance = pair
    if state is None or state == "W":
        return WITHDRAWN if state else None
    return NOT_HELD.get(attendance or "", HELD.get(state))


codec("nebula-session-status", read=_session_status, write=lambda status: (RECORD_STATES[status], None))
codec(
    "nebula-session-class",
    read=lambda pair: CLASSES.get(pair[0] or "", "VR"),
    doc="Medium of a contact -> class of the Encounter; what is not said to be face to face is virtual.",
)
for _resource, _statuses in STATUSES.items():
    dose_status(f"nebula-{_resource}-status", _statuses, "Y", "N", lambda code: _rows("outcome").get(code, ""))
order_status("nebula-order-status", lambda code: _rows("change").get(code, ""))


# what is lost -----------------------------------------------------------------------------------------------------
def check_write(bundle: dict[str, Any]) -> list[Issue]:
    """A warning for every code of a hub Bundle that nebula holds only as a wider one."""
    found = []
    for i, entry in enumerate(bundle.get("entry") or ()):
        resource = entry.get("resource")
        for place, system, code in _codes(resource, f"Bundle.entry[{i}].resource", str(resource.get("resourceType")), ""):
            if code in _wider().get(system, ()):
                text = "The target has no code of its own for this: it is written as a wider one, and the difference is lost."
                mend = "Nothing, or tell the receiver in words."
                found.append(issue("warning", "informational", "coarser", text, expression=place, mend=mend))
    return found


@cache
def _wider() -> Mapping[str, frozenset[str]]:
    """System of the hub -> its codes that nebula has no code of its own for."""
    return {_group(f"{name}-coarse")["source"]: frozenset(_rows(f"{name}-coarse")) for name in COARSE}


def _codes(value: Any, place: str, kind: str, element: str) -> Iterator[tuple[str, str, Any]]:
    """(place, system, code) of every Coding below a value, every extension with a code, and every code that _UNSAID names.

    kind: type of the resource; element: names from the resource down to the value.
    """
    if isinstance(value, list):
        for j, below in enumerate(value):
            yield from _codes(below, f"{place}[{j}]", kind, element)
    elif isinstance(value, dict):
        if isinstance(value.get("system"), str) and isinstance(value.get("code"), str):
            yield f"{place}.code", value["system"], value["code"]
        url = value.get("url")
        if isinstance(url, str) and isinstance(value.get("valueCode"), str):
            yield f"{place}.valueCode", url.replace(f"{BASE}/StructureDefinition/", f"{BASE}/CodeSystem/"), value["valueCode"]
        for name, below in value.items():
            yield from _codes(below, f"{place}.{name}", kind, f"{element}.{name}" if element else name)
    elif (kind, element) in _UNSAID:
        yield place, _UNSAID[kind, element], value
