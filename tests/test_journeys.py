"""Stories of shared care from end to end: each message of a journey is heard by every system that must hear it, as worked out by hand.

The stories and their format: fixtures/journeys/README.md. How they are read and judged: tests/journeys.py, journey_facts.py.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from adapter import Adapter, Translation
from adapter.systems import hub
from tests import journey_facts, journeys
from tests.journeys import FOLDER, Heard, Told, differences, names, spoken

NAMES = names()
_RUN: dict[str, Told] = {}
#: The 12 scenarios; those that need a clock, a store or a system that is not connected stand in the README with the reason.
SCENARIOS = range(1, 13)


@pytest.fixture(params=NAMES)
def told(request: pytest.FixtureRequest, ost: Adapter) -> Told:
    """A journey that has run; each runs once for all tests."""
    if request.param not in _RUN:
        _RUN[request.param] = journeys.run(ost, request.param)
    return _RUN[request.param]


def found(told: Told) -> list[str]:
    """Every difference of a journey, with its step and target."""
    return [
        f"step {number}, {target}{f', message {place + 1}' if place else ''}: {one}"
        for number, place, target, wanted, heard in told.each()
        for one in differences(wanted, heard)
    ]


def test_each_system_hears_what_it_must(told: Told) -> None:
    assert found(told) == []


def test_every_step_says_who_hears_it(told: Told, ost: Adapter) -> None:
    """Every message of every system that hears the event stands in the step: heard, refused, or not sent for a reason."""
    for number, step in enumerate(told.story["steps"], 1):
        event = hub.event_of(_bundle(told, number)) if _bundle(told, number) else ost.message(step["says"]).info.event
        hearers = {
            f"{name}/{message.name}"
            for name in ost.systems
            for message in ost.systems[name].messages.values()
            if message.writes and event in message.events
        }
        for message in spoken(step):
            spared = message.get("not-sent", {})
            assert message["heard"], f"step {number} is heard by nobody"
            assert not set(spared) & set(message["heard"])
            assert all(spared.values()), "the reason is missing"
            assert hearers <= {*message["heard"], *spared}, (
                f"step {number} says nothing of {hearers - {*message['heard'], *spared}}"
            )


def _bundle(told: Told, number: int) -> dict[str, Any] | None:
    return next((h.came.bundle for (n, _, _), h in told.heard.items() if n == number and isinstance(h.came, Translation)), None)


def heard_well(told: Told) -> Iterator[tuple[int, int, str, Heard]]:
    """What was heard, and not refused."""
    for number, place, target, _, heard in told.each():
        if isinstance(heard.came, Translation):
            yield number, place, target, heard


def test_the_person_has_one_nhs_number_everywhere(told: Told) -> None:
    for number, place, target, heard in heard_well(told):
        message = spoken(told.story["steps"][number - 1])[place]
        people = {message["of"]} if "of" in message else set(told.story["people"])
        assert journey_facts.nhs_numbers(target, heard.record) == people, f"step {number}, {target}"
        assert isinstance(heard.came, Translation)
        assert journey_facts.nhs_numbers("fhir", heard.came.bundle) == people, f"step {number}, hub"
        assert len(people) == 1


def test_a_dose_is_the_same_dose_at_every_stop(told: Told) -> None:
    """Report, day, outcome, whether it stands, and the three amounts with their unit: as the source says them, no more, no less."""
    for number, place, target, heard in heard_well(told):
        says = told.story["steps"][number - 1]["says"]
        if not target.endswith(("/dose-outcome", "/update-record")) or not says.endswith(("/dose-outcome", "/collection-report")):
            continue
        source = told.source(number)
        if says == "pharmacy/collection-report":  # one row, one message
            source = {"rows": [source["rows"][place]]}
        if not target.startswith("gp_connect/"):  # a letter names the day and the order item, not the report
            assert journey_facts.reports(target, heard.record) == journey_facts.reports(says, source), f"step {number}, {target}"
        assert journey_facts.doses(target, heard.record) == journey_facts.doses(says, source), f"step {number}, {target}"


def test_an_order_is_the_same_order_at_every_stop(told: Told) -> None:
    """The item, the one it follows, the total, the dose of each step and the supervision: as the source says them."""
    for number, _, target, heard in heard_well(told):
        says = told.story["steps"][number - 1]["says"]
        kinds = ("/prescription", "/prescription-change")
        if target.endswith(kinds) and says.endswith(kinds):  # an extract's issue has no instalments to compare
            assert journey_facts.items(target, heard.record) == journey_facts.items(says, told.source(number)), (
                f"step {number}, {target}"
            )


def same(told: Told) -> Iterator[str]:
    """What must be the same at several places of a journey, and is not."""
    for one in told.story.get("same", ()):
        for place in one["at"]:
            number, target = place["step"], place["of"]
            record = told.source(number) if target == "source" else told.heard[number, 0, target].record
            value = journeys.at(record, place["path"])
            if value != one["value"]:
                yield f"{one['what']}: step {number}, {target} {place['path']} has {value!r}"


def test_what_is_one_thing_has_one_value_everywhere(told: Told) -> None:
    assert list(same(told)) == []


def test_what_is_sent_again_is_heard_again_to_the_byte(told: Told) -> None:
    for number, place, target, wanted, heard in told.each():
        if "same-as" in wanted:
            before = told.heard[wanted["same-as"], place, target].came
            assert isinstance(before, Translation)
            assert isinstance(heard.came, Translation)
            assert heard.came.result == before.result, f"step {number}, {target}"


# that the journeys can fail ------------------------------------------------------------------------------------------------
def altered(wanted: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is wanted of one target with one thing of it changed, each thing in turn."""
    for kind in ("values", "read", "refused", "refused-among", "unread", "told", "ignored"):
        places = wanted.get(kind, [])
        for place in places if isinstance(places, dict) else range(len(places)):
            one = places[place]
            for value in _others(one) if isinstance(one, list) else [_other(one)]:
                other = copy.deepcopy(wanted)
                other[kind][place] = value
                yield f"{kind} {place}", other


