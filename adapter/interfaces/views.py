"""A translation and the connected systems as plain data: what the command line and HTTP both show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapter.fhir import json
from adapter.fhir.outcome import Issue, Refused, outcome, rule_of
from adapter.mapping.faults import Unknown

if TYPE_CHECKING:
    from adapter import Adapter, Translation


def explained(done: Translation | Refused) -> dict[str, Any]:
    """The one JSON object of --explain and ?explain=true. A result that is no JSON stands in it as text."""
    if isinstance(done, Refused):
        return {
            "bundle": None,
            "result": None,
            "lineage": [],
            "unread": {"source": [], "bundle": []},
            "carried": [],
            "ignored": {"source": [], "bundle": []},
            "issues": outcome(done.issues),
        }
    return {
        "bundle": done.bundle,
        "result": result_of(done),
        "lineage": done.lineage,
        "unread": done.unread,
        "carried": done.carried,
        "ignored": {
            side: [{"path": path, "reason": why} for path, why in left_out.items()] for side, left_out in done.ignored.items()
        },
        "issues": done.issues,
    }


def result_of(done: Translation) -> Any:
    """The target's bytes as JSON, or as text where they are none; None where there are none."""
    if done.result is None:
        return None
    try:
        return json.decode(done.result)
    except Refused:
        return done.result.decode("utf-8", "replace")


def said_issues(outcome: dict[str, Any]) -> list[Issue]:
    """The issues of an OperationOutcome without the one that only says that all is well."""
    return [one for one in outcome["issue"] if rule_of(one) != "ok"]


def listed(ost: Adapter) -> list[dict[str, Any]]:
    """The connected systems: system, title, kind, version, messages (message, title, direction, events, format)."""
    return [
        {
            "system": system.name,
            "title": system.title,
            "kind": system.kind,
            "version": str(system.version),
            "messages": [
                {
                    "message": f"{system.name}/{m.name}",
                    "title": m.title,
                    "direction": m.direction,
                    "events": list(m.events),
                    "format": m.format,
                }
                for m in system.messages.values()
            ],
        }
        for _, system in sorted(ost.systems.items())
    ]


def wire_format(ost: Adapter, name: str) -> str:
    """The wire format of a message, `fhir` for the hub's own Bundle. Raises Unknown."""
    if name == "fhir":
        return "fhir"
    system, _, message = name.partition("/")
    if system not in ost.systems:
        raise Unknown("system", system, ost.systems)
    messages = ost.systems[system].messages
    if message not in messages:
        raise Unknown("message", name, [f"{system}/{known}" for known in messages])
    return messages[message].format
