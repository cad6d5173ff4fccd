"""The codecs of the EMIS bulk extract: dates of several precisions, flags, name and address parts, and the one dose that a
dosage text says beyond doubt.

An extract is text throughout. What the columns mean: github.com/NHSISL/Datasets, OLIDS/Documentation/Source-data.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from adapter.fhir.dates import from_wall_clock, precision
from adapter.mapping.codecs import codec
from adapter.shipped import MAPPINGS, PROFILES

SNOMED = "http://snomed.info/sct"
UCUM_UNIT = "https://ost-adapter.example/fhir/StructureDefinition/ucum-unit"

#: EffectiveDatePrecision -> how much of yyyy-MM-dd is meant. U means that there is no date. YMDT has a time in EMIS, which the
#: extract does not carry (its column is a date), so no more than the day is said.
_MEANT = {"U": 0, "Y": 4, "YM": 7, "YMD": 10, "YMDT": 10}
_PRECISION = {4: "Y", 7: "YM", 10: "YMD"}
#: The NHS number status indicator codes of the NHS Data Dictionary, as UKCore-NHSNumberVerificationStatusEngland has them.
_TRACES = frozenset(f"0{digit}" for digit in range(1, 9))


def day(value: str) -> str:
    """yyyy-MM-dd of a date that decides who or when -> the same; refuses what is no day."""
    if precision(value) != "day":
        raise ValueError("not yyyy-MM-dd, or no such day")
    return value


def _effective_write(value: str) -> tuple[str, str]:
    """A FHIR date -> (yyyy-MM-dd, precision); what was not said is filled with 01."""
    return value + "-01-01"[len(value) - 4 :] if len(value) < 10 else value, _PRECISION[len(value)]


def effective(pair: tuple[str | None, str | None]) -> str | None:
    """(EffectiveDate, EffectiveDatePrecision) -> a FHIR date as precise as was meant; declines U, no date and no precision."""
    issued, meant = pair
    if issued is None or meant is None:  # the schema lets a tombstone alone leave its precision out
        return None
    return day(issued)[: _MEANT[meant]] or None


def no_date(pair: tuple[str | None, str | None]) -> str | None:
    """(EffectiveDate, EffectiveDatePrecision) -> `unknown` where the source has no date; declines where it has one."""
    return "unknown" if pair[0] is None or pair[1] in (None, "U") else None


def _no_date_write(value: str) -> tuple[None, str]:
    if value != "unknown":
        raise ValueError("another reason than that the source has no date")
    return None, "U"


def _entered_write(value: str) -> tuple[str, str | None]:
    return value[:10], value[11:19] or None


def entered(pair: tuple[str | None, str | None]) -> str | None:
    """(EnteredDate, EnteredTime on a clock in London) -> dateTime.

    The day alone where there is no time (extract 5.0), or one that the clock showed twice or never.
    """
    on, time = pair
    if on is None:
        return None
    try:
        return from_wall_clock(f"{day(on)}T{time}") if time is not None else day(on)
    except ValueError:
        return day(on)


def _extracted_write(value: str) -> str:
    return re.sub(r"[-T:]", "", value[:19])


def extracted(stamp: str) -> str | None:
    """A file name's yyyyMMddHHmmss, on a clock in London -> instant; declines an hour that the clock showed twice."""
    try:
        return from_wall_clock(f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]}T{stamp[8:10]}:{stamp[10:12]}:{stamp[12:14]}")
    except ValueError:
        return None


def day_if_any(value: str) -> str | None:
    """yyyy-MM-dd of a date that refuses nothing: one that cannot be read is declined, and so stays unread."""
    return value if precision(value) == "day" else None


def trace_if_any(value: str) -> str | None:
    """A trace indicator of the national list; any other says nothing of the number, and stays unread: the person still counts."""
    return value if value in _TRACES else None


def _status_write(value: str) -> bool:
    return {"active": False, "entered-in-error": True}[value]


def issue_status(deleted: bool) -> str:
    """Deleted -> status. The extract has no column that closes an issue: one that stands is active."""
    return "entered-in-error" if deleted else "active"


def active(pair: tuple[bool | None, str | None]) -> bool:
    """(Deleted, DateOfDeactivation) -> whether the practice's record of the patient is in use."""
    return not pair[0] and pair[1] is None


def absent(pair: tuple[bool | None, str | None]) -> str | None:
    """(Deleted, a value) -> `unknown` where a tombstone leaves out what FHIR demands; declines otherwise."""
    return "unknown" if pair[0] and pair[1] is None else None


def restricted(flags: tuple[bool | None, ...]) -> str | None:
    """Flags of confidentiality -> `R` where any is set. https://terminology.hl7.org/CodeSystem-v3-Confidentiality.html"""
    return "R" if any(flags) else None


def _count_write(value: int) -> str:
    return str(value)


def count(value: str) -> int:
    """A whole number of things."""
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise ValueError("not a whole number")
    return int(value)


def days(value: str) -> int | None:
    """CourseDurationInDays -> days; declines 0, by which the source says that it does not know."""
    return count(value) or None


def _given_write(names: list[str]) -> tuple[str, str | None]:
    if len(names) > 2:
        raise ValueError("more given names than two columns hold")
    return names[0], names[1] if len(names) == 2 else None


def given(pair: tuple[str | None, str | None]) -> list[str] | None:
    """(GivenName, MiddleNames) -> given names; declines middle names that follow none."""
    first, middle = pair
    return None if first is None else [first] if middle is None else [first, middle]


def lines(parts: tuple[str | None, ...]) -> list[str] | None:
    """(house or flat, street, village) -> address lines; which line was which is not kept."""
    return [part for part in parts if part is not None] or None


