"""Where `ledger` reads from and writes to: pipes, outputs that are one place, what cannot be written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapter.care.shared_care import shared_care
from adapter.interfaces.ledger_page import page
from adapter.interfaces.left_out import LeftOut
from tests.care.build import bundles
from tests.interfaces.running import ROOT, command, environment

CASE: dict[str, Any] = {
    "forms": [{"id": "F1", "authored": "2026-03-01", "first": "2026-03-02", "last": "2026-03-15", "mg": 60}],
    "doses": [{"on": "2026-03-02..2026-03-03", "is": "supervised"}, {"on": "2026-03-04", "is": "take-home"}],
}
AS_OF = ("--as-of", "2026-03-04")
SENDER = ("--sender", "YZ901", "Reset Treatment Service", "01632 960144")


@pytest.fixture
def messages(tmp_path: Path) -> Path:
    file = tmp_path / "messages.ndjson"
    file.write_text("".join(json.dumps(one) + "\n" for one in bundles(CASE)))
    return file


def test_the_table_says_the_last_doses_and_the_deputy(messages: Path) -> None:
    lines = command("ledger", str(messages), *AS_OF).stdout.decode().splitlines()
    assert "last dose seen: 2026-03-03, 60 mg; last dose possible later: 2026-03-04, 60 mg" in lines
    assert any(line.endswith(": care-coordinator, else deputy") for line in lines if line.startswith("! due naloxone-due"))


def test_the_page_says_the_last_doses_and_the_deputy(messages: Path, tmp_path: Path) -> None:
    file = tmp_path / "ledger.html"
    command("ledger", str(messages), *AS_OF, "--html", str(file))
    text = file.read_text("utf-8")
    assert "<dt>last dose seen</dt><dd><span>2026-03-03</span> <span>60 mg</span>" in text
    assert "<dt>last dose possible later</dt><dd><span>2026-03-04</span> <span>60 mg</span>" in text
    assert "care coordinator, else deputy" in text


def test_an_action_without_a_deputy_has_none_on_the_page() -> None:
    (care,) = shared_care(bundles(CASE), "2026-03-04")
    alone = replace(care, actions=tuple(replace(one, deputy="") for one in care.actions))
    text = page([alone], LeftOut())
    assert "; care coordinator<br>" in text and ", else " not in text


# what cannot be written -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("more", [(), ("--json",), ("--html", "-")], ids=["table", "json", "html"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_standard_output_that_cannot_be_written_is_a_storage_fault(
    messages: Path, more: tuple[str, ...], unbuffered: str
) -> None:
    run = [sys.executable, "-m", "adapter", "ledger", str(messages), *AS_OF, *more]
    with Path("/dev/full").open("wb") as full:
        env = environment({"PYTHONUNBUFFERED": unbuffered})
        done = subprocess.run(run, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, cwd=ROOT, env=env)
    assert done.returncode == 5
    assert done.stderr.startswith("Error: standard output: No space left on device\n    mend: ")


@pytest.mark.parametrize("more", [(), ("--json",)], ids=["table", "json"])
def test_a_reader_that_has_gone_away_is_told_nothing(messages: Path, more: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    run = [sys.executable, "-m", "adapter", "ledger", str(messages), *AS_OF, *more]
    try:
        done = subprocess.run(run, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60, cwd=ROOT, env=environment())
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (5, "")


# inputs -----------------------------------------------------------------------------------------------------------------
def test_a_named_pipe_is_read_whole(messages: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(messages.read_bytes()), daemon=True)
    writer.start()
    done = command("ledger", str(pipe), *AS_OF)
    writer.join(10)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == command("ledger", str(messages), *AS_OF).stdout


def test_a_file_whose_name_is_no_text_is_read_and_named(messages: Path, tmp_path: Path) -> None:
    """A name of bytes that are no UTF-8: in what is said they stand escaped, and the issues carry it as well."""
    name = os.fsencode(tmp_path) + b"/\xff\xfe.ndjson"
    Path(os.fsdecode(name)).write_bytes(messages.read_bytes() + b'{"resourceType": "Bundle"}\n')
    run = [sys.executable, "-m", "adapter", "ledger", os.fsdecode(name), *AS_OF, "--json"]
    done = subprocess.run(run, capture_output=True, timeout=60, cwd=ROOT, env=environment())
    assert done.returncode == 3, done.stderr
    assert b"/\\udcff\\udcfe.ndjson:5: error: " in done.stderr
    file, line = json.loads(done.stdout)["issues"]["issue"][0]["extension"]
    assert (file["valueString"].endswith(r"/\udcff\udcfe.ndjson"), line["valueInteger"]) == (True, 5)


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_a_device_is_no_input(device: str) -> None:
    done = command("ledger", device, *AS_OF)
    assert done.returncode == 2
    assert (
        done.stderr.decode()
        == f"Error: {device}: neither a file nor a pipe\n    mend: give a file, a pipe, or - for standard input\n"
    )


# outputs that are one place -----------------------------------------------------------------------------------------------
def refused(*arguments: str | Path, stdin: bytes = b"") -> str:
    done = command("ledger", *map(str, arguments), *AS_OF, *SENDER, stdin=stdin)
    assert (done.returncode, done.stdout) == (2, b""), done.stderr
    return done.stderr.decode()


def test_two_outputs_are_not_written_to_one_place(messages: Path, tmp_path: Path) -> None:
    """By whatever name. Nothing has been read by then: the input need not even be one."""
    new, there, link = tmp_path / "new", tmp_path / "there", tmp_path / "link"
    there.write_text("before")
    link.symlink_to(there)
    messages.write_text("no message")
    one_place = "--html and --messages would be written to one place"
    assert one_place in refused(messages, "--html", new, "--messages", new)
    assert one_place in refused(messages, "--html", new, "--messages", tmp_path / ".." / tmp_path.name / "new")
    assert one_place in refused(messages, "--html", there, "--messages", link)
    assert one_place in refused(messages, "--html", "-", "--messages", "-")
    assert "--html and --json" in refused(messages, "--html", "-", "--json")
    assert "--messages and --json" in refused(messages, "--messages", "/dev/stdout", "--json")
    assert there.read_text() == "before" and not new.exists()


@pytest.mark.parametrize("option", ["--html", "--messages"])
def test_an_input_is_not_overwritten(messages: Path, tmp_path: Path, option: str) -> None:
    before = messages.read_bytes()
    link, hard = tmp_path / "link", tmp_path / "hard"
    link.symlink_to(messages)
    hard.hardlink_to(messages)
    for target in (messages, link, hard):
        assert f"{option} would overwrite {messages}" in refused(messages, option, target)
    assert messages.read_bytes() == before and link.is_symlink()


def test_neither_is_what_standard_input_or_output_leads_to(messages: Path) -> None:
    before = messages.read_bytes()
    run = [sys.executable, "-m", "adapter", "ledger", *AS_OF]
    with messages.open("rb") as given, messages.open("ab") as target:
        read = subprocess.run(
            [*run, "-", "--html", str(messages)], stdin=given, capture_output=True, cwd=ROOT, env=environment(), timeout=60
        )
        put = subprocess.run(
            [*run, str(messages)], stdout=target, stderr=subprocess.PIPE, cwd=ROOT, env=environment(), timeout=60
        )
    assert (read.returncode, put.returncode) == (2, 2)
    assert b"--html would overwrite standard input" in read.stderr
    assert b"standard output would overwrite" in put.stderr
    assert messages.read_bytes() == before


def test_standard_input_is_given_once(messages: Path) -> None:
    assert "give - once" in refused("-", "-", stdin=messages.read_bytes())


def test_outputs_of_their_own_are_all_written(messages: Path, tmp_path: Path) -> None:
    drawn, told = tmp_path / "ledger.html", tmp_path / "told.ndjson"
    done = command("ledger", str(messages), *AS_OF, "--html", str(drawn), "--messages", str(told), *SENDER, "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["days"] and drawn.read_text("utf-8").startswith("<!doctype html>")
    assert json.loads(told.read_text("utf-8").splitlines()[0])["resourceType"] == "Bundle"
