"""GP Connect Update Record: what must arrive does so in words and in code, the document is FHIR STU3, and nothing is lost on the way."""

from __future__ import annotations

import copy
import json
import re
import typing
from collections.abc import Callable, Iterator
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from fhir.resources.STU3 import get_fhir_model_class
from pydantic import ValidationError

import adapter
from adapter.fhir.json import decode, encode
from adapter.fhir.outcome import rule_of
from adapter.mapping.tree import Array, Node, Object, Ref
from adapter.shipped import FIXTURES
from adapter.systems import hub
from adapter.systems.gp_connect import one_of_each
from adapter.systems.gp_words import day, div, medicine, reasons
from adapter.systems.message import Account, Message

Json = dict[str, Any]
NAME = "gp_connect/update-record"
OURS = "https://ost-adapter.example/fhir/"
NHS_REASON = "https://fhir.nhs.uk/CodeSystem/medicationdispense-status-reason"


def bundles(event: str, *folders: str) -> Iterator[Any]:
    """The hub Bundles of these fixture folders that are sound, of this event, and (of other systems) what they send themselves."""
    for folder in folders:
        for file in sorted((FIXTURES / folder).glob("*/bundle.json")):
            bundle = decode(file.read_bytes())
            foreign = "refused" in file.parent.name or (folder != NAME and file.parent.name.startswith("write-"))
            if not foreign and hub.event_of(bundle) == event:
                yield pytest.param(file, id="/".join(file.parts[-4:-1]))


DOSES = list(bundles("dose-outcome", "pharmacy/dose-outcome", "criis/dose-outcome", NAME))
CHANGES = list(bundles("prescription-changed", "pharmacy/prescription-change", "criis/prescription-change", NAME))
#: What a letter is about -> who else sends such messages. Their sentences: test_gp_connect_letters.py.
OTHERS = {
    "consultation": "criis/keywork-session",
    "care-plan": "criis/care-plan",
    "referral": "criis/referral",
    "consent": "criis/consent",
    "alert": "nebula/alert",
}
LETTERS = [case for event, folder in OTHERS.items() for case in bundles(event, folder, NAME)]


class Document:
    """A message that was written: the document inside it, its resources, and the hub's that it was written from."""

    def __init__(self, ost: adapter.Adapter, source: Json) -> None:
        self.hub = [e["resource"] for e in source["entry"]]
        self.urls = {e["fullUrl"]: e["resource"] for e in source["entry"]}
        translation = ost.translate(encode(source), read="fhir", write=NAME)
        assert translation.unread["bundle"] == []
        assert translation.result is not None
        self.message = decode(translation.result)
        self.document: Json = self.message["entry"][-1]["resource"]
        self.resources: list[Json] = [e["resource"] for e in self.document["entry"]]

    def of(self, kind: str) -> list[Json]:
        return [r for r in self.resources if r["resourceType"] == kind]

    @property
    def composition(self) -> Json:
        return self.resources[0]

    @property
    def words(self) -> str:
        """All that a GP reads of the first section."""
        return text(self.composition["section"][0]["text"]["div"])


def text(narrative: str) -> str:
    return "\n".join("".join(p.itertext()) for p in ET.fromstring(narrative))


def with_identifier(resources: list[Json], identifier: Json, *kinds: str) -> list[Json]:
    return [r for r in resources if r["resourceType"] in kinds and identifier in r.get("identifier", ())]


def extension(resource: Json, name: str) -> Json:
    return next((e for e in resource.get("extension", ()) if e["url"].rpartition("/")[2] == name), {})


def parts(complex_extension: Json) -> dict[str, Any]:
    """Name -> value of a complex extension; of a repeated part, the first."""
    found: dict[str, Any] = {}
    for part in complex_extension.get("extension", ()):
        found.setdefault(part["url"], next(v for k, v in part.items() if k != "url"))
    return found


def in_words(value: str) -> str:
    """A day as a GP reads it, worked out here and not by the module."""
    one = date.fromisoformat(value[:10])
    return f"{one:%A} {one.day} {one:%B %Y}"


def holds(value: Any, wanted: Any) -> bool:
    """Whether a value has these elements somewhere in it, with these values."""
    if isinstance(wanted, dict) and isinstance(value, dict) and all(k in value and same(value[k], v) for k, v in wanted.items()):
        return True
    if not isinstance(wanted, dict) and same(value, wanted):
        return True
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(holds(v, wanted) for v in below)


