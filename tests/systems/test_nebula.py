"""nebula's CSV beyond its fixtures: clocks, numbers, the codes that are coarser than the hub's, and files of many messages."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from adapter import Adapter, Refused, Translation
from adapter.care.messages import messages
from adapter.fhir.json import decode, encode
from adapter.fhir.outcome import place_of, rule_of
from adapter.mapping.codecs import REGISTRY
from adapter.shipped import FIXTURES, MAPPINGS, PROFILES
from adapter.systems import nebula
from tests import codes
from tests.care.test_messages import MADE, RESET, action, with_actions
from tests.test_fixtures import RECEIVED

#: Moments in the hub, and what a clock in London shows. The last Sundays of 2026: 29 March and 25 October.
MOMENTS = [
    ("2026-03-18T09:12:00+00:00", "18/03/2026 09:12"),
    ("2026-06-18T09:12:00+01:00", "18/06/2026 09:12"),
    ("2026-06-18T09:12:30+01:00", "18/06/2026 09:12:30"),
    ("2026-06-18T09:12:00.250+01:00", "18/06/2026 09:12:00.250"),
    ("2026-10-25T01:30:00+01:00", "25/10/2026 01:30 BST"),
    ("2026-10-25T01:30:00+00:00", "25/10/2026 01:30 GMT"),
    ("2026-10-25T02:00:00+00:00", "25/10/2026 02:00"),
    ("2026-03-29T00:59:00+00:00", "29/03/2026 00:59"),
    ("2026-03-29T02:00:00+01:00", "29/03/2026 02:00"),
    ("2026-03-18", "18/03/2026"),
    ("2026-03", "03/2026"),
    ("2026", "2026"),
    ("2024-02-29", "29/02/2024"),
]


@pytest.mark.parametrize(("hub", "cell"), MOMENTS)
def test_dates_and_times_both_ways(hub: str, cell: str) -> None:
    assert nebula.read_when(cell) == hub
    assert nebula.write_when(hub) == cell


@pytest.mark.parametrize(
    ("hub", "cell"),
    [
        ("2026-03-18T09:12:00Z", "18/03/2026 09:12"),
        ("2026-06-18T08:12:00Z", "18/06/2026 09:12"),
        ("2026-06-18T00:30:00+02:00", "17/06/2026 23:30"),
        ("2026-10-25T00:30:00Z", "25/10/2026 01:30 BST"),
        ("2026-10-24T20:30:00-04:00", "25/10/2026 01:30 BST"),
        ("2026-03-29T01:30:00Z", "29/03/2026 01:30 GMT"),
        ("2026-06-18T23:30:00Z", "19/06/2026 00:30"),
    ],
)
def test_another_spelling_of_a_moment_is_the_same_moment(hub: str, cell: str) -> None:
    from adapter.fhir.dates import to_datetime

    assert nebula.write_when(hub) == cell
    assert to_datetime(nebula.read_when(cell)) == to_datetime(hub)


@pytest.mark.parametrize(
    "cell",
    [
        "2026-03-18",
        "18/3/2026",
        "18-03-2026",
        "03/18/2026",
        "31/04/2026",
        "29/02/2026",
        "18/03/26",
        "18/03/2026 9:12",
        "18/03/2026 24:00",
        "18/03/2026T09:12",
        "25/10/2026 01:30",  # shown twice
        "29/03/2026 01:30",  # never shown
        "18/03/2026 09:12 GMT",  # a zone where none is needed
        "",
    ],
)
def test_any_other_form_of_a_date_is_refused(cell: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        nebula.read_when(cell)


@pytest.mark.parametrize(
    "value", ["2026-03-18T09:12", "2026-03-18T09:12:00", "18/03/2026", "2026-02-30", "2026-03-18T09:12:60Z", ""]
)
def test_what_is_no_date_of_fhir_is_not_written(value: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        nebula.write_when(value)


@pytest.mark.parametrize(
    ("text", "number"), [("40", 40), ("40.0", Decimal("40.0")), ("0.125", Decimal("0.125")), ("-0.5", Decimal("-0.5")), ("0", 0)]
)
def test_a_number_keeps_its_digits(text: str, number: Any) -> None:
    made = nebula.read_number(text)
    assert (made, type(made), str(made)) == (number, type(number), str(number))
    assert nebula.write_number(number) == text


@pytest.mark.parametrize("text", ["12,5", "1e3", "040", "40ml", ".5", "5.", "+4", " 4", "", "NaN", "٤"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="number"):
        nebula.read_number(text)


def test_a_number_is_written_without_an_exponent_and_a_truth_is_none() -> None:
    assert nebula.write_number(Decimal("1E+2")) == "100"
    for value in (True, "40", None):
        with pytest.raises(TypeError):
            nebula.write_number(value)


def test_an_address_of_more_than_three_lines_is_not_cut() -> None:
    assert nebula.write_lines(["a", "b"]) == ("a", "b", None)
    assert nebula.write_lines(["a", "b", "c", "d"]) == (None, None, None)
    assert nebula.read_lines(("a", "b", None)) == ["a", "b"]


#: docs/hub.md, consultation: (state of the record, attendance) -> status.
STATUSES: dict[tuple[str, str | None], str] = {
    **{("F", a): "finished" for a in ("A", "L", None)},
    **{("O", a): "in-progress" for a in ("A", "L", None)},
    **{("F", a): "cancelled" for a in ("D", "P", "S")},
    ("F", "B"): "planned",
    ("U", None): "unknown",
    **{("W", a): "entered-in-error" for a in ("A", "L", "D", "P", "S", "B", None)},
}


@pytest.mark.parametrize(("pair", "status"), list(STATUSES.items()))
def test_status_of_a_session_both_ways(pair: tuple[str, str | None], status: str) -> None:
    codec = REGISTRY["nebula-session-status"]
    assert codec.read(pair) == status
    assert codec.write is not None
    assert codec.write(status) == (pair[0], None)


def test_only_two_media_are_face_to_face() -> None:
    read = REGISTRY["nebula-session-class"].read
    assert {m: read((m, "F")) for m in ("F", "H", "T", "V", "W", "X", "U", None)} == {
        "F": "AMB", "H": "HH", "T": "VR", "V": "VR", "W": "VR", "X": "VR", "U": "VR", None: "VR",
    }  # fmt: skip


# codes ------------------------------------------------------------------------------------------------------------------
#: Nebula's code -> the hub's codes that are written as it; the first is what it is read as.
LISTS: dict[str, dict[str, str]] = {
    "nhs-no-status": {"V": "01", "N": "02", "Q": "03 04 05 06 07 08"},
    "plan-kind": {"R": "recovery", "S": "shared-care", "K": "risk-management", "O": "other health-check relapse-and-restart"},
    "activity": {
        "RX": "opioid-substitution detoxification",
        "SC": "supervised-consumption",
        "KW": "keywork",
        "PS": "psychosocial peer-support",
        "HC": "health-check blood-borne-virus",
        "DS": "drug-screen",
        "NX": "naloxone",
        "HO": "housing",
        "MH": "mental-health",
        "OT": "other employment-education",
    },
    "activity-state": {
        "N": "not-started",
        "S": "scheduled",
        "P": "in-progress",
        "H": "on-hold",
        "C": "completed",
        "X": "stopped cancelled",
        "U": "unknown",
        "E": "entered-in-error",
    },
    "goal-state": {
        "P": "planned proposed",
        "A": "active accepted",
        "H": "on-hold",
        "C": "completed",
        "X": "cancelled rejected",
        "E": "entered-in-error",
    },
    "achievement": {
        "Y": "achieved sustaining",
        "N": "not-achieved no-progress not-attainable",
        "P": "in-progress improving worsening no-change",
    },
    "attendance": {
        "A": "attended attended-late",
        "L": "left-before-seen",
        "D": "did-not-attend",
        "P": "cancelled-by-person",
        "S": "cancelled-by-service",
        "B": "booked",
    },
    "care-action": {
        "DISC": "discuss-with-prescriber",
        "SUIT": "suitability-review",
        "HAND": "handover-missing",
        "CONF": "confirm-last-dose",
        "EVID": "conflicting-evidence",
        "DBLE": "possible-double-dose",
        "ENDS": "order-ending",
        "DEPO": "depot-due",
        "TOLR": "assess-tolerance",
        "STOP": "supply-not-permitted",
        "REFR": "urgent-referral",
        "NREP": "not-reported",
        "AFTR": "supply-after-stop",
        "OVER": "overlapping-orders",
        "GAP": "prescriber-gap",
        "REST": "restart-review",
        "NMEN": "ost-not-mentioned",
        "DECD": "stop-supply-deceased",
        "CONS": "consultation-due",
        "REVW": "joint-review-due strategic-review-due",
        "TOP": "outcome-profile-due",
        "HLTH": "health-check-due",
        "CSNT": "consent-due",
        "NALX": "naloxone-due",
        "INCD": "incident-notice",
    },
    "medium": {
        "F": "face-to-face",
        "H": "home-visit",
        "T": "telephone",
        "V": "video",
        "W": "written text-message",
        "X": "no-contact third-party",
        "U": "unknown",
    },
    "session-kind": {
        "K": "keywork",
        "R": "prescribing-review joint-review strategic-review",
        "A": "assessment",
        "C": "health-check",
        "G": "group",
        "O": "other pharmacy-consultation outreach gp-consultation",
    },
    "referral-kind": {
        "T": "treatment",
        "R": "restart",
        "M": "mental-health",
        "H": "residential-rehabilitation",
        "I": "inpatient-detoxification",
        "P": "physical-health hepatology",
        "S": "safeguarding",
        "O": "other housing",
    },
    "risk": {
        "TOL": "lost-tolerance",
        "OD": "overdose no-naloxone",
        "INJ": "injecting",
        "POLY": "polydrug-use",
        "ALC": "alcohol",
        "SH": "self-harm",
        "MH": "mental-health",
        "SG": "safeguarding-adult domestic-abuse",
        "CH": "safeguarding-child",
        "PREG": "pregnancy",
        "PH": "physical-health",
        "VIOL": "violence-to-staff",
        "OT": "other homelessness",
    },
    "outcome-state": {
        "R": "requested draft received",
        "A": "accepted ready",
        "J": "rejected",
        "P": "in-progress",
        "H": "on-hold",
        "C": "completed",
        "X": "cancelled",
        "F": "failed",
        "E": "entered-in-error",
    },
    "referral-outcome": {
        "W": "waiting",
        "B": "appointment-booked",
        "S": "seen",
        "D": "did-not-attend",
        "N": "not-eligible declined-by-person panel-refused",
        "R": "re-engaged",
        "F": "panel-approved",
        "O": "other",
    },
}
#: Those whose hub codes are a CodeSystem of ours, which can be counted.
OURS = {
    "plan-kind": "care-plan-kind",
    "activity": "care-plan-activity",
    "attendance": "attendance",
    "care-action": "care-action",
    "medium": "consultation-medium",
    "session-kind": "consultation-type",
    "referral-kind": "referral-kind",
    "risk": "risk",
    "referral-outcome": "referral-outcome",
}


def test_every_coarse_list_is_listed() -> None:
    assert set(LISTS) == set(nebula.COARSE)


@pytest.mark.parametrize("name", list(LISTS))
def test_coarse_codes_both_ways(name: str) -> None:
    codec = REGISTRY[f"nebula-{name}"]
    assert codec.write is not None
    for ours, theirs in LISTS[name].items():
        assert codec.read(ours) == theirs.split()[0]
        assert [codec.write(code) for code in theirs.split()] == [ours] * len(theirs.split())
    for half in (codec.read, codec.write):
        with pytest.raises(KeyError):
            half("none-such")


@pytest.mark.parametrize(("name", "system"), list(OURS.items()))
def test_no_code_of_the_hub_is_left_without_one(name: str, system: str) -> None:
    concepts = json.loads((PROFILES / f"CodeSystem-{system}.json").read_text("utf-8"))["concept"]
    assert {c["code"] for c in concepts} == {code for codes in LISTS[name].values() for code in codes.split()}


def told(made: Translation, rule: str = "coarser") -> list[str]:
    found = [i for i in made.found if rule_of(i) == rule]
    assert all(i["severity"] == "warning" for i in found)
    return sorted(i["expression"][0] for i in found)


def write(ost: Adapter, case: str) -> Translation:
    message = case.rpartition("/")[0]
    return ost.translate((FIXTURES / case / "bundle.json").read_bytes(), read="fhir", write=message, refuse=False)


def test_every_code_that_is_written_wider_is_told(ost: Adapter) -> None:
    at = "Bundle.entry[{}].resource.{}".format
    status = "identifier[0].extension[0].value.coding[0].code"
    assert told(write(ost, "nebula/dose-outcome/write-person-in-more-than-it-holds")) == [at(1, status)]
    assert told(write(ost, "nebula/care-plan/write-from-criis")) == [
        at(5, "lifecycleStatus"),
        at(6, "achievementStatus.coding[0].code"),
        at(6, "lifecycleStatus"),
        at(7, "activity[0].detail.code.coding[0].code"),
        at(7, "activity[0].detail.status"),
        at(7, "category[0].coding[0].code"),
    ]
    assert told(write(ost, "nebula/keywork-session/write-from-the-practice")) == [
        at(7, "extension[0].value"),
        at(7, "extension[1].value"),
        at(7, "type[0].coding[0].code"),
    ]
    assert told(write(ost, "nebula/referral/write-from-criis")) == [
        at(4, "code.coding[0].code"),
        at(5, "code.coding[0].code"),
        at(6, "category[0].coding[0].code"),
        at(6, "category[1].coding[0].code"),
        at(7, "businessStatus.coding[0].code"),
        at(7, "status"),
    ]
    assert told(write(ost, "nebula/alert/write-wider-action")) == [
        at(3, "topic.coding[0].code"),
        at(4, "code.coding[0].code"),
    ]


@pytest.mark.parametrize(
    "case",
    [
        "dose-outcome/write-from-pharmacy",
        "prescription/write-from-criis",
        "prescription-change/write-from-criis",
        "alert/write-from-shared-care",
    ],
)
def test_nothing_is_called_wider_that_is_not(ost: Adapter, case: str) -> None:
    assert told(write(ost, f"nebula/{case}")) == []


# what others hear of it -------------------------------------------------------------------------------------------------
ROUTES = [
    ("dose-outcome", "supervised-then-vomited", "pharmacy/dose-outcome"),
    ("dose-outcome", "elsewhere-and-depot", "criis/dose-outcome"),
    ("dose-outcome", "every-outcome", "gp_connect/update-record"),
    ("prescription", "every-column", "pharmacy/prescription"),
    ("prescription", "every-column", "criis/prescription"),
    ("prescription-change", "every-column", "pharmacy/prescription-change"),
    ("prescription-change", "every-column", "criis/prescription-change"),
    ("prescription-change", "held-in-words", "gp_connect/update-record"),
    ("care-plan", "no-goal-no-activity", "criis/care-plan"),
    ("keywork-session", "every-column", "criis/keywork-session"),
    ("referral", "every-column", "criis/referral"),
    ("alert", "every-column", "pharmacy/alert"),
    ("alert", "every-column", "criis/alert"),
    ("alert", "withdrawn", "gp_connect/update-record"),
]


@pytest.mark.parametrize(("message", "case", "target"), ROUTES)
def test_what_nebula_says_others_hear(ost: Adapter, message: str, case: str, target: str) -> None:
    body = (FIXTURES / "nebula" / message / case / "in.csv").read_bytes()
    assert ost.translate(body, read=f"nebula/{message}", write=target, received=RECEIVED).result


@pytest.mark.parametrize(
    ("message", "case", "target", "places"),
    [
        (
            "prescription",
            "two-strengths-weekly",
            "criis/prescription",
            {"episode.regimens[0].titration[0].stage"},
        ),
        ("care-plan", "every-column", "criis/care-plan", {"episode.plan.goals[0].dueDate"}),
    ],
)
def test_what_another_contract_asks_for_and_nebula_does_not_say_is_refused_by_name(
    ost: Adapter, message: str, case: str, target: str, places: set[str]
) -> None:
    body = (FIXTURES / "nebula" / message / case / "in.csv").read_bytes()
    with pytest.raises(Refused) as caught:
        ost.translate(body, read=f"nebula/{message}", write=target, received=RECEIVED)
    assert places <= {e for i in caught.value.issues for e in i.get("expression", ())}


@pytest.mark.parametrize(
    "message", ["dose-outcome", "prescription", "prescription-change", "care-plan", "keywork-session", "referral", "alert"]
)
def test_what_nebula_reads_it_writes_again(ost: Adapter, message: str) -> None:
    """Every fixture, up to the order of the columns of a row, which is the contract's, and of rows that stand alone."""
    cases = [
        f for f in sorted((FIXTURES / "nebula" / message).iterdir()) if (f / "in.csv").exists() and (f / "bundle.json").exists()
    ]
    assert len(cases) >= 4
    for case in cases:
        body = (case / "in.csv").read_bytes()
        made = ost.translate(body, read=f"nebula/{message}", write=f"nebula/{message}").result
        if case.name != "goal-that-is-not-there":  # its goal is told as unread
            assert made is not None
            assert sorted(_rows(made)) == sorted(_rows(body)), case.name