_ISSUED_FROM = "The authorisation that this was issued from"
_UNDATED = f"{_ISSUED_FROM} is no longer active; the source does not say since when."
#: IsActive -> the words before the cancellation date. The two contradict each other in live data.
_STATES = {True: " is marked active, yet", False: " is no longer active and", None: ""}
_CANCELLED = re.compile(rf"{_ISSUED_FROM}(?P<state>{'|'.join(_STATES.values())}) has the cancellation date (?P<date>.+)\.")


def _authorisation_write(sentence: str) -> tuple[bool | None, str | None]:
    if sentence == _UNDATED:
        return False, None
    found = _CANCELLED.fullmatch(sentence)
    if found is None:
        raise ValueError("not a sentence about an authorisation")
    return next(flag for flag, words in _STATES.items() if words == found["state"]), found["date"]


def authorisation(pair: tuple[bool | None, str | None]) -> str | None:
    """(IsActive, CancellationDate) of the authorisation -> a sentence; declines where it is simply active.

    A sentence, since neither column can be relied on to give the issue a status or an end.
    """
    is_active, cancelled = pair
    if cancelled is not None:
        return f"{_ISSUED_FROM}{_STATES[is_active]} has the cancellation date {cancelled}."
    return _UNDATED if is_active is False else None


# --- units and the dose ------------------------------------------------------------------------------------------------------


@cache
def _units() -> Mapping[str, str]:
    """Unit words in small letters -> dm+d unit of measure."""
    return _table(MAPPINGS / "emis/codes/quantity-unit.json")


@cache
def _ucum() -> Mapping[str, str]:
    return _table(PROFILES / "ConceptMap-unit-ucum.json")


def _table(file: Any) -> dict[str, str]:
    return {one["code"]: one["target"][0]["code"] for one in json.loads(file.read_text("utf-8"))["group"][0]["element"]}


def word(value: str) -> str:
    """A unit word in small letters and without spaces around it, as the ConceptMap has it."""
    return value.strip().lower()


def ucum(value: str) -> str | None:
    """A unit word -> UCUM code, where the shared ConceptMap unit-ucum has the unit; declines otherwise."""
    return _ucum().get(_units().get(word(value), ""))


#: The whole of the dosage texts that say one dose a day beyond doubt. Everything else (as directed, 30-40ml, 30ml or 40ml,
#: twice daily, 60ml Mon-Fri, two numbers) says no dose here: it stays the words that it is.
_DOSE = re.compile(
    r"(?:take |give )?(?P<value>(?:0|[1-9][0-9]{0,3})(?:\.[0-9]{1,3})?) ?(?P<unit>mls?|mgs?|micrograms?|tablets?)"
    r" (?:once )?(?:daily|a day|each day|every day)(?: (?:under supervision|supervised(?: consumption)?))?\.?",
    re.IGNORECASE,
)

Dosage = tuple[str | None, str | None, str | None, str | None]


def daily_dose(dosage: Dosage) -> tuple[Decimal, str] | None:
    """(Dosage, Quantity, QuantityUnit, CourseDurationInDays) -> the dose once a day and its unit word; None where in doubt.

    In doubt is every text outside a narrow form, a dose of nothing, and one that, times the days, is not the quantity supplied
    where both are in one unit: then words and figures disagree, and it is not for an adapter to choose.
    """
    text, quantity, quantity_unit, duration = dosage
    found = _DOSE.fullmatch(" ".join(text.split())) if text is not None else None
    if found is None or not (value := Decimal(found["value"])):
        return None
    unit = found["unit"].lower()
    if (
        quantity is not None
        and quantity_unit is not None
        and duration is not None
        and _units().get(word(quantity_unit)) == _units()[unit]
    ):
        try:
            total, whole_days = Decimal(quantity), int(duration)
        except (InvalidOperation, ValueError):
            return None
        if whole_days and value * whole_days != total:
            return None
    return value, unit


def dose(dosage: Dosage) -> dict[str, Any] | None:
    """Dosage text, quantity, unit and duration -> the Quantity of one dose; declines where the text leaves a doubt."""
    found = daily_dose(dosage)
    if found is None:
        return None
    value, unit = found
    return {
        "extension": [{"url": UCUM_UNIT, "valueCode": ucum(unit)}],
        "value": value if value.as_tuple().exponent else int(value),
        "unit": unit,
        "system": SNOMED,
        "code": _units()[unit],
    }


def once_daily(dosage: Dosage) -> dict[str, Any] | None:
    """The same -> the Timing of that dose, once a day; declines with it."""
    return {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}} if daily_dose(dosage) else None


# What the maps call them.
codec("emis-day", read=day, write=str)
codec("emis-date", read=effective, write=_effective_write)
codec("emis-no-date", read=no_date, write=_no_date_write)
codec("emis-entered", read=entered, write=_entered_write)
codec("emis-extracted", read=extracted, write=_extracted_write)
codec("emis-day-if-any", read=day_if_any, write=str)
codec("emis-trace-if-any", read=trace_if_any, write=str)
codec("emis-issue-status", read=issue_status, write=_status_write)
codec("emis-active", read=active)
codec("emis-absent", read=absent)
codec("emis-restricted", read=restricted)
codec("emis-count", read=count, write=_count_write)
codec("emis-days", read=days, write=_count_write)
codec("emis-given", read=given, write=_given_write)
codec("emis-lines", read=lines)
codec("emis-authorisation", read=authorisation, write=_authorisation_write)
codec("emis-word", read=word)
codec("emis-ucum", read=ucum)
codec("emis-dose", read=dose)
codec("emis-once-daily", read=once_daily)
