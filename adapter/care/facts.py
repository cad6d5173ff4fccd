"""Facts: what the records of one person say that the ledger counts by. Days are ordinals (`date.toordinal`), moments are aware.

Where each stands in the hub: docs/care.md, "What is read". A fact that cannot be read is none: the gate has refused it before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from adapter.care.instalment_forms import as_form
from adapter.care.records import EARLIEST, Json, Person, Record, extension, is_withdrawn, part, parts, replaces, standing
from adapter.fhir.dates import precision, service_day, to_datetime

#: Outcomes by which something was handed over, and those after which it may have been swallowed.
HANDED_OVER = frozenset({"supervised", "take-home", "partial", "not-swallowed"})
SUPPLIES = HANDED_OVER - {"not-swallowed"}
#: Media by which nobody speaks with the person: an attended contact of these is no consultation.
NO_TALK = frozenset({"text-message", "written", "third-party", "no-contact"})
_CUSTODY = "https://ost-adapter.example/fhir/CodeSystem/stay-place"
_ENDS = frozenset({"stopped", "replaced", "cancelled"})


@dataclass(frozen=True, slots=True)
class Form:
    """An instalment form. names: its identifiers · steps: (first, last, doses a day) · restarts: the item it restarts."""

    names: frozenset[str]
    authored: int
    authored_at: datetime | None
    first: int
    last: int
    steps: tuple[tuple[int, int, int], ...]
    pharmacy: str | None
    wordings: frozenset[str]
    closed: frozenset[int]
    restarts: str | None
    ref: str

    def doses(self, day: int) -> int:
        """How many doses it prescribes for a day."""
        return next((count for first, last, count in self.steps if first <= day <= last), 1)


@dataclass(frozen=True, slots=True)
class Collection:
    """A planned collection of a form: the day it is due, and the dose dates it covers."""

    form: frozenset[str]
    on: int
    covers: frozenset[int]
    ref: str


@dataclass(frozen=True, slots=True)
class Change:
    """What was done to a form: stopped, held, resumed, replaced, cancelled. at: None where only the day is known."""

    form: frozenset[str]
    kind: str
    day: int
    at: datetime | None
    seen: datetime | int
    reason: str | None
    ref: str

    @property
    def ends(self) -> bool:
        """Whether the form is over by it."""
        return self.kind in _ENDS


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one dose.

    number: 0 is every dose of the day · at: when it happened · seen: since when it can be known ·
    place: who states it, of elsewhere
    """

    day: int
    number: int
    outcome: str
    at: datetime | None
    seen: datetime | int
    amount: Decimal | None
    quantity: Json | None
    vomited: bool
    pharmacy: str | None
    place: str | None
    source: str
    ref: str

    @property
    def is_plain(self) -> bool:
        """Whether it says of the first dose that it was handed over whole, and nothing else."""
        return self.number == 1 and self.outcome in ("supervised", "take-home") and not self.vomited

    @property
    def same(self) -> tuple[Any, ...]:
        """What one source says of one dose, whatever its identifier: two records that agree in it are one."""
        return self.source, self.pharmacy, self.day, self.number, self.outcome, self.at, self.amount, self.place


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay in hospital or custody, from the day of admission to that of discharge (None: still there)."""

    kind: str
    first: int
    last: int | None
    first_at: datetime | int
    last_at: datetime | int | None
    place: str | None
    mention: str | None
    ref: str

    def whole(self, day: int) -> bool:
        """Whether the day lies wholly in it."""
        return self.first < day and (self.last is None or day < self.last)

    def touches(self, day: int) -> bool:
        """Whether any part of the day lies in it."""
        return self.first <= day and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True)
class Contact:
    """A consultation that was attended."""

    day: int
    at: datetime | int
    face_to_face: bool
    ref: str


@dataclass(frozen=True, slots=True)
class Death:
    """That the person has died: on which day (that on which it became known, where no day is said), and when it became known."""

    day: int
    known: datetime
    ref: str


Fact = Form | Collection | Change | Outcome | Stay | Contact
#: A fact with its place among those of a person (no two share one, so that these sort by it) and since when it has happened.
_Dated = tuple[int, datetime | int, Fact]


@dataclass(frozen=True)
class Facts:
    """Everything that is known and had happened by as-of."""

    forms: tuple[Form, ...]
    collections: tuple[Collection, ...]
    changes: tuple[Change, ...]
    outcomes: tuple[Outcome, ...]
    stays: tuple[Stay, ...]
    contacts: tuple[Contact, ...]
    death: Death | None


class Known:
    """The records of a person, each read once; `at` gives the facts of two times."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.facts = {id(record): fact for record in person.records if (fact := read(record)) is not None}
        counting = [record for record in person.records if id(record) in self.facts]
        # Most records stand by themselves: no other is of their name, none replaces them, and they replace none.
        told = Counter((record.type, record.ref) for record in counting)
        replaced = {name for record in counting for name in replaces(record)}
        counting.sort(key=lambda record: _order(self.facts[id(record)]))
        facts = [self.facts[id(record)] for record in counting]
        self._dated = {id(one): (n, _since(fact), fact) for n, (one, fact) in enumerate(zip(counting, facts, strict=True))}
        self._alone: list[tuple[datetime, _Dated]] = []
        self._tangled: list[Record] = []
        for record in counting:
            if told[record.type, record.ref] > 1 or record.ref in replaced or replaces(record) or is_withdrawn(record):
                self._tangled.append(record)
            else:
                self._alone.append((record.received, self._dated[id(record)]))
        self._bound = {id(record) for record in self._tangled}
        self._deaths = [one for one in person.patients if any(key.startswith("deceased") for key in one.resource)]

    def _standing(self, known_at: datetime | None) -> tuple[list[_Dated], set[tuple[Any, ...]]]:
        """The facts of those that stand; and what was corrected, which does not come back under another identifier."""
        kept = standing(self._tangled, known_at)
        given = {id(record) for record in kept}
        named = {name for record in kept for name in replaces(record)}
        told = [record for record in self._tangled if id(record) not in given and record.ref in named]
        corrected = [self.facts[id(record)] for record in told if known_at is None or record.received <= known_at]
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
        return Facts(
            tuple(kinds[Form]),
            tuple(kinds[Collection]),
            tuple(kinds[Change]),
            tuple(_once(kinds[Outcome], gone)),
            tuple(kinds[Stay]),
            tuple(kinds[Contact]),
            _death(self._deaths, as_of, known_at),
        )


