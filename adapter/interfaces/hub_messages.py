"""Hub Bundles as the ledger takes them: one JSON text, or one on each line, and each is judged by the gate before it counts.

What is kept of a message is whose it is and where it stands: those of many people take no memory until they are read again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import IO, Any

from adapter.care.people import Named, contested, grouped, identifiers
from adapter.care.records import Person, person
from adapter.fhir import json
from adapter.fhir.dates import precision
from adapter.fhir.outcome import Issue, Refused, is_error, issue, on_line
from adapter.fhir.schema.tables import types

#: No date of the record: when a server last wrote it, and two names that elements without a date have as well.
_NO_DATE_OF_IT = frozenset({"lastUpdated", "value", "event"})


@cache
def _dated() -> frozenset[str]:
    """Names of the elements that hold a date, a dateTime or an instant, by R4's table of types."""
    rows = (row for one in types().values() for row in one["elements"].items())
    return frozenset(name for name, row in rows if row["t"] in ("date", "dateTime", "instant")) - _NO_DATE_OF_IT


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
    """The messages of several streams that are good hub messages, by person; and the issues of those that are not.

    judge: every issue of a hub Bundle, as Adapter.judge
    """

    def __init__(self, judge: Callable[[dict[str, Any]], list[Issue]]) -> None:
        self.issues: list[Issue] = []
        self._judge = judge
        self._named: list[tuple[Named, Place]] = []
        self._names: dict[Named, Named] = {}

    def take(self, stream: IO[bytes], source: str = "") -> list[Issue]:
        """Judge what a stream holds, which must stay open; its issues, with their lines. source: the name they carry."""
        issues: list[Issue] = []
        for place in _places(stream):
            try:
                names = identifiers(_checked(self._judge, place.read(), source))
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
        several = contested(names for names, _ in self._named)
        for places in grouped(self._named):
            yield person([json.decode(place.read()) for place in places], several)


def _checked(judge: Callable[[dict[str, Any]], list[Issue]], text: bytes, source: str) -> dict[str, Any]:
    value: Any = json.decode(text, source=source)
    if not isinstance(value, dict) or value.get("resourceType") != "Bundle":
        said = "This is no hub Bundle; a ledger is made of messages."
        raise Refused([issue("error", "invalid", "not-a-bundle", said, mend="Give what `translate` makes without --to.")])
    wrong = [one for one in judge(value) if is_error(one)]
    if not wrong and not identifiers(value).own:
        said = "No Patient of this message has an identifier: whose it is cannot be known."
        wrong = [
            issue("error", "required", "person-unknown", said, expression="Bundle", mend="Send an identifier of the person.")
        ]
    wrong += list(_implausible(value)) if not wrong else []
    if wrong:
        raise Refused(wrong)
    found: dict[str, Any] = value
    return found


def _implausible(message: dict[str, Any]) -> Iterator[Issue]:
    """Days and moments that no record of a treatment can have. Of a Patient that is the death; a birth is no such day."""
    for n, entry in enumerate(message.get("entry", ())):
        resource = entry.get("resource", {})
        if resource.get("resourceType") == "Patient":
            resource = {name: value for name, value in resource.items() if name == "deceasedDateTime"}
        if resource:
            for place, said in _texts(resource, f"Bundle.entry[{n}].resource"):
                if precision(said) is not None and not "1900" <= said[:4] <= "2100" and _name(place) in _dated():
                    text = "A date of this record lies before 1900 or after 2100."
                    yield issue("error", "value", "date-implausible", text, expression=place, mend="Send the year that is meant.")


def _name(place: str) -> str:
    """The element's name at the end of a path."""
    return place.rpartition(".")[2].partition("[")[0]


def _texts(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, below in value.items():
            yield from _texts(below, f"{place}.{name}")
    elif isinstance(value, list):
        for n, below in enumerate(value):
            yield from _texts(below, f"{place}[{n}]")
    elif isinstance(value, str):
        yield place, value


def _places(stream: IO[bytes]) -> list[Place]:
    """The JSON texts: each line where most lines are an object of their own, else the whole."""
    stream.seek(0)
    lines: list[Place] = []
    objects = offset = 0
    for number, line in enumerate(stream, 1):
        text = line.strip()
        if text:
            lines.append(Place(stream, offset, len(line), number))
            objects += text.startswith(b"{") and text.endswith(b"}")
        offset += len(line)
    return lines if len(lines) > 1 and objects * 2 > len(lines) else [Place(stream, 0, stream.seek(0, 2), 0)]
