"""Start-up faults: what is wrong with a map or a manifest, all of it at once.

Each fault says where (file:line), what, why, and how to mend it, with the nearest name where one was misspelt.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault of a map, manifest, schema or ConceptMap."""

    file: str
    line: int
    what: str
    why: str = ""
    mend: str = ""

    def __str__(self) -> str:
        said = f"{self.file}:{self.line}: {self.what}"
        if self.why:
            said += f"\n    why: {self.why}"
        if self.mend:
            said += f"\n    mend: {self.mend}"
        return said


class MapFaults(Exception):
    """Raised when a system is loaded that has faults: all of them, sorted by place."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = sorted(set(faults))
        super().__init__("\n".join(str(f) for f in self.faults))


#: How many names can be told in one sentence.
_FEW = 12


class Unknown(KeyError):
    """The name of a system, a message or a policy that is not there. nearest: those like it · known: all, where they are few."""

    def __init__(self, what: str, name: str, known: Iterable[str]) -> None:
        there = sorted(known)
        self.what, self.name = what, name
        self.nearest = nearest(name, there)
        self.known = there if len(there) <= _FEW else []
        super().__init__(name)

    def __str__(self) -> str:
        return f"unknown {self.what} {self.name!r}{did_you_mean(self.nearest)}"


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Up to three known names like this one, best first."""
    return difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)


def did_you_mean(names: list[str]) -> str:
    """The words that end a sentence about an unknown name."""
    return f"; did you mean {' or '.join(names)}?" if names else ""


class Faults:
    """Collects the faults of one file."""

    def __init__(self, file: Path | str) -> None:
        self.file = str(file)
        self.found: list[Fault] = []

    def text(self, file: Path) -> str | None:
        """What the file holds; None, and a fault, where it is no text or cannot be read."""
        try:
            return file.read_text("utf-8")
        except UnicodeDecodeError:
            self.add(1, "this is not UTF-8", "", "save the file as UTF-8")
        except OSError as error:
            self.add(1, f"this cannot be read: {error.strerror}", "", "let it be read")
        return None

    def add(self, line: int, what: str, why: str = "", mend: str = "") -> None:
        """Note a fault on a line."""
        self.found.append(Fault(self.file, line, what, why, mend))