def _rows(body: bytes) -> list[list[str]]:
    import csv
    import io

    return list(csv.reader(io.StringIO(body.decode(), newline="")))


# alerts -----------------------------------------------------------------------------------------------------------------
CARE = json.loads((PROFILES / "CodeSystem-care-action.json").read_text("utf-8"))["concept"]
DAY_STATES = {
    "S": "supervised",
    "H": "take-home",
    "M": "missed",
    "W": "withheld",
    "N": "not-swallowed",
    "P": "partial",
    "E": "elsewhere-evidenced",
    "X": "elsewhere-unreported",
    "D": "depot",
    "U": "unreported",
    "Y": "due",
    "C": "conflict",
    "O": "not-expected",
}


def alert_rows(made: Translation) -> list[dict[str, str]]:
    head, *rows = _rows(made.result or b"")
    return [dict(zip(head, row, strict=True)) for row in rows]


@pytest.mark.parametrize("withdrawn", [False, True], ids=["due", "withdrawn"])
@pytest.mark.parametrize("code", [c["code"] for c in CARE])
def test_what_the_ledger_raises_arrives(code: str, withdrawn: bool, ost: Adapter) -> None:
    """Every action of the shared care, due and withdrawn, as a worker reads it; the values are those of the case in test_messages."""
    [bundle, *_] = messages(with_actions(action(code, withdrawn=withdrawn)), sender=RESET, made=MADE)
    made = ost.translate(encode(bundle), read="fhir", write="nebula/alert")
    rows = alert_rows(made)
    assert {row["ROW_TYPE"] for row in rows} <= {"D", "E"}
    assert {LISTS["care-action"][row["ACTION"]].split()[0] for row in rows} == {
        {"strategic-review-due": "joint-review-due"}.get(code, code)
    }
    wanted = {
        "ALERT_STATE": "W" if withdrawn else "D",
        "RING": "01632 960144",
        "SINCE": "09/03/2026",
        "AS_OF": "10/03/2026 23:59:59",
        "MISSED_LEAST": "4",
        "MISSED_MOST": "4",
        "WITHOUT_LEAST": "4",
        "WITHOUT_MOST": "5",
        "LAST_DOSE": "05/03/2026",
        "LAST_DOSE_AMOUNT": "60",
        "LAST_DOSE_UNIT": "MGM",
        "LAST_DOSE_CERTAINTY": "O",
        "LAST_POSSIBLE_DOSE": "06/03/2026",
        "ROLE": "PR",
        "DEPUTY": "CL",
        "DUE": "11/03/2026",
        "POLICY": "default 1.0.0: said",
    }
    for row in rows:
        assert {name: row[name] for name in wanted} == wanted
        assert bool(row["WITHDRAWS_ID"]) == withdrawn
        assert row["TASK_ID"] == (row["WITHDRAWS_ID"] or row["ALERT_ID"])
    evidence = [row["EVIDENCE_ID"] for row in rows if row["ROW_TYPE"] == "E"]
    assert evidence == ["M-1", "urn:uuid:00000000-0000-4000-8000-000000000001", "F1"]
    days = {row["DAY"]: row["DAY_STATE"] for row in rows if row["ROW_TYPE"] == "D"}
    assert days["07/03/2026"] == "M"  # M-1 is its record


