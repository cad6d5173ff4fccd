"""Every case of the truth table gives the ledger, the counts and the actions that were worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.care.cases import all_cases, differences, load

CASES = all_cases()


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_it_is_as_worked_out_by_hand(folder: Path) -> None:
    assert list(differences(load(folder))) == []


def test_there_are_as_many_cases_as_were_promised() -> None:
    assert len(CASES) >= 80
