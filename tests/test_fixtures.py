"""Every fixture folder is a case that comes to what stands beside it; `--accept` rewrites the goldens, and review decides.

What a case is and how it is compared: adapter/systems/cases.py, whose own tests are tests/interfaces/test_maps.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapter import Adapter
from adapter.fhir.json import decode, encode_pretty
from adapter.fhir.outcome import rule_of
from adapter.shipped import FIXTURES
from adapter.systems import cases
from adapter.systems.cases import RECEIVED, account
from adapter.systems.cases import comparable as renamed

__all__ = ["RECEIVED", "issues", "only", "ordered", "renamed"]


def folders() -> Iterator[Any]:
    for folder in sorted(FIXTURES.glob("*/*/*")):
        # The cases of an extract of several files are compared row by row in the tests of its system.
        if folder.is_dir() and folder.parts[-3] != "journeys" and not (folder / "in").is_dir():
            yield pytest.param(folder, id="/".join(folder.parts[-3:]))


def issues(found: list[Any]) -> list[Any]:
    rows = [
        {"severity": i["severity"], "code": i["code"], "rule": rule_of(i), "expression": i.get("expression", [])} for i in found
    ]
    return ordered(rows)


def only(rows: list[Any], wanted: list[Any]) -> list[Any]:
    """The rows cut to what the golden says of each: a golden of a refusal may leave the issue code out."""
    keys = set().union(*(set(w) for w in wanted)) if wanted else {"severity", "code", "rule", "expression"}
    return ordered([{k: r[k] for k in keys if k in r} for r in rows])


def ordered(rows: list[Any]) -> list[Any]:
    return sorted(rows, key=lambda r: json.dumps(r, sort_keys=True))


@pytest.mark.parametrize("folder", list(folders()))
def test_fixture(folder: Path, ost: Adapter, request: pytest.FixtureRequest) -> None:
    name = "/".join(folder.parts[-3:-1])
    if request.config.getoption("--accept"):
        _accept(folder, ost, name)
    assert cases.run(ost, name, folder).differences == []


def _accept(folder: Path, ost: Adapter, name: str) -> None:
    """Rewrite the goldens of a case that is not refused."""
    inputs = sorted(folder.glob("in.*"))
    if (folder / "outcome.json").exists():
        return
    if not inputs:
        made = ost.translate((folder / "bundle.json").read_bytes(), read="fhir", write=name)
        (out,) = folder.glob("out.*")
        out.write_bytes(encode_pretty(decode(made.result or b"")) if out.suffix == ".json" else made.result or b"")
        return
    if inputs[0].suffix == ".csv":
        came = [one for one in ost.many(inputs[0], read=name, received=RECEIVED) if not isinstance(one, Exception)]
    else:
        came = [ost.translate(inputs[0].read_bytes(), read=name, received=RECEIVED, refuse=False)]
    for number, one in enumerate(came, 1):
        mark = f"-{number}" if len(came) > 1 else ""
        (folder / f"bundle{mark}.json").write_bytes(encode_pretty(one.bundle))
        (folder / f"account{mark}.json").write_bytes(encode_pretty(account(one)))


def test_every_case_has_something_to_compare() -> None:
    for folder in {p.parent for p in FIXTURES.glob("*/*/*/in*")}:
        names = {p.name.split(".")[0].split("-")[0] for p in folder.iterdir()}
        assert names & {"bundle", "outcome"}, f"{folder} is compared with nothing"
