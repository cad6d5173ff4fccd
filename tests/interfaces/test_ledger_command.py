"""The command `ledger`: from hub messages to a table, JSON or a page."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from adapter.fhir.outcome import issue
from adapter.interfaces import cli_ledger, opening
from adapter.interfaces.cli import cli
from tests.care.build import BASE, OURS, bundles

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
    assert "FZZ01 reports within 1 day." in text
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


def test_an_alert_that_is_not_valid_is_not_written_and_is_told(
    messages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that the gate does not pass is for a person to see to: the others are written."""
    ost = opening.opened(lenient=None)

    def judge(bundle: dict[str, Any]) -> list[Any]:
        if "supply-not-permitted" in json.dumps(bundle):
            return [issue("error", "invalid", "required", "One element is missing.", mend="Send it.")]
        return ost.judge(bundle)

    monkeypatch.setattr(cli_ledger, "adapter_of", lambda **_: SimpleNamespace(judge=judge))
    told = tmp_path / "told.ndjson"
    sender = ("--sender", "YZ901", "Reset Treatment Service", "01632 960144")
    done = run(messages, "--as-of", "2026-03-08", "--messages", told, *sender)
    assert done.exit_code == 3
    assert "NOT TOLD, see to it by hand: the alert supply-not-permitted, which is not valid:" in done.stderr
    assert "9990000018" not in done.stderr
    codes = [one["resource"]["topic"]["coding"][0]["code"] for one in written(told) if "topic" in one["resource"]]
    assert "discuss-with-prescriber" in codes and "supply-not-permitted" not in codes


def written(file: Path) -> list[Any]:
    """The entries of the messages of a file."""
    return [entry for line in file.read_text("utf-8").splitlines() for entry in json.loads(line)["entry"]]


# outcome profiles and kits ------------------------------------------------------------------------------------------------
def _said(name: str, **value: Any) -> Any:
    return {"url": f"{OURS}{name}", **value}


def _message(event: str, received: str, resource: Any) -> Any:
    """A hub Bundle of the treatment service about the person of CASE."""
    number = {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018"}
    header = {
        "resourceType": "MessageHeader",
        "id": "h",
        "extension": [_said("received", valueInstant=received)],
        "eventCoding": {"system": f"{BASE}/CodeSystem/hub-event", "code": event},
        "source": {"name": "criis", "endpoint": f"{BASE}/system/criis"},
        "focus": [{"reference": "urn:uuid:r"}],
    }
    whole = (header, {"resourceType": "Patient", "id": "p", "identifier": [number]}, {**resource, "id": "r"})
    entries = [{"fullUrl": f"urn:uuid:{one['id']}", "resource": one} for one in whole]
    return {"resourceType": "Bundle", "type": "message", "timestamp": received, "entry": entries}


def outcome_profile(received: str = "2026-03-05T17:00:00Z", status: str = "completed", stage: str = "start") -> Any:
    """TOP-1, taken on 5 March."""
    coding = {"system": f"{BASE}/CodeSystem/outcome-profile-stage", "code": stage}
    answers = {
        "resourceType": "QuestionnaireResponse",
        "identifier": {"system": "https://reset.example/top", "value": "TOP-1"},
        "status": status,
        "subject": {"reference": "urn:uuid:p"},
        "authored": "2026-03-05",
        "item": [
            {"linkId": "TRSTAGE", "answer": [{"valueCoding": coding}]},
            {"linkId": "OPIUSE", "answer": [{"valueInteger": 12}]},
        ],
    }
    return _message("outcome-profile", received, answers)


def kit(received: str = "2026-03-06T17:00:00Z", *, expires: str = "2028-01-31", name: str = "KIT-1", **more: Any) -> Any:
    """A kit, handed over on 6 March."""
    medication = {
        "resourceType": "Medication",
        "id": "kit",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "89018006", "display": "Naloxone"}], "text": "Prenoxad"},
        "batch": {"lotNumber": "PX2041", "expirationDate": expires},
    }
    dispense = {
        "resourceType": "MedicationDispense",
        "contained": [medication],
        "identifier": [{"system": "https://reset.example/kit", "value": name}],
        "status": "completed",
        "medicationReference": {"reference": "#kit"},
        "subject": {"reference": "urn:uuid:p"},
        "quantity": {"value": 1, "unit": "kit"},
        "whenHandedOver": "2026-03-06T11:20:00Z",
    }
    return _message("supply", received, {**dispense, **more})


