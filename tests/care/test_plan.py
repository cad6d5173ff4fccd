"""The instalment plan: what is planned from a form, what is told of it, and what others planned, checked against the form.

2026-03-23 is a Monday. Good Friday is 2026-04-03, Easter Monday 2026-04-06.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from copy import deepcopy
from datetime import date, time, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.care import policy
from adapter.care.plan import Plan, PlannedCollection, as_resources, check, missed, plan, read
from adapter.care.plan_issues import RULES, told
from adapter.care.policy import Feed
from adapter.care.prescribed import Amount, prescribed
from adapter.care.quantity_words import in_words
from adapter.fhir.dates import add_days
from adapter.fhir.gate import Gate
from adapter.fhir.json import decode, encode
from adapter.fhir.outcome import Issue, is_error, rule_of
from adapter.shipped import FIXTURES, PROFILES

Json = dict[str, Any]
OURS = "https://ost-adapter.example/fhir/StructureDefinition/"
CONTROLLED = "https://fhir.nhs.uk/StructureDefinition/Extension-DM-ControlledDrug"
ML, MG, TABLET = ("ml", "258773002", "mL"), ("mg", "258684004", "mg"), ("tablet", "428673006", "{tbl}")
OPEN = Feed(time(18), timedelta(hours=24), frozenset(), frozenset(), bank_holidays=False)
POLICY = policy.load()
USUAL = POLICY.default_feed  # closed on Sundays and England's bank holidays
SAMPLES = FIXTURES / "pharmacy" / "prescription"


# forms ------------------------------------------------------------------------------------------------------------------
def quantity(value: Any, unit: tuple[str, str, str] = ML) -> Json:
    word, code, ucum = unit
    said = {"value": value if isinstance(value, int) else Decimal(str(value)), "unit": word, "system": "http://snomed.info/sct"}
    return {"extension": [{"url": f"{OURS}ucum-unit", "valueCode": ucum}], **said, "code": code}


def step(first: str, last: str, dose: Any, count: int = 1, sequence: int = 1, unit: tuple[str, str, str] = ML) -> Json:
    repeat = {"boundsPeriod": {"start": first, "end": last}, "frequency": count, "period": 1, "periodUnit": "d"}
    return {
        "sequence": sequence,
        "text": "as written",
        "timing": {"repeat": repeat},
        "doseAndRate": [{"doseQuantity": quantity(dose, unit)}],
    }


def form(
    first: str,
    last: str,
    steps: Sequence[Json],
    total: Any,
    *,
    words: str = "",
    wordings: Sequence[str] = (),
    closed: Sequence[str] = (),
    supervision: str = "required",
    authored: str = "2026-03-18",
    validity: tuple[str, str] | None = None,
    unit: tuple[str, str, str] = ML,
) -> Json:
    controlled = [{"url": "quantityWords", "valueString": words}] if words else []
    controlled_system = "https://fhir.nhs.uk/CodeSystem/medicationrequest-controlled-drug"
    supply: Json = {"quantity": quantity(total, unit)}
    if validity:
        supply["validityPeriod"] = dict(zip(("start", "end"), validity, strict=True))
    return {
        "resourceType": "MedicationRequest",
        "id": "0b1e7a3c-5a55-5b55-9c55-000000000001",
        "identifier": [{"system": "https://reset.example/item", "value": "RX-1"}],
        "status": "active",
        "intent": "original-order",
        "groupIdentifier": {"system": "https://fhir.example/fp10mda-serial", "value": "99000000017"},
        "courseOfTherapyType": {
            "coding": [
                {
                    "system": "https://fhir.nhs.uk/CodeSystem/medicationrequest-course-of-therapy",
                    "code": "instalment-dispensing",
                }
            ]
        },
        "medicationCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": "36066511000001103"}]},
        "subject": {"reference": "urn:uuid:0b1e7a3c-5a55-5b55-9c55-000000000002"},
        "authoredOn": authored,
        "substitution": {"allowedBoolean": False},
        "dosageInstruction": list(steps),
        "dispenseRequest": supply,
        "extension": [
            {
                "url": CONTROLLED,
                "extension": [*controlled, {"url": "schedule", "valueCoding": {"system": controlled_system, "code": "CD2"}}],
            },
            {"url": f"{OURS}required-supervision", "valueCode": supervision},
            {"url": f"{OURS}treatment-period", "valuePeriod": {"start": first, "end": last}},
            *({"url": f"{OURS}home-office-wording", "extension": [{"url": "code", "valueCode": code}]} for code in wordings),
            *({"url": f"{OURS}closed-day", "valueDate": day} for day in closed),
        ],
    }


def fortnight(**changes: Any) -> Json:
    """Monday 23 March to Sunday 5 April, 40 ml a day: 14 x 40 = 560 ml."""
    first, last = "2026-03-23", "2026-04-05"
    return form(first, last, [step(first, last, 40)], changes.pop("total", 560), **changes)


def week(**changes: Any) -> Json:
    """Monday 23 to Sunday 29 March, 40 ml a day: 7 x 40 = 280 ml."""
    first, last = "2026-03-23", "2026-03-29"
    return form(first, last, [step(first, last, 40)], changes.pop("total", 280), **changes)


def sample(name: str) -> tuple[Json, list[Json]]:
    """The first form of a fixture, and the instance-orders that stand on it."""
    resources = [entry["resource"] for entry in decode((SAMPLES / name / "bundle.json").read_bytes())["entry"]]
    orders = [one for one in resources if one["resourceType"] == "MedicationRequest"]
    first = next(one for one in orders if one["intent"] == "original-order")
    return first, [one for one in orders if one.get("basedOn", [{}])[0].get("reference") == f"urn:uuid:{first['id']}"]


def rules(issues: Sequence[Issue]) -> list[str]:
    return [rule_of(one) for one in issues]


def text(issues: Sequence[Issue], rule: str) -> str:
    (one,) = [each for each in issues if rule_of(each) == rule]
    said: str = one["details"]["text"]
    return said


def days(made: Plan) -> list[tuple[str, list[str]]]:
    """Month and day of each collection, and the days of the month that it covers."""
    return [(one.on[5:], [day[8:] for day in one.covers]) for one in made.collections]


def amounts(made: Plan) -> list[Decimal]:
    return [one.quantity.value for one in made.collections if one.quantity is not None]


# real forms -------------------------------------------------------------------------------------------------------------
def test_the_plan_of_a_real_form_is_the_one_that_came_with_it() -> None:
    """Mondays to Saturdays; Sundays on Saturday, Good Friday on Thursday: 3 of 11 collections cover two days (80 ml)."""
    made, orders = sample("fourteen-days-closed-days")
    planned = plan(made, POLICY, USUAL)
    assert planned.issues == ()
    assert planned.collections == read(orders)
    assert len(planned.collections) == 11 and amounts(planned).count(Decimal(80)) == 3
    assert {one.quantity.unit for one in planned.collections if one.quantity} == {"ml"}


@pytest.mark.parametrize(
    ("name", "pick_up"),
    [
        ("titration", {0, 1, 2, 3, 4, 5}),  # Sunday's 40 ml with Saturday's 30: 70
        ("two-items-unsupervised", {0, 2, 4}),
        ("split-dose", None),  # 2 x 27.5 = 55.0 a day
        ("restart", None),
    ],
)
def test_real_plans_of_other_days(name: str, pick_up: set[int | str] | None) -> None:
    made, orders = sample(name)
    planned = plan(made, POLICY, USUAL, pick_up)
    assert planned.issues == ()
    assert planned.collections == read(orders)


@pytest.mark.parametrize(
    "name", ["all-codes", "fourteen-days-closed-days", "titration", "two-items-unsupervised", "split-dose", "restart"]
)
def test_given_plans_of_real_forms_agree(name: str) -> None:
    made, orders = sample(name)
    assert check(made, POLICY, read(orders)) == []


# days -------------------------------------------------------------------------------------------------------------------
def test_the_endorsement_of_fourteen_doses_in_six_visits_is_pd8() -> None:
    """PDn: packaged doses less visits, 14 - 6 = 8. Monday 2 days, Wednesday 2, Friday 3, twice: 80, 80, 120 ml."""
    made = plan(fortnight(wordings=["separate-containers"]), POLICY, OPEN, {0, 2, 4}, {0, 2, 4})
    assert made.issues == ()
    assert days(made) == [
        ("03-23", ["23", "24"]),
        ("03-25", ["25", "26"]),
        ("03-27", ["27", "28", "29"]),
        ("03-30", ["30", "31"]),
        ("04-01", ["01", "02"]),
        ("04-03", ["03", "04", "05"]),
    ]
    assert amounts(made) == [80, 80, 120, 80, 80, 120]
    assert sum(len(one.covers) for one in made.collections) - len(made.collections) == 8


def test_steps_and_doses_a_day_make_the_quantity() -> None:
    """Tuesday 24 to Thursday 26 at 2 x 7.5 = 15.0, Friday and Saturday at 2 x 10.25 = 20.50: 45.0 + 41.00 = 86.00 ml.

    Collected on Tuesday and Thursday: 15.0 + 15.0 = 30.0; 15.0 + 20.50 + 20.50 = 56.00.
    """
    steps = [step("2026-03-24", "2026-03-26", "7.5", 2), step("2026-03-27", "2026-03-28", "10.25", 2, 2)]
    made = plan(form("2026-03-24", "2026-03-28", steps, "86.00", words="eighty-six millilitres"), POLICY, OPEN, {1, 3})
    assert made.issues == ()
    assert days(made) == [("03-24", ["24", "25"]), ("03-26", ["26", "27", "28"])]
    assert amounts(made) == [Decimal("30.0"), Decimal("56.00")]
    assert str(made.collections[1].quantity) == "56.00 ml"


def test_amounts_are_exact_whatever_their_length() -> None:
    """2 x 0.1234567890123456789012345678901 has more digits than Python's decimals keep unasked."""
    dose = Decimal("0.1234567890123456789012345678901")
    steps = [step("2026-03-23", "2026-03-24", dose)]
    made = plan(form("2026-03-23", "2026-03-24", steps, Decimal("0.2469135780246913578024691357802")), POLICY, OPEN, {0})
    assert made.issues == ()
    assert amounts(made) == [Decimal("0.2469135780246913578024691357802")]


