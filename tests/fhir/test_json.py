"""Strict JSON: what is refused and where, and that nothing exact is lost on the way in and out."""

from __future__ import annotations

import inspect
import json as stdlib
import sys
from decimal import Decimal, InvalidOperation
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.fhir.json import decode, encode, encode_pretty, locate
from adapter.fhir.outcome import Refused, is_error, place_of, rule_of
from adapter.shipped import ROOT

REFERENCE = ROOT.parent / "shared" / "reference"


def refusal(body: bytes, **options: Any) -> dict[str, Any]:
    """The one issue with which this body is refused."""
    with pytest.raises(Refused) as caught:
        decode(body, **options)
    assert len(caught.value.issues) == 1
    return caught.value.issues[0]


# Line and column counted by hand, from 1, in characters.
REFUSED = [
    # keys given twice: the place of the second
    (b'{"dose":40,"dose":400}', "json-duplicate-key", "1:12"),
    (b'{"dose":40,"dose":40}', "json-duplicate-key", "1:12"),
    (b'{\n  "a": {"b": 1},\n  "c": [{"d": 1, "e": 2, "d": 3}]\n}', "json-duplicate-key", "3:26"),
    (b'{"a":1,"\\u0061":2}', "json-duplicate-key", "1:8"),
    (b'{"":1,"":2}', "json-duplicate-key", "1:7"),
    ('{"é":1,"ü":2,"é":3}'.encode(), "json-duplicate-key", "1:14"),
    # numbers
    (b"NaN", "json-number", "1:1"),
    (b'{"dose":\n NaN}', "json-number", "2:2"),
    (b"[1,Infinity]", "json-number", "1:4"),
    (b"[1,-Infinity]", "json-number", "1:4"),
    (b"nan", "json-number", "1:1"),
    (b"040", "json-number", "1:1"),
    (b"[40.]", "json-number", "1:2"),
    (b"[.5]", "json-number", "1:2"),
    (b"[+1]", "json-number", "1:2"),
    (b"[-]", "json-number", "1:2"),
    (b"[1e]", "json-number", "1:2"),
    (b"[4O]", "json-number", "1:2"),
    (b"[0x28]", "json-number", "1:2"),
    (b"[1_000]", "json-number", "1:2"),
    (b"[" + b"9" * 4301 + b"]", "json-number", "1:2"),
    (b"[1e99999999999999999999]", "json-number", "1:2"),
    # a comma for a decimal point
    (b'{"dose":1,5}', "json-syntax", "1:11"),
    (b'{"dose": 1,5, "unit": "mg"}', "json-syntax", "1:12"),
    (b"1,5", "json-trailing", "1:2"),
    # NUL, as such and as an escape
    (b'{"a":"b\x00"}', "json-nul", "1:8"),
    (b'{"a":"b\\u0000"}', "json-nul", "1:8"),
    (b'{"a\\u0000":"b"}', "json-nul", "1:4"),
    (b'["\\\\\\u0000"]', "json-nul", "1:5"),
    # half a surrogate pair
    (b'["\\ud83d"]', "json-surrogate", "1:3"),
    (b'["\\ude00"]', "json-surrogate", "1:3"),
    (b'["\\ud83dx"]', "json-surrogate", "1:3"),
    (b'["\\ud83d\\ud83d"]', "json-surrogate", "1:3"),
    (b'["\\ude00\\ud83d"]', "json-surrogate", "1:3"),
    (b'["a\\ud83d\\ude00\\ud83d\\u0041"]', "json-surrogate", "1:16"),
    (b'{"\\udc00":1}', "json-surrogate", "1:3"),
    (b'["\xed\xa0\x80"]', "json-surrogate", "1:3"),
    # encoding
    (b'\xef\xbb\xbf{"a":1}', "json-encoding", "1:1"),
    (b'["\xff"]', "json-encoding", "1:3"),
    (b'[\n "caf\xe9"]', "json-encoding", "2:6"),
    ('["é'.encode() + b'\xe9"]', "json-encoding", "1:4"),
    (b'["\xc0\x80"]', "json-encoding", "1:3"),
    (b'["\xf4\x90\x80\x80"]', "json-encoding", "1:3"),
    (b'["\xe2\x82"]', "json-encoding", "1:3"),
    ('{"a":1}'.encode("utf-16"), "json-encoding", "1:1"),
    # what follows the value
    (b"{} {}", "json-trailing", "1:4"),
    (b'{"a":1}\n\nx', "json-trailing", "3:1"),
    (b"{}\x00", "json-trailing", "1:3"),
    (b"[]]", "json-trailing", "1:3"),
    (b"null,", "json-trailing", "1:5"),
    # nothing
    (b"", "json-empty", "1:1"),
    (b" \n\t", "json-empty", "1:1"),
    # no JSON
    (b'{"a":1,}', "json-syntax", "1:8"),
    (b"[1,]", "json-syntax", "1:4"),
    (b"[1 2]", "json-syntax", "1:4"),
    (b'{"a" 1}', "json-syntax", "1:6"),
    (b'{"a":1 "b":2}', "json-syntax", "1:8"),
    (b"{'a':1}", "json-syntax", "1:2"),
    (b"{a:1}", "json-syntax", "1:2"),
    (b'{"a":}', "json-syntax", "1:6"),
    (b"[,1]", "json-syntax", "1:2"),
    (b'{"a":1]', "json-syntax", "1:7"),
    (b"[1}", "json-syntax", "1:3"),
    (b"]", "json-syntax", "1:1"),
    (b"[True]", "json-syntax", "1:2"),
    (b"[nul]", "json-syntax", "1:2"),
    (b"[nullx]", "json-syntax", "1:2"),
    (b"// x\n1", "json-syntax", "1:1"),
    (b'["a\tb"]', "json-syntax", "1:4"),
    (b'["a\nb"]', "json-syntax", "1:4"),
    (b'["a\\xb"]', "json-syntax", "1:4"),
    (b'["\\u12G4"]', "json-syntax", "1:3"),
    (b"\x00", "json-syntax", "1:1"),
    ("[\u00a01]".encode(), "json-syntax", "1:2"),
    # cut off
    (b"{", "json-syntax", "1:2"),
    (b'{"a"', "json-syntax", "1:5"),
    (b'{"a":', "json-syntax", "1:6"),
    (b'{"a":"b', "json-syntax", "1:8"),
    (b'{"a":1,\n', "json-syntax", "2:1"),
    (b'["\\', "json-syntax", "1:3"),
    (b"[1", "json-syntax", "1:3"),
    # too deep
    (b"[" * 101 + b"]" * 101, "json-depth", "1:101"),
    (b"[\n" * 101 + b"1" + b"]" * 101, "json-depth", "101:1"),
    (b'{"a":' * 101 + b"{}" + b"}" * 101, "json-depth", "1:501"),
    (b'[{"a":' * 50 + b"[[]]" + b"}]" * 50, "json-depth", "1:301"),
    (b"[" * 100 + b"{}" + b"]" * 100, "json-depth", "1:101"),
    (b"[" * 300, "json-depth", "1:101"),
    (b"[" * 100_000, "json-depth", "1:101"),
    # what looks closed only because the parser is given it inside arrays
    (b"[" + b"[]," * 101 + b"[]],[[]]", "json-trailing", "1:308"),
    (b"[" + b"[]," * 101 + b"[]]]" + b",[" * 2, "json-trailing", "1:308"),
    (b"]" * 101 + b",[" * 101, "json-syntax", "1:1"),
]


