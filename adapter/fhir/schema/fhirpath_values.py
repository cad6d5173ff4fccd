"""What the Python made of a FHIRPath calls when a message is judged: steps of paths, and what operators and functions do.

An argument called `items` is a list, as every value of FHIRPath is a collection; `one` is a single value or None, for nothing.
A truth is True, False or None. Items are shared and never changed in place. https://hl7.org/fhirpath/N1/#operations
"""

from __future__ import annotations

import operator
import re
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from adapter.fhir.gate_checks import compare

Items = Sequence[Any]
#: Base -> JSON names of every choice of R4 (`value` -> valueString, ...).
Choices = Mapping[str, frozenset[str]]

_DATE = re.compile(r"\d{4}(-\d\d(-\d\d(T.*)?)?)?\Z", re.DOTALL)
_INTEGER = re.compile(r"[+-]?[0-9]+")


class NotOne(ValueError):
    """An operand that must be one value is several, or of another type."""


class Days(int):
    """A quantity of calendar days, as in `start + 13 days`."""

    def __repr__(self) -> str:
        return f"Days({int(self)})"


# steps of a path ---------------------------------------------------------------------------------------------------------
def children(node: Any, name: str) -> Items:
    """The values of an element."""
    if not isinstance(node, dict) or (value := node.get(name)) is None:
        return ()
    if isinstance(value, list):
        return [item for item in value if item is not None] if None in value else value
    return (value,)


def descendants(node: Any, choices: Choices, *names: str) -> Items:
    """The values at the end of steps from element to element, some of which may be choices."""
    reached = node
    for name in names:  # as most are: single values on the way
        if type(reached) is not dict:
            break
        reached = reached.get(name)
        if type(reached) is list and len(reached) == 1:
            reached = reached[0]
        elif reached is None:
            if name in choices:
                break
            return ()
    else:
        if type(reached) is not list:
            return (reached,) if reached is not None else ()
    return _descendants(node, choices, names)


def _descendants(node: Any, choices: Choices, names: Sequence[str]) -> Items:
    """The same where there may be several, none, or the values of a choice."""
    reached = node
    for at, name in enumerate(names):
        if not isinstance(reached, dict):
            return ()
        found = reached.get(name)
        if found is None and name in choices:  # no type has a choice and an element of its name
            json_names = choices[name]
            found = [one for key in reached if key in json_names for one in children(reached, key)]
        if isinstance(found, list) and len(found) != 1:
            rest = names[at + 1 :]
            return [item for one in found if one is not None for item in (_descendants(one, choices, rest) if rest else (one,))]
        reached = found[0] if isinstance(found, list) else found
    return () if reached is None else (reached,)


def extensions(node: Any, url: Any) -> Items:
    """The extensions of this url."""
    found = node.get("extension") if isinstance(node, dict) else None
    # Of a resource in another, the base has not said yet that these are extensions.
    return [one for one in found if isinstance(one, dict) and one.get("url") == url] if isinstance(found, list) else ()


def resource_type(node: Any) -> Any:
    """Of what type a resource is: what type another value has, JSON does not say."""
    return node.get("resourceType") if isinstance(node, dict) else None


# from one form to another ------------------------------------------------------------------------------------------------
def one(items: Items) -> Any:
    """The one item, None where there is none."""
    if not items:
        return None
    if len(items) > 1:
        raise NotOne
    return items[0]


def many(value: Any) -> Items:
    """A value or a truth as a collection."""
    return () if value is None else (value,)


def truth(value: Any) -> bool | None:
    """One value as a Boolean: what is no Boolean is true. N1, singleton evaluation."""
    return value if value is None or isinstance(value, bool) else True


