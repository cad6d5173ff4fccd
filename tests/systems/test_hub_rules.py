"""Identity and doubtful doses: what refuses a message, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.fhir.outcome import rule_of
from adapter.systems.hub_rules import check_bundle, nhs_number_is_valid

ML, MG, TABLET = "258773002", "258684004", "428673006"
SOLUTION, TABLETS = "36120711000001104", "322497001"


def quantity(value: int, code: str) -> dict[str, Any]:
    return {"value": value, "system": "http://snomed.info/sct", "code": code}


def dispense(
    supplied: str,
    prescribed: str | None = None,
    code: str | None = SOLUTION,
    name: str = "Methadone oral solution",
    status: str = "completed",
) -> dict[str, Any]:
    concept: dict[str, Any] = {"text": name}
    if code:
        concept["coding"] = [{"system": "http://snomed.info/sct", "code": code}]
    made: dict[str, Any] = {
        "resourceType": "MedicationDispense",
        "status": status,
        "medicationCodeableConcept": concept,
        "quantity": quantity(40, supplied),
    }
    if prescribed:
        made["extension"] = [
            {
                "url": "https://ost-adapter.example/fhir/StructureDefinition/prescribed-amount",
                "valueQuantity": quantity(40, prescribed),
            }
        ]
    return made


def found(resource: dict[str, Any], lenient: bool = False) -> list[tuple[str, str, list[str]]]:
    issues = check_bundle({"entry": [{"resource": resource}]}, lenient)
    return [(i["severity"], rule_of(i), i["expression"]) for i in issues]


AT = "Bundle.entry[0].resource"


@pytest.mark.parametrize(
    ("resource", "wanted"),
    [
        (dispense(ML), []),
        (dispense(MG), []),
        (dispense(ML, MG), []),  # 1 mg/ml is known, so both are one amount
        (dispense(TABLET), [("error", "unit-against-product", [f"{AT}.quantity"])]),
        (dispense(ML, code=TABLETS), [("error", "unit-against-product", [f"{AT}.quantity"])]),
        (dispense(TABLET, MG, code=TABLETS), []),
        (dispense(ML, MG, code="99999999999999"), [("error", "mg-against-ml", [f"{AT}.quantity"])]),
        (dispense(ML, code=None), [("error", "strength-missing", [f"{AT}.quantity"])]),
        (dispense(ML, code=None, name="Methadone 1mg/ml oral solution"), []),
        (dispense(MG, code=None), []),
        (dispense(TABLET, status="entered-in-error"), []),
    ],
)
def test_doubtful_doses(resource: dict[str, Any], wanted: list[Any]) -> None:
    assert found(resource) == wanted


def test_every_amount_of_an_order_is_looked_at() -> None:
    order = {
        "resourceType": "MedicationRequest",
        "medicationCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": SOLUTION}]},
        "dosageInstruction": [{"doseAndRate": [{"doseQuantity": quantity(1, TABLET)}]}],
        "dispenseRequest": {"quantity": quantity(14, TABLET)},
    }
    assert [place for _, _, place in found(order)] == [
        [f"{AT}.dosageInstruction[0].doseAndRate[0].dose"],
        [f"{AT}.dispenseRequest.quantity"],
    ]
    statement = {**order, "resourceType": "MedicationStatement", "dosage": order["dosageInstruction"]}
    assert found(statement)[0][2] == [f"{AT}.dosage[0].doseAndRate[0].dose"]
    administration = {**order, "resourceType": "MedicationAdministration", "dosage": {"dose": quantity(1, TABLET)}}
    assert found(administration) == [("error", "unit-against-product", [f"{AT}.dosage.dose"])]


@pytest.mark.parametrize(
    ("number", "valid"),
    [("9990000018", True), ("9990000019", False), ("999 000 0018", False), ("999000001", False), (9990000018, False)],
)
def test_nhs_number(number: Any, valid: bool) -> None:
    assert nhs_number_is_valid(number) is valid
    patient = {"resourceType": "Patient", "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": number}]}
    place = [f"{AT}.identifier[0].value"]
    assert found(patient) == ([] if valid else [("error", "nhs-number", place)])
    assert found(patient, lenient=True) == ([] if valid else [("warning", "nhs-number", place)])


NHS, LOCAL = "https://fhir.nhs.uk/Id/nhs-number", "https://reset.example/client"


@pytest.mark.parametrize(
    ("subject", "wanted"),
    [
        ({"reference": "urn:uuid:p"}, []),
        ({"reference": "Patient/p"}, []),
        ({"reference": "Patient/2"}, ["reference"]),
        ({"reference": "https://elsewhere.example/Patient/p"}, ["reference"]),
        ({"reference": "#contained"}, ["reference"]),
        ({"reference": "Patient/2", "identifier": {"system": NHS, "value": "9990000018"}}, []),
        ({"reference": "Patient/2", "identifier": {"system": NHS, "value": "9990000026"}}, ["reference", "identifier"]),
        ({"identifier": {"system": NHS, "value": "9990000018"}}, []),
        ({"identifier": {"system": NHS, "value": "9990000026"}}, ["identifier"]),
        ({"reference": "urn:uuid:p", "identifier": {"system": NHS, "value": "9990000026"}}, ["identifier"]),
        ({"reference": "urn:uuid:p", "identifier": {"system": LOCAL, "value": "7"}}, []),  # the Patient has none of that system
        ({"identifier": {"system": LOCAL, "value": "7"}}, ["identifier"]),
        ({"display": "somebody"}, []),
    ],
)
@pytest.mark.parametrize("element", ["subject", "patient", "for"])
def test_a_record_is_about_the_patient_of_its_message(element: str, subject: dict[str, Any], wanted: list[str]) -> None:
    patient = {"resourceType": "Patient", "id": "p", "identifier": [{"system": NHS, "value": "9990000018"}]}
    entries = [{"fullUrl": "urn:uuid:p", "resource": patient}, {"resource": {"resourceType": "Basic", element: subject}}]
    assert [(rule_of(i), i["expression"]) for i in check_bundle({"entry": entries})] == [
        ("subject-differs", [f"Bundle.entry[1].resource.{element}.{part}"]) for part in wanted
    ]


def test_a_message_is_about_one_person() -> None:
    patients = [{"resource": {"resourceType": "Patient", "identifier": [{"system": LOCAL, "value": n}]}} for n in "123"]
    assert [(rule_of(i), i["expression"]) for i in check_bundle({"entry": patients})] == [
        ("two-patients", ["Bundle.entry[1].resource"]),
        ("two-patients", ["Bundle.entry[2].resource"]),
    ]


@pytest.mark.parametrize(
    ("resource", "wanted"),
    [
        ({"note": [{"text": "Missed on Monday."}, {"text": "Told the prescriber that ..."}]}, ["note[1].text"]),
        ({"payload": [{"contentString": "Seen today\N{HORIZONTAL ELLIPSIS} \n"}]}, ["payload[0].contentString"]),
        (
            {"dosageInstruction": [{"text": "Take 60ml daily, supervis...", "patientInstruction": "Collect on..."}]},
            ["dosageInstruction[0].text", "dosageInstruction[0].patientInstruction"],
        ),
        ({"note": [{"text": "Asked ... and was told: no."}], "identifier": [{"value": "9N..."}]}, []),
    ],
)
def test_a_text_that_its_source_has_cut_is_told(resource: dict[str, Any], wanted: list[str]) -> None:
    assert found(resource) == [("warning", "text-cut", [f"{AT}.{place}"]) for place in wanted]


@pytest.mark.parametrize("wrong", [5, True, "x", ["x"], [5], {}, [[]], None])
def test_what_is_no_fhir_is_the_gates_to_tell_and_stops_nothing_here(wrong: Any) -> None:
    dose = dispense(ML)
    for name in (*dose, "subject", "extension", "meta", "note", "payload", "dosageInstruction"):
        check_bundle({"entry": [{"resource": {"resourceType": "Patient"}}, {"resource": {**dose, name: wrong}}]})
    check_bundle({"entry": wrong})
    for name in ("identifier", "id", "link"):
        check_bundle({"entry": [{"resource": {"resourceType": "Patient", name: wrong}}]})
    for value in (wrong, {"system": wrong, "value": wrong}):
        check_bundle({"entry": [{"resource": {"resourceType": "Patient", "identifier": [value]}}]})
        check_bundle({"entry": [{"resource": {"resourceType": "Patient"}}, {"resource": {"subject": {"identifier": value}}}]})
    coded = {"coding": wrong, "text": wrong}
    check_bundle({"entry": [{"resource": {**dose, "medicationCodeableConcept": coded}}]})
    order = {
        "resourceType": "MedicationRequest",
        "dosageInstruction": [{"doseAndRate": wrong, "text": wrong}],
        "dispenseRequest": wrong,
    }
    check_bundle({"entry": [{"resource": order}]})