def test_no_state_of_a_day_is_written_as_another() -> None:
    """Unreported is neither taken nor missed: every code has one of its own."""
    rows = json.loads((MAPPINGS / "nebula/codes/dose-day-state.json").read_text("utf-8"))["group"][0]["element"]
    assert {one["code"]: one["target"][0]["code"] for one in rows} == DAY_STATES
    states = json.loads((PROFILES / "CodeSystem-dose-day-state.json").read_text("utf-8"))["concept"]
    assert sorted(DAY_STATES.values()) == sorted(one["code"] for one in states)


@pytest.mark.parametrize("target", ["nebula/alert", "pharmacy/alert", "criis/alert", "gp_connect/update-record"])
def test_the_records_of_an_alert_without_words_all_arrive(target: str, ost: Adapter) -> None:
    """What is told in words stands first of the payload where it stands: without it the first is a record."""
    source = decode((FIXTURES / "nebula/alert/last-dose-not-known/bundle.json").read_bytes())
    made = ost.translate(encode(source), read="fhir", write=target, refuse=False)
    assert [place for place in made.unread["bundle"] if "payload" in place] == []
    assert made.result is not None
    assert all(name in made.result.decode() for name in ("D-13", "urn:uuid:00000000-0000-4000-8000-000000000001"))


