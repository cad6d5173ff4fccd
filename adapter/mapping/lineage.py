"""Lineage: where a value stands in the Bundle and in the record, which line of a map joins the two, and through which codecs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

#: What a traced match notes of one value: its place in the Bundle, the record element (an object of the record itself) and the
#: path in it, the map's line, the codecs between, and whether it is one of several paths of its hole.
Row = tuple[str, dict[str, Any], str, str, tuple[str, ...], bool]


@dataclass(slots=True)
class Lineage:
    """One row: where a value stands in the Bundle and in the record, the map's line, and the codecs between."""

    target: str
    source: str
    map: str
    codecs: tuple[str, ...]
    several: bool = False  # one of several sources that a codec joined


def lineage(rows: Iterable[Row], record: dict[str, Any], source: dict[str, Any] | None = None) -> list[Lineage]:
    """The rows with their list indexes, found by walking the record; only those whose path is there.

    source: the record whose paths are meant, where match could not give all of it back.
    """
    elements: dict[int, str] = {}
    there: set[str] = set()

    def visit(value: Any, place: str) -> None:
        there.add(place)
        if isinstance(value, dict):
            elements[id(value)] = place
            for name, below in value.items():
                visit(below, f"{place}.{name}" if place else name)
        elif isinstance(value, list):
            for j, below in enumerate(value):
                visit(below, f"{place}[{j}]")

    visit(record, "")
    if source is not None:
        there.clear()
        visit(source, "")
    made = []
    for where, frame, place, line, codecs, several in rows:
        base = elements.get(id(frame), "")
        path = f"{base}.{place}" if base and place else base or place
        if path in there:  # of several paths through one codec, those that say something
            made.append(Lineage(where, path, line, codecs, several))
    return made
