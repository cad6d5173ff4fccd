"""Who is who in the care of a person: the latest that messages say of them, of their episode, and of who acts in a role."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from adapter.care.records import NHS_NUMBER, Json, Record, standing
from adapter.care.shared_care import SharedCare
from adapter.fhir.outcome import BASE

#: What an alert or a referral says of the person; no address, no telephone number, no practice.
_OF_PATIENT = ("identifier", "active", "name", "gender", "birthDate", "deceasedBoolean", "deceasedDateTime")
_ROLES = f"{BASE}/CodeSystem/care-team-role"


class Parties:
    """Everybody whom a message about this person may name. Asks the records that stand, whenever they were received."""

    def __init__(self, care: SharedCare) -> None:
        self.care = care
        self.records = sorted(standing(care.person.records, care.known_at), key=lambda one: (one.received, one.ref))

    def key(self) -> str:
        """By what identifiers the person is known: the NHS number, without one the first of all."""
        names = sorted(self.care.person.identifiers)
        return next((name for name in names if name.startswith(f"{NHS_NUMBER}|")), names[0] if names else "")

    def patient(self, own_id: str) -> Json:
        """The Patient as last said by a message with the NHS number, with the identifiers of all messages."""
        ended = self.care.person.ended
        told = sorted(
            self.care.person.patients, key=lambda one: (not one.names & ended, _has_number(one.resource), one.received, one.ref)
        )
        latest = told[-1].resource if told else {}
        made = {name: latest[name] for name in _OF_PATIENT if name in latest}
        deceased = [one.resource for one in sorted(told, key=lambda one: (one.received, one.ref)) if _is_dead(one.resource)]
        if deceased and not any(name.startswith("deceased") for name in made):
            made |= {name: value for name, value in deceased[-1].items() if name.startswith("deceased")}
        known = {(one.get("system"), one.get("value")): one for one in _identifiers(one.resource for one in reversed(told))}
        made["identifier"] = [
            one for (system, value), one in known.items() if system and value and f"{system}|{value}" not in ended
        ]
        return {"resourceType": "Patient", "id": own_id, **made}

    def episode(self, own_id: str, patient: Json) -> Json | None:
        """The treatment episode that was last told of, with its coordinator."""
        episode = self._latest("EpisodeOfCare")
        if episode is None or not episode.resource.get("identifier"):
            return None
        manager: Json = {"careManager": logical} if (logical := _logical(episode, episode.resource.get("careManager"))) else {}
        kept: Json = {name: episode.resource[name] for name in ("identifier", "status") if name in episode.resource}
        return {"resourceType": "EpisodeOfCare", "id": own_id, **kept, "patient": patient, **manager}

    def in_role(self, role: str) -> Json | None:
        """Who acts in a role of `ost:CodeSystem/care-team-role`, as a logical Reference; None where nobody is known."""
        form = self._latest_form()
        if role == "pharmacist" and form is not None:
            return _logical(form, form.resource.get("dispenseRequest", {}).get("performer"))
        if (of_team := self._in_team(role)) is not None:
            return of_team
        if role == "prescriber" and form is not None:
            return _logical(form, form.resource.get("requester"))
        episode = self._latest("EpisodeOfCare")
        return _logical(episode, episode.resource.get("careManager")) if role == "care-coordinator" and episode else None

    def of_supply(self, refs: Iterable[str]) -> list[Json]:
        """The pharmacy and the prescriber of each form that evidence names, whether or not it stands still."""
        named, known_at = set(refs), self.care.known_at
        told = [one for one in self.care.person.records if one.ref in named and one.type == "MedicationRequest"]
        told = sorted(
            (one for one in told if known_at is None or one.received <= known_at), key=lambda one: (one.received, one.ref)
        )
        forms = [one for one in told if one.resource.get("intent") != "instance-order"]
        by = [(one, one.resource.get("dispenseRequest", {}).get("performer")) for one in forms]
        by += [(one, one.resource.get("requester")) for one in forms]
        return [party for one, reference in by if (party := _logical(one, reference)) is not None]

    def telephones(self, party: Json) -> list[str]:
        """The numbers that records give of somebody: their own, and those of a role that they have; the latest record's."""
        for record in reversed(self.records):
            for one in record.known.values():
                person = one.get("practitioner", {})
                held = record.known.get(person.get("reference", ""), person)
                numbers = [each["value"] for each in one.get("telecom", ()) if each.get("system") == "phone" and "value" in each]
                if numbers and party.get("identifier") and _is_named(party["identifier"], one, held):
                    return numbers
        return []

    def record(self, ref: str) -> Record | None:
        """The record that evidence names, the latest of several."""
        return next((one for one in reversed(self.records) if one.ref == ref), None)

    def _latest(self, kind: str) -> Record | None:
        return next((one for one in reversed(self.records) if one.type == kind), None)

    def _latest_form(self) -> Record | None:
        forms = self.care.ledger.forms.all
        return self.record(max(forms, key=lambda one: (one.last, one.ref)).ref) if forms else None

    def _in_team(self, role: str) -> Json | None:
        team = self._latest("CareTeam")
        for one in team.resource.get("participant", ()) if team is not None else ():
            codes = {(c.get("system"), c.get("code")) for each in one.get("role", ()) for c in each.get("coding", ())}
            if team is not None and (_ROLES, role) in codes and (member := _logical(team, one.get("member"))):
                return member
        return None


def _has_number(patient: Json) -> bool:
    return any(one.get("system") == NHS_NUMBER for one in patient.get("identifier", ()))


def _is_dead(patient: Json) -> bool:
    return "deceasedDateTime" in patient or patient.get("deceasedBoolean") is True


def _identifiers(patients: Iterable[Json]) -> Iterator[Json]:
    """Of two that are alike the later stands last: so those of the latest message are told as it tells them."""
    listed = [one for patient in patients for one in patient.get("identifier", ())]
    seen = set()
    for one in listed:
        name = (one.get("system"), one.get("value"))
        if name not in seen:
            seen.add(name)
            yield one


def _logical(record: Record, reference: Any) -> Json | None:
    """A Reference by identifier and display, as far as a reference of that record's message says who is meant."""
    if not isinstance(reference, dict):
        return None
    target = record.known.get(reference.get("reference", ""), {})
    person = target.get("practitioner", {})
    named = record.known.get(person.get("reference", ""), {})
    held = [reference.get("identifier"), person.get("identifier"), *target.get("identifier", ()), *named.get("identifier", ())]
    words = [reference.get("display"), person.get("display"), _name(target), _name(named)]
    identifier = next(({"system": i["system"], "value": i["value"]} for i in held if i and {"system", "value"} <= i.keys()), None)
    display = next((word for word in words if word), None)
    made = ({"identifier": identifier} if identifier else {}) | ({"display": display} if display else {})
    return made or None


def _is_named(identifier: Json, *resources: Json) -> bool:
    given = [one.get("identifier", ()) for one in resources if one.get("resourceType") != "Patient"]
    held = [each for one in given for each in (one if isinstance(one, list) else [one])]
    return any(isinstance(one, dict) and one.items() >= identifier.items() for one in held)


def _name(resource: Json) -> str | None:
    name = resource.get("name")
    if isinstance(name, str):
        return name
    first = name[0] if isinstance(name, list) and name else {}
    return (
        first.get("text")
        or " ".join([*first.get("prefix", ()), *first.get("given", ()), *filter(None, [first.get("family")])])
        or None
    )
