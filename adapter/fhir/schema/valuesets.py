"""The codes of a value set, as far as the package itself holds them: expansions, enumerations, and whole code systems.

No terminology server is asked. A value set that filters, or that includes a code system we do not hold, has no expansion here.
https://hl7.org/fhir/R4/valueset.html#compositions
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Json = dict[str, Any]
#: (system, code)
Codes = set[tuple[str, str]]


def bare(canonical: str) -> str:
    """A canonical without its version."""
    return canonical.partition("|")[0]


class ValueSets:
    """Expansions by canonical, each made when it is first asked for."""

    def __init__(self, artefacts: Iterable[Mapping[str, Any]]) -> None:
        self._sets: dict[str, Mapping[str, Any]] = {}
        self._systems: dict[str, Mapping[str, Any]] = {}
        for one in artefacts:
            if one.get("resourceType") == "ValueSet":
                self._sets[one["url"]] = one
            elif one.get("resourceType") == "CodeSystem":
                self._systems[one["url"]] = one
        self._known: dict[str, Codes | None] = {}

    def codes(self, canonical: str) -> Codes | None:
        """Every (system, code) of the value set, or None where that is not known here."""
        url = bare(canonical)
        if url not in self._known:
            self._known[url] = None  # a value set that includes itself has no expansion
            self._known[url] = self._expand(url)
        return self._known[url]

    def _expand(self, url: str) -> Codes | None:
        value_set = self._sets.get(url)
        if value_set is None:
            return None
        if "expansion" in value_set:
            return set(_contained(value_set["expansion"].get("contains", ())))
        compose = value_set.get("compose", {})
        found: Codes = set()
        for include in compose.get("include", ()):
            codes = self._include(include)
            if codes is None:
                return None
            found |= codes
        for exclude in compose.get("exclude", ()):
            codes = self._include(exclude)
            if codes is None:
                return None
            found -= codes
        return found or None

    def _include(self, include: Mapping[str, Any]) -> Codes | None:
        """A system's part and the value sets of one include: what is in all of them."""
        if "filter" in include:
            return None
        parts: list[Codes] = []
        if "system" in include:
            codes = self._of_system(include)
            if codes is None:
                return None
            parts.append(codes)
        for canonical in include.get("valueSet", ()):
            codes = self.codes(canonical)
            if codes is None:
                return None
            parts.append(codes)
        return set.intersection(*parts) if parts else None

    def _of_system(self, include: Mapping[str, Any]) -> Codes | None:
        system = include["system"]
        if "concept" in include:
            return {(system, concept["code"]) for concept in include["concept"]}
        held = self._systems.get(system)
        if held is None or held.get("content") != "complete":
            return None
        return {(system, code) for code in _concepts(held.get("concept", ()))}


def _concepts(concepts: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for concept in concepts:
        yield concept["code"]
        yield from _concepts(concept.get("concept", ()))


def _contained(contains: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for one in contains:
        if "code" in one and not one.get("abstract"):
            yield one.get("system", ""), one["code"]
        yield from _contained(one.get("contains", ()))
