"""A set of profiles as tests see them: their codes, good instances of their extensions, and a Spoiler for each."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from adapter.fhir.gate import Gate
from adapter.fhir.schema import tables
from tests.fhir.spoiling import VALUES, Spoiler

Json = dict[str, Any]


BASIC: Json = {"resourceType": "Basic", "code": {"text": "x"}}


class Artefacts:
    """StructureDefinitions, ValueSets and CodeSystems, and the gate that was made with them.

    structures: by url; codes: value set -> its codes, where the artefacts hold them all; given: good instances of extensions that
    cannot be made up from their definition.
    """

    def __init__(self, artefacts: Iterable[Json], gate: Gate, given: dict[str, Json] | None = None) -> None:
        held = list(artefacts)
        self.gate = gate
        self.structures = {one["url"]: one for one in held if one["resourceType"] == "StructureDefinition"}
        self._systems = {one["url"]: _codes(one.get("concept", ())) for one in held if one["resourceType"] == "CodeSystem"}
        sets = {one["url"]: self._included(one) for one in held if one["resourceType"] == "ValueSet"}
        self._codings = {url: codings for url, codings in sets.items() if codings}
        self.codes = {url: {code for _, code in codings} for url, codings in self._codings.items()}
        self._given = given or {}

    def _included(self, value_set: Json) -> set[tuple[str, str]]:
        """Every (system, code), or nothing where not all of them are here."""
        if "expansion" in value_set:
            return {(one["system"], one["code"]) for one in value_set["expansion"]["contains"]}
        found: set[tuple[str, str]] = set()
        for include in value_set.get("compose", {}).get("include", ()):
            system = include.get("system", "")
            codes = {one["code"] for one in include.get("concept", ())} or self._systems.get(system, set())
            if not codes or "filter" in include:
                return set()
            found |= {(system, code) for code in codes}
        return found

    def of_profile(self, url: str, example: Json) -> Spoiler:
        """Breaks the rules of a profile in an example of it."""
        return Spoiler(self.gate.profile_elements(url), example, (), self.structures[url]["type"], self.codes)

    def of_extension(self, url: str, hosts: Mapping[str, Json] | None = None) -> Spoiler:
        """Breaks the rules of an extension in an instance made here: on one of the hosts that its context names, or on a Basic."""
        contexts = [one["expression"] for one in self.structures[url].get("context", ())]
        host = next((one for name, one in (hosts or {}).items() if name in contexts), BASIC)
        before = [one for one in host.get("extension", []) if one["url"] != url]
        made = {**host, "extension": [*before, self.extension(url)]}
        path = f"{host['resourceType']}.extension[{len(before)}]"
        return Spoiler(self.gate.profile_elements(url), made, ("extension", len(before)), path, self.codes)

    def extension(self, url: str) -> Json:
        """A good instance of an extension, with everything that its definition names."""
        if url in self._given:
            return self._given[url]
        if url not in self.structures:
            return {"url": url, "valueString": "x"}
        return self._filled({one.id: one.element for one in self.gate.profile_elements(url)}, "Extension", url)

    def _filled(self, elements: dict[str, Json], id_: str, url: str) -> Json:
        made: Json = {"url": url}
        slices = [one for one in elements if one.startswith(f"{id_}.extension:") and "." not in one.removeprefix(f"{id_}.")]
        inner = [self._filled(elements, one, _url(elements, one)) for one in slices if elements[one].get("max") != "0"]
        if inner:
            return {**made, "extension": inner}
        value = elements.get(f"{id_}.value[x]", {})
        type_ = value.get("type", [{"code": "string"}])[0]["code"]
        made[f"value{type_[0].upper()}{type_[1:]}"] = self._value(elements, f"{id_}.value[x]", type_)
        return made

    def _value(self, elements: dict[str, Json], id_: str, type_: str) -> Any:
        element = elements.get(id_, {})
        value = copy.deepcopy(VALUES[type_])
        bound = element.get("binding", {}).get("valueSet", "").partition("|")[0]
        if element.get("binding", {}).get("strength") == "required" and bound in self._codings:
            system, code = min(self._codings[bound])
            coding = {"system": system, "code": code}
            value = {"code": coding["code"], "Coding": coding, "CodeableConcept": {"coding": [coding]}}[type_]
        if isinstance(value, dict):
            for name, row in tables.types()[type_]["elements"].items():
                child = elements.get(f"{id_}.{name}", {})
                if any(key.startswith("fixed") for key in child):
                    value[name] = next(one for key, one in child.items() if key.startswith("fixed"))
                elif child.get("min") and name not in value:
                    value[name] = [VALUES[row["t"]]] if row.get("l") else VALUES[row["t"]]
        return value


def _codes(concepts: Iterable[Json]) -> set[str]:
    found: set[str] = set()
    for one in concepts:
        found |= {one["code"], *_codes(one.get("concept", ()))}
    return found


def _url(elements: dict[str, Json], slice_id: str) -> str:
    fixed: str | None = elements.get(f"{slice_id}.url", {}).get("fixedUri")
    return fixed or str(elements[slice_id]["type"][0]["profile"][0])