# what must arrive of an alert, column by column -------------------------------------------------------------------------
def day_of(cell: str) -> str:
    return "-".join(reversed(cell.split("/")))


def winter(cell: str) -> str:
    """A moment of March, before the clocks change."""
    return f"{day_of(cell[:10])}T{cell[11:]}:00+00:00"


def upper(table: dict[str, str]) -> dict[str, str]:
    return {hub: theirs for theirs, hub in table.items()}


CRIIS_DAYS = dict(zip(DAY_STATES, "SUP THD DNC WHD NSW PRT ELE ELU DEP UNR DUE CFL NEX".split(), strict=True))
CRIIS_ROLE = {neb: upper(codes.ROLE)[hub] for neb, hub in codes.NEBULA_ROLE.items()}
TRACED = ({"V": "01"}, {"V": "VERIFIED"})
ROLES = (codes.NEBULA_ROLE, CRIIS_ROLE)
#: Column -> where it stands in the pharmacy's alert and in that of criis, and what becomes of the cell (one for both, or one
#: each); a place that is not there cannot hold it, and it is told. A column of a list has its place within one element.
ALERT_COLUMNS: dict[str, tuple[str | None, str | None, Any]] = {
    "MSG_ID_SYSTEM": ("message.system", "messageId.system", str),
    "MSG_ID": ("message.value", "messageId.value", str),
    "SENT": ("sent_at", "issuedAt", winter),
    "SENDER_ODS": ("sender.ods_code", "fromOrganisation.odsCode", str),
    "SENDER_NAME": ("sender.name", "fromOrganisation.displayName", str),
    "RING": ("ring.0.value", "ringUs.0.value", str),
    "NHS_NO": ("patient.nhs_number", "client.nhsNumber", str),
    "NHS_NO_STATUS": ("patient.nhs_number_status", "client.nhsNumberTrace", TRACED),
    **{
        f"CLIENT_ID_{n + 1}{end}": (f"patient.identifiers.{n}.{part}", f"client.references.{n}.{part}", str)
        for n in range(3)
        for end, part in (("_SYSTEM", "system"), ("", "value"))
    },
    "TITLE": ("patient.title", "client.name.title", str),
    "FORENAME": ("patient.given_names.0", "client.name.forenames.0", str),
    "SURNAME": ("patient.family_name", "client.name.surname", str),
    "DATE_OF_BIRTH": ("patient.birth_date", "client.dateOfBirth", day_of),
    "SEX": ("patient.gender", "client.gender", ({"1": "male"}, {"1": "M"})),
    **{f"ADDRESS_{n + 1}": (f"patient.address_lines.{n}", f"client.address.lines.{n}", str) for n in range(3)},
    "TOWN": (None, "client.address.town", str),
    "POSTCODE": ("patient.postcode", "client.address.postcode", str),
    "PHONE": (None, "client.contacts.0.value", str),
    "EPISODE_ID_SYSTEM": ("treatment_episode.id.system", "episode.reference.system", str),
    "EPISODE_ID": ("treatment_episode.id.value", "episode.reference.value", str),
    "KEYWORKER_ID_SYSTEM": ("treatment_episode.care_coordinator.code.system", "episode.keyworker.registration.system", str),
    "KEYWORKER_ID": ("treatment_episode.care_coordinator.code.value", "episode.keyworker.registration.value", str),
    "KEYWORKER": ("treatment_episode.care_coordinator.name", "episode.keyworker.fullName", str),
    "ALERT_ID_SYSTEM": ("alert.id.system", "episode.alert.alertId.system", str),
    "ALERT_ID": ("alert.id.value", "episode.alert.alertId.value", str),
    "ALERT_STATE": ("alert.status", "episode.alert.state", ({"D": "due"}, {"D": "DUE"})),
    "ACTION": ("alert.action", "episode.alert.action.code", ({"STOP": "supply-not-permitted"}, {"STOP": "STP"})),
    "ACTION_TEXT": ("alert.action_text", "episode.alert.action.narrative", str),
    "TOLD": ("alert.told", "episode.alert.told", str),
    "TOLD_ON": ("alert.told_at", "episode.alert.toldAt", winter),
    "TOLD_ID_SYSTEM": ("alert.told_to.0.code.system", "episode.alert.toldTo.0.reference.system", str),
    "TOLD_ID": ("alert.told_to.0.code.value", "episode.alert.toldTo.0.reference.value", str),
    "TOLD_NAME": ("alert.told_to.0.name", "episode.alert.toldTo.0.displayName", str),
    "SINCE": ("alert.since", "episode.alert.since", day_of),
    "AS_OF": ("alert.as_of", "episode.alert.asOf", winter),
    "MISSED_LEAST": ("alert.missed.least", "episode.alert.missed.least", int),
    "MISSED_MOST": ("alert.missed.most", "episode.alert.missed.most", int),
    "MISSED_IN_ALL_LEAST": ("alert.missed_in_all.least", "episode.alert.missedInAll.least", int),
    "MISSED_IN_ALL_MOST": ("alert.missed_in_all.most", "episode.alert.missedInAll.most", int),
    "WITHOUT_LEAST": ("alert.days_without.least", "episode.alert.daysWithout.least", int),
    "WITHOUT_MOST": ("alert.days_without.most", "episode.alert.daysWithout.most", int),
    "LAST_DOSE": ("alert.last_dose.date", "episode.alert.lastDose.doseDate", day_of),
    "LAST_DOSE_AMOUNT": ("alert.last_dose.amount.value", "episode.alert.lastDose.amount.quantity", int),
    "LAST_DOSE_UNIT": ("alert.last_dose.amount.unit", "episode.alert.lastDose.amount.uom", ({"MLS": "ml"}, {"MLS": "ML"})),
    "LAST_DOSE_PRODUCT_CODE": ("alert.last_dose.medicine.dmd_code", "episode.alert.lastDose.medicine.dmdCode", str),
    "LAST_DOSE_PRODUCT_NAME": ("alert.last_dose.medicine.name", "episode.alert.lastDose.medicine.term", str),
    "LAST_DOSE_PRODUCT_TEXT": ("alert.last_dose.medicine.text", "episode.alert.lastDose.medicine.asRecorded", str),
    "LAST_DOSE_LOCAL_CODE_SYSTEM": (
        "alert.last_dose.medicine.other_codes.0.system",
        "episode.alert.lastDose.medicine.foreignCodes.0.system",
        str,
    ),
    "LAST_DOSE_LOCAL_CODE": (
        "alert.last_dose.medicine.other_codes.0.code",
        "episode.alert.lastDose.medicine.foreignCodes.0.code",
        str,
    ),
    "LAST_DOSE_CERTAINTY": (
        "alert.last_dose.certainty",
        "episode.alert.lastDose.certainty",
        ({"O": "observed"}, {"O": "OBS"}),
    ),
    "LAST_POSSIBLE_DOSE": ("alert.last_possible_dose", "episode.alert.lastPossibleDose", day_of),
    "TASK_ID_SYSTEM": ("task.id.system", "episode.task.taskId.system", str),
    "TASK_ID": ("task.id.value", "episode.task.taskId.value", str),
    "ROLE": ("task.role", "episode.task.role", ROLES),
    "ROLE_TEXT": ("task.role_text", "episode.task.roleNarrative", str),
    "OWNER_ID_SYSTEM": ("task.who.code.system", "episode.task.owner.reference.system", str),
    "OWNER_ID": ("task.who.code.value", "episode.task.owner.reference.value", str),
    "OWNER": ("task.who.name", "episode.task.owner.displayName", str),
    "DEPUTY": ("task.deputy", "episode.task.deputy", ROLES),
    "DUE": ("task.due", "episode.task.dueBy", day_of),
    "POLICY": ("task.policy", "episode.task.policy", str),
    "DAY": ("alert.days.N.date", "episode.alert.days.N.date", day_of),
    "DAY_STATE": ("alert.days.N.state", "episode.alert.days.N.state", (DAY_STATES, CRIIS_DAYS)),
    "EVIDENCE_ID_SYSTEM": ("alert.evidence.N.system", "episode.alert.evidence.N.system", str),
    "EVIDENCE_ID": ("alert.evidence.N.value", "episode.alert.evidence.N.value", str),
    "CODE_SYSTEM": ("alert.other_codes.N.system", "episode.alert.action.foreignCodes.N.system", str),
    "CODE": ("alert.other_codes.N.code", "episode.alert.action.foreignCodes.N.code", str),
    "CODE_TERM": ("alert.other_codes.N.display", "episode.alert.action.foreignCodes.N.term", str),
}
#: Columns that `every-column` leaves empty: a date of death and a withdrawal shut out what it says.
ELSEWHERE = {"DECEASED", "DATE_OF_DEATH", "WITHDRAWS_ID_SYSTEM", "WITHDRAWS_ID", "LAST_DOSE_UNKNOWN", "ROW_TYPE"}


