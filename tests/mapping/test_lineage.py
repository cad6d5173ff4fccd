"""Lineage and account name an element by its place in the record that was filled, also where nothing was made of another."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.mapping.table import Table
from tests.mapping.test_lost import SUPPLY, TOLD
from tests.mapping.test_semantics import PATIENT, table

GOAL = 'resourceType: Goal\n$each: goals\n$key: no\nidentifier: [{system: "urn:goal", value: $no}]\n'
PLAN = """resourceType: CarePlan
$key: plan
identifier: [{system: "urn:plan", value: $plan}]
goal: [$ref Goal]
activity:
  - $each: acts
    detail:
      description: $what
      goal: [{$each: goals, reference: $ref Goal by .}]
"""
PLACES = pytest.mark.parametrize("gone", [{0}, {1}, {2}, {0, 1}, {0, 2}, {1, 2}], ids=str)


def told(t: Table, record: dict[str, Any]) -> tuple[list[str], dict[str, str]]:
    """(what the account says is unread, target -> source of every row of lineage)."""
    entries, run = t.fill(record)
    rows = t.lineage(entries, record=record)
    return t.unread_record(record, entries, run.lost), {r.target.removeprefix("Bundle.entry"): r.source for r in rows}


@PLACES
def test_a_reference_that_leads_nowhere_moves_no_other(gone: set[int]) -> None:
    t = table(Goal=GOAL, CarePlan=PLAN)
    named = [f"{j}" if j not in gone else f"no goal {j}" for j in range(3)]
    acts = [{"what": "a", "goals": ["0"]}, {"what": "b", "goals": named}, {"what": "c", "goals": ["2", "1"]}]
    record = {"plan": "p", "goals": [{"no": str(j)} for j in range(3)], "acts": acts}
    unread, rows = told(t, record)
    assert unread == [f"acts[1].goals[{j}]" for j in sorted(gone)]
    stayed = [j for j in range(3) if j not in gone]
    at = "[3].resource.activity"
    assert {target: source for target, source in rows.items() if target.startswith(f"{at}[1].detail.goal")} == {
        f"{at}[1].detail.goal[{k}].reference": f"acts[1].goals[{j}]" for k, j in enumerate(stayed)
    }
    assert rows[f"{at}[2].detail.goal[1].reference"] == "acts[2].goals[1]"


@PLACES
def test_an_element_that_made_no_item_moves_no_other_nor_what_lies_below_it(gone: set[int]) -> None:
    t = table(
        Patient=PATIENT + "contact: [{$each: next, gender: $sex!, telecom: [{$each: numbers, use: $use, value: $number!}]}]\n"
    )
    numbers = [{"use": "home"}, {"use": "work", "number": "1"}]
    record = {
        "nhs": "1",
        "next": [{"sex": "male", "numbers": numbers} if j not in gone else {"numbers": numbers} for j in range(3)],
    }
    unread, rows = told(t, record)
    expected = []
    for j in range(3):
        expected += [f"next[{j}].numbers[0].use"]
        expected += [f"next[{j}].numbers[1].use", f"next[{j}].numbers[1].number"] if j in gone else []
    assert unread == expected
    for k, j in enumerate(j for j in range(3) if j not in gone):
        assert rows[f"[0].resource.contact[{k}].gender"] == f"next[{j}].sex"
        assert rows[f"[0].resource.contact[{k}].telecom[0].value"] == f"next[{j}].numbers[1].number"


@PLACES
def test_an_element_that_made_no_resource_moves_no_other(gone: set[int]) -> None:
    t = table(Patient=PATIENT, MedicationDispense=SUPPLY, MedicationStatement=TOLD)
    dose = {"given": "completed", "day": "2026-03-18"}
    record = {"nhs": "1", "doses": [{"id": str(j), **dose} if j not in gone else {"id": str(j), "note": "n"} for j in range(3)]}
    unread, rows = told(t, record)
    assert unread == [f"doses[{j}].note" for j in sorted(gone)]
    stayed = [j for j in range(3) if j not in gone]
    assert [rows[f"[{k + 1}].resource.whenHandedOver"] for k in range(len(stayed))] == [f"doses[{j}].day" for j in stayed]


def test_one_list_that_two_arrays_sort_out_is_numbered_in_each() -> None:
    t = table(
        Patient=PATIENT
        + "telecom: [{$each: ways, $when: {kind: call}, system: phone, value: $value}]\n"
        + "address: [{$each: ways, $when: {kind: write}, text: $value}]\n"
    )
    record = {
        "nhs": "1",
        "ways": [{"kind": "write", "value": "a"}, {"kind": "call", "value": "b"}, {"kind": "write", "value": "c"}],
    }
    _, rows = told(t, record)
    assert rows["[0].resource.telecom[0].value"] == "ways[1].value"
    assert [rows[f"[0].resource.address[{k}].text"] for k in range(2)] == ["ways[0].value", "ways[2].value"]