def test_without_days_of_collection_each_dose_is_collected_on_its_day() -> None:
    assert [one.on for one in plan(week(), POLICY, OPEN).collections] == [f"2026-03-{day}" for day in range(23, 30)]


def test_days_of_collection_may_be_dates_and_may_lie_before_the_first_dose() -> None:
    """The doses of Monday to Wednesday on the Saturday before; the date after the last dose collects nothing."""
    made = plan(week(), POLICY, OPEN, {"2026-03-21", "2026-03-26", "2026-03-30"})
    assert days(made) == [("03-21", ["23", "24", "25"]), ("03-26", ["26", "27", "28", "29"])]
    assert [one.supervised for one in made.collections] == [False, True]
    assert rules(made.issues) == ["plan-pick-up-unused"]
    assert "2026-03-30" in text(made.issues, "plan-pick-up-unused")


def test_weekdays_and_dates_together() -> None:
    assert days(plan(week(), POLICY, OPEN, {0, "2026-03-27"})) == [
        ("03-23", ["23", "24", "25", "26"]),
        ("03-27", ["27", "28", "29"]),
    ]


def test_doses_before_the_first_day_of_collection_are_collected_on_the_first_of_them_and_told() -> None:
    made = plan(week(), POLICY, OPEN, {2, 4})
    assert days(made) == [("03-23", ["23", "24"]), ("03-25", ["25", "26"]), ("03-27", ["27", "28", "29"])]
    assert rules(made.issues) == ["plan-first-day"]
    assert text(made.issues, "plan-first-day").endswith(": 2026-03-23, 2026-03-24.")
    assert days(plan(week(), POLICY, OPEN, set())) == [("03-23", ["23", "24", "25", "26", "27", "28", "29"])]


