"""`ost-adapter demo`: the main job on shipped messages, really translated, offline, told step by step at 80 columns."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from rich.console import Console
from rich.table import Table
from rich.text import Text

import adapter
from adapter.fhir import json
from adapter.fhir.outcome import Refused
from adapter.fhir.path import get, leaves, parse
from adapter.interfaces.exits import Exit
from adapter.interfaces.render import colour, counted, issue_lines, plural
from adapter.interfaces.views import said_issues
from adapter.shipped import FIXTURES

if TYPE_CHECKING:
    from adapter import Adapter, Translation

_RECEIVED = "2026-03-18T18:10:00Z"
_ENTRY = re.compile(r"Bundle\.entry\[(\d+)\]\.resource\.")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the story; demo.yaml says what each field is for."""

    title: str
    says: str
    read: str
    case: str
    write: str
    show: list[str] = field(default_factory=list)
    back: bool = False
    refused: bool = False

    @property
    def file(self) -> Path:
        """What is sent: the file in.* of the case, or its folder in/."""
        return next((FIXTURES / self.read / self.case).glob("in*"))


def story() -> list[Step]:
    """The steps, from demo.yaml."""
    return [Step(**said) for said in yaml.safe_load(Path(__file__).with_name("demo.yaml").read_text())]


def run() -> int:
    """Tell the story; Exit.CONTENT where a step does not end as it is told."""
    console = Console(no_color=colour() is False, highlight=False, width=min(Console().width, 100))
    ost = adapter.load()
    console.print("[bold]ost-adapter demo[/]: messages of opioid substitution treatment, from one system's words to another's.")
    console.print("Every person is invented. Nothing leaves this machine.\n")
    steps = story()
    named = dict.fromkeys(name.partition("/")[0] for step in steps for name in (step.read, step.write) if name != "fhir")
    console.print("In this story: " + "; ".join(f"{ost.systems[name].title} ({name})" for name in named) + ".")
    good = True
    for number, step in enumerate(steps, 1):
        console.print()
        console.rule(f"[bold]{number}. {step.title}", align="left", characters="-")
        console.print(Text(step.says.strip()))
        console.print(Text(f"{step.read} > FHIR hub > {step.write}", style="bold"))
        good &= _tell(console, ost, step)
    console.print()
    console.rule(characters="-")
    console.print("Next: ost-adapter systems; ost-adapter translate FILE --from SYSTEM/MESSAGE --explain; ost-adapter serve")
    return Exit.DONE if good else Exit.CONTENT


def _tell(console: Console, ost: Adapter, step: Step) -> bool:
    """One step; whether it ended as it is told."""
    try:
        done = _translated(ost, step)
    except Refused as refused:
        console.print(f"\nRefused: {counted(refused.issues)}. No data was put out.", style="red bold")
        for issue in refused.issues:
            for line in issue_lines(issue):
                console.print(Text.from_ansi(line), soft_wrap=False)
        return step.refused
    resources = Counter(entry["resource"]["resourceType"] for entry in done.bundle["entry"])
    made = ", ".join(f"{count} {name}" if count > 1 else name for name, count in resources.items())
    console.print(Text(f"In the hub: {made}."))
    console.print(_followed(step, done))
    console.print(Text(_account(done)))
    for issue in said_issues(done.issues):
        for line in issue_lines(issue):
            console.print(Text.from_ansi(line))
    same = _back(console, ost, step, done) if step.back else True
    return same and not step.refused


def _translated(ost: Adapter, step: Step) -> Translation:
    write = None if step.write == "fhir" else step.write
    if step.file.is_dir():
        bundle = next(iter(ost.many(step.file, step.read)))
        if isinstance(bundle, Refused):
            raise bundle
        return bundle
    return ost.translate(step.file.read_bytes(), read=step.read, write=write, received=_RECEIVED)


def _account(done: Translation) -> str:
    kept = {row["source"] for row in done.lineage if not row["source"].startswith("Bundle.")}
    unread = done.unread["source"] + done.unread["bundle"]
    said = f"Kept: {plural(len(kept), 'value')}. Not read: {', '.join(unread) or 'nothing'}."
    return f"{said} Carried unread: {', '.join(done.carried)}." if done.carried else said


def _back(console: Console, ost: Adapter, step: Step, done: Translation) -> bool:
    """Translate the result back and say whether it is what was sent, value for value."""
    returned = ost.translate(done.result or b"", read=step.write, write=step.read, received=_RECEIVED)
    sent = dict(leaves(json.decode(step.file.read_bytes())))
    came = dict(leaves(json.decode(returned.result or b"null")))
    lost = sorted({*sent.items()} ^ {*came.items()}, key=str)
    if lost:
        console.print(f"And back to {step.read}: {plural(len(lost), 'value')} differ.", style="red")
    else:
        console.print(f"And back to {step.read}: the same {len(sent)} values that were sent.", style="green")
    return not lost


def _followed(step: Step, done: Translation) -> Table:
    """The shown source paths, each with its value, its element in the hub and where the target hears it."""
    table = Table(box=None, pad_edge=False, expand=True, padding=(0, 2, 0, 0))
    for head in (step.read, "FHIR", step.write):
        table.add_column(Text(head), ratio=1, overflow="fold")
    sent = None if step.file.is_dir() else _json(step.file.read_bytes())
    heard = _json(done.result) if done.result else None
    for path in step.show:
        hub = [row["target"] for row in done.lineage if row["source"] == path]
        if not hub:
            table.add_row(_cell(path, get(sent, path)), Text("-"), Text("-"))
            continue
        target = next((row["target"] for element in hub for row in done.lineage if row["source"] == element), None)
        element = next((e for e in hub for row in done.lineage if row["source"] == e), hub[0])
        value = _value(done.bundle, element)
        table.add_row(
            _cell(path, get(sent, path) if sent is not None else value),
            _cell(_named(done.bundle, element), value),
            _cell(target, get(heard, target)) if target else Text("-"),
        )
    return table


def _cell(path: str, values: list[Any]) -> Text:
    shown = ", ".join(str(value) for value in values)
    return Text.assemble((shown or "(no value)", "bold"), "\n", (path, "dim"))


def _json(body: bytes) -> Any:
    try:
        return json.decode(body)
    except Refused:
        return None


def _value(bundle: dict[str, Any], element: str) -> list[Any]:
    """What stands at a lineage's FHIRPath, in which a choice element has lost its type: value stands for valueQuantity."""
    node: Any = bundle
    for part in parse(element)[1:]:
        if isinstance(node, dict) and isinstance(part, str) and part not in node:
            part = next((key for key in node if key.startswith(part) and key[len(part) : len(part) + 1].isupper()), part)
        try:
            node = node[part]
        except (KeyError, IndexError, TypeError):
            return []
    return [node]


def _named(bundle: dict[str, Any], element: str) -> str:
    """MedicationDispense.extension(dose-date).value for Bundle.entry[4].resource.extension[1].value."""
    found = _ENTRY.match(element)
    if found is None:
        return element
    node: Any = bundle["entry"][int(found[1])]["resource"]
    said = str(node["resourceType"])
    for part in parse("Bundle." + element[found.end() :])[1:]:
        at = _value({"x": node}, f"B.x[{part}]" if isinstance(part, int) else f"B.x.{part}")
        node = at[0] if at else None
        if isinstance(part, int):
            is_extension = said.endswith("extension") and isinstance(node, dict)
            said += f"({str(node.get('url', part)).rpartition('/')[2]})" if is_extension else f"[{part}]"
        else:
            said += f".{part}"
    return said
