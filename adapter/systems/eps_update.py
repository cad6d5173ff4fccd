"""What the Electronic Prescription Service demands of a prescription order update: the request to cancel one item."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from adapter.fhir.terminology import CodeMap
from adapter.systems.eps_rules import (
    ITEM,
    NHS,
    NHS_NUMBER,
    OURS,
    UUID,
    Finding,
    Laid,
    code_map,
    codes,
    extension,
    get,
    group_number,
    nhs_number,
    numbers,
    objects,
    products,
)

REASON = f"{NHS}/CodeSystem/message-reason-prescription"
WHY = f"{NHS}/CodeSystem/medicationrequest-status-reason"
CHANGE = f"{OURS}order-change"


@cache
def cancel_reasons() -> CodeMap:
    """NHS England's reason of a cancellation -> our reason of a change, where we have one."""
    return code_map("cancel-reason")


def update(laid: Laid) -> Iterator[Finding]:
    """Everything that is asked of a request to cancel."""
    place, header = laid.header
    if codes(header.get("reason"), REASON) != ["cancel"]:
        yield "update-reason", f"{place}.reason"
    if len(laid.items) != 1:
        yield "update-count", laid.items[1][0] if laid.items else "Bundle.entry"
    for place, item in laid.items:
        if item.get("status") != "cancelled":
            yield "update-status", f"{place}.status"
        why = codes(item.get("statusReason"), WHY)
        if not set(why) <= set(cancel_reasons().rows):
            yield "update-why-unknown", f"{place}.statusReason"
        if not why:
            yield "update-why", f"{place}.statusReason"
        yield from group_number(place, item)
        if not UUID.fullmatch(next(iter(numbers(item, ITEM)), "")):
            yield "item-id", f"{place}.identifier"
        if len(products(laid, item)) != 1:
            yield "product", f"{place}.medication"
    place, patient = laid.patients[0] if laid.patients else ("Bundle.entry", {})
    yield from nhs_number(numbers(patient, NHS_NUMBER), f"{place}.identifier")


def requested(laid: Laid) -> Iterator[Finding]:
    """What a reader of the request must know: it has not been granted yet."""
    for place, _ in laid.items:
        yield "cancel-requested", f"{place}.status"


def cancels(laid: Laid) -> Iterator[Finding]:
    """On writing: of all changes of an order, EPS carries its cancellation alone."""
    for place, item in laid.items:
        parts = {str(part.get("url")): part for part in objects(extension(item, CHANGE), "extension")}
        if get(parts.get("type"), "valueCode") != "cancelled":
            yield "update-change", f"{place}.extension('{CHANGE}')"
