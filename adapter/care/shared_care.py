"""The whole of it: from a person's messages to the ledger, its counts and the actions due, those that were withdrawn among them.

Nothing here keeps state or knows the time. As JSON: as_json.py; as a picture: picture.py; as messages: messages.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from adapter.care.actions import Action
from adapter.care.counts import Counted
from adapter.care.derived import Derived, unplanned
from adapter.care.fact_issues import of_facts
from adapter.care.ladder import gravity
from adapter.care.ledger import Ledger
from adapter.care.people import contested, grouped, identifiers
from adapter.care.policy import Policy, load
from adapter.care.reckoning import Reckoning
from adapter.care.records import Json, Person, Record, person, standing
from adapter.care.withdrawn import withdrawn
from adapter.fhir.dates import INSTANT, day_bounds, moment_of, precision
from adapter.fhir.outcome import Issue, issue


@dataclass(frozen=True)
class SharedCare:
    """What is known of one person at two times.

    actions: those due and those withdrawn, the gravest first · derived: the collections that no message plans · issues: what is
    told of forms whose collections are derived, or cannot be, of facts that could not be counted as they were said, and of
    records that are left out
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
        return day_bounds(said)[1] - INSTANT
    return moment_of(said)


def shared_care(
    messages: Iterable[Json], as_of: str, *, known_at: str | None = None, policy: Policy | None = None
) -> Iterator[SharedCare]:
    """The ledger of each person whom these hub Bundles are about. as_of, known_at: a date or a moment with its zone.

    Raises ValueError for an as_of or known_at that is neither.
    """
    named = [(identifiers(one), one) for one in messages]
    several = contested(names for names, _ in named)
    return of_people((person(those, several) for those in grouped(named)), as_of, known_at=known_at, policy=policy)


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
    reckoning = Reckoning(person, policy)
    ledger, counted, due = reckoning.ladder(as_of, known_at)
    gone = withdrawn(reckoning, as_of, known_at) if history else []
    derived = reckoning.derived(as_of, known_at)
    issues = [issue for one in derived for issue in one.issues]
    issues += unplanned(reckoning.records(known_at), ledger.today, policy)
    issues += _of_other_medicines(standing(reckoning.known.others, known_at))
    issues += _of_identity(person)
    issues += of_facts(ledger, reckoning.known, reckoning.records(known_at), known_at)
    every = tuple(sorted([*due, *reckoning.clocks(as_of, known_at), *gone], key=gravity(policy)))
    return SharedCare(person, ledger, counted, every, known_at, tuple(one for one in derived if one.rule), tuple(issues))


def _of_identity(person: Person) -> list[Issue]:
    if not person.contested:
        return []
    text = "An identifier of this person is another's as well: records that come by it alone may be missing here, or be too many."
    mend = "Find out in the system that gave it whose it is, and have the messages sent with the NHS number."
    return [issue("error", "business-rule", "identifier-contested", text, expression="Patient.identifier", mend=mend)]


def _of_other_medicines(records: Sequence[Record]) -> list[Issue]:
    if not records:
        return []
    text = (
        f"Not counted, because by its name the medicine is none of opioid substitution treatment: {len(records)} of the records."
    )
    mend = "Name or code the product as dm+d does, if it is methadone or buprenorphine."
    return [issue("warning", "business-rule", "other-medicine", text, expression="MedicationDispense.medication", mend=mend)]