def ordinal(day: str) -> int:
    """A day YYYY-MM-DD as an ordinal."""
    return date.fromisoformat(day).toordinal()


def read(record: Record) -> Fact | None:
    """The fact that a record states; None for one that the ledger does not count by."""
    resource = record.resource
    match record.type:
        case "MedicationRequest" if record.said("order-change") is not None:
            return _change(record)
        case "MedicationRequest" if (form := as_form(resource)) is not None:
            return _form(replace(record, resource=form))
        case "MedicationRequest" if resource.get("intent") == "instance-order" and record.said("planned-collection"):
            return _collection(record)
        case "MedicationDispense" | "MedicationAdministration" | "MedicationStatement" if record.said("dose-outcome"):
            return _outcome(record)
        case "Encounter" if record.event in ("admission", "discharge", "release"):
            return _stay(record)
        case "Encounter" if record.event == "consultation" and record.said("attendance") in ("attended", "attended-late"):
            return _contact(record)
    return None


def _names(resource: Json) -> frozenset[str]:
    return frozenset(f"{one.get('system')}|{one.get('value')}" for one in resource.get("identifier", ()))


def _when(value: str) -> tuple[int, datetime | None]:
    """The service day and, where one is said, the moment."""
    at = to_datetime(value).astimezone(UTC) if precision(value) == "time" else None
    return ordinal(service_day(value)), at


def _form(record: Record) -> Form | None:
    resource = record.resource
    period = record.said("treatment-period")
    if not resource.get("authoredOn") or not {"start", "end"} <= period.keys():
        return None
    authored, at = _when(resource["authoredOn"])
    prior = resource.get("priorPrescription", {}).get("identifier")
    restarts = record.said("restart") is not None and isinstance(prior, dict)
    return Form(
        names=_names(resource) or frozenset({record.ref}),
        authored=authored,
        authored_at=at,
        first=ordinal(period["start"]),
        last=ordinal(period["end"]),
        steps=tuple(_steps(resource)),
        pharmacy=record.ods(resource.get("dispenseRequest", {}).get("performer")),
        wordings=frozenset(part(one, "code") for one in _all(resource, "home-office-wording")),
        closed=frozenset(ordinal(one["valueDate"]) for one in _all(resource, "closed-day")),
        restarts=f"{prior.get('system')}|{prior.get('value')}" if restarts else None,
        ref=record.ref,
    )


def _steps(resource: Json) -> Iterator[tuple[int, int, int]]:
    for one in resource.get("dosageInstruction", ()):
        repeat = one.get("timing", {}).get("repeat", {})
        bounds = repeat.get("boundsPeriod", {})
        if {"start", "end"} <= bounds.keys():
            yield ordinal(bounds["start"]), ordinal(bounds["end"]), int(repeat.get("frequency", 1))


def _all(resource: Json, name: str) -> Iterator[Json]:
    return (one for one in resource.get("extension", ()) if one.get("url", "").endswith(f"/StructureDefinition/{name}"))


def _collection(record: Record) -> Collection | None:
    planned = record.said("planned-collection")
    on = part(planned, "date")
    based = [record.known.get(one.get("reference", ""), {}) for one in record.resource.get("basedOn", ())]
    said = [one["identifier"] for one in record.resource.get("basedOn", ()) if "identifier" in one]
    names = [_names(form) for form in (*based, {"identifier": said})]
    if on is None:
        return None
    covers = frozenset(map(ordinal, parts(planned, "covers")))
    return Collection(frozenset().union(*names), ordinal(on), covers, record.ref)


