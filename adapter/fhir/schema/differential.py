"""A profile's differential as a tree of elements and slices, with what its parent profiles say merged in.

Built from the ids of the elements ("Patient.identifier:nhsNumber.system"), which say the slice at every step; the parents are
looked up among the profiles given, and end where a core type begins. https://hl7.org/fhir/R4/elementdefinition.html#id
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from adapter.fhir.schema.valuesets import bare

Json = dict[str, Any]


#: Keys of an ElementDefinition that make no rule by themselves.
_SILENT = frozenset(
    "id path sliceName short definition comment requirements alias mustSupport isSummary isModifier isModifierReason example "
    "mapping label code condition meaningWhenMissing orderMeaning extension".split()
)


class Branch:
    """One element: what is said of it, its children by name (`value[x]` for a choice), its slices by name."""

    __slots__ = ("children", "element", "id", "slices")

    def __init__(self, id_: str) -> None:
        self.id = id_
        self.element: Json = {}
        self.children: dict[str, Branch] = {}
        self.slices: dict[str, Branch] = {}

    @property
    def has_rules(self) -> bool:
        """Whether anything is said here or below that a message could break."""
        return any(_says_something(one.element) for one in self.walk())

    def walk(self) -> Iterator[Branch]:
        """This branch and all below."""
        yield self
        for below in (*self.children.values(), *self.slices.values()):
            yield from below.walk()


def tree(structure: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]) -> Branch:
    """The tree of a StructureDefinition. known: profiles by url, in which parents are found."""
    root = Branch(structure["type"])
    for one in reversed(list(_lineage(structure, known))):
        for element in one.get("differential", {}).get("element", ()):
            _add(root, element)
    _inherit(root)
    return root


def _lineage(structure: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    seen: set[str] = set()
    current: Mapping[str, Any] | None = structure
    while current is not None and current["url"] not in seen:
        seen.add(current["url"])
        yield current
        current = known.get(bare(current.get("baseDefinition", "")))


def _says_something(element: Json) -> bool:
    keys = set(element) - _SILENT
    if element.get("binding", {}).get("strength") != "required":
        keys.discard("binding")
    return bool(keys)


def _inherit(branch: Branch) -> None:
    """Slices inside a slice learn from those of the same name beside it: what is said of every item holds for the slice's too.

    UK Core says the system of `Observation.component.code.coding:loinc` once, and not again in `component:SystolicBP`.
    """
    for one in branch.slices.values():
        _learn(one, branch)
    for below in (*branch.children.values(), *branch.slices.values()):
        _inherit(below)


def _learn(one: Branch, general: Branch) -> None:
    for name, child in one.children.items():
        beside = general.children.get(name)
        if beside is None:
            continue
        if beside.slices and "slicing" in beside.element:
            child.element.setdefault("slicing", beside.element["slicing"])
        for slice_name, inner in child.slices.items():
            if slice_name in beside.slices:
                _complete(inner, beside.slices[slice_name])
        _learn(child, beside)


def _complete(one: Branch, other: Branch) -> None:
    """Adds what `other` says and `one` does not."""
    one.element = {**other.element, **one.element}
    for name, child in other.children.items():
        below = one.children.get(name)
        if below is None:
            below = one.children[name] = Branch(f"{one.id}.{name}")
        _complete(below, child)


def _add(root: Branch, element: Json) -> None:
    branch = root
    for step in _steps(element):
        name, _, slice_name = step.partition(":")
        below = branch.children.get(name)
        if below is None:
            below = branch.children[name] = Branch(f"{branch.id}.{name}")
        branch = below
        if slice_name:
            below = branch.slices.get(slice_name)
            if below is None:
                below = branch.slices[slice_name] = Branch(f"{branch.id}:{slice_name}")
            branch = below
    constraints = [*branch.element.get("constraint", ()), *element.get("constraint", ())]
    branch.element = {**branch.element, **element}
    if constraints:
        branch.element["constraint"] = list({one["key"]: one for one in constraints}.values())


def _steps(element: Json) -> list[str]:
    """The steps below the root. An element without id is taken by its path, with its slice at the end."""
    text: str = element.get("id") or element["path"]
    if "id" not in element and "sliceName" in element:
        text += f":{element['sliceName']}"
    return text.split(".")[1:]
