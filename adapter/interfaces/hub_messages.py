"""Hub Bundles as the ledger takes them: one JSON text, or one on each line, and each is judged by the gate before it counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adapter.fhir import json
from adapter.fhir.gate import Gate
from adapter.fhir.outcome import Issue, Refused, is_error, issue, on_line


def hub_messages(body: bytes, source: str = "") -> tuple[list[dict[str, Any]], list[Issue]]:
    """The messages that the gate passes, and the issues of those that it does not, each with its line where there are several.

    source: the file's name, which the issues then carry.
    """
    gate = Gate.shipped()
    found: list[dict[str, Any]] = []
    issues: list[Issue] = []
    for line, text in _bodies(body):
        try:
            found.append(_checked(gate, text, source))
        except Refused as refused:
            issues += [on_line(one, line, source) if line else one for one in refused.issues]
    return found, issues


def _checked(gate: Gate, text: bytes, source: str) -> dict[str, Any]:
    value: dict[str, Any] = json.decode(text, source=source)
    wrong = [one for one in gate.check(value) if is_error(one)]
    if not wrong and value.get("resourceType") != "Bundle":
        said = "This is no hub Bundle; a ledger is made of messages."
        wrong = [issue("error", "invalid", "not-a-bundle", said, mend="Give what `translate` makes without --to.")]
    if wrong:
        raise Refused(wrong)
    return value


def _bodies(body: bytes) -> Iterator[tuple[int, bytes]]:
    """The JSON texts: the whole (line 0), or one of each line where every line is an object of its own."""
    lines = [(number, line) for number, line in enumerate(body.splitlines(), 1) if line.strip()]
    if len(lines) > 1 and all(line.startswith(b"{") and line.rstrip().endswith(b"}") for _, line in lines):
        yield from lines
    else:
        yield 0, body
