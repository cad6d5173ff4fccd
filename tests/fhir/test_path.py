"""Places as parts and as text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.fhir.path import Parts, get, leaves, parse, render

PLACES: list[tuple[Parts, str]] = [
    (
        ("Bundle", "entry", 2, "resource", "dosageInstruction", 0, "doseAndRate", 0, "dose"),
        "Bundle.entry[2].resource.dosageInstruction[0].doseAndRate[0].dose",
    ),
    (("Patient",), "Patient"),
    (("Patient", "_birthDate", "extension", 0), "Patient._birthDate.extension[0]"),
    (("doses", 10, 0), "doses[10][0]"),
    ((0, "dose"), "[0].dose"),
    (("message", "sent-at", "a b", "x`y\\z", ""), "message.`sent-at`.`a b`.`x\\`y\\\\z`.``"),
    (("2nd",), "`2nd`"),
    (("é",), "`é`"),
    ((), ""),
]


@pytest.mark.parametrize(("parts", "text"), PLACES)
def test_renders_and_parses(parts: Parts, text: str) -> None:
    assert render(parts) == text
    assert parse(text) == parts


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(max_size=5) | st.integers(0, 99), max_size=6).map(tuple))
def test_every_place_can_be_read_back(parts: Parts) -> None:
    assert parse(render(parts)) == parts


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("a..b", 2),
        (".a", 1),
        ("a.", 2),
        ("a b", 2),
        ("a[-1]", 2),
        ("a[01]", 2),
        ("a[x]", 2),
        ("a.[0]", 2),
        ("a[0", 2),
        ("a[0]b", 5),
        ("a.`b", 2),
        ("a`b`", 2),
        ("name.where(use='home')", 11),
        ("2nd", 1),
        ("sent-at", 5),
    ],
)
def test_refuses_what_is_no_place(text: str, column: int) -> None:
    with pytest.raises(ValueError, match=rf"column {column}$"):
        parse(text)


PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "active": False,
    "name": [{"family": "Sample", "given": ["Alex", "Bo"]}, {"given": ["Cy", None]}],
    "contact": [{"name": {"family": "Other"}}, {}],
    "empty": [],
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Patient", [PATIENT]),
        ("Patient.active", [False]),
        ("active", [False]),
        ("name.given", ["Alex", "Bo", "Cy"]),
        ("Patient.name.given", ["Alex", "Bo", "Cy"]),
        ("name[0].given", ["Alex", "Bo"]),
        ("name[1].given[0]", ["Cy"]),
        ("name.given[2]", ["Cy"]),
        ("name[1].family", []),
        ("name[2].given", []),
        ("name", PATIENT["name"]),
        ("contact.name.family", ["Other"]),
        ("active.code", []),
        ("empty", []),
        ("missing.too", []),
        ("Observation.status", []),
        ("", [PATIENT]),
    ],
)
def test_gets_what_stands_there(text: str, found: list[Any]) -> None:
    assert get(PATIENT, text) == found


def test_gets_from_records_too() -> None:
    assert get([{"a": [[1, 2], [3]]}, {"a": [[4]]}], "[0].a[0][1]") == [2]
    assert get([{"a": 1}, {"a": 2}], "a") == [1, 2]
    assert get("text", "a") == []


def test_leaves_come_in_order_with_their_places() -> None:
    assert list(leaves(PATIENT)) == [
        (("resourceType",), "Patient"),
        (("active",), False),
        (("name", 0, "family"), "Sample"),
        (("name", 0, "given", 0), "Alex"),
        (("name", 0, "given", 1), "Bo"),
        (("name", 1, "given", 0), "Cy"),
        (("name", 1, "given", 1), None),
        (("contact", 0, "name", "family"), "Other"),
    ]
    assert list(leaves({"a": 1}, ("entry", 0))) == [(("entry", 0, "a"), 1)]
    assert list(leaves("x")) == [((), "x")]
