"""The FHIRPath in which profiles write their constraints, made into Python source when a profile is loaded.

What a profile says is thus what is enforced, and no second copy of a rule can drift from it. The part of the language that
constraints need is here: paths, operators, and the functions of FUNCTIONS. What is not (resolve, memberOf, conformsTo, types
of values that JSON does not show) raises Unsupported when the profile is loaded, never when a message is judged.
https://hl7.org/fhirpath/N1/ · https://hl7.org/fhir/R4/fhirpath.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from adapter.fhir.schema import fhirpath_values
from adapter.fhir.schema.fhirpath_code import (
    OPERATORS,
    UNSHARED,
    Code,
    Loop,
    Parsed,
    call,
    compile_tests,
    constant,
    fewer,
    of,
    step,
)
from adapter.fhir.schema.fhirpath_values import Choices

Json = dict[str, Any]
#: (the element, the resource it stands in) -> whether the constraint is met
Test = Callable[[Any, Json], bool]

# ruff: noqa: S105 - a token of the grammar
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
_BINDING = {operator: level for level, operators in enumerate(_LEVELS) for operator in operators}
_UNITS = {"day": 1, "days": 1, "week": 7, "weeks": 7}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f"}

_ELEMENT = Code("path", "element", plain=True)
_VARIABLES = {
    "%context": _ELEMENT,
    "%resource": Code("path", "resource", plain=True),
    "%ucum": constant("http://unitsofmeasure.org"),
}
#: Functions whose arguments are about each item in turn, which is $this in them.
_EACH = frozenset({"where", "exists", "all", "select"})


class Unsupported(ValueError):
    """An expression, or a part of one, that this subset does not have."""


def parse(text: str, choices: Choices, prefix: str = "") -> Parsed:
    """The Python of a constraint. choices: base -> JSON names of every choice of R4 (`value` -> valueString, ...).

    prefix: keeps the names of its functions from those of others that are compiled with it.

    A constraint is met where it is true; an empty result, and an operand that is not one value of its type, mean that it is not.
    Raises Unsupported.
    """
    parser = _Parser(text, choices, prefix)
    code = parser.expression()
    parser.end()
    return Parsed(code.met, parser.functions)


def compile_test(text: str, choices: Choices) -> Test:
    """The test of one constraint. Raises Unsupported."""
    tests = compile_tests([parse(text, choices)], choices)
    return lambda element, resource: not tests(element, resource)


class _Parser:
    def __init__(self, text: str, choices: Choices, prefix: str) -> None:
        self._choices, self._prefix = choices, prefix
        self._tokens = list(_tokens(text))
        self._at = 0
        self._this = _ELEMENT
        self._names = 0
        #: The variables of the loops that the expression in hand stands in.
        self._within: tuple[str, ...] = ()
        self.functions: dict[str, str] = {}

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

    def expression(self, level: int = 0) -> Code:
        """What follows, as far as its operators bind no looser than this."""
        left = self._unary()
        while (binding := _BINDING.get(self._peek(), -1)) >= level:
            operator = OPERATORS.get(self._take())
            if operator is None:
                raise Unsupported("operator")
            left = operator(left, self.expression(binding + 1), self._name("held"))
        if self._peek() in ("is", "as"):
            raise Unsupported(self._peek())
        return left

    def _name(self, kind: str) -> str:
        """A name that is free."""
        self._names += 1
        return f"{kind}{self._names}"

    def _unary(self) -> Code:
        if self._peek() == "-":
            self._take()
            return OPERATORS["-"](constant(0), self._unary(), "")
        return self._postfix()

    def _postfix(self) -> Code:
        made = self._term()
        while True:
            if self._peek() == ".":
                self._take()
                made = self._step(made)
            elif self._peek() == "[":
                self._take()
                at = int(self._take())
                self._take("]")
                made = of("items", f"{{0.items}}[{at}:{at + 1}]", made)
            else:
                return made

    def _term(self) -> Code:
        token = self._peek()
        if token == "(":
            self._take()
            made = self.expression()
            self._take(")")
            return made
        if token == "{":
            self._take()
            self._take("}")
            return constant()
        if token[:1] == "'" or token[:1].isdigit() or token in ("true", "false"):
            return self._literal()
        if token in _VARIABLES or token == "$this":
            self._take()
            return _VARIABLES.get(token, self._this)
        if token[:1].isupper() and self._tokens[self._at + 1 : self._at + 2] != ["("]:
            self._take()  # the type of the element in hand, as in `Appointment.status`
            return self._this
        return self._step(self._this)

    def _literal(self) -> Code:
        token = self._take()
        if token.startswith("'"):
            return constant(re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), token[1:-1]))
        if not token[0].isdigit():
            return constant(token == "true")
        value = int(token) if token.isdigit() else Decimal(token)
        return constant(fhirpath_values.Days(value * _UNITS[self._take()]) if self._peek() in _UNITS else value)

    def _step(self, before: Code) -> Code:
        name = self._take().strip("`")
        if not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise Unsupported(f"{name} is not understood")
        if self._peek() == "(":
            return self._call(name, before)
        following = self._tokens[self._at : self._at + 5]
        if name in self._choices and following[:3] == [".", "ofType", "("] and following[4:] == [")"]:
            self._at += 5
            name += following[3][0].upper() + following[3][1:]
        path = self._through(before, lambda one: step(one, name) if name in self._choices else f"children({one}, {name!r})")
        *others, last = path.loops
        return path._replace(loops=(*others, last._replace(child=(others[-1].variable if others else before.text, (name,)))))

    def _through(self, before: Code, source: Callable[[str], str], plain: bool = True) -> Code:
        """The path one step further. source: of the values after it, from that of the value before."""
        path = self._path(before)
        variable = _next(path.text)
        loop = Loop(variable, self._apart(source(path.text), path))
        return Code("path", variable, (*path.loops, loop), path.plain and plain)

    def _path(self, before: Code) -> Code:
        """The same as a path, whose items can be looked at one by one."""
        if before.kind == "path":
            return before
        variable = _next(self._this.text)
        return Code("path", variable, (Loop(variable, self._apart(before.items)),))

    def _apart(self, source: str, path: Code = _ELEMENT) -> str:
        """The source as what a loop goes through. Python allows no assignment there: such a source becomes a function."""
        if ":=" not in source:
            return source
        variables = dict.fromkeys((*self._within, *(loop.variable for loop in path.loops)))
        known = ("element", "resource", *(one for one in variables if re.search(rf"\b{one}\b", source)))
        name = self._name(f"{self._prefix}apart")
        head = f"{name}({', '.join(known)})"
        self.functions[name] = f"def {head}: return {source.translate(UNSHARED)}"
        return head

    def _filtered(self, path: Code, condition: str, plain: bool = False) -> Code:
        """Those items of a path for which the condition holds."""
        if not path.loops:
            path = self._through(Code("path", path.text), "({},)".format)
        elif path.plain and not plain:
            path = path._replace(loops=(Loop(path.text, path.items),))  # what others may share ends here
        *before, last = path.loops
        both = f"{last.condition} and {condition}" if last.condition else condition
        return Code("path", path.text, (*before, last._replace(condition=both)), path.plain and plain)

    def _call(self, name: str, before: Code) -> Code:
        self._take("(")
        if name == "ofType":
            wanted = self._take()
            self._take(")")
            if not wanted[:1].isupper():
                raise Unsupported(f"ofType({wanted}) away from its choice")
            path = self._path(before)
            return self._filtered(path, f"resource_type({path.text}) == {wanted!r}", True)
        path = self._path(before) if name in _EACH else before
        outside = self._this, self._within
        if name in _EACH or name == "iif":
            self._this = Code("path", path.text) if name in _EACH else before
            self._within += tuple(loop.variable for loop in path.loops)
        arguments = self._arguments()
        self._this, self._within = outside
        if len(arguments) == 1:
            match name:
                case "where":
                    return self._filtered(path, arguments[0].met)
                case "exists":
                    return of("bool", "(not not {0.items})", self._filtered(path, arguments[0].met))
                case "all":
                    return Code(
                        "bool", f"all({arguments[0].met} {' '.join(loop.text for loop in fewer(path.loops)) or 'for _ in (0,)'})"
                    )
                case "select":
                    return self._through(path, lambda _: arguments[0].items, False)
                case "extension":
                    url = arguments[0]
                    return self._through(before, lambda one: f"extensions({one}, {url.one})", url.kind == "constant")
        made = call(name, before, arguments)
        if made is None:
            raise Unsupported(f"{name}() with {len(arguments)} arguments")
        return made

    def _arguments(self) -> list[Code]:
        found: list[Code] = []
        while self._peek() != ")":
            found.append(self.expression())
            if self._peek() == ",":
                self._take()
        self._take(")")
        return found


def _tokens(text: str) -> Iterator[str]:
    at = 0
    text = text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise Unsupported(f"character {at + 1} is not understood")
        at = found.end()
        yield found[found.lastgroup or 0]


def _next(variable: str) -> str:
    """The variable of a loop within that of another. Named by its depth: so is the same path the same text everywhere."""
    return f"item{int(variable[4:]) + 1}" if variable.startswith("item") else "item0"
