"""Match: compiles each map of a table into a function that reads one resource back into the record.

Recognition first: all literals of an object are there and equal, or no hole in it is captured and it is unread as a
whole. Then every hole is captured, every key counted, and what was captured is stored: one reversible hole gives a
path back, others are compared with it. `walk.py` decides which resource goes to which function.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from adapter.mapping import runtime
from adapter.mapping.fill import kept_step
from adapter.mapping.plan import Groups
from adapter.mapping.source import Source
from adapter.mapping.spec import Step, TableSpec, frames_of
from adapter.mapping.tree import Array, Guard, Hole, Literal, Map, Node, Object, Path, Ref, Rest, Say, is_constant, plain


@dataclass(slots=True)
class Capture:
    """A variable that may hold a captured value, the paths it is for, and how it goes back."""

    var: str
    paths: tuple[Path, ...]
    where: str
    line: int
    codecs: tuple[str, ...] = ()
    hole: Hole | None = None
    kind: str = "hole"  # hole, list, rest, guard, by, kept, many
    soft: bool = False
    constant: Any = None
    target: str = ""


@dataclass(slots=True)
class Body:
    """One run of code that ends in a store: a resource, or one element of a `$each`."""

    captures: list[Capture] = field(default_factory=list)
    inits: list[str] = field(default_factory=list)
    line: int = 0
    depth: int = 0


class MatchWriter:
    """Writes the match function of one map: `match(x, i, url, S, f0, f1, ...) -> bool`."""

    def __init__(self, spec: TableSpec, groups: Groups, m: Map, shared: dict[tuple[int, str], bool], trace: bool) -> None:
        self.spec, self.groups, self.map, self.trace = spec, groups, m, trace
        self.shared = shared
        self.src = Source()
        self.bodies: list[Body] = []
        self.inner: list[tuple[Path, str]] = []
        self.pending: list[tuple[Ref, str, str]] = []
        self.tables: dict[str, dict[str | None, str | None]] = {}
        self.depth = len(frames_of(m))

    def compile(self) -> Callable[..., bool]:
        """The function; it returns False, having stored nothing, where nothing was captured."""
        src = self.src
        src.bound.update(MISS=runtime.MISS, WRONG=runtime.WRONG, prune=runtime.prune)
        frames = ", ".join(f"f{i}" for i in range(self.depth + 1))
        with src.block(f"def match(x, i, url, S, {frames}):"):
            self.open()
            captured = self.fields(self.map.root, "x", "", root=True)
            if self.map.id is not None:
                var = self.var("v")
                src(f"{var} = S.own_id(url)")
                self.body.captures.append(Capture(var, (self.map.id,), "", self.map.lines.get("$id", 1)))
                captured.append(var)
            for guard in self.map.root.when:
                captured.append(self.guarded(guard, ""))
            if captured:
                with src.block(f"if {' and '.join(f'{c} is None' for c in captured)}:"):
                    src("return False")
            self.store()
            self.close()
            src("return True")
        kind = "native match" if self.spec.native else "match"
        return src.function(
            "match", f"{self.spec.system}/{self.spec.message}/{self.map.name} {kind}{' traced' if self.trace else ''}"
        )

    # bodies -------------------------------------------------------------------------------------------------------
    @property
    def body(self) -> Body:
        return self.bodies[-1]

    def open(self) -> None:
        self.bodies.append(Body(line=len(self.src.lines), depth=self.src._indent))
        self.src("pass")

    def close(self) -> None:
        body = self.bodies.pop()
        if body.inits:
            self.src.lines[body.line] = "    " * body.depth + " = ".join(body.inits) + " = None"

    def var(self, stem: str) -> str:
        made = self.src.name(stem)
        self.body.inits.append(made)
        return made

    def at(self, where: str) -> str:
        """An expression for a FHIRPath, worked out only where it is needed."""
        return f"S.at(i) + f{where!r}"

    def codes(self, step: Step) -> str:
        """The name of a ConceptMap's table from target to source codes, in which nothing becomes nothing."""
        if step.name not in self.tables:
            self.tables[step.name] = dict[str | None, str | None]((step.codemap and step.codemap.backward) or {}) | {None: None}
        return self.src.bind("back", self.tables[step.name])

    # objects ------------------------------------------------------------------------------------------------------
    def literals(self, node: Object, x: str, element: str = "", got: dict[str, str] | None = None) -> list[str]:
        """The tests by which an object is recognised: its literals, the holes it stands or falls with, a code that is known.

        got: variables that hold texts of `x` already, by name; a test of one comes first, and shows that `x` is an object.
        """
        got = {name: var for name, var in (got or {}).items() if _is_text(node.fields.get(name))}
        tests = [f"{var} == {plain(node.fields[name])!r}" for name, var in got.items()]
        kept = kept_step(self.spec, node, element)
        if kept is not None and kept[1].codemap is not None and kept[1].codemap.backward is not None:
            code = self.src.name("k")
            table = self.src.bind("back", kept[1].codemap.backward)
            tests.append(f"type({code} := {x}.get('code')) is str and {code} in {table}")
        for name, child in node.fields.items():
            if isinstance(child, Hole) and child.required:
                tests.append(f"{x}.get({name!r}) is not None")
            if isinstance(child, Say) or name in got:
                continue
            if is_constant(child):
                value = plain(child)
                if isinstance(value, bool):
                    tests.append(f"{x}.get({name!r}) is {value!r}")
                else:
                    tests.append(f"{x}.get({name!r}) == {self.src.constant(value)}")
            elif isinstance(child, Array):
                constants = [self.src.constant(plain(item)) for item in child.items if is_constant(item)]
                tests += [f"S.holds({x}.get({name!r}), {constant})" for constant in constants]
        return tests

    def object(self, node: Object, x: str, where: str, unread: str, name: str = "") -> list[str]:
        """Code that reads `x` by this template, or runs the line `unread`; gives the variables that show a capture."""
        src = self.src
        tests = [f"type({x}) is dict", *self.literals(node, x, name)]
        captured: list[str] = []
        with src.block(f"if {' and '.join(tests)}:"):
            captured = self.inside(node, x, where, unread)
        kept = kept_step(self.spec, node, name)
        if kept is not None:
            with src.block(f"elif {self.keeps(kept[1], x)}:"):
                captured.append(self.kept(kept[0], x, where))
        with src.block("else:"):
            src(unread)
        return captured

    def inside(self, node: Object, x: str, where: str, unread: str) -> list[str]:
        """The body of a recognised object: its fields, its guards, and A3 (nothing captured: unread)."""
        src = self.src
        captured = self.fields(node, x, where)
        for guard in node.when:
            captured.append(self.guarded(guard, where))
        if captured and not node.when:
            with src.block(f"if {' and '.join(f'{c} is None' for c in captured)}:"):
                src(unread)
        return captured

    @staticmethod
    def keeps(step: Step, x: str) -> str:
        """The test for a source's own coding, which fill keeps where the ConceptMap does not know the code."""
        system = step.codemap.source if step.codemap else ""
        return f"type({x}) is dict and {x}.get('system') == {system!r} and type({x}.get('code')) is str"

    def kept(self, hole: Hole, x: str, where: str) -> str:
        """Reads such a coding."""
        src = self.src
        var = self.var("v")
        src(f"{var} = {x}['code']")
        with src.block(f"if len({x}) != 2:"):
            src(f"S.extras({x}, ('system', 'code'), {self.at(where)})")
        self.body.captures.append(Capture(var, hole.paths, where + ".code", hole.line, kind="kept"))
        return var

    def fields(self, node: Object, x: str, where: str, root: bool = False) -> list[str]:
        """Reads every named field and counts the keys; gives the variables that show a capture."""
        src = self.src
        n = src.name("n")
        rest = src.name("q") if node.rest is not None else ""
        names = list(node.fields)
        src(f"{n} = {len(names)}")
        if rest:
            src(f"{rest} = []")
        if root and not self.spec.native and self.map.type != "Bundle":
            stamped = [name for name in ("id", "meta") if name not in names]  # the hub's own: docs/hub.md
            names += stamped
            if stamped:
                src(f"{n} += {' + '.join(f'({name!r} in x)' for name in stamped)}")
            if "meta" in stamped:
                with src.block("if 'meta' in x and (type(x['meta']) is not dict or x['meta'].keys() != S.STAMPED):"):
                    src("S.stamped(x['meta'], i)")
        captured: list[str] = []
        for name, child in node.fields.items():
            captured += self.field(name, child, x, f"{where}.{name}", n, rest, root)
        keys = src.bind("keys", frozenset(names))
        if node.rest is None:
            with src.block(f"if len({x}) != {n}:"):
                src(f"S.extras({x}, {keys}, {self.at(where)})")
        else:
            var = self.var("v")
            with src.block(f"if len({x}) != {n} or {rest}:"):
                src(f"{var} = S.rest({x}, {keys}, {rest}, {self.at(where)}, i)")
            self.body.captures.append(Capture(var, (node.rest,), where, node.line, kind="rest"))
            captured.append(var)
        return captured

    def field(self, name: str, child: Node, x: str, where: str, n: str, rest: str, root: bool) -> list[str]:
        src = self.src
        if isinstance(child, Say):
            got = src.name("s")
            src(f"{got} = {x}.get({name!r})")
            with src.block(f"if {got} is None:"):
                src(f"{n} -= 1")
            with src.block(f"elif {got} != {src.constant(child.value)}:"):
                src(f"S.unread({got}, {self.at(where)})")
            return []
        if is_constant(child):
            return []
        if isinstance(child, Hole):
            var = self.var("v")
            src(f"{var} = {x}.get({name!r})")
            with src.block(f"if {var} is None:"):
                src(f"{n} -= 1")
            self.body.captures.append(Capture(var, child.paths, where, child.line, child.codecs, child, soft=name == "display"))
            return [var]
        if isinstance(child, Ref) and name == "reference":
            got = src.name("u")
            src(f"{got} = {x}.get({name!r})")
            with src.block(f"if {got} is None:"):
                src(f"{n} -= 1")
            with src.block("else:"):
                var = self.refer(child, got, where, f"S.unread({got}, {self.at(where)})")
            self.missing(child, var, where)
            return [var]
        got = src.name("c")
        src(f"{got} = {x}.get({name!r})")
        unread = f"{rest}.append({name!r})" if rest else f"S.unread({got}, {self.at(where)})"
        with src.block(f"if {got} is None:"):
            src(f"{n} -= 1")
        if isinstance(child, Ref):
            with src.block(f"elif type({got}) is dict:"):
                var = self.reference(child, got, where, unread)
            with src.block("else:"):
                src(unread)
            self.missing(child, var, where)
            return [var]
        with src.block("else:"):
            if isinstance(child, Object):
                if root and name == "meta" and not self.spec.native:
                    src(f"{got} = S.without_profile({got})")
                return self.object(child, got, where, unread, name)
            assert isinstance(child, Array)
            return self.array(child, got, where, unread, bool(rest), name)

    # references ---------------------------------------------------------------------------------------------------
    def reference(self, node: Ref, x: str, where: str, unread: str) -> str:
        """A whole Reference object: its `reference`, and nothing else beside it."""
        src = self.src
        got = src.name("u")
        src(f"{got} = {x}.get('reference')")
        var = self.refer(node, got, where + ".reference", unread)
        with src.block(f"if {var} is not None and len({x}) != 1:"):
            src(f"S.extras({x}, ('reference',), {self.at(where)})")
        return var

    def refer(self, node: Ref, got: str, where: str, unread: str) -> str:
        """Follow a reference string; the variable is not None where it leads to what the map means."""
        src = self.src
        var = self.var("t")
        target = self.spec.by_name[node.map]
        if node.by is not None:
            src(f"{var} = S.key_of({got}, {node.map!r})")
            self.body.captures.append(Capture(var, (node.by,), where, node.line, kind="by", target=node.map))
        elif self.groups.deeper(self.map, node):
            src(f"{var} = S.points({got}, {node.map!r}, {target.type!r})")
        elif target.each:
            src(f"{var} = S.joined({got}, i, {node.map!r})")
        else:
            src(f"{var} = S.claim({got}, {node.map!r}, i, f{where!r})")
        with src.block(f"if {var} is None:"):
            src(unread)
        return var

    def missing(self, node: Ref, var: str, where: str) -> None:
        if node.by is None and not self.groups.deeper(self.map, node):
            with self.src.block(f"if {var} is None:"):
                self.src(f"S.missing.append(({node.map!r}, i, f{where!r}))")

    # arrays -------------------------------------------------------------------------------------------------------
    def array(self, node: Array, a: str, where: str, unread: str, resting: bool, name: str) -> list[str]:
        """Every element goes to the first template that recognises it; what none does is unread, or `$rest`."""
        src = self.src
        items: list[Node] = [item for item in node.items if not isinstance(item, Rest)]
        rests = [item for item in node.items if isinstance(item, Rest)]
        holes = [item for item in items if not is_constant(item)]
        captured: list[str] = []
        with src.block(f"if type({a}) is not list:"):
            src(unread)
        with src.block("else:"):
            left = src.name("z")
            if len(items) == 1 and isinstance(items[0], Object) and holes and items[0].each is None:
                captured += self.lone(items[0], a, where, left, name)
                flags = [left]
            else:
                src(f"{left} = []")
                taken, lists = self.prepare(items, where)
                captured += self.elements(items, a, where, left, taken, lists, name)
                flags = [*taken.values(), *lists.values()]
                captured += lists.values()
            if rests:
                var = self.var("v")
                with src.block(f"if {left}:"):
                    src(f"{var} = S.rest_items({a}, {left}, {self.at(where)}, i)")
                self.body.captures.append(Capture(var, (rests[0].path,), where, rests[0].line, kind="rest"))
                captured.append(var)
            else:
                with src.block(f"if {left}:"):
                    if resting:
                        with src.block(f"if len({left}) == len({a}):" if flags or holes else "if True:"):
                            src(unread)
                        with src.block("else:" if flags or holes else "if False:"):
                            src(f"S.unread_items({a}, {left}, {self.at(where)})")
                    else:
                        src(f"S.unread_items({a}, {left}, {self.at(where)})")
        return captured

    def lone(self, item: Object, a: str, where: str, left: str, name: str) -> list[str]:
        """An array with one template: the first element that it recognises is read, every other one is left."""
        src = self.src
        kept = kept_step(self.spec, item, name)
        below = None if self.literals(item, "e") else _below(item)
        j, e, own = src.name("j"), src.name("e"), src.name("h")
        src(f"{left} = ()")
        if below is not None:
            src(f"{j} = 0 if len({a}) < 2 else S.pick({a}, {src.bind('below', below)})")
            src(f"{e} = {a}[{j}] if {a} else None")
            with src.block(f"if type({e}) is not dict:"):
                src(f"{e} = None")
        else:
            src(f"{j} = 0")
            if kept is not None:
                src(f"{own} = True")
            with src.block(f"for {e} in {a}:"):
                with src.block(f"if {' and '.join([f'type({e}) is dict', *self.literals(item, e, name)])}:"):
                    src("break")
                if kept is not None:
                    with src.block(f"if {self.keeps(kept[1], e)}:"):
                        src(f"{own} = False")
                        src("break")
                src(f"{j} += 1")
            with src.block("else:"):
                src(f"{e} = None")
        with src.block(f"if {e} is None:"):
            src(f"{left} = range(len({a}))")
        captured: list[str] = []
        place = f"{where}[{{{j}}}]"
        others = f"if len({a}) != 1:", f"{left} = S.others(len({a}), {j}, {left})"
        if kept is not None:
            with src.block(f"elif not {own}:"):
                captured.append(self.kept(kept[0], e, place))
                with src.block(others[0]):
                    src(others[1])
        with src.block("else:"):
            captured += self.inside(item, e, place, f"{left} = ({j},)")
            with src.block(others[0]):
                src(others[1])
        return captured

    def elements(
        self, items: list[Node], a: str, where: str, left: str, taken: dict[int, str], lists: dict[Path, str], name: str
    ) -> list[str]:
        """Any other array: each element in turn goes to the first template that recognises it and is free."""
        src = self.src
        captured: list[str] = []
        j, e = src.name("j"), src.name("e")
        picks = self.picks(items, a)
        with src.block(f"for {j}, {e} in enumerate({a}):"):
            got = self.told_apart(items, e)
            first = True
            for index, item in enumerate(items):
                captured += self.element(item, index, e, j, where, left, taken, lists, picks, first, name, got)
                first = False
            with src.block("else:" if items else "if True:"):
                src(f"{left}.append({j})")
        for ref, var, place in self.pending:
            self.missing(ref, var, place)
        self.pending = []
        return captured

    def told_apart(self, items: list[Node], e: str) -> dict[str, str]:
        """A variable for the name by which several templates are told apart (url, system), looked up once an element."""
        texts = [name for item in items if isinstance(item, Object) for name, child in item.fields.items() if _is_text(child)]
        name = max(texts, key=texts.count, default="")
        if texts.count(name) < 2:
            return {}
        var = self.src.name("w")
        self.src(f"{var} = {e}.get({name!r}) if type({e}) is dict else MISS")
        return {name: var}

    def prepare(self, items: list[Node], where: str) -> tuple[dict[int, str], dict[Path, str]]:
        """A flag for every template that takes one element, a list for every `$each`."""
        taken: dict[int, str] = {}
        lists: dict[Path, str] = {}
        for index, item in enumerate(items):
            each = item.each if isinstance(item, Object) else None
            if each is not None:
                if each not in lists:
                    lists[each] = self.var("l")
                    self.body.captures.append(Capture(lists[each], (each,), where, item.line, kind="list"))
            elif not (isinstance(item, Ref) and (self.groups.deeper(self.map, item))):
                taken[index] = self.src.name("d")
                self.src(f"{taken[index]} = False")
        return taken, lists

    def picks(self, items: list[Node], a: str) -> dict[int, str]:
        """For templates without literals of their own: which elements are theirs, decided by the literals below them."""
        found: dict[int, str] = {}
        for index, item in enumerate(items):
            if not isinstance(item, Object) or is_constant(item) or self.literals(item, "e"):
                continue
            below = _below(item)
            lone = len([i for i in items if not is_constant(i)]) == 1
            if below is None or (lone and item.each is not None):
                continue
            var = self.src.name("w")
            test = self.src.bind("below", below)
            if lone:
                self.src(f"{var} = None if len({a}) == 1 else S.pick({a}, {test})")
            else:
                self.src(f"{var} = S.pick_all({a}, {test})")
            found[index] = var
        return found

    def element(
        self,
        item: Node,
        index: int,
        e: str,
        j: str,
        where: str,
        left: str,
        taken: dict[int, str],
        lists: dict[Path, str],
        picks: dict[int, str],
        first: bool,
        name: str,
        got: dict[str, str],
    ) -> list[str]:
        src = self.src
        word = "if" if first else "elif"
        free = f"not {taken[index]}" if index in taken else ""
        place = f"{where}[{{{j}}}]"
        if is_constant(item):
            with src.block(f"{word} {free} and {e} == {src.constant(plain(item))}:"):
                src(f"{taken[index]} = True")
            return []
        if isinstance(item, Hole):
            var = self.var("v")
            with src.block(f"{word} {free}:"):
                src(f"{taken[index]} = True")
                src(f"{var} = {e}")
            self.body.captures.append(Capture(var, item.paths, where, item.line, item.codecs, item))
            return [var]
        if isinstance(item, Ref):
            with src.block(f"{word} type({e}) is dict and S.leads({e}, {item.map!r}){' and ' + free if free else ''}:"):
                if free:
                    src(f"{taken[index]} = True")
                var = self.reference(item, e, place, f"S.unread({e}, {self.at(place)})")
            self.pending.append((item, var, where))
            return [var]
        assert isinstance(item, Object)
        told = any(_is_text(item.fields.get(key)) for key in got)
        tests = ([] if told else [f"type({e}) is dict"]) + self.literals(item, e, name, got) + ([free] if free else [])
        if index in picks:
            lone = len([i for i in taken if i != index]) == 0 and not lists
            tests.append(f"({picks[index]} is None or {picks[index]} == {j})" if lone else f"{j} in {picks[index]}")
        captured: list[str]
        with src.block(f"{word} {' and '.join(tests)}:"):
            if item.each is not None:
                self.each(item, e, place, lists[item.each], f"{left}.append({j})")
                captured = []
            else:
                saved = src.name("j")
                src(f"{taken[index]} = True")
                src(f"{saved} = {j}")
                captured = self.inside(item, e, f"{where}[{{{saved}}}]", f"{left}.append({j})")
        kept = kept_step(self.spec, item, name)
        if kept is not None and item.each is None:
            with src.block(f"elif {free} and {self.keeps(kept[1], e)}:"):
                saved = src.name("j")
                src(f"{taken[index]} = True")
                src(f"{saved} = {j}")
                captured.append(self.kept(kept[0], e, f"{where}[{{{saved}}}]"))
        return captured

    def each(self, item: Object, e: str, where: str, target: str, unread: str) -> None:
        """One element of a `$each`: a body of its own, whose store makes one element of the record's list."""
        src = self.src
        assert item.each is not None
        self.open()
        self.inner.append((item.each, target))
        made = src.name("g")
        captured = self.fields(item, e, where)
        for guard in item.when:
            captured.append(self.guarded(guard, where))
        src(f"{made} = None")
        with src.block(f"if {' or '.join(f'{c} is not None' for c in captured) or 'True'}:"):
            self.store(made, target)
        self.inner.pop()
        self.close()
        with src.block(f"if {made} is None:"):
            src(unread)
        with src.block("else:"):
            with src.block(f"if {target} is None:"):
                src(f"{target} = []")
            src(f"{target}.append({made})")

    def inner_place(self, owner: str) -> tuple[str, str]:
        """Where the element in the making will stand: the inside of an f-string, and the frame variable it hangs from."""
        place, level = "", self.depth
        for path, var in self.inner:
            level -= path.up if not place else 0
            place += ("." if place else "") + ".".join(path.parts) + f"[{{len({var} or ())}}]"
        return place, f"f{level}"

    def guarded(self, guard: Guard, where: str) -> str:
        """A recognised object under `$when` shows the guard's value."""
        var = self.var("h")
        self.src(f"{var} = True")
        value = guard.values[0] if len(guard.values) == 1 else None
        self.body.captures.append(Capture(var, (guard.path,), where, guard.line, kind="guard", constant=(guard, value)))
        return var

    # storing ------------------------------------------------------------------------------------------------------
    def store(self, element: str = "", owner: str = "") -> None:
        """The end of a body: captured values go back through their codecs, are compared, and are put into the record."""
        from adapter.mapping.store import StoreWriter

        StoreWriter(self, element, owner).write()


def _is_text(node: Node | None) -> bool:
    return isinstance(node, Literal) and type(node.value) is str


def _below(node: Object) -> tuple[tuple[str, ...], dict[str, Any]] | None:
    """The first literals below an element template that has none of its own: (names on the way, literals)."""
    for name, child in node.fields.items():
        inner = child.items[0] if isinstance(child, Array) and child.items else child
        if not isinstance(inner, Object):
            continue
        own = {k: plain(n) for k, n in inner.fields.items() if is_constant(n)}
        if own:
            return (name,), own
        deeper = _below(inner)
        if deeper is not None:
            return (name, *deeper[0]), deeper[1]
    return None
