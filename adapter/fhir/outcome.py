"""What went wrong, as FHIR says it: OperationOutcome issues, and the one exception that carries them.

An issue names its place (FHIRPath, or line and column), its rule and its mend. It never quotes a value: what a
person reads in a log must not be a patient's data. https://hl7.org/fhir/R4/operationoutcome.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

BASE = "https://ost-adapter.example/fhir"
RULES = f"{BASE}/CodeSystem/rule"
_HL7 = "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-"

Issue = dict[str, Any]

#: Issue code -> HTTP status; what is not named is the content's fault, 422.
#: https://hl7.org/fhir/R4/valueset-issue-type.html
HTTP_STATUS = {
    "not-found": 404,
    "too-long": 413,
    "not-supported": 415,
    "exception": 500,
    "transient": 503,
}


def issue(
    severity: str,
    code: str,
    rule: str,
    text: str,
    *,
    expression: str | Sequence[str] = (),
    mend: str = "",
    source: str = "",
    line: int = 0,
    column: int = 0,
) -> Issue:
    """One OperationOutcome.issue.

    severity: fatal, error, warning or information; code: an IssueType; rule: our name for what was broken (a code of
    CodeSystem/rule, or the invariant's key); text: what and why, from the rule; expression: FHIRPath or record paths;
    mend: what to do; source, line, column: where in the bytes, counted from 1.
    """
    made: Issue = {}
    places: list[dict[str, Any]] = []
    if source:
        places.append({"url": _HL7 + "source", "valueString": source})
    if line:
        places.append({"url": _HL7 + "line", "valueInteger": line})
    if column:
        places.append({"url": _HL7 + "col", "valueInteger": column})
    if places:
        made["extension"] = places
    made["severity"] = severity
    made["code"] = code
    made["details"] = {"coding": [{"system": RULES, "code": rule}], "text": text}
    if mend:
        made["diagnostics"] = mend
    if expression:
        made["expression"] = [expression] if isinstance(expression, str) else list(expression)
    return made


def on_line(one: Issue, line: int, source: str = "") -> Issue:
    """The issue of a message that is one line of a file: its line is that of the file, and its source the file."""
    kept = [e for e in one.get("extension", ()) if e["url"] == _HL7 + "col"]
    named = [e for e in one.get("extension", ()) if e["url"] == _HL7 + "source"]
    if source:
        named = [{"url": _HL7 + "source", "valueString": source}]
    return {**one, "extension": [*named, {"url": _HL7 + "line", "valueInteger": line}, *kept]}


def outcome(issues: Iterable[Issue]) -> dict[str, Any]:
    """An OperationOutcome of these issues; with none, the one that says all is well (issue is 1..*)."""
    found = list(issues)
    if not found:
        found = [issue("information", "informational", "ok", "No issue was found.")]
    return {"resourceType": "OperationOutcome", "issue": found}


def is_error(one: Issue) -> bool:
    """Whether this issue refuses the message."""
    return one["severity"] in ("error", "fatal")


def rule_of(one: Issue) -> str:
    """The rule that an issue names."""
    code: str = one["details"]["coding"][0]["code"]
    return code


def place_of(one: Issue) -> str:
    """source:line:column, as far as they are known; "" where none is."""
    by_url = {e["url"]: e for e in one.get("extension", ())}
    found = [
        by_url.get(_HL7 + "source", {}).get("valueString"),
        by_url.get(_HL7 + "line", {}).get("valueInteger"),
        by_url.get(_HL7 + "col", {}).get("valueInteger"),
    ]
    return ":".join(str(part) for part in found if part is not None)


def http_status(issues: Sequence[Issue]) -> int:
    """The status of an answer that carries these issues: that of the first error, 200 without one."""
    for one in issues:
        if is_error(one):
            return HTTP_STATUS.get(one["code"], 422)
    return 200


class Refused(Exception):
    """A message that is refused, with all its issues at once. The one exception that content can raise."""

    def __init__(self, issues: Iterable[Issue]) -> None:
        self.issues: list[Issue] = list(issues)
        super().__init__(
            "; ".join(f"{rule_of(i)} at {', '.join(i.get('expression', [])) or place_of(i) or '-'}" for i in self.issues)
        )

    @property
    def outcome(self) -> dict[str, Any]:
        """The OperationOutcome to answer with."""
        return outcome(self.issues)
