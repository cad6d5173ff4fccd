"""Functions of the FHIRPath subset: each takes the compiled expression before its dot and its arguments, and gives another.

https://hl7.org/fhirpath/N1/#functions
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from adapter.fhir.schema.fhirpath_operators import (
    Constant,
    Decision,
    Env,
    Expression,
    Items,
    NotOne,
    deciding,
    distinct,
    member,
    negated,
    singleton,
    text_of,
    union,
)


def _exists(before: Expression, criteria: Expression | None = None) -> Expression:
    source = before if criteria is None else _where(before, criteria)
    return Decision(lambda items, env: bool(source(items, env)))


def _where(before: Expression, criteria: Expression) -> Expression:
    met = deciding(criteria)
    return lambda items, env: [one for one in before(items, env) if met([one], env) is True]


def _all(before: Expression, criteria: Expression) -> Expression:
    met = deciding(criteria)
    return Decision(lambda items, env: all(met([one], env) is True for one in before(items, env)))


def _select(before: Expression, projection: Expression) -> Expression:
    return lambda items, env: [found for one in before(items, env) for found in projection([one], env)]


def _extension(before: Expression, url: Expression) -> Expression:
    if isinstance(url, Constant):
        return _extension_of(before, singleton(url.items))

    def run(items: Items, env: Env) -> Items:
        wanted = singleton(url(items, env))
        return [
            extension
            for one in before(items, env)
            if isinstance(one, dict)
            for extension in one.get("extension", ())
            if extension.get("url") == wanted
        ]

    return run


def _extension_of(before: Expression, url: Any) -> Expression:
    def run(items: Items, env: Env) -> Items:
        found: Items = []
        for one in before(items, env):
            if isinstance(one, dict) and "extension" in one:
                found += [extension for extension in one["extension"] if extension.get("url") == url]
        return found

    return run


def _iif(before: Expression, condition: Expression, then: Expression, otherwise: Expression | None = None) -> Expression:
    met = deciding(condition)

    def run(items: Items, env: Env) -> Items:
        here = before(items, env)
        if met(here, env) is True:
            return then(here, env)
        return otherwise(here, env) if otherwise is not None else []

    return run


def _string(apply: Callable[..., Items]) -> Callable[..., Expression]:
    """A function of one text and arguments that are single values; empty where any of them is."""

    def make(before: Expression, *arguments: Expression) -> Expression:
        def run(items: Items, env: Env) -> Items:
            value = singleton(before(items, env))
            given = [singleton(argument(items, env)) for argument in arguments]
            if value is None or None in given:
                return []
            if not isinstance(value, str):
                raise NotOne
            return apply(value, *given)

        return run

    return make


def _substring(value: str, start: int, length: int | None = None) -> Items:
    if not 0 <= start < len(value):
        return []
    return [value[start:] if length is None else value[start : start + max(length, 0)]]


def _to_string(before: Expression) -> Expression:
    def run(items: Items, env: Env) -> Items:
        one = singleton(before(items, env))
        return [] if one is None or isinstance(one, dict) else [text_of(one)]

    return run


def _to_integer(before: Expression) -> Expression:
    def run(items: Items, env: Env) -> Items:
        one = singleton(before(items, env))
        if isinstance(one, int):
            return [int(one)]
        return [int(one)] if isinstance(one, str) and re.fullmatch(r"[+-]?[0-9]+", one) else []

    return run


def _on_list(apply: Callable[[Items], Items]) -> Callable[[Expression], Expression]:
    return lambda before: lambda items, env: apply(before(items, env))


def _on_lists(apply: Callable[[Items, Items], Items]) -> Callable[[Expression, Expression], Expression]:
    return lambda before, other: lambda items, env: apply(before(items, env), other(items, env))


def _tested(apply: Callable[[Items], bool]) -> Callable[[Expression], Expression]:
    return lambda before: Decision(lambda items, env: apply(before(items, env)))


def _compared(apply: Callable[[Items, Items], bool]) -> Callable[[Expression, Expression], Expression]:
    return lambda before, other: Decision(lambda items, env: apply(before(items, env), other(items, env)))


#: (name, number of arguments) -> function
FUNCTIONS: dict[tuple[str, int], Callable[..., Expression]] = {
    ("exists", 0): _exists,
    ("exists", 1): _exists,
    ("empty", 0): _tested(lambda items: not items),
    ("not", 0): negated,
    ("count", 0): _on_list(lambda items: [len(items)]),
    ("first", 0): _on_list(lambda items: items[:1]),
    ("last", 0): _on_list(lambda items: items[-1:]),
    ("tail", 0): _on_list(lambda items: items[1:]),
    ("distinct", 0): _on_list(distinct),
    ("isDistinct", 0): _tested(lambda items: len(distinct(items)) == len(items)),
    ("hasValue", 0): _tested(lambda items: len(items) == 1 and not isinstance(items[0], dict)),
    ("where", 1): _where,
    ("all", 1): _all,
    ("select", 1): _select,
    ("extension", 1): _extension,
    ("subsetOf", 1): _compared(lambda items, other: all(member(one, other) for one in items)),
    ("supersetOf", 1): _compared(lambda items, other: all(member(one, items) for one in other)),
    ("intersect", 1): _on_lists(lambda items, other: distinct([one for one in items if member(one, other)])),
    ("exclude", 1): _on_lists(lambda items, other: [one for one in items if not member(one, other)]),
    ("union", 1): union,
    ("combine", 1): _on_lists(lambda items, other: [*items, *other]),
    ("iif", 2): _iif,
    ("iif", 3): _iif,
    ("toString", 0): _to_string,
    ("toInteger", 0): _to_integer,
    ("length", 0): _string(lambda value: [len(value)]),
    ("substring", 1): _string(_substring),
    ("substring", 2): _string(_substring),
    ("startsWith", 1): _string(lambda value, other: [value.startswith(other)]),
    ("endsWith", 1): _string(lambda value, other: [value.endswith(other)]),
    ("contains", 1): _string(lambda value, other: [other in value]),
    ("matches", 1): _string(lambda value, pattern: [re.search(pattern, value) is not None]),
    ("upper", 0): _string(lambda value: [value.upper()]),
    ("lower", 0): _string(lambda value: [value.lower()]),
}
