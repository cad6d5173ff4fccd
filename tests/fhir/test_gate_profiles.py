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
from tests.fhir.artefacts import Artefacts
from tests.fhir.spoiling import Spoiler

Json = dict[str, Any]

ARTEFACTS = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(shipped.PROFILES.glob("*.json"))]
STRUCTURES = {one["id"]: one for one in ARTEFACTS if one["resourceType"] == "StructureDefinition"}
PROFILES = sorted(name for name, one in STRUCTURES.items() if one["type"] != "Extension")
EXTENSIONS = sorted(name for name, one in STRUCTURES.items() if one["type"] == "Extension")
CONSTRAINTS: list[Json] = yaml.safe_load((Path(__file__).parent / "constraints.yaml").read_text(encoding="utf-8"))

SEVERITIES = {
    one["key"]: one["severity"]
    for structure in STRUCTURES.values()
    for element in structure["differential"]["element"]
    for one in element.get("constraint", ())
}

#: What an example lacks of the elements whose rules are broken here.
ADDED: dict[str, Json] = {"Patient": {"communication": [{"language": {"text": "Cornish"}}]}}

#: What stands in place of everything else, and so is broken in an instance of its own.
INSTEAD: dict[str, Json] = {"last-dose": {"extension": [{"url": "unknown", "valueBoolean": True}]}}


@pytest.fixture(scope="module")
def gate() -> Gate:
    return Gate.shipped()


def _example(name: str) -> Json:
    read: Json = json.loads((shipped.PROFILES / "examples" / f"{name}.json").read_text(encoding="utf-8"))
    return read


def _errors(issues: list[Issue]) -> list[Issue]:
    # An extension is tried on a Basic, which none of them names as its place; places have a test of their own.
    return [one for one in issues if one["severity"] == "error" and rule_of(one) != "extension-context"]


@pytest.fixture(scope="module")
def artefacts(gate: Gate) -> Artefacts:
    # Their units must agree, which no made-up value does.
    extensions = _example("MedicationDispense-dose")["extension"] + _example("ServiceRequest-referral")["extension"]
    return Artefacts(ARTEFACTS, gate, {one["url"]: one for one in extensions if one["url"].endswith(("-amount", "/last-dose"))})


def _spoiler(artefacts: Artefacts, name: str) -> Spoiler:
    url = STRUCTURES[name]["url"]
    return artefacts.of_extension(url) if name in EXTENSIONS else artefacts.of_profile(url, _example(name) | ADDED.get(name, {}))


def _spoilers(artefacts: Artefacts, name: str) -> list[Spoiler]:
    if name not in INSTEAD:
        return [_spoiler(artefacts, name)]
    url = STRUCTURES[name]["url"]
    return [
        _spoiler(artefacts, name),
        Artefacts(ARTEFACTS, artefacts.gate, {url: {"url": url, **INSTEAD[name]}}).of_extension(url),
    ]


def _demand(name: str) -> dict[int, list[str]]:
    return {} if STRUCTURES[name]["type"] == "Extension" else {0: [STRUCTURES[name]["url"]]}


@pytest.mark.parametrize("name", [*PROFILES, *EXTENSIONS])
def test_the_good_instance_is_good(gate: Gate, artefacts: Artefacts, name: str) -> None:
    for spoiler in _spoilers(artefacts, name):
        assert _errors(gate.check(spoiler.resource, profiles=_demand(name))) == []


@pytest.mark.parametrize("name", [*PROFILES, *EXTENSIONS])
def test_every_rule_refuses_what_breaks_it(gate: Gate, artefacts: Artefacts, name: str) -> None:
    spoilers = _spoilers(artefacts, name)
    constraints = {one["key"] for one in CONSTRAINTS}
    unspoilt = []
    for id_, how in dict.fromkeys(rule for spoiler in spoilers for rule in spoiler.rules()):
        if how in constraints:
            continue
        broken = [one for spoiler in spoilers for one in spoiler.spoil(id_, how)]
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
def test_an_extension_stands_only_where_its_definition_says(gate: Gate, artefacts: Artefacts, name: str) -> None:
    contexts = {one["expression"] for one in STRUCTURES[name]["context"] if one["type"] == "element"}
    found = [
        one["expression"][0] for one in gate.check(_spoiler(artefacts, name).resource) if rule_of(one) == "extension-context"
    ]
    assert found == ([] if contexts & {"Element", "Basic", "Resource", "DomainResource"} else ["Basic.extension[0]"])


def test_nothing_in_our_profiles_goes_unjudged(gate: Gate) -> None:
    assert gate.unsupported == []
    assert {one["url"] for one in STRUCTURES.values()} == set(gate.profiles)
