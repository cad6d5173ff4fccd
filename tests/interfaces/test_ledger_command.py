"""The command `ledger`: from hub messages to a table, JSON or a page."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from adapter.interfaces.cli import cli
from tests.care.build import bundles

CASE: dict[str, Any] = {
    "forms": [{"id": "F1", "authored": "2026-03-01", "first": "2026-03-02", "last": "2026-03-15", "mg": 60}],
    "doses": [
        {"on": "2026-03-02..2026-03-03", "is": "supervised"},
        {"on": "2026-03-04..2026-03-08", "is": "missed"},
        {"on": "2026-03-09", "is": "supervised", "received": "2026-03-11T09:00:00Z"},
    ],
}


@pytest.fixture
def messages(tmp_path: Path) -> Path:
    file = tmp_path / "messages.ndjson"
    file.write_text("".join(json.dumps(one) + "\n" for one in bundles(CASE)))
    return file


def run(*arguments: str | Path, text: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["ledger", *map(str, arguments)], input=text)


def test_the_table_says_every_stretch_and_what_is_due(messages: Path) -> None:
    done = run(messages, "--as-of", "2026-03-08")
    assert done.exit_code == 0, done.output
    assert [line.split() for line in done.stdout.splitlines() if line.startswith("2026-03-0")] == [
        ["2026-03-02", "2026-03-03", "2", "●", "seen", "swallowed"],
        ["2026-03-04", "2026-03-08", "5", "✕", "missed"],
    ]
    assert "of 9990000018" in done.stdout.splitlines()
    assert "missed in a row 5" in done.stdout
    assert "! due supply-not-permitted since 2026-03-08" in done.stdout


def test_as_json_it_has_the_shape_of_the_reference(messages: Path) -> None:
    done = run(messages, "--as-of", "2026-03-08", "--json")
    made = json.loads(done.stdout)
    assert made["asOf"] == "2026-03-08T23:59:59+00:00"
    assert made["policy"] == {"name": "default", "version": "1.0.0"}
    assert made["feeds"] == [{"source": "FZZ01", "cadence": "P1D", "supportsLadder": True}]
    assert made["consecutiveMissed"] == {"min": 5, "max": 5}
    assert made["lastObservedDose"]["date"] == "2026-03-03"
    assert made["lastObservedDose"]["quantity"]["value"] == 60
    assert made["issues"]["resourceType"] == "OperationOutcome"
    ladder = {"supply-not-permitted", "assess-tolerance", "discuss-with-prescriber", "suitability-review"}
    assert ladder < {one["code"] for one in made["actions"]}
    assert all(one.keys() >= {"code", "status", "since", "due", "owner", "policy", "evidence"} for one in made["actions"])


def test_what_was_received_later_can_be_left_out(messages: Path) -> None:
    then = json.loads(run(messages, "--as-of", "2026-03-10", "--known-at", "2026-03-10", "--json").stdout)
    assert then["days"][-2] == {"date": "2026-03-09", "state": "unreported", "evidence": []}
    now = json.loads(run(messages, "--as-of", "2026-03-10", "--json").stdout)
    assert now["days"][-2]["state"] == "supervised"


def test_the_page_is_complete_in_itself_and_says_the_picture_in_words(messages: Path, tmp_path: Path) -> None:
    page = tmp_path / "ledger.html"
    done = run(messages, "--as-of", "2026-03-08", "--html", page)
    assert (done.exit_code, done.stdout) == (0, "")
    text = page.read_text("utf-8")
    assert 'lang="en-GB"' in text
    assert "2026-03-04 to 2026-03-08: missed" in text  # in the description of the picture
    assert "supply not permitted" in text
    assert not any(name in text for name in ("<script", "<link", "src=", "@import"))
    assert text.count("http") == text.count("http://www.w3.org/2000/svg") + text.count("https://fhir.nhs.uk/Id/nhs-number")


def test_several_people_are_a_line_each(tmp_path: Path) -> None:
    other = json.loads(json.dumps(bundles(CASE)).replace("9990000018", "9990000026"))
    file = tmp_path / "two.ndjson"
    file.write_text("".join(json.dumps(one) + "\n" for one in (*bundles(CASE), *other)))
    lines = run(file, "--as-of", "2026-03-08", "--json").stdout.splitlines()
    assert [json.loads(line)["patient"]["identifier"][0]["value"] for line in lines] == ["9990000018", "9990000026"]


def test_a_message_that_is_no_good_is_told_by_its_line_and_the_others_count(messages: Path, tmp_path: Path) -> None:
    lines = messages.read_text().splitlines()
    broken = json.loads(lines[1])
    broken["entry"][2]["resource"]["status"] = "swallowed"
    file = tmp_path / "some.ndjson"
    file.write_text("\n".join([lines[0], json.dumps(broken), *lines[2:], '{"resourceType": "Patient"}']) + "\n")
    done = run(file, "--as-of", "2026-03-08", "--json")
    assert done.exit_code == 3
    assert f"{file}:2: error" in done.stderr
    assert "[not-a-bundle]" in done.stderr
    made = json.loads(done.stdout)
    assert made["days"][0]["state"] == "unreported"
    rules = [one["details"]["coding"][0]["code"] for one in made["issues"]["issue"] if one["severity"] == "error"]
    assert rules[-1] == "not-a-bundle"
    assert len(rules) > 1
    assert "9990000018" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--as-of", "yesterday"], "write a day"),
        (["--as-of", "2026-02-30"], "write a day"),
        (["--known-at", "2026-03"], "write a day"),
    ],
)
def test_a_day_that_is_none_is_a_fault_of_usage(messages: Path, arguments: list[str], said: str) -> None:
    done = run(messages, *arguments)
    assert done.exit_code == 2
    assert said in done.stderr


def test_an_unknown_policy_is_told_with_the_nearest(messages: Path) -> None:
    done = run(messages, "--policy", "defualt")
    assert done.exit_code != 0
    assert "default" in str(done.exception) + done.output


def test_a_local_policy_is_named_in_every_result(messages: Path, tmp_path: Path) -> None:
    """Five missed days: not yet a stop where six are asked for. The other rungs are the default's, and the policy is named with it."""
    (tmp_path / "our-own.yaml").write_text(
        "policy: our-own\nversion: 2.1.0\ntitle: Ours\nextends: default\n"
        "thresholds:\n  stop: {value: 6, unit: dose-day, source: our own protocol}\n"
    )
    ours = ("--as-of", "2026-03-08", "--policies", tmp_path, "--policy", "our-own")
    made = json.loads(run(messages, *ours, "--json").stdout)
    assert made["policy"] == {"name": "our-own", "version": "2.1.0", "extends": [{"name": "default", "version": "1.0.0"}]}
    assert "supply-not-permitted" not in {one["code"] for one in made["actions"]}
    assert len(made["actions"]) >= 3
    assert all(one["policy"].startswith("our-own 2.1.0 (extends default 1.0.0): ") for one in made["actions"])
    assert "policy our-own 2.1.0 (extends default 1.0.0)" in run(messages, *ours).stdout
    page = tmp_path / "ledger.html"
    assert run(messages, *ours, "--html", page).exit_code == 0
    assert page.read_text("utf-8").count("our-own 2.1.0 (extends default 1.0.0)") == 1 + len(made["actions"])


