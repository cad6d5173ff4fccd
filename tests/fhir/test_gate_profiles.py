"""Every rule of every shipped profile is broken in turn, in a good instance, and refused where it was broken."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapter import shipped
from adapter.fhir.gate import Gate
from adapter.fhir.outcome import Issue, rule_of
from adapter.fhir.schema import tables
from tests.fhir.spoiling import VALUES, Spoiler

Json = dict[str, Any]

ARTEFACTS = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(shipped.PROFILES.glob("*.json"))]
STRUCTURES = {one["id"]: one for one in ARTEFACTS if one["resourceType"] == "StructureDefinition"}
PROFILES = sorted(name for name, one in STRUCTURES.items() if one["type"] != "Extension")
EXTENSIONS = sorted(name for name, one in STRUCTURES.items() if one["type"] == "Extension")
SYSTEMS = {
    one["url"]: {concept["code"] for concept in one["concept"]} for one in ARTEFACTS if one["resourceType"] == "CodeSystem"
}
CODES = {
    one["url"]: {
        code
        for include in one["compose"]["include"]
        for code in ([concept["code"] for concept in include["concept"]] if "concept" in include else SYSTEMS[include["system"]])
    }
    for one in ARTEFACTS
    if one["resourceType"] == "ValueSet"
}
CONSTRAINTS: list[Json] = yaml.safe_load((Path(__file__).parent / "constraints.yaml").read_text(encoding="utf-8"))

SEVERITIES = {
    one["key"]: one["severity"]
    for structure in STRUCTURES.values()
    for element in structure["differential"]["element"]
    for one in element.get("constraint", ())
}

#: What an example lacks of the elements whose rules are broken here.
ADDED: dict[str, Json] = {"Patient": {"communication": [{"language": {"text": "Cornish"}}]}}


@pytest.fixture(scope="module")
def gate() -> Gate:
    return Gate.shipped()


def _example(name: str) -> Json:
    read: Json = json.loads((shipped.PROFILES / "examples" / f"{name}.json").read_text(encoding="utf-8"))
    return read


def _errors(issues: list[Issue]) -> list[Issue]:
    # An extension is tried on a Basic, which none of them names as its place; places have a test of their own.
    return [one for one in issues if one["severity"] == "error" and rule_of(one) != "extension-context"]


def _instance(name: str) -> Json:
    """A good instance of an extension, with everything that its definition names."""
    if name == "prescribed-amount":  # whose units must agree
        extensions: list[Json] = _example("MedicationDispense-dose")["extension"]
        return next(one for one in extensions if one["url"] == STRUCTURES[name]["url"])
    return _filled(Spoiler(_known(name), {}, (), "", CODES).elements, "Extension", STRUCTURES[name]["url"])


def _known(name: str) -> list[Any]:
    return Gate.shipped().profile_elements(STRUCTURES[name]["url"])


def _filled(elements: dict[str, Json], id_: str, url: str) -> Json:
    made: Json = {"url": url}
    value = elements.get(f"{id_}.value[x]", {})
    if value.get("max") != "0" and value.get("type"):
        type_ = value["type"][0]["code"]
        made[f"value{type_[0].upper()}{type_[1:]}"] = _value(elements, f"{id_}.value[x]", type_)
    slices = [one for one in elements if one.startswith(f"{id_}.extension:") and "." not in one.removeprefix(f"{id_}.")]
    inner = [
        _filled(elements, one, elements.get(f"{one}.url", {}).get("fixedUri") or elements[one]["type"][0]["profile"][0])
        for one in slices
    ]
    if inner:
        made["extension"] = inner
    return made


def _value(elements: dict[str, Json], id_: str, type_: str) -> Any:
    element = elements[id_]
    value = copy.deepcopy(VALUES[type_])
    if element.get("binding", {}).get("strength") == "required":
        value_set = next(one for one in ARTEFACTS if one.get("url") == element["binding"]["valueSet"])
        coding = {"system": value_set["compose"]["include"][0]["system"], "code": min(CODES[value_set["url"]])}
        value = {"code": coding["code"], "Coding": coding, "CodeableConcept": {"coding": [coding]}}[type_]
    if isinstance(value, dict):
        for name, row in tables.types()[type_]["elements"].items():
            child = elements.get(f"{id_}.{name}", {})
            if any(key.startswith("fixed") for key in child):
                value[name] = next(v for key, v in child.items() if key.startswith("fixed"))
            elif child.get("min") and name not in value:
                value[name] = [VALUES[row["t"]]] if row.get("l") else VALUES[row["t"]]
        slices = [one for one in elements if one.startswith(f"{id_}.extension:")]
        if slices:
            value["extension"] = [_instance(elements[one]["type"][0]["profile"][0].rpartition("/")[2]) for one in slices]
    return value


def _spoiler(name: str) -> Spoiler:
    if STRUCTURES[name]["type"] == "Extension":
        basic = {"resourceType": "Basic", "code": {"text": "x"}, "extension": [_instance(name)]}
        return Spoiler(_known(name), basic, ("extension", 0), "Basic.extension[0]", CODES)
    return Spoiler(_known(name), _example(name) | ADDED.get(name, {}), (), STRUCTURES[name]["type"], CODES)


def _demand(name: str) -> dict[int, list[str]]:
    return {} if STRUCTURES[name]["type"] == "Extension" else {0: [STRUCTURES[name]["url"]]}


@pytest.mark.parametrize("name", [*PROFILES, *EXTENSIONS])
def test_the_good_instance_is_good(gate: Gate, name: str) -> None:
    assert _errors(gate.check(_spoiler(name).resource, profiles=_demand(name))) == []


@pytest.mark.parametrize("name", [*PROFILES, *EXTENSIONS])
def test_every_rule_refuses_what_breaks_it(gate: Gate, name: str) -> None:
    spoiler = _spoiler(name)
    constraints = {one["key"] for one in CONSTRAINTS}
    unspoilt = []
    for id_, how in spoiler.rules():
        if how in constraints:
            continue
        broken = list(spoiler.spoil(id_, how)) if how in ("min", "max", "fixed", "pattern", "binding", "type", "target") else []
        if not broken:
            unspoilt.append((id_, how))
        for one in broken:
            issues = _errors(gate.check(one.resource, profiles=_demand(name)))
            there = [issue for issue in issues if issue["expression"][0].startswith(one.place) and rule_of(issue) in one.rules]
            assert there, (id_, how, one.place, [(rule_of(issue), issue["expression"]) for issue in issues])
    assert unspoilt == []


@pytest.mark.parametrize("case", CONSTRAINTS, ids=[f"{one['key']} {index}" for index, one in enumerate(CONSTRAINTS)])
def test_every_constraint_refuses_what_breaks_it(gate: Gate, case: Json) -> None:
    good = _example(case["example"])
    assert case["key"] not in {rule_of(one) for one in gate.check(good)}
    broken = copy.deepcopy(good)
    for path, value in case["edit"].items():
        _edit(broken, path.split("."), value)
    found = {(rule_of(one), one["expression"][0]): one for one in gate.check(broken)}
    assert (case["key"], case["at"]) in found
    assert found[case["key"], case["at"]]["severity"] == SEVERITIES[case["key"]]


def _edit(node: Any, steps: list[str], value: Any) -> None:
    for index, step in enumerate(steps):
        if step.startswith("@"):
            found = [one for one in node["extension"] if one["url"].rpartition("/")[2] == step[1:]]
            if index == len(steps) - 1 and value is None:
                node["extension"] = [one for one in node["extension"] if one is not found[0]]
                return
            node = found[0]
        elif index == len(steps) - 1:
            if value is None:
                del node[step]
            else:
                node[step] = value
        else:
            node = node[int(step) if step.isdigit() else step]


def test_every_constraint_of_every_profile_is_broken_somewhere() -> None:
    stated = {
        (name, one["key"])
        for name, structure in STRUCTURES.items()
        for element in structure["differential"]["element"]
        for one in element.get("constraint", ())
    }
    tried = {(case["example"], case["key"]) for case in CONSTRAINTS}
    in_extensions = {key for name, key in stated if name in EXTENSIONS}
    assert {one for one in stated if one[0] not in EXTENSIONS} - tried == set()
    assert in_extensions - {key for _, key in tried} == set()


@pytest.mark.parametrize("name", EXTENSIONS)
def test_an_extension_stands_only_where_its_definition_says(gate: Gate, name: str) -> None:
    contexts = {one["expression"] for one in STRUCTURES[name]["context"] if one["type"] == "element"}
    found = [one["expression"][0] for one in gate.check(_spoiler(name).resource) if rule_of(one) == "extension-context"]
    assert found == ([] if contexts & {"Element", "Basic", "Resource", "DomainResource"} else ["Basic.extension[0]"])


def test_nothing_in_our_profiles_goes_unjudged(gate: Gate) -> None:
    assert gate.unsupported == []
    assert {one["url"] for one in STRUCTURES.values()} == set(gate.profiles)
