"""What of one message arrives in another, worked out from the maps alone: field by field, as what, and what does not.

Both messages have maps to the same hub. A field of the source fills an element of a resource; a field of the target takes one.
They meet where the element is the same and what the maps say around it (the literals by which an object is recognised) allows
it. Codes are compared row by row: what a code of the source becomes, and which are not known on the other side.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapter.mapping.spec import Step, TableSpec, frames_of, place, show
from adapter.mapping.tree import Array, Hole, Literal, Map, Node, Object, Path, Rest, is_constant, plain

#: What an object says of itself at one level: relative element -> literal, or None where a hole stands.
Marks = Mapping[tuple[str, ...], Any]


@dataclass(frozen=True, slots=True)
class Slot:
    """A field of a record and the element that it fills or takes.

    field: as people read it, `doses[].outcome`; element: names from the type down; marks: what stands around it, a level each
    (depth in the element, literals); steps: its codecs and ConceptMaps; conditional: whether a guard or a key may leave it out.
    """

    field: str
    element: tuple[str, ...]
    marks: tuple[tuple[int, Marks], ...]
    steps: tuple[Step, ...]
    conditional: bool
    map: Map
    line: int

    def __str__(self) -> str:
        names = list(self.element)
        for depth, literals in self.marks:
            url = literals.get(("url",))
            if isinstance(url, str) and depth:
                names[depth] = f"{names[depth]}({url.rpartition('/')[2]})"
        return ".".join(names)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A field of the source with the fields of the target in which it arrives; with none, why.

    changed: codes of the source that become one code with others there, as (theirs, those of the source); lost: codes that the
    target does not know; partly: whether it arrives under a condition only.
    """

    slot: Slot
    targets: tuple[Slot, ...]
    reason: str = ""
    changed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lost: tuple[str, ...] = ()
    partly: bool = False


def slots(spec: TableSpec) -> list[Slot]:
    """Every field that the hub maps of a message read or give."""
    return [slot for one in spec.maps for slot in _slots(spec, one)]


def survival(source: TableSpec, target: TableSpec) -> list[Arrival]:
    """What becomes of every field of `source` in a message of `target`, in the order of the source's maps."""
    there = slots(target)
    by_element: dict[tuple[str, ...], list[Slot]] = {}
    for slot in there:
        by_element.setdefault(slot.element, []).append(slot)
    return [_arrival(slot, by_element.get(slot.element, ()), target) for slot in slots(source)]


def _arrival(slot: Slot, candidates: Iterable[Slot], target: TableSpec) -> Arrival:
    met = [(other, _meets(slot, other)) for other in candidates]
    found = tuple(other for other, how in met if how is not None)
    if not found:
        return Arrival(slot, (), _why(slot, target))
    changed, lost = _codes(slot, found)
    partly = bool(lost) or all(how == "where" for other, how in met if how is not None) or all(o.conditional for o in found)
    return Arrival(slot, found, "", changed, lost, partly)


def _why(slot: Slot, target: TableSpec) -> str:
    """The reason that the target states for leaving an element out; else that nothing takes it."""
    if slot.element[0] in target.left_out:
        return target.left_out[slot.element[0]]
    for one in target.maps:
        for path, reason in one.ignored.items():
            names = (one.type, *path.split(".")) if not path.startswith("$") else ()
            if names and slot.element[: len(names)] == names:
                return reason
    return "" if any(one.type == slot.element[0] for one in target.maps) else f"{target.system} hears of no {slot.element[0]}"


