"""What belongs to the command line alone, over a stand-in for the adapter: streams, exit codes, words for people."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from adapter.fhir.outcome import issue
from adapter.interfaces.exits import Exit
from adapter.interfaces.render import say_issues
from adapter.mapping.faults import Fault, MapFaults
from tests.interfaces.conftest import PERSON, Ran, StandIn
from tests.interfaces.running import command
from tests.test_documented import COMMANDS, REFERENCE, _options

Command = Callable[..., Ran]


@pytest.fixture
def note(tmp_path: Path) -> Path:
    file = tmp_path / "note.json"
    file.write_bytes(b'{"dose":1.00}')
    return file


def test_without_a_target_the_bundle_is_printed_alone(cli: Command, note: Path) -> None:
    ran = cli("translate", str(note), "--from", "shop/note")
    assert (ran.code, ran.stderr) == (Exit.DONE, "")
    assert b'"dose": 1.00' in ran.stdout, "numbers keep their digits"
    assert json.loads(ran.stdout)["type"] == "message"


def test_a_native_result_is_printed_byte_for_byte(cli: Command, note: Path) -> None:
    ran = cli("translate", str(note), "--from", "shop/note", "--to", "shop/sheet")
    assert (ran.code, ran.stdout, ran.stderr) == (Exit.DONE, b"A,B\r\n1.00,2\r\n", "")


def test_to_fhir_stops_at_the_hub(cli: Command, note: Path, stand_in: StandIn) -> None:
    assert cli("translate", str(note), "--from", "shop/note", "--to", "fhir").code == Exit.DONE
    assert stand_in.asked[0][1]["write"] is None


def test_a_dash_is_standard_input(cli: Command, stand_in: StandIn) -> None:
    assert cli("translate", "-", "--from", "fhir", stdin=b'{"a":1}').code == Exit.DONE
    assert stand_in.asked[0][1]["body"] == b'{"a":1}'


def test_the_time_of_receipt_is_told_or_now(cli: Command, note: Path, stand_in: StandIn) -> None:
    cli("translate", str(note), "--from", "shop/note", "--received", "2026-03-18T18:10:00Z")
    cli("translate", str(note), "--from", "shop/note")
    told, now = (asked["received"] for _, asked in stand_in.asked)
    assert told == "2026-03-18T18:10:00Z"
    assert now > "2026-03-18" and now.endswith("Z")


@pytest.mark.parametrize("said", ["yesterday", "2026-03-18", "2026-03-18T18:10:00", "18/03/2026"])
def test_a_time_of_receipt_without_offset_is_a_usage_error(cli: Command, note: Path, said: str) -> None:
    ran = cli("translate", str(note), "--from", "shop/note", "--received", said)
    assert (ran.code, ran.stdout) == (Exit.USAGE, b"")


def test_warnings_go_to_people_and_the_data_goes_on(cli: Command) -> None:
    ran = cli("translate", "-", "--from", "shop/note", stdin=b'{"warn":1}')
    assert ran.code == Exit.DONE
    assert json.loads(ran.stdout)
    assert ran.stderr.splitlines() == [
        "-: warning: This was not read. [unread]", "    at: note", "    mend: Read it by hand.", "1 warning",
    ]  # fmt: skip


def test_a_refused_message_prints_no_data_and_every_issue(cli: Command) -> None:
    ran = cli("translate", "-", "--from", "shop/note", stdin=b'{"refuse":1}')
    assert (ran.code, ran.stdout) == (Exit.CONTENT, b"")
    assert ran.stderr.splitlines() == [
        "-: error: A dose has no date. [dose-date]", "    at: doses[0].date", "    mend: Send the date.",
        "-: warning: This was not read. [unread]", "    at: note", "    mend: Read it by hand.", "1 error, 1 warning",
    ]  # fmt: skip


def test_explain_is_one_object_even_for_a_refused_message(cli: Command) -> None:
    keys = {"bundle", "result", "lineage", "unread", "carried", "ignored", "issues"}
    good = cli("translate", "-", "--from", "shop/note", "--to", "shop/note", "--explain", stdin=b'{"warn":1}')
    said = json.loads(good.stdout)
    assert (good.code, set(said), said["result"], said["unread"]) == (
        Exit.DONE,
        keys,
        {"warn": 1},
        {"source": ["note"], "bundle": []},
    )
    text = cli("translate", "-", "--from", "shop/note", "--to", "shop/sheet", "--explain", stdin=b"{}")
    assert json.loads(text.stdout)["result"] == "A,B\r\n1.00,2\r\n"


@pytest.mark.parametrize("early", [False, True])
def test_a_refused_message_is_explained_as_far_as_it_was_understood(cli: Command, early: bool) -> None:
    bad = cli("translate", "-", "--from", "shop/note", "--explain", stdin=b'{"refuse":1,"early":1}' if early else b'{"refuse":1}')
    said = json.loads(bad.stdout)
    assert (bad.code, set(said)) == (Exit.CONTENT, {"bundle", "result", "lineage", "unread", "carried", "ignored", "issues"})
    assert (said["bundle"] is None) is early
    assert [one["severity"] for one in said["issues"]["issue"]] == ["warning", "error"]
    assert bad.stderr.endswith("1 error, 1 warning\n")


def test_a_file_is_written_whole_or_left_as_it_was(cli: Command, note: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    target.write_bytes(b"before")
    ran = cli("translate", "-", "--from", "shop/note", "-o", str(target), stdin=b'{"refuse":1}')
    assert (ran.code, target.read_bytes()) == (Exit.CONTENT, b"before")
    ran = cli("translate", "-", "--from", "shop/note", "--explain", "-o", str(target), stdin=b'{"refuse":1}')
    assert (ran.code, target.read_bytes(), ran.stdout) == (Exit.CONTENT, b"before", b"")
    ran = cli("translate", str(note), "--from", "shop/note", "--to", "shop/sheet", "-o", str(target))
    assert (ran.code, target.read_bytes(), ran.stdout) == (Exit.DONE, b"A,B\r\n1.00,2\r\n", b"")
    assert {path.name for path in tmp_path.iterdir()} == {"note.json", "out.csv"}, "nothing else is left behind"


def test_a_new_file_has_the_mode_that_the_umask_leaves(cli: Command, note: Path, tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        cli("translate", str(note), "--from", "shop/note", "-o", str(tmp_path / "out"))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o640


def test_a_file_that_is_there_keeps_its_mode(cli: Command, note: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"")
    (tmp_path / "out").chmod(0o600)
    cli("translate", str(note), "--from", "shop/note", "-o", str(tmp_path / "out"))
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o600


def test_a_link_is_written_through(cli: Command, note: Path, tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    cli("translate", str(note), "--from", "shop/note", "-o", str(tmp_path / "link"))
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_bytes()


@pytest.mark.parametrize("target", ["/dev/full", "/proc/no/such/folder/out"])
def test_what_cannot_be_written_is_a_storage_fault(cli: Command, note: Path, target: str) -> None:
    ran = cli("translate", str(note), "--from", "shop/note", "-o", target)
    assert ran.code == Exit.STORAGE
    assert ran.stderr.startswith(f"Error: {target}: ") and "mend:" in ran.stderr


def test_an_extract_goes_on_past_a_bad_record(cli: Command, tmp_path: Path) -> None:
    extract = tmp_path / "extract"
    extract.mkdir()
    for name, body in (("1", b'{"n":1}'), ("2", b'{"refuse":1}'), ("3", b'{"n":3}')):
        (extract / name).write_bytes(body)
    ran = cli("translate", str(extract), "--from", "shop/extract", "--rejects", str(tmp_path / "rejects"))
    assert ran.code == Exit.SOME
    assert [json.loads(line)["total"] for line in ran.stdout.splitlines()] == [{"n": 1}, {"n": 3}]
    (reject,) = (tmp_path / "rejects").read_text().splitlines()
    assert json.loads(reject)["resourceType"] == "OperationOutcome"
    assert ran.stderr.splitlines()[-1] == "2 records translated, 1 refused"
    ran = cli("translate", str(extract), "--from", "shop/extract", "--to", "shop/note")
    assert (ran.code, ran.stdout) == (Exit.SOME, b'{"n":1}\n{"n":3}\n')
    ran = cli("translate", str(extract), "--from", "shop/extract", "--to", "shop/sheet")
    assert ran.stdout == b"A,B\r\n" + b"1.00,2\r\n" * 2, "rows of many messages stand below one header"
    ran = cli("translate", str(extract), "--from", "shop/extract", "--to", "shop/sheet", "--explain")
    assert [json.loads(line)["result"] for line in ran.stdout.splitlines()] == ["A,B\r\n1.00,2\r\n"] * 2
    (extract / "2").unlink()
    assert cli("translate", str(extract), "--from", "shop/extract").code == Exit.DONE


@pytest.mark.parametrize(
    "arguments",
    [
        (), ("tranlsate",), ("translate",), ("translate", "-"), ("translate", "/no/such/file", "--from", "fhir"),
        ("translate", "-", "--from", "fhir", "--form", "x"), ("systems", "--mappings", "/no/such/folder"),
        ("serve", "--port", "99999"),
    ],
)  # fmt: skip
def test_usage_errors(cli: Command, arguments: tuple[str, ...]) -> None:
    ran = cli(*arguments)
    assert (ran.code, ran.stdout) == (Exit.USAGE, b"")
    assert ran.stderr


def test_a_misspelt_option_or_name_is_met_with_the_nearest(cli: Command) -> None:
    assert "--from" in cli("translate", "-", "--form", "shop/note").stderr
    ran = cli("translate", "-", "--from", "shop/ntoe", stdin=b"{}")
    assert ran.code == Exit.USAGE
    assert "did you mean shop/note" in ran.stderr and "known are shop/extract, shop/note, shop/sheet" in ran.stderr


def test_faults_of_settings_come_before_any_work(cli: Command, monkeypatch: pytest.MonkeyPatch, stand_in: StandIn) -> None:
    monkeypatch.setenv("OST_PORT", "no")
    monkeypatch.setenv("OST_MAPINGS", "no")
    ran = cli("translate", "-", "--from", "fhir")
    assert (ran.code, ran.stdout, stand_in.asked) == (Exit.SETTINGS, b"", [])
    assert "OST_PORT: must be" in ran.stderr and "did you mean OST_MAPPINGS?" in ran.stderr


def test_faults_of_maps_say_place_why_and_mend(cli: Command, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = Fault(
        "shop/note/Patient.yaml", 7, "no such element: gendr", "Patient has no such element in R4", "did you mean gender?"
    )
    stand_in.faults = [fault]
    ran = cli("maps", "check")
    assert ran.code == Exit.CONTENT
    assert ran.stdout.decode().splitlines() == [
        "shop/note/Patient.yaml:7: no such element: gendr", "    why: Patient has no such element in R4",
        "    mend: did you mean gender?",
        "1 system, 3 messages: 1 fault",
    ]  # fmt: skip
    assert json.loads(cli("maps", "check", "--json").stdout)[0] == {
        "file": fault.file, "line": 7, "what": fault.what, "why": fault.why, "mend": fault.mend,
    }  # fmt: skip
    assert cli("serve").code == Exit.SETTINGS, "a bad map stops the start"

    def refuses(*_: object, **__: object) -> None:
        raise MapFaults([fault])

    monkeypatch.setattr("adapter.load", refuses)
    ran = cli("systems")
    assert (ran.code, ran.stdout) == (Exit.SETTINGS, b"") and "Patient.yaml:7" in ran.stderr


def test_maps_without_fault(cli: Command) -> None:
    ran = cli("maps", "check")
    assert (ran.code, ran.stdout) == (Exit.DONE, b"1 system, 3 messages: no fault\n")
    assert json.loads(cli("maps", "check", "shop", "--json").stdout) == []
    assert cli("maps", "check", "shp").code == Exit.USAGE


def test_a_fault_of_the_program_shows_neither_traceback_nor_data(cli: Command) -> None:
    ran = cli("translate", "-", "--from", "shop/note", stdin=b"crash")
    assert (ran.code, ran.stdout) == (Exit.PROGRAM, b"")
    assert "RuntimeError in conftest.py:" in ran.stderr
    assert "Traceback" not in ran.stderr and PERSON not in ran.stderr
    assert "Traceback" in cli("--debug", "translate", "-", "--from", "shop/note", stdin=b"crash").stderr


def test_systems_for_people_and_for_programs(cli: Command) -> None:
    rows = cli("systems").stdout.decode().splitlines()
    assert rows[0].split() == ["message", "kind", "direction", "events", "format"]
    assert rows[1].split() == ["shop/note", "pharmacy", "both", "note", "json"]
    (shop,) = json.loads(cli("systems", "--json").stdout)
    assert (shop["system"], shop["kind"], [m["message"] for m in shop["messages"]]) == (
        "shop",
        "pharmacy",
        ["shop/note", "shop/sheet", "shop/extract"],
    )


def test_validate_says_it_to_people_and_as_json(cli: Command, note: Path) -> None:
    ran = cli("validate", str(note))
    assert (ran.code, ran.stdout, ran.stderr) == (Exit.DONE, f"{note}: no issue was found\n".encode(), "")
    ran = cli("validate", "-", stdin=b'{"bad":1}')
    assert ran.code == Exit.CONTENT
    assert ran.stdout.decode().splitlines()[0] == "-: error: A dose has no date. [dose-date]"
    ran = cli("validate", "-", "--json", stdin=b'{"bad":1}')
    assert (ran.code, json.loads(ran.stdout)["resourceType"], ran.stderr) == (Exit.CONTENT, "OperationOutcome", "")


def test_validate_passes_the_profile_on(cli: Command, note: Path, stand_in: StandIn) -> None:
    cli("validate", str(note), "--profile", "https://example.org/p")
    assert stand_in.asked[0][1]["profile"] == "https://example.org/p"


def test_validate_of_what_is_no_json_names_line_and_column(cli: Command, tmp_path: Path) -> None:
    file = tmp_path / "broken.json"
    file.write_bytes(b'{\n  "a": 01\n}')
    ran = cli("validate", str(file))
    assert ran.code == Exit.CONTENT
    assert ran.stdout.decode().startswith(f"{file}:2:8: fatal: ")
    assert json.loads(cli("validate", str(file), "--json").stdout)["issue"][0]["severity"] == "fatal"


def test_help_of_every_command(cli: Command) -> None:
    for path in (
        (),
        ("demo",),
        ("systems",),
        ("translate",),
        ("validate",),
        ("maps",),
        ("maps", "check"),
        ("serve",),
        ("healthcheck",),
    ):
        ran = cli(*path, "--help")
        assert ran.code == Exit.DONE and ran.stdout.startswith(b"Usage: ost-adapter")


def test_no_colour_off_a_terminal_and_none_where_it_is_not_wanted(cli: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    from adapter.interfaces import render

    assert "\x1b" not in cli("translate", "-", "--from", "shop/note", stdin=b"refuse").stderr
    monkeypatch.delenv("TERM", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert render.colour() is None
    monkeypatch.setenv("NO_COLOR", "1")
    assert render.colour() is False


@pytest.mark.parametrize("how", ["ndjson", "jsonl", "lines", "stdin"])
def test_a_line_of_json_each(cli: Command, tmp_path: Path, how: str, stand_in: StandIn) -> None:
    body = b'{"n":1}\n{"refuse":1}\n{"n":3}\n'
    file = tmp_path / ("messages.txt" if how == "lines" else f"messages.{how}")
    file.write_bytes(body)
    where = ["-"] if how == "stdin" else [str(file)]
    extra = ["--lines"] if how in ("lines", "stdin") else []
    ran = cli("translate", *where, "--from", "shop/note", "--to", "shop/note", *extra, stdin=body)
    assert (ran.code, ran.stdout) == (Exit.SOME, b'{"n":1}\n{"n":3}\n')
    assert stand_in.asked[0][1]["name"] == ("" if how == "stdin" else file.name)


def test_csv_is_many_wherever_it_comes_from(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "sheet.csv").write_bytes(b"1\n2\n")
    for where, stdin in ((str(tmp_path / "sheet.csv"), b""), ("-", b"1\n2\n")):
        ran = cli("translate", where, "--from", "shop/sheet", "--to", "shop/note", stdin=stdin)
        assert (ran.code, ran.stdout) == (Exit.DONE, b'{"text":"1"}\n{"text":"2"}\n')


def test_issues_that_say_the_same_are_said_once_with_every_place(capsys: pytest.CaptureFixture[str]) -> None:
    def unread(place: str, severity: str = "warning") -> dict[str, object]:
        return issue(severity, "informational", "unread", "Not read.", expression=place, mend="Add it.")

    say_issues([unread("a"), unread("b"), unread("c", "error"), unread("d")], "file")
    assert capsys.readouterr().err.splitlines() == [
        "file: error: Not read. [unread]",
        "    at: c",
        "    mend: Add it.",
        "file: warning: Not read. [unread]",
        "    at: a, b, d",
        "    mend: Add it.",
        "1 error, 3 warnings",
    ]


def test_the_reference_names_each_command_that_takes_mappings_or_leniency() -> None:
    said = next(part for part in REFERENCE.split("\n\n") if "also take `--mappings DIR`" in part)
    with_both, alone = said.replace("\n", " ").split("; ")
    for option, text in (("--mappings", with_both), ("--lenient", said)):
        named = {tuple(words.split()) for words in re.findall(r"`([a-z][a-z ]*)`", text)}
        assert named == {path for path, command in COMMANDS.items() if option in _options(command)}
    assert alone.startswith("`ledger` takes `--lenient` or `--strict` alone")


# a file of many that holds none -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("how", ["lines", "ndjson", "stdin"])
def test_a_file_of_many_may_hold_none(cli: Command, tmp_path: Path, how: str) -> None:
    """Where nothing is due `ledger --messages` writes none; what was made of the last must not stay."""
    file, target = tmp_path / ("none.ndjson" if how == "ndjson" else "none.json"), tmp_path / "out"
    file.write_bytes(b"")
    target.write_bytes(b"of yesterday")
    where, extra = "-" if how == "stdin" else str(file), () if how == "ndjson" else ("--lines",)
    ran = cli("translate", where, "--from", "shop/note", *extra, "-o", str(target), stdin=b"")
    assert (ran.code, ran.stderr, target.read_bytes()) == (Exit.DONE, "0 records translated, 0 refused\n", b"")


def test_a_message_alone_that_is_empty_is_an_error_of_content(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.write_bytes(b"of yesterday")
    for name, read in (("none.json", "fhir"), ("none.csv", "nebula/dose-outcome")):
        (tmp_path / name).write_bytes(b"")
        done = command("translate", str(tmp_path / name), "--from", read, "-o", str(target))
        assert (done.returncode, target.read_bytes()) == (Exit.CONTENT, b"of yesterday")
