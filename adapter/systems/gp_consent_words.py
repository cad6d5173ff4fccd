"""Decisions on consent in words for a GP: what the person decided, about whom, what it concerns, and until when it holds.

The record is that of mappings/gp_connect/update-record/consent.schema.json.
"""

from __future__ import annotations

from adapter.systems.gp_letter_words import FOR_INFORMATION, HISTORY, Parties, kinds, note, standing
from adapter.systems.gp_words import Record, Row, day, person, sent, span, terms, token, told

SUBJECT = "What the person decided about the sharing of information"
DECISIONS = {
    "granted": "The person AGREES",
    "refused": "The person was asked and DOES NOT AGREE",
    "withdrawn": "The person NO LONGER AGREES: they have taken their consent back",
    "lapsed": "The consent has LAPSED: the time for which the person agreed is over",
}
_PERMITS = {"permit": "Sharing is permitted.", "deny": "Sharing is DENIED."}
_CONSENT: tuple[Row, ...] = (
    ("decided", "Decided {}.", day),
    ("period", "It holds {}.", span),
    ("review_due", "To be reviewed by {}.", day),
    ("permits", "{}", lambda code: _PERMITS[code]),
    ("form", "Form: “{}”.", str),
    ("rule", "It stands on: {}.", str),
    ("identifier", "Record {}.", token),
    *HISTORY,
)


def _recipient(one: Record) -> str:
    kind = [terms("recipient-kind")[one["kind"]]] if "kind" in one else []
    return ", ".join([*kind, *([person(one)] if person(one) else [])])


def _confirmation(one: Record) -> str:
    when = "".join(told(one, (("on", " {}", day),)))
    return f"The person confirmed it again{when}." if one["confirmed"] else f"The person did not confirm it{when}."


def consent(one: Record, who: Parties) -> str:
    """One decision."""
    about = kinds(one.get("kinds", ()), "consent-category", "what it is about is not said")
    recipients = "; ".join(map(_recipient, one.get("recipients", ()))) or "not said"
    contents = kinds(one.get("contents", ()), "consent-content", "not limited to any part of the record")
    asked = [f"Asked by {who.organisation({'ref': ref})}." for ref in one.get("asked_by", ())]
    recorded = told(one, (("recorded_by", "Recorded by {}.", who.persons),))
    head = f"{standing(one)}{DECISIONS[one['decision']]}: {about}. With whom: {recipients}. What it concerns: {contents}."
    said = [*told(one, _CONSENT), *map(_confirmation, one.get("confirmations", ())), *asked, *recorded]
    return " ".join([head, *said, *map(note, one.get("notes", ()))])


def title(record: Record) -> str:
    """The document's title: who reports, and what was decided."""
    said = [f"{standing(one)}{terms('consent-decision')[one['decision']].lower()}" for one in record["consents"]]
    return f"{record['sender'].get('name', record['sender']['ods_code'])}: consent, {', '.join(said)}"


def report(record: Record) -> list[str]:
    """The letter in sentences."""
    who = Parties(record)
    return [sent(record), *(consent(one, who) for one in record["consents"]), FOR_INFORMATION]
