"""Only opioid substitution treatment counts: a dose of another medicine neither is one nor hides a missed one."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.care.medicines import is_kit, kind
from adapter.care.shared_care import SharedCare, shared_care
from adapter.fhir.outcome import rule_of
from tests.care.build import Json
from tests.care.test_hard_input import AS_OF, CASE, resources, said

SNOMED = "http://snomed.info/sct"


def named(name: str, code: str = "1") -> Json:
    return {"medicationCodeableConcept": {"coding": [{"system": SNOMED, "code": code, "display": name}]}}


def reckoned(messages: list[Json]) -> SharedCare:
    [made] = shared_care(messages, AS_OF)
    return made


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (named("Methadone 1mg/ml oral solution"), "substitution"),
        (named("METHADONE HYDROCHLORIDE 1mg/ml"), "substitution"),
        (named("Espranor 8mg oral lyophilisates"), "substitution"),
        (named("Buprenorphine 8mg / Naloxone 2mg sublingual tablets"), "substitution"),
        (named("Buprenorphine 5micrograms/hour seven day transdermal patches"), "other"),
        (named("Diazepam 2mg tablets"), "other"),
        (named("Naloxone 400micrograms/1ml solution for injection"), "other"),
        ({"medicationCodeableConcept": {"text": "Diazepam 2mg tablets"}}, "other"),
        ({"medicationCodeableConcept": {"coding": [{"system": SNOMED, "code": "322236009"}]}}, "unknown"),  # no name: not known
        ({}, "unknown"),
        # a dose must not be hidden by how it is worded
        (named("Methadone 1mg/ml oral solution, dispatched daily (no patches)"), "substitution"),
        (named("DTF 1mg/ml oral solution"), "unknown"),
        (named("As prescribed"), "unknown"),
        (named("Diazepam", code="36120711000001104"), "substitution"),  # the code is methadone's
        ({"medicationReference": {"reference": "urn:uuid:m"}}, "other"),
        (
            {"medicationReference": {"reference": "#m"}, "contained": [{"id": "m", "code": {"text": "Subutex 8mg"}}]},
            "substitution",
        ),
        ({"medicationReference": {"identifier": {"value": "7"}, "display": "Zopiclone 7.5mg tablets"}}, "other"),
        ({"medicationReference": {"identifier": {"value": "7"}}}, "unknown"),
    ],
)
def test_what_a_medicine_is_by_its_code_and_its_name(resource: Json, expected: str) -> None:
    known = {"urn:uuid:m": {"resourceType": "Medication", "code": {"text": "Diazepam 5mg tablets"}}}
    assert kind(resource, known) == expected


def test_tablets_with_naloxone_are_no_kit() -> None:
    assert is_kit(named("Nyxoid 1.8mg nasal spray"))
    assert not is_kit(named("Buprenorphine 8mg / Naloxone 2mg sublingual tablets"))
    assert not is_kit(named("Suboxone 8mg/2mg sublingual tablets (contains naloxone)"))


def test_a_dose_of_another_medicine_does_not_end_a_run_and_is_told() -> None:
    """Supervised on 2 March, missed on 3 to 5 and 7 to 9; of the 6th there is diazepam alone, so that day is unreported."""
    doses = [
        {"id": "S", "on": "2026-03-02", "is": "supervised"},
        {"id": "M", "on": "2026-03-03..2026-03-05", "is": "missed"},
        {"id": "D", "on": "2026-03-06", "is": "supervised"},
        {"id": "N", "on": "2026-03-07..2026-03-09", "is": "missed"},
    ]
    messages = said({**CASE, "doses": doses})
    assert reckoned(messages).counted.consecutive.as_json() == {"min": 3, "max": 3}  # as methadone it ended the run
    [dose] = [one for one in resources(messages, "MedicationDispense") if one["identifier"][0]["value"] == "D"]
    dose |= named("Diazepam 2mg tablets")
    made = reckoned(messages)
    assert [day.state for day in made.ledger.days] == ["supervised", *["missed"] * 3, "unreported", *["missed"] * 3]
    assert made.counted.consecutive.as_json() == {"min": 6, "max": 7}
    assert [rule_of(one) for one in made.issues] == ["other-medicine"]
    assert "1 of the records" in made.issues[0]["details"]["text"]


@pytest.mark.parametrize("kind", ["MedicationRequest", "MedicationDispense"])
def test_a_form_of_another_medicine_expects_nothing(kind: str) -> None:
    messages = said(CASE)
    for one in resources(messages, kind):
        one.update(named("Diazepam 2mg tablets"))
    states: list[Any] = [day.live for day in reckoned(messages).ledger.days if day.live]
    assert bool(states) == (kind == "MedicationDispense")


def test_a_stop_of_a_form_counts_whatever_it_says_of_its_medicine() -> None:
    stop = {"form": "F1", "type": "stopped", "effective": "2026-03-04T09:00:00Z", "reason": "prescriber-decision"}
    messages = said({**CASE, "changes": [stop]})
    [change] = [one for one in resources(messages, "MedicationRequest") if one["status"] == "stopped"]
    change |= named("Diazepam 2mg tablets")
    made = reckoned(messages)
    assert [bool(day.live) for day in made.ledger.days] == [True, True, *[False] * 6]
    assert made.issues == ()


def test_a_medicine_that_is_not_known_counts_and_is_told_once_of_a_kind_and_a_source() -> None:
    """A form of no known medicine, and its doses: the ledger is what it was, and both are told."""
    messages = said(CASE)
    as_methadone = reckoned(messages)
    for one in [*resources(messages, "MedicationRequest"), *resources(messages, "MedicationDispense")]:
        one.update(named("As prescribed"))
    made = reckoned(messages)
    assert [day.state for day in made.ledger.days] == [day.state for day in as_methadone.ledger.days]
    assert [rule_of(one) for one in made.issues] == ["medicine-unknown"] * 2
    texts = sorted(one["details"]["text"] for one in made.issues)
    assert ["(dose, from pharmacy)" in texts[0], "(form, from " in texts[1]] == [True, True]
    assert not any("As prescribed" in text for text in texts)


def test_one_that_is_not_dated_yet_is_not_told() -> None:
    messages = said(
        {"doses": [{"id": "S", "on": "2026-03-02", "is": "supervised"}, {"id": "L", "on": "2026-03-20", "is": "missed"}]}
    )
    resources(messages, "MedicationDispense")[-1].update(named("As prescribed"))
    [made] = shared_care(messages, "2026-03-10")
    assert made.issues == ()
    [made] = shared_care(messages, "2026-03-20")
    assert [rule_of(one) for one in made.issues] == ["medicine-unknown"]