def same(a: Any, b: Any) -> bool:
    return str(a) == str(b) if not isinstance(b, dict | list) else bool(a == b)


# the table: what must arrive -> the words and the code it must be found by -------------------------------------------
Found = Iterator[tuple[str, str, Any]]
OUTCOME_WORDS = {
    "supervised": "Supervised, seen to be swallowed in full",
    "take-home": "Supplied to take home",
    "missed": "Missed, not collected",
    "withheld": "Withheld, the patient attended and the dose was not supplied",
    "not-swallowed": "not swallowed",
    "partial": "swallowed in part",
    "elsewhere": "Said to have been had elsewhere",
    "depot": "prolonged-release injection",
}
REASON_WORDS = {"0010": "did not collect", "0002": "linically unsuitable", "intoxicated": "Intoxicated", "concealed": "Concealed"}
REASON_WORDS |= {
    "dose-change": "Change of dose",
    "tolerance-reassessment": "Tolerance to be reassessed",
    "admitted": "Admitted to hospital",
}
REASON_WORDS |= {"prescribing-error": "Prescribing error", "prescriber-decision": "Prescriber's decision", "deceased": "Deceased"}
REASON_WORDS |= {
    "missed-doses": "Missed doses",
    "patient-request": "Patient's request",
    "drop-out": "Drop-out",
    "custody": "In custody",
    "change-of-pharmacy": "Change of pharmacy",
    "transfer": "Transfer of prescribing",
    "treatment-completed": "Treatment completed",
    "missed-days": "Missed days",
    "spat-out": "Spat out",
}


def amount_of(what: str, quantity: Json) -> Found:
    if quantity:
        code = {k: quantity[k] for k in ("value", "code", "system") if k in quantity}
        yield what, f"{quantity['value']} {quantity['unit']}", code
        yield f"{what}, unit", quantity["unit"], {"unit": quantity["unit"], "code": quantity["code"]}
        yield f"{what}, UCUM", quantity["unit"], {"valueCode": extension(quantity, "ucum-unit")["valueCode"]}


def product_of(resource: Json) -> Found:
    concept = resource["medicationCodeableConcept"]
    for coding in concept.get("coding", ()):
        yield "product", coding["code"], {"system": coding["system"], "code": coding["code"]}
        if "display" in coding:
            yield "product, name", coding["display"], {"code": coding["code"], "display": coding["display"]}
    if "text" in concept:
        yield "product, as written", concept["text"], {"text": concept["text"]}


def reason_of(concept: Json) -> Found:
    for coding in concept.get("coding", ()):
        said = REASON_WORDS.get(coding["code"], coding.get("display", coding["code"]))
        yield "reason", said, {"system": coding["system"], "code": coding["code"]}
    if "text" in concept:
        yield "reason, text", concept["text"], {"text": concept["text"]}


def dose_facts(document: Document, event: Json) -> Found:
    """Every required element of one dose of the hub: what it is, its words, and its code."""
    day_of, outcome = extension(event, "dose-date")["valueDate"], extension(event, "dose-outcome")["valueCoding"]["code"]
    yield "dose date", in_words(day_of), {"url": f"{OURS}StructureDefinition/dose-date", "valueDate": day_of}
    yield "outcome", OUTCOME_WORDS[outcome], {"system": f"{OURS}CodeSystem/dose-outcome", "code": outcome}
    yield from product_of(event)
    yield from amount_of("prescribed", extension(event, "prescribed-amount").get("valueQuantity", {}))
    yield from amount_of("supplied", event.get("quantity", {}))
    yield from reason_of(event.get("statusReasonCodeableConcept", {}))
    yield from amount_of(
        "asserted",
        event.get("dosage", [{}])[0].get("doseAndRate", [{}])[0].get("doseQuantity", {})
        if isinstance(event.get("dosage"), list)
        else {},
    )
    if event["status"] == "entered-in-error":
        yield "withdrawn", "WITHDRAWN", {"status": "entered-in-error"}
    if number := extension(event, "dose-number"):
        yield "dose of the day", f"dose {number['valuePositiveInt']} of the day", {"valuePositiveInt": number["valuePositiveInt"]}
    for seen in document.hub if event["resourceType"] == "MedicationDispense" else [event]:
        links = [document.urls[r["reference"]] for r in seen.get("supportingInformation", ())]
        if seen["resourceType"] == "MedicationAdministration" and (seen is event or event in links):
            yield from seen_facts(seen)