@pytest.mark.parametrize(("body", "rule", "place"), REFUSED, ids=lambda value: repr(value)[:40])
def test_refuses_with_rule_line_and_column(body: bytes, rule: str, place: str) -> None:
    one = refusal(body)
    assert (rule_of(one), place_of(one)) == (rule, place)
    assert is_error(one)
    assert one["code"] in ("invalid", "structure")
    assert one["details"]["text"]
    assert one["diagnostics"]


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b'{"dose":1,5}', "comma"),
        (b"1,5", "comma"),
        (b"\xef\xbb\xbf{}", "mark"),
        (b"[True]", "lower case"),
        (b"{'a':1}", "double quotes"),
        (b'["cut', "in full"),
        (b"[1,]", "last comma"),
        (b'["C:\\x"]', "backslash"),
        (b'["\xe9"]', "UTF-8"),
    ],
)
def test_says_what_to_do(body: bytes, word: str) -> None:
    assert word in refusal(body)["diagnostics"]


def test_names_the_source() -> None:
    assert place_of(refusal(b"[1\n,NaN]", source="morning.json")) == "morning.json:2:2"


@pytest.mark.parametrize(
    "body",
    [
        b'{"QZX":"a","QZX":"b"}',
        b'{"a":"QZX" "QZX"}',
        b'["QZX\\ud800"]',
        b'["QZX\\u0000"]',
        b'["QZX\xff"]',
        b"[QZX]",
        b'{"a":12QZX}',
        b'{"a":1}QZX',
        b'{"a":"QZX',
    ],
)
def test_never_quotes_the_data(body: bytes) -> None:
    with pytest.raises(Refused) as caught:
        decode(body)
    told = repr(caught.value) + str(caught.value) + repr(caught.value.outcome)
    assert "QZX" not in told
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"40", 40),
        (b"-0.0", Decimal("-0.0")),
        (b"1.00", Decimal("1.00")),
        (b"0.5", Decimal("0.5")),
        (b"1e400", Decimal("1E+400")),
        (b"1E-400", Decimal("1E-400")),
        (b"12345678901234567890", 12345678901234567890),
        (b"0.12345678901234567890", Decimal("0.12345678901234567890")),
        (b"-" + b"9" * 4300, -(10**4300 - 1)),
        (b" \t\r\n[true,false,null] ", [True, False, None]),
        (b'"\\ud83d\\ude00 \\u00e9 \\/ \\n"', "😀 é / \n"),
        ('"😀 é \u2028"'.encode(), "😀 é \u2028"),
        (b'"\\\\u0000"', "\\u0000"),
        (b'["\\\\u0000","\\\\\\\\u0000"]', ["\\u0000", "\\\\u0000"]),
        (b'"\x7f"', "\x7f"),
        (b'{"":{}}', {"": {}}),
    ],
)
def test_decodes_exactly(body: bytes, value: Any) -> None:
    found = decode(body)
    assert found == value
    assert type(found) is type(value)
    assert str(found) == str(value)  # 1.0 == 1.00, but not as text


