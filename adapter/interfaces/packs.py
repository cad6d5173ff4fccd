"""Connector packs: for each published contract what a connector developer needs to build against it, as a zip.

A contract is a message in a form of our own, JSON or CSV, whose schema has an `$id` and a version. The pack of a system holds,
for each of its messages, the schema, samples that are good and samples that are refused (with the issues that they get), and a
README with the version and what may change in it. The same systems and cases give the same bytes.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from adapter.fhir.outcome import BASE
from adapter.shipped import FIXTURES
from adapter.systems.cases import found

if TYPE_CHECKING:
    from adapter import Adapter
    from adapter.systems.message import Message

_CONTRACT = BASE.removesuffix("/fhir") + "/contracts/"
#: A zip's own epoch: the time of making must not change the bytes.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def packs(ost: Adapter, fixtures: Path = FIXTURES) -> dict[str, bytes]:
    """File name -> zip, one for each system that publishes a contract."""
    made = {}
    for name, system in sorted(ost.systems.items()):
        messages = [ost.message(f"{name}/{message}") for message in system.messages]
        published = [one for one in messages if one.info.format in ("json", "csv") and is_contract(one)]
        if published:
            made[f"{name}-{system.version}.zip"] = _zip(
                {path: body for one in published for path, body in _contract(one, fixtures)}
                | {"README.md": _readme(system.title, str(system.version), published).encode()}
            )
    return made


def is_contract(message: Message) -> bool:
    """Whether its schema is one that we publish."""
    return str(message.payload.schema.get("$id", "")).startswith(_CONTRACT)


def _contract(message: Message, fixtures: Path) -> Iterator[tuple[str, bytes]]:
    folder = message.info.name
    yield f"{folder}/{folder}.schema.json", json.dumps(message.payload.schema, indent=2, ensure_ascii=False).encode() + b"\n"
    for case in found(fixtures, message.name):
        for file in [*case.glob("in.*"), *case.glob("out.*")]:
            if (case / "outcome.json").exists():
                yield f"{folder}/refused/{case.name}{file.suffix}", file.read_bytes()
                yield f"{folder}/refused/{case.name}.issues.json", (case / "outcome.json").read_bytes()
            else:
                yield f"{folder}/good/{case.name}{file.suffix}", file.read_bytes()


def _readme(title: str, version: str, published: list[Message]) -> str:
    lines = [
        f"# {title}",
        "",
        f"Version {version}. What a system must send or understand to be connected; all people in the samples are invented.",
        "",
        "| message | version | direction | event | schema |",
        "| --- | --- | --- | --- | --- |",
    ]
    for one in published:
        said = {"read": "you send it", "write": "you receive it", "both": "both ways"}[one.info.direction]
        file = f"{one.info.name}/{one.info.name}.schema.json"
        events = ", ".join(one.info.events)
        lines.append(f"| `{one.info.name}` | {one.payload.schema.get('version')} | {said} | {events} | `{file}` |")
    policy = dict.fromkeys(str(one.payload.schema.get("$comment", "")) for one in published)
    lines += [
        "",
        "`good/` holds messages that are accepted or written, `refused/` messages that are not, each with the issues it gets.",
        "",
        *(text for text in policy if text),
        "",
        "Codes of your own beside these: a site lays its own ConceptMaps over the shipped ones with `--mappings`.",
    ]
    return "\n".join(lines) + "\n"


def _zip(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as out:
        for path in sorted(files):
            out.writestr(zipfile.ZipInfo(path, _EPOCH), files[path], zipfile.ZIP_DEFLATED)
    return made.getvalue()
