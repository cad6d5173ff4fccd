"""Fill: compiles the maps of a table into one Python function, record -> resources.

The function is straight-line code: every hole is loaded once, an object is one dict display, and an object or array
none of whose holes was filled drops out. See docs/map-language.md, and `runtime.py` for what the code calls.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from adapter.mapping import runtime
from adapter.mapping.plan import Groups, common_depth, plan_fill, safe
from adapter.mapping.source import Source
from adapter.mapping.spec import Place, Step, TableSpec, frames_of, paths_read, place
from adapter.mapping.tree import Array, Guard, Hole, Literal, Map, Node, Object, Path, Ref, Rest, Say, is_constant, plain


@dataclass(frozen=True, slots=True)
class Frame:
    """A record element in scope: its variable, its index variable, its place as the inside of an f-string, its list."""

    var: str
    index: str
    place: str
    names: tuple[str, ...]


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


class FillWriter:
    """Writes the fill function of one table."""

    def __init__(self, spec: TableSpec) -> None:
        self.spec = spec
        self.src = Source()
        self.cache: list[dict[tuple[Any, ...], str]] = [{}]
        self.groups: Groups = plan_fill(spec)
        self.tables: dict[str, dict[str | None, str | None]] = {}
        self.insecure = _insecure(spec)
        self.map: Map = spec.maps[0]

    def compile(self) -> Callable[..., list[dict[str, Any]]]:
        """The function `fill(record, S)`: S gathers issues and whether a value was lost on the way."""
        src = self.src
        src.bound.update(
            MISS=runtime.MISS, WRONG=runtime.WRONG, prune=runtime.prune, uuid5=runtime.uuid5, full_url=runtime.full_url
        )
        with src.block("def fill(r0, S):"):
            frame = Frame("r0", "", "", ())
            for name in self.groups.outputs:
                src(f"out_{name} = []")
            self.scope((), (frame,))
            src("return " + " + ".join(f"out_{name}" for name in self.groups.outputs))
        made: Callable[..., list[dict[str, Any]]] = src.function(
            "fill", f"{self.spec.system}/{self.spec.message} fill{' native' if self.spec.native else ''}"
        )
        return made

    # scopes -------------------------------------------------------------------------------------------------------
    def scope(self, lists: tuple[tuple[str, ...], ...], frames: tuple[Frame, ...]) -> None:
        """Everything that lies at one list: its ids, its maps and its deeper lists, in the order of the plan."""
        for m in self.groups.at(lists):
            if self.groups.hoisted(m):
                self.identity(m, frames)
        for name, depth in sorted(self.groups.collected):
            if depth == len(lists) and self.spec.by_name[name].depth > depth:
                self.src(f"ids_{safe(name)}_{depth} = []")
        for name in sorted(self.groups.keyed):
            if not lists:
                self.src(f"by_{safe(name)} = {{}}")
        for item in self.groups.order(lists):
            if isinstance(item, Map):
                self.resource(item, frames)
            else:
                self.loop(item, frames)

    def loop(self, lists: tuple[tuple[str, ...], ...], frames: tuple[Frame, ...]) -> None:
        names = lists[-1]
        source = self.load(Path(0, names), frames)
        n = self.src.name("")
        var, index = f"r{n}", f"i{n}"
        frame = Frame(var, index, f"{frames[-1].place}{'.'.join(names)}[{{{index}}}].", names)
        with self.src.block(f"for {index}, {var} in enumerate({source} or ()):"):
            self.cache.append({})
            self.scope(lists, (*frames, frame))
            self.cache.pop()

    # resources ----------------------------------------------------------------------------------------------------
    def identity(self, m: Map, frames: tuple[Frame, ...]) -> None:
        """`id_<map>`: the fullUrl, None where the key has no value."""
        var = f"id_{safe(m.name)}"
        if m.id is not None:
            value = self.load(m.id, frames)
            self.src(f"{var} = full_url({value}) if {value} is not None else None")
            return
        keys = [self.load(p, frames) for p in (m.key or self.spec.key)]
        stem = self.src.bind("ns", runtime.namespace(f"{self.spec.system}/{self.spec.message}/{m.name}"))
        text = "f'" + "\\x1f".join(f"{{{k}}}" for k in keys) + "'"
        test = " or ".join(f"{k} is None" for k in keys) if m.key else "False"
        self.src(f"{var} = None if {test} else uuid5({stem}, {text})")

    def resource(self, m: Map, frames: tuple[Frame, ...]) -> None:
        src = self.src
        self.map = m
        var = f"id_{safe(m.name)}"
        is_bundle = m.type == "Bundle"
        if not is_bundle and not self.groups.hoisted(m):
            self.identity(m, frames)
        tests = [] if is_bundle else [f"{var} is not None"]
        tests += [self.guard(g, frames) for g in m.root.when]
        tests += self.required(m.root, frames)
        made = src.name("x")
        src(f"{made} = None")
        with src.block(f"if {' and '.join(tests) or 'True'}:"):
            self.cache.append({})
            fields = self.fields(m.root, frames)
            if not self.spec.native and not is_bundle and "id" not in m.root.fields:
                fields = [fields[0], ("id", Value(f"{var}[9:]", False, "")), *fields[1:]]
            self.display(made, m.root, fields, frames, keep=bool(m.key or m.id))
            self.emit(m, made, var, frames)
            self.cache.pop()
        with src.block("else:"):
            if not is_bundle:
                src(f"{var} = None")
            self.lost(m.root, frames)

    def emit(self, m: Map, made: str, var: str, frames: tuple[Frame, ...]) -> None:
        src = self.src
        out = f"out_{self.groups.output_of(m)}"
        if m.type == "Bundle":
            with src.block(f"if {made} is not None:"):
                src(f'{out}.append({{"resource": {made}}})')
            return
        with src.block(f"if {made} is not None:"):
            src(f'{out}.append({{"fullUrl": {var}, "resource": {made}}})')
            for name, depth in sorted(self.groups.collected):
                if name == m.name:
                    src(f"ids_{safe(name)}_{depth}.append({var})")
            if m.name in self.groups.keyed:
                keys = [self.load(p, frames) for p in ((m.id,) if m.id else m.key)]
                src(f"by_{safe(m.name)}[{keys[0] if len(keys) == 1 else '(' + ', '.join(keys) + ')'}] = {var}")
        with src.block("else:"):
            src(f"{var} = None")

    # nodes --------------------------------------------------------------------------------------------------------
    def fields(self, node: Object, frames: tuple[Frame, ...]) -> list[tuple[str, Value]]:
        return [(name, self.value(child, frames, name)) for name, child in node.fields.items()]

    def display(
        self, made: str, node: Object, fields: list[tuple[str, Value]], frames: tuple[Frame, ...], keep: bool = False
    ) -> None:
        """`made` = the dict of these fields; dropped when nothing in it was filled, unless `keep`."""
        src = self.src
        src(f"{made} = {{{', '.join(f'{name!r}: {v.safe}' for name, v in fields)}}}")
        filled = list(dict.fromkeys(v.filled for _, v in fields if v.filled))
        nullable = list(dict.fromkeys(v.missing for _, v in fields if v.nullable))
        if node.rest is not None:
            rest = self.load(node.rest, frames)
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

    def value(self, node: Node, frames: tuple[Frame, ...], name: str = "") -> Value:
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

    def object(self, node: Object, frames: tuple[Frame, ...], name: str) -> Value:
        src = self.src
        tests = [self.guard(g, frames) for g in node.when] + self.required(node, frames)
        kept = self.kept_coding(node, frames, name)
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
            with src.block(f"if {' and '.join(tests)}:"):
                self.cache.append({})
                self.body(made, node, frames, name, kept)
                self.cache.pop()
            lost = self.lost_test(node, frames)
            if lost:
                with src.block(f"elif not S.lost and {lost}:"):
                    src("S.lost = True")
        else:
            self.body(made, node, frames, name, kept)
        return Value(made, True, f"{made} is not None")

    def body(self, made: str, node: Object, frames: tuple[Frame, ...], name: str, kept: tuple[str, Step, str] | None) -> None:
        if kept is None:
            self.display(made, node, self.fields(node, frames), frames)
            return
        value, step, where = kept
        src = self.src
        code = node.fields["code"]
        assert step.codemap is not None
        assert isinstance(code, Hole)
        found = src.name("c")
        with src.block("try:"):
            src(f"{found} = {self.codes(step)}[{value}]")
        with src.block("except KeyError:"):
            src(f"{made} = S.kept({value}, {step.codemap.source!r}, {where}, {step.name!r})")
        with src.block("else:"):
            self.declined(code, [value], found, frames)
            self.cache.append({((value,), code.codecs): found})
            self.display(made, node, self.fields(node, frames), frames)
            self.cache.pop()

    def kept_coding(self, node: Object, frames: tuple[Frame, ...], name: str) -> tuple[str, Step, str] | None:
        """A Coding of a CodeableConcept whose code goes through a ConceptMap: an unknown code is kept as its source's."""
        found = kept_step(self.spec, node, name)
        if found is None:
            return None
        hole, step = found
        return self.load(hole.paths[0], frames), step, self.where(hole.paths[0], frames)

    def hole(self, node: Hole, frames: tuple[Frame, ...]) -> str:
        """The variable that holds what the hole is filled with; the same hole is worked out once where it is in scope."""
        values = [self.load(p, frames) for p in node.paths]
        if not node.codecs:
            return values[0]
        key = (tuple(values), node.codecs)
        known = next((c[key] for c in reversed(self.cache) if key in c), None)
        if known is None:
            known = self.cache[-1][key] = self.chain(node, values, frames)
        return known

    def chain(self, node: Hole, values: list[str], frames: tuple[Frame, ...]) -> str:
        src = self.src
        steps = self.spec.chain(node)
        where = self.where(node.paths[0], frames)
        value = values[0] if len(values) == 1 else f"({', '.join(values)})"
        present = " or ".join(f"{v} is not None" for v in values)
        for i, step in enumerate(steps):
            made = src.name("c")
            if step.codemap is not None and step.display:
                src(f"{made} = {src.bind('cm', step.codemap.display)}.get({value})")
            elif step.codemap is not None:
                with src.block("try:"):
                    src(f"{made} = {self.codes(step)}[{value}]")
                with src.block("except KeyError:"):
                    src(f"{made} = S.unknown({where}, {step.name!r})")
            else:
                assert step.codec is not None
                half = src.bind("read", step.codec.read)
                src(f"{made} = None")
                test = present if i == 0 else f"{value} is not None"
                with src.block(f"if {test}:"):
                    with src.block("try:"):
                        src(f"{made} = {half}({value})")
                    with src.block("except WRONG:"):
                        src(f"{made} = S.failed({where}, {step.name!r})")
            value = made
        self.declined(node, values, value, frames)
        return value

    def declined(self, node: Hole, values: list[str], made: str, frames: tuple[Frame, ...]) -> None:
        """Code that notes a value of the record of which a chain made nothing, where no other hole is sure to read it."""
        lost = [v for v, p in zip(values, node.paths, strict=True) if self.is_insecure(p, frames)]
        if lost and not all(s.total for s in self.spec.chain(node)):
            with self.src.block(f"if {made} is None and ({' or '.join(f'{v} is not None' for v in lost)}):"):
                self.src("S.lost = True")

    def codes(self, step: Step) -> str:
        """The name of a ConceptMap's table from source to target codes, in which nothing becomes nothing."""
        if step.name not in self.tables:
            assert step.codemap is not None
            self.tables[step.name] = dict[str | None, str | None](step.codemap.forward) | {None: None}
        return self.src.bind("cm", self.tables[step.name])

    def ref(self, node: Ref, frames: tuple[Frame, ...], name: str) -> Value:
        target = self.spec.by_name[node.map]
        if node.by is not None:
            key = self.load(node.by, frames)
            made = self.src.name("u")
            self.src(f"{made} = by_{safe(node.map)}.get({key}) if {key} is not None else None")
            with self.src.block(f"if {made} is None and {key} is not None:"):
                self.src("S.lost = True")
        else:
            made = f"id_{safe(target.name)}"
        if name == "reference":
            return Value(made, True, f"{made} is not None")
        return Value(f'{{"reference": {made}}}', True, f"{made} is not None", made)

    def array(self, node: Array, frames: tuple[Frame, ...], name: str) -> Value:
        src = self.src
        if len(node.items) == 1 and isinstance(node.items[0], Object | Hole) and getattr(node.items[0], "each", None) is None:
            one = self.value(node.items[0], frames, name)
            return Value(f"[{one.expr}]", True, one.filled, one.test or one.expr)
        made = src.name("l")
        src(f"{made} = []")
        constants = 0
        for run in _runs(node.items):
            first = run[0]
            if isinstance(first, Object) and first.each is not None:
                self.each(made, run, first.each, frames, name)
            elif isinstance(first, Ref) and self.groups.deeper(self.map, first):
                depth = common_depth(frames_of(self.map), frames_of(self.spec.by_name[first.map]))
                src(f'{made}.extend({{"reference": u}} for u in ids_{safe(first.map)}_{depth})')
            elif isinstance(first, Rest):
                src(f"{made}.extend({self.load(first.path, frames)} or ())")
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

    def each(self, made: str, run: list[Node], path: Path, frames: tuple[Frame, ...], name: str) -> None:
        """Neighbours that name the same list run in one loop, as alternatives, so that its order is kept."""
        src = self.src
        source = self.load(path, frames)
        n = src.name("")
        up = frames[: len(frames) - path.up]
        frame = Frame(f"e{n}", f"j{n}", f"{up[-1].place}{'.'.join(path.parts)}[{{j{n}}}].", path.parts)
        with src.block(f"for j{n}, e{n} in enumerate({source} or ()):"):
            self.cache.append({})
            for one in run:
                assert isinstance(one, Object)
                value = self.object(one, (*up, frame), name)
                with src.block(f"if {value.filled}:"):
                    src(f"{made}.append({value.expr})")
            self.cache.pop()

    # small things -------------------------------------------------------------------------------------------------
    def guard(self, guard: Guard, frames: tuple[Frame, ...]) -> str:
        value = self.load(guard.path, frames)
        if not guard.values:
            return f"{value} is not None"
        if len(guard.values) == 1:
            return f"{value} == {self.src.constant(guard.values[0])}"
        return f"{value} in {self.src.constant(tuple(guard.values))}"

    def required(self, node: Object, frames: tuple[Frame, ...]) -> list[str]:
        return [f"{self.hole(n, frames)} is not None" for n in node.fields.values() if isinstance(n, Hole) and n.required]

    def where(self, path: Path, frames: tuple[Frame, ...]) -> str:
        frame = frames[len(frames) - 1 - path.up]
        return "f" + repr(frame.place + (".".join(path.parts) or "."))

    def load(self, path: Path, frames: tuple[Frame, ...]) -> str:
        """The variable that holds the record's value at `path`; each is loaded once where it is in scope."""
        frame = frames[len(frames) - 1 - path.up]
        if path.place:
            return frame.index
        var = frame.var
        for i in range(len(path.parts)):
            key = (frame.var, path.parts[: i + 1])
            known = next((c[key] for c in reversed(self.cache) if key in c), None)
            if known is None:
                known = self.src.name("v")
                got = f"{var}.get({path.parts[i]!r})"
                self.src(f"{known} = {got}" if i == 0 else f"{known} = {got} if {var} is not None else None")
                self.cache[-1][key] = known
            var = known
        return var

    def is_insecure(self, path: Path, frames: tuple[Frame, ...]) -> bool:
        at = place(frames_names(frames), path)
        return at is not None and at in self.insecure

    def lost_test(self, node: Object, frames: tuple[Frame, ...]) -> str:
        """A condition: a value that only this dropped object reads is there."""
        found: list[str] = []
        stack: list[Node] = list(node.fields.values())
        while stack:
            one = stack.pop()
            if isinstance(one, Hole):
                found += [
                    f"S.there({frames[len(frames) - 1 - p.up].var}, {p.parts!r})"
                    for p in one.paths
                    if self.is_insecure(p, frames) and not p.place
                ]
            elif isinstance(one, Object) and one.each is None:
                stack += one.fields.values()
            elif isinstance(one, Object) and one.each is not None:
                frame = frames[len(frames) - 1 - one.each.up]
                found.append(f"S.there({frame.var}, {one.each.parts!r})")
            elif isinstance(one, Array):
                stack += one.items
        return f"({' or '.join(sorted(set(found)))})" if found else ""

    def lost(self, node: Object, frames: tuple[Frame, ...]) -> None:
        test = self.lost_test(node, frames)
        if test:
            with self.src.block(f"if not S.lost and {test}:"):
                self.src("S.lost = True")


def kept_step(spec: TableSpec, node: Object, name: str) -> tuple[Hole, Step] | None:
    """The code hole and ConceptMap of `coding: [{system: literal, code: $x | map}]`, where the map names its source."""
    code = node.fields.get("code")
    if (
        name != "coding"
        or not isinstance(code, Hole)
        or len(code.paths) != 1
        or len(code.codecs) != 1
        or code.codecs[0] in spec.required_codes
    ):
        return None
    step = spec.steps[code.codecs[0]]
    if step.codemap is None or step.display or not step.codemap.source or not isinstance(node.fields.get("system"), Literal):
        return None
    return code, step


def frames_names(frames: tuple[Frame, ...]) -> tuple[tuple[str, ...], ...]:
    """The lists that these frames lie in, without the root's."""
    return tuple(f.names for f in frames[1:])


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
