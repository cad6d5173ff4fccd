"""What is judged, taken apart: every resource in a Bundle, in Parameters and inside another is a part with its own path.

A part is judged by base R4, by the known profiles that its meta.profile claims, by those the caller demands, and by those that
the event of its message demands.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from adapter.fhir.gate_profiles import Event, Profiles
from adapter.fhir.issue_text import say
from adapter.fhir.outcome import Issue
from adapter.fhir.schema.overlay import Overlay

Json = dict[str, Any]


class Part:
    """One resource of what is judged: its FHIRPath, what it stands in, the profiles it is judged by."""

    __slots__ = ("bundle", "container", "focus", "index", "overlays", "path", "resource", "type")

    def __init__(self, resource: Json, path: str, container: Part | None, bundle: Part | None, index: int) -> None:
        self.resource, self.path, self.container, self.bundle = resource, path, container, bundle
        self.type: str = resource["resourceType"]
        self.overlays: list[Overlay] = []
        #: Whether the MessageHeader of its message names it as focus.
        self.focus = False
        #: Index of its entry in its Bundle; -1 where it is no entry.
        self.index = index


def split(
    resource: Json,
    path: str,
    known: Collection[str],
    parts: list[Part],
    container: Part | None = None,
    bundle: Part | None = None,
    index: int = -1,
) -> Iterator[Issue]:
    """Adds the resource and every resource inside it to `parts`; yields an issue for each whose type is not known."""
    if resource["resourceType"] not in known:
        yield say("resource-type", path)
        return
    part = Part(resource, path, container, bundle, index)
    parts.append(part)
    contained = resource.get("contained")
    if isinstance(contained, list):
        for at, one in enumerate(contained):
            if _is_resource(one):
                yield from split(one, f"{path}.contained[{at}]", known, parts, part, bundle)
    if part.type == "Bundle":
        for one, below, at in _entries(resource, path):
            yield from split(one, below, known, parts, None, part, at)
    elif part.type == "Parameters":
        for one, below in _parameters(resource.get("parameter"), f"{path}.parameter"):
            yield from split(one, below, known, parts, None, bundle)


def _entries(bundle: Json, path: str) -> Iterator[tuple[Json, str, int]]:
    entries = bundle.get("entry")
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        if not isinstance(entry, dict):
            continue
        if _is_resource(entry.get("resource")):
            yield entry["resource"], f"{path}.entry[{index}].resource", index
        response = entry.get("response")
        if isinstance(response, dict) and _is_resource(response.get("outcome")):
            yield response["outcome"], f"{path}.entry[{index}].response.outcome", -1


def _parameters(value: Any, path: str) -> Iterator[tuple[Json, str]]:
    for index, one in enumerate(value if isinstance(value, list) else ()):
        if isinstance(one, dict):
            if _is_resource(one.get("resource")):
                yield one["resource"], f"{path}[{index}].resource"
            yield from _parameters(one.get("part"), f"{path}[{index}].part")


def _is_resource(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("resourceType"), str)


def claim(parts: Sequence[Part], profiles: Profiles) -> Iterator[Issue]:
    """Gives every part the overlays that its meta.profile names. A profile that is not known is information, and no fault."""
    for part in parts:
        meta = part.resource.get("meta")
        claimed = meta.get("profile") if isinstance(meta, dict) else None
        for index, canonical in enumerate(claimed if isinstance(claimed, list) else ()):
            if isinstance(canonical, str):
                overlay = profiles.overlays.named(canonical)
                if not _gives(part, overlay):
                    yield _refused(overlay, f"{part.path}.meta.profile[{index}]", "information")


def demand(parts: Sequence[Part], demanded: Mapping[int, Sequence[str]], profiles: Profiles) -> Iterator[Issue]:
    """Gives parts the overlays that the caller names: by entry of the outermost Bundle; 0 is also the outermost resource itself.

    Of the two that 0 can mean in a Bundle, the one is meant whose type the profile has.
    """
    outermost = parts[0]
    by_entry = {part.index: part for part in parts if part.bundle is outermost and part.index >= 0} if len(parts) > 1 else {}
    for index, canonicals in demanded.items():
        for canonical in canonicals:
            overlay = profiles.overlays.named(canonical)
            itself = index == 0 and (outermost.type != "Bundle" or overlay is None or overlay.type == "Bundle")
            part = outermost if itself else by_entry.get(index)
            if part is not None and not _gives(part, overlay):
                yield _refused(overlay, part.path, "error")


def _gives(part: Part, overlay: Overlay | None) -> bool:
    """Gives a part an overlay; whether it is known and of the part's type."""
    if overlay is None or overlay.type != part.type:
        return False
    if overlay not in part.overlays:
        part.overlays.append(overlay)
    return True


def _refused(overlay: Overlay | None, path: str, severity: str) -> Issue:
    return say("profile-unknown", path, severity=severity) if overlay is None else say("profile-type", path)


def attend(parts: Sequence[Part], profiles: Profiles) -> Iterator[Issue]:
    """Marks the focus of the outermost message, and gives its parts the overlays that its event demands."""
    message = parts[0]
    entries = [part for part in parts if part.bundle is message and part.index >= 0]
    if message.type != "Bundle" or not entries or entries[0].type != "MessageHeader":
        return
    header = entries[0]
    named = _focus_urls(header.resource)
    for part in entries:
        part.focus = _full_url(message.resource, part.index) in named
    coding = header.resource.get("eventCoding")
    if not isinstance(coding, dict) or not isinstance(coding.get("system"), str) or not isinstance(coding.get("code"), str):
        return
    event = profiles.events.get((coding["system"], coding["code"]))
    if event is not None:
        yield from _demanded(entries, message, event, profiles)
    elif coding["system"] in profiles.event_systems:
        yield say("event", f"{header.path}.event")


def _demanded(entries: Sequence[Part], message: Part, event: Event, profiles: Profiles) -> Iterator[Issue]:
    for part in (message, *entries):
        own = event.focus_profiles(part.type) if part.focus else event.supporting_profiles(part.type)
        allowed = own if part.focus else [*own, *event.focus_profiles(part.type)]
        if any(one.url in allowed for one in part.overlays):
            continue
        if len(own) == 1:
            overlay = profiles.overlays.named(own[0])
            if not _gives(part, overlay):
                yield _refused(overlay, part.path, "error")
        elif own:
            yield say("focus-profile", f"{part.path}.meta.profile")
    for one in event.focus:
        found = [
            p
            for p in entries
            if p.focus and p.type == one.type and (not one.profile or one.profile in {o.url for o in p.overlays})
        ]
        if len(found) < one.least or (one.most is not None and len(found) > one.most):
            yield say("focus", f"{entries[0].path}.focus")
    foci = {part.type for part in entries if part.focus}
    if event.focus and (not foci or foci - {one.type for one in event.focus}):
        yield say("focus", f"{entries[0].path}.focus")


def _focus_urls(header: Json) -> set[str]:
    focus = header.get("focus")
    return (
        {one["reference"] for one in focus if isinstance(one, dict) and isinstance(one.get("reference"), str)}
        if isinstance(focus, list)
        else set()
    )


def _full_url(bundle: Json, index: int) -> Any:
    url = bundle["entry"][index].get("fullUrl")
    return url if isinstance(url, str) else None
