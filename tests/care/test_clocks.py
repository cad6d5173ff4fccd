"""The clocks: each one day before, on and one day after it runs out, and R10 and R13 as tables. Every day is worked out by hand."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapter.care.actions import Action
from adapter.care.clocks import clocks, incident_due, incident_times, shifted
from adapter.care.course import first_day, last_day
from adapter.care.policy import POLICIES, Policy, Threshold, load, read
from adapter.care.records import person, standing
from adapter.fhir.dates import add_days, day_bounds
from adapter.mapping.faults import MapFaults

Json = dict[str, Any]
BASE = "https://ost-adapter.example/fhir"
ODS = "https://fhir.nhs.uk/Id/ods-organization-code"
POLICY = load()
_NUMBERS = count(1)


# messages ---------------------------------------------------------------------------------------------------------------
def _ours(name: str, **value: Any) -> Json:
    return {"url": f"{BASE}/StructureDefinition/{name}", **value}


def _concept(system: str, code: str) -> Json:
    return {"coding": [{"system": f"{BASE}/CodeSystem/{system}", "code": code}]}


def _message(event: str, *resources: Json, patient: Json | None = None, received: str = "") -> Json:
    """Received when it is said to be: what is written or attended on the evening of its day, anything else long ago."""
    days = [day for one in resources if (day := str(one.get("authoredOn") or one.get("period", {}).get("start") or "")[:10])]
    known = next((f"{day}T23:30:00+00:00" for day in days if len(day) == 10), "2020-01-01T12:00:00Z")
    header = {
        "resourceType": "MessageHeader",
        "extension": [_ours("received", valueInstant=received or known)],
        "eventCoding": {"code": event},
        "source": {"name": "service"},
    }
    number = {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018"}
    whom = {"resourceType": "Patient", "identifier": [number], **(patient or {})}
    made = [{"fullUrl": f"urn:uuid:{n}", "resource": one} for n, one in enumerate((header, whom, *resources))]
    return {"resourceType": "Bundle", "type": "message", "entry": made}


def _named(name: str = "") -> list[Json]:
    return [{"system": "https://reset.example/id", "value": name or f"N{next(_NUMBERS)}"}]


def episode(start: str | None = None, end: str | None = None, status: str = "active", name: str = "") -> Json:
    period = {key: value for key, value in (("start", start), ("end", end)) if value}
    return _message(
        "care-plan", {"resourceType": "EpisodeOfCare", "identifier": _named(name), "status": status, "period": period}
    )


def contact(
    start: str | None,
    medium: str | None = "face-to-face",
    kind: str = "keywork",
    attendance: str | None = "attended",
    planned: str | None = None,
) -> Json:
    said = [_ours("attendance", valueCode=attendance)] if attendance else []
    said += [_ours("consultation-medium", valueCode=medium)] if medium else []
    said += [_ours("planned-period", valuePeriod={"start": planned})] if planned else []
    period = {"period": {"start": start}} if start else {}
    types = [_concept("consultation-type", kind)]
    encounter = {
        "resourceType": "Encounter",
        "identifier": _named(),
        "status": "finished",
        "type": types,
        "extension": said,
        **period,
    }
    return _message("consultation", encounter)


def form(authored: str, first: str, last: str, name: str = "") -> Json:
    order = {
        "resourceType": "MedicationRequest",
        "identifier": _named(name),
        "status": "active",
        "intent": "original-order",
        "authoredOn": authored,
        "extension": [_ours("treatment-period", valuePeriod={"start": first, "end": last})],
    }
    return _message("prescription", order)


def stopped(name: str, effective: str, reason: str, kind: str = "stopped") -> Json:
    change = [{"url": "type", "valueCode": kind}, {"url": "effective", "valueDateTime": effective}]
    order = {
        "resourceType": "MedicationRequest",
        "identifier": _named(name),
        "status": "stopped",
        "intent": "original-order",
        "statusReason": _concept("prescription-change-reason", reason),
        "extension": [_ours("order-change", extension=change)],
    }
    return _message("prescription-changed", order)


def profile(authored: str, stage: str, status: str = "completed", event: str = "outcome-profile") -> Json:
    """An outcome profile with the sub-interventions reviewed on the same day, as both are in a row of NDTMS."""
    coding = {"system": f"{BASE}/CodeSystem/outcome-profile-stage", "code": stage}
    answers = [{"linkId": "OPIUSE", "answer": [{"valueInteger": 0}]}, {"linkId": "TRSTAGE", "answer": [{"valueCoding": coding}]}]
    return _answers(authored, [*answers, *_reviewed(authored)], status, event)


def sub_interventions(reviewed: str, status: str = "completed") -> Json:
    return _answers(reviewed, _reviewed(reviewed), status, "outcome-profile")


def only_profile(authored: str, stage: str) -> Json:
    made = profile(authored, stage)
    del made["entry"][2]["resource"]["item"][2:]
    return made


def _reviewed(day: str) -> list[Json]:
    return [{"linkId": "SUBMODDT", "answer": [{"valueDate": day}]}, {"linkId": "PHMAIN", "answer": [{"valueString": "Y"}]}]


def _answers(authored: str, answers: list[Json], status: str, event: str) -> Json:
    return _message(
        event,
        {
            "resourceType": "QuestionnaireResponse",
            "identifier": {"value": f"Q{next(_NUMBERS)}"},
            "status": status,
            "authored": authored,
            "item": answers,
        },
    )


def plan(created: str | None, kind: str = "health-check", status: str = "active", **more: Any) -> Json:
    made = {"created": created} if created else {}
    return _message(
        "care-plan",
        {
            "resourceType": "CarePlan",
            "identifier": _named(),
            "status": status,
            "category": [_concept("care-plan-kind", kind)],
            **made,
            **more,
        },
    )


def consent(
    when: str | None,
    decision: str = "granted",
    ends: str | None = None,
    to: str = "YZ123",
    kind: str = "information-sharing",
    confirmed: str | None = None,
) -> Json:
    actor = {"reference": {"identifier": {"system": ODS, "value": to}}}
    period = {"period": {"end": ends}} if ends else {}
    made: Json = {
        "resourceType": "Consent",
        "identifier": _named(),
        "category": [_concept("consent-category", kind)],
        "extension": [_ours("consent-decision", valueCode=decision)],
        "provision": {"actor": [actor], **period},
    }
    made |= {"dateTime": when} if when else {}
    made |= {"verification": [{"verified": True, "verificationDate": confirmed}]} if confirmed else {}
    return _message("consent", made)


def kit(
    handed: str,
    expires: str | None = None,
    name: str = "Prenoxad 1mg/1ml",
    status: str = "completed",
    where: str = "contained",
    amount: int = 1,
) -> Json:
    dispense: Json = {
        "resourceType": "MedicationDispense",
        "identifier": _named(),
        "status": status,
        "whenHandedOver": handed,
        "quantity": {"value": amount},
    }
    medication: Json = {"resourceType": "Medication", "id": "kit", "code": {"text": name}}
    medication |= {"batch": {"expirationDate": expires}} if expires else {}
    if where == "bare":
        return _message("supply", dispense | {"medicationCodeableConcept": {"text": name}})
    if where == "contained":
        return _message("supply", dispense | {"contained": [medication], "medicationReference": {"reference": "#kit"}})
    return _message("supply", dispense | {"medicationReference": {"reference": "urn:uuid:3"}}, medication)


def death(**said: Any) -> Json:
    return _message("patient", patient=said, received="2026-03-10T09:00:00Z")


# what comes -------------------------------------------------------------------------------------------------------------
def _end_of(day: str) -> datetime:
    return day_bounds(day)[1] - timedelta(microseconds=1)


def at(messages: list[Json], as_of: datetime | str, policy: Policy = POLICY) -> list[Action]:
    given = person(messages)
    moment = _end_of(as_of) if isinstance(as_of, str) else as_of
    return clocks(standing(given.records), policy, moment, given.patients)


def times(code: str, messages: list[Json], as_of: datetime | str, policy: Policy = POLICY) -> list[tuple[str, str]]:
    return [(one.since, one.due) for one in at(messages, as_of, policy) if one.code == code]


def clock_at(messages: list[Json], code: str, since: str, by: str) -> None:
    """Nothing one day before; on the day and the day after it is due, since that day."""
    assert times(code, messages, add_days(since, -1)) == []
    assert times(code, messages, since) == [(since, by)]
    assert times(code, messages, add_days(since, 1)) == [(since, by)]


# every clock, one day before, on and one day after ----------------------------------------------------------------------
ENTRY = episode("2023-09-01")
#: Outcome profiles alone, from entry on 1 September 2025: the next is due on 21 July 2026, 182 days after 20 January.
STARTED = [only_profile("2025-09-01", "start"), only_profile("2026-01-20", "review")]
#: Telephone, so that only the face to face clock is open.
CALLS = [
    contact(day, "telephone") for day in ("2023-12-20", "2024-01-20", "2024-02-20", "2025-12-20", "2026-01-20", "2026-02-20")
]


@pytest.mark.parametrize(
    ("code", "messages", "since", "by"),
    [
        # 31 January and one month: the last day of February, 28 or, in a leap year, 29
        ("consultation-due", [ENTRY, contact("2026-01-31")], "2026-02-28", "2026-02-28"),
        ("consultation-due", [ENTRY, contact("2024-01-31")], "2024-02-29", "2024-02-29"),
        # the last day of February and one month: the 28th, not the last of March
        ("consultation-due", [ENTRY, contact("2026-02-28")], "2026-03-28", "2026-03-28"),
        # 23:30 UTC on 30 June is 00:30 on 1 July in London
        (
            "consultation-due",
            [ENTRY, contact("2026-06-30T23:30:00Z", "telephone"), contact("2026-06-01")],
            "2026-08-01",
            "2026-08-01",
        ),
        # without a consultation: from the first form
        ("consultation-due", [form("2026-03-02", "2026-03-03", "2026-03-16")], "2026-04-02", "2026-04-02"),
        # in person on 30 November, by telephone each month since: 30 November and three months
        ("consultation-due", [ENTRY, contact("2025-11-30"), *CALLS], "2026-02-28", "2026-02-28"),
        ("consultation-due", [ENTRY, contact("2023-11-30"), *CALLS[:3]], "2024-02-29", "2024-02-29"),
        # 182 days: 5 January is day 5, day 187 is 6 July (June ends with day 181), in a leap year 5 July
        ("joint-review-due", [ENTRY, contact("2026-01-05", kind="joint-review")], "2026-07-06", "2026-07-06"),
        ("joint-review-due", [ENTRY, contact("2024-01-05", kind="joint-review")], "2024-07-05", "2024-07-05"),
        # from entry, over the change of the clocks: 6 October is day 279; 279 + 182 - 365 = 96, 6 April
        ("joint-review-due", [episode("2025-10-06")], "2026-04-06", "2026-04-06"),
        # 31 January and three months is 30 April, and six months 31 July; 30 November and three months 29 February 2024
        ("strategic-review-due", [episode("2026-01-31")], "2026-04-30", "2026-07-31"),
        ("strategic-review-due", [episode("2023-11-30")], "2024-02-29", "2024-05-30"),
        # entry and 14 days
        ("outcome-profile-due", [episode("2026-03-02")], "2026-03-16", "2026-03-16"),
        ("outcome-profile-due", [episode("2024-02-20")], "2024-03-05", "2024-03-05"),
        # a start 14 days before entry is one: 16 February is day 47; 47 + 182 = 229, 17 August; the window ends 14 days later
        ("outcome-profile-due", [episode("2026-03-02"), profile("2026-02-16", "start")], "2026-08-17", "2026-08-31"),
        # one of 15 days before is not
        ("outcome-profile-due", [episode("2026-03-02"), profile("2026-02-15", "start")], "2026-03-16", "2026-03-16"),
        # the exit: 20 March and 14 days
        (
            "outcome-profile-due",
            [episode("2025-09-01", "2026-03-20"), profile("2026-03-10", "review")],
            "2026-04-03",
            "2026-04-03",
        ),
        # a review of sub-interventions on 9 March, day 68: 68 + 182 = 250, 7 September; the window ends 14 days later
        (
            "outcome-profile-due",
            [episode("2025-09-01"), *STARTED, only_profile("2026-06-01", "review"), sub_interventions("2026-03-09")],
            "2026-09-07",
            "2026-09-21",
        ),
        # none since entry on 1 September 2025: 182 days are over on 2 March 2026 (30 + 31 + 30 + 31 + 31 + 28 + 1 = 182)
        ("outcome-profile-due", [episode("2025-09-01"), *STARTED], "2026-03-02", "2026-03-16"),
        # at exit, 20 March, one of 5 March is not within 14 days
        (
            "outcome-profile-due",
            [episode("2025-09-01", "2026-03-20"), only_profile("2026-03-20", "exit"), sub_interventions("2026-03-05")],
            "2026-04-03",
            "2026-04-03",
        ),
        ("health-check-due", [ENTRY, contact("2024-02-29", kind="health-check")], "2025-02-28", "2025-02-28"),
        ("health-check-due", [ENTRY, plan("2025-03-10")], "2026-03-10", "2026-03-10"),
        ("health-check-due", [episode("2026-03-01")], "2027-03-01", "2027-03-01"),
        ("consent-due", [consent("2025-08-31")], "2026-02-28", "2026-02-28"),
        ("consent-due", [consent("2023-08-31")], "2024-02-29", "2024-02-29"),
        ("consent-due", [consent("2025-08-31", ends="2025-12-15")], "2025-12-15", "2025-12-15"),
        ("consent-due", [consent("2025-08-31", ends="2025-12")], "2025-12-31", "2025-12-31"),
        ("consent-due", [consent("2025-08-31", ends="2026-06-30")], "2026-02-28", "2026-02-28"),
        ("consent-due", [consent("2025-08-31", confirmed="2025-11-05")], "2026-05-05", "2026-05-05"),
        ("consent-due", [consent("2026-02-03", "lapsed")], "2026-02-03", "2026-02-03"),
        ("consent-due", [consent("2026-01-10", "refused")], "2026-07-10", "2026-07-10"),
        ("consent-due", [consent("2025-10-01"), consent("2026-01-10", "withdrawn")], "2026-07-10", "2026-07-10"),
        ("naloxone-due", [kit("2024-05-02", "2026-03-31")], "2026-03-31", "2026-03-31"),
        ("naloxone-due", [kit("2022-05-02", "2024-02")], "2024-02-29", "2024-02-29"),
        ("naloxone-due", [kit("2024-05-02", "2026")], "2026-12-31", "2026-12-31"),
        ("naloxone-due", [kit("2025-02-28")], "2026-02-28", "2026-02-28"),
        ("naloxone-due", [form("2026-03-02", "2026-03-03", "2026-03-16")], "2026-03-02", "2026-03-02"),
    ],
)
def test_a_clock_runs_out_on_its_day(code: str, messages: list[Json], since: str, by: str) -> None:
    clock_at(messages, code, since, by)


@pytest.mark.parametrize(
    ("last", "before", "on"),
    [
        # the clocks went forward on 29 March: 1 April begins at 23:00 UTC on 31 March
        ("2026-03-01", "2026-03-31T22:59:59Z", "2026-03-31T23:00:00Z"),
        # they go back on 25 October, which still begins at 23:00 UTC on the 24th; the 26th begins at 00:00 UTC
        ("2026-09-25", "2026-10-24T22:59:59Z", "2026-10-24T23:00:00Z"),
        ("2026-09-26", "2026-10-25T23:59:59Z", "2026-10-26T00:00:00Z"),
    ],
)
def test_a_day_is_one_in_london(last: str, before: str, on: str) -> None:
    messages = [ENTRY, contact(last)]
    assert times("consultation-due", messages, datetime.fromisoformat(before)) == []
    assert len(times("consultation-due", messages, datetime.fromisoformat(on))) == 1


# contacts ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "missed",
    [
        *(
            contact("2026-02-20", attendance=said)
            for said in ("did-not-attend", "booked", "left-before-seen", "cancelled-by-person", None)
        ),
        *(contact("2026-02-20", medium) for medium in ("text-message", "written", "third-party", "no-contact")),
        contact(None),
        _message(
            "admission",
            {
                "resourceType": "Encounter",
                "identifier": _named(),
                "extension": [_ours("attendance", valueCode="attended")],
                "period": {"start": "2026-02-20"},
            },
        ),
    ],
)
def test_what_is_no_consultation_stops_no_clock(missed: Json) -> None:
    clock_at([ENTRY, contact("2026-01-31"), missed], "consultation-due", "2026-02-28", "2026-02-28")


@pytest.mark.parametrize("medium", ["telephone", "video", "unknown", None])
def test_a_medium_that_is_remote_or_not_known_is_not_face_to_face(medium: str | None) -> None:
    """In person on 1 December: three months are over on 1 March, though there was a contact on 20 February."""
    messages = [ENTRY, contact("2025-12-01"), contact("2026-02-20", medium)]
    assert times("consultation-due", messages, "2026-02-28") == []
    (due,) = [one for one in at(messages, "2026-03-01") if one.code == "consultation-due"]
    assert due.since == "2026-03-01" and "consultation-face-to-face (S0 2.1" in due.policy and "consultation (" not in due.policy


def test_a_visit_at_home_is_face_to_face() -> None:
    clock_at([ENTRY, contact("2025-12-01"), contact("2026-02-20", "home-visit")], "consultation-due", "2026-03-20", "2026-03-20")


def test_both_clocks_that_ran_out_are_one_action_since_the_earlier() -> None:
    """Telephone on 20 January: due on 20 February. In person on 1 December: due on 1 March."""
    messages = [ENTRY, contact("2025-12-01"), contact("2026-01-20", "telephone")]
    (due,) = [one for one in at(messages, "2026-03-02") if one.code == "consultation-due"]
    assert (due.since, due.due) == ("2026-02-20", "2026-02-20")
    assert "consultation (S0" in due.policy and "consultation-face-to-face (S0" in due.policy and len(due.evidence) == 2


def test_an_attended_contact_without_a_time_took_place_when_it_was_booked_for() -> None:
    booked = contact(None, planned="2026-02-10")
    clock_at([ENTRY, booked], "consultation-due", "2026-03-10", "2026-03-10")


def test_whoever_comes_late_has_come_and_an_end_says_when_too() -> None:
    late = contact("2026-02-10", attendance="attended-late")
    clock_at([ENTRY, late], "consultation-due", "2026-03-10", "2026-03-10")
    encounter = contact(None)
    encounter["entry"][2]["resource"]["period"] = {"end": "2026-02-11"}
    clock_at([ENTRY, encounter], "consultation-due", "2026-03-11", "2026-03-11")


def test_a_leap_second_has_its_day() -> None:
    """23:59:60 on the last of December 2016 and a month is the last of January."""
    clock_at([episode("2016-06-01"), contact("2016-12-31T23:59:60Z")], "consultation-due", "2017-01-31", "2017-01-31")


def test_what_lies_after_as_of_counts_for_nothing() -> None:
    messages = [ENTRY, contact("2026-01-31"), contact("2026-02-28T15:00:00Z")]
    assert len(times("consultation-due", messages, datetime(2026, 2, 28, 14, 59, tzinfo=UTC))) == 1
    assert times("consultation-due", messages, datetime(2026, 2, 28, 15, 0, tzinfo=UTC)) == []


def test_a_day_known_by_its_month_is_the_first_it_may_have_been() -> None:
    clock_at([ENTRY, contact("2026-02")], "consultation-due", "2026-03-01", "2026-03-01")


# entry ------------------------------------------------------------------------------------------------------------------
def test_entry_is_that_of_the_episode_else_the_first_form_else_the_first_contact() -> None:
    """Strategic review, three months after entry."""
    first, second = form("2026-02-03", "2026-02-04", "2026-02-17"), form("2026-02-17", "2026-02-18", "2026-03-03")
    seen = contact("2026-01-20", kind="assessment")
    assert times("strategic-review-due", [seen], "2026-06-01") == [("2026-04-20", "2026-07-20")]
    assert times("strategic-review-due", [seen, second, first], "2026-06-01") == [("2026-05-03", "2026-08-03")]
    assert times("strategic-review-due", [seen, first, episode("2026-02-01")], "2026-06-01") == [("2026-05-01", "2026-08-01")]
    assert times("strategic-review-due", [seen, first, episode(None)], "2026-06-01") == [("2026-05-03", "2026-08-03")]
    assert times("strategic-review-due", [episode("2024-01-10", "2024-06-10"), episode("2026-02-01")], "2026-06-01") == [
        ("2026-05-01", "2026-08-01")
    ]
    assert times("strategic-review-due", [seen, episode("2026-02-01", status="planned")], "2026-06-01") == [
        ("2026-04-20", "2026-07-20")
    ]


def test_an_episode_that_never_began_is_no_entry() -> None:
    for status in ("planned", "waitlist", "cancelled"):
        assert at([episode("2025-01-01", "2025-02-01", status)], "2026-03-01") == []


def test_a_plan_stands_for_a_health_check_only_where_there_was_one() -> None:
    entry = episode("2025-01-05")  # without a check: due on 5 January 2026
    held = [("2026-01-05", "2026-01-05")]
    assert times("health-check-due", [entry, plan("2025-06-01", status="completed")], "2026-03-01") == []
    assert times("health-check-due", [entry, plan(None, period={"start": "2025-06-01"})], "2026-03-01") == []
    for none in (plan("2025-06-01", status="draft"), plan("2025-06-01", "recovery"), plan(None)):
        assert times("health-check-due", [entry, none], "2026-03-01") == held


def test_without_entry_only_the_clocks_of_the_person_run() -> None:
    assert at([episode(None), plan("2020-01-01"), profile("2020-01-01", "start")], "2026-03-01") == []
    assert [one.code for one in at([consent("2025-01-01"), kit("2020-01-01")], "2026-03-01")] == ["consent-due", "naloxone-due"]


@pytest.mark.parametrize(
    ("check", "since"),
    # a check in the year before entry goes on to its own end; one that had run out by then counts from entry
    [("2025-10-01", "2026-10-01"), ("2025-03-02", "2026-03-02"), ("2025-03-01", "2027-03-01"), ("2023-05-01", "2027-03-01")],
)
def test_a_record_from_before_entry_counts_while_it_reaches_beyond_it(check: str, since: str) -> None:
    clock_at([episode("2026-03-01"), contact(check, kind="health-check")], "health-check-due", since, since)


TREATED = [form("2026-03-02", "2026-03-03", "2026-03-16", "F1"), consent("2025-03-01")]


def test_the_end_of_treatment_ends_the_clocks_of_treatment() -> None:
    """All have run out by June; the end leaves the profile of the exit, and naloxone as long as a form was live lately."""
    all_due = {"consultation-due", "strategic-review-due", "outcome-profile-due", "consent-due"}
    assert {one.code for one in at(TREATED, "2026-06-10")} == all_due
    ended = [*TREATED, stopped("F1", "2026-03-10T09:00:00Z", "treatment-completed")]
    assert times("outcome-profile-due", ended, "2026-03-23") == [] and at(ended, "2026-06-10")[0].since == "2026-03-24"
    assert {one.code for one in at(ended, "2026-06-10")} == {"outcome-profile-due"}
    assert {one.code for one in at(ended, "2026-03-20")} == {"naloxone-due"}
    for change in (stopped("F1", "2026-03-10", "missed-doses"), stopped("F1", "2026-03-16", "treatment-completed", "held")):
        assert {one.code for one in at([*TREATED, change], "2026-06-10")} == all_due


def test_what_goes_on_after_an_end_is_treatment() -> None:
    ended = [*TREATED, stopped("F1", "2026-03-10T09:00:00Z", "treatment-completed")]
    again = form("2026-03-12", "2026-03-13", "2026-03-26")
    assert "consultation-due" in {one.code for one in at([*ended, again], "2026-06-10")}
    assert "consultation-due" in {one.code for one in at([*ended, episode("2026-03-12")], "2026-06-10")}


def test_an_episode_may_end_on_the_last_dose_date_and_not_before() -> None:
    """The form's last dose date is 16 March."""
    assert "consultation-due" not in {one.code for one in at([*TREATED, episode("2026-03-01", "2026-03-16")], "2026-06-10")}
    assert "consultation-due" in {one.code for one in at([*TREATED, episode("2026-03-01", "2026-03-15")], "2026-06-10")}


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        (profile("2026-03-10", "exit"), []),
        (profile("2026-03-10", "post-treatment-exit"), []),
        (profile("2026-03-06", "exit"), []),  # 14 days before the end
        (profile("2026-04-25", "exit"), []),  # late, and done
        (profile("2026-03-10", "exit", status="amended"), []),
        (profile("2026-03-05", "exit"), [("2026-04-03", "2026-04-03")]),
        (profile("2026-03-10", "review"), [("2026-04-03", "2026-04-03")]),
        (profile("2026-03-10", "exit", status="in-progress"), [("2026-04-03", "2026-04-03")]),
        (profile("2026-03-10", "exit", event="care-plan"), [("2026-04-03", "2026-04-03")]),
    ],
)
def test_the_profile_of_an_exit(taken: Json, expected: list[tuple[str, str]]) -> None:
    assert times("outcome-profile-due", [episode("2025-09-01", "2026-03-20"), taken], "2026-05-01") == expected


