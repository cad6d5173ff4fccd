"""The whole of it: from a person's messages to the ledger, its counts and the actions due, those that were withdrawn among them.

Nothing here keeps state or knows the time. As JSON: as_json.py; as a picture: picture.py; as messages: messages.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from adapter.care.actions import Action
from adapter.care.clocks import clocks
from adapter.care.counts import Counted, count
from adapter.care.derived import Derivation, Derived, unplanned
from adapter.care.facts import ordinal
from adapter.care.known import Known
from adapter.care.ladder import actions, gravity
from adapter.care.ledger import Ledger, derive, iso
from adapter.care.people import grouped, identifiers
from adapter.care.policy import Policy, load
from adapter.care.records import EARLIEST, Json, Person, person, replaces, standing
from adapter.fhir.dates import day_bounds, precision, service_day, to_datetime
from adapter.fhir.outcome import Issue

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class SharedCare:
    """What is known of one person at two times.

    actions: those due and those withdrawn, the gravest first · derived: the collections that no message plans · issues: what is
    told of forms whose collections are derived, or cannot be
    """

    person: Person
    ledger: Ledger
    counted: Counted
    actions: tuple[Action, ...]
    known_at: datetime | None = None
    derived: tuple[Derived, ...] = ()
    issues: tuple[Issue, ...] = ()


def moment(said: str) -> datetime:
    """The moment of an as-of: a date means the end of that service day. Raises ValueError for what is neither date nor moment."""
    if precision(said) == "day":
        return day_bounds(said)[1] - _INSTANT
    return to_datetime(said).astimezone(UTC)


def shared_care(
    messages: Iterable[Json], as_of: str, *, known_at: str | None = None, policy: Policy | None = None
) -> Iterator[SharedCare]:
    """The ledger of each person whom these hub Bundles are about. as_of, known_at: a date or a moment with its zone.

    Raises ValueError for an as_of or known_at that is neither.
    """
    people = map(person, grouped((identifiers(one), one) for one in messages))
    return of_people(people, as_of, known_at=known_at, policy=policy)


def of_people(
    people: Iterable[Person], as_of: str, *, known_at: str | None = None, policy: Policy | None = None
) -> Iterator[SharedCare]:
    """The ledger of each of these people, one held at a time. Times and errors as of shared_care."""
    at, known, by = moment(as_of), moment(known_at) if known_at else None, policy or load()
    return (of_person(one, by, at, known) for one in people)


def of_person(
    person: Person, policy: Policy, as_of: datetime, known_at: datetime | None = None, *, history: bool = True
) -> SharedCare:
    """The ledger of one person. history: whether what was withdrawn is wanted too, for which every late receipt is looked at."""
    known = _Reading(person, policy)
    ledger, counted, due = _at(known, policy, as_of, known_at)
    gone = _withdrawn(known, policy, as_of, known_at, due) + _ended_by_death(ledger, counted, due) if history else []
    patients = [one for one in person.patients if known_at is None or one.received <= known_at]
    records = standing(person.records, known_at)
    due = [*due, *clocks(records, policy, as_of, patients)]
    derived = known.derivation.of(known.at(as_of, known_at))
    issues = [issue for one in derived for issue in one.issues] + unplanned(records, ledger.today, policy)
    every = tuple(sorted([*due, *gone], key=gravity(policy)))
    return SharedCare(person, ledger, counted, every, known_at, tuple(one for one in derived if one.rule), tuple(issues))


class _Reading(Known):
    """The records of a person, with what is derived of their forms by a policy."""

    def __init__(self, person: Person, policy: Policy) -> None:
        super().__init__(person)
        self.derivation = Derivation(self, policy)


def _at(known: _Reading, policy: Policy, as_of: datetime, known_at: datetime | None) -> tuple[Ledger, Counted, list[Action]]:
    ledger = derive(known.derivation.added(known.at(as_of, known_at)), policy, as_of)
    counted = count(ledger)
    return ledger, counted, actions(ledger, counted)


def _withdrawn(
    known: _Reading, policy: Policy, as_of: datetime, known_at: datetime | None, due: Sequence[Action]
) -> list[Action]:
    """The actions that stood at a moment by what was known then, and that do not, at that moment, by what is known now.

    Only a record that comes late or corrects another can take the ground from an action: so these moments are enough.
    """
    held = {(one.code, one.since) for one in due}
    gone: dict[str, Action] = {}
    for moment_then in _moments(known, policy, as_of, known_at):
        at = min(moment_then, as_of)
        before = _at(known, policy, at, moment_then)[2]
        if any(one.code not in gone and (one.code, one.since) not in held for one in before):
            after = {one.code for one in _at(known, policy, at, known_at)[2]}
            gone |= {one.code: one.taken_back() for one in before if one.code not in after and (one.code, one.since) not in held}
    codes = {one.code for one in due}
    return [one for code, one in gone.items() if code not in codes]


def _ended_by_death(ledger: Ledger, counted: Counted, due: Sequence[Action]) -> list[Action]:
    """What would be due if the person lived."""
    if ledger.facts.death is None:
        return []
    alive = replace(ledger, facts=replace(ledger.facts, death=None))
    codes = {one.code for one in due}
    return [one.taken_back() for one in actions(alive, counted) if one.code not in codes]


def _moments(known: Known, policy: Policy, as_of: datetime, known_at: datetime | None) -> list[datetime]:
    """The moments at which something may have stood by what was not yet known: each due time till then, and just before it."""
    found: set[datetime] = set()
    last_day = ordinal(service_day(as_of.isoformat()))
    for start, end in _spans(known, policy, known_at):
        if start >= end:
            continue
        found.add(end - _INSTANT)
        first = ordinal(service_day(start.isoformat()))
        for day in range(first - 2, min(ordinal(service_day(end.isoformat())), last_day) + 1):
            due = policy.default_feed.closes(iso(day)).astimezone(UTC) + waits(policy)
            if start <= due < end:
                found.add(due)
    return sorted(found)


def _spans(known: Known, policy: Policy, known_at: datetime | None) -> Iterator[tuple[datetime, datetime]]:
    """From when something should have been known, or something else was, until it was received."""
    first: dict[str, datetime] = {}
    for record in known.person.records:
        if id(record) in known.facts:
            first[record.ref] = min(record.received, first.get(record.ref, record.received))
    for record in known.person.records:
        if id(record) not in known.facts or record.received == EARLIEST or (known_at is not None and record.received > known_at):
            continue
        said = record.said("dose-date") or record.resource.get("authoredOn") or record.resource.get("period", {}).get("start")
        if said is not None and precision(said) in ("day", "time"):
            yield policy.default_feed.closes(service_day(said)).astimezone(UTC) + waits(policy), record.received
        if known.corrects(record):
            yield min(first[name] for name in (record.ref, *replaces(record)) if name in first), record.received


def waits(policy: Policy) -> timedelta:
    """How long after closing a day is still due, at the longest."""
    return min(policy.default_feed.cadence, timedelta(hours=policy["longest-due"]))
