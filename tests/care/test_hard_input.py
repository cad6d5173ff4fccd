"""What passes the gate and is not what a ledger expects: it must not hide a missed dose, and not stop anybody else's ledger."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from adapter.care.shared_care import shared_care
from adapter.interfaces.cli import cli
from adapter.interfaces.hub_messages import _implausible
from tests.care.build import Json, bundles

AS_OF = "2026-03-09"
#: Supervised on 2 March, missed on 3 to 9: 7 in a row, a stop since the fifth, on 7 March.
CASE: Json = {
    "forms": [{"id": "F1", "authored": "2026-03-01", "first": "2026-03-02", "last": "2026-03-15", "mg": 60}],
    "doses": [{"id": "S", "on": "2026-03-02", "is": "supervised"}, {"id": "M", "on": "2026-03-03..2026-03-09", "is": "missed"}],
}
LADDER = {"supply-not-permitted", "assess-tolerance", "discuss-with-prescriber", "suitability-review"}


def said(case: Json) -> list[Json]:
    """The messages of a case, each resource its own, so that one can be altered alone."""
    made: list[Json] = json.loads(json.dumps(bundles(case)))
    return made


def resources(messages: list[Json], kind: str) -> list[Json]:
    return [one["resource"] for message in messages for one in message["entry"] if one["resource"]["resourceType"] == kind]


def cancelled_stay(messages: list[Json]) -> list[Json]:
    stay = {"stays": [{"kind": "hospital", "from": "2026-03-02T14:00:00Z", "to": "2026-03-09T20:00:00Z", "place": "RLH01"}]}
    told = said({**CASE, "forms": [], "doses": [], **stay})
    resources(told, "Encounter")[0]["status"] = "cancelled"
    return [*messages, *told]


def shared_identifier(messages: list[Json]) -> list[Json]:
    for one in resources(messages, "MedicationDispense"):
        one["identifier"].insert(0, {"system": "https://pmr.willowlane.example/prescription", "value": "RX1"})
    return messages


def weekly_timing(messages: list[Json]) -> list[Json]:
    [form] = [one for one in resources(messages, "MedicationRequest") if one["intent"] == "original-order"]
    form["dosageInstruction"][0]["timing"]["repeat"] |= {"frequency": 7, "period": 1, "periodUnit": "wk"}
    return messages


def no_receipt(messages: list[Json]) -> list[Json]:
    for message in messages[2:5]:
        del message["entry"][0]["resource"]["extension"]
    return messages


def handed_over_in_a_month(messages: list[Json]) -> list[Json]:
    resources(messages, "MedicationDispense")[0]["whenHandedOver"] = "2026-03"
    return messages


def leap_second(messages: list[Json]) -> list[Json]:
    messages[3]["entry"][0]["resource"]["extension"][0]["valueInstant"] = "2026-03-04T23:59:60Z"
    return messages


@pytest.mark.parametrize(
    "change",
    [
        cancelled_stay,
        shared_identifier,
        weekly_timing,
        no_receipt,
        handed_over_in_a_month,
        leap_second,
    ],
)
def test_the_missed_doses_are_seen_all_the_same(change: Callable[[list[Json]], list[Json]]) -> None:
    [found] = shared_care(change(said(CASE)), AS_OF)
    assert (found.counted.consecutive.least, found.counted.consecutive.most) == (7, 7)
    assert {one.code for one in found.actions if not one.withdrawn} >= LADDER


@pytest.mark.parametrize("swallowed", [0, -5, 6])
def test_an_amount_that_says_other_than_its_outcome_is_for_a_person_to_settle(swallowed: int) -> None:
    case = {**CASE, "doses": [*CASE["doses"], {"id": "Z", "on": "2026-03-09", "is": "supervised"}]}
    case["doses"][1] = {"id": "M", "on": "2026-03-03..2026-03-08", "is": "missed"}
    messages = said(case)
    resources(messages, "MedicationAdministration")[-1]["dosage"]["dose"]["value"] = swallowed
    [found] = shared_care(messages, AS_OF)
    assert found.ledger.days[-1].state == "conflict"
    assert (found.counted.consecutive.least, found.counted.consecutive.most) == (6, 7)
    assert LADDER | {"conflicting-evidence"} <= {one.code for one in found.actions if not one.withdrawn}


def test_sixty_milligrams_are_not_sixty_millilitres() -> None:
    doses = [
        {"id": "A", "on": "2026-03-02", "is": "supervised"},
        {"id": "B", "on": "2026-03-02", "is": "supervised", "from": "criis"},
    ]
    messages = said({**CASE, "doses": doses})
    amount = resources(messages, "MedicationAdministration")[-1]["dosage"]["dose"]
    amount |= {"unit": "ml", "code": "258773002"}
    [found] = shared_care(messages, "2026-03-02")
    assert found.ledger.days[-1].state == "conflict"


def test_a_supply_that_names_the_order_that_was_stopped_is_raised_though_another_is_live() -> None:
    case = {
        "forms": [*CASE["forms"], {"id": "F2", "authored": "2026-03-04", "first": "2026-03-05", "last": "2026-03-15", "mg": 30}],
        "changes": [{"form": "F1", "type": "stopped", "effective": "2026-03-04T18:00:00Z", "reason": "prescriber-decision"}],
        "doses": [{"id": "S", "on": "2026-03-02..2026-03-06", "is": "supervised"}],
    }
    messages = said(case)
    [plain] = shared_care(messages, "2026-03-06")
    assert "supply-after-stop" not in {one.code for one in plain.actions}
    named = {"identifier": {"system": "https://reset.example/item", "value": "F1"}}
    resources(messages, "MedicationDispense")[-1]["authorizingPrescription"] = [named]
    [found] = shared_care(messages, "2026-03-06")
    assert [one.since for one in found.actions if one.code == "supply-after-stop"] == ["2026-03-06"]


def test_a_death_that_is_taken_back_is_withdrawn_and_two_told_at_once_are_one_in_any_order() -> None:
    dead = said({**CASE, "doses": [], "forms": [], "death": {"on": "2026-03-04", "received": "2026-03-04T19:00:00Z"}})
    alive = json.loads(json.dumps(dead))
    del alive[0]["entry"][1]["resource"]["deceasedDateTime"]
    alive[0]["entry"][1]["resource"]["deceasedBoolean"] = False
    for order in ([*dead, *alive], [*alive, *dead]):
        [found] = shared_care([*said(CASE), *order], AS_OF)
        assert "stop-supply-deceased" in {one.code for one in found.actions if not one.withdrawn}
    alive[0]["entry"][0]["resource"]["extension"][0]["valueInstant"] = "2026-03-05T19:00:00Z"
    [found] = shared_care([*said(CASE), *dead, *alive], AS_OF)
    assert "stop-supply-deceased" in {one.code for one in found.actions if one.withdrawn}
    assert {one.code for one in found.actions if not one.withdrawn} >= LADDER


# --- the command
def run(file: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["ledger", str(file), "--as-of", AS_OF, *arguments])


@pytest.fixture
def told(tmp_path: Path) -> Callable[..., Path]:
    def write(messages: list[Any]) -> Path:
        file = tmp_path / "messages.ndjson"
        file.write_text("".join(one + "\n" if isinstance(one, str) else json.dumps(one) + "\n" for one in messages))
        return file

    return write


@pytest.mark.parametrize("year", ["0206", "9999"])
def test_a_date_that_no_treatment_has_is_refused_with_its_place(year: str, told: Callable[..., Path]) -> None:
    messages = said(CASE)
    dose = resources(messages, "MedicationDispense")[0]
    next(one for one in dose["extension"] if "valueDate" in one)["valueDate"] = f"{year}-03-02"
    done = run(told(messages), "--json")
    assert done.exit_code == 3
    assert "[date-implausible]" in done.stderr
    assert json.loads(done.stdout)["days"][0] == {"date": "2026-03-02", "state": "unreported", "evidence": []}


@pytest.mark.parametrize(
    ("resource", "place"),
    [
        ({"resourceType": "Observation", "issued": "0206-03-02T09:00:00Z"}, "issued"),
        ({"resourceType": "ServiceRequest", "occurrenceDateTime": "0206-03-02"}, "occurrenceDateTime"),
        ({"resourceType": "Composition", "date": "9999-12-31"}, "date"),
        ({"resourceType": "MedicationStatement", "dateAsserted": "0206"}, "dateAsserted"),
        ({"resourceType": "Encounter", "period": {"end": "9999-12-31"}}, "period.end"),
        ({"resourceType": "MedicationRequest", "extension": [{"url": "x", "valueDate": "0206-03"}]}, "extension[0].valueDate"),
        ({"resourceType": "MedicationRequest", "dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": {"start": "0206-03-02"}}}}]}, "dosageInstruction[0].timing.repeat.boundsPeriod.start"),
        ({"resourceType": "Observation", "issued": "2026-03-02T09:00:00Z"}, None),
        ({"resourceType": "Observation", "identifier": [{"value": "0206"}]}, None),
        ({"resourceType": "Observation", "meta": {"lastUpdated": "0001-01-01T00:00:00Z"}}, None),
        ({"resourceType": "Patient", "birthDate": "1899-03-02"}, None),
        ({"resourceType": "Patient", "deceasedDateTime": "0206-03-02"}, "deceasedDateTime"),
        ({"resourceType": "Patient", "birthDate": "1899-03-02", "deceasedDateTime": "2026-03-02"}, None),
    ],
)  # fmt: skip
def test_which_elements_are_dates_of_the_record(resource: dict[str, Any], place: str | None) -> None:
    found = list(_implausible({"entry": [{"resource": resource}]}))
    assert [one["expression"] for one in found] == ([[f"Bundle.entry[0].resource.{place}"]] if place else [])
    assert not any(text in json.dumps(found) for text in ("0206", "9999"))


def test_a_message_of_nobody_is_refused(told: Callable[..., Path]) -> None:
    messages = said(CASE)
    del messages[1]["entry"][1]["resource"]["identifier"]
    messages[1]["entry"][1]["resource"] |= {"birthDate": "1984-05-17", "name": [{"family": "Testerton", "given": ["Aidan"]}]}
    done = run(told(messages), "--json")
    assert (done.exit_code, "[person-unknown]" in done.stderr) == (3, True)


def test_a_line_that_is_no_json_is_told_and_the_others_count(told: Callable[..., Path]) -> None:
    messages = said(CASE)
    file = told([*messages[:3], '{"resourceType": "Bundle", "ty', *messages[3:]])
    done = run(file, "--json")
    assert done.exit_code == 3
    assert f"{file}:4" in done.stderr
    assert json.loads(done.stdout)["consecutiveMissed"] == {"min": 7, "max": 7}


def test_an_identifier_is_shown_as_it_is(told: Callable[..., Path]) -> None:
    messages = said(CASE)
    for one in resources(messages, "Patient"):
        one["identifier"] = [{"system": "https://example.org/client", "value": "[red]HC[/b]42"}]
    done = run(told(messages))
    assert done.exit_code == 0
    assert "of [red]HC[/b]42" in done.stdout.splitlines()


@pytest.mark.parametrize("as_of", ["9999-12-31", "0001-01-01T00:00:00+14:00", "3000-01-01"])
def test_a_ledger_is_asked_for_within_the_years_of_treatment(as_of: str, told: Callable[..., Path]) -> None:
    done = CliRunner().invoke(cli, ["ledger", str(told(said(CASE))), "--as-of", as_of])
    assert done.exit_code == 2
    assert "from 1990 to 2100" in done.stderr


@pytest.mark.parametrize("sender", [("", "", ""), ("YZ901", " ", ""), ("yz", "Reset", "")])
def test_who_tells_an_alert_is_somebody(sender: tuple[str, str, str], told: Callable[..., Path], tmp_path: Path) -> None:
    done = run(told(said(CASE)), "--messages", str(tmp_path / "due.ndjson"), "--sender", *sender)
    assert done.exit_code == 2
    assert not (tmp_path / "due.ndjson").exists()
