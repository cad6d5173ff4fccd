"""Hub Bundles as the ledger takes them: one JSON text, or one on each line, and each is judged by the gate before it counts.

What is kept of a message is whose it is and where it stands: those of many people take no memory until they are read again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from adapter.care.people import Names, grouped, identifiers
from adapter.care.records import Person, person
from adapter.fhir import json
from adapter.fhir.gate import Gate
from adapter.fhir.outcome import Issue, Refused, is_error, issue, on_line


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message stands: the bytes of a stream that can be read again. line: counted from 1, 0 of the whole."""

    stream: IO[bytes]
    offset: int
    length: int
    line: int

    def read(self) -> bytes:
        """Its bytes."""
        self.stream.seek(self.offset)
        return self.stream.read(self.length)


class HubMessages:
    """The messages of several streams that the gate passes, by person; and the issues of those that it does not."""

    def __init__(self) -> None:
        self.issues: list[Issue] = []
        self._named: list[tuple[Names, Place]] = []
        self._names: dict[Names, Names] = {}

    def take(self, stream: IO[bytes], source: str = "") -> list[Issue]:
        """Judge what a stream holds, which must stay open; its issues, with their lines. source: the name they carry."""
        gate, issues = Gate.shipped(), []
        for place in _places(stream):
            try:
                names = identifiers(_checked(gate, place.read(), source))
                self._named.append((self._names.setdefault(names, names), place))
            except Refused as refused:
                issues += [on_line(one, place.line, source) if place.line else one for one in refused.issues]
        self.issues += issues
        return issues

    @property
    def count(self) -> int:
        """How many people the messages are about."""
        return len(grouped(self._named))

    def people(self) -> Iterator[Person]:
        """Everybody whom the messages are about, one read at a time."""
        for places in grouped(self._named):
            yield person([json.decode(place.read()) for place in places])


def _checked(gate: Gate, text: bytes, source: str) -> dict[str, Any]:
    value: dict[str, Any] = json.decode(text, source=source)
    wrong = [one for one in gate.check(value) if is_error(one)]
    if not wrong and value.get("resourceType") != "Bundle":
        said = "This is no hub Bundle; a ledger is made of messages."
        wrong = [issue("error", "invalid", "not-a-bundle", said, mend="Give what `translate` makes without --to.")]
    if wrong:
        raise Refused(wrong)
    return value


def _places(stream: IO[bytes]) -> list[Place]:
    """The JSON texts: each line where every line is an object of its own, else the whole."""
    stream.seek(0)
    lines: list[Place] = []
    offset = 0
    for number, line in enumerate(stream, 1):
        text = line.strip()
        if text and not (text.startswith(b"{") and text.endswith(b"}")):
            lines.clear()
            break
        if text:
            lines.append(Place(stream, offset, len(line), number))
        offset += len(line)
    return lines if len(lines) > 1 else [Place(stream, 0, stream.seek(0, 2), 0)]
