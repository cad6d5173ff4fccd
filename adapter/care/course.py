"""Course: what the records of one person say that the clocks count by, up to as-of. Where each stands: docs/hub.md.

A day that is known by its month or year alone is the first of those it may have been, an end the last of them.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from adapter.care import medicines
from adapter.care.fact_reading import ATTENDED, IN_PERSON, NO_TALK
from adapter.care.facts import Facts
from adapter.care.forms import Forms
from adapter.care.known import Known
from adapter.care.records import Json, Person, Record, extension
from adapter.fhir.dates import precision, service_day, to_datetime

_NOT_BEGUN = frozenset({"planned", "waitlist", "cancelled"})
#: Consents that are not to share what is known of the person.
_NOT_SHARING = frozenset({"treatment", "contact", "research"})
_STAGES = frozenset({"start", "review", "exit", "post-treatment-exit"})


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened on a service day, and the record that says so."""

    day: date
    ref: str


@dataclass(frozen=True, slots=True)
class Consultation(Event):
    """A consultation that was attended. kinds: codes of `ost:CodeSystem/consultation-type`."""

    kinds: frozenset[str]
    in_person: bool


@dataclass(frozen=True, slots=True)
class Profile(Event):
    """A treatment outcomes profile. stage: a code of `ost:CodeSystem/outcome-profile-stage`."""

    stage: str


@dataclass(frozen=True, slots=True)
class SubInterventions(Event):
    """A review of the sub-interventions that were given (NDTMS: SIR)."""


@dataclass(frozen=True, slots=True)
class Decision(Event):
    """A decision on sharing. recipient: with whom, and for what category · confirmed: when last · ends: last day it holds for."""

    recipient: tuple[str, str]
    decision: str
    confirmed: date
    ends: date | None
    order: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Kit(Event):
    """A naloxone kit that was handed over. expires: its last good day; None where nobody recorded it."""

    expires: date | None


@dataclass(frozen=True, slots=True)
class Script(Event):
    """An instalment form, on the day it was authored. last: the last day on which it was live."""

    last: date


@dataclass(frozen=True)
class Course:
    """The course of a person's treatment. exit: None while it goes on · lists are in order of days, oldest first."""

    today: date
    died: bool
    entry: Event | None
    exit: Event | None
    scripts: tuple[Script, ...]
    consultations: tuple[Consultation, ...]
    health_checks: tuple[Event, ...]
    profiles: tuple[Profile, ...]
    sub_interventions: tuple[SubInterventions, ...]
    decisions: tuple[Decision, ...]
    kits: tuple[Kit, ...]

    def of_kind(self, kind: str) -> list[Consultation]:
        """The consultations of a kind."""
        return [one for one in self.consultations if kind in one.kinds]


def course(records: Sequence[Record], as_of: datetime, patients: Sequence[Record] = ()) -> Course:
    """The course of the person whom these records are about, of what had happened by as-of.

    records: those that stand, one person's · as_of: an aware moment · patients: the Patient resources, which tell of a death.
    """
    orders = tuple(one for one in records if one.type == "MedicationRequest" and one.resource.get("intent") != "instance-order")
    facts = Known(Person(frozenset(), orders, tuple(patients))).at(as_of)
    reader = _Reader(as_of)
    found: dict[type[Event], list[Any]] = {kind: [] for kind in (Event, Consultation, Profile, SubInterventions, Decision, Kit)}
    for record in records:
        for event in reader.read(record):
            found[type(event)].append(event)
    for events in found.values():
        events.sort(key=_in_order)
    scripts = _scripts(facts)
    episodes = [one for one in records if one.type == "EpisodeOfCare" and one.resource.get("status") not in _NOT_BEGUN]
    periods = [(one.ref, one.resource.get("period", {})) for one in episodes]
    begun = [Event(day, ref) for ref, period in periods if (day := reader.day(period.get("start")))]
    ended = [Event(day, ref) for ref, period in periods if (day := reader.day(period.get("end")))]
    completed = (one for one in facts.changes if one.ends and one.reason == "treatment-completed")
    ended += [Event(date.fromordinal(one.day), one.ref) for one in completed]
    seen = found[Consultation]
    return Course(
        today=reader.today,
        died=facts.death is not None,
        entry=max(begun, key=_in_order, default=None) or next(iter(scripts), None) or next(iter(seen), None),
        exit=_exit(ended, begun, scripts),
        scripts=scripts,
        consultations=tuple(seen),
        health_checks=tuple(sorted([*found[Event], *(one for one in seen if "health-check" in one.kinds)], key=_in_order)),
        profiles=tuple(found[Profile]),
        sub_interventions=tuple(found[SubInterventions]),
        decisions=tuple(sorted(found[Decision], key=lambda one: one.order)),
        kits=tuple(found[Kit]),
    )


def first_day(said: str | None) -> date | None:
    """The service day of a FHIR dateTime; of a month or a year the first. None for what is none."""
    how = precision(said) if said else None
    if said is None or how is None:
        return None
    return date.fromisoformat(service_day(said) if how in ("day", "time") else f"{said}-01-01"[:10])


def last_day(said: str | None) -> date | None:
    """The same, of a month or a year the last: an end takes in all that it names. https://hl7.org/fhir/R4/datatypes.html#Period"""
    day = first_day(said)
    match precision(said) if said else None:
        case "year" if day is not None:
            return day.replace(month=12, day=31)
        case "month" if day is not None:
            return day.replace(day=monthrange(day.year, day.month)[1])
    return day


def _moment(said: str | None) -> datetime | None:
    return to_datetime(said) if said and precision(said) == "time" and said[17:19] != "60" else None


def _in_order(event: Event) -> tuple[date, str]:
    return event.day, event.ref