def seen_facts(seen: Json) -> Found:
    yield from amount_of("swallowed", seen.get("dosage", {}).get("dose", {}))
    for concept in seen.get("statusReason", ()):
        yield from reason_of(concept)
    if "effectiveDateTime" in seen:
        yield "witnessed", f"Witnessed {in_words(seen['effectiveDateTime'])}", {"effectiveDateTime": seen["effectiveDateTime"]}
    if seen["status"] == "not-done":
        yield "not swallowed", "Not swallowed", {"code": "not-done"}


def order_facts(order: Json) -> Found:
    yield from product_of(order)
    yield "item", order["identifier"][0]["value"], order["identifier"][0]
    yield "form", order["groupIdentifier"]["value"], order["groupIdentifier"]
    yield from reason_of(order.get("statusReason", {}))
    changed = parts(extension(order, "order-change"))
    if changed:
        yield "change", changed["type"], {"url": "type", "valueCode": changed["type"]}
        yield "effective", in_words(changed["effective"]), {"valueDateTime": changed["effective"]}
    if "lastDose" in changed:
        yield "last dose date", in_words(changed["lastDose"]), {"url": "lastDose", "valueDate": changed["lastDose"]}
    if "replacedBy" in changed:
        yield "replaced by", f"Item {changed['replacedBy']['value']} takes its place", {"valueIdentifier": changed["replacedBy"]}
    for step in order.get("dosageInstruction", ()):
        yield from amount_of("dose", step["doseAndRate"][0]["doseQuantity"])
        yield "directions", step["text"], {"text": step["text"]}
        yield (
            "step from",
            in_words(step["timing"]["repeat"]["boundsPeriod"]["start"]),
            {"boundsPeriod": step["timing"]["repeat"]["boundsPeriod"]},
        )
    yield from amount_of("total", order.get("dispenseRequest", {}).get("quantity", {}))
    drug = parts(extension(order, "Extension-DM-ControlledDrug"))
    if drug:
        yield "total in words", drug["quantityWords"], {"url": "quantityWords", "valueString": drug["quantityWords"]}
        yield "schedule", drug["schedule"]["code"], {"valueCoding": drug["schedule"]}
    if supervision := extension(order, "required-supervision"):
        said = {"required": "consumption: asked for", "not-required": "not asked for", "unknown": "not known"}[
            supervision["valueCode"]
        ]
        yield "supervision", said, {"valueCode": supervision["valueCode"]}
    for wording in (e for e in order.get("extension", ()) if e["url"].endswith("/home-office-wording")):
        yield "wording", parts(wording)["text"], {"url": "text", "valueString": parts(wording)["text"]}
        yield "wording, code", parts(wording)["text"], {"url": "code", "valueCode": parts(wording)["code"]}
    if period := extension(order, "treatment-period"):
        yield "treatment", f"to {in_words(period['valuePeriod']['end'])}", {"valuePeriod": period["valuePeriod"]}


def collection_facts(order: Json) -> Found:
    planned = extension(order, "planned-collection")
    said = parts(planned)
    yield "collection", f"Planned collection {in_words(said['date'])}", {"url": "date", "valueDate": said["date"]}
    yield from amount_of("collection", order["dispenseRequest"]["quantity"])
    for part in planned["extension"]:
        if part["url"] == "covers":
            yield "covers", f"{in_words(part['valueDate'])}", part
    if "supervised" in said:
        yield (
            "collection supervised",
            "supervised" if said["supervised"] else "not supervised",
            {"url": "supervised", "valueBoolean": said["supervised"]},
        )


def missing(facts: Found, words: str, code: list[Json]) -> list[str]:
    lost = []
    for what, said, coded in facts:
        lost += [f"{what}: not in words: {said}"] if said.lower() not in words.lower() else []
        lost += [f"{what}: not in code: {coded}"] if not holds(code, coded) else []
    return lost


