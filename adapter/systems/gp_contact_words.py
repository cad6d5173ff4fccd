"""A contact with the person in words for a GP: kept or missed, face to face or remote, what was found and done, and what is next.

The record is that of mappings/gp_connect/update-record/consultation.schema.json.
"""

from __future__ import annotations

from adapter.systems.gp_letter_words import (
    CONFIDENTIAL,
    FOR_INFORMATION,
    HISTORY,
    Parties,
    kinds,
    labels,
    note,
    notes,
    standing,
    tokens,
    withdrawn,
)
from adapter.systems.gp_words import WITHDRAWN, Record, Row, count, day, reasons, sent, span, terms, token, told

SUBJECT = "A contact with the person"
ATTENDANCE = {
    "booked": "booked; it lies ahead, or nothing is known of it yet",
    "attended": "attended",
    "attended-late": "attended, late",
    "left-before-seen": "CAME AND LEFT before being seen",
    "did-not-attend": "DID NOT ATTEND, and nobody had cancelled",
    "cancelled-by-person": "cancelled by the person, or by somebody for them",
    "cancelled-by-service": "cancelled by the service; the person is not at fault",
}
#: A contact that did not take place, so that its medium is what was meant.
_NOT_HELD = ("booked", "did-not-attend", "cancelled-by-person", "cancelled-by-service")
_ABSENT = ("did-not-attend", "cancelled-by-person", "cancelled-by-service")
MEDIA = {
    "face-to-face": "face to face",
    "home-visit": "face to face, where the person lives or stays",
    "telephone": "remote, by telephone; not face to face",
    "video": "remote, by video; not face to face",
    "text-message": "remote, by text message; not face to face",
    "written": "remote, in writing; not face to face",
    "third-party": "with somebody else about the person, who was not seen",
    "no-contact": "an entry in the record without any contact; the person was not seen",
    "unknown": "not known to the source; it does not count as face to face",
}
_NO_MEDIUM = "not said; it does not count as face to face"
STATUS = {
    "finished": [],
    "cancelled": [],
    "planned": [],
    "entered-in-error": [],
    "in-progress": ["The sender has not completed its record of the contact."],
    "unknown": ["The sender does not know how far the contact is."],
}
_WHEN: tuple[Row, ...] = (
    ("started", "It began {}.", day),
    ("started_absent", "When it began is not given: {}.", str),
    ("ended", "It ended {}.", day),
    ("minutes", "It took {}.", lambda number: count(number, "minute")),
    ("planned", "Booked {}.", span),
)
_WHY: tuple[Row, ...] = (
    ("reasons", "Reason for the contact: {}.", lambda why: kinds(why, "", "")),
    ("absence", "Why the person did not come, as the sender says it: {}.", lambda why: reasons(why, "")),
)
_RECORD: tuple[Row, ...] = (("identifiers", "Record {}.", tokens), ("slots", "Slot {}.", tokens), *HISTORY)


_LABELS: tuple[Row, ...] = (("labels", CONFIDENTIAL, labels),)


def _who(one: Record, who: Parties) -> list[str]:
    said = []
    for worker in one.get("workers", ()):
        part = "".join(told(worker, (("parts", " ({})", lambda parts: kinds(parts, "", "")),)))
        said.append(f"With {who.person(worker)}{part}.")
    return said + told(one, (("provider", "Service that holds it: {}.", who.organisation),))


