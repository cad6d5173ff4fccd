"""The demo's table: single values followed from the source through the hub to the target, by the lineage of the translation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from adapter.fhir import json
from adapter.fhir.path import parse

if TYPE_CHECKING:
    from adapter import Translation
    from adapter.interfaces.demo import Step

_ENTRY = re.compile(r"Bundle\.entry\[(\d+)\]\.resource\.")
Rows = list[dict[str, Any]]


def followed(step: Step, body: bytes, done: Translation, reading: Rows) -> Table:
    """A row for each path that the step shows. reading: the lineage of reading alone, which done.lineage begins with."""
    sent = json.decode(body)
    heard = json.decode(done.result) if done.result is not None else None
    writing = done.lineage[len(reading) :]
    table = Table(box=None, pad_edge=False, expand=True, padding=(0, 2, 0, 0))
    heads = [step.read, "the hub", *([step.write] if heard is not None else [])]
    for head in heads:
        table.add_column(Text(head), ratio=1, overflow="fold")
    for path in step.show:
        element, target = _way(path, reading, writing)
        cells = [_cell(sent, path), _cell(done.bundle, element), *([_cell(heard, target)] if heard is not None else [])]
        table.add_row(*cells)
    return table


def _way(path: str, reading: Rows, writing: Rows) -> tuple[str, str]:
    """The hub element and the target path of a source path: of several elements, the shortest that the target hears."""
    elements = sorted((row["target"] for row in reading if row["source"] == path), key=len)
    for element in elements:
        for row in writing:
            if row["source"] == element:
                return element, row["target"]
    return (elements[0] if elements else ""), ""


def _cell(whole: Any, path: str) -> Text:
    """The value above, its path below."""
    if not path:
        return Text("-")
    value = ", ".join(str(each).lower() if isinstance(each, bool) else str(each) for each in at(whole, path))
    return Text.assemble((value, "bold"), "\n", (_named(whole, path), "dim"))


def at(whole: Any, path: str) -> list[Any]:
    """What stands at a path of lineage, in a record or a Bundle. A choice element has lost its type: value stands for valueQuantity."""
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
