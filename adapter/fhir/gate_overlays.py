"""Profiles and known extensions, judged on what base R4 has passed: by their schema, and by the rules that stand beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from adapter.fhir.gate_faults import Cut, read_error
from adapter.fhir.gate_lists import Lists
from adapter.fhir.gate_parts import Part
from adapter.fhir.gate_walk import Place, render
from adapter.fhir.issue_text import say
from adapter.fhir.outcome import Issue
from adapter.fhir.schema.overlay import Overlay
from adapter.fhir.schema.selection import select

Json = dict[str, Any]


#: The overlay by which a resource or extension is judged, that itself, the part it stands in and its place.
Judged = tuple[Overlay, Json, Part, Place]


def by_schema(
    judged: Iterable[Judged],
    overlays: Lists,
    types: Mapping[str, Json],
    cuts: Mapping[int, list[Cut]],
) -> Iterator[Issue]:
    """What the overlays' schemas refuse, but for what was cut out of the resource since the base refuses it already."""
    lists: dict[str, list[Judged]] = {}
    for one in judged:
        if one[0].schema:
            lists.setdefault(one[0].name, []).append(one)
    if not lists:
        return
    batch = {name: [node for _, node, _, _ in found] for name, found in lists.items()}
    _, validator, schema = overlays.of(batch)
    if validator.is_valid(batch):
        return
    for error in validator.iter_errors(batch):
        overlay, _, part, place = lists[str(error.instance_path[0])][int(error.instance_path[1])]
        refused = read_error(error, schema, render(place), overlay.type, types)
        yield from (issue for issue in refused.issues if not _is_cut(issue["expression"][0], cuts.get(id(part), ())))


def _is_cut(path: str, cuts: Sequence[Cut]) -> bool:
    return any(path == cut.path or path.startswith((f"{cut.path}.", f"{cut.path}[")) for cut in cuts)


def by_rules(judged: Iterable[Judged], allowed: dict[int, frozenset[str]] | None) -> list[Issue]:
    """The constraints that are not met; notes in `allowed`, by id() of a reference, the types that profiles leave to it.

    allowed: None where there is no reference to judge.
    """
    issues: list[Issue] = []
    for overlay, node, part, place in judged:
        for targets in overlay.targets if allowed is not None else ():
            assert allowed is not None
            for reference, _ in select(node, targets.steps):
                before = allowed.get(id(reference))
                allowed[id(reference)] = targets.types if before is None else before & targets.types
        for steps, rules, broken in overlay.constraints:
            if steps:
                found = [(index, path) for one, path in select(node, steps) for index in broken(one, part.resource)]
                found.sort(key=itemgetter(0))
            else:
                found = [(index, "") for index in broken(node, part.resource)]
            for index, path in found:
                rule = rules[index]
                issues.append(say("profile", render(place) + path, severity=rule.severity, key=rule.key, text=rule.text))
    return issues
