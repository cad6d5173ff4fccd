"""The letters of GP Connect Update Record as codecs: a contact, a care plan, a referral, decisions on consent, an alert.

What they say stands in gp_contact_words, gp_plan_words, gp_referral_words, gp_consent_words and gp_alert_words; here too are the
codes that STU3 has otherwise than R4. https://hl7.org/fhir/STU3/
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from adapter.fhir.outcome import Issue, issue
from adapter.mapping.codecs import codec
from adapter.systems import gp_alert_words, gp_consent_words, gp_contact_words, gp_plan_words, gp_referral_words, hub
from adapter.systems.gp_letter_words import Parties, parties
from adapter.systems.gp_words import Record, div

#: The property of a record that says which letter it is -> its words and its event.
_LETTERS: dict[str, tuple[ModuleType, str]] = {
    "contact": (gp_contact_words, "consultation"),
    "plan": (gp_plan_words, "care-plan"),
    "referral": (gp_referral_words, "referral"),
    "consents": (gp_consent_words, "consent"),
    "alert": (gp_alert_words, "alert"),
}


_ODS = "https://fhir.nhs.uk/Id/ods-organization-code"
_NO_CODE = "The sender has no ODS code, by which a practice's system knows who writes to it."
_CODE = "Give the sender's Organization its ODS code."


def event(record: Record) -> str | None:
    """The hub event of a letter's record; None where it is no letter."""
    return next((name for key, (_, name) in _LETTERS.items() if key in record), None)


def _words(record: Record) -> ModuleType:
    return next(module for key, (module, _) in _LETTERS.items() if key in record)


def _sender(record: Record) -> Record:
    """The organisation that reports. Raises KeyError where the message has none, or it has no ODS code."""
    sender: Record = Parties(record).organisations[record["sender"]["ref"]]
    if "ods_code" not in sender:
        raise KeyError("ods_code")
    return sender


def _whole(record: Record) -> Record:
    """The record with its sender as words need it."""
    return {**record, "sender": _sender(record)}


def _report(record: Record) -> list[str]:
    made: list[str] = _words(record).report(_whole(record))
    return made


def _asked(record: Record) -> list[str]:
    return parties(_whole(record)) + gp_plan_words.team(record)


def check_write(bundle: dict[str, Any]) -> list[Issue]:
    """Why no letter can be made of a hub Bundle: ITK3 names the sender by its ODS code.

    https://developer.nhs.uk/apis/itk3messagedistribution/
    """
    if hub.event_of(bundle) not in [name for _, name in _LETTERS.values()]:
        return []
    entries = [entry for entry in bundle.get("entry") or () if isinstance(entry.get("resource"), dict)]
    header: Record = next((e["resource"] for e in entries if e["resource"].get("resourceType") == "MessageHeader"), {})
    sender = header.get("sender", {}).get("reference")
    return [
        issue("error", "required", "required", _NO_CODE, expression=f"Bundle.entry[{i}].resource.identifier", mend=_CODE)
        for i, entry in enumerate(entries)
        if entry.get("fullUrl") == sender
        and not any(one.get("system") == _ODS for one in entry["resource"].get("identifier", ()))
    ]


# persons --------------------------------------------------------------------------------------------------------------
def _individual(pair: tuple[Any, ...]) -> tuple[Record, Record]:
    """(role, the person who holds it, where the message has them)."""
    role, people = pair
    return role, Parties({"people": people}).people.get(role.get("person"), {})


def _codes(pair: tuple[Any, ...]) -> list[Record] | None:
    """(role, the message's people) -> the codes of the role and of the person who holds it."""
    role, individual = _individual(pair)
    own = [role["code"]] if "code" in role else []
    return own + [code for code in individual.get("codes", ()) if code not in own] or None


def _names(pair: tuple[Any, ...]) -> list[Record] | None:
    """(role, the message's people) -> the names of the role and of the person who holds it."""
    role, individual = _individual(pair)
    return ([{"text": role["name"]}] if "name" in role else []) + individual.get("names", []) or None


def _telecoms(pair: tuple[Any, ...]) -> list[Record] | None:
    """(role, the message's people) -> how to reach the person who holds it."""
    return _individual(pair)[1].get("telecoms")


# codes that STU3 has otherwise ----------------------------------------------------------------------------------------
def _request_status(status: str) -> str:
    """https://hl7.org/fhir/STU3/valueset-request-status.html"""
    return {"on-hold": "suspended", "revoked": "cancelled"}.get(status, status)


def _goal_status(pair: tuple[Any, ...]) -> str:
    """R4's two in STU3's one: no longer sought is `achieved` only where that is said. https://hl7.org/fhir/STU3/valueset-goal-status.html"""
    status, achievement = pair
    if status == "completed":
        return "achieved" if achievement in ("achieved", "sustaining") else "cancelled"
    return "in-progress" if status == "active" else str(status)


