"""The ledger as JSON: its shape stands in docs/reference.md, "The ledger"."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any

from adapter.care.facts import Outcome
from adapter.care.ledger import Day, iso
from adapter.care.policy import Feed, Policy
from adapter.care.records import EARLIEST, speaks_of_death
from adapter.care.shared_care import SharedCare
from adapter.fhir.dates import LONDON


def ledger_json(care: SharedCare) -> dict[str, Any]:
    """patient, asOf, policy, feeds, days, counts, last doses, derived collections, actions, records and issues of one person."""
    ledger, counted = care.ledger, care.counted
    made: dict[str, Any] = {
        "patient": {"identifier": [_identifier(one) for one in sorted(care.person.identifiers)]},
        "asOf": _moment(ledger.as_of),
        "policy": _policy(ledger.policy),
        "feeds": _feeds(care),
        "days": [_day(day) for day in ledger.days],
        "consecutiveMissed": counted.consecutive.as_json(),
        "cumulativeMissed": counted.cumulative.as_json(),
        "daysSinceEvidencedDose": counted.without.as_json(),
    }
    observed = counted.last_observed
    if observed is not None:
        made["lastObservedDose"] = _dose(observed)
    if counted.last_possible is not None:
        made["lastPossibleDose"] = _dose(counted.last_possible)
    if care.derived:
        made["derivedCollections"] = [one.as_json() for one in care.derived]
    made["actions"] = [one.as_json() for one in care.actions]
    named = {ref for day in ledger.days for ref in day.evidence} | {ref for one in care.actions for ref in one.evidence}
    made["records"] = list(_records(care, named))
    return made | ({"issues": {"resourceType": "OperationOutcome", "issue": list(care.issues)}} if care.issues else {})


def _records(care: SharedCare, named: Collection[str]) -> Iterator[dict[str, Any]]:
    """What the evidence names: of every record by that identifier its type, who said it, and when it was received."""
    deaths = [one for one in care.person.patients if speaks_of_death(one)]
    known = [one for one in (*care.person.records, *deaths) if one.ref in named]
    for one in sorted(known, key=lambda one: (one.ref, one.received, one.source)):
        if care.known_at is None or one.received <= care.known_at:
            said = {"received": _moment(one.received)} if one.received > EARLIEST else {}
            yield {"evidence": one.ref, "resourceType": one.type, "source": one.source, **said}


def _policy(policy: Policy) -> dict[str, Any]:
    extended = [{"name": name, "version": version} for name, version in policy.extends]
    return {"name": policy.name, "version": policy.version, **({"extends": extended} if extended else {})}


def _moment(at: datetime) -> str:
    return at.astimezone(LONDON).isoformat(timespec="seconds")


def _identifier(name: str) -> dict[str, str]:
    system, _, value = name.partition("|")
    return {"system": system, "value": value}


def _feeds(care: SharedCare) -> list[dict[str, Any]]:
    policy = care.ledger.policy
    named = sorted({form.pharmacy for form in care.ledger.forms.all if form.pharmacy})
    longest = timedelta(hours=policy["longest-due"])
    return [{"source": code, **_feed(policy.feed(code), longest)} for code in named]


def _feed(feed: Feed, longest: timedelta) -> dict[str, Any]:
    days, hours = feed.cadence.days, feed.cadence.seconds // 3600
    whole = f"P{days}D" if days and not hours else f"PT{days * 24 + hours}H"
    return {"cadence": whole, "supportsLadder": feed.cadence <= longest}


def _day(day: Day) -> dict[str, Any]:
    made: dict[str, Any] = {"date": iso(day.day), "state": day.state}
    if len(day.doses) > 1:
        made["doses"] = [{"n": n, "state": dose.state, **_mg(dose.amount)} for n, dose in sorted(day.doses.items())]
    if day.forfeited:
        made["forfeited"] = True
    if day.vomited:
        made["vomited"] = True
    return made | {"evidence": list(day.evidence)}


def _mg(outcome: Outcome | None) -> dict[str, Any]:
    if outcome is None or not outcome.quantity:
        return {}
    return {"mg": outcome.milligrams} if outcome.milligrams is not None else {"quantity": outcome.quantity}


def _dose(day: Day) -> dict[str, Any]:
    return {"date": iso(day.day), **({"quantity": day.amount} if day.amount else {})}
