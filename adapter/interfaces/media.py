"""Which media types stand for a wire format, in HTTP's Content-Type."""

from __future__ import annotations

#: Wire format (system.yaml) -> media types it is sent as, the first being what we answer with.
#: HL7 v2: https://hl7.org/fhir/R4/http.html has none; x-application/hl7-v2+er7 is HAPI's and FHIR's mapping guide's.
MEDIA_TYPES: dict[str, tuple[str, ...]] = {
    "json": ("application/json", "application/fhir+json"),
    "fhir": ("application/fhir+json", "application/json"),
    "csv": ("text/csv",),
    "hl7v2": ("x-application/hl7-v2+er7", "application/hl7-v2", "text/plain"),
    "xml": ("application/xml", "text/xml"),
}


#: One JSON value a line. https://github.com/ndjson/ndjson-spec
NDJSON = "application/x-ndjson"

_JSON = ("json", "fhir")


def of_format(wire_format: str) -> tuple[str, ...]:
    """The media types of a message; an extract travels as a zip of its files."""
    return MEDIA_TYPES.get(wire_format, ("application/zip", "application/octet-stream"))


def taken(wire_format: str) -> tuple[str, ...]:
    """The media types that a body of this format may have: those of one message, and of many, a line each."""
    return (*of_format(wire_format), NDJSON) if wire_format in _JSON else of_format(wire_format)


def holds_many(wire_format: str, media_type: str) -> bool:
    """Whether a body is a source of many messages: an extract, rows of CSV, or lines of JSON."""
    return wire_format == "csv" or wire_format not in MEDIA_TYPES or media_type == NDJSON
