"""What the Electronic Prescription Service demands of a dispense notification, and what in one contradicts itself.

A notification says what became of each item of one prescription, and how much was handed over this time: an item dispensed
in full before stands in a later notification with the quantity 0. The order that an item answers and the person who dispensed
it are contained in the item in EPS's own message, and stand beside it in the hub's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from adapter.systems.eps_rules import (
    EXTENSION,
    ITEM,
    NHS,
    NHS_NUMBER,
    SNOMED,
    UUID,
    Finding,
    Laid,
    Resource,
    codes,
    extension,
    get,
    group_number,
    nhs_number,
    numbers,
    objects,
    products,
)
from adapter.systems.hub_rules import products as substitution_products

SUPPLY = f"{NHS}/Id/prescription-dispense-item-number"
STATUS = f"{EXTENSION}EPS-TaskBusinessStatus"
NOT_DISPENSED = f"{EXTENSION}DM-PrescriptionNonDispensingReason"
REPEATS = f"{EXTENSION}EPS-RepeatInformation"
RELATIONS = f"{EXTENSION}ODS-OrganisationRelationships"
#: medicationdispense-type: what has become of the item. Expired, to be dispensed and with the dispenser: nothing was handed
#: over. (So too 0002, 0004 and 0005, of which the hub's profile says so: ost-supply-nothing.)
TYPES = frozenset(f"{n:04}" for n in range(1, 9))
NOTHING_SUPPLIED = frozenset({"0006", "0007", "0008"})
#: EPS-task-business-status: what has become of the prescription; the last is Not Dispensed.
STATUSES = frozenset(f"{n:04}" for n in range(1, 8))
NOTHING_DISPENSED = "0007"


@dataclass(frozen=True, slots=True)
class Supply:
    """One item of a notification with what belongs to it, each with its FHIRPath."""

    place: str
    item: Resource
    order: tuple[str, Resource]
    role: tuple[str, Resource]
    patient: list[str]

    @property
    def type(self) -> str:
        """What became of the item; "" where that is not one code."""
        found = codes(self.item.get("type"))
        return found[0] if len(found) == 1 else ""

    @property
    def status(self) -> str:
        """What became of the prescription."""
        return str(get(self.item, "extension", STATUS, "valueCoding", "code"))


def supplies(laid: Laid) -> list[Supply]:
    """The supplies of a message, EPS's own or the hub's."""
    made = []
    for place, item in laid.supplies:
        inside = (place, item)
        order = laid.resolve(next(iter(objects(item, "authorizingPrescription")), None), inside)
        role = laid.resolve(get(next(iter(objects(item, "performer")), None), "actor"), inside)
        made.append(Supply(place, item, order, role, _person(laid, item)))
    return made


def orders(laid: Laid) -> list[tuple[str, Resource]]:
    """The orders that a notification answers, wherever they stand."""
    contained = [
        (f"{place}.contained[{n}]", one)
        for place, item in laid.supplies
        for n, one in enumerate(objects(item, "contained"))
        if one.get("resourceType") == "MedicationRequest"
    ]
    return [*contained, *laid.items]


def notification(laid: Laid) -> Iterator[Finding]:
    """Everything that is asked of a notification."""
    found = supplies(laid)
    if not found:
        yield "supply-none", "Bundle.entry"
    yield from _common(found)
    seen: set[str] = set()
    for n, one in enumerate(found):
        number = next(iter(numbers(one.item, SUPPLY)), "")
        if not UUID.fullmatch(number):
            yield "supply-id", f"{one.place}.identifier"
        elif number.lower() in seen:
            yield "supply-id-twice", f"{one.place}.identifier"
        seen.add(number.lower())
        yield from _supply(laid, one)
        yield from _order(laid, one, first=n == 0)
        yield from _performer(laid, one, first=n == 0)
        yield from _contradiction(one)


def _person(laid: Laid, item: Resource) -> list[str]:
    """The NHS number of whom a resource is about: beside the reference, or of the Patient that it leads to."""
    subject = item.get("subject")
    if get(subject, "identifier", "system") == NHS_NUMBER:
        return [str(get(subject, "identifier", "value"))]
    return numbers(laid.resolve(subject)[1], NHS_NUMBER)


# the notification as a whole ---------------------------------------------------------------------------------------
def _repeats(item: Resource) -> dict[str, Any]:
    return {
        str(part.get("url")): part.get("valueInteger", part.get("valueUnsignedInt"))
        for part in objects(extension(item, REPEATS), "extension")
    }


def _common(found: list[Supply]) -> Iterator[Finding]:
    """EPS turns a notification into one supply of one prescription: these belong to the whole, so every item says the same."""
    said = (
        ("whenHandedOver", [one.item.get("whenHandedOver") for one in found]),
        ("subject", [(one.patient, one.item.get("subject")) for one in found]),
        ("performer", [one.role[1] for one in found]),  # written out in each, and one person in EPS's own message and the hub's
        ("authorizingPrescription", [get(one.order[1], "groupIdentifier", "value") for one in found]),
        (f"extension('{STATUS}')", [one.status for one in found]),
        (f"extension('{NOT_DISPENSED}')", [get(one.item, "extension", NOT_DISPENSED, "valueCoding", "code") for one in found]),
        (f"extension('{REPEATS}')", [_repeats(one.item) for one in found]),
    )
    for name, values in said:
        if other := next((n for n, value in enumerate(values) if value != values[0]), 0):
            yield "supply-differs", f"{found[other].place}.{name}"


# one item ----------------------------------------------------------------------------------------------------------
def _supply(laid: Laid, one: Supply) -> Iterator[Finding]:
    place, item = one.place, one.item
    if len(products(laid, item)) != 1 or "medicationReference" in item:
        yield "supply-product", f"{place}.medication"
    if set(products(laid, item)) & set(substitution_products()):
        yield "ost-supply", f"{place}.medication"
    if one.type not in TYPES:
        yield "supply-type", f"{place}.type"
    if one.status not in STATUSES:
        yield "supply-status", f"{place}.extension('{STATUS}')"
    quantity, value = item.get("quantity"), _handed_over(item)
    if value is None or value < 0 or get(quantity, "system") != SNOMED or not get(quantity, "code"):
        yield "supply-quantity", f"{place}.quantity"
    if not item.get("whenHandedOver"):
        yield "supply-time", f"{place}.whenHandedOver"
    if one.patient:
        yield from nhs_number(one.patient, f"{place}.subject")
    else:
        yield "supply-subject", f"{place}.subject"


def _handed_over(item: Resource) -> Decimal | None:
    value = get(item, "quantity", "value")
    return Decimal(str(value)) if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else None


def _order(laid: Laid, one: Supply, first: bool) -> Iterator[Finding]:
    place, order = one.order
    number = next(iter(numbers(order, ITEM)), "")
    listed = one.item.get("authorizingPrescription")
    alone = isinstance(listed, list) and len(listed) == 1
    if order.get("resourceType") != "MedicationRequest" or not alone or not UUID.fullmatch(number):
        yield "supply-order", f"{one.place}.authorizingPrescription"
        return
    if first:
        yield from group_number(place, order)
    person = _person(laid, order)
    if person and one.patient and person != one.patient:
        yield "supply-patient", f"{place}.subject"
    repeated = set(codes(order.get("courseOfTherapyType"))) & {"continuous", "continuous-repeat-dispensing"}
    if repeated and not {"numberOfRepeatsAllowed", "numberOfRepeatsIssued"} <= set(_repeats(one.item)):
        yield "supply-repeat", f"{one.place}.extension('{REPEATS}')"


def _performer(laid: Laid, one: Supply, first: bool) -> Iterator[Finding]:
    role = one.role[1]
    place, organisation = laid.resolve(role.get("organization"))
    person = get(role, "practitioner", "identifier", "value")
    if role.get("resourceType") != "PractitionerRole" or not person or organisation.get("resourceType") != "Organization":
        yield "supply-performer", f"{one.place}.performer"
        return
    paid_by = get(organisation, "extension", RELATIONS, "extension")
    if first and not any(
        part.get("url") == "reimbursementAuthority" and get(part, "valueIdentifier", "value")
        for part in objects({"extension": paid_by}, "extension")
    ):
        yield "supply-reimbursement", f"{place}.extension('{RELATIONS}')"


def _contradiction(one: Supply) -> Iterator[Finding]:
    """Whether the item says both that some of it was handed over and that none was; and why not, where it was not."""
    if (_handed_over(one.item) or 0) > 0:
        if one.type in NOTHING_SUPPLIED:
            yield "supply-contradiction", f"{one.place}.type"
        if one.status == NOTHING_DISPENSED:
            yield "supply-contradiction", f"{one.place}.extension('{STATUS}')"
    if one.type == "0002" and not codes(one.item.get("statusReasonCodeableConcept")):
        yield "supply-reason", f"{one.place}.statusReason"
