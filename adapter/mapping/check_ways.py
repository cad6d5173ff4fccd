"""What may be wrong with the way back: lists that nothing joins, maps that match cannot tell apart, paths that nothing gives."""

from __future__ import annotations

from adapter.mapping.faults import Faults
from adapter.mapping.plan import refs
from adapter.mapping.recognition import literals
from adapter.mapping.spec import Found, Place, TableSpec, find, frames_of, paths_read, show
from adapter.mapping.tree import Hole, Map, Object


def lists(spec: TableSpec, m: Map, faults: Faults) -> None:
    """Something says which element of the outer list an element of an inner one belongs to."""
    own = frames_of(m)
    if len(own) < 2:
        return
    parents = [frames_of(spec.by_name[r.map]) for r in refs(m) if r.by is None]
    if own not in [p for p, r in zip(parents, refs(m), strict=False) if r.map != m.name] and own[:-1] not in parents:
        faults.add(
            m.lines.get("$each", 1),
            f"nothing says which element of {'/'.join(m.each[:-1])} a {m.type} belongs to",
            "match finds the parent along a reference",
            "add a $ref to a map of the parent list, for example basedOn or partOf",
        )


def twins(spec: TableSpec, faults: dict[str, Faults]) -> None:
    """No two maps of one type that cannot be told apart."""
    named = {ref.map for m in spec.maps for ref in refs(m)}
    for i, m in enumerate(spec.maps):
        for other in spec.maps[i + 1 :]:
            if m.type == other.type and literals(m.root) == literals(other.root):
                for one in (m, other):
                    if one.name not in named:
                        twin = other if one is m else m
                        faults[one.name].add(
                            1,
                            f"{one.name} and {twin.name} cannot be told apart",
                            "they have the same literals, and no other map refers to this one",
                            "give it a literal of its own, or a $ref that leads to it",
                        )


def one_way(spec: TableSpec, m: Map, faults: Faults) -> None:
    """Two-way is given up only where the map says so."""
    for found in find(m):
        if not isinstance(found.node, Hole) or "*" in m.one_way:
            continue
        for name in found.node.codecs:
            made = spec.steps[name]
            element = ".".join(found.element)
            if (
                made.codec is not None
                and made.codec.write is None
                and not any(element == p or element.startswith(p + ".") for p in m.one_way)
            ):
                faults.add(
                    found.node.line,
                    f"{element} goes one way: the codec {name} cannot be turned back",
                    "two-way is given up only where the map says so",
                    f"add $one-way: {{{element}: why}}",
                )


def reversal(spec: TableSpec, faults: dict[str, Faults]) -> None:
    """Every path of the record is given back by at least one hole that can be turned back."""
    givers: set[Place] = set()
    every: dict[Place, tuple[Map, Found]] = {}
    for m in spec.maps:
        for at, found, how in paths_read(m):
            every.setdefault(at, (m, found))
            node = found.node
            if how == "hole" and isinstance(node, Hole):
                if spec.reversible(node) or "*" in m.one_way or any(".".join(found.element).startswith(p) for p in m.one_way):
                    givers.add(at)
            elif how in ("by", "rest") or (isinstance(node, Object) and any(len(g.values) == 1 for g in node.when)):
                givers.add(at)
    for at, (m, found) in every.items():
        if at not in givers:
            line = getattr(found.node, "line", 1)
            faults[m.name].add(
                line,
                f"{show(at)} cannot be given back",
                f"no hole that reads it can be turned back ({'.'.join(found.element) or 'the key'} is the first)",
                "add an element that says it by itself (a coded extension), or list it under $one-way with the reason",
            )