def at_place(record: Any, place: str) -> Any:
    for part in place.split("."):
        record = record[int(part)] if part.isdigit() else record.get(part, {})
    return record


@pytest.mark.parametrize("side", [0, 1], ids=["pharmacy", "criis"])
def test_what_an_alert_says_arrives_column_by_column(side: int, ost: Adapter) -> None:
    body = (FIXTURES / "nebula/alert/every-column/in.csv").read_bytes()
    made = ost.translate(body, read="nebula/alert", write=("pharmacy/alert", "criis/alert")[side])
    record = decode(made.result or b"")
    head, *rows = _rows(body)
    assert set(head) - ELSEWHERE == set(ALERT_COLUMNS)
    seen = 0
    for column, (*places, convert) in ALERT_COLUMNS.items():
        cells = [row[head.index(column)] for row in rows]
        place, turn = places[side], convert[side] if isinstance(convert, tuple) else convert
        cells = [cell for cell in cells if cell] if place and ".N." in place else cells[:1]
        assert any(cells), column
        for n, cell in enumerate(cells):
            if place is not None:
                wanted = turn[cell] if isinstance(turn, dict) else turn(cell)
                assert at_place(record, place.replace(".N.", f".{n}.")) == wanted, column
                seen += 1
    assert seen > 90
    # The pharmacy's contract has no town apart from the lines, and no number of the person's.
    assert made.unread["bundle"] == (
        []
        if side
        else [f"Bundle.entry[1].resource.{one}" for one in ("address[0].city", "telecom[0].system", "telecom[0].value")]
    )


