"""The dose ledger: one state for each dose-day, with its evidence. Rules and words: docs/care.md, "The state of a dose".

Days are ordinals. What one record says of a day is never outweighed by when it came.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from adapter.care.facts import Facts, Form, Outcome, ordinal
from adapter.care.forms import Forms
from adapter.care.policy import Feed, Policy
from adapter.care.records import Json
from adapter.fhir.dates import service_day

#: States in which a dose was taken, wholly or in part.
TAKEN = frozenset({"supervised", "take-home", "elsewhere-evidenced", "depot", "partial"})
#: States in which a full dose was seen.
FULL = frozenset({"supervised", "elsewhere-evidenced", "depot"})
#: Of a day on which no dose was taken and several states meet, the first of these that any dose has.
_LEAST_KNOWN = ("due", "unreported", "elsewhere-unreported", "not-swallowed", "withheld", "missed", "not-expected")


class Dose(NamedTuple):
    """The state of one dose of a day. vomited: brought up again · forfeited: its instalment was lost with another day."""

    state: str
    evidence: tuple[str, ...] = ()
    amount: Outcome | None = None
    vomited: bool = False
    forfeited: bool = False


class Day(NamedTuple):
    """A dose-day: its state and those of its doses by number."""

    day: int
    state: str
    doses: Mapping[int, Dose]
    live: tuple[Form, ...]

    @property
    def evidence(self) -> tuple[str, ...]:
        """The records it stands on."""
        return tuple(dict.fromkeys(ref for dose in self.doses.values() for ref in dose.evidence))

    @property
    def amount(self) -> Json | None:
        """The amount of a day of one dose, as it is said; split doses have none that is one dose."""
        said = [dose.amount.quantity for dose in self.doses.values() if dose.amount is not None and dose.amount.quantity]
        if len(self.doses) != 1 or not said:
            return None
        return {name: said[0][name] for name in ("value", "unit", "system", "code") if name in said[0]}

    @property
    def vomited(self) -> bool:
        """Whether a dose of it was brought up."""
        return self.state == "partial" and any(dose.vomited for dose in self.doses.values())

    @property
    def forfeited(self) -> bool:
        """Whether it was lost with the collection of another day."""
        return any(dose.forfeited for dose in self.doses.values())


@dataclass(frozen=True)
class Ledger:
    """The days up to as-of, in order without a gap, and what they were worked out from."""

    days: tuple[Day, ...]
    facts: Facts
    forms: Forms
    policy: Policy
    as_of: datetime
    today: int


def feed_of(forms: Iterable[Form], policy: Policy) -> Feed:
    """The feed by which a day of these forms is reported; of two the slower."""
    return max((policy.feed(form.pharmacy) for form in forms), key=lambda feed: feed.cadence, default=policy.default_feed)


def iso(day: int) -> str:
    """An ordinal as YYYY-MM-DD."""
    return date.fromordinal(day).isoformat()


def derive(facts: Facts, policy: Policy, as_of: datetime, plain: dict[int, Day] | None = None) -> Ledger:
    """The ledger of these facts. as_of: an aware moment; its service day is the last of the ledger.

    plain: keeps the plain days of a person from one time to another, so that each is made once.
    """
    today = ordinal(service_day(as_of.isoformat()))
    forms = Forms(facts)
    starts = [form.first for form in facts.forms] + [one.day for one in facts.outcomes]
    first = min(starts, default=today + 1)
    made = tuple(_days(first, today, facts, forms, policy, as_of, {} if plain is None else plain))
    return Ledger(made, facts, forms, policy, as_of, today)


def _days(
    first: int, today: int, facts: Facts, forms: Forms, policy: Policy, as_of: datetime, plain: dict[int, Day]
) -> Iterator[Day]:
    said = {day: list(group) for day, group in groupby(facts.outcomes, key=lambda one: one.day)}
    covered: dict[int, Outcome] = {}
    for one in facts.outcomes:
        if one.outcome == "depot":
            covered |= dict.fromkeys(range(one.day, one.day + policy.covers(one.milligrams)), one)
    missed: dict[int, Day] = {}
    for day in range(first, today + 1):
        live = forms.live(day)
        events = said.get(day, [])
        if len(events) == 1 and events[0].is_plain and forms.doses(day) == 1:  # as the lines below would have it, sooner
            made = plain.get(day)
            if made is None or made.live != live or made.doses[1].amount is not events[0]:
                made = Day(day, events[0].outcome, {1: Dose(events[0].outcome, (events[0].ref,), events[0])}, live)
                plain[day] = made
            yield made
            continue
        told = [one for one in events if one.outcome not in ("elsewhere", "depot")]
        stated = [one for one in events if one.outcome == "elsewhere"]
        doses = {}
        for number in sorted({*range(1, forms.doses(day) + 1), *(one.number for one in (*told, *stated) if one.number)}):
            own = [one for one in told if one.number == number]
            of_it = [one for one in stated if one.number in (number, 0)]
            doses[number] = _evidenced(day, own, of_it, facts, covered) or _silent(day, live, facts, missed, policy, as_of)
        made = Day(day, _together([dose.state for dose in doses.values()]), doses, live)
        if made.state == "missed":
            missed[day] = made
        yield made


def _evidenced(
    day: int, own: Sequence[Outcome], stated: Sequence[Outcome], facts: Facts, covered: Mapping[int, Outcome]
) -> Dose | None:
    """The state that records of the dose itself give, or those of a dose elsewhere; None where there are none."""
    away = bool(facts.stays) and any(stay.whole(day) for stay in facts.stays)
    if own:
        refs = tuple([one.ref for one in own])
        if _differ(own):
            return Dose("conflict", refs)
        had = own[0].outcome not in ("missed", "withheld") or not (stated or away or day in covered)
        if had and not (own[0].outcome == "not-swallowed" and day in covered):
            vomited = own[0].outcome == "supervised" and any(one.vomited for one in own)
            return Dose("partial" if vomited else own[0].outcome, refs, own[0], vomited)
    if day in covered:
        return Dose("depot", (covered[day].ref,), covered[day])
    if stated:
        places = {stay.place for stay in facts.stays if stay.touches(day)} - {None}
        shown = [one for one in stated if one.place in places]
        if any(_several({one.amount for one in stated if bool(one.number) is numbered}) for numbered in (True, False)):
            return Dose("conflict", tuple(one.ref for one in stated))
        state = "elsewhere-evidenced" if shown else "elsewhere-unreported"
        return Dose(state, tuple(one.ref for one in shown or stated), (shown or stated)[0])
    if away:
        return Dose("elsewhere-unreported", tuple(stay.ref for stay in facts.stays if stay.whole(day)))
    return None


def _differ(own: Sequence[Outcome]) -> bool:
    if len(own) == 1:
        return own[0].doubtful
    return len({one.outcome for one in own}) > 1 or _several({one.amount for one in own}) or any(one.doubtful for one in own)


def _several(amounts: Iterable[object]) -> bool:
    """Whether amounts differ; one that is not said differs from none."""
    return len(set(amounts) - {None}) > 1


def _silent(day: int, live: Sequence[Form], facts: Facts, missed: Mapping[int, Day], policy: Policy, as_of: datetime) -> Dose:
    """The state of a dose of which no record speaks."""
    if not live:
        return Dose("not-expected")
    feed = feed_of(live, policy)
    for form in live:
        for one in facts.collections:
            if one.form & form.names and one.on < day and day in one.covers and one.on in missed:
                forfeited = "missed-collection" not in form.wordings
                if not forfeited and day not in form.closed:
                    continue
                if as_of < feed.closes(iso(day)):
                    return Dose("due")
                return Dose("missed", missed[one.on].evidence, forfeited=forfeited)
    latest = feed.closes(iso(day)) + min(feed.cadence, timedelta(hours=policy["longest-due"]))
    return Dose("due" if as_of < latest else "unreported")


def _together(states: Sequence[str]) -> str:
    """The state of a day from those of its doses."""
    if len(states) == 1 or len(set(states)) == 1:
        return states[0]
    if "conflict" in states:
        return "conflict"
    if all(state in FULL or state == "take-home" for state in states):
        return "take-home" if "take-home" in states else "supervised"
    if any(state in TAKEN for state in states):
        return "partial"
    return next(state for state in _LEAST_KNOWN if state in states)
