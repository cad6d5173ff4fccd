"""A local policy: each number of the default, altered by one unit, gives another answer somewhere; all else is the default's.

What the default says stands in the cases of fixtures/care or, worked out by hand, beside the example here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from adapter.care.as_json import ledger_json
from adapter.care.clocks import incident_times
from adapter.care.messages import Sender, messages
from adapter.care.plan import plan
from adapter.care.policy import Policy, load
from adapter.care.records import person
from adapter.care.shared_care import SharedCare, moment, of_person
from adapter.fhir.outcome import rule_of
from adapter.shipped import FIXTURES
from tests.care import test_clocks as by_clock
from tests.care import test_plan as by_plan
from tests.care.build import bundles
from tests.care.cases import load as case_of

Json = dict[str, Any]
Answer = Callable[[Policy], Any]
DEFAULT = load()
HEAD = "policy: our-own\nversion: 2.1.0\ntitle: Ours\nextends: default\n"


@pytest.fixture
def local(tmp_path: Path) -> Callable[[str], Policy]:
    """A policy that extends the default, of these lines."""

    def made(lines: str) -> Policy:
        (tmp_path / "our-own.yaml").write_text(HEAD + lines)
        return load("our-own", [tmp_path])

    return made


def care_of(case: Json, policy: Policy) -> SharedCare:
    return of_person(person(bundles(case)), policy, moment(str(case["as-of"])))


def due(name: str, code: str, **changes: Any) -> Answer:
    """When an action of a case is to be done by; None where it is not due. changes: what the case says otherwise."""

    def asked(policy: Policy) -> str | None:
        made = care_of({**case_of(FIXTURES / "care" / name), **changes}, policy)
        return next((one.due for one in made.actions if one.code == code and not one.withdrawn), None)

    return asked


def raised(name: str, code: str) -> Answer:
    """Whether an action of a case is due."""
    return lambda policy: due(name, code)(policy) is not None


def state(name: str, day: str, **changes: Any) -> Answer:
    """The state of a day of a case; what the case says of feeds is left out but by changes."""

    def asked(policy: Policy) -> str:
        made = ledger_json(care_of({**case_of(FIXTURES / "care" / name), **changes}, policy))
        return next(str(one["state"]) for one in made["days"] if one["date"] == day)

    return asked


def clock(code: str, messages: list[Json], as_of: str) -> Answer:
    return lambda policy: by_clock.times(code, messages, as_of, policy)


def rules(form: Json) -> Answer:
    return lambda policy: [rule_of(one) for one in plan(form, policy, by_plan.OPEN).issues]


def notified(which: str, known: str) -> Answer:
    return lambda policy: incident_times(datetime.fromisoformat(known), policy)[which].isoformat()


def told_of_a_dose_at(at: str) -> Answer:
    """The issues of a dose that was received on 2 March at 19:00."""
    dose = {"id": "S", "on": "2026-03-02", "is": "supervised", "at": at, "received": "2026-03-02T19:00:00Z"}
    return lambda policy: [rule_of(one) for one in care_of({"as-of": "2026-03-02", "doses": [dose]}, policy).issues]


ENTRY, CALLS = by_clock.ENTRY, by_clock.CALLS
START = by_clock.episode("2026-01-15")
SLOW = "feeds:\n  pharmacies:\n    FZZ01: {cadence: PT72H}\n"

#: Name -> another value, the question, the default's answer, the local policy's answer.
THRESHOLDS: dict[str, tuple[int, Answer, Any, Any]] = {
    # missed on three days: at 3 it is due on the third, at 4 not yet
    "discuss": (4, due("missed-run-day-3-discuss", "discuss-with-prescriber"), "2026-03-06", None),
    "assess": (4, due("missed-run-day-4-assess", "assess-tolerance"), "2026-03-07", None),
    "stop": (6, due("missed-run-day-5-stop", "supply-not-permitted"), "2026-03-08", None),
    "drop-out": (15, due("missed-run-day-14-urgent-referral", "urgent-referral"), "2026-03-17", None),
    # the fourth in 28 days is that of 24 February; asked on 2 March the first, 3 February, is in 28 days and not in 27
    "odd-days": (5, due("odd-days-4-in-28-review", "suitability-review"), "2026-02-24", None),
    "odd-days-window": (27, due("odd-days-window-edge-last-day-in", "suitability-review"), "2026-02-24", None),
    # asked on the 10th, five days before the last dose date
    "order-ending": (5, due("order-ending-five-days-before-is-quiet", "order-ending"), None, "2026-03-15"),
    # restarted on 9 March: ten days are over on the 19th, eleven on the 20th
    "restart-review": (11, due("restart-review-not-cleared-by-telephone", "restart-review"), "2026-03-19", "2026-03-20"),
    # died on 11 April, received at 09:00 UTC, 10:00 in London: 48 hours end at 10:00 on the 13th. The 28 days up to 11 April begin
    # on 15 March, the last day of the form; the 27 on the 16th
    "death-after-form": (
        27,
        due(
            "death-with-a-form-longer-than-28-days-ago",
            "incident-notice",
            **{"as-of": "2026-04-11", "death": {"on": "2026-04-11", "received": "2026-04-11T09:00:00Z"}},
        ),
        "2026-04-13T10:00:00+01:00",
        None,
    ),
    # of the day before, at four in the morning: within five hours after midnight, not within four
    "late-entry": (5, raised("at-once-at-four-in-summer-time", "possible-double-dose"), True, False),
    # handed over five minutes and a half after its receipt
    "clock-skew": (6, told_of_a_dose_at("2026-03-02T19:05:30Z"), ["time-after-receipt"], []),
    # known on Monday 9 March at 10:00
    "incident-hours": (
        47,
        notified("incident-hours", "2026-03-09T10:00:00+00:00"),
        "2026-03-11T10:00:00+00:00",
        "2026-03-11T09:00:00+00:00",
    ),
    # the second working day is Wednesday, whose end is the first moment of Thursday; the first is Tuesday
    "incident-working-days": (
        1,
        notified("incident-working-days", "2026-03-09T10:00:00+00:00"),
        "2026-03-12T00:00:00+00:00",
        "2026-03-11T00:00:00+00:00",
    ),
    # a feed of 72 hours: the 3rd closed at 18:00, and 48 hours later it is 18:00 on the 5th; asked at 18:30
    "longest-due": (
        49,
        state("feed-never-longer-than-48-hours-due", "2026-03-03", **{"as-of": "2026-03-05T18:30:00Z"}),
        "unreported",
        "due",
    ),
    # Monday 23 March to Sunday 5 April: 14 days
    "form-days": (13, rules(by_plan.fortnight()), [], ["ost-treatment-period"]),
    # 24 February is the first day: the 28th is 23 March, the first dose date; the 27th is 22 March
    "first-supply": (27, rules(by_plan.fortnight(authored="2026-02-24")), [], ["plan-first-supply"]),
}
CLOCKS: dict[str, tuple[int, Answer, Any, Any]] = {
    # 31 January and one month is 28 February, and two months 31 March
    "consultation": (
        2,
        clock("consultation-due", [ENTRY, by_clock.contact("2026-01-31")], "2026-03-10"),
        [("2026-02-28", "2026-02-28")],
        [],
    ),
    # in person on 30 November, by telephone until 20 February: three months end on 28 February, four on 30 March
    "consultation-face-to-face": (
        4,
        clock("consultation-due", [ENTRY, by_clock.contact("2025-11-30"), *CALLS], "2026-03-10"),
        [("2026-02-28", "2026-02-28")],
        [],
    ),
    # 5 January and 182 days is 6 July; 7 more is the 13th
    "joint-review": (
        27,
        clock("joint-review-due", [ENTRY, by_clock.contact("2026-01-05", kind="joint-review")], "2026-08-01"),
        [("2026-07-06", "2026-07-06")],
        [("2026-07-13", "2026-07-13")],
    ),
    # entry on 15 January: 3 months 15 April, 4 months 15 May; by 6 months 15 July
    "strategic-review-first": (
        4,
        clock("strategic-review-due", [START], "2026-08-01"),
        [("2026-04-15", "2026-07-15")],
        [("2026-05-15", "2026-07-15")],
    ),
    "strategic-review-latest": (
        7,
        clock("strategic-review-due", [START], "2026-08-01"),
        [("2026-04-15", "2026-07-15")],
        [("2026-04-15", "2026-08-15")],
    ),
    # reviewed on 16 April, after 3 months: 6 months later is 16 October, 7 are 16 November
    "strategic-review": (
        7,
        clock("strategic-review-due", [START, by_clock.contact("2026-04-16", kind="strategic-review")], "2026-12-01"),
        [("2026-10-16", "2026-10-16")],
        [("2026-11-16", "2026-11-16")],
    ),
    # 16 February and 182 days is 17 August, 189 days the 24th; the window is 14 days longer; the sub-interventions stay
    "outcome-profile": (
        27,
        clock("outcome-profile-due", [by_clock.episode("2026-03-02"), by_clock.profile("2026-02-16", "start")], "2026-12-01"),
        [("2026-08-17", "2026-08-31")],
        [("2026-08-17", "2026-08-31"), ("2026-08-24", "2026-09-07")],
    ),
    # the review of sub-interventions of that day by itself, and the profile a week later
    "sub-intervention-review": (
        27,
        clock("outcome-profile-due", [by_clock.episode("2026-03-02"), by_clock.profile("2026-02-16", "start")], "2026-12-01"),
        [("2026-08-17", "2026-08-31")],
        [("2026-08-17", "2026-08-31"), ("2026-08-24", "2026-09-07")],
    ),
    # entry on 2 March: the window ends on the 16th, of three weeks on the 23rd
    "outcome-profile-window": (
        3,
        clock("outcome-profile-due", [by_clock.episode("2026-03-02")], "2026-04-01"),
        [("2026-03-16", "2026-03-16")],
        [("2026-03-23", "2026-03-23")],
    ),
    "health-check": (
        13,
        clock("health-check-due", [ENTRY, by_clock.plan("2025-03-10")], "2026-05-01"),
        [("2026-03-10", "2026-03-10")],
        [("2026-04-10", "2026-04-10")],
    ),
    # 31 August and 6 months is 28 February, and 7 months 31 March
    "consent": (
        7,
        clock("consent-due", [by_clock.consent("2025-08-31")], "2026-05-01"),
        [("2026-02-28", "2026-02-28")],
        [("2026-03-31", "2026-03-31")],
    ),
    "consent-after-refusal": (
        5,
        clock("consent-due", [by_clock.consent("2026-01-10", "refused")], "2026-12-01"),
        [("2026-07-10", "2026-07-10")],
        [("2026-06-10", "2026-06-10")],
    ),
    # the last dose date is 16 March: 28 days are over on 13 April, 29 on the 14th
    "naloxone-after-form": (29, clock("naloxone-due", [by_clock.SCRIPT], "2026-04-13"), [], [("2026-03-02", "2026-03-02")]),
    "naloxone-kit": (
        13,
        clock("naloxone-due", [by_clock.kit("2025-02-28")], "2026-04-01"),
        [("2026-02-28", "2026-02-28")],
        [("2026-03-28", "2026-03-28")],
    ),
}


def number(kind: str, name: str, value: int) -> str:
    was = getattr(DEFAULT, kind)[name]
    exceeded = "exceeded: true, " if was.exceeded else ""
    return f"{kind}:\n  {name}: {{value: {value}, unit: {was.unit}, {exceeded}source: our own protocol}}\n"


def test_every_number_of_the_default_is_walked() -> None:
    assert (THRESHOLDS.keys(), CLOCKS.keys()) == (DEFAULT.thresholds.keys(), DEFAULT.clocks.keys())
    assert all(abs(DEFAULT[name] - value) == 1 for name, (value, *_) in THRESHOLDS.items())
    assert all(abs(DEFAULT.clocks[name].value - value) == 1 for name, (value, *_) in CLOCKS.items())


@pytest.mark.parametrize(
    ("kind", "name"), [*(("thresholds", name) for name in THRESHOLDS), *(("clocks", name) for name in CLOCKS)]
)
def test_a_number_altered_by_one_gives_another_answer(kind: str, name: str, local: Callable[[str], Policy]) -> None:
    value, asked, usual, ours = {"thresholds": THRESHOLDS, "clocks": CLOCKS}[kind][name]
    slow = SLOW if name == "longest-due" else ""
    altered = local(number(kind, name, value) + slow)
    assert asked(local(slow) if slow else DEFAULT) == usual
    assert asked(altered) == ours
    for each in ("thresholds", "clocks"):
        differ = {one for one, said in getattr(DEFAULT, each).items() if getattr(altered, each)[one] != said}
        assert differ == ({name} if each == kind else set())
    assert (altered.default_feed, altered.depots, altered.owners) == (DEFAULT.default_feed, DEFAULT.depots, DEFAULT.owners)


@pytest.mark.parametrize(
    ("lines", "asked", "usual", "ours"),
    [
        # 4 March is due until its closing and 24 hours: 18:00 on the 5th
        (
            "feeds:\n  default: {closing: '19:00'}\n",
            state("silence-two-days", "2026-03-04", **{"as-of": "2026-03-05T18:30:00Z"}),
            "unreported",
            "due",
        ),
        (
            "feeds:\n  default: {cadence: PT25H}\n",
            state("silence-two-days", "2026-03-04", **{"as-of": "2026-03-05T18:30:00Z"}),
            "unreported",
            "due",
        ),
        # the injection of 2 March covers seven dose dates, the last the 8th; of eight the 9th
        (
            "depots:\n  weekly: {doses-mg: [8, 16, 24, 32], covers: 8, source: ours}\n",
            due("depot-weekly-last-covered-day", "depot-due"),
            "2026-03-08",
            None,
        ),
        # the next came two days early
        (
            "depots:\n  weekly: {doses-mg: [8, 16, 24, 32], covers: 7, early: 1, source: ours}\n",
            raised("depot-next-injection-two-days-early", "possible-double-dose"),
            False,
            True,
        ),
    ],
)
def test_feeds_and_depots_altered_give_another_answer(
    lines: str, asked: Answer, usual: Any, ours: Any, local: Callable[[str], Policy]
) -> None:
    assert asked(DEFAULT) == usual
    assert asked(local(lines)) == ours


def test_closed_days_altered_give_another_plan(local: Callable[[str], Policy]) -> None:
    """Sundays 29 March and 5 April and Good Friday 3 April are closed by the default, and nothing by ours."""
    form, ours = by_plan.fortnight(), local("feeds:\n  default: {closed: [], bank-holidays: false}\n")
    assert [rule_of(one) for one in plan(form, DEFAULT, DEFAULT.default_feed).issues] == ["plan-closed-day"]
    assert plan(form, ours, ours.default_feed).issues == ()


def test_an_owner_altered_is_asked_and_the_order_stays(local: Callable[[str], Policy]) -> None:
    ours = local("owners:\n  ladder:\n    supply-not-permitted: {owner: clinical-lead, deputy: gp}\n")
    case = case_of(FIXTURES / "care" / "missed-run-day-5-stop")
    usual, altered = (care_of(case, policy).actions for policy in (DEFAULT, ours))
    assert [one.code for one in usual] == [one.code for one in altered]
    differ = [(one.code, one.owner, one.deputy) for one, other in zip(altered, usual, strict=True) if one.owner != other.owner]
    assert differ == [("supply-not-permitted", "clinical-lead", "gp")]


def test_the_policy_is_named_in_every_result_with_what_it_extends(local: Callable[[str], Policy]) -> None:
    """Each action, ladder and clocks, due and withdrawn; the JSON; the alert's task and the referral's reason."""
    ours = local(number("thresholds", "drop-out", 13))
    assert (ours.name, ours.version, ours.extends) == ("our-own", "2.1.0", (("default", "1.0.0"),))
    case = case_of(FIXTURES / "care" / "missed-run-day-13-assess-still")
    care = care_of(case, ours)
    named = "our-own 2.1.0 (extends default 1.0.0): "
    assert {"urgent-referral", "naloxone-due", "confirm-last-dose"} & {one.code for one in care.actions}
    assert all(one.policy.startswith(named) for one in care.actions)
    grounds = {one.code: one.policy.removeprefix(named) for one in care.actions}
    assert grounds["urgent-referral"] == "drop-out (our own protocol)"
    assert grounds["supply-not-permitted"] == f"stop ({DEFAULT.thresholds['stop'].source})"
    made = ledger_json(care)
    assert made["policy"] == {"name": "our-own", "version": "2.1.0", "extends": [{"name": "default", "version": "1.0.0"}]}
    assert [one["policy"] for one in made["actions"]] == [one.policy for one in care.actions]
    sent = messages(care, sender=Sender("YZ901", "Reset Treatment Service", "01632 960144"), made="2026-03-20T09:00:00Z")
    resources = [entry["resource"] for bundle in sent for entry in bundle["entry"]]
    tasks = [one for one in resources if one["resourceType"] == "Task" and "reasonCode" in one]
    referrals = [one for one in resources if one["resourceType"] == "ServiceRequest"]
    assert len(tasks) >= len(care.actions) and all(named in one["reasonCode"]["text"] for one in tasks)
    assert len(referrals) == 1 and any(named in reason["text"] for reason in referrals[0]["reasonCode"])


def test_a_policy_that_extends_a_local_one_is_named_with_both(tmp_path: Path) -> None:
    """6 is the borough's stop, 2 the clinic's discussion; all else is the default's."""
    (tmp_path / "our-own.yaml").write_text(HEAD + number("thresholds", "stop", 6))
    clinic = HEAD.replace("our-own", "clinic").replace("2.1.0", "0.3.0").replace("default", "our-own")
    (tmp_path / "clinic.yaml").write_text(clinic + number("thresholds", "discuss", 2))
    made = load("clinic", [tmp_path])
    assert str(made) == "clinic 0.3.0 (extends our-own 2.1.0, default 1.0.0)"
    assert (made["discuss"], made["stop"], made["drop-out"]) == (2, 6, 14)
