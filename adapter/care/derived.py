"""Planned collections of forms whose messages plan none: derived from what the form says of its days, and marked so.

A form that says no days of collection has none derived: each of its days stands alone. One whose plan does not add up has none
either, and what is wrong is told. Which days a form says: adapter.care.instalment_forms.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from adapter.care.collection_words import NotSure
from adapter.care.fact_reading import medicine
from adapter.care.facts import Collection, Facts, Form, ordinal
from adapter.care.instalment_forms import Arrangement, arrangement, as_form, is_arranged
from adapter.care.known import Known
from adapter.care.ledger import iso
from adapter.care.plan import PlannedCollection, plan
from adapter.care.plan_issues import told
from adapter.care.policy import Feed, Policy
from adapter.care.prescribed import prescribed
from adapter.care.records import Json, Record
from adapter.fhir.dates import precision, service_day
from adapter.fhir.outcome import Issue, is_error, rule_of


@dataclass(frozen=True, slots=True)
class Derived:
    """What was derived of one form. rule: what its days were read by, "" where nothing was derived.

    closed: ordinals of the days of its period on which the pharmacy is closed · issues: what is to be told of it
    """

    form: str
    rule: str = ""
    collections: tuple[PlannedCollection, ...] = ()
    closed: frozenset[int] = frozenset()
    issues: tuple[Issue, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As the ledger's JSON has it."""
        planned: list[dict[str, Any]] = []
        for one in self.collections:
            seen = {} if one.supervised is None else {"supervised": one.supervised}
            planned.append({"date": one.on, "covers": list(one.covers), **seen})
        return {"form": self.form, "rule": self.rule, "collections": planned}


class Derivation:
    """Derives the collections of a person's forms, of each form once."""

    def __init__(self, known: Known, policy: Policy) -> None:
        self._policy = policy
        self._records = {id(known.facts[id(one)]): one for one in known.person.records if id(one) in known.facts}
        self._made: dict[int, Derived] = {}

    def of(self, facts: Facts) -> list[Derived]:
        """What is derived of the forms of these facts that no collection is planned of, where there is something to say."""
        given: frozenset[str] = frozenset().union(*(one.form for one in facts.collections))
        made = [self._of(form) for form in facts.forms if not form.names & given]
        return [one for one in made if one.rule or one.issues]

    def added(self, facts: Facts) -> Facts:
        """The facts with the derived collections among them."""
        made = {one.form: one for one in self.of(facts) if one.rule}
        if not made:
            return facts
        forms = [replace(one, closed=one.closed | made[one.ref].closed) if one.ref in made else one for one in facts.forms]
        more = [one for form in forms if form.ref in made for one in _facts(form, made[form.ref])]
        return replace(facts, forms=tuple(forms), collections=(*facts.collections, *more))

    def _of(self, form: Form) -> Derived:
        if id(form) not in self._made:
            self._made[id(form)] = _derived(form, self._records[id(form)], self._policy)
        return self._made[id(form)]


def unplanned(records: Iterable[Record], today: int, policy: Policy) -> list[Issue]:
    """What is told of the orders that say how they are collected, and not surely from which day. today: service day of as-of."""
    known = (one for one in records if one.type == "MedicationRequest" and medicine(one) != "other")
    orders = [one.resource for one in known if as_form(one.resource) is None]
    arranged = [one for one in orders if is_arranged(one) and _is_written(one, today)]
    return [issue for one in arranged for issue in prescribed(one, policy).issues]


def _is_written(order: Json, today: int) -> bool:
    written = str(order.get("authoredOn", ""))
    return precision(written) not in ("day", "time") or ordinal(service_day(written)) <= today


def _facts(form: Form, derived: Derived) -> Iterator[Collection]:
    for one in derived.collections:
        yield Collection(form.names, ordinal(one.on), frozenset(map(ordinal, one.covers)), f"{form.ref}#{derived.rule}@{one.on}")


def _derived(form: Form, record: Record, policy: Policy) -> Derived:
    resource = as_form(record.resource)
    assert resource is not None  # a form was read from it
    try:
        days = arrangement(resource)
    except NotSure:
        return Derived(form.ref, issues=(_of_form(told("plan-pick-up-unread"), form),))
    return Derived(form.ref) if days is None else _planned(form, resource, days, policy, policy.feed(form.pharmacy))


def _planned(form: Form, resource: Json, days: Arrangement, policy: Policy, feed: Feed) -> Derived:
    made = plan(resource, policy, feed, days.pick_up, days.supervised)
    issues = tuple(_of_form(one, form) for one in made.issues)
    # Which day is meant for doses before the first day of collection that the form says, the plan can only suppose.
    supposed = any(rule_of(one) == "plan-first-day" for one in made.issues)
    collections = made.collections[1:] if supposed else made.collections
    if any(map(is_error, made.issues)) or not collections:
        return Derived(form.ref, issues=issues)
    closed = frozenset(day for day in range(form.first, form.last + 1) if feed.is_closed(iso(day)))
    note = _of_form(told("plan-derived", how=days.rule, days=[one.on for one in collections]), form)
    return Derived(form.ref, days.rule, collections, closed, (*issues, note))


def _of_form(issue: Issue, form: Form) -> Issue:
    """The issue with the form it is about, by its dose dates: a person may have several."""
    text = f"Of the form from {iso(form.first)} to {iso(form.last)}: {issue['details']['text']}"
    return {**issue, "details": {**issue["details"], "text": text}}
