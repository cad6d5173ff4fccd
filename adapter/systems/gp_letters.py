"""The letters of GP Connect Update Record as codecs: a contact, a care plan, a referral, decisions on consent.

What they say stands in gp_contact_words, gp_plan_words, gp_referral_words and gp_consent_words; here too are the codes that STU3
has otherwise than R4. https://hl7.org/fhir/STU3/
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from adapter.mapping.codecs import codec
from adapter.systems import gp_consent_words, gp_contact_words, gp_plan_words, gp_referral_words
from adapter.systems.gp_letter_words import Parties, parties
from adapter.systems.gp_words import Record, div

#: The property of a record that says which letter it is -> its words and its event.
_LETTERS: dict[str, tuple[ModuleType, str]] = {
    "contact": (gp_contact_words, "consultation"),
    "plan": (gp_plan_words, "care-plan"),
    "referral": (gp_referral_words, "referral"),
    "consents": (gp_consent_words, "consent"),
}


def event(record: Record) -> str | None:
    """The hub event of a letter's record; None where it is no letter."""
    return next((name for key, (_, name) in _LETTERS.items() if key in record), None)


def _words(record: Record) -> ModuleType:
    return next(module for key, (module, _) in _LETTERS.items() if key in record)


def _report(record: Record) -> list[str]:
    made: list[str] = _words(record).report(record)
    return made


def _asked(record: Record) -> list[str]:
    return parties(record) + gp_plan_words.team(record)


# persons --------------------------------------------------------------------------------------------------------------
def _individual(pair: tuple[Any, ...]) -> tuple[Record, Record]:
    """(role, the person who holds it, where the message has them)."""
    role, people = pair
    return role, Parties({"people": people}).people.get(role.get("person"), {})


def _codes(pair: tuple[Any, ...]) -> list[Record] | None:
    role, individual = _individual(pair)
    own = [role["code"]] if "code" in role else []
    return own + [code for code in individual.get("codes", ()) if code not in own] or None


def _names(pair: tuple[Any, ...]) -> list[Record] | None:
    role, individual = _individual(pair)
    return ([{"text": role["name"]}] if "name" in role else []) + individual.get("names", []) or None


def _telecoms(pair: tuple[Any, ...]) -> list[Record] | None:
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


codec("gp-letter-subject", read=lambda record: _words(record).SUBJECT)
codec("gp-letter-title", read=lambda record: _words(record).title(record))
codec("gp-letter-text", read=lambda record: "\n".join(_report(record) + _asked(record)))
codec("gp-letter-div", read=lambda record: div(_report(record)))
codec("gp-parties-div", read=lambda record: div(_asked(record)))
codec("gp-staff-codes", read=_codes)
codec("gp-staff-names", read=_names)
codec("gp-staff-telecoms", read=_telecoms)
codec("gp-request-status", read=_request_status)
codec("gp-goal-status", read=_goal_status)
codec("gp-activity-status", read=_activity_status)
codec("gp-procedure-status", read=lambda status: "aborted" if status == "not-done" else status)
codec("gp-procedure-not-done", read=lambda status: status == "not-done")
codec("gp-condition-status", read=lambda status: "recurrence" if status == "relapse" else status)
codec("gp-history-status", read=lambda status: None if status == "unknown" else status)
codec("gp-history-no-status", read=lambda status: "unknown" if status == "unknown" else None)
codec("gp-referral-kinds", read=gp_referral_words.kind_words)


def _narrative(name: str, lines: Callable[[Record], list[str]]) -> None:
    codec(f"gp-{name}-div", read=lambda record: div(lines(record)))


def _beside(name: str, line: Callable[[Record, Parties], str]) -> None:
    """A narrative of one of a list, with the persons and organisations of the message."""

    def text(values: tuple[Any, ...]) -> str:
        one, *lists = values
        return line(one, Parties(dict(zip(("staff", "people", "organisations"), lists, strict=False))))

    codec(f"gp-{name}-text", read=text)
    codec(f"gp-{name}-div", read=lambda values: div([text(values)]))


_narrative("contact", gp_contact_words.contact)
_narrative("plan", lambda record: gp_plan_words.plan(record) + gp_plan_words.asked(record))
_narrative("team", lambda one: gp_plan_words.team({"team": one}))
_narrative("referral", gp_referral_words.referral)
_narrative("condition", lambda one: [gp_referral_words.condition(one)])
_narrative("history", lambda one: [gp_referral_words.history(one)])
_narrative("risk", lambda one: [gp_referral_words.risk(one)])
_beside("finding", gp_contact_words.finding)
_beside("intervention", gp_contact_words.intervention)
_beside("consent", gp_consent_words.consent)
codec("gp-goal-div", read=lambda pair: div([gp_plan_words.goal(*pair)]))
codec("gp-outcome-div", read=lambda pair: div([gp_referral_words.outcome(pair[0], Parties({"organisations": pair[1]}))]))
