"""Every case of the truth table gives the ledger, the counts and the actions that were worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.care.build import bundles
from tests.care.cases import all_cases, derived_cases, differences, load, summary, worked

CASES = all_cases()


@pytest.mark.parametrize("folder", [*CASES, *derived_cases()], ids=lambda folder: folder.name)
def test_it_is_as_worked_out_by_hand(folder: Path) -> None:
    assert list(differences(load(folder))) == []


def test_there_are_as_many_cases_as_were_promised() -> None:
    assert len(CASES) >= 80


@pytest.mark.parametrize("said", [{"deceasedBoolean": True}, {"deceasedDateTime": "2026"}, {"deceasedDateTime": "2026-03"}])
def test_a_death_that_nobody_dates_stops_all_supply(said: dict[str, Any]) -> None:
    case = {"as-of": "2026-03-04", "forms": [{"id": "F1", "authored": "2026-03-01", "first": "2026-03-02", "last": "2026-03-15"}]}
    messages = bundles({**case, "death": {"on": "2026-03-03"}})
    patient = messages[-1]["entry"][1]["resource"]
    del patient["deceasedDateTime"], messages[-1]["entry"][0]["resource"]["extension"]
    patient |= said
    assert "stop-supply-deceased" in summary(worked(case, messages))["due"]
