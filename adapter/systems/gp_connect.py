"""What GP Connect Update Record needs beyond maps: the document inside the message, and the codes that STU3 has otherwise.

The words that a GP reads are in gp_words, gp_dose_words and gp_order_words; here they become codecs, each of one direction.
The letters (contact, care plan, referral, consent, alert) have theirs in gp_letters.
Shape and codes: NHS England's guides, named in mappings/gp_connect/system.yaml.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapter.fhir.outcome import BASE
from adapter.mapping.codecs import codec
from adapter.mapping.runtime import namespace, uuid5
from adapter.systems import gp_dose_words, gp_letters, gp_order_words
from adapter.systems.gp_letters import check_write
from adapter.systems.gp_words import Record, contacts, div, person, terms

__all__ = ["check_write", "one_of_each", "pack", "with_uuids"]

Entry = dict[str, Any]

_DOCUMENT = namespace("gp_connect/update-record/Bundle.document")
_HANDLE = namespace("gp_connect/update-record/handle")


def pack(entries: list[Entry]) -> dict[str, Any]:
    """The ITK3 message of these entries: its header and the header's organisation, and in a document all that they speak of.

    https://developer.nhs.uk/apis/itk3messagedistribution/ ; a document's first entry is its Composition, as the maps give it.
    """
    entries = one_of_each(with_uuids(entries))
    shells = {e["resource"]["type"]: e["resource"] for e in entries if e["resource"]["resourceType"] == "Bundle"}
    header = next(e for e in entries if e["resource"]["resourceType"] == "MessageHeader")
    place, sender = header["resource"]["focus"][0]["reference"], header["resource"]["sender"]["reference"]
    outside = [_with_id(e) for e in entries if e is header or e.get("fullUrl") == sender]
    inside = [_with_id(e) for e in entries if "fullUrl" in e and e is not header and e["fullUrl"] != sender]
    document = {"fullUrl": place, "resource": {**shells["document"], "entry": inside}}
    return {**shells["message"], "entry": [*outside, _with_id(document)]}


def with_uuids(entries: list[Entry]) -> list[Entry]:
    """The entries with a uuid for each whose fullUrl is a handle of the source's own; references to them are re-pointed."""
    handles = [e["fullUrl"] for e in entries if "fullUrl" in e and not e["fullUrl"].startswith("urn:uuid:")]
    if not handles:
        return entries
    made = {handle: uuid5(_HANDLE, handle) for handle in handles}
    named = [{**e, "fullUrl": made.get(e["fullUrl"], e["fullUrl"])} if "fullUrl" in e else e for e in entries]
    return [{**e, "resource": _repointed(e["resource"], made)} for e in named]


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
        named = value.get("reference")  # of an actor of a Consent it is a Reference, and no text
        pointed = {"reference": same.get(named, named)} if isinstance(named, str) else {}
        return {k: pointed[k] if k in pointed else _repointed(v, same) for k, v in value.items()}
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


def _words(name: str, lines: Callable[[Record], list[str]], doc: str) -> None:
    """A codec that makes a narrative of these sentences."""

    def read(record: Record) -> str:
        return div(lines(record))

    codec(f"gp-{name}-div", read=read, doc=f"{doc}, as the narrative of a resource.")


def _outcome(code: str) -> str:
    """An outcome of a dose -> the display that its code system gives it."""
    return terms("dose-outcome")[code]


def _after(code: str) -> str:
    """What followed a dose -> the display that its code system gives it."""
    return terms("after-dose")[code]


codec("gp-document", read=lambda pair: uuid5(_DOCUMENT, "\x1f".join(pair)), doc="The message's key -> the id of its document.")
codec("gp-token", read=lambda pair: f"{pair[0]}|{pair[1]}", doc="(system, value) of an identifier -> a token: system|value.")
codec("gp-endpoint", read=lambda ods: f"urn:nhs-uk:addressing:ods:{ods}", doc="ODS code -> the address of the organisation.")
codec("gp-message-definition", read=_message_definition)
codec("gp-first", read=_first)
codec("gp-dispense-status", read=_dispense_status)
codec(
    "gp-report-status",
    read=lambda status: status if status == "entered-in-error" else "final",
    doc="Status of a dose -> status of the observation that reports it: final, or entered in error.",
)
codec("gp-not-done", read=lambda outcome: outcome in ("missed", "withheld"), doc="Whether the outcome is that nothing was taken.")
_words("doses", gp_dose_words.report, "The doses of a message in sentences")
_words("changes", gp_order_words.report, "The changes of a prescription in sentences")
_words("contacts", contacts, "Who sent the message and whom to ask")
_words("dose", lambda one: [gp_dose_words.dose(one)], "One dose in a sentence")
_words("after", lambda one: [gp_dose_words.after(one)], "What followed a dose in a sentence")
_words("change", lambda one: [gp_order_words.change(one)], "One change in a sentence")
_words("item", gp_order_words.item, "An item of a prescription in sentences")
codec(
    "gp-doses-text",
    read=lambda record: "\n".join(gp_dose_words.report(record) + contacts(record)),
    doc="The doses of a message and whom to ask, in plain lines.",
)
codec(
    "gp-changes-text",
    read=lambda record: "\n".join(gp_order_words.report(record) + contacts(record)),
    doc="The changes of a prescription and whom to ask, in plain lines.",
)
codec("gp-doses-title", read=gp_dose_words.title)
codec("gp-changes-title", read=gp_order_words.title)
codec("gp-dose-text", read=gp_dose_words.dose)
codec("gp-amount-taken", read=gp_dose_words.amount_taken)
codec("gp-amount-asserted", read=gp_dose_words.amount_asserted)
codec("gp-person", read=person)
codec("gp-outcome", read=_outcome)
codec("gp-outcome-words", read=lambda code: gp_dose_words.OUTCOMES[code], doc="An outcome of a dose -> the words for it.")
codec("gp-after", read=_after)