CODED = {"valueCoding": {"system": f"{BASE}/CodeSystem/outcome-profile-stage", "code": "exit"}}


@pytest.mark.parametrize(
    "items",
    [
        [],
        [{"linkId": "TRSTAGE"}],
        [{"linkId": "stage", "answer": [CODED]}],
        [{"linkId": "TRSTAGE", "answer": [{"valueString": "exit"}]}],
        [{"linkId": "TRSTAGE", "answer": [{"valueCoding": {"system": "urn:x", "code": "exit"}}]}],
        [{"linkId": "g", "item": [{"linkId": "TRSTAGE", "answer": [CODED]}]}],
        [{"linkId": "TRSTAGE", "answer": [{"valueCoding": CODED["valueCoding"] | {"code": "Exit"}}]}],
    ],
)
def test_answers_without_a_stage_that_is_known_are_no_outcome_profile(items: list[Json]) -> None:
    taken = profile("2026-03-10", "exit")
    taken["entry"][2]["resource"]["item"] = items
    assert times("outcome-profile-due", [episode("2025-09-01", "2026-03-20"), taken], "2026-05-01") == [
        ("2026-04-03", "2026-04-03")
    ]


def test_a_review_counts_from_the_last_profile_and_an_exit_is_no_review() -> None:
    """11 March 2026 is day 70; 70 + 182 = 252, 9 September; the window ends on the 23rd."""
    messages = [
        episode("2025-09-01"),
        profile("2025-09-01", "start"),
        profile("2026-03-11", "review"),
        profile("2026-05-01", "exit"),
    ]
    clock_at(messages, "outcome-profile-due", "2026-09-09", "2026-09-23")


