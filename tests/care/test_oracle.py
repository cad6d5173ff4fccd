"""A naive second reading of docs/care.md (oracle.py and the oracle_ modules, which share no code with the adapter) agrees on 5,000
invented schedules: the days, the counts, the last doses, and every action that is no clock.

Left out of the oracle, and kept out of the schedules: a report sent again after it was corrected or withdrawn, the hours around a change of clock,
records of one identifier that differ and were received at one moment, a change that has no effective time, a form that is over or held by its own
status, a restart that says no
reason, a death that is corrected or denied. Thresholds are the default policy's; actions withdrawn and the days since when are not compared. One rule the oracle reads more
simply: a run of assess-tolerance ends for it with each count by itself (docs/care.md: with either); one of some 25,000 schedules shows it,
and none of these.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.care.build import Json, expanded
from tests.care.cases import all_cases, default_policy, load, summary, worked
from tests.care.oracle import oracle
from tests.care.random_cases import random_case

CHUNK, CHUNKS = 250, 20
#: Every action that is no clock.
LADDER = list(default_policy()["owners"]["ladder"])
#: Each action is due in so many of the schedules at least.
ENOUGH = 100
#: Cases of the truth table that need what the oracle leaves out.
NOT_ITS_OWN = {
    "clock-change-autumn-two-supplies-at-one-clock-time",
    "resend-of-a-corrected-record",
    "retracted-and-in-the-batch",
    "form-with-status-cancelled",
    "form-with-status-stopped",
    "death-corrected-withdraws-the-conflict-with-a-dose",
    "death-denied-leaves-what-was-due",
    "death-denied-withdraws-the-stop-and-the-notice",
    "death-told-a-day-later-than-it-was-withdraws-the-notice",
}
#: How often each action was due, by the chunk of schedules, as both readings say.
due: dict[int, Counter[str]] = {}


def seeds(chunk: int) -> range:
    """The schedules of a chunk."""
    return range(chunk * CHUNK, (chunk + 1) * CHUNK)


def apart(ours: Json, theirs: Json) -> Json:
    """What the two say differently."""
    return {name: (ours[name], said) for name, said in theirs.items() if ours[name] != said}


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_both_readings_agree(chunk: int) -> None:
    found, due[chunk] = {}, Counter()
    for seed in seeds(chunk):
        case = expanded(random_case(seed))
        ours, theirs = summary(worked(case, history=False)), oracle(case)
        due[chunk].update(ours["due"])
        if said := apart(ours, theirs):
            found[seed] = said
    assert found == {}


def test_every_action_was_due_often_enough() -> None:
    """Else what the two agree on would be that nothing happens. What was not compared in this process the oracle alone counts."""
    for chunk in set(range(CHUNKS)) - set(due):
        due[chunk] = Counter(code for seed in seeds(chunk) for code in oracle(expanded(random_case(seed)))["due"])
    times = sum(due.values(), Counter())
    print(*(f"{times[code]:5} {code}" for code in sorted(LADDER, key=lambda code: -times[code])), sep="\n")
    assert {code: times[code] for code in LADDER if times[code] < ENOUGH} == {}


@pytest.mark.parametrize("folder", all_cases(), ids=lambda folder: folder.name)
def test_the_oracle_agrees_with_the_truth_table(folder: Path) -> None:
    """It is held itself by what was worked out by hand, where no number is local."""
    case = load(folder)
    if folder.name not in NOT_ITS_OWN and "thresholds" not in (case.get("policy") or {}):
        assert apart(summary(worked(case, history=False)), oracle(expanded(case))) == {}
