"""The EMIS bulk extract: a folder (or zip) of CSV files, read as one joined record for each row of one of them.

Which file gives the records and what is joined to them is data of the manifest (`extract_layout`). A record is
`{<column>: value, ..., <join>: {<column>: value, ...}, extract: {file, at, agreement}}`: text as it stands in the file, true and
false for the manifest's flags, and nothing where a column is empty; the columns that a join compares are not repeated in it.

Every row gives something: a record, a record with issues, or the issues for which it was refused. Rows of one key (a re-sent or
updated row) give one record, that of the latest extract and, inside it, of the highest ProcessingId, which is the order in which
the source says its rows are to be taken; the others are named in an issue. A row with Deleted set is a tombstone: it gives a
record too, whatever its joins lack, for what was prescribed in error must be withdrawn everywhere.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapter.fhir.outcome import Issue, Refused, is_error, issue
from adapter.wire.extract_files import ZIP_FAULTS, Member, members
from adapter.wire.extract_header import Header, headers
from adapter.wire.extract_layout import ORIGIN, Join, Layout, Remark, layout
from adapter.wire.extract_rows import Unread, rows
from adapter.wire.extract_tables import Copy, Tables, restored

#: What DuckDB may use; the rest is spilled to disk. The process needs some 100 MB besides.
MEMORY = "256MB"

_FLAGS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class RecordRead:
    """What one row gave: its record (None where it was refused, or where the issues are about a file as a whole), the place
    of the row as file:line, and its issues."""

    record: dict[str, Any] | None
    place: str
    issues: list[Issue]

    @property
    def refused(self) -> bool:
        """Whether this is a row that gave no record."""
        return any(map(is_error, self.issues))


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
    keys = {plan.start: plan.key} | {join.file: join.there for join in plan.joins}
    for file, key in keys.items():
        for number, line, column in tables.without_key(file, key):
            name = opened[number].member.name
            yield RecordRead(None, f"{name}:{line}", [_no_key(name, line, opened[number].columns.index(column) + 1, column)])


def _expected(plan: Layout, file: str) -> list[str]:
    """The columns of a file that may be absent, and is."""
    return [*plan.columns.get(file, ()), *(there for join in plan.joins if join.file == file for there in join.there)]


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
    """Join the tables and give the records."""
    tables.latest("start", plan.start, plan.key)
    for join in plan.joins:
        tables.latest(join.name, join.file, join.there)
    names, found = tables.records()
    builder = _Builder(names, plan, [one.member for one in opened])
    for row in found:
        yield builder(row)


class _Builder:
    """Makes a record of each joined row, and its issues."""

    def __init__(self, names: list[str], plan: Layout, files: list[Member]) -> None:
        self.plan = plan
        self.files = files
        self.at = {name: index for index, name in enumerate(names)}
        flags = plan.flags
        self.own = [(i, name, name in flags) for i, name in enumerate(names) if "." not in name and not name.startswith("_")]
        self.joined = [(join, self.at[f"{join.name}._line"], self._columns(join, names)) for join in plan.joins]

    def _columns(self, join: Join, names: list[str]) -> list[tuple[int, str, bool]]:
        own = [(i, name.partition(".")) for i, name in enumerate(names)]
        return [
            (i, column, column in self.plan.flags)
            for i, (owner, _, column) in own
            if owner == join.name and not column.startswith("_")
        ]

    def __call__(self, row: tuple[Any, ...]) -> RecordRead:
        member, line = self.files[row[self.at["_file"]]], row[self.at["_line"]]
        record = _values(row, self.own)
        for join, there, columns in self.joined:
            if row[there] is not None and (values := _values(row, columns)):
                record[join.name] = values
        record[ORIGIN] = {"file": member.name, "at": member.stamp, "agreement": member.agreement}
        issues = [*self._versions(row, member.name, line), *self._partners(row, record, member.name, line)]
        issues.extend(_remark(one, member.name, line) for one in self.plan.remarks if _applies(one, record))
        return RecordRead(None if any(map(is_error, issues)) else record, f"{member.name}:{line}", issues)

    def _versions(self, row: tuple[Any, ...], name: str, line: int) -> Iterator[Issue]:
        """What is to be said of the other rows with this row's key."""
        for older in row[self.at["_older"]] or ():
            place = f"{self.files[older['file']].name}:{older['line']}"
            if older["doubt"]:
                text = f"This row and that at {place} have one key and say different things, and nothing tells which is later."
                key, mend = list(self.plan.key), f"Give both a {self.plan.order}, or send the one that counts."
                yield issue("error", "conflict", "row-order", text, expression=key, mend=mend, source=name, line=line)
            elif older["same"]:
                text = f"The row at {place} says the same."
                yield issue("information", "duplicate", "row-resent", text, source=name, line=line)
            else:
                text = f"This row is later than that at {place}."
                yield issue("information", "duplicate", "row-superseded", text, source=name, line=line)

    def _partners(self, row: tuple[Any, ...], record: dict[str, Any], name: str, line: int) -> Iterator[Issue]:
        """What is to be said of partners that are missing, or of which nobody can tell which row counts."""
        withdraws = record.get(self.plan.tombstone) is True
        for join, there, _ in self.joined:
            severity = "error" if join.missing == "refuse" and not withdraws else "warning"
            if row[there] is None:
                if join.missing != "allow" and all(_at(record, here) is not None for here in join.here):
                    text = f"{join.file} has no row with this {' and '.join(join.there)}."
                    here, mend = list(join.here), "Send the extract whole: first the bulk, then its updates."
                    yield issue(severity, "not-found", "row-partner", text, expression=here, mend=mend, source=name, line=line)
            elif any(older["doubt"] for older in row[self.at[f"{join.name}._older"]] or ()):
                text = f"{join.file} has two rows with this key that say different things, and nothing tells which is later."
                mend = f"Give both a {self.plan.order}, or send the one that counts."
                yield issue(severity, "conflict", "row-order", text, expression=join.name, mend=mend, source=name, line=line)


def _values(row: tuple[Any, ...], columns: list[tuple[int, str, bool]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for index, column, flag in columns:
        value = row[index]
        if value is not None:
            # A flag that says neither stays as it stands: the message's schema refuses it.
            made[column] = _FLAGS.get(value.lower(), value) if flag else restored(value)
    return made


def _at(record: dict[str, Any], path: str) -> Any:
    owner, _, column = path.rpartition(".")
    return (record.get(owner, {}) if owner else record).get(column)


def _applies(remark: Remark, record: dict[str, Any]) -> bool:
    for path, wanted in remark.when:
        value: Any = record
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
        if not ((value is not None) == (wanted == "present") if wanted in ("present", "absent") else value == wanted):
            return False
    return True


def _remark(remark: Remark, name: str, line: int) -> Issue:
    paths = [".".join(path) for path, _ in remark.when]
    return issue(
        remark.severity, "business-rule", remark.rule, remark.text, expression=paths, mend=remark.mend, source=name, line=line
    )


def _no_key(name: str, line: int, column: int, named: str) -> Issue:
    text, mend = "The row does not say which one it is.", "Send the row with all columns of its key."
    return issue("error", "required", "row-key", text, expression=named, mend=mend, source=name, line=line, column=column)
