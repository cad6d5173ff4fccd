"""Where a command's bytes come from and go to: a file, standard input, standard output.

What is written to a file appears whole or not at all: it is written beside the target, flushed to disk, and renamed.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import IO

STDIN = STDOUT = "-"


class InputFault(Exception):
    """What is named as input can be read neither as a file nor as a pipe."""


class OutputFault(Exception):
    """The output could not be written. `quiet` where its reader has gone away and wants to hear no more; mend: what to do."""

    def __init__(self, what: str, *, mend: str, quiet: bool = False) -> None:
        self.mend, self.quiet = mend, quiet
        super().__init__(what)


def read_input(file: str) -> bytes:
    """The bytes of a file, of a named pipe, or of standard input for "-". Raises InputFault for what is none of them."""
    if file == STDIN:
        return _stdin().read()
    if stat.S_ISDIR(_kind(file)):
        raise InputFault(f"{file}: a folder")
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise InputFault(f"{file}: {error.strerror}") from error


@contextmanager
def source_file(file: str) -> Iterator[Path]:
    """The path of a file or folder that can be read again; of standard input ("-") and of a named pipe, that of a copy.

    A copy is readable by its owner alone and gone when the block ends. Raises InputFault for what is neither, such as a terminal.
    """
    if file == STDIN:
        with _copied(_stdin()) as copy:
            yield copy
        return
    if stat.S_ISFIFO(_kind(file)):
        with Path(file).open("rb") as pipe, _copied(pipe) as copy:
            yield copy
    else:
        yield Path(file)


def _kind(file: str) -> int:
    """The mode of a file, a folder or a pipe. Raises InputFault for what is none, such as a device: it need have no end."""
    try:
        mode = Path(file).stat().st_mode
    except OSError as error:
        raise InputFault(f"{file}: {error.strerror}") from error
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISFIFO(mode)):
        raise InputFault(f"{file}: neither a file nor a pipe")
    return mode


def _stdin() -> IO[bytes]:
    if sys.stdin is None:
        raise InputFault("standard input: it is closed")
    return sys.stdin.buffer


@contextmanager
def _copied(stream: IO[bytes]) -> Iterator[Path]:
    folder = tempfile.gettempdir()
    with _faults(folder):
        copy = tempfile.NamedTemporaryFile(prefix="ost-input-")  # noqa: SIM115  # closed below, where its trouble is not told twice
    try:
        with _faults(folder):
            shutil.copyfileobj(stream, copy)
            copy.flush()
        yield Path(copy.name)
    finally:
        with suppress(OSError):
            copy.close()


def say_what_can_be_said() -> None:
    """Let text for people on standard output stand escaped where the stream's encoding lacks a character; data is bytes."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def as_text(text: str) -> bytes:
    """The bytes of a text for people, in the encoding of standard output, what it lacks escaped."""
    return text.encode(getattr(sys.stdout, "encoding", None) or "utf-8", "backslashreplace")


@contextmanager
def output(target: str | None) -> Iterator[Callable[[bytes], None]]:
    """A function that writes: to standard output for None or "-", else to the file, which stays as it was if the block raises.

    Raises OutputFault where the bytes cannot be written; what else the block raises passes through.
    """
    if target is None or target == STDOUT:
        if sys.stdout is None:
            raise OutputFault("standard output: it is closed", mend="open it, or name a file to write to")
        yield partial(_write, sys.stdout.buffer, STDOUT)
        _finish(sys.stdout.buffer, STDOUT)
        return
    path = Path(target).resolve()
    with _faults(target):
        there = path.stat() if path.exists() else None
    if there is not None and not stat.S_ISREG(there.st_mode):  # /dev/null, a named pipe: nothing to rename over
        with _open(path, "wb", target) as stream:
            yield partial(_write, stream, target)
            _finish(stream, target)
        return
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    # Not tempfile: its mode 0600 would stay with a new file, where the umask should decide.
    with _open(beside, "xb", target) as stream:
        try:
            yield partial(_write, stream, target)
            _finish(stream, target, sync=True)
            with _faults(target):
                if there is not None:  # who could not read the old file must not read the new one
                    os.fchmod(stream.fileno(), stat.S_IMODE(there.st_mode))
                beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise


def folder(target: Path) -> None:
    """Make a folder, and those above it, where they are not there. Raises OutputFault."""
    with _faults(str(target)):
        target.mkdir(parents=True, exist_ok=True)


@contextmanager
def _faults(target: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise output_fault(error, target) from error


@contextmanager
def _open(path: Path, mode: str, target: str) -> Iterator[IO[bytes]]:
    with _faults(target):
        stream = path.open(mode)
    try:
        yield stream
    finally:
        # What could not be flushed has been told; closing would tell it again, and as something else.
        with suppress(OSError):
            stream.close()


def _write(stream: IO[bytes], target: str, data: bytes) -> None:
    with _faults(target):
        stream.write(data)


def _finish(stream: IO[bytes], target: str, *, sync: bool = False) -> None:
    with _faults(target):
        stream.flush()
        if sync:
            os.fsync(stream.fileno())


#: What a stream that cannot take more says: the disk is full, the quota is used up, the reader is gone.
_NO_MORE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EPIPE})


def is_output_fault(error: OSError) -> bool:
    """Whether an error was met in writing to standard output: it has no file's name, and says that no more can be written."""
    return error.filename is None and error.errno in _NO_MORE


def output_fault(error: OSError, target: str = STDOUT) -> OutputFault:
    """The fault to raise for an error met in writing."""
    if target == STDOUT:
        # What Python still holds for a closed pipe would be written, and fail again, at exit.
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OutputFault(f"standard output: {error.strerror}", mend=_mend(error), quiet=isinstance(error, BrokenPipeError))
    return OutputFault(f"{target}: {error.strerror}", mend=_mend(error))


def _mend(error: OSError) -> str:
    """What to do about an error met in writing."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            return "make room, or name another place to write to"
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return "name a place that you may write to"
        case errno.EISDIR:
            return "name a file: this is a folder"
        case errno.ENOENT:
            return "make the folder first, or name one that is there"
        case errno.ENOTDIR | errno.EEXIST:
            return "name a folder: a file is in its place"
        case errno.ENAMETOOLONG:
            return "name it more shortly"
    return "name another place to write to"
