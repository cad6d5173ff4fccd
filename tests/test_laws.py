"""The three laws of the map language, on generated records and on altered resources, for every message both ways.

1. match(fill(r)) == r.  2. fill(match(x)) == x, for x that fill made.
3. For any x, every leaf of x is in fill(match(x)), or unread, carried or ignored, or named by an issue.
"""

from __future__ import annotations

import copy
import random
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

import adapter
from adapter.fhir.outcome import is_error
from adapter.mapping.runtime import parts_of
from adapter.mapping.spec import find, frames_of, paths_read
from adapter.mapping.spec import place as place_of
from adapter.mapping.tree import Hole, Ref
from adapter.systems.message import Message
from tests.records import Records, prune, scalars, unique

RECORDS = 500
ALTERATIONS = 2000
_OST = adapter.load()
BOTH = [f"{s}/{m}" for s in _OST.systems for m, info in _OST.systems[s].messages.items() if info.reads and info.writes]


#: The property of a list's elements whose every code must be drawn, per message: outcomes and changes.
def branches(
    schema: Any, names: tuple[str, ...] = ("outcome", "change", "changeType", "type")
) -> list[tuple[tuple[str, ...], str, list[Any]]]:
    """Where the schema has an enumerated outcome or change in a list: (list path, property, codes)."""
    records = Records(schema)
    found = []

    def visit(node: Any, path: tuple[str, ...], depth: int) -> None:
        node = records.follow(node)
        if not isinstance(node, dict) or depth > 6:
            return
        for name, below in node.get("properties", {}).items():
            below = records.follow(below)
            if isinstance(below, dict) and below.get("type") == "array":
                items = records.follow(below.get("items", {}))
                for key, value in items.get("properties", {}).items() if isinstance(items, dict) else ():
                    value = records.follow(value)
                    if key in names and isinstance(value, dict) and "enum" in value:
                        found.append(((*path, name), key, value["enum"]))
            elif isinstance(below, dict) and "properties" in below:
                visit(below, (*path, name), depth + 1)

    visit(schema, (), 0)
    return found


def steers(schema: Any) -> list[Callable[[dict[str, Any]], None]]:
    """One for every code of every branch: sets it on the first element of its list."""
    made: list[Callable[[dict[str, Any]], None]] = []
    for path, key, codes in branches(schema):
        for code in codes:

            def steer(record: dict[str, Any], path: tuple[str, ...] = path, key: str = key, code: Any = code) -> None:
                node: Any = record
                for part in path:
                    node = node.get(part) if isinstance(node, dict) else None
                if isinstance(node, list) and node and isinstance(node[0], dict):
                    node[0][key] = code

            made.append(steer)
    return made


def records(message: Message, count: int, seed: int = 7) -> Iterator[dict[str, Any]]:
    drawer = Records(message.payload.schema, seed, known_codes(message))
    wanted = steers(message.payload.schema)
    n = 0
    while n < count:
        record = joined_up(message, drawer.draw(wanted[n % len(wanted)] if wanted and n % 2 else None), drawer.random)
        if message.payload.check(record) == [] and ids_apart(
            message.table.fill(record)[0]
        ):  # two events with one identifier are refused: tests/systems/test_translate.py
            yield record
            n += 1


def joined_up(message: Message, record: dict[str, Any], pick: random.Random) -> dict[str, Any]:
    """The record, where every path that means another element by its key (`$ref Map by path`) has a key that is there, or is gone."""
    spec = message.table.spec
    for m in spec.maps:
        for found in find(m):
            if isinstance(found.node, Ref) and found.node.by is not None:
                target = spec.by_name[found.node.map]
                at, key = place_of(found.lists, found.node.by), place_of(frames_of(target), target.id or target.key[0])
                assert at is not None and key is not None
                keys = [holder[name] for holder, name in spots(record, *key)]
                for holder, name in spots(record, *at):
                    holder[name] = pick.choice(keys) if keys else None
                for holder, name in spots(record, at[0][:-1], at[0][-1]) if at[0] and not at[1] else ():
                    holder[name] = unique(holder[name])
    made: dict[str, Any] = prune(record)
    return made


