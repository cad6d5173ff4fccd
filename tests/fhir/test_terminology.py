"""ConceptMaps as tables of codes and as $translate."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.fhir.terminology import CodeMap, Row, translate

LOCAL, EVENT = "urn:ost:test:outcome", "http://terminology.hl7.org/CodeSystem/medicationdispense-status"
URL = "https://ost-adapter.example/fhir/ConceptMap/test-outcome"


def concept_map(*elements: dict[str, Any], **group: Any) -> dict[str, Any]:
    return {
        "resourceType": "ConceptMap",
        "url": URL,
        "name": "TestOutcome",
        "group": [{"source": LOCAL, "target": EVENT, "element": list(elements)} | group],
    }


def element(code: str, target: str | None, equivalence: str = "equivalent", **more: Any) -> dict[str, Any]:
    return {"code": code, "target": [({"code": target} if target else {}) | {"equivalence": equivalence} | more]}


OUTCOME = concept_map(
    {"code": "S", "display": "Supervised", "target": [{"code": "completed", "display": "Completed", "equivalence": "wider"}]},
    {"code": "T", "display": "Take home", "target": [{"code": "completed", "equivalence": "wider"}]},
    element("M", "declined", "inexact", comment="R4 has no missed", display="Declined"),
    element("E", None, "unmatched"),
)
UNITS = concept_map(element("ml", "258773002"), element("mg", "258684004", "equal"), element("none", None, "unmatched"))


def test_a_table_forward_and_no_way_back() -> None:
    table = CodeMap(OUTCOME)
    assert table.faults == []
    assert (table.name, table.url, table.source, table.target) == ("TestOutcome", URL, LOCAL, EVENT)
    assert table.forward == {"S": "completed", "T": "completed", "M": "declined", "E": None}
    assert table.display == {"S": "Completed", "M": "Declined"}
    assert table.backward is None
    assert table.rows["S"] == Row("S", "completed", "wider", "Supervised", "Completed", "")
    assert table.rows["M"] == Row("M", "declined", "inexact", "", "Declined", "R4 has no missed")
    assert table.rows["E"] == Row("E", None, "unmatched")


def test_a_table_both_ways() -> None:
    table = CodeMap(UNITS)
    assert table.faults == []
    assert table.forward == {"ml": "258773002", "mg": "258684004", "none": None}
    assert table.backward == {"258773002": "ml", "258684004": "mg"}


def test_the_id_stands_in_for_a_name() -> None:
    assert CodeMap({"resourceType": "ConceptMap", "id": "unit-ucum"}).name == "unit-ucum"


GOOD = element("A", "B")


@pytest.mark.parametrize(
    ("faulty", "fault"),
    [
        (concept_map(GOOD, element("A", "C")), "group[0].element[1] (A): the same code has an element before this one"),
        (
            concept_map(
                GOOD, {"code": "X", "target": [{"code": "B", "equivalence": "equal"}, {"code": "C", "equivalence": "equal"}]}
            ),
            "group[0].element[1] (X): has 2 targets: a table of codes has one for each code, unmatched where nothing corresponds",
        ),
        (
            concept_map(GOOD, {"code": "X"}),
            "group[0].element[1] (X): has 0 targets: a table of codes has one for each code, unmatched where nothing corresponds",
        ),
        (concept_map(GOOD, element("", "C")), "group[0].element[1] (): code is missing"),
        (
            concept_map(GOOD, element("X", "C", "same")),
            "group[0].element[1] (X): target.equivalence is missing or not one of R4's codes",
        ),
        (
            concept_map(GOOD, {"code": "X", "target": [{"code": "C"}]}),
            "group[0].element[1] (X): target.equivalence is missing or not one of R4's codes",
        ),
        (
            concept_map(GOOD, element("X", "C", "disjoint")),
            "group[0].element[1] (X): target.equivalence is disjoint: what never means the same is no translation",
        ),
        (
            concept_map(GOOD, element("X", "C", "unmatched")),
            "group[0].element[1] (X): target.code and target.equivalence disagree: unmatched, and that alone, has no code",
        ),
        (
            concept_map(GOOD, element("X", None, "equal")),
            "group[0].element[1] (X): target.code and target.equivalence disagree: unmatched, and that alone, has no code",
        ),
        (
            concept_map(GOOD, element("X", "C", "narrower")),
            "group[0].element[1] (X): target.equivalence narrower needs a comment (cmd-1)",
        ),
        (
            concept_map(GOOD, element("X", "C", dependsOn=[{"property": "urn:p", "value": "v"}])),
            "group[0].element[1] (X): target.dependsOn and target.product: a table of codes knows the code alone",
        ),
        (concept_map(GOOD, source=""), "group[0].source is missing: a code needs its system"),
        (concept_map(GOOD, target=None), "group[0].target is missing: a code needs its system"),
        (
            concept_map(GOOD, unmapped={"mode": "fixed", "code": "B"}),
            "group[0].unmapped: a code that the table does not hold is reported, never replaced",
        ),
        (concept_map(), "group[0] has no element"),
        ({"resourceType": "ConceptMap"}, "has 0 groups: a table of codes has exactly one"),
        (concept_map(GOOD) | {"group": concept_map(GOOD)["group"] * 2}, "has 2 groups: a table of codes has exactly one"),
        (concept_map(GOOD) | {"resourceType": "CodeSystem"}, "resourceType is not ConceptMap"),
    ],
    ids=lambda value: value[:60] if isinstance(value, str) else "",
)
def test_faults_are_told_and_nothing_raises(faulty: dict[str, Any], fault: str) -> None:
    assert CodeMap(faulty).faults == [fault]


def test_a_faulty_element_is_in_no_table_and_all_faults_are_told_at_once() -> None:
    table = CodeMap(concept_map(GOOD, element("A", "C"), element("X", "D", "wrong"), element("Y", "D", "disjoint")))
    assert table.forward == {"A": "B"}
    assert table.backward == {"B": "A"}
    assert len(table.faults) == 3


def matched(equivalence: str, **coding: str) -> dict[str, Any]:
    part: list[dict[str, Any]] = [{"name": "equivalence", "valueCode": equivalence}]
    if coding:
        part.append({"name": "concept", "valueCoding": coding})
    return {"name": "match", "part": [*part, {"name": "source", "valueUri": URL}]}


def answer(result: bool, *rest: dict[str, Any], message: str = "") -> dict[str, Any]:
    told = [{"name": "message", "valueString": message}] if message else []
    return {"resourceType": "Parameters", "parameter": [{"name": "result", "valueBoolean": result}, *told, *rest]}


def test_translates_forward() -> None:
    assert translate(OUTCOME, "S", LOCAL) == answer(True, matched("wider", system=EVENT, code="completed", display="Completed"))


def test_translates_back_to_every_source_with_the_relation_turned() -> None:
    assert translate(OUTCOME, "completed", EVENT, reverse=True) == answer(
        True,
        matched("narrower", system=LOCAL, code="S", display="Supervised"),
        matched("narrower", system=LOCAL, code="T", display="Take home"),
    )


def test_nothing_on_purpose_is_no_translation_but_a_match() -> None:
    assert translate(OUTCOME, "E", LOCAL) == answer(
        False, matched("unmatched"), message="The map says that nothing corresponds to this code."
    )


def test_a_code_that_the_map_does_not_have() -> None:
    assert translate(OUTCOME, "Q", LOCAL) == answer(False, message="The map does not have this code as a source.")
    assert translate(OUTCOME, "S", EVENT, reverse=True) == answer(False, message="The map does not have this code as a target.")


def test_a_system_must_be_the_very_one() -> None:
    for system in ("urn:other", "", EVENT):
        assert translate(OUTCOME, "S", system) == answer(False, message="The map has no group with this source system.")
    assert translate(OUTCOME, "completed", LOCAL, reverse=True) == answer(
        False, message="The map has no group with this target system."
    )


def test_a_target_system_chooses_among_groups() -> None:
    second = concept_map(element("S", "taken"), target="urn:other")["group"][0]
    both = OUTCOME | {"group": [*OUTCOME["group"], second]}
    assert translate(both, "S", LOCAL, target_system="urn:other") == answer(
        True, matched("equivalent", system="urn:other", code="taken")
    )
    assert [match["part"][1]["valueCoding"]["code"] for match in translate(both, "S", LOCAL)["parameter"][1:]] == [
        "completed",
        "taken",
    ]
    assert translate(both, "S", LOCAL, target_system="urn:none") == answer(
        False, message="The map has no group with this source system and target system."
    )


def test_a_group_that_lacks_the_code_takes_nothing_from_one_that_has_it() -> None:
    second = concept_map(element("Q", "taken"), target="urn:other")["group"][0]
    both = OUTCOME | {"group": [*OUTCOME["group"], second]}
    assert translate(both, "Q", LOCAL) == answer(True, matched("equivalent", system="urn:other", code="taken"))


def test_several_targets_are_all_given() -> None:
    two = concept_map({"code": "A", "target": [{"code": "B", "equivalence": "equal"}, {"code": "C", "equivalence": "disjoint"}]})
    assert translate(two, "A", LOCAL) == answer(
        True, matched("equal", system=EVENT, code="B"), matched("disjoint", system=EVENT, code="C")
    )


def test_disjoint_alone_is_no_translation() -> None:
    assert translate(concept_map(element("A", "C", "disjoint")), "A", LOCAL)["parameter"][0]["valueBoolean"] is False


def test_unmapped_codes() -> None:
    provided = concept_map(GOOD, unmapped={"mode": "provided"})
    fixed = concept_map(GOOD, unmapped={"mode": "fixed", "code": "other", "display": "Other"})
    elsewhere = concept_map(GOOD, unmapped={"mode": "other-map", "url": "urn:map"})
    assert translate(provided, "Q", LOCAL) == answer(True, matched("relatedto", system=EVENT, code="Q"))
    assert translate(fixed, "Q", LOCAL) == answer(True, matched("relatedto", system=EVENT, code="other", display="Other"))
    assert translate(elsewhere, "Q", LOCAL) == answer(
        False, message="The map leaves this code to another map, which is not followed."
    )
    assert translate(fixed, "A", LOCAL) == answer(True, matched("equivalent", system=EVENT, code="B"))


def test_a_condition_that_cannot_be_checked_is_not_taken_as_met() -> None:
    conditional = concept_map(element("A", "B", dependsOn=[{"property": "urn:p", "value": "v"}]))
    assert translate(conditional, "A", LOCAL) == answer(
        False, message="A target of this code depends on more than the code, which is not supported."
    )
    assert translate(conditional, "B", EVENT, reverse=True)["parameter"][0]["valueBoolean"] is False


def test_a_map_without_url_names_no_source() -> None:
    unnamed = {key: value for key, value in UNITS.items() if key != "url"}
    assert translate(unnamed, "ml", LOCAL)["parameter"][1]["part"][2:] == []


@pytest.mark.parametrize(
    "broken",
    [{}, {"group": None}, {"group": [None, {"element": [None, {"target": 1}]}]}, {"group": [{"source": LOCAL, "element": {}}]}],
)
def test_a_broken_map_raises_nothing(broken: dict[str, Any]) -> None:
    assert CodeMap(broken).faults
    assert translate(broken, "A", LOCAL)["parameter"][0]["valueBoolean"] is False
    assert translate(broken, "A", LOCAL, reverse=True)["parameter"][0]["valueBoolean"] is False


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from("ABCDEF"), st.sampled_from("uvwxyz") | st.none(), min_size=1))
def test_table_and_operation_say_the_same(codes: dict[str, str | None]) -> None:
    made = concept_map(*(element(code, target, "equivalent" if target else "unmatched") for code, target in codes.items()))
    table = CodeMap(made)
    assert table.faults == []
    assert table.forward == codes
    for code, target in codes.items():
        parameters = translate(made, code, LOCAL)["parameter"]
        assert parameters[0]["valueBoolean"] is (target is not None)
        if target is not None:
            assert parameters[1]["part"][1]["valueCoding"]["code"] == target
            back = [
                match["part"][1]["valueCoding"]["code"] for match in translate(made, target, EVENT, reverse=True)["parameter"][1:]
            ]
            assert code in back
            assert table.backward is None or back == [table.backward[target]] == [code]
