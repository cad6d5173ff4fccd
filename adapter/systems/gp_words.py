"""The words that every document for a GP is made of: days, amounts, medicines, people, and sentences as XHTML.

Facts alone: a sentence says what the message says, with its day, amount and unit, and nothing is concluded from it.
A code without words, here or in the hub's CodeSystems, raises KeyError, so that no document is written without it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from datetime import date
from functools import cache
from html import escape
from typing import Any

from adapter.fhir.dates import LONDON, precision, to_datetime
from adapter.shipped import PROFILES

Record = dict[str, Any]
#: A property of the record, the sentence it makes, and what turns its value into words.
Row = tuple[str, str, Callable[[Any], str]]

#: Stands before whatever a later message took back, so that nobody reads the fact first.
WITHDRAWN = "WITHDRAWN, entered in error: "
NHS_REASONS = {"0010": "Patient did not collect medication", "0002": "Clinically unsuitable"}
REGISTERS = {
    "gmc-number": "GMC",
    "nmc-number": "NMC",
    "gphc-number": "GPhC",
    "hcpc-number": "HCPC",
    "ods-organization-code": "ODS",
}
TELECOMS = {"phone": "telephone", "sms": "text message"}
_MONTHS = ("January", "February", "March", "April", "May", "June",
           "July", "August", "September", "October", "November", "December")  # fmt: skip
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def told(one: Record, rows: Iterable[Row]) -> list[str]:
    """The sentences of the properties that are there, in the order of the rows."""
    return [sentence.format(words(one[name])) for name, sentence, words in rows if name in one]


@cache
def _concepts(name: str) -> list[Record]:
    concepts: list[Record] = json.loads((PROFILES / f"CodeSystem-{name}.json").read_text("utf-8"))["concept"]
    return concepts


@cache
def terms(name: str) -> dict[str, str]:
    """Code -> display of a CodeSystem of the hub."""
    return {concept["code"]: concept["display"] for concept in _concepts(name)}


@cache
def meanings(name: str) -> dict[str, str]:
    """Code -> definition of a CodeSystem of the hub, as a sentence."""
    return {concept["code"]: concept["definition"] for concept in _concepts(name)}


def day(value: str) -> str:
    """2026-03-18 -> Wednesday 18 March 2026; a moment with London's clock; a month, a year or a leap second as it stands."""
    said = precision(value)
    if said == "time":
        try:
            moment = to_datetime(value).astimezone(LONDON)
        except (ValueError, OverflowError):
            return value
        return f"{day(moment.date().isoformat())} at {moment:%H:%M} (UK time)"
    if said != "day":
        return value
    one = date.fromisoformat(value)
    return f"{_WEEKDAYS[one.weekday()]} {one.day} {_MONTHS[one.month - 1]} {one.year}"


def days(values: Iterable[str]) -> str:
    """Several days."""
    return ", ".join(day(value) for value in values)


def span(period: Record) -> str:
    """From the first day to the last, of those that are there."""
    return " ".join(told(period, (("from", "from {}", day), ("to", "to {}", day))))


def amount(quantity: Record) -> str:
    """The number as written, with its unit."""
    unit = quantity.get("unit") or quantity.get("ucum") or quantity.get("code")
    return f"{quantity['value']} {unit or '(the unit is not said)'}"


