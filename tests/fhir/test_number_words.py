"""Numbers that English words say."""

from __future__ import annotations

from decimal import Decimal

import pytest

from adapter.fhir.number_words import figure


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("twenty eight", "28"),
        ("Twenty-Eight tablets", "28"),
        ("one hundred and five", "105"),
        ("five hundred and twenty-five millilitres", "525"),
        ("two thousand, three hundred and forty one", "2341"),
        ("two hundred thousand and one", "200001"),
        ("a hundred", "100"),
        ("eleven hundred", "1100"),
        ("zero", "0"),
        ("two point five", "2.5"),
        ("zero point zero five", "0.05"),
        ("half", "0.5"),
        ("one and a half", "1.5"),
        ("ten twenty", None),
        ("twenty eleven", None),
        ("twenty zero", None),
        ("ten ampoules of two", None),
        ("fifty six (56)", None),
        ("thrity", None),
        ("28", None),
        ("two point", None),
        ("and", None),
        ("", None),
    ],
)
def test_the_number_that_words_say(said: str, number: str | None) -> None:
    assert figure(said) == (None if number is None else Decimal(number))


@pytest.mark.parametrize("number", range(1, 1200, 7))
def test_words_of_every_number_are_read(number: int) -> None:
    assert figure(in_words(number)) == number


def in_words(number: int) -> str:
    small = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    names = [*small.split(), "eighteen", "nineteen"]
    tens = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
    if number < 20:
        return names[number]
    if number < 100:
        return tens[number // 10] + (f"-{names[number % 10]}" if number % 10 else "")
    scale, name = (100, "hundred") if number < 1000 else (1000, "thousand")
    rest = number % scale
    return f"{in_words(number // scale)} {name}" + (f" and {in_words(rest)}" if rest else "")
