"""Changes of a prescription in words for a GP: what changed, from when and why, and the order as it stands.

The record is that of mappings/gp_connect/update-record/prescription-changed.schema.json.
"""

from __future__ import annotations

from adapter.systems.gp_words import (
    VERSIONS,
    WITHDRAWN,
    Record,
    Row,
    amount,
    coding_words,
    count,
    day,
    days,
    medicine,
    reasons,
    sent,
    span,
    terms,
    token,
    told,
)

CHANGES = {
    "stopped": "stopped",
    "held": "held, nothing is to be supplied until it is resumed",
    "resumed": "resumed",
    "replaced": "replaced by another item",
    "amended": "amended, it stands with the content given here",
    "cancelled": "cancelled before anything was supplied",
}
SUPERVISION = {"required": "asked for", "not-required": "not asked for", "unknown": "whether it is asked for is not known"}
_CHANGE: tuple[Row, ...] = (
    ("effective", "From {}.", day),
    ("reason", "Reason: {}.", lambda why: reasons(why, "prescription-change-reason")),
    ("last_dose", "Last dose date that the order still covers: {}.", day),
    ("replaced_by", "Item {} takes its place.", token),
    ("recorded_at", "Recorded {}.", day),
)
_RECORD: tuple[Row, ...] = (*VERSIONS, ("note", "Note: “{}”.", str))
_ORDER: tuple[Row, ...] = (
    ("status", "Status: {}.", str),
    ("written_on", "Written {}.", day),
    ("treatment", "Doses {}.", span),
    ("total", "Total on the form: {}.", amount),
    ("total_words", "Total in words: {}.", str),
    ("schedule", "Controlled drug, {}.", str),
    ("supervision", "Supervised consumption: {}.", lambda code: SUPERVISION[code]),
    ("first_supply", "First supply {}.", span),
    ("prior_item", "It follows item {}.", token),
    ("closed_days", "Pharmacy closed: {}.", days),
)
_RESTART: tuple[Row, ...] = (
    ("reason", "Restart of treatment: {}.", lambda code: terms("restart-reason")[code].lower()),
    ("text", "On the restart: “{}”.", str),
)


def _route(route: Record) -> str:
    names = [c.get("display") or coding_words(c) for c in route.get("codes", ())]
    return ", ".join([*names, *told(route, (("text", "{}", str),))])


_STEP: tuple[Row, ...] = (
    ("dose", "{}", amount),
    ("times_per_day", "{} a day", lambda number: "once" if number == 1 else count(number, "time")),
    ("route", "{}", _route),
    ("directions", "as written: “{}”", str),
)
_COLLECTION: tuple[Row, ...] = (
    ("amount", "{}", amount),
    ("covers", "for {}", days),
    ("supervised", "{}", lambda yes: "supervised" if yes else "not supervised"),
    ("identifier", "number {}", token),
    ("status", "{}", lambda status: "" if status == "active" else f"status {status}"),
)


def _step(one: Record) -> str:
    number = "".join(told(one, (("step", "Step {}: ", str),)))
    return f"{number}{', '.join(part for part in (span(one), *told(one, _STEP)) if part)}."


def _collection(one: Record) -> str:
    return f"Planned collection {day(one['date'])}: {', '.join(part for part in told(one, _COLLECTION) if part)}."


def _wording(one: Record) -> str:
    heading = terms("home-office-wording")[one["code"]] if "code" in one else "Wording"
    return f"Wording on the form, {heading}: " + (f"“{one['text']}”" if "text" in one else "its text is not given.")


def change(one: Record) -> str:
    """What changed of an item: from when, why, and what takes its place."""
    form = "".join(told(one, (("serial", " of form {}", token),)))
    what = one.get("change", {})
    name = f"{token(one['item'])}{form}"
    head = f"Prescription item {name}: {CHANGES[what['type']]}." if what else f"New prescription item {name}."
    taken_back = WITHDRAWN * (one["status"] == "entered-in-error")
    return " ".join([f"{taken_back}{head} {medicine(one['product'])}.", *told(what, _CHANGE), *told(one, _RECORD)])


def item(one: Record) -> list[str]:
    """An item in full: the change, then the order as it stands."""
    steps, wordings = map(_step, one.get("steps", ())), map(_wording, one.get("wordings", ()))
    collections = map(_collection, one.get("collections", ()))
    return [change(one), " ".join(told(one, _ORDER)), *steps, *wordings, *told(one.get("restart", {}), _RESTART), *collections]


def title(record: Record) -> str:
    """The document's title."""
    return f"{record['sender'].get('name', record['sender']['ods_code'])}: changes of an instalment prescription"


def report(record: Record) -> list[str]:
    """The changes in sentences: the items that changed, then the items as they stand."""
    changed = [change(one) for one in record.get("changes", ())]
    return [sent(record), *changed, *(line for one in record.get("items", ()) for line in item(one))]
