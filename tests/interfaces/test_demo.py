"""The demo is the first thing that anyone sees: it must be true, short of colour where none is wanted, and fit the screen."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from dataclasses import replace

import pytest

from adapter.fhir import json
from adapter.interfaces import demo
from adapter.interfaces.exits import Exit
from tests.interfaces.running import ROOT, command, environment

STEPS = demo.story()


def test_it_ends_as_it_is_told_on_eighty_columns_without_colour() -> None:
    ran = command("demo", env={"COLUMNS": "80"})
    said = ran.stdout.decode()
    assert (ran.returncode, ran.stderr) == (Exit.DONE, b"")
    assert [line for line in said.splitlines() if len(line) > 80 or "\x1b" in line or "\u2026" in line] == []
    for number, step in enumerate(STEPS, 1):
        assert f"{number}. {step.title} --" in said
    assert said.count("what was sent, value for value") == sum(step.back for step in STEPS)
    assert said.count("nothing was put out") == sum(step.refused for step in STEPS)


def test_it_shows_what_the_product_is_for() -> None:
    """All three kinds of system, both ways, something carried, something warned of, something refused."""
    said = command("demo", env={"COLUMNS": "80"}).stdout.decode()
    kinds = {step.read.partition("/")[0] for step in STEPS} | {step.write.partition("/")[0] for step in STEPS}
    assert len(kinds - {"fhir"}) >= 3
    assert all(words in said for words in ("Carried unread: ", "warning: ", "error: ", "mend: ", "Not read: none."))


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.case)
def test_every_path_that_is_shown_is_followed_to_its_end(step: demo.Step) -> None:
    import adapter
    from adapter.interfaces.demo_table import at, way

    if step.refused:
        assert step.show == []
        return
    ost = adapter.load()
    done = demo.translated(ost, step, step.write)
    reading = demo.translated(ost, step, "fhir").lineage
    assert done.lineage[: len(reading)] == reading
    extract = step.file.is_dir()
    if step.quote:
        assert done.result is not None
        assert at(json.decode(done.result), step.quote)
    for path in step.show:
        value = [] if extract else at(json.decode(step.file.read_bytes()), path)
        assert value or extract, f"{path} is not in what is sent"
        element, target = way(path, value, done.bundle, reading, done.lineage[len(reading) :])
        assert at(done.bundle, element), f"{path} has no element in the hub"
        if done.result is not None:
            assert at(ost.message(step.write).record_of(done.result), target), f"{path} does not reach the target"


@pytest.mark.parametrize("refused", [True, False])
def test_a_story_that_ends_otherwise_is_a_failure(
    refused: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    step = next(step for step in STEPS if step.refused is refused)
    monkeypatch.setattr(demo, "story", lambda: [replace(step, refused=not refused)])
    assert demo.run() == Exit.CONTENT
    assert step.title in capsys.readouterr().out


def _on_a_terminal(env: dict[str, str]) -> str:
    ours, theirs = pty.openpty()
    run = [sys.executable, "-m", "adapter", "demo"]
    process = subprocess.Popen(run, cwd=ROOT, env=environment(env), stdout=theirs, stderr=theirs)
    os.close(theirs)
    said = b""
    try:
        while part := os.read(ours, 65536):
            said += part
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(ours)
    assert process.wait(60) == Exit.DONE
    return said.decode()


def test_colour_is_for_terminals_that_want_it() -> None:
    assert re.search(r"\x1b\[[0-9;]*m", _on_a_terminal({"TERM": "xterm-256color"}))
    assert not re.search(r"\x1b\[[0-9;]*3[1-7]", _on_a_terminal({"TERM": "xterm-256color", "NO_COLOR": "1"}))
    assert "\x1b" not in _on_a_terminal({"TERM": "dumb"})