@pytest.mark.parametrize("wrong", [{7}, {-1}, {"2026-03"}, {"monday"}, {"2026-02-30"}])
def test_what_is_no_day_is_a_fault_of_the_caller(wrong: set[int | str]) -> None:
    with pytest.raises(ValueError, match="not a weekday"):
        plan(week(), POLICY, OPEN, wrong)
    with pytest.raises(ValueError, match="not a weekday"):
        plan(week(), POLICY, OPEN, None, wrong)


# closed days ------------------------------------------------------------------------------------------------------------
def test_closed_days_go_to_the_last_open_day_before_where_the_wording_says_so() -> None:
    """Monday 30 March to Sunday 12 April: Good Friday on Thursday, Easter Sunday and Monday on Saturday, the 12th on the 11th."""
    first, last = "2026-03-30", "2026-04-12"
    made = plan(form(first, last, [step(first, last, 40)], 560, wordings=["closed-days"]), POLICY, USUAL)
    assert made.issues == ()
    assert [(on, covers) for on, covers in days(made) if len(covers) > 1] == [
        ("04-02", ["02", "03"]),
        ("04-04", ["04", "05", "06"]),
        ("04-11", ["11", "12"]),
    ]
    assert len(made.collections) == 10  # 14 less the four closed days
    assert all(one.supervised for one in made.collections)


def test_an_instalment_that_is_moved_stays_whole_on_a_day_between() -> None:
    """Wednesday 25 is closed: its two days are collected on Tuesday, whose own dose came on Monday, so that none is supervised."""
    made = plan(week(wordings=["closed-days"], closed=["2026-03-25"]), POLICY, OPEN, {0, 2, 4})
    assert made.issues == ()
    assert days(made) == [("03-23", ["23", "24"]), ("03-24", ["25", "26"]), ("03-27", ["27", "28", "29"])]
    assert [one.supervised for one in made.collections] == [True, False, True]


def test_a_pharmacys_own_days_and_the_forms_are_both_closed() -> None:
    """Closed: Wednesdays and the 26th by the feed, the 27th by the form. Tuesday 24 collects all three and its own: 160 ml."""
    feed = Feed(time(18), timedelta(hours=24), frozenset({2}), frozenset({"2026-03-26"}), bank_holidays=False)
    made = plan(week(wordings=["closed-days"], closed=["2026-03-27"]), POLICY, feed)
    assert days(made)[:3] == [("03-23", ["23"]), ("03-24", ["24", "25", "26", "27"]), ("03-28", ["28"])]
    assert amounts(made) == [40, 160, 40, 40]


def test_without_the_wording_a_closed_day_is_told_and_stays() -> None:
    made = plan(fortnight(), POLICY, USUAL)
    assert len(made.collections) == 14
    assert rules(made.issues) == ["plan-closed-day"]
    assert text(made.issues, "plan-closed-day").endswith(": 2026-03-29, 2026-04-03, 2026-04-05.")


def test_a_closed_day_with_no_open_day_before_is_told_and_stays() -> None:
    """Sunday 29 March to Tuesday: closed on Sunday and, by the form, on Monday. No supply before the treatment begins."""
    made = form(
        "2026-03-29", "2026-03-31", [step("2026-03-29", "2026-03-31", 40)], 120, wordings=["closed-days"], closed=["2026-03-30"]
    )
    planned = plan(made, POLICY, USUAL)
    assert days(planned) == [("03-29", ["29"]), ("03-30", ["30"]), ("03-31", ["31"])]
    assert rules(planned.issues) == ["plan-no-prior-day"]
    assert text(planned.issues, "plan-no-prior-day").endswith(": 2026-03-29, 2026-03-30.")


