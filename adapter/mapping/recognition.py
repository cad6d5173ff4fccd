"""Recognition: what shows that a resource, an object or an array element is the one that a map means.

Its literals, all of them; a hole that it stands or falls with; a code that its ConceptMap knows. See docs/map-language.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from adapter.mapping.chains import kept_step
from adapter.mapping.source import Source
from adapter.mapping.spec import Step, TableSpec
from adapter.mapping.tree import Array, Hole, Literal, Map, Node, Object, Say, is_constant, plain

_NOTHING: Mapping[str, str] = {}


def conditions(
    spec: TableSpec, src: Source, node: Object, x: str, name: str = "", got: Mapping[str, str] = _NOTHING
) -> list[str]:
    """The conditions under which the object `x` is the one that `node` means, beyond its being an object.

    name: the element that it stands in. got: variables that hold texts of `x` already, by name; a test of one comes first,
    and shows that `x` is an object.
    """
    first = {key: var for key, var in got.items() if is_text(node.fields.get(key))}
    found = [f"{var} == {plain(node.fields[key])!r}" for key, var in first.items()]
    kept = kept_step(spec, node, name)
    if kept is not None and kept[1].codemap is not None and kept[1].codemap.backward is not None:
        code, table = src.name("k"), src.bind("back", kept[1].codemap.backward)
        found.append(f"({code} := {x}.get('code')).__class__ is str and {code} in {table}")
    for key, child in node.fields.items():
        if isinstance(child, Hole) and child.required:
            found.append(f"{x}.get({key!r}) is not None")
        if isinstance(child, Say) or key in first:
            continue
        if is_constant(child):
            value = plain(child)
            same = f"is {value!r}" if isinstance(value, bool) else f"== {src.constant(value)}"
            found.append(f"{x}.get({key!r}) {same}")
        elif isinstance(child, Array):
            constants = [src.constant(plain(item)) for item in child.items if is_constant(item)]
            found += [f"S.holds({x}.get({key!r}), {constant})" for constant in constants]
    return found


def own_coding(step: Step, x: str) -> str:
    """The condition for a source's own coding, which fill keeps where the ConceptMap does not know the code."""
    system = step.codemap.source if step.codemap else ""
    return f"{x}.__class__ is dict and {x}.get('system') == {system!r} and {x}.get('code').__class__ is str"


def recogniser(spec: TableSpec, m: Map) -> Callable[..., bool]:
    """The function `recognise(resource, S)` of a map, for resources of its type."""
    src = Source()
    beyond = replace(m.root, fields={name: child for name, child in m.root.fields.items() if name != "resourceType"})
    with src.block("def recognise(x, S):"):
        src(f"return {' and '.join(conditions(spec, src, beyond, 'x')) or 'True'}")
    return src.function("recognise", f"{spec.system}/{spec.message}/{m.name} recognise")


def by_type(m: Map) -> bool:
    """Whether every resource of the map's type is recognised."""
    for name, child in m.root.fields.items():
        if name == "resourceType" or isinstance(child, Say):
            continue
        if is_constant(child) or (isinstance(child, Hole) and child.required):
            return False
        if isinstance(child, Array) and any(is_constant(item) for item in child.items):
            return False
    return True


def literals(node: Object) -> list[tuple[str, Any]]:
    """The literals of an object, by name: two maps of one type are told apart by them."""
    found: dict[str, Any] = {}
    for name, child in node.fields.items():
        if isinstance(child, Say):
            continue
        if is_constant(child):
            found[name] = plain(child)
        elif isinstance(child, Array):
            constants = [plain(c) for c in child.items if is_constant(c)]
            if constants:
                found[name] = constants
    return sorted(found.items())


def literals_below(node: Object) -> tuple[tuple[str, ...], dict[str, Any]] | None:
    """The first literals below an element template that has none of its own: (names on the way, literals)."""
    for name, child in node.fields.items():
        inner = child.items[0] if isinstance(child, Array) and child.items else child
        if not isinstance(inner, Object):
            continue
        own = {k: plain(n) for k, n in inner.fields.items() if is_constant(n)}
        if own:
            return (name,), own
        deeper = literals_below(inner)
        if deeper is not None:
            return (name, *deeper[0]), deeper[1]
    return None


def told_apart_by(items: Sequence[Node]) -> str:
    """The name whose text tells most templates of an array apart (url, system); "" where fewer than two have one."""
    texts = [key for item in items if isinstance(item, Object) for key, child in item.fields.items() if is_text(child)]
    name = max(texts, key=texts.count, default="")
    return name if texts.count(name) > 1 else ""


def is_text(node: Node | None) -> bool:
    """Whether a node is a literal text."""
    return isinstance(node, Literal) and type(node.value) is str
