"""The benchmark's task: what is timed must first be right. No timing here: `make bench` measures."""

from __future__ import annotations

import copy
import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import adapter
from adapter.fhir.gate import Gate
from adapter.fhir.json import decode, encode
from adapter.fhir.outcome import Refused, is_error, rule_of
from adapter.systems.message import Message

BENCH = Path(__file__).resolve().parent / "bench"
SHARED = BENCH.parents[2] / "shared" / "bench"
PROFILE = "https://ost-adapter.example/fhir/StructureDefinition/bench-prescription"


def _by_hand() -> Callable[[dict[str, Any]], dict[str, Any]]:
    spec = importlib.util.spec_from_file_location("bench_hand", BENCH / "hand.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: Callable[[dict[str, Any]], dict[str, Any]] = module.medication_request
    return made


BY_HAND = _by_hand()


@pytest.fixture(scope="module")
def message() -> Message:
    return adapter.load([BENCH / "mappings"]).message("bench/prescription")


@pytest.fixture
def record() -> dict[str, Any]:
    made: dict[str, Any] = decode((BENCH / "input.json").read_bytes())
    return made


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    made: dict[str, Any] = json.loads((BENCH / "expected.json").read_text("utf-8"))
    return made


def test_the_task_has_28_fields_and_both_functions_make_what_was_written_by_hand(
    message: Message, record: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert len(record) == 28
    assert BY_HAND(record) == expected
    assert message.fill(record) == [expected]


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/bench is not here")
def test_the_task_of_the_other_benchmark_comes_out_as_its_authors_expect(message: Message) -> None:
    record = decode((SHARED / "input.json").read_bytes())
    wanted = json.loads((SHARED / "expected.json").read_text("utf-8"))
    assert message.fill(record) == [wanted]
    assert BY_HAND(record) == wanted


@pytest.mark.parametrize(
    "change",
    [
        {"rx_status": "H", "rx_kind": "ACUTE"},
        {"rx_status": "D", "dose_unit": "tab", "total_unit": "mg", "freq_unit": "week"},
        {"rx_status": "C", "supervised": "N", "freq_unit": "hour", "repeats": 3},
        {"rx_status": "S", "note": None},
    ],
)
def test_every_code_and_branch_comes_out_as_by_hand(message: Message, record: dict[str, Any], change: dict[str, Any]) -> None:
    record = {name: value for name, value in {**record, **change}.items() if value is not None}
    assert message.fill(record) == [BY_HAND(record)]
    assert message.match(message.fill(record)) == {name: value for name, value in record.items() if name != "clinic_ods"}


def test_match_gives_the_record_back_and_leaves_nothing_unread(
    message: Message, record: dict[str, Any], expected: dict[str, Any]
) -> None:
    run = message.table.match([{"fullUrl": "urn:uuid:0", "resource": expected}])
    assert run.record == {name: value for name, value in record.items() if name != "clinic_ods"}
    assert message.table.account(run) == ([], {}, [])
    assert (run.issues, run.carried) == ([], [])
    assert message.table.unread_record(record, *_filled(message, record)) == []


def _filled(message: Message, record: dict[str, Any]) -> tuple[list[dict[str, Any]], bool]:
    entries, run = message.table.fill(record)
    return entries, run.lost


def test_the_account_that_is_timed_is_a_real_one(message: Message, record: dict[str, Any], expected: dict[str, Any]) -> None:
    other = copy.deepcopy(expected)
    other["dosageInstruction"][0]["asNeededBoolean"] = True
    other["note"].append({"text": "another"})
    other["dispenseRequest"]["quantity"]["unit"] = "mg"
    run = message.table.match([{"fullUrl": "urn:uuid:0", "resource": other}])
    unread, _, issues = message.table.account(run)
    assert sorted(unread) == [
        "Bundle.entry[0].resource.dosageInstruction[0].asNeededBoolean",
        "Bundle.entry[0].resource.note[1].text",
    ]
    assert sorted(map(rule_of, issues)) == ["unread", "unread-safety"]
    assert [rule_of(one) for one in run.issues] == ["combination"]
    with pytest.raises(Refused):
        message.match([other])
    assert message.table.unread_record({**record, "batch": "1"}, *_filled(message, record)) == ["batch"]
    assert message.payload.check({**record, "batch": "1"})


def test_the_checks_that_are_timed_pass_the_task_and_catch_its_faults(expected: dict[str, Any]) -> None:
    gate = Gate.shipped(BENCH / "profiles")
    assert [what for what in gate.unsupported if "bench" in what] == []
    assert gate.check(expected, profiles={0: [PROFILE]}) == []
    other = copy.deepcopy(expected)
    other["intent"] = "plan"
    other["identifier"][0]["system"] = "urn:x"
    del other["dispenseRequest"]["quantity"]["code"]
    del other["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["code"]
    found = [one for one in gate.check(other, profiles={0: [PROFILE]}) if is_error(one)]
    assert {rule_of(one) for one in found} == {"fixed", "slice", "required", "bench-1"}


def test_bytes_come_out_the_same_every_time(message: Message, record: dict[str, Any], expected: dict[str, Any]) -> None:
    made = encode(message.fill(record)[0])
    assert made == encode(message.fill(copy.deepcopy(record))[0])
    assert decode(made) == expected


@pytest.mark.parametrize("name", ["prescription.fpml.json", "prescription.jq", "prescription.jsonata", "prescription.liquid"])
def test_every_peer_is_given_the_whole_task(name: str, record: dict[str, Any]) -> None:
    text = (BENCH / "peers" / name).read_text("utf-8")
    assert [field for field in record if field != "clinic_ods" and field not in text] == []
