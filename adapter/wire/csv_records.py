"""CSV files whose rows are gathered into records, and records that are scattered into rows, as csv_layout says.

A record is `{COLUMN: text, ..., <list>: [{COLUMN: text, ...}]}`, with nothing where a cell is empty. Two lists may share columns:
they are joined on them, and what has no partner keeps a row of its own. https://www.rfc-editor.org/rfc/rfc4180
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from adapter.fhir.outcome import Issue, Refused, issue
from adapter.wire.csv_layout import Group, Layout
from adapter.wire.csv_rows import Row, Unread, encoding_of, rows

#: Most rows of one record: a year of doses, twice a day, is a tenth of it.
MOST_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class RowsRead:
    """What some rows gave: a record (None where they were refused), their place as file:line, and the issues.

    surplus: columns with a value that no version known here has; lines: for a path of the record, its line and column.
    """

    record: dict[str, Any] | None
    place: str
    issues: list[Issue]
    surplus: tuple[str, ...] = ()
    lines: Callable[[Sequence[str | int]], tuple[int, int]] = field(default=lambda _: (0, 0))


# read -------------------------------------------------------------------------------------------------------------------
def read(source: Path | bytes, plan: Layout, name: str = "") -> Iterator[RowsRead]:
    """Every record of a file, in its order; rows that cannot be read are told in their place, and the others go on.

    source: the file or its bytes, UTF-8 or Windows-1252, with a header, columns in any order, separated by commas or semicolons;
    name: that of the file, for the issues. Memory: the rows of one record. Raises Refused where the header cannot be used.
    """
    opened: Callable[[], IO[bytes]] = (lambda: source.open("rb")) if isinstance(source, Path) else (lambda: io.BytesIO(source))
    name = name or (source.name if isinstance(source, Path) else "")
    encoding = encoding_of(opened)
    with opened() as stream:
        delimiter = _delimiter(stream.readline(1 << 16))
    with opened() as stream:
        found = rows(stream, encoding, delimiter)
        header = _header(next(found, Unread(1, 0, "csv-empty")), plan, name)
        if header.issues:
            yield RowsRead(None, f"{name}:1", header.issues)
        gather = _Gather(plan, header, name)
        for row in found:
            if isinstance(row, Unread):
                gather.spoil()
                yield RowsRead(None, f"{name}:{row.line}", [row.issue(name, header.names)])
            else:
                yield from gather.add(row)
        yield from gather.close()


def _delimiter(line: bytes) -> str:
    return ";" if b";" in line and b"," not in line else ","


@dataclass(slots=True)
class _Header:
    names: list[str]
    at: dict[str, int]
    issues: list[Issue]


def _header(first: Row | Unread, plan: Layout, name: str) -> _Header:
    if isinstance(first, Unread):
        raise Refused([first.issue(name, [])])
    names = [plan.spelling.get(text.strip(), text.strip()) for text in first.values]
    faults: list[Issue] = []
    notices: list[Issue] = []
    for number, column in enumerate(names, 1):
        place: dict[str, Any] = {"source": name, "line": first.line, "column": number}
        if column in names[: number - 1] or not column:
            text = "A column has no name, or the name of another."
            faults.append(issue("fatal", "structure", "csv-header", text, mend="Name every column once.", **place))
        elif column not in plan.columns:
            text = "No version of this file known here has this column; what stands in it is not read."
            mend = "Leave it out, or ask for it to be mapped."
            notices.append(issue("warning", "structure", "csv-column", text, mend=mend, **place))
    for column in plan.columns:
        if column not in names:
            text = f"The file lacks the column {column}."
            mend = "Send every column of the contract, even one without values."
            faults.append(
                issue("fatal", "structure", "csv-header", text, expression=column, mend=mend, source=name, line=first.line)
            )
    if faults:
        raise Refused(faults)
    return _Header(names, {column: index for index, column in enumerate(names)}, notices)


class _Gather:
    """Rows of one record as they come; the record when the next one begins."""

    def __init__(self, plan: Layout, header: _Header, name: str) -> None:
        self.plan, self.header, self.name = plan, header, name
        self.key: tuple[str, ...] = ()
        self.held: list[Row] = []
        self.seen: set[int] = set()
        # Whether a row that could not be read may have been of the present record, or of the next.
        self.spoilt = self.spoilt_next = False
        self.by = [header.at[column] for column in plan.by]

    def spoil(self) -> None:
        """A row could not be read: whose it was is not known."""
        self.spoilt = True
        self.spoilt_next = bool(self.held)

    def add(self, row: Row) -> Iterator[RowsRead]:
        """One more row; the record that it ends, if it does."""
        if not self.plan.groups:
            yield self._record([row])
            return
        key = tuple(row.values[at].strip() for at in self.by)
        if self.held and key != self.key:
            yield from self.close()
        elif self.held:
            self.spoilt_next = False  # it lay among this record's own rows
        self.key = key
        self.held.append(row)
        if len(self.held) > MOST_ROWS:
            yield from self.close()

    def close(self) -> Iterator[RowsRead]:
        """The record of the rows that are held."""
        if self.held:
            made = self._record(self.held)
            again = hash(self.key)
            if again in self.seen:
                text = "Rows with this key stand elsewhere in the file as well, so that neither of the two is the whole record."
                fault = self._issue("csv-rows-apart", text, "Put the rows of one record together.", self.held[0])
                made = RowsRead(None, made.place, [*made.issues, fault])
            self.seen.add(again)
            self.held, self.key = [], ()
            yield made
            self.spoilt, self.spoilt_next = self.spoilt_next, False

    def _record(self, held: list[Row]) -> RowsRead:
        faults = self._whole(held)
        at, first = self.header.at, held[0]
        record: dict[str, Any] = {c: first.values[at[c]] for c in self.plan.header if first.values[at[c]] != ""}
        for row in held[1:]:
            faults += [self._apart(first, row, c) for c in self.plan.header if row.values[at[c]] != first.values[at[c]]]
        lines: dict[tuple[str | int, str | int], Row] = {}
        for group in self.plan.groups:
            elements = self._elements(group, held, faults)
            lines |= {(group.name, number): row for number, (_, row) in enumerate(elements)}
            if elements:
                record[group.name] = [element for element, _ in elements]
        if faults:
            return RowsRead(None, f"{self.name}:{first.line}", faults)
        surplus = tuple(c for c, index in at.items() if c not in self.plan.columns and any(r.values[index] for r in held))

        def place(path: Sequence[str | int]) -> tuple[int, int]:
            row = lines.get((path[0], path[1]), first) if len(path) > 1 else first
            return row.line, at.get(str(path[-1]), -1) + 1 if path else 0

        return RowsRead(record, f"{self.name}:{first.line}", [], surplus, place)

    def _whole(self, held: list[Row]) -> list[Issue]:
        """Why these rows may not be the whole record, if anything tells."""
        if len(held) > MOST_ROWS:
            return [self._issue("csv-too-many-rows", f"One record has more than {MOST_ROWS} rows.", "Send it in parts.", held[0])]
        if self.spoilt and self.plan.groups:
            # A row beside these could not be read, and may have been one of theirs: a list with a hole is not the list.
            text = "A row next to this record's could not be read, so the record may not be whole."
            return [self._issue("csv-record-cut", text, "Mend that row and send the file again.", held[0])]
        return []

    def _elements(self, group: Group, held: list[Row], faults: list[Issue]) -> list[tuple[dict[str, str], Row]]:
        """The elements of one list, each with the row that said it first."""
        at = self.header.at
        found: dict[tuple[str, ...], tuple[dict[str, str], Row]] = {}
        for row in held:
            if not any(row.values[at[c]] for c in group.own):
                continue
            element = {c: row.values[at[c]] for c in group.columns if row.values[at[c]] != ""}
            before, said_at = found.setdefault(tuple(row.values[at[c]] for c in group.by), (element, row))
            faults += [self._apart(said_at, row, c) for c in group.columns if before.get(c) != element.get(c)]
        return list(found.values())

    def _apart(self, first: Row, row: Row, column: str) -> Issue:
        text = f"This row and that of line {first.line} belong together and say different things here."
        mend = "Write the same in every row of a record, or give the second a key of its own."
        return issue(
            "error",
            "conflict",
            "csv-rows-disagree",
            text,
            expression=column,
            mend=mend,
            source=self.name,
            line=row.line,
            column=self.header.at[column] + 1,
        )

    def _issue(self, rule: str, text: str, mend: str, row: Row) -> Issue:
        by = list(self.plan.by)
        return issue("error", "structure", rule, text, expression=by, mend=mend, source=self.name, line=row.line)


# write ------------------------------------------------------------------------------------------------------------------
def header_line(plan: Layout) -> bytes:
    """The header of a file, with its end of line."""
    return _lines([dict(zip(plan.columns, plan.columns, strict=True))], plan)


def write(record: Mapping[str, Any], plan: Layout) -> bytes:
    """The rows of a record without their header: UTF-8, ends of line CR LF, values quoted where they must be.

    A value that is no text is a fault of the program: TypeError.
    """
    made: list[dict[str, str]] = [{}]
    placed: set[str] = set()
    for group in plan.groups:
        elements: list[dict[str, str]] = record.get(group.name, [])
        made = _joined(made, elements, [column for column in group.columns if column in placed])
        placed.update(group.columns)
    alike = {column: record[column] for column in plan.header if column in record}
    return _lines([alike | row for row in made], plan)


def _joined(rows_: list[dict[str, str]], elements: list[dict[str, str]], shared: list[str]) -> list[dict[str, str]]:
    """The outer natural join. Without shared columns every row meets every element."""
    if not elements:
        return rows_
    made: list[dict[str, str]] = []
    used: set[int] = set()
    for row in rows_:
        partners = [
            index
            for index, element in enumerate(elements)
            if all(row.get(c) == element.get(c) for c in shared) and (not shared or any(c in row for c in shared))
        ]
        made += [row | elements[index] for index in partners] or [row]
        used.update(partners)
    lonely = [element for index, element in enumerate(elements) if index not in used]
    return [row for row in made if row] + lonely


def _lines(rows_: Sequence[Mapping[str, str]], plan: Layout) -> bytes:
    text = io.StringIO(newline="")
    out = csv.writer(text, lineterminator="\r\n")
    for row in rows_:
        values = [row.get(column, "") for column in plan.columns]
        for value in values:
            if not isinstance(value, str):
                raise TypeError(f"{type(value).__name__} is not written as CSV: a record of a CSV message holds text")
        out.writerow(values)
    return text.getvalue().encode()
