"""CSV rows with the line that each began on, and every fault of a row said instead of guessed at.

A row that cannot be read costs itself alone: after a quote that never closes, reading goes on with the very next line, so that
the rows it would have swallowed are still there. https://www.rfc-editor.org/rfc/rfc4180
"""

from __future__ import annotations

import codecs
import csv
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

from adapter.fhir.outcome import Issue, issue

#: Longest row in characters, and most lines in one. The longest text column of the extract has 8,000 characters.
MOST_CHARACTERS = 131_072
MOST_LINES = 500

#: Control characters that FHIR text may not hold (tab, CR and LF may), and bytes that had no character in the encoding.
_BAD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")

_QUOTES = "A quotation mark stands where none may, or one is not closed."
_QUOTING = 'Quote a value whole, and write a quotation mark in it twice ("").'
_CODES = "A byte stands for no character: the file is UTF-8 or Windows-1252."

#: Rule -> issue code, text, mend.
_RULES = {
    "csv-quotes": ("structure", _QUOTES, _QUOTING),
    "csv-columns": ("structure", "The row has not as many columns as the header.", "Send the row as its software wrote it."),
    "csv-row-length": ("too-long", "The row is too long to be one row.", "Look for a quotation mark that is not closed."),
    "csv-encoding": ("structure", _CODES, "Send the file as UTF-8."),
    "csv-control-character": ("invalid", "A control character stands in a value.", "Leave the character out."),
    "csv-empty": ("structure", "The file has no header row.", "Send the file with its header, even where it has no rows."),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A row that was read: the line it began on, counted from 1, and its values in the order of the header."""

    line: int
    values: list[str]


@dataclass(frozen=True, slots=True)
class Unread:
    """A row that was not: the line, the column counted from 1 (0 where that says nothing), and the rule it broke."""

    line: int
    column: int
    rule: str

    def issue(self, source: str, header: list[str]) -> Issue:
        """The issue to answer with. source: the file's name; header: its column names, for the expression."""
        code, text, mend = _RULES[self.rule]
        named = header[self.column - 1] if 0 < self.column <= len(header) else ()
        return issue(
            "error", code, self.rule, text, expression=named, mend=mend, source=source, line=self.line, column=self.column
        )


class _Overlong(Exception):
    """A row grew beyond all measure."""


class _Lines:
    """The lines of a file as a csv.reader takes them; those of a spoilt row can be handed back. One too long is None."""

    def __init__(self, stream: IO[bytes], encoding: str) -> None:
        self.stream = stream
        self.encoding = encoding
        self.number = 0
        self.waiting: deque[tuple[int, str | None]] = deque()
        self.taken: list[tuple[int, str | None]] = []

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        number, text = self.waiting.popleft() if self.waiting else self._read()
        self.taken.append((number, text))
        if text is None or (len(self.taken) > 1 and self._is_too_much()):
            raise _Overlong
        return text

    def _is_too_much(self) -> bool:
        return len(self.taken) > MOST_LINES or sum(len(text or "") for _, text in self.taken) > MOST_CHARACTERS

    def _read(self) -> tuple[int, str | None]:
        raw = self.stream.readline(MOST_CHARACTERS)
        if not raw:
            raise StopIteration
        self.number += 1
        if len(raw) == MOST_CHARACTERS and not raw.endswith(b"\n"):
            while (more := self.stream.readline(MOST_CHARACTERS)) and not more.endswith(b"\n"):
                pass
            return self.number, None
        if self.number == 1:
            raw = raw.removeprefix(codecs.BOM_UTF8)
        return self.number, raw.decode(self.encoding, "surrogateescape")

    def hand_back(self) -> None:
        """Give back all lines of the present row but its first."""
        self.waiting.extendleft(reversed(self.taken[1:]))


def encoding_of(opened: Callable[[], IO[bytes]]) -> str:
    """`utf-8` where every byte of the file is, else `cp1252`, which older exports on Windows are written in."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with opened() as stream:
        try:
            while chunk := stream.read(1 << 20):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"


def rows(stream: IO[bytes], encoding: str, delimiter: str = ",") -> Iterator[Row | Unread]:
    """Every row of a CSV file in order, the header first; blank lines are no rows.

    stream: its bytes, read once; encoding: as `encoding_of` says; delimiter: between two values. A row with as many values as
    the first row is a Row, any other an Unread, and so is one with a byte or character that no value may hold.
    """
    lines = _Lines(stream, encoding)
    reader = csv.reader(lines, strict=True, delimiter=delimiter)
    width = 0
    while True:
        lines.taken.clear()
        try:
            values = next(reader)
        except StopIteration:
            return
        except (csv.Error, _Overlong) as fault:
            yield Unread(lines.taken[0][0], 0, "csv-row-length" if isinstance(fault, _Overlong) else "csv-quotes")
            lines.hand_back()
            reader = csv.reader(lines, strict=True, delimiter=delimiter)
            continue
        if not values:
            continue
        line = lines.taken[0][0]
        width = width or len(values)
        if len(values) == width:
            yield _checked(line, values)
            continue
        yield Unread(line, min(len(values), width) + 1, "csv-columns")
        if len(lines.taken) > 1:  # a lost quote, most likely: the lines it swallowed are rows of their own
            lines.hand_back()
            reader = csv.reader(lines, strict=True, delimiter=delimiter)


def _checked(line: int, values: list[str]) -> Row | Unread:
    if _BAD.search("".join(values)) is None:
        return Row(line, values)
    for column, value in enumerate(values, 1):
        if found := _BAD.search(value):
            return Unread(line, column, "csv-encoding" if found[0] >= "\ud800" else "csv-control-character")
    raise AssertionError("unreachable")
