"""What the compiler is given for one table of maps: the maps, their names, and what their codec names mean.

A table is one set of maps between one record shape and one set of resources. A message has one table (record and
hub), or two (native resources and record, record and hub) where the system itself speaks FHIR.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapter.fhir.terminology import CodeMap
from adapter.mapping.codecs import Codec
from adapter.mapping.tree import Array, Hole, Map, Node, Object, Path, Ref, Rest

#: A record path from the root: the lists on the way (each a tuple of names, relative to the one before) and the rest.
Place = tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a codec chain: a ConceptMap (or the display of one) or a Python codec."""

    name: str
    codemap: CodeMap | None = None
    display: bool = False
    codec: Codec | None = None

    @property
    def reversible(self) -> bool:
        """Whether `match` can go back through this step."""
        if self.codemap is not None:
            return not self.display and self.codemap.backward is not None
        return self.codec is not None and self.codec.write is not None

    @property
    def total(self) -> bool:
        """Whether a value that is there always gives one (or an issue)."""
        return self.codemap is not None and not self.display and None not in self.codemap.forward.values()


@dataclass(slots=True)
class TableSpec:
    """The input of the compiler."""

    system: str
    message: str
    maps: list[Map]
    steps: dict[str, Step]
    key: tuple[Path, ...] = ()
    native: bool = False
    required_codes: frozenset[str] = frozenset()
    release: str = "R4"
    #: Resource types that the message does not hear, with the reason: the manifest's `ignored`.
    left_out: Mapping[str, str] = field(default_factory=dict)
    by_name: dict[str, Map] = field(init=False)

    def __post_init__(self) -> None:
        self.by_name = {m.name: m for m in self.maps}

    def chain(self, hole: Hole) -> list[Step]:
        """The steps of a hole's codec chain, in the order of reading."""
        return [self.steps[name] for name in hole.codecs]

    def reversible(self, hole: Hole) -> bool:
        """Whether this hole alone can give its paths back."""
        return all(step.reversible for step in self.chain(hole))


@dataclass(frozen=True, slots=True)
class Found:
    """A node of a map with where it stands: element path, frames of the record, and whether it may not be reached."""

    map: Map
    element: tuple[str, ...]
    node: Node
    lists: tuple[tuple[str, ...], ...]
    conditional: bool


def place(lists: tuple[tuple[str, ...], ...], path: Path) -> Place | None:
    """A path seen from inside `lists` as seen from the root; None where it climbs out of the record."""
    if path.up > len(lists):
        return None
    return lists[: len(lists) - path.up], path.parts


def show(at: Place) -> str:
    """A place as people read it: items/collections.date is `items[].collections[].date`."""
    lists, parts = at
    return ".".join([*(".".join(names) + "[]" for names in lists), *parts]) or "."


def frames_of(m: Map) -> tuple[tuple[str, ...], ...]:
    """The lists that a map's own element lies in."""
    return tuple(tuple(part.split(".")) for part in m.each)


def find(m: Map) -> Sequence[Found]:
    """Every node of a map with its frames. Conditional: below a guard, a required hole, or a resource that may not be."""
    if not m.found:  # asked for many times while a message is compiled, and a map does not change
        m.found = tuple(_find(m))
    found: Sequence[Found] = m.found
    return found


def _find(m: Map) -> Iterator[Found]:
    root_lists = frames_of(m)
    if m.id is not None:
        yield Found(m, (), Hole((m.id,), (), False, m.lines.get("$id", 1)), root_lists, False)

    def visit(node: Node, element: tuple[str, ...], lists: tuple[tuple[str, ...], ...], conditional: bool) -> Iterator[Found]:
        if isinstance(node, Object):
            if node.each is not None:
                base = place(lists, node.each)
                lists = (*(base[0] if base else ()), (base[1] if base else node.each.parts))
            conditional = conditional or bool(node.when) or any(isinstance(n, Hole) and n.required for n in node.fields.values())
            yield Found(m, element, node, lists, conditional)
            for name, child in node.fields.items():
                yield from visit(child, (*element, name), lists, conditional)
            return
        yield Found(m, element, node, lists, conditional)
        if isinstance(node, Array):
            for child in node.items:
                yield from visit(child, element, lists, conditional)

    yield from visit(m.root, (), root_lists, False)


def paths_read(m: Map) -> Iterator[tuple[Place, Found, Any]]:
    """Every record path that a map reads, with the node that reads it and how: hole, key, guard, each, rest or by."""
    lists = frames_of(m)
    for path in m.key:
        if (at := place(lists, path)) is not None:
            yield at, Found(m, (), m.root, lists, False), "key"
    for found in find(m):
        for path, how in _node_paths(found.node):
            if (at := place(found.lists, path)) is not None:
                yield at, found, how


def _node_paths(node: Node) -> Iterator[tuple[Path, str]]:
    """The record paths of one node, and how it reads them."""
    if isinstance(node, Hole):
        yield from ((path, "hole") for path in node.paths if not path.place)
    elif isinstance(node, Ref) and node.by is not None:
        yield node.by, "by"
    elif isinstance(node, Rest):
        yield node.path, "rest"
    elif isinstance(node, Object):
        yield from ((guard.path, "guard") for guard in node.when)
        if node.rest is not None:
            yield node.rest, "rest"
