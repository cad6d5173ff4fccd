"""Rows gathered into records and scattered again: every expectation is worked out by hand from the layout in the manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.fhir.outcome import Refused, place_of, rule_of
from adapter.wire import csv_records
from adapter.wire.csv_layout import Layout, layout

#: A plan with goals, and acts that may serve a goal: the two lists share GOAL_NO.
SCHEMA: dict[str, Any] = {
    "properties": {
        "PLAN": {},
        "STATE": {},
        "goals": {"items": {"required": ["GOAL_NO", "GOAL"]}},
        "acts": {"items": {"$ref": "#/$defs/act"}},
    },
    "$defs": {"act": {"required": ["ACT_NO"]}},
}
ROWS: dict[str, Any] = {
    "by": ["PLAN"],
    "lists": {
        "goals": {"by": ["GOAL_NO"], "columns": ["GOAL_NO", "GOAL"]},
        "acts": {"by": ["ACT_NO"], "columns": ["ACT_NO", "ACT", "GOAL_NO"]},
    },
    "spelling": {"GAOL": "GOAL"},
}
PLAN = layout({"rows": ROWS}, SCHEMA)
FLAT = layout({}, {"properties": {"ID": {}, "DATE": {}}})
HEAD = "PLAN,STATE,GOAL_NO,GOAL,ACT_NO,ACT\r\n"


def read(text: str | bytes, plan: Layout = PLAN) -> list[csv_records.RowsRead]:
    return list(csv_records.read(text.encode() if isinstance(text, str) else text, plan, "plans.csv"))


def told(found: csv_records.RowsRead) -> list[tuple[str, str, list[str]]]:
    return [(rule_of(i), place_of(i), i.get("expression", [])) for i in found.issues]


def test_rows_of_one_record_are_gathered() -> None:
    (made,) = read(HEAD + "P1,A,1,See my son,1,Keywork\r\nP1,A,1,See my son,2,Housing\r\nP1,A,2,Sleep,,\r\nP1,A,,,3,Naloxone\r\n")
    assert made.record == {
        "PLAN": "P1",
        "STATE": "A",
        "goals": [{"GOAL_NO": "1", "GOAL": "See my son"}, {"GOAL_NO": "2", "GOAL": "Sleep"}],
        "acts": [
            {"ACT_NO": "1", "ACT": "Keywork", "GOAL_NO": "1"},
            {"ACT_NO": "2", "ACT": "Housing", "GOAL_NO": "1"},
            {"ACT_NO": "3", "ACT": "Naloxone"},
        ],
    }
    assert (made.place, made.issues) == ("plans.csv:2", [])
    assert made.lines(("acts", 2, "ACT")) == (5, 6)
    assert made.lines(("STATE",)) == (2, 2)


def test_records_are_written_as_rows() -> None:
    record = {
        "PLAN": "P1",
        "STATE": "A, B",
        "goals": [{"GOAL_NO": "1", "GOAL": 'My "own"'}, {"GOAL_NO": "2", "GOAL": "Sleep"}],
        "acts": [
            {"ACT_NO": "1", "ACT": "x", "GOAL_NO": "1"},
            {"ACT_NO": "2", "ACT": "y", "GOAL_NO": "1"},
            {"ACT_NO": "3", "ACT": "z"},
            {"ACT_NO": "4", "ACT": "q", "GOAL_NO": "9"},
        ],
    }
    assert csv_records.header_line(PLAN).decode() == HEAD
    assert csv_records.write(record, PLAN).decode() == (
        'P1,"A, B",1,"My ""own""",1,x\r\n'
        'P1,"A, B",1,"My ""own""",2,y\r\n'
        'P1,"A, B",2,Sleep,,\r\n'
        'P1,"A, B",,,3,z\r\n'
        'P1,"A, B",9,,4,q\r\n'
    )
    assert read(csv_records.header_line(PLAN) + csv_records.write(record, PLAN))[0].record == record


def test_a_record_without_lists_is_one_row() -> None:
    assert csv_records.write({"PLAN": "P1"}, PLAN) == b"P1,,,,,\r\n"
    assert read(HEAD + "P1,,,,,\r\n")[0].record == {"PLAN": "P1"}


