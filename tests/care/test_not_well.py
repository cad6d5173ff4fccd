"""What would make somebody look well who is not: each message is valid, and none of them may hide a dose, a death or a stop.

What each must come to is worked out by docs/care.md. The form is of 60 mg, from 2 to 15 March; supervised on 2 to 4.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

import adapter
from adapter.care.medicines import is_kit, kind
from adapter.care.shared_care import shared_care
from adapter.shipped import FIXTURES
from tests.care.build import ITEM, OURS, Json
from tests.care.test_fact_issues import FORM, care_of, due, resources, rules, said

SEEN: Json = {"id": "S", "on": "2026-03-02..2026-03-04", "is": "supervised"}
MISSED: Json = {"id": "M", "on": "2026-03-05..2026-03-09", "is": "missed"}
MG: Json = {"unit": "mg", "system": "http://snomed.info/sct", "code": "258684004"}
SYRINGE: Json = {"unit": "pre-filled disposable injection", "system": "http://snomed.info/sct", "code": "3318611000001103"}
ML: Json = {"unit": "ml", "system": "http://snomed.info/sct", "code": "258773002"}


def states(care: Any) -> list[str]:
    return [day.state for day in care.ledger.days]


# death ------------------------------------------------------------------------------------------------------------------
DIED: Json = {"on": "2026-03-05", "received": "2026-03-05T21:00:00Z"}


def test_a_dose_that_carries_along_that_the_person_lives_denies_no_death() -> None:
    messages = said({"forms": [FORM], "doses": [SEEN], "death": DIED})
    late = said({"doses": [{"id": "L", "on": "2026-03-04", "is": "supervised", "received": "2026-03-06T09:00:00Z"}]})
    resources(late, "Patient")[0]["deceasedBoolean"] = False
    made = care_of([*messages, *late])
    assert due(made) == {"stop-supply-deceased", "incident-notice"}
    assert rules(made) == ["death-not-denied"]
    about_the_person = said({"doses": [], "death": {**DIED, "denied": "2026-03-06T09:00:00Z"}, "forms": [FORM]})
    assert "stop-supply-deceased" not in due(care_of([*about_the_person, *said({"doses": [SEEN]})]))


def test_what_was_carried_along_before_the_death_is_not_told() -> None:
    messages = said({"forms": [FORM], "doses": [SEEN], "death": DIED})
    for one in resources(messages, "Patient"):
        one.setdefault("deceasedBoolean", False)
        if "deceasedDateTime" in one:
            del one["deceasedBoolean"]
    assert rules(care_of(messages)) == []


def test_a_stop_because_the_person_died_is_no_death_and_a_dose_after_it_is_in_conflict() -> None:
    """F1 is stopped on 5 March for that reason; of F2, which is live, doses are supplied on 6 and 7."""
    other = {**FORM, "id": "F2", "pharmacy": "FZZ02"}
    stop = {"form": "F1", "type": "stopped", "effective": "2026-03-05T09:00:00Z", "reason": "deceased"}
    messages = said({"forms": [FORM, other], "changes": [stop], "doses": [{**SEEN, "on": "2026-03-02..2026-03-07"}]})
    made = care_of(messages, "2026-03-07")
    assert rules(made) == ["death-by-change"]
    [conflict] = [one for one in made.actions if one.code == "conflicting-evidence"]
    assert conflict.since == "2026-03-06"
    alone = care_of(said({"forms": [FORM], "changes": [stop], "doses": [SEEN]}), "2026-03-07")
    assert (due(alone), rules(alone)) == ({"prescriber-gap"}, ["death-by-change"])


# amounts ----------------------------------------------------------------------------------------------------------------
def altered(dose: Json | None, given: Json | None, **more: Any) -> list[Json]:
    """A dose of 5 March: handed over and swallowed as said; more: what the record of the handing over has besides."""
    messages = said({"forms": [FORM], "doses": [{"id": "A", "on": "2026-03-05", "is": "supervised"}]})
    [dispense], [administration] = resources(messages, "MedicationDispense"), resources(messages, "MedicationAdministration")
    dispense |= {**({"quantity": dose} if dose else {}), **more}
    if given:
        administration["dosage"]["dose"] = given
    return messages


@pytest.mark.parametrize(
    ("handed", "swallowed", "state", "doubled"),
    [
        ({"value": 60, **MG}, {"value": 60, **MG}, "supervised", False),
        ({"value": 60, **MG}, {"value": 60, **ML}, "conflict", False),
        ({"value": 60, **MG}, {"value": 50, **MG}, "conflict", False),
        ({"value": 60, **MG}, {"value": 600, **MG}, "conflict", True),
        ({"value": 600, **MG}, {"value": 600, **MG}, "supervised", True),
        ({"value": 61, **MG}, {"value": 61, **MG}, "supervised", True),
        ({"value": 60, "unit": "mg"}, {"value": 60, **MG}, "supervised", False),  # one has no code: not known to differ
        ({"value": 1, **MG}, {"value": 1, **MG}, "supervised", False),
    ],
)
def test_amounts_that_differ_and_doses_above_what_is_prescribed(handed: Json, swallowed: Json, state: str, doubled: bool) -> None:
    made = care_of(altered(handed, swallowed), "2026-03-05")
    assert states(made)[-1] == state
    assert ("possible-double-dose" in due(made)) is doubled


def test_what_is_handed_over_for_several_days_is_of_each_its_share() -> None:
    """For three days: 180 mg, of which 60 are swallowed on the spot; or the 60 of the first day, of which each other has its record."""
    days: Json = {"value": 3.0, "unit": "day", "system": "http://unitsofmeasure.org", "code": "d"}  # as a JSON reader may give it
    for mg in (180, 60):
        made = care_of(altered({"value": mg, **MG}, None, daysSupply=days), "2026-03-05")
        assert (states(made)[-1], due(made) & {"possible-double-dose"}) == ("supervised", set())
    for mg in (190, 50):
        assert states(care_of(altered({"value": mg, **MG}, None, daysSupply=days), "2026-03-05"))[-1] == "conflict"


@pytest.mark.parametrize("source", ["pharmacy", "criis"])
def test_a_weekend_of_doses_as_a_pharmacy_tells_it_is_in_no_conflict(source: str) -> None:
    """Three days of one collection: the first is seen swallowed, and says that what was collected lasts three days."""
    body = (FIXTURES / source / "dose-outcome" / "take-home-closed-weekend" / "in.json").read_bytes()
    bundle = adapter.load().translate(body, read=f"{source}/dose-outcome", received="2026-03-18T18:00:00Z").bundle
    made = care_of([bundle], "2026-03-18")
    assert states(made)[:3] == ["supervised", "take-home", "take-home"]
    assert {"possible-double-dose", "conflicting-evidence"} & due(made) == set()


def test_more_than_the_record_itself_says_is_prescribed() -> None:
    said_to_be: Json = {"url": f"{OURS}prescribed-amount", "valueQuantity": {"value": 40, **MG}}
    messages = altered(None, None)
    [dispense] = resources(messages, "MedicationDispense")
    dispense["extension"].append(said_to_be)
    assert "possible-double-dose" in due(care_of(messages, "2026-03-05"))
    said_to_be["valueQuantity"]["value"] = 60
    assert due(care_of(messages, "2026-03-05")) & {"possible-double-dose"} == set()


def test_two_forms_of_one_day_prescribe_together() -> None:
    """40 and 30 mg, both live: 70 mg is no more than they prescribe, 80 is."""
    forms = [{**FORM, "id": "F1", "mg": 40}, {**FORM, "id": "F2", "mg": 30}]
    for mg, doubled in ((70, False), (80, True)):
        made = care_of(
            said({"forms": forms, "doses": [{"id": "A", "on": "2026-03-05", "is": "supervised", "mg": mg}]}), "2026-03-05"
        )
        assert ("possible-double-dose" in due(made)) is doubled


def test_a_dose_whose_swallowing_was_entered_in_error_was_not_surely_swallowed() -> None:
    messages = altered(None, None)
    resources(messages, "MedicationAdministration")[0]["status"] = "entered-in-error"
    assert states(care_of(messages, "2026-03-05"))[-1] == "conflict"


# supplies ---------------------------------------------------------------------------------------------------------------
def test_two_supplies_of_which_only_the_days_are_said_are_two() -> None:
    """Take-home doses of 5 to 7 March, handed over on the 4th and again on the 5th."""
    once: list[Json] = [{"id": "A", "on": "2026-03-05..2026-03-07", "is": "take-home", "at": "2026-03-04T10:00:00Z"}]
    again = {**once[0], "id": "B", "at": "2026-03-05T10:00:00Z"}
    messages = said({"forms": [FORM], "doses": [SEEN, *once, again]})
    for one in resources(messages, "MedicationDispense"):
        one["whenHandedOver"] = one["whenHandedOver"][:10]
    assert "possible-double-dose" in due(care_of(messages, "2026-03-07"))
    same = said({"forms": [FORM], "doses": [SEEN, *once, {**once[0], "id": "B"}]})
    assert "possible-double-dose" not in due(care_of(same, "2026-03-07"))


def test_two_supplies_by_two_orders_are_two() -> None:
    doses = [{"id": name, "on": "2026-03-05", "is": "supervised"} for name in ("A", "B")]
    messages = said({"forms": [FORM], "doses": doses})
    assert "possible-double-dose" not in due(care_of(messages, "2026-03-05"))
    for n, one in enumerate(resources(messages, "MedicationDispense")):
        one["authorizingPrescription"] = [{"identifier": {"system": ITEM, "value": f"F{n}"}}]
    assert "possible-double-dose" in due(care_of(messages, "2026-03-05"))


def test_two_doses_of_a_day_from_two_pharmacies_where_no_form_is_known() -> None:
    doses = [
        {"id": "A", "on": "2026-03-05", "is": "supervised", "n": 1},
        {"id": "B", "on": "2026-03-05", "is": "supervised", "n": 2},
    ]
    assert "possible-double-dose" not in due(care_of(said({"doses": doses}), "2026-03-05"))
    assert "possible-double-dose" in due(care_of(said({"doses": [doses[0], {**doses[1], "pharmacy": "FZZ02"}]}), "2026-03-05"))


def test_a_supply_that_names_no_dose_date_is_told() -> None:
    messages = said({"forms": [FORM], "doses": [SEEN, {"id": "E", "on": "2026-03-05", "is": "take-home"}]})
    [dispense] = [one for one in resources(messages, "MedicationDispense") if one["identifier"][0]["value"] == "E"]
    dispense["extension"] = []
    made = care_of(messages)
    assert rules(made) == ["supply-undated"]
    assert states(made)[3] == "unreported"
    assert rules(care_of(messages, "2026-03-04")) == []
    for status in ("declined", "entered-in-error"):
        dispense["status"] = status
        assert rules(care_of(messages)) == []


def injected(amount: Json | None, code: str = "1") -> list[Json]:
    """An injection of 2 March, of a product of that code, and a dose seen swallowed on the 5th."""
    doses = [{"id": "D", "on": "2026-03-02", "is": "depot", "mg": 16}, {"id": "S", "on": "2026-03-05", "is": "supervised"}]
    messages = said({"forms": [FORM], "doses": doses})
    [injection] = [one for one in resources(messages, "MedicationAdministration") if "category" in one]
    injection["dosage"] = {"dose": amount} if amount else {"text": "one injection"}
    injection["medicationCodeableConcept"]["coding"][0]["code"] = code
    return messages


@pytest.mark.parametrize("amount", [{"value": 20, **MG}, {"value": 1, **SYRINGE}, {"value": "0.32", **ML}, None])
def test_after_an_injection_of_an_unknown_dose_others_are_raised(amount: Json | None) -> None:
    """Nobody knows how long it lasts: for the count its own day, for a double dose as long as any."""
    made = care_of(injected(amount), "2026-03-05")
    assert states(made) == ["depot", "unreported", "unreported", "supervised"]
    assert "possible-double-dose" in due(made)
    assert rules(made) == ["injection-unknown"]


@pytest.mark.parametrize(
    ("amount", "code", "milligrams"),
    [
        ({"value": 16, **MG}, "1", 16),
        ({"value": 1, **SYRINGE}, "36751711000001103", 16),
        ({"value": 2, **SYRINGE}, "36751711000001103", 32),
        ({"value": "0.32", **ML}, "36751711000001103", 16),
        (None, "36751711000001103", 16),
        ({"value": 1, **SYRINGE}, "36752511000001100", 96),
        ({"value": 24, **MG}, "36751711000001103", 24),  # what is said goes before what the product is
    ],
)
def test_the_dose_of_an_injection_shows_by_its_product(amount: Json | None, code: str, milligrams: int) -> None:
    made = care_of(injected(amount, code), "2026-03-05")
    assert (made.ledger.facts.outcomes[0].milligrams, rules(made)) == (Decimal(milligrams), [])
    assert states(made) == ["depot", "depot", "depot", "supervised"]


# told ahead of time -----------------------------------------------------------------------------------------------------
def test_doses_told_as_had_before_their_day_do_not_count() -> None:
    """Supervised on 5 to 9 March, received on the 4th: of none of these days is anything known."""
    ahead = {"id": "A", "on": "2026-03-05..2026-03-09", "is": "supervised", "received": "2026-03-04T19:00:00Z"}
    made = care_of(said({"forms": [FORM], "doses": [SEEN, ahead]}), "2026-03-12")
    assert states(made)[3:8] == ["unreported"] * 5
    assert rules(made) == ["told-ahead"]
    assert made.issues[0]["severity"] == "error"
    assert rules(care_of(said({"forms": [FORM], "doses": [SEEN, ahead]}), "2026-03-04")) == []  # of no day that has come


@pytest.mark.parametrize("outcome", ["take-home", "missed", "withheld", "not-swallowed"])
def test_what_can_be_known_ahead_counts(outcome: str) -> None:
    """A dose handed over for a later day; one that is lost with a collection that was missed."""
    at = {"at": "2026-03-04T10:00:00Z"} if outcome in ("take-home", "not-swallowed") else {}
    ahead = {"id": "A", "on": "2026-03-05", "is": outcome, "received": "2026-03-04T19:00:00Z", **at}
    made = care_of(said({"forms": [FORM], "doses": [SEEN, ahead]}), "2026-03-05")
    assert (states(made)[-1], rules(made)) == (outcome, [])


def test_a_dose_of_a_later_day_that_was_seen_swallowed_by_then_counts_and_is_raised() -> None:
    """The doses of 4 and 5 March, both swallowed on the 4th, when that was received."""
    both = [{"id": f"D{day}", "on": f"2026-03-0{day}", "is": "supervised", "at": "2026-03-04T10:00:00Z", "received": "2026-03-04T19:00:00Z"} for day in (4, 5)]  # fmt: skip
    made = care_of(said({"forms": [FORM], "doses": both}), "2026-03-05")
    assert "possible-double-dose" in due(made)
    assert "told-ahead" not in rules(made)


def test_a_consultation_that_is_still_to_come_clears_nothing() -> None:
    talk = {"at": "2026-03-10T10:00:00Z", "medium": "face-to-face", "type": "prescribing-review", "attendance": "attended"}
    case = {"forms": [FORM], "doses": [SEEN, MISSED], "consultations": [{**talk, "received": "2026-03-09T20:00:00Z"}]}
    case["doses"] = [*case["doses"], {"id": "L", "on": "2026-03-10", "is": "supervised"}]
    made = care_of(said(case), "2026-03-11")
    assert {"discuss-with-prescriber", "assess-tolerance"} <= due(made)
    assert rules(made) == ["told-ahead"]
    case["consultations"] = [{**talk, "received": "2026-03-10T20:00:00Z"}]
    assert {"discuss-with-prescriber", "assess-tolerance"} & due(care_of(said(case), "2026-03-11")) == set()


def test_an_order_dated_ahead_was_written_when_it_was_received() -> None:
    """Missed on 5 to 9 March. A form that says that it was written on the 11th was received on the 4th: nobody assessed anything."""
    ahead = {**FORM, "id": "F2", "authored": "2026-03-11", "first": "2026-03-11", "received": "2026-03-04T09:00:00Z"}
    doses = [SEEN, MISSED, {"id": "L", "on": "2026-03-10..2026-03-12", "is": "supervised"}]
    made = care_of(said({"forms": [FORM, ahead], "doses": doses}), "2026-03-12")
    assert {"discuss-with-prescriber", "assess-tolerance", "supply-not-permitted"} <= due(made)
    restart = {**ahead, "restarts": "F1", "reason": "missed-doses"}
    assert "supply-not-permitted" in due(care_of(said({"forms": [FORM, restart], "doses": doses}), "2026-03-12"))
    written = {**restart, "received": "2026-03-11T09:00:00Z"}
    assert "supply-not-permitted" not in due(care_of(said({"forms": [FORM, written], "doses": doses}), "2026-03-12"))


# restarts ---------------------------------------------------------------------------------------------------------------
RESTART: Json = {**FORM, "id": "F2", "authored": "2026-03-10", "first": "2026-03-10", "restarts": "F1", "reason": "missed-doses"}


@pytest.mark.parametrize(
    ("changes", "lifts"),
    [
        ({}, True),
        ({"restarts": "F2"}, False),  # itself
        ({"first": "2026-02-01", "last": "2026-02-10"}, False),  # it was over when it was written
        ({"last": "2026-03-10"}, True),
        ({"first": "2026-03-05", "last": "2026-03-09"}, False),
        ({"status": "on-hold"}, False),
    ],
)
def test_a_restart_that_permits_no_dose_lifts_no_stop(changes: Json, lifts: bool) -> None:
    made = care_of(said({"forms": [FORM, {**RESTART, **changes}], "doses": [SEEN, MISSED]}), "2026-03-11")
    assert ("supply-not-permitted" not in due(made)) is lifts


def test_neither_does_one_that_was_held_before_it_began() -> None:
    hold = {"form": "F2", "type": "held", "effective": "2026-03-10T08:00:00Z"}
    made = care_of(said({"forms": [FORM, RESTART], "changes": [hold], "doses": [SEEN, MISSED]}), "2026-03-11")
    assert "supply-not-permitted" in due(made)
    resumed = {"form": "F2", "type": "resumed", "effective": "2026-03-11T08:00:00Z"}
    made = care_of(said({"forms": [FORM, RESTART], "changes": [hold, resumed], "doses": [SEEN, MISSED]}), "2026-03-11")
    assert "supply-not-permitted" not in due(made)


# who, and what ----------------------------------------------------------------------------------------------------------
def test_an_identifier_of_two_people_is_told_of_each() -> None:
    """Missed doses come by a local number; a message of another NHS number carries that number too."""
    local = {"system": "https://pmr.willowlane.example/patient", "value": "L1"}
    messages = said({"forms": [FORM], "doses": [SEEN]})
    missed = said({"doses": [MISSED]})
    resources(messages, "Patient")[0]["identifier"].append(local)
    for one in resources(missed, "Patient"):
        one["identifier"] = [local]
    assert rules(care_of([*messages, *missed], "2026-03-09")) == []
    other = said({"doses": [{"id": "O", "on": "2026-03-04", "is": "supervised"}]})
    resources(other, "Patient")[0]["identifier"] = [
        {**resources(messages, "Patient")[1]["identifier"][0], "value": "9990000026"},
        local,
    ]
    found = list(shared_care([*messages, *missed, *other], "2026-03-09"))
    assert [rules(one) for one in found] == [["identifier-contested"]] * 3
    assert "supply-not-permitted" in set().union(*(due(one) for one in found))


def test_a_double_entry_that_was_withdrawn_takes_the_other_with_it_and_that_is_told() -> None:
    """The 9th was missed: entered twice, and one of the two withdrawn. They were one event; whether it stands, a person must ask."""
    twice = [{"id": name, "on": "2026-03-09", "is": "missed"} for name in ("A", "B")]
    gone = {**twice[1], "status": "entered-in-error", "received": "2026-03-10T09:00:00Z"}
    made = care_of(said({"forms": [FORM], "doses": [SEEN, *twice, gone]}), "2026-03-11")
    assert (states(made)[7], rules(made)) == ("unreported", ["copy-withdrawn"])
    again = {**twice[0], "id": "C", "replaces": "B", "received": "2026-03-11T09:00:00Z"}
    made = care_of(said({"forms": [FORM], "doses": [SEEN, *twice, gone, again]}), "2026-03-11")
    assert (states(made)[7], rules(made)) == ("missed", [])


def replacing(kind: str, name: str, other: Json) -> Callable[[list[Json]], None]:
    def alter(messages: list[Json]) -> None:
        one = next(each for each in resources(messages, kind) if each["identifier"][0]["value"] == name)
        one.setdefault("extension", []).append({"url": f"{OURS}replaces", "valueIdentifier": other})

    return alter


def test_a_correction_takes_the_place_of_its_own_kind_alone() -> None:
    """A dose names a form, and a form a missed dose, as what they replace."""
    later = {**FORM, "id": "F2", "authored": "2026-03-16", "first": "2026-03-16", "last": "2026-03-20"}
    messages = said({"forms": [FORM, later], "doses": [SEEN, MISSED]})
    before = states(care_of(messages, "2026-03-09"))
    form = next(one for one in resources(messages, "MedicationRequest"))["identifier"][0]
    dose = next(one for one in resources(messages, "MedicationDispense") if one["identifier"][0]["value"] == "M-5")["identifier"][
        0
    ]
    replacing("MedicationDispense", "S-1", form)(messages)
    replacing("MedicationRequest", "F2", dose)(messages)
    assert states(care_of(messages, "2026-03-09")) == before == ["supervised"] * 3 + ["missed"] * 5


def test_a_shortened_name_of_the_tablets_is_no_other_medicine_and_no_kit() -> None:
    for name in ("Bup/naloxone 8mg/2mg SL tabs", "bupe 8mg", "MTD 1mg/ml sugar free"):
        resource = {"medicationCodeableConcept": {"text": name}}
        assert (kind(resource, {}), is_kit(resource)) == ("substitution", False)
    assert kind({"medicationCodeableConcept": {"text": "Bupropion 150mg tablets"}}, {}) == "unknown"