def _other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | Decimal):
        return value + 1
    return f"{value}x"


def _others(together: list[str]) -> Iterator[list[str]]:
    for index, text in enumerate(together):
        yield [*together[:index], _other(text), *together[index + 1 :]]


def test_every_altered_expectation_is_noticed(told: Told) -> None:
    """One value, sentence, place or rule altered anywhere in the journey: each time, and only then, a difference."""
    unnoticed = [
        f"step {number}, {target}: {what}"
        for number, _, target, wanted, heard in told.each()
        for what, other in altered(wanted)
        if not list(differences(other, heard))
    ]
    assert unnoticed == []
    assert sum(1 for *_, wanted, _ in told.each() for _ in altered(wanted)) > 10


def test_what_must_not_be_heard_is_noticed_when_it_is(told: Told) -> None:
    for number, _, target, wanted, heard in told.each():
        if "values" in wanted and isinstance(heard.came, Translation):
            path, value = next(iter(wanted["values"].items()))
            for more in ({"absent": [path]}, {"never": [str(value)]}):
                if not path.endswith("#"):
                    assert list(differences({**wanted, **more}, heard)), f"step {number}, {target}"
        if "read" in wanted and isinstance(heard.came, Translation):
            first = wanted["read"][0]
            assert list(differences({**wanted, "unwritten": [first if isinstance(first, str) else first[0]]}, heard))


def test_a_place_that_is_one_thing_elsewhere_is_noticed_when_altered(told: Told) -> None:
    for index in range(len(told.story.get("same", ()))):
        story = copy.deepcopy(told.story)
        story["same"][index]["value"] += "x"
        assert list(same(Told(told.name, story, told.heard)))


def test_a_target_of_which_nothing_is_wanted_fails(told: Told) -> None:
    *_, heard = next(told.each())
    assert list(differences({}, heard)) == ["nothing is wanted of it"]
    assert list(differences({"values": {}, "read": []}, heard)) == ["nothing is wanted of it"]


@pytest.mark.parametrize("name", NAMES)
def test_a_journey_is_whole(name: str) -> None:
    """It tells a scenario, each step says what happens and is heard, and every file of the folder is told."""
    story = journeys.load(name)
    assert story["title"]
    assert story["scenario"] in SCENARIOS
    assert story["people"]
    for step in story["steps"]:
        assert {"what", "says", "file"} <= set(step)
        assert all(message.get("heard") for message in spoken(step))
    assert {step["file"] for step in story["steps"]} | {"journey.yaml"} == {f.name for f in (FOLDER / name).iterdir()}


def test_a_step_without_heard_fails(ost: Adapter) -> None:
    story = journeys.load("missed-dose-ladder")
    del story["steps"][0]["heard"]
    with pytest.raises(KeyError):
        list(Told("missed-dose-ladder", story).each())


def test_a_key_that_stands_twice_is_refused() -> None:
    with pytest.raises(AssertionError, match="stands twice"):
        journeys.read("values:\n  a: 1\n  a: 2\n")


def test_the_readme_says_of_every_scenario_whether_it_is_told() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \|([^|]+)\|([^|]+)\|([^|]+)\|$", text, re.MULTILINE)
    assert [int(row[0]) for row in rows] == list(SCENARIOS)
    by_number: dict[int, set[str]] = {}
    for name in NAMES:
        by_number.setdefault(journeys.load(name)["scenario"], set()).add(name)
    for number, _, journey, why in rows:
        assert set(re.findall(r"`([\w-]+)`", journey)) == by_number.get(int(number), set())
        assert why.strip()
