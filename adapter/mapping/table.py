"""A compiled table: one set of maps, as a fill function and a match, with the account of both sides.

Each way is compiled when it is first asked for, so that a message that is only heard makes no fill; then called per message, and
safe to share between threads, since every call has its own run.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from adapter.fhir.outcome import Issue
from adapter.mapping.account import BundleAccount, RecordAccount
from adapter.mapping.casting import cast
from adapter.mapping.fill import FillWriter
from adapter.mapping.lineage import Lineage, lineage, lineage_from
from adapter.mapping.plan import Groups, plan_fill
from adapter.mapping.roles import Cast
from adapter.mapping.runtime import Run, TracedRun
from adapter.mapping.spec import TableSpec
from adapter.mapping.walk import MatchRun


class Table:
    """The maps of one message (or of its native half), compiled."""

    def __init__(self, spec: TableSpec) -> None:
        self.spec = spec
        self.groups: Groups = plan_fill(spec)

    # fill ---------------------------------------------------------------------------------------------------------
    @cached_property
    def _fill(self) -> Callable[..., list[dict[str, Any]]]:
        return FillWriter(self.spec).compile()

    @cached_property
    def _traced_fill(self) -> Callable[..., list[dict[str, Any]]]:
        """The same, which notes of what elements it makes; compiled when lineage first asks for it."""
        return FillWriter(self.spec, trace=True).compile()

    @cached_property
    def _record(self) -> RecordAccount:
        return RecordAccount(self.spec)

    def is_ignored(self, path: str) -> bool:
        """Whether the maps leave a record path (without indexes) out on purpose."""
        return self._record.is_ignored(path)

    def ignored_record(self, record: dict[str, Any]) -> dict[str, str]:
        """The record's leaves that the maps leave out on purpose, each with the reason."""
        return self._record.ignored(record)

    def fill(self, record: dict[str, Any]) -> tuple[list[dict[str, Any]], Run]:
        """Entries ({"fullUrl", "resource"}; the Bundle's own map without fullUrl) and what was found on the way."""
        run = Run()
        return self._fill(record, run), run

    def unread_record(self, record: dict[str, Any], entries: list[dict[str, Any]], lost: bool) -> list[str]:
        """The record's leaves that no hole read: by the maps' own paths and, where something dropped out, by lineage."""
        found = self._record.unknown(record)
        if lost and self.match(entries).record != record:
            found += self._record.unread(record, self.lineage(entries, record=record), found)
        return found

    # match --------------------------------------------------------------------------------------------------------
    @cached_property
    def _bundle(self) -> BundleAccount:
        return BundleAccount(self.spec)

    @cached_property
    def roles(self) -> Cast:
        """The maps in the order in which match visits them."""
        return cast(self.spec, self.groups, trace=False)

    @cached_property
    def traced(self) -> Cast:
        """The same, each capture leaving a lineage row; compiled when lineage is first asked for."""
        return cast(self.spec, self.groups, trace=True)

    def match(self, entries: list[dict[str, Any]], prefix: str = "Bundle.") -> MatchRun:
        """The record and everything found on the way."""
        run = MatchRun(entries, self.roles, prefix)
        run.walk()
        return run

    def lineage(
        self, entries: list[dict[str, Any]], prefix: str = "Bundle.", *, record: dict[str, Any] | None = None
    ) -> list[Lineage]:
        """Where every value of these entries stands in the record.

        record: the one that the entries were filled from. It is what the rows speak of: match may not give all of it back
        (one-way holes), nor number it alike, where nothing was made of an element of a list.
        """
        run = MatchRun(entries, self.traced, prefix)
        run.walk()
        if record is None:
            return lineage(run.found, run.record)
        filled = TracedRun()
        self._traced_fill(record, filled)
        places = {
            id(element.record): filled.places[url]
            for elements in run.elements.values()
            for element in elements.values()
            if (url := entries[element.order].get("fullUrl")) in filled.places
        }
        return lineage_from(run.found, record, places, filled.items)

    def account(self, run: MatchRun) -> tuple[list[str], dict[str, str], list[Issue]]:
        """Unread leaves, ignored leaves with the reason, the issues for the unread ones: an error for safety, else a warning."""
        return self._bundle.of(run) if run.left else ([], {}, [])
