"""Mutation: removing or altering any one hole, literal, codec, guard or ConceptMap row of the shipped maps is noticed.

A mutant is killed by a start-up fault, by a hand-written golden of fixtures/ that no longer comes out, by the hand-written
rows of a code list that goldens do not hold whole (tests/codes.py), or by the laws on generated records. The goldens do most: a literal altered on both sides of a map still keeps every law.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import adapter
from adapter.fhir.json import decode
from adapter.fhir.outcome import Refused
from adapter.fhir.terminology import CodeMap
from adapter.mapping.check import check_table
from adapter.mapping.faults import Fault, Faults
from adapter.mapping.spec import Step, TableSpec
from adapter.mapping.table import Table
from adapter.mapping.tree import Array, Hole, Literal, Map, Node, Object, Say
from adapter.shipped import FIXTURES
from adapter.systems.message import Message, native_bundle, native_entries
from tests.codes import LISTS
from tests.test_fixtures import RECEIVED, renamed
from tests.test_laws import records

_OST = adapter.load()
MESSAGES = [
    f"{s}/{m}" for s in _OST.systems for m, info in _OST.systems[s].messages.items() if info.reads and info.format != "emis"
]


# mutants of a tree ------------------------------------------------------------------------------------------------
def altered(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, dict):
        return {k: altered(v) for k, v in value.items()}
    if isinstance(value, list):
        return [altered(v) for v in value]
    return f"{value}x"


def nodes(node: Node, where: str) -> Iterator[tuple[str, Node | None]]:
    """(what was done, the node in its place; None: removed) for every change to this node or one below it."""
    if isinstance(node, Literal | Say):
        yield f"{where}: literal altered", dataclasses.replace(node, value=altered(node.value))
    elif isinstance(node, Hole):
        yield f"{where}: hole removed", None
        for k in range(len(node.codecs)):
            yield (
                f"{where}: codec {node.codecs[k]} removed",
                dataclasses.replace(node, codecs=node.codecs[:k] + node.codecs[k + 1 :]),
            )
    elif isinstance(node, Object):
        if node.when:
            yield f"{where}: guard removed", dataclasses.replace(node, when=())
        for name, child in node.fields.items():
            if name == "resourceType":
                continue
            for what, new in nodes(child, f"{where}.{name}"):
                fields: Any = {k: (new if k == name else v) for k, v in node.fields.items() if k != name or new is not None}
                yield what, dataclasses.replace(node, fields=fields)
    elif isinstance(node, Array):
        for j, child in enumerate(node.items):
            for what, new in nodes(child, f"{where}[{j}]"):
                items: Any = tuple(new if k == j else c for k, c in enumerate(node.items) if k != j or new is not None)
                yield what, dataclasses.replace(node, items=items) if items else None


def concept_map(codemap: CodeMap, rows: list[tuple[str, str | None, str]]) -> CodeMap:
    elements: list[Any] = [
        {
            "code": code,
            "target": [
                {"code": target, "display": display, "equivalence": "equivalent"}
                if target is not None
                else {"equivalence": "unmatched"}
            ],
        }
        for code, target, display in rows
    ]
    for element in elements:
        if not element["target"][0].get("display"):
            element["target"][0].pop("display", None)
    return CodeMap(
        {
            "resourceType": "ConceptMap",
            "name": codemap.name,
            "group": [{"source": codemap.source, "target": codemap.target, "element": elements}],
        }
    )


def tables(spec: TableSpec) -> Iterator[tuple[str, TableSpec]]:
    """Every mutant of a table."""
    for m in spec.maps:
        for what, root in nodes(m.root, m.name):
            if isinstance(root, Object):
                changed: list[Map] = [dataclasses.replace(m, root=root) if o is m else o for o in spec.maps]
                yield what, dataclasses.replace(spec, maps=changed)
    for name, step in spec.steps.items():
        if step.codemap is None:
            continue
        rows = [(r.code, r.target, r.target_display) for r in step.codemap.rows.values()]
        for j, (code, target, display) in enumerate(rows):
            if step.display:
                variants = [("display altered", [*rows[:j], (code, target, display + "x"), *rows[j + 1 :]])] if display else []
            else:
                variants = [
                    ("row removed", rows[:j] + rows[j + 1 :]),
                    ("target altered", [*rows[:j], (code, f"{target}x", display), *rows[j + 1 :]]),
                ]
            for what, new in variants:
                if new:
                    made = Step(name, codemap=concept_map(step.codemap, new), display=step.display)
                    yield f"{name} {code}: {what}", dataclasses.replace(spec, steps={**spec.steps, name: made})


# what kills them --------------------------------------------------------------------------------------------------
def has_fault(message: Message, spec: TableSpec, steps: dict[str, Step]) -> bool:
    found: list[Fault] = []
    manifest = Faults("system.yaml")
    check_table(spec, steps.get, message.info.direction, message.payload.schema, message.native is not None, manifest, found)
    return bool(found or manifest.found)


def goldens(name: str) -> list[tuple[dict[str, Any], Any]]:
    """(payload, golden Bundle) of every read fixture of a message, the refused ones left out."""
    found = []
    for folder in sorted((FIXTURES / name).iterdir()):
        inputs = sorted(folder.glob("in.*"))
        if inputs and (folder / "bundle.json").is_file():
            found.append((decode(inputs[0].read_bytes()), renamed(decode((folder / "bundle.json").read_bytes()))))
    return found


class Killer:
    """Tries mutants of one table of a message against its goldens and the laws."""

    def __init__(self, message: Message, native: bool) -> None:
        self.message, self.native = message, native
        self.golden: list[tuple[Any, Any, Any]] = []
        for payload, bundle in goldens(message.name):
            record = message.native.match(native_entries(payload)).record if message.native else message.payload.read(payload)
            self.golden.append((payload, record, bundle))
        self.records = list(records(message, 240 if native else 40, seed=29)) if message.info.writes else []
        if native and message.native is not None:  # drawn for the hub: those that the system's own resources can say as well
            self.records = [r for r in self.records if not self.breaks(message.native, r)]

    def kills(self, spec: TableSpec) -> bool:
        if has_fault(self.message, spec, spec.steps) or self.miscodes(spec):
            return True
        try:
            table = Table(spec)
            return any(self.differs(table, *case) for case in self.golden) or any(self.breaks(table, r) for r in self.records)
        except (Refused, TypeError, KeyError, AttributeError, ValueError):
            return True

    def miscodes(self, spec: TableSpec) -> bool:
        """Whether a code list differs from its hand-written rows."""
        wanted = LISTS.get(self.message.system.name, {})
        lists = {name: step.codemap for name, step in spec.steps.items() if step.codemap is not None and not step.display}
        return any(name in lists and lists[name].forward != rows for name, rows in wanted.items())

    def differs(self, table: Table, payload: Any, record: dict[str, Any], bundle: Any) -> bool:
        if self.native:
            run = table.match(native_entries(payload))
            if run.record != record or run.issues or table.account(run)[0]:
                return True
            return same_set(native_bundle(table.fill(record)[0]), payload) is False
        entries, _ = table.fill(record)
        return bool(renamed(self.message.assemble(entries, record, RECEIVED)) != bundle)

    def breaks(self, table: Table, record: dict[str, Any]) -> bool:
        entries, run = table.fill(record)
        if any(i["severity"] == "error" for i in run.issues):
            return True
        back = table.match(entries)
        return bool(back.record != record or back.issues or table.account(back)[0])


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


def survivors(
    message: Message, table: Table, native: bool, only: Callable[[int], bool] = lambda n: True
) -> tuple[int, list[str]]:
    killer = Killer(message, native)
    assert killer.golden, f"{message.name} has no golden"
    assert not killer.kills(table.spec), "the shipped maps themselves fail"
    alive, count = [], 0
    for n, (what, spec) in enumerate(tables(table.spec)):
        if only(n):
            count += 1
            if not killer.kills(spec):
                alive.append(what)
    return count, alive


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", MESSAGES)
def test_every_mutant_of_the_maps_is_killed(name: str) -> None:
    message = _OST.message(name)
    _, alive = survivors(message, message.table, native=False)
    assert not alive, f"{len(alive)} survive:\n" + "\n".join(alive)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", [n for n in MESSAGES if _OST.message(n).native])
def test_every_mutant_of_the_native_maps_is_killed(name: str) -> None:
    message = _OST.message(name)
    assert message.native is not None
    _, alive = survivors(message, message.native, native=True)
    assert not alive, f"{len(alive)} survive:\n" + "\n".join(alive)
