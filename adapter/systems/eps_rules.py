"""What the checks of every EPS message share: a message laid out, the rules by name, and small readers of FHIR.

The maps say what a message *is*; the checks say whether the Spine, and then a dispenser, would take it. They read a FHIR
message Bundle, EPS's own or the hub's (both have the same elements), and give findings. What NHS England's service refuses
is an error, and so is what the law asks of a controlled drug; all else is a warning. Source of the rules, where none is named
beside one: the EPS OpenAPI and its own checks, https://github.com/NHSDigital/electronic-prescription-service-api
(packages/specification; packages/coordinator, bundle-validator).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from nhs_number.validate import is_valid as is_nhs_number

from adapter.fhir.outcome import BASE, Issue, issue
from adapter.fhir.terminology import CodeMap
from adapter.shipped import MAPPINGS

#: The system's own folder of maps, rules and codes: its modules are named after it.
HOME = MAPPINGS / Path(__file__).stem.partition("_")[0]

Resource = dict[str, Any]
#: What a check finds: the name of a rule in mappings/eps/rules.json, and the FHIRPath of the place.
Finding = tuple[str, str]

NHS, UK_CORE, SNOMED = "https://fhir.nhs.uk", "https://fhir.hl7.org.uk", "http://snomed.info/sct"
OURS = f"{BASE}/StructureDefinition/"
GROUP = f"{NHS}/Id/prescription-order-number"
#: Met in older messages; its check character is the same. Never written.
GROUP_OLD = f"{NHS}/Id/prescription-short-form"
ITEM = f"{NHS}/Id/prescription-order-item-number"
ODS = f"{NHS}/Id/ods-organization-code"
NHS_NUMBER = f"{NHS}/Id/nhs-number"
EXTENSION = f"{NHS}/StructureDefinition/Extension-"
TYPE = f"{EXTENSION}DM-PrescriptionType"
#: What only the Spine adds, when it hands an order on to a dispenser.
RELEASED = (f"{EXTENSION}EPS-DispensingInformation", f"{EXTENSION}DM-PrescriptionStatusHistory")
#: Extensions of the hub that only an instalment form or its collections have.
INSTALMENT_EXTENSIONS = tuple(
    OURS + name
    for name in ("planned-collection", "required-supervision", "home-office-wording", "treatment-period", "closed-day")
)
REPEAT_DISPENSING, INSTALMENT = "continuous-repeat-dispensing", "instalment-dispensing"


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
    """The rules of every message by name, from mappings/eps/rules.json; as an issue's rule the name has eps- before it."""
    said = json.loads((HOME / "rules.json").read_text(encoding="utf-8"))
    return {name: Rule(**row) for name, row in said.items()}


def code_map(name: str) -> CodeMap:
    """A ConceptMap of mappings/eps/codes."""
    return CodeMap(json.loads((HOME / "codes" / f"{name}.json").read_text(encoding="utf-8")))


def issues(found: Iterable[Finding]) -> list[Issue]:
    """The findings as issues."""
    made = []
    for rule, place in found:
        said = rules()[rule]
        made.append(issue(said.severity, said.code, f"eps-{rule}", said.text, expression=place, mend=said.mend))
    return made


# the message -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Laid:
    """A message Bundle laid out for the checks: its orders, supplies and patients with their FHIRPaths, all by fullUrl."""

    items: tuple[tuple[str, Resource], ...]
    supplies: tuple[tuple[str, Resource], ...]
    patients: tuple[tuple[str, Resource], ...]
    header: tuple[str, Resource]
    by_url: dict[str, tuple[str, Resource]]
    event: str
    released: bool

    def resolve(self, reference: object, inside: tuple[str, Resource] = ("", {})) -> tuple[str, Resource]:
        """The place and the resource that a Reference points at, in the message or contained in the resource `inside`.

        ("", {}) where there is none.
        """
        url = str(get(reference, "reference"))
        if not url.startswith("#"):
            return self.by_url.get(url, ("", {}))
        place, resource = inside
        found = [(n, one) for n, one in enumerate(objects(resource, "contained")) if f"#{one.get('id')}" == url]
        return (f"{place}.contained[{found[0][0]}]", found[0][1]) if found else ("", {})


