"""EPS prescription order updates: the request to cancel an item, its reasons, and the answers that are refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import adapter
from adapter.fhir.json import decode
from adapter.fhir.outcome import is_error, rule_of
from adapter.shipped import FIXTURES
from adapter.systems import eps, eps_rules, eps_update
from tests.systems.test_eps import RECEIVED, REFERENCE, Json, at, body, findings, needs_reference, unordered

UPDATE = "eps/prescription-order-update"
OURS = FIXTURES / "eps" / "prescription-order-update"
ITEM = "Bundle.entry[1].resource"
NHS, CODE = eps_update.WHY, "https://ost-adapter.example/fhir/CodeSystem/prescription-change-reason"
REQUESTED = ("cancel-requested", f"{ITEM}.status")

#: NHS England's reason -> ours, written out by hand; None: we have none, and NHS England's stands alone.
REASONS = {
    "0001": "prescribing-error",
    "0002": "safety",
    "0003": "prescriber-decision",
    "0004": "prescriber-decision",
    "0005": "patient-request",
    "0006": None,
    "0007": "deceased",
    "0008": None,
    "0009": None,
}


def files(event: str) -> list[Any]:
    found = sorted(REFERENCE.rglob("*.json")) if REFERENCE.is_dir() else []
    return [
        pytest.param(f, id=str(f.relative_to(REFERENCE)))
        for f in found
        if eps_rules.lay_out(json.loads(f.read_bytes())).event == event
    ]


UPDATES, ANSWERS = files("prescription-order-update"), files("prescription-order-response")


@needs_reference
def test_every_official_update_and_answer_is_met() -> None:
    assert (len(UPDATES), len(ANSWERS)) == (3, 11)


@needs_reference
@pytest.mark.parametrize("file", UPDATES)
def test_an_official_update_goes_both_ways(file: Path, ost: adapter.Adapter) -> None:
    there = ost.translate(file.read_bytes(), read=UPDATE, write=UPDATE, received=RECEIVED)
    assert there.result is not None
    assert unordered(decode(there.result)) == unordered(decode(file.read_bytes()))
    assert there.unread == {"source": [], "bundle": []}
    assert there.carried == []
    assert ost.translate(there.result, read=UPDATE, received=RECEIVED).bundle == there.bundle
    assert {rule_of(one) for one in there.found} == {"eps-cancel-requested", "ost-order-change-effective"}
    order = at(there.bundle, "MedicationRequest")
    assert order["statusReason"]["coding"][1] == {"system": CODE, "code": "safety", "display": "Safety"}


@needs_reference
@pytest.mark.parametrize("message", ["prescription-order-update", "prescription-order", "dispense-notification"])
@pytest.mark.parametrize("file", ANSWERS)
def test_an_answer_is_refused_by_name_whoever_is_asked_to_read_it(file: Path, message: str, ost: adapter.Adapter) -> None:
    with pytest.raises(adapter.Refused) as caught:
        ost.translate(file.read_bytes(), read=f"eps/{message}", received=RECEIVED)
    (error,) = caught.value.issues
    assert rule_of(error) == "eps-answer"
    assert error["expression"][0].endswith(".event")
    assert "answer" in error["details"]["text"]


# our own -----------------------------------------------------------------------------------------------------------
def ours(case: str) -> Json:
    made: Json = decode((OURS / case / "in.json").read_bytes())
    return made


GOOD = [f.parent.name for f in sorted(OURS.glob("*/in.json")) if (f.parent / "bundle.json").is_file()]


@pytest.mark.parametrize("case", GOOD)
def test_our_updates_come_out_as_they_went_in(case: str, ost: adapter.Adapter) -> None:
    there = ost.translate(body(ours(case)), read=UPDATE, write=UPDATE, received=RECEIVED)
    assert there.result is not None
    assert unordered(decode(there.result)) == unordered(ours(case))
    assert ost.translate(there.result, read=UPDATE, received=RECEIVED).bundle == there.bundle


@pytest.mark.parametrize(("code", "ours_is"), REASONS.items())
def test_every_reason_has_ours_beside_it_where_we_have_one(code: str, ours_is: str | None, ost: adapter.Adapter) -> None:
    update = ours("clinical-grounds")
    at(update, "MedicationRequest")["statusReason"] = {"coding": [{"system": NHS, "code": code}]}
    made = at(ost.translate(body(update), read=UPDATE, received=RECEIVED).bundle, "MedicationRequest")
    codes = {c["system"]: c["code"] for c in made["statusReason"]["coding"]}
    assert codes == {NHS: code} | ({CODE: ours_is} if ours_is else {})


def test_the_list_of_reasons_is_whole_and_sound() -> None:
    assert eps_update.cancel_reasons().forward == REASONS
    assert eps_update.cancel_reasons().faults == []


def test_a_cancelled_order_is_an_order_with_its_change(ost: adapter.Adapter) -> None:
    made = ost.translate(body(ours("clinical-grounds")), read=UPDATE, received=RECEIVED).bundle
    assert at(made, "MessageHeader")["eventCoding"]["code"] == "prescription-changed"
    order = at(made, "MedicationRequest")
    assert order["meta"]["profile"] == ["https://ost-adapter.example/fhir/StructureDefinition/MedicationRequest-order"]
    assert order["status"] == "cancelled"
    (change,) = [e for e in order["extension"] if e["url"] == eps_update.CHANGE]
    assert change["extension"] == [{"url": "type", "valueCode": "cancelled"}]


# the rules ---------------------------------------------------------------------------------------------------------
def item(update: Json) -> Json:
    return at(update, "MedicationRequest")


def twice(update: Json) -> None:
    made = json.loads(json.dumps(update["entry"][1], default=float))
    made["fullUrl"] = "urn:uuid:00000000-0000-4000-8000-000000000001"
    update["entry"].insert(2, made)


RULES: list[tuple[str, Callable[[Json], Any], list[tuple[str, str]]]] = [
    ("cancel-requested", lambda u: None, []),
    ("update-reason", lambda u: at(u, "MessageHeader").pop("reason"), [("update-reason", "Bundle.entry[0].resource.reason")]),
    ("update-count", twice, [("update-count", "Bundle.entry[2].resource"), ("cancel-requested", "Bundle.entry[2].resource.status")]),
    ("update-status", lambda u: item(u).update(status="stopped"), [("update-status", f"{ITEM}.status")]),
    ("update-why", lambda u: item(u).pop("statusReason"), [("update-why", f"{ITEM}.statusReason")]),
    ("update-why", lambda u: item(u)["statusReason"]["coding"][0].update(system=CODE), [("update-why", f"{ITEM}.statusReason")]),
    ("update-why-unknown", lambda u: item(u)["statusReason"]["coding"][0].update(code="0010"),
     [("update-why-unknown", f"{ITEM}.statusReason")]),
    ("prescription-id", lambda u: item(u).pop("groupIdentifier"),
     [("prescription-id", f"{ITEM}.groupIdentifier.value"), ("prescription-id-system", f"{ITEM}.groupIdentifier.system")]),
    ("item-id", lambda u: item(u).pop("identifier"), [("item-id", f"{ITEM}.identifier")]),
    ("product", lambda u: item(u).pop("medicationCodeableConcept"), [("product", f"{ITEM}.medication")]),
    ("nhs-number", lambda u: at(u, "Patient")["identifier"].pop(), [("nhs-number", "Bundle.entry[2].resource.identifier")]),
    ("nhs-number-check", lambda u: at(u, "Patient")["identifier"][0].update(value="9990000434"),
     [("nhs-number-check", "Bundle.entry[2].resource.identifier")]),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "change", "wanted"), RULES, ids=[f"{n}-{r[0]}" for n, r in enumerate(RULES)])
def test_a_rule_finds_its_fault_and_nothing_else(rule: str, change: Callable[[Json], Any], wanted: list[tuple[str, str]]) -> None:
    update = ours("clinical-grounds")
    change(update)
    found = eps.check_read(update)
    assert findings(found) == sorted((f"eps-{name}", place) for name, place in (REQUESTED, *wanted))
    assert next(one for one in found if rule_of(one) == f"eps-{rule}")["severity"] == eps_rules.rules()[rule].severity


def test_no_item_is_no_update() -> None:
    update = ours("clinical-grounds")
    update["entry"].pop(1)
    assert findings(eps.check_read(update)) == [("eps-update-count", "Bundle.entry")]


def test_a_death_cancels_as_any_other_reason() -> None:
    assert findings(eps.check_read(ours("death"))) == [("eps-cancel-requested", f"{ITEM}.status")]


@pytest.mark.parametrize("change", ["stopped", "held", "resumed", "replaced", "amended"])
def test_of_all_changes_eps_carries_a_cancellation_alone(change: str) -> None:
    bundle = decode((OURS / "clinical-grounds" / "bundle.json").read_bytes())
    assert eps.check_write(bundle) == []
    (said,) = [e for e in item(bundle)["extension"] if e["url"] == eps_update.CHANGE]
    said["extension"][0]["valueCode"] = change
    assert findings(eps.check_write(bundle)) == [("eps-update-change", f"{ITEM}.extension('{eps_update.CHANGE}')")]


def test_a_change_of_a_form_is_refused_in_words(ost: adapter.Adapter) -> None:
    """A form that a pharmacy's or treatment service's message stops: no part of it is EPS's to cancel."""
    stopped = sorted((FIXTURES / "criis" / "prescription-change").glob("*/bundle.json"))
    assert stopped
    for file in stopped:
        found = [one for one in eps.check_write(decode(file.read_bytes())) if is_error(one)]
        assert {rule_of(one) for one in found} & {"eps-instalment", "eps-update-change"}
