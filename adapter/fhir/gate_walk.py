"""One walk over a resource that the schema has passed: what JSON Schema cannot see, with the place of each finding.

It looks at integers written as decimals, nulls that nothing stands for, modifier extensions and rules that nobody here knows,
extensions where they do not belong and the checks of `gate_checks`; and it collects the references, which the gate judges when
it knows every resource.
A place is built as a chain (parent, element, index) and becomes a FHIRPath only when something is found.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from adapter.fhir.gate_checks import CHECKS, Check
from adapter.fhir.schema.primitives import INTEGERS

Json = dict[str, Any]
#: The root's FHIRPath, or (place of the parent, element, index or -1).
Place = str | tuple[Any, "Element", int]
#: (rule, place)
Finding = tuple[str, Place]
#: (reference that says where it leads or to what type, the element it is the value of, place)
Found = tuple[Json, "Element", Place]

TYPED, REFERENCE, INTEGER, PRIMITIVES, RULES, SIBLING, SIBLINGS, EXTENSION, MODIFIER = range(9)


class Element:
    """An element that the walk has something to do with: its FHIRPath name, its path in the definition, and what to do."""

    __slots__ = ("kind", "many", "name", "node", "path", "targets", "type")

    def __init__(self, name: str, path: str, type_: str, kind: int, many: bool) -> None:
        self.name, self.path, self.type, self.kind, self.many = name, path, type_, kind, many
        self.node: Node
        self.targets: frozenset[str] | None = None


class Node:
    """A type: the elements to visit, by JSON name, and the names that need no visit; worked out when first asked for."""

    __slots__ = ("_nodes", "_rows", "check", "name", "path", "plain", "table")
    table: dict[str, Element]
    plain: frozenset[str]

    def __init__(self, name: str, path: str, rows: Mapping[str, Json], nodes: dict[str, Node]) -> None:
        self.name, self.path, self._rows, self._nodes = name, path, rows, nodes
        self.check: Check | None = CHECKS.get(name)

    def __getattr__(self, name: str) -> Any:
        # Reached only while the slot is empty. Two threads work out the same.
        if name not in ("plain", "table"):
            raise AttributeError(name)
        self.plain, self.table = _visits(self, self._rows, self._nodes)
        return getattr(self, name)


def build(types: Mapping[str, Json]) -> dict[str, Node]:
    """The type table in the form that the walk uses."""
    nodes: dict[str, Node] = {}
    for name, entry in types.items():
        nodes[name] = Node(name, entry["path"], entry["elements"], nodes)
    sibling = nodes["Element"] = Node("Element", "Element", {}, nodes)
    extension = Element("extension", "Element.extension", "Extension", EXTENSION, True)
    extension.node = nodes["Extension"]
    sibling.table = {"extension": extension}
    sibling.plain = frozenset({"id"})
    return nodes


def _visits(node: Node, rows: Mapping[str, Json], nodes: dict[str, Node]) -> tuple[frozenset[str], dict[str, Element]]:
    table: dict[str, Element] = {}
    plain = {"resourceType"}
    for json_name, row in rows.items():
        element = _element(node, json_name, row, nodes)
        if element is None:
            plain.add(json_name)
        else:
            table[json_name] = element
        if row.get("p"):
            base = row.get("b", json_name)
            beside = Element(base, f"{node.path}.{base}", row["t"], SIBLINGS if row.get("l") else SIBLING, bool(row.get("l")))
            beside.node = nodes["Element"]
            table[f"_{json_name}"] = beside
    return frozenset(plain), table


def _element(owner: Node, json_name: str, row: Json, nodes: dict[str, Node]) -> Element | None:
    """None for what needs no visit: most single primitives, and resources (they are walked by themselves)."""
    type_, many, name = row["t"], bool(row.get("l")), row.get("b", json_name)
    if type_ == "Resource":
        return None
    if json_name == "implicitRules":
        return Element(name, f"{owner.path}.{name}", type_, RULES, many)
    if row.get("p"):
        if type_ not in INTEGERS and not many:
            return None
        return Element(name, f"{owner.path}.{name}", type_, INTEGER if type_ in INTEGERS else PRIMITIVES, many)
    kinds = {"extension": EXTENSION, "modifierExtension": MODIFIER}
    kind = kinds.get(json_name, REFERENCE if type_ == "Reference" else TYPED)
    element = Element(name, f"{owner.path}.{name}", type_, kind, many)
    element.node = nodes[type_]
    if row.get("r"):
        element.targets = frozenset(row["r"])
    return element


class KnownExtension(Protocol):
    """What the walk asks of an extension that is known: the paths and types it may stand on, None where that is not checked."""

    @property
    def contexts(self) -> frozenset[str] | None:
        """The paths and types, as StructureDefinition.context names them."""
        ...


Known = TypeVar("Known", bound=KnownExtension)


class Walk(Generic[Known]):
    """The findings, the references and the known extensions of one resource.

    extensions: by url; modifiers: urls that a known profile names as modifiers.
    """

    __slots__ = ("extensions", "found", "known", "modifiers", "references")

    def __init__(self, extensions: Mapping[str, Known], modifiers: Collection[str]) -> None:
        self.extensions, self.modifiers = extensions, modifiers
        self.found: list[Finding] = []
        self.known: list[tuple[Json, Known, Place]] = []
        self.references: list[Found] = []

    def node(self, value: Json, node: Node, place: Place) -> None:
        """Walks one object of this type."""
        table = node.table
        for key, item in value.items():
            element = table.get(key)
            if element is None:
                continue
            kind = element.kind
            if kind <= REFERENCE:
                child = element.node
                # Most objects end here: a leaf of plain elements, which needs neither a place nor a call.
                if not element.many:
                    if kind == REFERENCE and ("reference" in item or "type" in item):
                        self.references.append((item, element, (place, element, -1)))
                    if child.check is not None or not child.plain.issuperset(item):
                        self.node(item, child, (place, element, -1))
                    continue
                for index, one in enumerate(item):
                    if kind == REFERENCE and ("reference" in one or "type" in one):
                        self.references.append((one, element, (place, element, index)))
                    if child.check is not None or not child.plain.issuperset(one):
                        self.node(one, child, (place, element, index))
            elif kind >= EXTENSION:
                self._extensions(item, element, node, place)
            else:
                self._primitive(value, key, item, element, place)
        if node.check is not None:
            broken = node.check(value)
            if broken is not None:
                self.found.append((broken, place))

    def _extensions(self, items: list[Json], element: Element, owner: Node, place: Place) -> None:
        for index, one in enumerate(items):
            here = (place, element, index)
            url = one.get("url")
            known = self.extensions.get(url) if url is not None else None
            if known is not None:
                self.known.append((one, known, here))
                if known.contexts is not None and not _belongs(known.contexts, owner, place):
                    self.found.append(("extension-context", here))
            if element.kind == MODIFIER and url not in self.modifiers:
                self.found.append(("modifier-extension", here))
            if not element.node.plain.issuperset(one):
                self.node(one, element.node, here)

    def _primitive(self, owner: Json, key: str, item: Any, element: Element, place: Place) -> None:
        kind = element.kind
        if kind == INTEGER:
            if not element.many:
                if type(item) is not int:
                    self.found.append(("integer", (place, element, -1)))
                return
            for index, one in enumerate(item):
                if type(one) is not int and one is not None and one != {}:
                    self.found.append(("integer", (place, element, index)))
        if kind == RULES:
            # A modifier element: who does not know these rules must not act on the resource. None are known here.
            # https://hl7.org/fhir/R4/resource-definitions.html#Resource.implicitRules
            self.found.append(("implicit-rules", (place, element, -1)))
        elif kind == SIBLING:
            if key[1:] not in owner and "extension" not in item:
                self.found.append(("ele-1", (place, element, -1)))
            self.node(item, element.node, (place, element, -1))
        elif kind == SIBLINGS:
            self._siblings(owner.get(key[1:], ()), item, element, place)
        elif None in item:
            beside = owner.get(f"_{key}", ())
            for index, one in enumerate(item):
                if one is None and (len(beside) <= index or beside[index] is None):
                    self.found.append(("null", (place, element, index)))

    def _siblings(self, values: list[Any], items: list[Any], element: Element, place: Place) -> None:
        for index, one in enumerate(items):
            here = (place, element, index)
            valued = len(values) > index and values[index] is not None
            if one is None:
                if not valued:
                    self.found.append(("null", here))
            else:
                if not valued and "extension" not in one:
                    self.found.append(("ele-1", here))
                self.node(one, element.node, here)


def _belongs(contexts: Iterable[str], owner: Node, place: Place) -> bool:
    """Whether one of the contexts is the element that carries the extension: by its path, its type or what it descends from."""
    names = {owner.name, owner.path, "Element"}
    if isinstance(place, str):
        names |= {"Resource", "DomainResource"}
    else:
        names |= {place[1].path, place[1].type}
        if "." in owner.path:
            names.add("BackboneElement")
    return not names.isdisjoint(contexts)


def render(place: Place) -> str:
    """The FHIRPath of a place."""
    steps: list[str] = []
    while not isinstance(place, str):
        parent, element, index = place
        steps.append(f".{element.name}[{index}]" if index >= 0 else f".{element.name}")
        place = parent
    return place + "".join(reversed(steps))