@pytest.mark.parametrize("file", DOSES)
def test_every_dose_arrives_in_words_and_in_code(file: Path, ost: adapter.Adapter) -> None:
    document = Document(ost, decode(file.read_bytes()))
    events = [r for r in document.hub if extension(r, "dose-outcome")]
    assert events
    for event in events:
        made = with_identifier(
            document.resources, event["identifier"][0], "Observation", "MedicationDispense", "MedicationStatement"
        )
        assert {"MedicationDispense": ["MedicationDispense", "Observation"]}.get(
            event["resourceType"], ["MedicationStatement", "Observation"]
        ) == sorted(r["resourceType"] for r in made)
        facts = list(dose_facts(document, event))
        for resource in made:
            assert missing(iter(facts), text(resource["text"]["div"]), made) == []
        assert missing(iter(facts), document.words, made) == []


@pytest.mark.parametrize("file", CHANGES)
def test_every_change_arrives_in_words_and_in_code(file: Path, ost: adapter.Adapter) -> None:
    document = Document(ost, decode(file.read_bytes()))
    orders = [r for r in document.hub if r["resourceType"] == "MedicationRequest"]
    assert orders
    for order in orders:
        if order["intent"] == "instance-order":
            form = document.urls[order["basedOn"][0]["reference"]]
            facts, identifier = collection_facts(order), form["identifier"][0]
        else:
            facts, identifier = order_facts(order), order["identifier"][0]
        made = with_identifier(document.resources, identifier, "MedicationRequest")
        assert len(made) == 1
        rows = list(facts)
        assert missing(iter(rows), text(made[0]["text"]["div"]), made) == []
        assert missing(iter(rows), document.words, made) == []
    assert len(document.of("MedicationRequest")) == len([r for r in orders if r["intent"] != "instance-order"]), (
        "a collection is no order"
    )


def test_the_table_sees_a_fact_that_did_not_arrive(ost: adapter.Adapter) -> None:
    """A test of the tests: each row of a dose fails where its value is taken out of the words, or of the code."""
    document = Document(ost, decode((FIXTURES / NAME / "supervised-and-missed/bundle.json").read_bytes()))
    for event in (r for r in document.hub if extension(r, "dose-outcome")):
        for row in dose_facts(document, event):
            assert missing(iter([row]), "", []) == [f"{row[0]}: not in words: {row[1]}", f"{row[0]}: not in code: {row[2]}"]


# the words ------------------------------------------------------------------------------------------------------------
def test_the_last_supervised_dose_is_named(ost: adapter.Adapter) -> None:
    said = Document(ost, decode((FIXTURES / NAME / "supervised-and-missed/bundle.json").read_bytes())).words
    last = "Last dose in this report that was seen to be swallowed in full: Wednesday 18 March 2026, 40 ml, Methadone 1mg/ml oral solution"
    assert last in said
    withdrawn = Document(ost, decode((FIXTURES / NAME / "withdrawn/bundle.json").read_bytes())).words
    assert withdrawn.splitlines()[-1] == "No dose in this report was seen to be swallowed in full."
    assert all(line.startswith("WITHDRAWN") for line in withdrawn.splitlines()[1:-1])


def test_whom_to_ask_is_said_where_it_is_known(ost: adapter.Adapter) -> None:
    document = Document(ost, decode((FIXTURES / NAME / "supervised-and-missed/bundle.json").read_bytes()))
    said = text(document.composition["section"][1]["text"]["div"])
    assert "Reported by Willow Lane Pharmacy & Travel Clinic (FZZ01)." in said
    assert "To reach them: telephone 01632 960 001 (work)." in said
    assert "Care coordinator: Jo Marsh." in said
    assert said in document.of("ClinicalImpression")[0]["summary"]
    assert "telephone" not in text(
        Document(ost, decode((FIXTURES / NAME / "depot/bundle.json").read_bytes())).composition["section"][1]["text"]["div"]
    )


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("2026-03-18", "Wednesday 18 March 2026"),
        ("2026-07-01T23:30:00Z", "Thursday 2 July 2026 at 00:30 (UK time)"),  # London's day, not UTC's
        ("2026-03", "2026-03"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:60Z"),
    ],
)
def test_days(value: str, said: str) -> None:
    assert day(value) == said


def test_nothing_that_a_source_wrote_is_markup() -> None:
    made = div(['<b onclick="x">&amp;</b>', "a\u0001b]]>"])
    assert [p.text for p in ET.fromstring(made)] == ['<b onclick="x">&amp;</b>', "a\ufffdb]]>"]
    assert unescape(made).count("<b ") == 1
    assert re.findall("<(?!/?p>|/?div)", made) == []


