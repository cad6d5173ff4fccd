"""The hazard log as data: what could hurt a person, what stands against it, where that stands, and which tests hold it.

A draft in the manner of DCB0129 (clinical risk management in the making of health IT systems, NHS England), for a Clinical Safety
Officer to own: `hazards.yaml`, judged by `hazards.schema.json`. `python -m adapter.care.hazards -o FOLDER` writes it for people:
hazards.md, and hazards.csv with a row for each control.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import yaml

from adapter.fhir.schema_document import document_faults
from adapter.mapping.faults import Faults, MapFaults
from adapter.mapping.language import compose, data

HERE = Path(__file__).resolve().parent
LOG = HERE / "hazards.yaml"
_MADE = "<!-- Made by `make safety` from adapter/care/hazards.yaml; edit that. -->"
_COLUMNS = (
    "hazard,title,effect,causes,severity,likelihood,rating approval,status,missing,control,what it does,where it stands,tests"
).split(",")
#: A cell that begins with one of these is a formula to a spreadsheet. https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = re.compile(r"[=+\-@\t\r]")


@dataclass(frozen=True, slots=True)
class Control:
    """What stands against a hazard.

    where: module:name, or the path of a map, profile or table · tests: pytest node ids · disable: how a test run switches it off,
    each an edit {file, old, new, times?} or a stand-in {attribute, returns}
    """

    id: str
    does: str
    where: tuple[str, ...]
    tests: tuple[str, ...]
    disable: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Hazard:
    """What could hurt a person. severity, likelihood: the initial rating; approval: who is yet to decide it.

    status: controlled, or open where anything is `missing`.
    """

    id: str
    title: str
    effect: str
    causes: tuple[str, ...]
    severity: str
    likelihood: str
    approval: str
    status: str
    controls: tuple[Control, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Log:
    """The hazard log."""

    title: str
    version: str
    hazards: tuple[Hazard, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many hazards are controlled, and how many open."""
        found = Counter(one.status for one in self.hazards)
        return {status: found[status] for status in ("controlled", "open")}

    @property
    def controls(self) -> dict[str, Control]:
        """Every control by its id."""
        return {control.id: control for hazard in self.hazards for control in hazard.controls}


def load(file: Path = LOG) -> Log:
    """The log of a file. Raises MapFaults with every fault of it, each with its line."""
    return read(file.read_text("utf-8"), file.name)


def read(text: str, name: str) -> Log:
    """The log that a text says. name: of the text, for its faults. Raises MapFaults with every fault."""
    found = Faults(name)
    node = compose(text, found)
    said = data(node, found) if node is not None else None
    if node is not None:
        lines = dict(_lines(node))
        schema = json.loads((HERE / "hazards.schema.json").read_text("utf-8"))
        for place in sorted(set(document_faults(said, schema))):
            found.add(lines.get(place, 1), f"{place} is not as a hazard log has it", "", "see hazards.schema.json")
        _check_ids(said, lines, found)
    if found.found:
        raise MapFaults(found.found)
    assert isinstance(said, dict)
    return Log(said["title"], said["version"], tuple(map(_hazard, said["hazards"])))


def _lines(node: yaml.Node, place: str = "$") -> Iterator[tuple[str, int]]:
    """Every JSONPath of a YAML document with its line."""
    yield place, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _lines(value, f"{place}.{key.value}")
    elif isinstance(node, yaml.SequenceNode):
        for n, one in enumerate(node.value):
            yield from _lines(one, f"{place}[{n}]")


def _check_ids(said: Any, lines: Mapping[str, int], found: Faults) -> None:
    """Each id stands once, and a control's begins with that of its hazard."""
    seen: set[str] = set()
    for n, hazard in enumerate(_dicts(said, "hazards")):
        place = f"$.hazards[{n}]"
        own = str(hazard.get("id"))
        named = [(own, f"{place}.id")]
        for k, control in enumerate(_dicts(hazard, "controls")):
            name, at = str(control.get("id")), f"{place}.controls[{k}].id"
            named.append((name, at))
            if not name.startswith(f"{own}-"):
                found.add(lines.get(at, 1), f"{name} is not a control of {own}", "", f"write {own}-C{k + 1}")
        for name, at in named:
            if name in seen:
                found.add(lines.get(at, 1), f"{name} stands twice", "each has an id of its own", "give one of them another")
            seen.add(name)


