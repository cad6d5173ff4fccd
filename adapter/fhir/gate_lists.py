"""The validators of the gate: lists of what is judged, by the definition that judges them, in one call.

Compiling every type and profile takes a quarter of a second, and a message has some ten of them; so what a message needs is
compiled when it comes. Whoever needs more than once gets everything: a command pays for its message, a server compiles twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from threading import Lock
from typing import Any, NamedTuple

import jsonschema_rs

Json = dict[str, Any]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


class Compiled(NamedTuple):
    """A validator for `{name: [value, ...]}`, the names that it judges by, and its schema, for the paths in its errors."""

    names: frozenset[str]
    validator: jsonschema_rs.Draft202012Validator
    schema: Json


class Lists:
    """A growing validator. Safe to share between threads.

    definition: the JSON Schema of a name; referred: the names that it refers to; whole: every name that may be asked for, which
    the second growth takes in.
    """

    def __init__(
        self, definition: Callable[[str], Json], referred: Callable[[str], Iterable[str]], whole: Callable[[], Collection[str]]
    ) -> None:
        self._definition, self._referred, self._whole = definition, referred, whole
        self._compiled: Compiled | None = None
        self._lock = Lock()

    def of(self, names: Collection[str]) -> Compiled:
        """The validator with (at least) these names."""
        compiled = self._compiled
        if compiled is not None and compiled.names.issuperset(names):
            return compiled
        with self._lock:
            compiled = self._compiled
            if compiled is None or not compiled.names.issuperset(names):
                compiled = self._compiled = self._compile(frozenset(names) if compiled is None else frozenset(self._whole()))
        return compiled

    def _compile(self, names: frozenset[str]) -> Compiled:
        reached: dict[str, Json] = {}
        todo = list(names)
        while todo:
            name = todo.pop()
            if name not in reached:
                reached[name] = self._definition(name)
                todo += self._referred(name)
        # Sorted, so that faults come in the same order whoever asked first.
        schema: Json = {
            "$schema": _DRAFT,
            "$defs": reached,
            "type": "object",
            "properties": {name: {"type": "array", "items": {"$ref": f"#/$defs/{name}"}} for name in sorted(names)},
        }
        return Compiled(names, jsonschema_rs.Draft202012Validator(schema), schema)