def test_a_code_without_words_makes_no_document() -> None:
    with pytest.raises(KeyError):
        reasons({"code": "bored"}, "withheld-reason")


def test_codes_of_others_are_said() -> None:
    foreign = {"system": "https://other.example/codes", "code": "X1"}
    assert reasons({"other_codes": [foreign]}, "withheld-reason") == "code X1 of https://other.example/codes"
    assert medicine({"name": "Methadone", "other_codes": [foreign]}) == "Methadone (code X1 of https://other.example/codes)"


def test_a_codec_that_fails_leaves_no_result(ost: adapter.Adapter) -> None:
    source = decode((FIXTURES / NAME / "supervised-and-missed/bundle.json").read_bytes())
    message = hearer(ost, "dose-outcome")
    record = record_of(message, source)
    record["doses"][0]["take_home_reason"] = "no such reason"
    account = Account()
    message.encode(record, account)
    assert {rule_of(i) for i in account.issues} == {"codec"}


# nothing is lost between the record and the document ------------------------------------------------------------------
def hearer(ost: adapter.Adapter, event: str) -> Message:
    heard = ost.message(NAME).hears(event)
    assert heard is not None
    return heard


def record_of(message: Message, source: Json) -> Json:
    return message.table.match(message.take_apart(source)).record


def leaves(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict | list):
        for key, below in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(below, (*place, key))
    else:
        yield place


def without(record: Json, place: tuple[Any, ...]) -> Json:
    made = copy.deepcopy(record)
    for end in range(len(place), 0, -1):
        holder = made
        for key in place[: end - 1]:
            holder = holder[key]
        del holder[place[end - 1]]
        if holder:
            break
    return made


