"""The profiles a gate was given, compiled: overlays for resources, rules of extensions, and what a message's event demands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from adapter.fhir.outcome import BASE
from adapter.fhir.schema.differential import Branch
from adapter.fhir.schema.overlay import Overlay
from adapter.fhir.schema.valuesets import ValueSets, bare

Json = dict[str, Any]
Schema = dict[str, Any]

#: How our MessageDefinitions name the profiles of resources that are no focus: MessageDefinition itself has no element for them.
SUPPORTING = f"{BASE}/StructureDefinition/message-supporting-profile"


class ExtensionRule(NamedTuple):
    """An extension that is known: where it may stand (None: not said in a way that is checked here), and its overlay."""

    contexts: frozenset[str] | None
    overlay: Overlay


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
        self.overlays: dict[str, Overlay] = {}
        for number, (url, structure) in enumerate(sorted(structures.items())):
            if structure["type"] in types:
                self.overlays[url] = Overlay(structure, number, structures, types, value_sets)
        self.extensions: dict[str, ExtensionRule] = {}
        self.modifiers: set[str] = set()
        for url, overlay in self.overlays.items():
            if overlay.type == "Extension":
                self.extensions[url] = ExtensionRule(_contexts(structures[url]), overlay)
            self.modifiers |= set(_modifiers(overlay))
        self.events: dict[tuple[str, str], Event] = {}
        for one in held:
            if one.get("resourceType") == "MessageDefinition" and "eventCoding" in one:
                self.events[one["eventCoding"].get("system", ""), one["eventCoding"].get("code", "")] = _event(one)
        self.event_systems = frozenset(system for system, _ in self.events)

    @property
    def unsupported(self) -> list[str]:
        """Every rule of every profile that nobody judges: "profile: element id: what"."""
        return [f"{overlay.title}: {what}" for overlay in self.overlays.values() for what in overlay.unsupported]

    def definitions(self) -> dict[str, Schema]:
        """The overlays as definitions."""
        return {overlay.name: overlay.schema for overlay in self.overlays.values()}

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


def _modifiers(overlay: Overlay) -> Iterator[str]:
    if overlay.type == "Extension" and overlay.tree.element.get("isModifier"):
        yield overlay.url
    for branch in overlay.tree.walk():
        inner: Branch | None = branch.children.get("modifierExtension")
        for one in inner.slices.values() if inner is not None else ():
            yield from (bare(profile) for t in one.element.get("type", ()) for profile in t.get("profile", ()))


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
