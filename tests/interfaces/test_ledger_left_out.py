"""A ledger that misses a message says so wherever it is told: on the table, on the page, in the picture, in each alert."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from adapter.fhir.outcome import issue, on_line
from adapter.interfaces.cli import cli
from adapter.interfaces.left_out import MEANING, LeftOut
from tests.care.build import bundles

#: Five days that are said to have been missed: a stop. The dose of the 6th was seen swallowed after all, as is told later.
CASE: dict[str, Any] = {
    "forms": [{"id": "F1", "authored": "2026-03-01", "first": "2026-03-02", "last": "2026-03-15", "mg": 60}],
    "doses": [
        {"on": "2026-03-02..2026-03-03", "is": "supervised"},
        *({"id": f"m{n}", "on": f"2026-03-0{n}", "is": "missed"} for n in range(4, 9)),
        {"id": "s6", "on": "2026-03-06", "is": "supervised", "received": "2026-03-10T09:00:00Z", "replaces": "m6"},
    ],
}
SENDER = ("--sender", "YZ901", "Reset Treatment Service", "01632 960144")
WORDS = "2 messages were left out."


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["ledger", *map(str, arguments), "--as-of", "2026-03-10T12:00:00Z"])


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    file = tmp_path / "whole.ndjson"
    file.write_text("".join(json.dumps(one) + "\n" for one in bundles(CASE)))
    return file


@pytest.fixture
def some(whole: Path, tmp_path: Path) -> Path:
    """The same, of which the second line is refused, and a line more that is no message."""
    lines = whole.read_text().splitlines()
    broken = json.loads(lines[1])
    broken["entry"][2]["resource"]["status"] = "swallowed"
    file = tmp_path / "some.ndjson"
    file.write_text("\n".join([lines[0], json.dumps(broken), *lines[2:], '{"resourceType": "Patient"}']) + "\n")
    return file


def test_the_table_begins_with_it_and_says_where_and_by_which_rule(some: Path) -> None:
    done = run(some)
    head, second, ninth, then = done.stdout.splitlines()[:4]
    assert done.exit_code == 3
    assert head == f"INCOMPLETE: {WORDS} {MEANING}"
    assert second.startswith(f"    {some}:2 [") and "ost-dispense-status" in second
    assert ninth == f"    {some}:10 [not-a-bundle]"
    assert then.startswith("Dose ledger as of")
    assert done.stderr.splitlines()[-1] == head


def test_a_table_of_several_says_it_above_each(some: Path, whole: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.ndjson"
    other.write_text(whole.read_text().replace("9990000018", "9990000026"))
    lines = run(some, other).stdout.splitlines()
    heads = [n for n, line in enumerate(lines) if line.startswith("Dose ledger")]
    assert len(heads) == 2 == sum(line.startswith(f"INCOMPLETE: {WORDS}") for line in lines)
    assert lines[heads[1] - 1].startswith("INCOMPLETE: ")
    assert sum("[not-a-bundle]" in line for line in lines) == 1


def test_the_page_says_it_in_a_box_at_its_top_and_in_the_picture(some: Path, tmp_path: Path) -> None:
    page = tmp_path / "ledger.html"
    done = run(some, "--html", page)
    assert done.exit_code == 3
    text = page.read_text("utf-8")
    box = text[text.index('<section class="left-out"') : text.index("</section>")]
    assert f"! INCOMPLETE: {WORDS}" in box and MEANING in box
    assert f"{some}:2: " in box and "[ost-dispense-status] at Bundle.entry[2].resource" in box and "To mend: " in box
    assert f"{some}:10: " in box and "[not-a-bundle]" in box
    assert text.index("</section>") < text.index("<h1>")
    drawn = text[text.index("<svg") :]
    assert "! INCOMPLETE: doses may be missing here.</text>" in drawn and f">{WORDS}</text>" in drawn
    assert f'<desc id="p1-desc">Incomplete: {WORDS} ' in drawn
    assert "9990000018" not in box


def test_a_page_of_several_says_it_of_each_and_names_its_pictures_apart(some: Path, whole: Path, tmp_path: Path) -> None:
    other, page = tmp_path / "other.ndjson", tmp_path / "ledger.html"
    other.write_text(whole.read_text().replace("9990000018", "9990000026"))
    run(some, other, "--html", page)
    text = page.read_text("utf-8")
    second = text[text.rindex("<article>") : text.rindex("<h2>Raised")]
    assert f"INCOMPLETE:</strong> {WORDS} {MEANING}" in second and 'href="#left-out"' in second
    ids = [part.split('"')[0] for part in text.split(' id="')[1:]]
    assert len(ids) == len(set(ids)) and {"p1-desc", "p2-desc", "left-out"} <= set(ids)


def test_a_page_of_very_many_issues_says_how_many_more_there_are(whole: Path, tmp_path: Path) -> None:
    many, page = tmp_path / "many.ndjson", tmp_path / "ledger.html"
    many.write_text(whole.read_text() * 8 + '{"resourceType": "Patient"}\n' * 60)
    run(many, "--html", page)
    text = page.read_text("utf-8")
    assert "INCOMPLETE: 60 messages were left out." in text
    assert text.count("[not-a-bundle]") == 50 and "10 more issues were told on standard error." in text


def test_nothing_of_it_stands_where_nothing_is_left_out(whole: Path, tmp_path: Path) -> None:
    page = tmp_path / "ledger.html"
    assert "INCOMPLETE" not in run(whole).output
    assert run(whole, "--html", page).exit_code == 0
    assert "INCOMPLETE" not in page.read_text("utf-8") and "Incomplete" not in page.read_text("utf-8")


def test_each_alert_says_it_to_whoever_hears_it(some: Path, tmp_path: Path) -> None:
    told = tmp_path / "told.ndjson"
    done = run(some, "--messages", told, *SENDER)
    assert done.exit_code == 3
    assert f"What is due was told from less than all messages, and each alert says so: {WORDS}" in done.stderr
    said = "This alert was made without 2 messages, which could not be read: doses may be missing from it."
    for system in ("pharmacy/alert", "gp_connect/update-record"):
        heard = tmp_path / "heard.ndjson"
        arguments = ["translate", str(told), "--from", "fhir", "--to", system, "-o", str(heard)]
        ran = CliRunner().invoke(cli, arguments)
        assert ran.exit_code == 0, ran.stderr
        lines = heard.read_text("utf-8").splitlines()
        assert len(lines) == len(told.read_text("utf-8").splitlines()) > 0
        assert all(said in line for line in lines), system


def test_no_withdrawal_is_told_from_less_than_all(some: Path, whole: Path, tmp_path: Path) -> None:
    """The correction of the 6th takes the stop back. With a message left out nobody is told so, and how many are held is said."""
    told = tmp_path / "told.ndjson"
    assert run(whole, "--messages", told, *SENDER).exit_code == 0
    assert statuses(told) == {"due", "withdrawn"}
    done = run(some, "--messages", told, *SENDER)
    assert statuses(told) == {"due"}
    withdrawn = [one for one in json.loads(run(some, "--json").stdout)["actions"] if one["status"] == "withdrawn"]
    assert f"{len(withdrawn)} withdrawals not told: mend" in done.stderr


def statuses(file: Path) -> set[str]:
    """What the alerts of a file are."""
    resources = [entry["resource"] for line in file.read_text("utf-8").splitlines() for entry in json.loads(line)["entry"]]
    alerts = [one for one in resources if one["resourceType"] == "Communication"]
    return {said["valueCode"] for one in alerts for said in one["extension"] if said["url"].endswith("/alert-status")}


def test_a_referral_says_it_in_its_note(tmp_path: Path) -> None:
    later = {"id": "F2", "authored": "2026-03-13", "first": "2026-03-16", "last": "2026-03-29", "mg": 60}
    case = {**CASE, "forms": [*CASE["forms"], later]}
    case["doses"] = [{"on": "2026-03-02", "is": "supervised"}, {"on": "2026-03-03..2026-03-17", "is": "missed"}]
    file, told = tmp_path / "some.ndjson", tmp_path / "told.ndjson"
    file.write_text("".join(json.dumps(one) + "\n" for one in bundles(case)) + '{"resourceType": "Patient"}\n')
    CliRunner().invoke(cli, ["ledger", str(file), "--as-of", "2026-03-17", "--messages", str(told), *SENDER])
    (referral,) = [line for line in told.read_text("utf-8").splitlines() if '"ServiceRequest"' in line]
    (one,) = [e["resource"] for e in json.loads(referral)["entry"] if e["resource"]["resourceType"] == "ServiceRequest"]
    assert one["note"][0] == {
        "text": "This referral was made without 1 message, which could not be read: doses may be missing from it."
    }
    single = tmp_path / "referral.json"
    single.write_text(referral)
    assert CliRunner().invoke(cli, ["validate", str(single)]).exit_code == 0


def test_where_none_is_left_nothing_is_written_and_it_is_an_error_of_content(tmp_path: Path) -> None:
    """Some records of many failed: not where all did. What was written before stays as it was."""
    file, page, told = (tmp_path / name for name in ("none.ndjson", "ledger.html", "told.ndjson"))
    file.write_text('{"resourceType": "Patient"}\n' * 2)
    page.write_text("before")
    for more in ([], ["--json"], ["--html", page, "--messages", told, *SENDER]):
        done = run(file, *more)
        assert (done.exit_code, done.stdout) == (1, "")
        assert f"{WORDS} There is no other, so nothing is written." in done.stderr
    assert page.read_text() == "before" and not told.exists()


def test_lines_and_whole_files_are_counted_apart() -> None:
    wrong = issue("error", "required", "a-rule", "Wrong.")
    taken = [("a", [on_line(wrong, 3), on_line(wrong, 3), on_line(wrong, 9)]), ("", [wrong, wrong]), ("c", [])]
    left_out = LeftOut.of(taken)
    assert (left_out.messages, left_out.files) == (2, 1)
    assert left_out.words == "2 messages and 1 whole file were left out."
    assert left_out.places() == {"3": ["a-rule"], "9": ["a-rule"], "standard input": ["a-rule"]}
    assert LeftOut.of(taken[1:]).words == "1 whole file was left out."
    assert not LeftOut.of(taken[2:]) and not LeftOut.of([("a", [issue("warning", "value", "other", "Odd.")])])
