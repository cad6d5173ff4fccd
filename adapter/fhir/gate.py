"""The gate: whether a resource or Bundle is good R4 and meets our profiles, with every issue at once.

One JSON Schema for all types (generated, see `schema/base.py`) with the profiles as overlays is run by jsonschema-rs in one
call; beside it one small walk sees what a schema cannot. What is good costs tens of microseconds and makes no text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from adapter import shipped
from adapter.fhir.gate_faults import distinct, read_error, strange, unfit, without
from adapter.fhir.gate_parts import Part, attend, claim, demand, split
from adapter.fhir.gate_profiles import Element, ExtensionRule, Profiles
from adapter.fhir.gate_references import References, repeated_urls, unused
from adapter.fhir.gate_walk import Node, Walk, build, render
from adapter.fhir.issue_text import say
from adapter.fhir.outcome import Issue
from adapter.fhir.schema.overlay import Overlay
from adapter.fhir.schema.selection import select

Json = dict[str, Any]

#: As many issues as one answer lists; the last then says how many more there are.
MOST_ISSUES = 200

_GENERATED = Path(__file__).resolve().parent / "schema" / "generated"
_DRAFT = "https://json-schema.org/draft/2020-12/schema"


@cache
def _base() -> tuple[dict[str, Json], dict[str, Json], dict[str, Node]]:
    """(definitions, type table, the table as the walk uses it)"""
    defs: dict[str, Json] = json.loads((_GENERATED / "defs.json").read_text(encoding="utf-8"))
    types: dict[str, Json] = json.loads((_GENERATED / "types.json").read_text(encoding="utf-8"))
    return defs, types, build(types)


class Gate:
    """Judges by base R4 and by the profiles it was given. Compiled once; safe to share between threads.

    profiles: StructureDefinitions (differentials), ValueSets, CodeSystems and MessageDefinitions as dicts; others are ignored.
    """

    def __init__(self, profiles: Iterable[Json] = ()) -> None:
        defs, self._types, self._nodes = _base()
        self.resource_types = frozenset(name for name, entry in self._types.items() if entry.get("resource"))
        self._profiles = Profiles(profiles, self._types)
        defs = {**defs, **self._profiles.definitions()}
        dispatch = self._profiles.dispatch()
        if dispatch is not None:
            defs["Extension"] = {**defs["Extension"], "allOf": [dispatch]}
        lists = [*self.resource_types, *(one.name for one in self._profiles.overlays.values())]
        self._schema: Json = {
            "$schema": _DRAFT,
            "$defs": defs,
            "type": "object",
            "properties": {name: {"type": "array", "items": {"$ref": f"#/$defs/{name}"}} for name in lists},
        }
        self._validator = jsonschema_rs.Draft202012Validator(self._schema)

    @classmethod
    def shipped(cls, *extra: Path) -> Gate:
        """The gate with the profiles that travel with the package, and those of further folders (*.json)."""
        return _shipped(extra)

    @property
    def profiles(self) -> list[str]:
        """The canonicals of the profiles and extensions that are known."""
        return sorted(self._profiles.overlays)

    @property
    def unsupported(self) -> list[str]:
        """The rules of the given profiles that are not judged, as "profile: element: what"."""
        return self._profiles.unsupported

    def profile_elements(self, canonical: str) -> list[Element]:
        """What a profile says of each element (id, path, merged ElementDefinition). Raises KeyError for one that is not known."""
        return self._profiles.elements(canonical)

    def check(self, value: Any, *, profiles: Mapping[int, Sequence[str]] | None = None, writing: bool = False) -> list[Issue]:
        """Every issue of a resource or Bundle, each with its FHIRPath; none means: good. Never raises, whatever the value.

        profiles: canonicals to judge by, beside those in meta.profile; by the index of the Bundle entry, 0 for a single resource.
        writing: whether this is about to leave: then a `urn:` reference that no entry resolves is always an error.
        """
        try:
            found = unfit(value) or self._judge(value, profiles, writing)
        except RecursionError:
            found = [say("depth", "$this")]
        if len(found) > MOST_ISSUES:
            more = len(found) - MOST_ISSUES
            found = [
                *found[:MOST_ISSUES],
                say("too-many", "$this", severity="information", text=f"There are {more} more issues."),
            ]
        return found

    def _judge(self, value: Any, demanded: Mapping[int, Sequence[str]] | None, writing: bool) -> list[Issue]:
        name = value.get("resourceType") if isinstance(value, dict) else None
        if not isinstance(name, str):
            return [say("resource", "$this")]
        parts: list[Part] = []
        issues = list(split(value, name if name in self.resource_types else "$this", self.resource_types, parts))
        if not parts:
            return issues
        issues += claim(parts, self._profiles)
        if demanded:
            issues += demand(parts, demanded, self._profiles)
        issues += attend(parts, self._profiles)
        batch: dict[str, list[Json]] = {}
        for part in parts:
            batch.setdefault(part.type, []).append(part.resource)
            for overlay in part.overlays:
                batch.setdefault(overlay.name, []).append(part.resource)
        cuts: dict[int, list[Sequence[str | int]]] = {}
        try:
            if not self._validator.is_valid(batch):
                issues += self._read(list(self._validator.iter_errors(batch)), parts, cuts)
        except (ValueError, OverflowError):  # a Python value that is no JSON
            return strange(value) or [say("json", "$this")]
        issues += self._walked(parts, cuts, writing)
        return list(distinct(issues)) if len(issues) > 1 else issues

    def _read(
        self, errors: Sequence[jsonschema_rs.ValidationError], parts: Sequence[Part], cuts: dict[int, list[Sequence[str | int]]]
    ) -> list[Issue]:
        """The issues of the schema's errors, by part; what the base refuses is not judged by an overlay as well."""
        lists: dict[str, list[Part]] = {}
        for part in parts:
            for name in (part.type, *(overlay.name for overlay in part.overlays)):
                lists.setdefault(name, []).append(part)
        found: dict[int, list[Issue]] = {id(part): [] for part in parts}
        for error in sorted(errors, key=lambda one: str(one.instance_path[0]) not in self.resource_types):
            part = lists[str(error.instance_path[0])][int(error.instance_path[1])]
            cut = cuts.setdefault(id(part), [])
            fault = read_error(error, self._schema, part.path, part.type, self._types)
            if str(error.instance_path[0]) in self.resource_types:
                cut.extend(fault.cut)
            elif any(fault.steps[: len(steps)] == list(steps) for steps in cut):
                continue
            found[id(part)] += fault.issues
        return [issue for part in parts for issue in found[id(part)]]

    def _walked(self, parts: Sequence[Part], cuts: Mapping[int, list[Sequence[str | int]]], writing: bool) -> list[Issue]:
        issues: list[Issue] = []
        walks: list[tuple[Part, Walk[ExtensionRule]]] = []
        allowed: dict[int, frozenset[str]] = {}
        for part in parts:
            if cuts.get(id(part)):
                part.resource = without(part.resource, cuts[id(part)])
            walk = Walk(self._profiles.extensions, self._profiles.modifiers)
            walk.node(part.resource, self._nodes[part.type], part.path)
            if walk.found:
                issues += [say(rule, render(place) + below) for rule, place, below in walk.found]
            for overlay in part.overlays:
                issues += _beside(overlay, part.resource, part, "", allowed)
            for extension, rule, place in walk.known:
                if rule.overlay.constraints or rule.overlay.targets:
                    issues += _beside(rule.overlay, extension, part, place, allowed)
            if walk.references:
                walks.append((part, walk))
            if part.type == "Bundle":
                issues += [say("bdl-7", f"{part.path}.entry[{index}].fullUrl") for index in repeated_urls(part.resource)]
        if walks:
            known = References(parts, self.resource_types, writing)
            for part, walk in walks:
                issues += known.judge(part, walk.references, allowed)
        return issues + _unreferred(parts, self._types)


