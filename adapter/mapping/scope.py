"""What is in scope while fill is generated: the record elements, and the variables that already hold their values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from adapter.mapping.source import Source
from adapter.mapping.spec import Place, place
from adapter.mapping.tree import Path


@dataclass(frozen=True, slots=True)
class Frame:
    """A record element in scope: its variable, its index variable, its place as the inside of an f-string, its list."""

    var: str
    index: str
    place: str
    names: tuple[str, ...]


Frames = tuple[Frame, ...]


def frame_of(path: Path, frames: Frames) -> Frame:
    """The element that a path starts from."""
    return frames[len(frames) - 1 - path.up]


def place_of(path: Path, frames: Frames) -> Place | None:
    """The path as seen from the root of the record."""
    return place(tuple(f.names for f in frames[1:]), path)


def where(path: Path, frames: Frames) -> str:
    """An expression for the path's place in this record, for an issue."""
    return "f" + repr(frame_of(path, frames).place + (".".join(path.parts) or "."))


def there(path: Path, frames: Frames) -> str:
    """The condition that the record has a value at the path."""
    var = frame_of(path, frames).var
    return f"{var}.get({path.parts[0]!r}) is not None" if len(path.parts) == 1 else f"S.there({var}, {path.parts!r})"


class Scope:
    """The variables of a generated fill: each value is loaded, and each chain worked out, once where it is in scope."""

    def __init__(self, src: Source) -> None:
        self.src = src
        self._known: list[dict[tuple[Any, ...], str]] = [{}]

    @contextmanager
    def block(self, head: str = "") -> Iterator[None]:
        """An indented block whose variables are not known after it; with no head, the same where it is indented already."""
        self._known.append({})
        if head:
            with self.src.block(head):
                yield
        else:
            yield
        self._known.pop()

    def known(self, key: tuple[Any, ...]) -> str | None:
        """The variable that holds this already."""
        return next((level[key] for level in reversed(self._known) if key in level), None)

    def keep(self, key: tuple[Any, ...], var: str) -> str:
        """Remember that a variable holds this, for as long as the block lasts."""
        self._known[-1][key] = var
        return var

    def load(self, path: Path, frames: Frames) -> str:
        """The variable that holds the record's value at `path`."""
        frame = frame_of(path, frames)
        if path.place:
            return frame.index
        var = frame.var
        for i, name in enumerate(path.parts):
            key = (frame.var, path.parts[: i + 1])
            found = self.known(key)
            if found is None:
                found = self.keep(key, self.src.name("v"))
                got = f"{var}.get({name!r})"
                self.src(f"{found} = {got}" if i == 0 else f"{found} = {got} if {var} is not None else None")
            var = found
        return var
