"""UK Core as it is published: every profile and extension compiles, its rules refuse what breaks them, and pyrofile agrees.

pyrofile-validator is an independent judge. Where the two differ stands here, each difference with its reason.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from adapter import shipped
from adapter.fhir.gate import Gate
from adapter.fhir.outcome import is_error, rule_of
from tests.fhir import ukcore_xml
from tests.fhir.artefacts import Artefacts
from tests.fhir.judging import ask

Json = dict[str, Any]

REFERENCE = shipped.ROOT.parent / "shared" / "reference"
UKCORE = REFERENCE / "ukcore"
SITE = "https://fhir.hl7.org.uk/StructureDefinition/"

pytestmark = pytest.mark.skipif(not UKCORE.is_dir(), reason="UK Core (../shared/reference/ukcore) is not here")

#: What the gate does not judge: bindings to value sets that UK Core does not bring along.
UNSUPPORTED = [
    "extension-Observation.triggeredBy: Extension.extension:type: required binding to http://hl7.org/fhir/ValueSet/observation-triggeredbytype",
    "extension-Subscription.content: Extension.value[x]: required binding to http://hl7.org/fhir/ValueSet/subscription-payload-content",
    "extension-Patient.fetalStatus: Extension.value[x]: required binding to http://hl7.org/fhir/ValueSet/patient-fetalstatus",
    "UKCore-HealthcareService: HealthcareService.communication: required binding to http://hl7.org/fhir/ValueSet/all-languages",
    "UKCore-Observation-VitalSigns-BodyHeight: Observation.value[x]: required binding to http://hl7.org/fhir/ValueSet/all-distance-units",
    "UKCore-Patient: Patient.communication.language: required binding to http://hl7.org/fhir/ValueSet/all-languages",
    "UKCore-Practitioner: Practitioner.communication: required binding to http://hl7.org/fhir/ValueSet/all-languages",
    "UKCore-RelatedPerson: RelatedPerson.communication.language: required binding to http://hl7.org/fhir/ValueSet/all-languages",
]

#: Official examples that are no good UK Core: (rule, FHIRPath).
NOT_UKCORE = {"medicationrequestexample2.json": [("required", "MedicationRequest.substitution")]}

#: What pyrofile 0.3.0 refuses wrongly: (its code, part of the path) -> why.
PYROFILE_REFUSES = {
    ("element.unknown", "dosageInstruction[0].text"): "takes Dosage.text for unknown: its R4 is read from models that alias it",
    ("element.unknown", "dosage[0].text"): "the same",
    ("terminology.required", "Task.status"): "has R4B's codes as the models cut them off",
    ("extension.context", "Basic"): "right: the instances of extensions stand on a Basic here, and the gate says so too",
}

#: What pyrofile lets through: the broken rule begins with this -> why.
PYROFILE_PASSES = {
    "Extension.extension": "does not judge the parts of a complex extension",
    "Extension.value[x]: target": "does not judge what a reference in an extension refers to",
    "Extension.value[x]: binding": "does not judge the binding of an extension",
}


@pytest.fixture(scope="module")
def published() -> list[Json]:
    return ukcore_xml.read(UKCORE)


@pytest.fixture(scope="module")
def gate(published: list[Json]) -> Gate:
    return Gate(published)


@pytest.fixture(scope="module")
def artefacts(published: list[Json], gate: Gate) -> Artefacts:
    return Artefacts(published, gate)


def _official(artefacts: Artefacts) -> list[tuple[str, str, Json]]:
    """(file, profile, example that claims it) of every official example whose type has a UK Core profile."""
    found = []
    for file in sorted((REFERENCE / "fhir-r4").glob("*.json")):
        resource = json.loads(file.read_text(encoding="utf-8"))
        url = f"{SITE}UKCore-{resource['resourceType']}"
        if url in artefacts.structures:
            resource.setdefault("meta", {})["profile"] = [url]
            found.append((file.name, url, resource))
    return found


def _errors(gate: Gate, resource: Json) -> list[tuple[str, str]]:
    told = [(rule_of(one), one["expression"][0]) for one in gate.check(resource) if is_error(one)]
    return [one for one in told if one[0] != "extension-context"]


class Case(NamedTuple):
    """One instance: what it is of, which rule is broken ("" for the good one), where and by which rules it is to be refused."""

    title: str
    what: str
    resource: Json
    place: str = ""
    rules: frozenset[str] = frozenset()


@pytest.fixture(scope="module")
def cases(artefacts: Artefacts) -> list[Case]:
    """Each rule of each extension, and of the profile of each official example, broken in up to two places; and the good ones."""
    official = _official(artefacts)
    hosts = {resource["resourceType"]: resource for name, _, resource in official if name not in NOT_UKCORE}
    extensions = [url for url, one in artefacts.structures.items() if one["type"] == "Extension"]
    spoilers = [(url.rpartition("/")[2], artefacts.of_extension(url, hosts)) for url in extensions]
    spoilers += [(name, artefacts.of_profile(url, resource)) for name, url, resource in official]
    made: list[Case] = []
    for title, spoiler in spoilers:
        made.append(Case(title, "", spoiler.resource))
        for id_, how in spoiler.rules():
            spoilt = list(spoiler.spoil(id_, how))[:2]
            made += [Case(title, f"{id_}: {how}", one.resource, one.place, one.rules) for one in spoilt]
    return made


def test_all_of_uk_core_is_judged_but_for_what_is_named(gate: Gate) -> None:
    assert len(gate.profiles) == 152
    assert sorted(gate.unsupported) == sorted(UNSUPPORTED)


def test_every_artefact_is_itself_good_fhir(published: list[Json]) -> None:
    assert len(published) > 350
    plain = Gate()
    assert {one["id"]: issues for one in published if (issues := plain.check(one))} == {}


def test_official_examples_are_good_uk_core_but_for_those_named(gate: Gate, artefacts: Artefacts) -> None:
    assert {name: told for name, _, one in _official(artefacts) if (told := _errors(gate, one))} == NOT_UKCORE


def test_every_rule_that_an_instance_can_break_refuses_it(gate: Gate, cases: list[Case]) -> None:
    unjudged = {tuple(one.split(": ")[:2]) for one in UNSUPPORTED}
    for case in cases:
        told = _errors(gate, case.resource)
        if not case.what:
            assert told == NOT_UKCORE.get(case.title, []), case.title
        elif (case.title, case.what.split(": ")[0]) not in unjudged:
            assert any(rule in case.rules and path.startswith(case.place) for rule, path in told), (case, told)


def test_pyrofile_agrees_but_for_what_is_named(
    gate: Gate, published: list[Json], cases: list[Case], tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    for one in published:
        (tmp_path / f"{one['resourceType']}-{one['id']}.json").write_text(json.dumps(one), encoding="utf-8")
    answers = ask(pytestconfig, "pyrofile", [case.resource for case in cases], tmp_path)
    both = {True: 0, False: 0}
    differ = []
    for case, answer in zip(cases, answers, strict=True):
        if any(code == "extension.context" for code, _ in answer):
            continue  # it stops there, and so says nothing of the rest
        theirs = [one for one in answer if not any(one[0] == code and path in one[1] for code, path in PYROFILE_REFUSES)]
        ours = _errors(gate, case.resource)
        if bool(ours) is bool(theirs):
            both[bool(ours)] += 1
        elif theirs or not case.what.startswith(tuple(PYROFILE_PASSES)):
            differ.append((case.title, case.what, ours, theirs))
    assert differ == []
    assert both[True] > 100 and both[False] > 100
