"""A profile as an overlay: a JSON Schema of what its differential adds to the base, and what a schema cannot say beside it.

The base runs once for every resource, and each overlay holds only the difference, so that both together stay cheap.
Said by the schema: cardinality, fixed values and patterns, required bindings whose codes are here, slices (by value, pattern,
type, exists), types of a choice. Said by rules beside it: types that a reference may have, and FHIRPath constraints.
What is said by neither is listed in `unsupported`. https://hl7.org/fhir/R4/profiling.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from adapter.fhir.schema import tables
from adapter.fhir.schema.differential import Branch, tree
from adapter.fhir.schema.fhirpath import parse
from adapter.fhir.schema.fhirpath_code import Parsed, compile_tests
from adapter.fhir.schema.overlay_values import (
    Schema,
    both,
    bound,
    discriminator,
    fixed,
    forbidden,
    mark,
    never,
    only_children,
    predicate,
    present,
    slice_text,
    type_code,
)
from adapter.fhir.schema.selection import Constraint, Constraints, Step, Targets
from adapter.fhir.schema.valuesets import ValueSets, bare

Json = dict[str, Any]
Steps = tuple[Step, ...]
Types = Mapping[str, Json]

_CORE = "http://hl7.org/fhir/StructureDefinition/"


class Overlay:
    """What the gate needs of one profile.

    name: that of its definition in the schema; schema: the overlay; constraints, targets: what is judged beside it;
    unsupported: "element id: what" for every rule of the profile that nobody judges.
    """

    def __init__(
        self, structure: Mapping[str, Any], number: int, known: Mapping[str, Json], types: Types, value_sets: ValueSets
    ) -> None:
        self.url: str = structure["url"]
        self.type: str = structure["type"]
        self.title = self.url.rpartition("/")[2]
        self.name = f"profile.{number}"
        self.tree = tree(structure, known)
        compiler = _Compiler(self.title, known, types, value_sets)
        self.schema = compiler.object(self.tree, self.type, ())
        self.constraints = compiler.constraints
        self.targets = compiler.targets
        self.unsupported = compiler.unsupported


class _Compiler:
    """Compiles one tree; collects what does not go into the schema."""

    def __init__(self, title: str, known: Mapping[str, Json], types: Types, value_sets: ValueSets) -> None:
        self._title, self._known, self._types, self._value_sets = title, known, types, value_sets
        self._choices = tables.choices()
        self.constraints: list[Constraints] = []
        self.targets: list[Targets] = []
        self.unsupported: list[str] = []

    def _rule(self, key: str, schema: Schema, path: str = "", text: str = "") -> Schema:
        return mark(key, schema, self._title, path, text)

    def object(self, branch: Branch, type_name: str, steps: Steps) -> Schema:
        """The schema of one object of this type, for what the branch says of it and of its children."""
        self._constrain(branch, steps)
        properties: Schema = {}
        rules: list[Schema] = []
        for name, child in branch.children.items():
            rows = self._rows(type_name, name)
            if not rows:
                self.unsupported.append(f"{child.id}: the type {type_name} has no such element")
                continue
            rules += self._presence(child, name.removesuffix("[x]"), rows)
            properties |= self._properties(child, name, rows, steps)
        schema: Schema = {}
        if properties:
            schema["properties"] = properties
        if rules:
            schema["allOf"] = rules
        return schema

    def _rows(self, type_name: str, name: str) -> dict[str, Json]:
        """JSON name -> row of the type table: several for a choice."""
        elements: dict[str, Json] = self._types.get(type_name, _ELEMENT)["elements"]
        if name.endswith("[x]"):
            return {json_name: row for json_name, row in elements.items() if row.get("b") == name[:-3]}
        return {name: elements[name]} if name in elements else {}

    def _presence(self, child: Branch, base: str, rows: Mapping[str, Json]) -> Iterator[Schema]:
        here = {"anyOf": [one for json_name, row in rows.items() for one in present(json_name, row)]}
        if child.element.get("min", 0) >= 1:
            yield self._rule("required", here, base)
        for name, one in child.slices.items():
            if one.element.get("min", 0) >= 1:
                yield self._rule("slice", here, base, slice_text(name, one))

    def _properties(self, child: Branch, name: str, rows: Mapping[str, Json], steps: Steps) -> Schema:
        found: Schema = {}
        allowed = {type_code(one) for one in child.element.get("type", ())} if name.endswith("[x]") else set()
        sliced = self._choice_slices(child, rows, steps) if name.endswith("[x]") else {}
        labels = name.removesuffix("[x]")
        for json_name, row in rows.items():
            label = row.get("b", labels)
            if child.element.get("max") == "0":
                found |= forbidden(json_name, row, never("absent", self._title))
            elif allowed and row["t"] not in allowed:
                found |= forbidden(json_name, row, never("choice-type", self._title))
            else:
                found |= self._property(child, json_name, row, (*steps, Step((json_name,), label)), sliced.get(json_name))
        return found

    def _property(self, child: Branch, json_name: str, row: Json, steps: Steps, slice_schema: Schema | None) -> Schema:
        value = self._value(child, row, steps)
        if slice_schema:
            value = both(value, slice_schema)
        if row.get("l"):
            value = self._array(child, row, steps, value)
        found: Schema = {json_name: value} if value else {}
        if row.get("p") and child.children:
            beside = self.object(only_children(child), "Element", (*steps[:-1], Step((f"_{json_name}",), steps[-1].label)))
            if beside:
                found[f"_{json_name}"] = {"items": beside} if row.get("l") else beside
        return found

    def _value(self, child: Branch, row: Json, steps: Steps) -> Schema:
        """What holds for one value of the element: an item, where it repeats."""
        element = child.element
        rules: list[Schema] = []
        for key, value in element.items():
            if key.startswith(("fixed", "pattern")):
                rules.append(self._rule("fixed" if key.startswith("fixed") else "pattern", fixed(key, value)))
            elif key in ("minValueInteger", "minValueDecimal"):
                rules.append(self._rule("value", {"minimum": value}))
            elif key in ("maxValueInteger", "maxValueDecimal"):
                rules.append(self._rule("value", {"maximum": value}))
            elif key.startswith(("minValue", "maxValue")):
                self.unsupported.append(f"{child.id}: {key}")
        if "maxLength" in element:
            rules.append(self._rule("max-length", {"maxLength": element["maxLength"]}))
        rules += self._binding(child, row)
        rules += self._typed(child)
        self._narrow(child, row, steps)
        if row.get("p"):
            self._constrain(child, steps)
            return {"allOf": rules} if rules else {}
        below = self.object(child, row["t"], steps) if row["t"] != "Resource" else self._resource(child, steps)
        if rules:
            below = {**below, "allOf": [*below.get("allOf", ()), *rules]}
        return below

    def _resource(self, child: Branch, steps: Steps) -> Schema:
        """An entry's resource: of which types. What it looks like inside is the business of its own profile."""
        self._constrain(child, steps)
        if child.children:
            self.unsupported.append(f"{child.id}: elements of a resource inside another")
        wanted = [type_code(one) for one in child.element.get("type", ()) if type_code(one) != "Resource"]
        if any(one.get("profile") for one in child.element.get("type", ())):
            self.unsupported.append(f"{child.id}: profile of a resource inside another")
        return self._rule("choice-type", {"properties": {"resourceType": {"enum": wanted}}}) if wanted else {}

    def _binding(self, child: Branch, row: Json) -> Iterator[Schema]:
        binding = child.element.get("binding", {})
        if binding.get("strength") != "required":
            return
        codes = self._value_sets.codes(binding.get("valueSet", ""))
        schema = bound(row["t"], codes) if codes is not None else None
        if schema is None:
            self.unsupported.append(f"{child.id}: required binding to {binding.get('valueSet')}")
        else:
            yield self._rule("binding", schema)

    def _typed(self, child: Branch) -> Iterator[Schema]:
        """Profiles of datatypes. Those of extensions are judged by their url, wherever they stand."""
        for one in child.element.get("type", ()):
            for canonical in one.get("profile", ()):
                if bare(canonical) == _CORE + "SimpleQuantity":
                    yield {"properties": {"comparator": {"x-rule": {"key": "sqty-1"}, "not": {}}}}
                elif type_code(one) not in ("Extension", "Resource") and not self._types.get(type_code(one), {}).get("resource"):
                    self.unsupported.append(f"{child.id}: profile of {type_code(one)}")

    def _narrow(self, child: Branch, row: Json, steps: Steps) -> None:
        if row["t"] != "Reference":
            return
        canonicals = [
            one for t in child.element.get("type", ()) if type_code(t) == "Reference" for one in t.get("targetProfile", ())
        ]
        names = {self._type_of(one) for one in canonicals}
        if None in names:
            self.unsupported.append(f"{child.id}: target profile")
        elif names and "Resource" not in names:
            self.targets.append(Targets(steps, frozenset(name for name in names if name)))

    def _type_of(self, canonical: str) -> str | None:
        """The resource type that a profile is of: as it says itself, or else by the name that core and UK Core profiles have."""
        url = bare(canonical)
        if url in self._known:
            return str(self._known[url]["type"])
        last = url.rpartition("/")[2]
        if url.startswith(_CORE):
            return last
        return next((part for part in last.split("-") if self._types.get(part, {}).get("resource")), None)

    def _constrain(self, branch: Branch, steps: Steps) -> None:
        rules: list[Constraint] = []
        parsed: list[Parsed] = []
        for one in branch.element.get("constraint", ()):
            try:
                parsed.append(parse(one["expression"], self._choices, f"c{len(parsed)}"))
            except (ValueError, KeyError) as fault:
                self.unsupported.append(f"{branch.id}: constraint {one['key']} ({fault})")
                continue
            rules.append(Constraint(one["key"], one["severity"], one["human"]))
        if rules:
            try:
                self.constraints.append(Constraints(steps, tuple(rules), compile_tests(parsed, self._choices)))
            except (SyntaxError, RecursionError, MemoryError):  # Python's own limits of nesting
                self.unsupported.append(f"{branch.id}: constraints (too deep for Python)")

    # ------------------------------------------------------------ lists and slices

    def _array(self, child: Branch, row: Json, steps: Steps, item: Schema) -> Schema:
        element = child.element
        rules: list[Schema] = []
        if element.get("min", 0) > 1:
            rules.append(
                self._rule(
                    "required", {"minItems": element["min"]}, text=f"At least {element['min']} of this element are required."
                )
            )
        if element.get("max", "*") not in ("*", "0"):
            rules.append(self._rule("cardinality", {"maxItems": int(element["max"])}))
        items: list[Schema] = [item] if item else []
        matched: list[Schema] = []
        for name, one in child.slices.items():
            schema = self._discriminate(child, one, row)
            if schema is None:
                if one.has_rules:
                    self.unsupported.append(f"{one.id}: slice (its discriminator)")
                continue
            matched.append(schema)
            rules += self._counted(name, one, schema)
            inside = self._value(one, row, (*steps[:-1], steps[-1]._replace(matches=predicate(schema))))
            if inside:
                items.append({"if": schema, "then": inside})
        if element.get("slicing", {}).get("rules") == "closed" and matched:
            items.append(self._rule("slice-closed", {"anyOf": matched}))
        array: Schema = {"allOf": rules} if rules else {}
        if items:
            array["items"] = items[0] if len(items) == 1 else {"allOf": items}
        return array

    def _counted(self, name: str, one: Branch, schema: Schema) -> Iterator[Schema]:
        least, most = one.element.get("min", 0), one.element.get("max", "*")
        if most == "0":
            yield self._rule(
                "absent", {"not": {"type": "array", "contains": schema}}, text=f"The profile does not allow {name} here."
            )
        elif least or most != "*":
            limits = {"minContains": least} if most == "*" else {"minContains": least, "maxContains": int(most)}
            yield self._rule("slice", {"contains": schema, **limits}, text=slice_text(name, one))

    def _discriminate(self, sliced: Branch, one: Branch, row: Json) -> Schema | None:
        """The schema that tells whether an item belongs to the slice; None where it cannot be told here."""
        discriminators = sliced.element.get("slicing", {}).get("discriminator")
        if row["t"] == "Extension":
            discriminators = [{"type": "value", "path": "url"}]
        if not discriminators or "/" in one.id.rpartition(":")[2]:
            return None
        parts = [discriminator(found, one, row["t"], self._types, self._value_sets) for found in discriminators]
        if any(part is None for part in parts):
            return None
        found = [part for part in parts if part is not None]
        return found[0] if len(found) == 1 else {"allOf": found}

    def _choice_slices(self, child: Branch, rows: Mapping[str, Json], steps: Steps) -> dict[str, Schema]:
        """Slices of a choice are its types: JSON name -> what holds for that type."""
        found: dict[str, Schema] = {}
        for name, one in child.slices.items():
            codes = {type_code(t) for t in one.element.get("type", ())}
            json_name = name if name in rows else next((n for n, row in rows.items() if row["t"] in codes), None)
            if json_name is None or len(codes) > 1:
                self.unsupported.append(f"{one.id}: slice of a choice")
                continue
            found[json_name] = self._value(one, rows[json_name], (*steps, Step((json_name,), rows[json_name]["b"])))
        return found


_ELEMENT: Json = {"elements": {"extension": {"t": "Extension", "l": True}, "id": {"t": "string", "p": True}}}