def spots(record: Any, lists: tuple[tuple[str, ...], ...], parts: tuple[str, ...]) -> Iterator[tuple[Any, Any]]:
    """(holder, key or index) of every value at a place of the record."""
    holders: list[Any] = [record]
    for depth, names in enumerate(lists, 1):
        under = [inside(holder, names) for holder in holders]
        if depth == len(lists) and not parts:
            yield from ((one, j) for one in under for j in range(len(one or ())))
            return
        holders = [element for one in under for element in one or ()]
    for holder in holders:
        last = inside(holder, parts[:-1])
        if isinstance(last, dict) and parts[-1] in last:
            yield last, parts[-1]


def inside(value: Any, names: tuple[str, ...]) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def known_codes(message: Message) -> dict[tuple[str, ...], tuple[list[str], bool]]:
    """The codes that a ConceptMap knows, by the record path that goes through it, and whether others may be drawn too."""
    spec = message.table.spec
    found: dict[tuple[str, ...], tuple[list[str], bool]] = {}
    for m in spec.maps:
        for (lists, parts), node, how in paths_read(m):
            if how == "hole" and isinstance(node.node, Hole) and len(node.node.paths) == 1 and node.node.codecs:
                step = spec.steps[node.node.codecs[0]]
                if step.codemap is not None:
                    is_open = node.element[-2:] == ("coding", "code")
                    path = (*(p for names in lists for p in names), *parts)
                    found[path] = (list(step.codemap.forward), is_open and found.get(path, ((), True))[1])
    return found


def ids_apart(entries: list[dict[str, Any]]) -> bool:
    urls = [e["fullUrl"] for e in entries if "fullUrl" in e]
    return len(urls) == len(set(urls))


@pytest.mark.parametrize("name", BOTH)
def test_laws_1_and_2(name: str) -> None:
    message = _OST.message(name)
    drawn: Counter[Any] = Counter()
    for record in records(message, RECORDS):
        entries, run = message.table.fill(record)
        assert not [i for i in run.issues if is_error(i)], run.issues
        back = message.table.match(entries)
        assert back.issues == []
        assert back.record == record
        unread, ignored, issues = message.table.account(back)
        assert (unread, ignored, issues) == ([], {}, [])
        again, _ = message.table.fill(back.record)
        assert again == entries
        for path, key, _ in branches(message.payload.schema):
            node: Any = record
            for part in path:
                node = node.get(part) if isinstance(node, dict) else None
            drawn.update((key, e.get(key)) for e in node or () if isinstance(e, dict))
    for _, key, codes in branches(message.payload.schema):
        few = [code for code in codes if drawn[key, code] < 10]
        assert not few, f"{name}: drawn fewer than 10 times: {few}"


