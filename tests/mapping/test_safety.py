"""Safety elements can be neither ignored nor carried, in any shipped map."""

from __future__ import annotations

import copy
from typing import Any

import pytest

import adapter
from adapter.fhir.json import decode
from adapter.mapping.runtime import parts_of
from adapter.mapping.safety import SAFETY, is_safety, names_safety
from adapter.shipped import FIXTURES
from adapter.systems.message import Message, native_entries

_OST = adapter.load()
MESSAGES = [f"{s}/{m}" for s in _OST.systems for m in _OST.systems[s].messages]


def specs(message: Message) -> list[Any]:
    return [t.spec for t in (message.table, message.native) if t is not None]


@pytest.mark.parametrize("name", MESSAGES)
def test_no_map_ignores_a_safety_element(name: str) -> None:
    message = _OST.message(name)
    for hearer in (message, *message.others):
        for spec in specs(hearer):
            for m in spec.maps:
                assert [p for p in m.ignored if not p.startswith("$") and names_safety(m.type, p)] == []
                assert [p for p, why in m.ignored.items() if len(why) < 10] == []


#: A value that each safety element of an order can have, by its path; every path of the list has one.
VALUES: dict[str, Any] = {
    "modifierExtension": [{"url": "https://example.org/not", "valueBoolean": True}],
    "implicitRules": "https://example.org/rules",
    "doNotPerform": True,
    "dosageInstruction.asNeededBoolean": True,
    "dosageInstruction.asNeededCodeableConcept": {"text": "pain"},
    "dosageInstruction.maxDosePerPeriod": {"numerator": {"value": 4}, "denominator": {"value": 1}},
    "dosageInstruction.maxDosePerAdministration": {"value": 4},
    "dosageInstruction.timing": {"code": {"text": "daily"}},
    "dosageInstruction.doseAndRate": [{"rateRatio": {"numerator": {"value": 1}, "denominator": {"value": 1}}}],
    "dispenseRequest.quantity": {"comparator": ">", "value": 5},
}


@pytest.mark.parametrize("path", VALUES)
def test_rest_never_carries_a_safety_element(path: str) -> None:
    """Put each into a real order of the system that has `$rest`: it is read by a hole of its own, or unread as an error."""
    message = _OST.message("eps/prescription-order")
    assert message.native is not None
    payload = decode((FIXTURES / "eps/prescription-order/acute/in.json").read_bytes())
    order = next(e["resource"] for e in payload["entry"] if e["resource"]["resourceType"] == "MedicationRequest")
    *way, last = path.split(".")
    for step in way:
        order = order[step][0] if isinstance(order[step], list) else order[step]
    order[last] = copy.deepcopy(VALUES[path])
    run = message.native.match(native_entries(payload))
    unread, _, issues = message.native.account(run)
    for i, entry in enumerate(payload["entry"]):
        at = f"Bundle.entry[{i}].resource"
        for place in (c.split(" ")[0] for c in run.carried):
            if place.startswith(at + "."):
                assert not is_safety(entry["resource"], parts_of(place, at)), place
    errors = {e for one in issues if one["severity"] == "error" for e in one.get("expression", ())}
    safety = {p for p in unread if path.rsplit(".", maxsplit=1)[-1] in p}
    assert safety <= errors
    record = repr(run.record)
    assert safety or any(repr(v) in record for v in _scalars(VALUES[path])), f"{path} went nowhere"


def _scalars(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [s for v in value.values() for s in _scalars(v)]
    return [s for v in value for s in _scalars(v)] if isinstance(value, list) else [value]


def test_every_safety_path_of_the_hub_is_known_to_the_list() -> None:
    """The words of the specification: status, intent, doNotPerform, modifierExtension, product, dose, unit, date, supervision."""
    order = SAFETY["MedicationRequest"]
    assert {"status", "intent", "doNotPerform", "medicationCodeableConcept", "dosageInstruction.doseAndRate"} <= set(order)
    assert any("required-supervision" in p for p in order) and any("planned-collection" in p for p in order)
    for kind in ("MedicationDispense", "MedicationAdministration", "MedicationStatement"):
        assert {"status", "medicationCodeableConcept"} <= set(SAFETY[kind]) and any("dose-date" in p for p in SAFETY[kind])
    assert SAFETY["*"] == ("modifierExtension", "implicitRules")
