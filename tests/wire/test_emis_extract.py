"""The EMIS extract: every row gives a record, a record with issues, or the issues for which it was refused."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.fhir.outcome import Refused, place_of, rule_of
from adapter.wire import csv_rows, extract_files
from adapter.wire.csv_rows import Row, Unread, rows
from adapter.wire.emis_extract import RecordRead, read
from adapter.wire.extract_layout import layout
from adapter.wire.extract_tables import Tables
from tests.wire.extracts import (
    AGREEMENT,
    DRUG,
    ISSUE,
    OTHER_ISSUE,
    OTHER_PATIENT,
    PATIENT,
    PEAK,
    PRACTICE,
    ROWS,
    columns,
    extract,
    issue_row,
    manifest,
    name,
    patient_row,
    write,
)

REFERENCE = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "emis" / "emis-extract-columns.json"
ISSUES, PATIENTS, CODES = name("Prescribing_IssueRecord"), name("Admin_Patient"), name("Coding_DrugCode")

MANIFEST = manifest()


def all_read(source: Path | bytes, entry: dict[str, Any] | None = None) -> list[RecordRead]:
    return list(read(source, entry or MANIFEST))


def only(source: Path | bytes, entry: dict[str, Any] | None = None) -> RecordRead:
    [found] = all_read(source, entry)
    return found


def rules(found: RecordRead) -> list[tuple[str, str]]:
    return [(one["severity"], rule_of(one)) for one in found.issues]


def record(found: RecordRead) -> dict[str, Any]:
    assert found.record is not None, found.issues
    return found.record


def alter(path: Path, old: bytes, new: bytes) -> None:
    before = path.read_bytes()
    assert before.count(old) == 1
    path.write_bytes(before.replace(old, new))


# the record -------------------------------------------------------------------------------------------------------
def test_a_record_is_the_row_with_its_joins_as_the_file_has_them(tmp_path: Path) -> None:
    found = only(extract(tmp_path))
    assert found.place == f"{ISSUES}:2"
    assert found.issues == []
    assert record(found) == {
        "IssueRecordGuid": ISSUE,
        "PatientGuid": PATIENT,
        "OrganisationGuid": PRACTICE,
        "DrugRecordGuid": DRUG,
        "EffectiveDate": "2026-03-02",
        "EffectiveDatePrecision": "YMD",
        "EnteredDate": "2026-03-02",
        "EnteredTime": "10:15:00",
        "ClinicianUserInRoleGuid": "{0A000000-0000-4000-8000-000000000004}",
        "EnteredByUserInRoleGuid": "{0A000000-0000-4000-8000-000000000004}",
        "CodeId": "1001",
        "Dosage": "60ml daily",
        "Quantity": "840",
        "QuantityUnit": "ml",
        "CourseDurationInDays": "14",
        "IsConfidential": False,
        "Deleted": False,
        "ProcessingId": "1",
        "patient": {
            "OrganisationGuid": PRACTICE,
            "Sex": "F",
            "DateOfBirth": "1984-02-29",
            "GivenName": "Ada",
            "Surname": "Testerton",
            "NhsNumber": "9990000018",
            "DummyType": False,
            "Deleted": False,
            "SpineSensitive": False,
            "IsConfidential": False,
            "ProcessingId": "1",
        },
        "code": {"Term": "Methadone 1mg/ml oral solution", "DmdProductCodeId": "36120711000001104", "ProcessingId": "1"},
        "drug": {
            "OrganisationGuid": PRACTICE,
            "PrescriptionType": "Acute",
            "IsActive": True,
            "IsConfidential": False,
            "Deleted": False,
            "ProcessingId": "1",
        },
        "prescriber": {
            "OrganisationGuid": PRACTICE,
            "Title": "Dr",
            "GivenName": "Ines",
            "Surname": "Sample",
            "JobCategoryCode": "R0260",
            "JobCategoryName": "General Medical Practitioner",
            "ProcessingId": "1",
        },
        "employer": {"OrganisationName": "Plane Tree Surgery", "ODSCode": "Y99001", "ProcessingId": "1"},
        "organisation": {"OrganisationName": "Plane Tree Surgery", "ODSCode": "Y99001", "ProcessingId": "1"},
        "extract": {"file": ISSUES, "at": "20260318020000", "agreement": AGREEMENT},
    }


def reference() -> dict[str, Any]:
    if not REFERENCE.is_file():
        pytest.skip("shared/reference/emis/emis-extract-columns.json is not here")
    found: dict[str, Any] = json.loads(REFERENCE.read_text("utf-8"))["files"]
    return found


def version_columns(file: str, version: str) -> list[str]:
    """The real columns of a file in a version of the extract."""
    found: list[str] = next(v for k, v in reference()[file].items() if k == "all" or version in k)
    return found


@pytest.mark.parametrize("version", ["5.0", "5.1", "5.3", "5.4"])
def test_every_version_gives_the_same_record_whatever_its_spelling(tmp_path: Path, version: str) -> None:
    meant = MANIFEST["rows"]["spelling"]
    for file, row in ROWS.items():
        header = version_columns(file, version)
        write(tmp_path, file, [{c: row.get(meant.get(c, c), "") for c in header}], header)
    found = only(tmp_path)
    assert found.issues == []
    expected = record(only(extract(tmp_path / "present")))
    if version == "5.0":
        del expected["EnteredTime"]
    assert found.record == expected


@pytest.mark.parametrize("message", ["issue", "patient", "consultation", "referral"])
def test_the_manifest_knows_the_columns_of_every_version(message: str) -> None:
    said = manifest(message)["rows"]
    for file in layout(manifest(message)).files:
        always, later = set(said["columns"][file]), set(said["later-columns"].get(file, ()))
        for version, header in reference()[file].items():
            meant = {said["spelling"].get(c, c) for c in header}
            assert always <= meant, (file, version)
            assert meant <= always | later, (file, version)


def test_what_is_empty_or_only_spaces_is_absent(tmp_path: Path) -> None:
    row = issue_row(Dosage="  ", QuantityUnit="", CourseDurationInDays=" ")
    made = record(only(extract(tmp_path, Prescribing_IssueRecord=[row])))
    assert not {"Dosage", "QuantityUnit", "CourseDurationInDays", "EstimatedNhsCost"} & set(made)


def test_text_is_kept_to_the_space_and_keys_are_read_without_them(tmp_path: Path) -> None:
    row = issue_row(Dosage=" 60ml  daily ", PatientGuid=f" {PATIENT} ", Deleted=" FALSE ", Quantity="840.00")
    made = record(only(extract(tmp_path, Prescribing_IssueRecord=[row])))
    assert made["Dosage"] == " 60ml  daily "
    assert made["patient"]["Surname"] == "Testerton"
    assert (made["Deleted"], made["Quantity"]) == (False, "840.00")


def test_flags_are_true_and_false_in_any_letters_and_stay_text_otherwise(tmp_path: Path) -> None:
    made = record(only(extract(tmp_path, Prescribing_IssueRecord=[issue_row(IsConfidential="TRUE", Deleted="perhaps")])))
    assert (made["IsConfidential"], made["Deleted"]) == (True, "perhaps")


def test_a_join_may_go_through_a_join(tmp_path: Path) -> None:
    elsewhere = ROWS["Admin_Organisation"] | {
        "OrganisationGuid": OTHER_PATIENT,
        "OrganisationName": "Elm House",
        "ODSCode": "Y99002",
    }
    row = ROWS["Admin_UserInRole"] | {"OrganisationGuid": OTHER_PATIENT}
    made = record(only(extract(tmp_path, Admin_Organisation=[ROWS["Admin_Organisation"], elsewhere], Admin_UserInRole=[row])))
    assert (made["employer"]["ODSCode"], made["organisation"]["ODSCode"]) == ("Y99002", "Y99001")


def test_records_come_in_the_order_of_extract_and_processing(tmp_path: Path) -> None:
    guids = [f"{{0B000000-0000-4000-8000-{n:012d}}}" for n in range(4)]
    extract(
        tmp_path,
        Prescribing_IssueRecord=[
            issue_row(IssueRecordGuid=g, ProcessingId=p) for g, p in zip(guids, (30, 4, 100, 5), strict=True)
        ],
    )
    later = write(tmp_path, "Prescribing_IssueRecord", [issue_row(ProcessingId=1)], stamp="20260319020000")
    order = [record(found)["IssueRecordGuid"] for found in all_read(tmp_path)]
    assert order == [guids[1], guids[3], guids[0], guids[2], ISSUE]
    assert all_read(tmp_path)[-1].place == f"{later.name}:2"


# CSV --------------------------------------------------------------------------------------------------------------
def test_a_row_of_several_lines_keeps_them_and_the_next_row_its_line(tmp_path: Path) -> None:
    dosage = 'TAKE 60ML "DAILY",\r\nSUPERVISED\nMON-SAT'
    extract(tmp_path, Prescribing_IssueRecord=[issue_row(Dosage=dosage), issue_row(IssueRecordGuid=OTHER_ISSUE, ProcessingId=2)])
    first, second = all_read(tmp_path)
    assert record(first)["Dosage"] == dosage
    assert (first.place, second.place) == (f"{ISSUES}:2", f"{ISSUES}:5")


def test_a_byte_order_mark_and_bare_line_feeds_do_no_harm(tmp_path: Path) -> None:
    extract(tmp_path)
    path = write(tmp_path, "Prescribing_IssueRecord", [issue_row()], newline="\n")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes() + b"\n\n")
    assert only(tmp_path).issues == []


def test_windows_1252_is_read_and_utf_8_is_not_taken_for_it(tmp_path: Path) -> None:
    extract(tmp_path, Admin_Patient=[patient_row(Surname="Łukasz-Ó\u2019Néill")])
    assert record(only(tmp_path))["patient"]["Surname"] == "Łukasz-Ó\u2019Néill"
    path = write(tmp_path, "Admin_Patient", [patient_row(Surname="Ó\u2019Néill")])
    path.write_bytes(path.read_text("utf-8").encode("cp1252"))
    assert record(only(tmp_path))["patient"]["Surname"] == "Ó\u2019Néill"


def test_a_byte_that_is_no_character_refuses_its_row_alone(tmp_path: Path) -> None:
    extract(tmp_path, Prescribing_IssueRecord=[issue_row(Dosage="QQ"), issue_row(IssueRecordGuid=OTHER_ISSUE)])
    alter(tmp_path / ISSUES, b"QQ", b"\x81Q")
    bad, good = all_read(tmp_path)
    assert rules(bad) == [("error", "csv-encoding")]
    assert place_of(bad.issues[0]) == f"{ISSUES}:2:{columns('Prescribing_IssueRecord').index('Dosage') + 1}"
    assert bad.issues[0]["expression"] == ["Dosage"]
    assert record(good)["IssueRecordGuid"] == OTHER_ISSUE


def test_a_control_character_refuses_its_row_alone(tmp_path: Path) -> None:
    extract(tmp_path, Prescribing_IssueRecord=[issue_row(Dosage="60ml\x00daily"), issue_row(IssueRecordGuid=OTHER_ISSUE)])
    bad, good = all_read(tmp_path)
    assert rules(bad) == [("error", "csv-control-character")]
    assert bad.record is None
    assert good.record is not None


def test_a_row_with_too_few_or_too_many_columns_is_refused_with_its_place(tmp_path: Path) -> None:
    extract(
        tmp_path, Prescribing_IssueRecord=[issue_row(ProcessingId="QQ"), issue_row(IssueRecordGuid=OTHER_ISSUE, ProcessingId=2)]
    )
    width = len(columns("Prescribing_IssueRecord"))
    whole = (tmp_path / ISSUES).read_bytes()
    for wrong, column in ((b"", width), (b'"QQ","surplus"', width + 1)):
        (tmp_path / ISSUES).write_bytes(whole.replace(b',"QQ"' if not wrong else b'"QQ"', wrong))
        bad, good = all_read(tmp_path)
        assert rules(bad) == [("error", "csv-columns")]
        assert place_of(bad.issues[0]) == f"{ISSUES}:2:{column}"
        assert bad.issues[0]["diagnostics"]
        assert good.place == f"{ISSUES}:3"


def test_a_quote_that_never_closes_costs_one_row(tmp_path: Path) -> None:
    guids = [f"{{0B000000-0000-4000-8000-{n:012d}}}" for n in range(6)]
    extract(
        tmp_path,
        Prescribing_IssueRecord=[issue_row(IssueRecordGuid=g, Dosage=f"Q{n}", ProcessingId=n) for n, g in enumerate(guids)],
    )
    alter(tmp_path / ISSUES, b'"Q2"', b'"Q2')
    bad, *good = all_read(tmp_path)
    assert (bad.place, rules(bad)) == (f"{ISSUES}:4", [("error", "csv-quotes")])
    assert [record(one)["IssueRecordGuid"] for one in good] == [g for n, g in enumerate(guids) if n != 2]
    alter(tmp_path / ISSUES, b'"Q5"', b'"Q5')  # in the last row there is nothing behind it but the end of the file
    assert [one.place for one in all_read(tmp_path) if one.refused] == [f"{ISSUES}:4", f"{ISSUES}:7"]


def test_a_row_beyond_all_measure_is_refused_and_its_lines_are_not_lost() -> None:
    long = b"x" * (csv_rows.MOST_CHARACTERS * 2)
    lines = csv_rows.MOST_LINES
    found = list(rows(io.BytesIO(b'a,b\n1,2\n3,"' + b"y\n" * lines + b"1,2\n" + long + b"\n5,6\n"), "utf-8"))
    assert found[:4] == [Row(1, ["a", "b"]), Row(2, ["1", "2"]), Unread(3, 0, "csv-row-length"), Unread(4, 2, "csv-columns")]
    assert found[-3:] == [Row(lines + 3, ["1", "2"]), Unread(lines + 4, 0, "csv-row-length"), Row(lines + 5, ["5", "6"])]


def test_a_line_too_long_is_said_where_a_quote_has_swallowed_it() -> None:
    body = b'a,b\n3,"x\n' + b"y" * (csv_rows.MOST_CHARACTERS + 1) + b"\n5,6\n"
    assert list(rows(io.BytesIO(body), "utf-8")) == [
        Row(1, ["a", "b"]),
        Unread(2, 0, "csv-row-length"),
        Unread(3, 0, "csv-row-length"),
        Row(4, ["5", "6"]),
    ]


CONTROL = "".join(chr(n) for n in range(32) if chr(n) not in "\t\r\n")
TEXT = st.text(st.characters(codec="utf-8", exclude_characters=CONTROL), max_size=12)


@given(st.lists(st.lists(TEXT, min_size=3, max_size=3), max_size=6))
def test_what_a_csv_writer_wrote_is_read_back(values: list[list[str]]) -> None:
    text, line, wanted = "", 1, []
    for one in [["a", "b", "c"], *values]:
        raw = ",".join('"' + v.replace('"', '""') + '"' for v in one) + "\r\n"
        wanted.append(Row(line, one))
        text, line = text + raw, line + raw.count("\n")
    assert list(rows(io.BytesIO(text.encode()), "utf-8")) == wanted


@given(st.binary(max_size=300))
def test_any_bytes_give_rows_that_go_forward(body: bytes) -> None:
    found = list(rows(io.BytesIO(body), "cp1252"))
    assert all(a.line <= b.line for a, b in pairwise(found))
    assert all(len(one.values) == len(found[0].values) for one in found if isinstance(one, Row) and isinstance(found[0], Row))


# joins ------------------------------------------------------------------------------------------------------------
def test_an_issue_without_a_drug_record_is_read(tmp_path: Path) -> None:
    found = only(extract(tmp_path, Prescribing_IssueRecord=[issue_row(DrugRecordGuid="")]))
    assert found.issues == []
    assert "drug" not in record(found)


@pytest.mark.parametrize(
    ("change", "severity", "named"),
    [
        ({"PatientGuid": OTHER_PATIENT, "DrugRecordGuid": ""}, "error", ["PatientGuid"]),
        ({"CodeId": "9999"}, "error", ["CodeId"]),
        ({"ClinicianUserInRoleGuid": OTHER_PATIENT}, "warning", ["ClinicianUserInRoleGuid"]),
        ({"DrugRecordGuid": OTHER_PATIENT}, "warning", ["PatientGuid", "DrugRecordGuid"]),
    ],
)
def test_a_partner_that_is_not_there_is_said(tmp_path: Path, change: dict[str, str], severity: str, named: list[str]) -> None:
    found = only(extract(tmp_path, Prescribing_IssueRecord=[issue_row(**change)]))
    assert rules(found) == [(severity, "row-partner")]
    assert found.issues[0]["expression"] == named
    assert place_of(found.issues[0]) == f"{ISSUES}:2"
    assert (found.record is None) == found.refused == (severity == "error")


def test_a_tombstone_of_nothing_but_guids_is_a_record(tmp_path: Path) -> None:
    tombstone = {
        "IssueRecordGuid": ISSUE,
        "PatientGuid": OTHER_PATIENT,
        "OrganisationGuid": PRACTICE,
        "Deleted": "TRUE",
        "ProcessingId": 9,
    }
    found = only(extract(tmp_path, Prescribing_IssueRecord=[tombstone]))
    assert rules(found) == [("warning", "row-partner")]
    made = record(found)
    assert (made["Deleted"], made["IssueRecordGuid"], "patient" in made) == (True, ISSUE, False)


def test_a_row_without_its_key_is_refused_and_so_is_a_partner(tmp_path: Path) -> None:
    extract(
        tmp_path,
        Prescribing_IssueRecord=[issue_row(IssueRecordGuid=""), issue_row()],
        Coding_DrugCode=[ROWS["Coding_DrugCode"], {"Term": "Lost"}],
    )
    found = all_read(tmp_path)
    assert [(one.place, rules(one)) for one in found[:2]] == [
        (f"{ISSUES}:2", [("error", "row-key")]),
        (f"{CODES}:3", [("error", "row-key")]),
    ]
    assert found[2].issues == []


def test_the_latest_row_of_a_partner_counts(tmp_path: Path) -> None:
    made = only(extract(tmp_path, Admin_Patient=[patient_row(Surname="Later", ProcessingId=10), patient_row(ProcessingId=9)]))
    assert record(made)["patient"]["Surname"] == "Later"
    assert made.issues == []


def test_two_patients_with_one_key_and_no_order_refuse_what_names_them(tmp_path: Path) -> None:
    found = only(extract(tmp_path, Admin_Patient=[patient_row(NhsNumber="9990000026"), patient_row()]))
    assert (rules(found), found.record) == ([("error", "row-order")], None)


def test_a_file_that_may_be_absent_is_joined_where_it_is_there(tmp_path: Path) -> None:
    extract(tmp_path)
    write(tmp_path, "Agreements_SharingOrganisation", [{"OrganisationGuid": PRACTICE, "Disabled": "True"}])
    found = only(tmp_path)
    assert record(found)["agreement"] == {"Disabled": True}
    assert rules(found) == [("warning", "feed-incomplete")]


# several rows of one key ------------------------------------------------------------------------------------------
def test_an_updated_row_gives_one_record_and_names_the_one_before(tmp_path: Path) -> None:
    found = only(
        extract(tmp_path, Prescribing_IssueRecord=[issue_row(Quantity="420", ProcessingId=10), issue_row(ProcessingId=9)])
    )
    assert (record(found)["Quantity"], found.place) == ("420", f"{ISSUES}:2")
    assert rules(found) == [("information", "row-superseded")]
    assert f"{ISSUES}:3" in found.issues[0]["details"]["text"]


def test_a_row_sent_again_gives_one_record(tmp_path: Path) -> None:
    found = only(
        extract(
            tmp_path, Prescribing_IssueRecord=[issue_row(ProcessingId=1), issue_row(ProcessingId=2), issue_row(ProcessingId=2)]
        )
    )
    assert rules(found) == [("information", "row-resent")] * 2


def test_a_later_extract_counts_whatever_its_processing_order(tmp_path: Path) -> None:
    extract(tmp_path, Prescribing_IssueRecord=[issue_row(ProcessingId=900)])
    write(tmp_path, "Prescribing_IssueRecord", [issue_row(Deleted="True", ProcessingId=1)], stamp="20260319020000")
    found = only(tmp_path)
    assert record(found)["Deleted"] is True
    assert record(found)["extract"]["at"] == "20260319020000"


@pytest.mark.parametrize("order", ["7", "", "soon"])
def test_rows_that_contradict_each_other_without_an_order_are_refused(tmp_path: Path, order: str) -> None:
    found = only(
        extract(tmp_path, Prescribing_IssueRecord=[issue_row(Quantity="420", ProcessingId=order), issue_row(ProcessingId=order)])
    )
    assert (found.record, rules(found)) == (None, [("error", "row-order")])
    assert found.issues[0]["expression"] == ["PatientGuid", "IssueRecordGuid"]


def test_one_guid_in_two_patients_is_two_issues(tmp_path: Path) -> None:
    second = issue_row(PatientGuid=OTHER_PATIENT, DrugRecordGuid="")
    extract(
        tmp_path,
        Prescribing_IssueRecord=[issue_row(), second],
        Admin_Patient=[patient_row(), patient_row(PatientGuid=OTHER_PATIENT)],
    )
    assert [one.issues for one in all_read(tmp_path)] == [[], []]


# remarks ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"IsActive": "True", "CancellationDate": "2026-02-01"}, "authorisation-contradicts"),
        ({"IsActive": "False"}, "authorisation-undated"),
        ({"IsActive": "False", "CancellationDate": "2026-02-01"}, None),
        ({"IsActive": "True"}, None),
    ],
)
def test_the_state_of_the_authorisation_is_remarked_on_and_not_relied_on(
    tmp_path: Path, changes: dict[str, str], rule: str | None
) -> None:
    found = only(extract(tmp_path, Prescribing_DrugRecord=[ROWS["Prescribing_DrugRecord"] | changes]))
    assert rules(found) == ([("information", rule)] if rule else [])
    assert record(found)["drug"].get("CancellationDate") == changes.get("CancellationDate")


def test_test_patients_and_those_out_of_scope_are_remarked_on(tmp_path: Path) -> None:
    found = only(extract(tmp_path, Admin_Patient=[patient_row(DummyType="True", Deleted="True")]))
    assert rules(found) == [("warning", "test-patient"), ("warning", "patient-out-of-scope")]


# the extract as a whole -------------------------------------------------------------------------------------------
def zipped(folder: Path) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, f"extract/{path.name}")
    return body.getvalue()


def refused(source: Path | bytes) -> list[str]:
    with pytest.raises(Refused) as caught:
        all_read(source)
    return [rule_of(one) for one in caught.value.issues]


def test_a_zip_is_read_as_its_folder_is(tmp_path: Path) -> None:
    folder = extract(tmp_path / "in")
    (tmp_path / "in.zip").write_bytes(zipped(folder))
    assert all_read(zipped(folder)) == all_read(tmp_path / "in.zip") == all_read(folder)


def test_what_is_no_extract_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "nowhere") == ["extract-unreadable"]
    assert refused(b"PK\x03\x04 no zip") == ["extract-unreadable"]
    assert refused(zipped(extract(tmp_path / "in"))[:-900]) == ["extract-unreadable"]
    assert refused(tmp_path) == ["extract-file-missing"] * 6


def test_a_damaged_member_refuses_the_zip(tmp_path: Path) -> None:
    body = bytearray(zipped(extract(tmp_path)))
    at = body.index(b"extract/" + ISSUES.encode()) + len(ISSUES) + 60
    body[at : at + 20] = bytes(20)
    assert refused(bytes(body)) == ["extract-unreadable"]


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    body = bytearray(zipped(extract(tmp_path)))
    at = body.index(b"PK\x01\x02")
    body[at + 8] |= 1  # general purpose bit flag, bit 0: encrypted
    assert refused(bytes(body)) == ["extract-unreadable"]


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    extract(tmp_path)
    with (tmp_path / ISSUES).open("ab") as stream:
        stream.write(b"\n" * 5_000_000)
    assert refused(zipped(tmp_path)) == ["extract-too-long"]


def test_a_folder_inside_a_zip_leads_nowhere(tmp_path: Path) -> None:
    body = io.BytesIO()
    folder = extract(tmp_path / "in")
    with zipfile.ZipFile(body, "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"../../{path.name}")
    assert len(all_read(body.getvalue())) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


def test_files_of_two_sharing_agreements_are_not_joined(tmp_path: Path) -> None:
    extract(tmp_path)
    (tmp_path / PATIENTS).rename(tmp_path / name("Admin_Patient", agreement="5c1a0f5e-0000-4000-8000-000000000002"))
    assert refused(tmp_path) == ["extract-mixed"]


def test_a_file_whose_name_says_nothing_is_noticed_and_others_are_left_alone(tmp_path: Path) -> None:
    extract(tmp_path)
    (tmp_path / "issues.csv").write_text("a,b\n")
    (tmp_path / name("Appointment_Slot")).write_text("whatever\n")
    (tmp_path / "README.txt").write_text("x")
    (tmp_path / name("Admin_Patient", stamp="20261399999999")).write_text("x")
    notices = [one for one in all_read(tmp_path) if one.record is None]
    assert sorted(one.place for one in notices) == sorted(["issues.csv", name("Admin_Patient", stamp="20261399999999")])
    assert all(rules(one) == [("warning", "extract-file-name")] and not one.refused for one in notices)


def test_a_column_that_every_version_has_must_be_there_and_every_fault_comes_at_once(tmp_path: Path) -> None:
    extract(tmp_path)
    write(
        tmp_path,
        "Prescribing_IssueRecord",
        [issue_row()],
        [c for c in columns("Prescribing_IssueRecord") if c not in ("Quantity", "Dosage")],
    )
    (tmp_path / PATIENTS).write_text("")
    (tmp_path / CODES).write_text('CodeId,Term,Term,DmdProductCodeId,ProcessingId,"x""; DROP"\n')
    with pytest.raises(Refused) as caught:
        all_read(tmp_path)
    assert sorted(
        (rule_of(one), place_of(one).rpartition(".csv")[2], *one.get("expression", ())) for one in caught.value.issues
    ) == [
        ("csv-empty", ":1"),
        ("extract-column", ":1", "Dosage"),
        ("extract-column", ":1", "Quantity"),
        ("extract-column", ":1:3", "Term"),
        ("extract-column", ":1:6"),
    ]


def test_a_column_of_a_newer_version_is_noticed_and_kept(tmp_path: Path) -> None:
    extract(tmp_path)
    write(
        tmp_path,
        "Prescribing_IssueRecord",
        [issue_row(Novelty="kept", PharmacyText="known")],
        [*columns("Prescribing_IssueRecord"), "Novelty", "PharmacyText"],
    )
    notice, found = all_read(tmp_path)
    assert (rules(notice), notice.issues[0]["expression"]) == ([("warning", "extract-column")], ["Novelty"])
    assert (record(found)["Novelty"], record(found)["PharmacyText"]) == ("kept", "known")


def test_files_of_one_table_may_have_different_columns(tmp_path: Path) -> None:
    extract(tmp_path)
    header = [c for c in columns("Prescribing_IssueRecord") if c != "EnteredTime"]
    write(tmp_path, "Prescribing_IssueRecord", [issue_row(IssueRecordGuid=OTHER_ISSUE)], header[::-1], stamp="20260317020000")
    first, second = all_read(tmp_path)
    assert ("EnteredTime" in record(first), record(second)["EnteredTime"]) == (False, "10:15:00")
    assert record(first)["Dosage"] == "60ml daily"


def test_no_issue_quotes_a_value(tmp_path: Path) -> None:
    marker = "ZZMARKER"
    extract(
        tmp_path,
        Prescribing_IssueRecord=[
            issue_row(CodeId=marker, Dosage=marker),
            issue_row(IssueRecordGuid="", Dosage=marker),
            issue_row(IssueRecordGuid=OTHER_ISSUE, Dosage=f"{marker}\x07"),
            issue_row(PatientGuid=marker, DrugRecordGuid=marker, ClinicianUserInRoleGuid=marker),
        ],
    )
    found = all_read(tmp_path)
    assert len(found) == 4
    assert marker not in json.dumps([one.issues for one in found])


# DuckDB and the machine -------------------------------------------------------------------------------------------
def test_duckdb_sees_nothing_but_its_own_folder(tmp_path: Path) -> None:
    outside = extract(tmp_path / "extract") / PATIENTS
    inside = tmp_path / "scratch"
    inside.mkdir()
    with Tables(inside, layout(MANIFEST), "64MB") as tables:
        for statement in (
            f"FROM read_csv('{outside}')",
            f"FROM read_text('{outside}')",
            f"FROM sniff_csv('{outside}')",
            f"FROM glob('{outside.parent}/*')",
            f"ATTACH '{tmp_path}/other.duckdb'",
            f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
            "INSTALL httpfs",
            "LOAD httpfs",
            "FROM read_csv('https://example.org/x.csv')",
            "SET enable_external_access = true",
            "SET allowed_directories = ['/']",
            "SET memory_limit = '64GB'",
        ):
            with pytest.raises(duckdb.Error):
                tables.connection.execute(statement).fetchall()
        # A bar on stdout would stand in the middle of the data.
        assert tables.connection.execute("SELECT current_setting('enable_progress_bar')").fetchone() == (False,)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["extract", "scratch"]


def test_what_is_spilled_is_private_and_gone_at_the_end_even_of_a_reading_broken_off(tmp_path: Path) -> None:
    folder = extract(tmp_path / "in", Prescribing_IssueRecord=[issue_row(), issue_row(IssueRecordGuid=OTHER_ISSUE)])
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    reading: Iterator[RecordRead] = read(folder, MANIFEST, scratch=scratch)
    next(reading)
    [held] = scratch.iterdir()
    assert stat.S_IMODE(held.stat().st_mode) == 0o700
    reading.close()  # type: ignore[attr-defined]
    assert list(scratch.iterdir()) == []
    assert len(list(read(folder, MANIFEST, scratch=scratch))) == 2
    assert list(scratch.iterdir()) == []


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    folder = extract(tmp_path / "in")
    (folder / PATIENTS).rename(tmp_path / PATIENTS)
    (folder / PATIENTS).symlink_to(tmp_path / PATIENTS)
    assert refused(folder) == ["extract-file-missing"]


LARGE = """
import json, sys
from pathlib import Path
from adapter.wire.emis_extract import read
count = refused = 0
for found in read(Path(sys.argv[1]), json.loads(sys.argv[2]), memory="192MB"):
    count += 1
    refused += found.refused
