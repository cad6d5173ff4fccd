"""Who plays in a match: the maps of a table as the walk sees them, and the record elements that their resources make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from adapter.mapping.plan import Lists

if TYPE_CHECKING:
    from adapter.mapping.reading import Reading


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
    #: Whether a resource of the type has the map's literals; None where it has none beyond the type.
    recognise: Callable[[dict[str, Any], Reading], bool] | None = field(init=False)
    #: match(resource, its number, the state of the match, the record elements it lies in) -> whether it read anything.
    match: Callable[..., bool] = field(init=False)


class Cast:
    """The roles of a table, and what every walk asks of them; made once."""

    __slots__ = ("by_name", "by_type", "listed", "roles")

    def __init__(self, roles: tuple[Role, ...]) -> None:
        self.roles = roles
        self.by_name = {role.name: role for role in roles}
        self.listed = tuple(role for role in roles if role.lists)
        #: Those that can be known by themselves, by type, the one with the most literals first.
        self.by_type: dict[str, list[Role]] = {}
        for role in sorted(roles, key=lambda r: -r.weight):
            if role.direct:
                self.by_type.setdefault(role.type, []).append(role)


@dataclass(slots=True, eq=False)
class Element:
    """One element of a record list in the making; `frames` are the elements it lies in, the record first, and itself."""

    order: int
    parent: dict[str, Any]
    record: dict[str, Any]
    frames: tuple[dict[str, Any], ...]
