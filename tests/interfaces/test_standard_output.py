"""Output that cannot be written is a storage fault of every command, and no fault of the program."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from adapter.interfaces.exits import Exit
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