# R10 --------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("reviews", "since", "by"),
    [
        # entry on 15 January: 3 months are over on 15 April, 6 on 15 July
        ([], "2026-04-15", "2026-07-15"),
        (["2025-12-20"], "2026-04-15", "2026-07-15"),  # before entry: of another treatment
        (["2026-01-15"], "2026-07-15", "2026-07-15"),
        (["2026-03-20"], "2026-07-15", "2026-07-15"),  # the one at 3 months; 6 months later would be 20 September
        (["2026-04-15"], "2026-07-15", "2026-07-15"),  # exactly 3 months
        (["2026-04-16"], "2026-10-16", "2026-10-16"),  # after 3 months: the one at 6, then six-monthly
        (["2026-07-15"], "2027-01-15", "2027-01-15"),
        (["2026-08-31"], "2027-02-28", "2027-02-28"),
        (["2026-03-20", "2026-07-01"], "2027-01-01", "2027-01-01"),
        (["2026-03-20", "2026-04-10"], "2026-07-15", "2026-07-15"),
    ],
)
def test_r10_normally_within_3_months_no_later_than_6_then_six_monthly(reviews: list[str], since: str, by: str) -> None:
    messages = [episode("2026-01-15"), *(contact(day, kind="strategic-review") for day in reviews)]
    clock_at(messages, "strategic-review-due", since, by)


