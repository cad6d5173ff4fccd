"""The state of one match: what was captured, what was left unread, and the references that were followed.

Generated functions call it for all that is not straight-line code. `walk.py` decides which resource they are called for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapter.fhir.outcome import Issue, issue
from adapter.mapping.plan import Lists
from adapter.mapping.runtime import WRONG, own_id, parts_of
from adapter.mapping.safety import is_safety

Parts = tuple[str | int, ...]


@dataclass(slots=True, eq=False)
class Role:
    """One map as the walk sees it."""

    name: str
    type: str
    lists: Lists
    weight: int
    direct: bool
    join: tuple[str, tuple[str, ...]] | None  # the map it is joined to, and the element path of the reference
    identified: bool  # `$id`: its key is its fullUrl
    key: tuple[str, ...] | None  # path of its key in its own element
    keys: tuple[tuple[int, tuple[str, ...]], ...]  # where its `$key` stands: which of its frames, and the names there
    recognise: Callable[[dict[str, Any], Reading], bool] = field(init=False)
    match: Callable[..., bool] = field(init=False)


class Cast:
    """The roles of a table, and what every walk asks of them; made once."""

    __slots__ = ("by_name", "by_type", "keyed", "listed", "roles")

    def __init__(self, roles: tuple[Role, ...]) -> None:
        self.roles = roles
        self.by_name = {role.name: role for role in roles}
        self.listed = tuple(role for role in roles if role.lists)
        self.keyed = tuple(role for role in roles if role.keys)
        #: Those that can be known by themselves, by type, the one with the most literals first.
        self.by_type: dict[str, list[Role]] = {}
        for role in sorted(roles, key=lambda r: -r.weight):
            if role.direct:
                self.by_type.setdefault(role.type, []).append(role)


@dataclass(slots=True, eq=False)
class Element:
    """One element of a record list in the making."""

    order: int
    parent: dict[str, Any]
    record: dict[str, Any]
    frames: tuple[dict[str, Any], ...]


@dataclass(slots=True)
class Lineage:
    """One row: where a value stands in the Bundle and in the record, the map's line, and the codecs between."""

    target: str
    source: str
    map: str
    codecs: tuple[str, ...]
    several: bool = False  # one of several sources that a codec joined