print(json.dumps({"count": count, "refused": refused, "mb": PEAK}))
""".replace("PEAK", PEAK)


@pytest.mark.slow
def test_fifty_thousand_issues_are_streamed_in_bounded_memory(tmp_path: Path) -> None:
    """Held as a list, records of this number take 500 MB."""

    def guid(kind: int, n: int) -> str:
        return f"{{0A0000{kind:02d}-0000-4000-8000-{n:012d}}}"

    extract(
        tmp_path,
        Admin_Patient=(patient_row(PatientGuid=guid(1, n), ProcessingId=n) for n in range(4000)),
        Prescribing_DrugRecord=(
            ROWS["Prescribing_DrugRecord"] | {"DrugRecordGuid": guid(2, n), "PatientGuid": guid(1, n % 4000), "ProcessingId": n}
            for n in range(16000)
        ),
        Prescribing_IssueRecord=(
            issue_row(
                IssueRecordGuid=guid(3, n),
                PatientGuid=guid(1, n % 4001),
                DrugRecordGuid=guid(2, n % 4000),
                ProcessingId=50_000 - n,
            )
            for n in range(50_000)
        ),
    )
    root = Path(__file__).resolve().parents[2]
    ran = subprocess.run(
        [sys.executable, "-c", LARGE, str(tmp_path), json.dumps(MANIFEST)],
        capture_output=True,
        check=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    said = json.loads(ran.stdout)
    assert (said["count"], said["refused"]) == (50_000, 12)  # every 4,001st names a patient who is not there
    assert said["mb"] < 350


# the manifest -----------------------------------------------------------------------------------------------------
def test_a_faulty_layout_is_refused_with_all_its_faults() -> None:
    wrong: dict[str, Any] = {
        "key": ["patient.NhsNumber"],
        "rows": {
            "frm": "Prescribing_IssueRecord",
            "join": {
                "Patient": {"file": "Admin_Patient", "on": "PatientGuid"},
                "employer": {"file": "Admin_Organisation", "on": {"prescriber.OrganisationGuid": "OrganisationGuid"}},
                "code": {"file": "Coding_DrugCode"},
                "extract": {"file": "Admin_Patient", "on": "PatientGuid", "missing": "ignore"},
            },
            "remarks": [{"when": {}, "rule": "x"}],
        },
    }
    with pytest.raises(ValueError, match="frm is no word here") as caught:
        layout(wrong)
    said = str(caught.value).splitlines()
    assert len(said) == 9, said
    with pytest.raises(ValueError, match="rows: is missing"):
        layout({"key": ["PatientGuid"]})


def test_the_names_of_extract_files_are_taken_apart() -> None:
    found = extract_files.said_by(f"12_Admin_Patient_20260318020000_{{{AGREEMENT.upper()}}}.CSV")
    assert found == ("Admin_Patient", "20260318020000", AGREEMENT)
    for wrong in (
        "Admin_Patient.csv",
        "1_Admin_20260318020000_x.csv",
        "1_Admin_Patient_20260230020000_x.csv",
        "../1_Admin_Patient_20260318020000_x.csv",
    ):
        assert extract_files.said_by(wrong) is None
