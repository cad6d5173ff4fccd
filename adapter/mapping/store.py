"""The end of a match body: captured values go back through their codecs and into the record.

For every path: the reversible holes give it back (the first that has a value; others must agree), every other hole of
the path is worked out forwards and compared. What agrees with nothing is an issue or unread, never dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from adapter.mapping.captures import Capture
from adapter.mapping.chains import forward, table_of
from adapter.mapping.tree import Path

if TYPE_CHECKING:
    from adapter.mapping.match import MatchWriter

#: Where a path of a body points: the variable of the record element ("" for the body's own), and the names.
Target = tuple[str, tuple[str, ...]]


class StoreWriter:
    """Writes the store of the innermost open body of a match function."""

    def __init__(self, writer: MatchWriter, element: str = "") -> None:
        self.w = writer
        self.src = writer.src
        self.element = element  # the variable for the element that a `$each` makes; "" for a resource
        self.finals: dict[Target, str] = {}

    def write(self) -> None:
        """Emit everything: conversions, comparisons, the record's values, the checks."""
        givers: dict[Target, list[tuple[Capture, str]]] = {}
        checkers: list[Capture] = []
        for capture in sorted(self.w.body.captures, key=lambda c: c.soft):
            if self.w.trace and capture.kind != "list":
                self.rows(capture)
            if capture.several or (capture.hole is not None and not self.w.spec.reversible(capture.hole)):
                checkers.append(capture)
            else:
                if len(capture.paths) > 1:  # what a codec gives back for several paths may not be all that the value said
                    checkers.append(capture)
                for path, var in zip(capture.paths, self.back(capture), strict=True):
                    if not path.place:
                        givers.setdefault(self.target(path), []).append((capture, var))
        for target, found in givers.items():
            self.finals[target] = self.combine(target, found)
        self.put()
        for capture in checkers:
            self.check(capture)
        if not self.element:
            self.keys()

    def keys(self) -> None:
        """Whether the key of the resource came back; where another map may give it, that is asked at the end."""
        for path in self.w.map.key:
            frame, parts = self.target(path)
            given = self.finals.get((frame, parts))
            ask = f"S.keyless.append((i, {frame}, {parts!r}))"
            if given is None:
                self.src(ask)
                continue
            with self.src.block(f"if {given} is None:"):
                self.src(ask)

    # where --------------------------------------------------------------------------------------------------------
    def target(self, path: Path) -> Target:
        """The element variable and names of a path: `f0`, `f1` ... are the record's lists, "" this body's own element."""
        level = len(self.w.bodies) - 1 - path.up
        if level > 0:
            return ("" if level == len(self.w.bodies) - 1 else f"outer{level}"), path.parts
        return f"f{self.w.depth + level}", path.parts

    def at(self, where: str) -> str:
        return self.w.at(where)

    # back through the codecs ---------------------------------------------------------------------------------------
    def back(self, capture: Capture) -> list[str]:
        """Variables with the record's values, one for each path."""
        src = self.src
        if capture.guard is not None:
            var = src.name("t")
            value = src.constant(capture.guard.values[0])
            src(f"{var} = {value} if {capture.var} else {src.constant(capture.guard.otherwise)}")
            return [var]
        if capture.hole is None:
            return [capture.var]
        made = self.w.chains.write(self.w.spec.chain(capture.hole), capture.var, self.at(capture.where))
        if len(capture.paths) == 1:
            return [made]
        names = [src.name("t") for _ in capture.paths]
        src(f"{', '.join(names)} = {made} if {made} is not None else ({'None, ' * len(names)})")
        return names

    def combine(self, target: Target, found: list[tuple[Capture, str]]) -> str:
        """One variable for a path: the first value there is; others must be equal."""
        src = self.src
        final = found[0][1]
        if len(found) == 1:
            return final
        merged = src.name("t")
        src(f"{merged} = {final}")
        for capture, var in found[1:]:
            with src.block(f"if {var} is not None:"):
                with src.block(f"if {merged} is None:"):
                    src(f"{merged} = {var}")
                with src.block(f"elif {merged} != {var}:"):
                    if capture.kind == "list":
                        src(f"{merged} = S.merge_lists({merged}, {var}, {self.at(capture.where)})")
                    else:
                        self.disagree(capture)
        return merged

    def disagree(self, capture: Capture) -> None:
        if capture.soft:
            self.src(f"S.unread({capture.var}, {self.at(capture.where)})")
        else:
            paths = " + ".join(str(p) for p in capture.paths)
            self.src(f"S.conflict({self.at(capture.where)}, {paths!r}, {f'{self.w.map.name}:{capture.line}'!r})")

    # into the record ----------------------------------------------------------------------------------------------
    def put(self) -> None:
        src = self.src
        own: dict[str, Any] = {}
        frames: dict[str, dict[str, Any]] = {}
        shared: dict[str, dict[str, Any]] = {}
        for (frame, parts), var in self.finals.items():
            if frame == "":
                _plant(own, parts, var)
            elif frame.startswith("outer"):
                raise ValueError("a path of a list inside a list may not be given from further inside")
            elif self.element or not parts or self.w.shared.get((int(frame[1:]), parts[0]), False):
                _plant(shared.setdefault(frame, {}), parts, var)
            else:
                _plant(frames.setdefault(frame, {}), parts, var)
        for frame, tree in frames.items():
            for name, branch in tree.items():
                var = self.grow(branch)
                with src.block(f"if {var} is not None:"):
                    src(f"{frame}[{name!r}] = {var}")
        for frame, tree in shared.items():
            self.share(frame, tree)
        if self.element:
            src(f"{self.element} = {self.grow(own) if own else 'None'}")

    def share(self, holder: str, tree: dict[str, Any]) -> None:
        """Paths that other maps give too: put with a comparison."""
        src = self.src
        for name, branch in tree.items():
            if isinstance(branch, str):
                with src.block(f"if {branch} is not None and {holder}.setdefault({name!r}, {branch}) != {branch}:"):
                    self.disagree(self.capture_of(branch))
                continue
            below = _leaves(branch)
            made = src.name("d")
            with src.block(f"if {' or '.join(f'{var} is not None' for var in below)}:"):
                src(f"{made} = {holder}.setdefault({name!r}, {{}})")
                with src.block(f"if {made}.__class__ is dict:"):
                    self.share(made, branch)
                with src.block("else:"):
                    self.disagree(self.capture_of(below[0]))

    def capture_of(self, var: str) -> Capture:
        """The first capture of the path that a final variable stands for."""
        target = next(target for target, final in self.finals.items() if final == var)
        return next(c for c in self.w.body.captures if any(self.target(p) == target for p in c.paths))

    def grow(self, tree: Any) -> str:
        """A variable for a nested value; None where nothing in it is there."""
        if isinstance(tree, str):
            return tree
        if set(tree) == {""}:
            return self.grow(tree[""])
        src = self.src
        grown = {name: self.grow(branch) for name, branch in tree.items()}
        made = src.name("d")
        src(f"{made} = {{{', '.join(f'{n!r}: {v}' for n, v in grown.items())}}}")
        with src.block(f"if {' or '.join(f'{v} is None' for v in grown.values())}:"):
            src(f"{made} = prune({made}) or None")
        return made

    # checks -------------------------------------------------------------------------------------------------------
    def check(self, capture: Capture) -> None:
        """A hole (or list-valued guard) that cannot give its path back: worked out forwards and compared, later where needed."""
        src = self.src
        targets = [self.target(p) for p in capture.paths]
        back = src.bind("forward", self.forward(capture))
        local = [self.finals.get(t) for t in targets]
        inner = any(t[0] == "" for t in targets)
        sure = [t[0] == "" or not self.w.shared.get((int(t[0][1:]), t[1][0] if t[1] else ""), False) for t in targets]
        value = "True" if capture.guard is not None else capture.var
        told = f"{capture.soft!r}, {'|'.join(capture.codecs)!r}"
        if inner or all(v is not None and s for v, s in zip(local, sure, strict=True)):
            values = ", ".join(v or "None" for v in local)
            table = table_of(capture.hole, self.w.spec.chain(capture.hole)) if capture.hole is not None else None
            if table is not None and local[0]:  # a text in a table: the commonest check, with no call
                doubt = f"(type({local[0]}) is not str or {src.bind('cm', table)}.get({local[0]}) != {value})"
            else:
                doubt = f"not S.agrees({back}, ({values},), {value})"
            with src.block(f"if {capture.var} is not None and {doubt}:"):
                src(f"S.verify({back}, ({values},), {value}, {self.at(capture.where)}, {told})")
        else:
            places = ", ".join(f"({t[0]}, {t[1]!r})" for t in targets)
            with src.block(f"if {capture.var} is not None:"):
                src(f"S.later.append(({back}, ({places},), {value}, f{capture.where!r}, {told}, i))")

    def forward(self, capture: Capture) -> Callable[[tuple[Any, ...]], Any]:
        """Values -> what fill would write there."""
        if capture.guard is not None:
            allowed = capture.guard.values
            if not allowed:
                return lambda values: values[0] is not None
            return lambda values: values[0] in allowed
        assert capture.hole is not None
        return forward(capture.hole, self.w.spec.chain(capture.hole))

    def rows(self, capture: Capture) -> None:
        """Lineage: where the value stands on both sides, and the line of the map that joins them."""
        src = self.src
        for path in capture.paths:
            frame, parts = self.target(path)
            names = ".".join(parts)
            loops: tuple[str, ...] = ()
            if frame == "":
                inner, frame, loops = self.w.inner_place()
                place = f"f{inner!r}" + (f" + {('.' + names)!r}" if names else "")
            else:
                place = repr(names)
            if frame.startswith("outer"):
                continue
            with src.block(f"if {capture.var} is not None:"):
                line = f"{self.w.map.file}:{capture.line}"
                several = len(capture.paths) > 1
                src(f"S.row({self.at(capture.where)}, {frame}, {place}, {line!r}, {capture.codecs!r}, {several!r}, {loops!r})")


def _plant(tree: dict[str, Any], parts: tuple[str, ...], var: str) -> None:
    """Put a variable into a tree of names; the element itself stands under ""."""
    if not parts:
        tree[""] = var
        return
    for part in parts[:-1]:
        tree = tree.setdefault(part, {})
    tree[parts[-1]] = var


def _leaves(tree: Any) -> list[str]:
    """The variables of a tree of names."""
    return [tree] if isinstance(tree, str) else [var for branch in tree.values() for var in _leaves(branch)]
