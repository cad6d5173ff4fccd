"""The catalogue: every connected system that the mappings folders hold, each loaded when it is first needed.

Adding a system is adding a folder: nothing here names one. A manifest is read and checked against its schema; maps are
compiled a message at a time, since compiling is milliseconds a map and a command needs one message or two.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from adapter.fhir.terminology import CodeMap
from adapter.mapping.check import check_table
from adapter.mapping.check_map import fhir_types
from adapter.mapping.codecs import REGISTRY
from adapter.mapping.faults import Fault, Faults, MapFaults, Unknown, did_you_mean, nearest
from adapter.mapping.language import parse_path, read_map
from adapter.mapping.safety import SAFETY
from adapter.mapping.spec import Step, TableSpec
from adapter.mapping.tree import Map
from adapter.shipped import MAPPINGS, PROFILES
from adapter.systems.manifest import Manifest, MessageInfo, read_manifest
from adapter.systems.message import Message
from adapter.systems.schemas import judge_schemas


@dataclass
class System(Manifest):
    """One connected system: its manifest, and its messages as they are compiled."""

    _compiled: dict[str, Message] = field(default_factory=dict)
    _codes: dict[str, Step | None] = field(default_factory=dict)

    def message(self, name: str) -> Message:
        """A message, compiled on first use. Raises Unknown, or MapFaults with every fault of the message."""
        if name not in self.messages:
            raise Unknown("message", f"{self.name}/{name}", [f"{self.name}/{m}" for m in self.messages])
        if name not in self._compiled:
            faults: list[Fault] = []
            made = self._compile(name, faults)
            faults = [*self.faults, *faults]  # those of its tables of codes stand there once they are read
            if faults or made is None:
                raise MapFaults(faults)
            self._compiled[name] = made
        return self._compiled[name]

    def check(self) -> list[Fault]:
        """Every fault of every message."""
        faults = list(self.faults)
        for name in self.messages:
            if name not in self._compiled:
                self._compile(name, faults)
        return sorted({*faults, *self.faults, *judge_schemas(self.folder)})

    @cached_property
    def hooks(self) -> ModuleType | None:
        """The system's own module, where data cannot say all."""
        name = f"adapter.systems.{self.module or self.name}"
        if not self.module and importlib.util.find_spec(name) is None:
            return None
        return importlib.import_module(name)

    # compiling ----------------------------------------------------------------------------------------------------
    def _compile(self, name: str, faults: list[Fault]) -> Message | None:
        info = self.messages[name]
        made = [self._compile_one(one, faults) for one in (info, *info.variants[1:])]
        if made[0] is not None:
            made[0].others = tuple(one for one in made[1:] if one is not None)
        return None if None in made else made[0]

    def _compile_one(self, info: MessageInfo, faults: list[Fault]) -> Message | None:
        _ = self.hooks
        schema = self._schema(info, faults)
        hub = self._spec(info, "maps", schema, faults)
        native = self._spec(info, "native", schema, faults) if info.entry.get("native") else None
        if faults or hub is None or schema is None:
            return None
        try:
            return Message(self, info, schema, hub, native)
        except ValueError as error:  # the wire's own words in the manifest
            place, why = f"{self.name}/system.yaml", "rows say how the records lie in the file"
            faults += [Fault(place, 1, f"{info.name}: {one}", why, "mend rows") for one in str(error).split("\n")]
            return None

    def _schema(self, info: MessageInfo, faults: list[Fault]) -> dict[str, Any] | None:
        file = self.folder / str(info.entry.get("schema", f"{info.name}/{info.name}.schema.json"))
        try:
            made = json.loads(file.read_text("utf-8"))
        except FileNotFoundError:
            faults.append(
                Fault(
                    str(self.folder / "system.yaml"),
                    1,
                    f"{info.name}: the schema {file.name} is not there",
                    "a message is checked against its contract",
                    "add the JSON Schema of the payload",
                )
            )
            return None
        except ValueError as error:
            faults.append(Fault(str(file), getattr(error, "lineno", 1), "this is not JSON", "", "mend the syntax"))
            return None
        return made if isinstance(made, dict) else None

    def _spec(self, info: MessageInfo, part: str, schema: dict[str, Any] | None, faults: list[Fault]) -> TableSpec | None:
        native = part == "native"
        maps: list[Map] = []
        for name in info.entry.get(part) or ():
            made = self._map(info, str(name), native, faults)
            if made is not None:
                maps.append(made)
        steps: dict[str, Step] = {}
        key = tuple(p for p in (parse_path(str(k)) for k in info.entry.get("key") or ()) if p is not None)
        required = frozenset(str(n) for n in info.entry.get("required") or ())
        release = str(info.entry.get("release", "R4")) if native else "R4"
        left_out = {} if native else self._left_out(info, maps, faults)
        spec = TableSpec(self.name, info.name, maps, steps, key, native, required, release, left_out)
        found = Faults(self.folder / "system.yaml")
        check_table(spec, self._step, info.direction, schema, bool(info.entry.get("native")), found, faults)
        faults += found.found
        return spec

    def _left_out(self, info: MessageInfo, maps: list[Map], faults: list[Fault]) -> dict[str, str]:
        """The resource types that a message does not hear, with the reasons."""
        said = info.entry.get("ignored") or {}
        place, why = (
            f"{self.name}/system.yaml",
            "what is left out on purpose is named with its reason, and is nothing a dose hangs on",
        )
        for kind in said if isinstance(said, dict) else {"": ""}:
            if kind not in fhir_types() or not said.get(kind):
                faults.append(
                    Fault(place, 1, f"{info.name}: ignored names resource types, each with a reason", why, "write Type: why")
                )
            elif any(one.type == kind for one in maps):
                faults.append(
                    Fault(place, 1, f"{info.name}: {kind} has a map and is ignored", why, "ignore its elements in the map")
                )
            elif kind in SAFETY:
                faults.append(Fault(place, 1, f"{info.name}: {kind} cannot be ignored", why, "add a map for it"))
        return dict(said) if isinstance(said, dict) else {}

    def _map(self, info: MessageInfo, name: str, native: bool, faults: list[Fault]) -> Map | None:
        folders = (self.folder / info.name, self.folder)  # a message's own map, else the one that messages share
        places = [(folder / "native" if native else folder) / f"{name}.yaml" for folder in folders]
        file = next((p for p in places if p.is_file()), None)
        if file is None:
            there = [p.stem for place in places for p in place.parent.glob("*.yaml") if p.stem != "system"]
            faults.append(
                Fault(
                    str(self.folder / "system.yaml"),
                    1,
                    f"{info.name}: there is no map {name}{did_you_mean(nearest(name, there))}",
                    "",
                    f"add {places[0].relative_to(self.folder)}",
                )
            )
            return None
        found = Faults(self._shown(file))
        text = found.text(file)
        made = read_map(Path(self._shown(file)), text, found) if text is not None else None
        faults += found.found
        return made

    def _shown(self, file: Path) -> str:
        """A map's file as faults and lineage name it: from the mappings folder down."""
        return str(file.relative_to(self.folder.parent))

    def _step(self, name: str) -> Step | None:
        """What a name after | means: a ConceptMap of this system, a shared one, or a codec."""
        if name not in self._codes:
            self._codes[name] = self._find_step(name)
        return self._codes[name]

    def _find_step(self, name: str) -> Step | None:
        bare, _, part = name.partition(".")
        display = part == "display"
        for file in (self.folder / "codes" / f"{bare}.json", PROFILES / f"ConceptMap-{bare}.json"):
            if file.is_file() and part in ("", "display"):
                made = CodeMap(self._concept_map(file))
                self.faults += [Fault(str(file.name), 1, why, "", "mend the ConceptMap") for why in made.faults]
                return Step(name, codemap=made, display=display)
        codec = REGISTRY.get(name)
        return Step(name, codec=codec) if codec else None

    def _concept_map(self, file: Path) -> Any:
        """A ConceptMap as it is written; an empty one, and a fault, where it is no JSON."""
        try:
            return json.loads(file.read_bytes())
        except ValueError as error:
            self.faults.append(Fault(file.name, getattr(error, "lineno", 1), "this is not JSON", "", "mend the syntax"))
            return {}

    def names(self) -> list[str]:
        """Every name that may stand after |."""
        return (
            [f.stem for f in (self.folder / "codes").glob("*.json")]
            + [f.stem.removeprefix("ConceptMap-") for f in PROFILES.glob("ConceptMap-*.json")]
            + list(REGISTRY)
        )


