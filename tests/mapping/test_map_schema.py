"""The JSON Schema for editors: every shipped map fits it, and the mistakes that it is for do not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from adapter.mapping import language
from adapter.mapping.faults import Faults
from adapter.shipped import MAPPINGS

SCHEMA = json.loads((Path(language.__file__).parent / "map.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
MAPS = sorted(p for p in MAPPINGS.glob("*/**/*.yaml") if p.name != "system.yaml")


def load(text: str) -> Any:
    faults = Faults("map")
    node = language.compose(text, faults)
    assert node is not None and not faults.found
    made = language.data(node, faults)
    return json.loads(json.dumps(made, default=float))


@pytest.mark.parametrize("file", MAPS, ids=lambda p: str(p.relative_to(MAPPINGS)))
def test_every_shipped_map_fits(file: Path) -> None:
    assert [e.message for e in VALIDATOR.iter_errors(load(file.read_text("utf-8")))] == []


@pytest.mark.parametrize(
    "text",
    [
        "status: active",
        "resourceType: Patient\n$eech: doses",
        "resourceType: Patient\ngender: $patient.gender |",
        "resourceType: Patient\ngender: $ref patient",
        "resourceType: Patient\nname: []",
        "resourceType: Patient\n$ignored: {address: no}",
        "resourceType: Patient\nGender: male",
        "resourceType: Patient\nname: [{$form: a}]",
    ],
)
def test_a_mistake_does_not(text: str) -> None:
    assert list(VALIDATOR.iter_errors(load(text)))
