"""What a person's records come to at two times: the ledger, its counts, what the ladder raises, and what the calendar does."""

from __future__ import annotations

from datetime import datetime

from adapter.care.actions import Action
from adapter.care.clocks import clocks
from adapter.care.counts import Counted, count
from adapter.care.derived import Derivation, Derived
from adapter.care.known import Known
from adapter.care.ladder import actions
from adapter.care.ledger import Day, Ledger, derive
from adapter.care.policy import Policy
from adapter.care.records import Person, Record, standing

Reckoned = tuple[Ledger, Counted, list[Action]]


class Reckoning:
    """The records of a person, each read once, and a policy. known_at: None for everything that was ever received."""

    def __init__(self, person: Person, policy: Policy) -> None:
        self.person, self.policy = person, policy
        self.known = Known(person)
        self._ahead = {id(one) for one in self.known.ahead}
        self._derivation = Derivation(self.known, policy)
        self._plain: dict[int, Day] = {}
        self._standing: dict[datetime | None, list[Record]] = {}

    def ladder(self, as_of: datetime, known_at: datetime | None) -> Reckoned:
        """The ledger, its counts, and what of it is due."""
        ledger = derive(self._derivation.added(self.known.at(as_of, known_at)), self.policy, as_of, self._plain)
        counted = count(ledger)
        return ledger, counted, actions(ledger, counted)

    def clocks(self, as_of: datetime, known_at: datetime | None, *, alive: bool = False) -> list[Action]:
        """What is due by the calendar. alive: as if nobody had told of a death."""
        told = [one for one in self.person.patients if known_at is None or one.received <= known_at]
        return clocks(self.records(known_at), self.policy, as_of, [] if alive else told)

    def derived(self, as_of: datetime, known_at: datetime | None) -> list[Derived]:
        """What is derived of the forms of which no message plans the collections."""
        return self._derivation.of(self.known.at(as_of, known_at))

    def records(self, known_at: datetime | None) -> list[Record]:
        """The records that stand, without those that tell of what had not come."""
        if known_at not in self._standing:
            self._standing[known_at] = [one for one in standing(self.person.records, known_at) if id(one) not in self._ahead]
        return self._standing[known_at]
