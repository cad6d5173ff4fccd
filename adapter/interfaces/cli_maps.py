"""The commands for maps."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from adapter.fhir import json
from adapter.interfaces.exits import Exit
from adapter.interfaces.opening import opened, with_systems
from adapter.interfaces.render import plural, say, say_faults
from adapter.interfaces.streams import output


@click.group()
def maps() -> None:
    """Check the maps of the connected systems."""


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
@click.option("-o", "target", metavar="DIR", help="A folder to write a page for each system into.")
@with_systems
def docs(target: str | None, mappings: tuple[Path, ...], lenient: bool | None) -> None:
    """Make the mapping reference from the maps, as Markdown."""
    from adapter.interfaces.mapping_reference import pages

    made = pages(opened(mappings, lenient))
    if target is None:
        with output(None) as put:
            put("\n".join(made.values()).encode())
        return
    for name, text in made.items():
        with output(str(Path(target) / name)) as put:
            put(text.encode())
    say(f"{plural(len(made), 'page')} written to {target}")
