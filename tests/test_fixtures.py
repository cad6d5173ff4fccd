"""Every fixture folder is a case: in.* with bundle.json and account.json (a read), bundle.json with out.* (a write), or
in.* with outcome.json (refused). Bundles are compared up to the renaming of ids; `--accept` rewrites goldens.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapter import Adapter, Refused
from adapter.fhir.json import decode, encode_pretty
from adapter.fhir.outcome import rule_of
from adapter.shipped import FIXTURES

RECEIVED = "2026-03-18T18:10:00Z"


def cases() -> Iterator[Any]:
    for folder in sorted({p.parent for p in FIXTURES.glob("*/*/*/*.json") if p.name in ("bundle.json", "outcome.json")}):
        if not (folder / "in").is_dir():  # an extract folder holds many records: tests/systems/test_emis.py
            yield pytest.param(folder, id="/".join(folder.parts[-3:]))


def renamed(bundle: Any) -> Any:
    """The Bundle with its entries' ids replaced by their place in it; decimals compare by value and precision."""
    names = {entry.get("fullUrl", ""): f"#{i}" for i, entry in enumerate(bundle.get("entry", ()))}

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            made = {k: walk(v) for k, v in value.items()}
            if "resourceType" in value and f"urn:uuid:{value.get('id')}" in names:
                made["id"] = names[f"urn:uuid:{value['id']}"]
            if isinstance(made.get("meta"), dict):  # the profiles are stamped by event: tests/systems/test_hub.py
                made["meta"].pop("profile", None)
                made = {k: v for k, v in made.items() if k != "meta" or v}
            return made
        if isinstance(value, list):
            return [walk(v) for v in value]
        if isinstance(value, Decimal):
            return ("decimal", str(value))
        return names.get(value, value) if isinstance(value, str) else value

    return walk(bundle)


def issues(found: list[Any]) -> list[Any]:
    rows = [
        {"severity": i["severity"], "code": i["code"], "rule": rule_of(i), "expression": i.get("expression", [])} for i in found
    ]
    return sorted(rows, key=lambda r: json.dumps(r, sort_keys=True))


def only(rows: list[Any], wanted: list[Any]) -> list[Any]:
    """The rows cut to what the golden says of each: a golden of a refusal may leave the issue code out."""
    keys = set().union(*(set(w) for w in wanted)) if wanted else {"severity", "code", "rule", "expression"}
    return sorted(({k: r[k] for k in keys if k in r} for r in rows), key=lambda r: json.dumps(r, sort_keys=True))


def ordered(rows: list[Any]) -> list[Any]:
    return sorted(rows, key=lambda r: json.dumps(r, sort_keys=True))


def load(folder: Path, name: str) -> Any:
    return decode((folder / name).read_bytes())


def account(translation: Any) -> dict[str, Any]:
    return {
        "unread": {k: sorted(v) for k, v in translation.unread.items()},
        "carried": sorted(translation.carried),
        "issues": issues(translation.found),
    }


@pytest.mark.parametrize("folder", list(cases()))
def test_fixture(folder: Path, ost: Adapter, request: pytest.FixtureRequest) -> None:
    accept = bool(request.config.getoption("--accept"))
    name = "/".join(folder.parts[-3:-1])
    inputs = sorted(folder.glob("in.*"))
    if not inputs:
        return _write(folder, ost, name, accept)
    body = inputs[0].read_bytes()
    if (folder / "outcome.json").exists():
        with pytest.raises(Refused) as caught:
            ost.translate(body, read=name, received=RECEIVED)
        wanted = load(folder, "outcome.json")["issues"]
        assert only(issues(caught.value.issues), wanted) == ordered(wanted)
        return None
    made = ost.translate(body, read=name, received=RECEIVED, refuse=False)
    if accept:
        (folder / "bundle.json").write_bytes(encode_pretty(made.bundle))
        (folder / "account.json").write_bytes(encode_pretty(account(made)))
    assert renamed(made.bundle) == renamed(load(folder, "bundle.json"))
    wanted = load(folder, "account.json")
    assert account(made) == {
        "unread": {k: sorted(v) for k, v in wanted["unread"].items()},
        "carried": sorted(wanted["carried"]),
        "issues": ordered(wanted["issues"]),
    }
    return None


def _write(folder: Path, ost: Adapter, name: str, accept: bool) -> None:
    body = (folder / "bundle.json").read_bytes()
    outs = sorted(folder.glob("out.*"))
    if (folder / "outcome.json").exists():
        with pytest.raises(Refused) as caught:
            ost.translate(body, read="fhir", write=name)
        wanted = load(folder, "outcome.json")["issues"]
        assert only(issues(caught.value.issues), wanted) == ordered(wanted)
        return
    assert outs, f"{folder} has a bundle and nothing to compare it with"
    made = ost.translate(body, read="fhir", write=name)
    assert made.result is not None
    if accept:
        outs[0].write_bytes(encode_pretty(decode(made.result)))
    assert renamed(decode(made.result)) == renamed(load(folder, outs[0].name))
    if (folder / "account.json").exists():
        assert account(made)["unread"] == {k: sorted(v) for k, v in load(folder, "account.json")["unread"].items()}


def test_every_case_has_something_to_compare() -> None:
    for folder in {p.parent for p in FIXTURES.glob("*/*/*/in*")}:
        names = {p.name.split(".")[0] for p in folder.iterdir()}
        assert names & {"bundle", "bundles", "outcome"}, f"{folder} is compared with nothing"
