"""What a match function in the making has captured so far, and how it is to go back into the record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from adapter.mapping.tree import Guard, Hole, Path


@dataclass(slots=True)
class Capture:
    """A variable that may hold a captured value, the paths it is for, and how it goes back."""

    var: str
    paths: tuple[Path, ...]
    where: str
    line: int
    codecs: tuple[str, ...] = ()
    hole: Hole | None = None
    kind: str = "hole"  # hole, list, rest, guard, by or kept
    soft: bool = False  # a display: it is unread where it differs, and decides nothing
    guard: Guard | None = None

    @property
    def several(self) -> bool:
        """Whether it is a guard that only a comparison can use: its one value would not say which of several it was."""
        return self.guard is not None and len(self.guard.values) != 1


@dataclass(slots=True)
class Body:
    """One run of code that ends in a store: a resource, or one element of a `$each`; `begin` writes its first line."""

    begin: Callable[[str], None]
    captures: list[Capture] = field(default_factory=list)
    inits: list[str] = field(default_factory=list)
