"""A naive second reading of docs/care.md (oracle.py, which shares no code with the adapter) agrees on 5,000 invented schedules."""

from __future__ import annotations

from itertools import count, islice
from pathlib import Path

import pytest

from tests.care.build import Json, expanded
from tests.care.cases import all_cases, load, summary, worked
from tests.care.oracle import oracle
from tests.care.random_cases import random_case

CHUNK, CHUNKS = 250, 20
#: Actions of which the oracle says nothing; and order-ending, which it reads from the form alone and not from a stop that is known.
LEFT_OUT = {"restart-review", "ost-not-mentioned", "handover-missing", "incident-notice", "order-ending"}
#: Cases of the truth table that need what the oracle leaves out: the hour of a change of clock, and a repeat of what was corrected.
NOT_ITS_OWN = {"clock-change-autumn-two-supplies-at-one-clock-time", "resend-of-a-corrected-record"}


def apart(case: Json) -> Json:
    """What the two say differently."""
    ours, theirs = summary(worked(case, history=False)), oracle(expanded(case))
    ours["due"] = [code for code in ours["due"] if code not in LEFT_OUT]
    theirs["due"] = [code for code in theirs["due"] if code not in LEFT_OUT]
    return {name: (ours[name], said) for name, said in theirs.items() if ours[name] != said}


def is_plain(case: Json) -> bool:
    """Whether forms are written before they begin and are not withdrawn, and no oral outcome is told of the day of an injection."""
    injected = {one["on"] for one in case["doses"] if one["is"] == "depot"}
    return (
        all(one["authored"][:10] <= one["first"] and "status" not in one for one in case["forms"])
        and not any(one["on"] in injected and one["is"] != "depot" for one in case["doses"])
        and len(injected) == sum(one["is"] == "depot" for one in case["doses"])
    )


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_both_readings_agree(chunk: int) -> None:
    cases = ((seed, case) for seed in count(chunk * 10 * CHUNK) if is_plain(case := expanded(random_case(seed))))
    assert {seed: said for seed, case in islice(cases, CHUNK) if (said := apart(case))} == {}


@pytest.mark.parametrize("folder", all_cases(), ids=lambda folder: folder.name)
def test_the_oracle_agrees_with_the_truth_table(folder: Path) -> None:
    """It is held itself by what was worked out by hand, where no number is local."""
    case = load(folder)
    if folder.name not in NOT_ITS_OWN and "thresholds" not in (case.get("policy") or {}):
        assert apart(case) == {}