UUID = re.compile(rb"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


def content(body: bytes | None) -> bytes:
    """A message with its ids numbered in the order in which they come: a value that changes nothing but an id is not said by it."""
    seen: dict[bytes, bytes] = {}
    return UUID.sub(lambda m: seen.setdefault(m[0], b"#%d" % len(seen)), body or b"")


@pytest.mark.parametrize("file", [p for p in (*DOSES, *CHANGES, *LETTERS) if NAME in p.id])
def test_every_value_of_the_record_is_in_the_document(file: Any, ost: adapter.Adapter) -> None:
    """Without any one of them the document is another, or the schema or a codec refuses the record."""
    source = decode(file.read_bytes())
    message = hearer(ost, hub.event_of(source) or "")
    record = record_of(message, source)
    whole = content(message.encode(record, Account()))
    for place in leaves(record):
        cut = without(record, place)
        assert message.payload.check(cut) or content(message.encode(cut, Account())) != whole, place


def altered(value: Any) -> Any:
    return not value if isinstance(value, bool) else f"{value}x" if isinstance(value, str) else value + 1


@pytest.mark.parametrize("file", [p for p in (*DOSES, *CHANGES, *LETTERS) if NAME in p.id])
def test_every_value_of_the_hub_is_in_the_document(file: Any, ost: adapter.Adapter) -> None:
    """Altered, the hub's value makes another document, or stands in an issue; the gate is not asked."""
    source = decode(file.read_bytes())
    message = hearer(ost, hub.event_of(source) or "")
    whole = content(message.write(source, Account()))
    assert whole
    for n, entry in enumerate(source["entry"]):
        for place in leaves(entry["resource"]):
            if n and place[0] not in ("resourceType", "id", "meta"):
                other = copy.deepcopy(source)
                holder = other["entry"][n]["resource"]
                for key in place[:-1]:
                    holder = holder[key]
                holder[place[-1]] = altered(holder[place[-1]])
                account = Account()
                made = content(message.write(other, account))
                assert made != whole or account.unread_bundle, (entry["resource"]["resourceType"], place)


# STU3 -----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("file", [*DOSES, *CHANGES, *LETTERS])
def test_the_message_is_stu3(file: Path, ost: adapter.Adapter) -> None:
    document = Document(ost, decode(file.read_bytes()))
    get_fhir_model_class("Bundle").model_validate(json.loads(encode(document.message)))
    urls = {e["fullUrl"] for bundle in (document.message, document.document) for e in bundle["entry"]}
    assert len(urls) == len(document.message["entry"]) + len(document.document["entry"])
    for reference in references(document.message):
        assert reference in urls or not reference.startswith("urn:uuid:")
    for bundle in (document.message, document.document):
        assert all(e["fullUrl"] == f"urn:uuid:{e['resource']['id']}" for e in bundle["entry"])


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        for below in value.values():
            yield from references(below)
    elif isinstance(value, list):
        for below in value:
            yield from references(below)


def test_the_second_judge_would_see_an_r4_element() -> None:
    with pytest.raises(ValidationError):
        get_fhir_model_class("MedicationRequest").model_validate(
            {"resourceType": "MedicationRequest", "intent": "plan", "statusReason": {"text": "x"}}
        )


def strange(node: Node, model: Any, place: str) -> Iterator[str]:
    """Elements of a map that STU3 does not have, and lists that are none, by the models of fhir.resources."""
    fields = {f.alias: f.annotation for f in model.model_fields.values()}
    for name, child in node.fields.items() if isinstance(node, Object) else ():
        if name == "resourceType":
            continue
        if name not in fields:
            yield f"{place}.{name}"
            continue
        kinds = list(flat(fields[name]))
        if isinstance(child, Array | Object | Ref) and isinstance(child, Array) != (list in kinds):  # a hole may hold a list
            yield f"{place}.{name}: list or not"
        below = next((k for k in kinds if hasattr(k, "get_model_klass")), None)
        for one in child.items if isinstance(child, Array) else (child,):
            if isinstance(one, Object) and below is not None:
                yield from strange(one, below.get_model_klass(), f"{place}.{name}")


def flat(annotation: Any) -> Iterator[Any]:
    origin = typing.get_origin(annotation)
    if origin is list:
        yield list
    inner = typing.get_args(annotation)
    if origin is typing.Annotated:
        inner = inner[:1]
    yield from (k for one in inner for k in flat(one)) if inner else iter([annotation])


@pytest.mark.parametrize("event", ["dose-outcome", "prescription-changed", *OTHERS])
def test_the_native_maps_name_elements_of_stu3(event: str, ost: adapter.Adapter) -> None:
    """The compiler knows R4 alone, so the maps of STU3 are checked here."""
    native = hearer(ost, event).native
    assert native is not None
    found = [s for m in native.spec.maps for s in strange(m.root, get_fhir_model_class(m.type), m.name)]
    assert found == []
    made = {m.type for m in native.spec.maps}
    assert not made & {"MedicationAdministration"}, "no published use case of Update Record has a place for it"


def test_an_r4_element_in_a_native_map_would_be_found() -> None:
    wrong = Object({"statusReason": Object({}, 1), "identifier": Object({}, 1)}, 1)
    assert list(strange(wrong, get_fhir_model_class("MedicationRequest"), "x")) == ["x.statusReason", "x.identifier: list or not"]


# the envelope ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("case", "event"),
    [
        ("supervised-and-missed", "dose-outcome"),
        ("stopped-and-restarted", "prescription-changed"),
        ("contact-missed", "consultation"),
        ("plan-with-own-priorities", "care-plan"),
        ("restart-urgent", "referral"),
        ("consent-granted", "consent"),
        ("alert-every-element", "alert"),
    ],
)
def test_the_itk3_envelope(case: str, event: str, ost: adapter.Adapter) -> None:
    document = Document(ost, decode((FIXTURES / NAME / case / "bundle.json").read_bytes()))
    header, organisation, inner = (e["resource"] for e in document.message["entry"])
    assert header["event"]["code"] == "ITK014M"
    handling = {e["url"]: next(v for k, v in e.items() if k != "url") for e in header["extension"][0]["extension"]}
    assert list(handling) == [
        "BusAckRequested",
        "InfAckRequested",
        "RecipientType",
        "MessageDefinition",
        "SenderReference",
        "LocalExtension",
    ]
    assert handling["LocalExtension"] == "None"
    assert header["focus"] == [{"reference": document.message["entry"][2]["fullUrl"]}]
    assert header["sender"] == {"reference": document.message["entry"][1]["fullUrl"]}
    assert set(organisation) == {"resourceType", "id", "meta", "identifier"}, "ITK3's header organisation has no name"
    assert (document.message["type"], inner["type"], inner["entry"][0]["resource"]["resourceType"]) == (
        "message",
        "document",
        "Composition",
    )
    assert handling["MessageDefinition"] == {"reference": f"{OURS}MessageDefinition/{event}"}
    assert document.composition["type"]["coding"] == [{"system": f"{OURS}CodeSystem/hub-event", "code": event}]
    assert "local document" in document.composition["type"]["text"]


