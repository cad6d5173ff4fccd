"""What is known of a person at two times: the facts that had happened by the one, of what had been received by the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from adapter.care.fact_reading import ended_by_status, is_ahead, is_dateless, medicine, read
from adapter.care.facts import Change, Collection, Contact, Death, Fact, Facts, Form, Outcome, Stay, ordinal
from adapter.care.records import EARLIEST, Person, Record, carries_life, is_withdrawn, replaces, speaks_of_death, standing
from adapter.care.times import day_and_moment, day_received
from adapter.fhir.dates import day_bounds, service_day

#: A fact with its place among those of a person (no two share one, so that these sort by it) and since when it has happened.
_Dated = tuple[int, datetime | int, Fact]


class Known:
    """The records of a person, each read once; `at` gives the facts of two times."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.facts = {id(record): fact for record in person.records if (fact := read(record)) is not None}
        #: Those that would count if they were not of another medicine. A change is of the form that it names.
        counted = [one for one in person.records if not isinstance(self.facts.get(id(one)), Change | None)]
        kinds = {id(one): medicine(one) for one in counted}
        self.others = [one for one in counted if kinds[id(one)] == "other"]
        self.unknown = {name for name, kind in kinds.items() if kind == "unknown"}
        #: Those that tell of what had not come when they were received; and supplies of which no dose date is known.
        self.ahead = [one for one in counted if (fact := self.facts.get(id(one))) is not None and is_ahead(one, fact)]
        self.days_ahead = {id(one): fact.day for one in self.ahead if isinstance(fact := self.facts[id(one)], Outcome | Contact)}
        self.dateless = [one for one in person.records if is_dateless(one) and medicine(one) == "substitution"]
        for record in {id(one): one for one in (*self.others, *self.ahead)}.values():
            del self.facts[id(record)]
        counting = [record for record in person.records if id(record) in self.facts]
        # Most records stand by themselves: no other is of their name, none replaces them, and they replace none.
        told = Counter((record.type, record.names) for record in counting)
        replaced = {name for record in counting for name in replaces(record)}
        counting.sort(key=lambda record: _order(self.facts[id(record)]))
        facts = [self.facts[id(record)] for record in counting]
        self._dated = {id(one): (n, since_when(fact), fact) for n, (one, fact) in enumerate(zip(counting, facts, strict=True))}
        self._alone: list[tuple[datetime, _Dated]] = []
        self._planned: list[tuple[datetime, _Dated]] = []  # collections, the most by number, which have always happened
        self._tangled: list[Record] = []
        for record in counting:
            if told[record.type, record.names] > 1 or record.names & replaced or replaces(record) or is_withdrawn(record):
                self._tangled.append(record)
            else:
                into = self._planned if isinstance(self.facts[id(record)], Collection) else self._alone
                into.append((record.received, self._dated[id(record)]))
        self._bound = {id(record) for record in self._tangled}
        self._orders = [one for one in person.records if one.type == "MedicationRequest" and _is_other_order(one, self.facts)]
        self.deaths = [one for one in person.patients if speaks_of_death(one)]
        self.carrying_life = [one for one in person.patients if carries_life(one)]

    def _standing(self, known_at: datetime | None) -> tuple[list[_Dated], set[tuple[Any, ...]]]:
        """The facts of those that stand; and what was corrected, which does not come back under another identifier."""
        kept = standing(self._tangled, known_at)
        given = {id(record) for record in kept}
        named = {name for record in kept for name in replaces(record)}
        told = [record for record in self._tangled if known_at is None or record.received <= known_at]
        named |= {name for record in told if is_withdrawn(record) for name in record.names}
        corrected = [self.facts[id(record)] for record in told if id(record) not in given and record.names & named]
        gone = {one.same for one in corrected if isinstance(one, Outcome)}
        for record in kept:  # a correction may say again what was corrected
            fact = self.facts[id(record)]
            if replaces(record) and isinstance(fact, Outcome):
                gone.discard(fact.same)
        return [self._dated[id(record)] for record in kept], gone

    def corrects(self, record: Record) -> bool:
        """Whether other records bear on whether this one stands."""
        return id(record) in self._bound

    def at(self, as_of: datetime, known_at: datetime | None = None) -> Facts:
        """The facts that had happened by as-of, of what had been received by known_at (None: of everything)."""
        today = ordinal(service_day(as_of.isoformat()))
        kinds: dict[type[Any], list[Any]] = {kind: [] for kind in (Form, Collection, Change, Outcome, Stay, Contact)}
        found = [dated for received, dated in self._alone if known_at is None or received <= known_at]
        stand, gone = self._standing(known_at)
        for _, since, fact in sorted(found + stand):
            if _by(since, as_of, today):
                kinds[type(fact)].append(_cut(fact, as_of, today))
        changed = [change for form in kinds[Form] if (change := ended_by_status(form)) is not None]
        if changed:
            kinds[Change] += [change for change in changed if _by(change.seen, as_of, today)]
            kinds[Change].sort(key=_order)
        planned = [dated for received, dated in self._planned if known_at is None or received <= known_at]
        if kinds[Collection]:
            planned = sorted([*planned, *(dated for dated in stand if isinstance(dated[2], Collection))])
        return Facts(
            tuple(kinds[Form]),
            tuple([fact for _, _, fact in planned if isinstance(fact, Collection)]),
            tuple(kinds[Change]),
            tuple(_once(kinds[Outcome], gone)),
            tuple(stay for stay in kinds[Stay] if stay.took_place),
            tuple(kinds[Contact]),
            _death(self.deaths, as_of, known_at),
            _names(self._orders, known_at) if kinds[Change] else frozenset(),
            tuple([one for one in kinds[Outcome] if one.same in gone]) if gone else (),
        )


