"""Issues, outcomes, and the exception that carries them."""

from __future__ import annotations

import pytest

from adapter.fhir.outcome import Refused, http_status, is_error, issue, outcome, place_of, rule_of

RULE = "https://ost-adapter.example/fhir/CodeSystem/rule"
HL7 = "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-"


def test_an_issue_in_full() -> None:
    made = issue(
        "error",
        "invalid",
        "dose-date",
        "A dose needs its day.",
        expression="MedicationDispense.extension[0]",
        mend="Send the day.",
        source="morning.json",
        line=3,
        column=7,
    )
    assert made == {
        "extension": [
            {"url": HL7 + "source", "valueString": "morning.json"},
            {"url": HL7 + "line", "valueInteger": 3},
            {"url": HL7 + "col", "valueInteger": 7},
        ],
        "severity": "error",
        "code": "invalid",
        "details": {"coding": [{"system": RULE, "code": "dose-date"}], "text": "A dose needs its day."},
        "diagnostics": "Send the day.",
        "expression": ["MedicationDispense.extension[0]"],
    }
    assert rule_of(made) == "dose-date"
    assert place_of(made) == "morning.json:3:7"


def test_an_issue_holds_nothing_empty() -> None:
    made = issue("warning", "informational", "unread", "Not read.")
    assert made == {
        "severity": "warning",
        "code": "informational",
        "details": {"coding": [{"system": RULE, "code": "unread"}], "text": "Not read."},
    }
    assert place_of(made) == ""


@pytest.mark.parametrize(
    ("source", "line", "column", "place"),
    [("a.json", 0, 0, "a.json"), ("", 2, 5, "2:5"), ("a.json", 2, 0, "a.json:2")],
)
def test_a_place_as_far_as_it_is_known(source: str, line: int, column: int, place: str) -> None:
    assert place_of(issue("error", "invalid", "x", "x", source=source, line=line, column=column)) == place


def test_several_expressions_stay_several() -> None:
    assert issue("error", "invalid", "x", "x", expression=["a", "b"])["expression"] == ["a", "b"]


def test_an_outcome_has_at_least_one_issue() -> None:
    one = issue("error", "invalid", "x", "x")
    assert outcome([one]) == {"resourceType": "OperationOutcome", "issue": [one]}
    assert outcome([]) == {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "information",
                "code": "informational",
                "details": {"coding": [{"system": RULE, "code": "ok"}], "text": "No issue was found."},
            }
        ],
    }


@pytest.mark.parametrize(("severity", "error"), [("fatal", True), ("error", True), ("warning", False), ("information", False)])
def test_what_is_an_error(severity: str, error: bool) -> None:
    assert is_error(issue(severity, "invalid", "x", "x")) is error


@pytest.mark.parametrize(
    ("issues", "status"),
    [
        ([], 200),
        ([("warning", "not-found")], 200),
        ([("warning", "not-found"), ("error", "invalid")], 422),
        ([("error", "not-found")], 404),
        ([("error", "too-long"), ("error", "not-found")], 413),
        ([("error", "not-supported")], 415),
        ([("fatal", "exception")], 500),
        ([("fatal", "transient")], 503),
        ([("fatal", "structure")], 422),
    ],
)
def test_http_status_is_that_of_the_first_error(issues: list[tuple[str, str]], status: int) -> None:
    assert http_status([issue(severity, code, "x", "x") for severity, code in issues]) == status


def test_refused_carries_every_issue() -> None:
    first = issue("error", "invalid", "dose-date", "Text.", expression=["doses[0]", "doses[1]"])
    second = issue("fatal", "structure", "json-syntax", "Text.", line=2, column=4)
    third = issue("error", "required", "subject", "Text.")
    refused = Refused(one for one in (first, second, third))
    assert refused.issues == [first, second, third]
    assert refused.outcome == {"resourceType": "OperationOutcome", "issue": [first, second, third]}
    assert str(refused) == "dose-date at doses[0], doses[1]; json-syntax at 2:4; subject at -"
