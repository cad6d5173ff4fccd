"""The hub Bundle: put together from what fill made, and taken apart again for match.

What the hub stamps stands in no map: the profiles (from the MessageDefinitions), the event, the source, the focus, and
when the message was received. What it stamped it reads back itself, so that no map sees it. See docs/hub.md.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from adapter.fhir.outcome import BASE
from adapter.shipped import PROFILES

EVENT_SYSTEM = f"{BASE}/CodeSystem/hub-event"
RECEIVED = f"{BASE}/StructureDefinition/received"
_SUPPORTING = f"{BASE}/StructureDefinition/message-supporting-profile"

Entry = dict[str, Any]


class Profiles:
    """Which profile a resource of an event gets; several for one type are told apart by their fixed and pattern values."""

    def __init__(self, event: str) -> None:
        self.focus: set[str | None] = set()
        self.by_type: dict[str, list[tuple[str, list[tuple[str, Any]]]]] = {}
        file = PROFILES / f"MessageDefinition-{event}.json"
        if not file.is_file():
            return
        definition = json.loads(file.read_text("utf-8"))
        for focus in definition.get("focus", ()):
            self.focus.add(focus.get("profile"))
            self._add(focus["code"], focus.get("profile"))
        for extension in definition.get("extension", ()):
            if extension["url"] == _SUPPORTING:
                parts = {e["url"]: next(v for k, v in e.items() if k != "url") for e in extension["extension"]}
                self._add(parts["code"], parts["profile"])

    def _add(self, kind: str, profile: str | None) -> None:
        if profile is not None:
            self.by_type.setdefault(kind, []).append((profile, _marks(profile)))

    def of(self, resource: dict[str, Any]) -> str | None:
        """The profile for a resource: of those whose marks it bears, the one with the most; None where none fits."""
        candidates = self.by_type.get(str(resource.get("resourceType")), [])
        fitting = [
            (len(marks), -i, profile) for i, (profile, marks) in enumerate(candidates) if all(_bears(resource, *m) for m in marks)
        ]
        if fitting:
            return max(fitting)[2]
        return candidates[0][0] if candidates else None

    def is_focus(self, resource: Any) -> bool:
        """Whether a resource is what the event is about, and not what belongs to it."""
        return isinstance(resource, dict) and self.of(resource) in self.focus - {None}


@cache
def profiles(event: str) -> Profiles:
    """The profiles of an event, read once."""
    return Profiles(event)


@cache
def _marks(profile: str) -> list[tuple[str, Any]]:
    """What tells a profile's resources apart (profiles/README.md): root elements with fixed or pattern values, root
    elements that may not be there (None), and the order-change extension where it must be."""
    file = PROFILES / f"StructureDefinition-{profile.rsplit('/', 1)[-1]}.json"
    if not file.is_file():
        return []
    marks: list[tuple[str, Any]] = []
    elements = json.loads(file.read_text("utf-8")).get("differential", {}).get("element", [])
    for element in elements:
        path = element["path"].split(".")
        value = next((v for k, v in element.items() if k.startswith(("fixed", "pattern"))), None)
        if len(path) == 2 and value is not None:
            marks.append((path[1], value))
        if len(path) == 2 and element.get("max") == "0" and ":" not in element["id"]:
            marks.append((path[1], None))
        urls = [p for t in element.get("type", ()) for p in t.get("profile", ())]
        if element.get("sliceName") == "orderChange" and element.get("min", 0) >= 1 and urls:
            marks.append(("extension", urls[0]))
    return marks


def _bears(resource: dict[str, Any], name: str, value: Any) -> bool:
    if name == "extension":
        return any(e.get("url") == value for e in resource.get("extension", ()) if isinstance(e, dict))
    return name not in resource if value is None else _contains(resource.get(name), value)


def _contains(value: Any, pattern: Any) -> bool:
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(_contains(value.get(k), v) for k, v in pattern.items())
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(_contains(v, p) for v in value) for p in pattern)
    return bool(value == pattern)


def assemble(entries: list[Entry], event: str, system: str, header_url: str, received: str | None) -> dict[str, Any]:
    """The hub Bundle of these entries: {"fullUrl", "resource"}, the Bundle's own map without fullUrl."""
    known = profiles(event)
    shell: dict[str, Any] = {}
    header: Entry | None = None
    others: list[Entry] = []
    for entry in entries:
        kind = entry["resource"]["resourceType"]
        if kind == "Bundle":
            shell = entry["resource"]
        elif kind == "MessageHeader" and header is None:
            header = entry
        else:
            others.append({"fullUrl": entry["fullUrl"], "resource": _stamped(entry["resource"], known)})
    made = _header(header, others, event, system, header_url, received, known)
    bundle: dict[str, Any] = {"resourceType": "Bundle"}
    profile = known.of({"resourceType": "Bundle"})
    if profile:
        bundle["meta"] = {"profile": [profile]}
    if "identifier" in shell:
        bundle["identifier"] = shell["identifier"]
    bundle["type"] = "message"
    bundle.update({k: v for k, v in shell.items() if k not in ("resourceType", "type", "identifier")})
    bundle["entry"] = [made, *others]
    return bundle


