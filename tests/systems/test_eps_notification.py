"""EPS dispense notifications: their rules, every official one that is at hand both ways, and what they say of doses."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import adapter
from adapter.fhir.json import decode
from adapter.fhir.outcome import is_error, rule_of
from adapter.mapping.codecs import REGISTRY
from adapter.shipped import FIXTURES
from adapter.systems import eps, eps_notification, eps_rules
from adapter.systems.hub_rules import products
from tests.systems.test_eps import RECEIVED, REFERENCE, Json, body, findings, needs_reference, places, unordered

NOTIFICATION = "eps/dispense-notification"
OURS = FIXTURES / "eps" / "dispense-notification"
OUTCOME = "https://ost-adapter.example/fhir/StructureDefinition/dose-outcome"
ITEM = "Bundle.entry[1].resource"
ORDER = f"{ITEM}.contained[1]"
NOT_DISPENSED = f"extension('{eps_notification.NOT_DISPENSED}')"

#: The bad official notifications, each with every error that it is refused for. All others are good.
BAD = {
    # Its items give two reasons why the one prescription was not dispensed; NHS England's own test calls it inconsistent.
    "acute-primary-example-05-req.json": [("eps-supply-differs", f"Bundle.entry[2].resource.{NOT_DISPENSED}")],
}


def official() -> list[Path]:
    files = sorted(REFERENCE.rglob("*.json")) if REFERENCE.is_dir() else []
    return [file for file in files if eps_rules.lay_out(json.loads(file.read_bytes())).event == "dispense-notification"]


OFFICIAL = official()
GOOD_ONES = [pytest.param(file, id=file.name) for file in OFFICIAL if file.name not in BAD]
BAD_ONES = [pytest.param(file, id=file.name) for file in OFFICIAL if file.name in BAD]


@needs_reference
def test_every_official_notification_is_met() -> None:
    assert len(OFFICIAL) == 7
    assert {file.name for file in OFFICIAL} >= set(BAD)
    statuses = {r["status"] for f in OFFICIAL for _, r in eps_rules.lay_out(json.loads(f.read_bytes())).supplies}
    assert statuses == {"completed", "on-hold", "cancelled"}


@needs_reference
@pytest.mark.parametrize("file", GOOD_ONES)
def test_a_good_notification_goes_both_ways(file: Path, ost: adapter.Adapter) -> None:
    there = ost.translate(file.read_bytes(), read=NOTIFICATION, write=NOTIFICATION, received=RECEIVED)
    assert there.result is not None
    assert unordered(decode(there.result)) == unordered(decode(file.read_bytes()))
    assert there.unread == {"source": [], "bundle": []}
    assert there.carried == []
    assert ost.translate(there.result, read=NOTIFICATION, received=RECEIVED).bundle == there.bundle
    assert there.found == []


@needs_reference
@pytest.mark.parametrize("file", BAD_ONES)
def test_a_bad_notification_is_refused_for_its_own_reason(file: Path, ost: adapter.Adapter) -> None:
    with pytest.raises(adapter.Refused) as caught:
        ost.translate(file.read_bytes(), read=NOTIFICATION, received=RECEIVED)
    assert findings([one for one in caught.value.issues if is_error(one)]) == BAD[file.name]


# our own -----------------------------------------------------------------------------------------------------------
def ours(case: str) -> Json:
    made: Json = decode((OURS / case / "in.json").read_bytes())
    return made


GOOD = [f.parent.name for f in sorted(OURS.glob("*/in.json")) if (f.parent / "bundle.json").is_file()]


@pytest.mark.parametrize("case", GOOD)
def test_our_notifications_come_out_as_they_went_in(case: str, ost: adapter.Adapter) -> None:
    there = ost.translate(body(ours(case)), read=NOTIFICATION, write=NOTIFICATION, received=RECEIVED)
    assert there.result is not None
    assert unordered(decode(there.result)) == unordered(ours(case))
    assert ost.translate(there.result, read=NOTIFICATION, received=RECEIVED).bundle == there.bundle


OST = [case for case in GOOD if case.startswith("buprenorphine-")]


@pytest.mark.parametrize("case", OST)
def test_no_supply_becomes_the_dose_of_a_day(case: str, ost: adapter.Adapter) -> None:
    """Handed over for 28 days or for one, not collected, unsuitable: a supply, with a warning, and no outcome of any day."""
    made = ost.translate(body(ours(case)), read=NOTIFICATION, received=RECEIVED)
    header, supply = made.bundle["entry"][0]["resource"], made.bundle["entry"][1]["resource"]
    assert header["eventCoding"]["code"] == "dispense"
    assert supply["meta"]["profile"] == ["https://ost-adapter.example/fhir/StructureDefinition/MedicationDispense-supply"]
    assert "dose-outcome" not in json.dumps(made.bundle, default=str)
    assert "dose-date" not in json.dumps(made.bundle, default=str)
    assert {e["resource"]["resourceType"] for e in made.bundle["entry"]}.isdisjoint({"MedicationAdministration"})
    assert ("eps-ost-supply", f"{ITEM}.medication") in findings(made.found)


@pytest.mark.parametrize("code", sorted(products()))
def test_every_product_of_substitution_is_raised(code: str) -> None:
    note = ours("handed-over")
    supply(note)["medicationCodeableConcept"]["coding"][0]["code"] = code
    assert findings(eps.check_read(note)) == [("eps-ost-supply", f"{ITEM}.medication")]


DOSES = sorted(f.parent for f in (FIXTURES / "pharmacy" / "dose-outcome").glob("*/bundle.json") if "refused" not in f.parent.name)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in DOSES])
def test_no_dose_outcome_travels_by_eps(case: Path, ost: adapter.Adapter) -> None:
    """A missed dose of an FP10MDA above all: it is refused, and told why."""
    for message in ("dispense-notification", "prescription-order"):
        with pytest.raises(adapter.Refused) as caught:
            ost.translate((case / "bundle.json").read_bytes(), read="fhir", write=f"eps/{message}")
        (error,) = [one for one in caught.value.issues if is_error(one)]
        assert rule_of(error) == "eps-dose-outcome"
        assert error["expression"] == ["Bundle.entry[0].resource.event"]
        assert "FP10MDA" in error["details"]["text"]


def test_another_event_is_refused_as_for_any_system(ost: adapter.Adapter) -> None:
    bundle = (FIXTURES / "eps" / "prescription-order" / "acute" / "bundle.json").read_bytes()
    with pytest.raises(adapter.Refused) as caught:
        ost.translate(bundle, read="fhir", write=NOTIFICATION)
    assert [rule_of(one) for one in caught.value.issues if is_error(one)] == ["event"]


# the rules ---------------------------------------------------------------------------------------------------------
def supply(note: Json, n: int = 0) -> Json:
    made: Json = [e["resource"] for e in note["entry"] if e["resource"]["resourceType"] == "MedicationDispense"][n]
    return made


def order(note: Json, n: int = 0) -> Json:
    made: Json = supply(note, n)["contained"][1]
    return made


def role(note: Json, n: int = 0) -> Json:
    made: Json = supply(note, n)["contained"][0]
    return made


def no_supply(note: Json) -> None:
    note["entry"] = [e for e in note["entry"] if e["resource"]["resourceType"] != "MedicationDispense"]


def status(note: Json, code: str) -> None:
    supply(note)["extension"][0]["valueCoding"]["code"] = code


def differs(name: str, n: int = 2) -> list[tuple[str, str]]:
    return [("supply-differs", f"Bundle.entry[{n}].resource.{name}")]


STATUS = f"extension('{eps_notification.STATUS}')"
REPEATS = f"extension('{eps_notification.REPEATS}')"
PAID = f"Bundle.entry[2].resource.extension('{eps_notification.RELATIONS}')"

RULES: list[tuple[str, str, Callable[[Json], Any], list[tuple[str, str]]]] = [
    ("supply-none", "handed-over", no_supply, [("supply-none", "Bundle.entry")]),
    ("supply-differs", "four-items", lambda m: supply(m, 1).update(whenHandedOver="2026-03-19T08:00:00+00:00"),
     differs("whenHandedOver")),
    ("supply-differs", "four-items", lambda m: supply(m, 2)["extension"][0]["valueCoding"].update(code="0006"),
     differs(STATUS, 3)),
    ("supply-differs", "four-items", lambda m: order(m, 3)["groupIdentifier"].update(value="5C22B3-ZZ9X01-7D0E20"),
     differs("authorizingPrescription", 4)),
    ("supply-differs", "four-items", lambda m: role(m, 1)["practitioner"]["identifier"].update(value="999900000319"),
     differs("performer")),
    ("supply-differs", "two-not-collected", lambda m: supply(m, 1)["extension"].pop(1), differs(NOT_DISPENSED)),
    ("supply-differs", "repeat-dispensing", lambda m: supply(m, 1)["extension"][1]["extension"][1].update(valueUnsignedInt=3),
     differs(REPEATS)),
    ("supply-differs", "four-items", lambda m: [supply(m, 1)["subject"]["identifier"].update(value="9990000514"),
                                                order(m, 1)["subject"]["identifier"].update(value="9990000514")],
     differs("subject")),
    ("supply-id", "handed-over", lambda m: supply(m)["identifier"][0].update(value="17"), [("supply-id", f"{ITEM}.identifier")]),
    ("supply-id", "handed-over", lambda m: supply(m).pop("identifier"), [("supply-id", f"{ITEM}.identifier")]),
    ("supply-id-twice", "four-items", lambda m: supply(m, 1).update(identifier=supply(m)["identifier"]),
     [("supply-id-twice", "Bundle.entry[2].resource.identifier")]),
    ("supply-product", "handed-over", lambda m: supply(m)["medicationCodeableConcept"]["coding"][0].update(system="https://dmd.nhs.uk"),
     [("supply-product", f"{ITEM}.medication")]),
    ("supply-product", "handed-over", lambda m: supply(m).update(medicationReference={"reference": "#drug"}),
     [("supply-product", f"{ITEM}.medication")]),
    ("supply-type", "handed-over", lambda m: supply(m)["type"]["coding"][0].update(code="0009"),
     [("supply-type", f"{ITEM}.type")]),
    ("supply-type", "handed-over", lambda m: supply(m)["type"]["coding"].append({"code": "0003"}),
     [("supply-type", f"{ITEM}.type")]),
    ("supply-status", "handed-over", lambda m: status(m, "0008"), [("supply-status", f"{ITEM}.{STATUS}")]),
    ("supply-status", "handed-over", lambda m: supply(m).pop("extension"), [("supply-status", f"{ITEM}.{STATUS}")]),
    ("supply-quantity", "handed-over", lambda m: supply(m).pop("quantity"), [("supply-quantity", f"{ITEM}.quantity")]),
    ("supply-quantity", "handed-over", lambda m: supply(m)["quantity"].update(value=-1), [("supply-quantity", f"{ITEM}.quantity")]),
    ("supply-quantity", "handed-over", lambda m: supply(m)["quantity"].update(system="http://unitsofmeasure.org"),
     [("supply-quantity", f"{ITEM}.quantity")]),
    ("supply-time", "handed-over", lambda m: supply(m).pop("whenHandedOver"), [("supply-time", f"{ITEM}.whenHandedOver")]),
    ("supply-subject", "handed-over", lambda m: supply(m).update(subject={"reference": "urn:uuid:7d0000c1-0000-4000-8000-1"}),
     [("supply-subject", f"{ITEM}.subject")]),
    ("nhs-number-check", "handed-over", lambda m: [supply(m)["subject"]["identifier"].update(value="9990000434"),
                                                   order(m)["subject"]["identifier"].update(value="9990000434")],
     [("nhs-number-check", f"{ITEM}.subject")]),
    ("supply-patient", "handed-over", lambda m: order(m)["subject"]["identifier"].update(value="9990000514"),
     [("supply-patient", f"{ORDER}.subject")]),
    ("supply-order", "handed-over", lambda m: supply(m)["contained"].pop(1), [("supply-order", f"{ITEM}.authorizingPrescription")]),
    ("supply-order", "handed-over", lambda m: supply(m)["authorizingPrescription"].append({"reference": "#m1"}),
     [("supply-order", f"{ITEM}.authorizingPrescription")]),
    ("supply-order", "handed-over", lambda m: order(m)["identifier"][0].update(value="1"),
     [("supply-order", f"{ITEM}.authorizingPrescription")]),
    ("supply-order", "handed-over", lambda m: supply(m)["authorizingPrescription"][0].update(reference="#performer"),
     [("supply-order", f"{ITEM}.authorizingPrescription")]),
    ("prescription-id", "handed-over", lambda m: order(m)["groupIdentifier"].update(value="5C21A0"),
     [("prescription-id", f"{ORDER}.groupIdentifier.value")]),
    ("prescription-id-system", "handed-over", lambda m: order(m)["groupIdentifier"].update(system="https://example.org/Id/rx"),
     [("prescription-id-system", f"{ORDER}.groupIdentifier.system")]),
    ("supply-performer", "handed-over", lambda m: supply(m).pop("performer"), [("supply-performer", f"{ITEM}.performer")]),
    ("supply-performer", "handed-over", lambda m: role(m)["practitioner"].pop("identifier"),
     [("supply-performer", f"{ITEM}.performer")]),
    ("supply-performer", "handed-over", lambda m: m["entry"].pop(), [("supply-performer", f"{ITEM}.performer")]),
    ("supply-reimbursement", "handed-over", lambda m: m["entry"][2]["resource"]["extension"][0]["extension"][0].update(url="other"),
     [("supply-reimbursement", PAID)]),
    ("supply-reimbursement", "handed-over", lambda m: m["entry"][2]["resource"]["extension"][0]["extension"][0].pop("valueIdentifier"),
     [("supply-reimbursement", PAID)]),
    ("supply-repeat", "repeat-dispensing", lambda m: [supply(m, n)["extension"][1]["extension"].pop() for n in (0, 1)],
     [("supply-repeat", f"Bundle.entry[{n}].resource.{REPEATS}") for n in (1, 2)]),
    ("supply-contradiction", "handed-over", lambda m: supply(m)["type"]["coding"][0].update(code="0008"),
     [("supply-contradiction", f"{ITEM}.type")]),
    ("supply-contradiction", "handed-over", lambda m: status(m, "0007"), [("supply-contradiction", f"{ITEM}.{STATUS}")]),
    ("supply-reason", "two-not-collected", lambda m: supply(m, 1).pop("statusReasonCodeableConcept"),
     [("supply-reason", "Bundle.entry[2].resource.statusReason")]),
    ("ost-supply", "handed-over", lambda m: supply(m)["medicationCodeableConcept"]["coding"][0].update(code="322497001"),
     [("ost-supply", f"{ITEM}.medication")]),
    ("instalment", "handed-over", lambda m: order(m)["courseOfTherapyType"]["coding"][0].update(code="instalment-dispensing"),
     [("instalment", f"{ORDER}.courseOfTherapyType")]),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "case", "change", "wanted"), RULES, ids=[f"{n}-{r[0]}" for n, r in enumerate(RULES)])
def test_a_rule_finds_its_fault_and_nothing_else(
    rule: str, case: str, change: Callable[[Json], Any], wanted: list[tuple[str, str]]
) -> None:
    note = ours(case)
    assert eps.check_read(note) == []
    change(note)
    found = eps.check_read(note)
    assert findings(found) == sorted((f"eps-{name}", place) for name, place in wanted)
    assert next(one for one in found if rule_of(one) == f"eps-{rule}")["severity"] == eps_rules.rules()[rule].severity


@pytest.mark.parametrize("case", [case for case in GOOD if case not in OST and case != "every-place"])
def test_the_hub_s_bundle_passes_the_same_rules(case: str) -> None:
    """The order and the role stand beside the supply there, and are found by reference."""
    assert eps.check_write(decode((OURS / case / "bundle.json").read_bytes())) == []


def test_the_rules_find_the_order_and_the_person_in_the_hub_s_bundle_too() -> None:
    bundle = decode((OURS / "handed-over" / "bundle.json").read_bytes())
    found = {e["resource"]["resourceType"]: e["resource"] for e in bundle["entry"]}
    found["MedicationRequest"]["groupIdentifier"]["value"] = "5C21A0"
    found["Patient"]["identifier"][0]["value"] = "9990000434"
    found["PractitionerRole"]["practitioner"].pop("identifier")
    assert findings(eps.check_write(bundle)) == [
        ("eps-nhs-number-check", f"{ITEM}.subject"),
        ("eps-prescription-id", "Bundle.entry[2].resource.groupIdentifier.value"),
        ("eps-supply-patient", "Bundle.entry[2].resource.subject"),
        ("eps-supply-performer", f"{ITEM}.performer"),
    ]


def test_the_old_system_of_numbers_is_read_and_not_written() -> None:
    bundle = decode((OURS / "handed-over" / "bundle.json").read_bytes())
    bundle["entry"][2]["resource"]["groupIdentifier"]["system"] = eps_rules.GROUP_OLD
    assert findings(eps.check_write(bundle)) == [
        ("eps-prescription-id-system", "Bundle.entry[2].resource.groupIdentifier.system")
    ]
    note = ours("handed-over")
    order(note)["groupIdentifier"]["system"] = eps_rules.GROUP_OLD
    assert eps.check_read(note) == []


def test_leniency_is_for_the_two_check_digits_alone(ost: adapter.Adapter) -> None:
    note = ours("handed-over")
    number = order(note)["groupIdentifier"]["value"]
    order(note)["groupIdentifier"]["value"] = number[:-1] + ("A" if number[-1] != "A" else "B")
    for one in (supply(note), order(note)):
        one["subject"]["identifier"]["value"] = "9990000434"
    found = eps.check_read(note, lenient=True)
    assert [(rule_of(one), one["severity"]) for one in found] == [("eps-prescription-id-check", "warning")]
    lenient = adapter.Adapter(lenient=True).translate(body(note), read=NOTIFICATION, received=RECEIVED)
    assert sorted({rule_of(one) for one in lenient.found}) == ["eps-prescription-id-check", "nhs-number", "ost-nhs-number-check"]


def test_the_rules_pass_over_what_is_malformed() -> None:
    draw = random.Random(20260318)
    junk: list[Any] = [None, 0, Decimal("1.5"), True, "", [], {}, "x", [1], [None], {"url": 3}, {"code": {}}]
    for turn in range(600):
        note = ours(draw.choice(GOOD))
        if turn % 2:
            note["entry"][0]["resource"]["eventCoding"]["code"] = "dispense"
        spots = list(places(note))
        for _ in range(draw.randint(1, 4)):
            parent, key = draw.choice(spots)
            parent[key] = draw.choice(junk)
        for found in (eps.check_read(note), eps.check_write(note)):
            assert all(one["expression"][0].startswith("Bundle") for one in found)


# both ways ---------------------------------------------------------------------------------------------------------
def test_four_identical_performers_are_one_person_in_the_hub(ost: adapter.Adapter) -> None:
    note = ours("four-items")
    assert len({json.dumps(role(note, n), sort_keys=True) for n in range(4)}) == 1
    made = ost.translate(body(note), read=NOTIFICATION, received=RECEIVED)
    people = [e["fullUrl"] for e in made.bundle["entry"] if e["resource"]["resourceType"] == "PractitionerRole"]
    assert len(people) == 1
    actors = {r["performer"][0]["actor"]["reference"] for _, r in eps_rules.lay_out(made.bundle).supplies}
    assert actors == set(people)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("performer", lambda m: role(m, 2)["telecom"][0].update(value="01632 960299")),
        ("performer", lambda m: role(m, 2)["code"].pop()),
        ("subject", lambda m: supply(m, 2)["subject"].update(display="Mrs Somebody Else")),
        ("subject", lambda m: supply(m, 2)["subject"].pop("display")),
    ],
)
def test_what_the_hub_has_once_must_be_the_same_in_every_item(name: str, change: Callable[[Json], Any]) -> None:
    """EPS would take the first and drop the others; nothing is dropped here."""
    note = ours("four-items")
    change(note)
    assert findings(eps.check_read(note)) == [("eps-supply-differs", f"Bundle.entry[3].resource.{name}")]


def test_a_notification_is_no_order(ost: adapter.Adapter) -> None:
    with pytest.raises(adapter.Refused):
        ost.translate(body(ours("handed-over")), read="eps/prescription-order", received=RECEIVED)


def test_a_modifier_extension_never_rides_along(ost: adapter.Adapter) -> None:
    for find in (supply, order, role):
        note = ours("handed-over")
        find(note)["modifierExtension"] = [{"url": "https://example.org/not", "valueBoolean": True}]
        with pytest.raises(adapter.Refused) as caught:
            ost.translate(body(note), read=NOTIFICATION, received=RECEIVED)
        assert "unread-safety" in {rule_of(one) for one in caught.value.issues if is_error(one)}


def test_what_else_is_contained_is_unread_and_never_carried(ost: adapter.Adapter) -> None:
    note = ours("handed-over")
    supply(note)["contained"].append({"resourceType": "Location", "id": "counter", "name": "Counter"})
    made = ost.translate(body(note), read=NOTIFICATION, received=RECEIVED)
    assert f"{ITEM}.contained[2].name" in made.unread["source"]


def test_a_reference_to_what_is_contained() -> None:
    codec = REGISTRY["eps-contained"]
    assert codec.read("m1") == "#m1"
    assert codec.write is not None
    assert codec.write("#m1") == "m1"
    for other in ("urn:uuid:7d0000c1-0000-4000-8000-0000000000c1", "m1", "#", "#m 1"):
        with pytest.raises(ValueError, match="contained"):
            codec.write(other)


def test_no_issue_quotes_the_data() -> None:
    note = copy.deepcopy(ours("handed-over"))
    supply(note)["subject"]["identifier"]["value"] = "9990000434"
    order(note)["groupIdentifier"]["value"] = "5C21A0-SECRET"
    text = json.dumps(eps.check_read(note))
    assert "9990000434" not in text
    assert "SECRET" not in text
