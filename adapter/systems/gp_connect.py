"""What GP Connect Update Record needs beyond maps: the document inside the message, and the codes that STU3 has otherwise.

The words that a GP reads are in gp_words, gp_dose_words and gp_order_words; here they become codecs, each of one direction.
The letters (contact, care plan, referral, consent) have theirs in gp_letters.
Shape and codes: NHS England's guides, named in mappings/gp_connect/system.yaml.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapter.fhir.outcome import BASE
from adapter.mapping.codecs import codec
from adapter.mapping.runtime import namespace, uuid5
from adapter.systems import gp_dose_words, gp_letters, gp_order_words
from adapter.systems.gp_words import Record, contacts, div, person, terms

Entry = dict[str, Any]

_DOCUMENT = namespace("gp_connect/update-record/Bundle.document")


def pack(entries: list[Entry]) -> dict[str, Any]:
    """The ITK3 message of these entries: its header and the header's organisation, and in a document all that they speak of.

    https://developer.nhs.uk/apis/itk3messagedistribution/ ; a document's first entry is its Composition, as the maps give it.
    """
    entries = one_of_each(entries)
    shells = {e["resource"]["type"]: e["resource"] for e in entries if e["resource"]["resourceType"] == "Bundle"}
    header = next(e for e in entries if e["resource"]["resourceType"] == "MessageHeader")
    place, sender = header["resource"]["focus"][0]["reference"], header["resource"]["sender"]["reference"]
    outside = [_with_id(e) for e in entries if e is header or e.get("fullUrl") == sender]
    inside = [_with_id(e) for e in entries if "fullUrl" in e and e is not header and e["fullUrl"] != sender]
    document = {"fullUrl": place, "resource": {**shells["document"], "entry": inside}}
    return {**shells["message"], "entry": [*outside, _with_id(document)]}


def one_of_each(entries: list[Entry]) -> list[Entry]:
    """The entries without those that say of a person or organisation what another has said; references to them are re-pointed."""
    kept: dict[str, str] = {}
    same: dict[str, str] = {}
    for entry in entries:
        if entry["resource"]["resourceType"] in ("Organization", "Practitioner"):
            first = kept.setdefault(repr(entry["resource"]), entry["fullUrl"])
            if first != entry["fullUrl"]:
                same[entry["fullUrl"]] = first
    if not same:
        return entries
    return [{**e, "resource": _repointed(e["resource"], same)} for e in entries if e.get("fullUrl") not in same]


def _repointed(value: Any, same: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {k: same.get(v, v) if k == "reference" else _repointed(v, same) for k, v in value.items()}
    if isinstance(value, list):
        made = [_repointed(v, same) for v in value]
        return [v for n, v in enumerate(made) if not (isinstance(v, dict) and "reference" in v and v in made[:n])]
    return value


def _with_id(entry: Entry) -> Entry:
    name = entry["fullUrl"].removeprefix("urn:uuid:")
    resource = entry["resource"]
    return {**entry, "resource": {"resourceType": resource["resourceType"], "id": name, **resource}}


def _first(values: tuple[Any, ...]) -> Any:
    """The first value that is there."""
    return next(v for v in values if v is not None)


def _message_definition(record: Record) -> str:
    """The guide has none for its own messages; ours says which event of the hub the message is."""
    heard = gp_letters.event(record) or ("dose-outcome" if "doses" in record else "prescription-changed")
    return f"{BASE}/MessageDefinition/{heard}"


def _dispense_status(status: str) -> str:
    """R4's status -> STU3's, which says apart (notDone) that nothing was dispensed. https://hl7.org/fhir/STU3/medicationdispense.html"""
    return {"completed": "completed", "declined": "stopped", "entered-in-error": "entered-in-error"}[status]


def _words(name: str, lines: Callable[[Record], list[str]]) -> None:
    """A codec that makes a narrative of these sentences."""

    def read(record: Record) -> str:
        return div(lines(record))

    codec(f"gp-{name}-div", read=read)


codec("gp-document", read=lambda pair: uuid5(_DOCUMENT, "\x1f".join(pair)))
codec("gp-token", read=lambda pair: f"{pair[0]}|{pair[1]}")
codec("gp-endpoint", read=lambda ods: f"urn:nhs-uk:addressing:ods:{ods}")
codec("gp-message-definition", read=_message_definition)
codec("gp-first", read=_first)
codec("gp-dispense-status", read=_dispense_status)
codec("gp-report-status", read=lambda status: status if status == "entered-in-error" else "final")
codec("gp-not-done", read=lambda outcome: outcome in ("missed", "withheld"))
_words("doses", gp_dose_words.report)
_words("changes", gp_order_words.report)
_words("contacts", contacts)
_words("dose", lambda one: [gp_dose_words.dose(one)])
_words("after", lambda one: [gp_dose_words.after(one)])
_words("change", lambda one: [gp_order_words.change(one)])
_words("item", gp_order_words.item)
codec("gp-doses-text", read=lambda record: "\n".join(gp_dose_words.report(record) + contacts(record)))
codec("gp-changes-text", read=lambda record: "\n".join(gp_order_words.report(record) + contacts(record)))
codec("gp-doses-title", read=gp_dose_words.title)
codec("gp-changes-title", read=gp_order_words.title)
codec("gp-dose-text", read=gp_dose_words.dose)
codec("gp-amount-taken", read=gp_dose_words.amount_taken)
codec("gp-amount-asserted", read=gp_dose_words.amount_asserted)
codec("gp-person", read=person)
codec("gp-outcome", read=lambda code: terms("dose-outcome")[code])
codec("gp-outcome-words", read=lambda code: gp_dose_words.OUTCOMES[code])
codec("gp-after", read=lambda code: terms("after-dose")[code])
