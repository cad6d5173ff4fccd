"""The hazard log: it is sound, what it names exists, and each control, switched off, makes one of its own tests fail."""

from __future__ import annotations

import ast
import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from adapter.care import hazards
from adapter.care.hazards import LOG, Control, Hazard, Log
from adapter.mapping.faults import MapFaults
from tests.disabled import edited, owner_of

ROOT = Path(__file__).resolve().parent.parent
SAFETY = hazards.load()
CONTROLS = list(SAFETY.controls.values())
#: What a test fails of that finds its claim untrue; any other exception means that switching off broke the program.
NOTICED = {"AssertionError", "Failed"}


# what the log names -----------------------------------------------------------------------------------------------------
@cache
def names(module: Path) -> frozenset[str]:
    """What a module defines at its top and one class down: `function`, `Class`, `Class.method`, `NAME`."""
    found = set()
    for node in ast.parse(module.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{one.name}" for one in node.body if isinstance(one, ast.FunctionDef)}
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        found |= {one.id for one in targets if isinstance(one, ast.Name)}
    return frozenset(found)


def lost(control: Control) -> Iterator[str]:
    """What a control names and is not there: its places, its tests (of a parametrised one the function), and what switches it off."""
    for place in control.where:
        module, _, name = place.partition(":")
        file = ROOT / (f"{module.replace('.', '/')}.py" if name else place)
        if not file.is_file() or (name and name not in names(file)):
            yield f"{control.id}: {place}"
    for node in control.tests:
        path, _, name = node.partition("[")[0].partition("::")
        if not (ROOT / path).is_file() or name.replace("::", ".") not in names(ROOT / path):
            yield f"{control.id}: {node}"
    for one in control.disable:
        try:
            _ = owner_of(one["attribute"]) if "attribute" in one else edited([dict(one)])
        except (ValueError, OSError, AttributeError) as error:
            yield f"{control.id}: {error}"


def test_everything_that_a_control_names_is_there() -> None:
    assert [what for control in CONTROLS for what in lost(control)] == []


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"where": ("adapter.fhir.dates:service_week",)}, "H00-C1: adapter.fhir.dates:service_week"),
        ({"where": ("profiles/StructureDefinition-none.json",)}, "H00-C1: profiles/StructureDefinition-none.json"),
        ({"tests": ("tests/fhir/test_dates.py::test_nothing[1]",)}, "H00-C1: tests/fhir/test_dates.py::test_nothing[1]"),
        ({"tests": ("tests/fhir/test_none.py::test_precision",)}, "H00-C1: tests/fhir/test_none.py::test_precision"),
        (
            {"disable": ({"attribute": "adapter.fhir.dates.no", "returns": 1},)},
            "H00-C1: module 'adapter.fhir.dates' has no attribute",
        ),
        (
            {"disable": ({"file": "adapter/fhir/dates.py", "old": "return", "new": ""},)},
            "H00-C1: adapter/fhir/dates.py has 'return'",
        ),
    ],
)
def test_what_is_not_there_is_noticed(changed: dict[str, Any], told: str) -> None:
    good: dict[str, Any] = {
        "id": "H00-C1",
        "does": "It tells the day.",
        "where": ("adapter.fhir.dates:service_day",),
        "tests": ("tests/fhir/test_dates.py::test_service_day[a-b]",),
        "disable": ({"attribute": "adapter.fhir.dates.service_day", "returns": ""},),
    }
    assert list(lost(Control(**good))) == []
    [found] = lost(Control(**{**good, **changed}))
    assert found.startswith(told)


# the log itself ---------------------------------------------------------------------------------------------------------
def test_so_many_hazards_are_controlled_and_so_many_open() -> None:
    """A hazard that is closed or opened is a decision: the numbers change with it."""
    assert SAFETY.counts == {"controlled": 4, "open": 14}
    assert [one.id for one in SAFETY.hazards] == [f"H{n:02}" for n in range(1, 19)]
    assert [one.id for one in SAFETY.hazards if one.status == "controlled"] == ["H05", "H07", "H09", "H14"]


@pytest.mark.parametrize("hazard", SAFETY.hazards, ids=lambda hazard: hazard.id)
def test_a_controlled_hazard_has_controls_with_tests_and_misses_nothing(hazard: Hazard) -> None:
    assert hazard.approval == "for the Clinical Safety Officer to decide"
    if hazard.status == "controlled":
        assert hazard.controls and all(control.tests for control in hazard.controls)
    assert bool(hazard.missing) == (hazard.status == "open")


