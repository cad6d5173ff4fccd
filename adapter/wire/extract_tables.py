"""The joins of a multi-file extract, done by DuckDB in a database on disk that is gone when the reading ends.

DuckDB never sees the extract itself: it loads plain copies that `csv_rows` has checked, out of a private folder, and every
other path, the network and all extensions are closed to it. All columns are text. Tables may be larger than memory: what does
not fit is spilled beside the database, nothing is sorted as a whole but the places of the rows, and no more rows are joined at
a time than memory holds: DuckDB spills both sides of a join that it cannot hold, and what that takes grows with their number.
https://duckdb.org/docs/stable/operations_manual/securing_duckdb/overview
"""
# ruff: noqa: S608 - every name and text that enters the SQL here is quoted by _name or _text

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import duckdb

from adapter.wire.extract_layout import Join, Layout, Listed

#: Between values, and in place of LF and CR inside them: characters that `csv_rows` lets through in no value.
_BETWEEN, _LF, _CR = "\x1f", "\x1e", "\x1d"
#: Stands for "no value" where rows are compared.
_NONE = "\x1c"

_BATCH = 1000

#: Records joined at a time, each time with one look through every file; and records sorted at a time.
_SLICE, _PIECE = 40_000, 8000

#: Where a row stands, and the other rows of its key; and the order in which rows are to be taken.
_OWN = ("_stamp", "_order", "_file", "_line", "_older")
_ORDER = "_stamp, _order NULLS FIRST, _file, _line"

#: The table of the records, that of their order, and that of their places with the columns by which lists name them. No file
#: of an extract, list or join has a name with a space.
_RECORDS, _PLACES, _OWNERS = "the records", '"the order"', '"the places"'

Row = tuple[Any, ...]


def _name(text: str) -> str:
    """An SQL identifier."""
    return '"' + text.replace('"', '""') + '"'


def _text(text: str) -> str:
    """An SQL string."""
    return "'" + text.replace("'", "''") + "'"


def _within(low: int, high: int) -> str:
    return f"WHERE _place >= {low} AND _place < {high}"


def restored(value: str) -> str:
    """A value as it stood in the file, line ends included."""
    return value.replace(_LF, "\n").replace(_CR, "\r") if _LF in value or _CR in value else value


class Copy:
    """A plain copy of one CSV file in the making, for DuckDB to load: one row a line, no quoting at all."""

    def __init__(self, path: Path, file: int) -> None:
        self.path = path
        self.file = file
        self.stream: IO[str] = path.open("w", encoding="utf-8", newline="")

    def __enter__(self) -> Copy:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.stream.close()

    def add(self, line: int, values: list[str]) -> None:
        """Add a row; none of its values may hold a control character other than tab, CR and LF."""
        text = f"{self.file}{_BETWEEN}{line}{_BETWEEN}{_BETWEEN.join(values)}"
        if "\n" in text or "\r" in text:
            text = text.replace("\n", _LF).replace("\r", _CR)
        self.stream.write(text + "\n")


