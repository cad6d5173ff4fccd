"""The gate: whether a resource or Bundle is good R4 and meets our profiles, with every issue at once.

One JSON Schema for all types (generated, see `schema/base.py`) with the profiles as overlays is run by jsonschema-rs in one
call; beside it one small walk sees what a schema cannot. What is good costs tens of microseconds and makes no text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from adapter import shipped
from adapter.fhir.gate_faults import distinct, read_error, strange, unfit, without
from adapter.fhir.gate_references import Part, References, repeated_urls, unused
from adapter.fhir.gate_walk import Node, Walk, build, render
from adapter.fhir.issue_text import say
from adapter.fhir.outcome import Issue

Json = dict[str, Any]

#: As many issues as one answer lists; the last then says how many more there are.
MOST_ISSUES = 200

_GENERATED = Path(__file__).resolve().parent / "schema" / "generated"


@cache
def _base() -> tuple[dict[str, Json], dict[str, Json], dict[str, Node]]:
    defs: dict[str, Json] = json.loads((_GENERATED / "defs.json").read_text(encoding="utf-8"))
    types: dict[str, Json] = json.loads((_GENERATED / "types.json").read_text(encoding="utf-8"))
    return defs, types, build(types)


class Gate:
    """Judges by base R4 and by the profiles it was given. Compiled once; safe to share between threads.

    profiles: StructureDefinitions (differentials), ValueSets, CodeSystems and MessageDefinitions as dicts.
    """

    def __init__(self, profiles: Iterable[Json] = ()) -> None:
        defs, self._types, self._nodes = _base()
        resources = [name for name, entry in self._types.items() if entry.get("resource")]
        self._resources = frozenset(resources)
        lists = {name: {"type": "array", "items": {"$ref": f"#/$defs/{name}"}} for name in resources}
        self._schema: Json = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$defs": defs,
            "type": "object",
            "properties": lists,
        }
        self._validator = jsonschema_rs.Draft202012Validator(self._schema)
        self._extensions: dict[str, frozenset[str]] = {}
        self._modifiers: frozenset[str] = frozenset()

    @classmethod
    def shipped(cls, *extra: Path) -> Gate:
        """The gate with the profiles that travel with the package, and those of further folders."""
        return _shipped(extra)

    def check(self, value: Any, *, profiles: Mapping[int, Sequence[str]] | None = None, writing: bool = False) -> list[Issue]:
        """Every issue of a resource or Bundle, each with its FHIRPath; none means: good. Never raises, whatever the value.

        profiles: canonicals to judge by, beside those in meta.profile; by the index of the Bundle entry, 0 for a single resource.
        writing: whether this is about to leave: then a `urn:` reference that no entry resolves is always an error.
        """
        try:
            found = unfit(value) or list(self._judge(value, profiles or {}, writing))
        except RecursionError:
            found = [say("depth", "$this")]
        if len(found) > MOST_ISSUES:
            more = len(found) - MOST_ISSUES
            found = [*found[:MOST_ISSUES], say("too-many", "$this", severity="information", text=f"There are {more} more issues.")]
        return found

    def _judge(self, value: Any, demanded: Mapping[int, Sequence[str]], writing: bool) -> Iterator[Issue]:
        if not isinstance(value, dict) or not isinstance(value.get("resourceType"), str):
            yield say("resource", "$this")
            return
        parts: list[Part] = []
        for path in self._split(value, value["resourceType"] if value["resourceType"] in self._resources else "$this", None, None, parts):
            yield say("resource-type", path)
        if not parts:
            return
        batch: dict[str, list[Json]] = {}
        for part in parts:
            batch.setdefault(part.type, []).append(part.resource)
        try:
            good = self._validator.is_valid(batch)
            errors = [] if good else list(self._validator.iter_errors(batch))
        except (ValueError, OverflowError):
            yield from strange(value) or [say("json", "$this")]
            return
        cuts: dict[int, list[Sequence[str | int]]] = {}
        issues: list[Issue] = []
        if not good:
            issues = self._read(errors, parts, cuts)
        issues += self._walked(parts, cuts, writing)
        yield from distinct(issues) if len(issues) > 1 else issues

    def _split(self, resource: Json, path: str, container: Part | None, bundle: Part | None, parts: list[Part]) -> Iterator[str]:
        """Adds the resource and every resource inside it as parts; yields the paths of those whose type is unknown."""
        type_name = resource["resourceType"]
        if type_name not in self._resources:
            yield path
            return
        part = Part(resource, path, container, bundle)
        parts.append(part)
        for inner, below in _inside(resource, type_name, path):
            contained = below.startswith(f"{path}.contained[")
            inner_bundle = part if type_name == "Bundle" else bundle
            yield from self._split(inner, below, part if contained else None, inner_bundle, parts)

    def _read(self, errors: Iterable[jsonschema_rs.ValidationError], parts: Sequence[Part], cuts: dict[int, list[Sequence[str | int]]]) -> list[Issue]:
        by_list: dict[str, list[Part]] = {}
        for part in parts:
            by_list.setdefault(part.type, []).append(part)
        issues: list[Issue] = []
        for error in errors:
            part = by_list[str(error.instance_path[0])][int(error.instance_path[1])]
            fault = read_error(error, self._schema, part.path, part.type, self._types)
            issues += fault.issues
            cuts.setdefault(id(part), []).extend(fault.cut)
        return issues

    def _walked(self, parts: Sequence[Part], cuts: Mapping[int, list[Sequence[str | int]]], writing: bool) -> list[Issue]:
        issues: list[Issue] = []
        references: list[tuple[Part, Walk]] = []
        for part in parts:
            if cuts.get(id(part)):
                part.resource = without(part.resource, cuts[id(part)])
            walk = Walk(self._extensions, self._modifiers)
            walk.node(part.resource, self._nodes[part.type], part.path)
            issues += [say(rule, render(place) + below) for rule, place, below in walk.found]
            if walk.references:
                references.append((part, walk))
            if part.type == "Bundle":
                issues += [say("bdl-7", f"{part.path}.entry[{index}].fullUrl") for index in repeated_urls(part.resource)]
        if references:
            known = References(parts, self._resources, writing)
            for part, walk in references:
                for rule, severity, place, below in known.judge(part, walk.references):
                    issues.append(say(rule, ".".join(filter(None, (render(place), below))), severity=severity))
        return issues + self._unused(parts)

    def _unused(self, parts: Sequence[Part]) -> list[Issue]:
        inside: dict[int, list[Part]] = {}
        for part in parts:
            if part.container is not None:
                inside.setdefault(id(part.container), []).append(part)
        return [
            say("dom-3", one.path)
            for part in parts
            if id(part) in inside
            for one in unused(part, inside[id(part)], self._types)
        ]


def _inside(resource: Json, type_name: str, path: str) -> Iterator[tuple[Json, str]]:
    """The resources directly inside one, with their paths."""
    contained = resource.get("contained")
    if isinstance(contained, list):
        for index, one in enumerate(contained):
            if _is_resource(one):
                yield one, f"{path}.contained[{index}]"
    if type_name == "Bundle":
        entries = resource.get("entry")
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            if not isinstance(entry, dict):
                continue
            if _is_resource(entry.get("resource")):
                yield entry["resource"], f"{path}.entry[{index}].resource"
            response = entry.get("response")
            if isinstance(response, dict) and _is_resource(response.get("outcome")):
                yield response["outcome"], f"{path}.entry[{index}].response.outcome"
    elif type_name == "Parameters":
        yield from _parameters(resource.get("parameter"), f"{path}.parameter")


def _parameters(value: Any, path: str) -> Iterator[tuple[Json, str]]:
    for index, one in enumerate(value if isinstance(value, list) else ()):
        if isinstance(one, dict):
            if _is_resource(one.get("resource")):
                yield one["resource"], f"{path}[{index}].resource"
            yield from _parameters(one.get("part"), f"{path}[{index}].part")


def _is_resource(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("resourceType"), str)


@cache
def _shipped(folders: tuple[Path, ...]) -> Gate:
    found: list[Json] = []
    for folder in (shipped.PROFILES, *folders):
        found += [json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))]
    return Gate(found)
