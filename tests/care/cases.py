"""The truth table of shared care: schedules and events worked out by hand, one folder each (fixtures/care/README.md)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from adapter.care.as_json import ledger_json
from adapter.care.policy import Policy, read
from adapter.care.records import person
from adapter.care.shared_care import SharedCare, moment, of_person
from adapter.fhir.outcome import rule_of
from adapter.mapping.faults import Faults
from adapter.mapping.language import compose, data
from tests.care.build import Json, bundles, days

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "care"
POLICIES = Path(__file__).resolve().parents[2] / "adapter" / "care" / "policies"


def plain(value: Any) -> Any:
    """Dates and moments as they are written."""
    if isinstance(value, dict):
        return {plain(key) if isinstance(key, date) else key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat() if isinstance(value, date) else value


def load(folder: Path) -> Json:
    """A case."""
    faults = Faults(f"{folder.name}/case.yaml")
    node = compose((folder / "case.yaml").read_text("utf-8"), faults)  # as maps are read: `on` is a word and no truth
    assert node is not None, faults.found
    made: Json = plain(data(node, faults))
    assert not faults.found, faults.found
    return made


def all_cases() -> list[Path]:
    """The folders of all cases but those of derived_cases."""
    return sorted({file.parent for file in FIXTURES.glob("*/case.yaml")} - set(derived_cases()))


def derived_cases() -> list[Path]:
    """The folders of the cases of forms whose collections no message plans; only the adapter reads what a form says of its days."""
    return sorted(file.parent for file in FIXTURES.glob("derived-*/case.yaml"))


@cache
def default_policy() -> Json:
    """What the default policy says, read once for all cases."""
    made: Json = yaml.safe_load((POLICIES / "default.yaml").read_text("utf-8"))
    return made


def policy_of(case: Json) -> Policy:
    """The default policy with what the case says differs."""
    said = case.get("policy") or {}
    default = default_policy()
    numbers = {name: {**default["thresholds"][name], "value": value} for name, value in said.get("thresholds", {}).items()}
    local = {
        "policy": "local" if said else "default",
        "version": "1.0.0",
        "thresholds": numbers,
        "feeds": {"pharmacies": said.get("feeds", {})},
    }
    return read([default, local])


def worked(case: Json, messages: list[Json] | None = None, *, history: bool = True) -> SharedCare:
    """What the adapter makes of a case."""
    known = case.get("known-at")
    given = person(bundles(case) if messages is None else messages)
    return of_person(given, policy_of(case), moment(str(case["as-of"])), moment(known) if known else None, history=history)


def summary(care: SharedCare) -> Json:
    """What a case expects, of what came."""
    made = ledger_json(care)
    counts = ("consecutiveMissed", "cumulativeMissed", "daysSinceEvidencedDose")
    found: Json = {"days": {day["date"]: day["state"] for day in made["days"]}}
    found |= {name: [made[name]["min"], made[name].get("max")] for name in counts}
    found |= {name: made.get(name, {}).get("date") for name in ("lastObservedDose", "lastPossibleDose")}
    # The clocks of reviews and consents have tables of their own (test_clocks.py).
    found["due"] = sorted({one["code"] for one in made["actions"] if one["status"] == "due"} & care.ledger.policy.ranks.keys())
    gone = {one["code"] for one in made["actions"] if one["status"] == "withdrawn"}
    found["withdrawn"] = sorted(gone & care.ledger.policy.ranks.keys())
    found["clocks-withdrawn"] = sorted(gone - care.ledger.policy.ranks.keys())
    return found


def differences(case: Json) -> Iterator[str]:
    """Where what came is not what was worked out by hand."""
    care, wanted = worked(case), case["expected"]
    came, made = summary(care), ledger_json(care)
    expected = {**wanted, "days": {day: state for said, state in wanted["days"].items() for day in days(said)}}
    for name in (
        "days",
        "consecutiveMissed",
        "cumulativeMissed",
        "daysSinceEvidencedDose",
        "lastObservedDose",
        "lastPossibleDose",
    ):
        if name in expected and came[name] != expected[name]:
            yield f"{name}: {_less(came[name], expected[name])}"
    for name in ("due", "withdrawn", "clocks-withdrawn"):
        if name in expected and came[name] != sorted(expected[name] or []):
            yield f"{name}: came {came[name]}, wanted {sorted(expected.get(name) or [])}"
    by_date = {day["date"]: day for day in made["days"]}
    for day, doses in wanted.get("doses", {}).items():
        states = {one["n"]: one["state"] for one in by_date[day].get("doses", ())}
        if states != {int(n): state for n, state in doses.items()}:
            yield f"doses of {day}: came {states}, wanted {doses}"
    if "forfeited" in wanted:
        lost = [day for day, one in by_date.items() if one.get("forfeited")]
        if lost != sorted(wanted["forfeited"]):
            yield f"forfeited: came {lost}, wanted {wanted['forfeited']}"
    if "issues" in wanted and (said := sorted(rule_of(one) for one in care.issues)) != sorted(wanted["issues"]):
        yield f"issues: came {said}, wanted {wanted['issues']}"
    if "derived" in wanted:
        planned = {one["date"]: one["covers"] for form in made.get("derivedCollections", ()) for one in form["collections"]}
        if planned != wanted["derived"]:
            yield f"derived: {_less(planned, wanted['derived'])}"
    yield from _of_the_actions(made, wanted, care.ledger.policy.ranks.keys())
    if "feeds" in wanted and sorted(made["feeds"], key=_of_feed) != sorted(wanted["feeds"], key=_of_feed):
        yield f"feeds: came {made['feeds']}, wanted {wanted['feeds']}"


def _of_the_actions(made: Json, wanted: Json, ladder: Collection[str]) -> Iterator[str]:
    """The clocks that are due, since when, and by when."""
    if "clocks" in wanted:
        due = [one for one in made["actions"] if one["status"] == "due" and one["code"] not in ladder]
        rows = sorted([one["code"], one["since"], one["due"]] for one in due)
        if rows != sorted(wanted["clocks"]):
            yield f"clocks: came {rows}, wanted {wanted['clocks']}"
    first = {one["code"]: one for one in reversed(made["actions"])}  # what is due comes first, and counts
    for code, day in wanted.get("since", {}).items():
        if (told := first.get(code, {}).get("since")) != day:
            yield f"since of {code}: came {told}, wanted {day}"
    for code, by in wanted.get("by", {}).items():
        if _moment(told := first.get(code, {}).get("due")) != _moment(by):
            yield f"by when of {code}: came {told}, wanted {by}"


def _of_feed(feed: Json) -> str:
    return str(feed["source"])


def _moment(said: str | None) -> datetime | str | None:
    """A moment as such, whatever its offset; a day as it is written."""
    return datetime.fromisoformat(said) if said and "T" in said else said


def _less(came: Any, wanted: Any) -> str:
    if not isinstance(wanted, dict):
        return f"came {came}, wanted {wanted}"
    apart = sorted(key for key in {*came, *wanted} if came.get(key) != wanted.get(key))
    return ", ".join(f"{key} came {came.get(key)}, wanted {wanted.get(key)}" for key in apart)
