"""The amount that a form's quantity says in words: "five hundred and sixty millilitres".

Misuse of Drugs Regulations 2001, regulation 15: the total of a controlled drug stands in words and in figures.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from adapter.fhir.number_words import figure

#: dm+d unit of measure (ConceptMap unit) -> the words for it.
_WORDS = {
    "258773002": "ml mls millilitre millilitres milliliter milliliters",
    "258684004": "mg mgs milligram milligrams milligramme milligrammes",
    "258685003": "mcg microgram micrograms microgramme microgrammes",
    "258682000": "g gram grams gramme grammes",
    "428673006": "tablet tablets tab tabs",
    "3317411000001100": "dose doses",
    "3318611000001103": "injection injections",
}
_UNIT = {word: code for code, words in _WORDS.items() for word in words.split()}


@dataclass(frozen=True, slots=True)
class InWords:
    """What the words say. units: the dm+d units that they name; none where they name none that is known."""

    value: Decimal
    units: frozenset[str]


def in_words(words: str) -> InWords | None:
    """The amount in English words, with hyphens, `and` and a unit as they come; None where they are not surely one amount."""
    plain = re.sub(r"^a(?= (hundred|thousand)\b)", "one", words.strip(" .").lower())
    value = figure(plain)
    if value is None:
        return None
    return InWords(value, frozenset(_UNIT[word] for word in re.findall("[a-z]+", plain) if word in _UNIT))
