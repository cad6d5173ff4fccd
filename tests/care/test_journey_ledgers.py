"""What the ledger makes of messages as the systems send them: the stories of fixtures/journeys, worked out by hand from docs/care.md.

The truth table begins with hub messages; here each comes by the map of its system, and several systems speak of one person.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

import adapter
from adapter.care.shared_care import SharedCare, shared_care
from adapter.shipped import FIXTURES
from tests.care.test_fact_issues import due, rules

#: Journey -> its messages in order: the file, who says it, when it was received.
STORIES = {
    "missed-dose-ladder": [
        ("01-monday-supervised.json", "pharmacy/dose-outcome", "2026-06-01T17:00:00Z"),
        ("02-two-days-missed.json", "pharmacy/dose-outcome", "2026-06-03T17:30:00Z"),
        ("02-two-days-missed.json", "pharmacy/dose-outcome", "2026-06-03T17:31:00Z"),
        ("04-third-day-missed.json", "pharmacy/dose-outcome", "2026-06-04T17:30:00Z"),
        ("05-late-take-home.json", "pharmacy/dose-outcome", "2026-06-05T08:00:00Z"),
        ("06-wednesday-was-withheld.json", "pharmacy/dose-outcome", "2026-06-05T11:30:00Z"),
        ("07-elsewhere.json", "criis/dose-outcome", "2026-06-05T15:40:00Z"),
        ("08-monday-retracted.json", "pharmacy/dose-outcome", "2026-06-05T17:00:00Z"),
    ],
    "restart-under-14-days": [
        ("01-the-fortnight.json", "criis/prescription", "2026-05-29T12:00:00Z"),
        ("02-four-days-missed.json", "pharmacy/dose-outcome", "2026-06-09T17:30:00Z"),
        ("03-stopped-and-restarted.json", "criis/prescription-change", "2026-06-10T10:30:00Z"),
        ("04-first-dose-of-the-restart.json", "pharmacy/dose-outcome", "2026-06-11T17:00:00Z"),
    ],
    "fp10mda-with-closed-days": [
        ("01-the-form.json", "criis/prescription", "2026-12-18T15:10:00Z"),
        ("02-christmas-eve.json", "pharmacy/dose-outcome", "2026-12-24T17:00:00Z"),
    ],
}


@cache
def ost() -> adapter.Adapter:
    return adapter.load()


def care_of(story: str, as_of: str) -> SharedCare:
    """The ledger of a story's person at the end of a day, by what had been received by then."""
    messages: list[dict[str, Any]] = []
    for file, system, received in STORIES[story]:
        bundle = ost().translate((FIXTURES / "journeys" / story / file).read_bytes(), read=system, received=received).bundle
        assert bundle is not None
        messages.append(bundle)
    [found] = shared_care(messages, as_of, known_at=f"{as_of}T23:00:00Z")
    return found


#: Story, day -> states of the days, missed in a row, since the last dose evidenced, what is due, what is withdrawn.
LEDGERS: list[tuple[str, str, list[str], list[int], list[int | None], set[str], set[str]]] = [
    # no form is known; supervised on 1 June, missed on 2 to 4: the third
    ("missed-dose-ladder", "2026-06-04", ["supervised"] + ["missed"] * 3, [3, 3], [3, 3], {"discuss-with-prescriber"}, set()),
    # 31 May taken home; 1 June was another patient's; 2 missed; 3 withheld; of 4 the service claims a dose on a ward; 5 nothing.
    # Missed at least 2 June, at most the 4th too. Nothing was ever evidenced: since the dose taken home 1, 2, 3 and 5 June are
    # without one (no form is live), more than 3. The third missed day is no more.
    (
        "missed-dose-ladder",
        "2026-06-05",
        ["take-home", "not-expected", "missed", "withheld", "elsewhere-unreported", "not-expected"],
        [1, 2],
        [4, None],
        {"assess-tolerance"},
        {"discuss-with-prescriber"},
    ),
    # the form is of 1 to 14 June; nobody reports 1 to 4; 5 supervised; 6 to 9 missed: more than 3, and four in 28 days
    (
        "restart-under-14-days",
        "2026-06-09",
        ["unreported"] * 4 + ["supervised"] + ["missed"] * 4,
        [4, 4],
        [4, 4],
        {"discuss-with-prescriber", "assess-tolerance", "suitability-review"},
        set(),
    ),
    # stopped and written anew on 10 June, from the 11th: what stood is answered; the four missed days are still four in 28
    (
        "restart-under-14-days",
        "2026-06-11",
        ["unreported"] * 4 + ["supervised"] + ["missed"] * 4 + ["not-expected", "supervised"],
        [0, 0],
        [0, 0],
        {"restart-review", "suitability-review"},
        set(),
    ),
]


@pytest.mark.parametrize(("story", "day", "states", "missed", "without", "is_due", "withdrawn"), LEDGERS)
def test_a_story_comes_to_what_was_worked_out(
    story: str,
    day: str,
    states: list[str],
    missed: list[int],
    without: list[int | None],
    is_due: set[str],
    withdrawn: set[str],
) -> None:
    made = care_of(story, day)
    counted = made.counted
    assert [one.state for one in made.ledger.days] == states
    assert [counted.consecutive.least, counted.consecutive.most] == missed
    assert [counted.without.least, counted.without.most] == without
    assert due(made) == is_due
    ladder = made.ledger.policy.ranks
    assert {one.code for one in made.actions if one.withdrawn and one.code in ladder} >= withdrawn
    assert "told-ahead" not in rules(made)


def test_five_doses_collected_on_christmas_eve_are_in_no_conflict() -> None:
    """One swallowed at the counter, four taken home for the closed days; the first record says that it lasts five days."""
    made = care_of("fp10mda-with-closed-days", "2026-12-28")
    assert [one.state for one in made.ledger.days][-5:] == ["supervised"] + ["take-home"] * 4
    assert {"possible-double-dose", "conflicting-evidence", "supply-after-stop"} & due(made) == set()
    assert "told-ahead" not in rules(made)
