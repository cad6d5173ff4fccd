"""The map language: YAML text to a checked tree.

A map is a FHIR resource with holes. Every word of the language begins with `$`, all else is FHIR; a literal that
begins with `$` is written `$$`. The whole language stands in docs/map-language.md.
"""

from __future__ import annotations

import re
from pathlib import Path as File
from typing import Any

import yaml

from adapter.fhir.outcome import BASE
from adapter.mapping.faults import Faults, did_you_mean, nearest
from adapter.mapping.tree import Array, Guard, Hole, Literal, Map, Node, Object, Path, Ref, Rest, Say
from adapter.mapping.yaml_nodes import compose, data, pairs, scalar

__all__ = ["ELEMENT_WORDS", "HEAD_WORDS", "compose", "data", "expand", "parse_path", "read_map", "scalar"]

HEAD_WORDS = ("$each", "$key", "$id", "$ignored", "$one-way", "$when", "$rest")
ELEMENT_WORDS = ("$each", "$when", "$rest", "$say")

_PATH = r"(?P<up>\^*)(?:\.?(?P<parts>[A-Za-z_][\w-]*(?:\.[\w-]+)*)|(?P<self>\.)|(?P<place>\#))"
_ONE_PATH = re.compile(_PATH)
_NAME = re.compile(r"[A-Za-z][\w.-]*")
_REF = re.compile(r"\$ref (?P<map>[A-Z][A-Za-z]*(?:\.[\w-]+)?)(?: by (?P<by>\S+))?")


def expand(text: str) -> str:
    """`ost:` at the head of a literal stands for the canonical base of our own artefacts."""
    return f"{BASE}/{text[4:]}" if text.startswith("ost:") else text


def parse_path(text: str) -> Path | None:
    """A record path such as `^item_id`, `quantity.value`, `.` or `#`; None when it is none."""
    found = _ONE_PATH.fullmatch(text.strip())
    if not found:
        return None
    parts = tuple(found["parts"].split(".")) if found["parts"] else ()
    return Path(len(found["up"]), parts, bool(found["place"]))


