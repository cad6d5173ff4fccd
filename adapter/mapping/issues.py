"""Every issue that a fill or a match may raise, its text in one place: where, which rule, how to mend, and never a value."""

from __future__ import annotations

from adapter.fhir.outcome import Issue, issue


def code_unknown(where: str, name: str) -> Issue:
    """A code that the ConceptMap does not have, in either direction."""
    text = f"A code that ConceptMap {name} does not have; it cannot be said on the other side."
    mend = f"Use a code that {name} has, or add this one to it."
    return issue("error", "code-invalid", "code-unknown", text, expression=where, mend=mend)


def code_kept(where: str, name: str) -> Issue:
    """The same where a CodeableConcept can hold the source's own coding."""
    text = f"A code that ConceptMap {name} does not have; the source's own coding is kept."
    return issue("warning", "code-invalid", "code-unknown", text, expression=where, mend=f"Add this code to {name}.")


def codec_refused(where: str, name: str) -> Issue:
    """A value that a codec cannot turn, in either direction."""
    text = f"The codec {name} cannot turn this value into what the other side holds."
    return issue("error", "value", "codec", text, expression=where, mend=f"Give the value in the form that {name} expects.")


def conflict(where: str, paths: str, line: str) -> Issue:
    """Two elements that say different things of one record path."""
    text = f"This element and another one both give {paths} of the target, and they differ (map {line}). Neither wins."
    return issue("error", "conflict", "conflict", text, expression=where, mend="Make the two elements agree at their source.")


def combination(where: str, codecs: str) -> Issue:
    """An element that does not say what the record's value would write there."""
    text = "This element does not agree with what the other elements of the message say of it."
    mend = f"Make it agree, or add the pair to {codecs or 'the guard'}."
    return issue("error", "conflict", "combination", text, expression=where, mend=mend)


def orphan(where: str, kind: str, joins: str) -> Issue:
    """A resource of a list that refers to no element of it."""
    text = f"This {kind} refers to no {joins} of the message, so nothing says what it belongs to."
    return issue("error", "structure", "orphan", text, expression=where, mend="Give it the reference that joins it.")


def reference_missing(where: str, kind: str, name: str) -> Issue:
    """A reference that is not there although its target is: of a patient an error, of anything else a warning."""
    severity = "error" if kind == "Patient" else "warning"
    text = f"The message has a {kind} that this element should refer to ({name}), and does not."
    return issue(severity, "structure", "reference-missing", text, expression=where, mend="Give the element its reference.")


def unread(place: str, safety: bool) -> Issue:
    """A leaf that nothing read: of a safety element an error, of any other a warning."""
    if safety:
        text = "A safety element that nothing reads: what it says would be lost."
        mend = "Send it in a form that the target can hold, or add it to the map."
        return issue("error", "business-rule", "unread-safety", text, expression=place, mend=mend)
    text, mend = "An element that nothing reads; it does not arrive.", "Add it to the map, or to $ignored with a reason."
    return issue("warning", "informational", "unread", text, expression=place, mend=mend)