def test_the_same_message_has_the_same_bytes(ost: adapter.Adapter) -> None:
    body = (FIXTURES / NAME / "withdrawn/bundle.json").read_bytes()
    first, again = (adapter.load().translate(body, read="fhir", write=NAME).result for _ in range(2))
    assert first == again


def test_a_person_named_twice_is_one_resource() -> None:
    def entry(url: str, **rest: Any) -> Json:
        return {"fullUrl": url, "resource": rest}

    same_person = {"resourceType": "Practitioner", "name": [{"text": "P"}]}
    other = {"resourceType": "Practitioner", "name": [{"text": "Q"}]}
    seen = {"resourceType": "Observation", "performer": [{"reference": "b"}, {"reference": "a"}]}
    made = one_of_each([entry("a", **same_person), entry("b", **same_person), entry("c", **other), entry("d", **seen)])
    assert [e["fullUrl"] for e in made] == ["a", "c", "d"]
    assert made[-1]["resource"]["performer"] == [{"reference": "a"}]


# the manifest: one message, several events ----------------------------------------------------------------------------
def test_one_message_hears_its_own_events_and_no_other(ost: adapter.Adapter) -> None:
    message = ost.message(NAME)
    assert message.info.events[:2] == ("dose-outcome", "prescription-changed")
    for event in message.info.events:
        assert hearer(ost, event).info.event == event
    assert message.hears("prescription") is None
    assert ost.check("gp_connect") == []


MANIFEST = """
system: local
title: A local target
kind: gp
version: 1.0.0
messages:
  told:
    title: t
    direction: DIRECTION
    event: [dose-outcome, prescription-changed]
    format: json
    key: [message.value]
    maps: MAPS
"""


@pytest.mark.parametrize(
    ("direction", "maps", "fault"),
    [
        ("both", "{dose-outcome: [Bundle], prescription-changed: [Bundle]}", "told: several events and direction both"),
        ("write", "{dose-outcome: [Bundle]}", "told: maps does not name each event once"),
        (
            "write",
            "{dose-outcome: [Bundle], prescription-changed: [Bundle], prescription: [Bundle]}",
            "told: maps does not name each event once",
        ),
        ("write", "{dose-outcome: [Bundle], prescription-changed: [Bundle]}", None),
        ("write", "[Bundle]", None),
    ],
)
def test_a_manifest_gives_every_event_its_maps(direction: str, maps: str, fault: str | None, tmp_path: Path) -> None:
    folder = tmp_path / "local"
    (folder / "told").mkdir(parents=True)
    (folder / "system.yaml").write_text(MANIFEST.replace("DIRECTION", direction).replace("MAPS", maps), encoding="utf-8")
    (folder / "told/Bundle.yaml").write_text("resourceType: Bundle\nidentifier: {value: $message.value}\n", encoding="utf-8")
    (folder / "told/told.schema.json").write_text("{}", encoding="utf-8")
    found = [f.what for f in adapter.load(mappings=[tmp_path]).check("local")]
    assert found == [] if fault is None else fault in found


TARGETS: list[Callable[[Json], None]] = [
    lambda b: header_of(b)["eventCoding"].update(code="prescription"),
    lambda b: b.pop("timestamp"),
    lambda b: b.pop("identifier"),
    lambda b: header_of(b).pop("sender"),
]


def header_of(bundle: Json) -> Json:
    made: Json = next(e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "MessageHeader")
    return made


@pytest.mark.parametrize("spoil", TARGETS, ids=["another event", "not dated", "no identifier", "no sender"])
def test_what_the_envelope_needs_is_demanded(spoil: Callable[[Json], None], ost: adapter.Adapter) -> None:
    bundle = decode((FIXTURES / NAME / "supervised-and-missed/bundle.json").read_bytes())
    spoil(bundle)
    with pytest.raises(adapter.Refused):
        ost.translate(encode(bundle), read="fhir", write=NAME)
