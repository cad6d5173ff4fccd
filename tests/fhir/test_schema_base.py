"""The generated base schema: what is shipped is what the generator makes, and the corrections of R4B are in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import jsonschema_rs
import pytest

from adapter.fhir.schema import base, r4, tables
from adapter.fhir.schema.primitives import PRIMITIVES, nullable

Json = dict[str, Any]


@pytest.fixture(scope="module")
def made() -> tuple[dict[str, Json], dict[str, Json]]:
    return base.generate()


def test_what_is_shipped_is_what_the_generator_makes(made: tuple[dict[str, Json], dict[str, Json]]) -> None:
    for name, content in zip(("defs", "types"), made, strict=True):
        shipped = (tables.GENERATED / f"{name}.json").read_text(encoding="utf-8")
        assert shipped == base.dump(content), f"{name}.json is old: run python -m adapter.fhir.schema.base"


def _inside(value: Any, key: str) -> Iterator[Any]:
    if isinstance(value, dict):
        if key in value:
            yield value[key]
        for one in value.values():
            yield from _inside(one, key)
    elif isinstance(value, list):
        for one in value:
            yield from _inside(one, key)


def test_every_reference_leads_to_a_definition() -> None:
    names = {one.removeprefix("#/$defs/") for one in _inside(tables.definitions(), "$ref")}
    assert names <= tables.definitions().keys()


def test_every_definition_name_can_stand_in_a_reference() -> None:
    assert all(re.fullmatch(r"[A-Za-z0-9.-]+", name) for name in tables.definitions())


def test_no_enumeration_is_cut_off() -> None:
    codes = [code for one in _inside(tables.definitions(), "enum") for code in one if isinstance(code, str)]
    assert len(codes) > 1000
    assert not [code for code in codes if code in ("+", "etc.") or code.endswith("-") or not code.strip()]


def test_a_cut_off_enumeration_without_replacement_stops_the_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(r4.ENUMS, "Task.status")
    with pytest.raises(SystemExit, match=r"Task\.status"):
        base.generate()


def test_a_correction_that_nothing_needs_stops_the_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(r4.ENUMS, "Task.nothing", ["a"])
    with pytest.raises(SystemExit, match=r"Task\.nothing"):
        base.generate()


def test_r4_elements_that_the_models_lack_are_there_and_r4b_ones_are_not() -> None:
    extension = tables.types()["Extension"]["elements"]
    assert extension["valueMeta"] == {"t": "Meta", "b": "value"}
    assert "valueCodeableReference" not in extension and "valueRatioRange" not in extension
    assert "_valueCode" in tables.definitions()["Extension"]["properties"]
    assert {"CodeableReference", "RatioRange"}.isdisjoint(tables.types())
    assert tables.types()["Observation"]["elements"]["subject"]["r"] == ["Device", "Group", "Location", "Patient"]


def test_the_types_that_shared_care_sends_are_there() -> None:
    wanted = (
        "Bundle MessageHeader Patient Practitioner PractitionerRole Organization MedicationRequest MedicationDispense Task Flag "
        "MedicationAdministration MedicationStatement Observation Encounter CarePlan Goal CareTeam ServiceRequest Condition "
        "Consent DiagnosticReport EpisodeOfCare QuestionnaireResponse Composition SupplyDelivery Communication Provenance "
        "OperationOutcome Parameters Medication RelatedPerson Device CommunicationRequest Coverage Group List Questionnaire "
        "AuditEvent ConceptMap CapabilityStatement StructureDefinition StructureMap ValueSet CodeSystem MessageDefinition NamingSystem "
        "Location Claim"
    ).split()
    resources = {name for name, entry in tables.types().items() if entry.get("resource")}
    assert set(wanted) <= resources
    assert len(resources) == len(r4.RESOURCES)


def test_a_content_reference_keeps_the_path_of_its_definition() -> None:
    assert tables.types()["ObservationReferenceRange"]["path"] == "Observation.referenceRange"
    assert tables.types()["Observation"]["elements"]["referenceRange"]["t"] == "ObservationReferenceRange"
    assert tables.types()["MedicationRequestDispenseRequest"]["path"] == "MedicationRequest.dispenseRequest"


GOOD: dict[str, list[Any]] = {
    "base64Binary": ["aGVsbG8=", "aGVs bG8=", "aGVs\nbG8="],
    "boolean": [True, False],
    "canonical": ["http://a.example/x|1", "#x"],
    "code": ["a", "a b", "in-progress"],
    "date": ["2024", "2024-02", "2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31"],
    "dateTime": [
        "2024",
        "2024-02-29",
        "2024-02-29T23:59:60Z",
        "2024-02-29T00:00:00.123456789+14:00",
        "2024-01-01T00:00:00-00:00",
    ],
    "decimal": [0, 1, -1.5, 1e-7],
    "id": ["a", "A-1.b", "x" * 64],
    "instant": ["2024-02-29T23:59:59Z"],
    "integer": [0, -2147483648, 2147483647],
    "markdown": ["a\n\nb"],
    "oid": ["urn:oid:2.16.840.1.113883"],
    "positiveInt": [1],
    "string": ["a", "a\u00a0b", "a\tb\r\n", " a"],
    "time": ["00:00:00", "23:59:60", "12:00:00.5"],
    "unsignedInt": [0],
    "uri": ["urn:oid:1", "a/b"],
    "url": ["mllp:10.1.1.1"],
    "uuid": ["urn:uuid:c757873d-ec9a-5326-a141-556f43239520"],
    "xhtml": ["<div/>"],
}
BAD: dict[str, list[Any]] = {
    "base64Binary": ["aGVsbG8", "a-_=", ""],
    "boolean": ["true", 1],
    "canonical": ["a b", ""],
    "code": [" a", "a ", "a  b", "", "a\u00a0"],
    "date": [
        "2023-02-29",
        "1900-02-29",
        "2024-02-30",
        "2024-13",
        "24",
        "2024-1-1",
        "0000",
        "2024-01-01T00:00:00Z",
        "2024-01-01\n",
    ],
    "dateTime": [
        "2024-02-29T10:00:00",
        "2024-02-29T10:00Z",
        "2024-02-29T24:00:00Z",
        "2024-02T00:00:00Z",
        "2024-02-29T10:00:00+15:00",
    ],
    "decimal": ["1", True],
    "id": ["", "a_b", "x" * 65, "a b"],
    "instant": ["2024-02-29", "2024-02-29T23:59:59"],
    "integer": [2147483648, "1", 1.5, True],
    "markdown": [""],
    "oid": ["2.16.840", "urn:oid:3.1"],
    "positiveInt": [0, -1],
    "string": ["", "\u00a0", 1],
    "time": ["24:00:00", "12:00", "12:00:00Z"],
    "unsignedInt": [-1],
    "uri": ["a b", ""],
    "url": ["a b"],
    "uuid": ["c757873d-ec9a-5326-a141-556f43239520", "urn:uuid:C757873D-EC9A-5326-A141-556F43239520"],
    "xhtml": [""],
}


@pytest.mark.parametrize("name", PRIMITIVES)
def test_a_primitive_takes_what_r4_takes(name: str) -> None:
    validator = jsonschema_rs.Draft202012Validator(PRIMITIVES[name])
    assert [value for value in GOOD[name] if not validator.is_valid(value)] == []
    assert [value for value in [*BAD[name], None, [], {}] if validator.is_valid(value)] == []


def test_null_may_stand_for_an_item_of_a_repeating_primitive() -> None:
    validator = jsonschema_rs.Draft202012Validator(nullable(PRIMITIVES["date"]))
    assert [validator.is_valid(value) for value in (None, "2024", "x", 1)] == [True, True, False, False]


def test_the_expression_for_dates_knows_the_calendar() -> None:
    validator = jsonschema_rs.Draft202012Validator(PRIMITIVES["date"])
    for year in (1899, 1900, 1999, 2000, 2023, 2024, 2100):
        for month in range(1, 13):
            for day in range(1, 32):
                text = f"{year}-{month:02}-{day:02}"
                try:
                    exists = date.fromisoformat(text) is not None
                except ValueError:
                    exists = False
                assert validator.is_valid(text) is exists, text