def lay_out(bundle: Resource) -> Laid:
    """Lay a message Bundle out for the checks. Malformed parts are passed over: they are the gate's to report."""
    placed = [
        (f"Bundle.entry[{n}].resource", entry["resource"], str(entry.get("fullUrl", "")))
        for n, entry in enumerate(objects(bundle, "entry"))
        if isinstance(entry.get("resource"), dict)
    ]

    def of(kind: str) -> tuple[tuple[str, Resource], ...]:
        return tuple((at, r) for at, r, _ in placed if r.get("resourceType") == kind)

    items = of("MedicationRequest")
    place, header = next(iter(of("MessageHeader")), ("Bundle.entry", {}))
    # The Spine answers a dispenser's request: its header says to which message, and its items how far each has come.
    released = "response" in header or any("messageId" in str(e.get("url")) for e in objects(header, "extension"))
    released = released or any(extension(item, url) for _, item in items for url in RELEASED)
    by_url = {url: (at, r) for at, r, url in placed}
    event = str(get(header, "eventCoding", "code"))
    return Laid(items, of("MedicationDispense"), of("Patient"), (place, header), by_url, event, released)


# readers -----------------------------------------------------------------------------------------------------------
def get(here: Any, *names: str) -> Any:
    """What stands at the end of these names, None where it does not; a url among them takes that extension of a list."""
    for name in names:
        if name.startswith("http"):
            found = [e for e in here if isinstance(e, dict) and e.get("url") == name] if isinstance(here, list) else []
            here = found[0] if found else None
        else:
            here = here.get(name) if isinstance(here, dict) else None
    return here


def objects(parent: Any, *names: str) -> list[Resource]:
    """The objects of the list at the end of these names; others in it are passed over."""
    found = get(parent, *names)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def extension(parent: Resource, url: str) -> Resource:
    """The extension of that url; {} where there is none."""
    found = get(parent, "extension", url)
    return found if isinstance(found, dict) else {}


def codes(concept: Any, system: str = "") -> list[str]:
    """The codes of a CodeableConcept, of one system or of any."""
    return [str(c.get("code")) for c in objects(concept, "coding") if not system or c.get("system") == system]


def numbers(resource: Resource, system: str) -> list[str]:
    """The resource's identifiers of a system."""
    return [str(i.get("value")) for i in objects(resource, "identifier") if i.get("system") == system]


def path(names: Iterable[str]) -> str:
    """These names as the end of a FHIRPath, a url as that extension."""
    return "".join(f"('{name}')" if name.startswith("http") else f".{name}" for name in names)


# what every message is asked ---------------------------------------------------------------------------------------
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_GROUP_FORM = re.compile(r"[0-9A-F]{6}-[0-9A-Z]{6}-[0-9A-F]{5}[0-9A-Z+]")
_MOD37 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ+"


def instalments(items: Iterable[tuple[str, Resource]]) -> Iterator[Finding]:
    """An item of an instalment form, or one of its collections: by its course, else by what only such an item has."""
    for place, item in items:
        if INSTALMENT in codes(item.get("courseOfTherapyType")):
            yield "instalment", f"{place}.courseOfTherapyType"
        elif url := next((url for url in INSTALMENT_EXTENSIONS if extension(item, url)), ""):
            yield "instalment", f"{place}.extension('{url}')"


def group_number(place: str, item: Resource) -> Iterator[Finding]:
    """The short-form prescription id: its form, its check character, its system."""
    value, system = (str(get(item, "groupIdentifier", name)) for name in ("value", "system"))
    if not _GROUP_FORM.fullmatch(value):
        yield "prescription-id", f"{place}.groupIdentifier.value"
    elif not group_check(value):
        yield "prescription-id-check", f"{place}.groupIdentifier.value"
    if system not in (GROUP, GROUP_OLD):
        yield "prescription-id-system", f"{place}.groupIdentifier.system"


def old_system(items: Iterable[tuple[str, Resource]]) -> Iterator[Finding]:
    """The system of numbers that is read and no more written."""
    for place, item in items:
        if get(item, "groupIdentifier", "system") == GROUP_OLD:
            yield "prescription-id-system", f"{place}.groupIdentifier.system"


def group_check(value: str) -> bool:
    """Whether a short-form prescription id ends in its check character: ISO/IEC 7064, MOD 37-2, hyphens left out."""
    letters = [_MOD37.find(letter) for letter in value.replace("-", "")]
    if not letters or min(letters) < 0:
        return False
    total = 0
    for letter in letters[:-1]:
        total = (total + letter) * 2 % 37
    return (total + letters[-1]) % 37 == 1


def nhs_number(found: list[str], place: str) -> Iterator[Finding]:
    """One NHS number with its check digit."""
    if len(found) != 1:
        yield "nhs-number", place
    elif not re.fullmatch(r"[0-9]{10}", found[0]) or not is_nhs_number(found[0]):
        yield "nhs-number-check", place


def products(laid: Laid, item: Resource) -> list[str]:
    """The dm+d codes of an item's product: of its own concept, or of the Medication that it refers to."""
    concept = item.get("medicationCodeableConcept") or laid.resolve(item.get("medicationReference"))[1].get("code")
    return codes(concept, SNOMED)
