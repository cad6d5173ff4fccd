"""Named codecs: what a map cannot say, as a pair of plain Python functions.

`read` takes the record's value (a tuple, where the hole names several paths) and gives FHIR's, or None where it
declines. `write` takes FHIR's value and gives the record's (a tuple likewise; None in it means "not said"). A codec
without `write` is one-way, and the map that uses it must say so under `$one-way`. Either half refuses a value that it
cannot turn by raising ValueError; the message of that error is never shown, the rule and the place are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Half = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Codec:
    """A codec: its name and its two halves; what it is for is the docstring of `read`, which the documentation shows."""

    name: str
    read: Half
    write: Half | None = None


REGISTRY: dict[str, Codec] = {}


def codec(name: str, *, read: Half | None = None, write: Half | None = None, doc: str = "") -> Any:
    """Register a codec, as a call with both halves or as the decorator of its `read` half.

    doc: what it is for, where `read` is a lambda or made anew for each codec, and so cannot say it itself.
    Raises ValueError when the name is taken by another function.
    """

    def register(half: Half) -> Half:
        old = REGISTRY.get(name)
        if old is not None and old.read.__code__ is not half.__code__:
            raise ValueError(f"codec {name} is registered twice")
        if doc:
            half.__doc__ = doc
        REGISTRY[name] = Codec(name, half, write)
        return half

    return register if read is None else register(read)


def _yes_read(value: Any) -> bool:
    """Y or N, as many extracts write a boolean."""
    if value in ("Y", "N"):
        return bool(value == "Y")
    raise ValueError("neither Y nor N")


codec("yes-no", read=_yes_read, write=lambda value: "Y" if value else "N")


def _decimal_text(value: Any) -> Any:
    """A number that the record holds as text, kept to the digit."""
    from decimal import Decimal, InvalidOperation

    try:
        made = Decimal(value)
    except InvalidOperation:
        raise ValueError("not a number") from None
    if not made.is_finite():
        raise ValueError("not a number")
    return int(value) if value.isascii() and value.lstrip("-").isdigit() and str(int(value)) == value else made


codec("number", read=_decimal_text, write=str)
