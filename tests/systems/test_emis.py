"""EMIS: extract folders against their goldens, every record through gate and account, and the codecs one by one."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import adapter
from adapter import Adapter
from adapter.fhir.json import decode
from adapter.fhir.outcome import Issue, is_error, place_of
from adapter.fhir.second_opinion import second_opinion
from adapter.mapping.codecs import REGISTRY
from adapter.shipped import FIXTURES
from adapter.systems import emis
from adapter.systems.message import Account, Message
from adapter.systems.translate import fhirpath
from adapter.wire.emis_extract import RecordRead, read
from tests.test_fixtures import RECEIVED, issues, ordered, renamed
from tests.wire.extracts import extract, issue_row, patient_row

CASES = sorted((FIXTURES / "emis").glob("*/*"))


@dataclass
class Came:
    """What one row came to: the hub Bundle (None where it was refused), source paths unread, and every issue."""

    bundle: dict[str, Any] | None
    unread: list[str]
    found: list[Issue]

    @property
    def refused(self) -> bool:
        return any(map(is_error, self.found))


def translated(ost: Adapter, source: Path, name: str) -> Iterator[Came]:
    """Every row of an extract, read into the hub and judged."""
    message = ost.message(name)
    for row in read(source, message.info.entry):
        yield come(ost, message, row)


def come(ost: Adapter, message: Message, row: RecordRead) -> Came:
    """One row of an extract, read into the hub by these maps and judged."""
    found, account = list(row.issues), Account()
    if row.record is not None:
        found += message.payload.check(row.record)
    if row.record is None or any(map(is_error, found)):
        return Came(None, [], found)
    bundle = message.assemble(message.read_record(row.record, account), row.record, RECEIVED)
    places = [
        {**one, "expression": [fhirpath(e) for e in one["expression"]]} if "expression" in one else one
        for one in ost.judge(bundle, writing=True)
    ]
    return Came(bundle, account.unread_source, [*found, *account.issues, *places])


def told(one: Came) -> Any:
    """What of a row stands in its goldens: the issues of a refused one, or its Bundle, source paths unread and issues."""
    if one.refused:
        rows = [{**issues([e])[0], "place": place_of(e)} for e in one.found]
        return ordered([{k: v for k, v in row.items() if k != "code" and v} for row in rows])
    return renamed(one.bundle), sorted(one.unread), issues(one.found)


def goldens(folder: Path) -> list[Any]:
    """The same of every row of a fixture folder, as it stands there."""
    if (folder / "outcome.json").exists():
        return [ordered(decode((folder / "outcome.json").read_bytes())["issues"])]
    found = []
    for golden in sorted(folder.glob("bundle*.json")):
        account = decode((folder / golden.name.replace("bundle", "account")).read_bytes())
        found.append((renamed(decode(golden.read_bytes())), sorted(account["unread"]["source"]), ordered(account["issues"])))
    return found


@pytest.mark.parametrize("folder", [pytest.param(c, id="/".join(c.parts[-2:])) for c in CASES])
def test_an_extract_comes_to_its_goldens(folder: Path, ost: Adapter) -> None:
    came = list(translated(ost, folder / "in", f"emis/{folder.parent.name}"))
    assert [told(one) for one in came] == goldens(folder)
    for one in came:
        assert one.bundle is None or one.refused or [i for i in second_opinion(one.bundle) if is_error(i)] == []


def test_a_wrong_check_digit_is_carried_where_a_site_reads_leniently() -> None:
    [came] = translated(adapter.load(lenient=True), FIXTURES / "emis/issue/nhs-number-check/in", "emis/issue")
    assert not came.refused
    assert [i["severity"] for i in came.found if i["details"]["coding"][0]["code"] == "nhs-number"] == ["warning"]


def test_the_same_extract_gives_the_same_bytes(ost: Adapter) -> None:
    source = FIXTURES / "emis/issue/several/in"
    assert [one.bundle for one in translated(ost, source, "emis/issue")] == [
        one.bundle for one in translated(ost, source, "emis/issue")
    ]


def test_an_id_follows_from_the_source_s_own_key_and_from_nothing_else(ost: Adapter) -> None:
    """Two issues of one patient speak of one person, one prescriber and one practice; no two issues are one order."""
    _, second, third = (one.bundle for one in translated(ost, FIXTURES / "emis/issue/several/in", "emis/issue"))
    ids = [{e["resource"]["resourceType"]: e["fullUrl"] for e in (bundle or {})["entry"]} for bundle in (second, third)]
    shared = {kind for kind in ids[0] if ids[0][kind] == ids[1][kind]}
    assert shared == {"Patient", "PractitionerRole", "Practitioner", "Organization"}


# every record that the schema allows --------------------------------------------------------------------------------
#: Columns whose values have a form; every other text column is drawn as words, every flag as true or false.
FORMS: dict[str, list[str]] = {
    "EffectiveDate": ["2026-03-16"],
    "EnteredDate": ["2026-03-16"],
    "EnteredTime": ["09:42:10"],
    "DateOfBirth": ["1984-02-29"],
    "DateOfDeath": ["2026-03-11"],
    "DateOfRegistration": ["2020-06-01", "June"],
    "DateOfDeactivation": ["2026-03-12"],
    "ContractStartDate": ["2019-09-02"],
    "ContractEndDate": ["2027-09-02"],
    "CancellationDate": ["2026-02-01"],
    "EffectiveDatePrecision": ["Y", "YM", "YMD", "YMDT"],
    "Sex": ["M", "F", "I", "U"],
    "NhsNumber": ["9990000018", "9990000026"],
    "NHSNumberStatus": ["01", "08"],
    "CodeId": ["1001"],
    "DmdProductCodeId": ["36120711000001104"],
    "Dosage": ["60ml daily", "AS DIRECTED", "2 tablets daily"],
    "Quantity": ["840", "28.0"],
    "QuantityUnit": ["ml", "Tablet(s)", "sachet"],
    "CourseDurationInDays": ["0", "14", "28"],
    "NumberOfIssues": ["0", "5"],
    "PrescriptionType": ["Acute", "Repeat", "Repeat Dispensing", "Automatic"],
    "at": ["20260318020000"],
}


def drawn(ost: Adapter, name: str, count: int) -> Iterator[dict[str, Any]]:
    """Invented records of a message: any of its columns, and any of its joins (which need their column)."""
    message, pick = ost.message(name), random.Random(29)

    def value(column: str, schema: dict[str, Any], place: str) -> Any:
        if "properties" in schema:
            return {
                c: value(c, below, f"{place}.{c}")
                for c, below in schema["properties"].items()
                if c == "ClinicianUserInRoleGuid" or pick.random() < 0.8
            }
        if schema["type"] == "boolean":
            return pick.random() < 0.4
        return pick.choice(FORMS[column]) if column in FORMS else f"{column} of {place or 'the row'} {pick.randrange(100)}"[-38:]

    made = 0
    while made < count:
        record = value("", message.payload.schema, "")
        if "EffectiveDate" not in record:  # how precise a date is says nothing without one
            record.pop("EffectiveDatePrecision", None)
        if message.payload.check(record) == []:
            made += 1
            yield record


@pytest.mark.parametrize("name", ["emis/issue", "emis/patient"])
def test_every_value_of_a_record_is_read_ignored_or_said_to_be_unread(ost: Adapter, name: str) -> None:
    """A value that is changed changes the hub, or it is one that the maps name as left out or the account as unread."""
    message = ost.message(name)
    seen = 0
    for record in drawn(ost, name, 150):
        _, run = message.table.fill(record)
        assert not [i for i in run.issues if is_error(i)], (record, run.issues)
        account = Account()
        before = message.read_record(record, account)
        for path in leaves(record):
            if path in account.unread_source or message.table.is_ignored(path) or path in ("extract.file", "extract.agreement"):
                continue
            after, _ = message.table.fill(without(record, path))
            assert after != before, (path, record)
            seen += 1
    assert seen > 1500


def leaves(record: dict[str, Any], place: str = "") -> Iterator[str]:
    for name, value in record.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{place}{name}.")
        elif value is not False:  # a flag that is not set may say no more than its absence
            yield place + name


def without(record: dict[str, Any], path: str) -> dict[str, Any]:
    head, _, rest = path.partition(".")
    if rest:
        return {**record, head: without(record[head], rest)}
    return {k: v for k, v in record.items() if k != head}


def test_no_order_is_a_form_an_instalment_or_supervised(ost: Adapter) -> None:
    """The extract cannot say any of these, whatever its texts say."""
    for record in drawn(ost, "emis/issue", 100):
        record.setdefault("EffectiveDatePrecision", "YMD")
        record["Dosage"] = "SUPERVISED CONSUMPTION INSTALMENTS MON WED FRI"
        [order] = [r for r in ost.message("emis/issue").fill(record) if r["resourceType"] == "MedicationRequest"]
        assert order["intent"] == "order"
        supervision = [e["valueCode"] for e in order["extension"] if e["url"].endswith("/required-supervision")]
        assert supervision == ["unknown"]
        assert not [e for e in order["extension"] if "planned-collection" in e["url"] or "treatment-period" in e["url"]]
        assert "doseAndRate" not in order["dosageInstruction"][0]


def test_nothing_of_where_a_sensitive_patient_is_reaches_the_hub(tmp_path: Path, ost: Adapter) -> None:
    secret = [
        "99 Hidden Row",
        "Hiding",
        "ZZ99 9ZZ",
        "020 7946 0999",
        "07700 900999",
        "hidden@example.org",
        "Hideshire",
        "Hideham",
        "Nook",
    ]
    columns = (
        "NumberAndStreet",
        "Town",
        "Postcode",
        "HomePhone",
        "MobilePhone",
        "EmailAddress",
        "County",
        "Village",
        "HouseNameFlatNumber",
    )
    for flag in ("True", ""):  # no flag is no permission
        folder = extract(
            tmp_path / f"flag{flag}", Admin_Patient=[patient_row(SpineSensitive=flag, **dict(zip(columns, secret, strict=True)))]
        )
        [came] = translated(ost, folder, "emis/issue")
        assert came.bundle is not None
        assert not [s for s in secret if s in str(came.bundle)]
        assert not [s for s in secret if s in str(came.found)]


@pytest.mark.parametrize(("issue", "drug"), [("True", "False"), ("False", "True"), ("True", "True"), ("False", "False")])
def test_an_order_is_restricted_where_the_issue_or_its_authorisation_is(
    tmp_path: Path, ost: Adapter, issue: str, drug: str
) -> None:
    from tests.wire.extracts import ROWS

    authorisation = ROWS["Prescribing_DrugRecord"] | {"IsConfidential": drug}
    extract(tmp_path, Prescribing_IssueRecord=[issue_row(IsConfidential=issue)], Prescribing_DrugRecord=[authorisation])
    [came] = translated(ost, tmp_path, "emis/issue")
    assert came.bundle is not None
    labels = [s["code"] for e in came.bundle["entry"] for s in e["resource"].get("meta", {}).get("security", ())]
    assert labels == ([] if issue == drug == "False" else ["R"])


# codecs -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("pair", "said"),
    [
        (("2026-03-16", "YMD"), "2026-03-16"),
        (("2026-03-16", "YMDT"), "2026-03-16"),
        (("2026-03-16", "YM"), "2026-03"),
        (("2026-03-16", "Y"), "2026"),
        (("2026-03-16", "U"), None),
        ((None, "U"), None),
        ((None, "YMD"), None),
        (("2026-03-16", None), None),
    ],
)
def test_a_date_is_as_precise_as_was_meant(pair: tuple[str | None, str], said: str | None) -> None:
    assert emis.effective(pair) == said
    assert emis.no_date(pair) == ("unknown" if said is None else None)


@pytest.mark.parametrize(
    "pair",
    [("2026-03-16", "D"), ("2026-02-30", "YMD"), ("16/03/2026", "YMD"), ("2026-03", "YM"), ("", "YMD")],
)
def test_a_date_that_cannot_be_trusted_is_refused(pair: tuple[str, str | None]) -> None:
    with pytest.raises((ValueError, KeyError)):
        emis.effective(pair)


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        (("2026-03-16", "09:42:10"), "2026-03-16T09:42:10+00:00"),
        (("2026-07-16", "09:42:10"), "2026-07-16T09:42:10+01:00"),
        (("2026-07-16", None), "2026-07-16"),
        (("2026-10-25", "01:30:00"), "2026-10-25"),  # shown twice
        (("2026-03-29", "01:30:00"), "2026-03-29"),  # skipped
        ((None, "09:42:10"), None),
    ],
)
def test_an_entry_has_the_offset_of_london_or_only_its_day(pair: tuple[str | None, str | None], said: str | None) -> None:
    assert emis.entered(pair) == said


def test_the_time_of_an_extract_is_left_out_where_the_clock_showed_it_twice() -> None:
    assert emis.extracted("20260718013000") == "2026-07-18T01:30:00+01:00"
    assert emis.extracted("20261025013000") is None


def test_a_codec_with_two_halves_gives_back_what_it_took() -> None:
    both: dict[str, list[Any]] = {
        "emis-date": [("2026-03-16", "YMD"), ("2026-03-01", "YM"), ("2026-01-01", "Y")],
        "emis-day": ["2026-03-16"],
        "emis-day-if-any": ["2026-03-16"],
        "emis-trace-if-any": ["01", "08"],
        "emis-no-date": [(None, "U")],
        "emis-entered": [("2026-03-16", "09:42:10"), ("2026-07-16", None)],
        "emis-extracted": ["20260718013000"],
        "emis-issue-status": [True, False],
        "emis-count": ["0", "12"],
        "emis-days": ["14"],
        "emis-given": [("Ada", "Mary Jo"), ("Ada", None)],
        "emis-authorisation": [(True, "2026-02-01"), (False, "2026-02-01"), (None, "2026-02-01"), (False, None)],
    }
    ours = {name: codec for name, codec in REGISTRY.items() if name.startswith("emis-")}
    assert set(both) == {name for name, codec in ours.items() if codec.write is not None}
    for name, values in both.items():
        write = ours[name].write
        assert write is not None
        for value in values:
            assert write(ours[name].read(value)) == value, name


def test_what_a_half_cannot_take_it_refuses() -> None:
    for name, value in {
        "emis-issue-status": "stopped",
        "emis-given": ["a", "b", "c"],
        "emis-authorisation": "It ended.",
        "emis-no-date": "masked",
    }.items():
        write = REGISTRY[name].write
        assert write is not None
        with pytest.raises((ValueError, KeyError)):
            write(value)
    for name, text in {"emis-count": "-1", "emis-days": "14.5", "emis-day": "2026-02-30"}.items():
        with pytest.raises(ValueError, match=r"."):
            REGISTRY[name].read(text)


def test_what_says_nothing_is_declined() -> None:
    assert emis.days("0") is None
    assert emis.day_if_any("16 March") is None
    assert [emis.trace_if_any(code) for code in ("01", "08", "09", "1", "")] == ["01", "08", None, None, None]
    assert emis.given((None, "Mary")) is None
    assert emis.lines((None, None, None)) is None
    assert emis.authorisation((True, None)) is None
    assert emis.absent((False, None)) is None
    assert emis.restricted((False, None)) is None


# the dose ---------------------------------------------------------------------------------------------------------
ML, MG, MICROGRAM, TABLET = "ml", "mg", "micrograms", "tablets"


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("60ml daily", "60", "ml"),
        ("TAKE 30ML DAILY SUPERVISED", "30", "ml"),
        ("Take 30 mls once daily.", "30", "mls"),
        ("12.5 mg every day", "12.5", "mg"),
        ("give 400 micrograms once a day", "400", "micrograms"),
        ("2 tablets each day under supervision", "2", "tablets"),
        ("0.5ml  daily\r\nsupervised consumption", "0.5", "ml"),
    ],
)
def test_one_dose_a_day_is_read_where_the_text_says_no_more(text: str, value: str, unit: str) -> None:
    assert emis.daily_dose((text, None, None, None)) == (Decimal(value), unit)
    said = emis.dose((text, None, None, None))
    assert said is not None
    assert (str(said["value"]), said["unit"], said["system"]) == (value, unit, "http://snomed.info/sct")
    assert emis.once_daily((text, None, None, None)) == {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "AS DIRECTED",
        "60ml",
        "60 daily",
        "ONE DAILY",
        "30-40ml daily",
        "30ml or 40ml daily",
        "30ml to 40ml daily",
        "up to 60ml daily",
        "60ml twice daily",
        "60ml daily bd",
        "60ml bd",
        "60ml daily for 14 days",
        "60ml daily, reduce by 5ml weekly",
        "60ml Mon-Sat, 120ml Sun",
        "60ml daily supervised Mon-Fri",
        "60ml daily unsupervised",
        "60ml alternate days",
        "60ml every other day",
        "60mls/day",
        "0ml daily",
        "0.0ml daily",
        "060ml daily",
        "1,000ml daily",
        "1/2 tablet daily",
        "8mg tablets daily",
        "2 x 8mg tablets daily",
        "60ml daily when required",
        "60ml not daily",
        "60 ml daily if seen",
        "\u0666\u0660ml daily",
        "60l daily",
        "60mmol daily",
        "60ml (60mg) daily",
        "-60ml daily",
        "60.ml daily",
        ".5ml daily",
    ],
)
def test_a_text_that_leaves_any_doubt_gives_no_dose(text: str) -> None:
    assert emis.daily_dose((text, None, None, None)) is None
    assert emis.dose((text, None, None, None)) is None
    assert emis.once_daily((text, None, None, None)) is None


@pytest.mark.parametrize(
    ("quantity", "unit", "days", "read"),
    [
        ("840", "ml", "14", True),
        ("840.00", "MLS", "14", True),
        ("700", "ml", "14", False),  # words and figures disagree
        ("840", "ml", "0", True),  # the source does not know how long
        ("840", "tablet(s)", "14", True),  # another unit: nothing to compare
        ("840", "ml", None, True),
        (None, "ml", "14", True),
        ("840", None, "14", True),
        ("eight", "ml", "14", False),
    ],
)
def test_a_dose_that_the_quantity_contradicts_is_not_read(
    quantity: str | None, unit: str | None, days: str | None, read: bool
) -> None:
    assert (emis.daily_dose(("60ml daily", quantity, unit, days)) is not None) == read


@given(st.text(alphabet="0123456789.- mlgMLGdaiyxonceTAKE/,", max_size=24))
def test_a_dose_that_is_read_is_the_only_number_in_the_text(text: str) -> None:
    found = emis.daily_dose((text, None, None, None))
    if found is not None:
        assert [Decimal(n) for n in re.findall(r"[0-9]+(?:\.[0-9]+)?", text)] == [found[0]]
        assert found[0] > 0


def test_every_unit_of_a_dose_has_its_codes() -> None:
    for unit, (code, ucum) in {
        "ml": ("258773002", "mL"),
        "mls": ("258773002", "mL"),
        "mg": ("258684004", "mg"),
        "mgs": ("258684004", "mg"),
        "microgram": ("258685003", "ug"),
        "micrograms": ("258685003", "ug"),
        "tablet": ("428673006", "{tbl}"),
        "tablets": ("428673006", "{tbl}"),
    }.items():
        said = emis.dose((f"3 {unit} daily", None, None, None))
        assert said is not None
        assert (said["code"], said["extension"][0]["valueCode"]) == (code, ucum)


def test_a_unit_without_a_ucum_code_has_none() -> None:
    assert emis.ucum("sachet") is None
    assert emis.ucum("furlong") is None
    assert emis.ucum(" Tablet(s) ") == "{tbl}"
