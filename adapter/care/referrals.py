"""The urgent referral after drop-out, as resources of a hub `referral`: facts for whoever decides on a restart (docs/hub.md)."""

from __future__ import annotations

from adapter.care.actions import Action
from adapter.care.ledger import TAKEN, Day, iso
from adapter.care.records import ODS, Json, ours
from adapter.care.referral_notes import note, risks
from adapter.care.voice import URI, Voice, amount_of, words
from adapter.fhir.outcome import BASE


def referral(voice: Voice, action: Action) -> list[Json]:
    """Who asks, the request, its Task, the doses before and the risk. Of a withdrawn action: revoked, cancelled, inactive."""
    gone, name, subject = action.withdrawn, voice.alert_id(action), voice.subject
    by = {"identifier": {"system": ODS, "value": voice.sender.ods}, "display": voice.sender.name}

    def head(kind: str, *more: str) -> Json:
        own = voice.id(f"referral/{kind}", name, *more)
        return {"resourceType": kind, "id": own, "identifier": [{"system": URI, "value": own}]}

    flag = head("Flag") | {
        "status": "inactive" if gone else "active",
        "code": {"coding": [{"system": f"{BASE}/CodeSystem/risk", "code": "lost-tolerance"}]},
        "subject": subject,
        "period": {"start": action.since},
        "author": by,
    }
    flags = [flag] + [
        head("Flag", one.code)
        | {
            "extension": [{"url": ours("note"), "valueAnnotation": {"text": words("care-action")[one.code][1]}}],
            "status": flag["status"],
            "code": {
                "coding": [{"system": f"{BASE}/CodeSystem/risk", "code": "other"}],
                "text": words("care-action")[one.code][0],
            },
            "subject": subject,
            "period": {"start": one.since},
            "author": by,
        }
        for one in risks(voice, gone)
    ]
    role = _requester(voice)
    history = _history(voice, head("MedicationStatement"))
    request = head("ServiceRequest") | {
        "extension": [_last_dose(voice), {"url": ours("missed-days"), "valueUnsignedInt": voice.care.counted.consecutive.least}],
        "status": "revoked" if gone else "active",
        "intent": "order",
        "category": [{"coding": [{"system": f"{BASE}/CodeSystem/referral-kind", "code": "restart"}]}],
        "priority": "urgent",
        "subject": subject,
        "authoredOn": voice.made,
        "requester": {"reference": role["id"]} if role else by,
        "reasonCode": [{"text": words("care-action")[action.code][1]}, {"text": action.policy}],
        "supportingInfo": [{"reference": one["id"]} for one in ([history] if history else []) + flags],
        "note": [{"text": note(voice)}],
    }
    owner = voice.parties.in_role(action.owner)
    task = head("Task") | {
        "status": "cancelled" if gone else "requested",
        "intent": "order",
        "code": {"coding": [{"system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "fulfill"}]},
        "focus": {"reference": request["id"]},
        "for": subject,
        "authoredOn": voice.made,
        **({"owner": owner} if owner else {}),
        "restriction": {"period": {"end": action.due}},
    }
    return [*([role] if role else []), request, task, *([history] if history else []), *flags]


def _requester(voice: Voice) -> Json | None:
    """Whom to ring about the referral: the sender's own role with its telephone number, where one is given."""
    if not voice.sender.telephone:
        return None
    return {
        "resourceType": "PractitionerRole",
        "id": voice.id("PractitionerRole", voice.sender.ods),
        "organization": {"reference": voice.id("Organization", voice.sender.ods)},
        "telecom": [{"system": "phone", "value": voice.sender.telephone}],
    }


def _latest(voice: Voice) -> tuple[Day, str] | None:
    """The last dose that a record tells of, and how it is known: one taken home later than the last that was seen is supplied."""
    observed = voice.care.counted.last_observed
    home = next((day for day in reversed(voice.care.ledger.days) if day.state == "take-home"), None)
    if home is not None and (observed is None or home.day > observed.day):
        return home, "supplied"
    return (observed, "observed") if observed is not None else None


def _last_dose(voice: Voice) -> Json:
    latest = _latest(voice)
    if latest is None:
        return {"url": ours("last-dose"), "extension": [{"url": "unknown", "valueBoolean": True}]}
    return voice.last_dose(*latest)


def _history(voice: Voice, head: Json) -> Json | None:
    """What was taken up to the last dose: from the first day, without another medicine between, on which the same was taken."""
    latest = _latest(voice)
    medicine = voice.medicine_of(latest[0]) if latest is not None else None
    if latest is None or medicine is None:
        return None
    first = last = latest[0]
    for day in reversed([day for day in voice.care.ledger.days if day.day <= last.day and day.state in TAKEN]):
        if voice.medicine_of(day) != medicine:
            break
        first = day
    amount = amount_of(last)
    return head | {
        "status": "unknown",
        "medicationCodeableConcept": medicine,
        "subject": voice.subject,
        "effectivePeriod": {"start": iso(first.day), "end": iso(last.day)},
        **({"dosage": [{"doseAndRate": [{"doseQuantity": amount}]}]} if amount else {}),
    }
