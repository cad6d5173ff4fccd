"""JSON as a dose demands it: every number exact, and nothing accepted that two readers could read differently.

Decoding gives dicts, lists, str, bool, None, int and Decimal; 1.00 stays 1.00. Refused with line and column: a key given
twice, NaN and Infinity, NUL, half surrogates, too many levels, bytes after the value, and all that is no JSON or no UTF-8.
https://hl7.org/fhir/R4/json.html · https://www.rfc-editor.org/rfc/rfc8259 · https://www.rfc-editor.org/rfc/rfc7493 (I-JSON)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

import jiter
import msgspec

from adapter.fhir.json_faults import FaultError, Scan, fault_of, place
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


def decode(body: bytes, *, source: str = "", max_depth: int = MAX_DEPTH) -> Any:
    """The value that these bytes say: whole numbers as int, all others as Decimal with the precision as written.

    source: a name of the bytes for the issue (that of a file, say); max_depth: levels of objects and arrays, at most 200.
    Raises Refused with one issue: fatal, code structure or invalid, line and column counted in characters from 1.
    """
    try:
        if len(body) < _SHORT and _openings(body) <= max_depth:
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
    fault = fault_of(body, max_depth)
    if fault is None:
        try:
            return _parse(body)
        except ValueError:
            fault = FaultError("json-syntax", 0)
    code, text, mend = _RULES[fault.rule]
    line, column = place(body.decode("utf-8", "replace"), fault.at)
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
    scan = Scan(text, _PARSER_DEPTH)
    found = scan.skip()
    try:
        for part in path:
            found = next(at for name, at in scan.members() if name == part)
    except (FaultError, RecursionError, StopIteration):
        pass
    return place(text, found) if found < len(text) else (0, 0)


def _openings(body: bytes) -> int:
    """As many levels as there can be. One flat object, as many payloads are, is told at a glance."""
    if b"[" not in body and body.find(b"{", 1) < 0:
        return 1
    return len(body) - len(body.translate(None, b"[{"))


def _same(body: bytes) -> Any:
    """The value of a body that is written as `encode` writes, as most software does; _LOST for any other.

    What comes out again byte for byte has lost nothing in being read, by a reader that looks for no key given twice.
    """
    if body.find(b'": ', 0, 99) > 0:
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
