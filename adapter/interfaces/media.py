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


def is_extract(wire_format: str) -> bool:
    """Whether a body of this format is an extract: a zip of several files with many records."""
    return wire_format not in MEDIA_TYPES


def of_format(wire_format: str) -> tuple[str, ...]:
    """The media types of a wire format; an extract travels as a zip of its files."""
    return MEDIA_TYPES.get(wire_format, ("application/zip", "application/octet-stream"))
