"""R4's base schema and type table, generated from the field metadata of fhir.resources' R4B models.

Run `python -m adapter.fhir.schema.base` to write `generated/defs.json` and `generated/types.json`, which the wheel carries:
the gate starts without importing the models. What the models have wrong stands in `r4.py`; invariants in `invariants.py`.
"""

from __future__ import annotations

import json
import typing
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from adapter.fhir.schema import r4
from adapter.fhir.schema.invariants import FRAGMENTS, never
from adapter.fhir.schema.invariants_bundle import BUNDLE, CONTAINED
from adapter.fhir.schema.primitives import PRIMITIVES, nullable
from adapter.fhir.schema.tables import GENERATED

Schema = dict[str, Any]
#: One element of the type table: t type, l repeats, b choice base, p primitive, r types it may refer to.
Row = dict[str, Any]

#: XML attributes and the narrative: primitives that have no `_` sibling. https://hl7.org/fhir/R4/json.html#primitive
_NO_SIBLING = frozenset({"Extension.url", "Narrative.div"})


def ref(name: str) -> Schema:
    """The `$ref` to a definition."""
    return {"$ref": f"#/$defs/{name}"}


def rule(key: str, schema: Schema, path: str = "") -> Schema:
    """A schema that answers for one rule: `x-rule` is what the gate reads when it fails (JSON Schema ignores it)."""
    return {"x-rule": {"key": key, "path": path} if path else {"key": key}, **schema}


def _model(name: str) -> Any:
    from fhir.resources.R4B import get_fhir_model_class

    return get_fhir_model_class(name)


def _fhir_type(annotation: Any) -> tuple[str, bool]:
    """(FHIR type name, repeats) of a model field's annotation."""
    repeats = False
    while True:
        arguments = typing.get_args(annotation)
        if typing.get_origin(annotation) is list:
            repeats = True
            annotation = arguments[0]
        elif typing.get_origin(annotation) is typing.Annotated:
            # base64Binary and uuid carry pydantic's own marks beside FHIR's.
            names = [type(mark).__name__ for mark in arguments[1:]]
            name = {"UuidVersion": "Uuid"}.get(names[-1], names[-1])
            return name[0].lower() + name[1:], repeats
        elif type(None) in arguments:
            annotation = next(argument for argument in arguments if argument is not type(None))
        elif annotation is bool:
            return "boolean", repeats
        else:
            return annotation.__name__.removesuffix("Type"), repeats


class _Generator:
    """Visits every type that the resources of r4.RESOURCES reach."""

    def __init__(self) -> None:
        self.defs: dict[str, Schema] = _fixed_definitions()
        self.types: dict[str, dict[str, Any]] = {}
        self.replaced: set[str] = set()
        self.codes: dict[str, list[str]] = {}

    def visit(self, name: str, path: str, resource: bool = False) -> None:
        """Adds the definition and the table of one type, and of those that it reaches. path: its FHIR path."""
        if name in self.types:
            return
        self.types[name] = {"path": path, "resource": True} if resource else {"path": path}
        rows = dict(self._rows(name, path))
        self.types[name]["elements"] = rows
        codes = {json_name: self.codes[f"{path}.{json_name}"] for json_name in rows if f"{path}.{json_name}" in self.codes}
        self.defs[name] = _definition(name, path, rows, codes, _required(name), resource)

    def _rows(self, name: str, path: str) -> Iterator[tuple[str, Row]]:
        fields = _model(name).model_fields
        open_ended: set[str] = set()
        for field in fields.values():
            extra = field.json_schema_extra
            if not extra or not extra.get("element_property"):
                continue
            fhir_type, repeats = _fhir_type(field.annotation)
            if fhir_type == "UsageContext" and extra.get("one_of_many"):
                open_ended.add(extra["one_of_many"])
            if fhir_type not in r4.DROPPED_TYPES:
                yield field.alias, self._row(f"{path}.{field.alias}", fhir_type, repeats, extra)
        for base in sorted(open_ended):
            # R4's open choices (*) hold Meta, which some of the models lack. https://hl7.org/fhir/R4/datatypes.html#open
            if f"{base}Meta" not in fields:
                yield f"{base}Meta", self._row(f"{path}.{base}Meta", "Meta", False, {"one_of_many": base})

    def _row(self, path: str, fhir_type: str, repeats: bool, extra: dict[str, Any]) -> Row:
        row: Row = {"t": fhir_type}
        if repeats:
            row["l"] = True
        if extra.get("one_of_many"):
            row["b"] = extra["one_of_many"]
        targets = r4.TARGETS.get(path, extra.get("enum_reference_types"))
        if targets and "Resource" not in targets:
            row["r"] = sorted(targets)
        if fhir_type in PRIMITIVES:
            row["p"] = True
            self._note_codes(path, extra)
        elif fhir_type != "Resource":
            self._reach(fhir_type, path)
        return row

    def _reach(self, name: str, path: str) -> None:
        """Visits a datatype, or a backbone at the place that it is named after.

        ObservationReferenceRange is Observation.referenceRange, even where Observation.component.referenceRange is met first.
        """
        if _model(name).__module__.rpartition(".")[2] == name.lower():
            self.visit(name, name)
        elif "".join(step[0].upper() + step[1:] for step in path.split(".")) == name:
            self.visit(name, path)

    def _note_codes(self, path: str, extra: dict[str, Any]) -> None:
        codes: list[str] = extra.get("enum_values") or []
        if path in r4.ENUMS:
            self.replaced.add(path)
            codes = r4.ENUMS[path]
        if "+" in codes or "etc." in codes:
            raise SystemExit(f"{path}: the models cut its codes off and r4.ENUMS has none")
        if codes:
            self.codes[path] = codes