def test_r10_is_due_by_6_months_however_late_it_is() -> None:
    assert times("strategic-review-due", [episode("2026-01-15")], "2027-01-15") == [("2026-04-15", "2026-07-15")]


# the person's own -------------------------------------------------------------------------------------------------------
def test_consent_runs_for_each_recipient() -> None:
    messages = [
        consent("2025-08-01", to="YZ123"),
        consent("2025-09-01", to="FZZ01"),
        consent("2025-08-01", "refused", to="RLH01"),
    ]
    due = [one for one in at(messages, "2026-02-15") if one.code == "consent-due"]
    assert [one.since for one in due] == ["2026-02-01", "2026-02-01"]
    assert sorted("consent-after-refusal" in one.policy for one in due) == [False, True]
    assert times("consent-due", messages, "2026-03-01") == [("2026-02-01", "2026-02-01")] * 2 + [("2026-03-01", "2026-03-01")]


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        # the latest decision stands, in whatever order the records come
        ([consent("2025-08-01"), consent("2026-01-20")], []),
        ([consent("2026-01-20"), consent("2025-08-01")], []),
        ([consent("2025-08-01", "refused"), consent("2026-01-20")], []),
        (
            [consent("2026-01-20T15:00:00Z", ends="2026-01-31"), consent("2026-01-20T10:00:00Z", "withdrawn")],
            [("2026-01-31", "2026-01-31")],
        ),
        # a consent to be treated, rung or studied is none to share
        ([consent("2025-01-01", kind="treatment"), consent("2025-01-01", kind="research")], []),
        # a refusal to take part in research takes nothing from a consent to share
        ([consent("2025-08-01"), consent("2026-01-20", "refused", kind="research")], [("2026-02-01", "2026-02-01")]),
        ([consent("2025-08-01", kind="national-monitoring")], [("2026-02-01", "2026-02-01")]),
        ([consent(None)], []),
        ([consent(None, ends="2026-02-01")], []),
    ],
)
def test_the_latest_decision_on_sharing(messages: list[Json], expected: list[tuple[str, str]]) -> None:
    assert times("consent-due", messages, "2026-02-15") == expected


