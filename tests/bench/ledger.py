"""A year of messages for many people: the ledger derived anew, beside the time that their JSON takes to decode.

`python -m tests.bench.ledger [--people N] [--days N]` prints a few lines of figures. Nothing is asserted here; tests/care holds what is right.

A person's year is 26 forms of 14 days with planned collections and wordings, and a dose outcome of each day, of which 2 in 100 come late
and 1 in 100 is corrected; every person another year, the same for the same number. Each person's messages are decoded and derived, and
then let go of: the memory told is that of the process after a tenth of the people and after all of them.
"""

from __future__ import annotations

import argparse
import gc
import random
import resource
import time
from collections.abc import Iterator
from datetime import date, timedelta
from statistics import median
from typing import Any

from adapter.care.as_json import ledger_json
from adapter.care.policy import load
from adapter.care.records import person
from adapter.care.shared_care import moment, of_person
from adapter.fhir import json
from tests.care.build import bundles

Json = dict[str, Any]
BEGIN = date(2025, 4, 1)
FORM = 14
OUTCOMES = {"supervised": 700, "take-home": 215, "missed": 70, "withheld": 6, "not-swallowed": 4, "": 5}


def year(number: int, days: int) -> Json:
    """One invented person's year, in the compact form of fixtures/care."""
    pick = random.Random(number)
    forms: list[Json] = []
    doses: list[Json] = []
    for n in range(0, days, FORM):
        first = BEGIN + timedelta(n)
        covered = [first + timedelta(each) for each in range(FORM)]
        collections = [{"on": str(day), "covers": [str(day)]} for day in covered]
        form: Json = {"id": f"F{n}", "authored": str(first - timedelta(2)), "first": str(first), "last": str(covered[-1])}
        forms.append(form | {"mg": 60, "wordings": ["missed-collection", "closed-days"], "collections": collections})
    for n in range(days):
        day = BEGIN + timedelta(n)
        outcome = pick.choices(tuple(OUTCOMES), tuple(OUTCOMES.values()))[0]
        if not outcome:
            continue
        dose: Json = {"id": f"D{n}", "on": str(day), "is": outcome}
        if pick.random() < 0.02:
            dose["received"] = f"{day + timedelta(pick.randint(2, 9))}T09:00:00Z"
        doses.append(dose)
        if pick.random() < 0.01:
            right = "missed" if outcome != "missed" else "supervised"
            doses.append(
                {"id": f"C{n}", "on": str(day), "is": right, "replaces": f"D{n}", "received": f"{day + timedelta(3)}T09:00:00Z"}
            )
    return {"forms": forms, "doses": doses}


def bodies(number: int, days: int) -> list[bytes]:
    """The messages of that year, as they come: of this NHS number's person alone."""
    made = []
    for one in bundles(year(number, days)):
        one["entry"][1]["resource"]["identifier"] = [{"system": "https://example.org/client", "value": f"C{number}"}]
        made.append(json.encode(one))
    return made


def timed(given: list[bytes], as_of: str) -> Iterator[float]:
    """Seconds of the processor: of the decoding; of the ledger with what was withdrawn; of the ledger alone."""
    policy = load()
    begun = time.process_time()
    messages = [json.decode(body) for body in given]
    yield time.process_time() - begun
    for history in (True, False):
        begun = time.process_time()
        ledger_json(of_person(person(messages), policy, moment(as_of), history=history))
        yield time.process_time() - begun


def memory() -> int:
    """The most memory that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1250)
    parser.add_argument("--days", type=int, default=364)
    said = parser.parse_args()
    as_of = str(BEGIN + timedelta(said.days - 1))
    spent: list[tuple[float, ...]] = []
    held: list[int] = []
    size = count = 0
    for number in range(said.people):
        given = bodies(number, said.days)
        size, count = size + sum(map(len, given)), count + len(given)
        spent.append(tuple(timed(given, as_of)))
        if number + 1 in (max(said.people // 10, 1), said.people):
            gc.collect()
            held.append(memory())
    decoded, whole, alone = (sum(each) for each in zip(*spent, strict=True))
    ratios = sorted(each[1] / each[0] for each in spent)
    few, many = ratios[len(ratios) // 4], ratios[len(ratios) * 3 // 4]
    print(f"{said.people:,} people, {said.days} days, {count:,} messages, {size / 1e6:,.0f} MB of JSON")
    print(
        f"decode {decoded:.1f} s; ledgers, counts, ladder, clocks and what was withdrawn {whole:.1f} s; without the last {alone:.1f} s"
    )
    print(
        f"ratio to decoding: {whole / decoded:.1f} (a person: median {median(ratios):.1f}, middle half {few:.1f}-{many:.1f}); "
        f"without what was withdrawn {alone / decoded:.1f}"
    )
    print(f"memory: {held[0]} MB after a tenth of the people, {held[-1]} MB after all")
    late = median(each[0] + each[1] for each in spent)
    print(f"one late event: its person alone, decoded and derived anew in {late * 1000:.0f} ms; all {decoded + whole:.0f} s")


if __name__ == "__main__":
    main()
