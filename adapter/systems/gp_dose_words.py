"""A report of doses in words for a GP: every dose with its day, what became of it, the amounts and why; then the last supervised.

The record is that of mappings/gp_connect/update-record/dose-outcome.schema.json.
"""

from __future__ import annotations

from collections.abc import Iterable

from adapter.systems.gp_words import (
    VERSIONS,
    WITHDRAWN,
    Record,
    Row,
    amount,
    count,
    day,
    medicine,
    person,
    reasons,
    sent,
    terms,
    token,
    told,
)

#: Outcome of a dose -> what a GP reads; none of them says more than the definition in CodeSystem dose-outcome.
OUTCOMES = {
    "supervised": "Supervised, seen to be swallowed in full",
    "take-home": "Supplied to take home; whether it was taken is not known",
    "missed": "Missed, not collected",
    "withheld": "Withheld, the patient attended and the dose was not supplied",
    "not-swallowed": "Handed over under supervision and not swallowed",
    "partial": "Handed over under supervision and seen to be swallowed in part",
    "elsewhere": "Said to have been had elsewhere",
    "depot": "Given by a professional as a prolonged-release injection",
}
#: Status of what was seen, where the outcome does not say it already.
SEEN = {"not-done": "Not swallowed.", "entered-in-error": "What was seen of it is withdrawn, entered in error."}
_SUPPLY: tuple[Row, ...] = (
    ("prescribed", "Prescribed for this dose: {}.", amount),
    ("supplied", "Supplied: {}.", amount),
    ("days_supply", "Handed over for {}.", lambda number: count(number, "day")),
    ("handed_over_at", "Handed over {}.", day),
    ("not_supplied", "Reason: {}.", lambda why: reasons(why, "withheld-reason")),
    ("take_home_reason", "Taken home because: {}.", lambda code: terms("take-home-reason")[code].lower()),
)
_COLLECTOR: tuple[Row, ...] = (
    ("who", "Collected by: {}.", lambda code: terms("collector")[code].lower()),
    ("name", "Name of the collector: {}.", str),
    ("relationship", "Relationship to the patient: {}.", str),
)
_SEEN: tuple[Row, ...] = (
    ("reason", "Reason not swallowed: {}.", lambda why: reasons(why, "not-swallowed-reason")),
    ("at", "Witnessed {}.", day),
    ("by", "Witness: {}.", person),
    ("note", "Note on what was seen: “{}”.", str),
)
_ASSERTED: tuple[Row, ...] = (("amount", "Amount said to have been had: {}.", amount), ("by", "According to {}.", person))
_REPORT: tuple[Row, ...] = (
    ("note", "Note: “{}”.", str),
    ("item", "Prescription item {}.", token),
    ("recorded_at", "Recorded {}.", day),
    *VERSIONS,
)


def dose(one: Record) -> str:
    """All that the record says of one dose, its day and outcome first."""
    number = f", dose {one['number']} of the day" if "number" in one else ""
    head = f"{WITHDRAWN * withdrawn(one)}{day(one['date'])}{number}: {OUTCOMES[one['outcome']]}. {medicine(one['product'])}."
    said = told(one, _SUPPLY) + told(one.get("collected_by", {}), _COLLECTOR)
    said += [SEEN[status]] if (status := one.get("seen", {}).get("status")) in SEEN else []
    said += [taken] if (taken := amount_taken(one)) else []
    said += told(one.get("seen", {}), _SEEN) + told(one.get("asserted", {}), _ASSERTED)
    said += [after(a) for a in one.get("afterwards", ())]
    return " ".join([head, *said, *told(one, _REPORT)])


def withdrawn(one: Record) -> bool:
    """Whether the report was taken back."""
    return bool(one["status"] == "entered-in-error")


def amount_taken(one: Record) -> str | None:
    """How much was seen to be taken."""
    word = "Injected" if one["outcome"] == "depot" else "Seen swallowed"
    return next(iter(told(one.get("seen", {}), (("amount", word + ": {}.", amount),))), None)


def amount_asserted(one: Record) -> str | None:
    """How much is said to have been had."""
    return next(iter(told(one.get("asserted", {}), _ASSERTED[:1])), None)


def after(one: Record) -> str:
    """What happened after a dose."""
    return f"{WITHDRAWN * withdrawn(one)}{terms('after-dose')[one['what']]} afterwards, {day(one['at'])}."


def last_supervised(every: Iterable[Record]) -> str:
    """The last dose of the report that was seen swallowed in full and stands, or that there is none."""
    seen = [d for d in every if d["outcome"] == "supervised" and not withdrawn(d)]
    stands = [d for d in seen if d.get("seen", {}).get("status") != "entered-in-error"]
    if not stands:
        return "No dose in this report was seen to be swallowed in full."
    last = max(stands, key=lambda d: (d["date"], d.get("number", 0)))
    how_much = "".join(told(last.get("seen", {}), (("amount", ", {}", amount),)))
    when = f"{day(last['date'])}{how_much}, {medicine(last['product'])}"
    return f"Last dose in this report that was seen to be swallowed in full: {when}."


def title(record: Record) -> str:
    """The document's title: who reports, on which days."""
    first, *_, last = sorted(d["date"] for d in record["doses"]) * 2
    when = day(first) if first == last else f"{day(first)} to {day(last)}"
    return f"{record['sender'].get('name', record['sender']['ods_code'])}: supervised consumption, {when}"


def report(record: Record) -> list[str]:
    """The report in sentences: who sent it, each dose, and the last one that was supervised."""
    return [sent(record), *(dose(d) for d in record["doses"]), last_supervised(record["doses"])]
