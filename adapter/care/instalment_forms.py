"""What is an instalment form for the ledger, and on which days it is collected, by what the form itself says.

A form says its treatment period. An order that is none is read as one where it says all of it surely: its first dose date, how
many days, the days of collection and those of supervision. Nothing of it is guessed.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from adapter.care.collection_words import CollectionDays, NotSure, collection_days
from adapter.care.records import Json, extension, ours
from adapter.fhir.dates import add_days, days_between, service_day

_ORDERED = frozenset({"active", "on-hold", "completed"})
_DAYS_OF = {"d": 1, "day": 1, "days": 1, "wk": 7, "week": 7, "weeks": 7}


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Days of collection and of supervision: weekdays (0 Monday) or dates. rule: what they were read by."""

    pick_up: frozenset[int | str]
    supervised: frozenset[int | str] | None
    rule: str


def as_form(order: Json) -> Json | None:
    """A MedicationRequest as a form with its treatment period: itself, or a copy that says it; None for what is no form."""
    if extension(order, "treatment-period"):
        return order if order.get("intent") == "original-order" else None
    if not is_arranged(order):
        return None
    period = _period(order)
    if period is None:
        return None
    first, last = period
    made = deepcopy(order)
    made["extension"] = [
        *made.get("extension", ()),
        {"url": ours("treatment-period"), "valuePeriod": {"start": first, "end": last}},
    ]
    for step in made["dosageInstruction"]:
        bounds = step["timing"]["repeat"]["boundsPeriod"]
        bounds["start"] = service_day(bounds["start"])
        bounds["end"] = service_day(bounds["end"]) if "end" in bounds else last
    return made


def is_arranged(order: Json) -> bool:
    """Whether an order that is no form says in words on which days it is collected and on which supervised."""
    if order.get("intent") not in ("order", "original-order") or order.get("status") not in _ORDERED:
        return False
    if extension(order, "order-change") or extension(order, "planned-collection") or order.get("doNotPerform"):
        return False
    try:
        said = _words(order)
    except NotSure:
        return False
    return said is not None and said.supervised is not None


def arrangement(form: Json) -> Arrangement | None:
    """The days of collection that a form with a treatment period says; None where it says none.

    Raises NotSure where its words cannot be read as one arrangement, or where they stand beside an interval.
    """
    said, interval = _words(form), form.get("dispenseRequest", {}).get("dispenseInterval")
    if interval is None:
        return None if said is None else Arrangement(frozenset(said.pick_up), said.supervised, "collection-words")
    count = _count(interval)
    if said is not None or not count:
        raise NotSure
    period = extension(form, "treatment-period")
    length = days_between(period["start"], period["end"])
    return Arrangement(frozenset(add_days(period["start"], n) for n in range(0, length + 1, count)), None, "dispense-interval")


def _words(order: Json) -> CollectionDays | None:
    """What its dosage says of collecting, in each of its steps alike."""
    said = set()
    for step in order.get("dosageInstruction", ()):
        more = [one.get("text") for one in step.get("additionalInstruction", ())]
        text = "\n".join(one for one in (step.get("text"), step.get("patientInstruction"), *more) if isinstance(one, str))
        said.add(collection_days(text))
    if len(said - {None}) > 1:
        raise NotSure
    return next(iter(said - {None}), None)


def _count(duration: Any) -> int:
    """The whole days of a Duration; 0 where it is none, or no whole days."""
    if not isinstance(duration, dict) or "comparator" in duration:
        return 0
    of, value = _DAYS_OF.get(str(duration.get("code") or duration.get("unit"))), duration.get("value")
    return int(value) * of if of and value is not None and value > 0 and value == int(value) else 0


def _period(order: Json) -> tuple[str, str] | None:
    """The first and the last dose date that its steps say; of one step without an end, so many days as the supply lasts."""
    steps = order.get("dosageInstruction", ())
    bounds = [step.get("timing", {}).get("repeat", {}).get("boundsPeriod", {}) for step in steps]
    lasts = _count(order.get("dispenseRequest", {}).get("expectedSupplyDuration"))
    try:
        starts = [service_day(one["start"]) for one in bounds]
        if len(bounds) == 1 and "end" not in bounds[0]:
            return (starts[0], add_days(starts[0], lasts - 1)) if lasts else None
        ends = [service_day(one["end"]) for one in bounds]
    except (KeyError, ValueError):
        return None
    return (min(starts), max(ends)) if starts and all(a <= b for a, b in zip(starts, ends, strict=True)) else None