def _dicts(parent: Any, name: str) -> list[dict[str, Any]]:
    value = parent.get(name) if isinstance(parent, dict) else None
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _hazard(said: Mapping[str, Any]) -> Hazard:
    controls = [
        Control(one["id"], one["does"], tuple(one["where"]), tuple(one["tests"]), tuple(one["disable"]))
        for one in said["controls"]
    ]
    head = (said["id"], said["title"], said["effect"], tuple(said["causes"]))
    rating = (said["rating"]["severity"], said["rating"]["likelihood"], said["rating"]["approval"])
    return Hazard(*head, *rating, said["status"], tuple(controls), tuple(said.get("missing", ())))


# for people -------------------------------------------------------------------------------------------------------------
def markdown(log: Log) -> str:
    """The log as a page: the hazards at a glance, then each with its controls."""
    return "\n".join(_page(log)) + "\n"


def _page(log: Log) -> Iterator[str]:
    counts = log.counts
    yield from (_MADE, f"# {_text(log.title)}", "")
    yield f"Version {log.version}. {len(log.hazards)} hazards: {counts['controlled']} controlled, {counts['open']} open."
    yield "Severity and likelihood are initial ratings, each for the Clinical Safety Officer to decide."
    yield "A hazard is controlled where nothing that it asks for is missing; whether that is enough, the same officer decides."
    yield from ("", "| hazard | | status | severity | likelihood | controls |", "| --- | --- | --- | --- | --- | ---: |")
    for one in log.hazards:
        link = f"[{one.id}](#{_anchor(f'{one.id} {one.title}')})"
        yield f"| {link} | {_text(one.title)} | {one.status} | {one.severity} | {one.likelihood} | {len(one.controls)} |"
    for one in log.hazards:
        yield from _section(one)


def _section(one: Hazard) -> Iterator[str]:
    yield from ("", f"## {one.id} {_text(one.title)}", "")
    yield f"**{one.status.capitalize()}.** Initial rating: {one.severity}, {one.likelihood}; {one.approval}."
    yield from ("", f"Effect: {_text(one.effect)}", "", "Causes:", "")
    yield from (f"- {_text(cause)}" for cause in one.causes)
    if one.controls:
        yield from ("", "| control | what it does | where it stands | tests |", "| --- | --- | --- | --- |")
    for control in one.controls:
        where, tests = (" ".join(f"`{_cell(name)}`" for name in names) for names in (control.where, control.tests))
        yield f"| {control.id} | {_text(control.does)} | {where} | {tests} |"
    if one.missing:
        yield from ("", "Missing:", "")
        yield from (f"- {_text(missing)}" for missing in one.missing)


def _text(text: str) -> str:
    """Words that are no markup, in a cell of a table as elsewhere."""
    return _cell(re.sub(r"([*_`\[\]\\])", r"\\\1", escape(text, quote=False)))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _anchor(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def as_csv(log: Log) -> str:
    """The log as CSV (RFC 4180, lines end in LF), a row for each control and one for a hazard without any.

    A cell is escaped as HTML text is, and begins no formula; several values of one cell have `; ` between them.
    """
    made = io.StringIO()
    out = csv.writer(made, lineterminator="\n")
    out.writerow(_COLUMNS)
    for hazard in log.hazards:
        head = (hazard.id, hazard.title, hazard.effect, hazard.causes, hazard.severity, hazard.likelihood, hazard.approval)
        for control in hazard.controls or (Control("", "", (), (), ()),):
            tail = (hazard.status, hazard.missing, control.id, control.does, control.where, control.tests)
            out.writerow(_safe(cell if isinstance(cell, str) else "; ".join(cell)) for cell in (*head, *tail))
    return made.getvalue()


def _safe(text: str) -> str:
    shown = escape(text, quote=False)
    return f"'{shown}" if _FORMULA.match(shown) else shown


def main(arguments: Sequence[str] | None = None) -> None:
    """Write hazards.md and hazards.csv into a folder; leaves with every fault of the log where it has any."""
    parser = argparse.ArgumentParser(prog="python -m adapter.care.hazards", description="The hazard log for people.")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="the folder to write into")
    folder: Path = parser.parse_args(arguments).output
    try:
        log = load()
    except MapFaults as faults:
        sys.exit(str(faults))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "hazards.md").write_text(markdown(log), "utf-8")
    (folder / "hazards.csv").write_text(as_csv(log), "utf-8")


if __name__ == "__main__":
    main()
