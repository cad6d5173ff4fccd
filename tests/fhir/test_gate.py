"""The gate as a whole: places and words of issues, parts of a Bundle, references, profiles by claim and by event.

And that it never raises, whatever it is given.
"""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter import shipped
from adapter.fhir.gate import MOST_ISSUES, Gate
from adapter.fhir.gate_profiles import SUPPORTING
from adapter.fhir.issue_text import FORMS
from adapter.fhir.json import decode
from adapter.fhir.outcome import Issue, Refused, is_error, outcome, rule_of
from adapter.fhir.rule_texts import RULES
from adapter.fhir.schema import tables
from adapter.fhir.schema.primitives import PRIMITIVES

Json = dict[str, Any]

CORE = "http://hl7.org/fhir/StructureDefinition/"
URN = "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"


@pytest.fixture(scope="module")
def gate() -> Gate:
    return Gate()


def _told(issues: list[Issue]) -> list[tuple[str, str, str]]:
    return [(one["severity"], rule_of(one), one["expression"][0]) for one in issues]


def _patient(**more: Any) -> Json:
    return {"resourceType": "Patient", **more}


def _request(**more: Any) -> Json:
    return {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "subject": {"display": "x"},
        "medicationCodeableConcept": {"text": "x"},
        **more,
    }


def _bundle(*resources: Json, type_: str = "collection") -> Json:
    entries = [
        {"fullUrl": f"urn:uuid:00000000-0000-4000-8000-{index:012}", "resource": one} for index, one in enumerate(resources)
    ]
    return {"resourceType": "Bundle", "type": type_, "entry": entries}


# ---- places and words


@pytest.mark.parametrize(
    ("resource", "told"),
    [
        (_patient(birthDate="1980-02-30"), ("value", "Patient.birthDate")),
        (_patient(birthDate=1980), ("type", "Patient.birthDate")),
        (_patient(name={"family": "x"}), ("type", "Patient.name")),
        (_patient(name=["x"]), ("type", "Patient.name[0]")),
        (_patient(name=[{"famly": "x"}]), ("unknown-element", "Patient.name[0].famly")),
        (_patient(name=[]), ("empty", "Patient.name")),
        (_patient(gender="x"), ("binding", "Patient.gender")),
        (_patient(deceasedBoolean=True, deceasedDateTime="2026"), ("choice", "Patient.deceased")),
        (_patient(deceasedDateTime="x"), ("value", "Patient.deceased")),
        (_patient(_birthDate={"extension": [{"url": "u", "valueCode": 1}]}), ("type", "Patient.birthDate.extension[0].value")),
        (_patient(contact=[{"name": {"text": ""}}]), ("value", "Patient.contact[0].name.text")),
        (_request(status=None), ("binding", "MedicationRequest.status")),
        (
            {
                "resourceType": "MedicationRequest",
                "intent": "order",
                "subject": {"display": "x"},
                "medicationCodeableConcept": {"text": "x"},
            },
            ("required", "MedicationRequest.status"),
        ),
        (
            {"resourceType": "MedicationRequest", "status": "active", "intent": "order", "subject": {"display": "x"}},
            ("required", "MedicationRequest.medication"),
        ),
        (
            _request(dosageInstruction=[{"doseAndRate": [{"doseQuantity": {"value": "5"}}]}]),
            ("type", "MedicationRequest.dosageInstruction[0].doseAndRate[0].dose.value"),
        ),
        (
            _patient(
                extension=[{"url": "u", "extension": [{"url": "v", "valueReference": {"identifier": {"assigner": {"x": 1}}}}]}]
            ),
            ("unknown-element", "Patient.extension[0].extension[0].value.identifier.assigner.x"),
        ),
        (_bundle(_patient(), _patient(active=1)), ("type", "Bundle.entry[1].resource.active")),
        (_bundle(_bundle(_patient(active=1))), ("type", "Bundle.entry[0].resource.entry[0].resource.active")),
        (
            _patient(contained=[_patient(id="p", active=1)], link=[{"other": {"reference": "#p"}, "type": "seealso"}]),
            ("type", "Patient.contained[0].active"),
        ),
        (
            {"resourceType": "Parameters", "parameter": [{"name": "a", "part": [{"name": "b", "resource": _patient(active=1)}]}]},
            ("type", "Parameters.parameter[0].part[0].resource.active"),
        ),
        (
            {
                "resourceType": "Bundle",
                "type": "batch-response",
                "entry": [{"response": {"status": "400", "outcome": _patient(active=1)}}],
            },
            ("type", "Bundle.entry[0].response.outcome.active"),
        ),
        ({"resourceType": "Nothing"}, ("resource-type", "$this")),
        (_bundle({"resourceType": "Nothing"}), ("resource-type", "Bundle.entry[0].resource")),
        (_bundle({"id": "x"}), ("required", "Bundle.entry[0].resource.resourceType")),
        ([], ("resource", "$this")),
        ({}, ("resource", "$this")),
        ({"resourceType": 1}, ("resource", "$this")),
        (None, ("resource", "$this")),
    ],
)
def test_a_fault_is_told_by_rule_and_place(gate: Gate, resource: Any, told: tuple[str, str]) -> None:
    assert _told(gate.check(resource)) == [("error", *told)]


