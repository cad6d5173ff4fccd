"""`ost-adapter demo`: the main job on shipped messages, really translated, offline, told step by step at 80 columns."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from rich.console import Console
from rich.text import Text

import adapter
from adapter.fhir import json
from adapter.fhir.outcome import Issue, Refused, rule_of
from adapter.interfaces.demo_table import at, followed
from adapter.interfaces.exits import Exit
from adapter.interfaces.render import colour, counted, issue_lines, plural
from adapter.interfaces.views import said_issues
from adapter.shipped import FIXTURES

if TYPE_CHECKING:
    from adapter import Adapter, Translation

_RECEIVED = "2026-03-18T18:10:00Z"
_MOST_ISSUES = 2
_MOST_PATHS = 2


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the story; demo.yaml says what each field is for."""

    title: str
    says: str
    read: str
    case: str
    write: str
    show: list[str] = field(default_factory=list)
    quote: str = ""
    back: bool = False
    refused: bool = False

    @property
    def file(self) -> Path:
        """What is sent: the file in.* of the case, or its folder in/, an extract."""
        return next((FIXTURES / self.read / self.case).glob("in*"))


def story() -> list[Step]:
    """The steps, from demo.yaml."""
    return [Step(**said) for said in yaml.safe_load(Path(__file__).with_name("demo.yaml").read_text("utf-8"))]


def run() -> int:
    """Tell the story; Exit.CONTENT where a step does not end as it is told."""
    console = Console(no_color=colour() is False, highlight=False, width=min(Console().width, 100))
    ost = adapter.load()
    steps = story()
    console.print("[bold]ost-adapter demo[/]: one system's message in another system's words.")
    console.print("Every person is invented. Nothing leaves this machine.")
    named = dict.fromkeys(name.partition("/")[0] for step in steps for name in (step.read, step.write) if name != "fhir")
    for name in named:
        console.print(Text(f"  {name:10} {ost.systems[name].title}"))
    good = True
    for number, step in enumerate(steps, 1):
        console.print()
        console.rule(f"[bold]{number}. {step.title}", align="left", characters="-")
        console.print(Text(step.says.strip()))
        console.print(Text(f"{step.read} > hub" + ("" if step.write == "fhir" else f" > {step.write}"), style="bold"))
        good &= _tell(console, ost, step)
    console.print()
    console.rule("[bold]By hand", align="left", characters="-")
    console.print("ost-adapter systems")
    console.print("ost-adapter translate FILE --from SYSTEM/MESSAGE --to SYSTEM/MESSAGE --explain")
    return Exit.DONE if good else Exit.CONTENT


def _tell(console: Console, ost: Adapter, step: Step) -> bool:
    """One step; whether it ended as it is told."""
    try:
        done = translated(ost, step, step.write)
    except Refused as refused:
        console.print(f"Refused: {counted(refused.issues)}; nothing was put out.", style="red bold")
        _issues(console, refused.issues)
        return step.refused
    resources = Counter(entry["resource"]["resourceType"] for entry in done.bundle["entry"])
    made = ", ".join(f"{count} {name}" if count > 1 else name for name, count in resources.items())
    console.print(Text(f"In the hub: {made}."))
    reading = translated(ost, step, "fhir").lineage
    if step.show:
        console.print(followed(ost, step, done, reading, console.width))
    if step.quote and done.result is not None:
        console.print(Text(f'It says: "{at(json.decode(done.result), step.quote)[0]}"'))
    console.print(Text(_account(done, reading)))
    _issues(console, [one for one in said_issues(done.issues) if rule_of(one) != "unread"])  # told by the account
    same = _back(console, ost, step, done) if step.back else True
    return same and not step.refused


def translated(ost: Adapter, step: Step, write: str) -> Translation:
    """What a step sends, as message `write`; of an extract, its first record. Raises Refused."""
    if not step.file.is_dir():
        return ost.translate(step.file.read_bytes(), read=step.read, write=write, received=_RECEIVED)
    first = next(iter(ost.many(step.file, read=step.read, write=write, received=_RECEIVED)))
    if isinstance(first, Refused):
        raise first
    return first


def _issues(console: Console, issues: list[Issue]) -> None:
    for issue in issues[:_MOST_ISSUES]:
        for line in issue_lines(issue):
            console.print(Text.from_ansi(line))
    if len(issues) > _MOST_ISSUES:
        console.print(f"... and {len(issues) - _MOST_ISSUES} more.")


def _account(done: Translation, reading: list[dict[str, Any]]) -> str:
    said = f"Read: {plural(len({row['source'] for row in reading}), 'field')}. Not read: {_some(done.unread['source'])}."
    if done.unread["bundle"]:
        said += f"\nThe target has no place for: {_some(done.unread['bundle'])}."
    return said + "".join(f"\nCarried unread: {path}" for path in done.carried)


def _some(paths: list[str]) -> str:
    more = f" and {len(paths) - _MOST_PATHS} more" if len(paths) > _MOST_PATHS else ""
    return (", ".join(paths[:_MOST_PATHS]) + more) if paths else "none"


def _back(console: Console, ost: Adapter, step: Step, done: Translation) -> bool:
    """Translate the result back and say whether it is what was sent, value for value."""
    heard = json.encode(done.bundle) if done.result is None else done.result
    returned = ost.translate(heard, read=step.write, write=step.read, received=_RECEIVED)
    same = returned.result is not None and bool(json.decode(returned.result) == json.decode(step.file.read_bytes()))
    verdict = "what was sent, value for value" if same else "NOT what was sent"
    console.print(f"And back to {step.read}: {verdict}.", style="green" if same else "red bold")
    return same
