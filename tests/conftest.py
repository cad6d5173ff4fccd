"""What every test may ask for: the adapter with all shipped systems, and whether goldens are to be rewritten."""

from __future__ import annotations

import pytest

import adapter


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--accept", action="store_true", help="rewrite the goldens of fixtures/ from what came out; review the difference"
    )


@pytest.fixture(scope="session")
def ost() -> adapter.Adapter:
    return adapter.load()
