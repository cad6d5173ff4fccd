"""What every test may ask for: the adapter with all shipped systems, and whether goldens are to be rewritten."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

import adapter

# The suite is the same for the same commit; `make explore` looks for examples that nobody has seen yet.
settings.register_profile("same", derandomize=True)
settings.register_profile("explore", derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--accept", action="store_true", help="rewrite the goldens of fixtures/ from what came out; review the difference"
    )


@pytest.fixture(scope="session")
def ost() -> adapter.Adapter:
    return adapter.load()
