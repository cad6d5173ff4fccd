"""The gate's short way: it judges as the long way does, and takes nothing that needs the long one."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from adapter import shipped
from adapter.fhir.gate import Gate
from adapter.fhir.gate_parts import Part
from adapter.fhir.gate_plain import ShortWays
from adapter.fhir.json import decode, encode
from adapter.fhir.outcome import is_error, rule_of
from adapter.fhir.schema import tables
from adapter.fhir.schema.plain import _merged, definitions, is_rare, plain, well_written
from tests.fhir.test_gate_mutants import EXAMPLES, _break, _mutants

Json = dict[str, Any]

OURS = sorted((shipped.PROFILES / "examples").glob("*.json"))
BUNDLES = sorted(shipped.FIXTURES.glob("*/*/*/bundle.json"))[::4]


class _Counting(ShortWays):
    """Counts the resources that get through."""

    through = 0

    def take(self, part: Part) -> Any:
        sight = super().take(part)
        self.through += sight is not None
        return sight

    def is_good(self, value: Any, demanded: Any) -> bool:
        good = super().is_good(value, demanded)
        self.through += good
        return good


class _None(ShortWays):
    """No short way at all."""

    def take(self, part: Part) -> None:
        return None

    def is_good(self, value: Any, demanded: Any) -> bool:
        return False


def _with(gate: Gate, ways: type[ShortWays]) -> Gate:
    gate._short_ways = ways(gate._types, gate._nodes)
    return gate


@pytest.fixture(scope="module")
def short() -> Gate:
    return _with(Gate(artefact for artefact in _profiles()), _Counting)


@pytest.fixture(scope="module")
def long() -> Gate:
    return _with(Gate(artefact for artefact in _profiles()), _None)


def _profiles() -> Iterator[Json]:
    return (decode(file.read_bytes()) for file in sorted(shipped.PROFILES.glob("*.json")))


def _all() -> Iterator[tuple[str, Any]]:
    for file in (*EXAMPLES, *OURS, *BUNDLES):
        yield file.name, decode(file.read_bytes())


def test_both_ways_say_the_same_of_every_example_and_message(short: Gate, long: Gate) -> None:
    before = short._short_ways.through  # type: ignore[attr-defined]
    for name, value in _all():
        wanted = long.check(value)
        for _ in range(3):  # the first time there is no short way, the second it is made, the third a resource alone is known
            assert short.check(value) == wanted, name
    assert short._short_ways.through - before > 100  # type: ignore[attr-defined]


def test_both_ways_say_the_same_of_broken_examples(short: Gate, long: Gate) -> None:
    differ = [name for name, value in _mutants() if short.check(value) != long.check(value)]
    assert differ == []


def test_both_ways_say_the_same_of_broken_messages(short: Gate, long: Gate) -> None:
    import random

    chance = random.Random(7)
    for file in BUNDLES:
        value = json.loads(file.read_bytes())
        for _ in range(12):
            done, broken = _break(value, chance)
            assert short.check(broken) == long.check(broken), (file.parent.name, done)


PATIENT: Json = {
    "resourceType": "Patient",
    "id": "a",
    "name": [{"family": "Invented", "period": {"start": "2020-01-01"}}],
    "multipleBirthInteger": 2,
}

CHANGES: list[dict[Any, Any]] = [
    {"extension": [{"url": "http://a.example/x", "valueString": "y"}]},
    {"modifierExtension": [{"url": "http://a.example/x", "valueString": "y"}]},
    {"_birthDate": {"extension": [{"url": "http://a.example/x", "valueString": "y"}]}},
    {"name": [{"given": ["A", None], "_given": [None, {"id": "b"}]}]},
    {"multipleBirthInteger": Decimal("2.0")},
    {"multipleBirthInteger": 2.0},
    {"name": [{"family": "A", "period": {"start": "2021", "end": "2020"}}, {"family": "B", "period": {"start": "2021", "end": "2020"}}]},
    {"managingOrganization": {"reference": "Patient/1"}, "generalPractitioner": [{"reference": "#no"}, {"reference": "Patient/2"}]},
    {"managingOrganization": {"identifier": {"system": "http://a.example", "value": "1", "assigner": {"reference": "#no"}}}},
    {"contained": [{"resourceType": "Organization", "id": "o"}]},
    {"meta": {"profile": ["http://a.example/none"]}},
    {"meta": {"profile": ["https://ost-adapter.example/fhir/StructureDefinition/Patient"]}},
    {"meta": {"profile": "ab"}},
    {"meta": []},
    {"name": [{"family": ""}]},
    {"name": [{"family": "\u00a0"}]},
    {"name": [{"family": "\ufeff"}]},
    {"name": [{"family": "a\x0bb"}]},
    {"name": [{"family": "a\x0cb"}]},
    {"name": [{"family": "a\u00a0b\n\t\\f é"}]},
    {"name": [{"family": " "}]},
    {"language": "a  b"},
    {"language": "a b"},
    {"language": " a"},
    {"language": ""},
    {"implicitRules": "http://a.example/rules"},
    {"implicitRules": "a b"},
    {"implicitRules": ""},
    {"deceasedBoolean": True, "deceasedDateTime": "2020"},
    {"contact": [{"gender": "male"}]},
    {"name": []},
    {"name": [{}]},
    {"name": [{"id": "a"}]},
    {"gender": None},
    {7: 8},
    {"name": ({"family": "Invented"},)},
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_resource_like_one_that_was_good_is_judged_anew(short: Gate, long: Gate, change: Json) -> None:
    for _ in range(3):
        assert short.check(PATIENT) == []
    assert short._short_ways.is_good(PATIENT, None)
    changed = copy.deepcopy({**PATIENT, **change})
    for _ in range(3):
        assert short.check(changed) == long.check(changed)


def test_rules_that_nobody_here_knows_never_take_the_short_way(short: Gate) -> None:
    for _ in range(3):
        assert short.check(PATIENT) == []
    ruled = {**PATIENT, "implicitRules": "http://a.example/rules"}
    before = short._short_ways.through  # type: ignore[attr-defined]
    for _ in range(3):
        assert [rule_of(one) for one in short.check(ruled) if is_error(one)] == ["implicit-rules"]
    assert short._short_ways.through == before  # type: ignore[attr-defined]


TEXTS = st.text(st.sampled_from('a \u00a0\u0085\u2028\ufeff\u3000\x0b\x0c\x1c\n\t"\\f'), max_size=4)


@given(
    st.fixed_dictionaries({"text": TEXTS, "url": TEXTS, "code": TEXTS, "date": st.sampled_from(["2020", "2020-02-30", "", "x"])})
)
def test_both_ways_see_the_same_in_texts(short: Gate, long: Gate, texts: dict[str, str]) -> None:
    value = {
        **PATIENT,
        "name": [{"text": texts["text"]}],
        "identifier": [{"system": texts["url"], "value": "1"}],
        "language": texts["code"],
        "birthDate": texts["date"],
    }
    for one in (value, {**PATIENT, "name": value["name"]}, {**PATIENT, "language": texts["code"]}):
        assert short.check(one) == long.check(one)


def test_a_text_is_well_written_unless_it_may_hold_what_a_string_may_not() -> None:
    good = ['"a"', '{"a":"é ü"}', '"a\u00a0b"', '" a"', '"a\\nb"']
    assert [one for one in good if not well_written(one.encode())] == []
    bad = ['"\u00a0"', '"\ufeff"', '"\u3000a"', '"a\\u000bb"', '"a\\fb"']
    assert [one for one in bad if well_written(one.encode())] == []


def test_plain_definitions_have_nothing_rare() -> None:
    made = dict(definitions("Bundle")) | dict(definitions("MedicationRequest"))
    assert not [name for name in made if name.startswith(("Extension", "Element")) or name.endswith(".null")]
    assert not [prop for one in made.values() for prop in one.get("properties", {}) if is_rare(prop)]
    assert all(one["additionalProperties"] is False for name, one in made.items() if name in tables.types())


@pytest.mark.parametrize(
    ("schema", "wanted"),
    [
        ({"x-rule": {"key": "k"}, "minLength": 1}, {"minLength": 1}),
        ({"required": ["_a"]}, False),
        ({"anyOf": [{"required": ["a"]}, {"required": ["_a"]}]}, {"required": ["a"]}),
        ({"allOf": [{"anyOf": [{"required": ["_a"]}, {"required": ["extension"]}]}]}, False),
        ({"not": {"required": ["_a"]}, "type": "object"}, {"type": "object"}),
        ({"required": ["a"], "allOf": [{"required": ["b"]}, {"required": ["a"]}]}, {"required": ["a", "b"]}),
        ({"properties": {"a": {}}, "allOf": [{"additionalProperties": False}]}, {"properties": {"a": {}}, "allOf": [{"additionalProperties": False}]}),
        ({"if": {"const": 1}, "allOf": [{"then": False}]}, {"if": {"const": 1}, "allOf": [{"then": False}]}),
        ({"enum": ["a", None]}, {"enum": ["a"]}),
        ({"dependentSchemas": {"a": {"anyOf": [{"required": ["b"]}, {"required": ["_b"]}]}}}, {"dependentRequired": {"a": ["b"]}}),
        ({"dependentRequired": {"a": ["b"]}, "allOf": [{"dependentRequired": {"c": ["d"]}}]}, {"dependentRequired": {"a": ["b"], "c": ["d"]}}),
        ({"dependentRequired": {"a": ["b"]}, "allOf": [{"dependentRequired": {"a": ["d"]}}]}, {"dependentRequired": {"a": ["b"]}, "allOf": [{"dependentRequired": {"a": ["d"]}}]}),
        ({"properties": {"a": {"type": "number"}}, "allOf": [{"properties": {"a": {"minimum": 0}}}]}, {"properties": {"a": {"type": "number", "minimum": 0}}}),
        ({"properties": {"a": {"not": {}}}, "allOf": [{"properties": {"a": {"not": {"const": 1}}, "b": {}}}]}, {"properties": {"a": {"not": {}}}, "allOf": [{"properties": {"a": {"not": {"const": 1}}, "b": {}}}]}),
        ({"$ref": "#/$defs/code.null"}, {"$ref": "#/$defs/code"}),
        (
            {"oneOf": [{"required": ["a"]}, {"required": ["b"]}, {"not": {"type": "object", "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}}], "not": {"const": 1}},
            {"not": {"const": 1}, "allOf": [{"not": {"type": "object", "required": ["a", "b"]}}]},
        ),
    ],
)  # fmt: skip
def test_a_plain_schema_says_the_same_in_fewer_words(schema: Json, wanted: Any) -> None:
    assert plain(schema) == wanted


@pytest.mark.parametrize("name", ["Patient", "MedicationDispense-dose"])
def test_encode_gives_the_bytes_and_the_issues(short: Gate, long: Gate, name: str) -> None:
    value = next(decode(file.read_bytes()) for file in OURS if file.name.startswith(name)) if "-" in name else PATIENT
    assert short.encode(value) == (encode(value), long.check(value))


def test_encode_gives_the_bytes_of_what_is_no_good_too(short: Gate) -> None:
    body, issues = short.encode({**PATIENT, "gender": "x"})
    assert decode(body)["gender"] == "x" and any(map(is_error, issues))


@pytest.mark.parametrize(
    "value",
    [
        {"resourceType": "Observation", "status": "final", "code": {"text": "a"}, "valueQuantity": {"value": 1.5}},
        {"resourceType": "Observation", "status": "final", "code": {"text": "a"}, "valueSampledData": {"origin": {"value": 1}, "period": 0.5, "dimensions": 1}},
        {**PATIENT, "multipleBirthInteger": 2.0},
        {**PATIENT, "extension": [{"url": "http://a.example/x", "valueDecimal": 1.5}]},
        {"resourceType": "Parameters", "parameter": [{"name": "a", "valueDecimal": 0.1}]},
        {"resourceType": "None", "a": 1.5},
    ],
)  # fmt: skip
def test_encode_refuses_a_float_wherever_it_stands(short: Gate, value: Json) -> None:
    exact = decode(json.dumps(value).encode())
    for _ in range(4):
        assert decode(short.encode(exact)[0]) == exact
        with pytest.raises(TypeError, match="float"):
            short.encode(value)


_MARKS = st.sampled_from(
    [1, "a", [], ["a"], ["a", 1], {}, {"x": 1}, {"x": "a", "y": ["a"]}, {"y": ["a", "b"]}, {"y": [1], "z": 1}]
)
_LEAF = st.sampled_from([True, {"type": "string"}, {"const": "a"}, {"enum": ["a", "b"]}, {"type": "array", "minItems": 1}])
_ARRAYS = st.fixed_dictionaries(
    {},
    optional={
        "items": _LEAF,
        "prefixItems": st.lists(_LEAF, min_size=1, max_size=2),
        "contains": _LEAF,
        "minContains": st.integers(0, 2),
        "maxItems": st.integers(0, 2),
    },
)
_OBJECTS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.just("object"),
        "properties": st.dictionaries(st.sampled_from("xy"), st.one_of(_LEAF, _ARRAYS), max_size=2),
        "required": st.lists(st.sampled_from("xyz"), max_size=2, unique=True),
        "anyOf": st.lists(_LEAF | _ARRAYS, min_size=1, max_size=2),
        "if": _LEAF,
        "then": _LEAF,
    },
)


@example({"items": {"type": "string"}}, [{"prefixItems": [True]}], False, [[1], ["a"]])
@example({"contains": {"const": "a"}}, [{"contains": {"const": "b"}, "minContains": 0}], False, [["a"], ["b"], ["c"]])
@example({"if": True, "then": {"type": "string"}}, [{"if": False, "then": False}], False, ["a", 1])
@example(
    {"properties": {"x": True}}, [{"properties": {"y": True}, "required": ["y"]}], True, [{"x": 1}, {"x": 1, "y": 1}, {"y": 1}]
)
@given(_OBJECTS | _ARRAYS, st.lists(_OBJECTS | _ARRAYS, max_size=3), st.booleans(), st.lists(_MARKS, min_size=4))
def test_a_merged_schema_is_met_by_what_meets_every_one(one: Json, more: list[Json], closed: bool, values: list[Any]) -> None:
    """Every schema that a profile gives may stand beside the base, which alone says which properties there are."""
    base = {**one, "additionalProperties": False} if closed and "properties" in one else one
    merged = base
    for other in more:
        merged = _merged(merged, other)
    both = Draft202012Validator({"allOf": [base, *more]})
    whole = Draft202012Validator(merged)
    for value in values:
        assert whole.is_valid(value) == both.is_valid(value)
