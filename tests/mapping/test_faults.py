"""Start-up faults: each mistake that a map's author can make is refused, with its line, and all of them at once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import adapter
from adapter import MapFaults
from adapter.mapping.faults import Fault
from adapter.shipped import MAPPINGS

PATIENT = """resourceType: Patient
$key: nhs
identifier: [{system: "https://fhir.nhs.uk/Id/nhs-number", value: $nhs}]
"""
DOSE = """resourceType: MedicationDispense
$each: doses
$key: id
identifier: [{system: "urn:x", value: $id}]
status: $state
subject: $ref Patient
"""
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "nhs": {"type": "string"},
        "name": {"type": "string"},
        "doses": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "id": {"type": "string"},
                    "state": {"type": "string"},
                    "kind": {"type": "string"},
                    "amount": {"type": "number"},
                    "steps": {
                        "type": "array",
                        "items": {"type": "object", "additionalProperties": False, "properties": {"n": {"type": "string"}}},
                    },
                },
            },
        },
    },
}
TWO_TO_ONE = {
    "resourceType": "ConceptMap",
    "name": "kind",
    "group": [
        {
            "source": "urn:a",
            "target": "urn:b",
            "element": [
                {"code": "x", "target": [{"code": "completed", "equivalence": "wider", "comment": "both"}]},
                {"code": "y", "target": [{"code": "completed", "equivalence": "wider", "comment": "both"}]},
            ],
        }
    ],
}


def faults(
    tmp_path: Path, maps: dict[str, str], listed: list[str] | None = None, manifest: dict[str, Any] | None = None
) -> list[Fault]:
    folder = tmp_path / "own"
    (folder / "m").mkdir(parents=True)
    (folder / "codes").mkdir()
    (folder / "codes" / "kind.json").write_text(json.dumps(TWO_TO_ONE))
    (folder / "m" / "m.schema.json").write_text(json.dumps(SCHEMA))
    for name, text in maps.items():
        (folder / "m" / f"{name}.yaml").write_text(text)
    entry = {
        "direction": "both",
        "event": "dose-outcome",
        "format": "json",
        "key": ["nhs"],
        "maps": listed or list(maps),
        **(manifest or {}),
    }
    (folder / "system.yaml").write_text(
        json.dumps({"system": "own", "title": "Own", "kind": "pharmacy", "version": "1", "messages": {"m": entry}})
    )
    return adapter.load(mappings=[tmp_path]).check("own")


def test_sound_maps_have_none(tmp_path: Path) -> None:
    assert faults(tmp_path, {"Patient": PATIENT, "MedicationDispense": DOSE}) == []


CASES = {
    "misspelt word": (DOSE.replace("$each", "$eech"), 2, "$eech is not a word", "$each"),
    "misspelt element": (DOSE + "whenHandeOver: $kind\n", 7, "MedicationDispense has no element whenHandeOver", "whenHandedOver"),
    "list without brackets": (DOSE + "note: {text: $kind}\n", 7, "note is a list in FHIR", "["),
    "brackets without list": (DOSE + "quantity: [{value: $amount}]\n", 7, "quantity is not a list in FHIR", ""),
    "misspelt path": (DOSE.replace("$state", "$stat"), 5, "the payload has no doses[].stat", "state"),
    "climbs out": (DOSE.replace("$state", "$^^state"), 5, "climbs out of the record", ""),
    "unknown codec": (DOSE.replace("$state", "$state | knd"), 5, "knd is neither a ConceptMap nor a codec", "kind"),
    "unknown map": (DOSE.replace("$ref Patient", "$ref Patent"), 6, "$ref Patent: the message has no such map", "Patient"),
    "two bare holes": (DOSE + "whenPrepared: $state\nextension: [$kind, $amount]\n", 8, "an array with two bare holes", ""),
    "no way back": (DOSE.replace("$state", "$kind | kind"), 5, "doses[].kind cannot be given back", ""),
    "loop without key": (DOSE.replace("$key: id\n", ""), 2, "needs a $key or $id", ""),
    "safety ignored": (DOSE + "$ignored: {quantity: we do not need it}\n", 7, "quantity is a safety element", ""),
    "ignored without reason": (DOSE + '$ignored: {note: ""}\n', 7, "$ignored note has no reason", ""),
    "rest outside FHIR": (DOSE + "$rest: kind\n", 1, "$rest stands only in maps of a system that itself speaks FHIR", ""),
    "several paths, no codec": (DOSE.replace("$state", "$state + kind"), 5, "several paths need a codec", ""),
    "written twice": (DOSE + "status: completed\n", 7, "status is written twice", ""),
    "empty value": (DOSE + "whenPrepared:\n", 7, "an empty value", ""),
    "no number": (DOSE + "quantity: {value: .nan}\n", 7, ".nan is no number", ""),
    "holds itself": (DOSE + "note: &note [*note]\n", 7, "this holds itself", ""),
    "too deep": (DOSE + f"note: {'[' * 900}{']' * 900}\n", 7, "this is more than can be read", ""),
    "control character": (DOSE + "note: \x07\n", 1, "this is not YAML", ""),
}


@pytest.mark.parametrize(("text", "line", "what", "near"), CASES.values(), ids=CASES.keys())
def test_a_fault_names_its_line_what_and_the_nearest(tmp_path: Path, text: str, line: int, what: str, near: str) -> None:
    found = faults(tmp_path, {"Patient": PATIENT, "MedicationDispense": text})
    assert any(
        what in f.what and f.line == line and f.file.endswith("MedicationDispense.yaml") and near in str(f) for f in found
    ), "\n".join(map(str, found))


def test_a_one_way_codec_must_be_said(tmp_path: Path) -> None:
    from adapter.mapping.codecs import REGISTRY, codec

    codec("test-one-way", read=lambda value: f"{value}!")
    try:
        text = DOSE + "note: [{text: $kind | test-one-way}]\nwhenPrepared: $kind\n"
        found = faults(tmp_path, {"Patient": PATIENT, "MedicationDispense": text})
        assert [(f.line, "goes one way" in f.what) for f in found] == [(7, True)]
    finally:
        del REGISTRY["test-one-way"]


def test_a_nested_list_needs_a_way_to_its_parent(tmp_path: Path) -> None:
    nested = 'resourceType: Observation\n$each: doses/steps\n$key: ^id + n\nstatus: final\ncode: {text: $n}\nidentifier: [{system: "urn:y", value: $^id}]\n'
    found = faults(tmp_path, {"Patient": PATIENT, "MedicationDispense": DOSE, "Observation": nested})
    assert [(f.line, f.what) for f in found] == [(2, "nothing says which element of doses a Observation belongs to")]
    other = tmp_path / "again"
    other.mkdir()
    assert (
        faults(
            other, {"Patient": PATIENT, "MedicationDispense": DOSE, "Observation": nested + "partOf: [$ref MedicationDispense]\n"}
        )
        == []
    )


def test_two_maps_that_cannot_be_told_apart(tmp_path: Path) -> None:
    twin = "resourceType: Organization\n$key: name\nname: $name\n"
    found = faults(tmp_path, {"Patient": PATIENT, "Organization.a": twin, "Organization.b": twin})
    assert sum("cannot be told apart" in f.what for f in found) == 2


def test_by_needs_a_key_that_a_hole_holds(tmp_path: Path) -> None:
    org = "resourceType: Organization\n$each: doses\n$key: kind\nname: $state\n"
    dose = DOSE + "performer: [{actor: $ref Organization by kind}]\n"
    found = faults(tmp_path, {"Patient": PATIENT, "Organization": org, "MedicationDispense": dose})
    assert any("no hole of Organization holds its key" in f.what and f.line == 7 for f in found)


def test_a_ring_of_references(tmp_path: Path) -> None:
    a = "resourceType: Organization\nname: $name\npartOf: $ref Organization.b\n"
    b = "resourceType: Organization\nalias: [$name]\npartOf: $ref Organization.a\n"
    found = faults(tmp_path, {"Patient": PATIENT, "Organization.a": a, "Organization.b": b})
    assert any("refer to each other in a ring" in f.what for f in found)


def test_all_faults_come_at_once_and_stop_the_message(tmp_path: Path) -> None:
    bad = DOSE.replace("$state", "$stat") + "whenHandeOver: $kind\n"
    assert [f.line for f in faults(tmp_path, {"Patient": PATIENT + "gendr: $name\n", "MedicationDispense": bad})] == [5, 7, 4]
    with pytest.raises(MapFaults) as caught:
        adapter.load(mappings=[tmp_path]).message("own/m")
    assert [(f.file, f.line) for f in caught.value.faults] == [
        ("own/m/MedicationDispense.yaml", 5),
        ("own/m/MedicationDispense.yaml", 7),
        ("own/m/Patient.yaml", 4),
    ]


def test_manifest_faults_name_the_nearest_word(tmp_path: Path) -> None:
    found = faults(tmp_path, {"Patient": PATIENT}, manifest={"formt": "json"})
    assert any("formt is not a word of a message; did you mean format" in f.what for f in found)
    assert any(
        "there is no map Patint; did you mean Patient" in f.what
        for f in faults(tmp_path / "b", {"Patient": PATIENT}, listed=["Patint"])
    )


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MapFaults, match="there is no such folder"):
        adapter.load(mappings=[tmp_path / "nowhere"])


def test_a_schema_with_a_misspelt_keyword(tmp_path: Path) -> None:
    assert faults(tmp_path, {"Patient": PATIENT, "MedicationDispense": DOSE}) == []
    file = tmp_path / "own/m/m.schema.json"
    file.write_text(json.dumps({**SCHEMA, "requird": ["nhs"], "type": "objekt"}))
    found = [f.what for f in adapter.load(mappings=[tmp_path]).check("own")]
    assert "$.requird is no keyword of JSON Schema" in found and any(
        f.startswith("this is no JSON Schema at $.type") for f in found
    )


def bomb(*head: str) -> str:
    """Lists of nine of the list before, from `a` to `k`: a few lines, and more values than memory holds."""
    names = zip("abcdefghij", "bcdefghijk", strict=True)
    lines = [f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]" for before, name in names]
    return "\n".join([*head, "a: &a [x,x,x,x,x,x,x,x,x]", *lines]) + "\n"


def test_what_is_no_text_is_told_of_each_file_at_once(tmp_path: Path) -> None:
    """A manifest in another encoding; and of another system a map and a table of codes, told together."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "system.yaml").write_bytes("title: Wäsche\n".encode("latin-1"))
    found = [str(one) for one in adapter.load(mappings=[tmp_path]).check("own")]
    assert any(one.startswith("own/system.yaml:1: this is not UTF-8") for one in found), "\n".join(found)
    copy = tmp_path / "others" / "nebula"
    shutil.copytree(MAPPINGS / "nebula", copy)
    told = {next(copy.glob("*/*.yaml")): "this is not UTF-8", next(copy.glob("codes/*.json")): "this is not JSON"}
    for file in told:
        file.write_bytes(b"\xff\xfe")
    found = [str(one) for one in adapter.load(mappings=[copy.parent]).check("nebula")]
    for file, said in told.items():
        assert any(file.name in one and said in one for one in found), "\n".join(found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (bomb("system: own"), "system.yaml:7: this is more than can be read"),
        ("system: &own [*own]\n", "system.yaml:1: this holds itself"),
        ("system: own\nversion: .inf\n", "system.yaml:2: .inf is no number"),
        ("system: \x07\n", "system.yaml:1: this is not YAML"),
    ],
    ids=["aliases", "itself", "no number", "control character"],
)
def test_a_manifest_that_cannot_be_read_is_told(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "system.yaml").write_text(text)
    found = adapter.load(mappings=[tmp_path]).check("own")
    assert any(str(fault).startswith(f"own/{said}") for fault in found), "\n".join(map(str, found))
