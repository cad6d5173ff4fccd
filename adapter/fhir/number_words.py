"""Numbers as English words say them, for comparing an amount in words with its figure. Pure; knows no unit and no system."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen"
)
_WORDS = {word: n for n, word in enumerate(_SMALL.split())}
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_WORDS |= {word: n * 10 for n, word in enumerate(_TENS.split(), 2)}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_NUMERALS = frozenset({*_WORDS, *_SCALES, "point", "half"})


def figure(words: str) -> Decimal | None:
    """The number that English words say: "one hundred and twenty-eight", "two point five", "ten and a half".

    Words without a number may follow ("twenty eight tablets"). None for all that is not surely one number.
    """
    said = re.findall(r"[a-z]+|[^a-z\s]", words.lower().replace("-", " ").replace(",", " "))
    end = next((n for n, word in enumerate(said) if word not in _NUMERALS | {"and", "a"}), len(said))
    if any(word in _NUMERALS or not word.isalpha() for word in said[end:]):
        return None
    whole, _, fraction = " ".join(said[:end]).partition(" point ")
    halved = re.fullmatch(r"(?:(.+) and a half)|(?:a )?half", whole)
    value = _whole((halved[1] or "zero").split() if halved else whole.split())
    digits = [str(_WORDS.get(word, "")) for word in fraction.split()]
    if value is None or not all(len(digit) == 1 for digit in digits) or (digits and halved):
        return None
    return value + Decimal(f"0.{''.join(digits)}" if digits else "0") + Decimal("0.5" if halved else "0")


def _whole(said: Sequence[str]) -> Decimal | None:
    """A whole number. `room` is how much the next word may still add: after "twenty" nine, after "two hundred" 99."""
    if said in (["zero"], ["a", "hundred"], ["a", "thousand"]):
        return Decimal(0 if said == ["zero"] else _SCALES[said[1]])
    total, group, room = 0, 0, 999
    for n, word in enumerate(said):
        if word == "and" and 0 < n < len(said) - 1:
            continue
        if word == "hundred" and 0 < group < 100:
            group, room = group * 100, 99
        elif word in ("thousand", "million") and group and (not total or total >= 1000 * _SCALES[word]):
            total, group, room = total + group * _SCALES[word], 0, 999
        elif 0 < _WORDS.get(word, 0) <= room:
            room = 9 if _WORDS[word] >= 20 else 0
            group += _WORDS[word]
        else:
            return None
    return Decimal(total + group) if said else None
