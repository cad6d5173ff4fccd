"""Whether what a command reads and writes are places of their own: judged before anything is read."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import TextIO

import click

from adapter.interfaces.streams import STDIN, STDOUT

#: What the place of an output is called where no option names it.
STANDARD_OUTPUT = "standard output"


def check_places(files: Sequence[str], outputs: Iterable[tuple[str, str]]) -> None:
    """Raises UsageError where two outputs are one place, or one of them is an input, or in a folder that is read.

    outputs: the option that names each, and its file
    """
    outputs = list(outputs)
    for (one, first), (other, second) in combinations(outputs, 2):
        if _one_place(first, second):
            raise click.UsageError(f"{one} and {other} would be written to one place: give each a file of its own")
    for name, target in outputs:
        for file in (each for given in files for each in _read(given)):
            if _overwritten(file, target):
                raise click.UsageError(f"{name} would overwrite {'standard input' if file == STDIN else file}: give another file")
    if files.count(STDIN) > 1:
        raise click.UsageError("standard input can be read once: give - once")


def _read(file: str) -> Iterator[str]:
    """The files that are read: those of a folder, at whatever depth."""
    if file != STDIN and Path(file).is_dir():
        yield from (str(each) for each in sorted(Path(file).rglob("*")) if each.is_file())
    else:
        yield file


def _one_place(one: str, other: str) -> bool:
    """Whether two outputs lead to one file or stream. "-" is standard output; the null device keeps nothing."""
    first, second = _place(one, sys.stdout), _place(other, sys.stdout)
    return one == other == STDOUT or (first is not None and first == second)


def _overwritten(file: str, target: str) -> bool:
    """Whether an output leads to this input, of which "-" is standard input. A terminal is read and written at once."""
    first = _place(file, sys.stdin)
    return first is not None and first[0] in ("file", "pipe") and first == _place(target, sys.stdout)


def _place(name: str, standard: TextIO | None) -> tuple[str, object] | None:
    """What it is, and what tells it from all others; None where nothing is kept or known."""
    try:
        there = os.fstat(standard.buffer.fileno()) if name == STDOUT and standard is not None else os.stat(name)  # noqa: PTH116
    except (OSError, ValueError):  # not there yet; or no stream of the system
        return None if name == STDOUT else ("new", Path(name).resolve())
    if stat.S_ISCHR(there.st_mode):
        return None if there.st_rdev == Path(os.devnull).stat().st_rdev else ("terminal", there.st_rdev)
    kind = "file" if stat.S_ISREG(there.st_mode) else "pipe" if stat.S_ISFIFO(there.st_mode) else "other"
    return kind, (there.st_dev, there.st_ino)
