"""The EMIS bulk extract: a folder (or zip) of CSV files, read as one joined record for each row of one of them.

Which file gives the records and what is joined to them is data of the manifest (`extract_layout`). A record is
`{<column>: value, ..., <join>: {<column>: value, ...}, <list>: [{<column>: value, ..., <join>: {...}}, ...], extract: {file, at,
agreement}}`: text as it stands in the file, true and false for the manifest's flags, and nothing where a column is empty; the
columns that a join compares are not repeated in it.

Every row gives something: a record, a record with issues, or the issues for which it was refused. Rows of one key (a re-sent or
updated row) give one record, that of the latest extract and, inside it, of the highest ProcessingId, which is the order in which
the source says its rows are to be taken; the others are named in an issue. A row with Deleted set is a tombstone: it gives a
record too, whatever its joins lack, for what was prescribed in error must be withdrawn everywhere.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from adapter.fhir.outcome import Issue, Refused, issue
from adapter.wire.csv_rows import Unread, rows
from adapter.wire.extract_files import ZIP_FAULTS, members
from adapter.wire.extract_header import Header, headers
from adapter.wire.extract_layout import Layout, Listed, layout
from adapter.wire.extract_records import Builder, RecordRead
from adapter.wire.extract_tables import Copy, Tables

__all__ = ["MEMORY", "RecordRead", "read"]

#: What DuckDB may use; the rest is spilled to disk. The process needs some 100 MB besides.
MEMORY = "256MB"


def read(
    source: Path | bytes, manifest: Mapping[str, Any], *, memory: str = MEMORY, scratch: Path | None = None
) -> Iterator[RecordRead]:
    """Every record of an extract, in the order of extract time and ProcessingId, after the rows that could not be read.

    source: a folder of the extract's CSV files, a zip file of them, or the bytes of that zip; manifest: the message's entry in
    system.yaml, of which `key` and `rows` are read; memory: what the joins may use before they spill to disk; scratch: where the
    spilled data lies while it is needed (the system's temporary folder by default; it holds patients' data, mode 0700).
    Raises Refused where the extract as a whole cannot be read, ValueError where the manifest is at fault.
    """
    plan = layout(manifest)
    folder = Path(tempfile.mkdtemp(prefix="ost-extract-", dir=scratch))
    try:
        with members(source) as there, Tables(folder, plan, memory) as tables:
            for name, notice in there.notices:
                yield RecordRead(None, name, [notice])
            opened = headers(there.found, plan)
            yield from _loaded(opened, plan, tables, folder)
            yield from _joined(opened, plan, tables)
    except ZIP_FAULTS as fault:
        raise Refused(
            [issue("fatal", "structure", "extract-unreadable", "The zip is damaged.", mend="Send the zip again.")]
        ) from fault
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _loaded(opened: list[Header], plan: Layout, tables: Tables, folder: Path) -> Iterator[RecordRead]:
    """Load every file; what cannot be loaded is said."""
    for file in plan.files:
        seen = [column for one in opened if one.member.table == file for column in one.columns]
        tables.create(file, list(dict.fromkeys(seen or _expected(plan, file))))
    for number, one in enumerate(opened):
        if one.notices:
            yield RecordRead(None, f"{one.member.name}:1", one.notices)
        with Copy(folder / f"{number}.rows", number) as copy:
            yield from _copied(one, copy)
        tables.load(copy, one.member.table, one.member.stamp, one.columns)
    for file, key in plan.keys:
        for number, line, column in tables.without_key(file, key):
            name = opened[number].member.name
            yield RecordRead(None, f"{name}:{line}", [_no_key(name, line, opened[number].columns.index(column) + 1, column)])


def _expected(plan: Layout, file: str) -> list[str]:
    """The columns of a file that may be absent, and is."""
    return [*plan.columns.get(file, ()), *sorted(plan.compared(file))]


def _copied(header: Header, copy: Copy) -> Iterator[RecordRead]:
    member = header.member
    with member.open() as stream:
        found = rows(stream, header.encoding)
        next(found)
        for row in found:
            if isinstance(row, Unread):
                yield RecordRead(None, f"{member.name}:{row.line}", [row.issue(member.name, header.columns)])
            else:
                copy.add(row.line, row.values)


def _joined(opened: list[Header], plan: Layout, tables: Tables) -> Iterator[RecordRead]:
    """Join the tables and give the records, after the rows of lists that belong to none."""
    files = [one.member for one in opened]
    for one in plan.lists:
        for number, line in tables.stray(one):
            yield RecordRead(None, f"{files[number].name}:{line}", [_stray(files[number].name, line, one, plan)])
    builder = Builder(*tables.prepare(), plan, files)
    for row, listed in tables.records():
        yield builder(row, listed)


def _stray(name: str, line: int, one: Listed, plan: Layout) -> Issue:
    text = f"{plan.start} has no row with this {' and '.join(one.there)}, so the row belongs to no record."
    mend = "Send the extract whole: first the bulk, then its updates."
    return issue("error", "not-found", "row-partner", text, expression=list(one.there), mend=mend, source=name, line=line)


def _no_key(name: str, line: int, column: int, named: str) -> Issue:
    text, mend = "The row does not say which one it is.", "Send the row with all columns of its key."
    return issue("error", "required", "row-key", text, expression=named, mend=mend, source=name, line=line, column=column)
