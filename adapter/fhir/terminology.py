"""ConceptMaps, both ways: as the table in which a map's hole looks codes up, and as FHIR's own $translate.

https://hl7.org/fhir/R4/conceptmap.html · https://hl7.org/fhir/R4/conceptmap-operation-translate.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

#: ConceptMapEquivalence, and the same relation seen from the target.
#: https://hl7.org/fhir/R4/valueset-concept-map-equivalence.html
REVERSED = {
    "relatedto": "relatedto",
    "equivalent": "equivalent",
    "equal": "equal",
    "wider": "narrower",
    "subsumes": "specializes",
    "narrower": "wider",
    "specializes": "subsumes",
    "inexact": "inexact",
    "unmatched": "unmatched",
    "disjoint": "disjoint",
}
_NO_TRANSLATION = ("unmatched", "disjoint")


@dataclass(frozen=True, slots=True)
class Row:
    """A source code and what it becomes; target None: deliberately nothing. Displays and comment "" where not given."""

    code: str
    target: str | None
    equivalence: str
    display: str = ""
    target_display: str = ""
    comment: str = ""


class CodeMap:
    """A ConceptMap of one group, as tables. Nothing raises: what is wrong with the map stands in `faults`.

    name, url; source, target: URIs of the two code systems
    rows: source code -> its Row, in the map's order
    forward: source code -> target code, None where the map says that nothing corresponds (`unmatched`)
    display: source code -> display of its target, where the map gives one
    backward: target code -> source code; None where source codes share a target, so that none can be chosen
    faults: sentences for the map's author; a map that has any is not to be used
    """

    __slots__ = ("backward", "display", "faults", "forward", "name", "rows", "source", "target", "url")

    def __init__(self, concept_map: Mapping[str, Any]) -> None:
        self.name = _text(concept_map, "name") or _text(concept_map, "id")
        self.url = _text(concept_map, "url")
        self.rows: dict[str, Row] = {}
        self.faults: list[str] = []
        groups = _objects(concept_map, "group")
        group = groups[0] if groups else {}
        self.source, self.target = _text(group, "source"), _text(group, "target")
        if concept_map.get("resourceType") != "ConceptMap":
            self.faults.append("resourceType is not ConceptMap")
        if len(groups) == 1:
            self._fill(group)
        else:
            self.faults.append(f"has {len(groups)} groups: a table of codes has exactly one")
        self.forward: dict[str, str | None] = {code: row.target for code, row in self.rows.items()}
        self.display = {code: row.target_display for code, row in self.rows.items() if row.target_display}
        reached = [(row.target, code) for code, row in self.rows.items() if row.target is not None]
        backward = dict(reached)
        self.backward: dict[str, str] | None = backward if len(backward) == len(reached) else None

    def _fill(self, group: Mapping[str, Any]) -> None:
        ends = [end for end in ("source", "target") if not _text(group, end)]
        self.faults += [f"group[0].{end} is missing: a code needs its system" for end in ends]
        if "unmapped" in group:
            self.faults.append("group[0].unmapped: a code that the table does not hold is reported, never replaced")
        elements = _objects(group, "element")
        if not elements:
            self.faults.append("group[0] has no element")
        for at, element in enumerate(elements):
            found = list(_element_faults(element))
            code = _text(element, "code")
            if code in self.rows:
                found.append("the same code has an element before this one")
            elif code and not found:
                self.rows[code] = _row(code, element, _objects(element, "target")[0])
            self.faults += [f"group[0].element[{at}] ({code}): {fault}" for fault in found]


def translate(
    concept_map: Mapping[str, Any], code: str, system: str, *, reverse: bool = False, target_system: str | None = None
) -> dict[str, Any]:
    """The Parameters with which ConceptMap/$translate answers: result, message where it is needed, and every match.

    Takes any ConceptMap, with several groups, several targets and unmapped. system must be the group's source (reverse: its
    target) exactly; target_system, where given, the other end. result is true only where a match is a translation.
    """
    matches: list[dict[str, Any]] = []
    reasons: list[str] = []
    near, far = ("target", "source") if reverse else ("source", "target")
    groups = [
        group
        for group in _objects(concept_map, "group")
        if _text(group, near) == system and target_system in (None, _text(group, far))
    ]
    if not groups:
        reasons.append(f"The map has no group with this {near} system{'' if target_system is None else f' and {far} system'}.")
    for group in groups:
        found = list(_backward(group, code) if reverse else _forward(group, code, reasons))
        matches += [_match(equivalence, concept, _text(concept_map, "url")) for equivalence, concept in found]
        if not found and not reasons:
            reasons.append(f"The map does not have this code as a {near}.")
    result = any(match["part"][0]["valueCode"] not in _NO_TRANSLATION for match in matches)
    if matches and not result:
        reasons.append("The map says that nothing corresponds to this code.")
    parameters: list[dict[str, Any]] = [{"name": "result", "valueBoolean": result}]
    if reasons and not result:
        parameters.append({"name": "message", "valueString": " ".join(reasons)})
    return {"resourceType": "Parameters", "parameter": parameters + matches}


_Found = tuple[str, dict[str, Any]]


def _forward(group: Mapping[str, Any], code: str, reasons: list[str]) -> Iterator[_Found]:
    elements = [element for element in _objects(group, "element") if _text(element, "code") == code]
    for element in elements:
        for target in _objects(element, "target"):
            if "dependsOn" in target:
                reasons.append("A target of this code depends on more than the code, which is not supported.")
            else:
                yield _text(target, "equivalence"), _coding(_text(group, "target"), target)
    unmapped = group.get("unmapped")
    if elements or not isinstance(unmapped, dict):
        return
    # How the code in use for all others relates to this one the map does not say: relatedto claims least.
    match unmapped.get("mode"):
        case "provided":
            yield "relatedto", _coding(_text(group, "target"), {"code": code})
        case "fixed":
            yield "relatedto", _coding(_text(group, "target"), unmapped)
        case "other-map":
            reasons.append("The map leaves this code to another map, which is not followed.")


def _backward(group: Mapping[str, Any], code: str) -> Iterator[_Found]:
    for element in _objects(group, "element"):
        for target in _objects(element, "target"):
            if _text(target, "code") == code and "dependsOn" not in target:
                equivalence = _text(target, "equivalence")
                yield REVERSED.get(equivalence, equivalence), _coding(_text(group, "source"), element)


def _match(equivalence: str, concept: dict[str, Any], url: str) -> dict[str, Any]:
    part: list[dict[str, Any]] = [{"name": "equivalence", "valueCode": equivalence}]
    if concept.get("code"):
        part.append({"name": "concept", "valueCoding": concept})
    if url:
        part.append({"name": "source", "valueUri": url})
    return {"name": "match", "part": part}


def _coding(system: str, said: Mapping[str, Any]) -> dict[str, Any]:
    coding = {"system": system, "code": _text(said, "code"), "display": _text(said, "display")}
    return {key: value for key, value in coding.items() if value}


def _element_faults(element: Mapping[str, Any]) -> Iterator[str]:
    if not _text(element, "code"):
        yield "code is missing"
    targets = _objects(element, "target")
    if len(targets) != 1:
        yield f"has {len(targets)} targets: a table of codes has one for each code, unmatched where nothing corresponds"
        return
    target, equivalence = targets[0], _text(targets[0], "equivalence")
    if equivalence not in REVERSED:
        yield "target.equivalence is missing or not one of R4's codes"
    elif equivalence == "disjoint":
        yield "target.equivalence is disjoint: what never means the same is no translation"
    elif (equivalence == "unmatched") == bool(_text(target, "code")):
        yield "target.code and target.equivalence disagree: unmatched, and that alone, has no code"
    elif equivalence in ("narrower", "inexact") and not _text(target, "comment"):
        yield f"target.equivalence {equivalence} needs a comment (cmd-1)"  # https://hl7.org/fhir/R4/conceptmap.html#invs
    if "dependsOn" in target or "product" in target:
        yield "target.dependsOn and target.product: a table of codes knows the code alone"


def _row(code: str, element: Mapping[str, Any], target: Mapping[str, Any]) -> Row:
    return Row(
        code=code,
        target=_text(target, "code") or None,
        equivalence=_text(target, "equivalence"),
        display=_text(element, "display"),
        target_display=_text(target, "display"),
        comment=_text(target, "comment"),
    )


def _text(node: Mapping[str, Any], key: str) -> str:
    value = node.get(key)
    return value if isinstance(value, str) else ""


def _objects(node: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    value = node.get(key)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