def test_the_first_dose_date_may_be_the_prior_day() -> None:
    made = plan(week(wordings=["closed-days"], closed=["2026-03-24"]), POLICY, OPEN)
    assert made.issues == ()
    assert days(made)[:2] == [("03-23", ["23", "24"]), ("03-25", ["25"])]


def test_a_closed_day_on_which_nothing_is_collected_changes_nothing() -> None:
    assert plan(fortnight(), POLICY, USUAL, {0}).issues == ()


# supervision ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("supervision", "wordings", "expected"),
    [
        ("required", [], True),
        ("not-required", [], False),
        ("unknown", [], None),
        ("unknown", ["supervise-on-collection"], True),
    ],
)
def test_supervision_is_as_the_form_says(supervision: str, wordings: list[str], expected: bool | None) -> None:
    made = plan(week(supervision=supervision, wordings=wordings), POLICY, OPEN, {0, 3})
    assert made.issues == ()
    assert [one.supervised for one in made.collections] == [expected, expected]


def test_a_form_that_says_both_is_told_and_supervised() -> None:
    made = plan(week(supervision="not-required", wordings=["supervise-on-collection"]), POLICY, OPEN)
    assert rules(made.issues) == ["plan-supervision"]
    assert all(one.supervised for one in made.collections)


def test_only_supervised_days_are_supervised() -> None:
    """Mondays and the 27th; collected on Monday, Wednesday, Friday."""
    made = plan(week(supervision="unknown"), POLICY, OPEN, {0, 2, 4}, {0, "2026-03-27"})
    assert made.issues == ()
    assert [one.supervised for one in made.collections] == [True, False, True]


def test_a_supervised_day_without_its_own_collection_is_told() -> None:
    made = plan(week(), POLICY, OPEN, {0, 2, 4}, {0, 1, 2, 3, 4})
    assert [one.supervised for one in made.collections] == [True, True, True]
    assert rules(made.issues) == ["plan-supervised-day"]
    assert text(made.issues, "plan-supervised-day").endswith(": 2026-03-24, 2026-03-26.")


@pytest.mark.parametrize(("supervision", "supervised"), [("required", set()), ("not-required", {0})])
def test_days_that_disagree_with_the_form_are_told_and_followed(supervision: str, supervised: set[int | str]) -> None:
    made = plan(week(supervision=supervision), POLICY, OPEN, None, supervised)
    assert rules(made.issues) == ["plan-supervision"]
    assert [one.supervised for one in made.collections] == [supervised == {0}, *[False] * 6]


# what the form may not be -----------------------------------------------------------------------------------------------
def test_more_than_fourteen_days_are_told_and_planned() -> None:
    """23 March to 6 April are 15 days, 15 x 40 = 600 ml."""
    made = plan(form("2026-03-23", "2026-04-06", [step("2026-03-23", "2026-04-06", 40)], 600), POLICY, OPEN)
    assert rules(made.issues) == ["ost-treatment-period"]
    assert "15 days" in text(made.issues, "ost-treatment-period")
    assert len(made.collections) == 15


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"authored": "2026-02-24"}, []),  # 24 February and 27 days: 23 March is the 28th day
        ({"authored": "2026-02-23"}, ["plan-first-supply"]),
        ({"authored": "2026-02-23T23:30:00Z"}, ["plan-first-supply"]),
        ({"authored": "2026-03-23"}, []),
        ({"authored": "2026-03-24"}, ["plan-first-supply"]),
        ({"authored": "2026-01-05", "validity": ("2026-03-01", "2026-03-28")}, []),
        ({"validity": ("2026-02-22", "2026-03-22")}, ["plan-first-supply"]),
        ({"authored": "2026"}, []),
    ],
)
def test_the_first_collection_lies_in_the_days_for_the_first_supply(changes: Json, said: list[str]) -> None:
    """Later collections may lie after it: the last is on 5 April."""
    made = plan(fortnight(**changes), POLICY, OPEN)
    assert rules(made.issues) == said
    assert len(made.collections) == 14


def test_a_total_that_the_doses_do_not_make_is_told_with_the_sum() -> None:
    made = plan(fortnight(total=540), POLICY, OPEN)
    assert rules(made.issues) == ["plan-total"]
    assert text(made.issues, "plan-total") == "The doses of the form add up to 560 ml, and its total is 540 ml."
    assert sum(amounts(made)) == 560
    without = fortnight()
    del without["dispenseRequest"]["quantity"]
    assert text(plan(without, POLICY, OPEN).issues, "plan-total").endswith("and its total is not said.")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("five hundred and sixty millilitres", []),
        ("Five hundred sixty", []),
        ("FIVE HUNDRED AND SIXTY mls only.", []),
        ("five hundred and sixteen millilitres", ["plan-words"]),
        ("five hundred and sixty milligrams", ["plan-words"]),
        ("fifty six tablets of ten", ["plan-words-unread"]),
        ("560 ml", ["plan-words-unread"]),
    ],
)
def test_the_total_in_words(words: str, said: list[str]) -> None:
    assert rules(plan(fortnight(words=words), POLICY, OPEN).issues) == said


