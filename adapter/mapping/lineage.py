"""Lineage: where a value stands in the Bundle and in the record, which line of a map joins the two, and through which codecs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapter.mapping.tree import Array, Map, Object, Path

#: What a traced match notes of one value: its place in the Bundle, the record element (an object of the record itself) and the
#: path in it, the map's line, the codecs between, whether it is one of several paths of its hole, and the loop of every index
#: in the path.
Row = tuple[str, dict[str, Any], str, str, tuple[str, ...], bool, tuple[str, ...]]

_INDEX = re.compile(r"\[(\d+)\]")


@dataclass(slots=True)
class Lineage:
    """One row: where a value stands in the Bundle and in the record, the map's line, and the codecs between."""

    target: str
    source: str
    map: str
    codecs: tuple[str, ...]
    several: bool = False  # one of several sources that a codec joined


def loop_of(m: Map, array: Array, path: Path) -> str:
    """A name for the run of an array over a list of the record, the same in fill and in match: the map, and its first line."""
    return f"{m.name}:{next(item.line for item in array.items if isinstance(item, Object) and item.each == path)}"


def lineage(rows: Iterable[Row], record: dict[str, Any]) -> list[Lineage]:
    """The rows with their list indexes, found by walking the record that match gave back; only those whose path is there."""
    elements: dict[int, str] = {}
    there = _places(record, elements)
    return _made(((row, _join(elements.get(id(row[1]), ""), row[2])) for row in rows), there)


def lineage_from(
    rows: Iterable[Row], record: dict[str, Any], elements: Mapping[int, str], items: Mapping[tuple[str, str], Sequence[int]]
) -> list[Lineage]:
    """The rows as paths of the record that was filled, whose lists may have elements of which nothing was made.

    elements: the place of each list element that match gave back, by identity. items: as in `runtime.TracedRun`.
    """

    def source(row: Row) -> str:
        _, frame, place, _, _, _, loops = row
        base = elements.get(id(frame), "")
        *steps, last = _INDEX.split(place)
        for names, index, loop in zip(steps[::2], steps[1::2], loops, strict=True):
            base = _join(base, names)
            made = items.get((base, loop), ())
            base += f"[{made[int(index)] if int(index) < len(made) else index}]"
        return _join(base, last)

    return _made(((row, source(row)) for row in rows), _places(record, {}))


def _made(rows: Iterable[tuple[Row, str]], there: set[str]) -> list[Lineage]:
    # Of several paths through one codec, those that say something.
    return [
        Lineage(where, path, line, codecs, several) for (where, _, _, line, codecs, several, _), path in rows if path in there
    ]


def _places(record: dict[str, Any], elements: dict[int, str]) -> set[str]:
    """Every place of a record; `elements` gets that of each object, by identity."""
    there: set[str] = set()

    def visit(value: Any, place: str) -> None:
        there.add(place)
        if isinstance(value, dict):
            elements[id(value)] = place
            for name, below in value.items():
                visit(below, _join(place, name))
        elif isinstance(value, list):
            for j, below in enumerate(value):
                visit(below, f"{place}[{j}]")

    visit(record, "")
    return there


def _join(base: str, place: str) -> str:
    """A place below another."""
    return f"{base}.{place}" if base and place and not place.startswith(".") else base + place
