"""fhir.resources as second judge: what it refuses is told with place and no value, and what it refuses wrongly is left out."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from adapter.fhir.gate import Gate
from adapter.fhir.outcome import outcome, rule_of
from adapter.fhir.second_opinion import FALSE_REFUSALS, second_opinion

Json = dict[str, Any]

PATIENT = {"resourceType": "Patient", "name": [{"family": "EXAMPLE"}]}


def _places(value: Any) -> list[str]:
    found = second_opinion(value)
    assert {rule_of(one) for one in found} <= {"second-opinion"}
    assert {one["severity"] for one in found} <= {"error"}
    return [one["expression"][0] for one in found]


def test_what_is_good_has_no_issue() -> None:
    assert second_opinion(PATIENT) == []


def test_each_fault_has_its_place() -> None:
    broken = {"resourceType": "Patient", "birthDate": "1980-02-30", "name": [{"famly": "EXAMPLE"}], "deceasedBoolean": "maybe"}
    assert sorted(_places(broken)) == ["Patient.birthDate", "Patient.deceased", "Patient.name[0].famly"]


def test_places_go_through_the_resources_of_a_bundle() -> None:
    observation: Json = {"resourceType": "Observation", "status": "final", "valueQuantity": {"value": "x"}}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": observation}]}
    assert sorted(_places(bundle)) == ["Bundle.entry[0].resource.code", "Bundle.entry[0].resource.value.value"]


def test_no_issue_quotes_a_value() -> None:
    secret = "SECRET 9990000000"
    broken = {"resourceType": "Patient", "birthDate": secret, "gender": [secret], "name": secret, "active": secret}
    assert second_opinion(broken)
    assert "SECRET" not in str(outcome(second_opinion(broken)))


@pytest.mark.parametrize(
    "value", [None, 1, "x", [], {}, {"resourceType": 1}, {"resourceType": "Nothing"}, {"resourceType": ["Patient"]}]
)
def test_what_is_no_resource_that_it_knows_is_left_to_the_gate(value: Any) -> None:
    assert second_opinion(value) == []


def test_what_it_cannot_read_at_all_is_said() -> None:
    assert _places({"resourceType": "Patient", "contained": [{"resourceType": "Nothing"}]}) == ["Patient"]


_ABSENT = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}

FALSELY_REFUSED: dict[str, Json] = {
    "open choice without Meta": {
        "resourceType": "Patient",
        "extension": [{"url": "http://a.example", "valueMeta": {"versionId": "1"}}],
    },
    "no sibling of Extension.value[x]": {
        "resourceType": "Patient",
        "extension": [{"url": "http://a.example", "_valueCode": {"extension": [_ABSENT]}}],
    },
    "uuid of another version than 4": {
        "resourceType": "Parameters",
        "parameter": [{"name": "x", "valueUuid": "urn:uuid:c757873d-ec9a-5326-a141-556f43239520"}],
    },
}


@pytest.mark.parametrize("name", FALSE_REFUSALS)
def test_what_r4_allows_is_not_told(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    resource = FALSELY_REFUSED[name]
    assert Gate().check(resource) == []
    assert second_opinion(resource) == []
    monkeypatch.delitem(FALSE_REFUSALS, name)
    assert second_opinion(resource), "fhir.resources no longer refuses this: the entry can go"


def test_the_gate_starts_without_the_models() -> None:
    code = (
        "import sys, adapter.fhir.gate as gate; gate.Gate.shipped();"
        "print([name for name in sys.modules if name.startswith(('fhir', 'pydantic'))])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
