"""A new system from a sample of what it sends: manifest, schema, maps to go on with, a case, and a test that fails until they do.

No value of the sample goes anywhere but into the case, which is the sample itself: it must be of an invented person.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any

from adapter.fhir.json import decode, encode_pretty
from adapter.fhir.outcome import Refused, issue
from adapter.fhir.schema import tables
from adapter.shipped import PROFILES

_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[-+]\d\d:\d\d)")
_KEY = re.compile(r"(^|[._-])(id|ref|reference|identifier|number|no|key)$|Id$|Ref$|_NO$|_ID$|_REF$", re.IGNORECASE)

#: Elements that a person's data nearly always has a place for, as comments to go on with: words of a name -> the element.
_PERSON = (
    ("nhs", 'identifier: [{{system: "https://fhir.nhs.uk/Id/nhs-number", value: ${path}}}]'),
    ("surname|family|lastname|last_name", "name: [{{family: ${path}}}]"),
    ("birth|dob|born", "birthDate: ${path}"),
    ("sex|gender", "gender: ${path} | <ConceptMap>"),
)


def names(text: str) -> tuple[str, str]:
    """The system and the message of SYSTEM/MESSAGE. Raises ValueError that says what a name is made of."""
    system, _, message = text.partition("/")
    if not (_NAME.fullmatch(system) and _NAME.fullmatch(message)):
        raise ValueError("write SYSTEM/MESSAGE, each of small letters, digits, - and _")
    return system, message


def events() -> list[str]:
    """The events of the hub that have a MessageDefinition."""
    return sorted(file.stem.removeprefix("MessageDefinition-") for file in PROFILES.glob("MessageDefinition-*.json"))


def files(system: str, message: str, sample: bytes, *, form: str, event: str, kind: str) -> dict[str, bytes]:
    """The new files by their path below the mappings folder. form: json or csv. Raises Refused where the sample is no such."""
    record = _record(sample, form)
    schema = _schema(system, message, record)
    places = [f".{place}" if place in ("ref", "say") else place for place in _places(record)]  # words of the language
    key = next((place for place in places if _KEY.search(place) and "[]" not in place), places[0])
    maps = dict(_maps(event, key, places))
    manifest = f"""# {system}: who it is, and what it says. The words of a manifest: docs/map-language.md.
system: {system}
title: {system.replace("_", " ").replace("-", " ").capitalize()}
kind: {kind}
version: 0.1.0
messages:
  {message}:
    title: {message.replace("-", " ").capitalize()}
    direction: read              # `both`, once every field has a hole that can be reversed
    event: {event}
    format: {form}
    key: [{key}]                 # what tells two messages apart, and a message sent again from a new one
    maps: [{", ".join(maps)}]
"""
    case = f"fixtures/{system}/{message}/first"
    wanted = {"unread": {"source": [], "bundle": []}, "carried": [], "issues": []}
    return {
        f"{system}/system.yaml": manifest.encode(),
        f"{system}/{message}/{message}.schema.json": json.dumps(schema, indent=2).encode() + b"\n",
        **{f"{system}/{message}/{name}.yaml": text.encode() for name, text in maps.items()},
        f"{case}/in.{form}": sample,
        f"{case}/account.json": encode_pretty(wanted),
        f"test_{system}.py": _TEST.format(system=system).encode(),
    }


def _record(sample: bytes, form: str) -> dict[str, Any]:
    if form == "csv":
        text = sample.decode("utf-8-sig", "replace")
        rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if ";" in text.split("\n")[0] else ","))
        if not rows or not rows[0]:
            fault = issue(
                "fatal", "structure", "csv-empty", "The sample has no row below its header.", mend="Give one with a row."
            )
            raise Refused([fault])
        return {name: next((row[name] for row in rows if row.get(name)), "") for name in rows[0] if name}
    value = decode(sample)
    if not isinstance(value, dict) or not value:
        text = "The sample is not a JSON object with properties."
        raise Refused([issue("fatal", "structure", "not-an-object", text, mend="Give one whole message.")])
    return value


def _places(value: Any, place: str = "") -> Iterator[str]:
    """The paths of a record's leaves, as maps write them: lists without their indexes."""
    if isinstance(value, dict):
        for name, below in value.items():
            yield from _places(below, f"{place}.{name}" if place else name)
    elif isinstance(value, list):
        yield from dict.fromkeys(path for below in value for path in _places(below, f"{place}[]"))
    else:
        yield place


