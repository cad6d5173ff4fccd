"""Since when an action stands does not move while it stands: an alert is known by it (docs/care.md, "The ladder")."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.care.shared_care import shared_care
from tests.care.build import Json, bundles

DOSES = [{"on": "2026-03-02..2026-03-14", "is": "supervised"}]


def form(name: str, authored: int, first: int, last: int) -> Json:
    days = {key: f"2026-03-{day:02}" for key, day in (("authored", authored), ("first", first), ("last", last))}
    return {"id": name, "mg": 60, **days}


def change(name: str, kind: str, day: int, received: int | None = None) -> Json:
    told = {"received": f"2026-03-{received:02}T09:00:00Z"} if received else {}
    return {"form": name, "type": kind, "effective": f"2026-03-{day:02}T09:00:00Z", **told}


#: Name -> the case, the action, the days asked about, and since when it stands on all of them. Written by hand.
CASES: dict[str, tuple[Json, str, range, int]] = {
    # the successor, from 11, is told on 7 to be held and on 9 to be stopped: nothing has followed since 7
    "order-ending: the successor held, then stopped": (
        {
            "forms": [form("A", 1, 2, 10), form("B", 2, 11, 24)],
            "changes": [change("B", "held", 11, 7), change("B", "stopped", 11, 9)],
        },
        "order-ending",
        range(7, 11),
        7,
    ),
    "order-ending: the successor stopped, then cancelled": (
        {
            "forms": [form("A", 1, 2, 10), form("B", 2, 11, 24)],
            "changes": [change("B", "stopped", 7), change("B", "cancelled", 9)],
        },
        "order-ending",
        range(7, 11),
        7,
    ),
    # two stand since 4; a third changes nothing of that
    "overlapping-orders: a third form": (
        {"forms": [form("A", 1, 2, 20), form("B", 4, 5, 20), form("C", 8, 8, 20)]},
        "overlapping-orders",
        range(6, 10),
        4,
    ),
    "overlapping-orders: resumed twice": (
        {
            "forms": [form("A", 1, 2, 20), form("B", 2, 3, 20)],
            "changes": [change("A", "held", 4), change("A", "resumed", 5), change("A", "resumed", 8)],
        },
        "overlapping-orders",
        range(5, 10),
        5,
    ),
    "overlapping-orders: a hold to come": (
        {
            "forms": [form("A", 1, 2, 30), form("B", 2, 3, 30)],
            "changes": [change("A", "held", 12, 8), change("A", "resumed", 15, 8)],
        },
        "overlapping-orders",
        range(5, 10),
        2,
    ),
    "overlapping-orders: resumed and never held": (
        {"forms": [form("A", 1, 2, 30), form("B", 2, 3, 30)], "changes": [change("A", "resumed", 8)]},
        "overlapping-orders",
        range(5, 10),
        2,
    ),
    # missed 15, 16, 18 and 19, nothing told of 17: at most 3 since 17 (discuss), more than 3 since 18 (assess), 5 since 19 (stop);
    # at least 3 on 18, 4 on 19: each rung is sure the day after, when the next is not
    "confirm-last-dose: one rung after the other": (
        {
            "forms": [form("A", 1, 2, 25)],
            "doses": DOSES + [{"on": f"2026-03-{day}", "is": "missed"} for day in (15, 16, 18, 19)],
        },
        "confirm-last-dose",
        range(18, 22),
        17,
    ),
    # the injection of 2 covers 2 to 8; the form from 9 is told on 8 to be held, and on 10 to be stopped
    "depot-due: the form after it held, then stopped": (
        {
            "forms": [form("B", 2, 9, 24)],
            "changes": [change("B", "held", 9, 8), change("B", "stopped", 9, 10)],
            "doses": [{"on": "2026-03-02", "is": "depot", "mg": 16}],
        },
        "depot-due",
        range(8, 12),
        8,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_it_stays(name: str) -> None:
    case, code, days, since = CASES[name]
    messages = bundles({"doses": DOSES, **case})
    for day in days:
        [made] = shared_care(messages, f"2026-03-{day:02}T22:30:00Z", known_at=f"2026-03-{day:02}T22:30:00Z")
        found: list[Any] = [one.since for one in made.actions if one.code == code and not one.withdrawn]
        assert found == [f"2026-03-{since:02}"], day