class Reading:
    """The state of one match, and what generated functions call on it: they know it as S."""

    __slots__ = (
        "again", "carried", "cast", "claims", "current", "elements", "entries", "found", "index", "issues", "later", "left",
        "missing", "pointed", "prefix", "record", "runs",
    )  # fmt: skip

    STAMPED = frozenset({"profile"})
    own_id = staticmethod(own_id)

    def __init__(self, entries: list[dict[str, Any]], cast: Cast, prefix: str = "Bundle.") -> None:
        self.entries = entries
        self.cast = cast
        self.prefix = prefix
        self.index: dict[str, int] = {}
        for i, entry in enumerate(entries):
            url = entry.get("fullUrl")
            if type(url) is str:
                self.index.setdefault(url, i)
        self.record: dict[str, Any] = {}
        self.claims: dict[str, int] = {}
        self.elements: defaultdict[str, dict[int, Element]] = defaultdict(dict)
        self.pointed: dict[str, set[int]] = {}
        self.missing: list[tuple[str, int, str]] = []
        self.later: list[tuple[Any, ...]] = []
        self.issues: list[Issue] = []
        self.left: list[tuple[Any, str, int]] = []
        self.carried: list[str] = []
        self.found: list[tuple[str, dict[str, Any], str, str, tuple[str, ...], bool]] = []
        self.runs: dict[int, list[tuple[int, int]]] = {}
        self.again = False
        self.current = 0

    # places -------------------------------------------------------------------------------------------------------
    def at(self, i: int) -> str:
        """The FHIRPath of an entry's resource."""
        if self.entries[i]["resource"].get("resourceType") == "Bundle":
            return "Bundle"
        return f"{self.prefix}entry[{self.entries[i].get('index', i)}].resource"

    # what generated code calls --------------------------------------------------------------------------------------
    def unread(self, value: Any, where: str) -> None:
        """A value that nothing reads."""
        self.left.append((value, where, self.current))

    def unread_items(self, items: list[Any], left: Sequence[int], where: str) -> None:
        """Elements of an array that nothing recognises."""
        for j in left:
            self.left.append((items[j], f"{where}[{j}]", self.current))

    @staticmethod
    def others(count: int, taken: int, left: Sequence[int]) -> list[int]:
        """The indexes of an array of so many of which one was taken, and that one too where it was left all the same."""
        return [j for j in range(count) if j != taken or left]

    def extras(self, value: dict[str, Any], keys: Any, where: str) -> None:
        """Keys of an object that the map does not name."""
        for name, below in value.items():
            if name not in keys:
                self.left.append((below, f"{where}.{name}", self.current))

    def rest(self, value: dict[str, Any], keys: Any, named: list[str], where: str, i: int) -> dict[str, Any] | None:
        """What `$rest` takes of an object: never a modifier extension, never a safety element."""
        taken: dict[str, Any] = {}
        for name, below in value.items():
            if name in keys and name not in named:
                continue
            place = f"{where}.{name}"
            if name == "modifierExtension" or is_safety(self.entries[i]["resource"], parts_of(place, self.at(i))):
                self.left.append((below, place, i))
            else:
                taken[name] = below
                self.carried.append(place)
        return taken or None

    def rest_items(self, items: list[Any], left: Sequence[int], where: str, i: int) -> list[Any] | None:
        """What `$rest` takes of an array."""
        taken: list[Any] = []
        for j in left:
            place = f"{where}[{j}]"
            if is_safety(self.entries[i]["resource"], parts_of(place, self.at(i))):
                self.left.append((items[j], place, i))
                continue
            taken.append(items[j])
            url = items[j].get("url") if isinstance(items[j], dict) else None
            self.carried.append(f"{place} {url}" if isinstance(url, str) else place)
        return taken or None

    def stamped(self, meta: Any, i: int) -> None:
        """`meta` beyond the profiles that the hub stamps, where the map has no place for it."""
        for name, below in meta.items() if type(meta) is dict else ():
            if name != "profile":
                self.left.append((below, f"{self.at(i)}.meta.{name}", i))

    @staticmethod
    def holds(array: Any, value: Any) -> bool:
        """Whether an array has this literal element."""
        return type(array) is list and value in array

    @staticmethod
    def without_profile(meta: Any) -> Any:
        """`meta` without the profiles, which the hub stamps."""
        return {k: v for k, v in meta.items() if k != "profile"} if type(meta) is dict else meta

    def pick(self, items: list[Any], below: tuple[tuple[str, ...], dict[str, Any]]) -> int:
        """The first element with these literals below it; the first of all where none has."""
        found = self.pick_all(items, below)
        return min(found) if found else 0

    @staticmethod
    def pick_all(items: list[Any], below: tuple[tuple[str, ...], dict[str, Any]]) -> set[int]:
        """The elements that have these literals below them."""
        names, literals = below
        found = set()
        for j, item in enumerate(items):
            level = [item]
            for name in names:
                under = [v.get(name) for v in level if isinstance(v, dict)]
                level = [w for v in under if v is not None for w in (v if isinstance(v, list) else [v])]
            if any(isinstance(v, dict) and all(v.get(k) == w for k, w in literals.items()) for v in level):
                found.add(j)
        return found

    # references ---------------------------------------------------------------------------------------------------
    def resolve(self, reference: Any) -> int | None:
        """The entry that a reference string leads to."""
        if type(reference) is not str:
            return None
        found = self.index.get(reference)
        if found is None and "/" in reference and not reference.startswith(("http:", "https:")):
            kind, _, name = reference.partition("/")
            for url, i in self.index.items():
                if own_id(url) == name and self.entries[i]["resource"].get("resourceType") == kind:
                    return i
        return found

    def claim(self, reference: Any, name: str, i: int, where: str) -> int | None:
        """A reference to a role: the first claims it, another resource in the same role is a conflict."""
        t = self.resolve(reference)
        if t is None or self.entries[t]["resource"].get("resourceType") != self.cast.by_name[name].type:
            return None
        if self.claims.setdefault(name, t) != t:
            self.conflict(self.at(i) + where, name, name)
        return t

    def key_of(self, reference: Any, name: str) -> Any:
        """`by`: the key of the resource that a reference leads to."""
        t = self.resolve(reference)
        role = self.cast.by_name[name]
        if t is None or self.entries[t]["resource"].get("resourceType") != role.type:
            return None
        if role.identified:
            return own_id(self.entries[t]["fullUrl"])
        element = self.elements[name].get(t)
        if element is None:
            return None
        value: Any = element.record
        for part in role.key or ():
            value = value.get(part) if isinstance(value, dict) else None
        return value

    def points(self, reference: Any, name: str, kind: str) -> int | None:
        """A reference to one of a list: there, and of the right type."""
        t = self.resolve(reference)
        if t is None or self.entries[t]["resource"].get("resourceType") != kind:
            return None
        self.pointed.setdefault(name, set()).add(t)
        return t

    def leads(self, value: dict[str, Any], name: str) -> bool:
        """Whether a Reference leads to a resource of the map's type."""
        t = self.resolve(value.get("reference"))
        return t is not None and self.entries[t]["resource"].get("resourceType") == self.cast.by_name[name].type

    def joined(self, reference: Any, i: int, name: str) -> int | None:
        """A reference within a list: to the element (or the parent) that this resource was joined to."""
        t = self.resolve(reference)
        return t if t is not None and t in self.elements[name] else None

    # values -------------------------------------------------------------------------------------------------------
    def put(self, frame: dict[str, Any], parts: tuple[str, ...], value: Any) -> bool:
        """Store a path that several maps give; False where another value is there already."""
        for part in parts[:-1]:
            below = frame.setdefault(part, {})
            if type(below) is not dict:
                return False
            frame = below
        old = frame.setdefault(parts[-1], value)
        return bool(old == value)

    def merge_lists(self, a: list[Any], b: list[Any], where: str) -> list[Any]:
        """One list read in two places: element by element."""
        same = len(a) == len(b) and all(
            x == y or (isinstance(x, dict) and isinstance(y, dict) and all(x.get(k, v) == v for k, v in y.items()))
            for x, y in zip(a, b, strict=True)
        )
        if not same:
            self.conflict(where, "the list", "the list")
            return a
        return [{**x, **y} if isinstance(x, dict) else x for x, y in zip(a, b, strict=True)]

    def unknown_back(self, value: Any, where: str, name: str) -> None:
        """A code that the ConceptMap does not have, on the way back."""
        text = f"A code that ConceptMap {name} does not have; the target cannot hold it."
        self.issues.append(
            issue(
                "error",
                "code-invalid",
                "code-unknown",
                text,
                expression=where,
                mend=f"Use a code that {name} has, or add this one to it.",
            )
        )

    def failed_back(self, value: Any, where: str, name: str) -> None:
        """A value that a codec cannot turn back."""
        text = f"The codec {name} cannot turn this value back."
        self.issues.append(
            issue("error", "value", "codec", text, expression=where, mend="Give the element a value that the target can hold.")
        )

    def conflict(self, where: str, paths: str, line: str) -> None:
        """Two elements that say different things of one record path."""
        text = f"This element and another one both give {paths} of the target, and they differ (map {line}). Neither wins."
        self.issues.append(
            issue("error", "conflict", "conflict", text, expression=where, mend="Make the two elements agree at their source.")
        )

    @staticmethod
    def agrees(forward: Callable[[tuple[Any, ...]], Any], values: tuple[Any, ...], value: Any) -> bool:
        """Whether an element that cannot give its path back says what that path would write there; `verify` says why not."""
        for one in values:
            if one is not None:
                break
        else:
            return False
        try:
            return bool(forward(values) == value)
        except WRONG:
            return False

    def verify(
        self, forward: Callable[[tuple[Any, ...]], Any], values: tuple[Any, ...], value: Any, where: str, soft: bool, codecs: str
    ) -> None:
        """Compare an element that cannot give its path back with what that path would write there."""
        if all(v is None for v in values):
            if value is not True or codecs:
                self.unread(value, where)
            return
        try:
            expected = forward(values)
        except WRONG:
            expected = None
        if expected == value:
            return
        if soft:
            self.unread(value, where)
        else:
            text = "This element does not agree with what the other elements of the message say of it."
            self.issues.append(
                issue(
                    "error",
                    "conflict",
                    "combination",
                    text,
                    expression=where,
                    mend=f"Make it agree, or add the pair to {codecs or 'the guard'}.",
                )
            )

    def row(self, where: str, frame: dict[str, Any], place: str, line: str, codecs: tuple[str, ...], several: bool) -> None:
        """A lineage row, its list indexes still open."""
        self.found.append((where, frame, place, line, codecs, several))