def test_words_that_differ_are_told_with_figures_and_sum() -> None:
    said = text(plan(fortnight(words="five hundred and sixteen millilitres"), POLICY, OPEN).issues, "plan-words")
    assert said == "The form's total is 560 ml in figures, and 516 in words; its doses add up to 560 ml."


def test_milligrams_and_millilitres_are_never_mixed() -> None:
    steps = [step("2026-03-23", "2026-03-24", 40), step("2026-03-25", "2026-03-26", 40, 1, 2, MG)]
    made = plan(form("2026-03-23", "2026-03-26", steps, 160), POLICY, OPEN)
    assert made.collections == () and rules(made.issues) == ["mg-against-ml"]
    total = plan(fortnight(unit=MG), POLICY, OPEN)  # the doses are millilitres, the total milligrams
    assert len(total.collections) == 14 and rules(total.issues) == ["mg-against-ml"]
    assert rules(plan(fortnight(unit=TABLET), POLICY, OPEN).issues) == ["plan-units"]


def _changed(change: Json, where: str = "repeat") -> Json:
    made = week()
    place = made["dosageInstruction"][0] if where == "dosage" else made["dosageInstruction"][0]["timing"]
    if where == "repeat":
        place = place["repeat"]
    place.update(change)
    return {key: value for key, value in made.items() if value is not None}


@pytest.mark.parametrize(
    "unclear",
    [
        _changed({"period": 2}),
        _changed({"periodUnit": "wk"}),
        _changed({"frequency": 0}),
        _changed({"frequencyMax": 2}),
        _changed({"dayOfWeek": ["mon"]}),
        _changed({"boundsPeriod": {"start": "2026-03-23"}}),
        _changed({"boundsPeriod": {"start": "2026-03-29", "end": "2026-03-23"}}),
        _changed({"repeat": {"timeOfDay": ["09:00:00", "18:00:00"]}}, "timing"),
        _changed({"repeat": {}, "code": {"text": "BID"}}, "timing"),
        _changed({"doseAndRate": []}, "dosage"),
        _changed({"doseAndRate": [{"doseQuantity": quantity(40)}] * 2}, "dosage"),
        _changed({"doseAndRate": [{"doseQuantity": quantity(0)}]}, "dosage"),
        _changed({"doseAndRate": [{"doseQuantity": quantity(40) | {"comparator": "<"}}]}, "dosage"),
        _changed({"doseAndRate": [{"doseRange": {"low": quantity(30), "high": quantity(40)}}]}, "dosage"),
    ],
)
def test_a_step_that_is_unclear_is_told_and_not_planned(unclear: Json) -> None:
    made = plan(unclear, POLICY, OPEN)
    assert made.collections == ()
    assert rules(made.issues) == ["plan-step"]
    assert made.issues[0]["expression"] == ["MedicationRequest.dosageInstruction[0]"]
    assert check(unclear, POLICY, ()) == list(made.issues)


def test_one_step_without_days_is_that_of_the_whole_form() -> None:
    made = week()
    made["dosageInstruction"][0]["timing"] = {
        "repeat": {"frequency": 2, "period": 1, "periodUnit": "d", "when": ["MORN", "NIGHT"]}
    }
    made["dispenseRequest"]["quantity"] = quantity(560)  # 7 x 2 x 40
    assert plan(made, POLICY, OPEN).issues == () and amounts(plan(made, POLICY, OPEN)) == [80] * 7
    made["dosageInstruction"].append(made["dosageInstruction"][0] | {"sequence": 2})
    assert rules(plan(made, POLICY, OPEN).issues) == ["plan-step"]


def test_steps_that_follow_each_other_do_not_share_a_day() -> None:
    steps = [step("2026-03-23", "2026-03-25", 40), step("2026-03-25", "2026-03-26", 50, 1, 2)]
    made = plan(form("2026-03-23", "2026-03-26", steps, 180), POLICY, OPEN)
    assert made.collections == () and rules(made.issues) == ["plan-steps-overlap"]
    assert "2026-03-25" in text(made.issues, "plan-steps-overlap")


def test_steps_of_one_sequence_go_together() -> None:
    """30 ml in the morning and 20 in the evening: 50 a day, 100 in all."""
    steps = [step("2026-03-23", "2026-03-24", 30), step("2026-03-23", "2026-03-24", 20)]
    made = plan(form("2026-03-23", "2026-03-24", steps, 100, words="one hundred"), POLICY, OPEN)
    assert made.issues == () and amounts(made) == [50, 50]
    for one in steps:
        del one["sequence"]
    assert rules(plan(form("2026-03-23", "2026-03-24", steps, 100), POLICY, OPEN).issues) == ["plan-steps-overlap"]


