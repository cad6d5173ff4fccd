"""What fill says may be lost: only what is there and no other hole is sure to have read; and what the account makes of it."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.mapping.table import Table
from tests.mapping.test_semantics import DOSES, PATIENT, table

#: One dose is either supplied (`given`) or told of (`told`); both say the day, and the amount where it is known.
SUPPLY = """resourceType: MedicationDispense
$each: doses
$key: id
status: $given!
whenHandedOver: $day
quantity: {value: $amount!, unit: $unit}
note: [{text: $note}]
"""
TOLD = """resourceType: MedicationStatement
$each: doses
$key: id
status: $told!
effectiveDateTime: $day
dosage: [{doseAndRate: [{doseQuantity: {value: $amount!, unit: $unit}}]}]
"""


def account(t: Table, record: dict[str, Any]) -> tuple[bool, list[str]]:
    """(whether something may be lost, what is unread)."""
    entries, run = t.fill(record)
    found = t.unread_record(record, entries, run.lost)
    assert found == t.unread_record(record, entries, True)  # the second look finds no more than was said
    return run.lost, found


@pytest.mark.parametrize(
    ("dose", "lost"),
    [
        ({"given": "completed", "day": "2026-03-18", "amount": 40, "unit": "mL", "note": "n"}, []),
        ({"told": "active", "day": "2026-03-18", "amount": 40, "unit": "mL"}, []),
        ({"told": "active", "day": "2026-03-18"}, []),
        ({"told": "active", "note": "only a supply has a place for it"}, ["note"]),
        ({"given": "completed", "unit": "mL"}, ["unit"]),  # no amount, so neither quantity is made
        ({"day": "2026-03-18", "amount": 40}, ["day", "amount"]),  # neither resource is made
    ],
)
def test_what_one_of_two_resources_is_sure_to_read_is_not_lost(dose: dict[str, Any], lost: list[str]) -> None:
    t = table(Patient=PATIENT, MedicationDispense=SUPPLY, MedicationStatement=TOLD)
    record = {"nhs": "1", "doses": [{"id": "a", "given": "completed", "day": "2026-03-17"}, {"id": "b", **dose}]}
    assert account(t, record) == (bool(lost), [f"doses[1].{name}" for name in lost])


def test_a_reader_under_a_guard_or_in_a_list_of_its_own_is_not_sure() -> None:
    text = PATIENT + (
        "birthDate: $day\nextension:\n"
        '  - {$when: {kind: a}, url: "urn:a", valueString: $words}\n'
        '  - {$when: {kind: b}, url: "urn:b", valueString: $words}\n'
    )
    t = table(Patient=text)
    assert account(t, {"nhs": "1", "kind": "c", "words": "w"}) == (True, ["words"])
    entries, run = t.fill({"nhs": "1", "kind": "a", "words": "w"})
    assert run.lost and t.unread_record({"nhs": "1", "kind": "a", "words": "w"}, entries, run.lost) == []


def test_what_stands_beside_an_unknown_code_is_unread() -> None:
    t = table(Patient=PATIENT + 'maritalStatus: {coding: [{system: "urn:t", code: $kind | state, display: $name}]}\n')
    assert account(t, {"nhs": "1", "kind": "given", "name": "n"}) == (False, [])
    assert account(t, {"nhs": "1", "kind": "odd", "name": "n"}) == (True, ["name"])


def test_a_code_that_declines_is_not_lost_where_a_hole_beside_it_reads_it() -> None:
    t = table(Patient=PATIENT + "gender: $kind | state\nlanguage: $kind | state.display\n")
    assert account(t, {"nhs": "1", "kind": "given"}) == (False, [])
    alone = table(Patient=PATIENT + "language: $kind | state.display\n")
    assert account(alone, {"nhs": "1", "kind": "given"}) == (True, ["kind"])


def test_a_hole_that_made_its_resource_has_read_its_paths() -> None:
    """The state is joined with what was given or told, by codecs that decline: one of the two resources is always missing."""
    t = table(
        Patient=PATIENT,
        MedicationDispense=SUPPLY.replace("$given!", "$state + given! | last"),
        MedicationStatement=TOLD.replace("$told!", "$state + told! | last"),
    )
    dose = {"id": "a", "state": "live", "given": "completed", "day": "2026-03-18"}
    entries, run = t.fill({"nhs": "1", "doses": [dose]})
    assert [e["resource"]["resourceType"] for e in entries] == ["Patient", "MedicationDispense"]
    assert not run.lost
    told = {"id": "a", "state": "live", "told": "active"}
    assert account(t, {"nhs": "1", "doses": [told]})[1] == []
    neither = {"nhs": "1", "doses": [{"id": "a", "state": "live"}]}
    entries, run = t.fill(neither)
    assert run.lost


def test_an_inner_list_is_lost_with_its_object() -> None:
    t = table(
        Patient=PATIENT + "contact: [{gender: $next.sex!, telecom: [{$each: next.numbers, system: phone, value: $.}]}]\n",
        MedicationDispense=DOSES,
    )
    assert account(t, {"nhs": "1", "next": {"sex": "male", "numbers": ["1"]}}) == (False, [])
    assert account(t, {"nhs": "1", "next": {"numbers": ["1", "2"]}}) == (True, ["next.numbers[0]", "next.numbers[1]"])
