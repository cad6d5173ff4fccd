"""Where `translate` and `validate` read from and write to: places of their own, and none without an end."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.interfaces.running import ROOT, command, environment

CASE = ROOT / "fixtures" / "pharmacy" / "dose-outcome"
READ = ("--from", "pharmacy/dose-outcome")


@pytest.fixture
def message(tmp_path: Path) -> Path:
    """A file of many that holds one."""
    file = tmp_path / "messages.ndjson"
    file.write_text(min(CASE.glob("*/in.json")).read_text("utf-8").replace("\n", "") + "\n")
    return file


def refused(*arguments: str | Path) -> str:
    done = command(*map(str, arguments))
    assert (done.returncode, done.stdout) == (2, b""), done.stderr
    return done.stderr.decode()


@pytest.mark.parametrize("option", ["--rejects", "-o"])
def test_an_input_is_not_overwritten(message: Path, tmp_path: Path, option: str) -> None:
    before, link, hard = message.read_bytes(), tmp_path / "link", tmp_path / "hard"
    link.symlink_to(message)
    hard.hardlink_to(message)
    for target in (message, link, hard):
        assert f"{option} would overwrite {message}" in refused("translate", message, *READ, option, target)
    assert message.read_bytes() == before and link.is_symlink()


def test_a_message_alone_is_not_overwritten_either(message: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone.json"
    alone.write_bytes(message.read_bytes())
    assert f"-o would overwrite {alone}" in refused("translate", alone, *READ, "-o", alone)
    assert alone.read_bytes() == message.read_bytes()


def test_neither_is_a_file_of_an_extract(tmp_path: Path) -> None:
    extract = tmp_path / "extract"
    extract.mkdir()
    (extract / "a.csv").write_text("A,B\n")
    said = refused("translate", extract, "--from", "emis/issue", "-o", extract / "a.csv")
    assert f"-o would overwrite {extract / 'a.csv'}" in said
    assert (extract / "a.csv").read_text() == "A,B\n"


def test_results_and_rejects_have_a_place_each(message: Path, tmp_path: Path) -> None:
    new, one_place = tmp_path / "new", "-o and --rejects would be written to one place"
    assert one_place in refused("translate", message, *READ, "-o", new, "--rejects", new)
    assert "standard output and --rejects" in refused("translate", message, *READ, "--rejects", "-")
    assert not new.exists()
    both = ("-o", os.devnull, "--rejects", os.devnull)
    assert command("translate", str(message), *READ, *both).returncode == 0, "the null device keeps nothing"


@pytest.mark.parametrize("arguments", [("translate", *READ), ("validate",)], ids=["translate", "validate"])
def test_standard_output_is_no_input(message: Path, arguments: tuple[str, ...]) -> None:
    before, (name, *more) = message.read_bytes(), arguments
    run = [sys.executable, "-m", "adapter", name, str(message), *more]
    with message.open("ab") as target:
        done = subprocess.run(run, stdout=target, stderr=subprocess.PIPE, cwd=ROOT, env=environment(), timeout=60)
    assert done.returncode == 2 and f"standard output would overwrite {message}".encode() in done.stderr
    assert message.read_bytes() == before


# what is read -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
@pytest.mark.parametrize(
    "arguments", [("translate", *READ), ("translate", *READ, "--lines"), ("validate",)], ids=["one", "many", "validate"]
)
def test_a_device_is_no_input(device: str, arguments: tuple[str, ...]) -> None:
    name, *more = arguments
    said = refused(name, device, *more)
    assert said == f"Error: {device}: neither a file nor a pipe\n    mend: give a file, a pipe, or - for standard input\n"


def test_a_sample_is_no_device(tmp_path: Path) -> None:
    said = refused("maps", "new", "a/b", "--sample", "/dev/zero", "--event", "dose-outcome", "-o", tmp_path / "new")
    assert "/dev/zero: neither a file nor a pipe" in said


def test_a_named_pipe_is_read(message: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(message.read_bytes()), daemon=True)
    writer.start()
    done = command("translate", str(pipe), *READ)
    writer.join(10)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("read", ["pharmacy/dose-outcome", "nebula/dose-outcome", "fhir"])
def test_a_folder_or_zip_holds_an_extract_and_nothing_else(tmp_path: Path, read: str) -> None:
    (tmp_path / "some").mkdir()
    shutil.make_archive(str(tmp_path / "some"), "zip", tmp_path / "some")
    for name, what in (("some", "folder"), ("some.zip", "zip")):
        said = refused("translate", tmp_path / name, "--from", read)
        assert f"{tmp_path / name}: a {what} holds an extract, and {read} is none: give a file, or name" in said