@pytest.mark.parametrize(
    "change",
    [
        {"provision": {"actor": [], "period": {"start": "2025-08-01"}}},  # no recipient, no dateTime
        {"extension": [_ours("consent-decision", valueCode="granted"), _ours("recorded", valueDateTime="2025-08-01")]},
        {"dateTime": "2025-08-01", "verification": [{"verified": False, "verificationDate": "2026-01-01"}]},
        {
            "dateTime": "2025-08-01",
            "category": [*(_concept("consent-category", one) for one in ("treatment", "information-sharing"))],
        },
        {"dateTime": "2025-08-01", "category": []},
    ],
)
def test_what_a_consent_leaves_out_does_not_stop_its_clock(change: Json) -> None:
    """1 August and six months."""
    message = consent(None)
    message["entry"][2]["resource"] |= change
    clock_at([message], "consent-due", "2026-02-01", "2026-02-01")


def test_recipients_without_an_ods_code_are_told_apart() -> None:
    """Each granted on 1 August and again on 20 January, but for one, who has the first alone."""
    actors: list[Json] = [
        {"reference": {"display": "Her Sister"}},
        {"reference": {"display": "Her Mother"}},
        {"reference": {"identifier": {"system": "https://reset.example/contact", "value": "C1"}}},
        {"reference": {"identifier": {"system": "https://reset.example/contact", "value": "C2"}}},
        {"extension": [_ours("recipient-kind", valueCode="probation")]},
        {"extension": [_ours("recipient-kind", valueCode="employer")]},
    ]
    for left in range(6):
        messages = [consent("2025-08-01") for _ in actors] + [consent("2026-01-20") for _ in actors]
        for message, actor in zip(messages, [*actors, *actors], strict=True):
            message["entry"][2]["resource"]["provision"]["actor"] = [actor]
        del messages[6 + left]
        assert times("consent-due", messages, "2026-02-15") == [("2026-02-01", "2026-02-01")], actors[left]
        assert len(times("consent-due", messages, "2026-07-20")) == 6


