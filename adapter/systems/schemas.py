"""The JSON Schemas of a system and of its maps, judged as documents: what `maps check` sees beside the compiler.

The compiler reads what it needs of a schema; a keyword that is misspelt or of the wrong type would be passed over in
silence, and the contract would then allow what it means to forbid. https://json-schema.org/draft/2020-12
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from adapter.mapping import language
from adapter.mapping.faults import Fault, Faults

MAP_SCHEMA = Path(language.__file__).parent / "map.schema.json"
KEYWORDS = frozenset(
    "$schema $id $ref $defs $comment $anchor type enum const title description examples default deprecated properties required"
    " additionalProperties patternProperties propertyNames minProperties maxProperties dependentRequired dependentSchemas"
    " unevaluatedProperties items prefixItems minItems maxItems uniqueItems contains minContains maxContains minLength maxLength"
    " pattern format minimum maximum exclusiveMinimum exclusiveMaximum multipleOf allOf anyOf oneOf not if then else version".split()
)

_ONE = frozenset("items additionalProperties contains not if then else propertyNames unevaluatedProperties".split())


def judge_schemas(folder: Path) -> Iterator[Fault]:
    """Every fault of the JSON Schemas below a system's folder, and of its maps as the editors' schema sees them."""
    import jsonschema  # a tenth of a second, and only this judgement needs it

    for file in sorted(folder.glob("**/*.schema.json")):
        shown = str(file.relative_to(folder.parent))
        try:
            schema = json.loads(file.read_text("utf-8"))
        except ValueError:
            continue  # the compiler has said so
        for error in jsonschema.Draft202012Validator(jsonschema.Draft202012Validator.META_SCHEMA).iter_errors(schema):
            yield Fault(
                shown,
                1,
                f"this is no JSON Schema at {error.json_path}",
                "a validator would pass over it",
                "mend the keyword there",
            )
        for place in unknown_keywords(schema):
            yield Fault(shown, 1, f"{place} is no keyword of JSON Schema", "a validator would pass over it", "mend the name")
    for file in sorted(folder.glob("**/*.yaml")):
        if file.name != "system.yaml":
            yield from _judge_map(file, str(file.relative_to(folder.parent)))


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


def _judge_map(file: Path, shown: str) -> Iterator[Fault]:
    faults = Faults(shown)
    node = language.compose(file.read_text("utf-8"), faults)
    if node is None:
        return  # the compiler has said so
    made = language.data(node, Faults(shown))
    for error in _map_validator().iter_errors(json.loads(json.dumps(made, default=_number))):
        yield Fault(shown, 1, f"not a map at {error.json_path}", "see map.schema.json", "mend what stands there")


def _number(value: Decimal) -> float:
    return float(value)


@cache
def _map_validator() -> Any:
    import jsonschema

    return jsonschema.Draft202012Validator(json.loads(MAP_SCHEMA.read_text("utf-8")))
