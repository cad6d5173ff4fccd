"""Python source in the making: indented lines, fresh names, and constants that the generated function closes over.

Everything that comes from a map enters the source through `repr` or as a bound constant; names are of our own making.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Source:
    """Collects the lines of one generated module."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.bound: dict[str, Any] = {}
        self._indent = 0
        self._count = 0
        self._constants: dict[tuple[str, int], str] = {}

    def __call__(self, line: str) -> None:
        """Add a line at the present indent."""
        self.lines.append("    " * self._indent + line)

    @contextmanager
    def block(self, head: str, *, spare: bool = False) -> Iterator[None]:
        """An indented block below `head`; an empty one gets `pass`, or, where it can be spared, is not there at all."""
        self(head)
        self._indent += 1
        before = len(self.lines)
        yield
        if len(self.lines) == before:
            if spare:
                self.lines.pop()
            else:
                self("pass")
        self._indent -= 1

    def reserve(self) -> Callable[[str], None]:
        """Keep a line for what is known later; give the function that writes it."""
        at, indent = len(self.lines), "    " * self._indent
        self.lines.append("")

        def write(line: str) -> None:
            self.lines[at] = indent + line

        return write

    def name(self, stem: str) -> str:
        """A fresh name."""
        self._count += 1
        return f"{stem}{self._count}"

    def bind(self, stem: str, value: Any) -> str:
        """A name for a constant object; the same object gets the same name."""
        key = (stem, id(value))
        if key not in self._constants:
            name = self.name(stem)
            self._constants[key] = name
            self.bound[name] = value
        return self._constants[key]

    def constant(self, value: Any) -> str:
        """An expression for a constant: short scalars by repr, everything else bound."""
        if value is None or isinstance(value, str | int | bool):
            return repr(value)
        name = self.name("k")
        self.bound[name] = value
        return name

    def function(self, name: str, title: str) -> Callable[..., Any]:
        """Compile the lines and give the function called `name`; the text goes to linecache for tracebacks."""
        text = "\n".join(self.lines) + "\n"
        file = f"<map {title}>"
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        space = dict(self.bound)
        exec(compile(text, file, "exec"), space)  # the text is made from the checked tree only
        made: Callable[..., Any] = space[name]
        return made
