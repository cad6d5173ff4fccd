"""Where two doses may have been had for one: possible-double-dose. Rules: docs/care.md, "The ladder"."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby

from adapter.care.facts import SUPPLIES, Outcome
from adapter.care.ledger import Ledger
from adapter.care.policy import Depot
from adapter.fhir.dates import LONDON

#: A day on which it was seen, and the records that show it.
Seen = tuple[int, list[str]]
#: Outcomes by which somebody saw a dose swallowed.
_WATCHED = frozenset({"supervised", "partial"})
#: Outcomes by which somebody here had a dose, or may have.
_HAD = SUPPLIES | {"depot"}


def doubled(ledger: Ledger) -> list[Seen]:
    """Every day on which two doses may have been had for one, the earliest first, and the records that show it."""
    found = [*_supplied(ledger), *_too_much(ledger), *_at_once(ledger), *_injected(ledger)]
    return sorted(found, key=lambda one: one[0])


def _supplied(ledger: Ledger) -> Iterator[Seen]:
    """A dose supplied twice, or supplied where another was or may have been had."""
    depots = _depots(ledger)
    for day, events in _by_day(ledger.facts.outcomes):
        if len(events) == 1 and not depots and not ledger.facts.stays:
            continue
        given = [one for one in events if one.outcome in SUPPLIES]
        if day > ledger.today or not given:
            continue
        same = {number: [one for one in given if one.number == number] for number in {one.number for one in given}}
        twice = [one for group in same.values() for one in group if any(_apart(one, other) for other in group)]
        away = [stay.ref for stay in ledger.facts.stays if stay.touches(day)]
        stated = [one.ref for one in events if one.outcome == "elsewhere"]
        injected = [one.ref for one in depots if one.day <= day < one.day + ledger.policy.longest(one.milligrams).covers]
        formed = any(one.first <= day <= one.last for one in ledger.forms.all)
        more = len(same) > ledger.forms.doses(day) and (formed or len({one.pharmacy for one in given} - {None}) > 1)
        if twice or away or stated or injected or more:
            yield day, [*(one.ref for one in given), *away, *stated, *injected]


def _by_day(outcomes: Iterable[Outcome]) -> Iterator[tuple[int, list[Outcome]]]:
    """The outcomes of each day; they stand in order of their days."""
    return ((day, list(events)) for day, events in groupby(outcomes, key=lambda one: one.day))


def _depots(ledger: Ledger) -> list[Outcome]:
    return [one for one in ledger.facts.outcomes if one.outcome == "depot"]


def _apart(one: Outcome, other: Outcome) -> bool:
    """Whether two supplies of one dose are surely two, and not one that two records tell."""
    pharmacies = {one.pharmacy, other.pharmacy} - {None}
    times = {one.at, other.at} - {None}
    days = {one.handed, other.handed} - {None}
    orders = one.orders and other.orders and one.source == other.source and not one.orders & other.orders
    return len(pharmacies) > 1 or len(times) > 1 or len(days) > 1 or bool(orders) or one.outcome != other.outcome


def _too_much(ledger: Ledger) -> Iterator[Seen]:
    """A dose of more than the forms that have its day prescribe for that day together, or than its record says is prescribed."""
    least = ledger.forms.least
    for one in ledger.facts.outcomes:
        if one.day > ledger.today or one.most is None or one.outcome not in _HAD:
            continue
        if one.beyond:
            yield one.day, [one.ref]
        elif least is not None and one.most[0] > least and one.outcome in SUPPLIES:
            limit = ledger.forms.prescribed(one.day)
            if limit is not None and limit[1] == one.most[1] and one.most[0] > limit[0]:
                yield one.day, [one.ref, *(form.ref for form in ledger.forms.all if form.first <= one.day <= form.last)]


# swallowed at once ------------------------------------------------------------------------------------------------------
def _at_once(ledger: Ledger) -> Iterator[Seen]:
    """Doses of different dose dates that were seen swallowed at one moment, or on one service day."""
    # Most doses are swallowed on their own day. Only where one was not, several can have been on one.
    moved = {on for one in ledger.facts.outcomes if (on := _swallowed_on(one)) not in (None, one.day) and on <= ledger.today}
    by_day: dict[int, list[Outcome]] = {}
    for one in ledger.facts.outcomes if moved else ():
        on = _swallowed_on(one)
        if on is not None and on in moved:
            by_day.setdefault(on, []).append(one)
    for on, those in sorted(by_day.items()):
        together = [one for one in those if not _may_be_late_entry(one, ledger.policy["late-entry"])]
        if _are_of_several_days(together):
            yield on, [one.ref for one in together]
        moments = {moment for one in those if (moment := _moment(one)) is not None}
        for moment in sorted(moments):
            same = [one for one in those if _moment(one) == moment]
            if _are_of_several_days(same):
                yield on, [one.ref for one in same]


def _swallowed_on(one: Outcome) -> int | None:
    """The service day on which somebody saw it swallowed; None of any other dose."""
    return one.swallowed[0] if one.swallowed is not None and one.outcome in _WATCHED else None


def _moment(one: Outcome) -> datetime | None:
    return one.swallowed[1] if one.swallowed is not None else None


def _may_be_late_entry(one: Outcome, hours: int) -> bool:
    """Whether it is of the day before, and may have been entered after midnight: in the first hours, or without a time."""
    moment = _moment(one)
    of_the_day_before = _swallowed_on(one) == one.day + 1
    return of_the_day_before and (moment is None or moment.astimezone(LONDON).hour < hours)


def _are_of_several_days(those: Sequence[Outcome]) -> bool:
    return len({one.day for one in those}) > 1


# injected too early -----------------------------------------------------------------------------------------------------
def _injected(ledger: Ledger) -> Iterator[Seen]:
    """An injection that came while another lasts, and not near its end; or one of two on one day."""
    given = [one for one in _depots(ledger) if one.day <= ledger.today]
    for n, one in enumerate(given):
        before = [other for other in given[:n] if _is_too_early(one, other, ledger.policy.longest(other.milligrams))]
        if before:
            yield one.day, [*(other.ref for other in before), one.ref]


def _is_too_early(one: Outcome, before: Outcome, depot: Depot) -> bool:
    if one.day == before.day:
        amounts = {one.amount, before.amount} - {None}
        return _apart(one, before) or len(amounts) > 1
    return before.day + depot.covers - one.day > depot.early
