"""References as a match follows them: from a reference string to the entry, and from the entry to the role or element it is."""

from __future__ import annotations

from typing import Any

from adapter.mapping import issues
from adapter.mapping.roles import Cast, Element
from adapter.mapping.runtime import Findings, own_id


class References(Findings):
    """The entries of a message by their fullUrl, and who has been found to be what."""

    __slots__ = ("cast", "claims", "elements", "entries", "index", "kinds", "played", "pointed", "prefix", "record")

    entries: list[dict[str, Any]]
    cast: Cast
    prefix: str
    record: dict[str, Any]
    index: dict[str, int] | None  # fullUrl -> entry, the first with that url; made when the first reference is followed
    kinds: list[Any]  # the type of each entry's resource, likewise
    claims: dict[str, int]  # role -> the entry that a reference says it is
    played: dict[str, int]  # role outside lists -> its entry
    elements: dict[str, dict[int, Element]]  # role of a list -> its entries, each with its record element
    #: Role -> those of its entries that "one for each" refers to -> the arrays that do: an entry, and a place in it.
    pointed: dict[str, dict[int, set[tuple[int, str]]]]

    def at(self, i: int) -> str:
        """The FHIRPath of an entry's resource."""
        if self.entries[i]["resource"].get("resourceType") == "Bundle":
            return "Bundle"
        return f"{self.prefix}entry[{self.entries[i].get('index', i)}].resource"

    def resolve(self, reference: Any, kind: str) -> int | None:
        """The entry that a reference string leads to, where its resource is of that type."""
        if reference.__class__ is not str:
            return None
        index = self.index or self.indexed()
        found = index.get(reference)
        if found is None:
            found = self.relative(reference, index)
        return found if found is not None and self.kinds[found] == kind else None

    def indexed(self) -> dict[str, int]:
        """Make the index."""
        self.kinds = [entry["resource"].get("resourceType") for entry in self.entries]
        index: dict[str, int] = {}
        for i, entry in enumerate(self.entries):
            url = entry.get("fullUrl")
            if url.__class__ is str:
                index.setdefault(url, i)
        self.index = index
        return index

    def relative(self, reference: str, index: dict[str, int]) -> int | None:
        """The entry that a reference such as Patient/123 leads to."""
        if "/" in reference and not reference.startswith(("http:", "https:")):
            kind, _, name = reference.partition("/")
            for url, i in index.items():
                if own_id(url) == name and self.kinds[i] == kind:
                    return i
        return None

    def claim(self, reference: Any, name: str, kind: str, i: int, where: str) -> int | None:
        """A reference to a role: the first claims it, another resource in the same role is a conflict."""
        t = self.resolve(reference, kind)
        if t is not None and self.claims.setdefault(name, t) != t:
            self.issues.append(issues.conflict(self.at(i) + where, name, name))
        return t

    def key_of(self, reference: Any, name: str) -> Any:
        """`by`: the key of the resource that a reference leads to."""
        role = self.cast.by_name[name]
        t = self.resolve(reference, role.type)
        if t is None:
            return None
        if role.identified:
            return own_id(self.entries[t]["fullUrl"])
        value: Any = self.record if self.played.get(name) == t else None
        if role.lists and t in self.elements.get(name, ()):
            value = self.elements[name][t].record
        for part in role.key or ():
            value = value.get(part) if isinstance(value, dict) else None
        return value

    def points(self, reference: Any, name: str, kind: str, array: tuple[int, str]) -> int | None:
        """A reference to one of a list: there, of the right type, and not in that array already."""
        t = self.resolve(reference, kind)
        if t is None:
            return None
        arrays = self.pointed.setdefault(name, {}).setdefault(t, set())
        if array in arrays:
            return None
        arrays.add(array)
        return t

    def leads(self, value: dict[str, Any], kind: str) -> bool:
        """Whether a Reference leads to a resource of that type."""
        return self.resolve(value.get("reference"), kind) is not None

    def joined(self, reference: Any, name: str, kind: str) -> int | None:
        """A reference within a list: to the element (or the parent) that this resource was joined to."""
        t = self.resolve(reference, kind)
        return t if t is not None and t in self.elements.get(name, ()) else None

    def follow(self, resource: dict[str, Any], path: tuple[str, ...], name: str) -> Element | None:
        """The element that a reference at `path` joins this resource to."""
        there = self.elements.get(name)
        if not there:
            return None
        kind = self.cast.by_name[name].type
        for value in below(resource, path):
            t = self.resolve(value.get("reference") if isinstance(value, dict) else value, kind)
            if t is not None and t in there:
                return there[t]
        return None


def below(value: Any, path: tuple[str, ...]) -> list[Any]:
    """Every value at a path of names, through the arrays on the way."""
    level: list[Any] = [value]
    for part in path:
        under = [v.get(part) for v in level if isinstance(v, dict)]
        level = [w for v in under if v is not None for w in (v if isinstance(v, list) else [v])]
    return level