def test_a_value_that_is_no_text_is_a_fault_of_the_program() -> None:
    with pytest.raises(TypeError):
        csv_records.write({"PLAN": 1}, PLAN)


CELL = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]) | st.sampled_from(',;"\n'), min_size=1).filter(
    lambda t: t.strip() and "\r" not in t
)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.builds(lambda g: {"GOAL": g}, CELL), max_size=3),
    st.lists(st.tuples(CELL, st.sampled_from(["", "0", "1", "8"])), max_size=4),
)
def test_what_is_written_is_read_again(goals: list[dict[str, str]], acts: list[tuple[str, str]]) -> None:
    record: dict[str, Any] = {"PLAN": "P,1", "STATE": 'a "b"\nc'}
    if goals:
        record["goals"] = [{"GOAL_NO": str(n), **goal} for n, goal in enumerate(goals)]
    if acts:
        record["acts"] = [
            {"ACT_NO": str(n), "ACT": text, **({"GOAL_NO": goal} if goal else {})} for n, (text, goal) in enumerate(acts)
        ]
    made = read(csv_records.header_line(PLAN) + csv_records.write(record, PLAN))[0]
    assert made.record is not None

    def key(element: dict[str, str]) -> str:
        return str(sorted(element.items()))

    ordered = {k: sorted(v, key=key) if isinstance(v, list) else v for k, v in made.record.items()}
    assert ordered == {k: sorted(v, key=key) if isinstance(v, list) else v for k, v in record.items()}


def test_rows_that_disagree_are_refused_with_both_lines() -> None:
    (made,) = read(HEAD + "P1,A,1,See my son,1,Keywork\r\nP1,B,1,See my sun,2,Housing\r\n")
    assert made.record is None
    assert told(made) == [
        ("csv-rows-disagree", "plans.csv:3:2", ["STATE"]),
        ("csv-rows-disagree", "plans.csv:3:4", ["GOAL"]),
    ]
    assert all("line 2" in one["details"]["text"] for one in made.issues)
    assert "sun" not in str(made.issues)


def test_rows_of_one_record_that_stand_apart_are_refused() -> None:
    found = read(HEAD + "P1,A,1,x,,\r\nP2,A,1,y,,\r\nP1,A,2,z,,\r\n")
    assert [one.record is None for one in found] == [False, False, True]
    assert told(found[2]) == [("csv-rows-apart", "plans.csv:4", ["PLAN"])]


def test_a_ragged_row_between_two_records_may_be_of_either() -> None:
    found = read(HEAD + "P1,A,1,x,,\r\nP1,A,2\r\nP2,A,1,y,,\r\nP3,A,1,z,,\r\n")
    assert [told(one) for one in found] == [
        [("csv-columns", "plans.csv:3:4", ["GOAL"])],
        [("csv-record-cut", "plans.csv:2", ["PLAN"])],
        [("csv-record-cut", "plans.csv:4", ["PLAN"])],
        [],
    ]
    assert [one.record is None for one in found] == [True, True, True, False]


def test_a_ragged_row_among_the_rows_of_one_record_costs_that_alone() -> None:
    found = read(HEAD + "P0,A,1,w,,\r\nP1,A,1,x,,\r\nP1,A,2\r\nP1,A,3,y,,\r\nP2,A,1,z,,\r\n")
    assert [one.place for one in found if one.record] == ["plans.csv:2", "plans.csv:6"]
    found = read(HEAD + "P1,A\r\nP1,A,3,y,,\r\nP2,A,1,z,,\r\nP3\r\n")
    assert [one.record is None for one in found] == [True, True, True, True], "the first, its own, the next, the last row"


def test_where_every_row_is_a_record_a_ragged_one_costs_itself_alone() -> None:
    found = read("ID,DATE\n1,a\n2\n3,c\n", FLAT)
    assert [one.record for one in found] == [{"ID": "1", "DATE": "a"}, None, {"ID": "3", "DATE": "c"}]
    assert told(found[1]) == [("csv-columns", "plans.csv:3:2", ["DATE"])]
    assert [one.record for one in read("ID,DATE\n1,a\n1,a\n", FLAT)] == [{"ID": "1", "DATE": "a"}] * 2


