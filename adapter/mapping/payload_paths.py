"""Record paths in a payload's JSON Schema: whether it names one, and which names it has where a path goes wrong."""

from __future__ import annotations

from typing import Any

from adapter.mapping.spec import Place


def resolve(schema: dict[str, Any], node: Any) -> list[dict[str, Any]]:
    """The object schemas that a schema node stands for, through $ref, items and the combining keywords."""
    found: list[dict[str, Any]] = []
    stack, seen = [node], 0
    while stack and seen < 500:
        seen += 1
        one = stack.pop()
        if not isinstance(one, dict):
            continue
        if "$ref" in one:
            target: Any = schema
            for part in str(one["$ref"]).removeprefix("#/").split("/"):
                target = target.get(part, {}) if isinstance(target, dict) else {}
            stack.append(target)
        found.append(one)
        for word in ("allOf", "anyOf", "oneOf"):
            stack += one.get(word, [])
        stack += [one[w] for w in ("then", "else", "items") if w in one]
    return found


def in_schema(schema: dict[str, Any], parts: tuple[str, ...]) -> bool:
    """Whether a payload schema names this path; an open object or an unconstrained value has every path."""
    nodes: list[Any] = [schema]
    for part in parts:
        below: list[Any] = []
        for node in nodes:
            for one in resolve(schema, node):
                if part in one.get("properties", {}):
                    below.append(one["properties"][part])
                elif (
                    not one.get("properties")
                    and one.get("additionalProperties", True) is not False
                    and one.get("type") in (None, "object")
                    and not any(w in one for w in ("$ref", "items", "allOf", "anyOf", "oneOf", "enum", "const"))
                ):
                    return True
                elif isinstance(one.get("additionalProperties"), dict):
                    below.append(one["additionalProperties"])
        if not below:
            return False
        nodes = below
    return True


def schema_names(schema: dict[str, Any], at: Place) -> set[str]:
    """The names that the payload has where a path goes wrong."""
    parts = (*(p for names in at[0] for p in names), *at[1])
    nodes: list[Any] = [schema]
    for part in parts:
        names = {n for node in nodes for one in resolve(schema, node) for n in one.get("properties", {})}
        if part not in names:
            return names
        nodes = [one["properties"][part] for node in nodes for one in resolve(schema, node) if part in one.get("properties", {})]
    return set()
