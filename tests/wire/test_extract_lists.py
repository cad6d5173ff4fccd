"""Lists of an extract: one record holds the rows of another file that name it, whatever the number and the order of either."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from adapter.fhir.outcome import place_of, rule_of
from adapter.wire.emis_extract import RecordRead, read
from adapter.wire.extract_layout import layout
from tests.wire.extracts import PATIENT, PEAK, PRACTICE, PRESCRIBER, ROWS, STAMP, Row, manifest, name, patient_row, write
from tests.wire.test_emis_extract import reference, rules

MANIFEST = manifest("consultation")
REFERRALS = manifest("referral")


def guid(kind: int, n: int) -> str:
    return f"{{0C0000{kind:02d}-0000-4000-8000-{n:012d}}}"


CONSULTATION, SLOT = guid(1, 1), guid(4, 1)

#: One good row of each file that the tests of the prescriptions do not have.
CARE: dict[str, Row] = {
    "Coding_ClinicalCode": {
        "CodeId": 2001,
        "Term": "Telephone consultation",
        "SnomedCTConceptId": 24681000000104,
        "ProcessingId": 1,
    },
    "Appointment_Slot": {
        "SlotGuid": SLOT,
        "PatientGuid": PATIENT,
        "OrganisationGuid": PRACTICE,
        "AppointmentDate": "2026-03-16",
        "DidNotAttend": "False",
        "Deleted": "False",
        "ProcessingId": 1,
    },
    "CareRecord_Consultation": {
        "ConsultationGuid": CONSULTATION,
        "PatientGuid": PATIENT,
        "OrganisationGuid": PRACTICE,
        "EffectiveDate": "2026-03-16",
        "EffectiveDatePrecision": "YMD",
        "ClinicianUserInRoleGuid": PRESCRIBER,
        "AppointmentSlotGuid": SLOT,
        "ConsultationSourceTerm": "Telephone consultation",
        "ConsultationSourceCodeId": 2001,
        "Complete": "True",
        "Deleted": "False",
        "IsConfidential": "False",
        "ProcessingId": 1,
    },
    "CareRecord_Observation": {
        "ObservationGuid": guid(2, 1),
        "PatientGuid": PATIENT,
        "OrganisationGuid": PRACTICE,
        "ConsultationGuid": CONSULTATION,
        "ClinicianUserInRoleGuid": PRESCRIBER,
        "CodeId": 2001,
        "Deleted": "False",
        "IsConfidential": "False",
        "ProcessingId": 1,
    },
    "CareRecord_ObservationReferral": {
        "ObservationGuid": guid(2, 1),
        "PatientGuid": PATIENT,
        "OrganisationGuid": PRACTICE,
        "ReferralTargetOrganisationGuid": PRACTICE,
        "ReferralUrgency": "Routine",
        "ProcessingId": 1,
    },
}
ALL = {**{file: ROWS[file] for file in ("Admin_Organisation", "Admin_UserInRole", "Admin_Patient")}, **CARE}


def columns(file: str) -> list[str]:
    said = MANIFEST["rows"]
    return [*said["columns"][file], *(("EnteredTime",) if file == "CareRecord_Consultation" else ())]


def extract(folder: Path, stamp: str = STAMP, **rows: Iterable[Row]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for file, row in ALL.items():
        write(folder, file, rows.get(file, [row]), columns(file), stamp=stamp)
    return folder


def consultation(n: int = 1, **changes: Any) -> Row:
    return CARE["CareRecord_Consultation"] | {"ConsultationGuid": guid(1, n), "ProcessingId": n} | changes


def observation(n: int, of: int = 1, **changes: Any) -> Row:
    own = {"ObservationGuid": guid(2, n), "ConsultationGuid": guid(1, of), "ProcessingId": n}
    return CARE["CareRecord_Observation"] | own | changes


def all_read(source: Path, entry: dict[str, Any] = MANIFEST) -> list[RecordRead]:
    return list(read(source, entry))


def held(found: RecordRead) -> list[str]:
    assert found.record is not None, found.issues
    return [one["ObservationGuid"] for one in found.record.get("observations", [])]


# the record -------------------------------------------------------------------------------------------------------
def test_an_element_is_its_row_with_its_joins_and_without_the_columns_that_name_the_record(tmp_path: Path) -> None:
    [found] = all_read(extract(tmp_path))
    assert found.issues == []
    assert found.record is not None
    clinician = {k: str(v) for k, v in ROWS["Admin_UserInRole"].items() if k != "UserInRoleGuid"}
    assert found.record["observations"] == [
        {
            "ObservationGuid": guid(2, 1),
            "OrganisationGuid": PRACTICE,
            "ClinicianUserInRoleGuid": PRESCRIBER,
            "CodeId": "2001",
            "Deleted": False,
            "IsConfidential": False,
            "ProcessingId": "1",
            "code": {"Term": "Telephone consultation", "SnomedCTConceptId": "24681000000104", "ProcessingId": "1"},
            "clinician": clinician,
        }
    ]
    assert found.record["slot"] == {"AppointmentDate": "2026-03-16", "DidNotAttend": False, "Deleted": False, "ProcessingId": "1"}
    assert (found.record["source"]["Term"], found.record["employer"]["ODSCode"]) == ("Telephone consultation", "Y99001")


def test_every_record_has_its_own_rows_in_their_own_order(tmp_path: Path) -> None:
    extract(
        tmp_path,
        CareRecord_Consultation=[consultation(3), consultation(1), consultation(2), consultation(4)],
        CareRecord_Observation=[observation(n, of) for n, of in ((9, 1), (2, 4), (7, 3), (1, 1), (5, 4), (4, 3), (3, 4))],
    )
    found = all_read(tmp_path)
    assert [held(one) for one in found] == [[guid(2, n) for n in own] for own in ((1, 9), (), (4, 7), (2, 3, 5))]
    assert all(one.issues == [] for one in found)


def test_a_guid_of_another_patient_is_another_consultation(tmp_path: Path) -> None:
    other = guid(3, 2)
    extract(
        tmp_path,
        Admin_Patient=[patient_row(), patient_row(PatientGuid=other)],
        CareRecord_Consultation=[consultation(), consultation(PatientGuid=other, AppointmentSlotGuid="", ProcessingId=2)],
        CareRecord_Observation=[observation(1, PatientGuid=other), observation(1), observation(2)],
    )
    assert [held(one) for one in all_read(tmp_path)] == [[guid(2, 1), guid(2, 2)], [guid(2, 1)]]


def test_rows_that_name_no_record_are_no_rows_of_this_message(tmp_path: Path) -> None:
    extract(tmp_path, CareRecord_Observation=[observation(1), observation(2, ConsultationGuid=" ")])
    assert [held(one) for one in all_read(tmp_path)] == [[guid(2, 1)]]


@pytest.mark.parametrize(("of", "deleted"), [(8, "False"), (8, "True"), (0, "TRUE")])
def test_a_row_whose_record_is_not_there_is_refused_by_itself(tmp_path: Path, of: int, deleted: str) -> None:
    """A withdrawal that does not say what it withdraws is one: it must not be lost."""
    stray = observation(2, of, Deleted=deleted) | ({} if of else {"ConsultationGuid": ""})
    extract(tmp_path, CareRecord_Observation=[observation(1), stray])
    bad, good = all_read(tmp_path)
    assert (bad.record, rules(bad)) == (None, [("error", "row-partner")])
    assert bad.place == place_of(bad.issues[0]) == f"{name('CareRecord_Observation')}:3"
    assert bad.issues[0]["expression"] == ["PatientGuid", "ConsultationGuid"]
    assert held(good) == [guid(2, 1)]


def test_a_row_without_its_key_is_refused_by_itself(tmp_path: Path) -> None:
    extract(tmp_path, CareRecord_Observation=[observation(1), observation(2, ObservationGuid="")])
    bad, good = all_read(tmp_path)
    assert (rules(bad), bad.issues[0]["expression"]) == ([("error", "row-key")], ["ObservationGuid"])
    assert held(good) == [guid(2, 1)]


def test_of_several_rows_of_one_element_the_latest_counts_and_may_belong_elsewhere(tmp_path: Path) -> None:
    extract(
        tmp_path,
        CareRecord_Consultation=[consultation(1), consultation(2)],
        CareRecord_Observation=[observation(1, 1, ProcessingId=5), observation(1, 2, ProcessingId=6)],
    )
    first, second = all_read(tmp_path)
    assert (held(first), held(second)) == ([], [guid(2, 1)])
    assert (rules(first), rules(second)) == ([], [("information", "row-superseded")])


@pytest.mark.parametrize(("second", "rule"), [({}, "row-resent"), ({"Value": "5"}, "row-order")])
def test_rows_of_one_element_without_an_order_agree_or_refuse_the_record(
    tmp_path: Path, second: dict[str, str], rule: str
) -> None:
    extract(tmp_path, CareRecord_Observation=[observation(1), observation(1) | second])
    [found] = all_read(tmp_path)
    assert [rule_of(one) for one in found.issues] == [rule]
    assert (found.record is None) == (rule == "row-order")


def test_a_partner_that_is_missing_is_said_of_the_element(tmp_path: Path) -> None:
    extract(tmp_path, CareRecord_Observation=[observation(1), observation(2, CodeId=2999)])
    [found] = all_read(tmp_path)
    assert [(rule_of(i), i["expression"], place_of(i)) for i in found.issues] == [
        ("row-partner", ["observations[1].CodeId"], f"{name('CareRecord_Observation')}:3")
    ]


def test_a_record_that_is_withdrawn_keeps_its_rows_whatever_is_missing(tmp_path: Path) -> None:
    row = {k: v for k, v in consultation(Deleted="True").items() if k.endswith("Guid") or k == "Deleted"}
    extract(tmp_path, Admin_Patient=[], CareRecord_Consultation=[row], CareRecord_Observation=[observation(1, Deleted="True")])
    [found] = all_read(tmp_path)
    assert {i["severity"] for i in found.issues} == {"warning"}
    assert held(found) == [guid(2, 1)]


# appointments ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("owner", ["", guid(3, 9)])
def test_a_slot_that_is_nobody_s_or_another_s_now_is_not_the_patient_s(tmp_path: Path, owner: str) -> None:
    """That is how the source cancels. The older row of the slot must not be taken for the present one."""
    extract(tmp_path, stamp="20260317020000")
    slot = CARE["Appointment_Slot"] | {"PatientGuid": owner, "DidNotAttend": "True"}
    write(tmp_path, "Appointment_Slot", [slot], columns("Appointment_Slot"))
    [found] = all_read(tmp_path)
    assert found.record is not None
    assert "slot" not in found.record
    assert rules(found) == [("warning", "row-partner")]


def test_slots_that_nobody_booked_are_no_faults(tmp_path: Path) -> None:
    slots = [CARE["Appointment_Slot"], *(CARE["Appointment_Slot"] | {"SlotGuid": guid(4, n), "PatientGuid": ""} for n in (2, 3))]
    [found] = all_read(extract(tmp_path, Appointment_Slot=slots))
    assert found.issues == []


def test_an_extract_without_appointments_is_read(tmp_path: Path) -> None:
    extract(tmp_path)
    (tmp_path / name("Appointment_Slot")).unlink()
    [found] = all_read(tmp_path)
    assert rules(found) == [("warning", "row-partner")]


def version_columns(file: str, version: str) -> list[str]:
    """The real columns of a file in a version of the extract."""
    said = reference()[file]
    found: list[str] = next(said[k] for k in (*(k for k in said if version in k), "all", "other (5.3/5.4)") if k in said)
    return found


# versions -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("message", ["consultation", "referral"])
@pytest.mark.parametrize("version", ["5.0", "5.1", "5.3", "5.4"])
def test_every_version_gives_the_same_record_whatever_its_columns(tmp_path: Path, version: str, message: str) -> None:
    meant = MANIFEST["rows"]["spelling"]
    whole = {"CareRecord_Consultation": {"EnteredDate": "2026-03-16", "EnteredTime": "09:56:02"}}
    for folder, headers in ((tmp_path / version, True), (tmp_path / "present", False)):
        folder.mkdir()
        for file, row in ALL.items():
            header = version_columns(file, version) if headers else columns(file)
            filled = row | whole.get(file, {})
            write(folder, file, [{c: filled.get(meant.get(c, c), "") for c in header}], header)
    [found], [expected] = (all_read(tmp_path / one, manifest(message)) for one in (version, "present"))
    assert found.issues == expected.issues
    assert expected.record is not None
    if version == "5.0":
        expected.record.pop("EnteredTime", None)
    assert found.record == expected.record


# referrals ------------------------------------------------------------------------------------------------------------
def test_a_referral_is_withdrawn_where_its_observation_is(tmp_path: Path) -> None:
    extract(tmp_path, Admin_Patient=[], CareRecord_Observation=[observation(1, Deleted="True")])
    [found] = all_read(tmp_path, REFERRALS)
    assert (found.record is not None, rules(found)) == (True, [("warning", "row-partner"), ("warning", "referral-inbound")])


def test_a_referral_without_its_observation_is_refused(tmp_path: Path) -> None:
    referral = CARE["CareRecord_ObservationReferral"] | {"ReferralTargetOrganisationGuid": ""}
    extract(tmp_path, CareRecord_Observation=[], CareRecord_ObservationReferral=[referral])
    [found] = all_read(tmp_path, REFERRALS)
    assert (found.record, rules(found)) == (None, [("error", "row-partner")])


def test_a_remark_compares_two_columns_where_both_are_there(tmp_path: Path) -> None:
    target = "ReferralTargetOrganisationGuid"
    for value, said in ((PRACTICE, ["referral-inbound"]), ("", []), (guid(9, 9), ["row-partner"])):
        folder = extract(
            tmp_path / f"to{value}", CareRecord_ObservationReferral=[CARE["CareRecord_ObservationReferral"] | {target: value}]
        )
        [found] = all_read(folder, REFERRALS)
        assert [rule_of(one) for one in found.issues] == said


# the manifest -----------------------------------------------------------------------------------------------------------
def test_a_later_row_that_names_another_person_is_said_with_a_warning(tmp_path: Path) -> None:
    extract(tmp_path, stamp="20260317020000")
    write(tmp_path, "Admin_Patient", [patient_row(NhsNumber="9990000026", Surname="Other")], columns("Admin_Patient"))
    [found] = all_read(tmp_path, manifest("patient"))
    assert rules(found) == [("warning", "row-superseded")]
    assert found.issues[0]["expression"] == ["NhsNumber"]
    assert "999000" not in json.dumps(found.issues)


def test_a_faulty_list_is_refused_with_all_its_faults() -> None:
    file = {"file": "CareRecord_Observation"}
    wrong: dict[str, Any] = {
        "key": ["ConsultationGuid"],
        "rows": {
            "from": "CareRecord_Consultation",
            "join": {"slot": {"file": "Appointment_Slot", "on": "SlotGuid", "key": ["SlotGuid", "PatientGuid"]}},
            "lists": {
                "slot": {**file, "on": "ConsultationGuid", "key": "ObservationGuid"},
                "Observations": {**file, "on": {"slot.SlotGuid": "ConsultationGuid"}, "key": "ObservationGuid"},
                "others": {**file, "on": "ConsultationGuid"},
                "more": {**file, "on": "x", "key": "y", "join": {"code": {"file": "Coding_ClinicalCode", "on": "slot.Code"}}},
            },
            "remarks": [{"when": {"a": {"more-than": "b"}}, "severity": "x", "rule": "x", "text": "x", "mend": "x"}],
        },
    }
    with pytest.raises(ValueError, match="key has a column that on does not compare") as caught:
        layout(wrong)
    assert len(str(caught.value).splitlines()) == 7, str(caught.value)


# the machine ------------------------------------------------------------------------------------------------------------
LARGE = """
import json, sys
from pathlib import Path
from adapter.wire.emis_extract import read
count = refused = held = 0
for found in read(Path(sys.argv[1]), json.loads(sys.argv[2]), memory=sys.argv[3], scratch=Path(sys.argv[4])):
    count += 1
    refused += found.refused
    held += len((found.record or {}).get("observations", ()))
