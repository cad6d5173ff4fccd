"""Values and operators of the FHIRPath subset: each operator takes two compiled operands and gives a compiled expression.

An expression is a Python function of the items in hand and the environment; what it gives is a list, as every value of
FHIRPath is a collection. https://hl7.org/fhirpath/N1/#operations
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from adapter.fhir.gate_checks import compare

Items = list[Any]


#: %context and %resource. A plain tuple: one is made for every constraint of every message.
Env = tuple[Items, Items]
Expression = Callable[[Items, Env], Items]
Decide = Callable[[Items, Env], bool | None]


def here(items: Items, env: Env) -> Items:
    """$this, and where a path begins. Results are shared and never changed in place."""
    return items


class Constant:
    """An expression that is the same whatever is in hand. Known when a profile is loaded, so that sets of codes are made once."""

    __slots__ = ("items",)

    def __init__(self, items: Items) -> None:
        self.items = items

    def __call__(self, items: Items, env: Env) -> Items:
        """The items."""
        return self.items


class NotOne(ValueError):
    """An operand that must be one value is several, or of another type."""


class Days(int):
    """A quantity of calendar days, as in `start + 13 days`."""


_DATE = re.compile(r"\d{4}(-\d\d(-\d\d(T.*)?)?)?\Z", re.DOTALL)


_TRUE: Items = [True]
_FALSE: Items = [False]


def singleton(items: Items) -> Any:
    """The one item, None where there is none."""
    if not items:
        return None
    if len(items) > 1:
        raise NotOne
    return items[0]


def truth(items: Items) -> bool | None:
    """The Boolean of a collection: None is empty; one item that is no Boolean is true. N1, singleton evaluation."""
    one = singleton(items)
    return one if one is None or isinstance(one, bool) else True


def logic(value: bool | None) -> Items:
    """A truth as a collection."""
    return [] if value is None else _TRUE if value else _FALSE


class Decision:
    """An expression that gives a Boolean, or nothing. `decide` gives it as such, without a list around it."""

    __slots__ = ("decide",)

    def __init__(self, decide: Decide) -> None:
        self.decide = decide

    def __call__(self, items: Items, env: Env) -> Items:
        """The truth as a collection."""
        return logic(self.decide(items, env))


def deciding(expression: Expression) -> Decide:
    """The truth of an expression, as a function."""
    if isinstance(expression, Decision):
        return expression.decide
    return lambda items, env: truth(expression(items, env))


def _number(value: Any) -> Any:
    return Decimal(str(value)) if isinstance(value, float) else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if _is_number(one) and _is_number(other):
        return bool(_number(one) == _number(other))
    return type(one) is type(other) and bool(one == other)


def member(one: Any, items: Iterable[Any]) -> bool:
    """Whether one of the items is the same."""
    return any(_same(one, other) for other in items)


def text_of(value: Any) -> str:
    """toString() of one value. Raises NotOne for an object."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if _is_number(value):
        return str(value)
    raise NotOne


def _equal(left: Expression, right: Expression, wanted: bool = True) -> Expression:
    if isinstance(right, Constant) and len(right.items) == 1 and isinstance(right.items[0], str):
        return _equal_text(left, right.items[0], wanted)

    def decide(items: Items, env: Env) -> bool | None:
        one, other = left(items, env), right(items, env)
        if not one or not other:
            return None
        same = len(one) == len(other) and all(map(_same, one, other))
        return same is wanted

    return Decision(decide)


def _equal_text(left: Expression, text: str, wanted: bool) -> Expression:
    def decide(items: Items, env: Env) -> bool | None:
        one = left(items, env)
        return (len(one) == 1 and one[0] == text) is wanted if one else None

    return Decision(decide)


def _ordered(test: Callable[[int, int], bool]) -> Callable[[Expression, Expression], Expression]:
    def make(left: Expression, right: Expression) -> Expression:
        def decide(items: Items, env: Env) -> bool | None:
            one, other = singleton(left(items, env)), singleton(right(items, env))
            order = None if one is None or other is None else _order(one, other)
            return None if order is None else test(order, 0)

        return Decision(decide)

    return make


def _order(one: Any, other: Any) -> int | None:
    if _is_number(one) and _is_number(other):
        one, other = _number(one), _number(other)
        return int(one > other) - int(one < other)
    if isinstance(one, str) and isinstance(other, str):
        if _DATE.match(one) and _DATE.match(other):
            return compare(one, other)
        return (one > other) - (one < other)
    raise NotOne


