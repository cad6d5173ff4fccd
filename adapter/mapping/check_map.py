"""What may be wrong with one map by itself: names that FHIR or the payload does not have, words in the wrong place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adapter.fhir.schema import tables
from adapter.mapping.faults import Faults, did_you_mean, nearest
from adapter.mapping.payload_paths import in_schema, schema_names
from adapter.mapping.safety import names_safety
from adapter.mapping.spec import Found, Place, TableSpec, find, frames_of, paths_read, show
from adapter.mapping.tree import Array, Hole, Map, Object, Ref, Rest


def fhir_types() -> dict[str, Any]:
    """The R4 types with their elements: t its type, l a list, b the base of a choice. Generated with the gate's schema."""
    return tables.types()


def elements(spec: TableSpec, m: Map, faults: Faults) -> None:
    """Every key of a map is an element of its FHIR type. (STU3 maps of other systems are checked by their own tests.)"""
    if spec.native and spec.release != "R4":
        return
    types = fhir_types()
    if m.type not in types:
        faults.add(1, f"{m.type} is no resource type that is known{did_you_mean(nearest(m.type, types))}", "", "mend the type")
        return
    _element(m.root, m.type, types, faults)


def _element(node: Object, kind: str, types: dict[str, Any], faults: Faults) -> None:
    known = types.get(kind, {}).get("elements", {})
    for name, child in node.fields.items():
        if name == "resourceType" or not known:
            continue
        bare = name.removeprefix("_")
        if bare not in known:
            line = getattr(child, "line", node.line)
            faults.add(
                line,
                f"{kind} has no element {name}{did_you_mean(nearest(bare, known))}",
                "FHIR R4 does not have it",
                "mend the name",
            )
            continue
        below = "Element" if name.startswith("_") else known[bare]["t"]
        is_list = bool(known[bare].get("l"))
        _shape(name, child, is_list, faults)
        for inner in child.items if isinstance(child, Array) else (child,):
            if isinstance(inner, Object):
                inner_type = inner.fields.get("resourceType")
                _element(inner, str(getattr(inner_type, "value", below)) if below == "Resource" else below, types, faults)


def _shape(name: str, child: Any, is_list: bool, faults: Faults) -> None:
    if isinstance(child, Object | Ref) and is_list:
        faults.add(child.line, f"{name} is a list in FHIR", "", f"write {name}: [...]")
    if isinstance(child, Array) and not is_list:
        faults.add(child.line, f"{name} is not a list in FHIR", "", f"write {name}: without brackets")


def paths(m: Map, schema: dict[str, Any] | None, faults: Faults) -> None:
    """Every record path stays in the record, and the payload's schema names it."""
    lists = frames_of(m)
    for found in find(m):
        for path, line in _paths_of(found):
            if path.up > len(found.lists):
                faults.add(
                    line,
                    f"{path} climbs out of the record",
                    f"the element lies {len(found.lists)} lists deep",
                    "use fewer ^",
                )
    if m.each and not m.key and m.id is None:
        faults.add(
            m.lines.get("$each", 1),
            "a map that loops needs a $key or $id",
            "each of its resources needs an identity of its own",
            "add $key: with the path that tells the elements apart",
        )
    if schema is None:
        return
    wanted = [(at, found.node) for at, found, _ in paths_read(m)]
    wanted += [((lists[:-1], lists[-1]), m.root)] if lists else []
    seen: set[Place] = set()
    for at, node in wanted:
        if at not in seen and not in_schema(schema, (*(p for names in at[0] for p in names), *at[1])):
            seen.add(at)
            known = sorted(schema_names(schema, at))
            name = at[1][-1] if at[1] else show(at)
            faults.add(
                getattr(node, "line", 1),
                f"the payload has no {show(at)}{did_you_mean(nearest(name, known))}",
                "its JSON Schema does not name it",
                "mend the path, or add it to the schema",
            )


def _paths_of(found: Found) -> Iterator[tuple[Any, int]]:
    node = found.node
    if isinstance(node, Hole):
        yield from ((p, node.line) for p in node.paths)
    elif isinstance(node, Ref) and node.by is not None:
        yield node.by, node.line
    elif isinstance(node, Rest):
        yield node.path, node.line
    elif isinstance(node, Object):
        yield from ((g.path, g.line) for g in node.when)


def arrays(m: Map, faults: Faults) -> None:
    """No array that match could not take apart."""
    for found in find(m):
        if isinstance(found.node, Array):
            bare = [i for i in found.node.items if isinstance(i, Hole)]
            if len(bare) > 1:
                faults.add(
                    found.node.line,
                    "an array with two bare holes",
                    "match could not tell which element is which",
                    "join them with a codec: $a + b | name",
                )


def words(m: Map, speaks_fhir: bool, faults: Faults) -> None:
    """`$ignored`, `$rest` and `else:` stand only where they can do no harm."""
    for path in m.ignored:
        if not path.startswith("$") and names_safety(m.type, path):
            faults.add(
                m.lines.get("$ignored", 1),
                f"{path} is a safety element and cannot be ignored",
                "what it says would be lost in silence",
                "give it a hole",
            )
    rests = any(isinstance(f.node, Rest) or (isinstance(f.node, Object) and f.node.rest is not None) for f in find(m))
    if rests and not speaks_fhir:
        faults.add(
            m.root.line,
            "$rest stands only in maps of a system that itself speaks FHIR",
            "elsewhere it would turn a misspelt element into silence",
            "name the elements",
        )
    for guard in m.root.when:
        if guard.otherwise is not None:
            faults.add(
                guard.line,
                "else: at the head of a map",
                "absence of a whole resource says nothing by itself",
                "put the guard on an element",
            )