GOOD = """title: Log
version: 1.0.0
hazards:
  - id: H01
    title: A hazard
    effect: It hurts.
    causes: [one]
    rating: {severity: major, likelihood: low, approval: for the Clinical Safety Officer to decide}
    status: controlled
    controls:
      - id: H01-C1
        does: Something.
        where: ["adapter.fhir.dates:service_day"]
        tests: ["tests/fhir/test_dates.py::test_service_day"]
        disable: [{attribute: adapter.fhir.dates.service_day, returns: ""}]
"""


def faults(text: str) -> list[tuple[int, str]]:
    with pytest.raises(MapFaults) as caught:
        hazards.read(text, "log.yaml")
    return [(one.line, one.what) for one in caught.value.faults]


def test_a_sound_log_is_read() -> None:
    [hazard] = hazards.read(GOOD, "log.yaml").hazards
    assert (hazard.id, hazard.controls[0].id, hazard.missing) == ("H01", "H01-C1", ())


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ('        tests: ["tests/fhir/test_dates.py::test_service_day"]\n', "", 11, "$.hazards[0].controls[0] is"),
        ('["tests/fhir/test_dates.py::test_service_day"]', "[]", 14, "$.hazards[0].controls[0].tests is"),
        ("status: controlled", "missing: [something]\n    status: controlled", 9, "$.hazards[0].missing is"),
        ("status: controlled", "status: open", 4, "$.hazards[0] is"),
        ("status: controlled", "status: closed", 9, "$.hazards[0].status is"),
        ("approval: for the Clinical Safety Officer to decide", "approval: done", 8, "$.hazards[0].rating.approval is"),
        ("severity: major", "severity: bad", 8, "$.hazards[0].rating.severity is"),
        ("H01-C1", "H02-C1", 11, "H02-C1 is not a control of H01"),
        ("adapter.fhir.dates:service_day", "service_day", 13, "$.hazards[0].controls[0].where[0] is"),
        ("does: Something.", "does: Something.\n        done: yes", 11, "$.hazards[0].controls[0] is"),
        ("title: A hazard", "title: A hazard\n    title: Another", 6, "title is written twice"),
    ],
)  # fmt: skip
def test_a_faulty_log_is_refused_with_its_line(old: str, new: str, line: int, what: str) -> None:
    assert old in GOOD
    [(at, told)] = faults(GOOD.replace(old, new))
    assert told.startswith(what)
    assert at == line


def test_every_fault_comes_at_once() -> None:
    twice = GOOD + GOOD.split("hazards:\n")[1]
    bad = twice.replace("version: 1.0.0", "version: one").replace("causes: [one]", "causes: []", 1)
    assert [line for line, _ in faults(bad)] == [2, 7, 16, 23]  # version, causes, and both ids of the second hazard again


