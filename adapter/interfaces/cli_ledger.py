"""The command `ledger`: the dose ledger and the actions due, from hub Bundles in any order."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adapter.fhir import json
from adapter.fhir.outcome import Issue, is_error, outcome
from adapter.interfaces.exits import Exit
from adapter.interfaces.left_out import MEANING, LeftOut
from adapter.interfaces.opening import ASKED, is_asked, now, with_leniency
from adapter.interfaces.opening import opened as adapter_of
from adapter.interfaces.places import STANDARD_OUTPUT, check_places
from adapter.interfaces.render import colour, plural, say, say_issues
from adapter.interfaces.settings import Settings
from adapter.interfaces.streams import STDIN, STDOUT, as_text, output, source_file

if TYPE_CHECKING:
    from adapter.care.shared_care import SharedCare
    from adapter.interfaces.hub_messages import HubMessages

    Judge = Callable[[dict[str, Any]], list[Issue]]


def _when(_context: click.Context, option: click.Parameter, said: str | None) -> str | None:
    if said is not None and not is_asked(said):
        raise click.BadParameter(ASKED)
    return said


def _who(_context: click.Context, option: click.Parameter, said: tuple[str, str, str] | None) -> tuple[str, str, str] | None:
    if said is not None and not (re.fullmatch("[A-Z0-9]{3,10}", said[0]) and said[1].strip() and "".join(said).isprintable()):
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
@with_leniency
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
    lenient: bool | None,
) -> None:
    """Say what became of each dose, what is missing and what is due, from the hub messages in FILE... (JSON or NDJSON)."""
    from adapter.care.policy import load
    from adapter.care.shared_care import of_people

    if messages is not None and sender is None:
        raise click.UsageError("--messages needs --sender: an alert says who tells it")
    check_places(files, _outputs(html, messages, as_json=as_json))
    policy, at = load(name, policies or Settings.from_environment().policies), as_of or now()
    judge, untold, wrong = adapter_of(lenient=lenient).judge, 0, False
    with ExitStack() as opened:
        given, left_out = _taken(files, opened, judge)
        if left_out and not given.count:
            say(f"{left_out.words} There is no other, so nothing is written.")
            raise click.exceptions.Exit(Exit.CONTENT)

        def found(*, told: bool) -> Iterator[SharedCare]:
            """Each person; where nothing has told their issues or will, they are said when the person is done with."""
            nonlocal wrong
            for one in of_people(given.people(), at, known_at=known_at, policy=policy):
                yield one
                wrong = wrong or any(map(is_error, one.issues))
                if not told:
                    say_issues(one.issues)

        if html is not None:
            from adapter.interfaces.ledger_page import page

            with output(html) as put:
                put(page(found(told=as_json), left_out).encode())
        if messages is not None and sender is not None:
            untold = _tell(found(told=as_json or html is not None), left_out, messages, sender, judge)
        if as_json:
            _as_json(found(told=True), given)
        elif html is None and messages is None:
            _tables(found(told=False), left_out)
    if left_out:
        say(f"INCOMPLETE: {left_out.words} {MEANING}")
    raise click.exceptions.Exit(Exit.SOME if left_out or untold or wrong else Exit.DONE)


def _outputs(html: str | None, messages: str | None, *, as_json: bool) -> list[tuple[str, str]]:
    """The option that names each output, and its file."""
    outputs = [(name, file) for name, file in (("--html", html), ("--messages", messages)) if file is not None]
    if as_json or not outputs:
        outputs.append(("--json" if as_json else STANDARD_OUTPUT, STDOUT))
    return outputs


def _taken(files: tuple[str, ...], opened: ExitStack, judge: Judge) -> tuple[HubMessages, LeftOut]:
    """The messages of the files that the gate passes; those that it does not are told, with their issues, and left out."""
    from adapter.interfaces.hub_messages import HubMessages

    given = HubMessages(judge)
    refused: list[tuple[str, list[Issue]]] = []
    for file in files:
        shown = "" if file == STDIN else file.encode(errors="backslashreplace").decode()  # a name need not be text
        stream = opened.enter_context(opened.enter_context(source_file(file)).open("rb"))
        issues = given.take(stream, shown)
        say_issues(issues, shown)
        refused.append((shown, issues))
    return given, LeftOut.of(refused)


def _as_json(found: Iterator[SharedCare], given: HubMessages) -> None:
    """The ledger; where there are several people, a line for each."""
    from adapter.care.as_json import ledger_json

    alone = given.count == 1
    with output(None) as put:
        for one in found:
            made = {**ledger_json(one), "issues": outcome([*given.issues, *one.issues])}
            put(json.encode_pretty(made) if alone else json.encode(made) + b"\n")


def _tell(found: Iterator[SharedCare], left_out: LeftOut, file: str, sender: tuple[str, str, str], judge: Judge) -> int:
    """The alerts and referrals of all, a line each; how many could not be told, since the gate does not pass them.

    Where messages were left out, each says so, and no withdrawal is told: an alert too many is asked about, one that is taken
    back in error is not.
    """
    from adapter.care.messages import Sender
    from adapter.care.messages import messages as told

    made, held, untold = now(), 0, 0
    with output(file) as put:
        for one in found:
            if left_out:
                due = tuple(action for action in one.actions if not action.withdrawn)
                held += len(one.actions) - len(due)
                one = replace(one, actions=due)
            for message in told(one, sender=Sender(*sender), made=made):
                marked = left_out.marked(message)
                if wrong := [each for each in judge(marked) if is_error(each)]:
                    untold += 1
                    say(f"NOT TOLD, see to it by hand: {_title(message)}, which is not valid:")
                    say_issues(wrong)
                else:
                    put(json.encode(marked) + b"\n")
    if left_out:
        say(f"What is due was told from less than all messages, and each alert says so: {left_out.words}")
    if held:
        say(f"{plural(held, 'withdrawal')} not told: mend the messages that were left out, and tell them then.")
    return untold


def _title(message: dict[str, Any]) -> str:
    """What a message tells, for people: the code of the action, or that it is the referral; no word of the person."""
    topics = [entry["resource"]["topic"] for entry in message["entry"] if entry["resource"]["resourceType"] == "Communication"]
    return f"the alert {topics[0]['coding'][0]['code']}" if topics else "the referral"


def _tables(found: Iterable[SharedCare], left_out: LeftOut) -> None:
    """For people, a table for each person; where messages were left out, that stands above each, and once which they are."""
    with output(None) as put:
        for number, one in enumerate(found):
            if number:
                put(b"\n")
            if left_out:
                put(as_text(f"INCOMPLETE: {left_out.words} {MEANING}\n"))
                for place, rules in left_out.places().items() if not number else ():
                    put(as_text(f"    {place} [{', '.join(rules)}]\n"))
            _table(one, put)


def _table(care: SharedCare, put: Callable[[bytes], None]) -> None:
    """The counts, the last doses, the days (a line for each stretch of one state), and what is due."""
    from rich.console import Console
    from rich.table import Table

    from adapter.care.as_json import ledger_json
    from adapter.care.ledger import iso
    from adapter.care.picture import GLYPHS
    from adapter.interfaces.ledger_page import dose, span

    made = ledger_json(care)
    # Not to standard output itself: what cannot be written there is told as of every command, and rich knows nothing of that.
    text = StringIO()
    console = Console(file=text, force_terminal=sys.stdout.isatty(), no_color=colour() is False, highlight=False)
    console.print(f"[bold]Dose ledger as of {made['asOf']}[/bold], policy {care.ledger.policy}", soft_wrap=True)
    named = "; ".join(one["value"] for one in made["patient"]["identifier"])
    console.print(f"of {named or 'nobody in particular'}", soft_wrap=True, markup=False)
    console.print(f"missed in a row {span(made['consecutiveMissed'])}, lately {span(made['cumulativeMissed'])}", end="; ")
    console.print(f"days since a dose was seen {span(made['daysSinceEvidencedDose'])}")
    said = f"last dose seen: {dose(made.get('lastObservedDose'))}; last dose possible later: "
    console.print(said + dose(made.get("lastPossibleDose")), soft_wrap=True, markup=False)
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
        mark = "[dim]- withdrawn[/dim]" if one["status"] == "withdrawn" else "[bold]! due[/bold]"
        who = f"{one['owner']}, else {one['deputy']}" if "deputy" in one else one["owner"]
        console.print(f"{mark} {one['code']} since {one['since']}, by {one['due']}: {who}", soft_wrap=True)
    if not made["actions"]:
        console.print("Nothing is due.")
    put(as_text(text.getvalue()))