def test_a_hundred_levels_are_enough_and_brackets_in_text_are_none() -> None:
    assert decode(b"[" * 100 + b"]" * 100) != 1
    assert decode(b"[" * 100 + b"1" + b"]" * 100) != 1
    assert decode(b'{"a":' * 100 + b"1" + b"}" * 100)["a"] != 1
    assert decode(b'{"a":' * 99 + b"[]" + b"}" * 99)["a"] != 1
    assert decode(b'["' + b"[{" * 500 + b'"]') == ["[{" * 500]
    assert decode(b'["' + b"}]" * 500 + b'",' + b"[]," * 500 + b"{}]")[-1] == {}
    assert len(decode(b"[" + b"[[]]," * 500 + b"1]")) == 501


def test_the_depth_can_be_set() -> None:
    assert decode(b"[[[]]]", max_depth=3) == [[[]]]
    assert place_of(refusal(b"[[[]]]", max_depth=2)) == "1:3"
    assert decode(b"[" * 200 + b"1" + b"]" * 200, max_depth=200) != 1
    assert rule_of(refusal(b"[" * 201 + b"1" + b"]" * 201, max_depth=200)) == "json-depth"


def test_encodes_what_it_decodes_byte_for_byte() -> None:
    body = '{"b":[1.00,1E+400,0.10,-0.0,12345678901234567890,true,null],"a":{"é":"😀\\n"},"":[],"o":{}}'.encode()
    assert encode(decode(body)) == body


