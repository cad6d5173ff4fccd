"""Good material of others passes the gate: the official R4 examples, and the messages of the Electronic Prescription Service."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapter import shipped
from adapter.fhir.gate import Gate
from adapter.fhir.json import decode
from adapter.fhir.outcome import is_error, rule_of
from adapter.fhir.second_opinion import second_opinion
from tests.fhir.judging import ask

REFERENCE = shipped.ROOT.parent / "shared" / "reference"
OFFICIAL = sorted((REFERENCE / "fhir-r4").glob("*.json"))
EPS = sorted((REFERENCE / "eps").rglob("*.json"))

#: EPS files that are at fault: (rule, FHIRPath).
EPS_FAULTS = {
    "spec/errors/prescription-order-update/bundle-success.json": [
        # `"display": ""`; google-fhir-r4 and fhir.resources refuse it too.
        ("value", "Bundle.entry[4].resource.code[0].coding[0].display"),
    ],
}

#: EPS files with references into the Bundle that lead nowhere: carried, with a warning.
EPS_UNRESOLVED = {
    "primary-care/acute/nominated-pharmacy/responsible-party-org/separate-telecom/1-Process-Request-Send-200_OK.json": [
        "Bundle.entry[11].resource.target[0]",
    ],
    "primary-care/repeat-dispensing/nominated-pharmacy/medical-prescriber/author/gmc/responsible-party/medication-list/din/"
    "1-VerifySignature-Request-200_OK.json": [
        "Bundle.entry[0].resource.entry[7].resource.basedOn[0]",
        "Bundle.entry[0].resource.entry[8].resource.basedOn[0]",
    ],
    "spec/dispensing/dispense-notification/acute-primary-example-05-req.json": [
        # Subject and requester inside a contained MedicationRequest; the dispense itself has its patient.
        "Bundle.entry[1].resource.contained[1].subject",
        "Bundle.entry[1].resource.contained[1].requester",
        "Bundle.entry[2].resource.contained[1].subject",
        "Bundle.entry[2].resource.contained[1].requester",
    ],
    "spec/errors/example-b-spine-error-patient-deceased/SendRequest-FhirMessageSigned.json": [
        f"Bundle.entry[1].resource.target[{index}]" for index in range(4)
    ],
    "spec/prescribing/prescription-order/repeat-primary-example-req.json": ["Bundle.entry[9].resource.target[0]"],
}  # fmt: skip

needs_reference = pytest.mark.skipif(not OFFICIAL, reason="the reference material (../shared/reference) is not here")


def _read(file: Path) -> Any:
    return decode(file.read_bytes())


@pytest.fixture(scope="module")
def gate() -> Gate:
    return Gate.shipped()


@needs_reference
def test_every_official_example_passes(gate: Gate) -> None:
    found = {file.name: issues for file in OFFICIAL if (issues := gate.check(_read(file)))}
    assert len(OFFICIAL) == 113
    assert found == {}


@needs_reference
def test_every_eps_message_passes_but_for_those_named(gate: Gate) -> None:
    errors: dict[str, list[tuple[str, str]]] = {}
    unresolved: dict[str, list[str]] = {}
    for file in EPS:
        name = str(file.relative_to(REFERENCE / "eps"))
        for one in gate.check(_read(file)):
            if is_error(one):
                errors.setdefault(name, []).append((rule_of(one), one["expression"][0]))
            elif rule_of(one) == "reference-unresolved":
                unresolved.setdefault(name, []).append(one["expression"][0])
    assert errors == EPS_FAULTS
    assert unresolved == EPS_UNRESOLVED


@needs_reference
def test_what_we_read_with_a_warning_we_would_not_write(gate: Gate) -> None:
    for name, places in EPS_UNRESOLVED.items():
        found = gate.check(_read(REFERENCE / "eps" / name), writing=True)
        assert [(one["severity"], one["expression"][0]) for one in found] == [("error", place) for place in places]


@needs_reference
def test_the_second_opinion_agrees_on_all_of_it() -> None:
    refused = [file for file in OFFICIAL + EPS if second_opinion(_read(file))]
    assert [str(file.relative_to(REFERENCE / "eps")) for file in refused] == list(EPS_FAULTS)


@needs_reference
def test_google_agrees_on_all_of_it(pytestconfig: pytest.Config) -> None:
    files = OFFICIAL + EPS
    answers = ask(pytestconfig, "google", [_read(file) for file in files])
    refused = [str(file.relative_to(REFERENCE / "eps")) for file, answer in zip(files, answers, strict=True) if answer]
    assert refused == list(EPS_FAULTS)
