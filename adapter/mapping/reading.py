"""The state of one match: what was captured, what was left unread and what rode along.

Generated functions know it as S and call it for all that is not straight-line code. `references.py` follows references,
`walk.py` decides which resource a function is called for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from adapter.mapping import issues
from adapter.mapping.lineage import Row
from adapter.mapping.references import References, below
from adapter.mapping.roles import Cast
from adapter.mapping.runtime import WRONG, own_id, parts_of
from adapter.mapping.safety import is_safety

Forward = Callable[[tuple[Any, ...]], Any]


class Reading(References):
    """What generated functions call while they read one resource after another."""

    __slots__ = ("again", "carried", "current", "found", "keyless", "later", "left", "missing", "runs")

    STAMPED = frozenset({"profile"})

    def __init__(self, entries: list[dict[str, Any]], cast: Cast, prefix: str = "Bundle.") -> None:
        self.entries, self.cast, self.prefix = entries, cast, prefix
        self.record = {}
        self.index = None
        self.claims, self.played, self.elements, self.pointed = {}, {}, {}, {}
        self.issues = []
        self.current = 0  # the entry that is being read
        self.left: list[tuple[Any, str, int]] = []  # what nothing read: the value, its place, its entry
        self.carried: list[str] = []
        self.missing: list[tuple[str, int, str]] = []  # references that are not there: to which role, from which entry and place
        self.keyless: list[tuple[int, dict[str, Any], tuple[str, ...]]] = []  # keys that an entry's own map did not give back
        self.later: list[tuple[Any, ...]] = []  # comparisons that wait until all maps have stored what they read
        self.found: list[Row] = []
        self.runs: dict[int, tuple[int, ...]] = {}  # entry -> from where to where each role that read it added to `left`
        self.again = False  # whether an entry was read in several roles

    def own_id(self, i: int) -> str:
        """What `$id` captures."""
        return own_id(self.entries[i].get("fullUrl", ""))

    # what nothing reads -------------------------------------------------------------------------------------------
    def unread(self, value: Any, where: str) -> None:
        """A value that nothing reads."""
        self.left.append((value, where, self.current))

    def unread_items(self, items: list[Any], left: Sequence[int], where: str) -> None:
        """Elements of an array that nothing recognises."""
        for j in left:
            self.left.append((items[j], f"{where}[{j}]", self.current))

    def extras(self, value: dict[str, Any], keys: Any, where: str) -> None:
        """Keys of an object that the map does not name."""
        for name, under in value.items():
            if name not in keys:
                self.left.append((under, f"{where}.{name}", self.current))

    def stamped(self, meta: Any, i: int) -> None:
        """`meta` beyond the profiles that the hub stamps, where the map has no place for it."""
        for name, under in meta.items() if type(meta) is dict else ():
            if name != "profile":
                self.left.append((under, f"{self.at(i)}.meta.{name}", i))

    # what rides along ---------------------------------------------------------------------------------------------
    def rest(self, value: dict[str, Any], keys: Any, named: list[str], where: str, i: int) -> dict[str, Any] | None:
        """What `$rest` takes of an object: never a modifier extension, never a safety element."""
        taken: dict[str, Any] = {}
        for name, under in value.items():
            if name in keys and name not in named:
                continue
            place = f"{where}.{name}"
            if name == "modifierExtension" or is_safety(self.entries[i]["resource"], parts_of(place, self.at(i))):
                self.left.append((under, place, i))
            else:
                taken[name] = under
                self.carried.append(place)
        return taken or None

    def rest_items(self, items: list[Any], left: Sequence[int], where: str, i: int) -> list[Any] | None:
        """What `$rest` takes of an array."""
        taken: list[Any] = []
        for j in left:
            place = f"{where}[{j}]"
            if is_safety(self.entries[i]["resource"], parts_of(place, self.at(i))):
                self.left.append((items[j], place, i))
                continue
            taken.append(items[j])
            url = items[j].get("url") if isinstance(items[j], dict) else None
            self.carried.append(f"{place} {url}" if isinstance(url, str) else place)
        return taken or None

    # which element is meant ---------------------------------------------------------------------------------------
    @staticmethod
    def holds(array: Any, value: Any) -> bool:
        """Whether an array has this literal element."""
        return type(array) is list and value in array

    @staticmethod
    def without_profile(meta: Any) -> Any:
        """`meta` without the profiles, which the hub stamps."""
        return {k: v for k, v in meta.items() if k != "profile"} if type(meta) is dict else meta

    @staticmethod
    def others(items: list[Any], taken: int) -> list[int]:
        """The indexes of an array but the one that was taken."""
        return [j for j in range(len(items)) if j != taken]

    @staticmethod
    def pick(items: list[Any], literals: tuple[tuple[str, ...], dict[str, Any]]) -> int:
        """The first element with these literals below it; the first of all where none has."""
        return min(Reading.pick_all(items, literals), default=0)

    @staticmethod
    def pick_all(items: list[Any], literals: tuple[tuple[str, ...], dict[str, Any]]) -> set[int]:
        """The elements that have these literals below them: the names on the way, and the literals there."""
        names, wanted = literals
        return {
            j
            for j, item in enumerate(items)
            if any(isinstance(v, dict) and all(v.get(k) == w for k, w in wanted.items()) for v in below(item, names))
        }

    # values -------------------------------------------------------------------------------------------------------
    def merge_lists(self, a: list[Any], b: list[Any], where: str) -> list[Any]:
        """One list read in two places: element by element."""
        same = len(a) == len(b) and all(
            x == y or (isinstance(x, dict) and isinstance(y, dict) and all(x.get(k, v) == v for k, v in y.items()))
            for x, y in zip(a, b, strict=True)
        )
        if not same:
            self.conflict(where, "the list", "the list")
            return a
        return [{**x, **y} if isinstance(x, dict) else x for x, y in zip(a, b, strict=True)]

    @staticmethod
    def agrees(forward: Forward, values: tuple[Any, ...], value: Any) -> bool:
        """Whether an element that cannot give its path back says what that path would write there; `verify` says why not."""
        for one in values:
            if one is not None:
                break
        else:
            return False
        try:
            return bool(forward(values) == value)
        except WRONG:
            return False

    def verify(self, forward: Forward, values: tuple[Any, ...], value: Any, where: str, soft: bool, codecs: str) -> None:
        """Compare an element that cannot give its path back with what that path would write there."""
        if all(v is None for v in values):
            if value is not True or codecs:
                self.unread(value, where)
            return
        try:
            expected = forward(values)
        except WRONG:
            expected = None
        if expected == value:
            return
        if soft:
            self.unread(value, where)
        else:
            self.issues.append(issues.combination(where, codecs))

    # issues and lineage -------------------------------------------------------------------------------------------
    def conflict(self, where: str, paths: str, line: str) -> None:
        """Two elements that say different things of one record path."""
        self.issues.append(issues.conflict(where, paths, line))

    def row(
        self,
        where: str,
        frame: dict[str, Any],
        place: str,
        line: str,
        codecs: tuple[str, ...],
        several: bool,
        loops: tuple[str, ...],
    ) -> None:
        """A lineage row, its list indexes still open."""
        self.found.append((where, frame, place, line, codecs, several, loops))
