"""What the commands share: the options that choose the systems, and the adapter they open."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adapter.fhir.dates import precision
from adapter.interfaces.settings import Settings

if TYPE_CHECKING:
    from adapter import Adapter


with_leniency = click.option(
    "--lenient/--strict", default=None, help="Carry an NHS number that fails its check digit, with a warning (OST_LENIENT)."
)


def with_systems(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --mappings and --lenient to a command."""
    command = with_leniency(command)
    return click.option(
        "--mappings",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        multiple=True,
        metavar="DIR",
        help="A further folder of systems; may be repeated (OST_MAPPINGS).",
    )(command)


def opened(mappings: tuple[Path, ...] = (), lenient: bool | None = None, settings: Settings | None = None) -> Adapter:
    """The adapter with these systems; what is not given comes from the settings.

    Raises SettingFaults and MapFaults.
    """
    import adapter

    settings = settings or Settings.from_environment()
    return adapter.load(mappings or settings.mappings, lenient=settings.lenient if lenient is None else lenient)


def now() -> str:
    """The present instant, as FHIR writes it. Mapping itself knows no clock: the time of receipt is told to it from here."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


#: What an as-of or known-at must be; the years within which a ledger can be asked for.
ASKED = "write a day from 1990 to 2100, such as 2026-03-18, or a moment with its offset, such as 2026-03-18T18:10:00Z"


def is_asked(said: str) -> bool:
    """Whether a ledger can be asked for as of this."""
    return precision(said) in ("day", "time") and "1990" <= said[:4] <= "2100"
