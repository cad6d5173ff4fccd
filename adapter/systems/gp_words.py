"""The words of the documents for a GP: a record of GP Connect in sentences, and the same sentences as XHTML.

Facts alone: every sentence says what the message says, with its day, amount and unit, and nothing is concluded from it.
A code that has no words here or in the hub's CodeSystems raises KeyError, so that no document is written without it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import cache
from html import escape
from typing import Any

from adapter.fhir.dates import LONDON, precision, to_datetime
from adapter.mapping.codecs import codec
from adapter.shipped import PROFILES

Record = dict[str, Any]

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
CHANGES = {
    "stopped": "stopped",
    "held": "held, nothing is to be supplied until it is resumed",
    "resumed": "resumed",
    "replaced": "replaced by another item",
    "amended": "amended, it stands with the content given here",
    "cancelled": "cancelled before anything was supplied",
}
SUPERVISION = {
    "required": "Supervised consumption is asked for.",
    "not-required": "Supervised consumption is not asked for.",
    "unknown": "Whether supervised consumption is asked for is not known.",
}
SEEN = {"completed": "", "not-done": "Not swallowed.", "entered-in-error": "What was seen of it is withdrawn: entered in error."}
WITHDRAWN = "WITHDRAWN, entered in error: "
NHS_REASONS = {"0010": "Patient did not collect medication", "0002": "Clinically unsuitable"}
REGISTERS = {"gmc-number": "GMC", "nmc-number": "NMC", "gphc-number": "GPhC", "hcpc-number": "HCPC"}
TELECOMS = {"phone": "telephone", "sms": "text message"}
_MONTHS = "January February March April May June July August September October November December".split()
_WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


# small words ----------------------------------------------------------------------------------------------------------
@cache
def terms(name: str) -> dict[str, str]:
    """Code -> display of a CodeSystem of the hub."""
    concepts = json.loads((PROFILES / f"CodeSystem-{name}.json").read_text("utf-8"))["concept"]
    return {concept["code"]: concept["display"] for concept in concepts}


def day(value: str) -> str:
    """2026-03-18 -> Wednesday 18 March 2026; a moment with London's clock; a month or year as it stands."""
    if precision(value) not in ("day", "time"):
        return value
    if precision(value) == "time":
        try:
            moment = to_datetime(value).astimezone(LONDON)
        except (ValueError, OverflowError):
            return value
        return f"{day(moment.date().isoformat())} at {moment:%H:%M} (UK time)"
    one = date.fromisoformat(value)
    return f"{_WEEKDAYS[one.weekday()]} {one.day} {_MONTHS[one.month - 1]} {one.year}"


def span(period: Record) -> str:
    """From the first day to the last, of those that are there."""
    ends = [word + day(period[end]) for word, end in (("from ", "from"), ("to ", "to")) if end in period]
    return " ".join(ends)


def amount(quantity: Record) -> str:
    """The number as written, with its unit."""
    unit = quantity.get("unit") or quantity.get("ucum") or quantity.get("code")
    return f"{quantity['value']} {unit}" if unit else f"{quantity['value']} (the unit is not said)"


def count(number: Any, what: str) -> str:
    """1 day, 2 days."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def token(identifier: Record) -> str:
    """An identifier for people."""
    return str(identifier.get("value") or identifier.get("system"))


def medicine(product: Record) -> str:
    """The product's name and code."""
    name = product.get("text") or product.get("name") or "Medicine"
    codes = [f"dm+d {product['code']}"] if "code" in product else []
    if "name" in product and product["name"] != name:
        codes.insert(0, product["name"])
    codes += [coding_words(c) for c in product.get("other_codes", ())]
    return f"{name} ({', '.join(codes)})" if codes else str(name)


def coding_words(coding: Record) -> str:
    """A code of another system: its display, and the code itself."""
    said = f"code {coding.get('code')} of {coding.get('system')}"
    return f"{coding['display']} ({said})" if "display" in coding else said


def person(one: Record) -> str:
    """Name and registration."""
    code = one.get("code", {})
    register = REGISTERS.get(str(code.get("system", "")).rpartition("/")[2], code.get("system"))
    number = " ".join(str(v) for v in (register, code.get("value")) if v)
    return f"{one['name']} ({number})" if "name" in one and number else str(one.get("name", number))


def organisation(one: Record) -> str:
    """Name and ODS code."""
    return (
        f"{one['name']} ({one['ods_code']})" if "name" in one and "ods_code" in one else str(one.get("name", one.get("ods_code")))
    )


