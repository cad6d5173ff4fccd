"""A JSON Schema judged as a document, and a document judged by a schema, by the reference implementation in Python.

A keyword that is misspelt or of the wrong type is passed over in silence by every validator; the contract would then
allow what it means to forbid. https://json-schema.org/draft/2020-12
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

KEYWORDS = frozenset(
    "$schema $id $ref $defs $comment $anchor type enum const title description examples default deprecated properties required"
    " additionalProperties patternProperties propertyNames minProperties maxProperties dependentRequired dependentSchemas"
    " unevaluatedProperties items prefixItems minItems maxItems uniqueItems contains minContains maxContains minLength maxLength"
    " pattern format minimum maximum exclusiveMinimum exclusiveMaximum multipleOf allOf anyOf oneOf not if then else"
    " version".split()
)

_ONE = frozenset("items additionalProperties contains not if then else propertyNames unevaluatedProperties".split())


def schema_faults(schema: Any) -> Iterator[str]:
    """What is wrong with a schema: places where it is none, and keywords that JSON Schema does not have."""
    import jsonschema  # a tenth of a second, and only this judgement needs it

    draft = jsonschema.Draft202012Validator
    for error in draft(draft.META_SCHEMA).iter_errors(schema):
        yield f"this is no JSON Schema at {error.json_path}"
    for place in unknown_keywords(schema):
        yield f"{place} is no keyword of JSON Schema"


def document_faults(document: Any, schema: Any) -> Iterator[str]:
    """The JSONPaths at which a document breaks a schema."""
    import jsonschema

    for error in jsonschema.Draft202012Validator(schema).iter_errors(document):
        yield error.json_path


@dataclass(frozen=True, slots=True)
class Breach:
    """Where a document breaks a schema, and how.

    path: keys and indexes to the value · keyword: of JSON Schema · wanted: the keyword's value · schema: the one that holds the
    keyword · found: the value · of_name: whether it is a key that is judged, not a value
    """

    path: tuple[str | int, ...]
    keyword: str
    wanted: Any
    schema: Any
    found: Any
    of_name: bool


def breaches(document: Any, schema: Any) -> Iterator[Breach]:
    """Every breach of a schema by a document, for those who tell them in their own words."""
    import jsonschema

    for error in jsonschema.Draft202012Validator(schema).iter_errors(document):
        path, keyword = tuple(error.absolute_path), str(error.validator)
        of_name = "propertyNames" in error.absolute_schema_path
        yield Breach(path, keyword, error.validator_value, error.schema, error.instance, of_name)


def unknown_keywords(schema: Any, place: str = "$") -> Iterator[str]:
    """The places of keywords that JSON Schema does not have."""
    if not isinstance(schema, dict):
        return
    for name, below in schema.items():
        if name not in KEYWORDS:
            yield f"{place}.{name}"
        elif name in ("properties", "$defs", "patternProperties", "dependentSchemas") and isinstance(below, dict):
            for key, one in below.items():
                yield from unknown_keywords(one, f"{place}.{name}.{key}")
        elif name in ("allOf", "anyOf", "oneOf", "prefixItems") and isinstance(below, list):
            for j, one in enumerate(below):
                yield from unknown_keywords(one, f"{place}.{name}[{j}]")
        elif name in (
            "items",
            "additionalProperties",
            "contains",
            "not",
            "if",
            "then",
            "else",
            "propertyNames",
            "unevaluatedProperties",
        ):
            yield from unknown_keywords(below, f"{place}.{name}")
