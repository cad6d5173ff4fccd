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