def reasons(reason: Record, system: str) -> str:
    """A reason by its codes and in the source's words."""
    said = []
    if "nhs_code" in reason:
        said.append(reason.get("nhs_name") or NHS_REASONS.get(reason["nhs_code"]) or f"code {reason['nhs_code']}")
    if "code" in reason:
        said.append(terms(system)[reason["code"]])
        said += [reason["name"]] if reason.get("name", said[-1]) != said[-1] else []
    said += [coding_words(c) for c in reason.get("other_codes", ())]
    said += [reason["text"]] if "text" in reason else []
    return "; ".join(said)


def sentences(*parts: tuple[bool, Callable[[], str]]) -> Iterator[str]:
    """The parts whose condition holds, in order."""
    return (make() for there, make in parts if there)


# doses ----------------------------------------------------------------------------------------------------------------
def dose(one: Record) -> str:
    """All that the record says of one dose, its day and outcome first."""
    return " ".join(part for part in (*_dose_head(one), *_dose_supply(one), *_dose_seen(one), *_dose_record(one)) if part)


def _dose_head(one: Record) -> Iterator[str]:
    number = f", dose {one['number']} of the day" if "number" in one else ""
    withdrawn = WITHDRAWN * (one["status"] == "entered-in-error")
    yield f"{withdrawn}{day(one['date'])}{number}: {OUTCOMES[one['outcome']]}."
    yield f"{medicine(one['product'])}."
    if "prescribed" in one:
        yield f"Prescribed for this dose: {amount(one['prescribed'])}."


def _dose_supply(one: Record) -> Iterator[str]:
    why = one.get("not_supplied", {})
    collector = one.get("collected_by", {})
    yield from sentences(
        ("supplied" in one, lambda: f"Supplied: {amount(one['supplied'])}."),
        ("days_supply" in one, lambda: f"Handed over for {count(one['days_supply'], 'day')}."),
        ("handed_over_at" in one, lambda: f"Handed over {day(one['handed_over_at'])}."),
        (bool(why), lambda: f"Reason: {reasons(why, 'withheld-reason')}."),
        ("who" in collector, lambda: f"Collected by: {terms('collector')[collector['who']].lower()}."),
        ("name" in collector, lambda: f"Name of the collector: {collector['name']}."),
        ("relationship" in collector, lambda: f"Relationship to the patient: {collector['relationship']}."),
        ("take_home_reason" in one, lambda: f"Taken home because: {terms('take-home-reason')[one['take_home_reason']].lower()}."),
    )


def _dose_seen(one: Record) -> Iterator[str]:
    seen, said = one.get("seen", {}), one.get("asserted", {})
    yield from sentences(
        ("status" in seen, lambda: SEEN[seen["status"]]),
        ("amount" in seen, lambda: amount_taken(one)),
        ("reason" in seen, lambda: f"Reason not swallowed: {reasons(seen['reason'], 'not-swallowed-reason')}."),
        ("at" in seen, lambda: f"Witnessed {day(seen['at'])}."),
        ("by" in seen, lambda: f"{'Given' if one['outcome'] == 'depot' else 'Seen'} by {person(seen['by'])}."),
        ("note" in seen, lambda: f"Note on what was seen: {seen['note']}."),
        ("amount" in said, lambda: amount_asserted(one)),
        ("by" in said, lambda: f"According to {person(said['by'])}."),
    )
    yield from (f"{after(a)}." for a in one.get("afterwards", ()))


def _dose_record(one: Record) -> Iterator[str]:
    yield from sentences(
        ("note" in one, lambda: f"Note: {one['note']}."),
        ("item" in one, lambda: f"Prescription item {token(one['item'])}."),
        ("recorded_at" in one, lambda: f"Recorded {day(one['recorded_at'])}."),
        ("version" in one, lambda: f"Version {one['version']} of the record."),
        ("replaces" in one, lambda: f"It corrects record {token(one['replaces'])}."),
    )


def amount_taken(one: Record) -> str:
    """How much was seen to be taken."""
    return f"{'Injected' if one['outcome'] == 'depot' else 'Seen swallowed'}: {amount(one['seen']['amount'])}."


def amount_asserted(one: Record) -> str:
    """How much is said to have been had."""
    return f"Amount said to have been had: {amount(one['asserted']['amount'])}."


def after(one: Record) -> str:
    """What happened after a dose."""
    withdrawn = " (withdrawn: entered in error)" if one["status"] == "entered-in-error" else ""
    return f"{terms('after-dose')[one['what']]} afterwards, {day(one['at'])}{withdrawn}"


def last_supervised(doses: Iterable[Record]) -> str:
    """The last dose of the message that was seen swallowed in full, or that there is none."""
    stands = [
        d
        for d in doses
        if d["outcome"] == "supervised" and "entered-in-error" not in (d["status"], d.get("seen", {}).get("status"))
    ]
    if not stands:
        return "No dose in this report was seen to be swallowed in full."
    last = max(stands, key=lambda d: (d["date"], d.get("number", 0)))
    how_much = f", {amount(last['seen']['amount'])}" if "amount" in last.get("seen", {}) else ""
    return f"Last dose in this report that was seen to be swallowed in full: {day(last['date'])}{how_much}, {medicine(last['product'])}."


