"""What each system's form tells of doses, orders and people, read by its own words: what must be the same at every stop of a journey.

The words are written by hand: no ConceptMap is asked, so that a code list that is wrong is noticed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.journeys import paragraphs

NHS = "https://fhir.nhs.uk/Id/nhs-number"
#: Outcome, in the words of the hub, of each contract, and of a letter.
OUTCOMES = {
    "supervised": ("SUP", "S", "Supervised, seen to be swallowed in full"),
    "take-home": ("THD", "H", "Supplied to take home; whether it was taken is not known"),
    "missed": ("DNC", "M", "Missed, not collected"),
    "withheld": ("WHD", "W", "Withheld, the patient attended and the dose was not supplied"),
    "not-swallowed": ("NSW", "N", "Handed over under supervision and not swallowed"),
    "partial": ("PRT", "P", "Handed over under supervision and seen to be swallowed in part"),
    "elsewhere": ("ELS", "E", "Said to have been had elsewhere"),
    "depot": ("DEP", "D", "Given by a professional as a prolonged-release injection"),
}
UNITS = {"ml": ("ML", "MLS"), "mg": ("MG", "MGM"), "tablet": ("TAB", "TABS")}
_OUTCOME = {word: hub for hub, words in OUTCOMES.items() for word in (hub, *words)}
_UNIT = {word: hub for hub, words in UNITS.items() for word in (hub, *words)}
_LETTER = re.compile(
    r"(?P<withdrawn>WITHDRAWN, entered in error: )?\w+day (?P<day>\d+) (?P<month>\w+) (?P<year>\d{4}): (?P<what>[^.]+)\."
)
_MONTHS = "January February March April May June July August September October November December".split()


@dataclass(frozen=True, order=True)
class Dose:
    """What a system has heard of one dose: day, outcome, whether the report stands, and the three amounts with their unit."""

    day: str
    outcome: str
    stands: bool
    ordered: str
    supplied: str
    swallowed: str


def doses(name: str, record: Any) -> list[Dose]:
    """Every dose of a dose outcome, in the order of days, from the native form of a system or from a letter."""
    system = name.split("/", maxsplit=1)[0]
    if system == "gp_connect":
        return sorted(filter(None, map(_of_letter, paragraphs(record))))
    if name == "pharmacy/collection-report":
        return sorted(_of_row(row) for row in record["rows"])
    if system == "pharmacy":
        return sorted(_of_pharmacy(dose) for dose in record["doses"])
    if system == "criis":
        return sorted(_of_criis(dose) for dose in record["episode"]["doseEvents"])
    return sorted(_of_nebula(row) for row in record["rows"])


def reports(name: str, record: Any) -> list[tuple[str, str, str]]:
    """System, value and predecessor of each report of a dose; a report that is taken back keeps its identifier."""
    system = name.split("/", maxsplit=1)[0]
    if name == "pharmacy/collection-report":
        return sorted((row["row_system"], row["row_id"], "") for row in record["rows"])
    if system == "nebula":
        return sorted((row["EVENT_ID_SYSTEM"], row["EVENT_ID"], row.get("REPLACES_ID", "")) for row in record["rows"])
    if system == "pharmacy":
        named = [(dose["event_id"], dose.get("replaces", {})) for dose in record["doses"]]
    else:
        named = [(dose["eventId"], dose.get("supersedes", {})) for dose in record["episode"]["doseEvents"]]
    return sorted((one["system"], one["value"], before.get("value", "")) for one, before in named)


def _amount(value: Any, unit: str | None) -> str:
    return f"{value} {_UNIT[unit]}" if value is not None and unit else ""


def _of_pharmacy(d: dict[str, Any]) -> Dose:
    amounts = (_amount(d.get(name), d.get("unit")) for name in ("prescribed", "supplied", "taken"))
    return Dose(d["dose_date"], d["outcome"], not d.get("retracted"), *amounts)


def _of_row(r: dict[str, str]) -> Dose:
    amounts = (_amount(r.get(name), r.get("unit")) for name in ("prescribed", "supplied", "taken"))
    return Dose(r["dose_date"], r["outcome"], r["row_status"] == "live", *amounts)


def _of_criis(d: dict[str, Any]) -> Dose:
    said = [d.get("amounts", {}).get(name, {}) for name in ("ordered", "handedOver", "consumed")]
    amounts = (_amount(one.get("quantity"), one.get("uom")) for one in said)
    return Dose(d["doseDate"], _OUTCOME[d["outcome"]], d["recordState"] == "LIVE", *amounts)


def _of_nebula(r: dict[str, str]) -> Dose:
    amounts = (_amount(r.get(name), r.get("UNIT")) for name in ("AMOUNT_DUE", "AMOUNT_GIVEN", "AMOUNT_TAKEN"))
    return Dose("-".join(reversed(r["DOSE_DATE"].split("/"))), _OUTCOME[r["OUTCOME"]], r["WITHDRAWN"] == "N", *amounts)


def _of_letter(paragraph: str) -> Dose | None:
    found = _LETTER.match(paragraph)
    if found is None or found["what"] not in _OUTCOME:
        return None
    day = f"{found['year']}-{_MONTHS.index(found['month']) + 1:02}-{int(found['day']):02}"
    labels = ("Prescribed for this dose", "Supplied", "(?:Seen swallowed|Amount said to have been had|Injected)")
    said = [re.search(rf"{label}: ([\d.]*\d) (\w+)", paragraph) for label in labels]
    return Dose(day, _OUTCOME[found["what"]], not found["withdrawn"], *(_amount(*one.groups()) if one else "" for one in said))


@dataclass(frozen=True, order=True)
class Item:
    """What a system has heard of one item: number, the one it follows, total, doses step by step, supervision, its days."""

    number: str
    follows: str
    total: str
    steps: tuple[str, ...]
    supervision: str
    first_day: str


def items(name: str, record: Any) -> list[Item]:
    """Every item in full of a prescription or a change of one, by number."""
    system = name.split("/", maxsplit=1)[0]
    if system == "pharmacy":
        return sorted(_item_of_pharmacy(item) for item in record.get("items", []))
    if system == "criis":
        return sorted(_item_of_criis(item) for item in record["episode"].get("regimens", []))
    return sorted({_item_of_nebula(row) for row in record["rows"] if "TOTAL" in row})


def _item_of_pharmacy(i: dict[str, Any]) -> Item:
    steps = tuple(_amount(s["dose"]["value"], s["dose"]["unit"]) for s in i["steps"])
    total, follows = i["total"], i.get("prior_item", {}).get("value", "")
    words = {"required": "Y", "not-required": "N", "unknown": "U"}
    first = i["treatment"]["first_dose_date"]
    return Item(i["item_id"]["value"], follows, _amount(total["value"], total["unit"]), steps, words[i["supervision"]], first)


def _item_of_criis(i: dict[str, Any]) -> Item:
    steps = tuple(_amount(s["perDose"]["quantity"], s["perDose"]["uom"]) for s in i["titration"])
    total, follows = i["dispensing"]["total"], i.get("precedingItem", {}).get("value", "")
    words = {"SREQ": "Y", "SNOT": "N", "SUNK": "U"}
    supervision, first = words[i["dispensing"]["supervision"]], i["course"]["startDate"]
    return Item(i["itemId"]["value"], follows, _amount(total["quantity"], total["uom"]), steps, supervision, first)


def _item_of_nebula(r: dict[str, str]) -> Item:
    steps = tuple(_amount(r[f"STEP_{n}_DOSE"], r["DOSE_UNIT"]) for n in range(1, 5) if f"STEP_{n}_DOSE" in r)
    first = "-".join(reversed(r["PERIOD_FROM"].split("/")))
    return Item(r["ITEM_ID"], r.get("PRIOR_ITEM_ID", ""), _amount(r["TOTAL"], r["TOTAL_UNIT"]), steps, r["SUPERVISED"], first)


def nhs_numbers(name: str, record: Any) -> set[str]:
    """Every NHS number by which a message names its person."""
    system = name.split("/", maxsplit=1)[0]
    if system == "pharmacy":
        return {record["patient"]["nhs_number"]}
    if system == "criis":
        return {record["client"]["nhsNumber"]}
    if system == "nebula":
        return {row["NHS_NO"] for row in record["rows"]}
    return {i["value"] for patient in resources(record, "Patient") for i in patient["identifier"] if i["system"] == NHS}


def resources(value: Any, kind: str) -> Iterator[dict[str, Any]]:
    """Every resource of a type, however deep in Bundles."""
    if isinstance(value, dict):
        if value.get("resourceType") == kind:
            yield value
        for below in value.values():
            yield from resources(below, kind)
    elif isinstance(value, list):
        for below in value:
            yield from resources(below, kind)
