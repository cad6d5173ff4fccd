"""The commands for messages: which systems are connected, translate one message or many, validate a resource."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from adapter.fhir import json
from adapter.fhir.outcome import Refused, is_error
from adapter.interfaces.exits import Exit
from adapter.interfaces.media import MEDIA_TYPES
from adapter.interfaces.opening import now, opened, with_systems
from adapter.interfaces.places import STANDARD_OUTPUT, check_places
from adapter.interfaces.render import colour, plural, say, say_issues
from adapter.interfaces.streams import STDIN, STDOUT, output, read_input, source_file
from adapter.interfaces.views import explained, listed, result_of, said_issues, wire_format

if TYPE_CHECKING:
    from adapter import Translation

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[-+]\d\d:\d\d)", re.ASCII)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@with_systems
def systems(as_json: bool, mappings: tuple[Path, ...], lenient: bool | None) -> None:
    """List the connected systems, their messages, directions and formats."""
    found = listed(opened(mappings, lenient))
    if as_json:
        with output(None) as write:
            write(json.encode_pretty(found))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for head in ("message", "kind", "direction", "events", "format"):
        table.add_column(head, no_wrap=head != "events")
    for system in found:
        for message in system["messages"]:
            table.add_row(
                message["message"], system["kind"], message["direction"], ", ".join(message["events"]), message["format"]
            )
    Console(no_color=colour() is False, highlight=False).print(table)


def _instant(_context: click.Context, _option: click.Parameter, said: str | None) -> str | None:
    if said is not None and not _INSTANT.fullmatch(said):
        raise click.BadParameter("write an instant with its offset, such as 2026-03-18T18:10:00Z")
    return said


@click.command()
@click.argument("file", type=click.Path(exists=True, allow_dash=True))
@click.option("--from", "read", required=True, metavar="SYSTEM/MESSAGE", help="What the file is; `fhir`: a hub Bundle.")
@click.option("--to", "write", metavar="SYSTEM/MESSAGE", help="What to make of it; without it, or with `fhir`: the hub Bundle.")
@click.option("--explain", is_flag=True, help="One JSON object: result, lineage, what was not read or left out, issues.")
@click.option("-o", "target", metavar="FILE", help="Where to write; on an error the file stays as it was.")
@click.option("--received", callback=_instant, metavar="INSTANT", help="When the message was received; now, if not given.")
@click.option("--lines", is_flag=True, help="FILE holds one JSON message a line (so do *.ndjson and *.jsonl).")
@click.option(
    "--rejects", metavar="FILE", help="For a file of many: where to write an OperationOutcome for each that is refused."
)
@with_systems
def translate(
    file: str,
    read: str,
    write: str | None,
    explain: bool,
    target: str | None,
    received: str | None,
    lines: bool,
    rejects: str | None,
    mappings: tuple[Path, ...],
    lenient: bool | None,
) -> None:
    """Translate FILE (- is standard input): one message, or many: an extract (folder or zip), a CSV file, an NDJSON file."""
    outputs = [("-o", target) if target else (STANDARD_OUTPUT, STDOUT), *([("--rejects", rejects)] if rejects else ())]
    check_places([file], outputs)
    ost = opened(mappings, lenient)
    write = None if write == "fhir" else write
    received = received or now()
    if _holds_many(file, read, wire_format(ost, read), lines):
        header = ost.message(write).header if write else b""
        with source_file(file) as source:
            many = ost.many(source, read=read, write=write, received=received, name="" if file == STDIN else Path(file).name)
            _put_many(many, file, target, rejects, explain, header)
        return
    # With --explain a refused message is explained as far as it was understood.
    try:
        done: Translation | Refused = ost.translate(
            read_input(file), read=read, write=write, received=received, source="" if file == STDIN else file, refuse=not explain
        )
    except Refused as refused:
        done = refused
    issues = done.issues if isinstance(done, Refused) else said_issues(done.issues)
    say_issues(issues, file)
    bad = any(is_error(one) for one in issues)
    if not bad or (explain and target is None):
        with output(target) as put:
            put(_data(done, explain=explain))
    raise click.exceptions.Exit(Exit.CONTENT if bad else Exit.DONE)


def _holds_many(file: str, read: str, read_format: str, lines: bool) -> bool:
    """Whether a file is one of many messages: an extract's folder or zip, a CSV file, or JSON a line.

    Raises UsageError for a folder or zip where the message is no extract.
    """
    path = Path(file)
    if file != STDIN and (path.is_dir() or path.suffix.lower() == ".zip"):
        if read_format in MEDIA_TYPES:
            what = "folder" if path.is_dir() else "zip"
            words = f"a {what} holds an extract, and {read} is none: give a file, or name the message of an extract"
            raise click.UsageError(f"{file}: {words}")
        return True
    return read_format == "csv" or lines or path.suffix.lower() in (".ndjson", ".jsonl")


def _data(done: Translation | Refused, *, explain: bool, line: bool = False) -> bytes:
    """The bytes that a translation puts out: the explanation, the target's own bytes, or the hub Bundle."""
    if explain or isinstance(done, Refused):
        value = explained(done)
    elif done.result is None:
        value = done.bundle
    elif line:
        value = result_of(done)
    else:
        return done.result
    return json.encode(value) + b"\n" if line else json.encode_pretty(value)


def _put_many(
    many: Iterable[Translation | Refused], file: str, target: str | None, rejects: str | None, explain: bool, header: bytes
) -> None:
    """Every message of a source of many: a line of JSON each, or rows below one header; a bad one is told and the others go on.

    header: what a message of the target's form begins with, and a file of many says once.
    """
    good = bad = 0
    with output(target) as put, output(rejects) if rejects else nullcontext() as reject:
        if header and not explain:
            put(header)
        for one in many:
            if isinstance(one, Refused):
                bad += 1
                say_issues(one.issues, file)
                if reject:
                    reject(json.encode(one.outcome) + b"\n")
                continue
            good += 1
            say_issues(said_issues(one.issues), file)
            if header and not explain and one.result is not None:
                put(one.result.removeprefix(header))
            else:
                put(_data(one, explain=explain, line=True))
    say(f"{plural(good, 'record')} translated, {bad} refused")
    raise click.exceptions.Exit(Exit.SOME if bad else Exit.DONE)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--profile", metavar="CANONICAL", help="Judge it by this profile as well.")
@click.option("--json", "as_json", is_flag=True, help="The OperationOutcome as JSON.")
@with_systems
def validate(file: str, profile: str | None, as_json: bool, mappings: tuple[Path, ...], lenient: bool | None) -> None:
    """Check the resource or Bundle in FILE (- is standard input): by the gate, and by fhir.resources as a second opinion."""
    check_places([file], [(STANDARD_OUTPUT, STDOUT)])
    try:
        answer = opened(mappings, lenient).validate(json.decode(read_input(file), source=file), profile)
    except Refused as refused:
        answer = refused.outcome
    issues = said_issues(answer)
    if as_json:
        with output(None) as put:
            put(json.encode_pretty(answer))
    elif issues:
        say_issues(issues, file, stdout=True)
    else:
        say(f"{file}: no issue was found", stdout=True)
    raise click.exceptions.Exit(Exit.CONTENT if any(is_error(one) for one in issues) else Exit.DONE)
