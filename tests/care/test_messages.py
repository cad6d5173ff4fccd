"""The actions of a ledger as hub messages: each valid, each the same for the same care, and a withdrawn one told as such."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from adapter import Adapter
from adapter.care.actions import Action
from adapter.care.messages import Sender, messages
from adapter.care.shared_care import SharedCare, shared_care
from adapter.fhir.dates import is_instant
from adapter.fhir.json import encode
from adapter.fhir.outcome import BASE
from adapter.shipped import PROFILES
from tests.care.build import DOSE, ITEM, bundles

Json = dict[str, Any]
OST = f"{BASE}/StructureDefinition/"
RESET = Sender("YZ901", "Reset Treatment Service", "01632 960144")
MADE = "2026-03-20T09:00:00Z"
CODES = [one["code"] for one in json.loads((PROFILES / "CodeSystem-care-action.json").read_text("utf-8"))["concept"]]

#: Supervised on 2 to 5 March, at home on the 6th, then missed from the 7th: the 7th to the 20th are 14 days.
CASE: Json = {
    "forms": [{"id": "F1", "authored": "2026-03-01", "first": "2026-03-02", "last": "2026-03-15"}],
    "doses": [
        {"id": "S", "on": "2026-03-02..2026-03-05", "is": "supervised"},
        {"id": "T", "on": "2026-03-06", "is": "take-home"},
        {"id": "M", "on": "2026-03-07..2026-03-15", "is": "missed"},
    ],
}


def care_of(case: Json, as_of: str, known_at: str | None = None) -> SharedCare:
    [found] = shared_care(bundles(case), as_of, known_at=known_at)
    return found


def with_actions(*actions: Action) -> SharedCare:
    return replace(care_of(CASE, "2026-03-10"), actions=actions)


def action(code: str, *, withdrawn: bool = False) -> Action:
    evidence = (f"{DOSE}|M-1", "urn:uuid:00000000-0000-4000-8000-000000000001", f"{ITEM}|F1#stopped@2026-03-09")
    return Action(code, "2026-03-09", "2026-03-11", "prescriber", "default 1.0.0: said", evidence, "clinical-lead", withdrawn)


def resources(bundle: Json, kind: str) -> list[Json]:
    return [one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == kind]


def event(bundle: Json) -> str:
    return str(bundle["entry"][0]["resource"]["eventCoding"]["code"])


def said(resource: Json, name: str) -> Any:
    return next((one for one in resource["extension"] if one["url"] == OST + name), None)


@pytest.mark.parametrize("withdrawn", [False, True], ids=["due", "withdrawn"])
@pytest.mark.parametrize("code", CODES)
def test_every_action_is_a_valid_message(code: str, withdrawn: bool, ost: Adapter) -> None:
    made = messages(with_actions(action(code, withdrawn=withdrawn)), sender=RESET, made=MADE)
    assert [event(one) for one in made] == (["alert", "referral"] if code == "urgent-referral" else ["alert"])
    for one in made:
        assert ost.judge(one) == []
        assert ost.judge(one, writing=True) == []


def test_an_alert_says_what_is_asked_of_whom_by_when_and_on_what_ground() -> None:
    [made] = messages(with_actions(action("assess-tolerance")), sender=RESET, made=MADE)
    [alert], [task] = resources(made, "Communication"), resources(made, "Task")
    assert said(alert, "alert-status")["valueCode"] == "due"
    assert said(alert, "alert-since")["valueDate"] == "2026-03-09"
    # As of the end of 10 March, in winter time.
    assert said(alert, "as-of")["valueDateTime"] == "2026-03-10T23:59:59+00:00"
    # Missed on the 7th to 10th: 4 in a row, evidenced; 4 days without, and 5 since the last that was seen, on the 5th.
    days = {name: said(alert, name)["valueRange"] for name in ("consecutive-missed", "cumulative-missed", "days-since-dose")}
    assert {name: (one["low"]["value"], one["high"]["value"]) for name, one in days.items()} == {
        "consecutive-missed": (4, 4),
        "cumulative-missed": (4, 4),
        "days-since-dose": (4, 5),
    }
    last = {one["url"]: one for one in said(alert, "last-dose")["extension"]}
    assert last["date"]["valueDate"] == "2026-03-05"
    assert last["quantity"]["valueQuantity"]["value"] == 60
    assert last["certainty"]["valueCode"] == "observed"
    assert said(alert, "last-possible-dose")["valueDate"] == "2026-03-06"
    # Of the days after the last that was seen, those that were not taken or only taken home; M-1 is the 7th.
    shown = [{p["url"]: p.get("valueDate") or p.get("valueCode") for p in one["extension"]}
             for one in alert["extension"] if one["url"] == OST + "dose-day"]  # fmt: skip
    assert shown == [
        {"date": "2026-03-06", "state": "take-home"},
        *({"date": f"2026-03-{day:02}", "state": "missed"} for day in range(7, 11)),
    ]
    assert [one["contentReference"]["identifier"] for one in alert["payload"][1:]] == [
        {"system": DOSE, "value": "M-1"},
        {"system": "urn:ietf:rfc:3986", "value": "urn:uuid:00000000-0000-4000-8000-000000000001"},
        {"system": ITEM, "value": "F1"},
    ]
    assert task["status"] == "requested"
    assert task["restriction"] == {"period": {"end": "2026-03-11"}}
    assert task["performerType"][0]["coding"][0]["code"] == "prescriber"
    assert said(task, "deputy")["valueCode"] == "clinical-lead"
    assert task["identifier"] == alert["identifier"]
    [sender] = resources(made, "Organization")
    assert sender["telecom"] == [{"system": "phone", "value": "01632 960144"}]
    assert made["timestamp"] == MADE and is_instant(made["timestamp"])


def test_a_withdrawal_names_the_alert_and_is_another() -> None:
    [due] = messages(with_actions(action("not-reported")), sender=RESET, made=MADE)
    [gone] = messages(with_actions(action("not-reported", withdrawn=True)), sender=RESET, made=MADE)
    [alert], [withdrawal] = resources(due, "Communication"), resources(gone, "Communication")
    assert withdrawal["inResponseTo"] == [{"identifier": alert["identifier"][0]}]
    assert withdrawal["identifier"] != alert["identifier"]
    assert said(withdrawal, "alert-status")["valueCode"] == "withdrawn"
    [asked], [cancelled] = resources(due, "Task"), resources(gone, "Task")
    assert cancelled["identifier"] == asked["identifier"]
    assert (asked["status"], cancelled["status"]) == ("requested", "cancelled")


def test_a_late_report_withdraws_and_the_message_says_so(ost: Adapter) -> None:
    late: Json = {
        "forms": CASE["forms"],
        "doses": [
            {"id": "S", "on": "2026-03-02..2026-03-05", "is": "supervised"},
            {"id": "M-1", "on": "2026-03-06", "is": "missed"},
            {"id": "M-2", "on": "2026-03-07", "is": "missed", "version": 1},
            {"id": "M-3", "on": "2026-03-08", "is": "missed"},
            # Told on the 12th that the dose of the 7th was seen, as a second version of what was missed.
            {"id": "M-2", "on": "2026-03-07", "is": "supervised", "version": 2, "received": "2026-03-12T09:00:00Z"},
            {"id": "S9", "on": "2026-03-09..2026-03-11", "is": "supervised"},
        ],
    }
    made = messages(care_of(late, "2026-03-12T12:00:00Z"), sender=RESET, made=MADE)
    gone = [one for one in made if said(resources(one, "Communication")[0], "alert-status")["valueCode"] == "withdrawn"]
    codes = [resources(one, "Communication")[0]["topic"]["coding"][0]["code"] for one in gone]
    assert codes == ["discuss-with-prescriber"]
    assert all(ost.judge(one) == [] for one in made)


def test_the_same_care_gives_the_same_bytes() -> None:
    given = bundles(CASE)
    [one], [other] = shared_care(given, "2026-03-20"), shared_care(reversed(given), "2026-03-20")
    first, second = (messages(care, sender=RESET, made=MADE) for care in (one, other))
    assert [encode(each) for each in first] == [encode(each) for each in second]
    assert first and len({each["identifier"]["value"] for each in first}) == len(first)


def test_an_alert_keeps_its_identifier_while_it_stands() -> None:
    def of(as_of: str, made: str) -> dict[str, str]:
        told = messages(care_of(CASE, as_of), sender=RESET, made=made)
        alerts = [resources(one, "Communication")[0] for one in told if event(one) == "alert"]
        return {one["topic"]["coding"][0]["code"]: one["identifier"][0]["value"] for one in alerts}

    early, later = of("2026-03-12", "2026-03-12T20:00:00Z"), of("2026-03-13", "2026-03-13T20:00:00Z")
    both = early.keys() & later.keys()
    assert "supply-not-permitted" in both
    assert {code: early[code] for code in both} == {code: later[code] for code in both}


def test_an_urgent_referral_carries_the_last_dose_the_missed_days_and_the_risk(ost: Adapter) -> None:
    made = messages(care_of(CASE, "2026-03-20"), sender=RESET, made=MADE)
    [referral] = [one for one in made if event(one) == "referral"]
    assert ost.judge(referral) == []
    [request], [task], [flag], [history] = (
        resources(referral, kind) for kind in ("ServiceRequest", "Task", "Flag", "MedicationStatement")
    )
    assert (request["status"], request["priority"]) == ("active", "urgent")
    assert request["category"][0]["coding"][0]["code"] == "restart"
    last = {one["url"]: one for one in said(request, "last-dose")["extension"]}
    # The dose of the 6th was taken home, later than the last that was seen.
    assert (last["date"]["valueDate"], last["certainty"]["valueCode"]) == ("2026-03-06", "supplied")
    assert said(request, "missed-days")["valueUnsignedInt"] == 9  # the 7th to the 15th; after that no form is live
    assert flag["code"]["coding"][0]["code"] == "lost-tolerance"
    assert history["effectivePeriod"] == {"start": "2026-03-02", "end": "2026-03-06"}
    assert history["dosage"][0]["doseAndRate"][0]["doseQuantity"]["value"] == 60
    # The 14th day without a dose is the 20th: since then, and due then.
    assert flag["period"] == {"start": "2026-03-20"}
    assert task["restriction"]["period"]["end"] == "2026-03-20"
    assert {one["reference"] for one in request["supportingInfo"]} == {f"urn:uuid:{one['id']}" for one in (history, flag)}


def test_where_no_dose_is_known_the_referral_says_so(ost: Adapter) -> None:
    never = {"forms": CASE["forms"], "doses": [{"id": "M", "on": "2026-03-02..2026-03-15", "is": "missed"}]}
    made = messages(care_of(never, "2026-03-15"), sender=RESET, made=MADE)
    [referral] = [one for one in made if event(one) == "referral"]
    assert ost.judge(referral) == []
    assert said(resources(referral, "ServiceRequest")[0], "last-dose")["extension"] == [{"url": "unknown", "valueBoolean": True}]
    assert resources(referral, "MedicationStatement") == []


def test_a_referral_whose_ground_is_gone_is_revoked() -> None:
    _, referral = messages(with_actions(action("urgent-referral", withdrawn=True)), sender=RESET, made=MADE)
    states = [resources(referral, kind)[0]["status"] for kind in ("ServiceRequest", "Task", "Flag")]
    assert states == ["revoked", "cancelled", "inactive"]


def test_the_pharmacy_is_named_where_it_is_to_act() -> None:
    told = [replace(action("not-reported"), owner="pharmacist"), action("restart-review")]
    to_pharmacy, to_prescriber = messages(with_actions(*told), sender=RESET, made=MADE)
    ods = "https://fhir.nhs.uk/Id/ods-organization-code"
    assert resources(to_pharmacy, "Task")[0]["owner"] == {"identifier": {"system": ods, "value": "FZZ01"}}
    assert resources(to_prescriber, "Task")[0]["owner"]["identifier"]["system"] != ods


@pytest.mark.parametrize("made", ["2026-03-20", "2026-03-20T09:00:00", "soon"])
def test_a_moment_without_a_zone_is_refused(made: str) -> None:
    with pytest.raises(ValueError, match="zone"):
        messages(with_actions(), sender=RESET, made=made)


HEARD = [
    ("alert", "pharmacy/alert"),
    ("alert", "criis/alert"),
    ("referral", "criis/referral"),
    ("referral", "gp_connect/update-record"),
]


@pytest.mark.parametrize(("kind", "target"), HEARD)
def test_what_is_told_is_heard_whole(kind: str, target: str, ost: Adapter) -> None:
    told = messages(care_of(CASE, "2026-03-20"), sender=RESET, made=MADE)
    told += messages(with_actions(action("not-reported", withdrawn=True)), sender=RESET, made=MADE)
    told += messages(with_actions(action("urgent-referral", withdrawn=True)), sender=RESET, made=MADE)
    heard = [one for one in told if event(one) == kind]
    assert len(heard) >= 2
    for one in heard:
        came = ost.translate(encode(one), read="fhir", write=target)
        assert came.result is not None
        assert (came.unread, came.issues.get("issue", [])[1:]) == ({"source": [], "bundle": []}, [])
