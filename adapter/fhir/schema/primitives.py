"""FHIR R4's primitive types as JSON Schema, written by hand from the regular expressions of the specification.

https://hl7.org/fhir/R4/datatypes.html#primitive. Dates are stricter than R4's own expression: the 31st of February is no
date, and neither is the 29th in a common year, so that no further check of the calendar is needed.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

_YEAR = "(?:[0-9](?:[0-9](?:[0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)"
_LEAP = "(?:[0-9][0-9](?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
_DAY = "(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
_FULL = f"(?:{_YEAR}-{_DAY}|{_LEAP}-02-29)"
_PART = f"{_YEAR}(?:-(?:0[1-9]|1[0-2]))?"
# 60 is a leap second, which R4 allows.
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_ZONE = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"

_MOST = 2147483647


def _text(pattern: str, **more: Any) -> Schema:
    return {"type": "string", "pattern": f"^{pattern}$", **more}


# R4's [ \r\n\t\S]+, where \S is meant for ASCII: names and notes may hold a no-break space, but not that alone.
_WORDS = r"[^\x0B\x0C]*[ \r\n\t\S][^\x0B\x0C]*"

#: Type name -> schema.
PRIMITIVES: dict[str, Schema] = {
    "base64Binary": _text(r"(?:\s*(?:[0-9a-zA-Z+/=]\s*){4})+"),
    "boolean": {"type": "boolean"},
    "canonical": _text(r"\S+"),
    "code": _text(r"\S+(?:\s\S+)*"),
    "date": _text(f"(?:{_PART}|{_FULL})"),
    "dateTime": _text(f"(?:{_PART}|{_FULL}(?:T{_CLOCK}{_ZONE})?)"),
    "decimal": {"type": "number"},
    "id": _text(r"[A-Za-z0-9.-]{1,64}"),
    "instant": _text(f"{_FULL}T{_CLOCK}{_ZONE}"),
    "integer": {"type": "integer", "minimum": -_MOST - 1, "maximum": _MOST},
    "markdown": _text(_WORDS),
    "oid": _text(r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+"),
    "positiveInt": {"type": "integer", "minimum": 1, "maximum": _MOST},
    "string": _text(_WORDS),
    "time": _text(_CLOCK),
    "unsignedInt": {"type": "integer", "minimum": 0, "maximum": _MOST},
    "uri": _text(r"\S+"),
    "url": _text(r"\S+"),
    "uuid": _text(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    "xhtml": {"type": "string", "minLength": 1},
}

#: Types whose JSON number must be written without a point: JSON Schema's integer lets 1.0 through.
INTEGERS = frozenset({"integer", "positiveInt", "unsignedInt"})

#: Types whose value may be a canonical, uri or url and so may point at a contained resource (dom-3).
LINKS = frozenset({"canonical", "uri", "url"})


def nullable(schema: Schema) -> Schema:
    """The same for an item of a repeating primitive, where null stands for "only the `_` sibling has something"."""
    return {**schema, "type": [schema["type"], "null"]}
