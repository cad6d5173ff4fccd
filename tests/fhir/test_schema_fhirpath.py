"""FHIRPath of constraints: what each expression gives, worked out by hand; and what fhirpathpy gives for those of our profiles."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from adapter import shipped
from adapter.fhir.schema import tables
from adapter.fhir.schema.fhirpath import Unsupported, compile_test, parse
from adapter.fhir.schema.fhirpath_code import compile_tests
from tests.fhir.judging import ask

Json = dict[str, Any]

CHOICES = tables.choices()

#: A dispense with something of everything.
DISPENSE: Json = {
    "resourceType": "MedicationDispense",
    "status": "completed",
    "quantity": {"value": 30.5, "unit": "ml", "code": "258773002"},
    "whenPrepared": "2026-03-18T08:00:00Z",
    "whenHandedOver": "2026-03-18T10:30:00+01:00",
    "note": [{"text": "first"}, {"text": "second"}],
    "identifier": [{"system": "http://a.example", "value": "A1"}, {"system": "http://b.example", "value": "B2"}],
    "statusReasonCodeableConcept": {"coding": [{"system": "http://a.example", "code": "x"}, {"code": "y"}], "text": "t"},
    "extension": [
        {"url": "http://a.example/day", "valueDate": "2026-03-18"},
        {
            "url": "http://a.example/how",
            "extension": [{"url": "who", "valueCode": "patient"}, {"url": "who", "valueCode": "other"}],
        },
    ],
    "daysSupply": {"value": 2},
}

TRUE = """
status = 'completed'
status != 'declined'
status in ('completed' | 'declined')
('completed' | 'declined') contains status
note.count() = 2
note.text = ('first' | 'second')
note.first().text = 'first' and note.last().text = 'second' and note.tail().text = 'second' and note[1].text = 'second'
note.where(text = 'first').exists()
note.exists(text = 'second')
note.all(text.exists())
note.select(text).count() = 2
note.text.exists() and whenPrepared.hasValue() and performer.empty()
statusReason.coding.code contains 'x'
statusReason.ofType(CodeableConcept).text = 't'
statusReason.ofType(Reference).empty()
extension('http://a.example/day').value = '2026-03-18'
extension('http://a.example/how').extension('who').value.count() = 2
extension('http://a.example/how').extension.where(url = 'who').value = ('patient' | 'other')
quantity.value > 30 and quantity.value < 31 and quantity.value >= 30.5 and quantity.value <= 30.5
quantity.value * 2 = 61 and quantity.value - 0.5 = 30 and -quantity.value < 0 and quantity.value + 1 = 31.5
7 div 2 = 3 and 7 mod 2 = 1 and 7 / 2 = 3.5
2 + 3 * 4 = 14
(2 + 3) * 4 = 20
whenPrepared < whenHandedOver
extension('http://a.example/day').value + 13 days = '2026-03-31'
extension('http://a.example/day').value - 1 day = '2026-03-17'
extension('http://a.example/day').value + 2 weeks = '2026-04-01'
(quantity.code & '=' & quantity.unit) = '258773002=ml'
(performer.display & 'x') = 'x'
'a' + 'b' = 'ab'
whenPrepared.toString().substring(0, 10) = '2026-03-18'
'0123456789'.substring(9) = '9' and '012'.substring(5).empty() and '012'.length() = 3
'42'.toInteger() = 42 and 'x'.toInteger().empty()
'abc'.startsWith('ab') and 'abc'.endsWith('bc') and 'abc'.contains('b') and 'abc'.matches('^[a-c]+$')
'abc'.upper() = 'ABC' and 'ABC'.lower() = 'abc'
identifier.value.isDistinct()
identifier.value.distinct().count() = 2
identifier.system.subsetOf('http://a.example' | 'http://b.example' | 'http://c.example')
('A1' | 'Z9').intersect(identifier.value) = 'A1'
identifier.value.exclude('A1') = 'B2'
identifier.value.combine('A1').count() = 3 and identifier.value.union('A1').count() = 2
iif(status = 'completed', quantity.exists(), false)
iif(status = 'declined', false, true)
iif(status = 'declined', false).empty()
performer.exists() implies performer.actor.exists()
status = 'declined' implies quantity.empty()
status = 'completed' xor status = 'declined'
false or true and true
(false and (1 | 2) = 1).not()
performer.display = 'x' or true
(performer.display = 'x' and false).not()
{}.empty()
(true and {}).empty()
({} or {}).empty()
%resource.status = 'completed' and %context.status = 'completed' and $this.status = 'completed'
MedicationDispense.status = 'completed'
note.where($this.text = 'first' and %context.status = 'completed').exists()
`status` = 'completed'
'it\\'s' = 'it\\'s'
1 = 1.0
(true = 1).not()
quantity.exists() = true
""".strip().splitlines()

FALSE = """
status = 'declined'
performer.display = 'x'
performer.display
(1 | 2) and true
note.text = ('second' | 'first')
note.all(text = 'first')
status in {}
whenPrepared > whenHandedOver
'abc' > 1
quantity + 1 = 2
note.text.length() = 5
extension('http://a.example/day').value + 13 days = '2026-04-01'
whenPrepared + 1 day = whenPrepared
1 / 0 = 0
""".strip().splitlines()


def _holds(expression: str) -> bool:
    return compile_test(expression, CHOICES)(DISPENSE, DISPENSE)


@pytest.mark.parametrize("expression", TRUE)
def test_what_is_true_is_met(expression: str) -> None:
    assert _holds(expression)


@pytest.mark.parametrize("expression", FALSE)
def test_what_is_false_empty_or_no_single_value_is_not_met(expression: str) -> None:
    assert not _holds(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "", "status =", "status = 'a", "status ~ 'a'", "subject.resolve().exists()", "code.memberOf('http://a.example')", "value is Quantity",
        "(value as Quantity).exists()", "descendants().exists()", "quantity.ofType(Quantity).ofType(string)", "status # 'a'", "a b", "trace('x', a)",
        "@2026-01-01 = a", "%vs = 1", "name(",
    ],
)  # fmt: skip
def test_what_the_subset_lacks_is_said_when_a_profile_is_loaded(expression: str) -> None:
    with pytest.raises(Unsupported):
        compile_test(expression, CHOICES)


#: Where fhirpathpy 2.2.4 differs from N1 and R4, or has not got it: part of the expression -> why.
OTHERWISE = {
    "(true = 1)": "equality of Python, where True is 1",
    "hasValue": "not implemented",
    "extension('who')": "gives the first of several extensions of one url",
    "-quantity": "no sign before a value of a resource",
    "union('A1')": "keeps duplicates",
}


def test_fhirpathpy_agrees_on_the_cases(pytestconfig: pytest.Config) -> None:
    cases = [one for one in TRUE if not any(part in one for part in OTHERWISE)]
    answers = ask(pytestconfig, "fhirpath", [[DISPENSE, DISPENSE, one] for one in cases])
    assert len(cases) == len(TRUE) - len(OTHERWISE)
    assert {one: answer for one, answer in zip(cases, answers, strict=True) if answer != [True]} == {}


def test_fhirpathpy_agrees_on_the_constraints_of_our_profiles(pytestconfig: pytest.Config) -> None:
    """On every example, good and broken: each constraint that stands on the resource itself."""
    questions: list[list[Any]] = []
    ours: list[bool] = []
    for structure in map(_read, sorted(shipped.PROFILES.glob("StructureDefinition-*.json"))):
        root = structure["differential"]["element"][0]
        for resource in _resources(structure["url"]):
            for constraint in root.get("constraint", ()):
                questions.append([resource, resource, constraint["expression"]])
                ours.append(compile_test(constraint["expression"], CHOICES)(resource, resource))
    answers = ask(pytestconfig, "fhirpath", questions)
    assert len(questions) > 300 and ours.count(False) > 20
    differ = [
        (q[2], answer, own) for q, answer, own in zip(questions, answers, ours, strict=True) if (answer == [True]) is not own
    ]
    assert differ == []


def _read(file: Any) -> Json:
    read: Json = json.loads(file.read_text(encoding="utf-8"))
    return read


def _resources(profile: str) -> list[Json]:
    """The example of a profile, with every status and outcome that there is, and without each of its elements."""
    found: list[Json] = []
    for file in sorted((shipped.PROFILES / "examples").glob("*.json")):
        resource = _read(file)
        if profile in resource["meta"]["profile"]:
            found.append(resource)
            found += [
                {**resource, "status": status} for status in ("completed", "declined", "not-done", "entered-in-error", "stopped")
            ]
            found += [
                {name: value for name, value in resource.items() if name != gone} for gone in resource if gone != "resourceType"
            ]
            found += [
                _with_outcome(resource, code) for code in ("supervised", "missed", "withheld", "partial", "elsewhere", "depot")
            ]
    return found


def _with_outcome(resource: Json, code: str) -> Json:
    changed = copy.deepcopy(resource)
    for extension in changed.get("extension", ()):
        if extension["url"].endswith("/dose-outcome"):
            extension["valueCoding"]["code"] = code
    return changed


def test_every_constraint_that_we_publish_is_understood() -> None:
    for file in shipped.PROFILES.glob("StructureDefinition-*.json"):
        for element in _read(file)["differential"]["element"]:
            for constraint in element.get("constraint", ()):
                compile_test(constraint["expression"], CHOICES)


def test_no_type_has_an_element_and_a_choice_of_one_name() -> None:
    """So a path need not look for both."""
    for name, entry in tables.types().items():
        elements = entry["elements"].keys()
        assert not [base for base, names in CHOICES.items() if base in elements and not names.isdisjoint(elements)], name


def test_a_path_that_several_constraints_take_means_the_same_as_in_each_alone() -> None:
    """All cases in one function, as the constraints of one element are compiled."""
    cases = [*TRUE, *FALSE]
    tests = compile_tests([parse(one, CHOICES, f"c{n}") for n, one in enumerate(cases)], CHOICES)
    assert [cases[index] for index in tests(DISPENSE, DISPENSE)] == FALSE


def test_the_cases_stand_once() -> None:
    assert len({*TRUE, *FALSE}) == len(TRUE) + len(FALSE)
