"""The FHIR artefacts that are published: ours from profiles/, and the ConceptMaps of every connected system.

Read once, when the server starts; each is served as it stands in its file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from adapter.fhir import json
from adapter.shipped import MAPPINGS, PROFILES

#: What is served under /fhir, by type.
TYPES = ("StructureDefinition", "ValueSet", "CodeSystem", "ConceptMap", "StructureMap", "MessageDefinition", "NamingSystem")
#: The search parameters that every one of them has here. https://hl7.org/fhir/R4/structuredefinition.html#search
SEARCHED = ("_id", "url", "name", "version")

Resource = dict[str, Any]


class Artefacts:
    """The published artefacts, by type and id.

    mappings: further folders of systems whose ConceptMaps are published as well.
    """

    def __init__(self, mappings: Iterable[Path] = ()) -> None:
        self.by_type: dict[str, dict[str, Resource]] = {}
        for resource in _read((PROFILES.glob("*.json"), *(folder.glob("*/codes/*.json") for folder in (MAPPINGS, *mappings)))):
            self.by_type.setdefault(resource["resourceType"], {})[resource["id"]] = resource

    @property
    def types(self) -> list[str]:
        """The types of which there are any."""
        return [t for t in TYPES if t in self.by_type]

    def read(self, resource_type: str, resource_id: str) -> Resource | None:
        """One artefact, None where there is none of this id."""
        return self.by_type.get(resource_type, {}).get(resource_id)

    def search(self, resource_type: str, said: dict[str, str]) -> list[Resource]:
        """Those that match every parameter: _id, url and version in full, name by its beginning whatever the case."""
        wanted = dict(said)
        name = wanted.pop("name", "").casefold()
        keys = {("id" if key == "_id" else key): value for key, value in wanted.items()}
        return [
            one
            for one in self.by_type.get(resource_type, {}).values()
            if all(one.get(key) == value for key, value in keys.items()) and str(one.get("name", "")).casefold().startswith(name)
        ]

    def concept_maps(self, url: str | None) -> list[Resource]:
        """The ConceptMaps with this canonical; all of them for None."""
        return [one for one in self.by_type.get("ConceptMap", {}).values() if url in (None, one.get("url"))]


def _read(files: Iterable[Iterable[Path]]) -> Iterator[Resource]:
    for group in files:
        for file in sorted(group):
            resource = json.decode(file.read_bytes(), source=str(file))
            if resource.get("resourceType") in TYPES:
                yield {"id": file.stem, **resource}
