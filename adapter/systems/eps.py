"""What the Electronic Prescription Service demands of a prescription order beyond the shape of its FHIR.

The maps say what an order *is*; the pure functions here say whether the Spine, and then a dispenser, would take it. They
read a FHIR message Bundle, EPS's own or the hub's (an order has the same elements in both), and give issues; an error
refuses. What NHS England's service refuses is an error, what the law asks of a controlled drug too, all else a warning.
Source of the rules, where none is named beside one: the EPS OpenAPI and its order checks,
https://github.com/NHSDigital/electronic-prescription-service-api (packages/specification, bundle-validator).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from nhs_number.validate import is_valid as is_nhs_number

from adapter.fhir.outcome import Issue, issue, rule_of
from adapter.fhir.terminology import CodeMap
from adapter.mapping.codecs import codec
from adapter.shipped import MAPPINGS, PROFILES

Resource = dict[str, Any]
#: What a rule finds: the name of a rule in mappings/eps/rules.json, and the FHIRPath of the place.
Finding = tuple[str, str]

NHS, UK_CORE, SNOMED, UCUM = (
    "https://fhir.nhs.uk",
    "https://fhir.hl7.org.uk",
    "http://snomed.info/sct",
    "http://unitsofmeasure.org",
)
OURS = "https://ost-adapter.example/fhir/StructureDefinition/"
GROUP = f"{NHS}/Id/prescription-order-number"
#: Met in older messages; its check character is the same. Never written.
GROUP_OLD = f"{NHS}/Id/prescription-short-form"
ITEM = f"{NHS}/Id/prescription-order-item-number"
ODS = f"{NHS}/Id/ods-organization-code"
NHS_NUMBER = f"{NHS}/Id/nhs-number"
_EXTENSION = f"{NHS}/StructureDefinition/Extension-"
CONTROLLED = f"{_EXTENSION}DM-ControlledDrug"
SITE_TYPE = f"{_EXTENSION}DM-PerformerSiteType"
TYPE = f"{_EXTENSION}DM-PrescriptionType"
RESPONSIBLE = f"{_EXTENSION}DM-ResponsiblePractitioner"
REPEATS = f"{UK_CORE}/StructureDefinition/Extension-UKCore-MedicationRepeatInformation"
#: The event of an order, in EPS's own message and in the hub's.
EVENTS = ("prescription-order", "prescription")
#: What only the Spine adds, when it hands an order on to a dispenser.
RELEASED = (f"{_EXTENSION}EPS-DispensingInformation", f"{_EXTENSION}DM-PrescriptionStatusHistory")
#: Extensions of the hub that only an instalment form or its collections have.
INSTALMENT_EXTENSIONS = tuple(
    OURS + name
    for name in ("planned-collection", "required-supervision", "home-office-wording", "treatment-period", "closed-day")
)
PROFESSIONAL = frozenset(
    f"{UK_CORE}/Id/{register}" for register in ("gmc-number", "nmc-number", "gphc-number", "hcpc-number", "professional-code")
)
GMP = f"{UK_CORE}/Id/gmp-number"
REPEAT_DISPENSING, INSTALMENT = "continuous-repeat-dispensing", "instalment-dispensing"
COURSES = frozenset({"acute", "continuous", REPEAT_DISPENSING})


@dataclass(frozen=True, slots=True)
class Rule:
    """What is wrong, how to mend it, how grave it is, its IssueType, and who says so where it is not the EPS OpenAPI."""

    severity: str
    code: str
    text: str
    mend: str
    source: str = ""


@cache
def rules() -> dict[str, Rule]:
    """The rules of an order by name, from mappings/eps/rules.json; as an issue's rule the name has eps- before it."""
    said = json.loads((MAPPINGS / "eps" / "rules.json").read_text(encoding="utf-8"))
    return {name: Rule(**row) for name, row in said.items()}


@dataclass(frozen=True)
class Order:
    """A message Bundle laid out for the rules: its items and patients with their FHIRPaths, its resources by fullUrl."""

    items: tuple[tuple[str, Resource], ...]
    patients: tuple[tuple[str, Resource], ...]
    by_url: dict[str, tuple[str, Resource]]
    event: str
    released: bool

    def resolve(self, reference: object) -> tuple[str, Resource]:
        """The place and the resource that a Reference points at; ("", {}) where it is not in the Bundle."""
        return self.by_url.get(str(_get(reference, "reference")), ("", {}))