@pytest.mark.parametrize(
    ("bounds", "total", "planned", "said"),
    [
        ([("23", "24"), ("26", "26")], 120, ["23", "24", "26"], "without a dose: 2026-03-25. Steps with days outside of it: 0."),
        ([("23", "24"), ("25", "27")], 160, ["23", "24", "25", "26"], "without a dose: none. Steps with days outside of it: 1."),
        ([("22", "26")], 160, ["23", "24", "25", "26"], "without a dose: none. Steps with days outside of it: 1."),
        (
            [("28", "29")],
            80,
            [],
            "without a dose: 2026-03-23, 2026-03-24, 2026-03-25, 2026-03-26. Steps with days outside of it: 1.",
        ),
    ],
)
def test_steps_and_treatment_period_that_disagree_are_told(
    bounds: list[tuple[str, str]], total: int, planned: list[str], said: str
) -> None:
    """The period is 23 to 26 March: what lies in it and has a dose is planned, at 40 ml a day."""
    steps = [step(f"2026-03-{first}", f"2026-03-{last}", 40, 1, n) for n, (first, last) in enumerate(bounds, 1)]
    made = plan(form("2026-03-23", "2026-03-26", steps, total), POLICY, OPEN)
    assert rules(made.issues) == ["plan-dose-dates"]
    assert text(made.issues, "plan-dose-dates").endswith(said)
    assert [one.on[8:] for one in made.collections] == planned


@pytest.mark.parametrize(
    "period",
    [None, {"start": "2026-03-23"}, {"start": "2026-03-23", "end": "2026-03"}, {"start": "2026-03-24", "end": "2026-03-23"}],
)
def test_without_a_treatment_period_nothing_is_planned(period: Json | None) -> None:
    made = week()
    made["extension"] = [one for one in made["extension"] if not one["url"].endswith("treatment-period")]
    made["extension"] += [{"url": f"{OURS}treatment-period", "valuePeriod": period}] if period else []
    assert plan(made, POLICY, OPEN).collections == () and rules(plan(made, POLICY, OPEN).issues) == ["ost-treatment-period"]


# missed -----------------------------------------------------------------------------------------------------------------
FRIDAY = Plan((PlannedCollection("2026-03-27", ("2026-03-27", "2026-03-28", "2026-03-29"), True, None),))


def test_a_missed_collection_forfeits_all_of_it_unless_the_wording_saves_the_rest() -> None:
    assert missed(FRIDAY, "2026-03-27", frozenset({"closed-days"})) == ("2026-03-27", "2026-03-28", "2026-03-29")
    assert missed(FRIDAY, "2026-03-27", frozenset({"missed-collection"})) == ("2026-03-27",)


def test_nothing_is_forfeited_on_a_day_without_collection() -> None:
    assert missed(FRIDAY, "2026-03-28", frozenset()) == ()


def test_of_an_instalment_that_was_moved_before_its_days_the_wording_saves_all() -> None:
    moved = Plan((PlannedCollection("2026-03-24", ("2026-03-25", "2026-03-26"), False, None),))
    assert missed(moved, "2026-03-24", frozenset()) == ("2026-03-25", "2026-03-26")
    assert missed(moved, "2026-03-24", frozenset({"missed-collection"})) == ()


# collections that somebody planned --------------------------------------------------------------------------------------
def collection(on: int, *covers: int, of: Any = 40, unit: tuple[str, str, str] = ML) -> PlannedCollection:
    amount = None if of is None else Amount(Decimal(of), unit[1], unit[0])
    return PlannedCollection(f"2026-03-{on}", tuple(f"2026-03-{day}" for day in covers), None, amount)


#: Monday 23 to Wednesday 25 March, 40 ml a day: 120 ml.
THREE = form("2026-03-23", "2026-03-25", [step("2026-03-23", "2026-03-25", 40)], 120)


@pytest.mark.parametrize(
    ("collections", "said"),
    [
        ([collection(23, 23), collection(24, 24, 25, of=80)], []),
        ([collection(23, 23), collection(23, 24, 25, of=80)], []),
        ([collection(23, 23), collection(24, 24, 24, 25, of=120)], ["plan-dose-twice", "plan-collections-total"]),
        ([collection(23, 23, 24, of=80), collection(24, 24, 25, of=80)], ["plan-dose-twice", "plan-collections-total"]),
        ([collection(23, 23), collection(24, 24)], ["plan-dose-uncovered", "plan-collections-total"]),
        ([collection(23, 23, 24, 25, of=120), collection(26, 26)], ["plan-dose-outside", "plan-collections-total"]),
        ([collection(23, 23), collection(25, 24, 25, of=80)], ["ost-planned-covers"]),
        ([collection(23, 23, of=80), collection(24, 24, 25)], ["plan-collection-quantity", "plan-collection-quantity"]),
        ([collection(23, 23), collection(24, 24, 25, of=81)], ["plan-collection-quantity", "plan-collections-total"]),
        ([collection(23, 23), collection(24, 24, 25, of=None)], ["plan-collection-quantity", "plan-collections-total"]),
        ([collection(23, 23), collection(24, 24, 25, of=80, unit=MG)], ["mg-against-ml"]),
        ([], ["plan-dose-uncovered"]),
    ],
)
def test_given_collections_against_the_form(collections: list[PlannedCollection], said: list[str]) -> None:
    issues = check(THREE, POLICY, collections)
    assert rules(issues) == said
    assert all(is_error(one) for one in issues)