def test_every_fault_is_told_at_once(gate: Gate) -> None:
    broken = _patient(
        birthDate="x",
        gender="x",
        nme="x",
        active="x",
        telecom=[{"value": "1"}],
        name=[{"period": {"start": "2026", "end": "2025"}}],
    )
    assert {rule for _, rule, _ in _told(gate.check(broken))} == {"value", "binding", "unknown-element", "type", "cpt-2", "per-1"}


def test_a_check_goes_on_beside_what_the_schema_refuses(gate: Gate) -> None:
    broken = _patient(
        name=["x", {"period": {"start": "2026", "end": "2025"}}],
        contact=[{"period": {"start": 1, "end": "2025"}, "name": {"text": "x"}}],
    )
    assert ("error", "per-1", "Patient.name[1].period") in _told(gate.check(broken))


def test_no_issue_quotes_a_value(gate: Gate) -> None:
    secret = "SECRET 999"
    broken = _patient(
        birthDate=secret,
        gender=secret,
        name=[secret],
        active=secret,
        telecom=[{"system": secret}],
        managingOrganization={"reference": f"#{secret}"},
        text={"status": secret, "div": secret},
        multipleBirthInteger=secret,
        identifier=[{"period": {"start": secret}}],
        **{secret: 1, "x" * 70: 1},
    )
    issues = gate.check(broken)
    assert len(issues) > 8
    assert "SECRET" not in json.dumps(outcome(issues)) and "xxx" not in json.dumps(outcome(issues))


def test_every_rule_has_its_words_and_every_primitive_its_form() -> None:
    for rule, (code, text, mend) in RULES.items():
        assert text.endswith(".") and mend.endswith("."), rule
        assert code in tables.definitions()["OperationOutcomeIssue"]["properties"]["code"]["enum"], rule
    assert FORMS.keys() == PRIMITIVES.keys()


def test_the_answer_is_itself_good_fhir(gate: Gate) -> None:
    issues = gate.check(_patient(birthDate="x", name=[], extension=[{"url": 1}], gender="x"))
    assert gate.check(outcome(issues)) == []


def test_issues_beyond_the_limit_are_counted(gate: Gate) -> None:
    issues = gate.check(_patient(name=[{"x": 1} for _ in range(MOST_ISSUES + 50)]))
    assert len(issues) == MOST_ISSUES + 1
    assert (issues[-1]["severity"], rule_of(issues[-1])) == ("information", "too-many")
    assert issues[-1]["details"]["text"] == "There are 50 more issues."


def test_what_is_checked_is_not_changed(gate: Gate) -> None:
    broken = _bundle(_patient(birthDate="x", name=[1], contained=[{"resourceType": "Patient", "x": 1}]))
    before = copy.deepcopy(broken)
    gate.check(broken)
    assert broken == before


# ---- numbers and nulls


def test_a_whole_number_is_written_without_a_point(gate: Gate) -> None:
    place = "MedicationRequest.dispenseRequest.numberOfRepeatsAllowed"
    for text, told in (("1", []), ("1.0", [("error", "integer", place)]), ("1e2", [("error", "integer", place)])):
        body = json.dumps(_request(dispenseRequest={"numberOfRepeatsAllowed": "N"})).replace('"N"', text)
        assert _told(gate.check(decode(body.encode()))) == told


def test_decimals_of_any_size_pass(gate: Gate) -> None:
    for value in (Decimal("1.00"), Decimal("1E+400"), Decimal("0.00000000000000000001"), 7, 0.5):
        assert (
            gate.check(
                {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "valueQuantity": {"value": value}}
            )
            == []
        )


