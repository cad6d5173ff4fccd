"""A native payload against its own JSON Schema: every fault at once, with its place in the bytes.

The text of an issue comes from the schema (title, description, the codes it allows), never from the validator, whose
messages quote the value. JSON Schema 2020-12: https://json-schema.org/draft/2020-12
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Any

import jsonschema_rs

from adapter.fhir.json import locate
from adapter.fhir.outcome import Issue, issue

#: Line and column of a path.
Places = Callable[[Sequence[str | int]], tuple[int, int]]

#: Schema keyword -> (issue code, what is wrong). https://hl7.org/fhir/R4/valueset-issue-type.html
_WORDS = {
    "type": ("structure", "The value is of the wrong JSON type"),
    "required": ("required", "A property that must be there is missing"),
    "additionalProperties": ("structure", "A property that the contract does not have"),
    "unevaluatedProperties": ("structure", "A property that the contract does not have here"),
    "enum": ("code-invalid", "A code that the contract does not have"),
    "const": ("value", "The value is not the one that must stand here"),
    "pattern": ("value", "The value does not have the form that the contract asks for"),
    "format": ("value", "The value does not have the form that the contract asks for"),
    "minLength": ("value", "The text is shorter than the contract allows"),
    "maxLength": ("too-long", "The text is longer than the contract allows"),
    "minimum": ("value", "The number is smaller than the contract allows"),
    "exclusiveMinimum": ("value", "The number is smaller than the contract allows"),
    "maximum": ("value", "The number is larger than the contract allows"),
    "minItems": ("required", "The list has fewer elements than the contract asks for"),
    "maxItems": ("structure", "The list has more elements than the contract allows"),
    "uniqueItems": ("value", "The list holds the same element twice"),
    "multipleOf": ("value", "The number has more decimals than the contract allows"),
    "not": ("business-rule", "A combination that the contract forbids"),
    "oneOf": ("structure", "None, or more than one, of the allowed forms fits"),
    "anyOf": ("structure", "None of the allowed forms fits"),
    "false schema": ("business-rule", "A property that may not stand beside the others"),
}


class Payload:
    """A payload schema, compiled on first use."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self.schema = schema
        self._defaults = _has_default(schema)

    @cached_property
    def validator(self) -> Any:
        """The compiled validator."""
        return jsonschema_rs.validator_for(self.schema, validate_formats=True)

    def read(self, value: Any) -> Any:
        """The value with the schema's defaults; the same object where the schema has none."""
        return _defaulted(value, self.schema, self.schema) if self._defaults else value

    def check(self, value: Any, body: bytes | None = None, source: str = "", places: Places | None = None) -> list[Issue]:
        """Every fault. For line and column: body, the JSON bytes that the value was decoded from, or places, which tells them."""
        if self.validator.is_valid(value):
            return []
        if places is None and body is not None:
            places = partial(locate, body)
        found: dict[tuple[Any, ...], Issue] = {}
        for error in self.validator.iter_errors(value):
            for path, keyword, schema in self._causes(error):
                key = (path, keyword)
                if key not in found:
                    found[key] = self._issue(path, keyword, schema, places, source)
        return list(found.values())

    def _causes(self, error: Any) -> list[tuple[tuple[Any, ...], str, Any]]:
        """Place, keyword and schema of an error; one for each missing or surplus property."""
        path = tuple(error.instance_path)
        names = [str(p) for p in error.schema_path]
        keyword = names[-1] if names else "type"
        holder = self._at(error.schema_path[:-1])
        if self._at(error.schema_path) is False:  # `property: false`: it may not stand here
            return [(path, "false schema", False)]
        kind = error.kind
        if keyword == "required":
            return [((*path, getattr(kind, "property", "")), keyword, holder)]
        if keyword in ("additionalProperties", "unevaluatedProperties"):
            return [((*path, name), keyword, holder) for name in getattr(kind, "unexpected", ())] or [(path, keyword, holder)]
        return [(path, keyword if keyword in _WORDS else "false schema" if holder is False else keyword, holder)]

    def _at(self, schema_path: Sequence[Any]) -> Any:
        """The schema that a schema path leads to, through $ref."""
        node: Any = self.schema
        for part in schema_path:
            while isinstance(node, dict) and "$ref" in node and part not in node:
                node = self._follow(node["$ref"])
            if part == "$ref" and isinstance(node, dict):
                node = self._follow(node["$ref"])
                continue
            try:
                node = node[int(part)] if isinstance(node, list) else node[part]
            except (KeyError, IndexError, TypeError, ValueError):
                return {}
        return node

    def _follow(self, reference: str) -> Any:
        node: Any = self.schema
        for part in reference.removeprefix("#/").split("/"):
            node = node.get(part, {}) if isinstance(node, dict) else {}
        return node

    def _issue(self, path: tuple[Any, ...], keyword: str, schema: Any, places: Places | None, source: str) -> Issue:
        code, text = _WORDS.get(keyword, ("value", "The value breaks a rule of the contract"))
        line = column = 0
        if places is not None:
            line, column = places(path[:-1] if keyword == "required" else path)
        return issue(
            "error",
            code,
            f"schema-{keyword.replace(' ', '-')}",
            f"{text} ({_bound(keyword, schema)})." if _bound(keyword, schema) else f"{text}.",
            expression=show(path),
            mend=_mend(keyword, schema),
            source=source if line else "",
            line=line,
            column=column,
        )


def show(path: Sequence[Any]) -> str:
    """A record path as people read it: doses[2].outcome."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or "."


def _bound(keyword: str, schema: Any) -> str:
    if not isinstance(schema, dict):
        return ""
    if keyword in ("minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "minItems", "maxItems", "multipleOf"):
        return f"{keyword} {schema.get(keyword)}"
    return ""


def _mend(keyword: str, schema: Any) -> str:
    if not isinstance(schema, dict):
        return "Leave the property out, or mend the one that forbids it."
    if keyword == "enum":
        return f"Use one of {', '.join(str(v) for v in schema.get('enum', [])[:40])}."
    if keyword == "const":
        return f"Write {schema.get('const')!r}."
    if keyword == "type":
        kind = schema.get("type")
        return f"Write a JSON {kind if isinstance(kind, str) else ' or '.join(kind or ['value'])}."
    if keyword == "required":
        return "Add the property."
    if keyword in ("additionalProperties", "unevaluatedProperties"):
        known = sorted(schema.get("properties", {}))
        return f"The properties here are {', '.join(known)}." if known else "Leave the property out."
    said = schema.get("description") or schema.get("title") or ""
    return str(said)


def _has_default(schema: Any) -> bool:
    if isinstance(schema, dict):
        return ("default" in schema and ("type" in schema or "enum" in schema)) or any(_has_default(v) for v in schema.values())
    return isinstance(schema, list) and any(_has_default(v) for v in schema)


def _defaulted(value: Any, schema: Any, root: dict[str, Any]) -> Any:
    while isinstance(schema, dict) and "$ref" in schema:
        node: Any = root
        for part in str(schema["$ref"]).removeprefix("#/").split("/"):
            node = node.get(part, {})
        schema = node
    if not isinstance(schema, dict):
        return value
    if isinstance(value, dict):
        made = {k: _defaulted(v, schema.get("properties", {}).get(k), root) for k, v in value.items()}
        for name, below in schema.get("properties", {}).items():
            if name not in made and isinstance(below, dict) and "default" in below:
                made[name] = below["default"]
        return made
    if isinstance(value, list):
        return [_defaulted(v, schema.get("items"), root) for v in value]
    return value
