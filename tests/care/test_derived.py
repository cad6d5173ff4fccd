"""Collections that no message plans: the words of a form, what is derived from them, and when nothing is.

2026-03-02 is a Monday. Whole schedules stand in fixtures/care/derived-*.
"""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapter import Adapter
from adapter.care.as_json import ledger_json
from adapter.care.collection_words import NotSure, collection_days
from adapter.care.plan import read
from adapter.care.plan_issues import RULES
from adapter.care.policy import load
from adapter.care.records import person
from adapter.care.shared_care import SharedCare, moment, of_person
from adapter.fhir.json import decode
from adapter.fhir.outcome import rule_of
from adapter.shipped import FIXTURES
from tests.care.build import bundles
from tests.care.cases import all_cases, derived_cases, worked
from tests.care.cases import load as case_of

Json = dict[str, Any]
POLICY = load()
MON_WED_FRI, NOT_SUNDAY, EVERY = {0, 2, 4}, {0, 1, 2, 3, 4, 5}, set(range(7))


WORDINGS = (
    "Consult the prescriber if 3 or more consecutive days of a prescription have been missed. Please dispense instalments due on "
    "pharmacy closed days on a prior suitable day. If an instalment's collection day has been missed, please still dispense the "
    "amount due for any remaining day(s) of that instalment."
)


# words ------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "pick_up", "supervised"),
    [
        ("40ml daily. Collect Monday, Wednesday and Friday, supervised.", MON_WED_FRI, MON_WED_FRI),
        ("COLLECT MON/WED/FRI", MON_WED_FRI, None),
        ("40ml daily; pick up Mon, Wed & Fri unsupervised", MON_WED_FRI, set()),
        ("Pick-up days: Mondays, Wednesdays, Fridays.\nSupervise on Mondays.", MON_WED_FRI, {0}),
        ("40ml daily. Collect Monday to Saturday, supervised; Sunday's dose on Saturday.", NOT_SUNDAY, NOT_SUNDAY),
        ("Collect Mon-Sat. Sundays' doses are to be collected on Saturday. Supervised Mon to Fri.", NOT_SUNDAY, {0, 1, 2, 3, 4}),
        ("Collect Mon\u2013Sat", NOT_SUNDAY, None),
        ("To be collected daily, all supervised", EVERY, EVERY),
        ("Collection every day except Sunday. Supervise consumption on collection days.", NOT_SUNDAY, NOT_SUNDAY),
        ("Picked up on Saturday to Monday", {5, 6, 0}, None),
        ("Collect Tuesdays, Thursday to Saturday", {1, 3, 4, 5}, None),
        (
            f"60mg daily. Collect Tues and Thurs, supervised. {WORDINGS}",
            {1, 3},
            {1, 3},
        ),
    ],
)
def test_words_that_are_sure(text: str, pick_up: set[int], supervised: set[int] | None) -> None:
    said = collection_days(text)
    assert said is not None
    assert (set(said.pick_up), None if said.supervised is None else set(said.supervised)) == (pick_up, supervised)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "60mg once a day",
        "60mg daily, supervised",
        "60mg daily, 70mg on Sundays",
        "Supervise consumption on collection days.",
        "If an instalment's collection day has been missed, please still dispense the amount due for any remaining day(s).",
        "sunscreen on the sun-burnt, monthly",
    ],
)
def test_words_that_say_nothing_of_collecting(text: str) -> None:
    assert collection_days(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "Collect on market days",
        "Collect weekly",
        "Collect twice a week, Monday and Thursday",
        "Collect Monday, Wednesday or Friday",
        "Collect Monday and Funday",
        "Collect daily from Monday",
        "Collect Monday. Collect Friday.",
        "Collect Monday to Friday, weekend doses to take home",
        "Collect Monday to Friday. Weekends at home on Sat and Sun",
        "Collect Mon, Wed, Fri. 80mg on Sunday",
        "Collect Mon, Wed, Fri; Sunday's dose on Saturday",  # Saturday is no day of collection
        "Collect Monday to Saturday; Saturday's dose on Friday",  # Saturday is one
        "Collect Mon, Wed, Fri. Supervised on Mon. Supervised on Wed.",
        "Collect Mon, Wed, Fri, supervised. Supervise on Mondays.",
        "Do not collect on Mondays",
        "Mother may collect on Mondays",
        "Not to be collected daily",
    ],
)
def test_words_that_are_not_sure_are_never_guessed(text: str) -> None:
    with pytest.raises(NotSure):
        collection_days(text)


