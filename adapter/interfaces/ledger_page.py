"""The page of a ledger: one HTML file that needs nothing beside it, readable at 320 pixels and without colour or sight."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from adapter.care.as_json import ledger_json
from adapter.care.ledger import iso
from adapter.care.picture import GLYPHS, LEGEND, picture, planned
from adapter.care.shared_care import SharedCare
from adapter.interfaces.left_out import MEANING, LeftOut
from adapter.interfaces.render import gravest_first

_PAGE = Path(__file__).with_name("ledger.html")


#: As many issues of what was left out stand on the page; more would hide the ledger, and all are on standard error.
_TOLD = 50


def page(found: Iterable[SharedCare], left_out: LeftOut) -> str:
    """The page of these ledgers, one after the other. left_out: the messages that they are made without."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    people = [_person(one, number, left_out) for number, one in enumerate(found, 1)]
    said: dict[str, Any] = {
        "people": people,
        "ledger": people[0]["ledger"] if people else {"asOf": ""},
        "left_out": left_out,
        "meaning": MEANING,
        "told": left_out.rows()[:_TOLD],
        "untold": len(left_out.issues) - _TOLD,
        "span": span,
        "dose": dose,
        "within": within,
        "legend": LEGEND,
        "glyph": {state: glyph for state, (glyph, _) in GLYPHS.items()},
        "words": {state: words for state, (_, words) in GLYPHS.items()},
    }
    return environment.from_string(_PAGE.read_text("utf-8")).render(said)


def _person(care: SharedCare, number: int, left_out: LeftOut) -> dict[str, Any]:
    drawn = picture(care, name=f"p{number}", left_out=left_out.words if left_out else "")
    return {
        "ledger": ledger_json(care),
        "policy": str(care.ledger.policy),
        "issues": gravest_first(care.issues),
        "planned": {iso(day): words for day, words in planned(care).items()},
        "picture": Markup(drawn),  # noqa: S704  # of our own making, its texts escaped
    }


def dose(said: dict[str, Any] | None) -> str:
    """A last dose as `2026-03-03, 60 mg`, as far as it is known."""
    if said is None:
        return "none"
    amount = said.get("quantity", {})
    words = " ".join(str(amount[name]) for name in ("value", "unit") if name in amount)
    return f"{said['date']}, {words}" if words else str(said["date"])


def within(cadence: str) -> str:
    """A feed's cadence in words: `1 day`, `36 hours`."""
    number, unit = (cadence[1:-1], "day") if cadence.endswith("D") else (cadence[2:-1], "hour")
    return f"{number} {unit}{'' if number == '1' else 's'}"


def span(count: dict[str, int]) -> str:
    """`3`, `3 to 5`, or `at least 3`."""
    if "max" not in count:
        return f"at least {count['min']}"
    return str(count["min"]) if count["min"] == count["max"] else f"{count['min']} to {count['max']}"
