"""Places in a resource or record, as the subset of FHIRPath that names one: `Bundle.entry[2].resource.dosageInstruction[0]`.

A place is parts (keys and indexes) in code and text for people. Elements have their names in JSON: that `valueQuantity` is
`value` to FHIRPath needs the type, which is the gate's knowledge. https://hl7.org/fhirpath/N1/#path-selection
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

Part = str | int
Parts = tuple[Part, ...]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STEP = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)|`(?P<quoted>(?:[^`\\]|\\.)*)`|\[(?P<index>0|[1-9][0-9]*)\]", re.DOTALL)


def render(parts: Iterable[Part]) -> str:
    """The text of a place: keys joined by dots, indexes (from 0) in brackets, and other keys than names in backticks."""
    text = ""
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]"
            continue
        name = part if _NAME.fullmatch(part) else "`" + part.replace("\\", "\\\\").replace("`", "\\`") + "`"
        text += f".{name}" if text else name
    return text


def parse(text: str) -> Parts:
    """The parts of a place, as render writes it. Raises ValueError, with the column counted from 1, for anything else."""
    parts: list[Part] = []
    at = 0
    while at < len(text):
        dotted = bool(parts) and text[at] == "."
        found = _STEP.match(text, at + dotted)
        if found is None or (dotted if found["index"] else parts and not dotted):
            raise ValueError(f"not a path: stops making sense at column {at + 1}")
        if found["index"] is not None:
            parts.append(int(found["index"]))
        elif found["name"] is not None:
            parts.append(found["name"])
        else:
            parts.append(re.sub(r"\\(.)", r"\1", found["quoted"], flags=re.DOTALL))
        at = found.end()
    return tuple(parts)


def get(resource: Any, text: str) -> list[Any]:
    """All that stands at this place; [] where nothing does. Lists are walked through, as FHIRPath's collections are.

    The path may begin with the resource's own type. An index picks from everything found so far: `name.given[0]` is the first
    given name of all. Raises ValueError for what parse refuses.
    """
    parts = parse(text)
    if isinstance(resource, dict) and parts and parts[0] == resource.get("resourceType"):
        parts = parts[1:]
    found = _flat([resource])
    for part in parts:
        if isinstance(part, int):
            found = _flat(found[part : part + 1])
        else:
            found = _flat([node[part] for node in found if isinstance(node, dict) and part in node])
    return found


def leaves(value: Any, parts: Parts = ()) -> Iterator[tuple[Parts, Any]]:
    """Place and value of every scalar, null too, in document order. What is empty has none. `parts` goes before each place."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield from leaves(member, (*parts, key))
    elif isinstance(value, list):
        for at, member in enumerate(value):
            yield from leaves(member, (*parts, at))
    else:
        yield parts, value


def _flat(values: Iterable[Any]) -> list[Any]:
    """The values, the members of lists in place of the lists, without null: a collection of FHIRPath."""
    return [one for value in values for one in (value if isinstance(value, list) else (value,)) if one is not None]