def _is_other_order(record: Record, facts: Mapping[int, Fact]) -> bool:
    """Whether it is an order that is no form, no collection of one, and no change."""
    return id(record) not in facts and record.resource.get("intent") != "instance-order"


def _names(records: Iterable[Record], known_at: datetime | None) -> frozenset[str]:
    return frozenset(name for one in records if known_at is None or one.received <= known_at for name in one.names)


def _death(said: Iterable[Record], as_of: datetime, known_at: datetime | None) -> Death | None:
    """Of the Patient resources that speak of a death, what the latest says. One dated after its receipt was known by then."""
    known = deaths(said, known_at)
    if not known:
        return None
    latest = known[-1]
    today = ordinal(service_day(as_of.isoformat()))
    received = latest.received > EARLIEST
    dated = day_and_moment(latest.resource.get("deceasedDateTime"))
    told = day_received(latest) if received else today
    day = told if dated is None else min(dated[0], told) if received else dated[0]
    if day > today:
        return None
    first = next(one for one in known if one.resource.get("deceasedBoolean") is not False)
    heard = first.received if first.received > EARLIEST else day_bounds(date.fromordinal(day).isoformat())[0]
    return Death(day, heard, latest.ref)


def deaths(said: Iterable[Record], known_at: datetime | None) -> list[Record]:
    """The Patient resources that speak of a death, the one that counts last; none where that denies it."""
    known = [one for one in said if known_at is None or one.received <= known_at]
    # Of those received at one moment a death counts before a denial, and the earlier day before the later.
    known.sort(key=lambda one: str(one.resource.get("deceasedDateTime", "")), reverse=True)
    known.sort(key=lambda one: (one.received, one.resource.get("deceasedBoolean") is not False))
    return [] if known and known[-1].resource.get("deceasedBoolean") is False else known


def _by(seen: datetime | int | None, as_of: datetime, today: int) -> bool:
    return seen is not None and (seen <= today if isinstance(seen, int) else seen <= as_of)


def since_when(fact: Fact) -> datetime | int:
    """The moment, or where only that is known the service day, from which on it has happened."""
    match fact:
        case Form():
            return fact.authored_at or fact.authored
        case Outcome() | Change():
            return fact.seen
        case Stay():
            return fact.first_at
        case Contact():
            return fact.at
        case Collection():  # it is part of its form, and counts by that
            return 0


def _cut(fact: Fact, as_of: datetime, today: int) -> Fact:
    """A stay that ends after as-of has not ended."""
    if isinstance(fact, Stay) and fact.last is not None and not _by(fact.last_at, as_of, today):
        return replace(fact, last=None, last_at=None, mention=None)
    return fact


def _moment(at: datetime | None) -> datetime:
    return at or datetime.min.replace(tzinfo=UTC)


def _order(fact: Fact) -> tuple[Any, ...]:
    """For sorting the facts of one kind, whatever order they came in."""
    match fact:
        case Form():
            own: tuple[Any, ...] = (fact.first, fact.last)
        case Collection():
            own = (fact.on,)
        case Change():
            own = (fact.day, _moment(fact.at), fact.kind)
        case Outcome():
            amount, unit = fact.amount or (-1, "")
            own = (fact.day, fact.number, _moment(fact.at), fact.outcome, fact.source, amount, unit, fact.place or "")
        case Stay():
            own = (fact.first,)
        case Contact():
            own = (fact.day,)
    return type(fact).__name__, *own, fact.ref


def _once(outcomes: Iterable[Outcome], gone: set[tuple[Any, ...]]) -> Iterator[Outcome]:
    """Each outcome once, without those gone: what one source says of one dose, with one outcome, time and amount."""
    seen = set(gone)
    for one in outcomes:
        same = one.same
        if same not in seen:
            seen.add(same)
            yield one
