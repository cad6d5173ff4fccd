"""What the hub demands beyond its profiles: identity, and whether a dose can be believed.

A message is refused for identity and for a doubtful dose: an amount in a unit that the product does not come in, mg
against ml where no strength proves them one amount, an amount by volume of a product whose strength nothing says.
Everything else is carried and raised. docs/hub.md; the products are data: products.json.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from nhs_number.validate import is_valid

from adapter.fhir.outcome import BASE, Issue, issue

NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
SNOMED = "http://snomed.info/sct"
MILLILITRE, MILLIGRAM = "258773002", "258684004"
#: Elements by which a resource says whom it is about.
_SUBJECTS = ("subject", "patient", "for")
_PRESCRIBED = f"{BASE}/StructureDefinition/prescribed-amount"
#: A strength as product names write it: 1mg/ml, 10 mg in 5 ml, 8mg, 200micrograms.
_STRENGTH = re.compile(r"\d[\d.,]*\s*(?:mg|mcg|micrograms?|g|%)\b|\d%", re.IGNORECASE)


def check_bundle(bundle: dict[str, Any], lenient: bool = False) -> list[Issue]:
    """Every breach of a rule of the hub, each with its FHIRPath. lenient: a failing NHS number is carried with a warning."""
    found: list[Issue] = []
    entries = [entry.get("resource") if isinstance(entry, dict) else None for entry in bundle.get("entry") or ()]
    patients = [one for one in entries if isinstance(one, dict) and one.get("resourceType") == "Patient"]
    for i, resource in enumerate(entries):
        if not isinstance(resource, dict):
            continue
        at = f"Bundle.entry[{i}].resource"
        if resource.get("resourceType") == "Patient":
            found += nhs_number(resource, at, lenient)
            found += [_second_patient(at)] if resource is not patients[0] else []
        else:
            found += another_person(resource, patients, at)
            found += dose_meaning(resource, at)
    return found


# identity ---------------------------------------------------------------------------------------------------------
def another_person(resource: dict[str, Any], patients: list[dict[str, Any]], at: str) -> Iterator[Issue]:
    """A subject that is named by an identifier which the message's Patient does not have: whose record it is, is not known.

    Where a reference leads to the Patient, an identifier of a system in which the Patient has none contradicts nothing.
    """
    known = {(one.get("system"), one.get("value")) for patient in patients for one in _list(patient.get("identifier"))}
    systems = {system for system, _ in known}
    for name in _SUBJECTS:
        said = resource.get(name)
        identifier = said.get("identifier") if isinstance(said, dict) else None
        if not isinstance(said, dict) or not isinstance(identifier, dict) or not patients:
            continue
        named = identifier.get("system"), identifier.get("value")
        if named not in known and ("reference" not in said or named[0] in systems):
            text = "The record names another person than the Patient of its message."
            mend = "Send each person's records in messages of their own, or the identifier that the Patient has."
            yield issue("error", "business-rule", "subject-differs", text, expression=f"{at}.{name}.identifier", mend=mend)


def _second_patient(at: str) -> Issue:
    text = "The message has two Patients: whose records it holds is not known."
    return issue("error", "business-rule", "two-patients", text, expression=at, mend="Send a message for each person.")


def _list(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def nhs_number(patient: dict[str, Any], at: str, lenient: bool) -> list[Issue]:
    """The NHS number's check digit: an error, or a warning where a site reads leniently.

    https://www.datadictionary.nhs.uk/attributes/nhs_number.html
    """
    found = []
    for j, identifier in enumerate(patient.get("identifier") or ()):
        if (
            isinstance(identifier, dict)
            and identifier.get("system") == NHS_NUMBER
            and not nhs_number_is_valid(identifier.get("value"))
        ):
            text = "The NHS number fails its check digit, so it may be another person's."
            mend = "Trace the number again; a lenient setting carries it with its verification status."
            found.append(
                issue(
                    "warning" if lenient else "error",
                    "value",
                    "nhs-number",
                    text,
                    expression=f"{at}.identifier[{j}].value",
                    mend=mend,
                )
            )
    return found


def nhs_number_is_valid(value: Any) -> bool:
    """Ten digits, no spaces, whose last is the modulus 11 check digit of the others."""
    return isinstance(value, str) and len(value) == 10 and value.isascii() and value.isdigit() and bool(is_valid(value))


# the dose ---------------------------------------------------------------------------------------------------------
def dose_meaning(resource: dict[str, Any], at: str) -> list[Issue]:
    """What makes the amounts of a medication resource doubtful."""
    if resource.get("status") == "entered-in-error":
        return []
    amounts = [
        (place, q)
        for place, q in _amounts(resource, at)
        if isinstance(q, dict) and q.get("system") == SNOMED and isinstance(q.get("code"), str)
    ]
    if not amounts:
        return []
    codes, names = _product(resource)
    product = next((products()[c] for c in codes if c in products()), None)
    found: list[Issue] = []
    if product is not None:
        found += [_wrong_unit(place) for place, q in amounts if q["code"] not in product["units"]]
    elif not codes and names and not any(_STRENGTH.search(n) for n in names):
        found += [_no_strength(place) for place, q in amounts if q["code"] != MILLIGRAM]
    strength = product.get("mgPerMl") if product else None
    found += _mixed(amounts, Decimal(strength) if strength else None)
    return found


def _mixed(amounts: list[tuple[str, dict[str, Any]]], strength: Decimal | None) -> Iterator[Issue]:
    units = {q["code"] for _, q in amounts}
    if not {MILLILITRE, MILLIGRAM} <= units or strength is not None:
        return
    for place, quantity in amounts:
        if quantity["code"] == MILLILITRE:
            text = (
                "One amount is in mg and another in ml, and no known strength of the product proves what the one is in the other."
            )
            yield issue(
                "error",
                "business-rule",
                "mg-against-ml",
                text,
                expression=place,
                mend="Say both amounts in one unit, or code the product in dm+d.",
            )


def _wrong_unit(place: str) -> Issue:
    text = "The product does not come in this unit, so the amount cannot be what it says."
    return issue(
        "error", "business-rule", "unit-against-product", text, expression=place, mend="Mend the unit or the product's code."
    )


def _no_strength(place: str) -> Issue:
    text = "The amount is not by weight, and neither a code nor the name of the product says its strength."
    return issue(
        "error",
        "business-rule",
        "strength-missing",
        text,
        expression=place,
        mend="Code the product in dm+d, or name its strength.",
    )


def _amounts(resource: dict[str, Any], at: str) -> Iterator[tuple[str, Any]]:
    """Every amount of the medicine that a resource states, with its FHIRPath."""
    if resource.get("resourceType") in ("MedicationRequest", "MedicationStatement"):
        lines = resource.get("dosageInstruction" if resource["resourceType"] == "MedicationRequest" else "dosage") or ()
        name = "dosageInstruction" if resource["resourceType"] == "MedicationRequest" else "dosage"
        for j, line in enumerate(lines):
            for k, rate in enumerate((line.get("doseAndRate") or ()) if isinstance(line, dict) else ()):
                yield f"{at}.{name}[{j}].doseAndRate[{k}].dose", rate.get("doseQuantity") if isinstance(rate, dict) else None
        yield f"{at}.dispenseRequest.quantity", _get(resource, "dispenseRequest", "quantity")
    elif resource.get("resourceType") == "MedicationDispense":
        yield f"{at}.quantity", resource.get("quantity")
    elif resource.get("resourceType") == "MedicationAdministration":
        yield f"{at}.dosage.dose", _get(resource, "dosage", "dose")
    for j, extension in enumerate(resource.get("extension") or ()):
        if isinstance(extension, dict) and extension.get("url") == _PRESCRIBED:
            yield f"{at}.extension[{j}].value", extension.get("valueQuantity")


def _product(resource: dict[str, Any]) -> tuple[list[str], list[str]]:
    """(dm+d codes, names) of the medication; both empty where it is a reference."""
    concept = resource.get("medicationCodeableConcept")
    if not isinstance(concept, dict):
        return [], []
    codings = [c for c in concept.get("coding") or () if isinstance(c, dict)]
    codes = [c["code"] for c in codings if c.get("system") in (SNOMED, "https://dmd.nhs.uk") and isinstance(c.get("code"), str)]
    names = [n for n in (concept.get("text"), *(c.get("display") for c in codings)) if isinstance(n, str)]
    return codes, names


@cache
def products() -> dict[str, dict[str, Any]]:
    """dm+d id -> {"name", "units": SNOMED unit codes, "mgPerMl"?}."""
    data = json.loads((Path(__file__).parent / "products.json").read_text("utf-8"))
    return {p["code"]: {**p, "units": frozenset(data["forms"][p["form"]]["units"])} for p in data["products"]}


def _get(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value