# law 3 ------------------------------------------------------------------------------------------------------------
class Alterer:
    """Random alterations of a hub Bundle: elements deleted, doubled, altered, added; extensions and notes stripped."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def __call__(self, bundle: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        made = copy.deepcopy(bundle)
        kind = self.random.choice(("delete", "double", "alter", "add", "strip", "resource"))
        getattr(self, kind)(made)
        return kind, made

    def spots(self, bundle: dict[str, Any]) -> list[tuple[Any, Any]]:
        """(parent, key) of every element of every resource but the header's stamped ones."""
        found: list[tuple[Any, Any]] = []

        def visit(node: Any) -> None:
            for key, below in list(node.items() if isinstance(node, dict) else enumerate(node)):
                if key in ("resourceType", "fullUrl", "meta", "id"):
                    continue
                found.append((node, key))
                if isinstance(below, dict | list):
                    visit(below)

        for entry in bundle["entry"][1:]:
            visit(entry["resource"])
        return found

    def delete(self, bundle: dict[str, Any]) -> None:
        parent, key = self.random.choice(self.spots(bundle))
        del parent[key]

    def double(self, bundle: dict[str, Any]) -> None:
        spots = [(p, k) for p, k in self.spots(bundle) if isinstance(p, list)]
        if spots:
            parent, key = self.random.choice(spots)
            parent.insert(self.random.randint(0, len(parent)), copy.deepcopy(parent[key]))

    def alter(self, bundle: dict[str, Any]) -> None:
        spots = [(p, k) for p, k in self.spots(bundle) if not isinstance(p[k], dict | list)]
        parent, key = self.random.choice(spots)
        old = parent[key]
        if isinstance(old, bool):
            parent[key] = not old
        elif isinstance(old, int | Decimal):
            parent[key] = old + 1
        else:
            parent[key] = old + self.random.choice(("x", " mg", "1"))

    def add(self, bundle: dict[str, Any]) -> None:
        objects = [e["resource"] for e in bundle["entry"][1:]]
        objects += [p[k] for p, k in self.spots(bundle) if isinstance(p[k], dict)]
        target = self.random.choice(objects)
        choice = self.random.randrange(4)
        if choice == 0:
            target.setdefault("extension", []).append({"url": "https://example.org/unknown", "valueString": "something new"})
        elif choice == 1:
            target.setdefault("note", []).append({"text": "a note more"})
        elif choice == 2:
            target.setdefault("modifierExtension", []).append({"url": "https://example.org/not", "valueBoolean": True})
        else:
            target["doNotPerform"] = True

    def strip(self, bundle: dict[str, Any]) -> None:
        name = self.random.choice(("extension", "note", "contained"))
        for parent, key in reversed(self.spots(bundle)):
            if key == name and isinstance(parent, dict):
                parent.pop(key, None)

    def resource(self, bundle: dict[str, Any]) -> None:
        entries = bundle["entry"]
        j = self.random.randrange(1, len(entries))
        if self.random.random() < 0.5:
            del entries[j]
        else:
            entry = copy.deepcopy(entries[j])
            entry["fullUrl"] = f"urn:uuid:00000000-0000-4000-8000-{self.random.randrange(10**11):012d}"
            entry["resource"]["id"] = entry["fullUrl"][9:]
            entries.append(entry)


def leaves(entries: list[dict[str, Any]]) -> Iterator[tuple[str, str, Any]]:
    """(place, index-free place with the type, value) of every leaf but ids; a reference is the type that it leads to."""
    kinds = {e.get("fullUrl"): e["resource"]["resourceType"] for e in entries}
    for i, entry in enumerate(entries):
        resource = entry["resource"]
        at = "Bundle" if resource["resourceType"] == "Bundle" else f"Bundle.entry[{entry.get('index', i)}].resource"
        for path, value in scalars(resource):
            if path in (("resourceType",), ("id",)) or path[0] == "meta":
                continue
            place = at + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path)
            bare = f"{resource['resourceType']}." + ".".join(str(p) for p in path if not isinstance(p, int))
            yield place, bare, kinds.get(value, value) if path[-1] == "reference" else value


def covered(place: str, named: set[str]) -> bool:
    """Whether the account names the leaf, or (for the url or system of an object) a value of the same object."""
    parent, _, last = place.rpartition(".")
    if last in ("url", "system") and any(n.startswith(parent + ".") for n in named):
        return True
    return any(place == n or place.startswith((n + ".", n + "[")) or n.startswith((place + ".", place + "[")) for n in named)