@pytest.mark.parametrize(
    "body",
    [
        "ID;DATE\r\n1;caf\u00e9\r\n".encode(),
        "DATE,ID\n caf\u00e9,1\n".replace(" caf", "caf").encode("cp1252"),
        b"\xef\xbb\xbf" + "ID,DATE\r\n1,caf\u00e9\r\n".encode(),
        'ID,DATE\r\n"1","caf\u00e9"'.encode(),
    ],
    ids=["semicolons", "windows-1252, other order", "byte order mark", "quotes, no last end of line"],
)
def test_the_forms_in_which_exports_come(body: bytes) -> None:
    assert [one.record for one in read(body, FLAT)] == [{"ID": "1", "DATE": "caf\u00e9"}]


def test_a_misspelt_header_of_an_older_version_is_read() -> None:
    assert read(HEAD.replace("GOAL,", "GAOL,") + "P1,A,1,x,,\r\n")[0].record == {
        "PLAN": "P1",
        "STATE": "A",
        "goals": [{"GOAL_NO": "1", "GOAL": "x"}],
    }


def test_a_column_that_no_version_has_is_told_and_never_silent() -> None:
    notice, made = read("ID,DATE,MOOD\r\n1,a,sad\r\n", FLAT)
    assert (notice.record, told(notice)) == (None, [("csv-column", "plans.csv:1:3", [])])
    assert (made.record, made.surplus) == ({"ID": "1", "DATE": "a"}, ("MOOD",))
    assert read("ID,DATE,MOOD\r\n1,a,\r\n", FLAT)[1].surplus == ()


@pytest.mark.parametrize(
    ("head", "wanted"),
    [
        ("ID\r\n", [("csv-header", "plans.csv:1", ["DATE"])]),
        ("ID,ID,DATE\r\n", [("csv-header", "plans.csv:1:2", [])]),
        ("ID,,DATE\r\n", [("csv-header", "plans.csv:1:2", [])]),
        ("", [("csv-empty", "plans.csv:1", [])]),
    ],
)
def test_a_header_that_cannot_be_used_refuses_the_file(head: str, wanted: list[Any]) -> None:
    with pytest.raises(Refused) as caught:
        read(head, FLAT)
    assert [(rule_of(i), place_of(i), i.get("expression", [])) for i in caught.value.issues] == wanted


def test_a_file_is_read_in_the_memory_of_one_record(tmp_path: Path) -> None:
    import tracemalloc

    file = tmp_path / "many.csv"
    with file.open("w") as out:
        out.write("ID,DATE\n")
        out.writelines(f"{n},2026-03-18\n" for n in range(200_000))
    tracemalloc.start()
    count = sum(one.record is not None for one in csv_records.read(file, FLAT))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 200_000
    assert peak < 4_000_000


@pytest.mark.parametrize(
    ("rows", "schema", "word"),
    [
        ({"by": ["PLAN"], "list": {}}, SCHEMA, "list is no word"),
        ({"by": ["NO"]}, SCHEMA, "no column of the header"),
        ({"lists": {"goals": {"by": ["GOAL_NO"], "columns": ["GOAL_NO", "GOAL"]}}}, SCHEMA, "by is missing"),
        ({"by": ["PLAN"], "lists": {"goals": {"by": ["X"], "columns": ["GOAL"]}}}, SCHEMA, "every column of by"),
        ({"by": ["PLAN"], "lists": {"wishes": {"by": ["W"], "columns": ["W"]}}}, SCHEMA, "no list wishes"),
        (
            ROWS,
            {**SCHEMA, "properties": {**SCHEMA["properties"], "goals": {"items": {"required": ["GOAL_NO"]}}}},
            "needs a required column",
        ),
    ],
)
def test_a_manifest_at_fault_is_told(rows: dict[str, Any], schema: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        layout({"rows": rows}, schema)
