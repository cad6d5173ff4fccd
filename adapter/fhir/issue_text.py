"""From a broken rule to the OperationOutcome issue that a person reads.

The text comes from the rule, never from the validator's message: that one quotes the value. The place is a FHIRPath in which a
choice has its base name (`medication`, not `medicationCodeableConcept`). https://hl7.org/fhir/R4/operationoutcome.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from adapter.fhir.outcome import Issue, issue
from adapter.fhir.rule_texts import RULES

Json = dict[str, Any]

#: What a primitive looks like, for rules `type` and `value`. https://hl7.org/fhir/R4/datatypes.html
FORMS = {
    "base64Binary": "base64 text",
    "boolean": "true or false, without quotes",
    "canonical": "a URL without blanks",
    "code": "a code: text without outer or double blanks",
    "date": "a date as YYYY, YYYY-MM or YYYY-MM-DD that exists in the calendar",
    "dateTime": "YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with Z or an offset",
    "decimal": "a number, without quotes",
    "id": "1 to 64 letters, digits, - or .",
    "instant": "YYYY-MM-DDThh:mm:ss with Z or an offset",
    "integer": "a whole number of 32 bits, without quotes",
    "markdown": "text that is not empty",
    "oid": "urn:oid: and an OID",
    "positiveInt": "a whole number above 0, without quotes",
    "string": "text that is not empty",
    "time": "hh:mm:ss",
    "unsignedInt": "a whole number, 0 or more, without quotes",
    "uri": "a URI without blanks",
    "url": "a URL without blanks",
    "uuid": "urn:uuid: and a UUID in small letters",
    "xhtml": "a div of XHTML, as a string",
}

#: A name is a place, not a value; but what does not look like a name is not repeated.
_NAME = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,63}\Z")


def say(rule: str, expression: str, *, severity: str = "error", key: str = "", text: str = "", mend: str = "") -> Issue:
    """The issue of a rule at a FHIRPath. key: the rule's name where it differs; text, mend: in place of the rule's own."""
    code, own_text, own_mend = RULES[rule]
    return issue(
        severity, code, key or rule.removesuffix(".Task"), text or own_text, expression=expression, mend=mend or own_mend
    )


def fhirpath(root: str, type_name: str, steps: Sequence[str | int], types: Mapping[str, Json]) -> str:
    """The FHIRPath of an instance path below `root`, which is of type `type_name`."""
    path = root
    for step in steps:
        if isinstance(step, int):
            path += f"[{step}]"
            continue
        row = types.get(type_name, {}).get("elements", {}).get(step.removeprefix("_"), {})
        path += f".{row.get('b', step.removeprefix('_'))}"
        type_name = "Element" if step.startswith("_") else row.get("t", type_name if step in ("id", "extension") else "")
        if step == "extension":
            type_name = "Extension"
    return path


def below(path: str, name: str) -> str:
    """`path.name`, or `path` alone where the name (which the sender chose) does not look like one."""
    return f"{path}.{name}" if _NAME.match(name) else path


def wrong_form(rule: str, primitive: str, expression: str) -> Issue:
    """The issue of a primitive whose type or form is wrong."""
    form = FORMS.get(primitive)
    return say(rule, expression, text=f"This must be {form}.") if form else say(rule, expression)
