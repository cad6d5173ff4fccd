"""Invented records from a message's own JSON Schema: random, valid, in normal form, the same for the same seed.

A record is drawn freely and then mended until the schema accepts it, so that conditions (if/then) are met however they
are written. Business identifiers are unique within a record, as the contracts demand of a sender.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import jsonschema_rs
import rstr

from adapter.mapping.payload_paths import resolve
from adapter.systems.hub_rules import nhs_number_is_valid

sys.modules["rstr.xeger"].STAR_PLUS_LIMIT = 8  # type: ignore[attr-defined] # texts as long as people write them

#: Names on the way to a value; lists add nothing.
Path = tuple[str, ...]

WORDS = ("Alder", "Birch", "Cédrat", "Dogwood", "Elm", "Fir-Tree", "Gorse's", "Holly", "Iris", "Juniper & Co", "10 mg", "Łąka")


class Records:
    """Draws records of one schema."""

    def __init__(
        self, schema: dict[str, Any], seed: int = 1, codes: Mapping[Path, tuple[Sequence[str], bool]] | None = None
    ) -> None:
        self.schema = schema
        self.codes = codes or {}
        self.valid = jsonschema_rs.validator_for(schema, validate_formats=True)
        self.random = random.Random(seed)
        self.text = rstr.Rstr(self.random)
        self.count = 0
        self.forms: dict[str, Callable[[str], bool]] = {}

    def draw(self, steer: Callable[[dict[str, Any]], None] | None = None) -> dict[str, Any]:
        """One valid record; `steer` may set values (an outcome, say) before it is mended. Raises AssertionError if it cannot be."""
        for _ in range(20):
            record: dict[str, Any] = self.value(self.schema, (), 0)
            if steer:
                steer(record)
            for _ in range(40):
                errors = list(self.valid.iter_errors(record))
                if not errors:
                    break
                self.random.shuffle(errors)
                turned = False
                for error in errors:
                    if str(error.schema_path[-1]) in ("const", "enum"):
                        if turned:
                            continue  # one at a time: two values that must be equal would for ever change places
                        turned = True
                    self.mend(record, error)
                if steer:
                    steer(record)
            else:
                continue
            made: dict[str, Any] = prune(record)
            if self.valid.is_valid(made):
                return made
        raise AssertionError("no valid record could be drawn from the schema")

    # values -------------------------------------------------------------------------------------------------------
    def follow(self, schema: Any) -> Any:
        """The schema through its $ref, with the unconditional parts of allOf merged in."""
        while isinstance(schema, dict) and "$ref" in schema:
            node: Any = self.schema
            for part in schema["$ref"].removeprefix("#/").split("/"):
                node = node[part]
            schema = {**node, **{k: v for k, v in schema.items() if k != "$ref"}}
        if isinstance(schema, dict) and any(
            "$ref" in part or "properties" in part or "type" in part for part in schema.get("allOf", ()) if isinstance(part, dict)
        ):
            merged = dict(schema)
            for part in schema["allOf"]:
                part = self.follow(part)
                if isinstance(part, dict) and "if" not in part:
                    merged = {
                        **part,
                        **merged,
                        "properties": {**part.get("properties", {}), **merged.get("properties", {})},
                        "required": [*part.get("required", ()), *merged.get("required", ())],
                    }
            if not merged["properties"]:
                del merged["properties"], merged["required"]
            return merged
        return schema

    def value(self, schema: Any, path: Path, depth: int) -> Any:
        schema = self.follow(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.random.choice(schema["enum"])
        codes, is_open = self.codes.get(path, ((), True))
        if codes and not (is_open and self.random.random() < 0.2):
            return self.random.choice(codes)
        for word in ("oneOf", "anyOf"):
            if word in schema and "properties" not in schema:
                return self.value(self.random.choice(schema[word]), path, depth)
        kind = schema.get("type")
        kind = self.random.choice(kind) if isinstance(kind, list) else kind
        if kind == "object" or "properties" in schema:
            return self.object(schema, path, depth)
        if kind == "array":
            low = schema.get("minItems", 0)
            count = self.random.randint(max(low, 1), min(schema.get("maxItems", 4), max(low, 1) + 2))
            made = [self.value(schema.get("items", {}), path, depth + 1) for _ in range(count)]
            return unique(made) if schema.get("uniqueItems") else made
        if kind == "boolean":
            return self.random.random() < 0.5
        if kind in ("integer", "number"):
            return self.number(schema, kind)
        return self.string(schema, path[-1] if path else "")

    def object(self, schema: dict[str, Any], path: Path, depth: int) -> dict[str, Any]:
        required = schema.get("required", ())
        likely = 0.75 if depth < 3 else 0.5
        return {
            name: self.value(below, (*path, name), depth + 1)
            for name, below in schema.get("properties", {}).items()
            if below is not False and (name in required or self.random.random() < likely)
        }

    def number(self, schema: dict[str, Any], kind: str) -> Any:
        low = schema.get("minimum", schema.get("exclusiveMinimum", 1))
        high = schema.get("maximum", max(low, 0) + 200)
        low = low + 1 if "exclusiveMinimum" in schema else low
        if kind == "integer" or self.random.random() < 0.5:
            return self.random.randint(int(low), int(high))
        places = 1 if "multipleOf" in schema else self.random.randint(1, 3)
        if "multipleOf" in schema:
            places = max(0, -Decimal(str(schema["multipleOf"])).as_tuple().exponent)  # type: ignore[operator]
        return Decimal(self.random.randint(int(low) * 10**places + 1, int(high) * 10**places)).scaleb(-places)

    def string(self, schema: dict[str, Any], name: str) -> str:
        self.count += 1
        form = schema.get("format")
        day = date(2026, 1, 1) + timedelta(days=self.random.randint(0, 300))
        if name in ("nhs_number", "nhsNumber"):
            return self.nhs_number()
        if form == "date":
            return day.isoformat()
        if form == "date-time":
            moment = datetime(
                day.year,
                day.month,
                day.day,
                self.random.randint(7, 19),
                self.random.randint(0, 59),
                self.random.randint(0, 59),
                tzinfo=UTC,
            )
            return moment.isoformat().replace("+00:00", self.random.choice(("Z", "+00:00", "+01:00")))
        if "pattern" in schema:
            fits = self.fits(schema)
            for _ in range(20):
                made = self.text.xeger(schema["pattern"])[: schema.get("maxLength", 40)]
                if made.isprintable() and made == made.strip() and fits(made):
                    return made
        if form == "uri":
            return f"https://example.org/{name or 'id'}/{self.count % 7}"
        if form == "uuid":
            return f"{self.random.getrandbits(32):08x}-0000-4000-8000-{self.count:012x}"
        words = f"{self.random.choice(WORDS)} {self.count}"
        return words[: schema.get("maxLength", 60)].strip()

    def fits(self, schema: dict[str, Any]) -> Callable[[str], bool]:
        """Whether a text has the form that a schema asks for; compiled once."""
        rules: dict[str, Any] = {k: schema[k] for k in ("pattern", "minLength", "maxLength", "format") if k in schema}
        key = repr(sorted(rules.items()))
        if key not in self.forms:
            self.forms[key] = jsonschema_rs.validator_for(rules, validate_formats=True).is_valid
        return self.forms[key]

    def nhs_number(self) -> str:
        while True:
            made = f"999{self.random.randint(0, 9_999_999):07d}"
            if nhs_number_is_valid(made):
                return made

    # mending ------------------------------------------------------------------------------------------------------
    def mend(self, record: Any, error: Any) -> None:
        """Change the record where a rule of the schema says that it is wrong."""
        parent: Any = None
        name: Any = None
        here: Any = record
        for part in error.instance_path:
            if (
                not isinstance(here, dict | list)
                or (isinstance(here, dict) and part not in here)
                or (isinstance(here, list) and part >= len(here))
            ):
                return
            parent, name, here = here, part, here[part]
        names = tuple(str(p) for p in error.instance_path if not isinstance(p, int))
        path = list(error.schema_path)
        rule = str(path[-1])
        holder = self.at(path[:-1])
        if isinstance(here, dict) and self.mend_object(here, names, rule, holder, error):
            return
        if parent is None:
            return
        if isinstance(holder, dict) and rule == "const":
            parent[name] = holder["const"]
        elif isinstance(holder, dict) and rule == "enum":
            parent[name] = self.random.choice(holder["enum"])
        elif rule in (
            "type",
            "minItems",
            "pattern",
            "format",
            "minLength",
            "minimum",
            "exclusiveMinimum",
            "maximum",
            "multipleOf",
        ):
            known = self.full(names)
            parent[name] = self.value(known if isinstance(name, str) else known.get("items", known), names, 2)
        elif rule in ("maxItems", "uniqueItems") and isinstance(here, list):
            parent[name] = unique(here)[: holder.get("maxItems", 9) if isinstance(holder, dict) else 9]
        elif isinstance(parent, dict):
            del parent[name]
        elif len(parent) > 1:
            parent.pop(name)

    def mend_object(self, here: dict[str, Any], names: Path, rule: str, holder: Any, error: Any) -> bool:
        """Properties added or taken away; False where the rule is about something else."""
        holder = holder if isinstance(holder, dict) else {}
        if rule == "required":
            self.add(here, names, [error.kind.property])
        elif rule == "minProperties":
            known = self.full(names)
            known = known.get("properties") or self.follow(known.get("items", {})).get("properties", {})
            self.add(here, names, [self.random.choice(list(known) or ["text"])])
        elif rule == "dependentRequired":
            self.add(here, names, [d for k, ds in holder["dependentRequired"].items() if k in here for d in ds])
        elif rule in ("anyOf", "oneOf") and any("required" in self.follow(o) for o in holder.get(rule, ())):
            self.add(here, names, self.follow(self.random.choice(holder[rule])).get("required", ()))
        elif rule in ("additionalProperties", "unevaluatedProperties"):
            for surplus in error.kind.unexpected:
                here.pop(surplus, None)
        elif rule == "not":
            forbidden = self.follow(holder["not"])
            for surplus in [
                *forbidden.get("required", ()),
                *(r for a in forbidden.get("anyOf", ()) for r in a.get("required", ())),
            ]:
                here.pop(surplus, None)
        else:
            return False
        return True

    def add(self, here: dict[str, Any], names: Path, missing: Sequence[str]) -> None:
        for one in missing:
            if one not in here:
                here[one] = self.value(self.full((*names, one)), (*names, one), 2)

    def full(self, names: Path) -> dict[str, Any]:
        """The fullest schema of a record path: conditions say little of a property, its own definition much."""
        nodes: list[Any] = [self.schema]
        for name in names:
            nodes = [
                one["properties"][name]
                for node in nodes
                for one in resolve(self.schema, node)
                if name in one.get("properties", {})
            ]
        said = [self.follow(n) for n in nodes if isinstance(n, dict)]
        said = [n for n in said if set(n) & {"type", "enum", "const", "properties", "oneOf", "anyOf"}]
        return max(said, key=lambda n: len(repr(n)), default={"type": "string"})

    def at(self, path: list[Any]) -> Any:
        node: Any = self.schema
        for part in path:
            if part == "$ref":
                continue
            node = self.follow(node)
            if isinstance(node, bool):
                return node
            node = node[int(part)] if isinstance(node, list) else node.get(part, {})
        return self.follow(node) if isinstance(node, dict) else node


def unique(items: list[Any]) -> list[Any]:
    made: list[Any] = []
    for item in items:
        if item not in made:
            made.append(item)
    return made


def prune(value: Any) -> Any:
    """Normal form: no null, "" or []."""
    if isinstance(value, dict):
        made = {k: prune(v) for k, v in value.items()}
        return {k: v for k, v in made.items() if v not in (None, "", [], {})}
    if isinstance(value, list):
        return [p for p in (prune(v) for v in value) if p not in (None, "", [], {})]
    return value


def scalars(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict):
        for name, below in value.items():
            yield from scalars(below, (*path, name))
    elif isinstance(value, list):
        for j, below in enumerate(value):
            yield from scalars(below, (*path, j))
    else:
        yield path, value
