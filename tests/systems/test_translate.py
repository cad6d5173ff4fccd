"""Translation as a caller sees it: names, directions, events, refusals whole, nothing written on an error, determinism."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import adapter
from adapter import Adapter, Refused, Unknown
from adapter.fhir.json import decode, encode
from adapter.fhir.outcome import rule_of
from adapter.interfaces.views import explained
from adapter.shipped import FIXTURES

DOSE = FIXTURES / "pharmacy/dose-outcome/supervised/in.json"


def dose(**changes: Any) -> bytes:
    record = decode(DOSE.read_bytes())
    record["doses"][0].update(changes)
    return encode(record)


def rules(ost: Adapter, body: bytes, **how: Any) -> list[tuple[str, list[str]]]:
    with pytest.raises(Refused) as caught:
        ost.translate(body, **{"read": "pharmacy/dose-outcome", **how})
    return [(rule_of(i), i.get("expression", [])) for i in caught.value.issues if i["severity"] != "warning"]


def test_same_input_same_bytes(ost: Adapter) -> None:
    body = DOSE.read_bytes()
    one = ost.translate(body, read="pharmacy/dose-outcome", write="criis/dose-outcome")
    other = adapter.load().translate(body, read="pharmacy/dose-outcome", write="criis/dose-outcome")
    assert encode(one.bundle) == encode(other.bundle) and one.result == other.result
    assert "received" not in json.dumps(decode(encode(one.bundle)), default=str)


def test_received_is_stamped_where_it_is_given(ost: Adapter) -> None:
    made = ost.translate(DOSE.read_bytes(), read="pharmacy/dose-outcome", received="2026-03-18T18:10:00Z")
    stamped = {"url": "https://ost-adapter.example/fhir/StructureDefinition/received", "valueInstant": "2026-03-18T18:10:00Z"}
    assert stamped in made.bundle["entry"][0]["resource"]["extension"]


def test_profiles_event_source_and_focus_are_stamped(ost: Adapter) -> None:
    bundle = ost.translate(DOSE.read_bytes(), read="pharmacy/dose-outcome").bundle
    header = bundle["entry"][0]["resource"]
    assert header["eventCoding"] == {"system": "https://ost-adapter.example/fhir/CodeSystem/hub-event", "code": "dose-outcome"}
    assert header["source"]["name"] == "pharmacy"
    kinds = {e["fullUrl"]: e["resource"] for e in bundle["entry"]}
    focus = [kinds[f["reference"]] for f in header["focus"]]
    assert {r["meta"]["profile"][0].rpartition("/")[2] for r in focus} == {
        "MedicationDispense-dose",
        "MedicationAdministration-dose",
    }


def test_planned_collections_are_no_focus(ost: Adapter) -> None:
    folder = next(
        p
        for p in sorted((FIXTURES / "pharmacy/prescription").iterdir())
        if (p / "bundle.json").exists() and "instance-order" in (p / "bundle.json").read_text()
    )
    bundle = ost.translate((folder / "in.json").read_bytes(), read="pharmacy/prescription").bundle
    kinds = {e["fullUrl"]: e["resource"] for e in bundle["entry"]}
    assert {kinds[f["reference"]]["intent"] for f in bundle["entry"][0]["resource"]["focus"]} == {"original-order"}


def test_the_way_through_fhir_is_the_same(ost: Adapter) -> None:
    straight = ost.translate(DOSE.read_bytes(), read="pharmacy/dose-outcome", write="criis/dose-outcome")
    middle = encode(ost.translate(DOSE.read_bytes(), read="pharmacy/dose-outcome").bundle)
    assert ost.translate(middle, read="fhir", write="criis/dose-outcome").result == straight.result


def test_every_fault_at_once_with_its_place(ost: Adapter) -> None:
    body = dose(dose_date="18/03/2026", unit="spoon", outcome="perhaps")
    found = rules(ost, body, source="in.json")
    assert {place[0] for _, place in found} == {"doses[0].dose_date", "doses[0].unit", "doses[0].outcome"}


def test_two_events_with_one_identifier_are_refused(ost: Adapter) -> None:
    record = decode(DOSE.read_bytes())
    record["doses"] = [record["doses"][0], record["doses"][0]]
    assert "duplicate-key" in [rule for rule, _ in rules(ost, encode(record))]


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"", "json-empty"),
        (b"[]", "not-an-object"),
        (b'{"a": 1, "a": 2}', "json-duplicate-key"),
        (b"\xff", "json-encoding"),
        (b"null", "not-an-object"),
    ],
)
def test_bytes_that_are_no_payload(ost: Adapter, body: bytes, rule: str) -> None:
    assert [r for r, _ in rules(ost, body)] == [rule]
    with pytest.raises(Refused):
        ost.translate(body, read="fhir")


def test_a_bundle_that_is_none_of_the_hubs(ost: Adapter) -> None:
    assert [r for r, _ in rules(ost, b'{"resourceType": "Bundle", "type": "collection"}', read="fhir")] == ["not-a-message"]
    assert "hub-event" in [
        r for r, _ in rules(ost, b'{"resourceType": "Bundle", "type": "message", "entry": [{"resource": {}}]}', read="fhir")
    ]


def test_an_event_that_the_target_does_not_hear(ost: Adapter) -> None:
    assert ("event", ["Bundle.entry[0].resource.event"]) in rules(ost, DOSE.read_bytes(), write="criis/prescription")


@pytest.mark.parametrize(
    ("how", "nearest"),
    [
        ({"read": "pharmcy/dose-outcome"}, "pharmacy"),
        ({"read": "pharmacy/dose-outcom"}, "pharmacy/dose-outcome"),
        ({"read": "pharmacy/dose-outcome", "write": "emis/issue"}, ""),
        ({"read": "gp_connect/update-record"}, ""),
        ({"read": "pharmacy"}, "pharmacy/"),
    ],
)
def test_unknown_names_give_the_nearest(ost: Adapter, how: dict[str, str], nearest: str) -> None:
    with pytest.raises(Unknown) as caught:
        ost.translate(DOSE.read_bytes(), **how)  # type: ignore[arg-type]
    assert not nearest or any(name.startswith(nearest) for name in caught.value.nearest)


def test_with_refuse_off_the_result_says_all_and_writes_nothing(ost: Adapter) -> None:
    bundle = decode(encode(ost.translate(DOSE.read_bytes(), read="pharmacy/dose-outcome").bundle))
    dispense = next(e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "MedicationDispense")
    dispense["modifierExtension"] = [{"url": "https://example.org/not", "valueBoolean": True}]
    made = ost.translate(encode(bundle), read="fhir", write="criis/dose-outcome", refuse=False)
    assert made.refused and made.result is None and made.issues["resourceType"] == "OperationOutcome"


def test_no_issue_quotes_a_value(ost: Adapter) -> None:
    body = dose(dose_date="9990000018 SECRET", unit="SECRET", note=7)
    with pytest.raises(Refused) as caught:
        ost.translate(body, read="pharmacy/dose-outcome")
    said = json.dumps(caught.value.issues) + str(caught.value)
    assert "SECRET" not in said and "9990000018" not in said


def test_lenient_carries_a_failing_nhs_number(ost: Adapter) -> None:
    folder = FIXTURES / "pharmacy/dose-outcome/refused-nhs-number-check-digit"
    body = (folder / "in.json").read_bytes()
    assert "nhs-number" in [r for r, _ in rules(ost, body)]
    made = adapter.load(lenient=True).translate(body, read="pharmacy/dose-outcome", write="criis/dose-outcome")
    assert made.result is not None and "nhs-number" in [rule_of(i) for i in made.found if i["severity"] == "warning"]


def test_an_extract_comes_record_by_record(ost: Adapter, tmp_path: Path) -> None:
    assert ("many-records", ["."]) in rules(ost, b"{}", read="emis/issue")
    rows = list(ost.many(FIXTURES / "emis/issue/several/in", read="emis/issue"))
    assert len(rows) == 3 and not any(isinstance(r, Refused) for r in rows)
    bad = list(ost.many(FIXTURES / "emis/issue/unknown-patient/in", read="emis/issue"))
    assert any(isinstance(r, Refused) for r in bad)


def test_what_is_left_out_on_purpose_is_told_with_its_reason(ost: Adapter) -> None:
    body = (FIXTURES / "criis/care-plan/recovery-plan-in-full/in.json").read_bytes()
    done = ost.translate(body, read="criis/care-plan", write="pharmacy/care-plan")
    entries = [entry["resource"]["resourceType"] for entry in done.bundle["entry"]]
    why = "what the person wants to reach stays between the person and the service"
    of_goals = {f"Bundle.entry[{i}].resource" for i, kind in enumerate(entries) if kind == "Goal"}
    told = done.ignored["bundle"]
    assert of_goals and {place for place in of_goals if told[place] == why} == of_goals
    plan = f"Bundle.entry[{entries.index('CarePlan')}].resource"
    assert told[f"{plan}.created"] == "when it was recorded and from when it holds are told"
    assert told[f"{plan}.activity[0].detail.goal[0].reference"] == why  # by the resource's own map
    assert done.ignored["source"] == {}
    assert explained(done)["ignored"]["bundle"] == [{"path": path, "reason": reason} for path, reason in told.items()]
    assert explained(Refused([]))["ignored"] == {"source": [], "bundle": []}


def test_what_a_source_s_own_map_leaves_out_is_told_too(ost: Adapter) -> None:
    found = ost.many(FIXTURES / "emis/patient/registered/in", read="emis/patient")
    told = [done.ignored["source"] for done in found if not isinstance(done, Refused)]
    assert told and told[0]["PatientTypeDescription"].startswith("the kind of registration belongs to")


def test_what_led_nowhere_is_named_and_not_its_neighbour(ost: Adapter) -> None:
    record = decode((FIXTURES / "criis/care-plan/recovery-plan-in-full/in.json").read_bytes())
    goals = record["episode"]["plan"]["activities"][0]["forGoals"]
    goals[:] = ["no such goal", *goals]
    done = ost.translate(encode(record), read="criis/care-plan", write="gp_connect/update-record")
    path = "episode.plan.activities[0].forGoals"
    assert done.unread["source"] == [f"{path}[0]"]
    plan = next(i for i, entry in enumerate(done.bundle["entry"]) if entry["resource"]["resourceType"] == "CarePlan")
    came = {row["target"]: row["source"] for row in done.lineage if row["source"].startswith(path)}
    assert came == {
        f"Bundle.entry[{plan}].resource.activity[0].detail.goal[{k}].reference": f"{path}[{k + 1}]" for k in range(len(goals) - 1)
    }
