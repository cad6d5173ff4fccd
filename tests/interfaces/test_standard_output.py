"""Output that cannot be written is a storage fault of every command, and no fault of the program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from adapter.interfaces.exits import Exit
from tests.care.build import bundles
from tests.interfaces.running import ROOT, command, environment

COMMANDS = (
    ["systems"],
    ["systems", "--json"],
    ["demo"],
    ["--help"],
    ["--version"],
    ["ledger", "--help"],
    ["maps", "check"],
    ["maps", "docs"],
)


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_is_a_storage_fault_of_every_command(arguments: list[str], unbuffered: str) -> None:
    with Path("/dev/full").open("wb") as full:
        done = started(arguments, full.fileno(), {"PYTHONUNBUFFERED": unbuffered})
    assert (done.returncode, done.stderr.decode().splitlines()[0]) == (5, "Error: standard output: No space left on device")


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_reader_that_has_gone_away_is_one_too_and_is_told_nothing(arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = started(arguments, writing)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (5, b"")


def started(arguments: list[str], stdout: int, more: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    """The command as a process of its own, with its output there."""
    run = [sys.executable, "-m", "adapter", *arguments]
    return subprocess.run(run, stdout=stdout, stderr=subprocess.PIPE, timeout=60, cwd=ROOT, env=environment(more))


def test_a_folder_that_cannot_be_made_is_one_too(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = command("maps", "docs", "-o", str(tmp_path / "file"))
    assert done.returncode == Exit.STORAGE
    assert done.stderr.decode().startswith(f"Error: {tmp_path}/file: ")


# what a stream cannot say -------------------------------------------------------------------------------------------------
ENCODINGS = ({"PYTHONIOENCODING": "latin-1"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"})


@pytest.mark.parametrize("extra", ENCODINGS, ids=["latin-1", "ascii"])
def test_a_character_that_the_stream_lacks_stands_escaped(extra: dict[str, str]) -> None:
    done = command("systems", env=extra)
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"prescription-chang\u2026" in done.stdout
    data = command("systems", "--json", env=extra)
    assert (data.returncode, data.stdout) == (0, command("systems", "--json").stdout), "data is bytes"


@pytest.mark.parametrize("extra", ENCODINGS, ids=["latin-1", "ascii"])
def test_so_does_a_sign_of_the_ledger(extra: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "messages.ndjson"
    case = {
        "forms": [{"id": "F1", "authored": "2026-03-01", "first": "2026-03-02", "last": "2026-03-15", "mg": 60}],
        "doses": [{"on": "2026-03-02..2026-03-03", "is": "missed"}],
    }
    file.write_text("".join(json.dumps(one) + "\n" for one in bundles(case)))
    done = command("ledger", str(file), "--as-of", "2026-03-06", env=extra)
    assert done.returncode == 0
    assert rb"\u2715  missed" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("translate",), 2),
        (("--nonsense",), 2),
        (("systems", "--mappings", "/no/such/folder"), 2),
        (("translate", "/dev/zero", "--from", "fhir"), 2),
    ],
)
def test_a_fault_of_usage_is_one_where_nobody_can_be_told(arguments: tuple[str, ...], code: int) -> None:
    with Path("/dev/full").open("wb") as full:
        run = [sys.executable, "-m", "adapter", *arguments]
        done = subprocess.run(run, stdout=subprocess.PIPE, stderr=full, timeout=60, cwd=ROOT, env=environment())
    assert done.returncode == code