def lay_out(bundle: Resource) -> Order:
    """Lay a message Bundle out for the rules. Malformed parts are passed over: they are the gate's to report."""
    placed = [
        (f"Bundle.entry[{n}].resource", entry["resource"], str(entry.get("fullUrl", "")))
        for n, entry in enumerate(_objects(bundle, "entry"))
        if isinstance(entry.get("resource"), dict)
    ]
    items = tuple((at, r) for at, r, _ in placed if r.get("resourceType") == "MedicationRequest")
    patients = tuple((at, r) for at, r, _ in placed if r.get("resourceType") == "Patient")
    header: Resource = next((r for _, r, _ in placed if r.get("resourceType") == "MessageHeader"), {})
    # The Spine answers a dispenser's request: its header says to which message, and its items how far each has come.
    released = "response" in header or any("messageId" in str(e.get("url")) for e in _objects(header, "extension"))
    released = released or any(_extension(item, url) for _, item in items for url in RELEASED)
    event = str(_get(header, "eventCoding", "code"))
    return Order(items, patients, {url: (at, r) for at, r, url in placed}, event, released)


def check_read(bundle: Resource, *, lenient: bool = False) -> list[Issue]:
    """Every issue that the rules of a prescription order find in EPS's Bundle; of any other message, none.

    lenient, for official samples, some of which have them wrong: the check character of the prescription id only warns, and
    the check digit of the NHS number is left to the hub, which then warns too.
    """
    order = lay_out(bundle)
    if order.event not in EVENTS:
        return []
    found = (one for check in (_instalments, *CHECKS) for one in check(order))
    if not lenient:
        return _issues(found)
    soft = _issues(one for one in found if one[0] != "nhs-number-check")
    return [one | {"severity": "warning"} if rule_of(one) == "eps-prescription-id-check" else one for one in soft]


def check_write(bundle: Resource) -> list[Issue]:
    """The same for an order that is to travel by EPS, over the hub Bundle or the Bundle made for EPS.

    An instalment form is refused for that alone: what else it lacks for EPS is no fault of it.
    """
    order = lay_out(bundle)
    if order.event not in EVENTS:
        return []
    if barred := list(_instalments(order)):
        return _issues(barred)
    return _issues(one for check in (*CHECKS, _old_system) for one in check(order))


def _issues(found: Iterable[Finding]) -> list[Issue]:
    made = []
    for rule, place in found:
        said = rules()[rule]
        made.append(issue(said.severity, said.code, f"eps-{rule}", said.text, expression=place, mend=said.mend))
    return made


def _get(here: Any, *names: str) -> Any:
    """What stands at the end of these names, None where it does not; a url among them takes that extension of a list."""
    for name in names:
        if name.startswith("http"):
            found = [e for e in here if isinstance(e, dict) and e.get("url") == name] if isinstance(here, list) else []
            here = found[0] if found else None
        else:
            here = here.get(name) if isinstance(here, dict) else None
    return here


def _objects(parent: Any, *names: str) -> list[Resource]:
    found = _get(parent, *names)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _extension(parent: Resource, url: str) -> Resource:
    return _get(parent, "extension", url) or {}


def _courses(item: Resource) -> set[str]:
    return {str(coding.get("code")) for coding in _objects(item, "courseOfTherapyType", "coding")}


# the prescription as a whole ---------------------------------------------------------------------------------------
def _instalments(order: Order) -> Iterator[Finding]:
    for place, item in order.items:
        if INSTALMENT in _courses(item):
            yield "instalment", f"{place}.courseOfTherapyType"
        elif url := next((url for url in INSTALMENT_EXTENSIONS if _extension(item, url)), ""):
            yield "instalment", f"{place}.extension('{url}')"


def _prescription(order: Order) -> Iterator[Finding]:
    if not 1 <= len(order.items) <= 4:
        yield "item-count", order.items[4][0] if order.items else "Bundle.entry"
    for place, item in order.items[:1]:
        value, system = (str(_get(item, "groupIdentifier", name)) for name in ("value", "system"))
        if not _GROUP_FORM.fullmatch(value):
            yield "prescription-id", f"{place}.groupIdentifier.value"
        elif not group_check(value):
            yield "prescription-id-check", f"{place}.groupIdentifier.value"
        if system not in (GROUP, GROUP_OLD):
            yield "prescription-id-system", f"{place}.groupIdentifier.system"
        if not _get(item, "extension", TYPE, "valueCoding", "code"):
            yield "type", f"{place}.extension"


