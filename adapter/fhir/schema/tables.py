"""The generated base schema and type table, as they are shipped beside this module (`base.py` writes them)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

Json = dict[str, Any]

GENERATED = Path(__file__).resolve().parent / "generated"


@cache
def definitions() -> dict[str, Json]:
    """Definition name -> JSON Schema. Shared: not to be changed."""
    read: dict[str, Json] = json.loads((GENERATED / "defs.json").read_text(encoding="utf-8"))
    return read


@cache
def types() -> dict[str, Json]:
    """Type name -> {path, resource, elements}; an element is a row of base.Row. Shared: not to be changed."""
    read: dict[str, Json] = json.loads((GENERATED / "types.json").read_text(encoding="utf-8"))
    return read


@cache
def choices() -> dict[str, frozenset[str]]:
    """Choice base -> its JSON names, over all types: `value` -> valueString, valueCode, ..."""
    found: dict[str, set[str]] = {}
    for entry in types().values():
        for json_name, row in entry["elements"].items():
            if "b" in row:
                found.setdefault(row["b"], set()).add(json_name)
    return {base: frozenset(names) for base, names in found.items()}
