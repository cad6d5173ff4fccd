"""What an instalment form prescribes: the amount of each dose date, its total, and what else its instalments are planned by.

Reads the form of docs/hub.md. What the form does not say surely is told as an issue and never guessed; amounts are exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from decimal import Context, Decimal
from typing import Any

from adapter.care.plan_issues import CONTROLLED, STEPS, told
from adapter.care.policy import Policy
from adapter.care.quantity_words import in_words
from adapter.care.records import Json, extension, ours, part
from adapter.fhir.dates import add_days, days_between, service_day
from adapter.fhir.outcome import Issue

_SNOMED = "http://snomed.info/sct"
_MG, _ML = "258684004", "258773002"
_EXACT = Context(prec=200)
#: Elements of Timing.repeat that a step is read from, and those that only say when in the day.
_READ = frozenset({"boundsPeriod", "frequency", "period", "periodUnit"})
_HOUR = frozenset({"timeOfDay", "when", "offset"})


@dataclass(frozen=True, slots=True)
class Amount:
    """An exact amount. code: dm+d unit of measure · unit: the source's word for it · ucum: its UCUM code; "" where not said."""

    value: Decimal
    code: str
    unit: str = field(default="", compare=False)
    ucum: str = field(default="", compare=False)

    @classmethod
    def of(cls, quantity: Any) -> Amount | None:
        """A Quantity's; None where it lacks value or code, or is no more than a bound."""
        if not isinstance(quantity, dict) or not {"value", "code"} <= quantity.keys() or "comparator" in quantity:
            return None
        said = {"unit": str(quantity.get("unit", "")), "ucum": str(extension(quantity, "ucum-unit") or "")}
        return cls(Decimal(format(Decimal(str(quantity["value"])), "f")), str(quantity["code"]), **said)

    def times(self, count: int) -> Amount:
        """So many of it."""
        return Amount(_EXACT.multiply(self.value, Decimal(count)), self.code, self.unit, self.ucum)

    def as_quantity(self) -> Json:
        """As a Quantity of the hub."""
        made: Json = {"extension": [{"url": ours("ucum-unit"), "valueCode": self.ucum}]} if self.ucum else {}
        made["value"] = self.value
        return made | ({"unit": self.unit} if self.unit else {}) | {"system": _SNOMED, "code": self.code}

    def __str__(self) -> str:
        return f"{self.value:f} {self.unit or self.code}"


def added(amounts: Iterable[Amount]) -> Amount | None:
    """Their exact sum; None where there are none, or where they are not of one unit."""
    found = list(amounts)
    if len({one.code for one in found}) != 1:
        return None
    value = Decimal(0)
    for one in found:
        value = _EXACT.add(value, one.value)
    return Amount(value, found[0].code, found[0].unit, found[0].ucum)


@dataclass(frozen=True, slots=True)
class Prescribed:
    """What a form says.

    doses: dose date -> what is to be taken on it, in order; empty where that is not sure · total: the figure · first, last: the
    treatment period, "" where there is none · window: first and last day for the first supply · wordings: codes of
    home-office-wording · closed: days on which the pharmacy is closed · supervised: None where the form does not say
    """

    doses: Mapping[str, Amount]
    total: Amount | None
    first: str
    last: str
    window: tuple[str, str] | None
    wordings: frozenset[str]
    closed: frozenset[str]
    supervised: bool | None
    issues: tuple[Issue, ...]


def prescribed(form: Json, policy: Policy) -> Prescribed:
    """What a form (MedicationRequest, intent original-order) prescribes; as issues what is unclear or does not add up.

    policy: how many days a form covers at most (`form-days`), and the days for the first supply (`first-supply`).
    """
    found: list[Issue] = []
    period = _days(extension(form, "treatment-period"))
    total = Amount.of(form.get("dispenseRequest", {}).get("quantity"))
    doses: dict[str, Amount] = {}
    if period is None:
        what = "The form does not say its first and its last dose date as whole days, in order: nothing is planned."
        found.append(told("ost-treatment-period", what=what))
    else:
        length = days_between(*period) + 1
        if length > policy["form-days"]:
            most = policy["form-days"]
            what = f"The treatment lasts {length} days; a form covers at most {most}, the first and the last counted."
            found.append(told("ost-treatment-period", what=what))
        doses = _doses(form, period, found)
    together = added(doses.values())
    if together is not None:
        found += _adds_up(together, total)
    found += _words(form, total, together)
    first, last = period or ("", "")
    wordings = frozenset(str(part(one, "code")) for one in _all(form, "home-office-wording"))
    closed = frozenset(str(one.get("valueDate")) for one in _all(form, "closed-day"))
    supervised = _supervised(form, wordings, found)
    return Prescribed(doses, total, first, last, _window(form, policy), wordings, closed, supervised, tuple(found))


def _all(form: Json, name: str) -> Iterator[Json]:
    return (one for one in form.get("extension", ()) if one.get("url") == ours(name))


def _days(period: Any) -> tuple[str, str] | None:
    try:
        first, last = service_day(period["start"]), service_day(period["end"])
    except (KeyError, TypeError, ValueError):
        return None
    return (first, last) if first <= last else None


