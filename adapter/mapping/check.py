"""What may be wrong with the maps of a message, found before any of them runs; every fault at once.

A map that could lose or guess something does not start: a path that nothing can give back, a hole in a place that FHIR
does not have, a reference that no one can follow, two maps that cannot be told apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from adapter.fhir.schema import tables
from adapter.mapping.faults import Fault, Faults, did_you_mean, nearest
from adapter.mapping.plan import Cycle, plan_fill, refs
from adapter.mapping.recognition import literals
from adapter.mapping.safety import names_safety
from adapter.mapping.spec import Found, Place, Step, TableSpec, find, frames_of, paths_read, show
from adapter.mapping.tree import Array, Hole, Map, Object, Ref, Rest


def check_table(
    spec: TableSpec,
    step: Callable[[str], Step | None],
    direction: str,
    schema: dict[str, Any] | None,
    speaks_fhir: bool,
    manifest: Faults,
    found: list[Fault],
) -> None:
    """Fill `spec.steps`, and add every fault of the table to `found` (and of the manifest to `manifest`)."""
    checker = _Checker(spec, step, direction, schema, speaks_fhir)
    if not spec.maps:
        manifest.add(1, f"{spec.message}: no map could be read", "", "list its maps under maps:")
    checker.run()
    found += checker.found


class _Checker:
    def __init__(
        self,
        spec: TableSpec,
        step: Callable[[str], Step | None],
        direction: str,
        schema: dict[str, Any] | None,
        speaks_fhir: bool,
    ) -> None:
        self.spec, self.step, self.direction, self.schema, self.speaks_fhir = spec, step, direction, schema, speaks_fhir
        self.found: list[Fault] = []

    def add(self, m: Map, line: int, what: str, why: str = "", mend: str = "") -> None:
        self.found.append(Fault(str(m.file), line, what, why, mend))

    def run(self) -> None:
        sound = [self.steps(m) for m in self.spec.maps]
        sound += [self.references(m) for m in self.spec.maps]
        for m in self.spec.maps:
            self.elements(m)
            self.paths(m)
            self.arrays(m)
            self.words(m)
        self.twins()
        if all(sound):
            for m in self.spec.maps:
                self.lists(m)
                self.one_way(m)
            try:
                groups = plan_fill(self.spec)
                for lists in {frames_of(m)[:n] for m in self.spec.maps for n in range(m.depth + 1)}:
                    groups.order(lists)
            except Cycle as ring:
                first = self.spec.by_name[ring.names[0]]
                self.add(
                    first,
                    1,
                    f"these maps refer to each other in a ring: {ring}",
                    "each would need the other first",
                    "give one of them a key, or no $when at its head",
                )
            if self.writing:
                self.reversal()

    @property
    def writing(self) -> bool:
        """Whether match must be able to give every path back: a written message, and the native half of a read one."""
        return self.direction == "both" or (self.direction == "write") != self.spec.native

    # names --------------------------------------------------------------------------------------------------------
    def steps(self, m: Map) -> bool:
        sound = True
        for found in find(m):
            for name in found.node.codecs if isinstance(found.node, Hole) else ():
                made = self.step(name)
                if made is None:
                    known: list[str] = getattr(getattr(self.step, "__self__", None), "names", list)()
                    line = found.node.line if isinstance(found.node, Hole) else 1
                    self.add(
                        m,
                        line,
                        f"{name} is neither a ConceptMap nor a codec{did_you_mean(nearest(name, known))}",
                        "",
                        f"add codes/{name}.json, or mend the name",
                    )
                    sound = False
                else:
                    self.spec.steps[name] = made
        return sound

    def references(self, m: Map) -> bool:
        sound = True
        for ref in refs(m):
            target = self.spec.by_name.get(ref.map)
            if target is None:
                self.add(
                    m,
                    ref.line,
                    f"$ref {ref.map}: the message has no such map{did_you_mean(nearest(ref.map, self.spec.by_name))}",
                    "",
                    "list the map in the manifest, or mend the name",
                )
                sound = False
            elif ref.by is not None and target.id is None and not self._key_held(target):
                self.add(
                    m,
                    ref.line,
                    f"$ref {ref.map} by {ref.by}: no hole of {ref.map} holds its key",
                    "match could not tell which key the reference means",
                    "put the key into a hole of that map, for example an identifier",
                )
        return sound

    @staticmethod
    def _key_held(target: Map) -> bool:
        held = {at for at, _, how in paths_read(target) if how == "hole"}
        keys = {at for at, _, how in paths_read(target) if how == "key"}
        return bool(keys) and keys <= held

    # FHIR ---------------------------------------------------------------------------------------------------------
    def elements(self, m: Map) -> None:
        """Every key of a map is an element of its FHIR type. (STU3 maps of other systems are checked by their own tests.)"""
        if self.spec.native and self.spec.release != "R4":
            return
        types = fhir_types()
        if m.type not in types:
            self.add(
                m, 1, f"{m.type} is no resource type that is known{did_you_mean(nearest(m.type, types))}", "", "mend the type"
            )
            return
        self._element(m, m.root, m.type, types)

    def _element(self, m: Map, node: Object, kind: str, types: dict[str, Any]) -> None:
        known = types.get(kind, {}).get("elements", {})
        for name, child in node.fields.items():
            if name == "resourceType" or not known:
                continue
            bare = name.removeprefix("_")
            if bare not in known:
                line = getattr(child, "line", node.line)
                self.add(
                    m,
                    line,
                    f"{kind} has no element {name}{did_you_mean(nearest(bare, known))}",
                    "FHIR R4 does not have it",
                    "mend the name",
                )
                continue
            below = "Element" if name.startswith("_") else known[bare]["t"]
            is_list = bool(known[bare].get("l"))
            self._shape(m, node, name, child, is_list)
            for inner in child.items if isinstance(child, Array) else (child,):
                if isinstance(inner, Object):
                    inner_type = inner.fields.get("resourceType")
                    self._element(m, inner, str(getattr(inner_type, "value", below)) if below == "Resource" else below, types)

    def _shape(self, m: Map, node: Object, name: str, child: Any, is_list: bool) -> None:
        if isinstance(child, Object | Ref) and is_list:
            self.add(m, child.line, f"{name} is a list in FHIR", "", f"write {name}: [...]")
        if isinstance(child, Array) and not is_list:
            self.add(m, child.line, f"{name} is not a list in FHIR", "", f"write {name}: without brackets")

    # the record ---------------------------------------------------------------------------------------------------
    def paths(self, m: Map) -> None:
        lists = frames_of(m)
        for found in find(m):
            for path, line in _paths_of(found):
                if path.up > len(found.lists):
                    self.add(
                        m,
                        line,
                        f"{path} climbs out of the record",
                        f"the element lies {len(found.lists)} lists deep",
                        "use fewer ^",
                    )
        if m.each and not m.key and m.id is None:
            self.add(
                m,
                m.lines.get("$each", 1),
                "a map that loops needs a $key or $id",
                "each of its resources needs an identity of its own",
                "add $key: with the path that tells the elements apart",
            )
        if self.schema is None:
            return
        wanted = [(at, found.node) for at, found, _ in paths_read(m)]
        wanted += [((lists[:-1], lists[-1]), m.root)] if lists else []
        seen: set[Place] = set()
        for at, node in wanted:
            if at not in seen and not in_schema(self.schema, (*(p for names in at[0] for p in names), *at[1])):
                seen.add(at)
                known = sorted(schema_names(self.schema, at))
                name = at[1][-1] if at[1] else show(at)
                self.add(
                    m,
                    getattr(node, "line", 1),
                    f"the payload has no {show(at)}{did_you_mean(nearest(name, known))}",
                    "its JSON Schema does not name it",
                    "mend the path, or add it to the schema",
                )

    def arrays(self, m: Map) -> None:
        for found in find(m):
            if isinstance(found.node, Array):
                bare = [i for i in found.node.items if isinstance(i, Hole)]
                if len(bare) > 1:
                    self.add(
                        m,
                        found.node.line,
                        "an array with two bare holes",
                        "match could not tell which element is which",
                        "join them with a codec: $a + b | name",
                    )

    def words(self, m: Map) -> None:
        for path in m.ignored:
            if not path.startswith("$") and names_safety(m.type, path):
                self.add(
                    m,
                    m.lines.get("$ignored", 1),
                    f"{path} is a safety element and cannot be ignored",
                    "what it says would be lost in silence",
                    "give it a hole",
                )
        rests = any(isinstance(f.node, Rest) or (isinstance(f.node, Object) and f.node.rest is not None) for f in find(m))
        if rests and not self.speaks_fhir:
            self.add(
                m,
                m.root.line,
                "$rest stands only in maps of a system that itself speaks FHIR",
                "elsewhere it would turn a misspelt element into silence",
                "name the elements",
            )
        for guard in m.root.when:
            if guard.otherwise is not None:
                self.add(
                    m,
                    guard.line,
                    "else: at the head of a map",
                    "absence of a whole resource says nothing by itself",
                    "put the guard on an element",
                )

    # lists --------------------------------------------------------------------------------------------------------
    def lists(self, m: Map) -> None:
        own = frames_of(m)
        if len(own) < 2:
            return
        parents = [frames_of(self.spec.by_name[r.map]) for r in refs(m) if r.by is None]
        if own not in [p for p, r in zip(parents, refs(m), strict=False) if r.map != m.name] and own[:-1] not in parents:
            self.add(
                m,
                m.lines.get("$each", 1),
                f"nothing says which element of {'/'.join(m.each[:-1])} a {m.type} belongs to",
                "match finds the parent along a reference",
                "add a $ref to a map of the parent list, for example basedOn or partOf",
            )

    def twins(self) -> None:

        named = {ref.map for m in self.spec.maps for ref in refs(m)}
        for i, m in enumerate(self.spec.maps):
            for other in self.spec.maps[i + 1 :]:
                if m.type == other.type and literals(m.root) == literals(other.root):
                    for one in (m, other):
                        if one.name not in named:
                            twin = other if one is m else m
                            self.add(
                                one,
                                1,
                                f"{one.name} and {twin.name} cannot be told apart",
                                "they have the same literals, and no other map refers to this one",
                                "give it a literal of its own, or a $ref that leads to it",
                            )

    # both ways ----------------------------------------------------------------------------------------------------
    def one_way(self, m: Map) -> None:
        for found in find(m):
            if not isinstance(found.node, Hole) or "*" in m.one_way:
                continue
            for name in found.node.codecs:
                made = self.spec.steps[name]
                element = ".".join(found.element)
                if (
                    made.codec is not None
                    and made.codec.write is None
                    and not any(element == p or element.startswith(p + ".") for p in m.one_way)
                ):
                    self.add(
                        m,
                        found.node.line,
                        f"{element} goes one way: the codec {name} cannot be turned back",
                        "two-way is given up only where the map says so",
                        f"add $one-way: {{{element}: why}}",
                    )

    def reversal(self) -> None:
        """Every path of the record is given back by at least one hole that can be turned back."""
        givers: set[Place] = set()
        every: dict[Place, tuple[Map, Found]] = {}
        for m in self.spec.maps:
            for at, found, how in paths_read(m):
                every.setdefault(at, (m, found))
                node = found.node
                if how == "hole" and isinstance(node, Hole):
                    if (
                        self.spec.reversible(node)
                        or "*" in m.one_way
                        or any(".".join(found.element).startswith(p) for p in m.one_way)
                    ):
                        givers.add(at)
                elif how in ("by", "rest") or (isinstance(node, Object) and any(len(g.values) == 1 for g in node.when)):
                    givers.add(at)
        for at, (m, found) in every.items():
            if at not in givers:
                line = getattr(found.node, "line", 1)
                self.add(
                    m,
                    line,
                    f"{show(at)} cannot be given back",
                    f"no hole that reads it can be turned back ({'.'.join(found.element) or 'the key'} is the first)",
                    "add an element that says it by itself (a coded extension), or list it under $one-way with the reason",
                )


def _paths_of(found: Found) -> Iterator[tuple[Any, int]]:
    node = found.node
    if isinstance(node, Hole):
        yield from ((p, node.line) for p in node.paths)
    elif isinstance(node, Ref) and node.by is not None:
        yield node.by, node.line
    elif isinstance(node, Rest):
        yield node.path, node.line
    elif isinstance(node, Object):
        yield from ((g.path, g.line) for g in node.when)


def fhir_types() -> dict[str, Any]:
    """The R4 types with their elements: t its type, l a list, b the base of a choice. Generated with the gate's schema."""
    return tables.types()