# forms ------------------------------------------------------------------------------------------------------------------
FORM: Json = {
    "id": "F1",
    "authored": "2026-03-01",
    "first": "2026-03-02",
    "last": "2026-03-15",
    "text": "60mg daily. Collect Monday, Wednesday and Friday, supervised.",
}
CASE: Json = {"as-of": "2026-03-03", "forms": [FORM], "doses": [{"on": "2026-03-02", "is": "supervised"}]}


def changed(**said: Any) -> Json:
    return {**CASE, "forms": [FORM | said]}


def told(care: SharedCare) -> list[str]:
    return [rule_of(one) for one in care.issues]


def order_of(message: Json) -> Json:
    found: Json = next(one["resource"] for one in message["entry"] if one["resource"]["resourceType"] == "MedicationRequest")
    return found


def without_plan(name: str) -> tuple[Json, list[Json]]:
    """A real message without its planned collections, and these."""
    message = decode((FIXTURES / "pharmacy" / "prescription" / name / "bundle.json").read_bytes())
    planned = [one for one in message["entry"] if one["resource"].get("intent") == "instance-order"]
    bare = {**message, "entry": [one for one in message["entry"] if one not in planned]}
    return bare, [one["resource"] for one in planned]


def test_of_a_real_form_that_is_derived_which_was_planned() -> None:
    """40ml daily. Collect Monday to Saturday, supervised; Sunday's dose on Saturday."; Good Friday is had on Thursday."""
    bare, planned = without_plan("fourteen-days-closed-days")
    [made] = of_person(person([bare]), POLICY, moment("2026-03-18")).derived
    assert made.collections == read(planned)
    assert len(made.collections) == 11


@pytest.mark.parametrize("name", ["titration", "two-items-unsupervised", "split-dose", "restart"])
def test_of_real_forms_that_say_no_days_nothing_is_derived(name: str) -> None:
    made = of_person(person([without_plan(name)[0]]), POLICY, moment("2026-03-18"))
    assert (made.derived, made.issues) == ((), ())


def test_what_is_derived_is_marked_with_its_rule_and_its_form() -> None:
    care = worked(changed(last="2026-03-05"))
    made = ledger_json(care)
    assert made["derivedCollections"] == [
        {
            "form": "https://reset.example/item|F1",
            "rule": "collection-words",
            "collections": [
                {"date": "2026-03-02", "covers": ["2026-03-02", "2026-03-03"], "supervised": True},
                {"date": "2026-03-04", "covers": ["2026-03-04", "2026-03-05"], "supervised": True},
            ],
        }
    ]
    [issue] = made["issues"]["issue"]
    assert issue["severity"] == "information"
    assert issue["details"]["text"] == (
        "Of the form from 2026-03-02 to 2026-03-05: No message plans its collections. They are derived from what the form says of"
        " its days (rule collection-words): 2026-03-02, 2026-03-04."
    )


def test_where_nothing_is_said_of_days_nothing_is_derived_and_nothing_told() -> None:
    made = worked(changed(text="60mg once a day, supervised"))
    assert (made.derived, made.issues) == ((), ())
    assert not {"derivedCollections", "issues"} & ledger_json(made).keys()


