"""Counts and runs: one walk over the days of a ledger. How each state counts: docs/care.md, "Counts" and "The ladder"."""

from __future__ import annotations

from dataclasses import dataclass, field

from adapter.care.facts import Form
from adapter.care.ledger import FULL, Day, Dose, Ledger

_MAYBE = frozenset({"unreported", "elsewhere-unreported", "conflict"})
_WITHOUT = frozenset({"missed", "withheld", "not-swallowed"})


@dataclass(frozen=True, slots=True)
class Range:
    """A count: what is evidenced, and what is possible. most: None where there is no bound."""

    least: int
    most: int | None

    def as_json(self) -> dict[str, int]:
        """As the ledger's JSON has it: without max where there is no bound."""
        return {"min": self.least} | ({} if self.most is None else {"max": self.most})


_ZERO = Range(0, 0)


@dataclass(slots=True)
class Rung:
    """A rung of the ladder that was reached. last: the last day of the run that reached it · over: whether that run has ended."""

    since: int
    last: int
    evidence: tuple[str, ...]
    over: bool = False


@dataclass(slots=True)
class Stop:
    """A stop: after so many missed days nothing is supplied until a restart.

    lifted: the day of the restart's order · until: the first day on which a dose may be of it
    """

    since: int
    evidence: tuple[str, ...]
    lifted: int | None = None
    until: int | None = None


@dataclass(slots=True)
class Counted:
    """What the walk found.

    trace: consecutiveMissed at the end of each day · possible: days after the last evidenced dose that may be without one ·
    unsure: rungs that only the maximum reaches, the lowest first ·
    unsure_since: since when there are any · odd_since: since when the odd days reach their number
    """

    consecutive: Range = field(default_factory=lambda: Range(0, 0))
    cumulative: Range = field(default_factory=lambda: Range(0, 0))
    without: Range = field(default_factory=lambda: Range(0, None))
    possible: int = 0
    unsure: list[str] = field(default_factory=list)
    unsure_since: int | None = None
    odd_since: int | None = None
    last_full: Day | None = None
    last_observed: Day | None = None
    last_possible: Day | None = None
    rungs: dict[str, list[Rung]] = field(default_factory=lambda: {"discuss": [], "assess": [], "drop-out": []})
    stops: list[Stop] = field(default_factory=list)
    missed: list[Day] = field(default_factory=list)
    trace: list[Range] = field(default_factory=list)


def count(ledger: Ledger) -> Counted:
    """Walk the days of a ledger in order."""
    return _Walk(ledger).run()


