"""What `maps test` tells: which cases pass, and which fields of the maps no case exercises."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapter.shipped import FIXTURES, MAPPINGS
from adapter.systems.cases import Coverage, Ran, coverage, found, run

if TYPE_CHECKING:
    from adapter import Adapter


@dataclass(slots=True)
class Proof:
    """The cases of one message, and how much of each map they exercise."""

    message: str
    cases: list[Ran]
    maps: list[Coverage]

    @property
    def failed(self) -> int:
        """How many cases do not come to what stands beside them."""
        return sum(bool(one.differences) for one in self.cases)

    def lines(self) -> Iterator[str]:
        """For people: the message, its failures with their places, and the fields that no case exercises."""
        holes, done = sum(one.holes for one in self.maps), sum(one.exercised for one in self.maps)
        yield f"{self.message}: {len(self.cases)} cases, {self.failed} failed; {done} of {holes} fields exercised"
        if not self.cases:
            yield f"  no case: make fixtures/{self.message}/first"
        for case in self.cases:
            yield from (f"  {case.case.name}: {line}" for line in case.differences)
        for one in self.maps:
            yield from (f"  {one.map}:{slot.line} ${slot.field} ({slot}): no case exercises it" for slot in one.missed)

    def as_json(self) -> dict[str, Any]:
        """The same as data."""
        return {
            "message": self.message,
            "cases": [
                {"case": one.case.name, "passes": not one.differences, "differences": one.differences} for one in self.cases
            ],
            "maps": [
                {
                    "map": one.map,
                    "fields": one.holes,
                    "exercised": one.exercised,
                    "missed": [{"line": slot.line, "field": slot.field, "element": str(slot)} for slot in one.missed],
                }
                for one in self.maps
            ],
        }


def prove(ost: Adapter, message: str, fixtures: Path | None, mappings: tuple[Path, ...]) -> Proof:
    """Run the cases of one message: of `fixtures`, else those that lie beside the maps of its system."""
    folder = ost.message(message).system.folder.resolve()
    beside = [fixtures] if fixtures else [one / "fixtures" for one in mappings if folder.is_relative_to(one.resolve())]
    if not beside and folder.is_relative_to(MAPPINGS.resolve()):
        beside = [FIXTURES]
    cases = [run(ost, message, case) for place in beside for case in found(place, message)]
    return Proof(message, cases, coverage(ost.message(message), [bundle for one in cases for bundle in one.bundles]))
