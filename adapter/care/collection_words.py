"""On which days a form is collected and supervised, as its dosage says it: "Collect Monday, Wednesday and Friday, supervised."

Strict: either all that is said of days is understood, or nothing is. Weekdays are 0 (Monday) to 6.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAMES = (
    "mon(?:day)?",
    "tue(?:s(?:day)?)?",
    "wed(?:nesday)?",
    "thu(?:r(?:s(?:day)?)?)?",
    "fri(?:day)?",
    "sat(?:urday)?",
    "sun(?:day)?",
)
_DAY = rf"(?:{'|'.join(_NAMES)})s?"
_SPAN = rf"{_DAY}(?: ?(?:-|to|until|through) ?{_DAY})?"
_LIST = rf"{_SPAN}(?:(?: ?(?:,|/|&|\+|\band\b) ?)+{_SPAN})*"
_DAYS = rf"(?:(?P<days>{_LIST})|(?:daily|every day|each day|once a day)(?: ?,? (?:except|but not|not)(?: on)? (?P<but>{_LIST}))?)"
_ON = r"(?: days?)?(?: ?:| (?:on|every|each|is|are))* "
_PICK_UP = r"(?:collect(?:ed|ions?)?|pick(?:ed)?[ -]ups?)"
_SEEN = r"(?:all |to be )?(?:supervised|under supervision)(?: consumption)?(?: on collection(?: days?)?)?"
_UNSEEN = r"unsupervised|not supervised|without supervision"
_COLLECT = re.compile(
    rf"(?:to be |please |for )?{_PICK_UP}{_ON}{_DAYS}(?: ?(?:,|-|and)? ?(?:(?P<seen>{_SEEN})|(?P<unseen>{_UNSEEN})))?"
)
_SUPERVISE = re.compile(
    rf"(?:please )?(?:supervis(?:e|ed|ion)(?: consumption)?|consumption supervised){_ON}"
    rf"(?:(?P<own>collections?(?: days?)?|days? of collection)|{_DAYS})"
)
_MOVED = re.compile(rf"(?P<of>{_DAY})'?s?'? (?:doses?|instalments?)(?: is| are)?(?: to be)?(?: collected)? on (?P<on>{_DAY})")
#: What nobody writes without meaning days, or the collection of what is prescribed.
_ABOUT_COLLECTING = re.compile(r"\b(?:collect\w*|pick(?:ed|ing)?[ -]ups?)\b")
_ABOUT_DAYS = re.compile(rf"\b{_DAY}\b")
#: Of the Home Office's wordings, how those begin that speak of collecting and say no day of it; they are coded apart.
_WORDINGS = ("please dispense instalments due on pharmacy closed days", "if an instalment's collection day has been missed")


@dataclass(frozen=True, slots=True)
class CollectionDays:
    """Weekdays on which a form is collected, and on which the dose of the day is supervised (None: the words do not say)."""

    pick_up: frozenset[int]
    supervised: frozenset[int] | None


class NotSure(ValueError):
    """Words about days of collection that cannot be read as one arrangement."""


def collection_days(text: str) -> CollectionDays | None:
    """What the words of a dosage say of collecting; None where they say nothing of it. Raises NotSure where they are not sure."""
    plain = text.lower().replace("\u2019", "'").replace("\u2013", "-")
    clauses = [" ".join(one.split()) for one in re.split(r"[.;\n]+", plain) if one.strip()]
    pick_up: set[frozenset[int]] = set()
    supervised: set[frozenset[int]] = set()
    on_collection = unread = about = False
    moved: list[tuple[int, int]] = []
    for clause in clauses:
        if found := _COLLECT.fullmatch(clause):
            pick_up.add(days := _days(found["days"], found["but"]))
            supervised |= {days} if found["seen"] else {frozenset()} if found["unseen"] else set()
        elif found := _SUPERVISE.fullmatch(clause):
            on_collection = on_collection or bool(found["own"])
            supervised |= set() if found["own"] else {_days(found["days"], found["but"])}
        elif found := _MOVED.fullmatch(clause):
            moved.append((_day(found["of"]), _day(found["on"])))
        elif not clause.startswith(_WORDINGS):
            about = about or bool(_ABOUT_COLLECTING.search(clause))
            unread = unread or bool(_ABOUT_DAYS.search(clause))
    if not pick_up and not about:
        return None
    supervised |= pick_up if on_collection else set()
    if about or unread or len(pick_up) != 1 or len(supervised) > 1:
        raise NotSure
    [days] = pick_up
    if any(_last(days, of) != on for of, on in moved):
        raise NotSure
    return CollectionDays(days, next(iter(supervised), None))


def _last(days: frozenset[int], of: int) -> int | None:
    """The day of collection before a day that is none itself."""
    return None if of in days else next((day for n in range(1, 7) if (day := (of - n) % 7) in days), None)


def _day(word: str) -> int:
    return next(n for n, name in enumerate(_NAMES) if re.fullmatch(f"{name}s?", word))


def _days(said: str | None, but: str | None) -> frozenset[int]:
    """The days of a list, or every day but those."""
    return _listed(said) if said is not None else frozenset(range(7)) - _listed(but or "")


def _listed(said: str) -> frozenset[int]:
    found: set[int] = set()
    for span in re.findall(_SPAN, said):
        first, *last = (_day(word) for word in re.findall(_DAY, span))
        end = last[0] if last else first
        found |= {(first + n) % 7 for n in range((end - first) % 7 + 1)}
    return frozenset(found)