def test_a_lapse_that_is_told_of_late_is_due_since_its_end() -> None:
    messages = [consent("2026-02-03", "lapsed", ends="2026-01-31")]
    assert times("consent-due", messages, "2026-02-02") == []
    assert times("consent-due", messages, "2026-02-03") == [("2026-01-31", "2026-01-31")]


SCRIPT = form("2026-03-02", "2026-03-03", "2026-03-16")
NONE = [("2026-03-02", "2026-03-02")]


@pytest.mark.parametrize(
    ("supplied", "expected"),
    [
        ([], NONE),
        ([kit("2026-03-02", "2028-01-31")], []),
        ([kit("2026-03-02", "2028-01-31", where="in message")], NONE),  # no part of the record
        ([kit("2026-03-02", name="Nyxoid 1.8mg nasal spray", where="bare")], []),
        ([kit("2026-03-02", name="Naloxone 400micrograms/1ml", where="bare")], []),
        # tablets of buprenorphine with naloxone are no kit
        ([kit("2026-03-02", "2028-01-31", name="Buprenorphine 8mg / Naloxone 2mg sublingual tablets")], NONE),
        ([kit("2026-03-02", "2028-01-31", name="Needles")], NONE),
        ([kit("2026-03-02", "2028-01-31", status="declined")], NONE),
        ([kit("2026-03-02", "2028-01-31", amount=0)], NONE),
        ([kit("2026-03-02", "2028-01-31", amount=-1)], NONE),
        ([kit("2026-03-20", "2028-01-31")], NONE),  # after as-of
        # the kit that lasts longest counts, whichever came later
        ([kit("2026-01-02", "2028-01-31"), kit("2026-02-02", "2026-03-05")], []),
        ([kit("2026-01-02", "2026-03-04"), kit("2026-02-02", "2026-03-05")], [("2026-03-05", "2026-03-05")]),
    ],
)
def test_a_naloxone_kit(supplied: list[Json], expected: list[tuple[str, str]]) -> None:
    assert times("naloxone-due", [SCRIPT, *supplied], "2026-03-10") == expected


def test_a_kit_by_its_code_in_a_supply() -> None:
    coded = kit("2026-03-02", where="bare", name="Kit")
    coded["entry"][2]["resource"]["medicationCodeableConcept"] = {
        "coding": [{"system": "http://snomed.info/sct", "code": "89018006"}]
    }
    assert times("naloxone-due", [SCRIPT, coded], "2026-03-10") == []
    coded["entry"][0]["resource"]["eventCoding"]["code"] = "dispense"
    assert times("naloxone-due", [SCRIPT, coded], "2026-03-10") == NONE


def test_no_kit_is_due_since_the_first_form_and_names_the_latest() -> None:
    messages = [form("2026-03-16", "2026-03-17", "2026-03-30", "F2"), SCRIPT]
    (due,) = [one for one in at(messages, "2026-03-16") if one.code == "naloxone-due"]
    assert (due.since, due.evidence) == ("2026-03-02", ("https://reset.example/id|F2",))