def _old_system(order: Order) -> Iterator[Finding]:
    for place, item in order.items[:1]:
        if _get(item, "groupIdentifier", "system") == GROUP_OLD:
            yield "prescription-id-system", f"{place}.groupIdentifier.system"


_GROUP_FORM = re.compile(r"[0-9A-F]{6}-[0-9A-Z]{6}-[0-9A-F]{5}[0-9A-Z+]")
_MOD37 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ+"


def group_check(value: str) -> bool:
    """Whether a short-form prescription id ends in its check character: ISO/IEC 7064, MOD 37-2, hyphens left out."""
    letters = [_MOD37.find(letter) for letter in value.replace("-", "")]
    if not letters or min(letters) < 0:
        return False
    total = 0
    for letter in letters[:-1]:
        total = (total + letter) * 2 % 37
    return (total + letters[-1]) % 37 == 1


#: What stands on the prescription as a whole in EPS's own (v3) message, so that every item must say the same.
_COMMON = (
    *((name,) for name in ("groupIdentifier", "category", "authoredOn", "subject", "requester")),
    *(("extension", url) for url in (TYPE, RESPONSIBLE)),
    *(("dispenseRequest", name) for name in ("performer", "validityPeriod", "expectedSupplyDuration")),
    ("dispenseRequest", "extension", SITE_TYPE),
)
_COMMON_REPEATS = (("dispenseRequest", "numberOfRepeatsAllowed"), ("extension", REPEATS))


def _common(order: Order) -> Iterator[Finding]:
    repeats = not order.released and bool(order.items) and REPEAT_DISPENSING in _courses(order.items[0][1])
    for names in (*_COMMON, *(_COMMON_REPEATS if repeats else ())):
        said = [_get(item, *names) for _, item in order.items]
        if other := next((n for n, one in enumerate(said) if one != said[0]), 0):
            path = "".join(f"('{name}')" if name.startswith("http") else f".{name}" for name in names)
            yield "items-differ", order.items[other][0] + path


def _course(order: Order) -> Iterator[Finding]:
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
                if _get(item, "dispenseRequest", name) is None:
                    yield "repeat-dispensing", f"{place}.dispenseRequest.{name}"


# the items ---------------------------------------------------------------------------------------------------------
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _items(order: Order) -> Iterator[Finding]:
    numbers: set[str] = set()
    for place, item in order.items:
        number = next((str(i.get("value")) for i in _objects(item, "identifier") if i.get("system") == ITEM), "")
        if not _UUID.fullmatch(number):
            yield "item-id", f"{place}.identifier"
        elif number.lower() in numbers:
            yield "item-id-twice", f"{place}.identifier"
        numbers.add(number.lower())
        if not order.released and item.get("intent") not in ("order", "original-order", "instance-order"):
            yield "intent", f"{place}.intent"
        if not order.released and item.get("status") != "active":
            yield "status", f"{place}.status"
        if len(_products(order, item)) != 1 or ("medicationReference" in item and "medicationCodeableConcept" in item):
            yield "product", f"{place}.medication"
        if _objects(item, "reasonCode"):
            yield "reason", f"{place}.reasonCode"
        yield from _quantity(place, item)
        yield from _dosage(place, item)
        yield from _site(place, item)


def _products(order: Order, item: Resource) -> list[str]:
    """The dm+d codes of an item's product: of its own concept, or of the Medication that it refers to."""
    concept = item.get("medicationCodeableConcept") or order.resolve(item.get("medicationReference"))[1].get("code")
    return [str(coding.get("code")) for coding in _objects(concept, "coding") if coding.get("system") == SNOMED]


def _amount(item: Resource) -> Decimal | None:
    value = _get(item, "dispenseRequest", "quantity", "value")
    try:
        return Decimal(str(value)) if value is not None and not isinstance(value, bool) else None
    except InvalidOperation:
        return None


def _quantity(place: str, item: Resource) -> Iterator[Finding]:
    quantity, value = _get(item, "dispenseRequest", "quantity"), _amount(item)
    if value is None or value <= 0 or _get(quantity, "system") != SNOMED or not _get(quantity, "code"):
        yield "quantity", f"{place}.dispenseRequest.quantity"
    elif value != round(value, 2):
        yield "quantity-decimals", f"{place}.dispenseRequest.quantity.value"


