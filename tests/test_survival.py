"""The survival matrix says of every route what really happens: compared with lineage over every fixture of the source.

The matrix is worked out from the maps alone, the lineage from messages; they share no code but the maps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

import adapter
from adapter.interfaces.survival_pages import routes
from adapter.mapping.survival import Arrival, survival
from adapter.shipped import FIXTURES
from adapter.systems import cases, hub
from adapter.systems.message import Message

_OST = adapter.load()
_INDEX = re.compile(r"\[\d+\]")
ROUTES = [pytest.param(s, t, id=f"{s.name} to {t.name} {s.info.event}") for s, t in routes(_OST)]


def field(place: str) -> str:
    return _INDEX.sub("[]", place).removesuffix("[]")


@cache
def bundles(name: str) -> list[dict[str, Any]]:
    """The hub Bundles of every fixture of a message that is read."""
    return [
        bundle for case in cases.found(FIXTURES, name) if list(case.glob("in*")) for bundle in cases.run(_OST, name, case).bundles
    ]


def went(source: Message, target: Message) -> Iterator[tuple[str, str, str]]:
    """(hub element, field of the source, field of the target) of every value that went from one to the other."""
    for bundle in bundles(source.name):
        if hub.event_of(bundle) != source.info.event:
            continue
        said: dict[str, set[str]] = {}
        for row in source.table.lineage(source.take_apart(bundle)):
            # A handle that ties resources together, and a guard that keeps a whole one, are no field of either.
            if row.target.endswith((".id", ".reference", ".resource")):
                continue
            said.setdefault(row.target, set()).add(field(row.source))
        for row in target.table.lineage(target.take_apart(bundle)):
            for name in said.get(row.target, ()):
                yield row.target, name, field(row.source)


def rows(source: Message, target: Message) -> list[Arrival]:
    return survival(source.table.spec, target.table.spec)


@pytest.mark.parametrize(("source", "target"), ROUTES)
def test_whatever_arrives_the_matrix_says_so(source: Message, target: Message) -> None:
    said = {(one.slot.field.removesuffix("[]"), t.field.removesuffix("[]")) for one in rows(source, target) for t in one.targets}
    seen = {(name, there) for _, name, there in went(source, target)}
    assert seen - said == set()


@pytest.mark.parametrize(("source", "target"), ROUTES)
def test_what_the_matrix_says_is_lost_never_arrives(source: Message, target: Message) -> None:
    arrives = {one.slot.field.removesuffix("[]") for one in rows(source, target) if one.targets}
    lost = {one.slot.field.removesuffix("[]") for one in rows(source, target)} - arrives
    assert {name for _, name, _ in went(source, target)} & lost == set()


def test_the_routes_have_fixtures_to_be_compared_with() -> None:
    """A comparison over nothing proves nothing."""
    seen = {source.name: bool(bundles(source.name)) for source, _ in routes(_OST)}
    assert [name for name, there in seen.items() if not there] == []


# by hand ----------------------------------------------------------------------------------------------------------------
def arrival(source: str, target: str, name: str) -> Arrival:
    """The row of the field that is told apart by its element's last name or, with a dot, by the whole of it."""
    wanted, _, element = name.partition(" ")
    found = [
        one
        for one in rows(_OST.message(source), _OST.message(target))
        if one.slot.field == wanted and (not element or str(one.slot) == element)
    ]
    assert found, f"{source} has no field {name}"
    return found[0]


@pytest.mark.parametrize(
    ("source", "target", "name", "targets"),
    [
        ("pharmacy/dose-outcome", "criis/dose-outcome", "doses[].dose_date", {"episode.doseEvents[].doseDate"}),
        ("pharmacy/dose-outcome", "criis/dose-outcome", "doses[].taken", {"episode.doseEvents[].amounts.consumed.quantity"}),
        ("criis/dose-outcome", "pharmacy/dose-outcome", "episode.doseEvents[].comment", {"doses[].note"}),
        ("emis/issue", "pharmacy/prescription", "Dosage", {"orders[].dosage[].directions"}),
        ("criis/care-plan", "pharmacy/care-plan", "episode.plan.reviewDue", {"plan.review_due"}),
        ("criis/care-plan", "pharmacy/care-plan", "episode.plan.goals[].text", set()),
        ("emis/patient", "criis/patient", "DateOfDeath", {"client.deathDate"}),
        ("nebula/alert", "pharmacy/alert", "days[].DAY_STATE", {"alert.days[].state"}),
        ("nebula/alert", "pharmacy/alert", "PHONE", set()),
        ("nebula/alert", "criis/alert", "RING", {"ringUs[].value"}),
    ],
)
def test_rows_that_were_worked_out_by_hand(source: str, target: str, name: str, targets: set[str]) -> None:
    assert {slot.field for slot in arrival(source, target, name).targets} == targets


def test_a_reason_for_leaving_out_is_told() -> None:
    assert (
        "between the person and the service"
        in arrival("criis/care-plan", "pharmacy/care-plan", "episode.plan.goals[].text").reason
    )
    lost = arrival("emis/issue", "eps/prescription-order", "Dosage")
    assert lost.targets or lost.reason is not None
