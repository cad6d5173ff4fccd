"""The joins of a multi-file extract, done by DuckDB in a database on disk that is gone when the reading ends.

DuckDB never sees the extract itself: it loads plain copies that `extract_rows` has checked, out of a private folder, and every
other path, the network and all extensions are closed to it. All columns are text. Tables may be larger than memory: what does
not fit is spilled beside the database. https://duckdb.org/docs/stable/operations_manual/securing_duckdb/overview
"""
# ruff: noqa: S608 - every name and text that enters the SQL here is quoted by _name or _text

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import duckdb

from adapter.wire.extract_layout import Layout

#: Between values, and in place of LF and CR inside them: characters that `extract_rows` lets through in no value.
_BETWEEN, _LF, _CR = "\x1f", "\x1e", "\x1d"
#: Stands for "no value" where rows are compared.
_NONE = "\x1c"

_BATCH = 1000


def _name(text: str) -> str:
    """An SQL identifier."""
    return '"' + text.replace('"', '""') + '"'


def _text(text: str) -> str:
    """An SQL string."""
    return "'" + text.replace("'", "''") + "'"


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
            f" escape = '', new_line = '\\n', columns = {{{kinds}}}, max_line_size = 1048576)"
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

    def latest(self, name: str, file: str, key: Sequence[str]) -> None:
        """A view `name` of the rows of a file that count: of those with one key the one of the latest extract and, inside that,
        of the highest order number.

        Its column _older lists the others of that key as {file, line, same, doubt}: same where they say the same (but for their
        order number); doubt where they say something else and nothing tells which of the two is later.
        """
        source, keys, whole = _name(file), ", ".join(map(_name, key)), " AND ".join(f"{_name(c)} IS NOT NULL" for c in key)
        versions, older = _name(f"{name} versions"), _name(f"{name} older")
        said = ", ".join(f"coalesce({_name(c)}, {_text(_NONE)})" for c in self.columns[file] if c != self.layout.order)
        self.connection.execute(
            f"CREATE TABLE {versions} AS"
            f" SELECT {keys}, _stamp, _order, _file, _line, md5(concat_ws({_text(_BETWEEN)}, {said})) AS _said, row_number()"
            f" OVER (PARTITION BY {keys} ORDER BY _stamp DESC, _order DESC NULLS LAST, _file DESC, _line DESC) AS _rank"
            f" FROM {source} SEMI JOIN"
            f" (SELECT {keys} FROM {source} WHERE {whole} GROUP BY {keys} HAVING count(*) > 1) USING ({keys})"
        )
        # An order number that is missing on either side tells nothing: (o = l) IS NOT FALSE.
        self.connection.execute(
            f"CREATE TABLE {older} AS SELECT {keys}, list({{'file': o._file, 'line': o._line, 'same': o._said = l._said, 'doubt':"
            f" o._said <> l._said AND o._stamp = l._stamp AND (o._order = l._order) IS NOT FALSE}} ORDER BY o._file, o._line)"
            f" AS _older FROM {versions} o JOIN {versions} l USING ({keys}) WHERE o._rank > 1 AND l._rank = 1 GROUP BY {keys}"
        )
        self.connection.execute(
            f"CREATE VIEW {_name(name)} AS SELECT * FROM {source} LEFT JOIN {older} USING ({keys})"
            f" ANTI JOIN (SELECT _file, _line FROM {versions} WHERE _rank > 1) USING (_file, _line) WHERE {whole}"
        )

    def records(self) -> tuple[list[str], Iterator[tuple[Any, ...]]]:
        """The joined rows in the order of extract and order number, with the names of their columns.

        A column of the first file has its own name, one of a join `join.Column`; each has _file, _line and _older besides.
        """
        columns = ["_stamp", "_order", "_file", "_line", "_older", *self.columns[self.layout.start]]
        self.connection.execute(f"CREATE VIEW joined0 AS SELECT {', '.join(map(_name, columns))} FROM start")
        last = 0
        for last, join in enumerate(self.layout.joins, 1):
            wanted = ("_file", "_line", "_older", *(c for c in self.columns[join.file] if c not in join.there))
            theirs = ", ".join(f"there.{_name(c)} AS {_name(f'{join.name}.{c}')}" for c in wanted)
            on = " AND ".join(f"here.{_name(here)} = there.{_name(there)}" for here, there in join.on)
            # One join a statement: each has all the memory to itself, and spills what does not fit.
            self.connection.execute(
                f"CREATE TABLE joined{last} AS SELECT here.*, {theirs}"
                f" FROM joined{last - 1} here LEFT JOIN {_name(join.name)} there ON {on}"
            )
            if last > 1:
                self.connection.execute(f"DROP TABLE joined{last - 1}")
        rows = self._stream(f"SELECT * FROM joined{last} ORDER BY _stamp, _order NULLS FIRST, _file, _line")
        return [str(column[0]) for column in self.connection.description or ()], rows

    def _stream(self, query: str) -> Iterator[Any]:
        self.connection.execute(query)
        return self._fetched()

    def _fetched(self) -> Iterator[Any]:
        while batch := self.connection.fetchmany(_BATCH):
            yield from batch