def text_of(value: Any) -> str:
    """toString() of one value. Raises NotOne for an object."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if _is_number(value):
        return str(value)
    raise NotOne


# comparison --------------------------------------------------------------------------------------------------------------
def _number(value: Any) -> Any:
    return Decimal(str(value)) if isinstance(value, float) else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _same(value: Any, other: Any) -> bool:
    if isinstance(value, bool) or isinstance(other, bool):
        return value is other
    if _is_number(value) and _is_number(other):
        return bool(_number(value) == _number(other))
    return type(value) is type(other) and bool(value == other)


def _member(value: Any, items: Iterable[Any]) -> bool:
    return any(_same(value, other) for other in items)


def equal(items: Items, others: Items) -> bool | None:
    """Whether both hold the same values in one order."""
    if not items or not others:
        return None
    return len(items) == len(others) and all(map(_same, items, others))


def is_text(items: Items, text: str) -> bool | None:
    """equal, with one text."""
    return (len(items) == 1 and items[0] == text) if items else None


def negated(value: bool | None) -> bool | None:
    """not() of a truth: of nothing, nothing."""
    return None if value is None else not value


def differ(value: bool | None, other: bool | None) -> bool | None:
    """Exclusive or."""
    return None if value is None or other is None else value is not other


def contained(items: Items, others: Items) -> bool:
    """in: whether the one item is among the others."""
    return _member(one(items), others)


def among(value: Any, texts: Collection[str]) -> bool | None:
    """The same where all of them are known to be texts."""
    return None if value is None else isinstance(value, str) and value in texts


def _ordered(test: Callable[[int, int], bool]) -> Callable[[Any, Any], bool | None]:
    def decide(value: Any, other: Any) -> bool | None:
        order = None if value is None or other is None else _order(value, other)
        return None if order is None else test(order, 0)

    return decide


def _order(value: Any, other: Any) -> int | None:
    if _is_number(value) and _is_number(other):
        value, other = _number(value), _number(other)
        return int(value > other) - int(value < other)
    if isinstance(value, str) and isinstance(other, str):
        if _DATE.match(value) and _DATE.match(other):
            return compare(value, other)
        return (value > other) - (value < other)
    raise NotOne


less, not_more, more, not_less = map(_ordered, (operator.lt, operator.le, operator.gt, operator.ge))


# arithmetic and text -----------------------------------------------------------------------------------------------------
def _arithmetic(apply: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def run(value: Any, other: Any) -> Any:
        if value is None or other is None:
            return None
        if type(value) is not int or type(other) is not int:
            if isinstance(value, str) and isinstance(other, Days):
                return _shifted(value, int(apply(0, other)))
            if isinstance(value, str) and isinstance(other, str) and apply is operator.add:
                return value + other
            if not _is_number(value) or not _is_number(other):
                raise NotOne
            value, other = _number(value), _number(other)
        try:
            return apply(value, other)
        except ArithmeticError:
            return None

    return run


def _shifted(day: str, days: int) -> str | None:
    try:
        return (date.fromisoformat(day[:10]) + timedelta(days=days)).isoformat() + day[10:]
    except (ValueError, OverflowError):
        return None


def _divided(value: Any, other: Any) -> Any:
    return Decimal(value) / Decimal(other)


plus, minus, times, remainder, quotient, divided = map(
    _arithmetic, (operator.add, operator.sub, operator.mul, operator.mod, operator.floordiv, _divided)
)


def joined(value: Any, other: Any) -> str:
    """&: nothing is an empty text."""
    return ("" if value is None else text_of(value)) + ("" if other is None else text_of(other))


def to_text(value: Any) -> str | None:
    """toString()"""
    return None if value is None or isinstance(value, dict) else text_of(value)


def to_integer(value: Any) -> int | None:
    """toInteger()"""
    if isinstance(value, str):
        return int(value) if (value.isascii() and value.isdigit()) or _INTEGER.fullmatch(value) else None
    return int(value) if isinstance(value, int) else None


def on_text(apply: Callable[..., Any], value: Any, *arguments: Any) -> Any:
    """A function of one text and single values; nothing where any of them is nothing."""
    if value is None or None in arguments:
        return None
    if not isinstance(value, str):
        raise NotOne
    return apply(value, *arguments)


def substring(value: Any, start: Any, length: Any = sys.maxsize) -> str | None:
    """From a place, counted from 0, so many characters; nothing where there is none."""
    if value is None or start is None or length is None:
        return None
    if not isinstance(value, str):
        raise NotOne
    return value[start : start + max(length, 0)] if 0 <= start < len(value) else None


def matches(value: str, pattern: str) -> bool:
    """Whether a regular expression is found."""
    return re.search(pattern, value) is not None


# collections -------------------------------------------------------------------------------------------------------------
def distinct(items: Items) -> Items:
    """Each value once, in their order."""
    kept: list[Any] = []
    for item in items:
        if not _member(item, kept):
            kept.append(item)
    return kept


def is_distinct(items: Items) -> bool:
    """Whether each value stands there once."""
    return len(distinct(items)) == len(items)


def subset(items: Items, others: Items) -> bool:
    """Whether all are among the others."""
    return all(_member(item, others) for item in items)


def shared(items: Items, others: Items) -> Items:
    """intersect(): what is in both, once."""
    return distinct([item for item in items if _member(item, others)])


def excluded(items: Items, others: Items) -> Items:
    """exclude(): what is not among the others."""
    return [item for item in items if not _member(item, others)]


def has_value(items: Items) -> bool:
    """hasValue(): one item that is no object."""
    return len(items) == 1 and not isinstance(items[0], dict)