def contact(record: Record) -> list[str]:
    """All that the record says of the contact: whether it took place first, then how, when, with whom, why and what is next."""
    one = record["contact"]
    attendance = one.get("attendance")
    what = kinds(one.get("kinds", ()), "consultation-type", "Contact")
    came = ATTENDANCE[attendance] if attendance else "whether the person attended is not said"
    how = "It was to be" if attendance in _NOT_HELD else "It was"
    medium = MEDIA[one["medium"]] if "medium" in one else _NO_MEDIUM
    when = told(one, _WHEN) or ["When it was, or is to be, is not said."]
    why = told(one, _WHY)
    if attendance in _ABSENT and "absence" not in one:
        why.append("Why the person did not come is not said.")
    following = told(one, (("next", "NEXT CONTACT: {}.", day),)) or ["When the next contact is due is not said."]
    return [
        " ".join([f"{standing(one)}{what}: {came}.", *told(one, _LABELS)]),
        " ".join([f"{how}: {medium}.", *when]),
        *(line for line in (" ".join(_who(one, Parties(record))), " ".join(why)) if line),
        *following,
        *map(note, one.get("notes", ())),
        *(line for line in (" ".join([*STATUS[one["status"]], *told(one, _RECORD)]),) if line),
    ]


# what was found and done ----------------------------------------------------------------------------------------------
def _measured(value: Record) -> str:
    return " ".join(str(value[part]) for part in ("comparator", "value", "unit") if part in value)


_VALUE: tuple[Row, ...] = (
    ("measured", "{}", _measured),
    ("said", "“{}”", str),
    ("found", "{}", lambda value: reasons(value, "")),
    ("low", "range from {}", _measured),
    ("high", "range to {}", _measured),
)
_FINDING: tuple[Row, ...] = (*_LABELS, ("at", "On {}.", day), ("at_absent", "When is not given: {}.", str))
_FILED: tuple[Row, ...] = (
    ("identifier", "Record {}.", token),
    ("part_of", "Part of {}.", token),
    ("recorded_at", "Recorded {}.", day),
)


def finding(one: Record, who: Parties) -> str:
    """What was found or measured, with its value."""
    value = ", ".join(told(one, _VALUE)) or "no value is given"
    by = told(one, (("by", "By {}.", who.persons),))
    filed = "".join(told(one, (("kinds", ", filed as {}", lambda several: kinds(several, "", "")),)))
    what = reasons(one["what"], "") if "what" in one else f"not named ({one.get('what_absent', 'no reason is given')})"
    head = f"{WITHDRAWN * withdrawn(one)}Found or measured{filed}, {what}: {value}."
    return " ".join([head, *told(one, _FINDING), *by, *notes(one.get("notes", ())), *told(one, _FILED)])


DELIVERED = {"completed": "delivered", "not-done": "NOT delivered", "entered-in-error": "delivered or not"}
_DELIVERY: tuple[Row, ...] = (
    ("not_done", "Why not: {}.", lambda why: reasons(why, "")),
    ("at", "On {}.", day),
    ("period", "It lasted {}.", span),
)


def intervention(one: Record, who: Parties) -> str:
    """A psychosocial intervention, delivered or not."""
    what = reasons(one["what"], "psychosocial-intervention")
    by = told(one, (("by", "By {}.", who.persons),))
    head = f"{WITHDRAWN * withdrawn(one)}Psychosocial intervention, {DELIVERED[one['status']]}: {what}."
    return " ".join([head, *told(one, _DELIVERY), *by, *notes(one.get("notes", ())), *told(one, _FILED)])


# the letter -----------------------------------------------------------------------------------------------------------
def title(record: Record) -> str:
    """The document's title: who reports, what kind of contact, whether it took place, and when."""
    one = record["contact"]
    what = kinds(one.get("kinds", ()), "consultation-type", "Contact")
    came = terms("attendance")[one["attendance"]].lower() if "attendance" in one else "attendance not said"
    start = one.get("started") or one.get("planned", {}).get("from")
    when = [day(start)] if start else []
    return f"{standing(one)}{record['sender'].get('name', record['sender']['ods_code'])}: {', '.join([what, came, *when])}"


def report(record: Record) -> list[str]:
    """The letter in sentences."""
    who = Parties(record)
    found = [finding(one, who) for one in record.get("findings", ())]
    done = [intervention(one, who) for one in record.get("interventions", ())]
    return [sent(record), *contact(record), *done, *found, FOR_INFORMATION]
