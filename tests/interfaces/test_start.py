"""A command pays only for what it needs: what it has imported when it is done, which no busy machine can change."""

from __future__ import annotations

import subprocess
import sys

import pytest

from adapter.shipped import FIXTURES
from tests.interfaces.running import ROOT, environment

CASE = FIXTURES / "pharmacy" / "dose-outcome" / "supervised" / "in.json"
HEAVY = {"flask", "werkzeug", "gunicorn", "rich", "requests", "duckdb", "fhir", "pydantic", "jsonschema"}


def _imported(*arguments: str) -> set[str]:
    """The libraries that a command has imported when it ends."""
    after = "import sys, atexit; atexit.register(lambda: print(*{m.partition('.')[0] for m in sys.modules}, file=sys.stderr))\n"
    run = [sys.executable, "-c", f"{after}from adapter.interfaces.cli import main\nmain({list(arguments)!r})"]
    ran = subprocess.run(run, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return set(ran.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        (("--help",), set()),
        (("translate", "--help"), set()),
        (("translate", str(CASE), "--from", "pharmacy/dose-outcome", "--to", "criis/dose-outcome"), set()),
        (("translate", str(CASE), "--from", "pharmacy/dose-outcome", "--explain"), set()),
        (("systems", "--json"), set()),
        (("systems",), {"rich"}),
        (("maps", "check", "pharmacy"), {"jsonschema"}),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else "",
)
def test_a_command_imports_what_it_needs(arguments: tuple[str, ...], needed: set[str]) -> None:
    imported = _imported(*arguments)
    assert "click" in imported
    assert imported & HEAVY == needed
