"""Whom messages are about: by NHS number, else by the other identifiers that they share; in whatever order they come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeVar

from adapter.care.records import NHS_NUMBER, Json, merged, names_of
from adapter.fhir import bundle as bundles

Names = frozenset[str]
T = TypeVar("T")


class Named(NamedTuple):
    """By what a message names its Patient, each as `system|value`. others: identifiers of records that were merged with it."""

    own: Names
    others: Names = frozenset()


def identifiers(message: Json) -> Named:
    """The identifiers of its Patient."""
    patients = [one for one in bundles.resources(message) if one.get("resourceType") == "Patient"]
    own = frozenset(name for one in patients for name in names_of(one))
    return Named(own, frozenset(other for one in patients for _, other in merged(one)) - own)


def grouped(given: Iterable[tuple[Named, T]]) -> list[list[T]]:
    """What belongs to each person, in the order given: a message or whatever stands for it, with the message's identifiers.

    Those of one NHS number are one person's. One without joins the person who has an identifier of its own, and nobody where
    several have; those that join nobody are one person's where they share an identifier. Merged records are one person's.
    """
    listed = list(given)
    people = _people(names for names, _ in listed)
    found: dict[object, list[T]] = {}
    for names, one in listed:
        found.setdefault(people[names.own] if names.own else object(), []).append(one)
    return list(found.values())


def contested(given: Iterable[Named]) -> Names:
    """The identifiers that several people have: whom a message means that names its Patient by them alone is not known."""
    held: dict[str, set[str]] = {}
    _hold(held, _people(given))
    return frozenset(name for name, those in held.items() if len(those) > 1)


def _people(given: Iterable[Named]) -> dict[Names, str]:
    """Whose each set of identifiers is: a name that stands for the person."""
    different = set(given)
    every = {names.own for names in different}
    merged = {names for names in different if names.others and names.own}
    owners = {names: number for names in every if (number := _number(names)) is not None}
    joined = _merges(merged, owners)
    owners = {
        names: joined.of(owner) for names, owner in owners.items()
    }  # before others join them: of two that are one, that one
    _adopt(owners, every - owners.keys())
    owners |= _linked(every - owners.keys(), {name for names in owners for name in names})
    merges = _merges(merged, owners)
    return {names: merges.of(owner) for names, owner in owners.items()}


class _Sets:
    """Which names stand for one: each for itself until they are joined; the first by the alphabet for all."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}

    def of(self, name: str) -> str:
        """The name that stands for this one."""
        above = self._above
        while (higher := above.setdefault(name, name)) != name:
            above[name] = name = above[higher]
        return name

    def join(self, one: str, other: str) -> None:
        """From now on the same name stands for both."""
        low, high = sorted((self.of(one), self.of(other)))
        self._above[high] = low


def _merges(said: Iterable[Named], owners: Mapping[Names, str]) -> _Sets:
    """The people who are one. An identifier that several people have says of none of them that it is he; one that nobody has yet
    joins those who are merged into it."""
    held: dict[str, set[str]] = {}
    _hold(held, owners)
    made = _Sets()
    for names in said:
        for name in names.others if names.own in owners else ():
            those = held.get(name) or {name}
            if len(those) == 1:
                made.join(owners[names.own], *those)
    return made


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
    shared = _Sets()
    own = {names: sorted(names - taken) or ["".join(sorted(names))] for names in orphans if names}
    for first, *more in own.values():
        for name in more:
            shared.join(first, name)
    return {names: shared.of(those[0]) for names, those in own.items()}