def doses_title(record: Record) -> str:
    """The document's title."""
    days = sorted(d["date"] for d in record["doses"])
    when = day(days[0]) if days[0] == days[-1] else f"{day(days[0])} to {day(days[-1])}"
    return f"{record['sender'].get('name', record['sender']['ods_code'])}: supervised consumption, {when}"


def doses(record: Record) -> list[str]:
    """The report in sentences: each dose, and the last one that was supervised."""
    return [_sent(record), *(dose(d) for d in record["doses"]), last_supervised(record["doses"])]


# prescription changes -------------------------------------------------------------------------------------------------
def change(one: Record) -> str:
    """What changed of an item: from when, why, and what takes its place."""
    form = f" of form {token(one['serial'])}" if "serial" in one else ""
    what = one.get("change", {})
    withdrawn = WITHDRAWN * (one["status"] == "entered-in-error")
    head = (
        f"Prescription item {token(one['item'])}{form}: {CHANGES[what['type']]}."
        if what
        else f"New prescription item {token(one['item'])}{form}."
    )
    told = (
        (True, lambda: f"{medicine(one['product'])}."),
        ("effective" in what, lambda: f"From {day(what['effective'])}."),
        ("reason" in what, lambda: f"Reason: {reasons(what['reason'], 'prescription-change-reason')}."),
        ("last_dose" in what, lambda: f"Last dose date that the order still covers: {day(what['last_dose'])}."),
        ("replaced_by" in what, lambda: f"Item {token(what['replaced_by'])} takes its place."),
        ("recorded_at" in what, lambda: f"Recorded {day(what['recorded_at'])}."),
        ("version" in one, lambda: f"Version {one['version']} of the record."),
        ("replaces" in one, lambda: f"It corrects record {token(one['replaces'])}."),
        ("note" in one, lambda: f"Note: {one['note']}."),
    )
    return " ".join([withdrawn + head, *sentences(*told)])


def item(one: Record) -> list[str]:
    """An item in full: the change, then the order as it stands."""
    return [
        change(one),
        f"Status: {one['status']}.",
        *_order(one),
        *map(_step, one.get("steps", ())),
        *_terms_of(one),
        *map(_collection, one.get("collections", ())),
    ]


def _order(one: Record) -> Iterator[str]:
    words = f" ({one['total_words']})" if "total_words" in one else ""
    yield from sentences(
        ("written_on" in one, lambda: f"Written {day(one['written_on'])}."),
        ("treatment" in one, lambda: f"Doses {span(one['treatment'])}."),
        ("total" in one, lambda: f"Total on the form: {amount(one['total'])}{words}."),
        ("total_words" in one and "total" not in one, lambda: f"Total in words: {one['total_words']}."),
        ("schedule" in one, lambda: f"Controlled drug, {one['schedule']}."),
        ("supervision" in one, lambda: SUPERVISION[one["supervision"]]),
        ("first_supply" in one, lambda: f"First supply {span(one['first_supply'])}."),
    )


def _terms_of(one: Record) -> Iterator[str]:
    again = one.get("restart", {})
    yield from (
        f"Wording on the form: {w.get('text') or terms('home-office-wording')[w['code']]}" for w in one.get("wordings", ())
    )
    yield from sentences(
        ("reason" in again, lambda: f"Restart of treatment: {terms('restart-reason')[again['reason']].lower()}."),
        ("text" in again, lambda: f"On the restart: {again['text']}."),
        ("prior_item" in one, lambda: f"It follows item {token(one['prior_item'])}."),
        ("closed_days" in one, lambda: f"Pharmacy closed: {', '.join(day(d) for d in one['closed_days'])}."),
    )


def _step(one: Record) -> str:
    route = one.get("route", {})
    ways = [c.get("display") or coding_words(c) for c in route.get("codes", ())] + ([route["text"]] if "text" in route else [])
    told = (
        ("from" in one or "to" in one, lambda: span(one)),
        ("dose" in one, lambda: amount(one["dose"])),
        ("times_per_day" in one, lambda: f"{count(one['times_per_day'], 'time')} a day"),
        (bool(ways), lambda: ", ".join(ways)),
        ("directions" in one, lambda: f"as written: “{one['directions']}”"),
    )
    return f"Step {one['step']}: " * ("step" in one) + ", ".join(sentences(*told)) + "."


