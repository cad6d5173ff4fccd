"""References of one message, judged when every resource in it is known: `#id`, `urn:`, and the types an element may refer to.

https://hl7.org/fhir/R4/references.html and, for the fullUrl of an entry, https://hl7.org/fhir/R4/bundle.html#references
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from adapter.fhir.gate_parts import Part
from adapter.fhir.gate_walk import Element, Found, Place, render
from adapter.fhir.issue_text import say
from adapter.fhir.outcome import Issue
from adapter.fhir.schema.primitives import LINKS

Json = dict[str, Any]

#: Elements that say whom a resource is about, under whatever name its type gives it.
_ABOUT = frozenset({"subject", "patient", "for"})


class References:
    """What the references of a message can be resolved to."""

    def __init__(self, parts: Iterable[Part], type_names: frozenset[str], writing: bool) -> None:
        self._type_names = type_names
        self._writing = writing
        self._urls: dict[int, dict[str, Any]] = {}
        self._contained: dict[int, dict[str, str]] = {}
        for part in parts:
            if part.container is not None:
                name = part.resource.get("id")
                if isinstance(name, str):
                    self._contained.setdefault(id(part.container), {})[name] = part.type
            if part.type == "Bundle":
                self._urls[id(part)] = dict(_entries(part.resource))

    def judge(self, part: Part, found: Iterable[Found], allowed: Mapping[int, frozenset[str]]) -> Iterator[Issue]:
        """The faults of the references that the walk of this part collected.

        allowed: the types that profiles leave, by id() of the reference.
        """
        for reference, element, place in found:
            text = reference.get("reference")
            claimed = reference.get("type")
            if text is None:
                target = claimed
            else:
                target, rule, severity = self._resolve(part, text, element, place)
                if rule:
                    yield say(rule, render(place), severity=severity)
                if target is None:
                    target = claimed
                elif claimed is not None and claimed != target and claimed in self._type_names:
                    yield say("reference-type", f"{render(place)}.type")
            if target is None or target not in self._type_names:
                continue
            narrowed = allowed.get(id(reference)) if allowed else None
            if (element.targets is not None and target not in element.targets) or (
                narrowed is not None and target not in narrowed
            ):
                yield say("reference-target", render(place))

    def _resolve(self, part: Part, text: str, element: Element, place: Place) -> tuple[str | None, str, str]:
        """(type, broken rule or "", severity)"""
        if text.startswith("#"):
            root = part.container or part
            if text == "#":
                return root.type, "", ""
            target = self._contained.get(id(root), {}).get(text[1:])
            return target, "" if target is not None else "ref-1", "error"
        if text.startswith("urn:"):
            urls = self._urls.get(id(part.bundle)) if part.bundle is not None else None
            if urls is not None and text in urls:
                return _type_of(urls[text]), "", ""
            return None, "reference-unresolved", "error" if self._must_resolve(part, element, place) else "warning"
        return self._type_in(text), "", ""

    def _must_resolve(self, part: Part, element: Element, place: Place) -> bool:
        """Reading is lenient but for what the message is about: a dose must not be filed without its patient."""
        if self._writing or element.path == "MessageHeader.focus":
            return True
        return part.focus and element.name in _ABOUT and isinstance(place, tuple) and isinstance(place[0], str)

    def _type_in(self, text: str) -> str | None:
        """Type of [base/]Type/id[/_history/version]; None where the text is of another form."""
        steps = text.split("/_history/", 1)[0].rsplit("/", 2)
        return steps[-2] if len(steps) > 1 and steps[-2] in self._type_names else None


def _entries(bundle: Json) -> Iterator[tuple[str, Any]]:
    for entry in _dicts(bundle.get("entry")):
        url = entry.get("fullUrl")
        if isinstance(url, str):
            yield url, entry.get("resource")


def _dicts(value: Any) -> Iterator[Json]:
    return (one for one in value if isinstance(one, dict)) if isinstance(value, list) else iter(())


def _type_of(resource: Any) -> str | None:
    name = resource.get("resourceType") if isinstance(resource, dict) else None
    return name if isinstance(name, str) else None


def repeated_urls(bundle: Json) -> Iterator[int]:
    """bdl-7: the indexes of entries whose fullUrl and version stand before. Not asked of a history."""
    if bundle.get("type") == "history":
        return
    seen: set[tuple[str, Any]] = set()
    for index, entry in enumerate(bundle.get("entry", ())):
        url = entry.get("fullUrl")
        if url is None:
            continue
        meta = entry.get("resource", {}).get("meta", {})
        key = (url, meta.get("versionId") if isinstance(meta, dict) else None)
        if key in seen:
            yield index
        seen.add(key)


def unused(part: Part, contained: Iterable[Part], types: Mapping[str, Json]) -> Iterator[Part]:
    """dom-3: the contained resources that nothing refers to, and that do not refer to their container."""
    inside = list(contained)
    used = set(_local(part.resource, part.type, types))
    for one in inside:
        links = set(_local(one.resource, one.type, types))
        if "#" in links:
            used.add(f"#{one.resource.get('id')}")
        used |= links
    for one in inside:
        if f"#{one.resource.get('id')}" not in used:
            yield one


def _local(value: Any, type_name: str, types: Mapping[str, Json]) -> Iterator[str]:
    """The `#id` of every reference, canonical, uri and url below."""
    if not isinstance(value, dict):
        return
    rows = types.get(type_name, {}).get("elements", {})
    for key, item in value.items():
        row = rows.get(key)
        if row is None or key == "contained":
            type_below = "Element" if key.startswith("_") else "Extension" if key == "extension" else ""
            if type_below:
                for one in item if isinstance(item, list) else (item,):
                    yield from _local(one, type_below, types)
            continue
        for one in item if isinstance(item, list) else (item,):
            if isinstance(one, str):
                if one.startswith("#") and (row["t"] in LINKS or (type_name, key) == ("Reference", "reference")):
                    yield one
            else:
                yield from _local(one, row["t"], types)
