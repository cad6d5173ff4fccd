"""Whom messages are about: by NHS number, else by the other identifiers that they share; in whatever order they come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from adapter.care.records import NHS_NUMBER, Json
from adapter.fhir import bundle as bundles

Names = frozenset[str]
T = TypeVar("T")


def identifiers(message: Json) -> Names:
    """The identifiers of its Patient, as `system|value`."""
    patients = [one for one in bundles.resources(message) if one.get("resourceType") == "Patient"]
    return frozenset(f"{i.get('system')}|{i.get('value')}" for one in patients for i in one.get("identifier", ()))


def grouped(given: Iterable[tuple[Names, T]]) -> list[list[T]]:
    """What belongs to each person, in the order given: a message or whatever stands for it, with the message's identifiers.

    Those of one NHS number are one person's. One without joins the person who has an identifier of its own, and nobody where
    several have; those that join nobody are one person's where they share an identifier.
    """
    listed = list(given)
    owners = {names: number for names, _ in listed if (number := _number(names)) is not None}
    _adopt(owners, {names for names, _ in listed} - owners.keys())
    owners |= _linked({names for names, _ in listed} - owners.keys(), {name for names in owners for name in names})
    found: dict[object, list[T]] = {}
    for names, one in listed:
        found.setdefault(owners[names] if names else object(), []).append(one)
    return list(found.values())


def _number(names: Names) -> str | None:
    return min((name for name in names if name.startswith(f"{NHS_NUMBER}|")), default=None)


def _adopt(owners: dict[Names, str], orphans: set[Names]) -> None:
    """Give those without a number to the one person who has an identifier of theirs, round by round, while there is any."""
    held: dict[str, set[str]] = {}
    _hold(held, owners)
    while orphans:
        known = {names: {owner for name in names for owner in held.get(name, ())} for names in orphans}
        given = {names: min(those) for names, those in known.items() if len(those) == 1}
        if not given:
            return
        owners |= given
        _hold(held, given)
        orphans = orphans - given.keys()


def _hold(held: dict[str, set[str]], owners: Mapping[Names, str]) -> None:
    for names, owner in owners.items():
        for name in names:
            held.setdefault(name, set()).add(owner)


def _linked(orphans: set[Names], taken: set[str]) -> dict[Names, str]:
    """Those that share an identifier which no person with a number has, under the first of them all."""
    first = {name: name for names in orphans for name in names}

    def root(name: str) -> str:
        while first[name] != name:
            first[name] = first[first[name]]
            name = first[name]
        return name

    own = {names: sorted(names - taken) or ["".join(sorted(names))] for names in orphans if names}
    for names in own.values():
        for name in names:
            first.setdefault(name, name)
            low, high = sorted((root(names[0]), root(name)))
            first[high] = low
    return {names: root(those[0]) for names, those in own.items()}
