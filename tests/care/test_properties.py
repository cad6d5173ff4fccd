"""What holds for every schedule and every order of events, on invented people (random_cases.py)."""

from __future__ import annotations

import copy
import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.care.as_json import ledger_json
from adapter.care.records import person
from adapter.care.shared_care import SharedCare, moment, of_person
from adapter.fhir.dates import service_day
from adapter.fhir.outcome import rule_of
from tests.care.build import Json, bundles, expanded
from tests.care.cases import policy_of, summary, worked
from tests.care.random_cases import random_case

CASES = st.integers(0, 2**32).map(random_case)
many = settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
TAKEN = {"supervised", "take-home", "elsewhere-evidenced", "depot", "partial"}


def told(care: SharedCare) -> Json:
    """Everything but which of several equal records is named as evidence."""
    made = ledger_json(care)
    for one in (*made["days"], *made["actions"]):
        one.pop("evidence")
    del made["records"]
    return made


@many
@given(CASES, st.randoms(use_true_random=False))
def test_the_order_in_which_messages_come_makes_no_difference(case: Json, pick: random.Random) -> None:
    given_in_order = bundles(case)
    shuffled = pick.sample(given_in_order, len(given_in_order))
    assert ledger_json(worked(case, shuffled)) == ledger_json(worked(case, given_in_order))


@many
@given(CASES, st.randoms(use_true_random=False))
def test_what_is_told_twice_counts_once(case: Json, pick: random.Random) -> None:
    once = bundles(case)
    again = [copy.deepcopy(one) for one in pick.sample(once, min(3, len(once)))]
    assert told(worked(case, [*once, *again])) == told(worked(case, once))


@many
@given(CASES, st.randoms(use_true_random=False))
def test_a_correction_is_as_if_the_corrected_had_been_told(case: Json, pick: random.Random) -> None:
    case = expanded(case)
    named = Counter(name for one in case["doses"] for name in (one.get("id"), one.get("replaces")) if name)
    told_of = Counter(one["on"] for one in case["doses"])  # what two say of a day, one may not take back for both
    free = [
        n for n, one in enumerate(case["doses"]) if named[one.get("id")] < 2 and "replaces" not in one and told_of[one["on"]] < 2
    ]
    if not free:
        return
    n = pick.choice(free)
    right = {**case["doses"][n], "id": "right"}
    wrong = {**right, "id": "wrong", "is": "missed" if right["is"] != "missed" else "withheld"}
    for name in ("mg", "vomited", "by", "at"):
        wrong.pop(name, None)
    rest = [one for m, one in enumerate(case["doses"]) if m != n]
    corrected = {**case, "doses": [*rest, wrong, {**right, "replaces": "wrong"}]}
    plain = {**case, "doses": [*rest, right]}
    came, wanted = (summary(worked(one, history=False)) for one in (corrected, plain))
    assert came == wanted


@many
@given(CASES)
def test_a_count_falls_only_where_a_dose_was_taken(case: Json) -> None:
    care = worked(case, history=False)
    least = 0
    for day, count in zip(care.ledger.days, care.counted.trace, strict=True):
        assert count.least >= least or day.state in TAKEN
        least = count.least


@many
@given(CASES, st.randoms(use_true_random=False))
def test_a_day_without_report_is_never_taken_and_may_have_been_missed(case: Json, pick: random.Random) -> None:
    case = expanded(case)
    care = worked(case, history=False)
    days = {day.day: n for n, day in enumerate(care.ledger.days)}
    silent = [day for day in care.ledger.days if day.state == "unreported"]
    for day in silent:
        before = care.counted.trace[days[day.day] - 1] if days[day.day] else None
        after = care.counted.trace[days[day.day]]
        assert after.least == (before.least if before else 0)
        assert after.most == (before.most or 0) + 1 if before else 1


@many
@given(CASES)
def test_no_action_is_without_evidence_owner_and_policy(case: Json) -> None:
    for one in ledger_json(worked(case))["actions"]:
        assert one["evidence"], one["code"]
        assert one["owner"]
        assert one["policy"]
        assert one["since"]


@many
@given(CASES)
def test_what_comes_after_as_of_is_not_seen(case: Json) -> None:
    case = expanded(case)
    case["doses"] = [{"mg": 60, **one} for one in case["doses"]]  # else the amount would be that of a form, which may be left out
    today = service_day(moment(str(case["as-of"])).isoformat())

    def by_then(one: Json) -> bool:
        return str(next(one[name] for name in ("on", "authored", "from", "at") if name in one))[:10] <= today

    several = ("forms", "doses", "stays", "consultations")
    earlier = {**case, **{name: [one for one in case.get(name, ()) if by_then(one)] for name in several}}
    # A stay that ends later has not ended, and nobody has said yet what its record says.
    of_end = ("to", "mention")
    earlier["stays"] = [
        {key: value for key, value in one.items() if str(one.get("to", ""))[:10] <= today or key not in of_end}
        for one in earlier["stays"]
    ]
    if earlier.get("death") and not by_then(earlier["death"]):
        del earlier["death"]
    came, wanted = (told(worked(one, history=False)) for one in (earlier, case))
    del came["patient"], wanted["patient"]  # whom no message names has no identifier
    # That a death lies beyond the day asked about is told, so that nobody takes the ledger for that of the living; nothing counts by it.
    for one in (came, wanted):
        issues = [issue for issue in one.pop("issues", {"issue": []})["issue"] if rule_of(issue) != "death-after-as-of"]
        one["issues"] = issues
    assert came == wanted


LONDON = ZoneInfo("Europe/London")
HALF_HOURS = [
    (datetime.fromisoformat(day).replace(tzinfo=UTC) - timedelta(hours=2) + timedelta(minutes=30 * n))
    for day in ("2026-03-29", "2026-10-25")
    for n in range(56)
]


@pytest.mark.parametrize("at", HALF_HOURS, ids=lambda at: at.strftime("%m-%dT%H%M"))
@pytest.mark.parametrize("written", ["utc", "london", "plus-five"])
def test_on_both_change_days_the_service_day_is_londons(at: datetime, written: str) -> None:
    """The last day of the ledger is the day on London's clock, however the moment is written."""
    on = at.astimezone(LONDON).date()
    zones: dict[str, Any] = {"utc": UTC, "london": LONDON, "plus-five": ZoneInfo("Asia/Karachi")}
    first = on - timedelta(days=3)
    case: Json = {
        "as-of": at.astimezone(zones[written]).isoformat(),
        "forms": [{"id": "F1", "authored": first, "first": first, "last": first + timedelta(days=13), "mg": 60}],
        "doses": [{"on": (first + timedelta(days=n)).isoformat(), "is": "missed"} for n in range(3)],
    }
    made = of_person(person(bundles(case)), policy_of(case), moment(case["as-of"]))
    assert ledger_json(made)["days"][-1]["date"] == on.isoformat()
    assert ledger_json(made)["days"][-1]["state"] == "due"
    assert date.fromisoformat(ledger_json(made)["asOf"][:10]) == on