@pytest.mark.parametrize(
    ("given", "beside", "told"),
    [
        (["a", None], [None, {"extension": [{"url": "u", "valueCode": "x"}]}], []),
        ([None, "a"], [{"extension": [{"url": "u", "valueCode": "x"}]}], []),
        (["a", None], None, [("null", "Patient.name[0].given[1]")]),
        (["a", None], [{"id": "x"}], [("null", "Patient.name[0].given[1]")]),
        (["a", None], [None, None], [("null", "Patient.name[0].given[1]"), ("null", "Patient.name[0].given[1]")]),
        (["a"], [{"id": "x"}], []),
        (None, [{"id": "x"}], [("ele-1", "Patient.name[0].given[0]")]),
    ],
)
def test_a_null_stands_for_what_its_sibling_says(gate: Gate, given: Any, beside: Any, told: list[tuple[str, str]]) -> None:
    name = {key: value for key, value in (("given", given), ("_given", beside)) if value is not None}
    assert [one[1:] for one in _told(gate.check(_patient(name=[name])))] == list(dict.fromkeys(told))


# ---- extensions


def test_an_unknown_modifier_extension_is_refused(gate: Gate) -> None:
    one = {"url": "http://a.example/not", "valueBoolean": True}
    assert _told(gate.check(_patient(modifierExtension=[one]))) == [
        ("error", "modifier-extension", "Patient.modifierExtension[0]")
    ]
    assert _told(gate.check(_request(dosageInstruction=[{"modifierExtension": [one]}]))) == [
        ("error", "modifier-extension", "MedicationRequest.dosageInstruction[0].modifierExtension[0]")
    ]


def test_rules_that_nobody_here_knows_are_refused(gate: Gate) -> None:
    rules = {"implicitRules": "http://a.example/what-is-not-said-is-not-so"}
    assert _told(gate.check(_patient(**rules))) == [("error", "implicit-rules", "Patient.implicitRules")]
    contained = _request(
        contained=[{"resourceType": "Medication", "id": "m", **rules}], supportingInformation=[{"reference": "#m"}]
    )
    assert _told(gate.check(contained)) == [("error", "implicit-rules", "MedicationRequest.contained[0].implicitRules")]
    entry = {"fullUrl": "urn:uuid:0b9c7a56-2f41-4c7d-9a1e-5d3e8f60b214", "resource": _patient(**rules)}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [entry], **rules}
    assert _told(gate.check(bundle)) == [
        ("error", "implicit-rules", "Bundle.implicitRules"),
        ("error", "implicit-rules", "Bundle.entry[0].resource.implicitRules"),
    ]


def test_a_modifier_extension_that_a_profile_names_is_known() -> None:
    slicing = {
        "id": "Patient.modifierExtension:not",
        "path": "Patient.modifierExtension",
        "sliceName": "not",
        "type": [{"code": "Extension", "profile": ["http://a.example/not"]}],
    }
    gate = Gate([_profile("Patient", slicing)])
    assert gate.check(_patient(modifierExtension=[{"url": "http://a.example/not", "valueBoolean": True}])) == []


# ---- references


def test_a_reference_into_the_resource_must_lead_somewhere(gate: Gate) -> None:
    contained = [{"resourceType": "Organization", "id": "o", "name": "x"}]
    assert gate.check(_patient(contained=contained, managingOrganization={"reference": "#o"})) == []
    told = _told(gate.check(_patient(contained=contained, managingOrganization={"reference": "#p"})))
    assert told == [("error", "ref-1", "Patient.managingOrganization"), ("error", "dom-3", "Patient.contained[0]")]
    inner = [
        {"resourceType": "Practitioner", "id": "q"},
        {"resourceType": "PractitionerRole", "id": "r", "practitioner": {"reference": "#q"}},
    ]
    assert gate.check(_request(contained=inner, requester={"reference": "#r"})) == []
    provenance = {
        "resourceType": "Provenance",
        "id": "v",
        "target": [{"reference": "#"}],
        "recorded": "2026-01-01T00:00:00Z",
        "agent": [{"who": {"display": "x"}}],
    }
    assert gate.check(_patient(contained=[provenance])) == []


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ({"reference": "Patient/1"}, None),
        ({"reference": "Group/1"}, None),
        ({"reference": "http://a.example/fhir/Patient/1/_history/2"}, None),
        ({"reference": "Practitioner/1"}, "reference-target"),
        ({"reference": "http://a.example/Practitioner/1"}, "reference-target"),
        ({"reference": "http://a.example/anything"}, None),
        ({"type": "Practitioner", "display": "x"}, "reference-target"),
        ({"reference": "Patient/1", "type": "Patient"}, None),
        ({"reference": "Patient/1", "type": "Group"}, "reference-type"),
        ({"reference": "a b"}, "value"),
    ],
)
def test_a_reference_leads_to_a_type_that_its_element_allows(gate: Gate, reference: Json, told: str | None) -> None:
    assert [rule for _, rule, _ in _told(gate.check(_request(subject=reference)))] == ([told] if told else [])


