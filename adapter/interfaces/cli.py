"""The command `ost-adapter`. Standard output is data alone, standard error is for people; exit codes are in exits.py.

What a command does not need is not imported: translating one small file must not wait for a web framework.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import click

from adapter.fhir.outcome import Refused
from adapter.interfaces.cli_ledger import ledger
from adapter.interfaces.cli_maps import maps
from adapter.interfaces.cli_messages import systems, translate, validate
from adapter.interfaces.exits import Exit
from adapter.interfaces.opening import opened, with_systems
from adapter.interfaces.render import say, say_faults, say_issues
from adapter.interfaces.settings import SettingFaults, Settings
from adapter.interfaces.streams import InputFault, OutputFault, is_output_fault, output_fault, say_what_can_be_said
from adapter.mapping.faults import MapFaults, Unknown


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="ost-adapter", message="%(package)s %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of a fault of the program itself. It may show a patient's data.")
def cli(debug: bool) -> None:
    """Connect the systems that share the care of people on opioid substitution treatment."""


cli.add_command(systems)
cli.add_command(translate)
cli.add_command(validate)
cli.add_command(maps)
cli.add_command(ledger)


@cli.command()
def demo() -> None:
    """Translate messages between a GP, a treatment service and a pharmacy, and show what was kept. Offline, in seconds."""
    from adapter.interfaces.demo import run

    raise click.exceptions.Exit(run())


@cli.command()
@click.option("--host", help="The address to listen on (OST_HOST; 127.0.0.1).")
@click.option("--port", type=click.IntRange(0, 65535), help="The port; 0 takes any that is free (OST_PORT; 8080).")
@with_systems
def serve(host: str | None, port: int | None, mappings: tuple[Path, ...], lenient: bool | None) -> None:
    """Serve translation and the FHIR API over HTTP. Every map is checked before the port opens."""
    from dataclasses import replace

    settings = Settings.from_environment()
    settings = replace(settings, host=host or settings.host, port=settings.port if port is None else port)
    ost = opened(mappings, lenient, settings)
    if faults := ost.check():
        raise MapFaults(faults)
    from adapter.interfaces.server import run

    run(ost, settings)


@cli.command()
def healthcheck() -> None:
    """Ask the server at OST_HOST and OST_PORT whether it is alive (for a container's HEALTHCHECK)."""
    from http.client import HTTPConnection, HTTPException

    settings = Settings.from_environment()
    # A server that listens on every interface is asked on this machine's own.
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104  # compared, not bound
    connection = HTTPConnection(host, settings.port, timeout=3)
    try:
        connection.request("GET", "/livez")
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        say(f"{host}:{settings.port} does not answer: {error}")
        raise click.exceptions.Exit(Exit.DESTINATION) from error
    finally:
        connection.close()
    if status != 200:
        say(f"{host}:{settings.port} answers {status}")
        raise click.exceptions.Exit(Exit.DESTINATION)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command and exit with its code. Every failure ends here, and each says what to mend; no traceback without --debug."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    # Compiling maps and profiles makes much that lives to the end: looking through it over and over took a tenth of a start.
    gc.set_threshold(50_000)
    say_what_can_be_said()
    try:
        code = cli.main(args=arguments, prog_name="ost-adapter", standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except (KeyboardInterrupt, click.Abort):
        say("Interrupted.")
        sys.exit(Exit.INTERRUPTED)
    except SystemExit as stop:  # with 1 click and rich end where the reader of standard output has gone away
        sys.exit(Exit.STORAGE if stop.code == 1 else stop.code)
    except OSError as error:
        sys.exit(_told(output_fault(error) if is_output_fault(error) else error, debug="--debug" in arguments[:1]))
    except Exception as error:  # noqa: BLE001  # the last place: whatever it is becomes a code and a sentence
        sys.exit(_told(error, debug="--debug" in arguments[:1]))
    sys.exit(code if isinstance(code, int) else Exit.DONE)


#: Where those that are no system or message of one are named.
_WHERE = {"policy": "name a file of the folders of --policies (OST_POLICIES), without .yaml"}


def _told(error: Exception, *, debug: bool) -> Exit:
    """Says a failure to people; the code that stands for it."""
    match error:
        case Refused():
            say_issues(error.issues)
            return Exit.CONTENT
        case click.ClickException():
            with suppress(OSError):  # what nobody can be told is a fault of usage all the same
                error.show()
            return Exit.USAGE
        case Unknown():
            mend = _WHERE.get(error.what, "`ost-adapter systems` lists what is connected")
            mend = f"known are {', '.join(error.known)}" if error.known else mend
            say(f"Error: {error}\n    mend: {mend}")
            return Exit.USAGE
        case InputFault():
            say(f"Error: {error}\n    mend: give a file, a pipe, or - for standard input")
            return Exit.USAGE
        case SettingFaults() | MapFaults():
            say_faults(error.faults)
            return Exit.SETTINGS
        case OutputFault():
            if not error.quiet:
                say(f"Error: {error}\n    mend: {error.mend}")
            return Exit.STORAGE
    if debug:
        import traceback

        with suppress(OSError):
            traceback.print_exception(error)
    else:
        frame = _where(error)
        # Never its message: what a program trips over is often the data.
        say(f"Error: a fault of the program itself: {type(error).__name__} in {frame}\n    mend: report it; --debug shows more")
    return Exit.PROGRAM


def _where(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace is not None else "an unknown place"
