"""The survival matrix as Markdown: for each event and any two systems, field by field, what arrives, as what, and what not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from adapter.mapping.survival import Arrival, survival

if TYPE_CHECKING:
    from adapter import Adapter
    from adapter.systems.message import Message

_MADE = "<!-- Made by `make docs` from the maps; edit those. -->\n"

_MATRIX = """
# What survives

Worked out from the maps: of each field of the source, whether the target hears it. `arrives` counts the fields that it does;
`in part` those that it does under a condition, or for some codes; `not` those that it does not: each is told as unread where it
has a value, or as ignored where the target's maps say why."""


def pages(ost: Adapter) -> dict[str, str]:
    """File name -> Markdown: survival.md, the matrix, and a page for each event with its routes. Raises MapFaults."""
    by_event: dict[str, list[tuple[Message, Message, list[Arrival]]]] = {}
    for source, target in routes(ost):
        rows = survival(source.table.spec, target.table.spec)
        by_event.setdefault(source.info.event, []).append((source, target, rows))
    made = {f"survival-{event}.md": "\n".join(_event(event, found)) + "\n" for event, found in sorted(by_event.items())}
    return {"survival.md": "\n".join(_matrix(by_event)) + "\n", **made}


def routes(ost: Adapter) -> Iterator[tuple[Message, Message]]:
    """Every message that is read with every one of another system that is written from the same event."""
    every = [ost.message(f"{name}/{info}") for name in sorted(ost.systems) for info in ost.systems[name].messages]
    each = [one for message in every for one in (message, *message.others)]
    for source in each:
        for target in each:
            joined = source.info.reads and target.info.writes and source.info.event == target.info.event
            if joined and source.system is not target.system:
                yield source, target


def _matrix(by_event: dict[str, list[tuple[Message, Message, list[Arrival]]]]) -> Iterator[str]:
    yield _MADE + _MATRIX
    for event, found in sorted(by_event.items()):
        yield from (
            "",
            f"## [{event}](survival-{event}.md)",
            "",
            "| from | to | arrives | in part | not |",
            "| --- | --- | ---: | ---: | ---: |",
        )
        for source, target, rows in found:
            whole = sum(bool(one.targets) and not one.partly for one in rows)
            part = sum(bool(one.targets) and one.partly for one in rows)
            link = f"survival-{event}.md#{_anchor(source, target)}"
            yield f"| `{source.name}` | [`{target.name}`]({link}) | {whole} | {part} | {len(rows) - whole - part} |"


def _anchor(source: Message, target: Message) -> str:
    return "".join(c for c in _title(source, target).lower() if c.isalnum() or c in " -_").replace(" ", "-")


def _title(source: Message, target: Message) -> str:
    return f"{source.name} to {target.name}"


def _event(event: str, found: list[tuple[Message, Message, list[Arrival]]]) -> Iterator[str]:
    yield from (
        _MADE,
        f"# What survives: {event}",
        "",
        "[The matrix](survival.md). What each element carries: [the hub](../hub.md).",
    )
    for source, target, rows in found:
        yield from ("", f"## {_title(source, target)}", "")
        yield from ("| field | element | arrives as | |", "| --- | --- | --- | --- |")
        for one in _distinct(rows):
            yield f"| `{one.slot.field}` | `{one.slot}` | {_targets(one)} | {_remark(one)} |"


def _distinct(rows: list[Arrival]) -> Iterator[Arrival]:
    seen = set()
    for one in rows:
        key = (one.slot.field, str(one.slot), _targets(one), _remark(one))
        if key not in seen:
            seen.add(key)
            yield one


def _targets(one: Arrival) -> str:
    return ", ".join(f"`{field}`" for field in dict.fromkeys(slot.field for slot in one.targets)) or "**not**"


def _remark(one: Arrival) -> str:
    said = [one.reason] if one.reason else []
    said += [f"{', '.join(codes)} become {code}" for code, codes in one.changed.items()]
    if one.lost:
        said.append(f"codes not known there: {', '.join(one.lost)}")
    elif one.partly:
        said.append("under a condition")
    return "; ".join(said)
