"""The checked tree of a map: a FHIR resource with holes, as the compiler sees it.

Nodes are plain, frozen values. Every node knows the line it was written on, so that a fault, a lineage row and a
generated function can name it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import Any


@dataclass(frozen=True, slots=True)
class Path:
    """A path into the record: `up` parents, then `parts`. `$.` is up 0 and no part; `$#` has `place` set."""

    up: int
    parts: tuple[str, ...]
    place: bool = False

    def __str__(self) -> str:
        return "^" * self.up + ("#" if self.place else ".".join(self.parts) or ".")


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that is written as it stands, and must be there for the object to be recognised."""

    value: Any
    line: int


@dataclass(frozen=True, slots=True)
class Say:
    """`$say`: a literal that is written, compared when it is there, and never decides what an object is."""

    value: Any
    line: int


@dataclass(frozen=True, slots=True)
class Hole:
    """`$path | name`: one or more record paths, through codecs or ConceptMaps in the order of reading."""

    paths: tuple[Path, ...]
    codecs: tuple[str, ...]
    required: bool
    line: int


@dataclass(frozen=True, slots=True)
class Ref:
    """`$ref Map [by path]`: a reference to the resource that another map of the message makes."""

    map: str
    by: Path | None
    line: int


@dataclass(frozen=True, slots=True)
class Rest:
    """`{$rest: path}` in an array: the elements that no other template of the array recognises."""

    path: Path
    line: int


@dataclass(frozen=True, slots=True)
class Guard:
    """`$when`: keeps the object where `path` has one of `values` (or, with none, where it is present)."""

    path: Path
    values: tuple[Any, ...]
    otherwise: Any
    line: int


@dataclass(frozen=True, slots=True)
class Object:
    """An object template. `each` loops it over a list of the record, `rest` takes what nothing else names."""

    fields: dict[str, Node]
    line: int
    each: Path | None = None
    when: tuple[Guard, ...] = ()
    rest: Path | None = None


@dataclass(frozen=True, slots=True)
class Array:
    """An array template: its element templates in order."""

    items: tuple[Node, ...]
    line: int


Node = Literal | Say | Hole | Ref | Rest | Object | Array


@dataclass(slots=True)
class Map:
    """One map: `name` (Type or Type.role), its file, the list it loops over, its key and its template."""

    name: str
    type: str
    file: File
    root: Object
    each: tuple[str, ...] = ()
    key: tuple[Path, ...] = ()
    id: Path | None = None
    ignored: dict[str, str] = field(default_factory=dict)
    one_way: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    found: tuple[Any, ...] = field(default=(), repr=False, compare=False)  # spec.find's answer

    @property
    def depth(self) -> int:
        """How many lists deep the map's record element lies."""
        return len(self.each)


def is_constant(node: Node) -> bool:
    """Whether a sub-tree holds no hole of any kind, so that it is a literal as a whole."""
    if isinstance(node, Literal):
        return True
    if isinstance(node, Object):
        return node.each is None and not node.when and node.rest is None and all(is_constant(n) for n in node.fields.values())
    if isinstance(node, Array):
        return all(is_constant(n) for n in node.items)
    return False


def plain(node: Node) -> Any:
    """The value of a constant sub-tree."""
    if isinstance(node, Literal | Say):
        return node.value
    if isinstance(node, Object):
        return {k: plain(n) for k, n in node.fields.items()}
    if isinstance(node, Array):
        return [plain(n) for n in node.items]
    raise TypeError(node)


def walk(node: Node, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Node]]:
    """Every node below and with this one, each with its element path (names only; an array adds nothing)."""
    yield path, node
    if isinstance(node, Object):
        for name, child in node.fields.items():
            yield from walk(child, (*path, name))
    elif isinstance(node, Array):
        for child in node.items:
            yield from walk(child, path)
