"""The header rows of an extract's files: which column is which, in every version and spelling of the source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adapter.fhir.outcome import Issue, Refused, issue
from adapter.wire.csv_rows import Row, Unread, encoding_of, rows
from adapter.wire.extract_files import Member
from adapter.wire.extract_layout import Layout


@dataclass(frozen=True, slots=True)
class Header:
    """A file with its encoding, its columns as the layout spells them, and what is to be said of them."""

    member: Member
    encoding: str
    columns: list[str]
    notices: list[Issue]


def headers(found: list[Member], plan: Layout) -> list[Header]:
    """The headers of all files that the layout reads, in the order of the files; others are not opened.

    Raises Refused, with every fault at once, where a file is missing, a header cannot be read, or lacks a column that every
    version has: then no row of the file means what the maps take it to mean.
    """
    there = {one.table for one in found}
    faults = [_missing(file) for file, needed in plan.files.items() if needed and file not in there]
    made = [_header(member, plan, faults) for member in found if member.table in plan.files]
    if faults:
        raise Refused(faults)
    return made


def _header(member: Member, plan: Layout, faults: list[Issue]) -> Header:
    encoding = encoding_of(member.open)
    with member.open() as stream:
        first = next(rows(stream, encoding), Unread(1, 0, "csv-empty"))
    if isinstance(first, Unread):
        faults.append(first.issue(member.name, []))
        return Header(member, encoding, [], [])
    columns = [plan.spelling.get(name.strip(), name.strip()) for name in first.values]
    known = (*plan.columns.get(member.table, ()), *plan.later.get(member.table, ()))
    notices: list[Issue] = []
    for number, name in enumerate(columns, 1):
        if not name.isidentifier() or name.startswith("_") or name.lower() in (c.lower() for c in columns[: number - 1]):
            faults.append(_fault(member, first, number, name, "A column has no usable name, or the name of another.", "fatal"))
        elif known and name not in known:
            text = "No version of this file known here has this column; it is read, and no map knows it."
            notices.append(_fault(member, first, number, name, text, "warning"))
    needed = {*plan.columns.get(member.table, ()), *plan.compared(member.table)}
    faults.extend(
        _fault(member, first, 0, name, f"The file lacks the column {name}, which every version has.", "fatal")
        for name in sorted(needed - set(columns))
    )
    return Header(member, encoding, columns, notices)


def _missing(file: str) -> Issue:
    mend = "Send the extract whole; the source writes every file, even one without rows."
    return issue("fatal", "not-found", "extract-file-missing", f"The extract has no file {file}.", mend=mend)


def _fault(member: Member, row: Row, column: int, name: str, text: str, severity: str) -> Issue:
    mend = "Send the files of one known version of the extract, headers included."
    named = name if name.isidentifier() else ()
    place: dict[str, Any] = {"source": member.name, "line": row.line, "column": column}
    return issue(severity, "structure", "extract-column", text, expression=named, mend=mend, **place)