def test_a_form_is_recent_for_28_days_after_its_last_dose_date() -> None:
    """16 March and 28 days is 13 April: the 28 days up to 12 April have a day of the form, those up to 13 April have none."""
    assert times("naloxone-due", [SCRIPT], "2026-04-12") == NONE
    assert times("naloxone-due", [SCRIPT], "2026-04-13") == []


# death ------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("said", [{"deceasedDateTime": "2026-03-09"}, {"deceasedBoolean": True}, {"deceasedDateTime": "2026-03"}])
def test_a_death_silences_every_clock(said: Json) -> None:
    messages = [ENTRY, consent("2025-01-01"), kit("2020-01-01"), death(**said)]
    assert {one.code for one in at(messages[:-1], "2026-03-12")} == POLICY.owners.keys() - POLICY.ranks.keys()
    assert at(messages, "2026-03-12") == []
    assert at(messages, "2026-03-08") != []


# what an action says ----------------------------------------------------------------------------------------------------
def test_an_action_names_its_owner_its_clock_and_the_record_it_runs_from() -> None:
    messages = [episode("2026-03-02", name="E1"), consent("2025-01-01")]
    found = {one.code: one for one in at(messages, "2026-04-02")}
    due = found["consultation-due"]
    assert (due.owner, due.deputy, due.withdrawn) == ("prescriber", "care-coordinator", False)
    assert due.policy.startswith("default 1.0.0: consultation (S0 2.1")
    assert due.evidence == ("https://reset.example/id|E1",)
    roles = {
        one["code"]
        for one in yaml.safe_load((POLICIES.parents[2] / "profiles" / "CodeSystem-care-team-role.json").read_text())["concept"]
    }
    assert {role for pair in POLICY.owners.values() for role in pair} <= roles


def test_the_order_of_records_makes_no_difference() -> None:
    messages = [
        ENTRY,
        *CALLS,
        contact("2025-11-30"),
        consent("2025-01-01"),
        consent("2025-01-01", to="FZZ01"),
        kit("2020-01-01"),
        SCRIPT,
        plan("2024-05-05"),
    ]
    given = person(messages)
    records = standing(given.records)
    expected = clocks(records, POLICY, _end_of("2026-03-10"))
    for seed in range(20):
        random.Random(seed).shuffle(records)
        assert clocks(records, POLICY, _end_of("2026-03-10")) == expected


