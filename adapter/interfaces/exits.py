"""The exit codes of every command: by class of failure, in one place."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What a command's exit code says. Each member's text stands in README.md as well, and a test says so."""

    says: str

    def __new__(cls, code: int, says: str) -> Exit:
        """A member from its line below."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.says = says
        return member

    DONE = 0, "done"
    CONTENT = 1, "the content has errors"
    USAGE = 2, "usage: an option, a name or a file that is not there"
    SOME = 3, "some records of many failed"
    DESTINATION = 4, "a destination did not answer"
    STORAGE = 5, "storage: the output could not be written"
    PROGRAM = 70, "a fault of the program itself"
    SETTINGS = 78, "settings, or the maps of a system, have faults"
    INTERRUPTED = 130, "interrupted"
