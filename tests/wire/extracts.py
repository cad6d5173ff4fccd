"""Invented EMIS extracts for tests: folders of small CSV files, with the columns of the manifest or of one version."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from adapter.mapping.faults import Faults
from adapter.mapping.language import compose, data
from adapter.shipped import MAPPINGS

STAMP = "20260318020000"
AGREEMENT = "5c1a0f5e-0000-4000-8000-000000000001"

PRACTICE, PATIENT, OTHER_PATIENT = (f"{{0A000000-0000-4000-8000-00000000000{n}}}" for n in (1, 2, 3))
PRESCRIBER, DRUG = "{0A000000-0000-4000-8000-000000000004}", "{0A000000-0000-4000-8000-000000000005}"
ISSUE, OTHER_ISSUE = "{0A000000-0000-4000-8000-000000000006}", "{0A000000-0000-4000-8000-000000000007}"

Row = dict[str, Any]

#: One good row of each file: an invented person with an NHS number of the 999 range.
ROWS: dict[str, Row] = {
    "Admin_Organisation": {
        "OrganisationGuid": PRACTICE,
        "OrganisationName": "Plane Tree Surgery",
        "ODSCode": "Y99001",
        "ProcessingId": 1,
    },
    "Admin_UserInRole": {
        "UserInRoleGuid": PRESCRIBER,
        "OrganisationGuid": PRACTICE,
        "Title": "Dr",
        "GivenName": "Ines",
        "Surname": "Sample",
        "JobCategoryCode": "R0260",
        "JobCategoryName": "General Medical Practitioner",
        "ProcessingId": 1,
    },
    "Admin_Patient": {
        "PatientGuid": PATIENT,
        "OrganisationGuid": PRACTICE,
        "Sex": "F",
        "DateOfBirth": "1984-02-29",
        "GivenName": "Ada",
        "Surname": "Testerton",
        "NhsNumber": "9990000018",
        "DummyType": "False",
        "Deleted": "False",
        "SpineSensitive": "False",
        "IsConfidential": "False",
        "ProcessingId": 1,
    },
    "Coding_DrugCode": {
        "CodeId": 1001,
        "Term": "Methadone 1mg/ml oral solution",
        "DmdProductCodeId": "36120711000001104",
        "ProcessingId": 1,
    },
    "Prescribing_DrugRecord": {
        "DrugRecordGuid": DRUG,
        "PatientGuid": PATIENT,
        "OrganisationGuid": PRACTICE,
        "PrescriptionType": "Acute",
        "IsActive": "True",
        "IsConfidential": "False",
        "Deleted": "False",
        "ProcessingId": 1,
    },
    "Prescribing_IssueRecord": {
        "IssueRecordGuid": ISSUE,
        "PatientGuid": PATIENT,
        "OrganisationGuid": PRACTICE,
        "DrugRecordGuid": DRUG,
        "EffectiveDate": "2026-03-02",
        "EffectiveDatePrecision": "YMD",
        "EnteredDate": "2026-03-02",
        "EnteredTime": "10:15:00",
        "ClinicianUserInRoleGuid": PRESCRIBER,
        "EnteredByUserInRoleGuid": PRESCRIBER,
        "CodeId": 1001,
        "Dosage": "60ml daily",
        "Quantity": "840",
        "QuantityUnit": "ml",
        "CourseDurationInDays": 14,
        "IsConfidential": "False",
        "Deleted": "False",
        "ProcessingId": 1,
    },
}


def manifest(message: str = "issue") -> dict[str, Any]:
    """The message's entry in mappings/emis/system.yaml."""
    file = MAPPINGS / "emis" / "system.yaml"
    faults = Faults(file)
    node = compose(file.read_text("utf-8"), faults)
    assert node is not None
    assert not faults.found
    entry: dict[str, Any] = data(node, faults)["messages"][message]
    return entry


def columns(file: str) -> list[str]:
    """The columns of a file, those of later versions that the rows above use included."""
    said = manifest()["rows"]
    return [*said["columns"][file], *(("EnteredTime",) if file.startswith("Prescribing") else ())]


def name(file: str, stamp: str = STAMP, agreement: str = AGREEMENT, number: int = 1) -> str:
    return f"{number}_{file}_{stamp}_{agreement}.csv"


def write(
    folder: Path, file: str, rows: Iterable[Row], header: Sequence[str] = (), stamp: str = STAMP, newline: str = "\r\n"
) -> Path:
    """Write one file; what a row has under no column of the header is left out."""
    path = folder / name(file, stamp)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(
            stream, header or columns(file), restval="", extrasaction="ignore", quoting=csv.QUOTE_ALL, lineterminator=newline
        )
        writer.writeheader()
        writer.writerows(rows)
    return path


def extract(folder: Path, stamp: str = STAMP, **rows: Iterable[Row]) -> Path:
    """A whole extract: one good row a file, or the rows given by the file's name."""
    folder.mkdir(parents=True, exist_ok=True)
    for file, row in ROWS.items():
        write(folder, file, rows.get(file, [row]), stamp=stamp)
    return folder


def issue_row(**changes: Any) -> Row:
    return ROWS["Prescribing_IssueRecord"] | changes


def patient_row(**changes: Any) -> Row:
    return ROWS["Admin_Patient"] | changes


#: Python text for a process of its own: the most memory that it has held, in MB. Not getrusage: on Linux its ru_maxrss begins
#: with the peak of the process that started this one, so that a large test run would be measured and not the reading.
PEAK = 'next(int(line.split()[1]) // 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))'
