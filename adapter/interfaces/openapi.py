"""The HTTP interface described as OpenAPI 3.1, made from the same tables that the routes use; a test holds both together.

https://spec.openapis.org/oas/v3.1.1.html
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from adapter.interfaces import media
from adapter.interfaces.answers import FHIR_JSON, JSON
from adapter.interfaces.artefacts import SEARCHED, TYPES
from adapter.interfaces.fhir_api import Id, TypeName
from adapter.interfaces.settings import Settings

_OBJECT = {"type": "object"}
_FHIR = {FHIR_JSON: {"schema": _OBJECT}, JSON: {"schema": _OBJECT}}


def described(systems: list[dict[str, Any]], settings: Settings) -> dict[str, Any]:
    """The OpenAPI document. systems: as views.listed gives them."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ost-adapter",
            "version": version("ost-adapter"),
            "description": "Translation between the systems of opioid substitution treatment. "
            f"A body has at most {settings.max_body} bytes. Every error is a FHIR OperationOutcome.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": _paths(systems),
        "components": {
            "responses": {
                "Refused": {"description": "What was wrong, and where.", "content": {FHIR_JSON: {"schema": _outcome()}}}
            },
            "headers": {
                "X-Request-ID": {"description": "The request's own id, or one made for it.", "schema": {"type": "string"}},
                "X-OST-Issues": {
                    "description": "How many issues explain=true would show.",
                    "schema": {"type": "integer", "minimum": 0},
                },
            },
        },
    }


def _paths(systems: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        **_translation(systems),
        **_fhir(),
        "/ledger": {"post": _ledger()},
        "/livez": {"get": _operation("livez", "The process answers.", [], answers=_json("Alive."))},
        "/openapi.json": {"get": _operation("openapi", "This document.", [], answers=_json("OpenAPI 3.1."))},
    }


def _translation(systems: list[dict[str, Any]]) -> dict[str, Any]:
    messages = [message for system in systems for message in system["messages"]]
    readable = [m for m in messages if m["direction"] != "write"]
    formats = {each for m in readable for each in media.taken(m["format"])}
    writable = [m["message"] for m in messages if m["direction"] != "read"]
    to = _query("to", "What to make of it; without it, the hub Bundle.", {"enum": ["fhir", *writable]})
    explain = _query(
        "explain",
        "Answer with lineage, what was not read, what was left out and why, and issues.",
        {"type": "boolean", "default": False},
    )
    native: dict[str, Any] = {media.NDJSON: {}} | {each: {} for m in messages for each in media.of_format(m["format"])}
    translated = {
        "200": {
            "description": "The translation.",
            "headers": {"X-OST-Issues": {"$ref": "#/components/headers/X-OST-Issues"}},
            "content": {FHIR_JSON: {"schema": _OBJECT}, **native},
        }
    }
    names = [
        _in_path("system", "A connected system.", sorted({m["message"].partition("/")[0] for m in readable})),
        _in_path("message", "One of its messages.", sorted({m["message"].partition("/")[2] for m in readable})),
    ]
    body = _body({each: {} for each in sorted(formats)})
    one = _operation("translate", "Translate one message.", [*names, to, explain], body, translated)
    hub = _operation("translateHub", "Translate a hub Bundle.", [to, explain], _body({**_FHIR, media.NDJSON: {}}), translated)
    return {"/translate/{system}/{message}": {"post": one}, "/translate/fhir": {"post": hub}}


def _fhir() -> dict[str, Any]:
    types = _in_path("resource_type", "A resource type.", pattern=TypeName.regex)
    kept = _in_path("resource_type", "A type of artefact.", list(TYPES))
    one = _in_path("resource_id", "The artefact's id.", pattern=Id.regex)
    coded = [_query(name, f"{name} of the operation.", {"type": "string"}) for name in ("url", "code", "system", "targetsystem")]
    profile = _query("profile", "Judge by this profile as well.", {"type": "string"})
    mode = _query("mode", "Read and let be: nothing is stored.", {"type": "string"})
    reverse = _query("reverse", "From target to source.", {"type": "boolean"})
    search = [_query(name, f"{name} of the artefact.", {"type": "string"}) for name in SEARCHED]
    body = _body(_FHIR)
    return {
        "/fhir/metadata": {"get": _operation("metadata", "The CapabilityStatement.", [mode])},
        "/fhir/$validate": {"post": _operation("validate", "Judge a resource.", [profile, mode], body)},
        "/fhir/{resource_type}/$validate": {
            "post": _operation("validateType", "Judge a resource of one type.", [types, profile, mode], body)
        },
        "/fhir/ConceptMap/$translate": {
            "get": _operation("translateCode", "Translate a code.", [*coded, reverse]),
            "post": _operation("translateCodeByParameters", "Translate the code that Parameters name.", [], body),
        },
        "/fhir/{resource_type}": {"get": _operation("search", "Search the artefacts of a type.", [kept, *search])},
        "/fhir/{resource_type}/{resource_id}": {"get": _operation("read", "One artefact.", [kept, one])},
    }


def _ledger() -> dict[str, Any]:
    asked = [
        _query("as-of", "The day (its end) or moment that is asked about; now, if not given.", {"type": "string"}),
        _query("known-at", "Leave out what was received later.", {"type": "string"}),
        _query("policy", "The policy, by its name.", {"type": "string", "default": "default"}),
    ]
    made = {"200": {"description": "The ledger.", "content": {JSON: {"schema": _OBJECT}, media.NDJSON: {}}}}
    text = "The dose ledger and the actions due of each person in hub Bundles."
    return _operation("ledger", text, asked, _body({**_FHIR, media.NDJSON: {}}), made)


def _operation(
    name: str,
    summary: str,
    parameters: list[dict[str, Any]],
    body: dict[str, Any] | None = None,
    answers: dict[str, Any] | None = None,
) -> dict[str, Any]:
    said: dict[str, Any] = {"operationId": name, "summary": summary, "parameters": parameters}
    if body is not None:
        said["requestBody"] = body
    done = answers or {"200": {"description": "A FHIR resource.", "content": {FHIR_JSON: {"schema": _OBJECT}}}}
    for answer in done.values():
        answer["headers"] = {"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}, **answer.get("headers", {})}
    said["responses"] = {**done, "default": {"$ref": "#/components/responses/Refused"}}
    return said


def _query(name: str, text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": text, "schema": schema}


def _in_path(name: str, text: str, known: list[str] | None = None, *, pattern: str = "") -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "string",
        **({"enum": known} if known else {}),
        **({"pattern": f"^{pattern}$"} if pattern else {}),
    }
    return {"name": name, "in": "path", "required": True, "description": text, "schema": schema}


def _body(content: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": content}


def _json(text: str) -> dict[str, Any]:
    return {"200": {"description": text, "content": {JSON: {"schema": _OBJECT}}}}


def _outcome() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "resourceType": {"const": "OperationOutcome"},
            "issue": {"type": "array", "minItems": 1, "items": _OBJECT},
        },
        "required": ["resourceType", "issue"],
    }
