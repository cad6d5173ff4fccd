"""Reads our Markdown: the fenced blocks, which of them are files to make, and which are commands to run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, the line it begins on, the file that the line above names, and whether it runs."""

    language: str
    text: str
    line: int
    file: str
    runs: bool


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page, in order. A comment `not run here: why` right above keeps a block from being run."""
    found = []
    for match in re.finditer(r"^```(\w+)\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL):
        above = text[: match.start()].rstrip().rpartition("\n")[2]
        named = re.search(r"`([\w./-]+\.(?:yaml|json))`:$", above)
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(match[1], match[2], line, named[1] if named else "", "not run here: " not in above))
    return found


def section(text: str, heading: str) -> str:
    """What stands under a heading of the second level."""
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, flags=re.MULTILINE | re.DOTALL)
    assert found, f"there is no section {heading}"
    return found[1]
