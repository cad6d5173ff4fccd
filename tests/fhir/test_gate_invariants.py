"""R4's invariants: for each one instance that breaks it, and one that is just right."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapter.fhir.gate import Gate
from adapter.fhir.gate_checks import compare
from adapter.fhir.outcome import is_error, rule_of
from adapter.fhir.rule_texts import RULES
from adapter.fhir.schema.invariants import INVARIANTS

Json = dict[str, Any]

CASES: list[Json] = yaml.safe_load((Path(__file__).parent / "invariants.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def gate() -> Gate:
    return Gate()


@pytest.mark.parametrize("case", CASES, ids=[f"{case['rule']} {index}" for index, case in enumerate(CASES)])
def test_an_invariant_refuses_what_breaks_it_and_nothing_else(gate: Gate, case: Json) -> None:
    before = copy.deepcopy(case["bad"])
    found = [(rule_of(one), one["expression"][0]) for one in gate.check(case["bad"])]
    assert (case["rule"], case["place"]) in found
    assert case["bad"] == before, "the gate changed what it was given"
    assert [one for one in gate.check(case["good"]) if is_error(one)] == []


def test_every_invariant_has_its_cases() -> None:
    named = {key for key, _, _ in INVARIANTS} | {"ele-1", "ext-1", "sqty-1"}
    assert named - {case["rule"] for case in CASES} == set()


def test_every_invariant_has_its_words() -> None:
    for key in {"inv-1.Task", *(case["rule"] for case in CASES)}:
        code, text, mend = RULES[key]
        assert code == "invariant" and text.endswith(".") and mend.endswith(".")


@pytest.mark.parametrize(
    ("one", "other", "order"),
    [
        ("2026", "2026", 0), ("2025", "2026", -1), ("2026-02", "2026-01", 1), ("2026", "2026-01", None),
        ("2026-01-01", "2025", 1),
        ("2026-01-01T10:00:00Z", "2026-01-01T11:00:00+01:00", 0), ("2026-01-01T10:00:00Z", "2026-01-01T09:59:59.5Z", 1),
        ("2026-01-01", "2026-01-01T10:00:00Z", None), ("2026-01-02", "2026-01-01T10:00:00Z", 1),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z", None), ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", -1),
    ],
)  # fmt: skip
def test_dates_are_compared_as_far_as_they_go(one: str, other: str, order: int | None) -> None:
    assert compare(one, other) == order
    assert compare(other, one) == (None if order is None else -order)