def test_the_faults_of_a_policy_stop_the_command_all_at_once(messages: Path, tmp_path: Path) -> None:
    (tmp_path / "our-own.yaml").write_text(
        "policy: our-own\nversion: 2.1.0\ntitle: Ours\nextends: default\n"
        "thresholds:\n  stop: {value: 6, unit: hour, source: our own protocol}\n  stpo: {value: 6, unit: dose-day, source: x}\n"
    )
    program = [sys.executable, "-m", "adapter", "ledger", str(messages), "--policies", str(tmp_path), "--policy", "our-own"]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (78, "")
    assert "our-own.yaml:6: stop is in hour, and is counted in dose-day" in done.stderr
    assert "our-own.yaml:7: stpo is no threshold; did you mean stop?" in done.stderr


def test_what_is_due_is_told_as_hub_messages_that_the_systems_hear(messages: Path, tmp_path: Path) -> None:
    told, heard = tmp_path / "told.ndjson", tmp_path / "heard.ndjson"
    sender = ("--sender", "YZ901", "Reset Treatment Service", "01632 960144")
    done = run(messages, "--as-of", "2026-03-08", "--messages", told, *sender)
    assert (done.exit_code, done.stdout) == (0, "")
    due = {one["code"] for one in json.loads(run(messages, "--as-of", "2026-03-08", "--json").stdout)["actions"]}
    arguments = ["translate", str(told), "--from", "fhir", "--to", "pharmacy/alert", "-o", str(heard)]
    assert CliRunner().invoke(cli, arguments).exit_code == 0
    alerts = [json.loads(line) for line in heard.read_text("utf-8").splitlines()]
    assert {one["alert"]["action"] for one in alerts} == due
    assert "supply-not-permitted" in due
    assert [each["value"] for one in alerts for each in one["ring"]] == ["01632 960144"] * len(alerts)


def test_messages_have_a_sender(messages: Path, tmp_path: Path) -> None:
    done = run(messages, "--messages", tmp_path / "told.ndjson")
    assert done.exit_code == 2
    assert "--sender" in done.stderr
    assert not (tmp_path / "told.ndjson").exists()
