"""The JSON Schemas of a system and of its maps, judged as documents: what `maps check` sees beside the compiler."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from adapter.fhir.schema_document import document_faults, schema_faults
from adapter.mapping import language
from adapter.mapping.faults import Fault, Faults

MAP_SCHEMA = Path(language.__file__).parent / "map.schema.json"


def judge_schemas(folder: Path) -> Iterator[Fault]:
    """Every fault of the JSON Schemas below a system's folder, and of its maps as the editors' schema sees them."""
    for file in sorted(folder.glob("**/*.schema.json")):
        try:
            schema = json.loads(file.read_text("utf-8"))
        except ValueError:
            continue  # the compiler has said so
        for what in schema_faults(schema):
            yield Fault(_shown(file, folder), 1, what, "a validator would pass over it", "mend the keyword there")
    map_schema = json.loads(MAP_SCHEMA.read_text("utf-8"))
    for file in sorted(folder.glob("**/*.yaml")):
        if file.name == "system.yaml":
            continue
        faults = Faults(_shown(file, folder))
        text = faults.text(file)
        node = language.compose(text, faults) if text is not None else None
        if node is None:
            continue  # the compiler has said so
        document = json.loads(json.dumps(language.data(node, faults), default=float))
        for place in document_faults(document, map_schema):
            yield Fault(_shown(file, folder), 1, f"not a map at {place}", "see map.schema.json", "mend what stands there")


def _shown(file: Path, folder: Path) -> str:
    return str(file.relative_to(folder.parent))
