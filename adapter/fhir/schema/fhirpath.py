"""The FHIRPath in which profiles write their constraints, compiled to Python when a profile is loaded.

What a profile says is thus what is enforced, and no second copy of a rule can drift from it. The part of the language that
constraints need is here: paths, operators, and the functions of FUNCTIONS. What is not (resolve, memberOf, conformsTo, types
of values that JSON does not show) raises Unsupported when the profile is loaded, never when a message is judged.
https://hl7.org/fhirpath/N1/ · https://hl7.org/fhir/R4/fhirpath.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from adapter.fhir.schema.fhirpath_functions import FUNCTIONS
from adapter.fhir.schema.fhirpath_operators import OPERATORS, Constant, Days, Env, Expression, Items, deciding, here

Json = dict[str, Any]
#: (the element, the resource it stands in) -> whether the constraint is met
Test = Callable[[Any, Json], bool]

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^'\\]|\\.)*')"
    r"|(?P<number>\d+(?:\.\d+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*|`[^`]+`)"
    r"|(?P<variable>[%$][A-Za-z]+)"
    r"|(?P<symbol><=|>=|!=|!~|[().,\[\]{}=~<>+\-*/&|]))"
)

#: Binary operators from the loosest to the tightest. https://hl7.org/fhirpath/N1/#operator-precedence
_LEVELS = (
    ("implies",),
    ("or", "xor"),
    ("and",),
    ("in", "contains"),
    ("=", "~", "!=", "!~"),
    ("<", "<=", ">", ">="),
    ("|",),
    ("+", "-", "&"),
    ("*", "/", "div", "mod"),
)
_UNITS = {"day": 1, "days": 1, "week": 7, "weeks": 7}
# Every expression takes items and environment; not each looks at both.
# ruff: noqa: ARG005, S105
_VARIABLES: dict[str, Expression] = {
    "%context": lambda items, env: env[0],
    "%resource": lambda items, env: env[1],
    "%ucum": Constant(["http://unitsofmeasure.org"]),
    "$this": here,
}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f"}


class Unsupported(ValueError):
    """An expression, or a part of one, that this subset does not have."""


def compile_test(text: str, choices: Mapping[str, frozenset[str]]) -> Test:
    """The test of a constraint. choices: base -> JSON names of every choice of R4 (`value` -> valueString, ...).

    A constraint is met where it is true; an empty result, and an operand that is not one value of its type, mean that it is not.
    Raises Unsupported.
    """
    parser = _Parser(text, choices)
    met = deciding(parser.expression())
    parser.end()

    def test(element: Any, resource: Json) -> bool:
        items = [element]
        try:
            return met(items, (items, [resource])) is True
        except (ValueError, TypeError, ArithmeticError, re.error):  # several values where one is needed, or one of another type
            return False

    return test


class _Parser:
    def __init__(self, text: str, choices: Mapping[str, frozenset[str]]) -> None:
        self._choices = choices
        self._tokens = list(_tokens(text))
        self._at = 0

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self, wanted: str = "") -> str:
        token = self._peek()
        if not token or (wanted and token != wanted):
            raise Unsupported(f"{wanted or 'more'} expected, {token or 'the end'} found")
        self._at += 1
        return token

    def end(self) -> None:
        if self._peek():
            raise Unsupported(f"{self._peek()} is not understood")

    def expression(self, level: int = 0) -> Expression:
        if level == len(_LEVELS):
            return self._unary()
        left = self.expression(level + 1)
        while self._peek() in _LEVELS[level]:
            operator = OPERATORS.get(self._take())
            if operator is None:
                raise Unsupported("operator")
            left = operator(left, self.expression(level + 1))
        if self._peek() in ("is", "as"):
            raise Unsupported(self._peek())
        return left

    def _unary(self) -> Expression:
        if self._peek() == "-":
            self._take()
            return OPERATORS["-"](Constant([0]), self._unary())
        return self._postfix()

    def _postfix(self) -> Expression:
        made = self._term()
        while True:
            if self._peek() == ".":
                self._take()
                made = self._step(made)
            elif self._peek() == "[":
                self._take()
                made = _index(made, int(self._take()))
                self._take("]")
            else:
                return made

    def _term(self) -> Expression:
        token = self._peek()
        if token == "(":
            self._take()
            made = self.expression()
            self._take(")")
            return made
        if token == "{":
            self._take()
            self._take("}")
            return Constant([])
        if token[:1] == "'" or token[:1].isdigit() or token in ("true", "false"):
            return self._literal()
        if token in _VARIABLES:
            self._take()
            return _VARIABLES[token]
        if token[:1].isupper() and self._tokens[self._at + 1 : self._at + 2] != ["("]:
            self._take()  # the type of the element in hand, as in `Appointment.status`
            return here
        return self._step(here)

    def _literal(self) -> Expression:
        token = self._take()
        value: Any
        if token.startswith("'"):
            value = re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), token[1:-1])
        elif token[0].isdigit():
            value = int(token) if token.isdigit() else Decimal(token)
            if self._peek() in _UNITS:
                value = Days(value * _UNITS[self._take()])
        else:
            value = token == "true"
        return Constant([value])

    def _step(self, before: Expression) -> Expression:
        name = self._take().strip("`")
        if not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise Unsupported(f"{name} is not understood")
        if self._peek() == "(":
            return self._call(name, before)
        if name in self._choices:
            following = self._tokens[self._at : self._at + 5]
            if following[:3] == [".", "ofType", "("] and following[4:] == [")"]:
                self._at += 5
                return _children(before, name + following[3][0].upper() + following[3][1:])
            return _choice(before, name, self._choices[name])
        return _children(before, name)

    def _call(self, name: str, before: Expression) -> Expression:
        self._take("(")
        arguments: list[Expression] = []
        if name == "ofType":
            made = _of_type(before, self._take())
            self._take(")")
            return made
        while self._peek() != ")":
            arguments.append(self.expression())
            if self._peek() == ",":
                self._take()
        self._take(")")
        function = FUNCTIONS.get((name, len(arguments)))
        if function is None:
            raise Unsupported(f"{name}() with {len(arguments)} arguments")
        return function(before, *arguments)


def _tokens(text: str) -> Iterator[str]:
    at = 0
    text = text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise Unsupported(f"character {at + 1} is not understood")
        at = found.end()
        yield found[found.lastgroup or 0]


def _children(before: Expression, name: str) -> Expression:
    def run(items: Items, env: Env) -> Items:
        source = items if before is here else before(items, env)
        if len(source) == 1:
            return _child(source[0], name)
        return [child for one in source for child in _child(one, name)]

    return run


def _child(one: Any, name: str) -> Items:
    value = one.get(name) if isinstance(one, dict) else None
    if value is None:
        return []
    if isinstance(value, list):
        return [item for item in value if item is not None] if None in value else value
    return [value]


def _choice(before: Expression, name: str, names: frozenset[str]) -> Expression:
    def run(items: Items, env: Env) -> Items:
        found: Items = []
        for one in before(items, env):
            if isinstance(one, dict):
                for key, value in one.items():
                    if key in names or key == name:
                        found += value if isinstance(value, list) else [value]
        return found

    return run


def _of_type(before: Expression, name: str) -> Expression:
    """Of resources only: what type a JSON value has, it does not say."""
    if not name[:1].isupper():
        raise Unsupported(f"ofType({name}) away from its choice")
    return lambda items, env: [one for one in before(items, env) if isinstance(one, dict) and one.get("resourceType") == name]


def _index(before: Expression, index: int) -> Expression:
    return lambda items, env: before(items, env)[index : index + 1]
