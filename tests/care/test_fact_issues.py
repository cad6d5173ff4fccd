"""What is told of facts that could not be counted as they were said, and the doses swallowed at once that a case cannot write."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapter.care.fact_issues import RULES, told
from adapter.care.shared_care import SharedCare, shared_care
from adapter.fhir.gate import Gate
from adapter.fhir.outcome import rule_of
from adapter.shipped import PROFILES
from tests.care.build import BASE, ITEM, OURS, Json, bundles

FORM: Json = {"id": "F1", "authored": "2026-03-01", "first": "2026-03-02", "last": "2026-03-15", "mg": 60}
STOP: Json = {"form": "F1", "type": "stopped", "effective": "2026-03-05T09:00:00Z", "reason": "prescriber-decision"}
SEEN: Json = {"id": "S", "on": "2026-03-02..2026-03-04", "is": "supervised"}


def said(case: Json) -> list[Json]:
    """The messages of a case, each resource its own, so that one can be altered alone."""
    made: list[Json] = json.loads(json.dumps(bundles(case)))
    return made


def resources(messages: list[Json], kind: str) -> list[Json]:
    return [one["resource"] for message in messages for one in message["entry"] if one["resource"]["resourceType"] == kind]


def care_of(messages: list[Json], as_of: str = "2026-03-06", known_at: str | None = None) -> SharedCare:
    [found] = shared_care(messages, as_of, known_at=known_at)
    return found


def rules(care: SharedCare) -> list[str]:
    return [rule_of(one) for one in care.issues]


def due(care: SharedCare) -> set[str]:
    return {one.code for one in care.actions if not one.withdrawn and one.code in care.ledger.policy.ranks}


# the rules ---------------------------------------------------------------------------------------------------------------
def test_every_rule_is_a_code_of_the_code_system_and_good_fhir() -> None:
    system = json.loads((PROFILES / "CodeSystem-rule.json").read_text("utf-8"))
    assert RULES.keys() - {one["code"] for one in system["concept"]} == set()
    outcome = {"resourceType": "OperationOutcome", "issue": [told(rule, "stopped, from criis") for rule in RULES]}
    assert Gate.shipped().check(outcome) == []


def test_no_issue_says_a_value_of_the_person() -> None:
    messages = said({"forms": [FORM], "changes": [{**STOP, "form": "OTHER"}], "doses": [SEEN, {**SEEN, "id": "T", "n": 2}]})
    found = care_of(messages)
    assert rules(found) == ["change-form-unknown", "dose-number"]
    shown = json.dumps(found.issues)
    for value in ("OTHER", "99OTHER", "F1", "S-1", "T-1", "9990000018", "2026"):
        assert value not in shown
    assert "stopped, from criis" in shown
    assert "supervised, from pharmacy" in shown


# changes of forms --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["stopped", "held", "cancelled", "replaced"])
def test_a_change_without_an_identifier_is_of_the_form_of_its_serial(kind: str) -> None:
    messages = said({"forms": [FORM], "changes": [{**STOP, "type": kind}], "doses": [SEEN]})
    [change] = [one for one in resources(messages, "MedicationRequest") if "authoredOn" not in one]
    del change["identifier"]
    found = care_of(messages)
    assert [day.state for day in found.ledger.days][-2:] == ["not-expected", "not-expected"]
    assert rules(found) == []


def test_a_change_of_another_order_on_the_same_paper_is_none_of_the_form() -> None:
    """F1 and D1 stand on one paper; D1 is no instalment form. Its stop carries the serial too, and F1 goes on."""
    order = {"id": "D1", "order": True, "authored": "2026-03-01", "text": "one at night", "mg": 5, "days": 14}
    messages = said({"forms": [FORM, order], "changes": [{**STOP, "form": "D1", "serial": "99F1"}], "doses": [SEEN]})
    found = care_of(messages)
    assert [day.state for day in found.ledger.days][-2:] == ["unreported", "due"]
    assert rules(found) == []


def test_a_form_that_is_told_after_its_stop_is_stopped_by_its_serial_all_the_same() -> None:
    """Stopped on 5 March, the form received on 7: by what was known on 6 the stop named no form."""
    late = {**FORM, "received": "2026-03-07T09:00:00Z"}
    messages = said({"forms": [late], "changes": [{**STOP, "form": "OTHER", "serial": "99F1"}], "doses": [SEEN]})
    assert rules(care_of(messages, "2026-03-06", "2026-03-06T12:00:00Z")) == ["change-form-unknown"]
    then = care_of(messages, "2026-03-07")
    assert rules(then) == []
    assert [day.state for day in then.ledger.days][-3:] == ["not-expected"] * 3


def test_a_stop_that_says_it_was_recorded_years_later_stops_since_its_receipt() -> None:
    messages = said({"forms": [FORM], "changes": [STOP], "doses": [{**SEEN, "on": "2026-03-02..2026-03-06"}]})
    [change] = [one for one in resources(messages, "MedicationRequest") if "authoredOn" not in one]
    change["extension"][0]["extension"].append({"url": "recorded", "valueDateTime": "2036-03-05T09:00:00Z"})
    found = care_of(messages)
    assert due(found) == {"supply-after-stop", "prescriber-gap"}
    assert rules(found) == ["time-after-receipt"]


# swallowed at once -------------------------------------------------------------------------------------------------------
def test_doses_handed_over_together_and_seen_swallowed_each_on_its_day_are_not_at_once() -> None:
    """All four handed over on 2 March; the administrations are of 2, 3, 4 and 5 March."""
    at = {"at": "2026-03-02T10:00:00Z", "received": "2026-03-05T19:00:00Z"}
    messages = said({"forms": [FORM], "doses": [{"id": "S", "on": "2026-03-02..2026-03-05", "is": "supervised", **at}]})
    assert "possible-double-dose" in due(care_of(messages))
    for day, one in zip(range(2, 6), resources(messages, "MedicationAdministration"), strict=True):
        one["effectiveDateTime"] = f"2026-03-0{day}T10:00:00Z"
    assert "possible-double-dose" not in due(care_of(messages))


def test_one_seen_swallowed_and_others_taken_home_at_that_moment_are_not_at_once() -> None:
    at = {"at": "2026-03-06T10:00:00Z"}
    home = {"id": "T", "on": "2026-03-07..2026-03-08", "is": "take-home", **at, "received": "2026-03-06T19:00:00Z"}
    messages = said({"forms": [FORM], "doses": [{"id": "S", "on": "2026-03-02..2026-03-06", "is": "supervised"}, home]})
    assert due(care_of(messages)) == set()


def test_the_evidence_of_doses_at_once_is_each_of_them() -> None:
    at = {"at": "2026-03-05T10:00:00Z", "received": "2026-03-05T19:00:00Z"}
    messages = said({"forms": [FORM], "doses": [SEEN, {"id": "X", "on": "2026-03-04..2026-03-06", "is": "supervised", **at}]})
    [raised] = [one for one in care_of(messages, "2026-03-05").actions if one.code == "possible-double-dose"]
    assert raised.since == "2026-03-04"  # the dose of 4 was told of twice as well, at two times
    assert {one.partition("|")[2] for one in raised.evidence} == {"S-3", "X-1", "X-2", "X-3"}


# deaths ------------------------------------------------------------------------------------------------------------------
def dead(**deceased: Any) -> list[Json]:
    messages = said({"forms": [FORM], "doses": [SEEN], "death": {"on": "2026-03-05", "received": "2026-03-05T12:00:00Z"}})
    messages[-1]["entry"][1]["resource"] |= deceased
    return messages


@pytest.mark.parametrize("on", ["2026-03-06", "2026-04-01T10:00:00Z", "2036-03-05"])
def test_a_death_dated_after_its_receipt_stops_the_supply_from_its_receipt(on: str) -> None:
    found = care_of(dead(deceasedDateTime=on), "2026-03-05")
    assert rules(found) == ["death-after-receipt"]
    assert [one.since for one in found.actions if one.code == "stop-supply-deceased"] == ["2026-03-05"]


@pytest.mark.parametrize("on", ["2026-03-05", "2026-03-05T18:00:00Z", "2026-03-04", "2026"])
def test_a_death_of_the_day_of_its_receipt_is_as_it_is_said(on: str) -> None:
    found = care_of(dead(deceasedDateTime=on), "2026-03-05")
    assert rules(found) == []
    assert "stop-supply-deceased" in due(found)


def test_a_death_that_nobody_dates_and_that_is_received_after_the_day_asked_about_is_told_of() -> None:
    messages = dead()
    patient = messages[-1]["entry"][1]["resource"]
    del patient["deceasedDateTime"]
    patient["deceasedBoolean"] = True
    found = care_of(messages, "2026-03-04")
    assert (rules(found), "stop-supply-deceased" in due(found)) == (["death-after-as-of"], False)


def test_a_death_that_is_denied_later_is_not_told_of() -> None:
    alive = dead(deceasedDateTime="2036-01-01")
    again = json.loads(json.dumps(alive[-1]))
    again["entry"][0]["resource"]["extension"] = [{"url": f"{OURS}received", "valueInstant": "2026-03-06T12:00:00Z"}]
    patient = again["entry"][1]["resource"]
    del patient["deceasedDateTime"]
    patient["deceasedBoolean"] = False
    assert rules(care_of([*alive, again])) == []


def test_what_names_the_form_is_its_identifier() -> None:
    """So that the tests above alter what they mean to."""
    [form] = resources(said({"forms": [FORM]}), "MedicationRequest")
    assert form["identifier"] == [{"system": ITEM, "value": "F1"}]
    assert form["groupIdentifier"]["value"] == "99F1"
    assert form["meta"]["profile"][0].startswith(BASE)


def test_a_stop_of_a_form_that_was_withdrawn_is_told_of() -> None:
    """It may have been meant for what was sent in its place."""
    gone = {**FORM, "version": 2, "status": "entered-in-error", "received": "2026-03-03T09:00:00Z"}
    again = {**FORM, "id": "F2", "received": "2026-03-03T09:00:00Z"}
    found = care_of(said({"forms": [FORM, gone, again], "changes": [STOP], "doses": [SEEN]}))
    assert rules(found) == ["change-form-unknown"]


def test_a_dose_of_a_day_that_has_not_come_is_not_told_yet() -> None:
    """Taken home for 8 March; that it was handed over on the 7th, after its receipt, is told on the 8th."""
    dose = {"id": "S", "on": "2026-03-08", "is": "take-home", "at": "2026-03-07T10:00:00Z", "received": "2026-03-05T10:00:00Z"}
    messages = said({"forms": [FORM], "doses": [SEEN, dose]})
    assert rules(care_of(messages, "2026-03-06")) == []
    assert rules(care_of(messages, "2026-03-08")) == ["time-after-receipt"]


# clocks that differ ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("at", "told"), [("19:00:40", False), ("19:05:00", False), ("19:05:01", True)])
def test_a_time_a_little_after_its_receipt_is_not_told(at: str, told: bool) -> None:
    """The clocks of two systems differ by minutes; the dose counts from its receipt in any case."""
    dose = {"id": "S", "on": "2026-03-02", "is": "supervised", "at": f"2026-03-02T{at}Z", "received": "2026-03-02T19:00:00Z"}
    made = care_of(said({"forms": [FORM], "doses": [dose]}), "2026-03-02T19:00:30Z")
    assert rules(made) == (["time-after-receipt"] if told else [])
    assert made.ledger.days[-1].state == "supervised"