def resolve(schema: dict[str, Any], node: Any) -> list[dict[str, Any]]:
    """The object schemas that a schema node stands for, through $ref, items and the combining keywords."""
    found: list[dict[str, Any]] = []
    stack, seen = [node], 0
    while stack and seen < 500:
        seen += 1
        one = stack.pop()
        if not isinstance(one, dict):
            continue
        if "$ref" in one:
            target: Any = schema
            for part in str(one["$ref"]).removeprefix("#/").split("/"):
                target = target.get(part, {}) if isinstance(target, dict) else {}
            stack.append(target)
        found.append(one)
        for word in ("allOf", "anyOf", "oneOf"):
            stack += one.get(word, [])
        stack += [one[w] for w in ("then", "else", "items") if w in one]
    return found


def in_schema(schema: dict[str, Any], parts: tuple[str, ...]) -> bool:
    """Whether a payload schema names this path; an open object or an unconstrained value has every path."""
    nodes: list[Any] = [schema]
    for part in parts:
        below: list[Any] = []
        for node in nodes:
            for one in resolve(schema, node):
                if part in one.get("properties", {}):
                    below.append(one["properties"][part])
                elif (
                    not one.get("properties")
                    and one.get("additionalProperties", True) is not False
                    and one.get("type") in (None, "object")
                    and not any(w in one for w in ("$ref", "items", "allOf", "anyOf", "oneOf", "enum", "const"))
                ):
                    return True
                elif isinstance(one.get("additionalProperties"), dict):
                    below.append(one["additionalProperties"])
        if not below:
            return False
        nodes = below
    return True


def schema_names(schema: dict[str, Any], at: Place) -> set[str]:
    """The names that the payload has where a path goes wrong."""
    parts = (*(p for names in at[0] for p in names), *at[1])
    nodes: list[Any] = [schema]
    for part in parts:
        names = {n for node in nodes for one in resolve(schema, node) for n in one.get("properties", {})}
        if part not in names:
            return names
        nodes = [one["properties"][part] for node in nodes for one in resolve(schema, node) if part in one.get("properties", {})]
    return set()
