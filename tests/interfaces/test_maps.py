"""`maps new`, `maps test` and what `maps docs` writes, as a connector developer meets them."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from pathlib import Path

import pytest

import adapter
from adapter.interfaces import packs, survival_pages
from adapter.interfaces.proving import prove
from adapter.shipped import FIXTURES
from adapter.systems import cases, scaffold
from tests.interfaces.running import command

SAMPLE = {
    "id": "7",
    "sent": "2026-03-18T17:50:00Z",
    "person": {"nhs": "9990000018", "family": "Testerton", "born": "1984-05-17"},
    "missed": [{"no": "7-1", "day": "2026-03-17", "amount": 40.5, "seen": False}, {"no": "7-2", "day": "2026-03-18"}],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "missed.json").write_text(json.dumps(SAMPLE))
    (tmp_path / "visits.csv").write_bytes(b"VISIT_NO;NHS;DAY\r\n1;9990000018;01/02/2026\r\n")
    return tmp_path


def new(folder: Path, name: str, sample: str, *more: str, event: str = "dose-outcome") -> tuple[int, str]:
    ran = command("maps", "new", name, "--sample", sample, "--event", event, "-o", "sys", *more, cwd=folder)
    return ran.returncode, ran.stderr.decode()


def test_a_scaffold_loads_and_its_case_fails_until_the_maps_say_all(folder: Path) -> None:
    assert new(folder, "corner/missed", "missed.json", "--kind", "pharmacy")[0] == 0
    assert command("maps", "check", "corner", "--mappings", "sys", cwd=folder).returncode == 0
    ran = command("maps", "test", "corner", "--mappings", "sys", "--json", cwd=folder)
    assert ran.returncode == 1
    (message,) = json.loads(ran.stdout)
    (case,) = message["cases"]
    assert not case["passes"]
    # Every field of the sample but the two that the scaffold uses as keys is told as unread, with its place.
    unread = {line.rpartition(" ")[2] for line in case["differences"] if "unread at" in line}
    assert unread == {
        "sent", "person.family", "person.born", "missed[0].no", "missed[0].day", "missed[0].amount",
        "missed[0].seen", "missed[1].no", "missed[1].day",
    }  # fmt: skip
    ran = command("maps", "test", "corner", "--mappings", "sys", cwd=folder)
    assert b"bundle.json is not there" in ran.stdout and b"1 message, 1 case: 1 failed" in ran.stdout


def test_the_schema_of_a_scaffold_holds_types_and_no_value_of_the_sample(folder: Path) -> None:
    new(folder, "corner/missed", "missed.json")
    text = (folder / "sys/corner/missed/missed.schema.json").read_text()
    schema = json.loads(text)
    assert schema["required"] == ["id", "sent", "person", "missed"]
    properties = schema["properties"]
    assert (properties["sent"]["format"], properties["person"]["properties"]["born"]["format"]) == ("date-time", "date")
    items = properties["missed"]["items"]
    assert items["required"] == ["no", "day"]
    assert {name: one["type"] for name, one in items["properties"].items()} == {
        "no": "string",
        "day": "string",
        "amount": "number",
        "seen": "boolean",
    }
    others = [file.read_text() for file in (folder / "sys").rglob("*") if file.is_file() and "fixtures" not in file.parts]
    assert all(value not in one for one in others for value in ("9990000018", "Testerton", "1984", "40.5"))


def test_a_scaffold_of_rows(folder: Path) -> None:
    assert new(folder, "rows/visit", "visits.csv", event="consultation")[0] == 0
    assert command("maps", "check", "rows", "--mappings", "sys", cwd=folder).returncode == 0
    schema = json.loads((folder / "sys/rows/visit/visit.schema.json").read_text())
    assert list(schema["properties"]) == ["VISIT_NO", "NHS", "DAY"]
    assert "key: [VISIT_NO]" in (folder / "sys/rows/system.yaml").read_text()
    assert b"unread at DAY" in command("maps", "test", "rows", "--mappings", "sys", cwd=folder).stdout


def test_nothing_is_overwritten_and_every_slip_is_told(folder: Path) -> None:
    assert new(folder, "corner/missed", "missed.json")[0] == 0
    (folder / "sys/corner/system.yaml").write_text("mine")
    code, said = new(folder, "corner/missed", "missed.json")
    assert code == 2 and "there already" in said
    assert (folder / "sys/corner/system.yaml").read_text() == "mine"
    assert "did you mean dose-outcome?" in new(folder, "a/b", "missed.json", event="dose-outcom")[1]
    assert "SYSTEM/MESSAGE" in new(folder, "Corner", "missed.json")[1]
    (folder / "bad.json").write_text('{"a": 1, "a": 2}')
    code, said = new(folder, "a/b", "bad.json")
    assert code == 1 and "one key twice" in said
    assert not (folder / "sys/a").exists()


@pytest.mark.parametrize("event", scaffold.events())
def test_every_event_can_be_scaffolded(tmp_path: Path, event: str) -> None:
    for file, body in scaffold.files("mine", "one", b'{"ref": "1", "tags": ["a"]}', form="json", event=event, kind="gp").items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_bytes(body)
    assert adapter.load(mappings=[tmp_path]).check("mine") == []


# maps test --------------------------------------------------------------------------------------------------------------
GOOD = "pharmacy/dose-outcome/supervised"


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """A copy of a good case, to spoil."""
    shutil.copytree(FIXTURES / GOOD, tmp_path / GOOD)
    return tmp_path / GOOD


def test_a_good_case_passes(case: Path, ost: adapter.Adapter) -> None:
    assert cases.run(ost, "pharmacy/dose-outcome", case).differences == []


def test_each_difference_has_its_place_and_no_value(case: Path, ost: adapter.Adapter) -> None:
    bundle = json.loads((case / "bundle.json").read_text())
    patient = next(entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == "Patient")
    patient["birthDate"] = "1901-01-01"
    patient["gender"] = "other"
    del patient["name"]
    (case / "bundle.json").write_text(json.dumps(bundle))
    found = cases.run(ost, "pharmacy/dose-outcome", case).differences
    places = {line.split(": ")[0].rpartition(".resource.")[2] for line in found}
    assert {"birthDate", "name"} <= places
    assert "1901" not in str(found)


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("account.json", {"unread": {"source": ["notes"], "bundle": []}, "carried": [], "issues": []}, "notes was read"),
        ("account.json", {"unread": {"source": [], "bundle": []}, "carried": ["x"], "issues": []}, "account.carried"),
        (
            "account.json",
            {"unread": {"source": [], "bundle": []}, "carried": [], "issues": [{"rule": "unit", "expression": ["x"]}]},
            "unit at x did not come",
        ),
        ("outcome.json", {"issues": [{"rule": "mg-against-ml", "expression": ["x"]}]}, "mg-against-ml at x did not come"),
    ],
)
def test_what_the_case_wants_and_does_not_get_is_told(
    case: Path, ost: adapter.Adapter, file: str, text: object, told: str
) -> None:
    (case / file).write_text(json.dumps(text))
    assert [line for line in cases.run(ost, "pharmacy/dose-outcome", case).differences if told in line] != []


def test_fields_that_no_case_exercises_are_named(tmp_path: Path, ost: adapter.Adapter) -> None:
    shutil.copytree(FIXTURES / GOOD, tmp_path / GOOD)
    proof = prove(ost, "pharmacy/dose-outcome", tmp_path, ())
    assert proof.failed == 0
    missed = {(one.map, slot.field) for one in proof.maps for slot in one.missed}
    assert ("MedicationStatement", "doses[].elsewhere.stated_by.name") in missed or any(
        m == "MedicationStatement" for m, _ in missed
    )
    assert ("MedicationDispense", "doses[].dose_date") not in missed


#: The share of its fields that a system's own cases exercise at least. EPS is held by the official samples as well
#: (tests/systems/test_eps*.py), and every map of a published message by the laws and by mutation.
COVERED = {"eps": 0.65, "criis": 0.85}


@pytest.mark.parametrize("name", sorted(adapter.load().systems))
def test_the_cases_of_every_shipped_system_pass_and_exercise_its_fields(name: str, ost: adapter.Adapter) -> None:
    proofs = [prove(ost, f"{name}/{message}", None, ()) for message in ost.systems[name].messages]
    assert [one.message for one in proofs if not one.cases] == []
    assert [f"{case.case.name}: {line}" for one in proofs for case in one.cases for line in case.differences] == []
    maps = [one for proof in proofs for one in proof.maps]
    assert sum(one.exercised for one in maps) / sum(one.holes for one in maps) >= COVERED.get(name, 0.95)


# maps docs --------------------------------------------------------------------------------------------------------------
def test_a_pack_has_the_schema_good_and_bad_samples_and_what_may_change(ost: adapter.Adapter) -> None:
    made = packs.packs(ost)
    assert {name.rpartition("-")[0] for name in made} == {"pharmacy", "criis", "nebula"}
    with zipfile.ZipFile(io.BytesIO(made["pharmacy-1.0.0.zip"])) as pack:
        names = set(pack.namelist())
        schema = json.loads(pack.read("dose-outcome/dose-outcome.schema.json"))
        readme = pack.read("README.md").decode()
        bad = json.loads(pack.read("dose-outcome/refused/refused-unknown-unit.issues.json"))
    assert schema["$id"].endswith("/contracts/pharmacy/dose-outcome/1.0.0")
    assert "dose-outcome/good/supervised.json" in names and "dose-outcome/refused/refused-unknown-unit.json" in names
    assert bad["issues"]
    assert "Compatibility:" in readme and "| `dose-outcome` | 1.0.0 | both ways |" in readme
    assert packs.packs(ost) == made, "the same bytes each time"


def test_docs_writes_pages_and_packs(tmp_path: Path) -> None:
    ran = command("maps", "docs", "-o", "made", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    names = {file.name for file in (tmp_path / "made").iterdir()}
    assert {"survival.md", "survival-dose-outcome.md", "pharmacy.md", "codecs.md", "pharmacy-1.0.0.zip"} <= names


def test_the_matrix_has_every_route(ost: adapter.Adapter) -> None:
    matrix = survival_pages.pages(ost)["survival.md"]
    for source, target in survival_pages.routes(ost):
        assert f"| `{source.name}` | [`{target.name}`]" in matrix
    assert len(list(survival_pages.routes(ost))) > 20
