"""The README's five steps, followed to the letter in an empty folder: files as they stand there, commands as they stand there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from adapter.fhir import json
from tests.documents import ROOT, blocks, section
from tests.interfaces.running import command, environment

STEPS = section((ROOT / "README.md").read_text(), "Add a system in five steps")


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder as it is after the five steps."""
    folder = tmp_path_factory.mktemp("empty")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for block in blocks(STEPS):
        if block.file:
            (folder / block.file).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.file).write_text(block.text)
        else:
            assert block.language == "sh", "a block is a file to make or commands to run"
            shell = ["bash", "-euo", "pipefail", "-c", block.text]
            ran = subprocess.run(shell, cwd=folder, env=environment({"PATH": path}), capture_output=True, text=True, timeout=120)
            assert ran.returncode == 0, f"step at line {block.line}: {ran.stderr}"
    return folder


def test_the_other_system_hears_it(followed: Path) -> None:
    heard = json.decode((followed / "heard.json").read_bytes())
    (event,) = heard["episode"]["doseEvents"]
    assert (event["outcome"], event["doseDate"], event["comment"]) == ("DNC", "2026-03-17", "No answer to two calls")
    assert heard["client"]["nhsNumber"] == "9990000018"


def test_the_way_back_says_what_was_said(followed: Path) -> None:
    assert json.decode((followed / "back.json").read_bytes()) == json.decode((followed / "missed.json").read_bytes())


def test_nothing_but_text_was_written(followed: Path) -> None:
    made = {path.relative_to(followed).as_posix() for path in followed.rglob("*") if path.is_file()}
    assert {Path(name).suffix for name in made} == {".yaml", ".json"}, "no Python"


def test_a_slip_in_a_map_is_told_with_its_place(followed: Path) -> None:
    file = followed / "my-systems" / "corner" / "missed" / "Patient.yaml"
    whole = file.read_text()
    try:
        file.write_text(whole.replace("birthDate:", "birthdate:"))
        ran = command("maps", "check", "corner", "--mappings", "my-systems", cwd=followed)
    finally:
        file.write_text(whole)
    assert ran.returncode == 1
    assert "Patient.yaml:5: " in ran.stdout.decode() and "birthDate" in ran.stdout.decode()


def test_a_message_that_breaks_the_contract_is_refused_with_its_place(followed: Path) -> None:
    wrong = (followed / "missed.json").read_bytes().replace(b'"day": "2026-03-17", ', b"")
    ran = command("translate", "-", "--from", "corner/missed", "--mappings", "my-systems", cwd=followed, stdin=wrong)
    assert (ran.returncode, ran.stdout) == (1, b"")
    assert "missed[0].day" in ran.stderr.decode()
