"""An action: something that a person is to do or to know, with its ground. Shapes of INTERFACE; codes in docs/care.md."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Action:
    """What is due.

    code: of `ost:CodeSystem/care-action` · since: the service day on which its ground was first complete · due: date or dateTime
    by which · owner, deputy: role that is to act, and who if that one is absent · policy: the threshold and its source ·
    evidence: the records it stands on, by identifier · withdrawn: whether its ground has gone since.
    """

    code: str
    since: str
    due: str
    owner: str
    policy: str
    evidence: tuple[str, ...]
    deputy: str = ""
    withdrawn: bool = False

    @property
    def key(self) -> tuple[str, ...]:
        """What it is told apart by while it stands: consents of one day, each for its recipient, by their records."""
        return (self.code, self.since, *(self.evidence if self.code == "consent-due" else ()))

    def taken_back(self) -> Action:
        """The same, withdrawn."""
        return replace(self, withdrawn=True)

    def as_json(self) -> dict[str, Any]:
        """As the ledger's JSON has it."""
        made: dict[str, Any] = {"code": self.code, "status": "withdrawn" if self.withdrawn else "due"}
        made |= {"since": self.since, "due": self.due, "owner": self.owner}
        if self.deputy:
            made["deputy"] = self.deputy
        return made | {"policy": self.policy, "evidence": list(self.evidence)}
