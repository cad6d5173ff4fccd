"""The mapping reference, made from the maps: for every message, which path of the record is which element of the hub."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from adapter.mapping.codecs import REGISTRY
from adapter.mapping.spec import Found, Place, TableSpec, paths_read, show
from adapter.mapping.tree import Array, Hole, Literal, Map, Node, Object, walk

if TYPE_CHECKING:
    from adapter import Adapter

_MADE = "<!-- Made by `make docs` from the maps; edit those. -->\n"


def pages(ost: Adapter) -> dict[str, str]:
    """File name -> Markdown: a page for every connected system, and codecs.md. Raises MapFaults."""
    made = {f"{name}.md": "\n".join(_system(ost, name)) + "\n" for name in sorted(ost.systems)}
    return {**made, "codecs.md": "\n".join(_codecs(ost)) + "\n"}


def _system(ost: Adapter, name: str) -> Iterator[str]:
    system = ost.systems[name]
    yield from (_MADE, f"# {system.title} (`{name}`)", "", f"Kind: {system.kind}. Version of the maps: {system.version}.")
    for info in system.messages.values():
        message = ost.message(f"{name}/{info.name}")
        key = " + ".join(f"`{path}`" for path in message.table.spec.key) or "none"
        yield from ("", f"## `{name}/{info.name}`: {info.title}", "")
        yield f"Direction: {info.direction}. Hub event: {', '.join(info.events)}. Format: {info.format}. Natural key: {key}."
        for one in (message, *message.others):
            if message.others:
                yield from ("", f"### For the event {one.info.event}")
            yield from _table(one.table.spec, "Record", "Hub")
            if one.native is not None:
                yield from ("", f"{name} itself speaks FHIR; the record stands between:")
                yield from _table(one.native.spec, "Record", f"FHIR of {name}")


def _table(spec: TableSpec, left: str, right: str) -> Iterator[str]:
    yield from ("", f"| {left} | {right} | through | map |", "| --- | --- | --- | --- |")
    for one in spec.maps:
        names = dict(_named(one.root, one.type))
        for at, found, how in paths_read(one):
            if how != "key":  # a hole holds it as well, or the heading names it
                yield _row(one, names, at, found, str(how))
    said = [(one, path, reason) for one in spec.maps for path, reason in one.one_way.items()]
    if said:
        yield from ("", "One way only:", "")
        yield from (f"- {one.name} {path}: {reason}".replace(" *:", ":") for one, path, reason in said)
    left_out = [(one, path, reason) for one in spec.maps for path, reason in one.ignored.items()]
    if left_out or spec.left_out:
        yield from ("", "Left out on purpose:", "")
        yield from (f"- every {kind}: {reason}" for kind, reason in spec.left_out.items())
        yield from (f"- {one.name} {path}: {reason}" for one, path, reason in left_out)


def _row(one: Map, names: dict[int, str], at: Place, found: Found, how: str) -> str:
    node = found.node
    through = ", ".join(f"`{name}`" for name in node.codecs) if isinstance(node, Hole) else ""
    if how != "hole":
        through = f"{through} ({how})".strip()
    element = names.get(id(node), f"{one.type}.id")  # $id is a hole that stands in no element
    return f"| `{show(at)}` | `{element}` | {through} | {one.name}:{node.line} |"


def _named(node: Node, name: str) -> Iterator[tuple[int, str]]:
    """Every node of a map with its element, an extension by its url: MedicationDispense.extension(dose-date).valueDate."""
    yield id(node), name
    if isinstance(node, Array):
        for child in node.items:
            url = child.fields.get("url") if isinstance(child, Object) and name.endswith("xtension") else None
            said = f"{name}({str(url.value).rpartition('/')[2]})" if isinstance(url, Literal) else name
            yield from _named(child, said)
    elif isinstance(node, Object):
        for field, child in node.fields.items():
            yield from _named(child, f"{name}.{field}")


def _codecs(ost: Adapter) -> Iterator[str]:
    used: dict[str, set[str]] = {}
    for system in ost.systems.values():
        for info in system.messages.values():
            first = ost.message(f"{system.name}/{info.name}")
            tables = [
                table for message in (first, *first.others) for table in (message.table, message.native) if table is not None
            ]
            for node in (node for table in tables for each in table.spec.maps for _, node in walk(each.root)):
                for codec in node.codecs if isinstance(node, Hole) else ():
                    used.setdefault(codec, set()).add(first.name)
    yield from (_MADE, "# Codecs", "", "What a map cannot say is a named Python function, or a pair of them.", "")
    yield from ("| name | direction | what it is for | used by |", "| --- | --- | --- | --- |")
    for name, one in sorted(REGISTRY.items()):
        doc = " ".join((one.read.__doc__ or "").split())
        yield f"| `{name}` | {'both' if one.write else 'read'} | {doc} | {', '.join(sorted(used.get(name, ())))} |"