def _beside(overlay: Overlay, node: Json, part: Part, place: Any, allowed: dict[int, frozenset[str]]) -> list[Issue]:
    """The constraints of an overlay that its schema cannot say, on a resource or an extension; notes the types of references."""
    issues: list[Issue] = []
    for targets in overlay.targets:
        for reference, _ in select(node, targets.steps):
            before = allowed.get(id(reference))
            allowed[id(reference)] = targets.types if before is None else before & targets.types
    for constraint in overlay.constraints:
        for one, path in select(node, constraint.steps):
            if not constraint.test(one, part.resource):
                where = (render(place) if place else part.path) + path
                issues.append(say("profile", where, severity=constraint.severity, key=constraint.key, text=constraint.text))
    return issues


def _unreferred(parts: Sequence[Part], types: Mapping[str, Json]) -> list[Issue]:
    inside: dict[int, list[Part]] = {}
    for part in parts:
        if part.container is not None:
            inside.setdefault(id(part.container), []).append(part)
    return [say("dom-3", one.path) for part in parts if id(part) in inside for one in unused(part, inside[id(part)], types)]


@cache
def _shipped(folders: tuple[Path, ...]) -> Gate:
    files = [file for folder in (shipped.PROFILES, *folders) for file in sorted(folder.glob("*.json"))]
    return Gate([json.loads(file.read_text(encoding="utf-8")) for file in files])
