"""The guideline's rules in under a hundred lines (naive.py, which shares no code with the adapter or with the wider oracle) agree with
the adapter on 5,000 plain schedules, and with what was worked out by hand in those cases of the truth table that are as plain.

Compared are the state of each day, the three counts, the last doses, and whether each action that naive.py names is due; not compared are
the actions of NOT_NAMED (oracle.py reads those), actions withdrawn, and since when an action stands.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.care.build import Json, days, expanded
from tests.care.cases import all_cases, default_policy, load, summary, worked
from tests.care.naive import naive
from tests.care.plain_cases import STATES, plain_case, said

CHUNK, CHUNKS = 250, 20
#: Each action that is compared is due in so many of the schedules at least, and each state is that of a day in so many.
ENOUGH = 100
LEDGER = (
    "days",
    "consecutiveMissed",
    "cumulativeMissed",
    "daysSinceEvidencedDose",
    "lastObservedDose",
    "lastPossibleDose",
)
NAMED = {
    "assess-tolerance",
    "confirm-last-dose",
    "conflicting-evidence",
    "discuss-with-prescriber",
    "not-reported",
    "prescriber-gap",
    "restart-review",
    "suitability-review",
    "supply-after-stop",
    "supply-not-permitted",
    "urgent-referral",
}
#: Actions of the ladder of which naive.py says nothing.
NOT_NAMED = {
    "depot-due",
    "handover-missing",
    "incident-notice",
    "order-ending",
    "ost-not-mentioned",
    "overlapping-orders",
    "possible-double-dose",
    "stop-supply-deceased",
}
#: What a case of the truth table may say and be as plain as those here. What only the clocks read is no matter.
PLAIN = {
    "case": "title rules arithmetic as-of forms changes doses stays consultations expected episodes profiles consents kits",
    "forms": "id authored first last mg pharmacy restarts reason wordings collections closed received",
    "changes": "form type effective reason received",
    "doses": "id on is mg at vomited pharmacy from by received replaces",
    "stays": "kind from to place mention received",
    "consultations": "at medium type attendance received",
}
#: Truth-table cases that are plain: so many at least.
PLAIN_CASES = 80
#: What each schedule shows, by the chunk of schedules: its states, and the actions due, as both say.
shown: dict[int, Counter[str]] = {}


def seeds(chunk: int) -> range:
    """The schedules of a chunk."""
    return range(chunk * CHUNK, (chunk + 1) * CHUNK)


def told(case: Json) -> Json:
    """What naive.py says of a case, as a summary says it."""
    found = naive(said(case))
    return {name: found[name] for name in LEDGER} | {"due": sorted(name for name in found if name not in LEDGER and found[name])}


def apart(ours: Json, theirs: Json) -> Json:
    """What the two say differently of what naive.py names."""
    ours = {**ours, "due": sorted(NAMED & set(ours["due"]))}
    return {name: (ours[name], one) for name, one in theirs.items() if name in ours and ours[name] != one}


def shows(ledger: Json) -> set[str]:
    """The states of its days and the actions that are due."""
    return set(ledger["days"].values()) | (NAMED & set(ledger["due"]))


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_naive_and_adapter_agree(chunk: int) -> None:
    found, shown[chunk] = {}, Counter()
    for seed in seeds(chunk):
        case = expanded(plain_case(seed))
        ours = summary(worked(case, history=False))
        shown[chunk].update(shows(ours))
        if one := apart(ours, told(case)):
            found[seed] = one
    assert found == {}


def test_every_action_and_every_state_came_up_often_enough() -> None:
    """Else what the two agree on would be that nothing happens. What was not compared in this process the oracle alone counts."""
    for chunk in set(range(CHUNKS)) - set(shown):
        shown[chunk] = Counter(one for seed in seeds(chunk) for one in shows(told(expanded(plain_case(seed)))))
    times = sum(shown.values(), Counter())
    wanted = [*sorted(NAMED, key=lambda code: -times[code]), *sorted(STATES, key=lambda state: -times[state])]
    print(*(f"{times[one]:5} {one}" for one in wanted), sep="\n")
    assert {one: times[one] for one in wanted if times[one] < ENOUGH} == {}
    assert set(times) == set(wanted)


def test_which_actions_are_compared() -> None:
    """All that naive.py names; the rest of the ladder is listed here."""
    assert set(naive(said(plain_case(0)))) - set(LEDGER) == NAMED
    assert set(default_policy()["owners"]["ladder"]) - NAMED == NOT_NAMED


def test_naive_is_short_and_on_its_own() -> None:
    """Under a hundred lines, none of them long, and nothing imported but the standard library."""
    text = Path(__file__).with_name("naive.py").read_text("utf-8")
    assert len(text.splitlines()) < 100
    assert max(map(len, text.splitlines())) <= 110
    imported = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            imported += [one.name for one in node.names]
        if isinstance(node, ast.ImportFrom):
            imported.append("." * node.level + (node.module or ""))
    assert {name.split(".")[0] for name in imported} <= sys.stdlib_module_names
    assert "importlib" not in imported
    assert "__import__" not in text


def plain(case: Json) -> bool:
    """Whether a case of the truth table is as plain as the schedules here."""
    if not set(case) <= set(PLAIN["case"].split()) or not case.get("forms") or not {*LEDGER, "due"} <= set(case["expected"]):
        return False
    records = [(kind, one) for kind in PLAIN if kind != "case" for one in case.get(kind, ())]
    first = min(form["first"] for form in case["forms"])
    return (
        all(set(one) <= set(PLAIN[kind].split()) for kind, one in records)
        and len(case["as-of"]) == len(first)
        and first <= case["as-of"]
        and not any(name in one and one[name][11:] > "22" for _, one in records for name in ("at", "effective", "from", "to"))
        and all(len(form["authored"]) == len(first) for form in case["forms"])
        and all(one["type"] == "stopped" and one["reason"] == "prescriber-decision" for one in case.get("changes", ()))
        and all(first <= one["on"] and one["is"] != "depot" for one in case.get("doses", ()))
        and not any(one["is"] == "elsewhere" and "mg" in one for one in case.get("doses", ()))
        and all(one["medium"] in ("face-to-face", "telephone") for one in case.get("consultations", ()))
    )


PLAINLY = [folder for folder in all_cases() if plain(load(folder))]


@pytest.mark.parametrize("folder", PLAINLY, ids=lambda folder: folder.name)
def test_naive_agrees_with_the_truth_table(folder: Path) -> None:
    """It is held to what was worked out by hand, not to the adapter."""
    case = expanded(load(folder))
    wanted = case["expected"]
    wanted |= {"days": {day: state for on, state in wanted["days"].items() for day in days(on)}, "due": wanted["due"] or []}
    assert apart(wanted, told(case)) == {}


def test_as_many_cases_of_the_truth_table_are_plain_as_were_promised() -> None:
    print(len(PLAINLY), "cases of the truth table are plain")
    assert len(PLAINLY) >= PLAIN_CASES
