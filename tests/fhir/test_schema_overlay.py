"""Overlays: what a differential may say, each with an instance that meets it and one that does not. Also extensions and parents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from adapter.fhir.gate import Gate
from adapter.fhir.outcome import is_error, rule_of
from adapter.fhir.schema import tables
from adapter.fhir.schema.overlay import Overlay
from adapter.fhir.schema.valuesets import ValueSets

Json = dict[str, Any]

CORE = "http://hl7.org/fhir/StructureDefinition/"
P = "http://a.example/p"
CONCEPT: Json = {"text": "x"}


def _profile(type_: str, *elements: Json, url: str = P, base: str = "", **more: Any) -> Json:
    listed = [{"path": one["id"].split(":")[0] if "path" not in one else one["path"], **one} for one in elements]
    return {
        "resourceType": "StructureDefinition",
        "url": url,
        "type": type_,
        "derivation": "constraint",
        "kind": "resource",
        "baseDefinition": base or CORE + type_,
        "differential": {"element": [{"id": type_, "path": type_}, *listed]},
        **more,
    }


def _patient(**more: Any) -> Json:
    return {"resourceType": "Patient", **more}


def _observation(**more: Any) -> Json:
    return {"resourceType": "Observation", "status": "final", "code": CONCEPT, **more}


def _bundle(*types: str) -> Json:
    made = {"Patient": _patient(), "Basic": {"resourceType": "Basic", "code": CONCEPT}}
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": made[one]} for one in types]}


VALUE_SET: Json = {
    "resourceType": "ValueSet",
    "url": "http://a.example/vs",
    "compose": {
        "include": [{"system": "http://a.example/s", "concept": [{"code": "a"}, {"code": "b"}]}, {"system": "http://a.example/t"}]
    },
}
CODE_SYSTEM = {
    "resourceType": "CodeSystem",
    "url": "http://a.example/t",
    "content": "complete",
    "concept": [{"code": "c", "concept": [{"code": "d"}]}],
}
A: Json = {"system": "http://a.example/s", "code": "a"}
D: Json = {"system": "http://a.example/t", "code": "d"}
NOT: Json = {"system": "http://a.example/s", "code": "d"}

BY_SYSTEM = {"id": "Patient.identifier", "slicing": {"discriminator": [{"type": "value", "path": "system"}], "rules": "open"}}
NHS = {"id": "Patient.identifier:nhs", "path": "Patient.identifier", "sliceName": "nhs"}
NHS_SYSTEM = {"id": "Patient.identifier:nhs.system", "path": "Patient.identifier.system", "fixedUri": "http://a.example/nhs"}
OTHER = {"system": "http://a.example/other", "value": "1"}
NUMBER = {"system": "http://a.example/nhs", "value": "1"}

CASES: list[Json] = yaml.safe_load((Path(__file__).parent / "overlays.yaml").read_text(encoding="utf-8"))

GENDER = {
    "resourceType": "ValueSet",
    "url": "http://a.example/gender",
    "compose": {"include": [{"system": "http://hl7.org/fhir/administrative-gender", "concept": [{"code": "female"}]}]},
}
OF_OURS = _profile("Patient", url="http://a.example/patient-of-ours")


@pytest.mark.parametrize("case", CASES, ids=[case["what"] for case in CASES])
def test_a_rule_refuses_what_breaks_it_and_nothing_else(case: Json) -> None:
    gate = Gate([_profile(case["type"], *case["elements"]), VALUE_SET, CODE_SYSTEM, GENDER, OF_OURS])
    assert gate.unsupported == []
    assert [one for one in gate.check(case["good"], profiles={0: [P]}) if is_error(one)] == []
    told = [(rule_of(one), one["expression"][0]) for one in gate.check(case["bad"], profiles={0: [P]})]
    assert told == [(case["rule"], case["place"])]
    assert [one for one in Gate().check(case["bad"]) if is_error(one)] == [], "base R4 refuses it by itself"


@pytest.mark.parametrize("case", CASES, ids=[case["what"] for case in CASES])
def test_pure_python_jsonschema_agrees(case: Json) -> None:
    """The same overlay under another implementation of JSON Schema."""
    structure = _profile(case["type"], *case["elements"])
    overlay = Overlay(structure, 0, {OF_OURS["url"]: OF_OURS}, tables.types(), ValueSets([VALUE_SET, CODE_SYSTEM, GENDER]))
    validator = jsonschema.Draft202012Validator(overlay.schema)
    assert validator.is_valid(case["good"])
    assert validator.is_valid(case["bad"]) is (case["rule"] in ("reference-target", "two"))


# ---- extensions


def _extension(*elements: Json, **more: Any) -> Json:
    url = {"id": "Extension.url", "fixedUri": "http://a.example/e"}
    return _profile("Extension", url, *elements, url="http://a.example/e", **more)


CODED = _extension(
    {"id": "Extension.value[x]", "min": 1, "type": [{"code": "code"}]},
    context=[{"type": "element", "expression": "Patient.contact"}],
)


def _told(gate: Gate, resource: Json) -> list[tuple[str, str]]:
    return [(rule_of(one), one["expression"][0]) for one in gate.check(resource)]


def test_a_known_extension_is_judged_wherever_it_stands() -> None:
    gate = Gate([_extension({"id": "Extension.value[x]", "min": 1, "type": [{"code": "code"}]})])
    wrong = {"url": "http://a.example/e", "valueString": "x"}
    places = {
        "Patient.extension[0].value": _patient(extension=[wrong]),
        "Patient.birthDate.extension[0].value": _patient(_birthDate={"extension": [wrong]}),
        "Patient.name[0].given[1].extension[0].value": _patient(
            name=[{"given": ["a", "b"], "_given": [None, {"extension": [wrong]}]}]
        ),
        "Patient.extension[0].extension[0].value": _patient(extension=[{"url": "u", "extension": [wrong]}]),
        "Patient.identifier[0].assigner.identifier.extension[0].value": _patient(
            identifier=[{"assigner": {"identifier": {"extension": [wrong]}}}]
        ),
        "Bundle.entry[0].resource.contained[0].extension[0].value": {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [
                {
                    "resource": _patient(
                        contained=[_patient(id="p", extension=[wrong])], link=[{"other": {"reference": "#p"}, "type": "seealso"}]
                    )
                }
            ],
        },
    }
    for place, resource in places.items():
        assert set(_told(gate, resource)) == {("choice-type", place), ("required", place)} or _told(gate, resource) == [
            ("choice-type", place)
        ], place
    assert _told(gate, _patient(extension=[{"url": "http://a.example/e", "valueCode": "x"}])) == []


@pytest.mark.parametrize(
    ("context", "good", "bad"),
    [
        ("Patient", _patient(extension=["E"]), _patient(contact=[{"extension": ["E"]}])),
        ("Patient.contact", _patient(contact=[{"extension": ["E"]}]), _patient(extension=["E"])),
        ("Patient.contact.name", _patient(contact=[{"name": {"extension": ["E"]}}]), _patient(name=[{"extension": ["E"]}])),
        ("HumanName", _patient(contact=[{"name": {"extension": ["E"]}}], name=[{"extension": ["E"]}]), _patient(extension=["E"])),
        (
            "HumanName.given",
            _patient(name=[{"_given": [{"extension": ["E"]}]}]),
            _patient(name=[{"_family": {"extension": ["E"]}}]),
        ),
        ("date", _patient(_birthDate={"extension": ["E"]}), _patient(_gender={"extension": ["E"]})),
        ("DomainResource", _patient(extension=["E"]), _patient(name=[{"extension": ["E"]}])),
        (
            "BackboneElement",
            _patient(contact=[{"name": {"text": "x"}, "extension": ["E"]}]),
            _patient(name=[{"extension": ["E"]}]),
        ),
        ("Observation.value[x]", _observation(valueQuantity={"value": 1, "extension": ["E"]}), _observation(extension=["E"])),
    ],
)
def test_an_extension_stands_where_its_context_says(context: str, good: Json, bad: Json) -> None:
    gate = Gate([_extension(context=[{"type": "element", "expression": context}])])
    assert [one for one in _told(gate, _with_extension(good)) if one[0] == "extension-context"] == []
    assert [one[0] for one in _told(gate, _with_extension(bad)) if one[0] == "extension-context"] == ["extension-context"]


def _with_extension(value: Any) -> Any:
    if value == "E":
        return {"url": "http://a.example/e", "valueCode": "x"}
    if isinstance(value, dict):
        return {key: _with_extension(one) for key, one in value.items()}
    return [_with_extension(one) for one in value] if isinstance(value, list) else value


def test_a_context_of_another_kind_is_not_judged() -> None:
    gate = Gate([_extension(context=[{"type": "fhirpath", "expression": "Patient"}])])
    assert _told(gate, _observation(extension=[{"url": "http://a.example/e", "valueCode": "x"}])) == []


# ---- parents, and what is not judged


def test_a_profile_adds_to_its_parents() -> None:
    parent = _profile("Patient", BY_SYSTEM, NHS, NHS_SYSTEM, {"id": "Patient.name", "min": 1}, url="http://a.example/parent")
    child = _profile("Patient", {**NHS, "min": 1}, {"id": "Patient.birthDate", "min": 1}, base="http://a.example/parent|2.0")
    gate = Gate([parent, child])
    told = [(rule_of(one), one["expression"][0]) for one in gate.check(_patient(identifier=[OTHER]), profiles={0: [P]})]
    assert sorted(told) == [("required", "Patient.birthDate"), ("required", "Patient.name"), ("slice", "Patient.identifier")]
    assert gate.check(_patient(identifier=[NUMBER], name=[{"text": "x"}], birthDate="2026"), profiles={0: [P]}) == []
    assert {one.id for one in gate.profile_elements(P)} >= {"Patient.name", "Patient.birthDate", "Patient.identifier:nhs.system"}


@pytest.mark.parametrize(
    ("element", "said"),
    [
        ({"id": "Patient.nothing", "min": 1}, "has no such element"),
        (
            {"id": "Patient.gender", "binding": {"strength": "required", "valueSet": "http://a.example/unknown"}},
            "required binding",
        ),
        (
            {"id": "Patient", "constraint": [{"key": "k", "severity": "error", "human": "x", "expression": "resolve()"}]},
            "constraint k",
        ),
        ({"id": "Patient.birthDate", "minValueDate": "2026"}, "minValueDate"),
        ({"id": "Patient.identifier:a", "path": "Patient.identifier", "sliceName": "a", "min": 1}, "slice"),
        (
            {
                "id": "Patient.managingOrganization",
                "type": [{"code": "Reference", "targetProfile": ["http://a.example/unknown"]}],
            },
            "target profile",
        ),
        ({"id": "Patient.name", "type": [{"code": "HumanName", "profile": ["http://a.example/name"]}]}, "profile of HumanName"),
    ],
)
def test_what_is_not_judged_is_listed(element: Json, said: str) -> None:
    gate = Gate([_profile("Patient", element)])
    assert len(gate.unsupported) == 1
    assert gate.unsupported[0].startswith("p: Patient") and said in gate.unsupported[0]


def test_value_sets_are_expanded_as_far_as_the_package_holds_them() -> None:
    includes = {
        "system": [{"system": "http://a.example/t"}],
        "concepts": [{"system": "x", "concept": [{"code": "1"}]}],
        "set": [{"valueSet": ["http://a.example/vs"]}],
        "both": [{"system": "http://a.example/t", "valueSet": ["http://a.example/vs"]}],
        "filter": [{"system": "http://a.example/t", "filter": [{}]}],
        "foreign": [{"system": "http://snomed.info/sct"}],
        "itself": [{"valueSet": ["itself"]}],
    }
    made = [{"resourceType": "ValueSet", "url": url, "compose": {"include": include}} for url, include in includes.items()]
    made.append(
        {
            "resourceType": "ValueSet",
            "url": "less",
            "compose": {**VALUE_SET["compose"], "exclude": [{"system": "http://a.example/t"}]},
        }
    )
    made.append(
        {
            "resourceType": "ValueSet",
            "url": "expanded",
            "expansion": {"contains": [{"abstract": True, "code": "z", "contains": [A]}]},
        }
    )
    sets = ValueSets([VALUE_SET, CODE_SYSTEM, *made])
    t = {("http://a.example/t", "c"), ("http://a.example/t", "d")}
    s = {("http://a.example/s", "a"), ("http://a.example/s", "b")}
    assert {url: sets.codes(url) for url in (*includes, "less", "expanded", "unknown")} == {
        "system": t,
        "concepts": {("x", "1")},
        "set": s | t,
        "both": t,
        "filter": None,
        "foreign": None,
        "itself": None,
        "less": s,
        "expanded": {("http://a.example/s", "a")},
        "unknown": None,
    }
