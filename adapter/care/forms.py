"""The instalment forms of a person: on which days each is live, and which changes are of which form. Days are ordinals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from adapter.care.facts import Change, Facts, Form, ordinal
from adapter.fhir.dates import service_day

#: The reason of a stop after which no other form is wanted. That the person died is not known by a stop: a record of it says so.
_DONE = "treatment-completed"


class Forms:
    """The forms, and on which days each is live."""

    def __init__(self, facts: Facts) -> None:
        self.all = facts.forms
        named = [(one, changed(one, facts)) for one in facts.changes]
        self._changes = {form.ref: [one for one, those in named if form in those] for form in facts.forms}
        self.ends = {form.ref: self._ended(form) for form in facts.forms}
        # What was over before it began clears nothing and lifts nothing.
        self.orders = tuple(form for form in facts.forms if self.ends[form.ref] is None or self.end(form) >= form.first)
        self._names: frozenset[str] = frozenset().union(*(form.names for form in facts.forms))
        self._live: dict[int, list[Form]] = {}
        for form in facts.forms:
            held = {day for first, last in self._holds(form) for day in range(first, last + 1)}
            end = self.end(form)
            for day in range(form.first, end + 1):
                if day not in held:
                    self._live.setdefault(day, []).append(form)
        self._several = [form for form in facts.forms if any(count > 1 for _, _, count in form.steps)]
        self._most_a_day: dict[int, tuple[Decimal, str] | None] = {}
        #: The least that any of them prescribes for a day: what is no more than that is more than none of them.
        self.least = min((value for form in facts.forms for _, _, value, _ in form.amounts), default=None)
        self._done = [(form, over.day) for form in facts.forms if (over := self.ends[form.ref]) and over.reason == _DONE]

    def _ended(self, form: Form) -> Change | None:
        return next((one for one in self._changes[form.ref] if one.ends), None)

    def _holds(self, form: Form) -> Iterator[tuple[int, int]]:
        """(first, last) of each hold."""
        held: int | None = None
        for one in self._changes[form.ref]:
            if one.kind == "held" and held is None:
                held = one.day
            elif one.kind == "resumed" and held is not None:
                yield held, one.day - 1
                held = None
        if held is not None:
            yield held, form.last

    def end(self, form: Form) -> int:
        """The last dose date on which it can be live."""
        over = self.ends[form.ref]
        return form.last if over is None else min(form.last, over.day - 1)

    def completed(self, day: int) -> bool:
        """Whether treatment had been completed by then: a form was stopped for that reason, and none has begun since."""
        done = [(form, end) for form, end in self._done if end <= day and form.first <= day]
        return any(all(one.first < end or one.first > day for one in self.all if one is not form) for form, end in done)

    def doses(self, day: int) -> int:
        """How many doses are prescribed for a day; one where no form has it in its period."""
        if not self._several:
            return 1
        return max((form.doses(day) for form in self._several if form.first <= day <= form.last), default=1)

    def prescribed(self, day: int) -> tuple[Decimal, str] | None:
        """How much the forms that have a day in their period prescribe for it together; None where that is not sure."""
        if day not in self._most_a_day:
            having = [form for form in self.all if form.first <= day <= form.last]
            said = [[(value, unit) for first, last, value, unit in form.amounts if first <= day <= last] for form in having]
            units = {unit for one in said for _, unit in one}
            total = sum((value for one in said for value, _ in one), Decimal())
            self._most_a_day[day] = (total, units.pop()) if len(units) == 1 and all(said) else None
        return self._most_a_day[day]

    def is_restart(self, form: Form) -> bool:
        """Whether it names the form that it restarts, and that is known; itself it cannot restart."""
        return form.restarts in self._names and form.restarts not in form.names

    def permits(self, form: Form) -> bool:
        """Whether a dose may be of it on any day since it was written."""
        return any(form in self.live(day) for day in range(max(form.first, form.authored), form.last + 1))

    def live(self, day: int) -> tuple[Form, ...]:
        """The forms that are live on a day."""
        return tuple(self._live.get(day, ()))

    def stopped(self, day: int, at: datetime | None, orders: frozenset[str] = frozenset()) -> list[Form]:
        """The forms that have this day in their period, if each of them was over or held when this happened; else none.

        orders: by which orders it is said to have been done; those forms alone, where one of them is known.
        """
        if day in self._live and not orders:
            return []
        having = [form for form in self.all if form.first <= day <= form.last]
        having = [form for form in having if form.names & orders] or having
        live = self._live.get(day, ())
        return [] if any(form in live or self._stopped_later(form, day, at) for form in having) else having

    def fell_away(self, day: int) -> int:
        """Since which day none of the forms written for a day has been live on it: by the latest of them, from when it was first
        seen to be over or held then and has been since; 0 where none was written for it."""
        return max((self._off(form, day) for form in self.all if form.first <= day <= form.last), default=0)

    def _off(self, form: Form, day: int) -> int:
        off, over = 0, False
        for one in self._changes[form.ref]:
            if one.day <= day and not over:
                over = one.ends
                off = 0 if one.kind == "resumed" else off or _seen_on(one)
        return off

    def came_back(self, form: Form, day: int) -> int:
        """Since which day it has been so that it is live on a day: when the last hold until then was seen to end, else when it
        was written."""
        back, held = form.authored, False
        for one in self._changes[form.ref]:
            if one.day <= day:
                back = _seen_on(one) if held and one.kind == "resumed" else back
                held = one.kind == "held" or (held and one.kind != "resumed")
        return max(form.authored, back)

    def _stopped_later(self, form: Form, day: int, at: datetime | None) -> bool:
        """Whether what ended or held it came on that day, and later than this."""
        on_that_day = [one for one in self._changes[form.ref] if one.day == day and (one.ends or one.kind == "held")]
        before = any(over.ends and over.day < day for over in self._changes[form.ref])
        before = before or any(first < day <= last for first, last in self._holds(form))
        return at is not None and bool(on_that_day) and not before and all(_precedes(at, one) for one in on_that_day)


def changed(change: Change, facts: Facts) -> list[Form]:
    """The form that a change names, by its identifier or else by its serial alone; of several that have that serial none."""
    named = [form for form in facts.forms if change.form & form.names]
    if named or change.form & facts.orders or change.serial is None:
        return named
    alike = [form for form in facts.forms if form.serial == change.serial]
    return alike if len({form.names for form in alike}) == 1 else []


def _precedes(at: datetime, change: Change) -> bool:
    """Whether this was no later than the change; of one of which only the day is known: on an earlier day."""
    return at <= change.at if change.at is not None else ordinal(service_day(at.isoformat())) < change.day


def _seen_on(change: Change) -> int:
    """The service day from which on a change can be known."""
    return change.seen if isinstance(change.seen, int) else ordinal(service_day(change.seen.isoformat()))