def _scripts(facts: Facts) -> tuple[Script, ...]:
    forms = Forms(facts)
    made = (Script(date.fromordinal(one.authored), one.ref, date.fromordinal(forms.end(one))) for one in forms.all)
    return tuple(sorted(made, key=_in_order))


def _exit(ended: Iterable[Event], begun: Iterable[Event], scripts: Iterable[Script]) -> Event | None:
    """The latest end that nothing goes on after: no dose date of a form, and no episode that began."""
    latest = max(ended, key=_in_order, default=None)
    goes_on = [one.last for one in scripts] + [one.day for one in begun]
    return None if latest is None or any(day > latest.day for day in goes_on) else latest


class _Reader:
    """Reads the records of what had happened by as-of."""

    def __init__(self, as_of: datetime) -> None:
        self.as_of = as_of
        self.today = date.fromisoformat(service_day(as_of.isoformat()))

    def day(self, said: str | None) -> date | None:
        """The day of something that happened; None where it lies after as-of."""
        at, day = _moment(said), first_day(said)
        if at is not None and at > self.as_of:
            return None
        return day if day is not None and day <= self.today else None

    def read(self, record: Record) -> Iterator[Event]:
        """What a record states."""
        made: Event | None = None
        match record.type:
            case "Encounter" if record.event == "consultation" and record.said("attendance") in ATTENDED:
                made = self._consultation(record)
            case "CarePlan" if record.resource.get("status") in ("active", "completed"):
                made = self._health_check(record)
            case "QuestionnaireResponse" if record.event == "outcome-profile":
                yield from self._profiles(record)
            case "Consent":
                yield from self._decisions(record)
            case "MedicationDispense" if record.event == "supply" and record.resource.get("status") == "completed":
                made = self._kit(record)
        if made is not None:
            yield made

    def _consultation(self, record: Record) -> Consultation | None:
        """One that was attended took place when it was booked for, where nothing else is said."""
        period = record.resource.get("period", {})
        day = self.day(period.get("start") or period.get("end") or (record.said("planned-period") or {}).get("start"))
        medium = record.said("consultation-medium")
        if day is None or medium in NO_TALK:
            return None
        return Consultation(day, record.ref, _codes(record.resource.get("type", ()), "consultation-type"), medium in IN_PERSON)

    def _health_check(self, record: Record) -> Event | None:
        """The plan that comes of an annual health check stands for it."""
        plan = record.resource
        day = self.day(plan.get("created") or plan.get("period", {}).get("start"))
        return Event(day, record.ref) if day and "health-check" in _codes(plan.get("category", ()), "care-plan-kind") else None

    def _profiles(self, record: Record) -> Iterator[Event]:
        """An outcome profile, a review of sub-interventions, or both in one, as they are in a row of NDTMS."""
        answers = record.resource
        day, stage = self.day(answers.get("authored")), _stage(answers)
        if day is None or answers.get("status") not in ("completed", "amended"):
            return
        if stage:
            yield Profile(day, record.ref, stage)
        for item in answers.get("item", ()):
            reviewed = next((one.get("valueDate") for one in item.get("answer", ())), None)
            if item.get("linkId") == "SUBMODDT" and (on := self.day(reviewed)):
                yield SubInterventions(on, record.ref)

    def _decisions(self, record: Record) -> Iterator[Decision]:
        """One for each recipient."""
        consent = record.resource
        provision = consent.get("provision", {})
        said = consent.get("dateTime") or provision.get("period", {}).get("start") or record.said("recorded")
        day, decision = self.day(said), record.said("consent-decision")
        kinds = _codes(consent.get("category", ()), "consent-category")
        if day is None or decision is None or (kinds and kinds <= _NOT_SHARING):
            return
        again = [self.day(one.get("verificationDate")) for one in consent.get("verification", ()) if one.get("verified")]
        confirmed = max([day, *(one for one in again if one is not None)])
        ends = last_day(provision.get("period", {}).get("end"))
        at = _moment(said)
        order = (
            day,
            at.timestamp() if at else 0.0,
            decision != "granted",
            record.ref,
        )  # of two at one time the one that shares less
        for recipient in sorted({_recipient(record, one) for one in provision.get("actor", ())} or {""}):
            for kind in sorted(kinds - _NOT_SHARING) or [""]:
                yield Decision(day, record.ref, (recipient, kind), decision, confirmed, ends, order)

    def _kit(self, record: Record) -> Kit | None:
        dispense = record.resource
        day = self.day(dispense.get("whenHandedOver"))
        if day is None or dispense.get("quantity", {}).get("value", 1) <= 0 or not medicines.is_kit(dispense):
            return None
        batch = medicines.medication(dispense).get("batch", {})
        return Kit(day, record.ref, last_day(batch.get("expirationDate")))


def _codes(concepts: Iterable[Json], system: str) -> frozenset[str]:
    """The codes that CodeableConcepts have from a code system of ours."""
    codings = [coding for one in concepts for coding in one.get("coding", ())]
    return frozenset(one["code"] for one in codings if str(one.get("system")).endswith(f"/CodeSystem/{system}") and "code" in one)


def _stage(answers: Json) -> str | None:
    """The code of the stage; None where the answers have none, and so are no outcome profile."""
    said = (one for item in answers.get("item", ()) if item.get("linkId") == "TRSTAGE" for one in item.get("answer", ()))
    codes = _codes([{"coding": [one.get("valueCoding", {}) for one in said]}], "outcome-profile-stage")
    return min(codes & _STAGES, default=None)


def _recipient(record: Record, actor: Json) -> str:
    reference = actor.get("reference", {})
    identifier = reference.get("identifier", {})
    named = record.ods(reference) or identifier.get("value") or reference.get("display", "").casefold()
    return str(named or extension(actor, "recipient-kind") or "")
