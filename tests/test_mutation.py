"""Mutation: removing or altering any one hole, literal, codec, guard or ConceptMap row of the shipped maps is noticed.

A mutant is killed by a start-up fault, by the hand-written rows of a code list that goldens do not hold whole (tests/codes.py),
by a hand-written golden of fixtures/ that no longer comes out, or, in a message that goes both ways, by the laws on generated
records. The goldens do most: a literal altered on both sides of a map still keeps every law.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import adapter
from adapter.fhir.json import decode
from adapter.fhir.outcome import Refused, is_error
from adapter.mapping.check import check_table
from adapter.mapping.faults import Fault, Faults
from adapter.mapping.spec import Step, TableSpec
from adapter.mapping.table import Table
from adapter.shipped import FIXTURES
from adapter.systems import hub
from adapter.systems.message import Account, Message, native_bundle, native_entries
from adapter.wire import csv_records
from adapter.wire.emis_extract import read
from tests.codes import DISPLAYS, LISTS
from tests.mutants import tables
from tests.systems.test_emis import come, told
from tests.systems.test_emis import goldens as extract_goldens
from tests.test_fixtures import RECEIVED, issues, only, ordered, renamed
from tests.test_laws import records

_OST = adapter.load()


# what kills them --------------------------------------------------------------------------------------------------
def has_fault(message: Message, spec: TableSpec, steps: dict[str, Step]) -> bool:
    found: list[Fault] = []
    manifest = Faults("system.yaml")
    check_table(spec, steps.get, message.info.direction, message.payload.schema, message.native is not None, manifest, found)
    return bool(found or manifest.found)


def miscodes(message: Message, spec: TableSpec) -> bool:
    """Whether a code list differs from its hand-written rows, or its displays do."""
    name = message.system.name
    for step in spec.steps.values():
        list_name = step.name.removesuffix(".display")
        wanted = (DISPLAYS if step.display else LISTS).get(name, {}).get(list_name)
        if step.codemap is not None and wanted is not None:
            rows = step.codemap.rows
            if wanted != {code: row.target_display if step.display else row.target for code, row in rows.items()}:
                return True
    return False


class Killer(ABC):
    """Tries mutants of one table of a message against whatever holds it, the cheap before the dear."""

    #: Cases of the fixtures; the one that killed last stands first, for neighbours die of one cause.
    cases: list[Any]

    def __init__(self, message: Message, native: bool) -> None:
        self.message, self.native = message, native

    def kills(self, spec: TableSpec) -> str:
        """What kills the mutant; nothing where it lives."""
        if has_fault(self.message, spec, spec.steps):
            return "start-up fault"
        if miscodes(self.message, spec):
            return "code list"
        try:
            table = Table(spec)
            return "golden" if first(self.cases, lambda case: self.differs(table, case)) else self.more(table)
        except (Refused, TypeError, KeyError, AttributeError, ValueError):
            return "golden that raises"

    @abstractmethod
    def differs(self, table: Table, case: Any) -> bool:
        """Whether a case comes to anything but its golden."""

    def more(self, table: Table) -> str:
        """What else kills it."""
        return ""


def first(cases: list[Any], kills: Callable[[Any], bool]) -> bool:
    """Whether a case kills; the case is moved to the front."""
    for n, case in enumerate(cases):
        if kills(case):
            cases.insert(0, cases.pop(n))
            return True
    return False


def contents(message: Message, file: Path) -> list[tuple[Any, dict[str, Any]]]:
    """The payloads of a file, each with the record that it comes to; of a file of rows the record alone."""
    if message.rows is not None:
        rows = csv_records.read(file, message.rows, file.name)
        return [(None, one.record) for one in rows if one.record is not None]
    payload = decode(file.read_bytes())
    if message.native is not None:
        return [(payload, message.native.match(native_entries(payload)).record)]
    return [(payload, message.payload.read(payload))]


class Payload(Killer):
    """A message that is read from payloads: its goldens and, where it is written too, the laws."""

    def __init__(self, message: Message, native: bool) -> None:
        super().__init__(message, native)
        self.cases = []
        for folder in sorted((FIXTURES / message.name).iterdir()):
            inputs, bundles = sorted(folder.glob("in.*")), sorted(folder.glob("bundle*.json"))
            if inputs and bundles:
                for (payload, record), bundle in zip(contents(message, inputs[0]), bundles, strict=True):
                    self.cases.append((payload, record, renamed(decode(bundle.read_bytes()))))
        self.records = list(records(message, 240 if native else 40, seed=29)) if message.info.writes else []
        if native and message.native is not None:  # drawn for the hub: those that the system's own resources can say as well
            self.records = [r for r in self.records if not self.breaks(message.native, r)]

    def differs(self, table: Table, case: Any) -> bool:
        payload, record, bundle = case
        entries, _ = table.fill(record)
        if self.native:
            return not same_set(native_bundle(entries), payload)
        return bool(renamed(self.message.assemble(entries, record, RECEIVED)) != bundle)

    def misreads(self, table: Table, case: Any) -> bool:
        payload, record, _ = case
        run = table.match(native_entries(payload))
        return bool(run.record != record or run.issues or table.account(run)[0])

    def more(self, table: Table) -> str:
        if self.native and first(self.cases, lambda case: self.misreads(table, case)):
            return "golden"
        return "law" if first(self.records, lambda record: self.breaks(table, record)) else ""

    def breaks(self, table: Table, record: dict[str, Any]) -> bool:
        entries, run = table.fill(record)
        if any(i["severity"] == "error" for i in run.issues):
            return True
        back = table.match(entries)
        return bool(back.record != record or back.issues or table.account(back)[0])


class Extract(Killer):
    """A message read from extract folders: every row of them against its golden, the refused ones too."""

    def __init__(self, message: Message, native: bool) -> None:
        super().__init__(message, native)
        self.cases = []
        for folder in sorted((FIXTURES / message.name).iterdir()):
            rows = read(folder / "in", message.info.entry)
            for row, wanted in zip(rows, extract_goldens(folder), strict=True):
                if row.record:
                    self.cases.append((row, wanted, message.table.fill(row.record)[0]))

    def differs(self, table: Table, case: Any) -> bool:
        row, _, entries = case  # the entries of the golden: the shipped maps are tried first
        return bool(table.fill(row.record)[0] != entries)

    def more(self, table: Table) -> str:
        message = with_table(self.message, table, False)
        return "golden" if first(self.cases, lambda case: told(come(_OST, message, case[0])) != case[1]) else ""


class Written(Killer):
    """A message that is written alone: hub Bundles against what was written of them, to the last id and profile."""

    def __init__(self, message: Message, native: bool) -> None:
        super().__init__(message, native)
        self.cases = []
        for folder in sorted((FIXTURES / message.name).iterdir()):
            bundle = decode((folder / "bundle.json").read_bytes())
            judged = _OST.judge(bundle)
            if hub.event_of(bundle) != message.info.event or any(map(is_error, judged)):
                continue
            outs = sorted(folder.glob("out.*"))
            if outs:
                account = decode((folder / "account.json").read_bytes())
                self.cases.append((bundle, decode(outs[0].read_bytes()), sorted(account["unread"]["bundle"])))
            else:
                self.cases.append((bundle, None, decode((folder / "outcome.json").read_bytes())["issues"]))

    def differs(self, table: Table, case: Any) -> bool:
        bundle, out, rest = case
        account = Account()
        made = with_table(self.message, table, self.native).write(bundle, account)
        if made is None or out is None:
            return made is not out or only(issues(account.issues), rest) != ordered(rest)
        return bool(sorted(account.unread_bundle) != rest or decode(made) != out)


def with_table(message: Message, table: Table, native: bool) -> Message:
    """The message with another table in the place of its own."""
    other = copy.copy(message)
    if native:
        other.native = table
    else:
        other.table = table
    return other


def same_set(a: Any, b: Any) -> bool:
    """Equal up to the order of arrays."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same_set(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        rest = list(b)
        for one in a:
            match = next((k for k, other in enumerate(rest) if same_set(one, other)), None)
            if match is None:
                return False
            rest.pop(match)
        return not rest
    return bool(a == b)


