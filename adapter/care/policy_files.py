"""Policy files: the documents that a policy is made of, each with its lines and the faults of its own form.

Shape: `policies/policy.schema.json`, told in words. What they say together is judged in policy_faults.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from adapter.fhir.schema_document import Breach, breaches
from adapter.mapping.faults import Fault, Faults, MapFaults, Unknown, did_you_mean, nearest
from adapter.mapping.yaml_nodes import compose, data

POLICIES = Path(__file__).resolve().parent / "policies"
#: As many bytes the name of a file may have, its ending left out.
_LONGEST_NAME = 250
_TYPES = {"object": "mapping", "array": "list", "integer": "whole number", "string": "text", "boolean": "true or false"}


@dataclass(frozen=True)
class Document:
    """A policy file as it was read. said: its data · node: its YAML, for the lines; None where it was given as data."""

    file: str
    said: Mapping[str, Any]
    node: yaml.Node | None = None
    faults: list[Fault] = field(default_factory=list)

    def line(self, *path: str | int) -> int:
        """The line of what stands at these keys and indexes, or of the last of them that is there."""
        line, node = 1, self.node
        for step in path:
            if isinstance(node, yaml.MappingNode):
                below = {str(key.value): (key, value) for key, value in node.value}.get(str(step))
                if below is None:
                    break
                line, node = below[0].start_mark.line + 1, below[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
                line = node.start_mark.line + 1
        return line

    def part(self, *names: str) -> dict[str, Any]:
        """The mapping at these names; empty where there is none."""
        found: Any = self.said
        for name in names:
            found = found.get(name) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else {}

    def fault(self, path: Sequence[str | int], what: str, why: str = "", mend: str = "") -> Fault:
        """A fault at these keys and indexes."""
        return Fault(self.file, self.line(*path), what, why, mend)


# files ------------------------------------------------------------------------------------------------------------------
def names(folders: Sequence[Path] = ()) -> list[str]:
    """The names of the policies in these folders and among those shipped."""
    return sorted({file.stem for folder in (*folders, POLICIES) for file in folder.glob("*.yaml") if file.is_file()})


def documents(name: str, folders: Sequence[Path] = ()) -> list[Document]:
    """The document of a policy and of those that it extends, the most general first, each with the faults of its own form.

    Raises Unknown, with the nearest names, where there is no policy of that name; MapFaults where what has its name is no file.
    """
    found: list[Document] = []
    seen: list[str] = []
    while name not in seen:
        named = name.isprintable() and len(os.fsencode(name)) <= _LONGEST_NAME
        places = dict.fromkeys((folder / f"{name}.yaml").resolve() for folder in (*folders, POLICIES) if named)
        files = [file for file in places if file.is_file()]
        for file in places if not files else ():
            if file.exists():
                what = f"this is no file, but a {'folder' if file.is_dir() else 'device or a pipe'}"
                raise MapFaults([Fault(str(file), 1, what, "a policy is a file", "give the file, or name another policy")])
        if not files and not found:
            raise Unknown("policy", name, names(folders))
        if not files:
            mend = f"name one of these: {', '.join(names(folders))}"
            what = f"extends {name}, which is no policy{did_you_mean(nearest(name, names(folders)))}"
            found[0].faults.append(found[0].fault(["extends"], what, "", mend))
            return found
        seen.append(name)
        document = _read(files[0])
        if len(files) > 1:
            mend = f"rename one: {', '.join(map(str, files))}"
            document.faults.append(
                Fault(files[0].name, 1, f"two files are the policy {name}", "a result could mean either", mend)
            )
        found.insert(0, document)
        name = document.said.get("extends") or ""
        if not isinstance(name, str) or not name:
            return found
    circle = ", ".join([*seen, name])
    found[0].faults.append(found[0].fault(["extends"], f"it extends itself: {circle}", "", "let it extend another, or none"))
    return found


def _read(file: Path) -> Document:
    faults = Faults(file.name)
    node, said = None, None
    if (text := faults.text(file)) is not None:
        node = compose(text, faults)
        said = data(node, faults) if node is not None else None
    if not isinstance(said, dict):
        if not faults.found:
            faults.add(1, "a policy is a mapping", "", "start with policy:")
        return Document(file.name, {}, None, faults.found)
    document = Document(file.name, said, node, faults.found)
    if "policy" in said and said["policy"] != file.stem:
        mend = f"write policy: {file.stem}"
        document.faults.append(document.fault(["policy"], "policy is not the name of the file", "it is known by its file", mend))
    schema = json.loads((POLICIES / "policy.schema.json").read_text("utf-8"))
    document.faults.extend(one for breach in breaches(said, schema) for one in _told(document, breach))
    return document


# the schema in words ----------------------------------------------------------------------------------------------------
def _told(document: Document, breach: Breach) -> Iterator[Fault]:
    """A breach of the schema in words."""
    place, path = place_of(breach.path), breach.path
    why, mend = breach.schema.get("description", "") if isinstance(breach.schema, dict) else "", "see policy.schema.json"
    if breach.of_name:
        yield document.fault([*path, breach.found], f"{breach.found} has not the form of a name under {place}", why, mend)
        return
    match breach.keyword:
        case "required":
            for name in breach.wanted:
                if name not in breach.found:
                    yield document.fault(path, f"{place or 'the policy'} has no {name}", _meaning(breach, name), f"add {name}:")
        case "additionalProperties":
            known = list(breach.schema["properties"])
            for name in breach.found.keys() - set(known):
                what = f"{place_of((*path, name))} is no word of a policy{did_you_mean(nearest(name, known)[:1])}"
                yield document.fault([*path, name], what, "nothing reads it", f"write one of these: {', '.join(known)}")
        case "enum":
            like = nearest(str(breach.found), breach.wanted)[:1]
            words = f"write one of these: {', '.join(breach.wanted)}"
            yield document.fault(path, f"{place} is none of its words{did_you_mean(like)}", why, words)
        case "pattern":
            yield document.fault(path, f"{place} has not its form", why, mend)
        case "type" if "pattern" in breach.schema:
            yield document.fault(path, f"{place} has not its form", why, mend)
        case "type":
            yield document.fault(path, f"{place} is no {_TYPES[breach.wanted]}", why, mend)
        case "minimum":
            yield document.fault(path, f"{place} is less than {breach.wanted}", why, mend)
        case "maximum":
            yield document.fault(path, f"{place} is more than {breach.wanted}", why, mend)
        case "minLength" | "minItems":
            yield document.fault(path, f"{place} is empty", why, mend)
        case _:
            yield document.fault(path, f"{place} is not as it must be", why, mend)


def _meaning(breach: Breach, name: str) -> str:
    said: str = breach.schema.get("properties", {}).get(name, {}).get("description", "")
    return said


def place_of(path: Sequence[str | int]) -> str:
    """A path as people write it: `feeds.default.closed[1]`."""
    return "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in path).removeprefix(".")
