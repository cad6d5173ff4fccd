"""Whom messages are about: the groups, whatever order the messages come in."""

from __future__ import annotations

from itertools import permutations

import pytest

from adapter.care.people import grouped

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
        found = grouped((frozenset(messages[n]), str(n)) for n in order)
        assert sorted("".join(sorted(group)) for group in found) == expected, order


def test_many_messages_without_a_number_are_put_together_in_one_pass() -> None:
    given = [(frozenset({f"client|{n % 5000}"}), n) for n in range(50_000)]
    groups = grouped(given)
    assert len(groups) == 5000
    assert {len(group) for group in groups} == {10}
