"""A schema for values in which nothing rare stands: no extension, no `_` sibling, no id of an element, no null: a smaller schema.

Nor are there rules that change what all of it means. Nearly
all that is sent is so. What `plain(schema)` passes, `schema` passes too; and a definition of the base, whose properties are all
it allows, then passes only what holds nothing rare. Its words and rules are gone: faults are told by the whole schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from adapter.fhir.schema import tables
from adapter.fhir.schema.primitives import PRIMITIVES

Schema = dict[str, Any]

_ONE = frozenset({"items", "contains", "not", "if", "then", "else"})
#: Keywords that mean something together, and so must not come from two schemas.
_TOGETHER = (
    frozenset({"properties", "additionalProperties"}),
    frozenset({"items", "prefixItems"}),
    frozenset({"contains", "minContains", "maxContains"}),
    frozenset({"if", "then", "else"}),
)

#: Keywords of a schema that stays apart from another that has one of them; `additionalProperties` only of the base, which
#: alone has it, and which knows every property of its type.
_PAIRED = frozenset(keyword for group in _TOGETHER for keyword in group) - {"properties", "additionalProperties", "items"}
#: Levels of references that are unfolded: each makes the schema half as large again, and a little faster.
_UNFOLDED = 3

#: What a definition says of the id of an element, which hardly anyone gives; that of a resource is of another type.
_ELEMENT_ID = {"$ref": "#/$defs/string"}
#: ele-1: an element has more than an id; and what is left of that where it has none.
_NOT_ID_ALONE = {"if": {"maxProperties": 1}, "then": {"minProperties": 1, "not": {"type": "object", "required": ["id"]}}}
_SOMETHING = {"minProperties": 1}

# One word is what most codes and all URIs are, and the pattern for that is matched faster than any other.
_WORD: Schema = {"pattern": r"^\S*$", "minLength": 1}
#: Primitives in a form that is faster where the text is well written (see `well_written`).
_FASTER: dict[str, Schema] = {
    **{name: {"type": "string", "minLength": 1} for name in ("string", "markdown")},
    **{name: {"type": "string", **_WORD} for name in ("uri", "url", "canonical")},
    "code": {"type": "string", "anyOf": [_WORD, {"pattern": PRIMITIVES["code"]["pattern"]}]},
}
#: In JSON as `json.encode` writes it: a control character or form feed, and a text that begins with a strange blank.
_STRANGE = re.compile(r'\\[fu]|"(?:[^\S ]|\ufeff)')


def well_written(body: bytes) -> bool:
    """Whether every text in this JSON has what R4 asks of a string, if it is not empty: no control character, not only blanks."""
    return (body.isascii() and b"\\" not in body) or _STRANGE.search(body.decode()) is None


def one_schema(name: str, more: Iterable[Any]) -> Schema:
    """The plain schema of a type that meets these plain schemas too: in one, since every schema looks every property up anew."""
    held = dict(definitions(name))
    made = _unfolded({"$ref": f"#/$defs/{name}"}, held, _UNFOLDED)
    for one in more:
        made = _merged(made, one)
    return {"$defs": held, **made}


def _unfolded(schema: Any, held: Mapping[str, Any], levels: int) -> Any:
    """The schema with definitions in the place of references to them, so many levels deep."""
    if isinstance(schema, list):
        return [_unfolded(one, held, levels) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.keys() == {"$ref"}:
        return _unfolded(held[schema["$ref"].removeprefix("#/$defs/")], held, levels - 1) if levels else schema
    return {keyword: _unfolded(value, held, levels) for keyword, value in schema.items()}


def _merged(one: Any, other: Any) -> Any:
    """One schema that is met by what meets both: property by property, and side by side where keywords would meet."""
    if one is True or other is True or one == other:
        return other if one is True else one
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return False
    if (not _PAIRED.isdisjoint(one) and not _PAIRED.isdisjoint(other)) or "prefixItems" in {**one, **other}:
        return {**one, "allOf": [*one.get("allOf", ()), other]}
    made: Schema = dict(one)
    apart: Schema = {}
    for keyword, value in other.items():
        held: Any = made.get(keyword, value)
        if keyword == "properties" and held is not value:
            made[keyword] = held | {name: _merged(held[name], more) for name, more in value.items() if name in held}
            value = {name: more for name, more in value.items() if name not in held}
            apart |= {keyword: value} if value else {}
        elif keyword == "required":
            made[keyword] = list(dict.fromkeys([*held, *value]))
        elif keyword == "items":
            made[keyword] = _merged(held, value)
        elif held == value:
            made[keyword] = value
        else:
            apart[keyword] = value
    return {**made, "allOf": [*made.get("allOf", ()), apart]} if apart else made


def definitions(name: str) -> Iterator[tuple[str, Any]]:
    """The plain definitions that one of the base reaches, itself first."""
    todo, seen = [name], {name}
    while todo:
        name = todo.pop()
        made = _FASTER.get(name) or plain(tables.definition(name))
        yield name, made
        new = set(_referred(made)) - seen
        seen |= new
        todo += new


def _referred(schema: Any) -> Iterator[str]:
    for keyword, value in schema.items() if isinstance(schema, dict) else enumerate(schema) if isinstance(schema, list) else ():
        if keyword == "$ref":
            yield value.removeprefix("#/$defs/")
        else:
            yield from _referred(value)


def is_rare(name: str) -> bool:
    """Whether a property is an extension, the sibling of a primitive, or R4's implicitRules.

    The id of an element shows by its type alone.
    """
    return name.startswith("_") or name in ("extension", "modifierExtension", "implicitRules")


def plain(schema: Any) -> Any:
    """The schema for values without anything rare; False where none can meet it."""
    if isinstance(schema, bool):
        return schema
    if any(map(is_rare, schema.get("required", ()))):
        return False
    if schema.keys() >= _NOT_ID_ALONE.keys() and all(schema[keyword] == value for keyword, value in _NOT_ID_ALONE.items()):
        schema = {keyword: value for keyword, value in schema.items() if keyword not in _NOT_ID_ALONE} | _SOMETHING
    made: Schema = {}
    parts: list[Any] = []
    for keyword, value in schema.items():
        if keyword == "allOf":
            parts += map(plain, value)
        elif keyword in ("anyOf", "oneOf"):
            parts.append(_choice(keyword, [one for one in map(plain, value) if one is not False]))
        elif keyword == "dependentSchemas":
            parts += [_dependent(name, plain(one)) for name, one in value.items() if not is_rare(name)]
        elif keyword != "x-rule":
            made[keyword] = _kept(keyword, value)
    if made.get("not") is False:
        del made["not"]
    return _joined(made, parts)


def _kept(keyword: str, value: Any) -> Any:
    if keyword == "properties":
        return {name: plain(one) for name, one in value.items() if not (is_rare(name) or (name == "id" and one == _ELEMENT_ID))}
    if keyword in _ONE:
        return plain(value)
    match keyword:
        case "prefixItems":
            return list(map(plain, value))
        case "enum":
            return [one for one in value if one is not None]
        case "$ref":
            return value.removesuffix(".null")
    return dict(value) if isinstance(value, dict) else value


def _choice(keyword: str, choices: list[Any]) -> Any:
    if len(choices) < 2:
        return choices[0] if choices else False
    return _exclusive(choices) if keyword == "oneOf" else {keyword: choices}


def _dependent(name: str, needed: Any) -> Schema:
    """What is needed where a property is there; mostly other properties."""
    if isinstance(needed, dict) and needed.keys() == {"required"}:
        return {"dependentRequired": {name: needed["required"]}}
    return {"dependentSchemas": {name: needed}}


def _exclusive(choices: list[Any]) -> Schema:
    """Exactly one of these; or, of two properties, at most one, which is how the base says a choice."""
    *names, last = choices
    if len(names) == 2 and last == {"not": {"type": "object", "anyOf": names}} and all(set(one) == {"required"} for one in names):
        return {"not": {"type": "object", "required": [name for one in names for name in one["required"]]}}
    return {"oneOf": choices}


def _joined(made: Schema, parts: Iterable[Any]) -> Any:
    """One schema instead of several that must all be met, as far as their keywords leave each other alone."""
    apart = []
    for part in parts:
        if part is False:
            return False
        if part is True or not part:
            continue
        if "required" in part and "required" in made:
            made["required"] = list(dict.fromkeys([*made["required"], *part["required"]]))
            part = {keyword: value for keyword, value in part.items() if keyword != "required"}
        if part.keys() <= {"properties", "dependentRequired"} and part.keys() <= made.keys():
            part = {keyword: left for keyword, value in part.items() if (left := _left(made[keyword], value))}
            if not part:
                continue
        if _meet(made, part):
            apart.append(part)
        else:
            made |= part
    if apart:
        made["allOf"] = [*made.get("allOf", ()), *apart]
    return made


def _left(made: Schema, more: Mapping[str, Any]) -> Schema:
    """Adds to what is said of each name what more is said of it, as far as that can be; gives the rest."""
    left: Schema = {}
    for name, value in more.items():
        if isinstance(value, list) and name not in made:
            made[name] = value  # of dependentRequired
        elif isinstance(value, dict) and isinstance(made.get(name), dict) and not _meet(made[name], value):
            made[name] = made[name] | value
        else:
            left[name] = value
    return left


def _meet(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether they have a keyword in common, or two that mean something together."""
    return not one.keys().isdisjoint(other) or any(
        not group.isdisjoint(one) and not group.isdisjoint(other) for group in _TOGETHER
    )