def test_encodes_keys_in_order_of_insertion() -> None:
    assert encode({"b": 1, "a": Decimal("2.50")}) == b'{"b":1,"a":2.50}'


def test_encodes_for_people() -> None:
    assert encode_pretty({"a": [Decimal("1.00"), {}], "b": "é", "c": []}) == (
        '{\n  "a": [\n    1.00,\n    {}\n  ],\n  "b": "é",\n  "c": []\n}\n'.encode()
    )


@pytest.mark.parametrize("value", [1.5, float("nan"), (1,), b"x", {1}, object()])
def test_refuses_to_encode_what_json_in_memory_never_holds(value: Any) -> None:
    for nested in (value, [value], {"a": {"b": [1, value]}}):
        with pytest.raises(TypeError):
            encode(nested)


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity"), "\ud800"])
def test_refuses_to_encode_what_json_cannot_say(value: Any) -> None:
    for nested in (value, [value], {"a": {"b": [1, value]}}):
        with pytest.raises(ValueError, match=r"no JSON numbers|surrogates"):
            encode(nested)


BODY = b"""{
  "resourceType": "MedicationDispense",
  "quantity": {"value": 1.00, "unit": "t\\u00e9\\"ab"},
  "note": [
    {"text": "a"}, {"text": "b, [c]: {d}"},
    []
  ]
}
"""


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ((), (1, 1)),
        (("resourceType",), (2, 19)),
        (("quantity",), (3, 15)),
        (("quantity", "value"), (3, 25)),
        (("quantity", "unit"), (3, 39)),
        (("note", 0), (5, 5)),
        (("note", 0, "text"), (5, 14)),
        (("note", 1, "text"), (5, 29)),
        (("note", 2), (6, 5)),
        # what is not there: the last part that is
        (("quantity", "code"), (3, 15)),
        (("note", 7, "text"), (4, 11)),
        (("note", 2, 0), (6, 5)),
        (("subject", "reference"), (1, 1)),
        (("resourceType", "x"), (2, 19)),
        (("note", "0"), (4, 11)),
        (("quantity", 0), (3, 15)),
    ],
)
def test_locates_values(path: tuple[str | int, ...], place: tuple[int, int]) -> None:
    assert locate(BODY, path) == place


def test_locates_by_characters_and_through_escapes() -> None:
    body = '{"é":"😀","\\u0061\\n":[1,2]}'.encode()
    assert locate(body, ("é",)) == (1, 6)
    assert locate(body, ("a\n", 1)) == (1, 24)


@pytest.mark.parametrize(
    "body", [b"", b"  ", b"\xff", b'{"a"', b'{"a":[1,', b"nonsense", b"[" * 100_000, b'{"a":1,"a":2}', b'["\\ud800']
)
def test_locating_never_raises(body: bytes) -> None:
    for path in ((), ("a",), ("a", 0), (0,) * 5000):
        line, column = locate(body, path)
        assert (line, column) == (0, 0) or (line == 1 and 1 <= column <= len(body))


def test_locating_never_raises_where_the_stack_is_nearly_full() -> None:
    body = b"[" + b"[" * 99 + b"]" * 99 + b",7]"

    def under(frames: int) -> tuple[int, int]:
        return locate(body, (1,)) if frames == 0 else under(frames - 1)

    free = sys.getrecursionlimit() - len(inspect.stack(0))
    assert under(0) == (1, 201)
    assert under(free - 100) == (1, 1)  # too little to pass what comes before: the place of the array


def test_locating_in_nothing_gives_no_place() -> None:
    assert locate(b"  ", ("a",)) == (0, 0)


TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=8)
NUMBERS = st.integers() | st.decimals(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def same(one: Any, other: Any) -> bool:
    """Equal in value, type and digits, and in the order of keys."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return str(one) == str(other)


def whole(value: Any) -> Any:
    """The value with Decimals that JSON would write as whole numbers as int: 4E+0 is 4."""
    if isinstance(value, dict):
        return {key: whole(member) for key, member in value.items()}
    if isinstance(value, list):
        return [whole(member) for member in value]
    return int(value) if isinstance(value, Decimal) and str(value).lstrip("-").isdigit() else value


@settings(max_examples=150, deadline=None)
@given(VALUES)
def test_what_is_encoded_comes_back(value: Any) -> None:
    assert same(decode(encode(value)), whole(value))
    assert same(decode(encode_pretty(value)), whole(value))


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(TEXT, VALUES, min_size=1, max_size=3), st.integers(0, 3) | st.none())
def test_finds_every_value(value: dict[str, Any], indent: int | None) -> None:
    body = stdlib.dumps(value, indent=indent, ensure_ascii=indent == 1, default=str).encode()
    lines = body.decode().split("\n")
    for key, member in value.items():
        line, column = locate(body, (key,))
        found = lines[line - 1][column - 1 :]
        expected = stdlib.dumps(member, indent=indent, ensure_ascii=indent == 1, default=str)
        assert found.startswith(expected.split("\n")[0])


def oracle(body: bytes) -> Any:
    """The standard library, made strict: the value, or ValueError."""

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(found)) != len(found):
            raise ValueError("key twice")
        return dict(found)

    def constant(name: str) -> Any:
        raise ValueError(name)

    try:
        value = stdlib.loads(body.decode(), object_pairs_hook=pairs, parse_constant=constant, parse_float=Decimal)
    except (InvalidOperation, RecursionError) as error:
        raise ValueError("out of range") from error
    text = stdlib.dumps(value, ensure_ascii=False, default=str)
    text.encode()  # UnicodeEncodeError is a ValueError: half a surrogate pair
    if "\\u0000" in text.replace("\\\\", ""):
        raise ValueError("NUL")
    return value


SPOILERS = [
    "",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"',
    "\\",
    "\\u0000",
    "\\ud800",
    "NaN",
    "0",
    "1.",
    "e5",
    "-",
    "\x00",
    "\t",
    "null",
    '{"a":1,"a":2}',
]


@settings(max_examples=400, deadline=None)
@given(VALUES, st.lists(st.tuples(st.integers(0, 200), st.integers(0, 3), st.sampled_from(SPOILERS)), max_size=3), st.booleans())
def test_agrees_with_the_standard_library_on_what_is_json(
    value: Any, spoils: list[tuple[int, int, str]], ascii_only: bool
) -> None:
    text = stdlib.dumps(value, ensure_ascii=ascii_only, default=str)
    for at, cut, put in spoils:
        text = text[:at] + put + text[at + cut :]
    agrees(text.encode("utf-8", "surrogatepass"))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=12) | st.text('[]{}:,"\\u0dD8e1.-+ \n', max_size=12).map(str.encode))
def test_agrees_with_the_standard_library_on_noise(body: bytes) -> None:
    agrees(body)


def agrees(body: bytes) -> None:
    try:
        expected = oracle(body)
    except ValueError:
        one = refusal(body)
        # The text of a fault whose kind was not found: every refusal is to have its own.
        assert one["details"]["text"] != "This is not JSON."
        line, column = (int(part) for part in place_of(one).split(":"))
        lines = body.decode("utf-8", "replace").split("\n")
        assert 1 <= line <= len(lines)
        assert 1 <= column <= len(lines[line - 1]) + 1
    else:
        assert same(decode(body), expected)


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="the public reference material is not beside the project")
def test_real_messages_survive_unchanged() -> None:
    files = sorted(REFERENCE.rglob("*.json"))
    assert files
    for file in files:
        body = file.read_bytes()
        value = decode(body, source=file.name)
        expected = stdlib.loads(body, parse_float=Decimal)
        assert same(value, expected), file.name
        assert same(stdlib.loads(encode(value), parse_float=Decimal), expected), file.name
