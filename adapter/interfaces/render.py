"""How issues and faults are said to people: place first, then what, why and the mend.

Colour only on a terminal, and never where NO_COLOR is set (https://no-color.org).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import click

from adapter.fhir.outcome import Issue, is_error, place_of, rule_of
from adapter.interfaces.streams import output_fault

_COLOURS = {"fatal": "red", "error": "red", "warning": "yellow", "information": "cyan"}


def colour() -> bool | None:
    """False where no colour is wanted; None lets click look whether a terminal is there."""
    return False if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" else None


def say(text: str = "", *, stdout: bool = False) -> None:
    """A line for people. Raises OutputFault where it is the command's output and cannot be written."""
    try:
        click.echo(text, err=not stdout, color=colour())
    except OSError as error:  # a log that cannot be written stops no message
        if stdout:
            raise output_fault(error) from error


def issue_lines(one: Issue, file: str = "") -> Iterator[str]:
    """One issue: `file:line:column: severity: text [rule]`, and below it where in the message, and the mend."""
    place = place_of(one) or file
    severity = click.style(one["severity"], fg=_COLOURS.get(one["severity"]), bold=is_error(one))
    text = one.get("details", {}).get("text", "")
    yield f"{place + ': ' if place else ''}{severity}: {text} [{rule_of(one)}]"
    if where := one.get("expression"):
        yield f"    at: {', '.join(where)}"
    if mend := one.get("diagnostics"):
        yield f"    mend: {mend}"


def say_issues(issues: Sequence[Issue], file: str = "", *, stdout: bool = False) -> None:
    """Every issue, the gravest first, and how many of each there are; those that say the same of several places, once."""
    for one in _together(gravest_first(issues), file):
        for line in issue_lines(one, file):
            say(line, stdout=stdout)
    if issues:
        say(counted(issues), stdout=stdout)


def _together(issues: Iterable[Issue], file: str) -> list[Issue]:
    """Issues that differ in their expression alone as one, with every place; in the order of the first of each."""
    found: dict[tuple[str, ...], Issue] = {}
    for one in issues:
        said = (one["severity"], rule_of(one), one.get("details", {}).get("text", ""), one.get("diagnostics", ""))
        key = (*said, place_of(one) or file)
        if key in found:
            found[key] = {**found[key], "expression": [*found[key].get("expression", ()), *one.get("expression", ())]}
        else:
            found[key] = one
    return list(found.values())


def say_faults(faults: Iterable[object], *, stdout: bool = False) -> None:
    """Start-up faults of maps or settings; each says its own place, why and mend."""
    for fault in faults:
        say(str(fault), stdout=stdout)


def counted(issues: Sequence[Issue]) -> str:
    """`2 errors, 1 warning`; "no issue" where there is none."""
    totals = Counter("error" if is_error(one) else one["severity"] for one in issues)
    words = [plural(totals[kind], kind) for kind in ("error", "warning") if totals[kind]]
    if totals["information"]:
        words.append(f"{totals['information']} for information")
    return ", ".join(words) or "no issue"


def plural(number: int, word: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def gravest_first(issues: Iterable[Issue]) -> list[Issue]:
    """Issues by their severity; those of one in their own order."""
    order = ("fatal", "error", "warning", "information")
    return sorted(issues, key=lambda one: order.index(one["severity"]) if one["severity"] in order else len(order))