def _message(**dispense: Any) -> Json:
    header = {
        "resourceType": "MessageHeader",
        "eventUri": "http://a.example/e",
        "source": {"endpoint": "http://a.example"},
        "focus": [{"reference": "urn:uuid:00000000-0000-4000-8000-000000000001"}],
    }
    made = {"resourceType": "MedicationDispense", "status": "completed", "medicationCodeableConcept": {"text": "x"}, **dispense}
    return _bundle(header, made, _patient(), type_="message")


def test_a_urn_must_lead_somewhere_where_it_says_whom_a_message_is_about(gate: Gate) -> None:
    resolved = {"reference": "urn:uuid:00000000-0000-4000-8000-000000000002"}
    assert gate.check(_message(subject=resolved), writing=True) == []
    place = "Bundle.entry[1].resource"
    lost = {"reference": URN}
    assert _told(gate.check(_message(subject=lost))) == [("error", "reference-unresolved", f"{place}.subject")]
    assert _told(gate.check(_message(context=lost))) == [("warning", "reference-unresolved", f"{place}.context")]
    assert _told(gate.check(_message(context=lost), writing=True)) == [("error", "reference-unresolved", f"{place}.context")]
    assert _told(gate.check(_message(location={"reference": "urn:uuid:00000000-0000-4000-8000-000000000002"}))) == [
        ("error", "reference-target", f"{place}.location")
    ]


def test_a_message_says_what_it_is_about(gate: Gate) -> None:
    message = _message()
    message["entry"][0]["resource"]["focus"].append({"reference": URN})
    assert _told(gate.check(message)) == [("error", "reference-unresolved", "Bundle.entry[0].resource.focus[1]")]


def test_the_subject_of_what_is_no_focus_is_a_warning(gate: Gate) -> None:
    message = _message()
    message["entry"].append({"fullUrl": URN[:-1] + "1", "resource": _request(subject={"reference": URN})})
    assert _told(gate.check(message)) == [("warning", "reference-unresolved", "Bundle.entry[3].resource.subject")]


# ---- profiles, by claim, by demand and by event


def _profile(type_: str, *elements: Json, url: str = "http://a.example/p", **more: Any) -> Json:
    return {
        "resourceType": "StructureDefinition",
        "url": url,
        "type": type_,
        "derivation": "constraint",
        "kind": "resource",
        "baseDefinition": CORE + type_,
        "differential": {"element": [{"id": type_, "path": type_}, *elements]},
        **more,
    }


PUBLISHED = _profile(
    "Patient", {"id": "Patient.name", "path": "Patient.name", "min": 1}, name="P", status="draft", abstract=False
)
NAMED = _profile("Patient", {"id": "Patient.name", "path": "Patient.name", "min": 1})


def test_a_resource_is_judged_by_every_known_profile_that_it_claims() -> None:
    born = _profile("Patient", {"id": "Patient.birthDate", "path": "Patient.birthDate", "min": 1}, url="http://a.example/q")
    gate = Gate([NAMED, born])
    claims = {"meta": {"profile": ["http://a.example/p|1.0.0", "http://a.example/q", "http://a.example/unknown"]}}
    told = _told(gate.check(_patient(**claims)))
    assert told == [
        ("information", "profile-unknown", "Patient.meta.profile[2]"),
        ("error", "required", "Patient.name"),
        ("error", "required", "Patient.birthDate"),
    ]
    assert _told(gate.check(_bundle(_patient(**claims))))[1:] == [
        ("error", "required", "Bundle.entry[0].resource.name"),
        ("error", "required", "Bundle.entry[0].resource.birthDate"),
    ]