def test_sums_that_differ_are_shown() -> None:
    issues = check(THREE, POLICY, [collection(23, 23), collection(24, 24, 25, of=81)])
    assert text(issues, "plan-collection-quantity") == (
        "The collection on 2026-03-24 is 81 ml, and the doses that it covers add up to 80 ml."
    )
    assert text(issues, "plan-collections-total") == "The collections add up to 121 ml, and the form's total is 120 ml."


def test_only_what_plans_a_collection_is_read() -> None:
    made, orders = sample("fourteen-days-closed-days")
    withdrawn = [orders[0] | {"status": "entered-in-error"}, orders[1] | {"status": "cancelled"}]
    bare = {key: value for key, value in orders[2].items() if key != "extension"}
    assert read([made, bare, *withdrawn]) == ()
    assert read(reversed(orders)) == read(orders)
    assert read([orders[0] | {"dispenseRequest": {}}])[0].quantity is None


# as orders --------------------------------------------------------------------------------------------------------------
def test_planned_collections_are_orders_that_pass_the_gate_in_their_message() -> None:
    message = decode((SAMPLES / "fourteen-days-closed-days" / "bundle.json").read_bytes())
    made, _ = sample("fourteen-days-closed-days")
    orders = as_resources(made, plan(made, POLICY, USUAL))
    others = [entry for entry in message["entry"] if entry["resource"].get("intent") != "instance-order"]
    message["entry"] = others + [{"fullUrl": f"urn:uuid:{one['id']}", "resource": one} for one in orders]
    assert len(orders) == 11
    assert Gate.shipped().check(message) == []
    assert read(orders) == plan(made, POLICY, USUAL).collections
    assert check(made, POLICY, read(orders)) == []


def test_an_order_says_whose_it_is_and_nothing_of_the_form_is_shared() -> None:
    made = week(supervision="unknown")
    before = deepcopy(made)
    first, *others = as_resources(made, plan(made, POLICY, OPEN))
    # Alone it refers to what only its message has: the form and the patient.
    assert rules(Gate.shipped().check(first)) == ["reference-unresolved"] * 2
    assert first["basedOn"] == [{"reference": f"urn:uuid:{made['id']}", "identifier": made["identifier"][0]}]
    assert first["extension"][0]["extension"] == [
        {"url": "date", "valueDate": "2026-03-23"},
        {"url": "covers", "valueDate": "2026-03-23"},
    ]
    assert first["dispenseRequest"] == {"quantity": quantity(40)}
    assert len({one["id"] for one in (first, *others)}) == 7
    first["groupIdentifier"]["value"] = first["basedOn"][0]["identifier"]["value"] = "another"
    assert made == before
    assert as_resources(made, plan(made, POLICY, OPEN))[1:] == others


def test_what_is_no_whole_order_is_a_fault_of_the_caller() -> None:
    with pytest.raises(ValueError, match="identifier"):
        as_resources(week() | {"identifier": []}, plan(week(), POLICY, OPEN))
    with pytest.raises(ValueError, match="quantity"):
        as_resources(week(), FRIDAY)


# issues -----------------------------------------------------------------------------------------------------------------
def test_every_rule_is_a_code_of_the_code_system() -> None:
    system = json.loads((PROFILES / "CodeSystem-rule.json").read_text("utf-8"))
    assert RULES.keys() - {one["code"] for one in system["concept"]} == set()
    assert system["count"] == len(system["concept"])


def test_issues_are_good_fhir() -> None:
    shown = dict.fromkeys(("what", "steps", "doses", "total", "words", "on", "first", "last", "quantity", "how"), "1")
    outcome = {"resourceType": "OperationOutcome", "issue": [told(rule, days=["2026-03-23"], **shown) for rule in RULES]}
    assert Gate.shipped().check(outcome) == []


# words ------------------------------------------------------------------------------------------------------------------
SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
).split()
TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()