def _schema(system: str, message: str, record: dict[str, Any]) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://{system}.example/contracts/{message}/0.1.0",
        "version": "0.1.0",
        "title": message.replace("-", " ").capitalize(),
        "description": "Made from one sample: say what each property means, which must be there, and every code that may stand.",
        **_typed([record]),
    }


def _typed(values: list[Any]) -> dict[str, Any]:
    """The schema of all these values. What one sample cannot say (codes, lengths, what may be absent) is left to a person."""
    if all(isinstance(value, dict) for value in values):
        found = list(dict.fromkeys(name for value in values for name in value))
        return {
            "type": "object",
            "additionalProperties": False,
            "required": [name for name in found if all(name in value for value in values)],
            "properties": {
                name: {"title": name, "description": "?", **_typed([value[name] for value in values if name in value])}
                for name in found
            },
        }
    if all(isinstance(value, list) for value in values):
        below = [one for value in values for one in value]
        return {"type": "array", **({"items": _typed(below)} if below else {})}
    if all(isinstance(value, bool) for value in values):
        return {"type": "boolean"}
    if all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        return {"type": "integer"}
    if all(isinstance(value, str) for value in values):
        if all(_DAY.fullmatch(value) for value in values):
            return {"type": "string", "format": "date"}
        if all(_INSTANT.fullmatch(value) for value in values):
            return {"type": "string", "format": "date-time"}
        return {"type": "string", "minLength": 1}
    if all(not isinstance(value, str | dict | list | bool) and value is not None for value in values):
        return {"type": "number"}
    return {}


def _maps(event: str, key: str, places: list[str]) -> Iterator[tuple[str, str]]:
    definition = json.loads((PROFILES / f"MessageDefinition-{event}.json").read_text("utf-8"))
    focus = list(dict.fromkeys(entry["code"] for entry in definition.get("focus", ())))
    yield (
        "Bundle",
        f"""resourceType: Bundle
identifier: {{system: "https://example.org/message", value: ${key}}}   # the sender's own system of message identifiers
# timestamp: $<when it was sent>
""",
    )
    person = [(line.format(path=p), p) for words, line in _PERSON for p in places if re.search(words, p, re.IGNORECASE)]
    about = "\n".join(f"# {line}" for line, _ in person) or "# identifier, name, birthDate ..."
    own = next((place for line, place in person if line.startswith("identifier") and "[]" not in place), key)
    yield (
        "Patient",
        f"resourceType: Patient\n$key: {own}\nactive: true   # put what the sample says of the person here:\n{about}\n",
    )
    if focus[:1] == ["Patient"]:
        return
    record = f'{{system: "https://example.org/record", value: ${key}}}'
    listed = tables.types()[focus[0]]["elements"]["identifier"].get("l")
    others = f"\n# The event may have maps for {', '.join(focus[1:])} as well, each in a file of its own." if focus[1:] else ""
    yield (
        focus[0],
        f"""# What each element carries: docs/hub.md, {event}. How a map says it: docs/map-language.md.{others}
resourceType: {focus[0]}
$key: {key}
identifier: {f"[{record}]" if listed else record}
# The sample's fields; until a hole reads one, it is told as unread:
{_fields([place for place in places if place != key])}
""",
    )


def _fields(places: list[str]) -> str:
    """The fields as a map would name them; those of a list below the $each that reaches them."""
    lines = [f"#   ${place}" for place in places if "[]" not in place]
    for each in dict.fromkeys(place.rpartition("[].")[0] for place in places if "[]." in place):
        lines.append(f"# $each: {each.replace('[].', '/')}   # one resource, or one element, for each; then")
        lines += [f"#   ${place.rpartition('[].')[2]}" for place in places if place.rpartition("[].")[0] == each]
    lines += [f"#   {{$each: {place[:-2]}, ...: $.}}" for place in places if place.endswith("[]")]
    return "\n".join(lines)


_TEST = '''"""Every case of {system} comes to what stands beside it. It fails until the maps say all that the sample says."""

from pathlib import Path

import pytest

import adapter
from adapter.systems.cases import found, run

HERE = Path(__file__).parent
OST = adapter.load(mappings=[HERE])
NAMES = [f"{system}/{{name}}" for name in OST.systems["{system}"].messages]
CASES = [(name, case) for name in NAMES for case in found(HERE / "fixtures", name)]


@pytest.mark.parametrize(("message", "case"), CASES, ids=lambda one: one if isinstance(one, str) else one.name)
def test_case(message: str, case: Path) -> None:
    assert run(OST, message, case).differences == []


def test_every_message_has_a_case() -> None:
    assert {{message for message, _ in CASES}} == set(NAMES)
'''
