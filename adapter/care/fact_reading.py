"""Reads the facts that records state. Where each stands in the hub: docs/care.md, "What is read".

A fact that cannot be read is none: the gate has refused it before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from adapter.care.dose_reading import amount, outcome
from adapter.care.facts import Change, Collection, Contact, Fact, Form, Outcome, Stay, ordinal
from adapter.care.instalment_forms import as_form
from adapter.care.medicines import Kind, kind
from adapter.care.records import EARLIEST, Json, Record, extension, part, parts
from adapter.care.times import day_and_moment, day_received, is_after_receipt, seen_since
from adapter.fhir.dates import service_day

#: Outcomes by which a dose was had on its day.
_HAD = frozenset({"supervised", "partial", "depot", "elsewhere"})
#: Media by which nobody speaks with the person: an attended contact of these is no consultation.
NO_TALK = frozenset({"text-message", "written", "third-party", "no-contact"})
#: Attendances by which a consultation took place, and media of one face to face.
ATTENDED = frozenset({"attended", "attended-late"})
IN_PERSON = frozenset({"face-to-face", "home-visit"})
#: Unit of a timing's period -> hours. https://hl7.org/fhir/R4/valueset-units-of-time.html
_HOURS = {"h": 1, "d": 24, "wk": 168}
#: What a stay is that has begun.
_BEGUN = frozenset({"in-progress", "finished"})
#: A form's own status -> what was done to it.
_STATUS = {"stopped": "stopped", "cancelled": "cancelled", "on-hold": "held"}
_CUSTODY = "https://ost-adapter.example/fhir/CodeSystem/stay-place"


def read(record: Record) -> Fact | None:
    """The fact that a record states, whatever its medicine; None for one that the ledger does not count by."""
    resource = record.resource
    match record.type:
        case "MedicationRequest" if record.said("order-change") is not None:
            return _change(record)
        case "MedicationRequest" if (form := as_form(resource)) is not None:
            return _form(replace(record, resource=form))
        case "MedicationRequest" if resource.get("intent") == "instance-order" and record.said("planned-collection"):
            return _collection(record)
        case "MedicationDispense" | "MedicationAdministration" | "MedicationStatement" if record.said("dose-outcome"):
            return outcome(record)
        case "Encounter" if record.event in ("admission", "discharge", "release"):
            return _stay(record)
        case "Encounter" if record.event == "consultation" and record.said("attendance") in ATTENDED:
            return _contact(record)
    return None


def is_ahead(record: Record, fact: Fact) -> bool:
    """Whether it tells of a dose that was had, or of a contact, on a day that had not come when it was received.

    A dose that was handed over or swallowed by then for a later day is not ahead; nor is one that is known to have been missed.
    """
    if record.received == EARLIEST or not isinstance(fact, Outcome | Contact) or fact.day <= record.received.toordinal():
        return False
    on = [fact.day]
    if isinstance(fact, Outcome):
        if fact.outcome not in _HAD:
            return False
        on += [fact.swallowed[0]] if fact.swallowed is not None else []
    return min(on) > day_received(record)


def is_dateless(record: Record) -> bool:
    """Whether it is a supply that names no dose date: what was handed over is known, and not for which days."""
    given = record.type == "MedicationDispense" and record.resource.get("status") in ("completed", "in-progress")
    return given and record.said("dose-outcome") is None


def medicine(record: Record) -> Kind:
    """What a prescription, a supply or a dose is of; anything else is as good as of substitution treatment."""
    return kind(record.resource, record.known) if record.type.startswith("Medication") else "substitution"


def _names(resource: Json) -> frozenset[str]:
    return frozenset(f"{one.get('system')}|{one.get('value')}" for one in resource.get("identifier", ()))


def _serial(resource: Json) -> str | None:
    """The serial of the form on which an item is written."""
    said = resource.get("groupIdentifier")
    return f"{said.get('system')}|{said['value']}" if isinstance(said, dict) and "value" in said else None


def _form(record: Record) -> Form | None:
    resource = record.resource
    period = record.said("treatment-period")
    if not resource.get("authoredOn") or not {"start", "end"} <= period.keys():
        return None
    # Written in a month or a year that is said alone: known since it was received, else since it begins.
    otherwise = (day_received(record), record.received) if record.received > EARLIEST else (ordinal(period["start"]), None)
    authored, at = day_and_moment(resource["authoredOn"]) or otherwise
    if is_after_receipt(record, resource["authoredOn"]):  # what was received had been written
        authored, at = day_received(record), record.received
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
        told=record.received,
        status=str(resource.get("status", "active")),
        serial=_serial(resource),
        amounts=tuple(_amounts(resource)),
    )


def _steps(resource: Json) -> Iterator[tuple[int, int, int]]:
    for one in resource.get("dosageInstruction", ()):
        repeat = one.get("timing", {}).get("repeat", {})
        bounds = repeat.get("boundsPeriod", {})
        if {"start", "end"} <= bounds.keys():
            yield ordinal(bounds["start"]), ordinal(bounds["end"]), _a_day(repeat)


def _amounts(resource: Json) -> Iterator[tuple[int, int, Decimal, str]]:
    """How much each step prescribes for a day, where it says one dose."""
    for one in resource.get("dosageInstruction", ()):
        repeat = one.get("timing", {}).get("repeat", {})
        bounds = repeat.get("boundsPeriod", {})
        doses = [amount(each.get("doseQuantity")) for each in one.get("doseAndRate", ())]
        if {"start", "end"} <= bounds.keys() and len(doses) == 1 and doses[0] is not None:
            value, unit = doses[0]
            yield ordinal(bounds["start"]), ordinal(bounds["end"]), value * _a_day(repeat), unit


def _a_day(repeat: Json) -> int:
    """How many doses a day a timing asks for; one, where it is not a whole number of doses each day."""
    hours = _HOURS.get(str(repeat.get("periodUnit", "d")), 0) * Decimal(str(repeat.get("period", 1)))
    each = Decimal(int(repeat.get("frequency", 1))) * 24 / hours if hours else Decimal(1)
    return int(each) if each >= 1 and each == int(each) else 1


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
    day, at = day_and_moment(said) or ((day_received(record), record.received) if told else (1, None))
    reasons = record.resource.get("statusReason", {}).get("coding", ())
    reason = next((one.get("code") for one in reasons if str(one.get("system")).endswith("/prescription-change-reason")), None)
    # What was received before it takes effect had been decided by then.
    ahead = told and (record.received < at if at is not None else day_received(record) < day)
    seen = seen_since(record, day_and_moment(recorded), record.received if ahead else at or day)
    return Change(_names(record.resource), str(part(change, "type")), day, at, seen, reason, record.ref, _serial(record.resource))


def ended_by_status(form: Form) -> Change | None:
    """A form that itself says that it is over or held: a change from when that was received, where no other says it."""
    kind = _STATUS.get(form.status)
    if kind is None:
        return None
    day = ordinal(service_day(form.told.isoformat())) if form.told > EARLIEST else form.first
    at = form.told if form.told > EARLIEST else None
    return Change(form.names, kind, day, at, at or day, None, form.ref)


def _stay(record: Record) -> Stay | None:
    resource = record.resource
    period = resource.get("period", {})
    begun, over = day_and_moment(period.get("start")), day_and_moment(period.get("end"))
    if begun is None or (over is None and "end" in period):
        return None
    first, first_at = begun
    last, last_at = over or (None, None)
    custody = resource.get("class", {}).get("system") == _CUSTODY
    mention = extension(resource, "ost-mention")
    place = record.ods(resource.get("serviceProvider"))
    kind = "custody" if custody else "hospital"
    took_place = resource.get("status") in _BEGUN
    return Stay(kind, first, last, first_at or first, last_at or last, place, mention, record.ref, took_place)


def _contact(record: Record) -> Contact | None:
    begun = day_and_moment(record.resource.get("period", {}).get("start"))
    if begun is None:
        return None
    day, at = begun
    medium = record.said("consultation-medium")
    return None if medium in NO_TALK else Contact(day, at or day, medium in IN_PERSON, record.ref)
