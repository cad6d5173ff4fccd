"""Reads what became of a dose: its outcome, when it was had, how much, and by which order. docs/care.md, "What is read"."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from adapter.care.facts import SUPPLIES, Outcome, ordinal
from adapter.care.medicines import concept
from adapter.care.records import Json, Record
from adapter.care.times import day_and_moment, seen_since
from adapter.systems.hub_rules import products


def happened(record: Record) -> str | None:
    """When what a record of a dose tells of is said to have happened: the handing over, else the swallowing."""
    resource = record.resource
    said = resource.get("whenHandedOver") or _given(record).get("effectiveDateTime") or resource.get("effectiveDateTime")
    return None if said is None else str(said)


def _given(record: Record) -> Json:
    return next((one for one in _administrations(record) if not _is_in_error(one)), {})


def _administrations(record: Record) -> Iterator[Json]:
    return (one for one in record.parts if one["resourceType"] == "MedicationAdministration")


def _is_in_error(resource: Json) -> bool:
    return resource.get("status") == "entered-in-error"


def outcome(record: Record) -> Outcome | None:
    """What became of a dose, of a record that says so; None of one that names no dose date."""
    resource = record.resource
    said = record.said("dose-date")
    if said is None:
        return None
    had = str(record.said("dose-outcome").get("code"))
    given = _given(record)
    when, seen_at = happened(record), given.get("effectiveDateTime")
    handed = day_and_moment(when)
    at = handed[1] if handed is not None else None
    day = ordinal(said)
    quantity = _quantity(resource, given)
    most = _most(record) or amount(quantity)
    prescribed = amount(record.said("prescribed-amount"))
    vomited = any(one["resourceType"] == "Observation" and not _is_in_error(one) for one in record.parts)
    performer = next((one.get("actor") for one in resource.get("performer", ())), None)
    return Outcome(
        day=day,
        number=int(record.said("dose-number") or (0 if had in ("elsewhere", "depot") else 1)),
        outcome=had,
        at=at,
        seen=seen_since(record, handed if at is not None else day_and_moment(record.said("recorded")), day),
        amount=amount(quantity),
        quantity=quantity,
        orders=_orders(record),
        vomited=vomited,
        doubtful=had in SUPPLIES and _is_doubtful(had, record),
        pharmacy=record.ods(performer),
        place=record.ods(resource.get("informationSource")),
        source=record.source,
        ref=record.ref,
        swallowed=day_and_moment(seen_at) if seen_at and seen_at != when else handed,
        handed=handed[0] if handed is not None else None,
        most=most,
        strength=_strength(record) if had == "depot" else None,
        beyond=most is not None and prescribed is not None and most[1] == prescribed[1] and most[0] > prescribed[0],
    )


def amount(quantity: Json | None) -> tuple[Decimal, str] | None:
    """The number and the unit's code, or its words where it has none: 60 mg is not 60 ml."""
    if not quantity or "value" not in quantity:
        return None
    return Decimal(str(quantity["value"])), str(quantity.get("code") or quantity.get("unit") or "")


def _shares(resource: Json) -> list[Decimal]:
    """How much was handed over for the day: what is said, and that over the days which it is said to last.

    A collection of several days says how many with what was handed over for the first of them, or for them all.
    """
    handed, days = amount(resource.get("quantity")), Decimal(str(resource.get("daysSupply", {}).get("value", 1)))
    return [] if handed is None else [handed[0], handed[0] / days] if days > 1 else [handed[0]]


def _is_doubtful(outcome: str, record: Record) -> bool:
    """Whether amounts say other than the outcome or one another: nothing at all; of a dose seen swallowed less than was handed
    over for the day, of any more, or another unit; or whether what says that it was swallowed was entered in error.
    """
    had, supplied = _given(record).get("dosage", {}).get("dose"), record.resource.get("quantity")
    swallowed, handed = amount(had), amount(supplied)
    if any(one is not None and one[0] <= 0 for one in (swallowed, handed)):
        return True
    if outcome != "take-home" and any(map(_is_in_error, _administrations(record))):
        return True
    if swallowed is None or handed is None or had is None or supplied is None or had.get("system") != supplied.get("system"):
        return False
    shares = _shares(record.resource)
    return swallowed[1] != handed[1] or swallowed[0] > handed[0] or (outcome == "supervised" and swallowed[0] not in shares)


def _most(record: Record) -> tuple[Decimal, str] | None:
    """The larger of what was swallowed and, where that is in the same unit, of the least that was handed over for the day."""
    swallowed, handed = amount(_given(record).get("dosage", {}).get("dose")), amount(record.resource.get("quantity"))
    if handed is None or (swallowed is not None and swallowed[1] != handed[1]):
        return swallowed
    least = min(_shares(record.resource))
    return max(least, swallowed[0]) if swallowed is not None else least, handed[1]


def _strength(record: Record) -> Decimal | None:
    """The milligrams in one injection of a product that is known; None of any other."""
    codes = (one.get("code") for one in concept(record.resource, record.known).get("coding", ()))
    return next((Decimal(product["mg"]) for code in codes if "mg" in (product := products().get(code, {}))), None)


def _orders(record: Record) -> frozenset[str]:
    """The identifiers of the orders that a supply says it is made by, each in the message or logical."""
    named: list[Any] = []
    for one in (*record.resource.get("authorizingPrescription", ()), record.resource.get("request", {})):
        held = record.known.get(one.get("reference", ""), {}).get("identifier", ())
        named += [*held, one.get("identifier")]
    return frozenset(f"{one['system']}|{one['value']}" for one in named if one and {"system", "value"} <= one.keys())


def _quantity(resource: Json, given: Json) -> Json | None:
    """The amount swallowed where one is said, else that handed over."""
    dosage = resource.get("dosage")
    stated = (
        [one.get("doseQuantity") for each in dosage for one in each.get("doseAndRate", ())] if isinstance(dosage, list) else []
    )
    own = dosage.get("dose") if isinstance(dosage, dict) else None
    found: Json | None = given.get("dosage", {}).get("dose") or own or next(iter(stated), None) or resource.get("quantity")
    return found