# switched off -----------------------------------------------------------------------------------------------------------
Ask = Callable[[Iterable[str], Iterable[Mapping[str, Any]]], dict[str, Any]]


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    """Runs nodes with something switched off: tests/disabled.py, in a process that is started once."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    started = subprocess.Popen(
        [sys.executable, "-m", "tests.disabled"],
        cwd=ROOT,
        env=ours | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with started as process:
        assert process.stdin
        assert process.stdout
        to, back = process.stdin, process.stdout

        def asked(tests: Iterable[str], disable: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
            to.write(json.dumps({"tests": list(tests), "disable": [dict(one) for one in disable]}) + "\n")
            to.flush()
            answer: dict[str, Any] = json.loads(back.readline())
            return answer

        yield asked


def test_with_nothing_switched_off_every_test_of_the_controls_passes(ask: Ask) -> None:
    came = ask(sorted({node for control in CONTROLS for node in control.tests}), [])
    assert (came["exit"], came["failed"]) == (0, {}), came["said"]


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.id)
def test_a_control_that_is_switched_off_is_missed(control: Control, ask: Ask) -> None:
    came = ask(control.tests, control.disable)
    assert came["exit"] == 1, came["said"]
    assert came["unread"] == [], "what was edited was never read"
    assert set(came["failed"].values()) & NOTICED, came["failed"]


@pytest.mark.parametrize(
    ("tests", "disable", "exit_code", "failed", "unread"),
    [
        (["test_precision"], [], 0, set(), []),
        (["test_nothing"], [], 4, set(), []),
        (["test_precision"], [{"attribute": "adapter.fhir.dates.precision", "returns": "day"}], 1, {"AssertionError"}, []),
        (["test_precision"], [{"file": "adapter/fhir/dates.py", "old": "return", "new": ""}], -1, set(), []),
        (
            ["test_precision"],
            [{"file": "mappings/emis/system.yaml", "old": "system: emis", "new": ""}],
            0,
            set(),
            ["mappings/emis/system.yaml"],
        ),
    ],
)
def test_what_becomes_of_a_job(
    tests: list[str], disable: list[dict[str, Any]], exit_code: int, failed: set[str], unread: list[str], ask: Ask
) -> None:
    came = ask([f"tests/fhir/test_dates.py::{name}" for name in tests], disable)
    assert (came["exit"], set(came["failed"].values()), came["unread"]) == (exit_code, failed, unread)


# for people -------------------------------------------------------------------------------------------------------------
def test_the_pages_are_what_the_log_says(tmp_path: Path) -> None:
    """`make safety` makes them anew."""
    hazards.main(["-o", str(tmp_path / "made")])
    for name in ("hazards.md", "hazards.csv"):
        assert (ROOT / "docs" / name).read_text("utf-8") == (tmp_path / "made" / name).read_text("utf-8"), "run make safety"


def test_the_page_has_every_hazard_control_and_gap() -> None:
    page = hazards.markdown(SAFETY)
    assert "18 hazards: 4 controlled, 14 open." in page
    for hazard in SAFETY.hazards:
        assert f"\n## {hazard.id} {hazard.title}\n" in page
        assert all(f"\n| {control.id} | " in page for control in hazard.controls)
    assert page.count("\nMissing:\n") == 14
    headings = {
        re.sub(r"[^\w\- ]", "", line[3:].lower()).replace(" ", "-") for line in page.splitlines() if line.startswith("## ")
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", page)) == headings


HOSTILE = Hazard(
    "H01", "a | <b>*x*</b>", "=HYPERLINK(1)", ("-1", "two"), "major", "low", "nobody", "open",
    (Control("H01-C1", '@x, "y"\n', ("profiles/a",), ("tests/a.py::b[c|d]",), ()),), ("more & more",),
)  # fmt: skip


def test_nothing_in_the_log_is_markup_or_a_formula() -> None:
    log = Log("Log", "1.0.0", (HOSTILE,))
    assert "\n## H01 a \\| &lt;b&gt;\\*x\\*&lt;/b&gt;\n" in hazards.markdown(log)
    assert "| `tests/a.py::b[c\\|d]` |" in hazards.markdown(log)
    [head, row] = csv.reader(io.StringIO(hazards.as_csv(log)))
    assert head[:4] == ["hazard", "title", "effect", "causes"]
    assert row == ["H01", "a | &lt;b&gt;*x*&lt;/b&gt;", "'=HYPERLINK(1)", "'-1; two", "major", "low", "nobody", "open",
                   "more &amp; more", "H01-C1", "'@x, \"y\"\n", "profiles/a", "tests/a.py::b[c|d]"]  # fmt: skip


def test_a_row_for_each_control_and_one_for_a_hazard_without() -> None:
    rows = list(csv.DictReader(io.StringIO(hazards.as_csv(SAFETY))))
    assert len(rows) == len(CONTROLS) + sum(not one.controls for one in SAFETY.hazards)
    assert {row["hazard"] for row in rows} == {one.id for one in SAFETY.hazards}
    assert {row["rating approval"] for row in rows} == {"for the Clinical Safety Officer to decide"}


def test_a_log_with_faults_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hazards.yaml").write_text(GOOD.replace("status: controlled", "status: closed"))
    read = hazards.load
    monkeypatch.setattr(hazards, "load", lambda: read(tmp_path / "hazards.yaml"))
    with pytest.raises(SystemExit, match=r"hazards\.yaml:9: "):
        hazards.main(["-o", str(tmp_path / "made")])
    assert LOG.is_file()
    assert not (tmp_path / "made").exists()
