"""The short way through the gate: for a resource in which nothing rare stands (no extension, no `_` sibling, no null).

Base R4 and the resource's profiles become one small schema, and the walk a function made for its type, which goes only where
something can be found. What does not get through here is judged the long way, which alone tells what is wrong. Both ways see
the same; this one is made for a type when it comes a second time, so that a command does not pay for what it uses once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jsonschema_rs

from adapter.fhir.gate_checks import CHECKS
from adapter.fhir.gate_parts import Part
from adapter.fhir.gate_walk import Finding, Found, Node, Place
from adapter.fhir.schema.overlay import Overlay
from adapter.fhir.schema.plain import is_rare, one_schema, plain
from adapter.fhir.schema.primitives import INTEGERS
from adapter.fhir.schema.selection import Constraints, select

Json = dict[str, Any]
#: What a walk sees: a reference, a finding, or the number that is a float.
Seen = Found | Finding | float
#: (value, place, where to put what is seen)
Visit = Callable[[Json, Place, list[Seen]], None]

#: The schema, and the walk.
ShortWay = tuple[Callable[[Any], bool], Visit]
#: As many combinations of type and profiles as have a short way: a message can claim any.
_MOST = 100
#: The way of what has none.
_CLOSED: ShortWay = (lambda _: False, lambda *_: None)


class Sight(NamedTuple):
    """What a walk sees, the one and the other in any order. exact: whether there is surely no float."""

    found: list[Finding]
    references: list[Found]
    exact: bool


_NOTHING = Sight([], [], True)


def _sight(seen: Sequence[Seen]) -> Sight:
    references = [one for one in seen if isinstance(one, tuple) and len(one) == 3]
    found = [one for one in seen if isinstance(one, tuple) and len(one) == 2]
    return Sight(found, references, len(references) == len(seen))


class ShortWays:
    """The short ways by type and profiles. Safe to share between threads."""

    def __init__(self, types: Mapping[str, Json], nodes: Mapping[str, Node]) -> None:
        self._visits = _Visits(types, nodes)
        self._made: dict[tuple[str | Overlay, ...], ShortWay | None] = {}
        self._alone: dict[tuple[str | None, ...], tuple[ShortWay, list[Constraints]]] = {}

    def take(self, part: Part) -> Sight | None:
        """What a walk sees in a good plain resource; None where it must be judged the long way."""
        key: tuple[str | Overlay, ...] = (part.type, *part.overlays)
        way = self._made.get(key, _CLOSED)
        if way is None:
            way = self._made[key] = _short_way(part.type, part.overlays, self._visits)
        elif way is _CLOSED and key not in self._made and len(self._made) < _MOST:
            self._made[key] = None  # to be made when it comes again
        is_valid, visit = way
        if not is_valid(part.resource):
            return None
        seen: list[Seen] = []
        visit(part.resource, part.path, seen)
        return _sight(seen) if seen else _NOTHING

    def is_good(self, value: Any, demanded: Mapping[int, Sequence[str]] | None) -> bool:
        """Whether a resource that stands alone is good: judged as one was before that claimed the same, and with nothing to tell.

        False where that must be found out the long way, whatever the value.
        """
        try:
            (is_valid, visit), constraints = self._alone[_claims(value, demanded)]
            if "contained" in value or not is_valid(value):
                return False
        except (KeyError, TypeError, AttributeError, ValueError, OverflowError):
            return False
        seen: list[Seen] = []
        visit(value, "", seen)
        if seen:
            return False
        for steps, _, broken in constraints:
            if any(broken(one, value) for one, _ in select(value, steps)) if steps else broken(value, value):
                return False
        return True

    def remember(self, part: Part, demanded: Mapping[int, Sequence[str]] | None) -> None:
        """Notes by what a resource was judged that stands alone and in which nothing was found."""
        way = self._made.get((part.type, *part.overlays))
        if way is not None and part.type not in ("Bundle", "Parameters") and len(self._alone) < _MOST:
            constraints = [one for overlay in part.overlays for one in overlay.constraints]
            self._alone[_claims(part.resource, demanded)] = way, constraints


def _claims(resource: Json, demanded: Mapping[int, Sequence[str]] | None) -> tuple[str | None, ...]:
    meta = resource.get("meta")
    return resource["resourceType"], *(meta.get("profile", ()) if meta else ()), None, *(demanded[0] if demanded else ())


def _short_way(type_name: str, overlays: Sequence[Overlay], visits: _Visits) -> ShortWay:
    needed = [plain(one.schema) for one in overlays]
    if False in needed:
        return _CLOSED  # a profile that asks for an extension
    return jsonschema_rs.Draft202012Validator(one_schema(type_name, needed)).is_valid, visits[type_name]


class _Visits(dict[str, Visit]):
    """The walk over a plain value, as one function for every type, made with those it calls when first asked for."""

    def __init__(self, types: Mapping[str, Json], nodes: Mapping[str, Node]) -> None:
        self._types, self._nodes = types, nodes
        self._space: dict[str, Any] = {}

    def __missing__(self, name: str) -> Visit:
        source: dict[str, list[str]] = {}
        todo = [name]
        while todo:
            one = todo.pop()
            if one not in source and one not in self:
                source[one] = list(self._function(one))
                todo += [row["t"] for row in self._visited(one).values() if "p" not in row]
        text = "\n".join(line for lines in source.values() for line in lines)
        exec(compile(text, f"<walk of {name}>", "exec"), self._space)  # noqa: S102 - of names of R4 alone
        self.update({one: self._space[one] for one in source})
        return self[name]

    def _function(self, name: str) -> Iterator[str]:
        yield f"def {name}(value, place, seen):"
        yield from self._lines(name, "value", "place", " ", (name,))

    def _lines(self, name: str, value: str, place: str, indent: str, above: tuple[str, ...]) -> Iterator[str]:
        """The visit of a value of this type. above: the types whose visit this is part of."""
        deep = len(above)
        item, one, index = f"item{deep}", f"one{deep}", f"index{deep}"
        for json_name, row in self._visited(name).items():
            held = f"{name}_{json_name}"
            self._space[held] = self._nodes[name].table.get(json_name)
            yield f"{indent}if {json_name!r} in {value}:"  # and it is not null: the schema has seen to that
            yield f"{indent} {item} = {value}[{json_name!r}]"
            if row.get("l"):
                yield f"{indent} for {index}, {one} in enumerate({item}):"
                yield from self._visit(row, one, held, f"({place}, {held}, {index})", f"{indent}  ", above)
            else:
                yield from self._visit(row, item, held, f"({place}, {held}, -1)", f"{indent} ", above)
        if name in CHECKS:
            self._space[f"check_{name}"] = CHECKS[name]
            yield f"{indent}broken = check_{name}({value})"
            yield f"{indent}if broken is not None: seen.append((broken, {place}))"

    def _visit(self, row: Json, item: str, element: str, place: str, indent: str, above: tuple[str, ...]) -> Iterator[str]:
        type_ = row["t"]
        if type_ == "decimal":
            yield f"{indent}if type({item}) is float: seen.append({item})"
            return
        if type_ in INTEGERS:
            yield f"{indent}if type({item}) is not int: seen.append(('integer', {place}))"
            return
        if type_ == "Reference":
            yield f"{indent}if 'reference' in {item} or 'type' in {item}: seen.append(({item}, {element}, {place}))"
        below = self._visited(type_)
        look = self._look(type_, item)
        if [one["t"] for one in below.values()] == ["decimal"]:
            yield f"{indent}if type({item}.get({next(iter(below))!r})) is float: seen.append(0.0)"
        elif look or type_ in above or len(above) > 3:
            yield f"{indent}{f'if {look}: ' if look else ''}{type_}({item}, {place}, seen)"
        else:  # to be visited in any case
            yield from self._lines(type_, item, place, indent, (*above, type_))

    def _look(self, type_: str, item: str) -> str:
        """Whether a visit is worth its call; "" where there is too much to look for."""
        below = self._visited(type_)
        if type_ in CHECKS or not 0 < len(below) < 4:
            return ""
        [(name, row), *others] = below.items()
        deeper = "" if others or row.get("p") or row.get("l") else self._look(row["t"], "below")
        if deeper:
            return f"(below := {item}.get({name!r})) is not None and ({deeper})"
        return " or ".join(f"{one!r} in {item}" for one in below)

    def _visited(self, name: str) -> dict[str, Json]:
        """The elements in which something can be found, where nothing is rare."""
        rows = self._types[name]["elements"]
        return {json_name: row for json_name, row in rows.items() if not is_rare(json_name) and self._matters(row["t"])}

    def _matters(self, type_: str, above: tuple[str, ...] = ()) -> bool:
        if type_ in INTEGERS or type_ in CHECKS or type_ in ("decimal", "Reference") or type_ in above:
            return True
        rows = self._types[type_]["elements"] if type_ in self._types else {}
        return any(self._matters(row["t"], (*above, type_)) for json_name, row in rows.items() if not is_rare(json_name))
