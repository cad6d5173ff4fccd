"""What a person's own messages leave open is said in every mode, above what is due, and the exit code says so too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from adapter.interfaces.cli import cli
from tests.care.build import bundles

#: A stop that names another form than the one that stands.
CASE: dict[str, Any] = {
    "forms": [{"id": "F1", "authored": "2026-03-01", "first": "2026-03-02", "last": "2026-03-15", "mg": 60}],
    "doses": [{"on": "2026-03-02..2026-03-04", "is": "supervised"}],
    "changes": [{"type": "stopped", "effective": "2026-03-05T09:00:00Z", "form": "OTHER", "reason": "prescriber-decision"}],
}
SENDER = ("--sender", "YZ901", "Reset Treatment Service", "01632 960144")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["ledger", *map(str, arguments), "--as-of", "2026-03-05"])


@pytest.fixture
def messages(tmp_path: Path) -> Path:
    return written(tmp_path / "messages.ndjson", CASE)


def written(file: Path, case: dict[str, Any], number: str = "9990000018") -> Path:
    lines = "".join(json.dumps(one) + "\n" for one in bundles(case))
    file.write_text(lines.replace("9990000018", number))
    return file


@pytest.mark.parametrize(
    ("modes", "said"),
    [
        ((), 1),
        (("--html",), 1),
        (("--messages",), 1),
        (("--html", "--messages"), 1),
        (("--json",), 0),
        (("--json", "--html", "--messages"), 0),
    ],
    ids=["table", "html", "messages", "html and messages", "json", "all"],
)
def test_an_error_is_said_once_in_every_mode_and_is_code_3(
    messages: Path, tmp_path: Path, modes: tuple[str, ...], said: int
) -> None:
    files = {"--html": tmp_path / "ledger.html", "--messages": tmp_path / "told.ndjson"}
    arguments: list[str | Path] = []
    for mode in modes:
        arguments += [mode, files[mode]] if mode in files else [mode]
    done = run(messages, *arguments, *SENDER)
    assert done.exit_code == 3
    assert done.stderr.count("[change-form-unknown]") == said, "the JSON has it in itself"
    assert all(file.read_text("utf-8") for mode, file in files.items() if mode in modes), "all is written all the same"
    if "--json" in modes:
        rules = [one["details"]["coding"][0]["code"] for one in json.loads(done.stdout)["issues"]["issue"]]
        assert rules == ["change-form-unknown"]


def test_it_is_said_of_each_person(messages: Path, tmp_path: Path) -> None:
    other = written(tmp_path / "other.ndjson", CASE, "9990000026")
    done = run(messages, other, "--messages", tmp_path / "told.ndjson", *SENDER)
    assert (done.exit_code, done.stderr.count("[change-form-unknown]")) == (3, 2)


def test_one_person_of_several_is_enough(messages: Path, tmp_path: Path) -> None:
    other = written(tmp_path / "other.ndjson", {**CASE, "changes": []}, "9990000026")
    assert run(messages, other, "--json").exit_code == 3
    assert run(other, "--json").exit_code == 0


def test_a_warning_is_said_and_is_code_0(tmp_path: Path) -> None:
    file = written(tmp_path / "more.ndjson", {**CASE, "changes": [], "doses": [{"on": "2026-03-02", "is": "supervised", "n": 2}]})
    done = run(file, "--html", tmp_path / "ledger.html")
    assert done.exit_code == 0
    assert done.stderr.startswith("warning: ") and done.stderr.endswith("1 warning\n")


def test_on_the_page_it_stands_above_what_is_due(messages: Path, tmp_path: Path) -> None:
    page = tmp_path / "ledger.html"
    run(messages, "--html", page)
    text = page.read_text("utf-8")
    assert '<li class="error"><strong>! error:</strong> A change of a form (stopped, from criis) names no form' in text
    assert text.index("names no form that stands") < text.index("<h2>Raised</h2>")


def test_every_column_of_the_page_has_a_name(messages: Path, tmp_path: Path) -> None:
    page = tmp_path / "ledger.html"
    run(messages, "--html", page)
    heads = page.read_text("utf-8").split("<thead>")[1].split("</thead>")[0]
    assert heads.count('<th scope="col">') == 3
    assert '<th scope="col"><span class="hidden">sign</span></th>' in heads and "aria-hidden" not in heads
