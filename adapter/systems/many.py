"""Many messages in one source: an extract's files, the rows of a CSV file, the lines of an NDJSON file.

They come one at a time, in the source's own order and in memory that does not grow with it. One that is refused is answered
in its place, and the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapter.fhir.outcome import Issue, Refused, is_error, issue, on_line
from adapter.mapping.issues import unread as unread_issue
from adapter.systems.message import Account, Message
from adapter.wire import csv_records, ndjson

if TYPE_CHECKING:
    from adapter.systems.translate import Translation

#: Formats of which a source of many is NDJSON.
BY_LINE = ("json", "fhir")

Finish = Callable[[list[dict[str, Any]], dict[str, Any], Account], "Translation"]


def by_line(source: Path | bytes, name: str, translate: Callable[[bytes], Translation]) -> Iterator[Translation | Refused]:
    """The message of each line of an NDJSON source."""
    for number, body in ndjson.lines(source):
        if body is None:
            text = f"The line is longer than {ndjson.MOST_BYTES} bytes."
            found = [issue("fatal", "too-long", "line-length", text, mend="Send messages of a sane size.", source=name)]
            yield Refused([on_line(one, number) for one in found])
            continue
        try:
            yield translate(body)
        except Refused as refused:
            yield Refused([on_line(one, number, name) for one in refused.issues])


def by_record(source: Path | bytes, name: str, origin: Message, finish: Finish) -> Iterator[Translation | Refused]:
    """The message of each record of a CSV source. finish: from hub entries, record and account to the answer."""
    assert origin.rows is not None
    before: list[Issue] = []  # said of the file: it goes with its first record
    for found in csv_records.read(source, origin.rows, name):
        account = Account(issues=[*before, *found.issues])
        before = []
        if found.record is None:
            if any(map(is_error, found.issues)):
                yield Refused(account.issues)
            else:
                before = account.issues
            continue
        try:
            read_rows(origin, found, account, name)
            entries = origin.read_record(found.record, account)
            yield finish(entries, found.record, account)
        except Refused as refused:
            yield refused
    if before:
        yield Refused([*before, no_record(name)])


def by_extract(source: Path | bytes, _name: str, origin: Message, finish: Finish) -> Iterator[Translation | Refused]:
    """The message of each record of an extract of several files."""
    from adapter.wire import emis_extract  # DuckDB is loaded for extracts alone

    for row in emis_extract.read(source, origin.info.entry):
        account = Account(issues=list(row.issues))
        if row.record is None or row.refused:
            yield Refused(account.issues)
            continue
        try:
            account.issues += origin.payload.check(row.record)
            Message.refuse(account.issues)
            entries = origin.read_record(row.record, account)
            yield finish(entries, row.record, account)
        except Refused as refused:
            yield refused


def one_record(origin: Message, body: bytes, account: Account, name: str) -> dict[str, Any]:
    """The only record of a CSV body. Raises Refused where there is another, or none, or one that cannot be read."""
    assert origin.rows is not None
    found = list(csv_records.read(body, origin.rows, name))
    account.issues += [one for each in found for one in each.issues]
    records = [each for each in found if each.record is not None]
    if any(map(is_error, account.issues)):
        raise Refused(account.issues)
    if not records:
        raise Refused([*account.issues, no_record(name)])
    if len(records) > 1:
        text = f"The file holds {len(records)} records, and one message was asked for."
        mend = "Translate it as a file of many: Adapter.many, or the command line."
        raise Refused([*account.issues, issue("error", "multiple-matches", "many-records", text, mend=mend, source=name)])
    read_rows(origin, records[0], account, name)
    record: dict[str, Any] = records[0].record or {}
    return record


def read_rows(origin: Message, found: csv_records.RowsRead, account: Account, name: str) -> None:
    """Judge a record by its schema, and tell the columns that no version knows. Raises Refused."""
    account.issues += origin.payload.check(found.record, source=name, places=found.lines)
    Message.refuse(account.issues)
    account.unread_source += found.surplus
    account.issues += [unread_issue(column, False) for column in found.surplus]


def no_record(name: str) -> Issue:
    """The issue of a file that holds nothing but its header."""
    return issue("error", "required", "no-record", "The file has no record.", mend="Send at least one.", source=name)