def _change(record: Record) -> Change | None:
    change = record.said("order-change")
    effective, recorded = part(change, "effective"), part(change, "recorded")
    said = effective or recorded
    # Of one that nobody dates: as if it had always been so.
    told = record.received > EARLIEST
    day, at = _when(said) if said else (_received(record), record.received) if told else (1, None)
    reasons = record.resource.get("statusReason", {}).get("coding", ())
    reason = next((one.get("code") for one in reasons if str(one.get("system")).endswith("/prescription-change-reason")), None)
    # What was received before it takes effect had been decided by then.
    ahead = told and (record.received < at if at is not None else _received(record) < day)
    seen = _seen(recorded, record.received if ahead else at or day)
    return Change(_names(record.resource), str(part(change, "type")), day, at, seen, reason, record.ref)


def _received(record: Record) -> int:
    return ordinal(service_day(record.received.isoformat()))


def _seen(recorded: str | None, otherwise: datetime | int) -> datetime | int:
    if recorded is None:
        return otherwise
    day, at = _when(recorded)
    return at or day


def _outcome(record: Record) -> Outcome | None:
    resource = record.resource
    said = record.said("dose-date")
    if said is None:
        return None
    outcome = str(record.said("dose-outcome").get("code"))
    given = next((one for one in record.parts if one["resourceType"] == "MedicationAdministration"), {})
    happened = resource.get("whenHandedOver") or given.get("effectiveDateTime") or resource.get("effectiveDateTime")
    at = _when(happened)[1] if happened else None
    day = ordinal(said)
    quantity = _quantity(resource, given)
    vomited = any(one["resourceType"] == "Observation" and one.get("status") != "entered-in-error" for one in record.parts)
    performer = next((one.get("actor") for one in resource.get("performer", ())), None)
    return Outcome(
        day=day,
        number=int(record.said("dose-number") or (0 if outcome in ("elsewhere", "depot") else 1)),
        outcome=outcome,
        at=at,
        seen=at or _seen(record.said("recorded"), day),
        amount=Decimal(str(quantity["value"])) if quantity and "value" in quantity else None,
        quantity=quantity,
        vomited=vomited,
        pharmacy=record.ods(performer),
        place=record.ods(resource.get("informationSource")),
        source=record.source,
        ref=record.ref,
    )


def _quantity(resource: Json, given: Json) -> Json | None:
    """The amount swallowed where one is said, else that handed over."""
    dosage = resource.get("dosage")
    stated = (
        [one.get("doseQuantity") for each in dosage for one in each.get("doseAndRate", ())] if isinstance(dosage, list) else []
    )
    own = dosage.get("dose") if isinstance(dosage, dict) else None
    found: Json | None = given.get("dosage", {}).get("dose") or own or next(iter(stated), None) or resource.get("quantity")
    return found


def _stay(record: Record) -> Stay | None:
    resource = record.resource
    period = resource.get("period", {})
    if "start" not in period:
        return None
    first, first_at = _when(period["start"])
    last, last_at = _when(period["end"]) if "end" in period else (None, None)
    custody = resource.get("class", {}).get("system") == _CUSTODY
    mention = extension(resource, "ost-mention")
    place = record.ods(resource.get("serviceProvider"))
    kind = "custody" if custody else "hospital"
    return Stay(kind, first, last, first_at or first, last_at or last, place, mention, record.ref)


def _contact(record: Record) -> Contact | None:
    start = record.resource.get("period", {}).get("start")
    if start is None or precision(start) not in ("day", "time"):
        return None
    day, at = _when(start)
    medium = record.said("consultation-medium")
    return None if medium in NO_TALK else Contact(day, at or day, medium in ("face-to-face", "home-visit"), record.ref)


def _death(said: Iterable[Record], as_of: datetime, known_at: datetime | None) -> Death | None:
    """Of the Patient resources that speak of a death, what the latest says."""
    known = sorted((one for one in said if known_at is None or one.received <= known_at), key=lambda one: one.received)
    if not known or known[-1].resource.get("deceasedBoolean") is False:
        return None
    latest = known[-1]
    when = latest.resource.get("deceasedDateTime", "")
    today = ordinal(service_day(as_of.isoformat()))
    told = _received(latest) if latest.received > EARLIEST else today
    day = _when(when)[0] if precision(when) in ("day", "time") else told
    if day > today:
        return None
    first = next(one for one in known if one.resource.get("deceasedBoolean") is not False)
    return Death(day, first.received, latest.ref)


# as-of ------------------------------------------------------------------------------------------------------------------
def _by(seen: datetime | int | None, as_of: datetime, today: int) -> bool:
    return seen is not None and (seen <= today if isinstance(seen, int) else seen <= as_of)


def _since(fact: Fact) -> datetime | int:
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
        return Stay(fact.kind, fact.first, None, fact.first_at, None, fact.place, None, fact.ref)
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
            own = (fact.day, fact.number, _moment(fact.at), fact.outcome, fact.source)
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
