"""The instalment plan: on which days a form is collected, which dose dates each collection covers, and how much it is.

Pure: the form, the pharmacy's opening days and, where the form does not say them, the days of collection and supervision go in;
collections go out, with an issue for all that does not add up or cannot be had. It computes no dose. docs/hub.md, "The planned
collection"; the Home Office's wordings: CodeSystem home-office-wording.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from typing import Any

from adapter.care.plan_issues import told
from adapter.care.policy import Feed, Policy
from adapter.care.prescribed import Amount, Prescribed, added, mixed, prescribed
from adapter.care.records import Json, extension, ours, part, parts
from adapter.fhir.dates import add_days, days_between, precision
from adapter.fhir.outcome import Issue
from adapter.mapping.runtime import namespace, uuid5

#: Days as the form's arrangements give them: weekdays (0 Monday to 6 Sunday), dates (YYYY-MM-DD), or both.
Days = AbstractSet[int | str]

_NOT_PLANNED = frozenset({"entered-in-error", "cancelled"})
_SPACE = namespace("care/plan/collection")


@dataclass(frozen=True, slots=True)
class PlannedCollection:
    """One visit. on: its day · covers: dose dates, in order · supervised: the dose of its own day; None where nobody says.

    quantity: the sum of the doses that it covers; None only where an order that was read says none.
    """

    on: str
    covers: tuple[str, ...]
    supervised: bool | None
    quantity: Amount | None


@dataclass(frozen=True, slots=True)
class Plan:
    """The collections of one form, by day, and what is to be told about them."""

    collections: tuple[PlannedCollection, ...]
    issues: tuple[Issue, ...] = ()


def plan(form: Json, policy: Policy, feed: Feed, pick_up: Days | None = None, supervised: Days | None = None) -> Plan:
    """The collections of a form (MedicationRequest, intent original-order).

    policy: how long a form may be, and when its first supply · feed: of the pharmacy; it is closed on its own closed days and on
    those that the form names · pick_up: days of collection, each dose date where none are given · supervised: days on which the
    dose of that day is supervised; as the form says where none are given. Every dose date is covered once; a form whose doses are
    unclear or of mixed units has no collections. Raises ValueError for what is neither a weekday nor a day.
    """
    said = prescribed(form, policy)
    if not said.doses:
        return Plan((), said.issues)
    issues = list(said.issues)
    due = _due(said, None if pick_up is None else _checked(pick_up), issues)
    if supervised is not None:
        issues += _arranged(said, due, _checked(supervised))
    moved = _opened(said, set(due.values()), lambda day: feed.is_closed(day) or day in said.closed, issues)
    covers: dict[str, list[str]] = {}
    for dose_date, day in due.items():
        covers.setdefault(moved[day], []).append(dose_date)
    collections = tuple(_collection(said, on, tuple(covers[on]), supervised) for on in sorted(covers))
    return Plan(collections, (*issues, *_first_supply(said, collections[0].on)))


def missed(plan: Plan, on: str, wordings: AbstractSet[str]) -> tuple[str, ...]:
    """The dose dates that are forfeited when what is to be collected on that day is not.

    Without the wording `missed-collection` all that it covers; with it those up to that day: the others may still be collected,
    each until its own day. A remaining day on which the pharmacy is closed is not forfeited here; it is missed on its own date.
    """
    covered = sorted(day for one in plan.collections if one.on == on for day in one.covers)
    return tuple(day for day in covered if day <= on or "missed-collection" not in wordings)


# days -------------------------------------------------------------------------------------------------------------------
def _checked(days: Days) -> frozenset[int | str]:
    if any(precision(one) != "day" if isinstance(one, str) else one not in range(7) for one in days):
        raise ValueError("not a weekday from 0 to 6, and not a day: YYYY-MM-DD")
    return frozenset(days)


def _is_among(day: str, days: Days) -> bool:
    return day in days or date.fromisoformat(day).weekday() in days


def _due(said: Prescribed, pick_up: frozenset[int | str] | None, issues: list[Issue]) -> dict[str, str]:
    """Dose date -> the last day of collection that is not after it."""
    doses = list(said.doses)
    if pick_up is None:
        return {day: day for day in doses}
    named = {day for day in pick_up if isinstance(day, str)}
    period = [add_days(said.first, n) for n in range(days_between(said.first, said.last) + 1)]
    candidates = sorted(named | {day for day in period if _is_among(day, pick_up)})
    last = {day: max((one for one in candidates if one <= day), default=None) for day in doses}
    before = [day for day, on in last.items() if on is None]
    if before:
        issues.append(told("plan-first-day", days=before))
    due = {day: doses[0] if on is None else on for day, on in last.items()}
    unused = sorted(named - set(due.values()))
    if unused:
        issues.append(told("plan-pick-up-unused", days=unused))
    return due


def _opened(said: Prescribed, due: set[str], is_closed: Callable[[str], bool], issues: list[Issue]) -> dict[str, str]:
    """Day of collection -> the day it is had on: where that is closed and the form allows it, the last open day before."""
    moved = {day: day for day in due}
    without: list[str] = []
    nowhere: list[str] = []
    for day in sorted(due):
        if not is_closed(day):
            continue
        if "closed-days" not in said.wordings:
            without.append(day)
            continue
        before = [add_days(day, -n) for n in range(1, days_between(said.first, day) + 1)]
        prior = next((one for one in before if not is_closed(one)), None)
        if prior is None:
            nowhere.append(day)
        moved[day] = prior or day
    if without:
        issues.append(told("plan-closed-day", days=without))
    if nowhere:
        issues.append(told("plan-no-prior-day", days=nowhere))
    return moved


def _collection(said: Prescribed, on: str, covers: tuple[str, ...], supervised: Days | None) -> PlannedCollection:
    seen = said.supervised if supervised is None else _is_among(on, supervised)
    return PlannedCollection(on, covers, seen if on in covers else False, added(said.doses[day] for day in covers))


def _first_supply(said: Prescribed, first: str) -> Iterator[Issue]:
    if said.window is not None and not said.window[0] <= first <= said.window[1]:
        yield told("plan-first-supply", on=first, first=said.window[0], last=said.window[1])


def _arranged(said: Prescribed, due: dict[str, str], supervised: Days) -> Iterator[Issue]:
    """Supervised days against the form, and against the days of collection."""
    if said.supervised is not None and said.supervised is not bool(supervised):
        asks = "asks for supervision, and no day is named" if said.supervised else "asks for no supervision, and days are named"
        yield told("plan-supervision", what=f"{asks}: it is planned by the days")
    if at_home := [day for day, on in due.items() if on != day and _is_among(day, supervised)]:
        yield told("plan-supervised-day", days=at_home)


# planned collections as orders ------------------------------------------------------------------------------------------
def read(instance_orders: Iterable[Json]) -> tuple[PlannedCollection, ...]:
    """The collections that instance-orders plan, by day. Those withdrawn or cancelled plan none, nor does any other resource."""
    found = [one for order in instance_orders if (one := _read(order)) is not None]
    return tuple(sorted(found, key=lambda one: (one.on, one.covers)))


def _read(order: Json) -> PlannedCollection | None:
    planned = extension(order, "planned-collection")
    on = part(planned, "date")
    if order.get("intent") != "instance-order" or on is None or order.get("status") in _NOT_PLANNED:
        return None
    supervised: Any = part(planned, "supervised")
    return PlannedCollection(
        on, tuple(sorted(parts(planned, "covers"))), supervised, Amount.of(order.get("dispenseRequest", {}).get("quantity"))
    )


def check(form: Json, policy: Policy, collections: Iterable[PlannedCollection]) -> list[Issue]:
    """How collections that somebody planned do not agree with the form; of a form whose doses are unclear, what is unclear."""
    said = prescribed(form, policy)
    if not said.doses:
        return list(said.issues)
    given = list(collections)
    return [*_coverage(said, given), *_amounts(said, given)]


def as_resources(form: Json, plan: Plan) -> list[Json]:
    """The collections as MedicationRequests (intent instance-order, profile MedicationRequest-instalment) that stand on the form.

    The id of each is made from the form's identifier and the day, so that the same plan is the same resources. Raises ValueError
    for a collection without a quantity, and for a form without an identifier.
    """
    identifier = next(iter(form.get("identifier", ())), None)
    if identifier is None or any(one.quantity is None for one in plan.collections):
        raise ValueError("an order needs the identifier of its form and a quantity")
    return [_as_resource(form, identifier, one) for one in plan.collections]


def _as_resource(form: Json, identifier: Json, one: PlannedCollection) -> Json:
    assert one.quantity is not None
    key = "\x1f".join((str(identifier.get("system")), str(identifier.get("value")), one.on))
    basis = {"reference": f"urn:uuid:{form['id']}"} if "id" in form else {}
    said: list[Json] = [{"url": "date", "valueDate": one.on}, *({"url": "covers", "valueDate": day} for day in one.covers)]
    if one.supervised is not None:
        said.append({"url": "supervised", "valueBoolean": one.supervised})
    copied = ("groupIdentifier", "courseOfTherapyType", "medicationCodeableConcept", "subject", "substitution")
    return {
        "resourceType": "MedicationRequest",
        "id": uuid5(_SPACE, key).removeprefix("urn:uuid:"),
        "meta": {"profile": [ours("MedicationRequest-instalment")]},
        "extension": [{"url": ours("planned-collection"), "extension": said}],
        "status": form.get("status", "active"),
        "intent": "instance-order",
        "basedOn": [basis | {"identifier": deepcopy(identifier)}],
        **{name: deepcopy(form[name]) for name in copied if name in form},
        "dispenseRequest": {"quantity": one.quantity.as_quantity()},
    }


def _coverage(said: Prescribed, given: list[PlannedCollection]) -> Iterator[Issue]:
    """Whether each dose date is covered once, and nothing else is."""
    count = Counter(day for one in given for day in one.covers)
    faults = {
        "plan-dose-twice": [day for day, n in count.items() if n > 1],
        "plan-dose-uncovered": [day for day in said.doses if day not in count],
        "plan-dose-outside": [day for day in count if day not in said.doses],
        "ost-planned-covers": {day for one in given for day in one.covers if day < one.on},
    }
    return (told(rule, days=sorted(days)) for rule, days in faults.items() if days)


def _amounts(said: Prescribed, given: list[PlannedCollection]) -> Iterator[Issue]:
    """The quantity of each collection against the doses that it covers, and of all against the form's total."""
    quantities = [one.quantity for one in given if one.quantity is not None]
    codes = {one.code for one in (*quantities, *said.doses.values())}
    if len(codes) > 1:
        yield mixed(codes)
        return
    for one in given:
        doses = added(said.doses[day] for day in one.covers if day in said.doses)
        if one.quantity is None or (doses is not None and one.quantity != doses):
            yield told("plan-collection-quantity", on=one.on, quantity=one.quantity or "of no amount", doses=doses or "nothing")
    together = added(quantities)
    if together is not None and said.total is not None and said.total.code in codes and together != said.total:
        yield told("plan-collections-total", quantity=together, total=said.total)
