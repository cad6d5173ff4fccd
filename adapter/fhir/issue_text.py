"""From a broken rule to the OperationOutcome issue that a person reads.

The text comes from the rule, never from the validator's message: that one quotes the value. The place is a FHIRPath in which a
choice has its base name (`medication`, not `medicationCodeableConcept`). https://hl7.org/fhir/R4/operationoutcome.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from adapter.fhir.outcome import Issue, issue
from adapter.fhir.schema.invariants import TEXTS

Json = dict[str, Any]

#: rule -> (issue code, text, mend). https://hl7.org/fhir/R4/valueset-issue-type.html
RULES: dict[str, tuple[str, str, str]] = {
    "resource": ("structure", "This must be a FHIR resource: a JSON object with a resourceType.", "Give one resource, or a Bundle of them."),
    "resource-type": ("not-supported", "This resource type is unknown here.", "Use an R4 resource type that the CapabilityStatement names."),
    "json": ("structure", "This is no JSON: a name that is no string, a value of another kind, or text that is no Unicode.", "Send plain JSON values."),
    "depth": ("structure", "This is nested too deeply.", "Nest at most 100 levels."),
    "type": ("structure", "This element has the wrong JSON type.", "Use the type that R4 gives this element."),
    "unknown-element": ("structure", "R4 has no such element here.", "Correct the name, or remove it."),
    "empty": ("structure", "An array is never empty.", "Give it an item, or leave it out."),
    "required": ("required", "This element is required.", "Add it."),
    "choice": ("structure", "Only one type of this choice may be there.", "Keep one of them."),
    "binding": ("code-invalid", "This is not one of the codes of the value set to which the element is bound.", "Use a code of the value set."),
    "value": ("value", "The value does not have the form of its type.", "Correct the value."),
    "integer": ("value", "A whole number is written without point and exponent.", "Write it as an integer."),
    "null": ("structure", "A null stands for nothing: the other array has nothing at its index either.", "Remove it."),
    "modifier-extension": ("extension", "This modifier extension is unknown, and it may change what the element means.",
                           "Agree on its meaning first, or send the fact without it."),
    "extension-context": ("extension", "This extension does not belong on this element.", "Move it to an element that its definition names."),
    "reference-target": ("structure", "This element may not refer to a resource of that type.", "Refer to one of the types that it allows."),
    "reference-type": ("structure", "The reference says another type than it refers to.", "Correct Reference.type."),
    "reference-unresolved": ("value", "No entry of the Bundle has this fullUrl.", "Add the resource, or refer to it in another way."),
    "cardinality": ("structure", "There are more of this element than the profile allows.", "Remove what is too many."),
    "absent": ("structure", "The profile does not allow this element.", "Remove it."),
    "fixed": ("value", "The profile gives this element one value, and this is another.", "Use the value of the profile."),
    "pattern": ("value", "The profile gives this element a pattern, which is not met.", "Add or correct what the pattern demands."),
    "slice": ("structure", "The profile allows another number of this slice.", "Add or remove items of the slice."),
    "slice-closed": ("structure", "The profile allows no item outside its slices.", "Use one of the slices, or remove the item."),
    "choice-type": ("structure", "The profile does not allow this type of the choice.", "Use a type that the profile allows."),
    "max-length": ("value", "The text is longer than the profile allows.", "Shorten it."),
    "focus": ("structure", "The message definition of this event demands another number of such focus resources.", "Add or remove focus resources."),
    "focus-profile": ("structure", "The event demands that this resource claims one of several profiles.", "Name the profile in meta.profile."),
    "event": ("code-invalid", "No message definition has this event.", "Use an event of the hub."),
    "profile-unknown": ("not-supported", "This profile is unknown here: the resource was not judged by it.", "Nothing, or add the profile."),
    "profile-type": ("structure", "This profile is for another resource type.", "Name a profile of this type."),
    "bdl-7": ("invariant", "A fullUrl stands once in a Bundle, unless the versions differ.", "Give each entry its own fullUrl."),
    "dom-3": ("invariant", "A contained resource is referred to from the resource that contains it.", "Refer to it as #id, or remove it."),
    "ref-1": ("invariant", "A reference #id points at a resource contained in the same resource.", "Contain it, or correct the reference."),
    "per-1": ("invariant", "A period does not end before it starts.", "Correct start or end."),
    "rng-2": ("invariant", "low is not above high.", "Correct low or high."),
    "mdd-1": ("invariant", "Nothing is handed over before it is prepared.", "Correct whenPrepared or whenHandedOver."),
    "inv-1.Task": ("invariant", "A task is not modified before it is authored.", "Correct authoredOn or lastModified."),
    "obs-7": ("invariant", "No component has the code of the observation itself where that has a value.", "Remove one of the two."),
    "txt-1": ("invariant", "A narrative is a div of plain XHTML: no scripts, forms, entities or links to styles.", "Simplify the narrative."),
    "txt-2": ("invariant", "A narrative has some content.", "Add text, or leave the narrative out."),
    "too-many": ("incomplete", "There are more issues than are listed.", "Mend these first."),
}  # fmt: skip
RULES |= {key: ("invariant", text, mend) for key, (text, mend) in TEXTS.items()}

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
    """The issue of a rule at a FHIRPath. key: what to name as the rule where it differs; text, mend: in place of the rule's own."""
    code, own_text, own_mend = RULES.get(rule, ("invariant", "A rule of the profile is broken.", "See the profile."))
    return issue(severity, code, key or rule.removesuffix(".Task"), text or own_text, expression=expression, mend=mend or own_mend)


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