def by_calendar(tmp_path: Path, *more: Any, known_at: str = "2026-03-20") -> list[tuple[str, str]]:
    """What of the two is due on 20 March, and since when, with further messages beside those of CASE."""
    file = tmp_path / "more.ndjson"
    file.write_text("".join(json.dumps(one) + "\n" for one in (*bundles(CASE), *more)))
    done = run(file, "--as-of", "2026-03-20", "--known-at", known_at, "--json")
    assert (done.exit_code, done.stderr) == (0, "")
    actions = json.loads(done.stdout)["actions"]
    return sorted((one["code"], one["since"]) for one in actions if one["code"] in ("outcome-profile-due", "naloxone-due"))


#: Entry is the form of 1 March: a start is due by the 15th, and a kit since the form.
START, KIT = ("outcome-profile-due", "2026-03-15"), ("naloxone-due", "2026-03-01")


def test_an_outcome_profile_and_a_kit_end_what_is_due(tmp_path: Path) -> None:
    assert by_calendar(tmp_path) == [KIT, START]
    assert by_calendar(tmp_path, outcome_profile()) == [KIT]
    assert by_calendar(tmp_path, kit()) == [START]
    assert by_calendar(tmp_path, outcome_profile(), kit()) == []


def test_their_retraction_brings_it_back_from_when_it_is_known(tmp_path: Path) -> None:
    taken_back = [
        outcome_profile("2026-03-18T09:00:00Z", status="entered-in-error"),
        kit("2026-03-18T09:00:00Z", status="entered-in-error"),
    ]
    told = [outcome_profile(), kit(), *taken_back]
    assert by_calendar(tmp_path, *told) == [KIT, START]
    assert by_calendar(tmp_path, *reversed(told)) == [KIT, START]
    assert by_calendar(tmp_path, *told, known_at="2026-03-17") == []
    assert by_calendar(tmp_path, *told[:3]) == [START]


def test_a_correction_counts_in_place_of_what_it_corrects(tmp_path: Path) -> None:
    """An exit is no start; a kit that expires on 17 March is due on that day."""
    later = outcome_profile("2026-03-18T09:00:00Z", status="amended", stage="exit")
    later["entry"][2]["resource"]["extension"] = [_said("version", valuePositiveInt=2)]
    assert by_calendar(tmp_path, outcome_profile(), later, kit()) == [START]
    in_its_place = [_said("replaces", valueIdentifier={"system": "https://reset.example/kit", "value": "KIT-1"})]
    other = kit("2026-03-07T09:00:00Z", expires="2026-03-17", name="KIT-2", extension=in_its_place)
    assert by_calendar(tmp_path, outcome_profile(), kit(), other) == [("naloxone-due", "2026-03-17")]


def test_one_without_its_day_is_refused_and_ends_nothing(tmp_path: Path) -> None:
    undated, unhanded = outcome_profile(), kit()
    del undated["entry"][2]["resource"]["authored"]
    del unhanded["entry"][2]["resource"]["whenHandedOver"]
    file = tmp_path / "undated.ndjson"
    file.write_text("".join(json.dumps(one) + "\n" for one in (*bundles(CASE), undated, unhanded)))
    done = run(file, "--as-of", "2026-03-20", "--json")
    assert done.exit_code == 3
    assert done.stderr.count("at: Bundle.entry[2].resource\n") == 2
    assert "[ost-outcome-profile-day]" in done.stderr and "[ost-kit-handed-over]" in done.stderr
    assert {"outcome-profile-due", "naloxone-due"} <= {one["code"] for one in json.loads(done.stdout)["actions"]}


def test_messages_have_a_sender(messages: Path, tmp_path: Path) -> None:
    done = run(messages, "--messages", tmp_path / "told.ndjson")
    assert done.exit_code == 2
    assert "--sender" in done.stderr
    assert not (tmp_path / "told.ndjson").exists()


