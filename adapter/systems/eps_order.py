"""What the Electronic Prescription Service demands of a prescription order beyond the shape of its FHIR."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from adapter.systems.eps_controlled import amount, controlled
from adapter.systems.eps_rules import (
    EXTENSION,
    INSTALMENT,
    ITEM,
    NHS_NUMBER,
    ODS,
    REPEAT_DISPENSING,
    SNOMED,
    TYPE,
    UK_CORE,
    UUID,
    Finding,
    Laid,
    Resource,
    codes,
    get,
    group_number,
    nhs_number,
    numbers,
    objects,
    path,
    products,
)

SITE_TYPE = f"{EXTENSION}DM-PerformerSiteType"
RESPONSIBLE = f"{EXTENSION}DM-ResponsiblePractitioner"
REPEATS = f"{UK_CORE}/StructureDefinition/Extension-UKCore-MedicationRepeatInformation"
PROFESSIONAL = frozenset(
    f"{UK_CORE}/Id/{register}" for register in ("gmc-number", "nmc-number", "gphc-number", "hcpc-number", "professional-code")
)
GMP = f"{UK_CORE}/Id/gmp-number"
COURSES = frozenset({"acute", "continuous", REPEAT_DISPENSING})


# the prescription as a whole ---------------------------------------------------------------------------------------
def _prescription(order: Laid) -> Iterator[Finding]:
    if not 1 <= len(order.items) <= 4:
        yield "item-count", order.items[4][0] if order.items else "Bundle.entry"
    for place, item in order.items[:1]:
        yield from group_number(place, item)
        if not get(item, "extension", TYPE, "valueCoding", "code"):
            yield "type", f"{place}.extension"


#: What stands on the prescription as a whole in EPS's own (v3) message, so that every item must say the same.
_COMMON = (
    *((name,) for name in ("groupIdentifier", "category", "authoredOn", "subject", "requester")),
    *(("extension", url) for url in (TYPE, RESPONSIBLE)),
    *(("dispenseRequest", name) for name in ("performer", "validityPeriod", "expectedSupplyDuration")),
    ("dispenseRequest", "extension", SITE_TYPE),
)
_COMMON_REPEATS = (("dispenseRequest", "numberOfRepeatsAllowed"), ("extension", REPEATS))


def _courses(item: Resource) -> set[str]:
    return set(codes(item.get("courseOfTherapyType")))


def _common(order: Laid) -> Iterator[Finding]:
    repeats = not order.released and bool(order.items) and REPEAT_DISPENSING in _courses(order.items[0][1])
    for names in (*_COMMON, *(_COMMON_REPEATS if repeats else ())):
        said = [get(item, *names) for _, item in order.items]
        if other := next((n for n, one in enumerate(said) if one != said[0]), 0):
            yield "items-differ", order.items[other][0] + path(names)


def _course(order: Laid) -> Iterator[Finding]:
    seen: set[str] = set()
    mixed = False
    for place, item in order.items:
        at, here = f"{place}.courseOfTherapyType", _courses(item)
        if not here or not here <= COURSES | {INSTALMENT}:
            yield "course", at
        seen |= here
        if len(seen) > 1 and not seen <= {"acute", "continuous"} and not mixed:
            mixed = True
            yield "course-mixed", at
        if REPEAT_DISPENSING in here and not order.released:
            for name in ("numberOfRepeatsAllowed", "validityPeriod", "expectedSupplyDuration"):
                if get(item, "dispenseRequest", name) is None:
                    yield "repeat-dispensing", f"{place}.dispenseRequest.{name}"


# the items ---------------------------------------------------------------------------------------------------------
def _items(order: Laid) -> Iterator[Finding]:
    seen: set[str] = set()
    for place, item in order.items:
        number = next(iter(numbers(item, ITEM)), "")
        if not UUID.fullmatch(number):
            yield "item-id", f"{place}.identifier"
        elif number.lower() in seen:
            yield "item-id-twice", f"{place}.identifier"
        seen.add(number.lower())
        if not order.released and item.get("intent") not in ("order", "original-order", "instance-order"):
            yield "intent", f"{place}.intent"
        if not order.released and item.get("status") != "active":
            yield "status", f"{place}.status"
        if len(products(order, item)) != 1 or ("medicationReference" in item and "medicationCodeableConcept" in item):
            yield "product", f"{place}.medication"
        if objects(item, "reasonCode"):
            yield "reason", f"{place}.reasonCode"
        yield from _quantity(place, item)
        yield from _dosage(place, item)
        yield from _site(place, item)


def _quantity(place: str, item: Resource) -> Iterator[Finding]:
    quantity, value = get(item, "dispenseRequest", "quantity"), amount(item)
    if value is None or value <= 0 or get(quantity, "system") != SNOMED or not get(quantity, "code"):
        yield "quantity", f"{place}.dispenseRequest.quantity"
    elif value != round(value, 2):
        yield "quantity-decimals", f"{place}.dispenseRequest.quantity.value"


def _dosage(place: str, item: Resource) -> Iterator[Finding]:
    dosages = objects(item, "dosageInstruction")
    if not dosages:
        yield "dosage-text", f"{place}.dosageInstruction"
    for n, dosage in enumerate(dosages):
        text = str(dosage.get("text") or "").rstrip()
        if not text:
            yield "dosage-text", f"{place}.dosageInstruction[{n}].text"
        elif text[-1] in ".,":
            yield "dosage-stop", f"{place}.dosageInstruction[{n}].text"


def _site(place: str, item: Resource) -> Iterator[Finding]:
    site = get(item, "dispenseRequest", "extension", SITE_TYPE, "valueCoding", "code")
    performer = get(item, "dispenseRequest", "performer")
    if not site:
        yield "site-type", f"{place}.dispenseRequest.extension"
    elif site != "0004" and (get(performer, "identifier", "system") != ODS or not get(performer, "identifier", "value")):
        yield "performer", f"{place}.dispenseRequest.performer"
    elif site == "0004" and performer:
        yield "performer-spare", f"{place}.dispenseRequest.performer"


# the people --------------------------------------------------------------------------------------------------------
def _patient(order: Laid) -> Iterator[Finding]:
    place, patient = order.patients[0] if order.patients else ("Bundle.entry", {})
    for name in ("name", "address"):
        if len(objects(patient, name)) != 1:
            yield "patient", f"{place}.{name}"
    for name in ("gender", "birthDate"):
        if not patient.get(name):
            yield "patient", f"{place}.{name}"
    yield from nhs_number(numbers(patient, NHS_NUMBER), f"{place}.identifier")
    for name in ("deceasedDateTime", "deceasedBoolean"):
        if patient.get(name):
            yield "deceased", f"{place}.deceased"


def _prescriber(order: Laid) -> Iterator[Finding]:
    for place, item in order.items[:1]:
        at, role = order.resolve(item.get("requester"))
        organisation = order.resolve(role.get("organization"))
        person = order.resolve(role.get("practitioner"))
        known = objects(person[1], "identifier")
        alone = get(role, "practitioner", "identifier")
        if not person[0] and isinstance(alone, dict):
            known, person = [alone], (f"{at}.practitioner", {})
        if role.get("resourceType") != "PractitionerRole" or not person[0] or not organisation[0]:
            yield "requester", f"{place}.requester"
            continue
        if any(one.get("system") == GMP for one in known):
            yield "gmp", f"{person[0]}.identifier"
        elif sum(str(one.get("system")) in PROFESSIONAL for one in known) != 1:
            yield "professional-code", f"{person[0]}.identifier"
        if str(get(item, "extension", TYPE, "valueCoding", "code")).startswith("01"):
            if role.get("healthcareService"):
                yield "primary-care", f"{at}.healthcareService"
            elif not organisation[1].get("partOf"):
                yield "primary-care", f"{organisation[0]}.partOf"


CHECKS: tuple[Callable[[Laid], Iterator[Finding]], ...] = (
    _prescription,
    _common,
    _course,
    _items,
    controlled,
    _patient,
    _prescriber,
)
