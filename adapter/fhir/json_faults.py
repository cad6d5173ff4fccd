"""Where JSON is at fault: a slow reader that stops at the first fault and knows its place, which fast parsers do not tell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

import jiter

_POINT = "A decimal is written with a point, not with a comma."
_IN_FULL = "Send it in full."


class FaultError(Exception):
    """The first fault of a body. rule: as json names it; at: characters before it; text, mend: in place of the rule's own."""

    def __init__(self, rule: str, at: int, text: str = "", mend: str = "") -> None:
        self.rule, self.at, self.text, self.mend = rule, at, text, mend


def _syntax(at: int, text: str, mend: str) -> FaultError:
    return FaultError("json-syntax", at, text, mend)


def place(text: str, at: int) -> tuple[int, int]:
    """Line and column, from 1, of what stands after so many characters."""
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def fault_of(body: bytes, max_depth: int) -> FaultError | None:
    """The first fault of a body, or None. at: characters before it."""
    if body.startswith(b"\xef\xbb\xbf"):
        return FaultError("json-encoding", 0, "JSON may not begin with a byte order mark.", "Leave the mark out.")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        # A surrogate in UTF-8 would be ED A0..BF: https://www.rfc-editor.org/rfc/rfc3629#section-3
        surrogate = body[error.start] == 0xED and body[error.start + 1 : error.start + 2] >= b"\xa0"
        return FaultError("json-surrogate" if surrogate else "json-encoding", len(body[: error.start].decode()))
    scan = Scan(text, max_depth)
    if scan.skip() == len(text):
        return FaultError("json-empty", 0)
    try:
        scan.value()
    except FaultError as found:
        return found
    if scan.skip() == len(text):
        return None
    return FaultError("json-trailing", scan.at, mend=_POINT if _COMMA_IN_NUMBER.match(text) else "")


_SPACE = re.compile(r"[ \t\n\r]*")
_PLAIN = re.compile(r'"([^"\\\x00-\x1f]*)"')
_CHUNK = re.compile(r'[^"\\\x00-\x1f]*')
_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u([0-9a-fA-F]{4}))')
_LOW_HALF = re.compile(r"\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_WORD = re.compile(r"[-+.\w]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[-+]?(?:nan|inf|infinity)", re.IGNORECASE)
_COMMA_IN_NUMBER = re.compile(r"\s*-?[0-9]+,[0-9]")


class Scan:
    """A cursor over JSON text that stops with FaultError at the first fault: the exact place, which fast parsers do not tell."""

    def __init__(self, text: str, max_depth: int) -> None:
        self.text, self.at, self.depth, self.max_depth = text, 0, 0, max_depth

    def match(self, pattern: re.Pattern[str]) -> str:
        """Past what the pattern finds here, which may be nothing; what it found."""
        found = pattern.match(self.text, self.at)
        if found is None:
            return ""
        self.at = found.end()
        return found[0]

    def skip(self) -> int:
        """Past white space; the place then."""
        self.match(_SPACE)
        return self.at

    def next(self, wanted: str) -> str:
        """The next character that is no white space, not consumed."""
        if self.skip() == len(self.text):
            text = f"The body ends where {wanted} should stand: it may have been cut off."
            raise _syntax(self.at, text, _IN_FULL)
        return self.text[self.at]

    def value(self) -> None:
        """Past one value."""
        first = self.next("a value")
        if first == '"':
            self.string()
        elif first in "{[":
            for _ in self.members():
                pass
        else:
            self.word()

    def members(self) -> Iterator[tuple[str | int, int]]:
        """Key or index, and place, of every member of the object or array that begins here; of any other value, nothing.

        At each step the cursor stands on the member's value; asked to go on, it passes it, and in the end the closing bracket.
        """
        opener = self.next("a value")
        if opener not in "{[":
            return
        self.depth += 1
        if self.depth > self.max_depth:
            raise FaultError("json-depth", self.at)
        closer = "}" if opener == "{" else "]"
        self.at += 1
        seen: set[str | int] = set()
        while self.next(f"{'a key' if opener == '{' else 'a value'} or {closer}") != closer:
            start = self.at
            name = self.key() if closer == "}" else len(seen)
            if name in seen:
                raise FaultError("json-duplicate-key", start)
            seen.add(name)
            yield name, self.skip()
            self.value()
            separator = self.next(f"a comma or {closer}")
            if separator == closer:
                break
            if separator != ",":
                raise _syntax(self.at, f"A comma or {closer} should stand here.", "Separate values with commas.")
            self.at += 1
            if self.next("a value") == closer:
                raise _syntax(self.at, "A comma stands before the closing bracket.", "Leave the last comma out.")
        self.depth -= 1
        self.at += 1

    def key(self) -> str:
        """Past a key and its colon; the key."""
        first = self.next("a key")
        if first != '"':
            mend = _POINT if first.isdigit() else "Write the key in double quotes."
            raise _syntax(self.at, "The key of an object should stand here.", mend)
        key = self.string()
        if self.next("a colon") != ":":
            raise _syntax(self.at, "A colon should stand here.", "Put a colon between key and value.")
        self.at += 1
        return key

    def string(self) -> str:
        """Past the string that begins here; what it says."""
        if plain := self.match(_PLAIN):
            return plain[1:-1]
        start = self.at
        self.at += 1
        while self.match(_CHUNK) is not None and (stop := self.text[self.at : self.at + 1]) != '"':
            if stop == "\\":
                self.escape()
            elif stop == "\0":
                raise FaultError("json-nul", self.at)
            elif stop:
                text, mend = "A control character stands in a string.", "Write it as an escape, such as \\n or \\t."
                raise _syntax(self.at, text, mend)
            else:
                text = "The body ends inside a string: it may have been cut off."
                raise _syntax(self.at, text, _IN_FULL)
        self.at += 1
        said: str = jiter.from_json(self.text[start : self.at].encode())
        return said

    def escape(self) -> None:
        """Past one escape in a string."""
        start, found = self.at, _ESCAPE.match(self.text, self.at)
        if found is None:
            raise _syntax(start, "JSON has no such escape.", "Write a backslash as two of them.")
        self.at = found.end()
        point = int(found[1], 16) if found[1] else 1
        if point == 0:
            raise FaultError("json-nul", start)
        if 0xDC00 <= point <= 0xDFFF or (0xD800 <= point <= 0xDBFF and not self.match(_LOW_HALF)):
            raise FaultError("json-surrogate", start)

    def word(self) -> None:
        """Past a number, true, false or null."""
        start, word = self.at, self.match(_WORD)
        if _NUMBER.fullmatch(word):
            try:
                int(word) if word.lstrip("-").isdigit() else Decimal(word)
            except (ValueError, InvalidOperation):  # more than 4300 digits, or an exponent beyond that of Decimal
                raise FaultError("json-number", start, "This number is too long to be held.", "Send the number meant.") from None
        elif _NO_NUMBER.fullmatch(word):
            raise FaultError("json-number", start, "JSON has no NaN and no Infinity.", "Leave out what has no value.")
        elif word and word[0] in "-+.0123456789":
            raise FaultError("json-number", start)
        elif word not in ("true", "false", "null"):
            mend = "Write true, false and null in lower case, and text in double quotes."
            raise _syntax(start, "A value should stand here.", mend)
