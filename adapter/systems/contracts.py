"""The codecs of the contracts that we publish (pharmacy, criis): the statuses that follow from a dose's outcome.

FHIR says an outcome several times: once by our own code, and again by the status of each resource. The code is what a
map reads back; the statuses are computed from it, and a withdrawn report makes every one of them entered-in-error.
See docs/hub.md, dose-outcome.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from adapter.mapping.codecs import codec
from adapter.shipped import MAPPINGS

#: FHIR's word for a record that should never have been made, the same in every status value set.
WITHDRAWN = "entered-in-error"

#: Resource -> outcome (code of CodeSystem/dose-outcome) -> status; an outcome that is not named has no such resource.
STATUSES: Mapping[str, Mapping[str, str]] = {
    "dispense": {
        "supervised": "completed",
        "take-home": "completed",
        "partial": "completed",
        "not-swallowed": "completed",
        "missed": "declined",
        "withheld": "declined",
    },
    "administration": {"supervised": "completed", "partial": "completed", "not-swallowed": "not-done"},
    "depot": {"depot": "completed"},
    "statement": {"elsewhere": "completed"},
    "after": {"supervised": "final", "partial": "final"},
}


@cache
def _criis_outcomes() -> Mapping[str, str]:
    """criis's outcome code -> the hub's, as its ConceptMap has them."""
    elements = json.loads((MAPPINGS / "criis/codes/dose-outcome.json").read_text("utf-8"))["group"][0]["element"]
    return {element["code"]: element["target"][0]["code"] for element in elements}


def _register(name: str, statuses: Mapping[str, str], withdrawn: Any, standing: Any, hub_code: Callable[[str], str | None]) -> None:
    """A codec of (retraction mark, outcome) and a status. `withdrawn`, `standing`: the mark of a withdrawn and of a good report."""

    def read(pair: tuple[Any, str]) -> str | None:
        """(retraction mark, outcome) -> status; declines an outcome that has no such resource."""
        mark, outcome = pair
        status = statuses.get(hub_code(outcome) or "")
        return WITHDRAWN if status is not None and mark == withdrawn else status

    def write(status: str) -> tuple[Any, None]:
        """Status -> (retraction mark, not said): the outcome is read from its own element."""
        return (withdrawn if status == WITHDRAWN else standing, None)

    codec(name, read=read, write=write)


for _resource, _statuses in STATUSES.items():
    _register(f"dose-{_resource}-status", _statuses, True, None, lambda code: code)
    _register(f"criis-{_resource}-status", _statuses, "STRUCK", "LIVE", lambda code: _criis_outcomes().get(code))