def count(number: Any, what: str) -> str:
    """1 day, 2 days."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def token(identifier: Record) -> str:
    """An identifier for people."""
    return str(identifier.get("value") or identifier.get("system"))


def coding_words(coding: Record) -> str:
    """A code of another system: its display, and the code itself."""
    said = f"code {coding.get('code')} of {coding.get('system')}"
    return f"{coding['display']} ({said})" if "display" in coding else said


def medicine(product: Record) -> str:
    """The product as the source wrote it, with its name and codes."""
    names = dict.fromkeys(product[key] for key in ("text", "name") if key in product)
    first, *others = names or {"Medicine": None}
    others += told(product, (("code", "dm+d {}", str),)) + [coding_words(c) for c in product.get("other_codes", ())]
    return f"{first} ({', '.join(others)})" if others else first


def person(one: Record) -> str:
    """Name and registration."""
    code = one.get("code", {})
    register = REGISTERS.get(str(code.get("system", "")).rpartition("/")[2], code.get("system"))
    number = " ".join(str(v) for v in (register, code.get("value")) if v)
    return f"{one['name']} ({number})" if "name" in one and number else str(one.get("name", number))


def organisation(one: Record) -> str:
    """Name and ODS code."""
    return f"{one['name']} ({one['ods_code']})" if {"name", "ods_code"} <= set(one) else str(one.get("name", one.get("ods_code")))


def reasons(reason: Record, system: str) -> str:
    """A reason: NHS England's code, ours of that CodeSystem, those of others, and the source's own words."""
    said = []
    if "nhs_code" in reason:
        said.append(reason.get("nhs_name") or NHS_REASONS.get(reason["nhs_code"]) or f"code {reason['nhs_code']}")
    if "code" in reason:
        said += [terms(system)[reason["code"]], *told(reason, (("name", "{}", str),))]
    said += [coding_words(c) for c in reason.get("other_codes", ())]
    return "; ".join(dict.fromkeys([*said, *told(reason, (("text", "{}", str),))]))


# who says so, and whom to ask -----------------------------------------------------------------------------------------
def sent(record: Record) -> str:
    """The first sentence of a document."""
    return f"Report of {organisation(record['sender'])}, sent {day(record['sent_at'])}."


def contacts(record: Record) -> list[str]:
    """Who reports, the pharmacy, the prescriber and the care coordinator, with the numbers that the message has."""
    sender, pharmacy, prescriber = record["sender"], record.get("pharmacy", {}), record.get("prescriber", {})
    said = [f"Reported by {organisation(sender)}.", *reach(sender)]
    if pharmacy and pharmacy != sender:
        said += [f"Pharmacy: {organisation(pharmacy)}.", *reach(pharmacy)]
    if prescriber:
        parts = told(prescriber, (("person", "{}", full_name),))
        said.append(f"Prescriber: {person({**({'name': parts[0]} if parts else {}), **prescriber})}.")
        said += [*reach(prescriber), *told(prescriber, (("organisation", "Prescriber's organisation: {}.", organisation),))]
        said += reach(prescriber.get("organisation", {}))
    return said + told(record.get("episode", {}), _EPISODE)


#: Which version of a record it is, and which one it takes the place of.
VERSIONS: tuple[Row, ...] = (
    ("version", "Version {} of the record.", str),
    ("replaces", "It corrects record {}.", token),
)
_EPISODE: tuple[Row, ...] = (
    ("coordinator", "Care coordinator: {}.", person),
    ("reference", "Episode of care: {}.", token),
    ("status", "Status of the episode: {}.", str),
)


def full_name(parts: Record) -> str:
    """A name in one piece."""
    family = [parts["family"]] if "family" in parts else []
    return str(parts.get("text") or " ".join([*parts.get("prefix", ()), *parts.get("given", ()), *family]))


def reach(one: Record) -> list[str]:
    """The ways to reach somebody, the one to try first before the others."""
    ways = sorted(one.get("telecoms", ()), key=lambda way: way.get("rank", float("inf")))
    return [f"To reach them: {_way(way)}." for way in ways]


def _way(way: Record) -> str:
    kind = str(way.get("system", "contact"))
    said = told(way, (("use", "{}", str), ("rank", "number {} to try", str)))
    use = f" ({', '.join(said)})" if said else ""
    return f"{TELECOMS.get(kind, kind)} {way.get('value', '')}{use}"


# text and XHTML -------------------------------------------------------------------------------------------------------
def div(lines: Iterable[str]) -> str:
    """The sentences as the XHTML of a narrative, each its own paragraph; nothing in them is markup."""
    clean = (_NOT_XML.sub("\ufffd", line) for line in lines)
    inner = "".join(f"<p>{escape(line, quote=False)}</p>" for line in clean)
    return f'<div xmlns="http://www.w3.org/1999/xhtml">{inner}</div>'
