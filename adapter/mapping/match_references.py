"""References in match: followed to the role or the list element that they mean, and noted where they are not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapter.mapping.captures import Capture
from adapter.mapping.tree import Ref

if TYPE_CHECKING:
    from adapter.mapping.match import MatchWriter


class ReferenceWriter:
    """Writes the references of a match function; what they call stands in `references.py`."""

    def __init__(self, writer: MatchWriter) -> None:
        self.w = writer
        self.src = writer.src

    def whole(self, node: Ref, x: str, where: str, unread: str) -> str:
        """A whole Reference object: its `reference`, and nothing else beside it."""
        src = self.src
        got = src.name("u")
        src(f"{got} = {x}.get('reference')")
        var = self.follow(node, got, where + ".reference", unread)
        with src.block(f"if {var} is not None and len({x}) != 1:"):
            src(f"S.extras({x}, ('reference',), {self.w.at(where)})")
        return var

    def follow(self, node: Ref, got: str, where: str, unread: str) -> str:
        """Follow a reference string; the variable is not None where it leads to what the map means."""
        src, w = self.src, self.w
        var = w.var("t")
        target = w.spec.by_name[node.map]
        if node.by is not None:
            src(f"{var} = S.key_of({got}, {node.map!r})")
            w.body.captures.append(Capture(var, (node.by,), where, node.line, kind="by"))
        elif w.groups.deeper(w.map, node):
            array = where.rpartition("[")[0]
            src(f"{var} = S.points({got}, {node.map!r}, {target.type!r}, (i, f{array!r}))")
        elif target.each:
            src(f"{var} = S.joined({got}, {node.map!r}, {target.type!r})")
        else:
            src(f"{var} = S.claim({got}, {node.map!r}, {target.type!r}, i, f{where!r})")
        with src.block(f"if {var} is None:"):
            src(unread)
        return var

    def missing(self, node: Ref, var: str, where: str) -> None:
        """Note a reference to a role or an element that is not there."""
        if node.by is None and not self.w.groups.deeper(self.w.map, node):
            with self.src.block(f"if {var} is None:"):
                self.src(f"S.missing.append(({node.map!r}, i, f{where!r}))")
