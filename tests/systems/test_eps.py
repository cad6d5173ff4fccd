"""EPS prescription orders: the rules of an order, every official order that is at hand both ways, and what rides along."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

import adapter
from adapter.fhir.json import decode
from adapter.fhir.outcome import is_error, rule_of
from adapter.mapping.codecs import REGISTRY
from adapter.shipped import FIXTURES, ROOT
from adapter.systems import eps, eps_controlled, eps_order, eps_rules

ORDER = "eps/prescription-order"
OURS = FIXTURES / "eps" / "prescription-order"
REFERENCE = ROOT.parent / "shared" / "reference" / "eps"
RECEIVED = "2026-03-18T18:10:00Z"
Json = dict[str, Any]

needs_reference = pytest.mark.skipif(not REFERENCE.is_dir(), reason="the official EPS examples are not beside the project")

#: The bad official orders, each with the rule and the place for which it is bad. All others are good.
MIXED = [("eps-course-mixed", "Bundle.entry[2].resource.courseOfTherapyType")]
BAD = {
    # A released issue with an intent that EPS itself no longer names: order, original-order and instance-order are all.
    "primary-care/repeat-dispensing/nominated-pharmacy/medical-prescriber/author/gmc/responsible-party/medication-list/din/"
    "1-VerifySignature-Request-200_OK.json": [
        ("binding", "Bundle.entry[1].resource.intent"),
        ("binding", "Bundle.entry[2].resource.intent"),
    ],
    "errors/1-Process-Request-Send-400_INVALID_CHECKSUM.json": [
        ("eps-prescription-id-check", "Bundle.entry[1].resource.groupIdentifier.value")
    ],
    "errors/2-Prepare-Request-400_Invalid_Course_of_Therapy_mixed.json": MIXED,
    "errors/2-Process-Request-Send-400_Invalid_Course_of_Therapy_mixed.json": MIXED,
    "spec/errors/example-b-spine-error-patient-deceased/PrepareRequest-FhirMessageUnsigned.json": [
        ("eps-deceased", "Bundle.entry[5].resource.deceased"),
        ("eps-professional-code", "Bundle.entry[8].resource.identifier"),
        ("eps-site-type", "Bundle.entry[1].resource.dispenseRequest.extension"),
    ],
    "spec/errors/example-b-spine-error-patient-deceased/SendRequest-FhirMessageSigned.json": [
        ("eps-deceased", "Bundle.entry[6].resource.deceased"),
        ("eps-professional-code", "Bundle.entry[9].resource.identifier"),
        ("eps-site-type", "Bundle.entry[2].resource.dispenseRequest.extension"),
    ],
}


def orders_in(value: Any) -> Iterator[Json]:
    """Every order in a file: it may stand in the Parameters of a release, or in the Bundle of a signature check."""
    if isinstance(value, dict):
        if value.get("resourceType") == "Bundle" and eps_rules.lay_out(value).event == "prescription-order":
            yield value
            return
        for below in value.values():
            yield from orders_in(below)
    elif isinstance(value, list):
        for below in value:
            yield from orders_in(below)


def official() -> Iterator[Any]:
    for file in sorted(REFERENCE.rglob("*.json")) if REFERENCE.is_dir() else ():
        name = str(file.relative_to(REFERENCE))
        for n, order in enumerate(orders_in(json.loads(file.read_bytes(), parse_float=Decimal))):
            yield pytest.param(name, order, id=f"{name}#{n}" if n else name)


OFFICIAL = list(official())
GOOD_ONES = [p for p in OFFICIAL if p.values[0] not in BAD]
BAD_ONES = [p for p in OFFICIAL if p.values[0] in BAD]


def unordered(value: Any) -> Any:
    """The value with every array sorted: what may differ in order is compared as a set."""
    if isinstance(value, dict):
        return {key: unordered(below) for key, below in value.items()}
    if isinstance(value, list):
        return sorted((unordered(below) for below in value), key=lambda v: json.dumps(v, sort_keys=True, default=str))
    return value


def body(order: Json) -> bytes:
    return json.dumps(order, default=float).encode()


def findings(found: list[Any]) -> list[tuple[str, str]]:
    return sorted((rule_of(one), one["expression"][0]) for one in found)


# the official orders -----------------------------------------------------------------------------------------------
@needs_reference
def test_every_official_order_is_met() -> None:
    assert len(OFFICIAL) == 35
    assert {p.values[0] for p in BAD_ONES} == set(BAD)


@needs_reference
@pytest.mark.parametrize(("name", "order"), GOOD_ONES)
def test_a_good_order_goes_both_ways(name: str, order: Json, ost: adapter.Adapter) -> None:
    there = ost.translate(body(order), read=ORDER, write=ORDER, received=RECEIVED)
    assert there.result is not None
    assert unordered(decode(there.result)) == unordered(order)
    assert there.unread == {"source": [], "bundle": []}
    assert there.carried == []
    assert ost.translate(there.result, read=ORDER, received=RECEIVED).bundle == there.bundle
    assert [one for one in there.found if one["details"]["coding"][0]["code"] != "reference-unresolved"] == []


@needs_reference
@pytest.mark.parametrize(("name", "order"), BAD_ONES)
def test_a_bad_order_is_refused_for_its_own_reason(name: str, order: Json, ost: adapter.Adapter) -> None:
    with pytest.raises(adapter.Refused) as caught:
        ost.translate(body(order), read=ORDER, received=RECEIVED)
    errors = findings([one for one in caught.value.issues if is_error(one)])
    assert set(BAD[name]) <= set(errors)


@needs_reference
def test_the_official_answers_name_the_same_reasons() -> None:
    said = {file.name: file.read_text("utf-8") for file in (REFERENCE / "errors").glob("*Response*")}
    assert "prescriptionID has invalid checksum" in said["1-Process-Response-Send-400_INVALID_CHECKSUM.json"]
    mixed = said["2-Process-Response-Send-400_Invalid_Course_of_Therapy_mixed.json"]
    assert "must either match for all MedicationRequests or be a mixture of 'acute' and 'continuous'" in mixed


@needs_reference
def test_the_check_character_of_every_official_prescription() -> None:
    numbers = {item["groupIdentifier"]["value"] for p in OFFICIAL for _, item in eps_rules.lay_out(p.values[1]).items}
    assert {number for number in numbers if not eps_rules.group_check(number)} == {"269CA9-A99968-4577BP"}
    assert len(numbers) == 13


# our own orders ----------------------------------------------------------------------------------------------------
def ours(case: str) -> Json:
    made: Json = decode((OURS / case / "in.json").read_bytes())
    return made


GOOD = ("acute", "repeat-dispensing", "cd2-morphine", "several-items", "nurse-prescriber", "released-by-spine")


@pytest.mark.parametrize("case", GOOD)
def test_our_orders_come_out_as_they_went_in(case: str, ost: adapter.Adapter) -> None:
    order = ours(case)
    assert eps.check_read(order) == []
    there = ost.translate(body(order), read=ORDER, write=ORDER, received=RECEIVED)
    assert there.result is not None
    assert unordered(decode(there.result)) == unordered(order)
    again = ost.translate(there.result, read=ORDER, received=RECEIVED)
    assert again.bundle == there.bundle


def test_the_maps_have_no_fault(ost: adapter.Adapter) -> None:
    assert ost.check("eps") == []


def at(order: Json, kind: str, n: int = 0) -> Json:
    made: Json = [e["resource"] for e in order["entry"] if e["resource"]["resourceType"] == kind][n]
    return made


LATER = "https://fhir.nhs.uk/StructureDefinition/Extension-Test-Later"


@pytest.mark.parametrize("kind", ["Patient", "PractitionerRole", "Practitioner", "Organization", "HealthcareService", "Location"])
def test_what_no_map_names_rides_along_and_is_listed(kind: str, ost: adapter.Adapter) -> None:
    order = ours("nurse-prescriber")
    resource = at(order, kind)
    place = f"Bundle.entry[{[e['resource'] for e in order['entry']].index(resource)}].resource"
    resource["language"] = "en-GB"
    resource.setdefault("extension", []).append({"url": LATER, "valueBoolean": True})
    there = ost.translate(body(order), read=ORDER, write=ORDER, received=RECEIVED)
    assert there.result is not None
    assert unordered(decode(there.result)) == unordered(order)
    assert f"{place}.language" in there.carried
    assert f"{place}.extension[0] {LATER}" in there.carried


def test_a_modifier_extension_never_rides_along(ost: adapter.Adapter) -> None:
    order = ours("acute")
    at(order, "MedicationRequest")["modifierExtension"] = [{"url": "https://example.org/not", "valueBoolean": True}]
    with pytest.raises(adapter.Refused) as caught:
        ost.translate(body(order), read=ORDER, received=RECEIVED)
    assert "unread-safety" in {rule_of(one) for one in caught.value.issues if is_error(one)}


def test_an_order_of_an_instalment_form_is_refused_in_words(ost: adapter.Adapter) -> None:
    found = eps.check_write(decode((OURS / "refused-fp10mda" / "bundle.json").read_bytes()))
    assert findings(found) == [("eps-instalment", f"Bundle.entry[{n}].resource.courseOfTherapyType") for n in (1, 2, 3)]
    assert "cannot carry instalments" in found[0]["details"]["text"]


# the rules, one by one ---------------------------------------------------------------------------------------------
MR, DISPENSE = "Bundle.entry[1].resource", "Bundle.entry[1].resource.dispenseRequest"
CD = f"{MR}.extension('{eps_controlled.CONTROLLED}')"
WORDS = f"{CD}.extension('quantityWords')"


def item(order: Json, n: int = 0) -> Json:
    return at(order, "MedicationRequest", n)


def words(text: str | None) -> Callable[[Json], None]:
    def change(order: Json) -> None:
        parts = item(order)["extension"][1]["extension"]
        if text is None:
            parts.pop(0)
        else:
            parts[0]["valueString"] = text

    return change


def repeated(order: Json, times: int) -> None:
    first = order["entry"][1]
    for n in range(times):
        made = copy.deepcopy(first)
        made["fullUrl"] = f"urn:uuid:00000000-0000-4000-8000-00000000000{n}"
        made["resource"]["identifier"][0]["value"] = made["fullUrl"][9:]
        order["entry"].insert(1, made)


def by_reference(order: Json) -> None:
    item(order)["medicationReference"] = {"reference": "urn:uuid:00000000-0000-4000-8000-000000000001"}


def schedule_3(order: Json) -> None:
    for n, said in enumerate(("two hundred", "one hundred")):
        parts = [{"url": "quantityWords", "valueString": said}, {"url": "schedule", "valueCoding": {"code": "CD3"}}]
        item(order, n)["extension"].append({"url": eps_controlled.CONTROLLED, "extension": parts})


def product(code: str) -> Callable[[Json], None]:
    return lambda order: item(order)["medicationCodeableConcept"]["coding"][0].update(code=code)


RULES: list[tuple[str, str, Callable[[Json], Any], list[tuple[str, str]]]] = [
    ("instalment", "acute", lambda o: item(o)["courseOfTherapyType"]["coding"][0].update(code="instalment-dispensing"),
     [("instalment", f"{MR}.courseOfTherapyType")]),
    ("instalment", "acute", lambda o: item(o)["extension"].append({"url": eps_rules.INSTALMENT_EXTENSIONS[1], "valueCode": "required"}),
     [("instalment", f"{MR}.extension('{eps_rules.INSTALMENT_EXTENSIONS[1]}')")]),
    ("item-count", "acute", lambda o: repeated(o, 4), [("item-count", "Bundle.entry[5].resource")]),
    ("item-count", "acute", lambda o: o["entry"].pop(1), [("item-count", "Bundle.entry")]),
    ("prescription-id", "acute", lambda o: item(o)["groupIdentifier"].update(value="3F91C2-ZZ9X01"),
     [("prescription-id", f"{MR}.groupIdentifier.value")]),
    ("prescription-id-check", "acute", lambda o: item(o)["groupIdentifier"].update(value="3F91C2-ZZ9X01-5A0E77"),
     [("prescription-id-check", f"{MR}.groupIdentifier.value")]),
    ("prescription-id-system", "acute", lambda o: item(o)["groupIdentifier"].update(system="https://example.org/number"),
     [("prescription-id-system", f"{MR}.groupIdentifier.system")]),
    ("type", "acute", lambda o: item(o)["extension"].pop(0), [("type", f"{MR}.extension")]),
    ("items-differ", "several-items", lambda o: item(o, 2)["category"][0]["coding"][0].update(code="outpatient"),
     [("items-differ", "Bundle.entry[3].resource.category")]),
    ("items-differ", "several-items", lambda o: item(o, 1)["dispenseRequest"].update(validityPeriod={"start": "2026-04-01"}),
     [("items-differ", "Bundle.entry[2].resource.dispenseRequest.validityPeriod")]),
    ("items-differ", "several-items", lambda o: item(o, 3)["dispenseRequest"]["extension"][0]["valueCoding"].update(code="P1"),
     [("items-differ", f"Bundle.entry[4].resource.dispenseRequest.extension('{eps_order.SITE_TYPE}')"),
      ("performer", "Bundle.entry[4].resource.dispenseRequest.performer")]),
    ("items-differ", "repeat-dispensing", lambda o: item(o, 1)["dispenseRequest"].update(numberOfRepeatsAllowed=6),
     [("items-differ", "Bundle.entry[2].resource.dispenseRequest.numberOfRepeatsAllowed")]),
    ("course-mixed", "repeat-dispensing", lambda o: item(o, 1)["courseOfTherapyType"]["coding"][0].update(code="acute"),
     [("course-mixed", "Bundle.entry[2].resource.courseOfTherapyType")]),
    ("course", "acute", lambda o: item(o)["courseOfTherapyType"]["coding"][0].update(code="seasonal"),
     [("course", f"{MR}.courseOfTherapyType")]),
    ("repeat-dispensing", "repeat-dispensing",
     lambda o: [item(o, n)["dispenseRequest"].pop("expectedSupplyDuration") for n in (0, 1)],
     [("repeat-dispensing", f"Bundle.entry[{n}].resource.dispenseRequest.expectedSupplyDuration") for n in (1, 2)]),
    ("item-id", "acute", lambda o: item(o)["identifier"][0].update(value="17"), [("item-id", f"{MR}.identifier")]),
    ("item-id-twice", "several-items", lambda o: item(o, 1).update(identifier=item(o)["identifier"]),
     [("item-id-twice", "Bundle.entry[2].resource.identifier")]),
    ("intent", "acute", lambda o: item(o).update(intent="reflex-order"), [("intent", f"{MR}.intent")]),
    ("status", "acute", lambda o: item(o).update(status="cancelled"), [("status", f"{MR}.status")]),
    ("product", "acute", by_reference, [("product", f"{MR}.medication")]),
    ("product", "acute", lambda o: item(o)["medicationCodeableConcept"]["coding"][0].update(system="https://dmd.nhs.uk"),
     [("product", f"{MR}.medication")]),
    ("quantity", "acute", lambda o: item(o)["dispenseRequest"]["quantity"].update(value=0),
     [("quantity", f"{DISPENSE}.quantity")]),
    ("quantity", "acute", lambda o: item(o)["dispenseRequest"]["quantity"].pop("code"), [("quantity", f"{DISPENSE}.quantity")]),
    ("quantity-decimals", "acute", lambda o: item(o)["dispenseRequest"]["quantity"].update(value=Decimal("7.125")),
     [("quantity-decimals", f"{DISPENSE}.quantity.value")]),
    ("dosage-text", "acute", lambda o: item(o)["dosageInstruction"][0].pop("text"),
     [("dosage-text", f"{MR}.dosageInstruction[0].text")]),
    ("dosage-stop", "acute", lambda o: item(o)["dosageInstruction"][0].update(text="One a day."),
     [("dosage-stop", f"{MR}.dosageInstruction[0].text")]),
    ("reason", "acute", lambda o: item(o).update(reasonCode=[{"text": "cough"}]), [("reason", f"{MR}.reasonCode")]),
    ("site-type", "acute", lambda o: item(o)["dispenseRequest"].pop("extension"), [("site-type", f"{DISPENSE}.extension")]),
    ("performer", "acute", lambda o: item(o)["dispenseRequest"].pop("performer"), [("performer", f"{DISPENSE}.performer")]),
    ("performer-spare", "acute", lambda o: item(o)["dispenseRequest"]["extension"][0]["valueCoding"].update(code="0004"),
     [("performer-spare", f"{DISPENSE}.performer")]),
    ("requester", "acute", lambda o: item(o)["requester"].update(reference="urn:uuid:00000000-0000-4000-8000-000000000001"),
     [("requester", f"{MR}.requester")]),
    ("professional-code", "acute", lambda o: at(o, "Practitioner")["identifier"].pop(1),
     [("professional-code", "Bundle.entry[4].resource.identifier")]),
    ("professional-code", "acute", lambda o: at(o, "Practitioner")["identifier"].append(
        {"system": "https://fhir.hl7.org.uk/Id/nmc-number", "value": "99Z0119E"}),
     [("professional-code", "Bundle.entry[4].resource.identifier")]),
    ("gmp", "acute", lambda o: at(o, "Practitioner")["identifier"].append({"system": eps_order.GMP, "value": "G9900117"}),
     [("gmp", "Bundle.entry[4].resource.identifier")]),
    ("primary-care", "acute", lambda o: at(o, "Organization").pop("partOf"),
     [("primary-care", "Bundle.entry[5].resource.partOf")]),
    ("primary-care", "acute", lambda o: at(o, "PractitionerRole").update(healthcareService=[{"display": "Clinic"}]),
     [("primary-care", "Bundle.entry[3].resource.healthcareService")]),
    ("patient", "acute", lambda o: at(o, "Patient").pop("address"), [("patient", "Bundle.entry[2].resource.address")]),
    ("patient", "acute", lambda o: at(o, "Patient").pop("birthDate"), [("patient", "Bundle.entry[2].resource.birthDate")]),
    ("nhs-number", "acute", lambda o: at(o, "Patient")["identifier"].pop(),
     [("nhs-number", "Bundle.entry[2].resource.identifier")]),
    ("nhs-number-check", "acute", lambda o: at(o, "Patient")["identifier"][0].update(value="9990000418"),
     [("nhs-number-check", "Bundle.entry[2].resource.identifier")]),
    ("deceased", "acute", lambda o: at(o, "Patient").update(deceasedBoolean=True),
     [("deceased", "Bundle.entry[2].resource.deceased")]),
    ("cd-words", "cd2-morphine", words(None), [("cd-words", CD)]),
    ("cd-words-differ", "cd2-morphine", words("eighty two"), [("cd-words-differ", WORDS)]),
    ("cd-words-unread", "cd2-morphine", words("tventy eight"), [("cd-words-unread", WORDS)]),
    ("cd-repeat", "repeat-dispensing", schedule_3,
     [("cd-repeat", f"Bundle.entry[{n}].resource.courseOfTherapyType") for n in (1, 2)]),
    ("cd-dose", "cd2-morphine", lambda o: item(o)["dosageInstruction"][0].update(text="As directed by the clinic"),
     [("cd-dose", f"{MR}.dosageInstruction[0].text")]),
    ("cd-unmarked", "acute", product("322497001"), [("cd-unmarked", f"{MR}.extension")]),
    ("methadone-liquid", "cd2-morphine", product("36120711000001104"), [("methadone-liquid", f"{MR}.medication")]),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "case", "change", "wanted"), RULES, ids=[f"{n}-{r[0]}" for n, r in enumerate(RULES)])
def test_a_rule_finds_its_fault_and_nothing_else(
    rule: str, case: str, change: Callable[[Json], Any], wanted: list[tuple[str, str]]
) -> None:
    order = ours(case)
    change(order)
    found = eps.check_read(order)
    assert findings(found) == sorted((f"eps-{name}", place) for name, place in wanted)
    assert next(one for one in found if rule_of(one) == f"eps-{rule}")["severity"] == eps_rules.rules()[rule].severity


def test_what_only_a_prescriber_must_keep_is_not_asked_of_the_spine() -> None:
    order = ours("released-by-spine")
    item(order)["intent"] = "reflex-order"
    assert eps.check_read(order) == []


def test_leniency_is_for_the_two_check_digits_alone() -> None:
    order = ours("acute")
    item(order)["groupIdentifier"]["value"] = "3F91C2-ZZ9X01-5A0E77"
    at(order, "Patient")["identifier"][0]["value"] = "9990000418"
    item(order)["status"] = "cancelled"
    found = [(rule_of(one), one["severity"]) for one in eps.check_read(order, lenient=True)]
    assert found == [("eps-prescription-id-check", "warning"), ("eps-status", "error")]


def test_the_old_system_of_numbers_is_read_and_not_written() -> None:
    order = ours("acute")
    item(order)["groupIdentifier"]["system"] = eps_rules.GROUP_OLD
    assert eps.check_read(order) == []
    at(order, "MessageHeader")["eventCoding"]["code"] = "prescription"  # the hub's
    assert findings(eps.check_write(order)) == [("eps-prescription-id-system", f"{MR}.groupIdentifier.system")]


@pytest.mark.parametrize(
    ("event", "rule"),
    [("prescription-order-response", "eps-answer"), ("claim", "eps-event"), ("dispense-proposal", "eps-event")],
)
def test_other_messages_are_refused_by_name_and_nothing_else_is_said(event: str, rule: str) -> None:
    order = ours("acute")
    at(order, "MessageHeader")["eventCoding"]["code"] = event
    item(order)["status"] = "nonsense"
    assert findings(eps.check_read(order)) == [(rule, "Bundle.entry[0].resource.event")]
    assert eps.check_write(order) == []


def test_what_is_no_message_is_refused(ost: adapter.Adapter) -> None:
    with pytest.raises(adapter.Refused) as caught:
        ost.translate(b'{"resourceType": "Parameters"}', read=ORDER)
    assert findings(caught.value.issues) == [("eps-event", "Bundle.entry")]


def test_the_rules_pass_over_what_is_malformed() -> None:
    draw = random.Random(20260318)
    junk: list[Any] = [None, 0, Decimal("1.5"), True, "", [], {}, "x", [1], [None], {"url": 3}, {"code": {}}]
    for turn in range(600):
        order = ours(draw.choice(GOOD))
        if turn % 2:
            at(order, "MessageHeader")["eventCoding"]["code"] = "prescription"
        spots = list(places(order))
        for _ in range(draw.randint(1, 4)):
            parent, key = draw.choice(spots)
            parent[key] = draw.choice(junk)
        for found in (eps.check_read(order), eps.check_write(order)):
            assert all(one["expression"][0].startswith("Bundle") for one in found)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key, below in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield value, key
        yield from places(below)


def test_no_issue_quotes_the_data() -> None:
    order = ours("cd2-morphine")
    words("eighty two")(order)
    item(order)["groupIdentifier"]["value"] = "A4E07D-ZZ9X01-2B98C2"
    text = json.dumps(eps.check_read(order))
    assert "eighty" not in text
    assert "2B98C2" not in text


# small things ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("code", "record"),
    [
        ("258684004", ("258684004", None)),
        ("mg", ("258684004", "mg")),
        ("mL", ("258773002", "mL")),
        ("ml", ("258773002", "ml")),
        ("mmol", (None, "mmol")),
    ],
)
def test_a_unit_is_turned_to_dmd_and_comes_back_as_it_was(code: str, record: tuple[str | None, str | None]) -> None:
    codec, system = REGISTRY["eps-unit-code"], REGISTRY["eps-unit-system"]
    assert codec.write is not None
    assert codec.write(code) == record
    assert codec.read(record) == code
    assert system.read(record) == ("http://snomed.info/sct" if code.isdigit() else "http://unitsofmeasure.org")


def test_a_unit_whose_system_does_not_fit_its_code_is_refused(ost: adapter.Adapter) -> None:
    order = ours("cd2-morphine")
    item(order)["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["code"] = "mg"  # with the system of SNOMED
    with pytest.raises(adapter.Refused) as caught:
        ost.translate(body(order), read=ORDER, received=RECEIVED)
    (error,) = [one for one in caught.value.issues if is_error(one)]
    assert rule_of(error) == "combination"
    assert error["expression"][0].startswith(f"{MR}.dosageInstruction[0].doseAndRate[0].dose")