peak = PEAK
print(json.dumps({"count": count, "refused": refused, "held": held, "mb": peak}))
""".replace("PEAK", PEAK)


@pytest.mark.slow
def test_joins_larger_than_their_memory_are_spilled_and_streamed(tmp_path: Path) -> None:
    """Files of 45 MB with 64 MB for all joins, sorts and indexes, each row of a record far from the next."""
    consultations, patients, each = 16_000, 500, 5
    own = [patient_row(PatientGuid=guid(3, n), ProcessingId=n) for n in range(patients)]
    text = "seen with the keyworker, stable on the present dose " * 5
    extract(
        tmp_path / "in",
        Admin_Patient=own,
        Appointment_Slot=[],
        CareRecord_Consultation=(
            consultation(n, PatientGuid=guid(3, n % patients), AppointmentSlotGuid="", ProcessingId=consultations - n)
            for n in range(consultations)
        ),
        CareRecord_Observation=(
            observation(n, n % (consultations + 1), PatientGuid=guid(3, (n % (consultations + 1)) % patients), NumericUnit=text)
            for n in range((consultations + 1) * each)
        ),
    )
    size = sum(path.stat().st_size for path in (tmp_path / "in").iterdir())
    (tmp_path / "scratch").mkdir()
    root = Path(__file__).resolve().parents[2]
    ran = subprocess.run(
        [sys.executable, "-c", LARGE, str(tmp_path / "in"), json.dumps(MANIFEST), "64MB", str(tmp_path / "scratch")],
        capture_output=True,
        check=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    said = json.loads(ran.stdout)
    # The last of every round of observations names a consultation that is not there.
    assert (said["count"], said["refused"], said["held"]) == (consultations + each, each, consultations * each)
    assert size > 40_000_000
    assert said["mb"] < 260
    assert list((tmp_path / "scratch").iterdir()) == []
