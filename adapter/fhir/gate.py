"""The gate: whether a resource or Bundle is good R4 and meets our profiles, with every issue at once.

One JSON Schema for all types (generated, see `schema/base.py`), with the profiles as overlays, is run by jsonschema-rs: once for
base R4, once for profiles and extensions on what the base has passed. Between them one small walk sees what a schema cannot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from adapter import shipped
from adapter.fhir.gate_faults import Cut, distinct, read_error, strange, without, written
from adapter.fhir.gate_lists import Lists
from adapter.fhir.gate_overlays import Judged, by_rules, by_schema
from adapter.fhir.gate_parts import Part, attend, claim, demand, split
from adapter.fhir.gate_plain import ShortWays, Sight
from adapter.fhir.gate_profiles import Element, ExtensionRule, Profiles
from adapter.fhir.gate_references import References, repeated_urls, unused
from adapter.fhir.gate_walk import Found, Node, Walk, build, render
from adapter.fhir.issue_text import say
from adapter.fhir.json import decode, encode
from adapter.fhir.outcome import Issue, Refused, is_error
from adapter.fhir.schema import tables
from adapter.fhir.schema.plain import well_written

Json = dict[str, Any]

#: As many issues as one answer lists; the last then says how many more there are.
MOST_ISSUES = 200


@cache
def _nodes() -> dict[str, Node]:
    return build(tables.types())


class Gate:
    """Judges by base R4 and by the profiles it was given. Compiled once; safe to share between threads.

    profiles: StructureDefinitions (differentials), ValueSets, CodeSystems and MessageDefinitions as dicts; others are ignored.
    """

    def __init__(self, profiles: Iterable[Json] = ()) -> None:
        self._types, self._nodes = tables.types(), _nodes()
        self.resource_types = frozenset(name for name, entry in self._types.items() if entry.get("resource"))
        self._profiles = Profiles(profiles, self._types)
        self._base_lists = Lists(tables.definition, tables.referred, lambda: self.resource_types)
        self._overlay_lists = Lists(
            self._profiles.definition, lambda _: (), self._profiles.names
        )  # an overlay is whole in itself
        self._short_ways = ShortWays(self._types, self._nodes)

    @classmethod
    def shipped(cls, *extra: Path) -> Gate:
        """The gate with the profiles that travel with the package, and those of further folders (*.json). Made once.

        Raises Refused, with every fault of every file, where a further one is no JSON or no good FHIR.
        """
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

        profiles: canonicals to judge by, beside those in meta.profile; by index of the Bundle entry, 0 for the resource itself.
        writing: whether this is about to leave: then a `urn:` reference that no entry resolves is always an error.
        """
        return self._answer(value, profiles, writing)[0]

    def encode(
        self, value: Any, *, profiles: Mapping[int, Sequence[str]] | None = None, writing: bool = False
    ) -> tuple[bytes, list[Issue]]:
        """The bytes of a resource or Bundle as json.encode gives them, and its issues as check does, in less time than both.

        Raises TypeError and ValueError as json.encode.
        """
        issues, body = self._answer(value, profiles, writing)
        return encode(value) if body is None else body, issues

    def _answer(
        self, value: Any, profiles: Mapping[int, Sequence[str]] | None, writing: bool
    ) -> tuple[list[Issue], bytes | None]:
        """The issues; and the bytes, where the way through the gate has shown that there is no float in the value."""
        body = written(value)
        exact = False
        try:
            found = strange(value) if body is None else []
            if not found:
                short = body is not None and well_written(body)
                if short and self._short_ways.is_good(value, profiles):
                    return [], body
                found, exact = self._judge(value, short, profiles, writing)
        except RecursionError:
            found = [say("depth", "$this")]
        if len(found) > MOST_ISSUES:
            more = len(found) - MOST_ISSUES
            found = [
                *found[:MOST_ISSUES],
                say("too-many", "$this", severity="information", text=f"There are {more} more issues."),
            ]
        return found, body if exact else None

    def _judge(
        self, value: Any, short: bool, demanded: Mapping[int, Sequence[str]] | None, writing: bool
    ) -> tuple[list[Issue], bool]:
        """The issues, and whether it is known that the value holds no float. short: whether short ways may be taken."""
        name = value.get("resourceType") if isinstance(value, dict) else None
        if not isinstance(name, str):
            return [say("resource", "$this")], False
        parts: list[Part] = []
        issues = list(split(value, name if name in self.resource_types else "$this", self.resource_types, parts))
        if not parts:
            return issues, False
        exact = not issues
        issues += claim(parts, self._profiles)
        if demanded:
            issues += demand(parts, demanded, self._profiles)
        if name == "Bundle":
            issues += attend(parts, self._profiles)
        cuts: dict[int, list[Cut]] = {}
        try:
            sights: dict[int, Sight] = {}
            for part in parts:
                sight = self._short_ways.take(part) if short else None
                if sight is not None:
                    sights[id(part)] = sight
                exact = exact and sight is not None and sight.exact
            if len(sights) < len(parts):
                issues += self._base([part for part in parts if id(part) not in sights], cuts)
            issues += self._beyond(parts, sights, cuts, writing)
        except (ValueError, OverflowError):  # a Python value that is no JSON
            return strange(value) or [say("json", "$this")], False
        if not issues and exact and len(parts) == 1:
            self._short_ways.remember(parts[0], demanded)
        return list(distinct(issues)) if len(issues) > 1 else issues, exact

    def _base(self, parts: Sequence[Part], cuts: dict[int, list[Cut]]) -> list[Issue]:
        """What base R4 refuses; notes the places that nothing after it may trust."""
        batch: dict[str, list[Json]] = {}
        for part in parts:
            batch.setdefault(part.type, []).append(part.resource)
        _, validator, schema = self._base_lists.of(batch)
        if validator.is_valid(batch):
            return []
        lists: dict[str, list[Part]] = {}
        for part in parts:
            lists.setdefault(part.type, []).append(part)
        found: dict[int, list[Issue]] = {id(part): [] for part in parts}
        for error in validator.iter_errors(batch):
            part = lists[str(error.instance_path[0])][int(error.instance_path[1])]
            refused = read_error(error, schema, part.path, part.type, self._types)
            found[id(part)] += refused.issues
            cuts.setdefault(id(part), []).extend(refused.cuts)
        return [issue for part in parts for issue in found[id(part)]]

    def _beyond(
        self, parts: Sequence[Part], sights: Mapping[int, Sight], cuts: Mapping[int, list[Cut]], writing: bool
    ) -> list[Issue]:
        """The walk, the profiles and extensions, and the references: all on what base R4 has passed."""
        issues: list[Issue] = []
        references: list[tuple[Part, list[Found]]] = []
        judged: list[Judged] = []
        for part in parts:
            sight: Sight | Walk[ExtensionRule] | None = sights.get(id(part))
            if sight is None or len(sight.found) > 1:  # then their order matters
                sight = walk = self._walk(part, cuts)
                judged += [(overlay, part.resource, part, part.path) for overlay in part.overlays]
                judged += [(rule.overlay, extension, part, place) for extension, rule, place in walk.known]
            else:
                judged += [(overlay, part.resource, part, part.path) for overlay in part.overlays]
            if sight.found:
                issues += [say(rule, render(place)) for rule, place in sight.found]
            if sight.references:
                references.append((part, sight.references))
            if part.type == "Bundle":
                issues += [say("bdl-7", f"{part.path}.entry[{index}].fullUrl") for index in repeated_urls(part.resource)]
        allowed: dict[int, frozenset[str]] = {}
        if judged:
            if len(sights) < len(parts):
                issues += by_schema([one for one in judged if id(one[2]) not in sights], self._overlay_lists, self._types, cuts)
            issues += by_rules(judged, allowed if references else None)
        if references:
            known = References(parts, self.resource_types, writing)
            for part, found in references:
                told = list(known.judge(part, found, allowed))
                if len(told) > 1 and id(part) in sights:  # then their order matters
                    told = list(known.judge(part, self._walk(part, cuts).references, allowed))
                issues += told
        return issues + (_unreferred(parts, self._types) if len(parts) > 1 else [])

    def _walk(self, part: Part, cuts: Mapping[int, list[Cut]]) -> Walk[ExtensionRule]:
        """The long walk over one resource, without what the base refuses of it."""
        if cuts.get(id(part)):
            part.resource = without(part.resource, [cut.steps for cut in cuts[id(part)]])
        walk = Walk(self._profiles.extensions, self._profiles.modifiers)
        walk.node(part.resource, self._nodes[part.type], part.path)
        return walk


def _unreferred(parts: Sequence[Part], types: Mapping[str, Json]) -> list[Issue]:
    inside: dict[int, list[Part]] = {}
    for part in parts:
        if part.container is not None:
            inside.setdefault(id(part.container), []).append(part)
    return [say("dom-3", one.path) for part in parts if id(part) in inside for one in unused(part, inside[id(part)], types)]


@cache
def _shipped(folders: tuple[Path, ...]) -> Gate:
    held = [decode(file.read_bytes(), source=file.name) for file in sorted(shipped.PROFILES.glob("*.json"))]
    more = [(file, decode(file.read_bytes(), source=file.name)) for folder in folders for file in sorted(folder.glob("*.json"))]
    if more:
        plain = Gate()
        faults = [
            {**one, "diagnostics": f"{file.name}: {one['diagnostics']}"} for file, read in more for one in plain.check(read)
        ]
        if any(map(is_error, faults)):
            raise Refused(faults)
    return Gate([*held, *(read for _, read in more)])
