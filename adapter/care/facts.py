"""Facts: what the records of one person say that the ledger counts by. Days are ordinals (`date.toordinal`), moments are aware.

How they are read of the records: fact_reading.py, dose_reading.py. Which of them are known at two times: known.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from adapter.care.records import Json

#: dm+d unit of measure. https://hl7.org/fhir/R4/datatypes.html#Quantity
MILLIGRAM = "258684004"
#: dm+d units in which injections are counted: pre-filled syringes, doses.
_PIECES = frozenset({"3318611000001103", "3317411000001100"})
#: Outcomes by which something was handed over, and those after which it may have been swallowed.
HANDED_OVER = frozenset({"supervised", "take-home", "partial", "not-swallowed"})
NOT_HAD = frozenset({"missed", "withheld"})
SUPPLIES = HANDED_OVER - {"not-swallowed"}
_ENDS = frozenset({"stopped", "replaced", "cancelled"})


@dataclass(frozen=True, slots=True)
class Form:
    """An instalment form. names: its identifiers · steps: (first, last, doses a day) · restarts: the item it restarts.

    amounts: (first, last, of a day, unit) of each step that says how much ·
    serial: the identifier of the paper on which it is written, which other items may share (`groupIdentifier`)
    """

    names: frozenset[str]
    authored: int
    authored_at: datetime | None
    first: int
    last: int
    steps: tuple[tuple[int, int, int], ...]
    pharmacy: str | None
    wordings: frozenset[str]
    closed: frozenset[int]
    restarts: str | None
    ref: str
    told: datetime
    status: str
    serial: str | None = None
    amounts: tuple[tuple[int, int, Decimal, str], ...] = ()

    def doses(self, day: int) -> int:
        """How many doses it prescribes for a day."""
        return next((count for first, last, count in self.steps if first <= day <= last), 1)


@dataclass(frozen=True, slots=True)
class Collection:
    """A planned collection of a form: the day it is due, and the dose dates it covers."""

    form: frozenset[str]
    on: int
    covers: frozenset[int]
    ref: str


@dataclass(frozen=True, slots=True)
class Change:
    """What was done to a form: stopped, held, resumed, replaced, cancelled. at: None where only the day is known.

    form: the identifiers by which it names its form · serial: the serial by which it does
    """

    form: frozenset[str]
    kind: str
    day: int
    at: datetime | None
    seen: datetime | int
    reason: str | None
    ref: str
    serial: str | None = None

    @property
    def ends(self) -> bool:
        """Whether the form is over by it."""
        return self.kind in _ENDS


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one dose.

    number: 0 is every dose of the day · doubtful: its amounts say other than its outcome · at: when it happened · seen: since
    when it can be known · place: who states it, of elsewhere · orders: by which it is said to have been supplied · swallowed: the
    service day, and where it is said the moment, at which it was swallowed or, where nobody says that, handed over · handed: the
    service day of the handing over · most: the larger of what was handed over for the day and what was swallowed · beyond:
    whether that is more than its record says is prescribed · strength: of an injection, the milligrams in one of its product
    """

    day: int
    number: int
    outcome: str
    at: datetime | None
    seen: datetime | int
    amount: tuple[Decimal, str] | None
    quantity: Json | None
    orders: frozenset[str]
    vomited: bool
    doubtful: bool
    pharmacy: str | None
    place: str | None
    source: str
    ref: str
    swallowed: tuple[int, datetime | None] | None = None
    handed: int | None = None
    most: tuple[Decimal, str] | None = None
    beyond: bool = False
    strength: Decimal | None = None

    @property
    def milligrams(self) -> Decimal | None:
        """Its amount in milligrams: as it is said, else of so many injections of a product that is known."""
        if self.amount is not None and self.amount[1] == MILLIGRAM:
            return self.amount[0]
        if self.strength is None:
            return None
        return self.strength * (self.amount[0] if self.amount is not None and self.amount[1] in _PIECES else 1)

    @property
    def is_plain(self) -> bool:
        """Whether it says of the first dose that it was handed over whole, and nothing else."""
        return self.number == 1 and self.outcome in ("supervised", "take-home") and not self.vomited and not self.doubtful

    @property
    def same(self) -> tuple[Any, ...]:
        """What one source says of one dose, whatever its identifier: two records that agree in it are one."""
        when = (self.day, self.number, self.at, self.handed)
        return self.source, self.pharmacy, *when, self.outcome, self.amount, self.orders, self.place


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay in hospital or custody, from the day of admission to that of discharge (None: still there).

    took_place: whether the record says that it has begun, and not that it is planned or was cancelled
    """

    kind: str
    first: int
    last: int | None
    first_at: datetime | int
    last_at: datetime | int | None
    place: str | None
    mention: str | None
    ref: str
    took_place: bool

    def whole(self, day: int) -> bool:
        """Whether the day lies wholly in it."""
        return self.first < day and (self.last is None or day < self.last)

    def touches(self, day: int) -> bool:
        """Whether any part of the day lies in it."""
        return self.first <= day and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True)
class Contact:
    """A consultation that was attended."""

    day: int
    at: datetime | int
    face_to_face: bool
    ref: str


@dataclass(frozen=True, slots=True)
class Death:
    """That the person has died: on which day (that on which it became known, where no day is said), and when it became known."""

    day: int
    known: datetime
    ref: str


Fact = Form | Collection | Change | Outcome | Stay | Contact


@dataclass(frozen=True)
class Facts:
    """Everything that is known and had happened by as-of. orders: the names of the orders that are known and are no forms.

    copies: outcomes that went with one that says the same, and was withdrawn
    """

    forms: tuple[Form, ...]
    collections: tuple[Collection, ...]
    changes: tuple[Change, ...]
    outcomes: tuple[Outcome, ...]
    stays: tuple[Stay, ...]
    contacts: tuple[Contact, ...]
    death: Death | None
    orders: frozenset[str] = frozenset()
    copies: tuple[Outcome, ...] = ()


def ordinal(day: str) -> int:
    """A day YYYY-MM-DD as an ordinal."""
    return date.fromisoformat(day).toordinal()
