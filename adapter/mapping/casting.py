"""Casting: the maps of a table as the roles of a match, in the order in which the walk visits them, and their functions."""

from __future__ import annotations

from typing import Any

from adapter.mapping.plan import Groups, Lists, refs
from adapter.mapping.recognition import by_type, literals, recogniser
from adapter.mapping.roles import Cast, Role
from adapter.mapping.spec import TableSpec, find, frames_of, paths_read
from adapter.mapping.tree import Map, Ref


def cast(spec: TableSpec, groups: Groups, *, trace: bool) -> Cast:
    """The roles of a table; where they trace, each capture leaves a lineage row."""
    shared = _shared(spec)
    made = []
    for m in _in_order(spec):
        key = m.id or (m.key[0] if len(m.key) == 1 else None)
        role = Role(
            m.name,
            m.type,
            frames_of(m),
            len(literals(m.root)),
            _direct(spec, m),
            _join(spec, m),
            m.id is not None,
            key.parts if key is not None else None,
        )
        _compiled_late(role, spec, groups, m, shared, trace)
        made.append(role)
    return Cast(tuple(made))


def _compiled_late(role: Role, spec: TableSpec, groups: Groups, m: Map, shared: dict[tuple[int, str], bool], trace: bool) -> None:
    """Give a role its functions, each compiled when it is first called: a message seldom has resources of every map."""

    def recognise(*values: Any) -> bool:
        role.recognise = recogniser(spec, m)
        return role.recognise(*values)

    def match(*values: Any) -> bool:
        from adapter.mapping.match import MatchWriter  # reading seldom needs it

        role.match = MatchWriter(spec, groups, m, shared, trace).compile()
        return role.match(*values)

    role.recognise, role.match = None if by_type(m) else recognise, match


def _join(spec: TableSpec, m: Map) -> tuple[str, tuple[str, ...]] | None:
    """The map whose element this one joins (same list first, else the parent list), and the reference's path."""
    best: tuple[int, str, tuple[str, ...]] | None = None
    own = frames_of(m)
    for found in find(m):
        node = found.node
        if not isinstance(node, Ref) or node.by is not None:
            continue
        target = spec.by_name[node.map]
        lists = frames_of(target)
        if target.each and own[: len(lists)] == lists and target.name != m.name and (best is None or len(lists) > best[0]):
            best = (len(lists), node.map, found.element)
    return (best[1], best[2]) if best else None


def _direct(spec: TableSpec, m: Map) -> bool:
    """Whether a resource shows by itself that it is this map's: no other map of the type has the same literals."""
    mine = literals(m.root)
    return all(literals(o.root) != mine for o in spec.maps if o.type == m.type and o.name != m.name)


def _in_order(spec: TableSpec) -> list[Map]:
    """The maps, each after those that its own visit needs: who refers to it, whom it joins, whose key it asks for."""
    after: dict[str, set[str]] = {m.name: set() for m in spec.maps}
    for m in spec.maps:
        join = _join(spec, m)
        if join:
            after[m.name].add(join[0])
        for ref in refs(m):
            target = spec.by_name[ref.map]
            if ref.by is not None:
                if target.id is None and target.name != m.name:
                    after[m.name].add(target.name)
            elif not target.each and target.name != m.name:
                after[target.name].add(m.name)
    done: list[Map] = []
    names: set[str] = set()
    while len(done) < len(spec.maps):
        ready = [m for m in spec.maps if m.name not in names and after[m.name] <= names]
        chosen = ready[0] if ready else next(m for m in spec.maps if m.name not in names)
        done.append(chosen)
        names.add(chosen.name)
    return done


def _shared(spec: TableSpec) -> dict[tuple[int, str], bool]:
    """Which top names of a record element several maps (or an element further inside) give, by the depth of the element."""
    givers: dict[tuple[Lists, str], set[str]] = {}
    for m in spec.maps:
        own = frames_of(m)
        for (lists, parts), found, how in paths_read(m):
            if how == "key" or not parts:
                continue
            inside = len(found.lists) > len(own) and len(lists) <= len(own)
            # A map that loops gives a path of an outer element once for every turn: each must agree with the last.
            looped = len(lists) < len(own) and how == "hole"
            givers.setdefault((lists, parts[0]), set()).update(
                {m.name, f"{m.name}*"} if looped else {m.name + ("*" if inside else "")}
            )
        for found in find(m):
            each = getattr(found.node, "each", None)
            if each is not None and each.parts:
                outer = found.lists[:-1]
                givers.setdefault((outer, each.parts[0]), set()).add(m.name)
    result: dict[tuple[int, str], bool] = {}
    for (lists, name), names in givers.items():
        result[len(lists), name] = result.get((len(lists), name), False) or len(names) > 1
    return result
