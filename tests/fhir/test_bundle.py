"""Message Bundles: what is in them, and where their references lead."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.fhir.bundle import entries, event, header, index, message_bundle, references, resolve, resources
from adapter.fhir.json import decode
from adapter.fhir.path import render
from adapter.shipped import ROOT

EPS = ROOT.parent / "shared" / "reference" / "eps"

HEADER = {"resourceType": "MessageHeader", "id": "h", "eventCoding": {"system": "urn:ost:event", "code": "dose-outcome"}}
PATIENT = {"resourceType": "Patient", "id": "p", "meta": {"versionId": "2"}}
ORGANIZATION = {"resourceType": "Organization", "name": "Sample Pharmacy"}
REQUEST: dict[str, Any] = {
    "resourceType": "MedicationRequest",
    "id": "r",
    "contained": [
        {"resourceType": "PractitionerRole", "id": "role", "organization": {"reference": "#"}},
        {"resourceType": "Medication", "id": "twice"},
        {"resourceType": "Medication", "id": "twice"},
    ],
    "subject": {"reference": "Patient/p"},
    "requester": {"reference": "#role", "display": "A Prescriber"},
    "performer": {"identifier": {"value": "X"}, "display": "logical alone"},
    "basedOn": [{"reference": "urn:uuid:0001"}, {"display": "no reference"}],
    "extension": [{"url": "urn:x", "valueReference": {"reference": "https://other.example/Patient/p"}}],
}
BUNDLE = {
    "resourceType": "Bundle",
    "type": "message",
    "entry": [
        {"fullUrl": "urn:uuid:0000", "resource": HEADER},
        {"fullUrl": "https://gp.example/fhir/Patient/p", "resource": PATIENT},
        {"fullUrl": "urn:uuid:0001", "resource": ORGANIZATION},
        {"resource": REQUEST},
        {"request": {"method": "DELETE", "url": "Patient/q"}},
    ],
}


def test_entries_and_resources() -> None:
    assert entries(BUNDLE) == [
        ("urn:uuid:0000", HEADER),
        ("https://gp.example/fhir/Patient/p", PATIENT),
        ("urn:uuid:0001", ORGANIZATION),
        ("", REQUEST),
    ]
    assert resources(BUNDLE) == [HEADER, PATIENT, ORGANIZATION, REQUEST]


def test_header_and_event() -> None:
    assert header(BUNDLE) is HEADER
    assert event(BUNDLE) == "dose-outcome"


def test_a_header_that_is_not_first_is_none() -> None:
    turned = {"entry": [{"resource": PATIENT}, {"resource": HEADER}]}
    assert header(turned) is None
    assert event(turned) is None


@pytest.mark.parametrize(
    "bundle",
    [
        {},
        {"entry": None},
        {"entry": [None, 1, {}, {"resource": None}]},
        {"entry": {"resource": HEADER}},
        {"entry": [{"resource": {"resourceType": "MessageHeader", "eventCoding": None}}]},
        {"entry": [{"resource": {"resourceType": "MessageHeader", "eventCoding": {"code": 1}}}]},
        {"entry": [{"resource": {"resourceType": "MessageHeader", "eventUri": "urn:ost:event"}}]},
    ],
)
def test_what_no_gate_has_seen_raises_nothing(bundle: dict[str, Any]) -> None:
    assert event(bundle) is None
    index(bundle)


def test_builds_a_message() -> None:
    made = message_bundle(
        [{"fullUrl": "urn:uuid:0000", "resource": HEADER, "search": "not of a message"}],
        identifier={"system": "urn:ost:message", "value": "1"},
        timestamp="2026-03-18T18:00:00Z",
    )
    assert made == {
        "resourceType": "Bundle",
        "identifier": {"system": "urn:ost:message", "value": "1"},
        "type": "message",
        "timestamp": "2026-03-18T18:00:00Z",
        "entry": [{"fullUrl": "urn:uuid:0000", "resource": HEADER}],
    }
    assert list(made) == ["resourceType", "identifier", "type", "timestamp", "entry"]
    assert made["entry"][0]["resource"] is HEADER


def test_builds_nothing_that_was_not_said() -> None:
    assert message_bundle([]) == {"resourceType": "Bundle", "type": "message"}
    assert message_bundle([], id="b", meta={"profile": ["urn:p"]}) == {
        "resourceType": "Bundle",
        "id": "b",
        "meta": {"profile": ["urn:p"]},
        "type": "message",
    }


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("urn:uuid:0001", ORGANIZATION),
        ("https://gp.example/fhir/Patient/p", PATIENT),
        ("Patient/p", PATIENT),
        ("Patient/p/_history/2", PATIENT),
        ("Patient/p/_history/1", None),
        ("MedicationRequest/r", REQUEST),
        ("MedicationRequest/r/_history/1", None),
        ("https://other.example/Patient/p", None),
        ("Organization/p", None),
        ("urn:uuid:9999", None),
        ("", None),
        ("#role", REQUEST["contained"][0]),
        ("#missing", None),
        ("#twice", None),
        ("#", REQUEST),
    ],
)
def test_resolves(reference: str, found: dict[str, Any] | None) -> None:
    assert resolve(reference, index(BUNDLE), REQUEST) is found


def test_contained_needs_to_know_within_what() -> None:
    assert resolve("#role", index(BUNDLE)) is None
    assert resolve("#role", index(BUNDLE), PATIENT) is None


def test_a_name_that_two_resources_share_leads_nowhere() -> None:
    bundle = {
        "entry": [
            {"fullUrl": "urn:uuid:a", "resource": {"resourceType": "Patient", "id": "p", "active": True}},
            {"fullUrl": "urn:uuid:b", "resource": {"resourceType": "Patient", "id": "p", "active": False}},
        ]
    }
    known = index(bundle)
    assert resolve("Patient/p", known) is None
    assert resolve("urn:uuid:a", known) is bundle["entry"][0]["resource"]


def test_a_resource_without_a_name_is_not_led_to() -> None:
    assert index({"entry": [{"resource": ORGANIZATION}]}) == {}


def test_walks_references() -> None:
    assert [(render(parts), reference["reference"]) for parts, reference in references(REQUEST)] == [
        ("contained[0].organization", "#"),
        ("subject", "Patient/p"),
        ("requester", "#role"),
        ("basedOn[0]", "urn:uuid:0001"),
        ("extension[0].valueReference", "https://other.example/Patient/p"),
    ]


def test_an_element_called_reference_is_no_reference() -> None:
    consent = {"resourceType": "Consent", "provision": {"data": [{"meaning": "instance", "reference": {"reference": "Task/1"}}]}}
    assert list(references(consent)) == [(("provision", "data", 0, "reference"), {"reference": "Task/1"})]


@pytest.mark.skipif(not EPS.is_dir(), reason="the public EPS examples are not beside the project")
def test_the_references_of_real_prescriptions_lead_somewhere() -> None:
    # These four name what stands in none of their entries, seen by reading them; all others must lead to something.
    dangling = {
        "separate-telecom/1-Process-Request-Send-200_OK.json": ["Provenance.target[0]"],
        "dispense-notification/acute-primary-example-05-req.json": [
            "MedicationDispense.contained[1].subject",
            "MedicationDispense.contained[1].requester",
            "MedicationDispense.contained[1].subject",
            "MedicationDispense.contained[1].requester",
        ],
        "example-b-spine-error-patient-deceased/SendRequest-FhirMessageSigned.json": [
            f"Provenance.target[{at}]" for at in range(4)
        ],
        "prescription-order/repeat-primary-example-req.json": ["Provenance.target[0]"],
    }
    found: dict[str, list[str]] = {}
    messages = 0
    for file in sorted(EPS.rglob("*.json")):
        bundle = decode(file.read_bytes())
        if bundle.get("type") != "message":
            continue
        messages += 1
        known = index(bundle)
        for resource in resources(bundle):
            for parts, reference in references(resource):
                if resolve(reference["reference"], known, resource) is None:
                    place = render((resource["resourceType"], *parts))
                    found.setdefault(f"{file.parent.name}/{file.name}", []).append(place)
    assert messages > len(dangling)
    assert found == dangling