class _Reader:
    """Reads one map file; gathers every fault on the way."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults

    def path(self, text: str, line: int) -> Path:
        found = parse_path(text)
        if found is None:
            self.faults.add(
                line,
                f"{text!r} is not a record path",
                "a path is names with dots between, ^ for the parent, . or #",
                "write for example item.code or ^serial",
            )
            return Path(0, ("?",))
        return found

    def hole(self, text: str, line: int) -> Node:
        head, *names = (part.strip() for part in text[1:].split("|"))
        required = head.endswith("!")
        paths = tuple(self.path(part, line) for part in head.rstrip("!").split("+"))
        for name in names:
            if not _NAME.fullmatch(name):
                self.faults.add(
                    line, f"{name!r} is not the name of a ConceptMap or codec", "after | stands a name", "write $path | name"
                )
        if len(paths) > 1 and not names:
            self.faults.add(line, "several paths need a codec that joins them", "", "write $a + b | codec")
        return Hole(paths, tuple(names), required, line)

    def word(self, text: str, line: int) -> Node:
        if text.startswith("$$"):
            return Literal(text[1:], line)
        if text.startswith("$say "):
            return Say(expand(text[5:].strip()), line)
        if text == "$ref" or text.startswith("$ref "):
            found = _REF.fullmatch(text.strip())
            if not found:
                self.faults.add(
                    line,
                    f"{text!r} is not a reference",
                    "a reference is $ref Map or $ref Map by path",
                    "name the map as its file is named",
                )
                return Literal(text, line)
            return Ref(found["map"], self.path(found["by"], line) if found["by"] else None, line)
        if text == "$rest" or text.startswith("$rest "):
            self.faults.add(line, "$rest stands as a key, not as a value", "", "write {$rest: path}")
            return Literal(text, line)
        return self.hole(text, line)

    def node(self, node: yaml.Node) -> Node:
        line = node.start_mark.line + 1
        if isinstance(node, yaml.ScalarNode):
            value = scalar(node)
            if value is None:
                self.faults.add(line, "an empty value", "FHIR has no null", "delete the key or give it a value")
            if isinstance(value, str):
                return self.word(value, line) if value.startswith("$") else Literal(expand(value), line)
            return Literal(value, line)
        if isinstance(node, yaml.SequenceNode):
            if not node.value:
                self.faults.add(line, "an empty array", "FHIR has no empty arrays", "delete the key")
            return Array(tuple(self.item(n) for n in node.value), line)
        return self.object(node, ELEMENT_WORDS)

    def item(self, node: yaml.Node) -> Node:
        if isinstance(node, yaml.MappingNode) and [k.value for k, _ in node.value] == ["$rest"]:
            return Rest(self.path(str(node.value[0][1].value), node.start_mark.line + 1), node.start_mark.line + 1)
        return self.node(node)

    def object(self, node: yaml.Node, words: tuple[str, ...]) -> Node:
        line = node.start_mark.line + 1
        each: Path | None = None
        rest: Path | None = None
        when: tuple[Guard, ...] = ()
        fields: dict[str, Node] = {}
        assert isinstance(node, yaml.MappingNode)
        for name, value in pairs(node, self.faults).items():
            at = value.start_mark.line + 1
            if not name.startswith("$"):
                fields[name] = self.node(value)
            elif name not in words:
                self.faults.add(
                    at,
                    f"{name} is not a word of the language here{did_you_mean(nearest(name, words))}",
                    "",
                    f"the words here are {' '.join(words)}",
                )
            elif name == "$say":
                return Say(self.said(value), line)
            elif name == "$each" and words is ELEMENT_WORDS:
                each = self.path(str(value.value), at)
            elif name == "$rest":
                rest = self.path(str(value.value), at)
            elif name == "$when":
                when = self.guards(value, at)
        if not fields and rest is None and words is ELEMENT_WORDS:
            self.faults.add(line, "an empty object", "FHIR has no empty objects", "delete it")
        return Object(fields, line, each, when, rest)

    def said(self, node: yaml.Node) -> Any:
        if isinstance(node, yaml.MappingNode):
            return {k: self.said(v) for k, v in pairs(node, self.faults).items()}
        if isinstance(node, yaml.SequenceNode):
            return [self.said(v) for v in node.value]
        value = scalar(node)
        return expand(value) if isinstance(value, str) else value

    def guards(self, node: yaml.Node, line: int) -> tuple[Guard, ...]:
        if isinstance(node, yaml.ScalarNode):
            return (Guard(self.path(str(node.value), line), (), None, line),)
        if not isinstance(node, yaml.MappingNode):
            self.faults.add(line, "$when needs {path: value} or a path", "", "write $when: {outcome: missed}")
            return ()
        found = pairs(node, self.faults)
        otherwise = scalar(found.pop("else")) if isinstance(found.get("else"), yaml.ScalarNode) else None
        made = []
        for name, value in found.items():
            values = [scalar(v) for v in value.value] if isinstance(value, yaml.SequenceNode) else [scalar(value)]
            made.append(Guard(self.path(name, line), tuple(values), otherwise, line))
        return tuple(made)


def _reasons(node: yaml.Node, faults: Faults, word: str) -> dict[str, str]:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode) and word == "$one-way":
        return {"*": str(node.value)}
    if not isinstance(node, yaml.MappingNode):
        faults.add(
            line, f"{word} needs {{path: reason}}", "whatever is left out is left out for a reason", "give each path its reason"
        )
        return {}
    found = {k: str(getattr(v, "value", "")) for k, v in pairs(node, faults).items()}
    for name, why in found.items():
        if not why.strip():
            faults.add(line, f"{word} {name} has no reason", "", "say why")
    return found


def read_map(file: File, text: str, faults: Faults) -> Map | None:
    """The map in `text`; None (and the faults say why) when there is none to speak of."""
    node = compose(text, faults)
    if node is None:
        return None
    if not isinstance(node, yaml.MappingNode):
        faults.add(1, "a map is a FHIR resource with holes", "this file holds something else", "start with resourceType:")
        return None
    name = file.name.removesuffix(".yaml")
    reader = _Reader(faults)
    head = pairs(node, Faults(file))
    root = reader.object(node, HEAD_WORDS)
    if not isinstance(root, Object):
        return None
    kind = root.fields.get("resourceType")
    if not isinstance(kind, Literal) or kind.value != name.split(".")[0]:
        faults.add(
            root.line,
            f"resourceType must be {name.split('.')[0]}",
            "a map's file is named after the type it makes",
            "rename the file or mend resourceType",
        )
        return None
    made = Map(name, str(kind.value), file, root, lines={k: v.start_mark.line + 1 for k, v in head.items()})
    if "$each" in head:
        made.each = tuple(part.strip() for part in str(head["$each"].value).split("/"))
    if "$key" in head:
        made.key = tuple(reader.path(part, made.lines["$key"]) for part in str(head["$key"].value).lstrip("$").split("+"))
    if "$id" in head:
        made.id = reader.path(str(head["$id"].value).lstrip("$"), made.lines["$id"])
    if "$ignored" in head:
        made.ignored = _reasons(head["$ignored"], faults, "$ignored")
    if "$one-way" in head:
        made.one_way = _reasons(head["$one-way"], faults, "$one-way")
    return made