@pytest.mark.parametrize(
    "sender",
    [
        ("yz901", "Reset", ""), ("", "Reset", ""), ("YZ901", " ", ""),
        ("YZ901", "Reset\x1b[31m", ""), ("YZ901", "Reset\nTwo", ""), ("YZ901", "Reset", "01632\x00960144"),
    ],
)  # fmt: skip
def test_a_sender_that_cannot_be_told_is_a_fault_of_usage(messages: Path, tmp_path: Path, sender: tuple[str, ...]) -> None:
    done = run(messages, "--messages", tmp_path / "told.ndjson", "--sender", *sender)
    assert done.exit_code == 2
    assert "--sender" in done.stderr
    assert not (tmp_path / "told.ndjson").exists()


def test_a_message_that_translate_refuses_counts_for_no_ledger(messages: Path) -> None:
    """An NHS number that fails its check digit, and a record that names another person than its Patient."""
    lines = [json.loads(line) for line in messages.read_text().splitlines()]
    patient = next(one["resource"] for one in lines[1]["entry"] if one["resource"]["resourceType"] == "Patient")
    patient["identifier"][0]["value"] = "9990000019"
    dose = next(one["resource"] for one in lines[2]["entry"] if one["resource"]["resourceType"] == "MedicationDispense")
    dose["subject"] = {"identifier": {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000026"}}
    messages.write_text("".join(json.dumps(one) + "\n" for one in lines))
    done = run(messages, "--as-of", "2026-03-08")
    assert done.exit_code == 3
    assert f"{messages}:2: error: The NHS number fails its check digit" in done.stderr
    assert f"{messages}:3: error: The record is about another person" in done.stderr
    assert "999000001" not in done.stderr
    lenient = run(messages, "--as-of", "2026-03-08", "--lenient").stderr
    assert "fails its check digit" not in lenient and "about another person" in lenient
    assert run(messages, "--as-of", "2026-03-08", "--json").stdout.count('"unreported"') == 2


def test_records_that_were_merged_are_one_ledger(tmp_path: Path) -> None:
    """The form and the first doses stand under one number, the missed ones under the other, which lives on."""
    made = bundles(CASE)
    lines = json.loads(json.dumps(made))
    for message in lines[len(lines) // 2 :]:
        next(one["resource"] for one in message["entry"] if one["resource"]["resourceType"] == "Patient")["identifier"][0][
            "value"
        ] = "9990000026"
    merge = json.loads(json.dumps(lines[0]))
    merge["entry"] = merge["entry"][:2]
    merge["entry"][0]["resource"]["eventCoding"]["code"] = "patient"
    merge["entry"][0]["resource"]["focus"] = [{"reference": merge["entry"][1]["fullUrl"]}]
    number = {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000026"}
    merge["entry"][1]["resource"] |= {"active": False, "link": [{"type": "replaced-by", "other": {"identifier": number}}]}
    file = tmp_path / "merged.ndjson"
    file.write_text("".join(json.dumps(one) + "\n" for one in [*lines, merge]))
    done = run(file, "--as-of", "2026-03-08", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    plain = tmp_path / "plain.ndjson"
    plain.write_text("".join(json.dumps(one) + "\n" for one in made))
    wanted = json.loads(run(plain, "--as-of", "2026-03-08", "--json").stdout)
    assert found["patient"]["identifier"] == [number]
    assert found["days"] == wanted["days"]
    assert [one["code"] for one in found["actions"]] == [one["code"] for one in wanted["actions"]]


def test_all_evidence_is_said_with_who_told_it_and_when(messages: Path) -> None:
    made = json.loads(run(messages, "--as-of", "2026-03-11", "--json").stdout)
    named = {ref for one in (*made["days"], *made["actions"]) for ref in one["evidence"]}
    assert named == {one["evidence"] for one in made["records"]}
    [late] = [one for one in made["records"] if one.get("received", "").startswith("2026-03-11")]
    assert late["resourceType"] == "MedicationDispense" and late["source"] == "pharmacy"
    assert [day["date"] for day in made["days"] if late["evidence"] in day["evidence"]] == ["2026-03-09"]
    earlier = json.loads(run(messages, "--as-of", "2026-03-11", "--known-at", "2026-03-10", "--json").stdout)
    assert late["evidence"] not in {one["evidence"] for one in earlier["records"]}
