"""FHIR's dates and times, kept as the strings they came as, so that precision and zone are never lost.

A date says a day, a dateTime with a zone says a moment, and neither is turned into the other in silence: a dose handed over at
00:30 in June happened on that day in London, although UTC still says the day before. The one road from moment to day is
service_day. Errors are ValueError, and never quote the value. https://hl7.org/fhir/R4/datatypes.html#dateTime
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

#: The zone in which the days of shared care are counted. The rules come from the system or from the tzdata package.
LONDON = ZoneInfo("Europe/London")
#: The least time between two moments here.
INSTANT = timedelta(microseconds=1)

Precision = Literal["year", "month", "day", "time"]

# The regular expressions of the specification in one, with the year 0000 left out. The calendar is checked apart.
_PATTERN = re.compile(
    r"(?!0000)(?P<year>[0-9]{4})"
    r"(?:-(?P<month>0[1-9]|1[0-2])"
    r"(?:-(?P<day>0[1-9]|[12][0-9]|3[01])"
    r"(?P<time>T(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
    r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00)))?)?)?"
)
_WALL_CLOCK = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?")


def precision(value: str) -> Precision | None:
    """How much the value says; None where it is no FHIR date, dateTime or instant (no zone, no such day, another form)."""
    found = _PATTERN.fullmatch(value)
    if found is None:
        return None
    if found["month"] is None:
        return "year"
    if found["day"] is None:
        return "month"
    try:
        date(int(found["year"]), int(found["month"]), int(found["day"]))
    except ValueError:
        return None
    return "day" if found["time"] is None else "time"


def is_date(value: str) -> bool:
    """Whether this is a FHIR date: a year, a month or a day."""
    return precision(value) in ("year", "month", "day")


def is_instant(value: str) -> bool:
    """Whether this is a FHIR instant, or a dateTime that says a moment: day, time with seconds, and zone."""
    return precision(value) == "time"


def to_datetime(value: str) -> datetime:
    """The moment of an instant, in the zone it was written in, cut to microseconds; for comparing and sorting.

    Raises ValueError for a date (it is no moment), for what is no FHIR date at all, and for second 60, which Python cannot hold:
    such a value is allowed and cannot be compared.
    """
    said = precision(value)
    if said is None:
        raise ValueError("not a FHIR dateTime: a time needs seconds and a zone, and the day must exist")
    if said != "time":
        raise ValueError(f"a {said} is not a moment")
    if value[17:19] == "60":
        raise ValueError("a leap second cannot be compared")
    return datetime.fromisoformat(value)


def moment_of(value: str) -> datetime:
    """The moment of an instant in UTC, a leap second as part of the minute that it ends.

    Raises ValueError for what is no instant, and for one whose moment lies beyond the calendar.
    """
    try:
        return to_datetime(value[:17] + "59" + value[19:] if value[17:19] == "60" else value).astimezone(UTC)
    except OverflowError:
        raise ValueError("beyond the calendar") from None


def service_day(value: str) -> str:
    """The day, as YYYY-MM-DD, on which this is in London: a day stays itself, a moment is read on London's clock.

    Raises ValueError for a year or a month, which are no one day (ask precision first), for a time without a zone, and for what
    is no FHIR date at all.
    """
    said = precision(value)
    if said == "day":
        return value
    if said != "time":
        raise ValueError(f"a {said} is not a day" if said else "not a FHIR dateTime: a time needs seconds and a zone")
    # A leap second belongs to the minute that it ends.
    moment = datetime.fromisoformat(value[:17] + "59" + value[19:] if value[17:19] == "60" else value)
    try:
        return moment.astimezone(LONDON).date().isoformat()
    except OverflowError:
        raise ValueError("beyond the calendar") from None


def add_days(day: str, count: int) -> str:
    """The day so many days later, or earlier; calendar days, whatever the clocks did. Raises ValueError for what is no day."""
    return (_day(day) + timedelta(days=count)).isoformat()


def days_between(first: str, last: str) -> int:
    """How many days the last is after the first; negative where it is before. Raises ValueError for what is no day."""
    return (_day(last) - _day(first)).days


def day_bounds(day: str) -> tuple[datetime, datetime]:
    """The first moment of a service day and that of the next, in UTC: 23 or 25 hours apart when the clocks change.

    For asking whether a moment falls on the day or before its end; not a time for the date to be given. ValueError for no day.
    """
    start = _day(day)
    first, following = (datetime.combine(one, time(), LONDON).astimezone(UTC) for one in (start, start + timedelta(days=1)))
    return first, following


def from_wall_clock(value: str) -> str:
    """A dateTime with London's offset, from what a clock on a wall in the United Kingdom showed: YYYY-MM-DDThh:mm:ss[.fff].

    For systems that write no zone. Raises ValueError for a time that London's clocks skipped in spring, for one that they showed
    twice in autumn (which of the two it was nobody can know, though the service day is the same), and for any other form.
    """
    if not _WALL_CLOCK.fullmatch(value):
        raise ValueError("not YYYY-MM-DDThh:mm:ss")
    shown = datetime.fromisoformat(value).replace(tzinfo=LONDON)
    before, after = shown.utcoffset(), shown.replace(fold=1).utcoffset()
    if before != after:
        skipped = shown.astimezone(UTC).astimezone(LONDON).replace(tzinfo=None) != shown.replace(tzinfo=None)
        raise ValueError("London's clocks skipped this time" if skipped else "London's clocks showed this time twice")
    return value + shown.isoformat()[-6:]


def _day(value: str) -> date:
    if precision(value) != "day":
        raise ValueError("not a day: YYYY-MM-DD")
    return date.fromisoformat(value)