@pytest.mark.parametrize("folder", all_cases()[::10], ids=lambda folder: folder.name)
def test_forms_with_planned_collections_or_without_words_stay_as_they_are(folder: Path) -> None:
    made = worked(case_of(folder))
    assert (made.derived, {rule_of(one) for one in made.issues} & RULES.keys()) == ((), set())


def test_planned_collections_that_come_later_take_the_place_of_the_derived() -> None:
    """The plan was received on 4 March: until then Monday covers Tuesday by the words, then Monday to Thursday by the plan."""
    planned = FORM | {
        "collections": [{"on": "2026-03-02", "covers": [f"2026-03-0{day}" for day in range(2, 6)]}],
        "last": "2026-03-05",
    }
    [whole] = bundles({**CASE, "forms": [planned], "doses": []})
    plan = next(one for one in whole["entry"] if one["resource"].get("intent") == "instance-order")
    plan["resource"]["basedOn"] = [{"identifier": order_of(whole)["identifier"][0]}]
    others = [one for one in whole["entry"] if one is not plan]
    first = {**whole, "entry": others}
    later = deepcopy({**whole, "entry": [*(one for one in others if one["resource"].get("intent") is None), plan]})
    later["entry"][0]["resource"]["extension"][0]["valueInstant"] = "2026-03-04T09:00:00Z"
    [missed] = bundles({"forms": [], "doses": [{"on": "2026-03-02", "is": "missed"}]})
    given = person([first, later, missed])
    then = of_person(given, POLICY, moment("2026-03-05"), moment("2026-03-03"))
    now = of_person(given, POLICY, moment("2026-03-05"))
    assert [one.rule for one in then.derived] == ["collection-words"]
    assert now.derived == ()
    states = [[day["state"] for day in ledger_json(care)["days"]] for care in (then, now)]
    assert states == [["missed", "missed", "unreported", "due"], ["missed"] * 4]


def test_a_form_that_is_longer_than_the_policy_allows_plans_nothing(tmp_path: Path) -> None:
    (tmp_path / "short.yaml").write_text(
        "policy: short\nversion: 1.0.0\ntitle: A week at most\nextends: default\n"
        "thresholds:\n  form-days: {value: 7, unit: dose-day, source: ours}\n"
    )
    short = of_person(person(bundles(CASE)), load("short", [tmp_path]), moment("2026-03-03"))
    assert (short.derived, told(short)) == ((), ["ost-treatment-period"])


def test_doses_before_the_first_day_of_collection_that_is_said_stand_alone() -> None:
    """From Saturday 7 March: Monday 9 is the first day of collection. On which day 7 and 8 are had the form does not say."""
    made = worked(changed(first="2026-03-07", last="2026-03-12"))
    assert told(made) == ["plan-first-day", "plan-derived"]
    [form] = ledger_json(made)["derivedCollections"]
    assert [(one["date"], one["covers"]) for one in form["collections"]] == [
        ("2026-03-09", ["2026-03-09", "2026-03-10"]),
        ("2026-03-11", ["2026-03-11", "2026-03-12"]),
    ]
    # Not collected on the 7th: the 8th is due on its own until the evening of the 9th, and not lost with the 7th.
    missed = {
        **changed(first="2026-03-07", last="2026-03-12"),
        "as-of": "2026-03-08",
        "doses": [{"on": "2026-03-07", "is": "missed"}],
    }
    assert [day["state"] for day in ledger_json(worked(missed))["days"]] == ["missed", "due"]


@pytest.mark.parametrize("interval", [0, -1, Decimal("1.5")])
def test_an_interval_that_is_no_whole_days_is_not_sure(interval: int | Decimal) -> None:
    message = bundles(changed(text="60mg daily", interval=interval))[0]
    made = of_person(person([message]), POLICY, moment("2026-03-03"))
    assert (made.derived, told(made)) == ((), ["plan-pick-up-unread"])