class Tables:
    """The tables of one extract: load copies, take the row of each key that counts, join, and stream the records in order."""

    def __init__(self, folder: Path, layout: Layout, memory: str) -> None:
        self.layout = layout
        self.columns: dict[str, list[str]] = {}
        self.views: dict[tuple[str, tuple[str, ...]], str] = {}
        # One thread: the order of what comes out must not depend on the machine, and memory is bounded per thread.
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory,
            "threads": 1,
            "preserve_insertion_order": False,  # what is streamed is sorted last
            "temp_directory": str(folder / "spill"),
            "allow_community_extensions": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        self.connection = duckdb.connect(str(folder / "extract.duckdb"), config=config)
        self.connection.execute(f"SET allowed_directories = [{_text(str(folder))}]")
        self.connection.execute("SET enable_progress_bar = false")  # stdout is for data
        self.connection.execute("SET enable_external_access = false")
        self.connection.execute("SET lock_configuration = true")

    def __enter__(self) -> Tables:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.connection.close()

    def create(self, file: str, columns: Sequence[str]) -> None:
        """A table for a file of the extract: these columns, and where each row stands (_stamp, _order, _file, _line)."""
        self.columns[file] = list(columns)
        held = ", ".join(f"{_name(column)} VARCHAR" for column in columns)
        self.connection.execute(
            f"CREATE TABLE {_name(file)} (_stamp VARCHAR, _order HUGEINT, _file INTEGER, _line BIGINT, {held})"
        )

    def load(self, copy: Copy, file: str, stamp: str, header: Sequence[str]) -> None:
        """Load a closed copy, whose values stand in the order of `header`; what is empty or only spaces is NULL."""
        kinds = ", ".join(f"{_text(name)}: 'VARCHAR'" for name in ("_file", "_line", *header))
        keys = self.layout.keys_of(file)
        values = [
            f"nullif(trim({_name(c)}), '')" if c in keys else f"CASE WHEN trim({_name(c)}) = '' THEN NULL ELSE {_name(c)} END"
            for c in header
        ]
        order = f"try_cast(trim({_name(self.layout.order)}) AS HUGEINT)" if self.layout.order in header else "NULL"
        source = (
            f"read_csv({_text(str(copy.path))}, header = false, auto_detect = false, delim = {_text(_BETWEEN)}, quote = '',"
            f" escape = '', new_line = '\\n', columns = {{{kinds}}}, max_line_size = 1048576, buffer_size = 4194304)"
        )
        try:
            self.connection.execute(
                f"INSERT INTO {_name(file)} (_stamp, _order, _file, _line, {', '.join(map(_name, header))})"
                f" SELECT {_text(stamp)}, {order}, _file, _line, {', '.join(values)} FROM {source}"
            )
        except duckdb.Error as fault:  # its message quotes the line, which is a patient's data
            raise RuntimeError(f"DuckDB could not load a copy of {file}: {type(fault).__name__}") from None
        copy.path.unlink()

    def without_key(self, file: str, key: Sequence[str]) -> Iterator[tuple[int, int, str]]:
        """(file, line, column) of every row that lacks a part of its key."""
        first = "CASE " + " ".join(f"WHEN {_name(c)} IS NULL THEN {_text(c)}" for c in key) + " END"
        return self._stream(
            f"SELECT _file, _line, {first} AS lacks FROM {_name(file)} WHERE lacks IS NOT NULL ORDER BY _file, _line"
        )

    def latest(self, file: str, key: tuple[str, ...]) -> str:
        """The name (quoted) of a view of the rows of a file that count: of those with one key the one of the latest extract and,
        inside that, of the highest order number.

        Its column _older lists the others of that key as {file, line, same, doubt, other}: same where they say the same (but for
        their order number); doubt where they say something else and nothing tells which of the two is later; other, the columns
        of `identity:` in which they differ, with a space between.
        """
        if (file, key) not in self.views:
            self.views[file, key] = self._latest(file, key)
        return self.views[file, key]

    def _latest(self, file: str, key: tuple[str, ...]) -> str:
        name = f"{file} by {' '.join(key)}"
        source, keys, whole = _name(file), ", ".join(map(_name, key)), " AND ".join(f"{_name(c)} IS NOT NULL" for c in key)
        versions, older = _name(f"{name} versions"), _name(f"{name} older")
        said = ", ".join(f"coalesce({_name(c)}, {_text(_NONE)})" for c in self.columns[file] if c != self.layout.order)
        named = [c for c in self.layout.identity if file == self.layout.start and c in self.columns[file]]
        kept = ", ".join((keys, *map(_name, named), "_stamp", "_order", "_file", "_line"))
        self.connection.execute(
            f"CREATE TABLE {versions} AS"
            f" SELECT {kept}, md5(concat_ws({_text(_BETWEEN)}, {said})) AS _said, row_number()"
            f" OVER (PARTITION BY {keys} ORDER BY _stamp DESC, _order DESC NULLS LAST, _file DESC, _line DESC) AS _rank"
            f" FROM {source} SEMI JOIN"
            f" (SELECT {keys} FROM {source} WHERE {whole} GROUP BY {keys} HAVING count(*) > 1) USING ({keys})"
        )
        other = ", ".join(f"CASE WHEN o.{_name(c)} <> l.{_name(c)} THEN {_text(c)} END" for c in named) or "NULL"
        # An order number that is missing on either side tells nothing: (o = l) IS NOT FALSE.
        self.connection.execute(
            f"CREATE TABLE {older} AS SELECT {keys}, list({{'file': o._file, 'line': o._line, 'same': o._said = l._said, 'doubt':"
            f" o._said <> l._said AND o._stamp = l._stamp AND (o._order = l._order) IS NOT FALSE,"
            f" 'other': concat_ws(' ', {other})}} ORDER BY o._file, o._line)"
            f" AS _older FROM {versions} o JOIN {versions} l USING ({keys}) WHERE o._rank > 1 AND l._rank = 1 GROUP BY {keys}"
        )
        self.connection.execute(
            f"CREATE VIEW {_name(name)} AS SELECT * FROM {source} LEFT JOIN {older} USING ({keys})"
            f" ANTI JOIN (SELECT _file, _line FROM {versions} WHERE _rank > 1) USING (_file, _line) WHERE {whole}"
        )
        return _name(name)

    def prepare(self) -> tuple[list[str], dict[str, list[str]]]:
        """Join everything; the names of the columns of a record, and of a row of each list, as `records` gives them.

        A column of the file itself has its own name, one of a join `join.Column`; each has _file, _line and _older besides, and
        in _place the place of the record.
        """
        plan = self.layout
        start = self.latest(plan.start, plan.key)
        self.connection.execute(f"CREATE TABLE {_PLACES} AS SELECT _file, _line FROM {start} ORDER BY {_ORDER}")
        named = list(dict.fromkeys(here for one in plan.lists for here, _ in one.on))
        self.connection.execute(
            f"CREATE TABLE {_OWNERS} AS SELECT p.rowid AS _place, {', '.join(map(_name, ('_file', '_line', *named)))}"
            f" FROM {start} JOIN {_PLACES} p USING (_file, _line)"
        )
        made = self._slice(0, 0)
        names = {name: self._columns(table) for name, table in made.items()}
        self._drop(made)
        return names.pop(_RECORDS), names

    def _slice(self, low: int, high: int) -> dict[str, str]:
        """Tables of the records from one place to another and of the rows of their lists, each joined to all that it names."""
        plan = self.layout
        owners = f"(SELECT * FROM {_OWNERS} {_within(low, high)})"
        wanted = ", ".join(map(_name, ("_place", *_OWN, *self.columns[plan.start])))
        start = self.latest(plan.start, plan.key)
        rows = f"SELECT {wanted} FROM {start} JOIN (SELECT _place, _file, _line FROM {owners}) USING (_file, _line)"
        made = {_RECORDS: self._joined(rows, _RECORDS, plan.joins)}
        for one in plan.lists:
            columns = (*_OWN, *(c for c in self.columns[one.file] if c not in one.there))
            on = " AND ".join(f"here.{_name(here)} = there.{_name(there)}" for here, there in one.on)
            rows = (
                f"SELECT here._place, {', '.join(f'there.{_name(c)}' for c in columns)}"
                f" FROM {owners} here JOIN {self.latest(one.file, one.key)} there ON {on}"
            )
            made[one.name] = self._joined(rows, one.name, one.joins)
        return made

    def _drop(self, tables: dict[str, str]) -> None:
        for table in tables.values():
            self.connection.execute(f"DROP TABLE {table}")

    def _columns(self, table: str) -> list[str]:
        return [str(column[0]) for column in self.connection.execute(f"SELECT * FROM {table} LIMIT 0").description or ()]

    def records(self) -> Iterator[tuple[Row, dict[str, list[Row]]]]:
        """Every joined row in the order of extract and order number, with the rows of its lists. After `prepare`."""
        [(count,)] = self.connection.execute(f"SELECT count(*) FROM {_PLACES}").fetchall()
        for low in range(0, count, _SLICE):
            made = self._slice(low, min(low + _SLICE, count))
            for first in range(low, min(low + _SLICE, count), _PIECE):
                yield from self._piece(made, first, min(first + _PIECE, low + _SLICE, count))
            self._drop(made)

    def _piece(self, tables: dict[str, str], low: int, high: int) -> Iterator[tuple[Row, dict[str, list[Row]]]]:
        """The records from one place to another, out of a table of their own: a batch looks through no more than these."""
        piece = {name: _name(f"{name} from {low}") for name in tables}
        for name, table in tables.items():
            self.connection.execute(f"CREATE TABLE {piece[name]} AS SELECT * FROM {table} {_within(low, high)}")
        for first in range(low, high, _BATCH):
            yield from self._batch(piece, first, min(first + _BATCH, high))
        self._drop(piece)

    def _batch(self, tables: dict[str, str], low: int, high: int) -> Iterator[tuple[Row, dict[str, list[Row]]]]:
        found = {
            name: self.connection.execute(f"SELECT * FROM {table} {_within(low, high)} ORDER BY _place, {_ORDER}").fetchall()
            for name, table in tables.items()
        }
        rows = found.pop(_RECORDS)
        lists = {name: {place: list(of) for place, of in groupby(listed, itemgetter(0))} for name, listed in found.items()}
        for row in rows:
            yield row, {name: listed.get(row[0], []) for name, listed in lists.items()}

    def stray(self, one: Listed) -> Iterator[tuple[int, int]]:
        """(file, line) of every row of a list whose record is not there, or that withdraws and does not say whose it was."""
        on = " AND ".join(f"here.{_name(here)} = there.{_name(there)}" for here, there in one.on)
        whole = " AND ".join(f"there.{_name(c)} IS NOT NULL" for c in one.there)
        withdraws = "false"
        if self.layout.tombstone in self.columns[one.file]:
            withdraws = f"lower(there.{_name(self.layout.tombstone)}) = 'true'"
        return self._stream(
            f"SELECT _file, _line FROM {self.latest(one.file, one.key)} there WHERE ({whole} OR {withdraws}) AND NOT EXISTS"
            f" (FROM {self.latest(self.layout.start, self.layout.key)} here WHERE {on}) ORDER BY _file, _line"
        )

    def _joined(self, rows: str, name: str, joins: Sequence[Join]) -> str:
        """The name (quoted) of what a query gives, joined to the rows that it names in other files."""
        made = _name(f"{name} 0")
        self.connection.execute(f"CREATE TABLE {made} AS {rows}")
        for number, join in enumerate(joins, 1):
            wanted = ("_file", "_line", "_older", *(c for c in self.columns[join.file] if c not in join.there))
            theirs = ", ".join(f"there.{_name(c)} AS {_name(f'{join.name}.{c}')}" for c in wanted)
            on = " AND ".join(f"here.{_name(here)} = there.{_name(there)}" for here, there in join.on)
            before, made = made, _name(f"{name} {number}")
            # One join a statement: each has all the memory to itself, and spills what does not fit.
            self.connection.execute(
                f"CREATE TABLE {made} AS SELECT here.*, {theirs}"
                f" FROM {before} here LEFT JOIN {self.latest(join.file, join.key)} there ON {on}"
            )
            self.connection.execute(f"DROP TABLE {before}")
        return made

    def _stream(self, query: str) -> Iterator[Any]:
        self.connection.execute(query)
        while batch := self.connection.fetchmany(_BATCH):
            yield from batch