def _activity_status(status: str) -> str:
    """https://hl7.org/fhir/STU3/valueset-care-plan-activity-status.html"""
    return {"stopped": "cancelled", "entered-in-error": "unknown"}.get(status, status)


# Where labels may stand beside it, the event is a hole: an object of literals alone would drop out with its last label.
codec("gp-letter-event", read=event)
codec("gp-of-contact", read=lambda _: "consultation", doc="The event of a letter about a contact: consultation.")
codec("gp-letter-subject", read=lambda record: _words(record).SUBJECT, doc="What a letter of this kind is about.")
codec("gp-letter-title", read=lambda record: _words(record).title(_whole(record)), doc="The title of the letter.")
codec("gp-sender-code", read=lambda record: _sender(record)["ods_code"], doc="The ODS code of who sends the letter.")
codec("gp-sender-name", read=lambda record: _sender(record).get("name"), doc="The name of who sends the letter.")
codec(
    "gp-sender-endpoint",
    read=lambda record: f"urn:nhs-uk:addressing:ods:{_sender(record)['ods_code']}",
    doc="The address of who sends the letter.",
)
codec(
    "gp-letter-text",
    read=lambda record: "\n".join(_report(record) + _asked(record)),
    doc="The whole letter and whom to ask, in plain lines.",
)
codec("gp-letter-div", read=lambda record: div(_report(record)), doc="The whole letter, as a narrative.")
codec("gp-parties-div", read=lambda record: div(_asked(record)), doc="Whom to ask about the letter, as a narrative.")
codec("gp-recipient-type", read=gp_alert_words.recipient_type)
codec(
    "gp-recipient-type-name",
    read=lambda record: gp_alert_words.FOR[gp_alert_words.recipient_type(record)],
    doc="What the practice is sent the message for, in ITK3's words.",
)
codec("gp-alert-purpose", read=gp_alert_words.purpose)
codec("gp-staff-codes", read=_codes)
codec("gp-staff-names", read=_names)
codec("gp-staff-telecoms", read=_telecoms)
codec("gp-request-status", read=_request_status)
codec("gp-goal-status", read=_goal_status)
codec("gp-activity-status", read=_activity_status)
codec(
    "gp-procedure-status",
    read=lambda status: "aborted" if status == "not-done" else status,
    doc="Status of a procedure in STU3, where one that was not done is aborted.",
)
codec("gp-procedure-not-done", read=lambda status: status == "not-done", doc="Whether the procedure was not done.")
codec(
    "gp-condition-status",
    read=lambda status: "recurrence" if status == "relapse" else status,
    doc="Clinical status of a condition in STU3, where a relapse is a recurrence.",
)
codec(
    "gp-history-status",
    read=lambda status: None if status == "unknown" else status,
    doc="A status that is known; declines `unknown`.",
)
codec(
    "gp-history-no-status",
    read=lambda status: "unknown" if status == "unknown" else None,
    doc="The reason why there is no status: `unknown`; declines one that is known.",
)
codec("gp-referral-kinds", read=gp_referral_words.kind_words)


def _narrative(name: str, lines: Callable[[Record], list[str]]) -> None:
    codec(f"gp-{name}-div", read=lambda record: div(lines(record)), doc=f"The {name} in sentences, as a narrative.")


def _beside(name: str, line: Callable[[Record, Parties], str]) -> None:
    """A narrative of one of a list, with the persons and organisations of the message."""

    def text(values: tuple[Any, ...]) -> str:
        one, *lists = values
        return line(one, Parties(dict(zip(("staff", "people", "organisations"), lists, strict=False))))

    said = f"The {name} in a sentence, with the persons and organisations of the message by name"
    codec(f"gp-{name}-text", read=text, doc=f"{said}.")
    codec(f"gp-{name}-div", read=lambda values: div([text(values)]), doc=f"{said}, as a narrative.")


_narrative("contact", gp_contact_words.contact)
_narrative("plan", lambda record: gp_plan_words.plan(record) + gp_plan_words.asked(record))
_narrative("team", lambda one: gp_plan_words.team({"team": one}))
_narrative("referral", gp_referral_words.referral)
_narrative("condition", lambda one: [gp_referral_words.condition(one)])
_narrative("history", lambda one: [gp_referral_words.history(one)])
_narrative("alert", gp_alert_words.alert)
_narrative("asked", gp_alert_words.asked)
_narrative("risk", lambda one: [gp_referral_words.risk(one)])
_beside("finding", gp_contact_words.finding)
_beside("intervention", gp_contact_words.intervention)
_beside("consent", gp_consent_words.consent)
codec("gp-goal-div", read=lambda pair: div([gp_plan_words.goal(*pair)]), doc="A goal of the plan in a sentence, as a narrative.")
codec(
    "gp-outcome-div",
    read=lambda pair: div([gp_referral_words.outcome(pair[0], Parties({"organisations": pair[1]}))]),
    doc="What became of a referral in a sentence, as a narrative.",
)