def _fixed_definitions() -> dict[str, Schema]:
    """Primitives, the `_` siblings of primitives, and resources inside others (whose content is judged on its own)."""
    defs: dict[str, Schema] = {name: dict(schema) for name, schema in PRIMITIVES.items()}
    defs |= {f"{name}.null": nullable(schema) for name, schema in PRIMITIVES.items()}
    sibling = {
        "type": "object",
        "additionalProperties": False,
        "minProperties": 1,
        "properties": {"id": ref("string"), "extension": {"type": "array", "minItems": 1, "items": ref("Extension")}},
    }
    defs["Element"] = sibling
    defs["Element.null"] = {**sibling, "type": ["object", "null"]}
    defs["Resource"] = {"type": "object", "required": ["resourceType"], "properties": {"resourceType": {"type": "string"}}}
    defs["Contained"] = CONTAINED
    return defs


def _required(name: str) -> set[str]:
    """JSON names, and for a choice its base, of what must be there."""
    found: set[str] = set()
    for field in _model(name).model_fields.values():
        extra = field.json_schema_extra or {}
        if extra.get("one_of_many_required"):
            found.add(extra["one_of_many"])
        elif not extra.get("one_of_many") and (field.is_required() or extra.get("element_required")):
            found.add(field.alias)
    return found


def _definition(
    name: str, path: str, rows: dict[str, Row], codes: dict[str, list[str]], required: set[str], resource: bool
) -> Schema:
    properties: dict[str, Schema] = {"resourceType": {"const": name}} if resource else {}
    choices: dict[str, list[str]] = {}
    for json_name, row in rows.items():
        if row.get("b"):
            choices.setdefault(row["b"], []).append(json_name)
        properties[json_name] = _property(f"{path}.{json_name}", row, codes.get(json_name))
        if _has_sibling(name, json_name, row):
            sibling = {"type": "array", "minItems": 1, "items": ref("Element.null")} if row.get("l") else ref("Element")
            properties[f"_{json_name}"] = sibling
    must = ["resourceType"] if resource else []
    rules: list[Schema] = []
    for element in sorted(required):
        if element in rows and not _has_sibling(name, element, rows[element]):
            must.append(element)
        else:
            rules.append(rule("required", {"anyOf": _present(name, rows, choices.get(element, [element]))}, element))
    if not must and not required:
        rules.append(
            rule(
                "ele-1", {"if": {"maxProperties": 1}, "then": {"minProperties": 1, "not": {"type": "object", "required": ["id"]}}}
            )
        )
    schema: Schema = {"type": "object", "additionalProperties": False, "properties": properties}
    if must:
        schema["required"] = must
    if name == "Extension":
        schema |= _extension([_present(name, rows, [one]) for one in choices["value"]])
    else:
        rules += [
            rule("choice", _at_most_one([_present(name, rows, [one]) for one in names]), base) for base, names in choices.items()
        ]
        rules += [rule(key, fragment, at) for key, at, fragment in FRAGMENTS.get(name, ())]
    if name == "ParametersParameter":
        values = [schema for one in choices["value"] for schema in _present(name, rows, [one])]
        rules.append(rule("inv-1", {"oneOf": [{"anyOf": values}, {"required": ["resource"]}, {"required": ["part"]}]}))
    if name == "Bundle":
        rules += BUNDLE
    if rules:
        schema["allOf"] = rules
    return schema


