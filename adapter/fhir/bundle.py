"""Message Bundles: what is in one, how to build one, and where its references lead.

https://hl7.org/fhir/R4/bundle.html#references · https://hl7.org/fhir/R4/references.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from adapter.fhir.path import Parts

Resource = dict[str, Any]


def entries(bundle: Mapping[str, Any]) -> list[tuple[str, Resource]]:
    """The fullUrl ("" where there is none) and the resource of every entry that has a resource, in order."""
    return [
        (str(entry.get("fullUrl", "")), entry["resource"])
        for entry in _objects(bundle, "entry")
        if isinstance(entry.get("resource"), dict)
    ]


def resources(bundle: Mapping[str, Any]) -> list[Resource]:
    """The resources of a Bundle, in order."""
    return [resource for _, resource in entries(bundle)]


def header(bundle: Mapping[str, Any]) -> Resource | None:
    """The MessageHeader, which is the first resource of a message (bdl-12); None where it is not."""
    first = next(iter(resources(bundle)), None)
    return first if first is not None and first.get("resourceType") == "MessageHeader" else None


def event(bundle: Mapping[str, Any]) -> str | None:
    """The code of the message's event; None without a MessageHeader or an eventCoding."""
    coding = (header(bundle) or {}).get("eventCoding")
    code = coding.get("code") if isinstance(coding, dict) else None
    return code if isinstance(code, str) else None


def message_bundle(
    made: Iterable[Mapping[str, Any]],
    *,
    identifier: Mapping[str, Any] | None = None,
    timestamp: str | None = None,
    id: str | None = None,
    meta: Mapping[str, Any] | None = None,
) -> Resource:
    """A Bundle of type message from entries {"fullUrl", "resource"}, the MessageHeader first; keys in FHIR's order.

    timestamp: an instant. The resources are shared, not copied.
    """
    said = {"resourceType": "Bundle", "id": id, "meta": meta, "identifier": identifier, "type": "message", "timestamp": timestamp}
    bundle: Resource = {key: value for key, value in said.items() if value is not None}
    entry = [{"fullUrl": each["fullUrl"], "resource": each["resource"]} for each in made]
    if entry:
        bundle["entry"] = entry
    return bundle


def index(bundle: Mapping[str, Any]) -> dict[str, Resource]:
    """What a reference inside this Bundle can lead to: each resource by its fullUrl and by `Type/id`.

    A name that two resources share is left out: it names neither.
    """
    found: dict[str, Resource] = {}
    shared: set[str] = set()
    for full_url, resource in entries(bundle):
        names = {full_url, f"{resource['resourceType']}/{resource['id']}" if {"resourceType", "id"} <= resource.keys() else ""}
        for name in names - {""}:
            if name in found:
                shared.add(name)
            found[name] = resource
    return {name: resource for name, resource in found.items() if name not in shared}


def resolve(reference: str, known: Mapping[str, Resource], within: Resource | None = None) -> Resource | None:
    """The resource to which a Reference.reference leads; None where it leads out of the Bundle or to nothing.

    known: what index gave; within: the resource (not the contained one) in which the reference stands, for `#id` and for `#`,
    the resource itself. A reference to a version is followed only to that version (meta.versionId).
    """
    if reference.startswith("#"):
        if within is None:
            return None
        if reference == "#":
            return within
        inside = [each for each in _objects(within, "contained") if each.get("id") == reference[1:]]
        return inside[0] if len(inside) == 1 else None
    name, _, version = reference.partition("/_history/")
    found = known.get(name)
    if version and found is not None:
        meta = found.get("meta")
        return found if isinstance(meta, dict) and meta.get("versionId") == version else None
    return found


def references(resource: Mapping[str, Any]) -> Iterator[tuple[Parts, dict[str, Any]]]:
    """Place (parts below the resource) and Reference of each one that has a literal `reference`, contained resources included.

    Logical ones (identifier or display alone) are not told apart from other elements without their type, and are not given.
    """
    return _references(resource, ())


def _references(node: Any, parts: Parts) -> Iterator[tuple[Parts, dict[str, Any]]]:
    if isinstance(node, dict):
        if isinstance(node.get("reference"), str):
            yield parts, node
        for key, member in node.items():
            yield from _references(member, (*parts, key))
    elif isinstance(node, list):
        for at, member in enumerate(node):
            yield from _references(member, (*parts, at))


def _objects(node: Mapping[str, Any], key: str) -> list[Resource]:
    """The objects of a list; what is none, in data that no gate has seen yet, is passed over."""
    value = node.get(key)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