class _Walk:
    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.policy = ledger.policy
        self.found = Counted()
        self.least = self.most = 0
        self.without = self.possible = 0
        self.towards_stop = 0
        self.anew: set[int] = set()
        self.lengthened = 0
        self.evidence: list[str] = []
        self.oldest = 0  # which of the missed days is the oldest that the window of the odd days still holds
        first = ledger.days[0].day if ledger.days else ledger.today
        self.first = min((form.first for form in ledger.forms.all), default=first)
        missed = [one.day for one in ledger.days if one.state == "missed"]
        self.restarts = [form for form in ledger.forms.orders if ledger.forms.is_restart(form) and _lifts(form, missed, ledger)]
        self.injections = {one.day: one for one in ledger.facts.outcomes if one.outcome == "depot"}

    def run(self) -> Counted:
        found = self.found
        calm = True  # nothing stands; a day that is passed over leaves it so
        for day in self.ledger.days:
            if not (calm and self._pass_over(day)):
                self._count(day)
                self._climb(day)
                self._stop(day)
                self._doubt(day)
                calm = self._nothing_stands()
            found.trace.append(Range(self.least, self.most) if self.most else _ZERO)
        window = [day for day in self.ledger.days if day.day > self.ledger.today - self.policy["odd-days-window"]]
        least = sum(day.state == "missed" for day in window)
        most = least + sum(day.state in _MAYBE or day.vomited for day in window)
        found.consecutive, found.cumulative = Range(self.least, self.most), Range(least, most)
        since = None if found.last_full is None else self.ledger.today - found.last_full.day
        found.without, found.possible = Range(self.without, since), self.possible
        return found

    def _nothing_stands(self) -> bool:
        """Whether every count is at nought, and nothing that was reached still stands."""
        found = self.found
        return not (
            self.most or self.without or self.possible or self.towards_stop or self.evidence or found.unsure
            or found.odd_since is not None
            or (found.stops and found.stops[-1].lifted is None)
            or any(rungs and not rungs[-1].over for rungs in found.rungs.values())
        )  # fmt: skip

    def _pass_over(self, day: Day) -> bool:
        """Of a day that leaves every count at nought, what it was; false for any other. The long run of good days, quickly."""
        if day.state == "supervised":
            self.found.last_full = self.found.last_observed = day
            self.found.last_possible = None
        elif day.state == "take-home" and day.day not in self.injections:
            self.found.last_possible = day
        else:
            return False
        return True

    def _count(self, day: Day) -> None:
        state, found = day.state, self.found
        stop = found.stops[-1] if found.stops and found.stops[-1].lifted is None else None
        under_stop = stop is not None and not any(stop.since <= form.authored <= day.day for form in self.restarts)
        if state == "missed":
            found.missed.append(day)
            self.least, self.most = self.least + 1, self.most + 1
        elif state in FULL or state in ("take-home", "partial"):
            self.least, self.most = 0, self.most + 1 if day.vomited else 0
        elif state in _MAYBE:
            self.most += 1
        if state in ("take-home", *_MAYBE):
            found.last_possible = day
        if state in FULL:
            found.last_full = day
        injection = self.injections.get(day.day)
        if state in ("supervised", "elsewhere-evidenced"):
            found.last_observed, found.last_possible = day, None
        elif injection is not None:
            dose = Dose("depot", (injection.ref,), injection)
            found.last_observed, found.last_possible = Day(day.day, "depot", {1: dose}, day.live), None
        over = self.ledger.forms.completed(day.day)
        if state in FULL or state == "take-home":
            self.without = 0
        elif self._counts(day) and (
            state in _WITHOUT
            or (state == "partial" and _lacks(day))
            or (state == "not-expected" and not over)
            or (state == "unreported" and under_stop)
        ):
            self.without += 1
            # An order that is written where no dose is expected is written by somebody who knows of that day.
            self.lengthened = max(self.lengthened, day.day - (state == "not-expected"))
        if state in FULL:
            self.possible = 0
        elif state not in ("take-home", "due") and not over and self._counts(day):
            self.possible += 1
        if state == "missed":
            self.lengthened = day.day
        self.evidence = [] if not self.least and not self.without else [*self.evidence, *day.evidence]

    def _counts(self, day: Day) -> bool:
        """Whether days without a dose count yet: after one was evidenced, or from the first dose date of the first form."""
        return self.found.last_full is not None or day.day >= self.first

    def _climb(self, day: Day) -> None:
        higher = max(self.least, self.without)
        for name, value in (("discuss", self.least), ("assess", higher), ("drop-out", higher)):
            rungs = self.found.rungs[name]
            standing = rungs[-1] if rungs and not rungs[-1].over else None
            if self.policy.thresholds[name].reached(value):
                if standing is None:
                    rungs.append(Rung(day.day, self._last(name), tuple(self.evidence)))
                elif self._last(name) > standing.last:
                    standing.last, standing.evidence = self._last(name), tuple(self.evidence)
            elif standing is not None:
                standing.over = True

    def _doubt(self, day: Day) -> None:
        """Which rungs are reached by what is possible alone, and whether the odd days are too many."""
        thresholds, found = self.policy.thresholds, self.found
        higher, possible = max(self.least, self.without), max(self.most, self.possible)
        row, either = (self.least, self.most), (higher, possible)
        if found.unsure or row[0] != row[1] or either[0] != either[1]:
            rungs = {"discuss": row, "assess": either, "stop": row, "drop-out": either}.items()
            found.unsure = [
                name for name, (low, high) in rungs if thresholds[name].reached(high) and not thresholds[name].reached(low)
            ]
            if not found.unsure:
                found.unsure_since = None
            elif found.unsure_since is None:
                found.unsure_since = day.day
        window = day.day - self.policy["odd-days-window"]
        while self.oldest < len(self.found.missed) and self.found.missed[self.oldest].day <= window:
            self.oldest += 1
        odd = len(self.found.missed) - self.oldest
        if not thresholds["odd-days"].reached(odd):
            self.found.odd_since = None
        elif self.found.odd_since is None:
            self.found.odd_since = day.day

    def _last(self, name: str) -> int:
        return self.found.missed[-1].day if name == "discuss" else self.lengthened

    def _stop(self, day: Day) -> None:
        found = self.found
        if day.day in self.anew:
            self.towards_stop = 0
        if day.state == "missed":
            self.towards_stop += 1
        elif not self.least:
            self.towards_stop = 0
        standing = found.stops[-1] if found.stops and found.stops[-1].lifted is None else None
        if standing is None and day.state == "missed" and self.policy.thresholds["stop"].reached(self.towards_stop):
            standing = Stop(day.day, tuple(self.evidence))
            found.stops.append(standing)
        if standing is not None:
            lifting = [form for form in self.restarts if standing.since <= form.authored <= day.day]
            if lifting:
                earliest = min(lifting, key=lambda form: (form.authored, form.first))
                standing.lifted, standing.until = earliest.authored, max(earliest.authored, earliest.first)
                # The count towards the next stop begins with the restart's first dose date, today's or one dated back.
                self.anew = {form.first for form in lifting}
                begun = max((first for first in self.anew if first <= day.day), default=day.day + 1)
                self.towards_stop = sum(one.day >= begun for one in found.missed[len(found.missed) - self.least :])


def _lacks(day: Day) -> bool:
    """Whether a day in part is known to be without a full dose: one was given in part, or one of several was not taken."""
    return any(dose.state in _WITHOUT or (dose.state == "partial" and not dose.vomited) for dose in day.doses.values())


def _lifts(form: Form, missed: list[int], ledger: Ledger) -> bool:
    """Whether a restart was authored on or after the last missed day before it begins, and permits a dose."""
    return not any(form.authored < day < form.first for day in missed) and ledger.forms.permits(form)