@pytest.mark.parametrize(
    ("said", "first", "last"),
    [
        ("2026", "2026-01-01", "2026-12-31"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2026-02-03", "2026-02-03", "2026-02-03"),
        ("2026-06-30T23:30:00Z", "2026-07-01", "2026-07-01"),
        ("2016-12-31T23:59:60Z", "2016-12-31", "2016-12-31"),
        ("soon", None, None),
        (None, None, None),
    ],
)
def test_the_days_that_a_time_may_mean(said: str | None, first: str | None, last: str | None) -> None:
    assert [one.isoformat() if one else None for one in (first_day(said), last_day(said))] == [first, last]


@pytest.mark.parametrize(
    ("day", "value", "unit", "later", "earlier"),
    [
        ("2026-01-31", 1, "month", "2026-02-28", "2025-12-31"),
        ("2024-01-31", 1, "month", "2024-02-29", "2023-12-31"),
        ("2024-02-29", 12, "month", "2025-02-28", "2023-02-28"),
        ("2026-12-31", 2, "month", "2027-02-28", "2026-10-31"),
        ("2026-03-29", 2, "week", "2026-04-12", "2026-03-15"),
        ("2024-02-28", 2, "day", "2024-03-01", "2024-02-26"),
    ],
)
def test_months_are_calendar_months(day: str, value: int, unit: str, later: str, earlier: str) -> None:
    clock = Threshold(value, unit, "")
    assert [shifted(date.fromisoformat(day), clock, n).isoformat() for n in (1, -1)] == [later, earlier]


def test_a_clock_of_another_unit_is_refused() -> None:
    with pytest.raises(ValueError, match="days, weeks or months"):
        shifted(date(2026, 1, 1), Threshold(1, "hour", ""))


# R13 --------------------------------------------------------------------------------------------------------------------
R13 = [
    # known · 48 hours · the end of the second working day after
    ("2026-03-02T10:00:00+00:00", "2026-03-04T10:00:00+00:00", "2026-03-05T00:00:00+00:00"),  # Monday: Tuesday, Wednesday
    ("2026-03-06T17:00:00+00:00", "2026-03-08T17:00:00+00:00", "2026-03-11T00:00:00+00:00"),  # Friday: Monday, Tuesday
    ("2026-03-07T09:00:00+00:00", "2026-03-09T09:00:00+00:00", "2026-03-11T00:00:00+00:00"),  # Saturday
    ("2026-03-08T23:30:00+00:00", "2026-03-10T23:30:00+00:00", "2026-03-11T00:00:00+00:00"),  # Sunday: half an hour between them
    # Good Friday on 3 April, Easter Monday on the 6th: Tuesday the 7th, Wednesday the 8th
    ("2026-04-02T15:00:00+01:00", "2026-04-04T15:00:00+01:00", "2026-04-09T00:00:00+01:00"),
    # Christmas on a Friday, Boxing Day on a Saturday, kept on Monday the 28th: the 29th, the 30th
    ("2026-12-24T12:00:00+00:00", "2026-12-26T12:00:00+00:00", "2026-12-31T00:00:00+00:00"),
    # 1 January is a Thursday; 2 January is kept in Scotland alone: Friday the 2nd, Monday the 5th
    ("2025-12-31T10:00:00+00:00", "2026-01-02T10:00:00+00:00", "2026-01-06T00:00:00+00:00"),
    # 29 February is a Thursday: the 29th, Friday 1 March
    ("2024-02-28T10:00:00+00:00", "2024-03-01T10:00:00+00:00", "2024-03-02T00:00:00+00:00"),
    # Friday before the clocks go forward: 48 hours that pass end an hour later by the clock
    ("2026-03-27T18:00:00+00:00", "2026-03-29T19:00:00+01:00", "2026-04-01T00:00:00+01:00"),
    # Saturday before they go back: an hour earlier
    ("2026-10-24T10:00:00+01:00", "2026-10-26T09:00:00+00:00", "2026-10-28T00:00:00+00:00"),
    # 23:30 UTC on Monday 1 June is Tuesday in London: Wednesday, Thursday
    ("2026-06-01T23:30:00+00:00", "2026-06-04T00:30:00+01:00", "2026-06-05T00:00:00+01:00"),
]


@pytest.mark.parametrize(("known", "hours", "working_days"), R13)
def test_r13_two_working_days_are_not_48_hours(known: str, hours: str, working_days: str) -> None:
    at_once = datetime.fromisoformat(known)
    both = incident_times(at_once, POLICY)
    assert {name: one.isoformat() for name, one in both.items()} == {
        "incident-hours": hours,
        "incident-working-days": working_days,
    }
    assert incident_due(at_once, POLICY).isoformat() == hours


@pytest.mark.parametrize(
    ("known", "due"),
    # 96 hours: from Monday 10:00 to Friday 10:00, after Wednesday has ended; from Friday 17:00 to Tuesday 17:00, before Tuesday has
    [("2026-03-02T10:00:00+00:00", "2026-03-05T00:00:00+00:00"), ("2026-03-06T17:00:00+00:00", "2026-03-10T17:00:00+00:00")],
)
def test_r13_the_earlier_alarms_whichever_it_is(known: str, due: str) -> None:
    longer = {**POLICY.thresholds, "incident-hours": Threshold(96, "hour", "local")}
    assert incident_due(datetime.fromisoformat(known), replace(POLICY, thresholds=longer)).isoformat() == due


def test_r13_where_nobody_said_when_it_is_due_at_once() -> None:
    earliest = datetime.min.replace(tzinfo=UTC)
    assert incident_due(earliest, POLICY) == earliest


def test_r13_48_hours_come_first_at_every_hour_of_two_years() -> None:
    """A law of the default policy: the working days end at the earliest with the second day after, 48 hours within it."""
    for hour in range(0, 2 * 366 * 24, 5):
        known = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
        assert incident_due(known, POLICY).astimezone(UTC) == known + timedelta(hours=48)


# policy -----------------------------------------------------------------------------------------------------------------
def _default() -> Json:
    document: Json = yaml.safe_load((POLICIES / "default.yaml").read_text("utf-8"))
    return document


def _faults(*documents: Json) -> str:
    with pytest.raises(MapFaults) as raised:
        read(documents)
    return str(raised.value)


def test_a_clock_that_is_missing_or_unknown_is_a_fault() -> None:
    document = _default()
    document["clocks"]["coffee"] = document["clocks"].pop("joint-review")
    said = _faults(document)
    assert "joint-review is missing among the clocks" in said and "coffee is no clock" in said


def test_a_local_policy_changes_single_clocks() -> None:
    """A fortnight: 31 January and 14 days is 14 February."""
    own = {"value": 14, "unit": "day", "source": "local"}
    local = read([_default(), {"policy": "local", "version": "1.0.0", "clocks": {"consultation": own}}])
    assert times("consultation-due", [ENTRY, contact("2026-01-31")], "2026-02-14", local) == [("2026-02-14", "2026-02-14")]
    assert times("consultation-due", [ENTRY, contact("2026-01-31")], "2026-02-13", local) == []
    assert local.clocks["joint-review"] == POLICY.clocks["joint-review"]


@pytest.mark.parametrize("wrong", [{"unit": "hour"}, {"unit": "dose-day"}, {"value": 0}, {"exceeded": True}, {"source": ""}])
def test_a_clock_has_a_number_of_days_weeks_or_months_and_a_source(wrong: Json, tmp_path: Path) -> None:
    entry = {"value": 1, "unit": "month", "source": "local", **wrong}
    document = {"policy": "local", "version": "1.0.0", "title": "Local", "extends": "default", "clocks": {"consultation": entry}}
    (tmp_path / "local.yaml").write_text(yaml.safe_dump(document))
    with pytest.raises(MapFaults, match="clocks"):
        load("local", [tmp_path])


@pytest.mark.parametrize(("name", "entry"), list(_default()["clocks"].items()))
def test_every_clock_names_its_source_or_awaits_approval(name: str, entry: Json) -> None:
    keys = _default()["sources"]
    assert any(key in entry["source"] for key in keys) or entry.get("approval") == "pending", name


def test_a_clock_without_a_source_is_a_fault(tmp_path: Path) -> None:
    document = _default() | {"policy": "own"}
    document["clocks"]["consent"]["source"] = "hearsay"
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(document))
    with pytest.raises(MapFaults, match="consent names none of the sources"):
        load("own", [tmp_path])


def test_a_profile_and_a_review_of_sub_interventions_due_on_one_day_are_one_action() -> None:
    """Both on 2 March 2026, day 61; 61 + 182 = 243, 31 August; the one that was done is not asked for again."""
    both = [episode("2026-03-02"), profile("2026-03-02", "start")]
    [action] = [one for one in at(both, "2026-09-01") if one.code == "outcome-profile-due"]
    assert action.since == "2026-08-31" and "sub-intervention-review (" in action.policy and "outcome-profile (" in action.policy
    [action] = [
        one for one in at([*both, only_profile("2026-08-30", "review")], "2026-09-01") if one.code == "outcome-profile-due"
    ]
    assert "sub-intervention-review (" in action.policy and "outcome-profile (" not in action.policy
    assert times("outcome-profile-due", [*both, profile("2026-08-30", "review")], "2026-09-01") == []
    assert len(times("outcome-profile-due", [*both, sub_interventions("2026-08-30", "in-progress")], "2026-09-01")) == 1
