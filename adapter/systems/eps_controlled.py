"""What the law asks of a controlled drug on an EPS order: its schedule, and its quantity in words that say the figure.

Misuse of Drugs Regulations 2001, regulation 15.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from functools import cache

from adapter.fhir.number_words import figure
from adapter.fhir.terminology import CodeMap
from adapter.systems.eps_rules import (
    EXTENSION,
    REPEAT_DISPENSING,
    Finding,
    Laid,
    Resource,
    code_map,
    codes,
    extension,
    get,
    objects,
    products,
)

CONTROLLED = f"{EXTENSION}DM-ControlledDrug"


@cache
def substitution_products() -> CodeMap:
    """dm+d products of opioid substitution treatment -> their schedule; the comment of a row says which are oral liquids."""
    return code_map("ost-schedule")


def amount(item: Resource) -> Decimal | None:
    """The figure of an order's quantity; None where it is no number."""
    value = get(item, "dispenseRequest", "quantity", "value")
    try:
        return Decimal(str(value)) if value is not None and not isinstance(value, bool) else None
    except InvalidOperation:
        return None


def controlled(laid: Laid) -> Iterator[Finding]:
    """An order's controlled drugs: marked, in words, with a dose, not by repeat dispensing, no liquid methadone."""
    for place, item in laid.items:
        marked, product = extension(item, CONTROLLED), set(products(laid, item))
        known = [row for code, row in substitution_products().rows.items() if code in product]
        if known and not marked:
            yield "cd-unmarked", f"{place}.extension"
        if any("oral liquid methadone" in row.comment for row in known):
            yield "methadone-liquid", f"{place}.medication"
        parts = {str(part.get("url")): part for part in objects(marked, "extension")}
        strict = get(parts.get("schedule"), "valueCoding", "code") in ("CD2", "CD3")
        yield from _in_words(place, item, str(get(parts.get("quantityWords"), "valueString") or "").strip(), strict)
        if strict and REPEAT_DISPENSING in codes(item.get("courseOfTherapyType")):
            yield "cd-repeat", f"{place}.courseOfTherapyType"
        for n, dosage in enumerate(objects(item, "dosageInstruction") if strict else ()):
            if re.match(r"(to be (used|taken) )?as directed\b", str(dosage.get("text", "")).strip().lower()):
                yield "cd-dose", f"{place}.dosageInstruction[{n}].text"


def _in_words(place: str, item: Resource, words: str, strict: bool) -> Iterator[Finding]:
    at = f"{place}.extension('{CONTROLLED}')"
    if words:
        said = figure(words)
        if said is None:
            yield "cd-words-unread", f"{at}.extension('quantityWords')"
        elif said != amount(item):
            yield "cd-words-differ", f"{at}.extension('quantityWords')"
    elif strict:
        yield "cd-words", at