# every message ----------------------------------------------------------------------------------------------------
def messages() -> list[tuple[str, str]]:
    """Every message with each event that it is about."""
    infos = [(f"{system}/{name}", info) for system in _OST.systems for name, info in _OST.systems[system].messages.items()]
    return [(name, event) for name, info in infos for event in info.events]


def message_of(name: str, event: str) -> Message:
    heard = _OST.message(name).hears(event)
    assert heard is not None
    return heard


def survivors(
    message: Message, native: bool, only_these: Callable[[int], bool] = lambda n: True
) -> tuple[Counter[str], list[str]]:
    """How many mutants each cause killed, and the mutants that live."""
    kind = Extract if message.info.format == "emis" else Payload if message.info.reads else Written
    killer = kind(message, native)
    table = message.native if native else message.table
    assert table is not None
    assert killer.cases, f"{message.name} has no golden"
    assert not killer.kills(table.spec), "the shipped maps themselves fail"
    count: Counter[str] = Counter()
    alive = []
    for n, (what, spec) in enumerate(tables(table.spec)):
        if only_these(n):
            cause = killer.kills(spec)
            count[cause or "nothing"] += 1
            alive += [] if cause else [what]
    return count, alive


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("name", "event"), messages())
def test_every_mutant_of_the_maps_is_killed(name: str, event: str) -> None:
    _, alive = survivors(message_of(name, event), native=False)
    assert not alive, f"{len(alive)} survive:\n" + "\n".join(alive)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("name", "event"), [pair for pair in messages() if message_of(*pair).native])
def test_every_mutant_of_the_native_maps_is_killed(name: str, event: str) -> None:
    _, alive = survivors(message_of(name, event), native=True)
    assert not alive, f"{len(alive)} survive:\n" + "\n".join(alive)
