"""Overlays: what a differential may say, each with an instance that meets it and one that does not. Also extensions and parents."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

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
    return {"resourceType": "StructureDefinition", "url": url, "type": type_, "derivation": "constraint", "kind": "resource",
            "baseDefinition": base or CORE + type_, "differential": {"element": [{"id": type_, "path": type_}, *listed]}, **more}  # fmt: skip


def _patient(**more: Any) -> Json:
    return {"resourceType": "Patient", **more}


def _observation(**more: Any) -> Json:
    return {"resourceType": "Observation", "status": "final", "code": CONCEPT, **more}


def _bundle(*types: str) -> Json:
    made = {"Patient": _patient(), "Basic": {"resourceType": "Basic", "code": CONCEPT}}
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": made[one]} for one in types]}


VALUE_SET = {
    "resourceType": "ValueSet",
    "url": "http://a.example/vs",
    "compose": {"include": [{"system": "http://a.example/s", "concept": [{"code": "a"}, {"code": "b"}]}, {"system": "http://a.example/t"}]},
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
NHS_VALUE = {"id": "Patient.identifier:nhs.value", "path": "Patient.identifier.value", "min": 1}
OTHER = {"system": "http://a.example/other", "value": "1"}
NUMBER = {"system": "http://a.example/nhs", "value": "1"}

BY_CODE = {"id": "Observation.component", "slicing": {"discriminator": [{"type": "pattern", "path": "code"}], "rules": "open"}}
PULSE = {"id": "Observation.component:pulse", "path": "Observation.component", "sliceName": "pulse", "min": 1}
PULSE_CODE = {"id": "Observation.component:pulse.code", "path": "Observation.component.code", "patternCodeableConcept": {"coding": [A]}}
PULSE_VALUE = {"id": "Observation.component:pulse.value[x]", "path": "Observation.component.value[x]", "type": [{"code": "Quantity"}], "min": 1}
COMPONENT: Json = {"code": {"coding": [A, {"code": "z"}]}, "valueQuantity": {"value": 1}}

ENTRY = {"id": "Bundle.entry", "slicing": {"discriminator": [{"type": "type", "path": "resource"}], "rules": "closed"}}
ENTRY_PATIENT = {"id": "Bundle.entry:patient", "path": "Bundle.entry", "sliceName": "patient", "min": 1, "max": "1"}
ENTRY_RESOURCE = {"id": "Bundle.entry:patient.resource", "path": "Bundle.entry.resource", "type": [{"code": "Patient"}], "min": 1}

BY_PERIOD = {"id": "Patient.name", "slicing": {"discriminator": [{"type": "exists", "path": "period"}], "rules": "open"}}
OLD = {"id": "Patient.name:old", "path": "Patient.name", "sliceName": "old", "max": "1"}
OLD_PERIOD = {"id": "Patient.name:old.period", "path": "Patient.name.period", "min": 1}

DEEP = [
    {"id": "Observation.code.coding", "slicing": {"discriminator": [{"type": "value", "path": "system"}], "rules": "open"}},
    {"id": "Observation.component.code.coding", "slicing": {"discriminator": [{"type": "value", "path": "system"}], "rules": "open"}},
    {"id": "Observation.component.code.coding:s", "path": "Observation.component.code.coding", "sliceName": "s"},
    {"id": "Observation.component.code.coding:s.system", "path": "Observation.component.code.coding.system", "fixedUri": "http://a.example/s"},
    BY_CODE, PULSE, PULSE_CODE,
    {"id": "Observation.component:pulse.code.coding:s", "path": "Observation.component.code.coding", "sliceName": "s", "max": "1"},
]  # fmt: skip

#: what, profile, instance that meets it, instance that does not, rule and place of the issue
CASES: list[tuple[str, Json, Json, Json, tuple[str, str]]] = [
    ("min", _profile("Patient", {"id": "Patient.birthDate", "min": 1}), _patient(birthDate="2026"), _patient(), ("required", "Patient.birthDate")),
    ("min by the sibling", _profile("Patient", {"id": "Patient.birthDate", "min": 1}),
     _patient(_birthDate={"extension": [{"url": "u", "valueCode": "x"}]}), _patient(), ("required", "Patient.birthDate")),
    ("min 2", _profile("Patient", {"id": "Patient.name", "min": 2}), _patient(name=[{"text": "x"}, {"text": "y"}]), _patient(name=[{"text": "x"}]), ("required", "Patient.name")),
    ("min of a choice", _profile("Observation", {"id": "Observation.value[x]", "min": 1}), _observation(valueInteger=1), _observation(), ("required", "Observation.value")),
    ("max 1", _profile("Patient", {"id": "Patient.name", "max": "1"}), _patient(name=[{"text": "x"}]), _patient(name=[{"text": "x"}, {"text": "y"}]), ("cardinality", "Patient.name")),
    ("max 0", _profile("Patient", {"id": "Patient.name", "max": "0"}), _patient(), _patient(name=[{"text": "x"}]), ("absent", "Patient.name")),
    ("max 0 of a choice", _profile("Observation", {"id": "Observation.value[x]", "max": "0"}), _observation(), _observation(valueInteger=1), ("absent", "Observation.value")),
    ("below an optional element", _profile("Patient", {"id": "Patient.contact.name", "min": 1}), _patient(), _patient(contact=[{"telecom": [{"rank": 1}]}]), ("required", "Patient.contact[0].name")),
    ("fixed", _profile("Patient", {"id": "Patient.active", "fixedBoolean": True}), _patient(active=True), _patient(active=False), ("fixed", "Patient.active")),
    ("fixed object", _profile("Observation", {"id": "Observation.code", "fixedCodeableConcept": CONCEPT}), _observation(), _observation(code={"text": "x", "id": "i"}), ("fixed", "Observation.code")),
    ("pattern", _profile("Observation", {"id": "Observation.code", "patternCodeableConcept": {"coding": [A]}}), _observation(code={"coding": [D, {**A, "display": "z"}]}),
     _observation(code={"coding": [D]}), ("pattern", "Observation.code.coding")),
    ("pattern, nothing of it", _profile("Observation", {"id": "Observation.code", "patternCodeableConcept": {"coding": [A]}}), _observation(code={"coding": [A]}), _observation(),
     ("pattern", "Observation.code")),
    ("max length", _profile("Patient", {"id": "Patient.name.family", "maxLength": 3}), _patient(name=[{"family": "abc"}]), _patient(name=[{"family": "abcd"}]), ("max-length", "Patient.name[0].family")),
    ("min value", _profile("Observation", {"id": "Observation.value[x]", "type": [{"code": "integer"}], "minValueInteger": 2}), _observation(valueInteger=2), _observation(valueInteger=1),
     ("value", "Observation.value")),
    ("max value", _profile("Observation", {"id": "Observation.value[x]", "type": [{"code": "integer"}], "maxValueInteger": 2}), _observation(valueInteger=2), _observation(valueInteger=3),
     ("value", "Observation.value")),
    ("types of a choice", _profile("Observation", {"id": "Observation.value[x]", "type": [{"code": "Quantity"}, {"code": "string"}]}), _observation(valueString="x"), _observation(valueInteger=1),
     ("choice-type", "Observation.value")),
    ("one type by its name", _profile("Observation", {"id": "Observation.valueQuantity.unit", "min": 1}), _observation(valueString="x"), _observation(valueQuantity={"value": 1}),
     ("required", "Observation.value.unit")),
    ("slice of a choice", _profile("Observation", {"id": "Observation.value[x]", "slicing": {"discriminator": [{"type": "type", "path": "$this"}], "rules": "open"}},
     {"id": "Observation.value[x]:valueQuantity", "path": "Observation.value[x]", "sliceName": "valueQuantity", "type": [{"code": "Quantity"}]},
     {"id": "Observation.value[x]:valueQuantity.unit", "path": "Observation.value[x].unit", "min": 1}),
     _observation(valueQuantity={"value": 1, "unit": "x"}), _observation(valueQuantity={"value": 1}), ("required", "Observation.value.unit")),
    ("simple quantity", _profile("Observation", {"id": "Observation.value[x]", "type": [{"code": "Quantity", "profile": [CORE + "SimpleQuantity"]}]}),
     _observation(valueQuantity={"value": 1}), _observation(valueQuantity={"value": 1, "comparator": "<"}), ("sqty-1", "Observation.value.comparator")),
    ("binding of a code", _profile("Patient", {"id": "Patient.gender", "binding": {"strength": "required", "valueSet": "http://a.example/gender"}}), _patient(gender="female"),
     _patient(gender="male"), ("binding", "Patient.gender")),
    ("binding of a CodeableConcept", _profile("Observation", {"id": "Observation.code", "binding": {"strength": "required", "valueSet": "http://a.example/vs|1"}}), _observation(code={"coding": [NOT, D]}),
     _observation(code={"coding": [NOT]}), ("binding", "Observation.code.coding")),
    ("binding of a Coding", _profile("Patient", {"id": "Patient.meta.tag", "binding": {"strength": "required", "valueSet": "http://a.example/vs"}}), _patient(meta={"tag": [A, D]}),
     _patient(meta={"tag": [A, NOT]}), ("binding", "Patient.meta.tag[1]")),
    ("binding of a Quantity", _profile("Observation", {"id": "Observation.value[x]", "type": [{"code": "Quantity"}], "binding": {"strength": "required", "valueSet": "http://a.example/vs"}}),
     _observation(valueQuantity={"value": 1, **A}), _observation(valueQuantity={"value": 1, **NOT}), ("binding", "Observation.value")),
    ("a binding that is not required", _profile("Observation", {"id": "Observation.code", "binding": {"strength": "extensible", "valueSet": "http://a.example/vs"}}, {"id": "Observation.issued", "min": 1}),
     _observation(issued="2026-01-01T00:00:00Z"), _observation(), ("required", "Observation.issued")),
    ("slice by value, its content", _profile("Patient", BY_SYSTEM, NHS, NHS_SYSTEM, NHS_VALUE), _patient(identifier=[{"system": "http://a.example/other"}, NUMBER]),
     _patient(identifier=[OTHER, {"system": "http://a.example/nhs"}]), ("required", "Patient.identifier[1].value")),
    ("slice by value, least", _profile("Patient", BY_SYSTEM, {**NHS, "min": 1}, NHS_SYSTEM), _patient(identifier=[OTHER, NUMBER]), _patient(identifier=[OTHER]), ("slice", "Patient.identifier")),
    ("slice by value, least of none", _profile("Patient", BY_SYSTEM, {**NHS, "min": 1}, NHS_SYSTEM), _patient(identifier=[NUMBER]), _patient(), ("slice", "Patient.identifier")),
    ("slice by value, most", _profile("Patient", BY_SYSTEM, {**NHS, "max": "1"}, NHS_SYSTEM), _patient(identifier=[OTHER, OTHER, NUMBER]), _patient(identifier=[NUMBER, NUMBER]), ("slice", "Patient.identifier")),
    ("slice by value, none", _profile("Patient", BY_SYSTEM, {**NHS, "max": "0"}, NHS_SYSTEM), _patient(identifier=[OTHER]), _patient(identifier=[OTHER, NUMBER]), ("absent", "Patient.identifier")),
    ("closed slices", _profile("Patient", {**BY_SYSTEM, "slicing": {**BY_SYSTEM["slicing"], "rules": "closed"}}, NHS, NHS_SYSTEM), _patient(identifier=[NUMBER]), _patient(identifier=[NUMBER, OTHER]),
     ("slice-closed", "Patient.identifier[1]")),
    ("slice by pattern", _profile("Observation", BY_CODE, PULSE, PULSE_CODE, PULSE_VALUE), _observation(component=[{"code": CONCEPT}, COMPONENT]), _observation(component=[{"code": COMPONENT["code"]}]),
     ("required", "Observation.component[0].value")),
    ("slice by pattern, its type", _profile("Observation", BY_CODE, PULSE, PULSE_CODE, PULSE_VALUE), _observation(component=[COMPONENT]), _observation(component=[{"code": COMPONENT["code"], "valueString": "x"}]),
     ("choice-type", "Observation.component[0].value")),
    ("slice by type", _profile("Bundle", ENTRY, ENTRY_PATIENT, ENTRY_RESOURCE), _bundle("Patient"), _bundle("Patient", "Patient"), ("slice", "Bundle.entry")),
    ("slice by type, closed", _profile("Bundle", ENTRY, ENTRY_PATIENT, ENTRY_RESOURCE), _bundle("Patient"), _bundle("Patient", "Basic"), ("slice-closed", "Bundle.entry[1]")),
    ("slice by existence", _profile("Patient", BY_PERIOD, OLD, OLD_PERIOD), _patient(name=[{"text": "x"}, {"text": "x"}, {"period": {"start": "2026"}}]),
     _patient(name=[{"period": {"start": "2026"}}, {"period": {"start": "2027"}}]), ("slice", "Patient.name")),
    ("slice by extension", _profile("Patient", {"id": "Patient.extension:e", "path": "Patient.extension", "sliceName": "e", "min": 1, "max": "1", "type": [{"code": "Extension", "profile": ["http://a.example/e"]}]}),
     _patient(extension=[{"url": "http://a.example/e", "valueCode": "x"}, {"url": "u", "valueCode": "x"}]), _patient(extension=[{"url": "u", "valueCode": "x"}]), ("slice", "Patient.extension")),
    ("slice in a slice, told apart beside it", _profile("Observation", *DEEP), _observation(component=[{"code": {"coding": [A, D]}}]), _observation(component=[{"code": {"coding": [A, A]}}]),
     ("slice", "Observation.component[0].code.coding")),
    ("targets", _profile("Patient", {"id": "Patient.generalPractitioner", "type": [{"code": "Reference", "targetProfile": [CORE + "Organization"]}]}),
     _patient(generalPractitioner=[{"reference": "Organization/1"}]), _patient(generalPractitioner=[{"display": "x"}, {"reference": "Practitioner/1"}]), ("reference-target", "Patient.generalPractitioner[1]")),
    ("targets by another's profile", _profile("Patient", {"id": "Patient.generalPractitioner", "type": [{"code": "Reference", "targetProfile": ["https://a.example/UKCore-Organization"]}]}),
     _patient(generalPractitioner=[{"type": "Organization"}]), _patient(generalPractitioner=[{"type": "Practitioner"}]), ("reference-target", "Patient.generalPractitioner[0]")),
    ("targets in a slice", _profile("Patient", BY_SYSTEM, NHS, NHS_SYSTEM, {"id": "Patient.identifier:nhs.assigner", "path": "Patient.identifier.assigner", "type": [
     {"code": "Reference", "targetProfile": ["http://a.example/patient-of-ours"]}]}),
     _patient(identifier=[{**OTHER, "assigner": {"reference": "Organization/1"}}]), _patient(identifier=[{**NUMBER, "assigner": {"reference": "Organization/1"}}]),
     ("reference-target", "Patient.identifier[0].assigner")),
    ("constraint on a primitive of a slice", _profile("Patient", BY_SYSTEM, NHS, NHS_SYSTEM, {"id": "Patient.identifier:nhs.value", "path": "Patient.identifier.value", "constraint": [
     {"key": "two", "severity": "error", "human": "Two.", "expression": "$this.length() = 2"}]}),
     _patient(identifier=[OTHER, {**NUMBER, "value": "12"}]), _patient(identifier=[OTHER, {**NUMBER, "value": "1"}]), ("two", "Patient.identifier[1].value")),
    ("extension of a primitive", _profile("Patient", {"id": "Patient.birthDate.extension", "max": "0"}), _patient(birthDate="2026"),
     _patient(birthDate="2026", _birthDate={"extension": [{"url": "u", "valueCode": "x"}]}), ("absent", "Patient.birthDate.extension")),
]  # fmt: skip

GENDER = {"resourceType": "ValueSet", "url": "http://a.example/gender", "compose": {"include": [{"system": "http://hl7.org/fhir/administrative-gender", "concept": [{"code": "female"}]}]}}
OF_OURS = _profile("Patient", url="http://a.example/patient-of-ours")


@pytest.mark.parametrize(("profile", "good", "bad", "told"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_rule_refuses_what_breaks_it_and_nothing_else(profile: Json, good: Json, bad: Json, told: tuple[str, str]) -> None:
    gate = Gate([profile, VALUE_SET, CODE_SYSTEM, GENDER, OF_OURS])
    assert gate.unsupported == []
    assert [one for one in gate.check(good, profiles={0: [P]}) if is_error(one)] == []
    assert [(rule_of(one), one["expression"][0]) for one in gate.check(bad, profiles={0: [P]})] == [told]
    assert [one for one in Gate().check(bad) if is_error(one)] == [], "base R4 refuses it by itself"


@pytest.mark.parametrize(("profile", "good", "bad"), [case[1:4] for case in CASES], ids=[case[0] for case in CASES])
def test_pure_python_jsonschema_agrees(profile: Json, good: Json, bad: Json) -> None:
    """The same overlay under another implementation of JSON Schema."""
    value_sets = ValueSets([VALUE_SET, CODE_SYSTEM, GENDER])
    overlay = Overlay(profile, 0, {}, tables.types(), value_sets)
    validator = jsonschema.Draft202012Validator(overlay.schema)
    gate = Gate([profile, VALUE_SET, CODE_SYSTEM, GENDER])
    by_schema = {rule_of(one) for one in gate.check(bad, profiles={0: [P]})} - {"reference-target", "two"}
    assert validator.is_valid(good)
    assert validator.is_valid(bad) is (not by_schema)


# ---- extensions


def _extension(*elements: Json, **more: Any) -> Json:
    url = {"id": "Extension.url", "fixedUri": "http://a.example/e"}
    return _profile("Extension", url, *elements, url="http://a.example/e", **more)


CODED = _extension({"id": "Extension.value[x]", "min": 1, "type": [{"code": "code"}]}, context=[{"type": "element", "expression": "Patient.contact"}])


def _told(gate: Gate, resource: Json) -> list[tuple[str, str]]:
    return [(rule_of(one), one["expression"][0]) for one in gate.check(resource)]


def test_a_known_extension_is_judged_wherever_it_stands() -> None:
    gate = Gate([_extension({"id": "Extension.value[x]", "min": 1, "type": [{"code": "code"}]})])
    wrong = {"url": "http://a.example/e", "valueString": "x"}
    places = {
        "Patient.extension[0].value": _patient(extension=[wrong]),
        "Patient.birthDate.extension[0].value": _patient(_birthDate={"extension": [wrong]}),
        "Patient.name[0].given[1].extension[0].value": _patient(name=[{"given": ["a", "b"], "_given": [None, {"extension": [wrong]}]}]),
        "Patient.extension[0].extension[0].value": _patient(extension=[{"url": "u", "extension": [wrong]}]),
        "Patient.identifier[0].assigner.identifier.extension[0].value": _patient(identifier=[{"assigner": {"identifier": {"extension": [wrong]}}}]),
        "Bundle.entry[0].resource.contained[0].extension[0].value": {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": _patient(
            contained=[_patient(id="p", extension=[wrong])], link=[{"other": {"reference": "#p"}, "type": "seealso"}])}]},
    }  # fmt: skip
    for place, resource in places.items():
        assert set(_told(gate, resource)) == {("choice-type", place), ("required", place)} or _told(gate, resource) == [("choice-type", place)], place
    assert _told(gate, _patient(extension=[{"url": "http://a.example/e", "valueCode": "x"}])) == []


@pytest.mark.parametrize(
    ("context", "good", "bad"),
    [
        ("Patient", _patient(extension=["E"]), _patient(contact=[{"extension": ["E"]}])),
        ("Patient.contact", _patient(contact=[{"extension": ["E"]}]), _patient(extension=["E"])),
        ("Patient.contact.name", _patient(contact=[{"name": {"extension": ["E"]}}]), _patient(name=[{"extension": ["E"]}])),
        ("HumanName", _patient(contact=[{"name": {"extension": ["E"]}}], name=[{"extension": ["E"]}]), _patient(extension=["E"])),
        ("HumanName.given", _patient(name=[{"_given": [{"extension": ["E"]}]}]), _patient(name=[{"_family": {"extension": ["E"]}}])),
        ("date", _patient(_birthDate={"extension": ["E"]}), _patient(_gender={"extension": ["E"]})),
        ("DomainResource", _patient(extension=["E"]), _patient(name=[{"extension": ["E"]}])),
        ("BackboneElement", _patient(contact=[{"name": {"text": "x"}, "extension": ["E"]}]), _patient(name=[{"extension": ["E"]}])),
        ("Observation.value[x]", _observation(valueQuantity={"value": 1, "extension": ["E"]}), _observation(extension=["E"])),
    ],
)  # fmt: skip
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
        ({"id": "Patient.gender", "binding": {"strength": "required", "valueSet": "http://a.example/unknown"}}, "required binding"),
        ({"id": "Patient", "constraint": [{"key": "k", "severity": "error", "human": "x", "expression": "resolve()"}]}, "constraint k"),
        ({"id": "Patient.birthDate", "minValueDate": "2026"}, "minValueDate"),
        ({"id": "Patient.identifier:a", "path": "Patient.identifier", "sliceName": "a", "min": 1}, "slice"),
        ({"id": "Patient.managingOrganization", "type": [{"code": "Reference", "targetProfile": ["http://a.example/unknown"]}]}, "target profile"),
        ({"id": "Patient.name", "type": [{"code": "HumanName", "profile": ["http://a.example/name"]}]}, "profile of HumanName"),
    ],
)  # fmt: skip
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
    made.append({"resourceType": "ValueSet", "url": "less", "compose": {**VALUE_SET["compose"], "exclude": [{"system": "http://a.example/t"}]}})  # type: ignore[dict-item]
    made.append({"resourceType": "ValueSet", "url": "expanded", "expansion": {"contains": [{"abstract": True, "code": "z", "contains": [A]}]}})
    sets = ValueSets([VALUE_SET, CODE_SYSTEM, *made])
    t = {("http://a.example/t", "c"), ("http://a.example/t", "d")}
    s = {("http://a.example/s", "a"), ("http://a.example/s", "b")}
    assert {url: sets.codes(url) for url in (*includes, "less", "expanded", "unknown")} == {
        "system": t, "concepts": {("x", "1")}, "set": s | t, "both": t, "filter": None, "foreign": None, "itself": None,
        "less": s, "expanded": {("http://a.example/s", "a")}, "unknown": None,
    }  # fmt: skip
