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
from adapter.fhir.schema.plain import definitions, is_rare, plain
from adapter.fhir.schema.primitives import INTEGERS

Json = dict[str, Any]
#: What a walk sees: a reference, a finding, or the number that is a float.
Seen = Found | Finding | float
#: (value, place, where to put what is seen)
Visit = Callable[[Json, Place, list[Seen]], None]

#: The schema, and the walk.
ShortWay = tuple[Callable[[Any], bool], Visit]
#: As many combinations of type and profiles as have a short way: a message can claim any.
_MOST = 200
_UNSEEN: ShortWay = (lambda _: False, lambda *_: None)


class Sight(NamedTuple):
    """What a walk sees, the one and the other in any order. exact: whether there is no float."""

    found: list[Finding]
    references: list[Found]
    exact: bool


_NOTHING = Sight([], [], True)


def _sight(seen: Sequence[Seen]) -> Sight:
    tuples = [one for one in seen if isinstance(one, tuple)]
    return Sight([one for one in tuples if len(one) == 2], [one for one in tuples if len(one) == 3], len(tuples) == len(seen))


class ShortWays:
    """The short ways by type and profiles. Safe to share between threads."""

    def __init__(self, types: Mapping[str, Json], nodes: Mapping[str, Node]) -> None:
        self._visits = _Visits(types, nodes)
        self._made: dict[tuple[str, ...], ShortWay | None] = {}

    def take(self, part: Part) -> Sight | None:
        """What a walk sees in a good plain resource; None where it must be judged the long way."""
        key = (part.type, *[one.name for one in part.overlays])
        way = self._made.get(key, _UNSEEN)
        if way is None:
            way = self._made[key] = _short_way(part.type, part.overlays, self._visits)
        elif way is _UNSEEN:
            if len(self._made) < _MOST:
                self._made[key] = None  # to be made when it comes again
            return None
        is_valid, visit = way
        if not is_valid(part.resource):
            return None
        seen: list[Seen] = []
        visit(part.resource, part.path, seen)
        return _sight(seen) if seen else _NOTHING


def _short_way(type_name: str, overlays: Sequence[Overlay], visits: _Visits) -> ShortWay:
    schema = {
        "$defs": dict(definitions(type_name)),
        "allOf": [{"$ref": f"#/$defs/{type_name}"}, *(plain(one.schema) for one in overlays)],
    }
    return jsonschema_rs.Draft202012Validator(schema).is_valid, visits[type_name]


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
        for json_name, row in self._visited(name).items():
            held = f"{name}_{json_name}"
            self._space[held] = self._nodes[name].table.get(json_name)
            yield f" item = value.get({json_name!r})"
            yield " if item is not None:"
            if row.get("l"):
                yield "  for index, one in enumerate(item):"
                yield from self._visit(row, "one", held, f"(place, {held}, index)", "   ")
            else:
                yield from self._visit(row, "item", held, f"(place, {held}, -1)", "  ")
        if name in CHECKS:
            yield from self._check(name, "value", "place", " ")

    def _check(self, type_: str, item: str, place: str, indent: str) -> Iterator[str]:
        self._space[f"check_{type_}"] = CHECKS[type_]
        yield f"{indent}broken = check_{type_}({item})"
        yield f"{indent}if broken is not None: seen.append((broken, {place}))"

    def _visit(self, row: Json, item: str, element: str, place: str, indent: str) -> Iterator[str]:
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
        if type_ in CHECKS and not below:
            yield from self._check(type_, item, place, indent)
        elif [one["t"] for one in below.values()] == ["decimal"]:
            yield f"{indent}if type({item}.get({next(iter(below))!r})) is float: seen.append(0.0)"
        else:
            # A call costs more than to look first; but not where there are many to look for.
            looks = [f"{json_name!r} in {item}" for json_name in below] if type_ not in CHECKS else []
            condition = f"if {' or '.join(looks)}: " if 0 < len(looks) < 4 else ""
            yield f"{indent}{condition}{type_}({item}, {place}, seen)"

    def _visited(self, name: str) -> dict[str, Json]:
        """The elements in which something can be found, where nothing is rare."""
        rows = self._types[name]["elements"]
        return {json_name: row for json_name, row in rows.items() if not is_rare(json_name) and self._matters(row["t"])}

    def _matters(self, type_: str, above: tuple[str, ...] = ()) -> bool:
        if type_ in INTEGERS or type_ in CHECKS or type_ in ("decimal", "Reference") or type_ in above:
            return True
        rows = self._types[type_]["elements"] if type_ in self._types else {}
        return any(self._matters(row["t"], (*above, type_)) for json_name, row in rows.items() if not is_rare(json_name))
