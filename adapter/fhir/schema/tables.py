"""The generated base schema and type table, as they are shipped beside this module (`base.py` writes them)."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

Json = dict[str, Any]

GENERATED = Path(__file__).resolve().parent / "generated"
_REFERENCE = re.compile(rb'"#/\$defs/([^"]+)"')


@cache
def definitions() -> dict[str, Json]:
    """Definition name -> JSON Schema. Shared: not to be changed."""
    return {name: definition(name) for name in _texts()}


@cache
def definition(name: str) -> Json:
    """One of them: a message needs a few, and reading all takes longer than its translation. Raises KeyError."""
    read: Json = msgspec.json.decode(_texts()[name])
    return read


def referred(name: str) -> list[str]:
    """The names of the definitions that one refers to."""
    return [found.decode() for found in _REFERENCE.findall(bytes(_texts()[name]))]


@cache
def _texts() -> dict[str, msgspec.Raw]:
    return msgspec.json.decode((GENERATED / "defs.json").read_bytes(), type=dict[str, msgspec.Raw])


@cache
def types() -> dict[str, Json]:
    """Type name -> {path, resource, elements}; an element is a row of base.Row. Shared: not to be changed."""
    read: dict[str, Json] = msgspec.json.decode((GENERATED / "types.json").read_bytes())
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