def test_a_profile_is_demanded_by_the_index_of_the_entry() -> None:
    gate = Gate([NAMED, _profile("Bundle", {"id": "Bundle.id", "path": "Bundle.id", "min": 1}, url="http://a.example/b")])
    bundle = _bundle(_patient(), _patient())
    assert _told(gate.check(bundle, profiles={1: ["http://a.example/p"]})) == [
        ("error", "required", "Bundle.entry[1].resource.name")
    ]
    assert _told(gate.check(bundle, profiles={0: ["http://a.example/p"]})) == [
        ("error", "required", "Bundle.entry[0].resource.name")
    ]
    assert _told(gate.check(bundle, profiles={0: ["http://a.example/b"]})) == [("error", "required", "Bundle.id")]
    assert _told(gate.check(_patient(), profiles={0: ["http://a.example/p"]})) == [("error", "required", "Patient.name")]
    assert _told(gate.check(_patient(), profiles={0: ["http://a.example/x"]})) == [("error", "profile-unknown", "Patient")]
    assert _told(gate.check(_request(), profiles={0: ["http://a.example/p"]})) == [("error", "profile-type", "MedicationRequest")]


def test_the_text_of_an_issue_names_the_profile() -> None:
    issue = Gate([NAMED]).check(_patient(meta={"profile": ["http://a.example/p"]}))[0]
    assert issue["details"]["text"] == "This element is required. (Profile p.)"


def _definition(*focus: Json, supporting: tuple[tuple[str, str], ...] = ()) -> Json:
    extensions = [
        {"url": SUPPORTING, "extension": [{"url": "code", "valueCode": type_}, {"url": "profile", "valueCanonical": profile}]}
        for type_, profile in supporting
    ]
    return {
        "resourceType": "MessageDefinition",
        "eventCoding": {"system": "http://a.example/e", "code": "dose"},
        "focus": list(focus),
        "extension": extensions,
    }


def _event(message: Json, code: str = "dose") -> Json:
    header = message["entry"][0]["resource"]
    header.pop("eventUri", None)
    header["eventCoding"] = {"system": "http://a.example/e", "code": code}
    return message


PREPARED = _profile(
    "MedicationDispense",
    {"id": "MedicationDispense.whenPrepared", "path": "MedicationDispense.whenPrepared", "min": 1},
    url="http://a.example/d",
)
HANDED = _profile(
    "MedicationDispense",
    {"id": "MedicationDispense.whenHandedOver", "path": "MedicationDispense.whenHandedOver", "min": 1},
    url="http://a.example/h",
)
DISPENSE = {"code": "MedicationDispense", "profile": "http://a.example/d", "min": 1, "max": "1"}


def test_the_event_of_a_message_demands_profiles_of_focus_and_companions() -> None:
    gate = Gate([NAMED, PREPARED, _definition(DISPENSE, supporting=(("Patient", "http://a.example/p"),))])
    assert _told(gate.check(_event(_message()))) == [
        ("error", "required", "Bundle.entry[1].resource.whenPrepared"),
        ("error", "required", "Bundle.entry[2].resource.name"),
    ]
    good = _event(_message(whenPrepared="2026"))
    good["entry"][2]["resource"]["name"] = [{"text": "x"}]
    assert gate.check(good) == []


def test_of_several_profiles_the_resource_claims_one() -> None:
    gate = Gate([PREPARED, HANDED, _definition(DISPENSE, {**DISPENSE, "profile": "http://a.example/h", "min": 0})])
    claimed = _event(_message(whenPrepared="2026", meta={"profile": ["http://a.example/d"]}))
    assert gate.check(claimed) == []
    told = _told(gate.check(_event(_message(whenPrepared="2026"))))
    assert ("error", "focus-profile", "Bundle.entry[1].resource.meta.profile") in told


def test_the_event_counts_its_focus() -> None:
    gate = Gate([PREPARED, _definition(DISPENSE)])
    place = "Bundle.entry[0].resource.focus"
    message = _event(_message(whenPrepared="2026"))
    message["entry"][0]["resource"]["focus"] = [{"reference": message["entry"][2]["fullUrl"]}]
    assert _told(gate.check(message)) == [("error", "focus", place)]
    del message["entry"][0]["resource"]["focus"]
    assert _told(gate.check(message)) == [("error", "focus", place)]


def test_an_event_of_ours_that_has_no_definition_is_refused() -> None:
    gate = Gate([PREPARED, _definition(DISPENSE)])
    assert _told(gate.check(_event(_message(), code="other"))) == [("error", "event", "Bundle.entry[0].resource.event")]
    assert gate.check(_message()) == []