def test_an_interval_beside_words_is_not_sure() -> None:
    assert told(worked(changed(interval=2))) == ["plan-pick-up-unread"]


def test_steps_that_say_other_days_are_not_sure() -> None:
    message = bundles(CASE)[0]
    steps = order_of(message)["dosageInstruction"]
    steps[0]["timing"]["repeat"]["boundsPeriod"] = {"start": "2026-03-02", "end": "2026-03-08"}
    steps.append(deepcopy(steps[0]) | {"text": "60mg daily. Collect daily."})
    steps[1]["timing"]["repeat"]["boundsPeriod"] = {"start": "2026-03-09", "end": "2026-03-15"}
    assert told(of_person(person([message]), POLICY, moment("2026-03-03"))) == ["plan-pick-up-unread"]
    steps[1]["text"] = "60mg daily"  # the second says nothing of it
    assert told(of_person(person([message]), POLICY, moment("2026-03-03"))) == ["plan-derived"]


# orders that are no forms -----------------------------------------------------------------------------------------------
ORDER: Json = {
    "id": "F1",
    "order": True,
    "authored": "2026-03-01",
    "first": "2026-03-02",
    "days": 13,
    "mg": 60,
    "text": "60mg daily. Collect Monday to Saturday, supervised; Sunday's dose on Saturday.",
}


def ordered(**changes: Any) -> SharedCare:
    """An order, with what differs in its resource."""
    message = bundles({"forms": [ORDER], "doses": []})[0]
    order_of(message).update(changes)
    return of_person(person([message]), POLICY, moment("2026-03-03"))


def test_an_order_that_says_all_of_it_is_a_form() -> None:
    """2 to 14 March: the last day is that of 13 days."""
    made = ordered()
    assert [(form.first, form.last) for form in made.ledger.forms.all] == [
        (moment("2026-03-02").date().toordinal(), moment("2026-03-14").date().toordinal())
    ]
    assert told(made) == ["plan-derived"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"status": "cancelled"}, []),
        ({"status": "draft"}, []),
        ({"doNotPerform": True}, []),
        ({"intent": "plan"}, []),
        ({"intent": "instance-order"}, []),
        ({"dispenseRequest": {}}, ["ost-treatment-period"]),  # nobody says how many days
    ],
)
def test_an_order_that_does_not_is_none(changes: Json, said: list[str]) -> None:
    made = ordered(**changes)
    assert made.ledger.forms.all == ()
    assert told(made) == said


@pytest.mark.parametrize(
    "text",
    [
        "60mg daily",
        "60mg daily, supervised",
        "60mg daily. Collect Monday to Saturday.",  # nothing is said of supervision: it may be any medicine
        "60mg daily. Collect on market days, supervised.",
    ],
)
def test_an_order_whose_words_do_not_say_all_of_it_is_none(text: str) -> None:
    step = order_of(bundles({"forms": [ORDER], "doses": []})[0])["dosageInstruction"][0]
    made = ordered(dosageInstruction=[step | {"text": text}])
    assert (made.ledger.forms.all, told(made)) == ((), [])


def test_an_order_without_a_first_dose_date_is_told_when_it_is_known() -> None:
    message = bundles({"forms": [{key: value for key, value in ORDER.items() if key != "first"}], "doses": []})[0]
    given = person([message])  # received at 12:00 on 1 March
    assert told(of_person(given, POLICY, moment("2026-03-03"))) == ["ost-treatment-period"]
    assert told(of_person(given, POLICY, moment("2026-03-03"), moment("2026-03-01T11:59:00Z"))) == []
    assert told(of_person(given, POLICY, moment("2026-02-28"))) == []


@pytest.mark.parametrize("folder", derived_cases(), ids=lambda folder: folder.name)
def test_the_messages_of_the_cases_pass_the_gate(folder: Path, ost: Adapter) -> None:
    assert [rule_of(one) for message in bundles(case_of(folder)) for one in ost.judge(message)] == []
