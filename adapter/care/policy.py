"""Policy: thresholds, clocks, feeds and depot intervals as data, each with its source, read and checked all at once.

The shipped policies stand in `policies/`; a site's own extend one of them and say what differs. docs/care.md
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from adapter.care.policy_faults import check, duration
from adapter.care.policy_files import POLICIES, Document, documents, names
from adapter.fhir.dates import LONDON

__all__ = ["POLICIES", "Depot", "Feed", "Policy", "Threshold", "duration", "is_bank_holiday", "load", "names", "read"]
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Threshold:
    """One number of a policy. exceeded: more than the value reaches it, the value itself does not."""

    value: int
    unit: str
    source: str
    exceeded: bool = False

    def reached(self, count: int) -> bool:
        """Whether a count reaches it."""
        return count > self.value if self.exceeded else count >= self.value


@dataclass(frozen=True, slots=True)
class Feed:
    """How a pharmacy reports: its closing time on London's clock, and how long after it a day's report comes at the latest."""

    closing: time
    cadence: timedelta
    closed: frozenset[int]
    closed_dates: frozenset[str]
    bank_holidays: bool

    def closes(self, day: str) -> datetime:
        """The moment at which that service day closes."""
        return datetime.combine(date.fromisoformat(day), self.closing, LONDON)

    def is_closed(self, day: str) -> bool:
        """Whether the pharmacy has no contracted hours on that day."""
        on = date.fromisoformat(day)
        return on.weekday() in self.closed or day in self.closed_dates or (self.bank_holidays and is_bank_holiday(on))


@dataclass(frozen=True, slots=True)
class Depot:
    """A prolonged-release injection: the doses in milligrams by which it is known, how many dose dates it covers, and by how many
    days the next may come early."""

    doses: frozenset[int]
    covers: int
    early: int = 0


@dataclass(frozen=True)
class Policy:
    """A policy with everything that it extends.

    extends: (name, version) of the policies it extends, the nearest first · clocks: how long after what went before something is
    due again · owners: code of an action -> role that is to act, and that acts where the first is absent · ranks: place of an
    action of the ladder, the gravest 0
    """

    name: str
    version: str
    extends: tuple[tuple[str, str], ...]
    thresholds: Mapping[str, Threshold]
    clocks: Mapping[str, Threshold]
    feeds: Mapping[str, Feed]
    default_feed: Feed
    depots: tuple[Depot, ...]
    owners: Mapping[str, tuple[str, str]]
    ranks: Mapping[str, int]
    sources: Mapping[str, str]

    def __str__(self) -> str:
        """How every result names it: `default 1.0.0`, `our-own 2.1.0 (extends default 1.0.0)`."""
        above = ", ".join(f"{name} {version}" for name, version in self.extends)
        return f"{self.name} {self.version}" + (f" (extends {above})" if above else "")

    def __getitem__(self, name: str) -> int:
        """The value of a threshold."""
        return self.thresholds[name].value

    def feed(self, pharmacy: str | None) -> Feed:
        """The feed of a pharmacy, by its ODS code."""
        return self.feeds.get(pharmacy or "", self.default_feed)

    def knows(self, milligrams: Decimal | None) -> bool:
        """Whether an injection of this dose is one of the policy's."""
        return any(milligrams in depot.doses for depot in self.depots)

    def depot(self, milligrams: Decimal | None) -> Depot:
        """The injection of this dose; one of a single dose date where none has it: what is not known lasts no longer."""
        return next((depot for depot in self.depots if milligrams in depot.doses), Depot(frozenset(), 1))

    def longest(self, milligrams: Decimal | None) -> Depot:
        """The injection of this dose; where none has it the one that lasts longest: what is not known may last as long as any."""
        known = [depot for depot in self.depots if milligrams in depot.doses]
        return next(iter(known), max(self.depots, key=lambda depot: depot.covers, default=self.depot(milligrams)))

    def covers(self, milligrams: Decimal | None) -> int:
        """How many dose dates an injection of this dose covers."""
        return self.depot(milligrams).covers


@cache
def is_bank_holiday(day: date) -> bool:
    """Whether this is a bank holiday in England."""
    import holidays  # a tenth of a second, and only closed days need it

    return day in _england(day.year, holidays.country_holidays)


@cache
def _england(year: int, of: Any) -> frozenset[date]:
    return frozenset(of("GB", subdiv="ENG", years=year))


def load(name: str = "default", folders: Sequence[Path] = ()) -> Policy:
    """A policy by its name, from the folders given and from those shipped.

    Raises MapFaults with every fault of every file it comes from, Unknown (with the nearest names) where there is none.
    """
    return _made(documents(name, folders))


def read(given: Sequence[Mapping[str, Any]]) -> Policy:
    """The policy that documents say together, the most general first. Raises MapFaults with every fault but those of form."""
    return _made([Document(f"{one.get('policy')}.yaml", one) for one in given])


def _made(found: Sequence[Document]) -> Policy:
    check(found)

    def merged(*names: str) -> dict[str, Any]:
        together: dict[str, Any] = {}
        for one in found:
            together |= one.part(*names)
        return together

    default = merged("feeds", "default")
    *others, last = found
    return Policy(
        name=str(last.said["policy"]),
        version=str(last.said["version"]),
        extends=tuple((str(one.said["policy"]), str(one.said["version"])) for one in reversed(others)),
        thresholds=_numbers(merged("thresholds")),
        clocks=_numbers(merged("clocks")),
        feeds={code: _feed({**default, **one}) for code, one in merged("feeds", "pharmacies").items()},
        default_feed=_feed(default),
        depots=tuple(Depot(frozenset(one["doses-mg"]), one["covers"], one.get("early", 0)) for one in merged("depots").values()),
        owners={**_owners(merged("owners", "ladder")), **_owners(merged("owners", "clocks"))},
        ranks={code: place for place, code in enumerate(merged("owners", "ladder"))},
        sources=merged("sources"),
    )


def _owners(said: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    return {code: (one["owner"], one["deputy"]) for code, one in said.items()}


def _numbers(said: Mapping[str, Any]) -> dict[str, Threshold]:
    return {name: Threshold(one["value"], one["unit"], one["source"], one.get("exceeded", False)) for name, one in said.items()}


def _feed(said: Mapping[str, Any]) -> Feed:
    return Feed(
        closing=time.fromisoformat(said["closing"]),
        cadence=duration(said["cadence"]),
        closed=frozenset(map(_DAYS.index, said.get("closed", ()))),
        closed_dates=frozenset(said.get("closed-dates", ())),
        bank_holidays=said.get("bank-holidays", False),
    )
