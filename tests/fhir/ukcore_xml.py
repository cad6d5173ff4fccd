"""Reads FHIR artefacts (StructureDefinition, ValueSet, CodeSystem) from XML, for tests that use UK Core as it is published."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from adapter.fhir.schema import tables

Json = dict[str, Any]

_FHIR = "{http://hl7.org/fhir}"
_NUMBERS = {"integer", "positiveInt", "unsignedInt"}


def read(folder: Path) -> list[Json]:
    """Every artefact below a folder that the adapter's type table can read."""
    found = []
    for file in sorted(folder.rglob("*.xml")):
        root = ET.fromstring(file.read_text(encoding="utf-8"))
        name = root.tag.removeprefix(_FHIR)
        if name in ("StructureDefinition", "ValueSet", "CodeSystem"):
            found.append({"resourceType": name, **_object(root, name)})
    return found


def _object(node: ET.Element, type_name: str) -> Json:
    rows = tables.types()[type_name]["elements"]
    made: Json = dict(node.attrib)
    for child in node:
        name = child.tag.removeprefix(_FHIR)
        row = rows.get(name)
        if row is None:
            continue  # the narrative's xhtml, and nothing else in these files
        value = _value(child, row)
        if row.get("l"):
            made.setdefault(name, []).append(value)
        else:
            made[name] = value
    return made


def _value(node: ET.Element, row: Json) -> Any:
    if not row.get("p"):
        return _object(node, row["t"])
    text = node.get("value", "")
    if row["t"] == "boolean":
        return text == "true"
    return int(text) if row["t"] in _NUMBERS else text
