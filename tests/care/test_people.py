"""Whom messages are about: the groups, whatever order the messages come in."""

from __future__ import annotations

from itertools import permutations

import pytest

from adapter.care.people import Named, grouped, identifiers
from adapter.care.records import Json, person

NHS = "https://fhir.nhs.uk/Id/nhs-number|999000001"
ONE, TWO = f"{NHS}8", f"{NHS}9"

#: Name -> the identifiers of each message, and which messages are one person's. Written by hand.
CASES = {
    "one number, whatever else they carry": (({ONE, "a"}, {ONE, "b"}, {ONE}), ["012"]),
    "two numbers are two people, even with an identifier in common": (({ONE, "a"}, {TWO, "a"}), ["0", "1"]),
    "without a number, to the one who has the identifier": (({ONE, "a"}, {"a"}, {TWO, "b"}), ["01", "2"]),
    "to nobody where two have it": (({ONE, "a"}, {TWO, "a"}, {"a"}), ["0", "1", "2"]),
    "by way of another without a number": (({ONE, "a"}, {"a", "c"}, {"c"}), ["012"]),
    "not by way of one that may be either's": (({ONE, "a"}, {TWO, "b"}, {"a", "b", "c"}, {"c"}), ["0", "1", "23"]),
    "what is surely one's is his, though another could be either's": (({ONE, "a"}, {TWO, "b"}, {"a", "b"}, {"a"}), ["03", "1", "2"]),
    "without any number, those that share an identifier": (({"a"}, {"b"}, {"a", "b"}, {"c"}), ["012", "3"]),
    "nothing in common": (({"a"}, {"b"}), ["0", "1"]),
    "nothing said at all: each for itself": ((set(), set(), {ONE}), ["0", "1", "2"]),
    "two that may be the same two people's, with the same words": (({ONE, "a"}, {TWO, "a"}, {"a"}, {"a"}), ["0", "1", "23"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_messages_of_one_person_are_together_in_any_order(name: str) -> None:
    messages, expected = CASES[name]
    for order in permutations(range(len(messages))):
        found = grouped((Named(frozenset(messages[n])), str(n)) for n in order)
        assert sorted("".join(sorted(group)) for group in found) == expected, order


def test_many_messages_without_a_number_are_put_together_in_one_pass() -> None:
    given = [(Named(frozenset({f"client|{n % 5000}"})), n) for n in range(50_000)]
    groups = grouped(given)
    assert len(groups) == 5000
    assert {len(group) for group in groups} == {10}


#: Name -> the identifiers of each message, with those of the record that it says was merged with it, and which are one person's.
MERGES = {
    "two numbers": ((({ONE}, {TWO}), ({ONE}, ()), ({TWO}, ()), ({f"{NHS}7"}, ())), ["012", "3"]),
    "by identifiers of one system, whose people have numbers": (
        (({"c|1"}, {"c|2"}), ({ONE, "c|1"}, ()), ({TWO, "c|2"}, ()), ({"c|3"}, ())),
        ["012", "3"],
    ),
    "without any number": ((({"c|1"}, {"c|2"}), ({"c|1"}, ()), ({"c|2"}, ())), ["012"]),
    "one after the other": ((({ONE}, {TWO}), ({TWO}, {f"{NHS}7"}), ({ONE}, ()), ({f"{NHS}7"}, ())), ["0123"]),
    "with an identifier that two people have: with neither": ((({ONE}, {"a"}), ({TWO, "a"}, ()), ({f"{NHS}7", "a"}, ())), ["0", "1", "2"]),
    "two into one of whom nothing is told yet": ((({ONE}, {f"{NHS}7"}), ({TWO}, {f"{NHS}7"})), ["01"]),
    "two with a number and an identifier in common, and who has that alone": (
        (({ONE, "a"}, {TWO}), ({TWO, "a"}, ()), ({"a"}, ())),
        ["012"],
    ),
    "with somebody of whom nothing is told": ((({ONE}, {TWO}), ({ONE}, ())), ["01"]),
}  # fmt: skip


@pytest.mark.parametrize("name", MERGES)
def test_merged_records_are_one_person_s_in_any_order(name: str) -> None:
    messages, expected = MERGES[name]
    for order in permutations(range(len(messages))):
        found = grouped((Named(frozenset(messages[n][0]), frozenset(messages[n][1])), str(n)) for n in order)
        assert sorted("".join(sorted(group)) for group in found) == expected, order


@pytest.mark.parametrize(
    ("patients", "known_by"),
    [
        # a value or a system alone names nobody
        ([[{"system": "s", "value": "1"}, {"system": "t"}, {"value": "2"}, {"type": {"text": "x"}}]], {"s|1"}),
        ([[{"system": "s", "value": ""}]], set()),
    ],
)
def test_a_person_is_known_by_whole_identifiers(patients: list[list[Json]], known_by: set[str]) -> None:
    messages = [{"entry": [{"fullUrl": "p", "resource": {"resourceType": "Patient", "identifier": one}}]} for one in patients]
    assert person(messages).identifiers == known_by
    assert identifiers(messages[0]).own == known_by


def _patient(value: str, link: str = "", to: str = "", local: str = "") -> Json:
    number = [{"system": "n", "value": value}] + ([{"system": "l", "value": local}] if local else [])
    links = [{"type": link, "other": {"identifier": {"system": "n", "value": to}}}] if link else []
    resource = {"resourceType": "Patient", "identifier": number, "link": links}
    return {"entry": [{"fullUrl": "p", "resource": resource}]}


@pytest.mark.parametrize(
    ("messages", "known_by"),
    [
        ([_patient("1", "replaced-by", "2"), _patient("2")], {"n|2"}),
        ([_patient("1"), _patient("2", "replaces", "1")], {"n|2"}),
        # the other is named by nobody yet
        ([_patient("1", "replaced-by", "2")], {"n|1"}),
        # the identifier in another system goes on
        ([_patient("1", "replaced-by", "2", "x"), _patient("2")], {"n|2", "l|x"}),
        # each is said to be replaced by the other
        ([_patient("1", "replaced-by", "2", "x"), _patient("2", "replaced-by", "1", "x")], {"n|1", "n|2", "l|x"}),
    ],
)
def test_a_merged_person_is_known_by_what_lives_on(messages: list[Json], known_by: set[str]) -> None:
    assert person(messages).identifiers == known_by
