"""POST /ledger: hub messages in, the ledger out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

import adapter
from adapter.interfaces.http import create_app
from adapter.interfaces.settings import Settings
from adapter.mapping.faults import MapFaults
from tests.care.build import bundles
from tests.interfaces.test_ledger_command import CASE, kit, outcome_profile, run

NDJSON = "application/x-ndjson"
OURS = "policy: our-own\nversion: 2.1.0\ntitle: Ours\nextends: default\n"
STOP = "thresholds:\n  stop: {value: 6, unit: dose-day, source: our own protocol}\n"


@pytest.fixture(scope="module")
def ost() -> adapter.Adapter:
    return adapter.load()


@pytest.fixture
def client(ost: adapter.Adapter) -> FlaskClient:
    return create_app(ost).test_client()


def lines(messages: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in messages)


def test_what_is_answered_is_what_the_command_says(client: FlaskClient, tmp_path: Path) -> None:
    file = tmp_path / "messages.ndjson"
    file.write_bytes(lines(bundles(CASE)))
    said = json.loads(run(file, "--as-of", "2026-03-08", "--json").stdout)
    answer = client.post("/ledger?as-of=2026-03-08", data=file.read_bytes(), content_type=NDJSON)
    assert (answer.status_code, answer.mimetype) == (200, NDJSON)
    assert json.loads(answer.data) == said
    assert said["consecutiveMissed"] == {"min": 5, "max": 5}


def test_an_outcome_profile_and_a_kit_end_what_is_due_here_too(client: FlaskClient) -> None:
    def due(*more: dict[str, Any]) -> set[str]:
        answer = client.post("/ledger?as-of=2026-03-20", data=lines([*bundles(CASE), *more]), content_type=NDJSON)
        assert answer.status_code == 200
        return {one["code"] for one in json.loads(answer.data)["actions"]} & {"outcome-profile-due", "naloxone-due"}

    assert due() == {"outcome-profile-due", "naloxone-due"}
    assert due(outcome_profile(), kit()) == set()


def test_a_bundle_alone_is_answered_by_its_person_alone(client: FlaskClient) -> None:
    one = bundles({**CASE, "forms": [], "doses": [{"on": "2026-03-04", "is": "missed"}]})
    answer = client.post("/ledger?as-of=2026-03-04", data=json.dumps(one[0]), content_type="application/fhir+json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.json is not None
    assert [(day["date"], day["state"]) for day in answer.json["days"]] == [("2026-03-04", "missed")]
    assert answer.json["issues"]["resourceType"] == "OperationOutcome"


def test_each_person_is_a_line(client: FlaskClient) -> None:
    other = json.loads(json.dumps(bundles(CASE)).replace("9990000018", "9990000026"))
    answer = client.post("/ledger?as-of=2026-03-08", data=lines([*bundles(CASE), *other]), content_type=NDJSON)
    people = [json.loads(line)["patient"]["identifier"][0]["value"] for line in answer.data.splitlines()]
    assert people == ["9990000018", "9990000026"]


def test_what_was_received_later_can_be_left_out(client: FlaskClient) -> None:
    answer = client.post("/ledger?as-of=2026-03-10&known-at=2026-03-10T12:00:00Z", data=lines(bundles(CASE)), content_type=NDJSON)
    assert json.loads(answer.data)["days"][-2] == {"date": "2026-03-09", "state": "unreported", "evidence": []}


def test_one_message_that_is_no_good_refuses_all_and_every_fault_is_told_by_its_line(client: FlaskClient) -> None:
    good = lines(bundles(CASE)).splitlines()
    broken = json.loads(good[1])
    broken["entry"][2]["resource"]["status"] = "swallowed"
    body = b"\n".join([good[0], json.dumps(broken).encode(), *good[2:], b'{"resourceType": "Patient"}'])
    answer = client.post("/ledger?as-of=2026-03-08", data=body, content_type=NDJSON)
    assert answer.status_code == 422
    assert answer.json is not None
    at = {
        (one["details"]["coding"][0]["code"], part["valueInteger"])
        for one in answer.json["issue"]
        for part in one["extension"]
        if part["url"].endswith("issue-line")
    }
    assert {line for _, line in at} == {2, len(good) + 1}
    assert ("not-a-bundle", len(good) + 1) in at
    assert b"9990000018" not in answer.data


@pytest.mark.parametrize(
    ("query", "status", "rule"),
    [
        ("as-of=yesterday", 400, "query-time"),
        ("known-at=2026-03", 400, "query-time"),
        ("asof=2026-03-08", 400, "query-unknown"),
        ("policy=defualt", 404, "unknown-name"),
    ],
)
def test_a_slip_in_the_query_is_told(client: FlaskClient, query: str, status: int, rule: str) -> None:
    answer = client.post(f"/ledger?{query}", data=lines(bundles(CASE)), content_type=NDJSON)
    assert answer.status_code == status
    assert answer.json is not None
    assert answer.json["issue"][0]["details"]["coding"][0]["code"] == rule


def test_a_policy_of_the_site_is_chosen_by_its_name(ost: adapter.Adapter, tmp_path: Path) -> None:
    (tmp_path / "our-own.yaml").write_text(OURS + STOP)
    app: Flask = create_app(ost, Settings(policies=(tmp_path,)))
    answer = app.test_client().post("/ledger?as-of=2026-03-08&policy=our-own", data=lines(bundles(CASE)), content_type=NDJSON)
    made = json.loads(answer.data)
    assert made["policy"]["name"] == "our-own"
    assert "supply-not-permitted" not in {one["code"] for one in made["actions"]}


def test_the_server_does_not_start_with_a_policy_that_is_not_right(ost: adapter.Adapter, tmp_path: Path) -> None:
    (tmp_path / "our-own.yaml").write_text(OURS + "thresholds:\n  stopp: {value: 6, unit: dose-day, source: our own protocol}\n")
    with pytest.raises(MapFaults, match="stopp"):
        create_app(ost, Settings(policies=(tmp_path,)))
