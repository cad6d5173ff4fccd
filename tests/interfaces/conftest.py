"""A stand-in for Adapter, so that what belongs to an interface alone (exit codes, statuses, limits) is tested alone."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask.testing import FlaskClient

from adapter.fhir import json
from adapter.fhir.outcome import Refused, issue, outcome
from adapter.mapping.faults import Fault, Unknown

#: What no answer, log or exception text may ever show.
PERSON = "Zebedee Quillfeather 999 000 0018"

WARNING = issue("warning", "incomplete", "unread", "This was not read.", expression="note", mend="Read it by hand.")
ERROR = issue("error", "required", "dose-date", "A dose has no date.", expression="doses[0].date", mend="Send the date.")


@dataclass
class StandIn:
    """Answers as Adapter does; what the body says decides how. `asked` keeps every call."""

    faults: list[Fault] = field(default_factory=list)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def systems(self) -> dict[str, Any]:
        def message(name: str, direction: str, wire: str) -> SimpleNamespace:
            return SimpleNamespace(name=name, title=name, direction=direction, events=(name,), format=wire)

        messages = {
            "note": message("note", "both", "json"),
            "sheet": message("sheet", "both", "csv"),
            "extract": message("extract", "read", "tables"),
        }
        return {"shop": SimpleNamespace(name="shop", title="A shop", kind="pharmacy", version="1.0.0", messages=messages)}

    def translate(
        self,
        body: bytes,
        *,
        read: str,
        write: str | None = None,
        received: str | None = None,
        source: str = "",
        refuse: bool = True,
    ) -> Any:
        self.asked.append(("translate", {"body": body, "read": read, "write": write, "received": received, "source": source}))
        for name in (read, write):
            if name not in (None, "fhir", "shop/note", "shop/sheet", "shop/extract"):
                raise Unknown("message", str(name), ["shop/note", "shop/sheet"])
        if b"crash" in body:
            raise RuntimeError(PERSON)
        if b"refuse" in body and (refuse or b"early" in body):
            raise Refused([WARNING, ERROR])
        found = json.decode(body) if body.startswith(b"{") else {"text": body.decode()}
        result = None
        if write:
            result = b"A,B\r\n1.00,2\r\n" if write == "shop/sheet" else json.encode(found)
        return SimpleNamespace(
            bundle={"resourceType": "Bundle", "type": "message", "total": found},
            result=result,
            unread={"source": ["note"] if b"warn" in body else [], "bundle": []},
            carried=[],
            ignored={"source": {}, "bundle": {"Bundle.total": "not asked for"} if write else {}},
            issues=outcome([WARNING, ERROR] if b"refuse" in body else [WARNING] if b"warn" in body else []),
            lineage=[{"target": "Bundle.total", "source": "total", "map": "shop/note.yaml:1", "codecs": []}],
        )

    def validate(self, resource: dict[str, Any], profile: str | None = None, second_opinion: bool = True) -> dict[str, Any]:
        self.asked.append(("validate", {"resource": resource, "profile": profile}))
        if "crash" in resource:
            raise RuntimeError(PERSON)
        return outcome([ERROR] if "bad" in resource else [])

    def check(self, system: str | None = None) -> list[Fault]:
        if system not in (None, "shop"):
            raise Unknown("system", str(system), ["shop"])
        return self.faults

    def message(self, name: str) -> Any:
        return SimpleNamespace(header=b"A,B\r\n" if name == "shop/sheet" else b"")

    def many(
        self, source: bytes | Path, *, read: str, write: str | None = None, received: str | None = None, name: str = ""
    ) -> Iterator[Any]:
        self.asked.append(("many", {"read": read, "write": write, "received": received, "name": name}))
        if isinstance(source, Path) and source.is_file():
            source = source.read_bytes()
        bodies = [file.read_bytes() for file in sorted(source.iterdir())] if isinstance(source, Path) else source.splitlines()
        for body in bodies:
            try:
                yield self.translate(body, read=read, write=write, received=received)
            except Refused as refused:
                yield refused


@pytest.fixture
def stand_in() -> StandIn:
    return StandIn()


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    stdout: bytes
    stderr: str


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], stand_in: StandIn) -> Callable[..., Ran]:
    """Runs a command in this process against the stand-in."""
    from adapter.interfaces.cli import main

    for name in list(os.environ):
        if name.startswith("OST_"):
            monkeypatch.delenv(name)
    monkeypatch.setattr("adapter.load", lambda mappings=(), *, lenient=False: stand_in, raising=False)

    def run(*arguments: str, stdin: bytes = b"") -> Ran:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(stdin)))
        capfdbinary.readouterr()
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        out, err = capfdbinary.readouterr()
        return Ran(int(stop.value.code or 0), out, err.decode())

    return run


@pytest.fixture
def client(stand_in: StandIn) -> FlaskClient:
    """The HTTP interface over the stand-in."""
    from adapter.interfaces.http import create_app
    from adapter.interfaces.settings import Settings

    return create_app(stand_in, Settings(max_body=1000)).test_client()  # type: ignore[arg-type]
