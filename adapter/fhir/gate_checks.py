"""What R4 demands and JSON Schema cannot say, as plain functions: dates in order, narratives, codes that must differ.

A check is given a value whose types are already right, and answers the key of the rule that is broken, or None.
The keys are R4's, each on the page of its type: https://hl7.org/fhir/R4/
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any
from xml.parsers import expat

Json = dict[str, Any]
Check = Callable[[Json], str | None]


def compare(one: str, other: str) -> int | None:
    """-1, 0 or 1 for two dates or date-times; None where their precision leaves it open.

    As FHIRPath does: of two precisions the common part decides, unless it is equal. https://hl7.org/fhirpath/N1/#comparison
    """
    if one == other:
        return 0
    if len(one) == len(other) <= 10:  # dates of one precision: the digits decide
        return -1 if one < other else 1
    if "T" in one and "T" in other:
        try:
            left, right = datetime.fromisoformat(one), datetime.fromisoformat(other)
            return (left > right) - (left < right)
        except (ValueError, TypeError, OverflowError):  # a leap second, or one without its zone
            return None
    left_part, right_part = one.partition("T")[0], other.partition("T")[0]
    common = min(len(left_part), len(right_part))
    left_part, right_part = left_part[:common], right_part[:common]
    if left_part == right_part:
        return 0 if len(one) == len(other) else None
    return -1 if left_part < right_part else 1


def _later(value: Json, first: str, then: str) -> bool:
    start, end = value.get(first), value.get(then)
    return start is not None and end is not None and compare(start, end) == 1


def period(value: Json) -> str | None:
    """per-1: a Period does not end before it starts."""
    start, end = value.get("start"), value.get("end")
    if start is None or end is None or (len(start) == len(end) <= 10 and start <= end):  # as most are: no need to compare further
        return None
    return "per-1" if compare(start, end) == 1 else None


def range_(value: Json) -> str | None:
    """rng-2: low is not above high. Only amounts of the same unit are compared."""
    low, high = value.get("low"), value.get("high")
    if low is None or high is None or "value" not in low or "value" not in high:
        return None
    if any(low.get(name) != high.get(name) for name in ("system", "code", "unit")):
        return None
    return "rng-2" if Decimal(str(low["value"])) > Decimal(str(high["value"])) else None


def medication_dispense(value: Json) -> str | None:
    """mdd-1: nothing is handed over before it is prepared."""
    return "mdd-1" if _later(value, "whenPrepared", "whenHandedOver") else None


def task(value: Json) -> str | None:
    """inv-1 of Task: it is not modified before it is authored."""
    return "inv-1.Task" if _later(value, "authoredOn", "lastModified") else None


def _codes(concept: Json) -> set[tuple[Any, Any]]:
    return {(coding.get("system"), coding.get("code")) for coding in concept.get("coding", ())}


def observation(value: Json) -> str | None:
    """obs-7: no component has the observation's own code where the observation has a value."""
    components = value.get("component")
    if not components or not any(key.startswith("value") for key in value):
        return None
    own = _codes(value.get("code", {}))
    return "obs-7" if any(own & _codes(component.get("code", {})) for component in components) else None


_ELEMENTS = frozenset(
    (
        "div p br h1 h2 h3 h4 h5 h6 a span b em i strong small big tt dfn q var abbr acronym cite blockquote hr address bdo "
        "kbd ol ul li dl dt dd pre table caption colgroup col thead tr tfoot tbody th td code samp img map area del ins sub "
        "sup"
    ).split()
)
_ATTRIBUTES = frozenset(
    (
        "xmlns title style class id lang xml:lang xml:space dir accesskey tabindex href name rel rev type hreflang charset "
        "shape coords src alt border width height ismap usemap longdesc cite datetime summary rules frame cellspacing "
        "cellpadding align valign char charoff span abbr axis headers scope rowspan colspan nowrap bgcolor start value "
        "compact clear"
    ).split()
)
_XHTML = "http://www.w3.org/1999/xhtml"


class _Doctype(Exception):
    """A document type: nothing after it is read, since it can define entities that grow or that name a file."""


class _Narrative:
    """Reads one div. Nothing outside it is ever fetched: expat resolves no entity by itself and a DOCTYPE ends the reading."""

    def __init__(self) -> None:
        self.faulty = False
        self.empty = True
        self.first = True

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self.first:
            self.first = False
            self.faulty |= name != "div" or attributes.get("xmlns") != _XHTML
        if name == "img":
            self.empty = False
        if name not in _ELEMENTS or not _ATTRIBUTES.issuperset(attributes):
            self.faulty = True
        for link in (attributes.get("href"), attributes.get("src")):
            if link is not None and link.strip().lower().startswith(("javascript:", "vbscript:")):
                self.faulty = True

    def text(self, text: str) -> None:
        if not text.isspace():
            self.empty = False

    def doctype(self, *_: Any) -> None:
        raise _Doctype


def narrative(value: Json) -> str | None:
    """txt-1, txt-2: plain XHTML with some content. https://hl7.org/fhir/R4/narrative.html#xhtml"""
    div = value.get("div")
    if div is None:
        return None
    reader = _Narrative()
    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = reader.start
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.doctype
    try:
        parser.Parse(div.encode("utf-8"), True)
    except (expat.ExpatError, _Doctype):
        return "txt-1"
    if reader.faulty:
        return "txt-1"
    return "txt-2" if reader.empty else None


#: Type name -> its check.
CHECKS: dict[str, Check] = {
    "Period": period,
    "Range": range_,
    "MedicationDispense": medication_dispense,
    "Task": task,
    "Observation": observation,
    "Narrative": narrative,
}