@pytest.mark.parametrize("name", BOTH)
def test_law_3(name: str) -> None:
    message = _OST.message(name)
    alter = Alterer(11)
    drawn: Counter[str] = Counter()
    refused = 0
    base = [message.assemble(message.table.fill(r)[0], r, None) for r in records(message, 60, seed=13)]
    for n in range(ALTERATIONS):
        kind, bundle = alter(base[n % len(base)])
        drawn[kind] += 1
        entries = message.take_apart(bundle)
        run = message.table.match(entries)
        unread, ignored, issues = message.table.account(run)
        named = {*unread, *ignored, *(c.split(" ")[0] for c in run.carried)}
        for one in (*run.issues, *issues):
            named.update(one.get("expression", ()))
        again, _ = message.table.fill(run.record)
        made = Counter((bare, repr(value)) for _, bare, value in leaves(again))
        # A record that the contract refuses is refused as a whole; it need not fill again (a dose without an outcome).
        if message.payload.check(run.record):
            refused += 1
            continue
        for place, bare, value in leaves(entries):
            if not covered(place, named):
                assert made[bare, repr(value)] > 0, f"{name}: {kind} {n}: {place} is lost in silence"
                made[bare, repr(value)] -= 1
    assert refused <= ALTERATIONS // 2
    assert min(drawn.values()) >= ALTERATIONS // 20


@pytest.mark.parametrize("name", BOTH)
def test_an_edited_hub_value_changes_the_record(name: str) -> None:
    """No value of the target comes from anywhere but the hub element that lineage names."""
    message = _OST.message(name)
    pick = random.Random(17)
    changed = 0
    for record in records(message, 60, seed=19):
        bundle = message.assemble(message.table.fill(record)[0], record, None)
        entries = message.take_apart(bundle)
        rows = [
            r
            for r in message.table.lineage(entries)
            if not r.codecs
            and not r.target.endswith(".reference")
            and any(r.target.startswith(_at(e)) for e in entries)
            and not isinstance(_held(entries, r.target), list | dict)
        ]
        row = pick.choice(rows)
        edited = copy.deepcopy(entries)
        holder: Any = next(e["resource"] for e in edited if row.target.startswith(_at(e)))
        parts = parts_of(row.target, next(_at(e) for e in edited if row.target.startswith(_at(e))))
        for part in parts[:-1]:
            holder = holder[part]
        old = holder[parts[-1]]
        if isinstance(old, list | dict):
            continue
        holder[parts[-1]] = (not old) if isinstance(old, bool) else old + 1 if isinstance(old, int | Decimal) else f"{old}x"
        run = message.table.match(edited)
        unread, _, issues = message.table.account(run)
        assert run.record != record or run.issues or unread or issues, f"{name}: {row.target} was edited and nothing changed"
        changed += run.record != record
    assert changed >= 30


def _held(entries: list[dict[str, Any]], target: str) -> Any:
    entry = next(e for e in entries if target.startswith(_at(e)))
    value: Any = entry["resource"]
    for part in parts_of(target, _at(entry)):
        value = value[part]
    return value


def _at(entry: dict[str, Any]) -> str:
    return "Bundle.~" if entry["resource"]["resourceType"] == "Bundle" else f"Bundle.entry[{entry['index']}].resource."


@pytest.mark.parametrize("name", BOTH)
def test_no_map_stashes_its_source(name: str) -> None:
    """Without extensions, notes and contained resources, every value that stands in a standard element still arrives."""
    message = _OST.message(name)
    for record in records(message, 60, seed=23):
        bundle = message.assemble(message.table.fill(record)[0], record, None)
        entries = message.take_apart(bundle)
        standard = {
            r.source
            for r in message.table.lineage(entries)
            if "xtension" not in r.target and ".note" not in r.target and not r.codecs
        }
        stripped = copy.deepcopy(entries)
        for entry in stripped:
            entry["resource"] = _without(entry["resource"])
        there = dict(scalars(message.table.match(stripped).record))
        values = Counter(map(repr, there.values()))
        for path, value in scalars(record):
            place = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path)[1:]
            if place in standard and not any(isinstance(p, int) for p in path):
                assert there.get(path) == value, f"{name}: {place} was stashed"
            elif place in standard:
                assert values[repr(value)] > 0, f"{name}: {place} was stashed"


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without(v) for k, v in value.items() if k not in ("extension", "note", "contained")}
    return [_without(v) for v in value] if isinstance(value, list) else value