# slots ------------------------------------------------------------------------------------------------------------------
def _slots(spec: TableSpec, one: Map) -> Iterator[Slot]:
    def visit(
        node: Node, element: tuple[str, ...], marks: tuple[tuple[int, Marks], ...], lists: tuple[tuple[str, ...], ...], if_: bool
    ) -> Iterator[Slot]:
        if isinstance(node, Array):
            for child in node.items:
                yield from visit(child, element, marks, lists, if_)
        elif isinstance(node, Object):
            if node.each is not None:
                base = place(lists, node.each)
                lists = (*(base[0] if base else ()), (base[1] if base else node.each.parts))
            if_ = if_ or bool(node.when)
            literals = dict(_marks(node))
            marks = (*marks, (len(element) - 1, literals)) if literals else marks
            for name, child in node.fields.items():
                yield from visit(child, (*element, name), marks, lists, if_)
            if node.rest is not None:
                yield from slot(node.rest, element, marks, lists, (), if_, node.line)
        elif isinstance(node, Hole):
            for path in node.paths:
                if not path.place:
                    yield from slot(path, element, marks, lists, tuple(spec.chain(node)), if_, node.line)
        elif isinstance(node, Rest):
            yield from slot(node.path, element, marks, lists, (), if_, node.line)

    def slot(
        path: Path,
        element: tuple[str, ...],
        marks: tuple[tuple[int, Marks], ...],
        lists: tuple[tuple[str, ...], ...],
        steps: tuple[Step, ...],
        if_: bool,
        line: int,
    ) -> Iterator[Slot]:
        at = place(lists, path)
        if at is not None:
            yield Slot(show(at), element, marks, steps, if_, one, line)

    yield from visit(one.root, (one.type,), (), frames_of(one), False)


def _marks(node: Object, prefix: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The literals of an object, those of constant objects in it, and the places where a hole stands instead."""
    for name, child in node.fields.items():
        at = (*prefix, name)
        if isinstance(child, Literal):
            yield at, child.value
        elif isinstance(child, Hole):
            yield at, None
        elif is_constant(child):
            if isinstance(child, Object):
                yield from _marks(child, at)
            elif isinstance(child, Array):
                yield at, plain(child)
        else:
            yield at, None


# meeting ----------------------------------------------------------------------------------------------------------------
def _meets(slot: Slot, other: Slot) -> str | None:
    """How two slots of one element meet: "always", "where" (if a value of the one is what the other wants), or not: None."""
    how = "always"
    mine = dict(slot.marks)
    theirs = dict(other.marks)
    for depth in {*mine, *theirs}:
        said, wanted = mine.get(depth, {}), theirs.get(depth, {})
        for at, literal in wanted.items():
            if literal is None:
                continue
            here = next((at[:n] for n in range(len(at), 0, -1) if at[:n] in said), None)
            if here is None:
                return None
            if said[here] is None:
                how = "where"
            elif not _agree(said[here], literal):
                return None
    return how


def _agree(said: Any, wanted: Any) -> bool:
    if isinstance(said, list) and isinstance(wanted, list):
        return all(one in said for one in wanted)
    return bool(said == wanted)


def _codes(slot: Slot, found: Iterable[Slot]) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """Which codes of the source become one there, and which are not known, over all that take the element."""
    mine = _through(slot.steps)
    if mine is None:
        return {}, ()
    takers = [_back(other.steps) for other in found]
    known = [one for one in takers if one is not None]
    if not known or len(known) < len(takers):  # one of them takes any value
        return {}, ()
    becomes: dict[str, list[str]] = {}
    lost: list[str] = []
    for code, hub in mine.items():
        theirs = next((one[hub] for one in known if hub in one), None)
        if theirs is None:
            lost.append(code)
        else:
            becomes.setdefault(theirs, []).append(code)
    return {theirs: tuple(codes) for theirs, codes in becomes.items() if len(codes) > 1}, tuple(lost)


def _through(steps: tuple[Step, ...]) -> dict[str, str] | None:
    """Source code -> hub code, where the chain is one of ConceptMaps alone."""
    if not steps or any(step.codemap is None or step.display for step in steps):
        return None
    made: dict[str, str] = {}
    first = steps[0].codemap
    assert first is not None
    for code, target in first.forward.items():
        value: str | None = target
        for step in steps[1:]:
            assert step.codemap is not None
            value = step.codemap.forward.get(value) if value is not None else None
        if value is not None:
            made[code] = value
    return made


def _back(steps: tuple[Step, ...]) -> dict[str, str] | None:
    """Hub code -> target code, where the chain is one of ConceptMaps alone."""
    if len(steps) != 1:
        through = _through(steps)
        return None if through is None else {hub: code for code, hub in reversed(list(through.items()))}
    codemap = steps[0].codemap
    if codemap is None or steps[0].display:
        return None
    if codemap.backward is not None:
        return dict(codemap.backward)
    return {hub: code for code, hub in reversed(list((_through(steps) or {}).items()))}
