"""What may be wrong with the maps of a message, found before any of them runs; every fault at once.

A map that could lose or guess something does not start: a path that nothing can give back, a hole in a place that FHIR
does not have, a reference that no one can follow, two maps that cannot be told apart.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapter.mapping import check_map, check_ways
from adapter.mapping.faults import Fault, Faults, did_you_mean, nearest
from adapter.mapping.plan import Cycle, plan_fill, refs
from adapter.mapping.spec import Step, TableSpec, find, frames_of, paths_read
from adapter.mapping.tree import Hole, Map

StepOf = Callable[[str], Step | None]


def check_table(
    spec: TableSpec,
    step: StepOf,
    direction: str,
    schema: dict[str, Any] | None,
    speaks_fhir: bool,
    manifest: Faults,
    found: list[Fault],
) -> None:
    """Fill `spec.steps`, and add every fault of the table to `found` (and of the manifest to `manifest`)."""
    if not spec.maps:
        manifest.add(1, f"{spec.message}: no map could be read", "", "list its maps under maps:")
    faults = {m.name: Faults(m.file) for m in spec.maps}
    sound = [_steps(spec, m, step, faults[m.name]) for m in spec.maps]
    sound += [_references(spec, m, faults[m.name]) for m in spec.maps]
    for m in spec.maps:
        check_map.elements(spec, m, faults[m.name])
        check_map.paths(m, schema, faults[m.name])
        check_map.arrays(m, faults[m.name])
        check_map.words(m, speaks_fhir, faults[m.name])
    check_ways.twins(spec, faults)
    if all(sound):
        for m in spec.maps:
            check_ways.lists(spec, m, faults[m.name])
            check_ways.one_way(spec, m, faults[m.name])
        _rings(spec, faults)
        # Match must be able to give every path back: of a written message, and of the native half of a read one.
        if direction == "both" or (direction == "write") != spec.native:
            check_ways.reversal(spec, faults)
    for one in faults.values():
        found += one.found


def _steps(spec: TableSpec, m: Map, step: StepOf, faults: Faults) -> bool:
    """Find what the map's codec names mean; whether all were found."""
    sound = True
    for found in find(m):
        for name in found.node.codecs if isinstance(found.node, Hole) else ():
            made = step(name)
            if made is None:
                known: list[str] = getattr(getattr(step, "__self__", None), "names", list)()
                line = found.node.line if isinstance(found.node, Hole) else 1
                faults.add(
                    line,
                    f"{name} is neither a ConceptMap nor a codec{did_you_mean(nearest(name, known))}",
                    "",
                    f"add codes/{name}.json, or mend the name",
                )
                sound = False
            else:
                spec.steps[name] = made
    return sound


def _references(spec: TableSpec, m: Map, faults: Faults) -> bool:
    """Every `$ref` leads to a map of the message; whether all did."""
    sound = True
    for ref in refs(m):
        target = spec.by_name.get(ref.map)
        if target is None:
            faults.add(
                ref.line,
                f"$ref {ref.map}: the message has no such map{did_you_mean(nearest(ref.map, spec.by_name))}",
                "",
                "list the map in the manifest, or mend the name",
            )
            sound = False
        elif ref.by is not None and target.id is None and not _key_held(target):
            faults.add(
                ref.line,
                f"$ref {ref.map} by {ref.by}: no hole of {ref.map} holds its key",
                "match could not tell which key the reference means",
                "put the key into a hole of that map, for example an identifier",
            )
    return sound


def _key_held(target: Map) -> bool:
    held = {at for at, _, how in paths_read(target) if how == "hole"}
    keys = {at for at, _, how in paths_read(target) if how == "key"}
    return bool(keys) and keys <= held


def _rings(spec: TableSpec, faults: dict[str, Faults]) -> None:
    """No maps that refer to each other in a ring."""
    try:
        groups = plan_fill(spec)
        for lists in {frames_of(m)[:n] for m in spec.maps for n in range(m.depth + 1)}:
            groups.order(lists)
    except Cycle as ring:
        faults[ring.names[0]].add(
            1,
            f"these maps refer to each other in a ring: {ring}",
            "each would need the other first",
            "give one of them a key, or no $when at its head",
        )
