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
#: Elements of free text that a person writes, and how one ends that was cut.
_FREE_TEXT = {"note": ("text",), "payload": ("contentString",), "dosageInstruction": ("text", "patientInstruction")}
_CUT = ("...", "\N{HORIZONTAL ELLIPSIS}")
_PRESCRIBED = f"{BASE}/StructureDefinition/prescribed-amount"
#: A strength as product names write it: 1mg/ml, 10 mg in 5 ml, 8mg, 200micrograms.
_STRENGTH = re.compile(r"\d[\d.,]*\s*(?:mg|mcg|micrograms?|g|%)\b|\d%", re.IGNORECASE)


def check_bundle(bundle: dict[str, Any], lenient: bool = False) -> list[Issue]:
    """Every breach of a rule of the hub, each with its FHIRPath. lenient: a failing NHS number is carried with a warning."""
    found: list[Issue] = []
    entries = _list(bundle.get("entry"))
    patients = [entry for entry in entries if _get(entry, "resource", "resourceType") == "Patient"]
    for i, entry in enumerate(bundle["entry"] if entries else ()):
        resource = _get(entry, "resource")
        if not isinstance(resource, dict):
            continue
        at = f"Bundle.entry[{i}].resource"
        if resource.get("resourceType") == "Patient":
            found += nhs_number(resource, at, lenient)
            found += [_second_patient(at)] if entry is not patients[0] else []
        else:
            found += another_person(resource, patients, at)
            found += dose_meaning(resource, at)
            found += cut_text(resource, at)
    return found


# identity ---------------------------------------------------------------------------------------------------------
def another_person(resource: dict[str, Any], patients: list[dict[str, Any]], at: str) -> Iterator[Issue]:
    """A subject that is not the message's Patient: by an identifier that the Patient has not, or by where its reference leads.

    patients: the entries of the Bundle. Where a reference leads to the Patient, an identifier of a system in which the Patient
    has none contradicts nothing.
    """
    known = {name for one in patients for identifier in _list(_get(one, "resource", "identifier")) if (name := _name(identifier))}
    systems = {system for system, _ in known}
    for element in _SUBJECTS if patients else ():
        said = resource.get(element)
        reference, named = _get(said, "reference"), _name(_get(said, "identifier"))
        wrong = []
        elsewhere = isinstance(reference, str) and reference not in {where for one in patients for where in _where(one)}
        if elsewhere and named not in known:  # the record that it leads to, somewhere else, is the Patient's where it says so
            wrong.append("reference")
        if named is not None and named not in known and (reference is None or named[0] in systems):
            wrong.append("identifier")
        text = "The record is about another person than the Patient of its message, or about one who is not in it."
        mend = "Send each person's records in messages of their own, and refer to the Patient that is in the message."
        for part in wrong:
            yield issue("error", "business-rule", "subject-differs", text, expression=f"{at}.{element}.{part}", mend=mend)


def _where(entry: dict[str, Any]) -> Iterator[str]:
    """The references that lead to an entry."""
    if isinstance(url := entry.get("fullUrl"), str):
        yield url
    if isinstance(name := _get(entry, "resource", "id"), str):
        yield f"Patient/{name}"


def _name(identifier: Any) -> tuple[str, str] | None:
    system, value = _get(identifier, "system"), _get(identifier, "value")
    return (system, value) if isinstance(system, str) and isinstance(value, str) else None


def _second_patient(at: str) -> Issue:
    text = "The message has two Patients: whose records it holds is not known."
    return issue("error", "business-rule", "two-patients", text, expression=at, mend="Send a message for each person.")


def _all(value: Any) -> list[Any]:
    """The items of a list; of what should be one and is none, nothing: the gate says so."""
    return value if isinstance(value, list) else []


def _list(value: Any) -> list[dict[str, Any]]:
    return [one for one in _all(value) if isinstance(one, dict)]


def nhs_number(patient: dict[str, Any], at: str, lenient: bool) -> list[Issue]:
    """The NHS number's check digit: an error, or a warning where a site reads leniently.

    https://www.datadictionary.nhs.uk/attributes/nhs_number.html
    """
    found = []
    for j, identifier in enumerate(_all(patient.get("identifier"))):
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


# free text --------------------------------------------------------------------------------------------------------
def cut_text(resource: dict[str, Any], at: str) -> Iterator[Issue]:
    """A note, a message's words or an instruction that ends in dots, as a source ends what it has cut to a length."""
    for element, names in _FREE_TEXT.items():
        for i, one in enumerate(_all(resource.get(element))):
            for name in names:
                said = _get(one, name)
                if isinstance(said, str) and said.rstrip().endswith(_CUT):
                    text = "The text ends in dots, as a source ends what it has cut: what came after them is not in the message."
                    mend = "Read the whole text in the system that sent it, and have it sent whole."
                    yield issue("warning", "incomplete", "text-cut", text, expression=f"{at}.{element}[{i}].{name}", mend=mend)


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
        for j, line in enumerate(_all(lines)):
            for k, rate in enumerate(_all(_get(line, "doseAndRate"))):
                yield f"{at}.{name}[{j}].doseAndRate[{k}].dose", rate.get("doseQuantity") if isinstance(rate, dict) else None
        yield f"{at}.dispenseRequest.quantity", _get(resource, "dispenseRequest", "quantity")
    elif resource.get("resourceType") == "MedicationDispense":
        yield f"{at}.quantity", resource.get("quantity")
    elif resource.get("resourceType") == "MedicationAdministration":
        yield f"{at}.dosage.dose", _get(resource, "dosage", "dose")
    for j, extension in enumerate(_all(resource.get("extension"))):
        if isinstance(extension, dict) and extension.get("url") == _PRESCRIBED:
            yield f"{at}.extension[{j}].value", extension.get("valueQuantity")


def _product(resource: dict[str, Any]) -> tuple[list[str], list[str]]:
    """(dm+d codes, names) of the medication; both empty where it is a reference."""
    concept = resource.get("medicationCodeableConcept")
    if not isinstance(concept, dict):
        return [], []
    codings = _list(concept.get("coding"))
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
