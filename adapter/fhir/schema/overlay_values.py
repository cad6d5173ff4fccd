"""The small schemas of which an overlay is made: values, patterns, bindings, and what tells a slice from the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jsonschema_rs

from adapter.fhir.schema.differential import Branch
from adapter.fhir.schema.valuesets import Codes, ValueSets, bare

Json = dict[str, Any]
Schema = dict[str, Any]


def mark(key: str, schema: Schema, profile: str, path: str = "", text: str = "") -> Schema:
    """A schema that answers for one rule of a profile: what the gate says when it fails. path: below the instance."""
    rule = {"key": key, "profile": profile, "path": path, "text": text}
    return {"x-rule": {name: value for name, value in rule.items() if value}, **schema}


def never(key: str, profile: str) -> Schema:
    """Nothing may stand here."""
    return mark(key, {"not": {}}, profile)


def present(json_name: str, row: Json) -> Iterator[Schema]:
    """The schemas one of which holds where the element is there, by its value or its sibling."""
    yield {"required": [json_name]}
    if row.get("p"):
        yield {"required": [f"_{json_name}"]}


def fixed(key: str, value: Any) -> Schema:
    """fixed[x]: exactly this value. pattern[x]: at least this."""
    return {"const": value} if key.startswith("fixed") else pattern(value)


def pattern(value: Any) -> Schema:
    """What is asked for, at least: every property of an object, and for every item of an array one that matches it."""
    if isinstance(value, dict):
        return {"type": "object", "required": list(value), "properties": {name: pattern(one) for name, one in value.items()}}
    if isinstance(value, list):
        return {"type": "array", "allOf": [{"contains": pattern(one)} for one in value]}
    return {"const": value}


def bound(type_name: str, codes: Codes) -> Schema | None:
    """A required binding; None for a type that has no codes. https://hl7.org/fhir/R4/terminologies.html#required"""
    if type_name in ("code", "string", "uri", "url", "canonical"):
        return {"enum": sorted({code for _, code in codes})}
    by_system: dict[str, list[str]] = {}
    for system, code in sorted(codes):
        by_system.setdefault(system, []).append(code)
    one: Schema = {"anyOf": [_coding(system, found) for system, found in by_system.items()]}
    if type_name in ("Coding", "Quantity", "Age", "Duration", "Count", "Distance"):
        return one
    if type_name == "CodeableConcept":
        return {"required": ["coding"], "properties": {"coding": {"contains": one}}}
    return None


def _coding(system: str, codes: list[str]) -> Schema:
    return {
        "type": "object",
        "required": ["system", "code"],
        "properties": {"system": {"const": system}, "code": {"enum": codes}},
    }


def discriminator(
    found: Mapping[str, Any], one: Branch, type_name: str, types: Mapping[str, Json], value_sets: ValueSets
) -> Schema | None:
    """The schema by which a discriminator tells that an item belongs to the slice `one`; None where it cannot be told here.

    https://hl7.org/fhir/R4/profiling.html#discriminator
    """
    steps = [] if found["path"] == "$this" else found["path"].split(".")
    if found["type"] in ("value", "pattern"):
        return _by_value(one, steps, type_name, types, value_sets)
    if found["type"] == "exists":
        return _by_existence(one, steps, type_name, types)
    if found["type"] == "type":
        return _by_type(one, steps, type_name, types)
    return None


def predicate(schema: Schema) -> Callable[[Any], bool]:
    """The same as a function, for choosing the items of a slice one by one. Most slices are told by one text, such as a url."""
    names = schema.get("required", ())
    if set(schema) == {"type", "required", "properties"} and len(names) == 1 and set(schema["properties"][names[0]]) == {"const"}:
        name, value = names[0], schema["properties"][names[0]]["const"]
        if isinstance(value, str):
            return lambda item: isinstance(item, dict) and item.get(name) == value
    return jsonschema_rs.Draft202012Validator(schema).is_valid


