"""JSON as a dose demands it: every number exact, and nothing accepted that two readers could read differently.

Decoding gives dicts, lists, str, bool, None, int and Decimal; 1.00 stays 1.00. Refused with line and column: a key given
twice, NaN and Infinity, NUL, half surrogates, too many levels, bytes after the value, and all that is no JSON or no UTF-8.
https://hl7.org/fhir/R4/json.html · https://www.rfc-editor.org/rfc/rfc8259 · https://www.rfc-editor.org/rfc/rfc7493 (I-JSON)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

import jiter
import msgspec

from adapter.fhir.outcome import Refused, issue

#: Levels of objects and arrays inside each other. FHIR messages have some twenty; a walk in Python stops near a thousand.
MAX_DEPTH = 100
#: The levels that jiter itself allows, in the release that is pinned.
_PARSER_DEPTH = 201
#: Bytes up to which counting brackets is cheaper than _parse_inside.
_SHORT = 4096

# Keys alone are cached by the parser: values are patients' data and must not outlive the message.
_parse = partial(jiter.from_json, catch_duplicate_keys=True, float_mode="decimal", allow_inf_nan=False, cache_mode="keys")
_read = msgspec.json.Decoder(float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode
_OPENING = b"[{"
_LOST = object()

#: Rule -> issue code, text, mend. https://hl7.org/fhir/R4/valueset-issue-type.html
_RULES = {
    "json-empty": ("structure", "The body holds no JSON value.", "Send the message as the body."),
    "json-encoding": ("structure", "JSON is UTF-8, and this is not.", "Send the body encoded as UTF-8."),
    "json-syntax": ("structure", "This is not JSON.", "Send the message as its software wrote it."),
    "json-trailing": ("structure", "Something follows the JSON value.", "Send one JSON value and nothing after it."),
    "json-depth": ("structure", "Objects and arrays lie too deep inside each other.", "Send a message with fewer levels."),
    "json-duplicate-key": ("invalid", "An object has one key twice: which of them counts is not known.", "Send each key once."),
    "json-number": ("invalid", "This is not a JSON number.", "Write plain digits, with a point for decimals: 0.5 or -12.25."),
    "json-nul": ("invalid", "The character NUL (U+0000) is not allowed in FHIR text.", "Leave the character out."),
    "json-surrogate": ("invalid", "Half a surrogate pair is not a character.", "Send both halves, or the character itself."),
}
_POINT = "A decimal is written with a point, not with a comma."
_IN_FULL = "Send it in full."


def decode(body: bytes, *, source: str = "", max_depth: int = MAX_DEPTH) -> Any:
    """The value that these bytes say: whole numbers as int, all others as Decimal with the precision as written.

    source: a name of the bytes for the issue (that of a file, say); max_depth: levels of objects and arrays, at most 200.
    Raises Refused with one issue: fatal, code structure or invalid, line and column counted in characters from 1.
    """
    try:
        if len(body) < _SHORT and len(body) - len(body.translate(None, _OPENING)) <= max_depth:
            value = _same(body)
            if value is _LOST:
                value = _parse(body)
        else:
            value = _parse_inside(body, _PARSER_DEPTH - max_depth)
        # The parser lets \u0000 through. To look for one byte first is much the faster where there is none.
        if b"\\" not in body or b"\\u0000" not in body:
            return value
    except ValueError:
        pass
    # The parser refused it, in words that quote the data, or cannot vouch for it: a slower reader finds the fault, if any.
    fault = _fault(body, max_depth)
    if fault is None:
        try:
            return _parse(body)
        except ValueError:
            fault = _FaultError("json-syntax", 0)
    code, text, mend = _RULES[fault.rule]
    line, column = _place(body.decode("utf-8", "replace"), fault.at)
    told = {"mend": fault.mend or mend, "source": source}
    raise Refused([issue("fatal", code, fault.rule, fault.text or text, line=line, column=column, **told)])


def encode(value: Any) -> bytes:
    """Compact UTF-8 JSON, keys in the order in which they were put in; the same value gives the same bytes.

    A Decimal is written as a number, its digits as they are. Raises TypeError for what JSON in memory never holds (float,
    tuple, bytes, datetime), ValueError for NaN, Infinity and half surrogates: faults of the program, not of a message.
    """
    _check((value,))
    return _encode(value)


def encode_pretty(value: Any) -> bytes:
    """As encode, for people: two spaces a level, and a newline at the end."""
    return msgspec.json.format(encode(value), indent=2) + b"\n"


def locate(body: bytes, path: Sequence[str | int]) -> tuple[int, int]:
    """Line and column, from 1, of the value at this path of keys and indexes, in a body that has been decoded before.

    Where the path goes on to what is not there: the place of the last part that is. (0, 0) where the body is no JSON.
    Never raises: an issue without its place is better than none.
    """
    text = body.decode("utf-8", "replace")
    scan = _Scan(text, _PARSER_DEPTH)
    found = scan.skip()
    try:
        for part in path:
            found = next(at for name, at in scan.members() if name == part)
    except (_FaultError, RecursionError, StopIteration):
        pass
    return _place(text, found) if found < len(text) else (0, 0)


def _same(body: bytes) -> Any:
    """The value of a body that is written as `encode` writes, as most software does; _LOST for any other.

    What comes out again byte for byte has lost nothing in being read, by a reader that looks for no key given twice.
    """
    if b'": ' in body[:99]:
        return _LOST  # written with blanks
    try:
        value = _read(body)
        return value if body.startswith(_encode(value)) else _LOST
    except (ValueError, ArithmeticError, RecursionError):
        return _LOST


def _parse_inside(body: bytes, levels: int) -> Any:
    """Parses the body inside so many arrays, that the parser's own limit becomes ours; ValueError where it does not fit.

    A limit that costs no walk. A body that closes one of these arrays must open another, so that one no longer holds
    one thing: also ValueError.
    """
    value = _parse(b"[" * levels + body + b"]" * levels)
    for _ in range(levels):
        (value,) = value
    return value


def _check(values: Iterable[Any]) -> None:
    for value in values:
        kind = type(value)
        if kind is str:
            continue
        if kind is dict:
            _check(value.values())
        elif kind is list:
            _check(value)
        elif kind is Decimal:
            if not value.is_finite():
                raise ValueError("NaN and Infinity are no JSON numbers")
        elif kind is not int and kind is not bool and value is not None:
            raise TypeError(f"{kind.__name__} is not written as JSON: use dict, list, str, bool, int, Decimal or None")


# From here on: what runs only when a place is to be named.


class _FaultError(Exception):
    def __init__(self, rule: str, at: int, text: str = "", mend: str = "") -> None:
        self.rule, self.at, self.text, self.mend = rule, at, text, mend


def _syntax(at: int, text: str, mend: str) -> _FaultError:
    return _FaultError("json-syntax", at, text, mend)


def _place(text: str, at: int) -> tuple[int, int]:
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _fault(body: bytes, max_depth: int) -> _FaultError | None:
    """The first fault of a body, or None. at: characters before it."""
    if body.startswith(b"\xef\xbb\xbf"):
        return _FaultError("json-encoding", 0, "JSON may not begin with a byte order mark.", "Leave the mark out.")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        # A surrogate in UTF-8 would be ED A0..BF: https://www.rfc-editor.org/rfc/rfc3629#section-3
        surrogate = body[error.start] == 0xED and body[error.start + 1 : error.start + 2] >= b"\xa0"
        return _FaultError("json-surrogate" if surrogate else "json-encoding", len(body[: error.start].decode()))
    scan = _Scan(text, max_depth)
    if scan.skip() == len(text):
        return _FaultError("json-empty", 0)
    try:
        scan.value()
    except _FaultError as fault:
        return fault
    if scan.skip() == len(text):
        return None
    return _FaultError("json-trailing", scan.at, mend=_POINT if _COMMA_IN_NUMBER.match(text) else "")


_SPACE = re.compile(r"[ \t\n\r]*")
_PLAIN = re.compile(r'"([^"\\\x00-\x1f]*)"')
_CHUNK = re.compile(r'[^"\\\x00-\x1f]*')
_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u([0-9a-fA-F]{4}))')
_LOW_HALF = re.compile(r"\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_WORD = re.compile(r"[-+.\w]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[-+]?(?:nan|inf|infinity)", re.IGNORECASE)
_COMMA_IN_NUMBER = re.compile(r"\s*-?[0-9]+,[0-9]")


class _Scan:
    """A cursor over JSON text that stops with _FaultError at the first fault: the exact place, which fast parsers do not tell."""

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
            raise _FaultError("json-depth", self.at)
        closer = "}" if opener == "{" else "]"
        self.at += 1
        seen: set[str | int] = set()
        while self.next(f"{'a key' if opener == '{' else 'a value'} or {closer}") != closer:
            start = self.at
            name = self.key() if closer == "}" else len(seen)
            if name in seen:
                raise _FaultError("json-duplicate-key", start)
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
                raise _FaultError("json-nul", self.at)
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
        start, found = self.at, _ESCAPE.match(self.text, self.at)
        if found is None:
            raise _syntax(start, "JSON has no such escape.", "Write a backslash as two of them.")
        self.at = found.end()
        point = int(found[1], 16) if found[1] else 1
        if point == 0:
            raise _FaultError("json-nul", start)
        if 0xDC00 <= point <= 0xDFFF or (0xD800 <= point <= 0xDBFF and not self.match(_LOW_HALF)):
            raise _FaultError("json-surrogate", start)

    def word(self) -> None:
        """Past a number, true, false or null."""
        start, word = self.at, self.match(_WORD)
        if _NUMBER.fullmatch(word):
            try:
                int(word) if word.lstrip("-").isdigit() else Decimal(word)
            except (ValueError, InvalidOperation):  # more than 4300 digits, or an exponent beyond that of Decimal
                raise _FaultError("json-number", start, "This number is too long to be held.", "Send the number meant.") from None
        elif _NO_NUMBER.fullmatch(word):
            raise _FaultError("json-number", start, "JSON has no NaN and no Infinity.", "Leave out what has no value.")
        elif word and word[0] in "-+.0123456789":
            raise _FaultError("json-number", start)
        elif word not in ("true", "false", "null"):
            mend = "Write true, false and null in lower case, and text in double quotes."
            raise _syntax(start, "A value should stand here.", mend)
