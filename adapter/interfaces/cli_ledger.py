"""The command `ledger`: the dose ledger and the actions due, from hub Bundles in any order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adapter.fhir import json
from adapter.fhir.dates import precision
from adapter.fhir.outcome import Issue, Refused, is_error, issue
from adapter.interfaces.exits import Exit
from adapter.interfaces.opening import now
from adapter.interfaces.render import colour, say, say_issues
from adapter.interfaces.streams import STDIN, output, read_input

if TYPE_CHECKING:
    from adapter.care.shared_care import SharedCare


def _when(_context: click.Context, option: click.Parameter, said: str | None) -> str | None:
    if said is not None and precision(said) not in ("day", "time"):
        raise click.BadParameter("write a day, such as 2026-03-18, or a moment with its offset, such as 2026-03-18T18:10:00Z")
    return said


@click.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, allow_dash=True), metavar="FILE..."
)
@click.option(
    "--as-of", callback=_when, metavar="DATE", help="The day (its end) or moment that is asked about; now, if not given."
)
@click.option("--known-at", callback=_when, metavar="DATE-TIME", help="Leave out what was received later.")
@click.option("--policy", "name", default="default", metavar="NAME", help="The policy, by its name.")
@click.option(
    "--policies",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    help="A folder of policies of your own.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON, one person a line where there are several.")
@click.option("--html", metavar="FILE", help="Write a page with the timeline, complete in itself.")
def ledger(
    files: tuple[str, ...],
    as_of: str | None,
    known_at: str | None,
    name: str,
    policies: tuple[Path, ...],
    as_json: bool,
    html: str | None,
) -> None:
    """Say what became of each dose, what is missing and what is due, from the hub messages in FILE... (JSON or NDJSON)."""
    from adapter.care.policy import load
    from adapter.care.shared_care import shared_care

    policy = load(name, policies)
    messages, issues = _messages(files)
    found = list(shared_care(messages, as_of or now(), known_at=known_at, policy=policy))
    if html is not None:
        from adapter.interfaces.ledger_page import page

        with output(html) as put:
            put(page(found).encode())
    if as_json:
        with output(None) as put:
            for one in found:
                told = [*issues, *one.issues] or [_ALL_OK]
                made = {**one.as_json(), "issues": {"resourceType": "OperationOutcome", "issue": told}}
                put(json.encode_pretty(made) if len(found) == 1 else json.encode(made) + b"\n")
    elif html is None:
        for one in found:
            _table(one)
            say_issues(one.issues)
    if not found:
        say("No message about a person.")
    raise click.exceptions.Exit(Exit.SOME if any(map(is_error, issues)) else Exit.DONE)


_ALL_OK: Issue = {"severity": "information", "code": "informational", "details": {"text": "All OK"}}


def _messages(files: tuple[str, ...]) -> tuple[list[dict[str, Any]], list[Issue]]:
    """The Bundles of the files that the gate passes; those that it does not are told, with their issues, and left out."""
    from adapter.fhir.gate import Gate

    gate = Gate.shipped()
    found, issues = [], []
    for file in files:
        shown = "" if file == STDIN else file
        for line, body in _bodies(file):
            try:
                value = json.decode(body, source=shown)
            except Refused as refused:
                say_issues(refused.issues, f"{shown}:{line}" if line else shown)
                issues += refused.issues
                continue
            wrong = [one for one in gate.check(value) if is_error(one)]
            if not wrong and value.get("resourceType") != "Bundle":
                text = "This is no hub Bundle; a ledger is made of messages."
                wrong = [issue("error", "invalid", "not-a-bundle", text, mend="Give what `translate` makes without --to.")]
            if wrong:
                place = f"{shown}:{line}" if line else shown
                say_issues(wrong, place)
                issues += wrong
            else:
                found.append(value)
    return found, issues


def _bodies(file: str) -> Iterator[tuple[int, bytes]]:
    """The JSON texts of a file: itself (line 0), or one of each line where every line is an object of its own."""
    body = read_input(file)
    lines = [(number, line) for number, line in enumerate(body.splitlines(), 1) if line.strip()]
    if len(lines) > 1 and all(line.startswith(b"{") and line.rstrip().endswith(b"}") for _, line in lines):
        yield from lines
    else:
        yield 0, body


def _table(care: SharedCare) -> None:
    """For people: the counts, what is due, and the days, a line for each stretch of one state."""
    from rich.console import Console
    from rich.table import Table

    from adapter.care.ledger import iso
    from adapter.care.picture import GLYPHS
    from adapter.interfaces.ledger_page import span

    made = care.as_json()
    console = Console(no_color=colour() is False, highlight=False)
    console.print(f"[bold]Dose ledger as of {made['asOf']}[/bold], policy {care.ledger.policy}", soft_wrap=True)
    console.print(f"missed in a row {span(made['consecutiveMissed'])}, lately {span(made['cumulativeMissed'])}", end="; ")
    console.print(f"days since a dose was seen {span(made['daysSinceEvidencedDose'])}")
    table = Table(box=None, pad_edge=False)
    for head in ("from", "to", "days", "", "state"):
        table.add_column(head, justify="right" if head == "days" else "left")
    stretches: list[list[Any]] = []
    for day in care.ledger.days:
        if stretches and stretches[-1][0] == day.state:
            stretches[-1][2] = day.day
        else:
            stretches.append([day.state, day.day, day.day])
    for state, first, last in stretches:
        glyph, words = GLYPHS[state]
        table.add_row(iso(first), iso(last) if last > first else "", str(last - first + 1), glyph, words)
    console.print(table)
    for one in made["actions"]:
        gone = one["status"] == "withdrawn"
        mark = "[dim]- withdrawn[/dim]" if gone else "[bold]! due[/bold]"
        console.print(f"{mark} {one['code']} since {one['since']}, by {one['due']}: {one['owner']}", soft_wrap=True)
    if not made["actions"]:
        console.print("Nothing is due.")
