"""The record of a joined row of an extract, and what is to be said of it: other versions of the row, partners that are missing,
and the manifest's remarks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapter.fhir.outcome import Issue, is_error, issue
from adapter.wire.extract_files import Member
from adapter.wire.extract_layout import ORIGIN, Join, Layout, Remark
from adapter.wire.extract_tables import Row, restored

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


class Builder:
    """Makes a record of each joined row and the rows of its lists, and its issues."""

    def __init__(self, names: list[str], lists: Mapping[str, list[str]], plan: Layout, files: list[Member]) -> None:
        self.plan = plan
        self.files = files
        self.root = _Level(names, plan.joins, plan, files)
        self.lists = {one.name: _Level(lists[one.name], one.joins, plan, files) for one in plan.lists}

    def __call__(self, row: Row, listed: Mapping[str, Sequence[Row]]) -> RecordRead:
        """row: as Tables.records gives it; listed: the rows of each list that belong to it."""
        member, line = self.root.place(row)
        record = self.root.values(row)
        place: dict[str, Any] = {"source": member.name, "line": line}
        issues = [*self.root.versions(row, list(self.plan.key))]
        for name, level in self.lists.items():
            if rows := listed[name]:
                record[name] = [level.values(one) for one in rows]
        record[ORIGIN] = {"file": member.name, "at": member.stamp, "agreement": member.agreement}
        issues += self.root.partners(row, record, "", _at(record, self.plan.tombstone) is True)
        for name, level in self.lists.items():
            for number, one in enumerate(listed[name]):
                here = f"{name}[{number}]"
                issues += level.versions(one, here)
                issues += level.partners(one, record[name][number], f"{here}.", record[name][number].get("Deleted") is True)
        issues += [_remark(one, place) for one in self.plan.remarks if _applies(one, record)]
        return RecordRead(None if any(map(is_error, issues)) else record, f"{member.name}:{line}", issues)


class _Level:
    """A row with its joins: that of a record, or one of a list of it."""

    def __init__(self, names: list[str], joins: Sequence[Join], plan: Layout, files: list[Member]) -> None:
        self.plan = plan
        self.files = files
        self.at = {name: index for index, name in enumerate(names)}
        flags = plan.flags
        self.own = [(i, name, name in flags) for i, name in enumerate(names) if "." not in name and not name.startswith("_")]
        self.joined = [(join, self.at[f"{join.name}._line"], self._columns(join, names)) for join in joins]

    def _columns(self, join: Join, names: list[str]) -> list[tuple[int, str, bool]]:
        own = [(i, name.partition(".")) for i, name in enumerate(names)]
        return [
            (i, column, column in self.plan.flags)
            for i, (owner, _, column) in own
            if owner == join.name and not column.startswith("_")
        ]

    def place(self, row: Row) -> tuple[Member, int]:
        """The file and line of a row."""
        return self.files[row[self.at["_file"]]], row[self.at["_line"]]

    def values(self, row: Row) -> dict[str, Any]:
        """The row's columns, and those of each partner."""
        made = _values(row, self.own)
        for join, there, columns in self.joined:
            if row[there] is not None and (values := _values(row, columns)):
                made[join.name] = values
        return made

    def versions(self, row: Row, key: str | list[str]) -> Iterator[Issue]:
        """What is to be said of the other rows with this row's key. key: the path to say it of."""
        member, line = self.place(row)
        place: dict[str, Any] = {"source": member.name, "line": line}
        for older in row[self.at["_older"]] or ():
            other = f"{self.files[older['file']].name}:{older['line']}"
            if older["doubt"]:
                text = f"This row and that at {other} have one key and say different things, and nothing tells which is later."
                mend = f"Give both a {self.plan.order}, or send the one that counts."
                yield issue("error", "conflict", "row-order", text, expression=key, mend=mend, **place)
            elif older["same"]:
                yield issue("information", "duplicate", "row-resent", f"The row at {other} says the same.", **place)
            elif changed := older["other"].split():
                text = f"This row is later than that at {other}, and another person's by {' and '.join(changed)}."
                mend = "Ask the source whether records were merged or mistaken for each other; it does not say."
                yield issue("warning", "duplicate", "row-superseded", text, expression=changed, mend=mend, **place)
            else:
                text = f"This row is later than that at {other}."
                yield issue("information", "duplicate", "row-superseded", text, **place)

    def partners(self, row: Row, values: dict[str, Any], above: str, withdraws: bool) -> Iterator[Issue]:
        """What is to be said of partners that are missing, or of which nobody can tell which row counts.

        above: the path of the row with a dot, or nothing; withdraws: whether the row is a tombstone.
        """
        member, line = self.place(row)
        place: dict[str, Any] = {"source": member.name, "line": line}
        for join, there, _ in self.joined:
            severity = "error" if join.missing == "refuse" and not withdraws else "warning"
            if row[there] is None:
                if join.missing != "allow" and all(_at(values, here) is not None for here in join.here):
                    text = f"{join.file} has no row with this {' and '.join(join.there)}."
                    here, mend = [above + one for one in join.here], "Send the extract whole: first the bulk, then its updates."
                    yield issue(severity, "not-found", "row-partner", text, expression=here, mend=mend, **place)
            elif any(older["doubt"] for older in row[self.at[f"{join.name}._older"]] or ()):
                text = f"{join.file} has two rows with this key that say different things, and nothing tells which is later."
                mend = f"Give both a {self.plan.order}, or send the one that counts."
                yield issue(severity, "conflict", "row-order", text, expression=above + join.name, mend=mend, **place)


def _values(row: Row, columns: list[tuple[int, str, bool]]) -> dict[str, Any]:
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
    return all(_holds(_along(record, path), wanted, record) for path, wanted in remark.when)


def _holds(value: Any, wanted: Any, record: dict[str, Any]) -> bool:
    """Whether a value is what a remark speaks of."""
    if wanted in ("present", "absent"):
        return bool(wanted == "present") == (value is not None)
    if isinstance(wanted, Mapping):
        [(how, path)] = wanted.items()
        other = _along(record, path.split("."))
        return value is not None and other is not None and bool(value == other) == (how == "same-as")
    return bool(value in wanted) if isinstance(wanted, list) else bool(value == wanted)


def _along(value: Any, path: Sequence[str]) -> Any:
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _remark(remark: Remark, place: dict[str, Any]) -> Issue:
    paths = [".".join(path) for path, _ in remark.when]
    return issue(remark.severity, "business-rule", remark.rule, remark.text, expression=paths, mend=remark.mend, **place)
