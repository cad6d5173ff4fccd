"""The nodes of a resource that a profile's rule is about, and the rules that need them: constraints and types of references."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from adapter.fhir.schema.fhirpath_code import Tests


class Step(NamedTuple):
    """One step from an object: JSON names to look under, the element's FHIRPath name, and which items (those of a slice)."""

    names: tuple[str, ...]
    label: str
    matches: Callable[[Any], bool] | None = None


class Constraint(NamedTuple):
    """An invariant of a profile. text: its own words for a person."""

    key: str
    severity: str
    text: str


class Constraints(NamedTuple):
    """The invariants on the nodes at the end of some steps. broken: gives the indexes of those that a node does not meet."""

    steps: tuple[Step, ...]
    rules: tuple[Constraint, ...]
    broken: Tests


class Targets(NamedTuple):
    """The types that the references at the end of some steps may have."""

    steps: tuple[Step, ...]
    types: frozenset[str]


def select(node: Any, steps: tuple[Step, ...], path: str = "") -> Iterator[tuple[Any, str]]:
    """(node, FHIRPath below the start) of everything at the end of the steps."""
    if not steps:
        yield node, path
        return
    step = steps[0]
    for name in step.names:
        value = node.get(name) if isinstance(node, dict) else None
        if value is None:
            continue
        if not isinstance(value, list):
            if step.matches is None or step.matches(value):
                yield from select(value, steps[1:], f"{path}.{step.label}")
            continue
        for index, item in enumerate(value):
            if item is not None and (step.matches is None or step.matches(item)):
                yield from select(item, steps[1:], f"{path}.{step.label}[{index}]")
