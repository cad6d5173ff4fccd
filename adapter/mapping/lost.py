"""What of the record may be lost in fill: a value whose only element dropped out, or of which a codec made nothing.

Where nothing can have been lost, the record's account needs no second look. So the generated code says `S.lost` only of a
value that is there and that no other hole is sure to have read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapter.mapping.chains import kept_step
from adapter.mapping.scope import Frames, place_of, there
from adapter.mapping.source import Source
from adapter.mapping.spec import Place, TableSpec, frames_of, paths_read, place
from adapter.mapping.tree import Array, Hole, Map, Node, Object, Path

_NONE: frozenset[Path] = frozenset()


@dataclass(frozen=True, slots=True)
class Reader:
    """A hole that reads a place for certain once its map's resource is made and the record has what it `needs` besides.

    within: the objects that it stands in, by identity. several: whether it joins the path with others.
    """

    map: str
    needs: frozenset[Path]
    within: frozenset[int]
    several: bool = False


@dataclass(frozen=True, slots=True)
class Loss:
    """Paths that may be lost, each with those who may have read it all the same; known when all maps of the list have run."""

    when: str
    paths: dict[Path, list[Reader]]


class Losses:
    """Which places of a table's record can be lost, and who else reads them."""

    def __init__(self, spec: TableSpec) -> None:
        self.insecure = _insecure(spec)
        self._readers: dict[tuple[str, Place], list[Reader]] = {}
        self._beside = {m.name: [o.name for o in spec.maps if frames_of(o) == frames_of(m)] for m in spec.maps}
        holes = [(at, found.node) for m in spec.maps for at, found, how in paths_read(m) if how == "hole"]
        alone = {at for at, node in holes if isinstance(node, Hole) and len(node.paths) == 1}
        for m in spec.maps:
            for path, reader in (*_readers(spec, m.root, "", m.name), *_needed(m)):
                at = place(frames_of(m), path)
                # A codec that joins several paths may have had no use for one of them, if another hole reads that by itself.
                if at is not None and not (reader.several and at in alone):
                    self._readers.setdefault((m.name, at), []).append(reader)

    def may(self, path: Path, frames: Frames) -> bool:
        """Whether the value at a path can be lost at all."""
        return not path.place and place_of(path, frames) in self.insecure

    def below(self, node: Object, frames: Frames) -> list[Path]:
        """The paths whose values are lost, perhaps, where this object drops out; a list stands for all that is in it."""
        found: set[Path] = set()
        stack: list[Node] = list(node.fields.values())
        while stack:
            one = stack.pop()
            if isinstance(one, Hole):
                found.update(p for p in one.paths if self.may(p, frames))
            elif isinstance(one, Object) and one.each is not None:
                found.add(one.each)
            elif isinstance(one, Object):
                stack += one.fields.values()
            elif isinstance(one, Array):
                stack += one.items
        return sorted(found, key=str)

    def others(self, m: Map, path: Path, frames: Frames, outside: Node) -> list[Reader]:
        """The holes of this map and of those at the same list that are sure to read a path, but for those in one object."""
        at = place_of(path, frames)
        if at is None or len(frames) - 1 != m.depth:  # inside the element of a `$each`: no other hole runs with it
            return []
        found = [r for name in self._beside[m.name] for r in self._readers.get((name, at), ())]
        return [r for r in found if id(outside) not in r.within]

    @staticmethod
    def write(src: Source, loss: Loss, made: dict[str, str], frames: Frames) -> None:
        """Code that says whether any of these paths is lost; made: the variable of each map's resource."""
        tests: dict[str, list[str]] = {}
        for path, readers in loss.paths.items():
            read = [
                " and ".join([f"{made[r.map]} is not None", *(there(q, frames) for q in sorted(r.needs, key=str) if q != path)])
                for r in readers
                if r.map in made
            ]
            tests.setdefault(" or ".join(sorted(set(read))), []).append(there(path, frames))
        if tests:
            lost = [f"{f'not ({read}) and ' if read else ''}({' or '.join(paths)})" for read, paths in tests.items()]
            with src.block(f"if {loss.when} and not S.lost and ({' or '.join(lost)}):"):
                src("S.lost = True")


def _readers(
    spec: TableSpec, node: Node, name: str, m: str, needs: frozenset[Path] = _NONE, within: frozenset[int] = frozenset()
) -> Iterator[tuple[Path, Reader]]:
    """The holes that read their path for certain: none under a guard, in a list of its own, or beside an unknown code."""
    if isinstance(node, Hole) and len(node.paths) == 1 and all(step.total for step in spec.chain(node)):
        yield node.paths[0], Reader(m, needs, within)
    elif isinstance(node, Array):
        for item in node.items:
            yield from _readers(spec, item, name, m, needs, within)
    elif isinstance(node, Object):
        required = [n for n in node.fields.values() if isinstance(n, Hole) and n.required] if within else []
        if node.each is not None or (within and node.when) or any(hole.codecs for hole in required):
            return
        needs |= {hole.paths[0] for hole in required}
        kept = kept_step(spec, node, name) is not None
        for key, child in node.fields.items():
            if not kept or key == "code":
                yield from _readers(spec, child, key, m, needs, within | {id(node)})


def _needed(m: Map) -> Iterator[tuple[Path, Reader]]:
    """The holes without which there is no such resource: whatever their codecs may decline, here they have not."""
    for hole in m.root.fields.values():
        if isinstance(hole, Hole) and hole.required:
            for path in hole.paths:
                yield path, Reader(m.name, _NONE, frozenset({id(m.root)}), len(hole.paths) > 1)


def _insecure(spec: TableSpec) -> set[Place]:
    """Places that no unconditional hole reads for certain: when an object drops out, their values may go unread."""
    secure: set[Place] = set()
    every: set[Place] = set()
    for m in spec.maps:
        required = any(isinstance(n, Hole) and n.required for n in m.root.fields.values())
        sure = not m.root.when and not m.key and m.id is None and not required
        for at, found, how in paths_read(m):
            every.add(at)
            if how in ("key", "guard", "rest") or (
                how == "hole"
                and sure
                and not found.conditional
                and isinstance(found.node, Hole)
                and all(s.total for s in spec.chain(found.node))
            ):
                secure.add(at)
    ignored = {tuple(path[1:].split(".")) for m in spec.maps for path in m.ignored if path.startswith("$")}
    return {at for at in every - secure if (*(p for names in at[0] for p in names), *at[1]) not in ignored}