def _dosage(place: str, item: Resource) -> Iterator[Finding]:
    dosages = _objects(item, "dosageInstruction")
    if not dosages:
        yield "dosage-text", f"{place}.dosageInstruction"
    for n, dosage in enumerate(dosages):
        text = str(dosage.get("text") or "").rstrip()
        if not text:
            yield "dosage-text", f"{place}.dosageInstruction[{n}].text"
        elif text[-1] in ".,":
            yield "dosage-stop", f"{place}.dosageInstruction[{n}].text"


def _site(place: str, item: Resource) -> Iterator[Finding]:
    site = _get(item, "dispenseRequest", "extension", SITE_TYPE, "valueCoding", "code")
    performer = _get(item, "dispenseRequest", "performer")
    if not site:
        yield "site-type", f"{place}.dispenseRequest.extension"
    elif site != "0004" and (_get(performer, "identifier", "system") != ODS or not _get(performer, "identifier", "value")):
        yield "performer", f"{place}.dispenseRequest.performer"
    elif site == "0004" and performer:
        yield "performer-spare", f"{place}.dispenseRequest.performer"


# units -------------------------------------------------------------------------------------------------------------
#: UCUM allows l beside L, so ml beside mL. https://ucum.org/ucum
_SPELLINGS = {"ml": "mL"}


@cache
def _units() -> CodeMap:
    """dm+d unit -> UCUM, as the hub pairs them (docs/hub.md, Quantity)."""
    return CodeMap(json.loads((PROFILES / "ConceptMap-unit-ucum.json").read_text(encoding="utf-8")))


def _unit_code(pair: tuple[str | None, str | None]) -> str | None:
    """(dm+d code, UCUM code where the source writes UCUM) and Quantity.code: EPS orders write either, by Quantity.system."""
    dmd, ucum = pair
    return ucum or dmd


def _unit_code_back(code: str) -> tuple[str | None, str | None]:
    """A SNOMED code is a number of six digits or more, which no UCUM unit is. A unit without a pair keeps its UCUM code alone."""
    if re.fullmatch(r"[0-9]{6,18}", code):
        return code, None
    return (_units().backward or {}).get(_SPELLINGS.get(code, code)), code


def _ucum(dmd: str) -> str | None:
    """The UCUM unit of a dm+d unit; declines one that the shared ConceptMap does not have."""
    return _units().forward.get(dmd)


codec("eps-unit-code", read=_unit_code, write=_unit_code_back)
codec("eps-unit-system", read=lambda pair: UCUM if pair[1] else SNOMED)
codec("eps-ucum-unit", read=_ucum)


# controlled drugs --------------------------------------------------------------------------------------------------
@cache
def substitution_products() -> CodeMap:
    """dm+d products of opioid substitution treatment -> their schedule; the comment of a row says which are oral liquids."""
    return CodeMap(json.loads((MAPPINGS / "eps" / "codes" / "ost-schedule.json").read_text(encoding="utf-8")))


def _controlled(order: Order) -> Iterator[Finding]:
    for place, item in order.items:
        marked, products = _extension(item, CONTROLLED), set(_products(order, item))
        at = f"{place}.extension('{CONTROLLED}')"
        known = [row for code, row in substitution_products().rows.items() if code in products]
        if known and not marked:
            yield "cd-unmarked", f"{place}.extension"
        if any("oral liquid methadone" in row.comment for row in known):
            yield "methadone-liquid", f"{place}.medication"
        parts = {str(part.get("url")): part for part in _objects(marked, "extension")}
        words = str(_get(parts.get("quantityWords"), "valueString") or "").strip()
        strict = _get(parts.get("schedule"), "valueCoding", "code") in ("CD2", "CD3")
        if words:
            said = figure(words)
            if said is None:
                yield "cd-words-unread", f"{at}.extension('quantityWords')"
            elif said != _amount(item):
                yield "cd-words-differ", f"{at}.extension('quantityWords')"
        elif strict:
            yield "cd-words", at
        if strict and REPEAT_DISPENSING in _courses(item):
            yield "cd-repeat", f"{place}.courseOfTherapyType"
        for n, dosage in enumerate(_objects(item, "dosageInstruction") if strict else ()):
            if re.match(r"(to be (used|taken) )?as directed\b", str(dosage.get("text", "")).strip().lower()):
                yield "cd-dose", f"{place}.dosageInstruction[{n}].text"


_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen"
)
_WORDS = {word: n for n, word in enumerate(_SMALL.split())}
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_WORDS |= {word: n * 10 for n, word in enumerate(_TENS.split(), 2)}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_NUMERALS = frozenset({*_WORDS, *_SCALES, "point", "half"})


