"""The page of a ledger: one HTML file that needs nothing beside it, readable at 320 pixels and without colour or sight."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from adapter.care.as_json import ledger_json
from adapter.care.picture import GLYPHS, picture
from adapter.care.shared_care import SharedCare

_PAGE = Path(__file__).with_name("ledger.html")


def page(found: Iterable[SharedCare]) -> str:
    """The page of these ledgers, one after the other."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    # The picture is of our own making, its texts escaped.
    people = [
        {"ledger": ledger_json(one), "policy": str(one.ledger.policy), "issues": one.issues, "picture": Markup(picture(one))}  # noqa: S704
        for one in found
    ]
    said: dict[str, Any] = {
        "people": people,
        "ledger": people[0]["ledger"] if people else {"asOf": ""},
        "span": span,
        "within": within,
        "glyphs": list(GLYPHS.values()),
        "glyph": {state: glyph for state, (glyph, _) in GLYPHS.items()},
        "words": {state: words for state, (_, words) in GLYPHS.items()},
    }
    return environment.from_string(_PAGE.read_text("utf-8")).render(said)


def within(cadence: str) -> str:
    """A feed's cadence in words: `1 day`, `36 hours`."""
    number, unit = (cadence[1:-1], "day") if cadence.endswith("D") else (cadence[2:-1], "hour")
    return f"{number} {unit}{'' if number == '1' else 's'}"


def span(count: dict[str, int]) -> str:
    """`3`, `3 to 5`, or `at least 3`."""
    if "max" not in count:
        return f"at least {count['min']}"
    return str(count["min"]) if count["min"] == count["max"] else f"{count['min']} to {count['max']}"
