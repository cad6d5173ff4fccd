"""Dates and times: what is one, how precise it is, and on which day in London it was."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.fhir.dates import (
    LONDON,
    Precision,
    add_days,
    day_bounds,
    days_between,
    from_wall_clock,
    is_date,
    is_instant,
    precision,
    service_day,
    to_datetime,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026", "year"),
        ("2026-03", "month"),
        ("2026-03-18", "day"),
        ("2024-02-29", "day"),
        ("2000-02-29", "day"),
        ("0001-01-01", "day"),
        ("9999-12-31", "day"),
        ("2026-03-18T10:00:00Z", "time"),
        ("2026-03-18T10:00:00.123456789+01:00", "time"),
        ("2026-03-18T10:00:00-13:59", "time"),
        ("2026-03-18T10:00:00+14:00", "time"),
        ("2016-12-31T23:59:60Z", "time"),
        # no such day
        ("2026-02-29", None),
        ("1900-02-29", None),
        ("2026-04-31", None),
        ("2026-04-31T10:00:00Z", None),
        ("2026-13", None),
        ("2026-00-01", None),
        ("2026-01-00", None),
        ("0000", None),
        # no zone, no seconds, another form
        ("2026-03-18T10:00:00", None),
        ("2026-03-18T10:00Z", None),
        ("2026-03-18T10Z", None),
        ("2026-03-18T24:00:00Z", None),
        ("2026-03-18T23:60:00Z", None),
        ("2026-03-18T23:59:61Z", None),
        ("2026-03-18T10:00:00+14:01", None),
        ("2026-03-18T10:00:00+0100", None),
        ("2026-03-18T10:00:00.Z", None),
        ("2026-03-18 10:00:00Z", None),
        ("2026-03-18t10:00:00z", None),
        ("20260318", None),
        ("2026-3-18", None),
        ("18/03/2026", None),
        ("2026-03-18\n", None),
        (" 2026-03-18", None),
        ("٢٠٢٦", None),
        ("", None),
    ],
)
def test_precision(value: str, expected: Precision | None) -> None:
    assert precision(value) == expected
    assert is_date(value) is (expected in ("year", "month", "day"))
    assert is_instant(value) is (expected == "time")


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2026-03-18", "2026-03-18"),
        ("2024-02-29", "2024-02-29"),
        # in winter London has the time of UTC
        ("2026-01-15T00:00:00Z", "2026-01-15"),
        ("2026-01-15T23:59:59.999Z", "2026-01-15"),
        # summer: an hour before midnight UTC is midnight in London
        ("2026-06-15T22:59:59Z", "2026-06-15"),
        ("2026-06-15T22:59:59.999999Z", "2026-06-15"),
        ("2026-06-15T23:00:00Z", "2026-06-16"),
        ("2026-06-15T23:59:59Z", "2026-06-16"),
        ("2026-06-16T00:30:00+01:00", "2026-06-16"),
        ("2026-06-15T23:30:00+00:00", "2026-06-16"),
        ("2026-06-30T23:00:00Z", "2026-07-01"),
        # the clocks go forward on 29 March 2026 at 01:00 UTC
        ("2026-03-28T23:59:59Z", "2026-03-28"),
        ("2026-03-29T00:00:00Z", "2026-03-29"),
        ("2026-03-29T00:59:59Z", "2026-03-29"),
        ("2026-03-29T22:59:59Z", "2026-03-29"),
        ("2026-03-29T23:00:00Z", "2026-03-30"),
        # and back on 25 October 2026 at 01:00 UTC: 01:30 comes twice, on one day
        ("2026-10-24T22:59:59Z", "2026-10-24"),
        ("2026-10-24T23:00:00Z", "2026-10-25"),
        ("2026-10-25T01:30:00+01:00", "2026-10-25"),
        ("2026-10-25T01:30:00+00:00", "2026-10-25"),
        ("2026-10-25T23:59:59Z", "2026-10-25"),
        ("2026-10-26T00:00:00Z", "2026-10-26"),
        # other zones
        ("2026-01-15T01:00:00+14:00", "2026-01-14"),
        ("2026-01-15T20:00:00-05:00", "2026-01-16"),
        ("2026-02-28T23:30:00-01:00", "2026-03-01"),
        ("2028-02-28T23:30:00-01:00", "2028-02-29"),
        # leap seconds belong to the minute that they end; 2015-07-01 began in London an hour before this one
        ("2016-12-31T23:59:60Z", "2016-12-31"),
        ("2015-06-30T23:59:60Z", "2015-07-01"),
        ("2026-06-15T22:59:60Z", "2026-06-15"),
        # British Standard Time: an hour ahead all winter
        ("1970-01-15T23:30:00Z", "1970-01-16"),
    ],
)
def test_service_day(value: str, day: str) -> None:
    assert service_day(value) == day


@pytest.mark.parametrize(
    "value", ["2026", "2026-03", "2026-03-18T10:00:00", "2026-02-30", "2026-02-30T10:00:00Z", "", "9999-12-31T23:30:00-01:00"]
)
def test_a_service_day_is_never_guessed(value: str) -> None:
    with pytest.raises(ValueError, match=r"not a|beyond") as caught:
        service_day(value)
    assert value == "" or value not in str(caught.value)


def test_an_instant_keeps_its_moment_and_zone() -> None:
    found = to_datetime("2026-06-16T00:30:00.25+01:00")
    assert found == datetime(2026, 6, 15, 23, 30, 0, 250000, UTC)
    assert found.utcoffset() == timedelta(hours=1)


def test_instants_sort_by_moment_where_their_texts_do_not() -> None:
    texts = ["2026-10-25T01:30:00+00:00", "2026-10-25T01:45:00+01:00", "2026-10-25T00:50:00Z"]
    assert sorted(texts, key=to_datetime) == [texts[1], texts[2], texts[0]]


@pytest.mark.parametrize(
    "value", ["2026", "2026-03", "2026-03-18", "2026-03-18T10:00:00", "2026-02-30T10:00:00Z", "2016-12-31T23:59:60Z"]
)
def test_what_is_no_instant_never_becomes_one(value: str) -> None:
    with pytest.raises(ValueError, match=r"not a|compared") as caught:
        to_datetime(value)
    assert value not in str(caught.value)


@pytest.mark.parametrize(
    ("day", "count", "expected"),
    [
        ("2026-03-28", 1, "2026-03-29"),
        ("2026-03-29", 1, "2026-03-30"),
        ("2026-10-25", 1, "2026-10-26"),
        ("2024-02-28", 1, "2024-02-29"),
        ("2023-02-28", 1, "2023-03-01"),
        ("2026-01-01", -1, "2025-12-31"),
        ("2026-03-20", 14, "2026-04-03"),
    ],
)
def test_counting_days(day: str, count: int, expected: str) -> None:
    assert add_days(day, count) == expected
    assert days_between(day, expected) == count
    assert days_between(expected, day) == -count


@pytest.mark.parametrize("value", ["2026-03", "2026-03-18T10:00:00Z", "2026-02-30", ""])
def test_counting_takes_days_alone(value: str) -> None:
    for call in (lambda: add_days(value, 1), lambda: days_between(value, "2026-03-18"), lambda: day_bounds(value)):
        with pytest.raises(ValueError, match="not a day"):
            call()


@pytest.mark.parametrize(
    ("day", "start", "end", "hours"),
    [
        ("2026-01-15", "2026-01-15T00:00:00Z", "2026-01-16T00:00:00Z", 24),
        ("2026-06-15", "2026-06-14T23:00:00Z", "2026-06-15T23:00:00Z", 24),
        ("2026-03-29", "2026-03-29T00:00:00Z", "2026-03-29T23:00:00Z", 23),
        ("2026-10-25", "2026-10-24T23:00:00Z", "2026-10-26T00:00:00Z", 25),
    ],
)
def test_a_day_is_as_long_as_the_clocks_make_it(day: str, start: str, end: str, hours: int) -> None:
    first, following = day_bounds(day)
    assert (first, following) == (to_datetime(start), to_datetime(end))
    assert following - first == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ("2026-01-15T09:00:00", "2026-01-15T09:00:00+00:00"),
        ("2026-06-15T00:30:00", "2026-06-15T00:30:00+01:00"),
        ("2026-06-15T00:30:00.5", "2026-06-15T00:30:00.5+01:00"),
        ("2026-03-29T00:59:59", "2026-03-29T00:59:59+00:00"),
        ("2026-03-29T02:00:00", "2026-03-29T02:00:00+01:00"),
        ("2026-10-25T00:59:59", "2026-10-25T00:59:59+01:00"),
        ("2026-10-25T02:00:00", "2026-10-25T02:00:00+00:00"),
    ],
)
def test_wall_clock(shown: str, expected: str) -> None:
    assert from_wall_clock(shown) == expected
    assert is_instant(expected)


@pytest.mark.parametrize(
    ("shown", "reason"),
    [
        ("2027-03-28T01:00:00", "skipped"),
        ("2027-03-28T01:30:00", "skipped"),
        ("2026-10-25T01:00:00", "twice"),
        ("2026-10-25T01:30:00", "twice"),
        ("2026-10-25T01:59:59.999", "twice"),
        ("2026-10-25", "not YYYY"),
        ("2026-10-25T01:30:00Z", "not YYYY"),
        ("2026-02-30T01:30:00", "day"),
        ("2026-02-20T25:30:00", "hour"),
    ],
)
def test_a_wall_clock_is_never_guessed(shown: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        from_wall_clock(shown)


@pytest.mark.parametrize("change", ["2026-03-29", "2026-10-25"])
def test_every_half_hour_around_a_change_in_three_writings(change: str) -> None:
    # London's days written out by hand: the hours of UTC at which they begin.
    begins = {
        "2026-03-29": ("2026-03-29T00:00:00Z", "2026-03-29T23:00:00Z"),
        "2026-10-25": ("2026-10-24T23:00:00Z", "2026-10-26T00:00:00Z"),
    }
    first, following = (to_datetime(text) for text in begins[change])
    moment = first - timedelta(hours=12)
    while moment < following + timedelta(hours=12):
        day = add_days(change, -1) if moment < first else change if moment < following else add_days(change, 1)
        for hours in (0, 1, -5):
            written = (moment + timedelta(hours=hours)).replace(
                tzinfo=None
            ).isoformat() + f"{'-' if hours < 0 else '+'}{abs(hours):02}:00"
            assert service_day(written) == day, written
        moment += timedelta(minutes=30)


@settings(max_examples=200, deadline=None)
@given(st.datetimes(datetime(1950, 1, 1), datetime(2090, 1, 1)), st.integers(-14 * 60 + 1, 14 * 60))  # noqa: DTZ001
def test_the_zone_of_writing_changes_no_day(moment: datetime, minutes: int) -> None:
    moment = moment.replace(tzinfo=UTC, microsecond=0)
    shifted = (moment + timedelta(minutes=minutes)).replace(tzinfo=None).isoformat()
    written = f"{shifted}{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    day = service_day(written)
    assert to_datetime(written) == moment
    assert day == service_day(moment.isoformat())
    first, following = day_bounds(day)
    assert first <= moment < following


@settings(max_examples=100, deadline=None)
@given(st.dates(date(1950, 1, 1), date(2090, 1, 1)), st.times())
def test_a_wall_clock_shows_what_was_read(day: date, at: time) -> None:
    shown = f"{day.isoformat()}T{at.replace(microsecond=0).isoformat()}"
    try:
        written = from_wall_clock(shown)
    except ValueError:
        assert day.weekday() == 6
        assert at.hour in (1, 2, 3)
        return
    assert to_datetime(written).astimezone(LONDON).replace(tzinfo=None).isoformat() == shown
    assert service_day(written) == day.isoformat()
