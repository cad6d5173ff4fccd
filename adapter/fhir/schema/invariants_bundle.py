"""The invariants of what holds other resources: a Bundle, by its type, and a contained resource.

https://hl7.org/fhir/R4/bundle.html#invs · https://hl7.org/fhir/R4/domainresource.html#invs
"""

from __future__ import annotations

from adapter.fhir.schema.invariants import Schema, never, when


def _bundle(types: list[str], *, allowed: str, more: Schema | None = None) -> Schema:
    """What a Bundle of these types may carry. allowed: of total and search; of request and response, which are then demanded."""
    entry: Schema = {"properties": {}}
    for name, key in (("search", "bdl-2"), ("request", "bdl-3"), ("response", "bdl-4")):
        if name not in allowed:
            entry["properties"][name] = never(key)
        elif name != "search":
            entry.setdefault("allOf", []).append({"x-rule": {"key": key}, "required": [name]})
    then: Schema = {"properties": {"entry": {"items": entry}}, **(more or {})}
    if "total" not in allowed:
        then["properties"]["total"] = never("bdl-1")
    return when({"properties": {"type": {"enum": types}}}, then)


def _first(name: str, key: str) -> Schema:
    is_it = {
        "type": "object",
        "required": ["resource"],
        "properties": {
            "resource": {"type": "object", "required": ["resourceType"], "properties": {"resourceType": {"const": name}}}
        },
    }
    return {"x-rule": {"key": key, "path": "entry"}, "required": ["entry"], "properties": {"entry": {"prefixItems": [is_it]}}}


_IDENTIFIED = {
    "x-rule": {"key": "bdl-9", "path": "identifier"},
    "required": ["identifier"],
    "properties": {"identifier": {"type": "object", "required": ["system", "value"]}},
}
_DATED = {"x-rule": {"key": "bdl-10", "path": "timestamp"}, "required": ["timestamp"]}

#: The rules of a Bundle by its type, so that its type is looked at once and not for each rule.
#: https://hl7.org/fhir/R4/bundle.html#invs
BUNDLE: list[Schema] = [
    _bundle(["message"], allowed="", more={"allOf": [_first("MessageHeader", "bdl-12")]}),
    _bundle(["document"], allowed="", more={"allOf": [_first("Composition", "bdl-11"), _IDENTIFIED, _DATED]}),
    _bundle(["collection"], allowed=""),
    _bundle(["searchset"], allowed="total search"),
    _bundle(["history"], allowed="total request response"),
    _bundle(["batch", "transaction"], allowed="request"),
    _bundle(["batch-response", "transaction-response"], allowed="response"),
]

#: What a resource inside another may not have. https://hl7.org/fhir/R4/domainresource.html#invs
CONTAINED: Schema = {
    "type": "object",
    "required": ["resourceType"],
    "properties": {
        "resourceType": {"type": "string"},
        "contained": never("dom-2"),
        "meta": {"properties": {"versionId": never("dom-4"), "lastUpdated": never("dom-4"), "security": never("dom-5")}},
    },
    "allOf": [{"x-rule": {"key": "contained-id", "path": "id"}, "required": ["id"]}],
}
