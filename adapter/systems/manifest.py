"""A manifest: what `system.yaml` says of a system and of each of its messages, read and checked word by word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from adapter.mapping.faults import Fault, Faults, did_you_mean, nearest
from adapter.mapping.language import compose, data

KINDS = ("gp", "pharmacy", "treatment", "laboratory", "hospital", "prison", "national", "commissioner")
DIRECTIONS = ("read", "write", "both")
_MANIFEST = {"system": str, "title": str, "kind": str, "version": str, "messages": dict}
_MESSAGE = {
    "title",
    "direction",
    "event",
    "format",
    "schema",
    "key",
    "maps",
    "native",
    "rows",
    "ignored",
    "transport",
    "required",
    "release",
}
#: Words of a message that hears several events; each may be a mapping, event -> what holds for it.
_BY_EVENT = ("maps", "native", "schema", "key", "required")


@dataclass(frozen=True, slots=True)
class MessageInfo:
    """What a manifest says of one message; `variants` has one for each event, where it hears several (the first is its own)."""

    name: str
    title: str
    direction: str
    event: str
    format: str
    entry: Mapping[str, Any]
    variants: tuple[MessageInfo, ...] = ()

    @property
    def events(self) -> tuple[str, ...]:
        """Every hub event that the message is about."""
        return tuple(one.event for one in self.variants) or (self.event,)

    @property
    def reads(self) -> bool:
        """Whether the message is read into the hub."""
        return self.direction in ("read", "both")

    @property
    def writes(self) -> bool:
        """Whether the message is written from the hub."""
        return self.direction in ("write", "both")


@dataclass
class Manifest:
    """Who a system is: its name (that of its folder), what it calls itself, its messages, and the faults of all that."""

    name: str
    folder: Path
    title: str = ""
    kind: str = ""
    version: str = ""
    module: str = ""
    messages: dict[str, MessageInfo] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def read_manifest(made: Manifest) -> None:
    """Read the system.yaml of its folder into a manifest; the faults stand in `faults` until a message is asked for."""
    folder = made.folder
    file = folder / "system.yaml"
    found = Faults(str(file.relative_to(folder.parent)))
    text = found.text(file)
    node = compose(text, found) if text is not None else None
    content = data(node, found) if node is not None else {}
    if not isinstance(content, dict):
        found.add(1, "a manifest is a mapping", "", "start with system:")
        content = {}
    for name, kind in _MANIFEST.items():
        if not isinstance(content.get(name), kind):
            found.add(
                1,
                f"{name} is missing or of the wrong type",
                "a manifest says who the system is and what it speaks",
                f"add {name}:",
            )
    for name in content:
        if name not in (*_MANIFEST, "module", "description", "settings"):
            found.add(
                1,
                f"{name} is not a word of a manifest{did_you_mean(nearest(name, _MANIFEST))}",
                "",
                f"the words are {' '.join(_MANIFEST)}",
            )
    if content.get("system") != folder.name:
        found.add(1, "system is not the name of the folder", "a system is known by its folder", f"write system: {folder.name}")
    if content.get("kind") not in KINDS:
        found.add(
            1,
            f"kind is none of the known{did_you_mean(nearest(str(content.get('kind')), KINDS))}",
            "",
            f"one of {', '.join(KINDS)}",
        )
    made.title, made.kind, made.version = (str(content.get(k, "")) for k in ("title", "kind", "version"))
    made.module = str(content.get("module", ""))
    messages = content.get("messages")
    for name, entry in messages.items() if isinstance(messages, dict) else ():
        _message(made, str(name), entry, found)
    made.faults += found.found


def _message(system: Manifest, name: str, entry: Any, found: Faults) -> None:
    if not isinstance(entry, dict):
        found.add(1, f"{name}: a message is a mapping", "", "give it direction, event, format and maps")
        return
    for word in entry:
        if word not in _MESSAGE:
            found.add(
                1,
                f"{name}: {word} is not a word of a message{did_you_mean(nearest(word, _MESSAGE))}",
                "",
                f"the words are {' '.join(sorted(_MESSAGE))}",
            )
    for word in ("direction", "event", "format", "maps"):
        if not entry.get(word):
            found.add(1, f"{name}: {word} is missing", "", f"add {word}:")
    if entry.get("direction") not in DIRECTIONS:
        found.add(1, f"{name}: direction is one of {', '.join(DIRECTIONS)}", "", "")
    events = entry["event"] if isinstance(entry.get("event"), list) else [entry.get("event")]
    if len(events) > 1 and entry.get("direction") != "write":
        found.add(
            1,
            f"{name}: several events and direction {entry.get('direction')}",
            "what is read becomes one event of the hub",
            "name one event, or write only",
        )
    for word in _BY_EVENT if events else ():
        if isinstance(entry.get(word), dict) and set(entry[word]) != set(events):
            found.add(
                1,
                f"{name}: {word} does not name each event once",
                "what is given by event is given for every event, and for no other",
                f"the events are {', '.join(map(str, events))}",
            )
    said = (str(entry.get("title", name)), str(entry.get("direction")))
    made = [MessageInfo(name, *said, str(event), str(entry.get("format")), _of_event(entry, event)) for event in events]
    if made:
        system.messages[name] = replace(made[0], variants=tuple(made)) if len(made) > 1 else made[0]


def _of_event(entry: Mapping[str, Any], event: Any) -> dict[str, Any]:
    """A message's entry as it is for one of its events."""
    return {word: said.get(event) if word in _BY_EVENT and isinstance(said, dict) else said for word, said in entry.items()}
