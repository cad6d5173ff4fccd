"""The nodes of a map as generated code of fill: holes, objects, arrays and references, from the inside out.

An object is one dict display; an object or array none of whose holes was filled drops out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from adapter.mapping.chains import Chains, kept_step
from adapter.mapping.lineage import loop_of
from adapter.mapping.lost import Loss, Losses, Reader
from adapter.mapping.plan import Groups, common_depth, safe
from adapter.mapping.scope import Frame, Frames, Scope, there, where
from adapter.mapping.source import Source
from adapter.mapping.spec import Step, TableSpec, frames_of
from adapter.mapping.tree import Array, Guard, Hole, Literal, Map, Node, Object, Path, Ref, Rest, Say, is_constant, plain


@dataclass(frozen=True, slots=True)
class Value:
    """An emitted value: its expression, whether it may be missing, and the condition under which a hole in it was filled.

    test: the one variable that is None exactly when the value is missing; `expr` is then to be used where it is not. "": `expr`
    is itself that variable. So an object that hangs on one hole is written where it belongs, with no variable and no test.
    """

    expr: str
    nullable: bool
    filled: str
    test: str = ""

    @property
    def missing(self) -> str:
        """The condition under which there is no value."""
        return f"{self.test or self.expr} is None"

    @property
    def safe(self) -> str:
        """The expression for a place where the value may be missing."""
        return f"({self.expr} if {self.test} is not None else None)" if self.test else self.expr


@dataclass(slots=True)
class Resource:
    """The resource that is being written: its map, the objects around the present node, and what may be lost in it."""

    map: Map
    within: list[Object] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)


class NodeWriter:
    """Writes the nodes of one resource after another; `resource` is the one in the making."""

    def __init__(self, spec: TableSpec, groups: Groups, src: Source, trace: bool) -> None:
        self.spec, self.groups, self.src, self.trace = spec, groups, src, trace
        self.scope = Scope(src)
        self.chains = Chains(src)
        self.losses = Losses(spec)
        self.resource = Resource(spec.maps[0])

    # objects ------------------------------------------------------------------------------------------------------
    def value(self, node: Node, frames: Frames, name: str = "") -> Value:
        """Any node that stands under `name`."""
        if isinstance(node, Literal | Say) or is_constant(node):
            return Value(self.src.constant(plain(node)), False, "")
        if isinstance(node, Hole):
            var = self.hole(node, frames)
            return Value(var, True, f"{var} is not None")
        if isinstance(node, Ref):
            return self.ref(node, frames, name)
        if isinstance(node, Array):
            return self.array(node, frames, name)
        assert isinstance(node, Object)
        return self.object(node, frames, name)

    def fields(self, node: Object, frames: Frames) -> list[tuple[str, Value]]:
        """What stands in an object, by name."""
        self.resource.within.append(node)
        made = [(name, self.value(child, frames, name)) for name, child in node.fields.items()]
        self.resource.within.pop()
        return made

    def display(self, made: str, node: Object, fields: list[tuple[str, Value]], frames: Frames, keep: bool = False) -> None:
        """`made` = the dict of these fields; dropped when nothing in it was filled, unless `keep`."""
        src = self.src
        src(f"{made} = {{{', '.join(f'{name!r}: {v.safe}' for name, v in fields)}}}")
        filled = list(dict.fromkeys(v.filled for _, v in fields if v.filled))
        nullable = list(dict.fromkeys(v.missing for _, v in fields if v.nullable))
        if node.rest is not None:
            rest = self.scope.load(node.rest, frames)
            filled.append(f"{rest}")
            with src.block(f"if {rest}:"):
                src(f"{made}.update({rest})")
        own = not keep and bool(filled) and not (node.when and not _has_hole(node))
        if nullable:
            with src.block(f"if {' or '.join(nullable)}:"):
                dropped = f"None if not ({' or '.join(filled)}) else " if own else ""
                src(f"{made} = {dropped}prune({made})")
        elif own and any(v.filled for _, v in fields) and all(not v.nullable for _, v in fields):
            with src.block(f"if not ({' or '.join(filled)}):"):
                src(f"{made} = None")

    def object(self, node: Object, frames: Frames, name: str) -> Value:
        """An object: not made at all where a guard or a required hole says so, dropped where nothing in it was filled."""
        src = self.src
        tests = self.tests(node, frames)
        kept = kept_step(self.spec, node, name)
        if not tests and kept is None:
            fields = self.fields(node, frames)
            alone = _alone(fields) if node.rest is None else ""
            if alone:
                return Value(f"{{{', '.join(f'{n!r}: {v.expr}' for n, v in fields)}}}", True, f"{alone} is not None", alone)
            made = src.name("o")
            self.display(made, node, fields, frames)
            return Value(made, True, f"{made} is not None")
        made = src.name("o")
        src(f"{made} = None")
        if tests:
            with self.scope.block(f"if {' and '.join(tests)}:"):
                self.body(made, node, frames, kept)
            with src.block("else:", spare=True):
                self.lose(self.losses.below(node, frames), node, frames)
        else:
            self.body(made, node, frames, kept)
        return Value(made, True, f"{made} is not None")

    def body(self, made: str, node: Object, frames: Frames, kept: tuple[Hole, Step] | None) -> None:
        """`made` = the object; a coding whose code is unknown is kept as the source's own."""
        if kept is None:
            self.display(made, node, self.fields(node, frames), frames)
            return
        hole, step = kept
        src = self.src
        value = self.scope.load(hole.paths[0], frames)
        found = src.name("c")
        assert step.codemap is not None
        with src.block("try:"):
            src(f"{found} = {self.chains.codes(step, False)}[{value}]")
        with src.block("except KeyError:"):
            src(f"{made} = S.kept({value}, {step.codemap.source!r}, {where(hole.paths[0], frames)}, {step.name!r})")
            self.lose([p for p in self.losses.below(node, frames) if p != hole.paths[0]], node, frames)
        with src.block("else:"), self.scope.block():
            self.declined(hole, [value], found, frames)
            self.scope.keep(((value,), hole.codecs), found)
            self.display(made, node, self.fields(node, frames), frames)

    # holes --------------------------------------------------------------------------------------------------------
    def hole(self, node: Hole, frames: Frames) -> str:
        """The variable that holds what the hole is filled with; the same hole is worked out once where it is in scope."""
        values = [self.scope.load(p, frames) for p in node.paths]
        if not node.codecs:
            return values[0]
        key = (tuple(values), node.codecs)
        return self.scope.known(key) or self.scope.keep(key, self.chain(node, values, frames))

    def chain(self, node: Hole, values: list[str], frames: Frames) -> str:
        """The variable with what the hole's codecs make of these values."""
        value = values[0] if len(values) == 1 else f"({', '.join(values)})"
        present = " or ".join(f"{v} is not None" for v in values)
        made = self.chains.read(self.spec.chain(node), value, present, where(node.paths[0], frames))
        self.declined(node, values, made, frames)
        return made

    def declined(self, node: Hole, values: list[str], made: str, frames: Frames) -> None:
        """Code that notes a value of the record of which a chain made nothing."""
        if all(s.total for s in self.spec.chain(node)):
            return
        lost = {p: v for p, v in zip(node.paths, values, strict=True) if self.losses.may(p, frames)}
        self.lose(list(lost), node, frames, lambda path: f"{made} is None and {lost[path]} is not None")

    def lose(self, paths: list[Path], node: Node, frames: Frames, test: Callable[[Path], str] | None = None) -> None:
        """Code for a place where the values of these paths are lost, unless a hole outside `node` has read them."""
        src, resource = self.src, self.resource
        around = {id(o) for o in resource.within}
        wait: dict[Path, list[Reader]] = {}
        for path in paths:
            others = self.losses.others(resource.map, path, frames, node)
            if any(r.map == resource.map.name and r.within <= around for r in others):
                continue  # a hole that runs whenever this one does
            if others:
                wait[path] = others
                continue
            with src.block(f"if {test(path) if test else 'not S.lost and ' + there(path, frames)}:"):
                src("S.lost = True")
        if wait:
            flag = src.name("f")
            resource.flags.append(flag)
            resource.losses.append(Loss(flag, wait))
            if test is None:
                src(f"{flag} = True")
            else:
                with src.block(f"if {' or '.join(f'({test(path)})' for path in wait)}:"):
                    src(f"{flag} = True")

    # references and arrays ----------------------------------------------------------------------------------------
    def ref(self, node: Ref, frames: Frames, name: str) -> Value:
        """A Reference; under the name `reference` the string alone."""
        target = self.spec.by_name[node.map]
        if node.by is not None:
            key = self.scope.load(node.by, frames)
            made = self.src.name("u")
            self.src(f"{made} = by_{safe(node.map)}.get({key}) if {key} is not None else None")
            with self.src.block(f"if {made} is None and {key} is not None:"):
                self.src("S.lost = True")
        else:
            made = f"id_{safe(target.name)}"
        if name == "reference":
            return Value(made, True, f"{made} is not None")
        return Value(f'{{"reference": {made}}}', True, f"{made} is not None", made)

    def array(self, node: Array, frames: Frames, name: str) -> Value:
        """An array: of one template a display, of several a list that grows."""
        src = self.src
        if len(node.items) == 1 and isinstance(node.items[0], Object | Hole) and getattr(node.items[0], "each", None) is None:
            one = self.value(node.items[0], frames, name)
            return Value(f"[{one.expr}]", True, one.filled, one.test or one.expr)
        made = src.name("l")
        src(f"{made} = []")
        constants = 0
        m = self.resource.map
        for run in _runs(node.items):
            first = run[0]
            if isinstance(first, Object) and first.each is not None:
                loop = loop_of(m, node, first.each)
                self.each(made, run, first.each, frames, name, loop)
            elif isinstance(first, Ref) and self.groups.deeper(m, first):
                depth = common_depth(frames_of(m), frames_of(self.spec.by_name[first.map]))
                src(f'{made}.extend({{"reference": u}} for u in ids_{safe(first.map)}_{depth})')
            elif isinstance(first, Rest):
                src(f"{made}.extend({self.scope.load(first.path, frames)} or ())")
            else:
                one = self.value(first, frames, name)
                if one.nullable:
                    with src.block(f"if {one.test or one.expr} is not None:"):
                        src(f"{made}.append({one.expr})")
                else:
                    constants += 1
                    src(f"{made}.append({one.expr})")
        if constants:
            return Value(made, False, f"len({made}) > {constants}")
        src(f"{made} = {made} or None")
        return Value(made, True, f"{made} is not None")

    def each(self, made: str, run: list[Node], path: Path, frames: Frames, name: str, loop: str) -> None:
        """Neighbours that name the same list run in one loop, as alternatives, so that its order is kept."""
        src = self.src
        source = self.scope.load(path, frames)
        n = src.name("")
        up = frames[: len(frames) - path.up]
        place = up[-1].place + ".".join(path.parts)
        frame = Frame(f"e{n}", f"j{n}", f"{place}[{{j{n}}}].", path.parts)
        with self.scope.block(f"for j{n}, e{n} in enumerate({source} or ()):"):
            for one in run:
                assert isinstance(one, Object)
                value = self.object(one, (*up, frame), name)
                with src.block(f"if {value.filled}:"):
                    src(f"{made}.append({value.expr})")
                    if self.trace:
                        src(f"S.items.setdefault((f{place!r}, {loop!r}), []).append(j{n})")

    # conditions ---------------------------------------------------------------------------------------------------
    def tests(self, node: Object, frames: Frames) -> list[str]:
        """The conditions under which an object is made at all: its guards, and the holes that it stands or falls with."""
        required = [n for n in node.fields.values() if isinstance(n, Hole) and n.required]
        return [self.guard(g, frames) for g in node.when] + [f"{self.hole(n, frames)} is not None" for n in required]

    def guard(self, guard: Guard, frames: Frames) -> str:
        """The condition under which `$when` keeps its object."""
        value = self.scope.load(guard.path, frames)
        if not guard.values:
            return f"{value} is not None"
        if len(guard.values) == 1:
            return f"{value} == {self.src.constant(guard.values[0])}"
        return f"{value} in {self.src.constant(tuple(guard.values))}"


def _alone(fields: list[tuple[str, Value]]) -> str:
    """The one variable on which every value of an object hangs; "" where there is none or more than one."""
    tests = {v.test or v.expr for _, v in fields if v.nullable}
    return tests.pop() if len(tests) == 1 and all(v.nullable or not v.filled for _, v in fields) else ""


def _has_hole(node: Node) -> bool:
    if isinstance(node, Hole | Ref | Rest):
        return True
    if isinstance(node, Object):
        return node.rest is not None or any(_has_hole(n) for n in node.fields.values())
    return isinstance(node, Array) and any(_has_hole(n) for n in node.items)


def _runs(items: tuple[Node, ...]) -> list[list[Node]]:
    """Neighbours with the same `$each` together, everything else alone."""
    runs: list[list[Node]] = []
    for item in items:
        each = getattr(item, "each", None)
        if each is not None and runs and getattr(runs[-1][0], "each", None) == each:
            runs[-1].append(item)
        else:
            runs.append([item])
    return runs
