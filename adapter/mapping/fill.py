"""Fill: compiles the maps of a table into one Python function, record -> resources.

The function is straight-line code: every hole is loaded once, and each resource is made after those it refers to. See
docs/map-language.md, `fill_nodes.py` for what stands inside a resource, and `runtime.py` for what the code calls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapter.mapping import runtime
from adapter.mapping.fill_nodes import NodeWriter, Resource, Value
from adapter.mapping.lost import Loss
from adapter.mapping.plan import Groups, Lists, plan_fill, safe
from adapter.mapping.scope import Frame, Frames
from adapter.mapping.source import Source
from adapter.mapping.spec import TableSpec
from adapter.mapping.tree import Map, Path


class FillWriter:
    """Writes the fill function of one table. trace: S is told too which element of the record each resource and item is of."""

    def __init__(self, spec: TableSpec, *, trace: bool = False) -> None:
        self.spec, self.trace = spec, trace
        self.src = Source()
        self.groups: Groups = plan_fill(spec)
        self.nodes = NodeWriter(spec, self.groups, self.src, trace)

    def compile(self) -> Callable[..., list[dict[str, Any]]]:
        """The function `fill(record, S)`: S gathers issues and whether a value was lost on the way."""
        src = self.src
        src.bound.update(WRONG=runtime.WRONG, prune=runtime.prune, uuid5=runtime.uuid5, full_url=runtime.full_url)
        with src.block("def fill(r0, S):"):
            frame = Frame("r0", "", "", ())
            for name in self.groups.outputs:
                src(f"out_{name} = []")
            self.level((), (frame,))
            src("return " + " + ".join(f"out_{name}" for name in self.groups.outputs))
        made: Callable[..., list[dict[str, Any]]] = src.function(
            "fill", f"{self.spec.system}/{self.spec.message}{' native' if self.spec.native else ''}{' traced' * self.trace} fill"
        )
        return made

    # lists --------------------------------------------------------------------------------------------------------
    def level(self, lists: Lists, frames: Frames) -> None:
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
        made: dict[str, str] = {}
        losses: list[Loss] = []
        for item in self.groups.order(lists):
            if isinstance(item, Map):
                made[item.name] = self.resource(item, frames)
                losses += self.nodes.resource.losses
            else:
                self.loop(item, frames)
        for loss in losses:
            self.nodes.losses.write(self.src, loss, made, frames)

    def loop(self, lists: Lists, frames: Frames) -> None:
        names = lists[-1]
        source = self.nodes.scope.load(Path(0, names), frames)
        n = self.src.name("")
        var, index = f"r{n}", f"i{n}"
        frame = Frame(var, index, f"{frames[-1].place}{'.'.join(names)}[{{{index}}}].", names)
        with self.nodes.scope.block(f"for {index}, {var} in enumerate({source} or ()):"):
            self.level(lists, (*frames, frame))

    # resources ----------------------------------------------------------------------------------------------------
    def identity(self, m: Map, frames: Frames) -> None:
        """`id_<map>`: the fullUrl, None where the key has no value."""
        var = f"id_{safe(m.name)}"
        if m.id is not None:
            value = self.nodes.scope.load(m.id, frames)
            self.src(f"{var} = full_url({value}) if {value} is not None else None")
            return
        keys = [self.nodes.scope.load(p, frames) for p in (m.key or self.spec.key)]
        stem = self.src.bind("ns", runtime.namespace(f"{self.spec.system}/{self.spec.message}/{m.name}"))
        text = "f'" + "\\x1f".join(f"{{{k}}}" for k in keys) + "'"
        test = " or ".join(f"{k} is None" for k in keys) if m.key else "False"
        self.src(f"{var} = None if {test} else uuid5({stem}, {text})")

    def resource(self, m: Map, frames: Frames) -> str:
        """One resource; gives its variable, which is None where it was not made."""
        src, nodes = self.src, self.nodes
        nodes.resource = Resource(m)
        var = f"id_{safe(m.name)}"
        is_bundle = m.type == "Bundle"
        if not is_bundle and not self.groups.hoisted(m):
            self.identity(m, frames)
        flags = src.reserve()
        tests = ([] if is_bundle else [f"{var} is not None"]) + nodes.tests(m.root, frames)
        made = src.name("x")
        src(f"{made} = None")
        with nodes.scope.block(f"if {' and '.join(tests) or 'True'}:"):
            fields = nodes.fields(m.root, frames)
            if not self.spec.native and not is_bundle and "id" not in m.root.fields:
                fields = [fields[0], ("id", Value(f"{var}[9:]", False, "")), *fields[1:]]
            nodes.display(made, m.root, fields, frames, keep=bool(m.key or m.id))
            self.emit(m, made, var, frames)
        if not is_bundle:
            with src.block("else:"):
                src(f"{var} = None")
        if nodes.resource.flags:
            flags(" = ".join([*nodes.resource.flags, "False"]))
        below = nodes.losses.below(m.root, frames)
        nodes.resource.losses.append(Loss(f"{made} is None", {p: nodes.losses.others(m, p, frames, m.root) for p in below}))
        return made

    def emit(self, m: Map, made: str, var: str, frames: Frames) -> None:
        """Put a resource out, under its fullUrl; a Bundle's own map has none."""
        src = self.src
        out = f"out_{self.groups.output_of(m)}"
        if m.type == "Bundle":
            with src.block(f"if {made} is not None:"):
                src(f'{out}.append({{"resource": {made}}})')
            return
        with src.block(f"if {made} is not None:"):
            src(f'{out}.append({{"fullUrl": {var}, "resource": {made}}})')
            if self.trace and m.each:
                src(f"S.places[{var}] = f{frames[-1].place[:-1]!r}")
            for name, depth in sorted(self.groups.collected):
                if name == m.name:
                    src(f"ids_{safe(name)}_{depth}.append({var})")
            if m.name in self.groups.keyed:
                keys = [self.nodes.scope.load(p, frames) for p in ((m.id,) if m.id else m.key)]
                src(f"by_{safe(m.name)}[{keys[0] if len(keys) == 1 else '(' + ', '.join(keys) + ')'}] = {var}")
        with src.block("else:"):
            src(f"{var} = None")
