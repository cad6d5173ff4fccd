"""The demo's table: single values followed from the source through the hub to the target, by the lineage of the translation."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from adapter.fhir import json
from adapter.fhir.path import parse

if TYPE_CHECKING:
    from adapter import Adapter, Translation
    from adapter.interfaces.demo import Step

_ENTRY = re.compile(r"Bundle\.entry\[(\d+)\]\.resource\.")
Rows = list[dict[str, Any]]


def followed(ost: Adapter, step: Step, done: Translation, reading: Rows, width: int) -> Table:
    """A row for each path that the step shows, in so many columns of the terminal.

    reading: the lineage of reading alone, which done.lineage begins with.
    """
    sent = None if step.file.is_dir() else json.decode(step.file.read_bytes())
    heard = ost.message(step.write).record_of(done.result) if done.result is not None else None
    writing = done.lineage[len(reading) :]
    heads = [step.read, "the hub", *([step.write] if heard is not None else [])]
    room = width // len(heads) - 2
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for head in heads:
        table.add_column(Text(head), width=room, overflow="fold")
    for path in step.show:
        element, target = way(path, at(sent, path), done.bundle, reading, writing)
        # What an extract sends lies in several files: only its path is known here.
        cells = [_cell(sent, path, room) if sent is not None else Text(path), _cell(done.bundle, element, room)]
        table.add_row(*cells, *([_cell(heard, target, room)] if heard is not None else []))
    return table


def way(path: str, value: list[Any], bundle: Any, reading: Rows, writing: Rows) -> tuple[str, str]:
    """The hub element and the target path of a source path.

    Of several elements, one that says this and nothing else, and that the target hears; a code that no table has lies in an
    array of codings, as the one with the same value.
    """
    shared = Counter([row["target"] for row in reading] + [row["source"] for row in writing])
    elements = sorted((row["target"] for row in reading if row["source"] == path), key=lambda e: (shared[e], len(e)))
    for element in elements:
        for row in writing:
            if row["source"] == element or (row["source"].startswith(f"{element}[") and at(bundle, row["source"]) == value):
                return row["source"], row["target"]
    return (elements[0] if elements else ""), ""


def _cell(whole: Any, path: str, room: int) -> Text:
    """The value above, its path below, broken where its names end."""
    if not path:
        return Text("-")
    value = ", ".join(str(each).lower() if isinstance(each, bool) else str(each) for each in at(whole, path))
    room -= 2
    lines = [""]
    for part in re.split(r"(?<=[.(])", _named(whole, path)):
        for piece in (part[start : start + room] for start in range(0, len(part), room)):
            if lines[-1] and len(lines[-1] + piece) > room:
                lines.append("")
            lines[-1] += piece
    return Text.assemble((value, "bold"), "\n", ("\n".join(f"  {line}" for line in lines), "dim"))


def at(whole: Any, path: str) -> list[Any]:
    """What stands at a path of lineage. A choice element has lost its type there: value stands for valueQuantity."""
    node = whole
    for part in parse(path.removeprefix("Bundle.")):
        if isinstance(node, dict) and isinstance(part, str) and part not in node:
            part = next((key for key in node if key.startswith(part) and key[len(part) : len(part) + 1].isupper()), part)
        try:
            node = node[part]
        except (KeyError, IndexError, TypeError):
            return []
    return [node]


def _named(whole: Any, path: str) -> str:
    """MedicationDispense.extension(dose-date).value for Bundle.entry[4].resource.extension[1].value; a record's path as it is."""
    found = _ENTRY.match(path)
    if found is None:
        return path
    resource = whole["entry"][int(found[1])]["resource"]
    said, so_far = str(resource["resourceType"]), ""
    for part in parse(path[found.end() :]):
        if isinstance(part, str):
            so_far += f".{part}" if so_far else part
            said += f".{part}"
            continue
        so_far += f"[{part}]"
        node = at(resource, so_far)
        url = node[0].get("url") if said.endswith("extension") and node and isinstance(node[0], dict) else None
        said += f"({str(url).rpartition('/')[2]})" if url else f"[{part}]"
    return said
