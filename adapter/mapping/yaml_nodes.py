"""YAML text as nodes with their lines: what maps, manifests and policies are read from. https://yaml.org/spec/1.2.2

What is read is bounded: aliases may write a few lines out as more than memory holds, and numbers may be none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import chain
from typing import Any

import yaml

from adapter.mapping.faults import Faults

#: As many values one text may have, each alias written out, and so deep they may lie in each other.
MOST_NODES, DEEPEST = 100_000, 100
#: Numbers as they are kept: of decimal digits. Others (0x1F, 18:00, 1_000) are words.
_WHOLE = re.compile(r"[-+]?[0-9]{1,100}")
_DECIMAL = re.compile(r"[-+]?(?:[0-9]{1,100}(?:\.[0-9]{0,100})?|\.[0-9]{1,100})(?:[eE][-+]?[0-9]{1,4})?")
_NO_NUMBER = re.compile(r"[-+]?\.inf|\.nan", re.IGNORECASE)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML 1.2 core: `no` and `on` are words, 2026-03-18 is a string, 1.00 is an exact decimal."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, rule) for tag, rule in rules if tag not in ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp")]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


def scalar(node: yaml.Node) -> Any:
    """The value of a YAML scalar: str, int, Decimal, bool or None. What is tagged as a number and is none of ours is text."""
    kind = node.tag.rsplit(":", 1)[-1]
    if kind == "int" and _WHOLE.fullmatch(node.value):
        return int(node.value)
    if kind == "float" and _DECIMAL.fullmatch(node.value):
        return Decimal(node.value)
    if kind == "bool":
        return node.value == "true"
    return None if kind == "null" else node.value


def compose(text: str, faults: Faults) -> yaml.Node | None:
    """The YAML node tree of a text, with its lines; None, and a fault, where it is no YAML or more than can be read."""
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        faults.add(
            (mark.line + 1) if mark else 1,
            "this is not YAML",
            str(error.problem),
            "mend the syntax on this line or the one before",
        )
        return None
    except yaml.YAMLError as error:
        faults.add(1, "this is not YAML", str(getattr(error, "reason", "")), "take out what is no text")
        return None
    return node if node is None or _bounded(node, faults) else None


def _bounded(root: yaml.Node, faults: Faults) -> bool:
    """Whether a tree, its aliases written out, is finite and no larger than can be read; every number that is none is a fault."""
    sizes: dict[int, tuple[int, int]] = {}  # of each node: how many values it has and how deep they lie; none while it is open
    opened: set[int] = set()
    steps: list[tuple[yaml.Node, bool]] = [(root, False)]
    while steps:
        node, done = steps.pop()
        below = [*_below(node)]
        if done:
            found = [sizes[id(one)] for one in below]
            sizes[id(node)] = 1 + sum(size for size, _ in found), 1 + max((depth for _, depth in found), default=0)
            opened.remove(id(node))
            if sizes[id(node)][0] > MOST_NODES or sizes[id(node)][1] > DEEPEST:
                why = f"with each alias written out it has more than {MOST_NODES} values, or more than {DEEPEST} in each other"
                faults.add(node.start_mark.line + 1, "this is more than can be read", why, "write less, without aliases (*)")
                return False
        elif id(node) in opened:
            faults.add(node.start_mark.line + 1, "this holds itself", "an alias (*) in it names it", "write it out")
            return False
        elif id(node) not in sizes:
            if node.tag.endswith(":float") and _NO_NUMBER.fullmatch(node.value):
                faults.add(node.start_mark.line + 1, f"{node.value} is no number", "nothing can be counted by it", "write one")
            opened.add(id(node))
            steps += [(node, True), *((one, False) for one in below)]
    return True


def _below(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        yield from chain.from_iterable(node.value)
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def pairs(node: yaml.MappingNode, faults: Faults) -> dict[str, yaml.Node]:
    """The keys of a YAML mapping; a key written twice is a fault."""
    found: dict[str, yaml.Node] = {}
    for key, value in node.value:
        name = str(key.value)
        if name in found:
            faults.add(
                key.start_mark.line + 1,
                f"{name} is written twice",
                "the second would silently replace the first",
                "delete one of them",
            )
        found[name] = value
    return found


def data(node: yaml.Node, faults: Faults) -> Any:
    """Plain data of a YAML node: for manifests, whose lines are kept apart."""
    if isinstance(node, yaml.MappingNode):
        return {k: data(v, faults) for k, v in pairs(node, faults).items()}
    if isinstance(node, yaml.SequenceNode):
        return [data(v, faults) for v in node.value]
    return scalar(node)
