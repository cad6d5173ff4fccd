"""Our published contracts: what the schemas of a system's messages define alike stays alike."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.fhir.json import decode
from adapter.shipped import MAPPINGS

CONTRACTS = ["pharmacy", "criis"]
#: A dose event may speak of a product that is known in words only; a prescription names it by its dm+d code.
APART = {("pharmacy", "product"), ("criis", "medicine")}


def schemas(system: str) -> dict[str, dict[str, Any]]:
    return {f.parent.name: decode(f.read_bytes()) for f in sorted((MAPPINGS / system).glob("*/*.schema.json"))}


def definitions(system: str) -> dict[str, dict[str, Any]]:
    """Name -> message -> definition."""
    found: dict[str, dict[str, Any]] = {}
    for message, schema in schemas(system).items():
        for name, one in schema.get("$defs", {}).items():
            found.setdefault(name, {})[message] = one
    return found


@pytest.mark.parametrize("system", CONTRACTS)
def test_common_definitions_are_equal(system: str) -> None:
    common = {name: by for name, by in definitions(system).items() if len(by) > 1}
    assert len(common) >= 5
    for name, by in common.items():
        if (system, name) in APART:
            by = {message: one for message, one in by.items() if message != "dose-outcome"}
        first, *others = by.values()
        assert all(one == first for one in others), f"{name} differs between {', '.join(by)}"


@pytest.mark.parametrize(("system", "name"), sorted(APART))
def test_a_dose_s_product_differs_in_what_is_required_and_in_its_words_alone(system: str, name: str) -> None:
    by = definitions(system)[name]
    dose, order = by["dose-outcome"], by["prescription"]
    assert dose["properties"].keys() == order["properties"].keys()
    for part in dose["properties"]:
        rules = [
            {k: v for k, v in one["properties"][part].items() if k not in ("title", "description", "examples")}
            for one in (dose, order)
        ]
        assert rules[0] == rules[1], part
    assert order["required"] and "required" not in dose


@pytest.mark.parametrize("system", CONTRACTS)
def test_every_definition_is_used(system: str) -> None:
    for message, schema in schemas(system).items():
        text = str(schema)
        for name in schema.get("$defs", {}):
            assert f"'#/$defs/{name}'" in text, f"{message}: nothing refers to {name}"


@pytest.mark.parametrize("system", CONTRACTS)
def test_an_item_in_a_prescription_and_in_a_change_is_the_same(system: str) -> None:
    """A form in full is the same record in both messages; a change adds what was changed."""
    path, extra = (["items"], "change") if system == "pharmacy" else (["episode", "regimens"], "amendment")
    items = []
    for message in ("prescription", "prescription-change"):
        node: Any = schemas(system)[message]
        for part in path:
            node = node["properties"][part]
        items.append({k: v for k, v in node["items"]["properties"].items() if k != extra})
    assert items[0] == items[1]