# files of many ----------------------------------------------------------------------------------------------------------
def many_rows() -> tuple[bytes, bytes, bytes]:
    """(header, the rows of one message, those of another)."""
    one = (FIXTURES / "nebula/dose-outcome/the-hour-that-comes-twice/in.csv").read_bytes()
    other = (FIXTURES / "nebula/dose-outcome/elsewhere-and-depot/in.csv").read_bytes()
    head, _, rows = one.partition(b"\r\n")
    return head + b"\r\n", rows, other.partition(b"\r\n")[2]


def test_a_file_of_several_messages_goes_message_by_message(ost: Adapter) -> None:
    head, one, other = many_rows()
    came = list(ost.many(head + one + other, read="nebula/dose-outcome", write="criis/dose-outcome", name="doses.csv"))
    assert [isinstance(c, Translation) and c.bundle["identifier"]["value"] for c in came] == ["NM-3006", "NM-3005"]
    assert all(isinstance(c, Translation) and c.result for c in came)
    with pytest.raises(Refused) as caught:
        ost.translate(head + one + other, read="nebula/dose-outcome")
    assert [rule_of(i) for i in caught.value.issues] == ["many-records"]


def test_rows_that_disagree_are_refused_with_both_lines_and_the_next_message_goes_on(ost: Adapter) -> None:
    head, one, other = many_rows()
    lines = one.split(b"\r\n")
    lines[1] = lines[1].replace(b"Willow Lane", b"Willow Row")
    came = list(ost.many(head + b"\r\n".join(lines) + other, read="nebula/dose-outcome", name="doses.csv"))
    refused = came[0]
    assert isinstance(refused, Refused)
    (one_issue,) = refused.issues
    assert (rule_of(one_issue), one_issue["expression"]) == ("csv-rows-disagree", ["PHARMACY_NAME"])
    assert "line 2" in one_issue["details"]["text"]
    assert place_of(one_issue).startswith("doses.csv:3:")
    assert isinstance(came[1], Translation)


def test_the_columns_may_stand_in_any_order(ost: Adapter) -> None:
    case = FIXTURES / "nebula/care-plan/every-column"
    rows = _rows((case / "in.csv").read_bytes())
    turned = "\r\n".join(";".join(f'"{v.replace(chr(34), chr(34) * 2)}"' for v in reversed(row)) for row in rows) + "\r\n"
    wanted = ost.translate((case / "in.csv").read_bytes(), read="nebula/care-plan").bundle
    assert encode(ost.translate(turned.encode("utf-8-sig"), read="nebula/care-plan").bundle) == encode(wanted)
