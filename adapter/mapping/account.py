"""The account of both sides: what no hole read of a record and of a Bundle, what a map leaves out on purpose, the issues."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property
from typing import Any, NamedTuple

from adapter.fhir.outcome import Issue
from adapter.mapping import issues
from adapter.mapping.lineage import Lineage
from adapter.mapping.reading import Reading
from adapter.mapping.runtime import leaves, parts_of
from adapter.mapping.safety import is_safety
from adapter.mapping.spec import TableSpec, paths_read, show
from adapter.mapping.tree import Hole

_INDEX = re.compile(r"\[\d+\]")


class RecordAccount:
    """Of a table's record: which leaves no hole read."""

    def __init__(self, spec: TableSpec) -> None:
        self.spec = spec

    def unknown(self, record: dict[str, Any]) -> list[str]:
        """The leaves whose names no map reads."""
        found: list[str] = []
        self._names.collect(record, "", found)
        return found

    def unread(self, record: dict[str, Any], rows: Iterable[Lineage], unknown: list[str]) -> list[str]:
        """The other leaves of which no element came, by the lineage of the elements that did."""
        # A codec that joins several paths may have had no use for one of them: a hole of its own must show that it was read.
        read = {row.source for row in rows if not row.several or _INDEX.sub("[]", row.source) not in self._alone}
        whole = tuple(f"{r}{mark}" for r in read for mark in ".[")
        seen = read.union(unknown)
        return [
            place
            for place in leaves(record, "")
            if not (place in seen or self._decides(place) or place.startswith(whole) or self.is_ignored(_INDEX.sub("", place)))
        ]

    def is_ignored(self, bare: str) -> bool:
        """Whether the maps leave a record path (without indexes) out on purpose."""
        return self._why(bare) is not None

    def ignored(self, record: dict[str, Any]) -> dict[str, str]:
        """The leaves that the maps leave out on purpose, each with the reason."""
        if not self._ignored:
            return {}
        found = ((place, self._why(_INDEX.sub("", place))) for place in leaves(record, ""))
        return {place: why for place, why in found if why is not None}

    def _why(self, bare: str) -> str | None:
        return next((why for path, why in self._ignored.items() if bare == path or bare.startswith(path + ".")), None)

    def _decides(self, place: str) -> bool:
        """Whether a record path is a key or a guard: it decides, though no element holds it."""
        return _INDEX.sub("[]", place) in self._deciding

    @cached_property
    def _alone(self) -> frozenset[str]:
        """Record paths that some hole reads by itself."""
        holes = [(at, found.node) for m in self.spec.maps for at, found, how in paths_read(m) if how == "hole"]
        return frozenset(show(at) for at, node in holes if isinstance(node, Hole) and len(node.paths) == 1)

    @cached_property
    def _deciding(self) -> frozenset[str]:
        return frozenset(show(at) for m in self.spec.maps for at, _, how in paths_read(m) if how in ("key", "guard"))

    @cached_property
    def _ignored(self) -> dict[str, str]:
        """Record paths under `$ignored`, where they are written with $, each with its reason."""
        return {path[1:]: why for m in self.spec.maps for path, why in m.ignored.items() if path.startswith("$")}

    @cached_property
    def _names(self) -> Names:
        """The tree of record names that the maps read."""
        tree: dict[str, Any] = {}
        for m in self.spec.maps:
            for (lists, parts), _, _ in paths_read(m):
                _plant(tree, (*(p for names in lists for p in names), *parts))
        for path in self._ignored:
            _plant(tree, tuple(path.split(".")))
        return Names.of(tree)


class BundleAccount:
    """Of a table's resources: which leaves a match left unread."""

    def __init__(self, spec: TableSpec) -> None:
        self._ignored: dict[str, dict[str, str]] = {}
        for m in spec.maps:
            for path, why in m.ignored.items():
                if not path.startswith("$"):
                    self._ignored.setdefault(m.type, {}).setdefault(path, why)

    def of(self, run: Reading) -> tuple[list[str], dict[str, str], list[Issue]]:
        """Unread leaves, ignored leaves with the reason, the issues for the unread ones: an error for safety, else a warning."""
        unread: dict[str, None] = {}
        ignored: dict[str, str] = {}
        found: list[Issue] = []
        for value, where, i in run.left:
            if i < 0:
                continue
            resource = run.entries[i]["resource"]
            at = run.at(i)
            for place in leaves(value, where):
                if place in unread:
                    continue
                parts = parts_of(place, at)
                why = self._why(resource, parts)
                if why is not None:
                    ignored[place] = why
                    continue
                unread[place] = None
                found.append(issues.unread(place, is_safety(resource, parts)))
        return list(unread), ignored, found

    def _why(self, resource: Any, parts: tuple[str | int, ...]) -> str | None:
        """Why a map of this type leaves the element out; None where none does."""
        reasons = self._ignored.get(str(resource.get("resourceType")), {})
        return next((why for path, why in reasons.items() if _leads(resource, parts, path)), None)


def _plant(tree: dict[str, Any], parts: tuple[str, ...]) -> None:
    for part in parts[:-1]:
        below = tree.setdefault(part, {})
        if below is None:
            return
        tree = below
    if parts:
        tree.setdefault(parts[-1], None)


class Names(NamedTuple):
    """The names of an object that the maps read. below: of those that are not read whole, the names inside."""

    read: frozenset[str]
    below: dict[str, Names]

    @classmethod
    def of(cls, tree: dict[str, Any]) -> Names:
        """The names of a tree; None below a name means that it is read whole."""
        return cls(frozenset(tree), {name: cls.of(inside) for name, inside in tree.items() if inside})

    def collect(self, value: Any, place: str, found: list[str]) -> None:
        """Collect the leaves of an object, or of the objects in a list, whose names are not read."""
        if isinstance(value, list):
            for j, one in enumerate(value):
                if isinstance(one, dict | list):
                    self.collect(one, f"{place}[{j}]", found)
        elif isinstance(value, dict):
            if not value.keys() <= self.read:
                for name in [name for name in value if name not in self.read]:
                    found += leaves(value[name], f"{place}.{name}" if place else name)
            for name, inside in self.below.items():
                if name in value:
                    inside.collect(value[name], f"{place}.{name}" if place else name, found)


def _leads(resource: Any, parts: tuple[str | int, ...], path: str) -> bool:
    """Whether an element lies at or below an `$ignored` path; `extension[url]` names an extension."""
    name = ""
    value = resource
    for part in parts:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return False
        if isinstance(part, int):
            url = value.get("url") if isinstance(value, dict) else None
            if isinstance(url, str) and name.endswith("xtension"):
                name += f"[{url}]"
        else:
            name += f".{part}" if name else part
        if name == path:
            return True
    return False
