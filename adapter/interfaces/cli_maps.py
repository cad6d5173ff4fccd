"""The commands for maps."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from adapter.fhir import json
from adapter.fhir.outcome import Refused
from adapter.interfaces.exits import Exit
from adapter.interfaces.opening import opened, with_systems
from adapter.interfaces.render import plural, say, say_faults, say_issues
from adapter.interfaces.streams import folder, output, read_input
from adapter.mapping.faults import did_you_mean, nearest


@click.group()
def maps() -> None:
    """Check, test and document the maps of the connected systems; scaffold a new one."""


@maps.command()
@click.argument("system", required=False)
@click.option("--json", "as_json", is_flag=True, help="The faults as JSON.")
@with_systems
def check(system: str | None, as_json: bool, mappings: tuple[Path, ...], lenient: bool | None) -> None:
    """Check every map and manifest, or those of SYSTEM alone, and tell all faults at once."""
    ost = opened(mappings, lenient)
    faults = ost.check(system)
    if as_json:
        with output(None) as put:
            put(json.encode_pretty([asdict(fault) for fault in faults]))
    else:
        say_faults(faults, stdout=True)
        judged = [one for one in ost.systems.values() if system in (None, one.name)]
        messages = sum(len(one.messages) for one in judged)
        found = plural(len(faults), "fault") if faults else "no fault"
        say(f"{plural(len(judged), 'system')}, {plural(messages, 'message')}: {found}", stdout=True)
    raise click.exceptions.Exit(Exit.CONTENT if faults else Exit.DONE)


@maps.command()
@click.argument("system", required=False)
@click.option(
    "--fixtures", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Where the cases lie."
)
@click.option("--json", "as_json", is_flag=True, help="The results as JSON.")
@with_systems
def test(system: str | None, fixtures: Path | None, as_json: bool, mappings: tuple[Path, ...], lenient: bool | None) -> None:
    """Run every case of SYSTEM, or of all, and tell which fields of the maps no case exercises.

    Cases lie in fixtures/SYSTEM/MESSAGE/CASE beside the maps (adapter/systems/cases.py says what a case is).
    """
    from adapter.interfaces.proving import prove

    ost = opened(mappings, lenient)
    chosen = [system] if system else list(ost.systems)
    results = [prove(ost, f"{name}/{message}", fixtures, mappings) for name in chosen for message in ost.systems[name].messages]
    if as_json:
        with output(None) as put:
            put(json.encode_pretty([one.as_json() for one in results]))
    else:
        for one in results:
            for line in one.lines():
                say(line, stdout=True)
        failed = sum(one.failed for one in results)
        ran = sum(len(one.cases) for one in results)
        say(f"{plural(len(results), 'message')}, {plural(ran, 'case')}: {failed or 'none'} failed", stdout=True)
    raise click.exceptions.Exit(Exit.CONTENT if any(one.failed or not one.cases for one in results) else Exit.DONE)


@maps.command()
@click.argument("name", metavar="SYSTEM/MESSAGE")
@click.option("--sample", required=True, type=click.Path(exists=True, dir_okay=False), help="One message of it: JSON or CSV.")
@click.option("--event", required=True, help="The hub's event that it is about: docs/hub.md.")
@click.option("--kind", default="treatment", show_default=True, help="What kind of system it is.")
@click.option("-o", "target", required=True, metavar="DIR", help="The folder of mappings to make it in.")
def new(name: str, sample: str, event: str, kind: str, target: str) -> None:
    """Scaffold a system from a SAMPLE of what it sends: manifest, schema, maps, a case, and a test that fails until they do.

    The sample becomes the case: it must be of an invented person. Nothing that is there is overwritten.
    """
    from adapter.systems import scaffold
    from adapter.systems.manifest import KINDS

    try:
        system, message = scaffold.names(name)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="SYSTEM/MESSAGE") from error
    for said, known, hint in ((event, scaffold.events(), "--event"), (kind, KINDS, "--kind")):
        if said not in known:
            raise click.BadParameter(f"one of {', '.join(known)}{did_you_mean(nearest(said, known))}", param_hint=hint)
    form = "csv" if Path(sample).suffix.lower() == ".csv" else "json"
    try:
        made = scaffold.files(system, message, read_input(sample), form=form, event=event, kind=kind)
    except Refused as refused:
        say_issues(refused.issues, sample)
        raise click.exceptions.Exit(Exit.CONTENT) from refused
    there = [file for file in made if (Path(target) / file).exists()]
    if there:
        raise click.UsageError(f"{', '.join(there)} in {target}: there already; choose another name or folder")
    for file, body in made.items():
        folder((Path(target) / file).parent)
        with output(str(Path(target) / file)) as put:
            put(body)
        say(f"{Path(target) / file}", stdout=True)
    say("next: read the maps and give every field a hole; then")
    say(f"  ost-adapter maps check {system} --mappings {target}")
    say(f"  ost-adapter maps test {system} --mappings {target}")


@maps.command()
@click.option("-o", "target", metavar="DIR", help="A folder to write the pages and the connector packs into.")
@with_systems
def docs(target: str | None, mappings: tuple[Path, ...], lenient: bool | None) -> None:
    """Make the mapping reference from the maps: a page for each system, what survives on each route, and the connector packs."""
    from adapter.interfaces import mapping_reference, packs, survival_pages

    ost = opened(mappings, lenient)
    made = {**mapping_reference.pages(ost), **survival_pages.pages(ost)}
    if target is None:
        with output(None) as put:
            put("\n".join(made.values()).encode())
        return
    files = {name: text.encode() for name, text in made.items()} | packs.packs(ost)
    folder(Path(target))
    for name, body in files.items():
        with output(str(Path(target) / name)) as put:
            put(body)
    say(f"{plural(len(made), 'page')} and {plural(len(files) - len(made), 'connector pack')} written to {target}")
