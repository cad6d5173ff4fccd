"""Python source for FHIRPath: what each operator and function becomes, in terms of `fhirpath_values`.

https://hl7.org/fhirpath/N1/#functions · https://hl7.org/fhirpath/N1/#operations
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from adapter.fhir.schema import fhirpath_values
from adapter.fhir.schema.fhirpath_values import Choices, distinct

Json = dict[str, Any]
#: (the element, the resource it stands in) -> the indexes of the constraints that are not met
Tests = Callable[[Any, Json], list[int]]

#: Around the source of a path from the constrained element or its resource: the same path is worked out once.
SHARED = ("\x01", "\x02")


class Loop(NamedTuple):
    """One step of a path: `for variable in source if condition`. child: (value before, names) of a step to children."""

    variable: str
    source: str
    condition: str = ""
    child: tuple[str, tuple[str, ...]] = ("", ())

    @property
    def text(self) -> str:
        """The clause of a comprehension."""
        return f"for {self.variable} in {self.source}" + (f" if {self.condition}" if self.condition else "")


def step(before: str, *names: str) -> str:
    """The source of what steps from child to child reach."""
    return f"descendants({before}, choices, {', '.join(map(repr, names))})"


def fewer(loops: Sequence[Loop]) -> list[Loop]:
    """The same with steps from child to child in one loop, which is faster."""
    made: list[Loop] = []
    for loop in loops:
        before, names = loop.child
        if made and names and made[-1].child[1] and made[-1].variable == before and not made[-1].condition:
            before, names = made[-1].child[0], made[-1].child[1] + names
            made[-1] = loop._replace(source=step(before, *names), child=(before, names))
        else:
            made.append(loop)
    return made


class Code(NamedTuple):
    """The source of an expression. kind: of what the source gives.

    items: a list · one: a value, or None for nothing · truth: True, False or None · bool: True or False · path: the last
    variable of its loops, which stands for every value that they reach · constant: a list that is known (`values`).
    plain: whether nothing in it can raise, nor depends on more than the element and the resource.
    """

    kind: str
    text: str
    loops: tuple[Loop, ...] = ()
    plain: bool = False
    values: tuple[Any, ...] = ()

    @property
    def items(self) -> str:
        """The source of the collection."""
        if self.kind in ("items", "constant"):
            return self.text
        if self.kind != "path":
            return f"many({self.text})"
        if not self.loops:
            return f"({self.text},)"
        *before, last = fewer(self.loops)
        whole = not before and not last.condition and last.variable == self.text
        text = last.source if whole else f"[{self.text} {' '.join(loop.text for loop in (*before, last))}]"
        return text.join(SHARED) if self.plain else text

    @property
    def one(self) -> str:
        """The source of the single value: an error where there are several."""
        if self.kind == "constant" and len(self.values) == 1:
            return repr(self.values[0])
        if self.kind == "path" and not self.loops:
            return self.text
        return f"one({self.items})" if self.kind in ("items", "path", "constant") else self.text

    @property
    def truth(self) -> str:
        """The source of the Boolean of a collection."""
        return self.text if self.kind in ("truth", "bool") else f"truth({self.one})"

    @property
    def met(self) -> str:
        """The source of whether it is true: what is not known is not."""
        return self.text if self.kind == "bool" else f"{self.truth} is True"


Operator = Callable[[Code, Code, str], Code]


def constant(*values: Any) -> Code:
    """What is the same whatever is in hand."""
    return Code("constant", f"({''.join(f'{value!r}, ' for value in values)})", values=values)


def of(kind: str, template: str, *operands: Code) -> Code:
    """The template with its operands in place: {0.items}, {1.one} and so on."""
    return Code(kind, template.format(*operands))


# Operators. The first decides alone where it can; a name holds what it gave.
def _and(left: Code, right: Code, name: str) -> Code:
    if left.kind == "bool":
        return of("bool" if right.kind == "bool" else "truth", "({1.truth} if {0.text} else False)", left, right)
    first, second = f"({name} := {left.truth})", f"({name}too := {right.truth})"
    return Code("truth", f"(False if {first} is False else {name}too if {second} is False or {name} else None)")


def _or(left: Code, right: Code, name: str) -> Code:
    if left.kind == "bool":
        return of("bool" if right.kind == "bool" else "truth", "(True if {0.text} else {1.truth})", left, right)
    first, second = f"({name} := {left.truth})", f"({name}too := {right.truth})"
    return Code("truth", f"(True if {first} else {name}too if {second} or {name} is False else None)")


def _not(before: Code) -> Code:
    return of("bool", "(not {0.text})", before) if before.kind == "bool" else of("truth", "negated({0.truth})", before)


def _equal(left: Code, right: Code, _: str) -> Code:
    text = len(right.values) == 1 and isinstance(right.values[0], str)
    return of("truth", "is_text({0.items}, {1.one})" if text else "equal({0.items}, {1.items})", left, right)


def _in(left: Code, right: Code, name: str) -> Code:
    if right.kind == "constant" and all(isinstance(one, str) for one in right.values):
        return of("truth", "among({0.one}, {1.text})", left, right)
    return Code("truth", f"(contained({name}, {right.items}) if ({name} := {left.items}) else None)")


def _union(left: Code, right: Code, _: str) -> Code:
    if left.kind == right.kind == "constant":
        return constant(*distinct([*left.values, *right.values]))
    return of("items", "distinct([*{0.items}, *{1.items}])", left, right)


def _by(kind: str, name: str) -> Operator:
    return lambda left, right, _: of(kind, f"{name}({{0.one}}, {{1.one}})", left, right)


#: Operator -> its code, from that of both operands and a name that is free.
OPERATORS: dict[str, Operator] = {
    "and": _and,
    "or": _or,
    "xor": lambda left, right, _: of("truth", "differ({0.truth}, {1.truth})", left, right),
    "implies": lambda left, right, name: _or(_not(left), right, name),
    "=": _equal,
    "!=": lambda left, right, name: _not(_equal(left, right, name)),
    "<": _by("truth", "less"),
    "<=": _by("truth", "not_more"),
    ">": _by("truth", "more"),
    ">=": _by("truth", "not_less"),
    "in": _in,
    "contains": lambda left, right, name: _in(right, left, name),
    "|": _union,
    "&": _by("one", "joined"),
    "+": _by("one", "plus"),
    "-": _by("one", "minus"),
    "*": _by("one", "times"),
    "/": _by("one", "divided"),
    "mod": _by("one", "remainder"),
    "div": _by("one", "quotient"),
}

#: (function, number of arguments) -> kind and template; {0} is what stands before its dot.
_TEMPLATES = {
    ("exists", 0): ("bool", "(not not {0.items})"),
    ("empty", 0): ("bool", "(not {0.items})"),
    ("count", 0): ("one", "len({0.items})"),
    ("first", 0): ("items", "{0.items}[:1]"),
    ("last", 0): ("items", "{0.items}[-1:]"),
    ("tail", 0): ("items", "{0.items}[1:]"),
    ("distinct", 0): ("items", "distinct({0.items})"),
    ("isDistinct", 0): ("bool", "is_distinct({0.items})"),
    ("hasValue", 0): ("bool", "has_value({0.items})"),
    ("subsetOf", 1): ("bool", "subset({0.items}, {1.items})"),
    ("supersetOf", 1): ("bool", "subset({1.items}, {0.items})"),
    ("intersect", 1): ("items", "shared({0.items}, {1.items})"),
    ("exclude", 1): ("items", "excluded({0.items}, {1.items})"),
    ("combine", 1): ("items", "[*{0.items}, *{1.items}]"),
    ("toString", 0): ("one", "to_text({0.one})"),
    ("toInteger", 0): ("one", "to_integer({0.one})"),
    ("length", 0): ("one", "on_text(len, {0.one})"),
    ("substring", 1): ("one", "substring({0.one}, {1.one})"),
    ("substring", 2): ("one", "substring({0.one}, {1.one}, {2.one})"),
    ("startsWith", 1): ("truth", "on_text(str.startswith, {0.one}, {1.one})"),
    ("endsWith", 1): ("truth", "on_text(str.endswith, {0.one}, {1.one})"),
    ("contains", 1): ("truth", "on_text(str.__contains__, {0.one}, {1.one})"),
    ("matches", 1): ("truth", "on_text(matches, {0.one}, {1.one})"),
    ("upper", 0): ("one", "on_text(str.upper, {0.one})"),
    ("lower", 0): ("one", "on_text(str.lower, {0.one})"),
}


def call(name: str, before: Code, arguments: Sequence[Code]) -> Code | None:
    """A function whose arguments do not stand for each item; None where there is none of this name and number."""
    if (name, len(arguments)) in _TEMPLATES:
        return of(*_TEMPLATES[name, len(arguments)], before, *arguments)
    match name, arguments:
        case "not", []:
            return _not(before)
        case "union", [other]:
            return _union(before, other, "")
        case "iif", [condition, then, *rest] if len(rest) < 2:
            parts = (condition, then, *(rest or [constant()]))
            if all(part.kind in ("truth", "bool") for part in parts[1:]):
                return of("truth", "({1.text} if {0.met} else {2.text})", *parts)
            return of("items", "({1.items} if {0.met} else {2.items})", *parts)
    return None


# From source to a function -----------------------------------------------------------------------------------------------
_PATH = re.compile("([^{}]*)".format(*SHARED).join(SHARED))
UNSHARED = str.maketrans(dict.fromkeys(SHARED, ""))
# Several values where one is needed, or one of another type: the constraint is not met.
_FAULTS = (ValueError, TypeError, ArithmeticError, re.error)


class Parsed(NamedTuple):
    """A constraint as Python: the condition, and the functions that it calls, by name."""

    condition: str
    functions: dict[str, str]


def compile_tests(constraints: Sequence[Parsed], choices: Choices) -> Tests:
    """One function for the constraints of an element, so that a path which several of them take is worked out once."""
    lines = [line for one in constraints for line in one.functions.values()]
    body = []
    for index, one in enumerate(constraints):
        body += [" try:", f"  if not ({one.condition}): broken.append({index})", f" except faults: broken.append({index})"]
    text = "\n".join(body)
    paths = _PATH.findall(text)
    names = {path: f"path{n}" for n, path in enumerate(dict.fromkeys(paths)) if paths.count(path) > 1}
    text = _PATH.sub(lambda found: names.get(found[1], found[1]), text)
    lines += ["def test(element, resource):", " broken = []", *(f" {name} = {path}" for path, name in names.items()), text]
    space = {**vars(fhirpath_values), "faults": _FAULTS, "choices": choices}
    exec(compile("\n".join([*lines, " return broken"]), "<constraints>", "exec"), space)  # noqa: S102 - of literals and our names
    test: Tests = space["test"]
    return test
