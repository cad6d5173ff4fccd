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
    [request], [task], [flag, *others], [history] = (
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
    assert {one["reference"] for one in request["supportingInfo"]} == {
        f"urn:uuid:{one['id']}" for one in (history, flag, *others)
    }
    # Besides: a stop since the fifth missed day (the 11th), no form since the 16th, and no kit since the first form.
    assert [(one["code"]["text"], one["period"]["start"], one["status"]) for one in others] == [
        ("Supply not permitted", "2026-03-11", "active"),
        ("Nobody prescribes", "2026-03-16", "active"),
        ("Naloxone due", "2026-03-01", "active"),
    ]
    assert all(one["extension"][0]["valueAnnotation"]["text"] for one in others)


def test_an_urgent_referral_tells_the_doses_day_by_day_the_consent_and_whom_to_ring(ost: Adapter) -> None:
    """Two doses a day from the 2nd, of which on the 6th one was taken; the form ends on the 15th."""
    form = {**CASE["forms"][0], "doses-a-day": 2, "mg": 30}
    doses = [
        {"id": "S1", "on": "2026-03-02..2026-03-05", "is": "supervised", "n": 1},
        {"id": "S2", "on": "2026-03-02..2026-03-05", "is": "take-home", "n": 2},
        {"id": "S3", "on": "2026-03-06", "is": "partial", "n": 1, "mg": 10},
        {"id": "M1", "on": "2026-03-06..2026-03-15", "is": "missed", "n": 2},
        {"id": "M2", "on": "2026-03-07..2026-03-15", "is": "missed", "n": 1},
    ]
    given = json.loads(json.dumps(bundles({"forms": [form], "doses": doses})))
    prescriber = {"identifier": {"system": "https://fhir.hl7.org.uk/Id/gphc-number", "value": "9900001"}}
    role = {"resourceType": "PractitionerRole", "id": "r", "practitioner": prescriber, "telecom": [{"system": "phone", "value": "01632 960111"}]}
    consent: Json = {
        "resourceType": "Consent", "id": "c", "identifier": [{"system": "https://reset.example/consent", "value": "C1"}],
        "extension": [{"url": f"{OST}consent-decision", "valueCode": "granted"}], "dateTime": "2026-02-01",
        "category": [{"coding": [{"system": f"{BASE}/CodeSystem/consent-category", "code": "information-sharing"}]}],
        "provision": {"actor": [{"reference": {"identifier": {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "YZ901"}}}]},
    }  # fmt: skip
    given[0]["entry"] += [{"fullUrl": f"urn:uuid:{one['id']}", "resource": one} for one in (role, consent)]
    [care] = shared_care(given, "2026-03-20")
    [referral] = [one for one in messages(care, sender=RESET, made=MADE) if event(one) == "referral"]
    assert ost.judge(referral) == []
    [request] = resources(referral, "ServiceRequest")
    # Taken home in part on the 2nd to the 5th: none of these days was seen whole, so that the days begin with the ledger's first.
    assert request["note"] == [{"text": (
        "Dose days from 2026-03-02, by what was known: "
        "2026-03-02 to 2026-03-05: Taken home (dose 1 Supervised 30 mg, dose 2 Taken home 30 mg); "
        "2026-03-06: Partial (dose 1 Partial 10 mg, dose 2 Missed); "
        "2026-03-07 to 2026-03-15: Missed (dose 1 Missed, dose 2 Missed); "
        "2026-03-16 to 2026-03-20: Not expected. "
        "Last dose that was observed or is evidenced by the place that gave it: none is known. "
        "A dose may have been taken as late as 2026-03-05 (Taken home (dose 1 Supervised 30 mg, dose 2 Taken home 30 mg)). "
        "Consent to share, as recorded: with YZ901 granted 2026-02-01. "
        "Whom to ring about this referral: Reset Treatment Service, 01632 960144. "
        "Prescriber: 9900001, 01632 960111. Pharmacy: FZZ01."
    )}]  # fmt: skip


#: F1 is supplied by FZZ01 with a collection on the 9th, F2 is the next; F3 is held; F4 was stopped before the death, F5 had ended.
DEATH: Json = {
    "forms": [
        {**CASE["forms"][0], "pharmacy": "FZZ01", "collections": [
            {"on": "2026-03-06", "covers": ["2026-03-06", "2026-03-07", "2026-03-08"]}, {"on": "2026-03-09", "covers": ["2026-03-09", "2026-03-10"]}]},
        {"id": "F2", "authored": "2026-03-08", "first": "2026-03-16", "last": "2026-03-29", "pharmacy": "FZZ02"},
        {"id": "F3", "authored": "2026-03-01", "first": "2026-03-02", "last": "2026-03-14", "pharmacy": "FZZ03"},
        {"id": "F4", "authored": "2026-03-01", "first": "2026-03-02", "last": "2026-03-14", "pharmacy": "FZZ04"},
        {"id": "F5", "authored": "2026-02-15", "first": "2026-02-16", "last": "2026-03-01", "pharmacy": "FZZ05"},
    ],
    "changes": [
        {"form": "F3", "type": "held", "effective": "2026-03-03T09:00:00Z"},
        {"form": "F4", "type": "stopped", "effective": "2026-03-04T09:00:00Z"},
    ],
    "doses": [{"id": "S", "on": "2026-03-02..2026-03-08", "is": "supervised"}],
    "death": {"on": "2026-03-09", "received": "2026-03-09T16:00:00Z"},
}  # fmt: skip


def of_death(given: list[Json], *, withdrawn: bool = False) -> tuple[Json, Json]:
    """The alert of the death, and the resource of it."""
    [care] = shared_care(given, "2026-03-10")
    [one] = [one for one in care.actions if one.code == "stop-supply-deceased"]
    assert one.withdrawn is withdrawn
    [made] = messages(replace(care, actions=(one,)), sender=RESET, made=MADE)
    return made, resources(made, "Communication")[0]


def told_to(alert: Json) -> list[str]:
    return [one["identifier"]["value"] for one in alert["recipient"]]


def death_messages() -> list[Json]:
    """The messages of DEATH; another prescriber wrote F2, and the episode has a coordinator."""
    given: list[Json] = json.loads(json.dumps(bundles(DEATH)))
    [form] = [one for one in resources(given[1], "MedicationRequest") if "authoredOn" in one]
    form["requester"]["identifier"]["value"] = "9900002"
    manager = {"identifier": {"system": "https://reset.example/staff", "value": "KW1"}, "display": "Jo Keyworker"}
    episode = {"resourceType": "EpisodeOfCare", "id": "e", "identifier": [{"system": "https://reset.example/episode", "value": "E1"}],
               "status": "active", "careManager": manager}  # fmt: skip
    given[0]["entry"].append({"fullUrl": "urn:uuid:e", "resource": episode})
    return given


def test_a_death_is_told_to_every_pharmacy_and_prescriber_of_a_supply_that_it_stops(ost: Adapter) -> None:
    made, alert = of_death(death_messages())
    assert ost.judge(made) == []
    # Who acts is the pharmacy of the form that ends last (F2), the deputy its prescriber; then the coordinator, and those of F1 to F3.
    assert told_to(alert) == ["FZZ02", "9900002", "KW1", "FZZ01", "FZZ03", "9900001"]
    evidence = [one["contentReference"]["identifier"]["value"] for one in alert["payload"][1:]]
    assert evidence == ["9990000018", "F3", "F1", "F2", "urn:uuid:collection-F1-1"]
    [task] = resources(made, "Task")
    assert task["owner"]["identifier"]["value"] == "FZZ02"
    for target in ("pharmacy/alert", "criis/alert", "gp_connect/update-record"):
        came = ost.translate(encode(made), read="fhir", write=target)
        assert came.result is not None
        assert (came.unread, came.issues.get("issue", [])[1:]) == ({"source": [], "bundle": []}, [])


def test_a_form_that_is_stopped_on_the_day_of_the_death_is_told_of_as_well() -> None:
    given = death_messages()
    stop = {"form": "F1", "type": "stopped", "effective": "2026-03-09T09:00:00Z", "reason": "deceased"}
    _, alert = of_death([*given, *bundles({"changes": [stop]})])
    assert "FZZ01" in told_to(alert)


def test_that_a_death_is_taken_back_is_told_to_all_who_were_told_of_it() -> None:
    given = death_messages()
    _, alert = of_death(given)
    denial = json.loads(json.dumps(given[-1]))
    denial["entry"][0]["resource"]["extension"][0]["valueInstant"] = "2026-03-10T09:00:00Z"
    del denial["entry"][1]["resource"]["deceasedDateTime"]
    denial["entry"][1]["resource"]["deceasedBoolean"] = False
    _, withdrawal = of_death([*given, denial], withdrawn=True)
    assert told_to(withdrawal) == told_to(alert)


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