def _stamped(resource: dict[str, Any], known: Profiles) -> dict[str, Any]:
    profile = known.of(resource)
    if profile is None:
        return resource
    head: dict[str, Any] = {k: resource[k] for k in ("resourceType", "id") if k in resource}
    meta = {"profile": [profile], **resource.get("meta", {})}
    return {**head, "meta": meta, **{k: v for k, v in resource.items() if k not in ("resourceType", "id", "meta")}}


def _header(
    header: Entry | None, others: list[Entry], event: str, system: str, url: str, received: str | None, known: Profiles
) -> Entry:
    own = dict(header["resource"]) if header else {"resourceType": "MessageHeader", "id": url.removeprefix("urn:uuid:")}
    full = header["fullUrl"] if header else url
    own = _stamped(own, known)
    head: dict[str, Any] = {k: own.pop(k) for k in ("resourceType", "id", "meta") if k in own}
    if received is not None:
        head["extension"] = [{"url": RECEIVED, "valueInstant": received}, *own.pop("extension", ())]
    head["eventCoding"] = {"system": EVENT_SYSTEM, "code": event}
    focus = [{"reference": e["fullUrl"]} for e in others if known.is_focus(e["resource"])]
    named = {f["reference"] for f in focus}
    more = [f for f in own.pop("focus", ()) if f.get("reference") not in named]
    head["source"] = {"name": system, "endpoint": f"{BASE}/system/{system}"}
    head.update(own)
    if focus or more:
        head["focus"] = focus + more
    return {"fullUrl": full, "resource": head}


def event_of(bundle: Any) -> str | None:
    """The hub event of a Bundle; None where it is none of ours."""
    entries = bundle.get("entry") if isinstance(bundle, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and resource.get("resourceType") == "MessageHeader":
            coding = resource.get("eventCoding")
            if isinstance(coding, dict) and coding.get("system") == EVENT_SYSTEM and isinstance(coding.get("code"), str):
                return str(coding["code"])
    return None


def take_apart(bundle: dict[str, Any], event: str, *, header: bool = False) -> list[Entry]:
    """The entries of a hub Bundle for match, without what the hub stamped; `index` keeps their place in the Bundle.

    header: whether a map reads the MessageHeader, so that it is kept when nothing but its identity is left.
    """
    known = profiles(event)
    entries: list[Entry] = []
    focus = {e.get("fullUrl") for e in bundle.get("entry", ()) if known.is_focus(e.get("resource"))}
    for i, entry in enumerate(bundle.get("entry", ())):
        resource = entry.get("resource")
        if not isinstance(resource, dict):
            continue
        if resource.get("resourceType") == "MessageHeader":
            resource = _unstamped_header(resource, focus)
            if not header and set(resource) <= {"resourceType", "id", "meta"}:
                continue
        entries.append({"fullUrl": entry.get("fullUrl", ""), "resource": resource, "index": i})
    shell = {k: v for k, v in bundle.items() if k not in ("entry", "type", "meta", "id")}
    if set(shell) != {"resourceType"}:
        entries.append({"resource": shell})
    return entries


def _unstamped_header(header: dict[str, Any], focus: set[Any]) -> dict[str, Any]:
    own = {k: v for k, v in header.items() if k not in ("eventCoding", "source", "focus", "extension")}
    more = [
        f for f in header.get("focus", ()) if not (isinstance(f, dict) and set(f) == {"reference"} and f["reference"] in focus)
    ]
    if more:
        own["focus"] = more
    extensions = [e for e in header.get("extension", ()) if not (isinstance(e, dict) and e.get("url") == RECEIVED)]
    if extensions:
        own["extension"] = extensions
    return own