def figure(words: str) -> Decimal | None:
    """The number that English words say: "one hundred and twenty-eight", "two point five", "ten and a half".

    Words without a number may follow ("twenty eight tablets"). None for all that is not surely one number.
    """
    said = re.findall(r"[a-z]+|[^a-z\s]", words.lower().replace("-", " ").replace(",", " "))
    end = next((n for n, word in enumerate(said) if word not in _NUMERALS | {"and", "a"}), len(said))
    if any(word in _NUMERALS or not word.isalpha() for word in said[end:]):
        return None
    whole, _, fraction = " ".join(said[:end]).partition(" point ")
    halved = re.fullmatch(r"(?:(.+) and a half)|(?:a )?half", whole)
    value = _whole((halved[1] or "zero").split() if halved else whole.split())
    digits = [str(_WORDS.get(word, "")) for word in fraction.split()]
    if value is None or not all(len(digit) == 1 for digit in digits) or (digits and halved):
        return None
    return value + Decimal(f"0.{''.join(digits)}" if digits else "0") + Decimal("0.5" if halved else "0")


def _whole(said: Sequence[str]) -> Decimal | None:
    """A whole number. `room` is how much the next word may still add: after "twenty" nine, after "two hundred" 99."""
    if said in (["zero"], ["a", "hundred"], ["a", "thousand"]):
        return Decimal(0 if said == ["zero"] else _SCALES[said[1]])
    total, group, room = 0, 0, 999
    for n, word in enumerate(said):
        if word == "and" and 0 < n < len(said) - 1:
            continue
        if word == "hundred" and 0 < group < 100:
            group, room = group * 100, 99
        elif word in ("thousand", "million") and group and (not total or total >= 1000 * _SCALES[word]):
            total, group, room = total + group * _SCALES[word], 0, 999
        elif 0 < _WORDS.get(word, 0) <= room:
            room = 9 if _WORDS[word] >= 20 else 0
            group += _WORDS[word]
        else:
            return None
    return Decimal(total + group) if said else None


# the people --------------------------------------------------------------------------------------------------------
def _patient(order: Order) -> Iterator[Finding]:
    place, patient = order.patients[0] if order.patients else ("Bundle.entry", {})
    for name in ("name", "address"):
        if len(_objects(patient, name)) != 1:
            yield "patient", f"{place}.{name}"
    for name in ("gender", "birthDate"):
        if not patient.get(name):
            yield "patient", f"{place}.{name}"
    numbers = [str(i.get("value")) for i in _objects(patient, "identifier") if i.get("system") == NHS_NUMBER]
    if len(numbers) != 1:
        yield "nhs-number", f"{place}.identifier"
    elif not re.fullmatch(r"[0-9]{10}", numbers[0]) or not is_nhs_number(numbers[0]):
        yield "nhs-number-check", f"{place}.identifier"
    for name in ("deceasedDateTime", "deceasedBoolean"):
        if patient.get(name):
            yield "deceased", f"{place}.deceased"


def _prescriber(order: Order) -> Iterator[Finding]:
    for place, item in order.items[:1]:
        at, role = order.resolve(item.get("requester"))
        organisation = order.resolve(role.get("organization"))
        person = order.resolve(role.get("practitioner"))
        known = _objects(person[1], "identifier")
        alone = _get(role, "practitioner", "identifier")
        if not person[0] and isinstance(alone, dict):
            known, person = [alone], (f"{at}.practitioner", {})
        if role.get("resourceType") != "PractitionerRole" or not person[0] or not organisation[0]:
            yield "requester", f"{place}.requester"
            continue
        if any(one.get("system") == GMP for one in known):
            yield "gmp", f"{person[0]}.identifier"
        elif sum(str(one.get("system")) in PROFESSIONAL for one in known) != 1:
            yield "professional-code", f"{person[0]}.identifier"
        if str(_get(item, "extension", TYPE, "valueCoding", "code")).startswith("01"):
            if role.get("healthcareService"):
                yield "primary-care", f"{at}.healthcareService"
            elif not organisation[1].get("partOf"):
                yield "primary-care", f"{organisation[0]}.partOf"


CHECKS: tuple[Callable[[Order], Iterator[Finding]], ...] = (
    _prescription,
    _common,
    _course,
    _items,
    _controlled,
    _patient,
    _prescriber,
)
