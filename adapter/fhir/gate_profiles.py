"""The profiles a gate was given, compiled: overlays for resources, rules of extensions, and what a message's event demands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from adapter.fhir.outcome import BASE
from adapter.fhir.schema.overlay import Overlay
from adapter.fhir.schema.valuesets import ValueSets, bare

Json = dict[str, Any]
Schema = dict[str, Any]

#: How our MessageDefinitions name the profiles of resources that are no focus: MessageDefinition itself has no element for them.
SUPPORTING = f"{BASE}/StructureDefinition/message-supporting-profile"


class Overlays(Mapping[str, Overlay]):
    """The overlays by canonical, each compiled when it is first asked for."""

    def __init__(self, structures: Mapping[str, Json], types: Mapping[str, Json], value_sets: ValueSets) -> None:
        self._structures, self._types, self._value_sets = structures, types, value_sets
        self._numbers = {url: n for n, (url, one) in enumerate(sorted(structures.items())) if one["type"] in types}
        self._made: dict[str, Overlay] = {}
        #: Name of its definition -> canonical, of those that have been asked for.
        self.urls: dict[str, str] = {}

    def __getitem__(self, url: str) -> Overlay:
        made = self._made.get(url)
        if made is None:
            made = Overlay(self._structures[url], self._numbers[url], self._structures, self._types, self._value_sets)
            made = self._made.setdefault(url, made)  # of two threads, one makes what both use
            self.urls[made.name] = url
        return made

    def named(self, canonical: str) -> Overlay | None:
        """The overlay of a canonical, whatever its version; None for one that is not known."""
        made = self._made.get(canonical)  # most have no version and have been asked for before
        return self.get(bare(canonical)) if made is None else made

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def __contains__(self, url: object) -> bool:
        return url in self._numbers


class ExtensionRule:
    """An extension that is known: where it may stand (None: not said in a way that is checked here), and its overlay."""

    __slots__ = ("_overlays", "_url", "contexts")

    def __init__(self, url: str, contexts: frozenset[str] | None, overlays: Overlays) -> None:
        self._url, self.contexts, self._overlays = url, contexts, overlays

    @property
    def overlay(self) -> Overlay:
        """What its StructureDefinition says."""
        return self._overlays[self._url]


class Focus(NamedTuple):
    """One focus of a message definition. most: None is unlimited; profile: "" where none is named."""

    type: str
    profile: str
    least: int
    most: int | None


class Event(NamedTuple):
    """What an event demands of its message."""

    focus: tuple[Focus, ...]
    supporting: tuple[tuple[str, str], ...]

    def focus_profiles(self, type_name: str) -> list[str]:
        """The profiles of a focus of this type."""
        return [one.profile for one in self.focus if one.type == type_name and one.profile]

    def supporting_profiles(self, type_name: str) -> list[str]:
        """The profiles of a resource of this type that is no focus."""
        return [profile for name, profile in self.supporting if name == type_name]


class Element(NamedTuple):
    """One element of a profile that carries rules, for tests that break each of them."""

    id: str
    path: str
    element: Json


class Profiles:
    """Everything compiled from StructureDefinitions, ValueSets, CodeSystems and MessageDefinitions.

    overlays: by canonical; extensions: by url; modifiers: urls of extensions that may be modifiers here; events: by coding.
    """

    def __init__(self, artefacts: Iterable[Json], types: Mapping[str, Json]) -> None:
        held = list(artefacts)
        value_sets = ValueSets(held)
        structures = {
            one["url"]: one
            for one in held
            if one.get("resourceType") == "StructureDefinition" and one.get("derivation") == "constraint"
        }
        self.overlays = Overlays(structures, types, value_sets)
        self.extensions = {
            url: ExtensionRule(url, _contexts(structures[url]), self.overlays)
            for url in self.overlays
            if structures[url]["type"] == "Extension"
        }
        self.modifiers = {url for url in self.extensions if _is_modifier(url, structures)}
        self.modifiers |= {url for one in structures.values() for url in _modifiers(one)}
        self.events: dict[tuple[str, str], Event] = {}
        for one in held:
            if one.get("resourceType") == "MessageDefinition" and "eventCoding" in one:
                self.events[one["eventCoding"].get("system", ""), one["eventCoding"].get("code", "")] = _event(one)
        self.event_systems = frozenset(system for system, _ in self.events)

    @property
    def unsupported(self) -> list[str]:
        """Every rule of every profile that nobody judges: "profile: element id: what"."""
        return [f"{overlay.title}: {what}" for overlay in self.overlays.values() for what in overlay.unsupported]

    def definition(self, name: str) -> Schema:
        """The overlay whose definition has this name."""
        return self.overlays[self.overlays.urls[name]].schema

    def names(self) -> list[str]:
        """The names of all overlays' definitions."""
        return [overlay.name for overlay in self.overlays.values()]

    def elements(self, canonical: str) -> list[Element]:
        """The elements of a profile and of its parents among the profiles."""
        overlay = self.overlays[bare(canonical)]
        return [Element(one.id, one.element.get("path", one.id), one.element) for one in overlay.tree.walk() if one.element]


def _contexts(structure: Mapping[str, Any]) -> frozenset[str] | None:
    """The elements and types that an extension may stand on; None where a context is of another kind (fhirpath, extension)."""
    contexts = structure.get("context", ())
    if not contexts or any(one.get("type") != "element" for one in contexts):
        return None
    return frozenset(one["expression"].removesuffix("[x]") for one in contexts)


def _is_modifier(url: str, structures: Mapping[str, Json]) -> bool:
    """Whether an extension says of itself, or a parent among the profiles of it, that it is a modifier."""
    seen: set[str] = set()
    while url in structures and url not in seen:
        seen.add(url)
        for element in _elements(structures[url]):
            if element["path"] == "Extension" and "isModifier" in element:
                return bool(element["isModifier"])
        url = bare(structures[url].get("baseDefinition", ""))
    return False


def _modifiers(structure: Mapping[str, Any]) -> Iterator[str]:
    """The extensions that a profile names where modifiers stand."""
    for element in _elements(structure):
        if element.get("sliceName") and element["path"].endswith(".modifierExtension"):
            yield from (bare(profile) for one in element.get("type", ()) for profile in one.get("profile", ()))


def _elements(structure: Mapping[str, Any]) -> list[Json]:
    found: list[Json] = structure.get("differential", {}).get("element", [])
    return found


def _event(definition: Mapping[str, Any]) -> Event:
    focus = tuple(
        Focus(
            one["code"], bare(one.get("profile", "")), one.get("min", 0), None if one.get("max", "*") == "*" else int(one["max"])
        )
        for one in definition.get("focus", ())
    )
    supporting = []
    for extension in definition.get("extension", ()):
        if extension["url"] == SUPPORTING:
            values = {one["url"]: one for one in extension["extension"]}
            supporting.append((values["code"]["valueCode"], bare(values["profile"]["valueCanonical"])))
    return Event(focus, tuple(supporting))