class Catalogue(Mapping[str, System]):
    """The systems by name. Folders given later overlay those before: a site's own system stands beside the shipped ones."""

    def __init__(self, folders: Iterable[Path] = ()) -> None:
        self._systems: dict[str, System] = {}
        self._folders: dict[str, Path] = {}
        for root in (MAPPINGS, *folders):
            if not root.is_dir():
                raise MapFaults(
                    [
                        Fault(
                            str(root),
                            1,
                            "there is no such folder",
                            "mappings are folders with a system.yaml in each",
                            "name the folder that holds your systems",
                        )
                    ]
                )
            for file in sorted(root.glob("*/system.yaml")):
                self._folders[file.parent.name] = file.parent

    def __getitem__(self, name: str) -> System:
        if name not in self._folders:
            raise Unknown("system", name, self._folders)
        if name not in self._systems:
            made = self._systems[name] = System(name, self._folders[name])
            read_manifest(made)
        return self._systems[name]

    def __iter__(self) -> Any:
        return iter(sorted(self._folders))

    def __len__(self) -> int:
        return len(self._folders)

    def message(self, name: str) -> Message:
        """The message called system/message. Raises Unknown or MapFaults."""
        system, _, message = name.partition("/")
        if not message:
            raise Unknown("message", name, [f"{s}/{m}" for s in self for m in self[s].messages])
        return self[system].message(message)