def _and(left: Expression, right: Expression) -> Expression:
    first, second = deciding(left), deciding(right)

    def decide(items: Items, env: Env) -> bool | None:
        one = first(items, env)
        if one is False:
            return False
        other = second(items, env)
        return other if one or other is False else None

    return Decision(decide)


def _either(first: Decide, second: Decide) -> Expression:
    def decide(items: Items, env: Env) -> bool | None:
        one = first(items, env)
        if one is True:
            return True
        other = second(items, env)
        return other if one is False or other is True else None

    return Decision(decide)


def _or(left: Expression, right: Expression) -> Expression:
    return _either(deciding(left), deciding(right))


def _xor(left: Expression, right: Expression) -> Expression:
    first, second = deciding(left), deciding(right)

    def decide(items: Items, env: Env) -> bool | None:
        one, other = first(items, env), second(items, env)
        return None if one is None or other is None else one is not other

    return Decision(decide)


def _implies(left: Expression, right: Expression) -> Expression:
    return _either(deciding(negated(left)), deciding(right))


def negated(before: Expression) -> Expression:
    """not(): of nothing, nothing."""
    first = deciding(before)

    def decide(items: Items, env: Env) -> bool | None:
        one = first(items, env)
        return None if one is None else not one

    return Decision(decide)


def _in(left: Expression, right: Expression) -> Expression:
    if isinstance(right, Constant) and all(isinstance(one, str) for one in right.items):
        return _in_texts(left, frozenset(right.items))

    def decide(items: Items, env: Env) -> bool | None:
        one = left(items, env)
        return member(singleton(one), right(items, env)) if one else None

    return Decision(decide)


def _in_texts(left: Expression, texts: frozenset[str]) -> Expression:
    def decide(items: Items, env: Env) -> bool | None:
        one = singleton(left(items, env))
        return None if one is None else isinstance(one, str) and one in texts

    return Decision(decide)


def union(left: Expression, right: Expression) -> Expression:
    """The operator |: both, each value once."""
    if isinstance(left, Constant) and isinstance(right, Constant):
        return Constant(distinct([*left.items, *right.items]))
    return lambda items, env: distinct([*left(items, env), *right(items, env)])


def distinct(items: Items) -> Items:
    """Each value once, in their order."""
    kept: Items = []
    for one in items:
        if not member(one, kept):
            kept.append(one)
    return kept


def _join(left: Expression, right: Expression) -> Expression:
    def run(items: Items, env: Env) -> Items:
        one, other = singleton(left(items, env)), singleton(right(items, env))
        return [("" if one is None else text_of(one)) + ("" if other is None else text_of(other))]

    return run


def _arithmetic(apply: Callable[[Any, Any], Any]) -> Callable[[Expression, Expression], Expression]:
    def make(left: Expression, right: Expression) -> Expression:
        def run(items: Items, env: Env) -> Items:
            one, other = singleton(left(items, env)), singleton(right(items, env))
            if one is None or other is None:
                return []
            if isinstance(one, str) and isinstance(other, Days):
                return _shifted(one, int(apply(0, other)))
            if isinstance(one, str) and isinstance(other, str) and apply is operator.add:
                return [one + other]
            if not _is_number(one) or not _is_number(other):
                raise NotOne
            try:
                return [apply(_number(one), _number(other))]
            except ArithmeticError:
                return []

        return run

    return make


def _shifted(day: str, days: int) -> Items:
    try:
        return [(date.fromisoformat(day[:10]) + timedelta(days=days)).isoformat() + day[10:]]
    except (ValueError, OverflowError):
        return []


def _divide(one: Any, other: Any) -> Any:
    return Decimal(one) / Decimal(other)


OPERATORS: dict[str, Callable[[Expression, Expression], Expression]] = {
    "and": _and,
    "or": _or,
    "xor": _xor,
    "implies": _implies,
    "=": _equal,
    "!=": lambda left, right: _equal(left, right, False),
    "<": _ordered(operator.lt),
    "<=": _ordered(operator.le),
    ">": _ordered(operator.gt),
    ">=": _ordered(operator.ge),
    "in": _in,
    "contains": lambda left, right: _in(right, left),
    "|": union,
    "&": _join,
    "+": _arithmetic(operator.add),
    "-": _arithmetic(operator.sub),
    "*": _arithmetic(operator.mul),
    "/": _arithmetic(_divide),
    "mod": _arithmetic(operator.mod),
    "div": _arithmetic(operator.floordiv),
}
