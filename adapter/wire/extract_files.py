"""The files of a multi-file extract: a folder of CSV files or a zip of one, and what their names say.

A file is named `<n>_<Domain>_<Name>_<yyyyMMddHHmmss>_<sharing agreement>.csv`, as the EMIS bulk extract names its own.
Nothing is unpacked: a member is read as a stream, from the folder or out of the zip.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from adapter.fhir.outcome import Issue, Refused, issue

Files = list[tuple[str, Callable[[], IO[bytes]]]]

#: What reading a zip member can raise once its directory has been read.
ZIP_FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError)

#: A zip that unpacks to more than this many times its own size is no extract but a bomb (real ones stay below 40).
_MOST_RATIO = 200

_NAME = re.compile(
    r"(?P<number>\d{1,9})_(?P<table>[A-Za-z]{1,40}_[A-Za-z]{1,60})_(?P<stamp>\d{14})_(?P<agreement>[^_/\\]{1,64})\.csv",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Member:
    """One CSV file of an extract: its name, its table, when it was extracted (yyyyMMddHHmmss, the source's own clock), under
    which sharing agreement, and how to open its bytes."""

    name: str
    table: str
    stamp: str
    agreement: str
    open: Callable[[], IO[bytes]]


@dataclass(frozen=True, slots=True)
class Members:
    """The CSV files of an extract in the order of their time and name, and an issue for each that says too little."""

    found: list[Member]
    notices: list[tuple[str, Issue]]


@contextmanager
def members(source: Path | bytes) -> Iterator[Members]:
    """The members of a folder, of a zip file or of a zip's bytes.

    Raises Refused where there is no such folder or zip, or where the zip is encrypted or unpacks out of all proportion.
    """
    if isinstance(source, Path) and source.is_dir():
        # A link could lead out of the folder.
        inside = [
            path
            for path in sorted(source.iterdir())
            if path.suffix.lower() == ".csv" and path.is_file() and not path.is_symlink()
        ]
        yield _sorted([(path.name, _opener(path)) for path in inside])
        return
    if isinstance(source, Path) and not source.is_file():
        raise Refused(
            [
                _unreadable(
                    "There is no such folder or zip file.", "Give the folder that holds the extract's CSV files.", source.name
                )
            ]
        )
    size = source.stat().st_size if isinstance(source, Path) else len(source)
    try:
        archive = zipfile.ZipFile(source if isinstance(source, Path) else io.BytesIO(source))
    except ZIP_FAULTS as fault:
        name = source.name if isinstance(source, Path) else ""
        raise Refused(
            [_unreadable("This is neither a folder nor a zip.", "Send the extract as a folder or as one zip of it.", name)]
        ) from fault
    with archive:
        yield _sorted(_zipped(archive, size))


def _zipped(archive: zipfile.ZipFile, size: int) -> Files:
    entries = [one for one in archive.infolist() if not one.is_dir() and one.filename.lower().endswith(".csv")]
    if any(one.flag_bits & 1 for one in entries):
        raise Refused([_unreadable("The zip is encrypted.", "Send it unencrypted over a channel that is.", "")])
    if sum(one.file_size for one in entries) > _MOST_RATIO * size:
        raise Refused(
            [
                issue(
                    "fatal",
                    "too-long",
                    "extract-too-long",
                    "The zip unpacks to far more than an extract would.",
                    mend="Send the files themselves.",
                )
            ]
        )
    # The path inside a zip is not trusted; only the last part of it is a name.
    return [(re.split(r"[/\\]", one.filename)[-1], lambda one=one: archive.open(one)) for one in entries]  # type: ignore[misc]


def _opener(path: Path) -> Callable[[], IO[bytes]]:
    return lambda: path.open("rb")


def said_by(name: str) -> tuple[str, str, str] | None:
    """What a file's name says: (table, yyyyMMddHHmmss, sharing agreement); None where it is no name of an extract file."""
    said = _NAME.fullmatch(name)
    if said is None:
        return None
    try:
        datetime.strptime(said["stamp"], "%Y%m%d%H%M%S")  # noqa: DTZ007 - the source does not say its zone
    except ValueError:
        return None
    return said["table"], said["stamp"], said["agreement"].strip("{}").lower()


def _sorted(files: Files) -> Members:
    found: list[Member] = []
    notices: list[tuple[str, Issue]] = []
    for name, opened in files:
        said = said_by(name)
        if said is None:
            notices.append((name, _unnamed(name)))
        else:
            found.append(Member(name, *said, opened))
    found.sort(key=lambda one: (one.stamp, one.name))
    if len({one.agreement for one in found}) > 1:
        text = "Files of several sharing agreements lie together: which rows belong together is not known."
        raise Refused([issue("fatal", "conflict", "extract-mixed", text, mend="Give one folder (or zip) a sharing agreement.")])
    return Members(found, notices)


def _unnamed(name: str) -> Issue:
    text = "The file's name is not that of an extract file, so the file was left unread."
    mend = "Name it <n>_<Domain>_<Name>_<yyyyMMddHHmmss>_<sharing agreement>.csv."
    return issue("warning", "not-supported", "extract-file-name", text, source=name, mend=mend)


def _unreadable(text: str, mend: str, name: str) -> Issue:
    return issue("fatal", "structure", "extract-unreadable", text, source=name, mend=mend)
