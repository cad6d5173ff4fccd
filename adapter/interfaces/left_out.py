"""The messages that a ledger is made without, since the gate refused them: said where it is, so that it never looks whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from adapter.fhir.outcome import Issue, is_error, place_of, rule_of
from adapter.interfaces.render import plural

#: What it means, for whoever reads the ledger.
MEANING = "Doses may therefore be missing from this ledger, and what it says is due may be too much or too little."
#: The same for whoever is told of an action.
TOLD = "made without {}, which could not be read: doses may be missing from it."


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What was left out. messages: lines of files · files: those refused whole · issues: why, each with its file."""

    messages: int = 0
    files: int = 0
    issues: tuple[tuple[str, Issue], ...] = ()

    @classmethod
    def of(cls, taken: Iterable[tuple[str, list[Issue]]]) -> LeftOut:
        """What was left out of these files; each with its name, and the issues of those of its messages that were refused."""
        messages = files = 0
        found: list[tuple[str, Issue]] = []
        for file, issues in taken:
            wrong = [one for one in issues if is_error(one)]
            lines = {_line(one) for one in wrong}
            messages, files = messages + len(lines - {0}), files + (0 in lines)
            found += [(file, one) for one in wrong]
        return cls(messages, files, tuple(found))

    def __bool__(self) -> bool:
        return bool(self.issues)

    @property
    def number(self) -> str:
        """`2 messages`, `1 whole file`, or both."""
        counts = ((self.messages, "message"), (self.files, "whole file"))
        return " and ".join(plural(count, word) for count, word in counts if count)

    @property
    def words(self) -> str:
        """`2 messages were left out.`"""
        return f"{self.number} {'was' if self.messages + self.files == 1 else 'were'} left out."

    def places(self) -> dict[str, list[str]]:
        """Where they stand, and which rules each breaks."""
        found: dict[str, list[str]] = {}
        for file, one in self.issues:
            rules = found.setdefault(place_of(one) or file or "standard input", [])
            if rule_of(one) not in rules:
                rules.append(rule_of(one))
        return found

    def rows(self) -> list[dict[str, Any]]:
        """Each issue: where, what, by which rule, at which elements, and what to mend."""
        return [
            {
                "place": place_of(one) or file or "standard input",
                "text": one["details"]["text"],
                "rule": rule_of(one),
                "at": ", ".join(one.get("expression", ())),
                "mend": one.get("diagnostics", ""),
            }
            for file, one in self.issues
        ]

    def marked(self, message: dict[str, Any]) -> dict[str, Any]:
        """A hub message of what is due, with the words that it rests on less than all: an alert's own, a referral's note."""
        if self:
            for entry in message["entry"]:
                resource = entry["resource"]
                if resource["resourceType"] == "Communication":
                    first = resource["payload"][0]
                    first["contentString"] += f" This alert was {TOLD.format(self.number)}"
                elif resource["resourceType"] == "ServiceRequest":
                    resource["note"] = [{"text": f"This referral was {TOLD.format(self.number)}"}, *resource.get("note", ())]
        return message


def _line(one: Issue) -> int:
    """The line that an issue names, 0 where it is of the whole."""
    named: list[int] = [said["valueInteger"] for said in one.get("extension", ()) if said["url"].endswith("-line")]
    return named[0] if named else 0
