"""What generated functions call: small helpers, and the state of one fill or match.

Nothing here keeps state between messages. What a match needs besides stands in `reading.py`.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from adapter.fhir.outcome import Issue
from adapter.mapping import issues

MISS: Any = type("Miss", (), {"__repr__": lambda _: "MISS"})()

#: What a codec may raise over a value that is not what it takes: on match the value is another system's.
WRONG = (ValueError, TypeError, AttributeError, KeyError, IndexError, ArithmeticError)

_SPACE = hashlib.sha1(b"https://ost-adapter.example/fhir/id/")
#: The digit that says the variant, for each digit that the hash has there: its two upper bits become 10.
_VARIANT = {digit: "89ab"[value % 4] for value, digit in enumerate("0123456789abcdef")}
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def namespace(name: str) -> Any:
    """A started hash for the ids of one map: `system/message/map`."""
    made = _SPACE.copy()
    made.update(name.encode() + b"\x1f")
    return made


def uuid5(space: Any, key: str) -> str:
    """`urn:uuid:` + a version 5 UUID of the key (RFC 9562 section 5.5), one SHA-1 and no object."""
    made = space.copy()
    made.update(key.encode())
    text = made.hexdigest()
    return f"urn:uuid:{text[:8]}-{text[8:12]}-5{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:32]}"


def full_url(value: Any) -> str:
    """The fullUrl of a resource whose source gives its own id: a uuid as urn:uuid:, anything else as it stands."""
    text = str(value)
    return f"urn:uuid:{text}" if _UUID.fullmatch(text) else text


def own_id(url: str) -> str:
    """The other way: what `$id` captures from a fullUrl."""
    return url.removeprefix("urn:uuid:")


_PART = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")


def parts_of(place: str, prefix: str) -> tuple[str | int, ...]:
    """The keys and indexes of a place below `prefix`: `.note[0].text` is ("note", 0, "text")."""
    return tuple(int(j) if j else name for name, j in _PART.findall(place.removeprefix(prefix)))


def leaves(value: Any, place: str) -> list[str]:
    """The places of every scalar below a value."""
    if isinstance(value, dict):
        return [found for name, below in value.items() for found in leaves(below, f"{place}.{name}" if place else name)]
    if isinstance(value, list):
        return [found for j, below in enumerate(value) for found in leaves(below, f"{place}[{j}]")]
    return [place]


def prune(made: dict[str, Any]) -> dict[str, Any]:
    """The dict without the holes that were not filled."""
    return {k: v for k, v in made.items() if v is not None}


class Findings:
    """The issues that a fill or a match finds on the way."""

    __slots__ = ("issues",)
    issues: list[Issue]

    def unknown(self, where: str, name: str) -> None:
        """A code that the ConceptMap does not have."""
        self.issues.append(issues.code_unknown(where, name))

    def failed(self, where: str, name: str) -> None:
        """A value that the codec refuses."""
        self.issues.append(issues.codec_refused(where, name))


class Run(Findings):
    """What is found during one fill: issues, and whether something of the record may have been lost."""

    __slots__ = ("lost",)

    def __init__(self) -> None:
        self.issues = []
        self.lost = False

    def kept(self, value: Any, system: str, where: str, name: str) -> dict[str, Any]:
        """The source's own coding, for a code that the ConceptMap does not have."""
        self.issues.append(issues.code_kept(where, name))
        return {"system": system, "code": value}

    @staticmethod
    def there(record: Any, parts: tuple[str, ...]) -> bool:
        """Whether the record has a value at a path."""
        for part in parts:
            if not isinstance(record, dict):
                return False
            record = record.get(part)
        return record is not None


class TracedRun(Run):
    """The same for a traced fill: which element of the record each resource and each item of an array is made of.

    places: fullUrl -> the element of a list. items: a list, and the loop that runs over it (`lineage.loop_of`) -> the index of
    each element of which an item was made, in their order. An element of which nothing was made has no place among them.
    """

    __slots__ = ("items", "places")

    def __init__(self) -> None:
        super().__init__()
        self.places: dict[str, str] = {}
        self.items: dict[tuple[str, str], list[int]] = {}