def test_a_further_artefact_that_is_no_good_fhir_stops_the_start(tmp_path: Any) -> None:
    (tmp_path / "p.json").write_text(json.dumps({**PUBLISHED, "status": "x", "snapshots": 1}), encoding="utf-8")
    with pytest.raises(Refused) as refused:
        Gate.shipped(tmp_path)
    told = {(rule_of(one), one["diagnostics"].partition(" ")[0]) for one in refused.value.issues}
    assert told == {("unknown-element", "p.json:"), ("binding", "p.json:")}


def test_the_shipped_gate_is_made_once_and_takes_more_folders(tmp_path: Any) -> None:
    assert Gate.shipped() is Gate.shipped()
    (tmp_path / "p.json").write_text(json.dumps(PUBLISHED), encoding="utf-8")
    more = Gate.shipped(tmp_path)
    assert set(more.profiles) == {*Gate.shipped().profiles, "http://a.example/p"}
    assert len(Gate.shipped().profiles) == len([*shipped.PROFILES.glob("StructureDefinition-*.json")])


# ---- no exception, whatever the value

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["Patient", "Bundle", "2026", "#a", URN])
)
NAMES = st.sampled_from(
    "resourceType id meta profile text div status contained extension url valueString valueReference reference name given _given period "
    "start end birthDate _birthDate identifier entry resource fullUrl type parameter part link focus eventCoding code".split()
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=3), inner, max_size=5),
    max_leaves=30,
)


@settings(max_examples=300, deadline=None)
@given(ANYTHING)
def test_no_json_makes_the_gate_raise(value: Any) -> None:
    gate = Gate.shipped()
    for one in (value, {"resourceType": "Patient", **value} if isinstance(value, dict) else [value]):
        for issue in gate.check(one):
            assert rule_of(issue) and issue["expression"]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(file.name for file in (shipped.PROFILES / "examples").glob("*.json"))), st.data())
def test_no_value_in_a_good_message_makes_the_gate_raise(name: str, data: st.DataObject) -> None:
    resource = json.loads((shipped.PROFILES / "examples" / name).read_text(encoding="utf-8"))
    node: Any = resource
    while True:
        key = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        if not isinstance(node[key], dict | list) or not node[key] or data.draw(st.booleans()):
            node[key] = data.draw(ANYTHING)
            break
        node = node[key]
    Gate.shipped().check(resource, writing=True)


class Odd:
    """No JSON."""


@pytest.mark.parametrize(
    "value",
    [
        {1: 2},
        {"resourceType": "Patient", 1: 2},
        {"resourceType": "Patient", "name": {b"x"}},
        {"resourceType": "Patient", "id": b"x"},
        {"resourceType": "Patient", "id": "\ud800"},
        {"resourceType": "Patient", "\ud800": 1},
        {"resourceType": "Patient", "id": Odd()},
        {"resourceType": "Patient", "id": float("nan")},
        {"resourceType": "Patient", "multipleBirthInteger": 10**5000},
        Odd(),
        b"x",
        "\ud800",
        {"resourceType": "Patient", "multipleBirthInteger": Decimal("NaN")},
        {"resourceType": "\ud800"},
        ({"resourceType": "Patient"},),
    ],
)
def test_what_is_no_json_is_an_issue(gate: Gate, value: Any) -> None:
    assert any(map(is_error, gate.check(value)))


@pytest.mark.parametrize("extension", ["x", ["x"], [7], {"url": "x"}, 7, [None]])
def test_constraints_of_a_message_bear_what_its_resources_should_not_hold(extension: Any) -> None:
    file = next((shipped.FIXTURES / "pharmacy" / "dose-outcome").glob("*/bundle.json"))
    bundle = decode(file.read_bytes())
    dispense = next(one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == "MedicationDispense")
    dispense["extension"] = extension
    assert "type" in {rule_of(one) for one in Gate.shipped().check(bundle)}


def test_what_is_too_deep_is_an_issue(gate: Gate) -> None:
    for levels in (150, 2_000, 100_000):
        extension: Any = {"url": "u", "valueCode": "x"}
        for _ in range(levels):
            extension = {"url": "u", "extension": [extension]}
        found = gate.check(_patient(extension=[extension]))
        assert (levels == 150) or [rule_of(one) for one in found] == ["depth"]


def test_what_holds_itself_is_an_issue(gate: Gate) -> None:
    loop = _patient()
    loop["contained"] = [loop]
    assert [rule_of(one) for one in gate.check(loop)] == ["depth"]