def _by_value(one: Branch, steps: list[str], type_name: str, types: Mapping[str, Json], value_sets: ValueSets) -> Schema | None:
    said = _said(one, type_name, value_sets)
    if not steps:
        return said
    name = steps[0]
    rows = _rows(types, type_name, name)
    if not rows:
        return None
    child = one.children.get(name) or one.children.get(f"{name}[x]")
    inner: Schema | None = None
    if child is not None:
        below = [(json_name, row, _by_value(child, steps[1:], row["t"], types, value_sets)) for json_name, row in rows.items()]
        usable = [_under(json_name, row, schema) for json_name, row, schema in below if schema is not None]
        inner = (usable[0] if len(usable) == 1 else {"anyOf": usable}) if usable else None
    if inner is None and type_name == "Extension" and name == "url":
        canonical = next((p for t in one.element.get("type", ()) for p in t.get("profile", ())), None)
        inner = _under("url", {}, {"const": bare(canonical)}) if canonical else None
    # A pattern above says the value too: patternCodeableConcept for a discriminator `coding.code`.
    return inner if inner is not None else said


def _said(one: Branch, type_name: str, value_sets: ValueSets) -> Schema | None:
    """What the element itself is fixed to."""
    for key, value in one.element.items():
        if key.startswith(("fixed", "pattern")):
            return fixed(key, value)
    binding = one.element.get("binding", {})
    if binding.get("strength") == "required":
        codes = value_sets.codes(binding.get("valueSet", ""))
        return bound(type_name, codes) if codes else None
    return None


def _by_existence(one: Branch, steps: list[str], type_name: str, types: Mapping[str, Json]) -> Schema | None:
    if len(steps) != 1:
        return None
    rows = _rows(types, type_name, steps[0])
    child = one.children.get(steps[0]) or one.children.get(f"{steps[0]}[x]")
    if not rows or child is None:
        return None
    there: Schema = {"type": "object", "anyOf": [schema for json_name, row in rows.items() for schema in present(json_name, row)]}
    return {"not": there} if child.element.get("max") == "0" else there


def _by_type(one: Branch, steps: list[str], type_name: str, types: Mapping[str, Json]) -> Schema | None:
    """Of a resource in an entry, or of a choice one step below."""
    child = (one.children.get(steps[0]) or one.children.get(f"{steps[0]}[x]")) if len(steps) == 1 else None
    codes = [t["code"] for t in child.element.get("type", ())] if child is not None else []
    if not codes:
        return None
    rows = _rows(types, type_name, steps[0])
    if [row["t"] for row in rows.values()] == ["Resource"]:
        return _under(
            steps[0], {}, {"type": "object", "required": ["resourceType"], "properties": {"resourceType": {"enum": codes}}}
        )
    names = [schema for json_name, row in rows.items() if row["t"] in codes for schema in present(json_name, row)]
    return {"type": "object", "anyOf": names} if names else None


def _rows(types: Mapping[str, Json], type_name: str, name: str) -> dict[str, Json]:
    elements = types.get(type_name, {}).get("elements", {})
    return {json_name: row for json_name, row in elements.items() if json_name == name or row.get("b") == name}


def _under(json_name: str, row: Mapping[str, Any], schema: Schema) -> Schema:
    """An object whose element meets the schema, or has an item that does."""
    inside: Schema = {"type": "array", "contains": schema} if row.get("l") else schema
    return {"type": "object", "required": [json_name], "properties": {json_name: inside}}


def type_code(one: Mapping[str, Any]) -> str:
    """The code of one of an element's types."""
    return str(one.get("code", ""))


def slice_text(name: str, one: Branch) -> str:
    """What a profile asks of a slice, for a person."""
    return f"The profile wants {one.element.get('min', 0)} to {one.element.get('max', '*')} of {name} here."


def forbidden(json_name: str, row: Json, schema: Schema) -> Schema:
    """The element with this schema, and its sibling too."""
    return {json_name: schema, f"_{json_name}": schema} if row.get("p") else {json_name: schema}


def only_children(branch: Branch) -> Branch:
    """The branch without what it says of itself."""
    bare_branch = Branch(branch.id)
    bare_branch.children = branch.children
    return bare_branch


def both(one: Schema, other: Schema) -> Schema:
    """What meets both; either may be empty."""
    return {"allOf": [one, other]} if one and other else one or other
