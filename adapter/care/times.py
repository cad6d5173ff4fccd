"""When things were: what a record says of days and moments, and whether that can be. Days are ordinals, moments are in UTC."""

from __future__ import annotations

from datetime import datetime, timedelta

from adapter.care.facts import ordinal
from adapter.care.records import EARLIEST, Record
from adapter.fhir.dates import moment_of, precision, service_day

#: A service day and, where one is said, the moment.
When = tuple[int, datetime | None]
_NONE = timedelta()


def day_and_moment(value: str | None) -> tuple[int, datetime | None] | None:
    """The service day and, where one is said, the moment; None of a month, a year, or what the calendar does not hold."""
    how = precision(value) if value else None
    if value is None or how not in ("day", "time"):
        return None
    try:
        return ordinal(service_day(value)), moment_of(value) if how == "time" else None
    except ValueError:
        return None


def day_received(record: Record) -> int:
    """The service day on which it was received."""
    return ordinal(service_day(record.received.isoformat()))


def is_after_receipt(record: Record, said: str | None, skew: timedelta = _NONE) -> bool:
    """Whether a time that a record says lies after its receipt, by more than two clocks may differ."""
    known = day_and_moment(said)
    return known is not None and _lies_after(record, known, skew)


def _lies_after(record: Record, known: When, skew: timedelta = _NONE) -> bool:
    day, at = known
    if record.received == EARLIEST:
        return False
    return at - skew > record.received if at is not None else day > day_received(record)


def seen_since(record: Record, known: When | None, otherwise: datetime | int) -> datetime | int:
    """Since when it can be known by a time that is said; what was received was known by then."""
    if known is None:
        return otherwise
    return record.received if _lies_after(record, known) else known[1] or known[0]