def _window(form: Json, policy: Policy) -> tuple[str, str] | None:
    """The days for the first supply: as the form says, else from the day on which it was written."""
    said = form.get("dispenseRequest", {}).get("validityPeriod", {})
    try:
        start = service_day(said.get("start") or form["authoredOn"])
        return start, service_day(said["end"]) if said.get("end") else add_days(start, policy["first-supply"] - 1)
    except (KeyError, TypeError, ValueError):
        return None


def _supervised(form: Json, wordings: frozenset[str], found: list[Issue]) -> bool | None:
    """Whether the dose of a collection's own day is to be supervised; the wording asks for it as well."""
    said = {"required": True, "not-required": False}.get(str(extension(form, "required-supervision")))
    if "supervise-on-collection" not in wordings:
        return said
    if said is False:
        found.append(
            told("plan-supervision", what="says that supervision is not required, and its wording asks for it: it is planned")
        )
    return True


# steps ------------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Step:
    """One dosageInstruction. daily: what is to be taken on each of its days."""

    place: str
    sequence: int | None
    first: str
    last: str
    daily: Amount


def _doses(form: Json, period: tuple[str, str], found: list[Issue]) -> dict[str, Amount]:
    """Dose date -> its amount; empty where a step is unclear, two exclude each other, or units are mixed."""
    written = form.get("dosageInstruction", ())
    read = [_step(n, one, period if len(written) == 1 else None) for n, one in enumerate(written)]
    unclear = [f"{STEPS}[{n}]" for n, step in enumerate(read) if step is None]
    if unclear or not read:
        found.append(told("plan-step", places=unclear))
        return {}
    steps = [step for step in read if step is not None]
    days = [add_days(period[0], n) for n in range(days_between(*period) + 1)]
    by_day = {day: on for day in days if (on := [step for step in steps if step.first <= day <= step.last])}
    overlapping = [day for day, on in by_day.items() if len(on) > 1 and not _is_concurrent(on)]
    if overlapping:
        found.append(told("plan-steps-overlap", days=overlapping))
    codes = {step.daily.code for step in steps}
    if len(codes) > 1:
        found.append(mixed(codes, [f"{step.place}.doseAndRate.dose" for step in steps]))
    outside = [step.place for step in steps if step.first < period[0] or step.last > period[1]]
    if outside or len(by_day) < len(days):
        found.append(told("plan-dose-dates", places=outside, days=[day for day in days if day not in by_day], steps=len(outside)))
    if overlapping or len(codes) > 1:
        return {}
    return {day: amount for day, on in by_day.items() if (amount := added(step.daily for step in on)) is not None}


def _step(n: int, dosage: Json, period: tuple[str, str] | None) -> _Step | None:
    """A step; None where its days, doses a day or dose are not sure. period: that of the form, where it is the only step."""
    timing = dosage.get("timing", {})
    repeat = timing.get("repeat", {})
    days = _days(repeat["boundsPeriod"]) if "boundsPeriod" in repeat else period
    doses = [one.get("doseQuantity") for one in dosage.get("doseAndRate", ())]
    dose = Amount.of(doses[0]) if len(doses) == 1 else None
    count = repeat.get("frequency", 1)
    known = _READ | (_HOUR if "frequency" in repeat else frozenset())
    others = set(repeat) - known | ({"event", "code"} & set(timing) if "frequency" not in repeat else set())
    daily = repeat.get("period", 1) == 1 and repeat.get("periodUnit", "d") == "d" and not others
    if days is None or dose is None or dose.value <= 0 or not daily or not isinstance(count, int) or count < 1:
        return None
    return _Step(f"{STEPS}[{n}]", dosage.get("sequence"), *days, dose.times(count))


def _is_concurrent(steps: list[_Step]) -> bool:
    """https://hl7.org/fhir/R4/dosage-definitions.html#Dosage.sequence"""
    return len({step.sequence for step in steps}) == 1 and steps[0].sequence is not None


# what does not add up ---------------------------------------------------------------------------------------------------
def mixed(codes: AbstractSet[str], places: Iterable[str] = ()) -> Issue:
    """That amounts of these different units should be added or compared."""
    return told("mg-against-ml" if {_MG, _ML} <= codes else "plan-units", places=places)


def _adds_up(doses: Amount, total: Amount | None) -> Iterator[Issue]:
    """Whether the doses add up to the form's total."""
    if total is not None and total.code != doses.code:
        yield mixed({total.code, doses.code})
    elif total != doses:
        yield told("plan-total", doses=doses, total=total or "not said")


def _words(form: Json, total: Amount | None, doses: Amount | None) -> Iterator[Issue]:
    """Whether the total in words is that in figures."""
    controlled = next((one for one in form.get("extension", ()) if one.get("url") == CONTROLLED), None)
    words = part(controlled, "quantityWords")
    if words is None or total is None:
        return
    said = in_words(str(words))
    if said is None:
        yield told("plan-words-unread")
    elif said.value != total.value or (said.units and total.code not in said.units):
        other = " of another unit" if said.units and total.code not in said.units else ""
        beside = f"; its doses add up to {doses}" if doses is not None else ""
        yield told("plan-words", total=total, words=f"{said.value:f}{other}", doses=beside)