def _collection(one: Record) -> str:
    supervised = {True: ", supervised", False: ", not supervised"}.get(one.get("supervised"), "")
    told = (
        ("amount" in one, lambda: f", {amount(one['amount'])}"),
        ("covers" in one, lambda: f", for {', '.join(day(d) for d in one['covers'])}"),
        (bool(supervised), lambda: supervised),
        ("identifier" in one, lambda: f", number {token(one['identifier'])}"),
        (one.get("status", "active") != "active", lambda: f", status {one['status']}"),
    )
    return f"Planned collection: {day(one['date'])}{''.join(sentences(*told))}."


def changes_title(record: Record) -> str:
    """The document's title."""
    return f"{record['sender'].get('name', record['sender']['ods_code'])}: changes of an instalment prescription"


def changes(record: Record) -> list[str]:
    """The changes in sentences: the items that changed, then the items as they stand."""
    told = [change(one) for one in record.get("changes", ())]
    return [_sent(record), *told, *(line for one in record.get("items", ()) for line in item(one))]


# who says so, and whom to ask -----------------------------------------------------------------------------------------
def contacts(record: Record) -> list[str]:
    """Who reports, the pharmacy, the prescriber and the care coordinator, with the numbers that the message has."""
    prescriber, episode = record.get("prescriber", {}), record.get("episode", {})
    told = [f"Reported by {organisation(record['sender'])}.", *_reach(record["sender"])]
    pharmacy = record.get("pharmacy")
    if pharmacy and pharmacy != record["sender"]:
        told += [f"Pharmacy: {organisation(pharmacy)}.", *_reach(pharmacy)]
    if prescriber:
        place = f", {organisation(prescriber['organisation'])}" if "organisation" in prescriber else ""
        told += [f"Prescriber: {person({'name': _name(prescriber.get('person', {})), **prescriber})}{place}."]
        told += [*_reach(prescriber), *_reach(prescriber.get("organisation", {}))]
    if "coordinator" in episode:
        told.append(f"Care coordinator: {person(episode['coordinator'])}.")
    if "reference" in episode:
        told.append(
            f"Episode of care: {token(episode['reference'])}" + (f", {episode['status']}." if "status" in episode else ".")
        )
    return told


def _name(parts: Record) -> str:
    return str(
        parts.get("text")
        or " ".join([*parts.get("prefix", ()), *parts.get("given", ()), *([parts["family"]] if "family" in parts else [])])
    )


def _reach(one: Record) -> Iterator[str]:
    for way in one.get("telecoms", ()):
        use = f" ({way['use']})" if "use" in way else ""
        yield f"To reach them: {TELECOMS.get(way.get('system', ''), way.get('system', 'contact'))} {way.get('value', '')}{use}."


def _sent(record: Record) -> str:
    return f"Report of {organisation(record['sender'])}, sent {day(record['sent_at'])}."


# text and XHTML -------------------------------------------------------------------------------------------------------
def div(lines: Iterable[str]) -> str:
    """The sentences as the XHTML of a narrative, each its own paragraph; nothing in them is markup."""
    clean = (_NOT_XML.sub("\ufffd", line) for line in lines)
    inner = "".join(f"<p>{escape(line, quote=False)}</p>" for line in clean)
    return f'<div xmlns="http://www.w3.org/1999/xhtml">{inner}</div>'


def register() -> None:
    """Register the words as codecs, each of one direction: what is written for people is not read back."""
    several: dict[str, Callable[[Record], list[str]]] = {"doses": doses, "changes": changes, "contacts": contacts, "item": item}
    one: dict[str, Callable[[Record], str]] = {"dose": dose, "change": change, "after": lambda a: after(a) + "."}
    for name, many in several.items():
        codec(f"gp-{name}-div", read=lambda record, many=many: div(many(record)))
    for name, single in one.items():
        codec(f"gp-{name}-text", read=lambda record, single=single: single(record))
        codec(f"gp-{name}-div", read=lambda record, single=single: div([single(record)]))
    codec("gp-doses-text", read=lambda record: "\n".join(doses(record) + contacts(record)))
    codec("gp-changes-text", read=lambda record: "\n".join(changes(record) + contacts(record)))
    codec("gp-doses-title", read=doses_title)
    codec("gp-changes-title", read=changes_title)
    codec("gp-person", read=person)
    codec("gp-outcome", read=lambda code: terms("dose-outcome")[code])
    codec("gp-outcome-words", read=lambda code: OUTCOMES[code])
    codec("gp-after", read=lambda code: terms("after-dose")[code])
    codec("gp-amount-taken", read=lambda one: amount_taken(one) if "amount" in one.get("seen", {}) else None)
    codec("gp-amount-asserted", read=lambda one: amount_asserted(one) if "amount" in one.get("asserted", {}) else None)
