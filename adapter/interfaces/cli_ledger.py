"""The command `ledger`: the dose ledger and the actions due, from hub Bundles in any order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adapter.fhir import json
from adapter.fhir.outcome import outcome
from adapter.interfaces.exits import Exit
from adapter.interfaces.opening import ASKED, is_asked, now
from adapter.interfaces.opening import opened as with_settings
from adapter.interfaces.render import colour, say, say_issues
from adapter.interfaces.settings import Settings
from adapter.interfaces.streams import STDIN, output, source_file

if TYPE_CHECKING:
    from adapter.care.shared_care import SharedCare
    from adapter.interfaces.hub_messages import HubMessages


def _when(_context: click.Context, option: click.Parameter, said: str | None) -> str | None:
    if said is not None and not is_asked(said):
        raise click.BadParameter(ASKED)
    return said


def _who(_context: click.Context, option: click.Parameter, said: tuple[str, str, str] | None) -> tuple[str, str, str] | None:
    if said is not None and not (re.fullmatch("[A-Z0-9]{3,10}", said[0]) and said[1].strip()):
        raise click.BadParameter("write an ODS code, such as YZ901, a name, and a telephone number")
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
    help="A folder of policies of your own; may be repeated (OST_POLICIES).",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON, one person a line where there are several.")
@click.option("--html", metavar="FILE", help="Write a page with the timeline, complete in itself.")
@click.option("--messages", metavar="FILE", help="Write what is due and withdrawn as hub messages, one a line.")
@click.option(
    "--sender", nargs=3, callback=_who, metavar="ODS NAME TELEPHONE", help='Who tells them; "" for no telephone number.'
)
def ledger(
    files: tuple[str, ...],
    as_of: str | None,
    known_at: str | None,
    name: str,
    policies: tuple[Path, ...],
    as_json: bool,
    html: str | None,
    messages: str | None,
    sender: tuple[str, str, str] | None,
) -> None:
    """Say what became of each dose, what is missing and what is due, from the hub messages in FILE... (JSON or NDJSON)."""
    from adapter.care.policy import load
    from adapter.care.shared_care import of_people

    if messages is not None and sender is None:
        raise click.UsageError("--messages needs --sender: an alert says who tells it")
    policy, at = load(name, policies or Settings.from_environment().policies), as_of or now()
    with ExitStack() as opened:
        given = _taken(files, opened)

        def found() -> Iterator[SharedCare]:
            return of_people(given.people(), at, known_at=known_at, policy=policy)

        if html is not None:
            from adapter.interfaces.ledger_page import page

            with output(html) as put:
                put(page(found()).encode())
        if messages is not None and sender is not None:
            _tell(found(), messages, sender)
        if as_json:
            _as_json(found(), given)
        elif html is None and messages is None:
            for one in found():
                _table(one)
                say_issues(one.issues)
        if not given.count:
            say("No message about a person.")
    raise click.exceptions.Exit(Exit.SOME if given.issues else Exit.DONE)


def _taken(files: tuple[str, ...], opened: ExitStack) -> HubMessages:
    """The messages of the files that the gate passes; those that it does not are told, with their issues, and left out."""
    from adapter.interfaces.hub_messages import HubMessages

    given = HubMessages(with_settings().judge)
    for file in files:
        shown = "" if file == STDIN else file
        stream = opened.enter_context(opened.enter_context(source_file(file)).open("rb"))
        say_issues(given.take(stream, shown), shown)
    return given


def _as_json(found: Iterator[SharedCare], given: HubMessages) -> None:
    """The ledger; where there are several people, a line for each."""
    from adapter.care.as_json import ledger_json

    alone = given.count == 1
    with output(None) as put:
        for one in found:
            made = {**ledger_json(one), "issues": outcome([*given.issues, *one.issues])}
            put(json.encode_pretty(made) if alone else json.encode(made) + b"\n")


def _tell(found: Iterator[SharedCare], file: str, sender: tuple[str, str, str]) -> None:
    """The alerts and referrals of all, a line each."""
    from adapter.care.messages import Sender
    from adapter.care.messages import messages as told

    made = now()
    with output(file) as put:
        for one in found:
            for message in told(one, sender=Sender(*sender), made=made):
                put(json.encode(message) + b"\n")


def _table(care: SharedCare) -> None:
    """For people: the counts, what is due, and the days, a line for each stretch of one state."""
    from rich.console import Console
    from rich.table import Table

    from adapter.care.as_json import ledger_json
    from adapter.care.ledger import iso
    from adapter.care.picture import GLYPHS
    from adapter.interfaces.ledger_page import span

    made = ledger_json(care)
    console = Console(no_color=colour() is False, highlight=False)
    console.print(f"[bold]Dose ledger as of {made['asOf']}[/bold], policy {care.ledger.policy}", soft_wrap=True)
    named = "; ".join(one["value"] for one in made["patient"]["identifier"])
    console.print(f"of {named or 'nobody in particular'}", soft_wrap=True, markup=False)
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
