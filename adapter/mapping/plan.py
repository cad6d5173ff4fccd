"""The order in which fill makes resources: references need their targets first, lists keep the record's order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from adapter.mapping.spec import TableSpec, find, frames_of
from adapter.mapping.tree import Hole, Map, Ref

Lists = tuple[tuple[str, ...], ...]


class Cycle(Exception):
    """Maps whose resources refer to each other in a ring, each needing the other first."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        super().__init__(" -> ".join(names))


def safe(name: str) -> str:
    """A map's name as part of a Python name."""
    return name.replace(".", "_").replace("-", "_")


def refs(m: Map) -> Iterator[Ref]:
    """Every reference that a map writes."""
    for found in find(m):
        if isinstance(found.node, Ref):
            yield found.node


def common_depth(a: Lists, b: Lists) -> int:
    """How many lists two maps share from the root."""
    n = 0
    while n < min(len(a), len(b)) and a[n] == b[n]:
        n += 1
    return n


@dataclass(slots=True)
class Groups:
    """Which maps lie at which list, in what order fill visits them, and where their resources are put out."""

    spec: TableSpec
    collected: set[tuple[str, int]] = field(default_factory=set)
    keyed: set[str] = field(default_factory=set)
    outputs: list[str] = field(default_factory=list)

    def at(self, lists: Lists) -> list[Map]:
        """The maps whose element lies directly at this list."""
        return [m for m in self.spec.maps if frames_of(m) == lists]

    def hoisted(self, m: Map) -> bool:
        """Whether the resource exists exactly when its key does, so that its id may be used before it is made."""
        required = any(isinstance(n, Hole) and n.required for n in m.root.fields.values())
        return bool(m.key or m.id) and not m.root.when and not required and m.type != "Bundle"

    def output_of(self, m: Map) -> str:
        """The output list that a map's resources go to: its own, or that of the outermost list."""
        return safe(m.name) if not m.each else "in_" + safe("_".join(m.each[0].split(".")))

    def deeper(self, m: Map, ref: Ref) -> bool:
        """Whether a reference points into a list that its own map does not lie in: one for each."""
        target = frames_of(self.spec.by_name[ref.map])
        return ref.by is None and frames_of(m)[: len(target)] != target

    def order(self, lists: Lists) -> list[Map | Lists]:
        """Maps and deeper lists at this list, each after what it refers to. Raises Cycle."""
        items: list[Map | Lists] = []
        holder: dict[str, int] = {}
        for m in self.spec.maps:
            frames = frames_of(m)
            if frames[: len(lists)] != lists:
                continue
            item: Map | Lists = m if frames == lists else frames[: len(lists) + 1]
            if item not in items:
                items.append(item)
            holder[m.name] = items.index(item)
        after: dict[int, set[int]] = {i: set() for i in range(len(items))}
        for m in self.spec.maps:
            if m.name not in holder:
                continue
            for ref in refs(m):
                target = self.spec.by_name[ref.map]
                needed = ref.by is not None or self.deeper(m, ref) or not self.hoisted(target)
                if target.name in holder and needed and holder[target.name] != holder[m.name]:
                    after[holder[m.name]].add(holder[target.name])
        done: list[int] = []
        while len(done) < len(items):
            ready = [i for i in after if i not in done and after[i] <= set(done)]
            if not ready:
                raise Cycle([m.name for m in self.spec.maps if m.name in holder and holder[m.name] not in done])
            done.append(ready[0])
        return [items[i] for i in done]


def plan_fill(spec: TableSpec) -> Groups:
    """The plan of a table. Raises Cycle."""
    groups = Groups(spec)
    for m in spec.maps:
        out = groups.output_of(m)
        if out not in groups.outputs:
            groups.outputs.append(out)
        for ref in refs(m):
            if ref.by is not None:
                groups.keyed.add(ref.map)
            elif groups.deeper(m, ref):
                groups.collected.add((ref.map, common_depth(frames_of(m), frames_of(spec.by_name[ref.map]))))
    return groups
