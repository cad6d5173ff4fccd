"""The CapabilityStatement, made from what is there: the artefacts that are kept and the operations that have a route.

https://hl7.org/fhir/R4/capabilitystatement.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from adapter.fhir.outcome import BASE
from adapter.interfaces.artefacts import SEARCHED, Artefacts

_VALIDATE = {"name": "validate", "definition": "http://hl7.org/fhir/OperationDefinition/Resource-validate"}
_TRANSLATE = {"name": "translate", "definition": "http://hl7.org/fhir/OperationDefinition/ConceptMap-translate"}
_SEARCH_TYPE = {"_id": "token", "url": "uri", "name": "string", "version": "token"}
_PROMISE = (
    "Translation is stateless: nothing is stored, and a request may be sent again. Every issue of a message is answered at once, "
    "as an OperationOutcome; what was not understood is named, never dropped."
)


def statement(artefacts: Artefacts, systems: list[dict[str, Any]]) -> dict[str, Any]:
    """The CapabilityStatement of this server. systems: as views.listed gives them."""
    resources = [_resource(each) for each in artefacts.types]
    if "ConceptMap" not in artefacts.types:
        resources.append({"type": "ConceptMap", "operation": [_TRANSLATE, _VALIDATE]})
    titles = ", ".join(f"{system['title']} ({system['system']})" for system in systems)
    return {
        "resourceType": "CapabilityStatement",
        "url": f"{BASE}/CapabilityStatement/ost-adapter",
        "version": version("ost-adapter"),
        "name": "OstAdapter",
        "title": "ost-adapter",
        "status": "active",
        "date": datetime.now(UTC).date().isoformat(),
        "kind": "instance",
        "software": {"name": "ost-adapter", "version": version("ost-adapter")},
        "implementation": {"description": f"Connected: {titles}." if titles else "No system is connected."},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "rest": [{"mode": "server", "documentation": _PROMISE, "resource": resources, "operation": [_VALIDATE]}],
    }


def _resource(resource_type: str) -> dict[str, Any]:
    operations = [_TRANSLATE, _VALIDATE] if resource_type == "ConceptMap" else [_VALIDATE]
    return {
        "type": resource_type,
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "searchParam": [{"name": name, "type": _SEARCH_TYPE[name]} for name in SEARCHED],
        "operation": operations,
    }
