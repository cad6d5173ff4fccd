"""Every mutant of a table: one hole, literal, codec, guard or ConceptMap row of its maps removed or altered."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from adapter.fhir.terminology import CodeMap
from adapter.mapping.spec import Step, TableSpec
from adapter.mapping.tree import Array, Hole, Literal, Map, Node, Object, Say


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
                yield what, dataclasses.replace(node, fields=fields) if fields else None
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
