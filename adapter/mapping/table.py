"""A compiled table: one set of maps, as a fill function and a match, with the account of both sides.

Compiled when a system is loaded, called per message; safe to share between threads, since every call has its own run.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import Any

from adapter.fhir.outcome import Issue, issue
from adapter.mapping.fill import FillWriter
from adapter.mapping.plan import Groups, Lists, plan_fill, refs
from adapter.mapping.reading import Cast, Lineage, Reading, Role
from adapter.mapping.runtime import Run, leaves, parts_of
from adapter.mapping.safety import is_safety
from adapter.mapping.source import Source
from adapter.mapping.spec import TableSpec, find, frames_of, paths_read, show
from adapter.mapping.tree import Array, Hole, Map, Ref, Say, is_constant, plain
from adapter.mapping.walk import MatchRun

_INDEX = re.compile(r"\[\d+\]")


class Table:
    """The maps of one message (or of its native half), compiled."""

    def __init__(self, spec: TableSpec) -> None:
        self.spec = spec
        self.groups: Groups = plan_fill(spec)
        self._shared = _shared(spec)
        self._fill = FillWriter(spec).compile()

    # fill ---------------------------------------------------------------------------------------------------------
    def fill(self, record: dict[str, Any]) -> tuple[list[dict[str, Any]], Run]:
        """Entries ({"fullUrl", "resource"}; the Bundle's own map without fullUrl) and what was found on the way."""
        run = Run()
        return self._fill(record, run), run

    def unread_record(self, record: dict[str, Any], entries: list[dict[str, Any]], lost: bool) -> list[str]:
        """The record's leaves that no hole read: by the maps' own paths and, where something dropped out, by lineage."""
        found: list[str] = []
        _unknown(record, self.known, "", found)
        if lost and self.match(entries).record != record:
            rows = self.lineage(entries, record=record)
            # A codec that joins several paths may have had no use for one of them: a hole of its own must show that it was read.
            read = {row.source for row in rows if not row.several or _INDEX.sub("[]", row.source) not in self._alone}
            whole = tuple(f"{r}{mark}" for r in read for mark in ".[")
            for place in leaves(record, ""):
                known = place in read or place in found or self.always(place) or place.startswith(whole)
                if not known and not self.is_ignored(_INDEX.sub("", place)):
                    found.append(place)
        return found

    def always(self, place: str) -> bool:
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

    def is_ignored(self, bare: str) -> bool:
        """Whether the maps leave a record path (without indexes) out on purpose."""
        return any(bare == path or bare.startswith(path + ".") for path in self.ignored_record)

    @cached_property
    def ignored_record(self) -> dict[str, str]:
        """Record paths under `$ignored` (written with $), with their reasons."""
        return {path[1:]: why for m in self.spec.maps for path, why in m.ignored.items() if path.startswith("$")}

    @cached_property
    def known(self) -> dict[str, Any]:
        """The tree of record names that the maps read; None below a name means that it is read whole."""
        tree: dict[str, Any] = {}
        for m in self.spec.maps:
            for (lists, parts), found, _ in paths_read(m):
                del found
                _plant(tree, (*(p for names in lists for p in names), *parts))
            for path in m.ignored:
                if path.startswith("$"):
                    _plant(tree, tuple(path[1:].split(".")))
        return tree

    # match --------------------------------------------------------------------------------------------------------
    @cached_property
    def roles(self) -> Cast:
        """The maps in the order in which match visits them."""
        return self._roles(trace=False)

    @cached_property
    def traced(self) -> Cast:
        """The same, each capture leaving a lineage row; compiled when lineage is first asked for."""
        return self._roles(trace=True)

    def match(self, entries: list[dict[str, Any]], prefix: str = "Bundle.") -> MatchRun:
        """The record and everything found on the way."""
        run = MatchRun(entries, self.roles, prefix)
        run.walk()
        return run

    def lineage(
        self, entries: list[dict[str, Any]], prefix: str = "Bundle.", *, record: dict[str, Any] | None = None
    ) -> list[Lineage]:
        """Where every value of these entries stands in the record.

        record: the one that the entries were filled from, for maps that cannot give it back (one-way holes).
        """
        run = MatchRun(entries, self.traced, prefix)
        run.walk()
        return run.lineage(record)

    def account(self, run: MatchRun) -> tuple[list[str], list[str], list[Issue]]:
        """Unread leaves, ignored leaves, and the issues for the unread ones: an error for safety, a warning for others."""
        if not run.left:
            return [], [], []
        unread: dict[str, None] = {}
        ignored: dict[str, None] = {}
        issues: list[Issue] = []
        for value, where, i in run.left:
            if i < 0:
                continue
            resource = run.entries[i]["resource"]
            at = run.at(i)
            for place in leaves(value, where):
                parts = parts_of(place, at)
                kind = str(resource.get("resourceType"))
                if place in unread:
                    continue
                if self.ignores(kind, resource, parts):
                    ignored[place] = None
                    continue
                unread[place] = None
                issues.append(unread_issue(place, is_safety(resource, parts)))
        return list(unread), list(ignored), issues

    def ignores(self, kind: str, resource: Any, parts: tuple[str | int, ...]) -> bool:
        """Whether a map of this type leaves the element out on purpose."""
        listed = self._ignored_elements.get(kind)
        return bool(listed) and any(_leads(resource, parts, path) for path in listed or ())

    @cached_property
    def _ignored_elements(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for m in self.spec.maps:
            for path in m.ignored:
                if not path.startswith("$"):
                    found.setdefault(m.type, []).append(path)
        return found

    # compiling match ----------------------------------------------------------------------------------------------
    def _roles(self, trace: bool) -> Cast:
        ordered = self._order()
        made = []
        for m in ordered:
            join = self.join(m)
            key = m.id or (m.key[0] if len(m.key) == 1 else None)
            role = Role(
                m.name,
                m.type,
                frames_of(m),
                _weight(m),
                self.direct(m),
                join,
                m.id is not None,
                key.parts if key is not None else None,
                tuple((m.depth - k.up, k.parts) for k in m.key),
            )
            self._compiled_late(role, m, trace)
            made.append(role)
        return Cast(tuple(made))

    def _compiled_late(self, role: Role, m: Map, trace: bool) -> None:
        """Give a role its functions, each compiled when it is first called: a message seldom has resources of every map."""

        def recognise(resource: dict[str, Any], run: Reading) -> bool:
            role.recognise = _recogniser(self.spec, self.groups, m)
            return role.recognise(resource, run)

        def match(*values: Any) -> bool:
            from adapter.mapping.match import MatchWriter  # reading seldom needs it

            role.match = MatchWriter(self.spec, self.groups, m, self._shared, trace).compile()
            return role.match(*values)

        role.recognise, role.match = recognise, match

    def join(self, m: Map) -> tuple[str, tuple[str, ...]] | None:
        """The map whose element this one joins (same list first, else the parent list), and the reference's path."""
        best: tuple[int, str, tuple[str, ...]] | None = None
        own = frames_of(m)
        for found in find(m):
            node = found.node
            if not isinstance(node, Ref) or node.by is not None:
                continue
            target = self.spec.by_name[node.map]
            lists = frames_of(target)
            if target.each and own[: len(lists)] == lists and target.name != m.name and (best is None or len(lists) > best[0]):
                best = (len(lists), node.map, found.element)
        return (best[1], best[2]) if best else None

    def direct(self, m: Map) -> bool:
        """Whether a resource shows by itself that it is this map's: no other map of the type has the same literals."""
        mine = literal_key(m.root)
        return all(literal_key(o.root) != mine for o in self.spec.maps if o.type == m.type and o.name != m.name)

    def _order(self) -> list[Map]:
        after: dict[str, set[str]] = {m.name: set() for m in self.spec.maps}
        for m in self.spec.maps:
            join = self.join(m)
            if join:
                after[m.name].add(join[0])
            for ref in refs(m):
                target = self.spec.by_name[ref.map]
                if ref.by is not None:
                    if target.id is None and target.name != m.name:
                        after[m.name].add(target.name)
                elif not target.each and target.name != m.name:
                    after[target.name].add(m.name)
        done: list[Map] = []
        names: set[str] = set()
        while len(done) < len(self.spec.maps):
            ready = [m for m in self.spec.maps if m.name not in names and after[m.name] <= names]
            chosen = ready[0] if ready else next(m for m in self.spec.maps if m.name not in names)
            done.append(chosen)
            names.add(chosen.name)
        return done


def unread_issue(place: str, safety: bool) -> Issue:
    """The issue for a leaf that nothing read."""
    if safety:
        text = "A safety element that nothing reads: what it says would be lost."
        return issue(
            "error",
            "business-rule",
            "unread-safety",
            text,
            expression=place,
            mend="Send it in a form that the target can hold, or add it to the map.",
        )
    return issue(
        "warning",
        "informational",
        "unread",
        "An element that nothing reads; it does not arrive.",
        expression=place,
        mend="Add it to the map, or to $ignored with a reason.",
    )


def literal_key(node: Any) -> str:
    """What an object's literals are, to compare two maps of one type by."""
    found: dict[str, Any] = {}
    for name, child in node.fields.items():
        if isinstance(child, Say):
            continue
        if is_constant(child):
            found[name] = plain(child)
        elif isinstance(child, Array):
            constants = [plain(c) for c in child.items if is_constant(c)]
            if constants:
                found[name] = constants
    return repr(sorted(found.items()))


def _weight(m: Map) -> int:
    return literal_key(m.root).count("(")


def _recogniser(spec: TableSpec, groups: Groups, m: Map) -> Callable[[dict[str, Any], Reading], bool]:
    from adapter.mapping.match import MatchWriter  # as above

    writer = MatchWriter(spec, groups, m, {}, False)
    src = Source()
    writer.src = src
    tests = writer.literals(m.root, "x")
    with src.block("def recognise(x, S):"):
        src(f"return {' and '.join(tests) or 'True'}")
    return src.function("recognise", f"{spec.system}/{spec.message}/{m.name} recognise")


def _shared(spec: TableSpec) -> dict[tuple[int, str], bool]:
    """Which top names of a record element several maps (or an element further inside) give, by the depth of the element."""
    givers: dict[tuple[Lists, str], set[str]] = {}
    for m in spec.maps:
        own = frames_of(m)
        for (lists, parts), found, how in paths_read(m):
            if how == "key" or not parts:
                continue
            inside = len(found.lists) > len(own) and len(lists) <= len(own)
            givers.setdefault((lists, parts[0]), set()).add(m.name + ("*" if inside else ""))
        for found in find(m):
            each = getattr(found.node, "each", None)
            if each is not None and each.parts:
                outer = found.lists[:-1]
                givers.setdefault((outer, each.parts[0]), set()).add(m.name)
    result: dict[tuple[int, str], bool] = {}
    for (lists, name), names in givers.items():
        result[len(lists), name] = result.get((len(lists), name), False) or len(names) > 1
    return result


def _plant(tree: dict[str, Any], parts: tuple[str, ...]) -> None:
    for part in parts[:-1]:
        below = tree.setdefault(part, {})
        if below is None:
            return
        tree = below
    if not parts:
        return
    if tree.get(parts[-1]) is None:
        tree[parts[-1]] = tree.get(parts[-1]) if parts[-1] in tree else None


def _unknown(value: Any, known: dict[str, Any], place: str, found: list[str]) -> None:
    """Collect the leaves below `value` whose names the tree does not have."""
    if isinstance(value, list):
        for j, below in enumerate(value):
            if isinstance(below, dict | list):
                _unknown(below, known, f"{place}[{j}]", found)
    elif isinstance(value, dict):
        for name, below in value.items():
            tree = known.get(name, value)  # the value itself: not a tree of names, so no such name
            if not tree:  # read whole
                continue
            at = f"{place}.{name}" if place else name
            if tree is value:
                found += leaves(below, at)
            elif isinstance(below, dict | list):
                _unknown(below, tree, at, found)


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