def spelled(number: int, hyphen: str, joined: str) -> str:
    """A number from 1 to 99,999 as a person writes it."""
    if number < 20:
        return SMALL[number]
    if number < 100:
        return TENS[number // 10] + (hyphen + SMALL[number % 10] if number % 10 else "")
    scale, name = (100, "hundred") if number < 1000 else (1000, "thousand")
    rest = number % scale
    link = joined if rest < 100 else " "
    return f"{spelled(number // scale, hyphen, joined)} {name}" + (link + spelled(rest, hyphen, joined) if rest else "")


@given(
    st.integers(1, 99_999), st.sampled_from("- "), st.sampled_from([" ", " and "]), st.sampled_from(["", " ml", " Millilitres."])
)
def test_numbers_in_words_are_read(number: int, hyphen: str, joined: str, unit: str) -> None:
    said = in_words(spelled(number, hyphen, joined).capitalize() + unit)
    assert said is not None and said.value == number
    assert said.units == ({"258773002"} if unit else set())


@pytest.mark.parametrize(
    ("words", "value", "units"),
    [
        ("ninety-nine thousand nine hundred and ninety-nine", "99999", set()),
        ("a hundred and twelve tablets", "112", {TABLET[1]}),
        ("twenty-seven point five millilitres", "27.5", {ML[1]}),
        ("two and a half mg", "2.5", {MG[1]}),
    ],
)
def test_other_words_for_amounts(words: str, value: str, units: set[str]) -> None:
    said = in_words(words)
    assert said is not None and said.value == Decimal(value) and said.units == units


@pytest.mark.parametrize("words", ["", "ml", "thrity", "fifty sixty", "twenty (20) ml", "hundred", "half a tablet"])
def test_what_is_not_surely_one_amount_is_not_read(words: str) -> None:
    assert in_words(words) is None


# laws -------------------------------------------------------------------------------------------------------------------
FIRST = date(2026, 3, 18)
DATES = st.integers(0, 20).map(lambda n: (FIRST + timedelta(days=n)).isoformat())
DAYS = st.frozensets(st.one_of(st.integers(0, 6), DATES), max_size=6)


@st.composite
def forms(draw: st.DrawFn) -> tuple[Json, dict[str, Fraction]]:
    """A form whose steps fill its period, and the amount of each dose date, worked out in fractions."""
    length = draw(st.integers(1, 14))
    start = (FIRST + timedelta(days=draw(st.integers(0, 6)))).isoformat()
    cuts = sorted(draw(st.sets(st.integers(1, 13), max_size=3)))
    bounds = [0, *[cut for cut in cuts if cut < length], length]
    steps: list[Json] = []
    doses: dict[str, Fraction] = {}
    for n, (low, high) in enumerate(pairwise(bounds), 1):
        dose, count = draw(st.decimals("0.01", "200", places=2)), draw(st.integers(1, 3))
        steps.append(step(add_days(start, low), add_days(start, high - 1), dose, count, n))
        doses |= {add_days(start, day): Fraction(dose) * count for day in range(low, high)}
    together = sum(doses.values())
    total = Decimal(together.numerator) / Decimal(together.denominator)  # two places: exact
    wordings = draw(st.frozensets(st.sampled_from(["closed-days", "missed-collection", "supervise-on-collection"])))
    closed = draw(st.frozensets(DATES, max_size=5))
    supervision = draw(st.sampled_from(["required", "not-required", "unknown"]))
    made = form(
        start,
        add_days(start, length - 1),
        steps,
        total,
        wordings=sorted(wordings),
        closed=sorted(closed),
        supervision=supervision,
    )
    return made, doses


@st.composite
def feeds(draw: st.DrawFn) -> Feed:
    closed = draw(st.frozensets(st.integers(0, 6), max_size=6))
    return Feed(time(18), timedelta(hours=24), closed, draw(st.frozensets(DATES, max_size=4)), bank_holidays=draw(st.booleans()))


@settings(deadline=None)
@given(forms(), feeds(), st.none() | DAYS, st.none() | DAYS)
def test_every_dose_is_covered_once_and_the_sums_agree(
    given_form: tuple[Json, dict[str, Fraction]],
    feed: Feed,
    pick_up: frozenset[int | str] | None,
    supervised: frozenset[int | str] | None,
) -> None:
    made, doses = given_form
    planned = plan(made, POLICY, feed, pick_up, supervised)
    assert sorted(day for one in planned.collections for day in one.covers) == sorted(doses)
    assert [one.on for one in planned.collections] == sorted({one.on for one in planned.collections})
    for one in planned.collections:
        assert one.quantity is not None
        assert Fraction(one.quantity.value) == sum(doses[day] for day in one.covers)
        assert one.on <= one.covers[0]
        assert not one.supervised or one.on in one.covers
    assert sum(Fraction(value) for value in amounts(planned)) == sum(doses.values())
    assert not {"plan-total", "plan-step", "plan-steps-overlap", "plan-dose-dates"} & set(rules(planned.issues))
    closed = {one.on for one in planned.collections if feed.is_closed(one.on) or one.on in prescribed(made, POLICY).closed}
    assert bool(closed) == bool({"plan-closed-day", "plan-no-prior-day"} & set(rules(planned.issues)))
    assert check(made, POLICY, planned.collections) == []
    assert read(decode(encode(as_resources(made, planned)))) == planned.collections


@settings(deadline=None)
@given(forms(), feeds(), st.none() | DAYS, DATES)
def test_the_wording_never_forfeits_more(
    given_form: tuple[Json, dict[str, Fraction]], feed: Feed, pick_up: frozenset[int | str] | None, on: str
) -> None:
    planned = plan(given_form[0], POLICY, feed, pick_up)
    without, saved = missed(planned, on, frozenset()), missed(planned, on, frozenset({"missed-collection"}))
    assert without == next((one.covers for one in planned.collections if one.on == on), ())
    assert set(saved) <= set(without) and all(day <= on for day in saved)


@settings(deadline=None, max_examples=20)
@given(forms(), feeds(), st.none() | DAYS)
def test_every_order_passes_the_gate(
    given_form: tuple[Json, dict[str, Fraction]], feed: Feed, pick_up: frozenset[int | str] | None
) -> None:
    for one in as_resources(given_form[0], plan(given_form[0], POLICY, feed, pick_up)):
        assert set(rules(Gate.shipped().check(one))) == {"reference-unresolved"}  # the form and the patient, which are not given
