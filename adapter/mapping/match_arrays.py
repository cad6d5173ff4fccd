"""Arrays in match: every element goes to the first template that recognises it; what none does is unread, or `$rest`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from adapter.mapping.captures import Capture
from adapter.mapping.chains import kept_step
from adapter.mapping.lineage import loop_of
from adapter.mapping.recognition import is_text, literals_below, own_coding, told_apart_by
from adapter.mapping.tree import Array, Hole, Node, Object, Path, Ref, Rest, is_constant, plain

if TYPE_CHECKING:
    from adapter.mapping.match import MatchWriter


@dataclass(slots=True)
class Loop:
    """One array that is gone through element by element: its template, its variables, and what has been taken so far.

    a, e, j, left: the array, the element, its index, the indexes that nothing took. taken: the flag of each template that takes
    one element. lists: the list of each `$each`. picks: for templates without literals of their own, the test for an element
    of theirs. got: a text of the element that tells templates apart. pending: references, each with its variable.
    """

    node: Array
    name: str
    where: str
    a: str
    e: str
    j: str
    left: str
    taken: dict[int, str] = field(default_factory=dict)
    lists: dict[Path, str] = field(default_factory=dict)
    picks: dict[int, str] = field(default_factory=dict)
    got: dict[str, str] = field(default_factory=dict)
    pending: list[tuple[Ref, str]] = field(default_factory=list)


class ArrayWriter:
    """Writes the arrays of a match function."""

    def __init__(self, writer: MatchWriter) -> None:
        self.w = writer
        self.src = writer.src

    def array(self, node: Array, a: str, where: str, resting: str, name: str) -> list[str]:
        """Code for the list `a`; gives the variables that show a capture.

        resting: the line for an array of which nothing was read, where its object has a `$rest`; else "".
        """
        src = self.src
        items: list[Node] = [item for item in node.items if not isinstance(item, Rest)]
        rests = [item for item in node.items if isinstance(item, Rest)]
        left = src.name("z")
        if len(items) == 1 and isinstance(items[0], Object) and not is_constant(items[0]) and items[0].each is None:
            captured = self.lone(items[0], a, where, left, name)
        else:
            captured = self.elements(node, items, a, where, left, name)
        with src.block(f"if {left}:"):
            if rests:
                var = self.w.var("v")
                src(f"{var} = S.rest_items({a}, {left}, {self.w.at(where)}, i)")
                self.w.body.captures.append(Capture(var, (rests[0].path,), where, rests[0].line, kind="rest"))
                captured.append(var)
            else:
                unread = f"S.unread_items({a}, {left}, {self.w.at(where)})"
                if resting and items:
                    with src.block(f"if len({left}) == len({a}):"):
                        src(resting)
                    with src.block("else:"):
                        src(unread)
                else:
                    src(resting or unread)
        return captured

    # one template -------------------------------------------------------------------------------------------------
    def lone(self, item: Object, a: str, where: str, left: str, name: str) -> list[str]:
        """An array with one template: the first element that it recognises is read, every other one is left."""
        src, w = self.src, self.w
        j, e = src.name("j"), src.name("e")
        kept = kept_step(w.spec, item, name)
        tests = w.tests(item, e, name)
        below = None if w.tests(item, e) else literals_below(item)
        own = src.name("h") if kept is not None else ""
        with src.block(f"if len({a}) == 1 and {' and '.join([f'({e} := {a}[0]).__class__ is dict', *tests])}:"):
            src(f"{left} = ()")
            src(f"{j} = 0")
            if own:
                src(f"{own} = False")
        with src.block("else:"):
            if below is not None:
                src(f"{j} = S.pick({a}, {src.bind('below', below)})")
                src(f"{e} = {a}[{j}] if {a} and {a}[{j}].__class__ is dict else None")
                src(f"{left} = range(len({a})) if {e} is None else S.others({a}, {j})")
            else:
                self.search(a, e, j, tests, own, own_coding(kept[1], e) if kept is not None else "")
                src(f"{left} = S.others({a}, {j})")
        place = f"{where}[{{{j}}}]"
        captured: list[str] = []
        if kept is not None:
            with src.block(f"if {own}:"):
                captured.append(w.kept(kept[0], e, place))
        with src.block(f"{'elif' if kept is not None else 'if'} {e} is not None:"):
            captured += w.inside(item, e, place, f"{left} = range(len({a}))")
        return captured

    def search(self, a: str, e: str, j: str, tests: list[str], own: str, own_coding: str) -> None:
        """Code that finds the first element which is recognised, or is the source's own coding."""
        src = self.src
        if own:
            src(f"{own} = False")
        with src.block(f"for {j}, {e} in enumerate({a}):"):
            with src.block(f"if {' and '.join([f'{e}.__class__ is dict', *tests])}:"):
                src("break")
            if own:
                with src.block(f"if {own_coding}:"):
                    src(f"{own} = True")
                    src("break")
        with src.block("else:"):
            src(f"{e}, {j} = None, -1")

    # several ------------------------------------------------------------------------------------------------------
    def elements(self, node: Array, items: list[Node], a: str, where: str, left: str, name: str) -> list[str]:
        """Any other array: each element in turn goes to the first template that recognises it and is free."""
        src = self.src
        src(f"{left} = []")
        loop = Loop(node, name, where, a, src.name("e"), src.name("j"), left)
        self.prepare(items, loop)
        captured: list[str] = []
        with src.block(f"for {loop.j}, {loop.e} in enumerate({a}):"):
            apart = told_apart_by(items)
            if apart:
                loop.got[apart] = src.name("w")
                src(f"{loop.got[apart]} = {loop.e}.get({apart!r}) if {loop.e}.__class__ is dict else MISS")
            for index, item in enumerate(items):
                captured += self.element(item, index, "elif" if index else "if", loop)
            with src.block("else:" if items else "if True:"):
                src(f"{left}.append({loop.j})")
        for ref, var in loop.pending:
            self.w.references.missing(ref, var, where)
        return [*captured, *loop.lists.values()]

    def prepare(self, items: list[Node], loop: Loop) -> None:
        """A flag for every template that takes one element, a list for every `$each`, and the picks."""
        src, w = self.src, self.w
        for index, item in enumerate(items):
            each = item.each if isinstance(item, Object) else None
            if each is not None:
                if each not in loop.lists:
                    loop.lists[each] = w.var("l")
                    w.body.captures.append(Capture(loop.lists[each], (each,), loop.where, item.line, kind="list"))
            elif not (isinstance(item, Ref) and w.groups.deeper(w.map, item)):
                loop.taken[index] = src.name("d")
                src(f"{loop.taken[index]} = False")
        alone = len([item for item in items if not is_constant(item)]) == 1
        for index, item in enumerate(items):
            if not isinstance(item, Object) or is_constant(item) or w.tests(item, "e"):
                continue
            below = literals_below(item)
            if below is None or (alone and item.each is not None):
                continue
            var, test = src.name("w"), src.bind("below", below)
            src(
                f"{var} = 0 if len({loop.a}) == 1 else S.pick({loop.a}, {test})"
                if alone
                else f"{var} = S.pick_all({loop.a}, {test})"
            )
            loop.picks[index] = f"{var} == {loop.j}" if alone else f"{loop.j} in {var}"

    def element(self, item: Node, index: int, word: str, loop: Loop) -> list[str]:
        """The branch of one template."""
        src, w, e, j = self.src, self.w, loop.e, loop.j
        flag = loop.taken.get(index)
        free = [f"not {flag}"] if flag else []
        take = f"{flag} = True" if flag else "pass"
        if is_constant(item):
            with src.block(f"{word} {' and '.join([*free, f'{e} == {src.constant(plain(item))}'])}:"):
                src(take)
            return []
        if isinstance(item, Hole):
            var = w.var("v")
            with src.block(f"{word} {free[0]}:"):
                src(take)
                src(f"{var} = {e}")
            w.capture(item, var, loop.where)
            return [var]
        if isinstance(item, Ref):
            kind = w.spec.by_name[item.map].type
            with src.block(f"{word} {' and '.join([f'{e}.__class__ is dict', f'S.leads({e}, {kind!r})', *free])}:"):
                src(take)
                place = f"{loop.where}[{{{j}}}]"
                var = w.references.whole(item, e, place, f"S.unread({e}, {w.at(place)})")
            loop.pending.append((item, var))
            return [var]
        assert isinstance(item, Object)
        return self.object(item, index, word, free, take, loop)

    def object(self, item: Object, index: int, word: str, free: list[str], take: str, loop: Loop) -> list[str]:
        """The branch of an object template."""
        src, w, e, j = self.src, self.w, loop.e, loop.j
        told = any(is_text(item.fields.get(key)) for key in loop.got)
        tests = [*([] if told else [f"{e}.__class__ is dict"]), *w.tests(item, e, loop.name, loop.got), *free]
        if index in loop.picks:
            tests.append(loop.picks[index])
        captured: list[str] = []
        skip = f"{loop.left}.append({j})"
        with src.block(f"{word} {' and '.join(tests)}:"):
            if item.each is not None:
                line = loop_of(w.map, loop.node, item.each)
                w.each(item, e, f"{loop.where}[{{{j}}}]", loop.lists[item.each], line, skip)
                return captured
            place = self.mine(take, loop)
            captured += w.inside(item, e, place, skip)
        kept = kept_step(w.spec, item, loop.name)
        if kept is not None:
            with src.block(f"elif {' and '.join([*free, own_coding(kept[1], e)])}:"):
                captured.append(w.kept(kept[0], e, self.mine(take, loop)))
        return captured

    def mine(self, take: str, loop: Loop) -> str:
        """Code that takes the element and keeps its index, which the loop moves on from; gives the element's place."""
        saved = self.src.name("j")
        self.src(take)
        self.src(f"{saved} = {loop.j}")
        return f"{loop.where}[{{{saved}}}]"
