"""Blind mutants of official examples: nothing that google-fhir-r4 or fhir.resources refuses gets through the gate."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest

from adapter import shipped
from adapter.fhir.gate import Gate
from adapter.fhir.json import decode
from adapter.fhir.outcome import is_error
from adapter.fhir.second_opinion import second_opinion
from tests.fhir.judging import ask

Json = dict[str, Any]

OFFICIAL = shipped.ROOT.parent / "shared" / "reference" / "fhir-r4"
EXAMPLES = sorted(OFFICIAL.glob("*.json")) or sorted((shipped.PROFILES / "examples").glob("*.json"))

#: Each example is broken so many times: more than a thousand mutants, of the official examples or else of our own.
EACH = -(-1100 // len(EXAMPLES))
SEED = 20260318


def _places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place below, but for resourceType: what that says decides which rules there are."""
    found: list[tuple[str | int, ...]] = []
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in items:
        if key != "resourceType":
            found += [(*path, key), *_places(one, (*path, key))]
    return found


def _break(resource: Json, chance: random.Random) -> tuple[str, Json]:
    """(what was done, a broken copy): one place deleted, mistyped, renamed, emptied, nulled or wrapped."""
    broken: Any = copy.deepcopy(resource)
    path = chance.choice(_places(resource))
    holder = broken
    for step in path[:-1]:
        holder = holder[step]
    key = path[-1]
    how = chance.choice(["delete", "type", "name", "empty", "null", "wrap", "unwrap"])
    value = holder[key]
    if how == "delete":
        del holder[key]
    elif how == "type":
        holder[key] = chance.choice([7, True, "x y\t", {"a": 1}, [1], 0.5])
    elif how == "name" and isinstance(key, str):
        holder[f"{key}x"] = holder.pop(key)
    elif how == "empty":
        holder[key] = chance.choice(["", {}, []])
    elif how == "null":
        holder[key] = None
    elif how == "wrap":
        holder[key] = [value]
    elif isinstance(value, list) and value:
        holder[key] = value[0]
    return f"{how} {'.'.join(map(str, path))}", broken


def _mutants() -> list[tuple[str, Json]]:
    chance = random.Random(SEED)
    made: list[tuple[str, Json]] = []
    for file in EXAMPLES:
        resource = json.loads(file.read_text(encoding="utf-8"))
        made += [(f"{file.name}: {done}", broken) for done, broken in (_break(resource, chance) for _ in range(EACH))]
    return made


@pytest.fixture(scope="module")
def mutants() -> list[tuple[str, Json]]:
    return _mutants()


@pytest.fixture(scope="module")
def passed(mutants: list[tuple[str, Json]]) -> list[tuple[str, Json]]:
    """The mutants that the gate lets through."""
    gate = Gate()
    return [(name, one) for name, one in mutants if not any(map(is_error, gate.check(one)))]


def test_the_gate_refuses_most_mutants_and_passes_some(mutants: list[tuple[str, Json]], passed: list[tuple[str, Json]]) -> None:
    assert len(mutants) >= 1000
    assert 0.02 < len(passed) / len(mutants) < 0.4


def test_nothing_that_fhir_resources_refuses_gets_through(passed: list[tuple[str, Json]]) -> None:
    through = [(name, [one["expression"] for one in found]) for name, mutant in passed if (found := second_opinion(mutant))]
    assert not through


def test_nothing_that_google_fhir_refuses_gets_through(passed: list[tuple[str, Json]], pytestconfig: pytest.Config) -> None:
    answers = ask(pytestconfig, "google", [mutant for _, mutant in passed])
    assert [name for (name, _), answer in zip(passed, answers, strict=True) if answer] == []


def test_the_gate_agrees_with_itself_on_exact_decimals(mutants: list[tuple[str, Json]]) -> None:
    """Numbers as floats or as exact decimals make no difference to what is refused."""
    gate = Gate()
    for name, mutant in mutants[::25]:
        exact = decode(json.dumps(mutant).encode())
        assert [one["details"] for one in gate.check(exact)] == [one["details"] for one in gate.check(mutant)], name
