"""What the words mean, one small map each: recognition, dropping out, roles, lists, conflicts, rest, guards, unknown codes."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from adapter.fhir.outcome import rule_of
from adapter.fhir.terminology import CodeMap
from adapter.mapping.codecs import Codec
from adapter.mapping.faults import Faults
from adapter.mapping.language import read_map
from adapter.mapping.spec import Step, TableSpec
from adapter.mapping.table import Table

PATIENT = """resourceType: Patient
$key: nhs
identifier: [{system: "urn:nhs", value: $nhs}]
"""


def codemap(name: str, **rows: str | None) -> Step:
    elements = [
        {"code": a, "target": [{"code": b, "equivalence": "equivalent"} if b else {"equivalence": "unmatched"}]}
        for a, b in rows.items()
    ]
    return Step(
        name,
        CodeMap(
            {
                "resourceType": "ConceptMap",
                "name": name,
                "group": [{"source": f"urn:{name}", "target": "urn:t", "element": elements}],
            }
        ),
    )


def joined(pair: tuple[Any, Any]) -> Any:
    return None if pair[0] is None else f"{pair[0]}/{pair[1]}"


STEPS = {
    "state": codemap("state", given="completed", refused="declined"),
    "many": codemap("many", a="x", b="x"),
    "pair": Step("pair", codec=Codec("pair", joined, lambda v: tuple(v.split("/")))),
}
STEPS["last"] = Step(
    "last", codec=Codec("last", lambda pair: pair[1] and f"{pair[1]}/{pair[0]}", lambda v: tuple(v.split("/"))[::-1])
)
STEPS["state.display"] = Step("state.display", STEPS["state"].codemap, display=True)


def table(native: bool = False, **maps: str) -> Table:
    made = []
    for name, text in maps.items():
        faults = Faults(name)
        one = read_map(Path(name.replace("__", ".") + ".yaml"), text, faults)
        assert one is not None and not faults.found, faults.found
        made.append(one)
    return Table(TableSpec("s", "m", made, STEPS, native=native))


def fill(t: Table, record: dict[str, Any]) -> list[dict[str, Any]]:
    return t.fill(record)[0]


def read(t: Table, entries: list[dict[str, Any]]) -> tuple[dict[str, Any], list[str], list[str]]:
    """(record, unread places, rules of the issues found by match)."""
    run = t.match(entries)
    return run.record, t.account(run)[0], [rule_of(i) for i in run.issues]


def entry(n: int, **resource: Any) -> dict[str, Any]:
    return {"fullUrl": f"urn:uuid:00000000-0000-4000-8000-{n:012d}", "resource": resource}


def test_forty_millilitres_are_never_read_as_milligrams() -> None:
    t = table(MedicationDispense="resourceType: MedicationDispense\nquantity: {value: $mg, code: mg}\n")
    record, unread, _ = read(t, [entry(1, resourceType="MedicationDispense", quantity={"value": 40, "code": "mL"})])
    assert record == {}
    at = "Bundle.entry[0].resource"
    assert unread == [f"{at}.resourceType", f"{at}.quantity.value", f"{at}.quantity.code"]


def test_say_and_display_never_decide() -> None:
    t = table(
        MedicationDispense="resourceType: MedicationDispense\ntype: {text: $say dose}\nwhenPrepared: $at\nmedicationCodeableConcept: {text: $name, coding: [{display: $name}]}\n"
    )
    record, unread, _ = read(
        t,
        [
            entry(
                1,
                resourceType="MedicationDispense",
                whenPrepared="2026",
                type={"text": "another"},
                medicationCodeableConcept={"text": "a", "coding": [{"display": "b"}]},
            )
        ],
    )
    assert record == {"at": "2026", "name": "a"}
    assert sorted(p.rpartition("resource.")[2] for p in unread) == ["medicationCodeableConcept.coding[0].display", "type.text"]


def test_what_was_not_filled_drops_out() -> None:
    t = table(
        Patient='resourceType: Patient\n$key: nhs\nidentifier: [{system: "urn:nhs", value: $nhs}]\naddress: [{use: home, line: $lines, period: {start: $from}}]\ncontact: [{name: {family: $next}}]\n'
    )
    assert fill(t, {"nhs": "1"})[0]["resource"].keys() == {"resourceType", "id", "identifier"}
    assert fill(t, {"nhs": "1", "from": "2026"})[0]["resource"]["address"] == [{"use": "home", "period": {"start": "2026"}}]
    assert fill(t, {"next": "no key, no resource"}) == []


def test_a_value_whose_object_dropped_out_is_unread() -> None:
    t = table(Patient=PATIENT + 'extension: [{url: "urn:a", valueQuantity: {value: $n!, unit: $unit}}]\n')
    record = {"nhs": "1", "unit": "ml"}
    entries, run = t.fill(record)
    assert run.lost and t.unread_record(record, entries, run.lost) == ["unit"]
    full = {"nhs": "1", "unit": "ml", "n": 4, "surplus": {"a": 1}}
    entries, run = t.fill(full)
    assert not run.lost and t.unread_record(full, entries, run.lost) == ["surplus.a"]


def test_an_amount_without_its_number_is_unread() -> None:
    t = table(Patient=PATIENT + 'extension: [{url: "urn:a", valueQuantity: {value: $n!, unit: $unit}}]\n')
    entries = fill(t, {"nhs": "1", "n": 4, "unit": "ml"})
    broken = copy.deepcopy(entries)
    del broken[0]["resource"]["extension"][0]["valueQuantity"]["value"]
    record, unread, _ = read(t, broken)
    assert record == {"nhs": "1"} and "Bundle.entry[0].resource.extension[0].valueQuantity.unit" in unread


DOSES = """resourceType: MedicationDispense
$each: doses
$key: id
identifier: [{system: "urn:dose", value: $id}]
status: $state | state
subject: $ref Patient
"""
SEEN = """resourceType: MedicationAdministration
$each: doses
$key: id
status: $seen!
subject: $ref Patient
supportingInformation: [$ref MedicationDispense]
"""


def test_lists_keep_the_order_of_their_anchors() -> None:
    t = table(Patient=PATIENT, MedicationDispense=DOSES, MedicationAdministration=SEEN)
    record = {
        "nhs": "1",
        "doses": [
            {"id": "b", "state": "given", "seen": "completed"},
            {"id": "a", "state": "refused"},
            {"id": "c", "state": "given", "seen": "not-done"},
        ],
    }
    entries = fill(t, record)
    assert [e["resource"]["resourceType"][10:] for e in entries] == [
        "",
        "Dispense",
        "Dispense",
        "Administration",
        "Dispense",
        "Administration",
    ] or len(entries) == 6
    assert read(t, entries) == (record, [], [])
    assert read(t, list(reversed(entries)))[0]["doses"] == list(reversed(record["doses"]))


def test_an_orphan_and_a_second_witness() -> None:
    t = table(Patient=PATIENT, MedicationDispense=DOSES, MedicationAdministration=SEEN)
    entries = fill(t, {"nhs": "1", "doses": [{"id": "a", "state": "given", "seen": "completed"}]})
    lost = copy.deepcopy(entries)
    del lost[2]["resource"]["supportingInformation"]
    record, unread, rules = read(t, lost)
    assert rules == ["orphan"] and "seen" not in record["doses"][0] and "Bundle.entry[2].resource.status" in unread
    twice = [*copy.deepcopy(entries), {**copy.deepcopy(entries[2]), "fullUrl": "urn:uuid:another"}]
    record, unread, rules = read(t, twice)
    assert "Bundle.entry[3].resource.status" in unread and rules == []


def test_another_patient_is_a_conflict_and_a_missing_one_is_said() -> None:
    t = table(Patient=PATIENT, MedicationDispense=DOSES)
    entries = fill(t, {"nhs": "1", "doses": [{"id": "a", "state": "given"}, {"id": "b", "state": "given"}]})
    other = [*copy.deepcopy(entries), entry(9, resourceType="Patient", identifier=[{"system": "urn:nhs", "value": "2"}])]
    other[2]["resource"]["subject"]["reference"] = other[3]["fullUrl"]
    record, unread, rules = read(t, other)
    assert rules == ["conflict"] and record["nhs"] == "1" and "Bundle.entry[3].resource.identifier[0].value" in unread
    missing = copy.deepcopy(entries)
    del missing[1]["resource"]["subject"]
    assert read(t, missing)[2] == ["reference-missing"]


def test_two_elements_that_differ_are_a_conflict_and_neither_wins_in_silence() -> None:
    text = PATIENT + 'birthDate: $born\nextension: [{url: "urn:born", valueDate: $born}]\n'
    t = table(Patient=text)
    entries = fill(t, {"nhs": "1", "born": "1980-01-01"})
    entries[0]["resource"]["extension"][0]["valueDate"] = "1981-01-01"
    assert read(t, entries)[2] == ["conflict"]
    del entries[0]["resource"]["birthDate"]  # what is absent never conflicts
    assert read(t, entries) == ({"nhs": "1", "born": "1981-01-01"}, [], [])


def test_what_cannot_be_turned_back_is_compared() -> None:
    t = table(Patient=PATIENT + "language: $kind | many\ngender: $kind\n")
    entries = fill(t, {"nhs": "1", "kind": "a"})
    assert entries[0]["resource"]["language"] == "x" and read(t, entries) == ({"nhs": "1", "kind": "a"}, [], [])
    entries[0]["resource"]["language"] = "y"
    assert read(t, entries)[2] == ["combination"]
    del entries[0]["resource"]["gender"]  # nothing says the kind any more: the language is unread, not guessed from
    assert read(t, entries) == ({"nhs": "1"}, ["Bundle.entry[0].resource.language"], [])


def test_unknown_codes() -> None:
    t = table(Patient=PATIENT + 'language: $state | state\nmaritalStatus: {coding: [{system: "urn:t", code: $other | state}]}\n')
    _, run = t.fill({"nhs": "1", "state": "odd"})
    assert [(rule_of(i), i["severity"], i["expression"]) for i in run.issues] == [("code-unknown", "error", ["state"])]
    entries, run = t.fill({"nhs": "1", "other": "odd"})
    assert [(rule_of(i), i["severity"]) for i in run.issues] == [("code-unknown", "warning")]
    assert entries[0]["resource"]["maritalStatus"] == {"coding": [{"system": "urn:state", "code": "odd"}]}
    assert read(t, entries) == ({"nhs": "1", "other": "odd"}, [], [])
    entries[0]["resource"]["maritalStatus"]["coding"][0] = {"system": "urn:t", "code": "odd"}
    assert read(t, entries)[1] == [
        "Bundle.entry[0].resource.maritalStatus.coding[0].system",
        "Bundle.entry[0].resource.maritalStatus.coding[0].code",
    ]


def test_a_codec_of_two_paths() -> None:
    t = table(Patient=PATIENT + "birthDate: $day + month | pair\n")
    entries = fill(t, {"nhs": "1", "day": "1", "month": "2"})
    assert entries[0]["resource"]["birthDate"] == "1/2" and read(t, entries)[0] == {"nhs": "1", "day": "1", "month": "2"}


@pytest.mark.parametrize(("record", "there"), [({"nhs": "1", "sure": True}, True), ({"nhs": "1", "sure": False}, False)])
def test_else_makes_absence_say_something(record: dict[str, Any], there: bool) -> None:
    t = table(Patient=PATIENT + 'extension: [{$when: {sure: true, else: false}, url: "urn:sure", valueCode: yes}]\n')
    entries = fill(t, record)
    assert ("extension" in entries[0]["resource"]) is there
    assert read(t, entries)[0] == record


def test_a_guard_sets_its_value_and_a_list_of_values_is_compared() -> None:
    t = table(Patient=PATIENT + 'gender: $g\nextension: [{$when: {g: [m, f]}, url: "urn:known", valueCode: $g}]\n')
    entries = fill(t, {"nhs": "1", "g": "m"})
    assert read(t, entries) == ({"nhs": "1", "g": "m"}, [], [])
    assert "extension" not in fill(t, {"nhs": "1", "g": "x"})[0]["resource"]


def test_rest_takes_what_nothing_reads_but_never_a_modifier_or_a_safety_element() -> None:
    text = 'resourceType: MedicationRequest\n$id: local\nstatus: $status\nextension: [{url: "urn:a", valueCode: $a}, {$rest: extensions}]\n$rest: rest\n'
    t = table(native=True, MedicationRequest=text)
    resource = entry(
        1,
        resourceType="MedicationRequest",
        status="active",
        note=[{"text": "n"}],
        doNotPerform=True,
        extension=[{"url": "urn:b", "valueCode": "b"}, {"url": "urn:a", "valueCode": "a"}],
        modifierExtension=[{"url": "urn:m", "valueBoolean": True}],
    )
    run = t.match([resource])
    unread, _, issues = t.account(run)
    assert run.record == {
        "local": "00000000-0000-4000-8000-000000000001",
        "status": "active",
        "a": "a",
        "extensions": [{"url": "urn:b", "valueCode": "b"}],
        "rest": {"note": [{"text": "n"}]},
    }
    assert run.carried == ["Bundle.entry[0].resource.extension[0] urn:b", "Bundle.entry[0].resource.note"]
    assert sorted(unread) == [
        "Bundle.entry[0].resource.doNotPerform",
        "Bundle.entry[0].resource.modifierExtension[0].url",
        "Bundle.entry[0].resource.modifierExtension[0].valueBoolean",
    ]
    assert {rule_of(i) for i in issues} == {"unread-safety"}
    back = fill(t, run.record)[0]["resource"]
    assert back["note"] == [{"text": "n"}] and {e["url"] for e in back["extension"]} == {"urn:a", "urn:b"}


def test_by_writes_the_key() -> None:
    goal = 'resourceType: Goal\n$each: goals\n$key: no\nidentifier: [{system: "urn:goal", value: $no}]\n'
    plan = 'resourceType: CarePlan\n$key: plan\nidentifier: [{system: "urn:plan", value: $plan}]\ngoal: [$ref Goal]\nactivity:\n  - $each: acts\n    detail: {description: $what, goal: [{$each: goals, reference: $ref Goal by .}]}\n'
    t = table(Goal=goal, CarePlan=plan)
    record = {"plan": "p", "goals": [{"no": "1"}, {"no": "2"}], "acts": [{"what": "a", "goals": ["2", "1"]}, {"what": "b"}]}
    entries = fill(t, record)
    assert read(t, entries) == (record, [], [])
    dangling = {"plan": "p", "goals": [{"no": "1"}], "acts": [{"what": "a", "goals": ["9"]}]}
    entries, run = t.fill(dangling)
    assert t.unread_record(dangling, entries, run.lost) == ["acts[0].goals[0]"]


def test_one_organisation_in_two_roles() -> None:
    clinic = 'resourceType: Organization\n$key: clinic\nidentifier: [{system: "urn:ods", value: $clinic}]\n'
    pharmacy = clinic.replace("clinic", "pharmacy")
    patient = PATIENT + "managingOrganization: $ref Organization.clinic\ngeneralPractitioner: [$ref Organization.pharmacy]\n"
    t = table(Patient=patient, Organization__clinic=clinic, Organization__pharmacy=pharmacy)
    entries = fill(t, {"nhs": "1", "clinic": "A", "pharmacy": "A"})
    assert read(t, entries) == ({"nhs": "1", "clinic": "A", "pharmacy": "A"}, [], [])
    entries[0]["resource"]["generalPractitioner"][0]["reference"] = entries[1]["fullUrl"]
    record, unread, _ = read(t, entries[:2])
    assert record == {"nhs": "1", "clinic": "A", "pharmacy": "A"} and unread == []


def test_a_template_beside_a_literal_element_takes_the_other_element() -> None:
    t = table(Patient=PATIENT + "name: [{text: unknown}, {period: {start: $from}, family: $family}]\n")
    entries = fill(t, {"nhs": "1", "family": "Testerton", "from": "2026"})
    assert read(t, entries) == ({"nhs": "1", "family": "Testerton", "from": "2026"}, [], [])
    entries[0]["resource"]["name"].reverse()
    assert read(t, entries) == ({"nhs": "1", "family": "Testerton", "from": "2026"}, [], [])


def test_a_key_that_did_not_come_back_leaves_its_resource_unread() -> None:
    t = table(Patient=PATIENT + "birthDate: $born\n")
    entries = fill(t, {"nhs": "1", "born": "1980-01-01"})
    del entries[0]["resource"]["identifier"]
    assert "Bundle.entry[0].resource.birthDate" in read(t, entries)[1]


def test_a_path_that_is_a_value_in_one_map_and_an_object_in_another_is_a_conflict() -> None:
    t = table(
        Patient=PATIENT + "gender: $kind\n",
        Organization='resourceType: Organization\n$key: ods\nidentifier: [{system: "urn:ods", value: $ods}]\nname: $kind.name\n',
    )
    entries = [
        entry(1, resourceType="Patient", identifier=[{"system": "urn:nhs", "value": "1"}], gender="male"),
        entry(2, resourceType="Organization", identifier=[{"system": "urn:ods", "value": "A"}], name="N"),
    ]
    record, _, rules = read(t, entries)
    assert rules == ["conflict"] and record["kind"] == "male"


def test_what_leads_to_a_resource_that_nothing_reads_is_unread() -> None:
    t = table(Patient=PATIENT, MedicationDispense=DOSES)
    entries = fill(t, {"nhs": "1", "doses": [{"id": "a", "state": "given"}]})
    del entries[0]["resource"]["identifier"]
    record, unread, _ = read(t, entries)
    assert record == {"doses": [{"id": "a", "state": "given"}]}
    assert {"Bundle.entry[0].resource.resourceType", "Bundle.entry[1].resource.subject.reference"} <= set(unread)
    # No reference is followed here, so none has been looked up when this one is.
    alone = table(Patient=PATIENT + "contact: [{organization: {display: $next}}]\n")
    entries = fill(alone, {"nhs": "1", "next": "n"})
    entries[0]["resource"]["contact"][0]["organization"]["reference"] = "urn:uuid:00000000-0000-4000-8000-000000000002"
    entries.append(entry(2, resourceType="Organization", name="N"))
    assert "Bundle.entry[0].resource.contact[0].organization.reference" in read(alone, entries)[1]


def test_a_literal_dollar() -> None:
    t = table(Patient=PATIENT + "language: $$each\n")
    assert fill(t, {"nhs": "1"})[0]["resource"]["language"] == "$each"


def test_lineage_names_both_places_the_line_and_the_codecs() -> None:
    t = table(Patient=PATIENT, MedicationDispense=DOSES)
    rows = t.lineage(fill(t, {"nhs": "1", "doses": [{"id": "a", "state": "given"}]}))
    assert ("Bundle.entry[1].resource.status", "doses[0].state", "MedicationDispense.yaml:5", ("state",)) in [
        (r.target, r.source, r.map, r.codecs) for r in rows
    ]


def test_no_value_stands_in_an_issue() -> None:
    t = table(Patient=PATIENT + "language: $state | state\n")
    _, run = t.fill({"nhs": "9990000018", "state": "secret"})
    assert "secret" not in str(run.issues) and "9990000018" not in str(run.issues)
