"""Faults that the gate's schema reports: which place and rule each means, and what of the resource the walk must not trust.

Also values that are no JSON at all: the gate answers an issue for any Python value, and never lets a deep one near the
validator, whose stack is the machine's.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import jsonschema_rs
import msgspec

from adapter.fhir.issue_text import below, fhirpath, say, wrong_form
from adapter.fhir.outcome import Issue
from adapter.fhir.rule_texts import RULES
from adapter.fhir.schema.primitives import PRIMITIVES

Json = dict[str, Any]

#: Levels of nesting; adapter.fhir.json refuses deeper text with the same limit.
DEEPEST = 100

_encode = msgspec.json.Encoder(decimal_format="number").encode


def written(value: Any) -> bytes | None:
    """The value as JSON; None where something keeps it from the validator: `strange` says what and where."""
    try:
        return _encode(value)  # some 2 us: the cheapest thing that stops at a depth by itself
    except Exception:  # noqa: BLE001 - whatever it is about this value
        return None


def strange(value: Any) -> list[Issue]:
    """Every place that is no JSON, or that lies too deep. Keeps its own stack, so that no depth hurts it."""
    found: list[Issue] = []
    root = "$this"
    stack: list[tuple[Any, str, int]] = [(value, root, 1)]
    while stack:
        item, path, depth = stack.pop()
        if depth > DEEPEST:
            return [say("depth", path)]
        if isinstance(item, dict):
            for key, one in item.items():
                if not isinstance(key, str) or not _is_text(key):
                    found.append(say("json", path))
                else:
                    stack.append((one, below(path, key), depth + 1))
        elif isinstance(item, list | tuple):
            stack.extend((one, f"{path}[{index}]", depth + 1) for index, one in enumerate(item))
        elif not _is_scalar(item):
            found.append(say("json", path))
    return found


def _is_text(value: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _is_scalar(value: Any) -> bool:
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, str):
        return type(value) is str and _is_text(value)
    if isinstance(value, int):
        return type(value) is int and value.bit_length() < 4096
    return isinstance(value, float | Decimal) and math.isfinite(value)


class Cut(NamedTuple):
    """A place that the base refuses, so that nothing after it may look there: its steps in the resource, and its FHIRPath."""

    steps: list[str | int]
    path: str


class Refusal(NamedTuple):
    """One error of the validator in our terms."""

    issues: list[Issue]
    cuts: list[Cut]


def read_error(
    error: jsonschema_rs.ValidationError, schema: Mapping[str, Any], root: str, type_name: str, types: Mapping[str, Json]
) -> Refusal:
    """What an error says: its issues, and the places whose value is not what a check may expect.

    The instance path begins with the list of the batch and the index in it; schema_path leads to the failing keyword, from the
    innermost definition, and passes the `x-rule` that answers for it.
    """
    steps = list(error.instance_path[2:])
    path = fhirpath(root, type_name, steps, types)
    rule, depth = _rule_above(schema, error.schema_path)
    if rule is not None:
        if "path" in rule:  # which is said from where the rule stands, not from where it fails
            path = fhirpath(root, type_name, steps[: len(steps) - depth], types)
        place = ".".join(part for part in (path, rule.get("path", "")) if part)
        return Refusal([say(rule["key"], place, **_words(rule))], [])
    here = [Cut(steps, path)]
    match error.kind:
        case jsonschema_rs.ValidationErrorKind.AdditionalProperties(unexpected):
            places = [Cut([*steps, name], below(path, name)) for name in unexpected]
            return Refusal([say("unknown-element", place.path) for place in places], places)
        case jsonschema_rs.ValidationErrorKind.Required(name):
            return Refusal([say("required", below(path, name))], [])
        case jsonschema_rs.ValidationErrorKind.MinItems():
            return Refusal([say("empty", path)], here)
        case jsonschema_rs.ValidationErrorKind.MinProperties():
            return Refusal([say("ele-1", path)], [])
        case jsonschema_rs.ValidationErrorKind.Enum() | jsonschema_rs.ValidationErrorKind.Constant():
            return Refusal([say("binding", path)], here)
        case jsonschema_rs.ValidationErrorKind.Type(wanted):
            return Refusal([_wrong_type(wanted, _primitive(error), path)], here)
    return Refusal([wrong_form("value", _primitive(error), path)], here)


def _primitive(error: jsonschema_rs.ValidationError) -> str:
    """The primitive type in whose definition the error lies, or ""."""
    name = str(error.schema_path[1]).removesuffix(".null") if len(error.schema_path) > 1 else ""
    return name if name in PRIMITIVES else ""


def _wrong_type(wanted: Sequence[str], primitive: str, path: str) -> Issue:
    if primitive:
        return wrong_form("type", primitive, path)
    text = "This element repeats: it must be an array." if "array" in wanted else "This must be an object."
    return say("type", path, text=text)


def _words(rule: Mapping[str, str]) -> dict[str, str]:
    """What the rule says itself, for say()."""
    words = {name: rule[name] for name in ("text", "mend") if name in rule}
    profile = rule.get("profile")
    if profile and "text" not in words:
        words["text"] = f"{RULES[rule['key']][1]} (Profile {profile}.)"
    return words


def _rule_above(schema: Mapping[str, Any], path: Sequence[str | int]) -> tuple[Mapping[str, str] | None, int]:
    """The innermost x-rule on the way to a keyword, and how many steps of the instance lie between the two."""
    node: Any = schema
    found = None
    depth = 0
    before: str | int = ""
    for step in path:
        try:
            node = node[step]
        except (KeyError, IndexError, TypeError):
            break
        depth += before in ("properties", "prefixItems") or step == "items"
        before = step if before not in ("properties", "prefixItems") else ""
        if isinstance(node, dict) and "x-rule" in node:
            found, depth = node["x-rule"], 0
    return found, depth


def without(resource: Json, cuts: Iterable[Sequence[str | int]]) -> Json:
    """A copy of the resource without these places, for checks that trust types. An item of an array becomes an empty object."""
    pruned: Json = copy.deepcopy(resource)
    for steps in cuts:
        _cut(pruned, steps)
    return pruned


def _cut(node: Any, steps: Sequence[str | int]) -> None:
    for step in steps[:-1]:
        try:
            node = node[step]
        except (KeyError, IndexError, TypeError):
            return  # already cut above
    if not steps:
        return
    last = steps[-1]
    if isinstance(node, dict):
        node.pop(last, None)
    elif isinstance(node, list) and isinstance(last, int) and last < len(node):
        node[last] = {}


def distinct(issues: Iterable[Issue]) -> Iterator[Issue]:
    """Each rule once a place: an overlay repeats what the base says."""
    seen: set[tuple[str, str]] = set()
    for one in issues:
        key = (one["details"]["coding"][0]["code"], *one.get("expression", ("",))[:1])
        if key not in seen:
            seen.add(key)
            yield one