def _has_sibling(owner: str, json_name: str, row: Row) -> bool:
    return bool(row.get("p")) and json_name != "id" and f"{owner}.{json_name}" not in _NO_SIBLING


def _property(path: str, row: Row, codes: list[str] | None) -> Schema:
    name = row["t"]
    if codes:
        one: Schema = {"enum": [*codes, None] if row.get("l") else codes}
    elif path in r4.URIS:
        one = ref("uri")
    elif row.get("p"):
        one = ref(f"{name}.null" if row.get("l") else name)
    elif name == "Resource" and path.endswith(".contained"):
        one = ref("Contained")
    elif path in r4.SIMPLE_QUANTITIES:
        one = ref("SimpleQuantity")
    else:
        one = ref(name)
    return {"type": "array", "minItems": 1, "items": one} if row.get("l") else one


def _present(owner: str, rows: dict[str, Row], names: Sequence[str]) -> list[Schema]:
    """The schemas one of which holds where one of these elements is there, by its value or its sibling."""
    found: list[Schema] = []
    for name in names:
        found.append({"required": [name]})
        if _has_sibling(owner, name, rows[name]):
            found.append({"required": [f"_{name}"]})
    return found


def _one_of(choices: list[list[Schema]]) -> list[Schema]:
    return [one[0] if len(one) == 1 else {"anyOf": one} for one in choices]


def _at_most_one(choices: list[list[Schema]]) -> Schema:
    """Not two of these; each is a list of schemas, one of which says that it is there."""
    nothing = {"not": {"type": "object", "anyOf": [schema for one in choices for schema in one]}}
    return {"oneOf": [*_one_of(choices), nothing]}


def _extension(values: list[list[Schema]]) -> Schema:
    """ext-1. An extension of url and one value, as nearly all are, is not tried against every type of value."""
    simple = {"minProperties": 2, "maxProperties": 2, "not": {"type": "object", "required": ["id"]}}
    return {
        "if": {"type": "object", "required": ["extension"]},
        "then": rule("ext-1", {"propertyNames": {"enum": ["url", "id", "extension"]}}),
        "else": rule("ext-1", {"anyOf": [simple, {"oneOf": _one_of(values)}]}),
    }


def generate() -> tuple[dict[str, Schema], dict[str, dict[str, Any]]]:
    """(definitions, type table) as they are shipped. Imports the models (about a second)."""
    generator = _Generator()
    for name in r4.RESOURCES:
        generator.visit(name, name, resource=True)
    for path in [p for p in r4.ENUMS if p not in generator.replaced]:
        raise SystemExit(f"r4.ENUMS names {path}, which no type has")
    simple = {**generator.defs["Quantity"]}
    simple["properties"] = {**simple["properties"], "comparator": never("sqty-1")}
    generator.defs["SimpleQuantity"] = simple
    return generator.defs, generator.types


def write(folder: Path = GENERATED) -> None:
    """Writes both files, one definition a line so that a change can be reviewed."""
    for name, content in zip(("defs", "types"), generate(), strict=True):
        (folder / f"{name}.json").write_text(dump(content), encoding="utf-8")


def dump(content: dict[str, Any]) -> str:
    """The text of a generated file."""
    lines = [f"{json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}" for key, value in sorted(content.items())]
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    write()
