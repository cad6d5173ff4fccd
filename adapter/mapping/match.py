"""Match: compiles each map of a table into a function that reads one resource back into the record.

Recognition first: all literals of an object are there and equal, or no hole in it is captured and it is unread as a
whole. Then every hole is captured, every key counted, and what was captured is stored: one reversible hole gives a
path back, others are compared with it. Arrays and references stand in `match_arrays.py` and
`match_references.py`, the store in `store.py`; `walk.py` decides which resource goes to which function.
"""

from __future__ import annotations

from collections.abc import Callable

from adapter.mapping import recognition, runtime
from adapter.mapping.captures import Body, Capture
from adapter.mapping.chains import Chains, kept_step
from adapter.mapping.match_arrays import ArrayWriter
from adapter.mapping.match_references import ReferenceWriter
from adapter.mapping.plan import Groups
from adapter.mapping.source import Source
from adapter.mapping.spec import TableSpec, frames_of
from adapter.mapping.store import StoreWriter
from adapter.mapping.tree import Array, Guard, Hole, Map, Node, Object, Path, Ref, Say, is_constant


class MatchWriter:
    """Writes the match function of one map: `match(x, i, S, frames) -> bool`."""

    def __init__(self, spec: TableSpec, groups: Groups, m: Map, shared: dict[tuple[int, str], bool], trace: bool) -> None:
        self.spec, self.groups, self.map, self.trace = spec, groups, m, trace
        self.shared = shared
        self.src = Source()
        self.chains = Chains(self.src)
        self.arrays = ArrayWriter(self)
        self.references = ReferenceWriter(self)
        self.bodies: list[Body] = []
        self.inner: list[tuple[Path, str, str]] = []
        self.depth = len(frames_of(m))

    def compile(self) -> Callable[..., bool]:
        """The function; it returns False, having stored nothing, where nothing was captured."""
        src = self.src
        src.bound.update(MISS=runtime.MISS, WRONG=runtime.WRONG, prune=runtime.prune)
        with src.block("def match(x, i, S, frames):"):
            src("".join(f"f{n}, " for n in range(self.depth + 1)) + "= frames")
            self.open()
            captured = self.fields(self.map.root, "x", "", root=True)
            if self.map.id is not None:
                var = self.var("v")
                src(f"{var} = S.own_id(i)")
                self.body.captures.append(Capture(var, (self.map.id,), "", self.map.lines.get("$id", 1)))
                captured.append(var)
            for guard in self.map.root.when:
                captured.append(self.guarded(guard, ""))
            if captured:
                with src.block(f"if {' and '.join(f'{c} is None' for c in captured)}:"):
                    src("return False")
            StoreWriter(self).write()
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
        self.bodies.append(Body(self.src.reserve()))

    def close(self) -> None:
        body = self.bodies.pop()
        if body.inits:
            body.begin(" = ".join(body.inits) + " = None")

    def var(self, stem: str) -> str:
        """A variable that is None until something is captured in it."""
        made = self.src.name(stem)
        self.body.inits.append(made)
        return made

    @staticmethod
    def at(where: str) -> str:
        """An expression for a FHIRPath, worked out only where it is needed."""
        return f"S.at(i) + f{where!r}" if where else "S.at(i)"

    # objects ------------------------------------------------------------------------------------------------------
    def tests(self, node: Object, x: str, name: str = "", got: dict[str, str] | None = None) -> list[str]:
        return recognition.conditions(self.spec, self.src, node, x, name, got or {})

    def object(self, node: Object, x: str, n: str, where: str, unread: str, name: str) -> list[str]:
        """Code that reads `x` by this template, or runs the line `unread`; gives the variables that show a capture."""
        src = self.src
        with src.block(f"if {' and '.join([f'{x}.__class__ is dict', *self.tests(node, x, name)])}:"):
            captured = self.inside(node, x, where, unread)
        kept = kept_step(self.spec, node, name)
        if kept is not None:
            with src.block(f"elif {recognition.own_coding(kept[1], x)}:"):
                captured.append(self.kept(kept[0], x, where))
        self.otherwise(x, n, unread)
        return captured

    def otherwise(self, x: str, n: str, unread: str) -> None:
        """What follows where an element is not of the right kind, or not there at all."""
        with self.src.block(f"elif {x} is None:"):
            self.src(f"{n} -= 1")
        with self.src.block("else:"):
            self.src(unread)

    def inside(self, node: Object, x: str, where: str, unread: str) -> list[str]:
        """The body of a recognised object: its fields, its guards, and, where nothing was captured, the line `unread`."""
        src = self.src
        read = [child for child in node.fields.values() if not is_constant(child) or isinstance(child, Say)]
        if len(read) == 1 and isinstance(read[0], Hole) and node.rest is None and not node.when:
            return self.single(node, read[0], x, where, unread)
        captured = self.fields(node, x, where)
        for guard in node.when:
            captured.append(self.guarded(guard, where))
        if captured and not node.when:
            with src.block(f"if {' and '.join(f'{c} is None' for c in captured)}:"):
                src(unread)
        return captured

    def single(self, node: Object, hole: Hole, x: str, where: str, unread: str) -> list[str]:
        """The same for an object with one hole and literals: the commonest, and the count of its keys is known."""
        src = self.src
        var = self.var("v")
        keys = src.bind("keys", frozenset(node.fields))
        name = next(name for name, child in node.fields.items() if child is hole)
        extras = f"S.extras({x}, {keys}, {self.at(where)})"
        src(f"{var} = {x}.get({name!r})")
        with src.block(f"if {var} is None:"):
            with src.block(f"if len({x}) != {len(node.fields) - 1}:"):
                src(extras)
            src(unread)
        with src.block(f"elif len({x}) != {len(node.fields)}:"):
            src(extras)
        self.capture(hole, var, f"{where}.{name}", name)
        return [var]

    def kept(self, hole: Hole, x: str, where: str) -> str:
        """Reads a coding that fill kept as the source's own."""
        src = self.src
        var = self.var("v")
        src(f"{var} = {x}['code']")
        with src.block(f"if len({x}) != 2:"):
            src(f"S.extras({x}, ('system', 'code'), {self.at(where)})")
        self.body.captures.append(Capture(var, hole.paths, where + ".code", hole.line, kind="kept"))
        return var

    def capture(self, hole: Hole, var: str, where: str, name: str = "") -> None:
        self.body.captures.append(Capture(var, hole.paths, where, hole.line, hole.codecs, hole, soft=name == "display"))

    def guarded(self, guard: Guard, where: str) -> str:
        """A recognised object under `$when` shows the guard's value."""
        var = self.var("h")
        self.src(f"{var} = True")
        self.body.captures.append(Capture(var, (guard.path,), where, guard.line, kind="guard", guard=guard))
        return var

    # fields -------------------------------------------------------------------------------------------------------
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
            names += self.stamped(names, n)
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

    def stamped(self, names: list[str], n: str) -> list[str]:
        """Counts what the hub stamps and the map does not name: docs/hub.md."""
        src = self.src
        found = [name for name in ("id", "meta") if name not in names]
        if "id" in found:
            with src.block("if 'id' in x:"):
                src(f"{n} += 1")
        if "meta" in found:
            with src.block("if 'meta' in x:"):
                src(f"{n} += 1")
                with src.block("if x['meta'].__class__ is not dict or x['meta'].keys() != S.STAMPED:"):
                    src("S.stamped(x['meta'], i)")
        return found

    def field(self, name: str, child: Node, x: str, where: str, n: str, rest: str, root: bool) -> list[str]:
        src = self.src
        if is_constant(child) and not isinstance(child, Say):
            return []
        # A variable of the root is set whatever comes; any other only where its object is there.
        got = self.var("v") if isinstance(child, Hole) and not root else src.name("v" if isinstance(child, Hole) else "c")
        src(f"{got} = {x}.get({name!r})")
        if isinstance(child, Hole | Say) or (isinstance(child, Ref) and name == "reference"):
            with src.block(f"if {got} is None:"):
                src(f"{n} -= 1")
        if isinstance(child, Hole):
            self.capture(child, got, where, name)
            return [got]
        unread = f"S.unread({got}, {self.at(where)})"
        if isinstance(child, Say):
            with src.block(f"elif {got} != {src.constant(child.value)}:"):
                src(unread)
            return []
        if isinstance(child, Ref) and name == "reference":
            with src.block("else:"):
                var = self.references.follow(child, got, where, unread)
            self.references.missing(child, var, where)
            return [var]
        if rest:
            unread = f"{rest}.append({name!r})"
        if isinstance(child, Ref):
            with src.block(f"if {got}.__class__ is dict:"):
                var = self.references.whole(child, got, where, unread)
            self.otherwise(got, n, unread)
            self.references.missing(child, var, where)
            return [var]
        if isinstance(child, Object):
            if root and name == "meta" and not self.spec.native:
                src(f"{got} = S.without_profile({got})")
            return self.object(child, got, n, where, unread, name)
        assert isinstance(child, Array)
        with src.block(f"if {got}.__class__ is list:"):
            captured = self.arrays.array(child, got, where, unread if rest else "", name)
        self.otherwise(got, n, unread)
        return captured

    # elements of a `$each` ----------------------------------------------------------------------------------------
    def each(self, item: Object, e: str, where: str, target: str, loop: str, unread: str) -> None:
        """One element of a `$each`: a body of its own, whose store makes one element of the record's list."""
        src = self.src
        assert item.each is not None
        self.open()
        self.inner.append((item.each, target, loop))
        made = src.name("g")
        captured = self.fields(item, e, where)
        for guard in item.when:
            captured.append(self.guarded(guard, where))
        src(f"{made} = None")
        with src.block(f"if {' or '.join(f'{c} is not None' for c in captured) or 'True'}:"):
            StoreWriter(self, made).write()
        self.inner.pop()
        self.close()
        with src.block(f"if {made} is None:"):
            src(unread)
        with src.block("else:"):
            with src.block(f"if {target} is None:"):
                src(f"{target} = []")
            src(f"{target}.append({made})")

    def inner_place(self) -> tuple[str, str, tuple[str, ...]]:
        """Where the element in the making will stand: the inside of an f-string, the frame variable it hangs from, the loops."""
        place, level = "", self.depth
        for path, var, _ in self.inner:
            level -= path.up if not place else 0
            place += ("." if place else "") + ".".join(path.parts) + f"[{{len({var} or ())}}]"
        return place, f"f{level}", tuple(loop for _, _, loop in self.inner)
