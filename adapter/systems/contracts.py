"""The codecs that our published contracts share, and those of the pharmacy: statuses that follow from codes, periods, reasons.

FHIR says the outcome of a dose several times: once by our own code, and again by the status of each resource. The code
is what a map reads back; the statuses are worked out from it, and a withdrawn report makes every one of them
entered-in-error. It is the same with a changed order and its status. See docs/hub.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import cache
from typing import Any

from adapter.mapping.codecs import codec
from adapter.shipped import PROFILES

#: FHIR's word for a record that should never have been made, the same in every status value set.
WITHDRAWN = "entered-in-error"

#: Resource -> outcome (CodeSystem/dose-outcome) -> status; an outcome that is not named has no such resource.
STATUSES: Mapping[str, Mapping[str, str]] = {
    "dispense": {
        "supervised": "completed",
        "take-home": "completed",
        "partial": "completed",
        "not-swallowed": "completed",
        "missed": "declined",
        "withheld": "declined",
    },
    "administration": {"supervised": "completed", "partial": "completed", "not-swallowed": "not-done"},
    "depot": {"depot": "completed"},
    "statement": {"elsewhere": "completed"},
    "after": {"supervised": "final", "partial": "final"},
}

#: Type of change (CodeSystem/order-change) -> status of the order.
ORDER_STATUSES = {
    "stopped": "stopped",
    "held": "on-hold",
    "resumed": "active",
    "replaced": "stopped",
    "amended": "active",
    "cancelled": "cancelled",
}

ToHub = Callable[[str], str]


@cache
def _ucum() -> Mapping[str, str]:
    """The shared ConceptMap of dm+d units of measure, its code -> UCUM's."""
    elements = json.loads((PROFILES / "ConceptMap-unit-ucum.json").read_text("utf-8"))["group"][0]["element"]
    return {element["code"]: element["target"][0]["code"] for element in elements}


def dose_status(name: str, statuses: Mapping[str, str], withdrawn: Any, standing: Any, to_hub: ToHub) -> None:
    """A codec of (mark of retraction, outcome) and a status; `withdrawn`, `standing`: the mark of a bad and of a good report."""

    def read(pair: tuple[Any, str]) -> str | None:
        """(mark, outcome) -> status; declines an outcome that has no such resource."""
        mark, outcome = pair
        status = statuses.get(to_hub(outcome))
        return WITHDRAWN if status is not None and mark == withdrawn else status

    def write(status: str) -> tuple[Any, None]:
        """Status -> (mark, not said): the outcome is read from its own element. Raises ValueError for another status."""
        if status != WITHDRAWN and status not in statuses.values():
            raise ValueError("a status that no outcome leads to")
        return (withdrawn if status == WITHDRAWN else standing, None)

    codec(name, read=read, write=write)


def order_status(name: str, to_hub: ToHub) -> None:
    """A one-way codec of (type of change, item) -> status of the order; an item without a change is active."""

    def read(pair: tuple[str | None, str]) -> str | None:
        """(type of change, item) -> status of the order; an item without a change is active."""
        return "active" if pair[0] is None else ORDER_STATUSES.get(to_hub(pair[0]))

    codec(name, read=read)


def _period(pair: tuple[str, int]) -> dict[str, str]:
    """(first dose date, days) -> the Period of FHIR, both ends counted."""
    first, days = pair
    return {"start": first, "end": (date.fromisoformat(first) + timedelta(days=days - 1)).isoformat()}


def _first_and_days(period: Any) -> tuple[str, int]:
    """A Period of whole days -> (first dose date, days). Raises ValueError for any other."""
    if not isinstance(period, dict) or set(period) != {"start", "end"}:
        raise ValueError("a period of first and last day, and nothing else")
    first, last = (date.fromisoformat(period[end]) for end in ("start", "end"))
    if first.isoformat() != period["start"] or last.isoformat() != period["end"]:
        raise ValueError("days are written yyyy-MM-dd")
    if last < first:
        raise ValueError("the last day comes before the first")
    return period["start"], (last - first).days + 1


def _reason_of(name: str, outcome: str) -> None:
    """A codec of (outcome, reason) and the words, where the outcome is this one: one column says why, of two elements."""

    def read(pair: tuple[str, str | None]) -> str | None:
        """(outcome, reason) -> the reason, where the outcome is the one that it is the reason for."""
        return pair[1] if pair[0] == outcome else None

    codec(name, read=read, write=lambda words: (None, words))


def _seen(pair: tuple[str | None, str]) -> str:
    """(when a dose was seen swallowed, its dose date) -> the first that is known: a date stays a date."""
    return pair[0] or pair[1]


codec("report-seen", read=_seen, write=lambda when: (when, None) if "T" in when else (None, when))
_reason_of("report-withheld-words", "withheld")
_reason_of("report-not-swallowed-words", "not-swallowed")

codec(
    "order-ucum-unit",
    read=lambda code: _ucum().get(code),
    doc="The UCUM code of a unit; declines one that the ConceptMap does not have, for a plain order may be in any unit of dm+d.",
)
codec("first-day-and-days", read=_period, write=_first_and_days)
for _resource, _statuses in STATUSES.items():
    dose_status(f"dose-{_resource}-status", _statuses, True, None, lambda code: code)
    dose_status(f"report-{_resource}-status", _statuses, "withdrawn", "live", lambda code: code)
order_status("order-status", lambda code: code)
