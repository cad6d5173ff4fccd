"""`rows:` of a CSV message: which columns belong to which list of a record.

It is data of the manifest; columns in no list are the header, the same in every row of a record:

    rows:
      by: [PLAN_REF]                  # rows with the same values here are one record; they stand next to each other
      lists:
        goals: {by: [GOAL_NO], columns: [GOAL_NO, GOAL_TEXT]}
        acts:  {by: [ACT_NO], columns: [ACT_NO, ACT_TYPE, GOAL_NO]}
      spelling: {GOAL_TXT: GOAL_TEXT} # headers that older versions wrote otherwise: as written, as meant

Without `lists` every row is a record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_WORDS = frozenset(("by", "lists", "spelling"))


@dataclass(frozen=True, slots=True)
class Group:
    """A list of a record: the columns that tell its elements apart, all its columns, and those that no other list has."""

    name: str
    by: tuple[str, ...]
    columns: tuple[str, ...]
    own: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """`rows:` of a CSV message, checked; `columns` in the order in which they are written."""

    by: tuple[str, ...]
    header: tuple[str, ...]
    groups: tuple[Group, ...]
    columns: tuple[str, ...]
    spelling: Mapping[str, str]


def layout(manifest: Mapping[str, Any], schema: Mapping[str, Any]) -> Layout:
    """The layout of one message of a system.yaml; schema: that of its records, whose properties are the columns.

    Raises ValueError that names every fault of `rows` at once.
    """
    said = manifest.get("rows", {})
    properties = schema.get("properties", {})
    faults = [f"rows: {word} is no word here; the words are {', '.join(sorted(_WORDS))}" for word in said if word not in _WORDS]
    lists = said.get("lists", {})
    for name, one in lists.items():
        if not isinstance(one, Mapping) or set(one) != {"by", "columns"} or not set(one["by"]) <= set(one["columns"]):
            faults.append(f"rows: list {name} needs by and columns, and every column of by among the columns")
        elif name not in properties:
            faults.append(f"rows: the schema has no list {name}")
    header = tuple(name for name in properties if name not in lists)
    faults += [
        f"rows: by names {column}, which is no column of the header" for column in said.get("by", ()) if column not in header
    ]
    if lists and not said.get("by"):
        faults.append("rows: by is missing; it names the columns that the rows of one record share")
    if faults:
        raise ValueError("\n".join(faults))
    groups = tuple(
        Group(
            name,
            tuple(one["by"]),
            tuple(one["columns"]),
            tuple(c for c in one["columns"] if not any(c in other["columns"] for n, other in lists.items() if n != name)),
        )
        for name, one in lists.items()
    )
    faults += [
        f"rows: an element of {group.name} needs a required column that no other list has, else its row may not show it"
        for group in groups
        if not set(group.own) & set(_required(properties[group.name], schema))
    ]
    if faults:
        raise ValueError("\n".join(faults))
    columns = (*header, *(column for group in groups for column in group.columns))
    return Layout(tuple(said.get("by", ())), header, groups, tuple(dict.fromkeys(columns)), dict(said.get("spelling", {})))


def _required(schema: Any, root: Mapping[str, Any]) -> Sequence[str]:
    """The required properties of a list's elements."""
    for name in ("items", ""):
        while "$ref" in schema:
            found: Any = root
            for part in schema["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            schema = found
        schema = schema.get(name, {}) if name else schema
    required: Sequence[str] = schema.get("required", ())
    return required
