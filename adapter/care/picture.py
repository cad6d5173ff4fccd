"""The timeline of a ledger as one SVG: what was planned, supplied, swallowed, missed, not told of and raised.

Bands of fourteen days, as long as a form; each sign is a shape and a word in the legend, so that nothing is said by colour alone.
The same picture stands in the page of the command and in the web pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from html import escape
from typing import TypeVar

from adapter.care.actions import Action
from adapter.care.counts import Range, count
from adapter.care.ledger import FULL, Day, iso
from adapter.care.picture_chart import CHART, Line, chart
from adapter.care.shared_care import SharedCare

What = TypeVar("What")

#: Days in a band, and as many bands as are drawn.
BAND, BANDS = 14, 6
_STEP, _GUTTER, _LANE, _HEAD, _GAP = 18, 62, 15, 24, 12
_WIDTH = _GUTTER + BAND * _STEP + 4
_LANES = ("form live", "planned", "supplied", "swallowed", "not taken", "no report", "raised", "withdrawn")
#: State -> glyph and words. The table of the command uses the same.
GLYPHS = {
    "supervised": ("●", "seen swallowed"),
    "take-home": ("○", "taken home"),
    "partial": ("◐", "in part"),
    "elsewhere-evidenced": ("◆", "elsewhere, evidenced"),
    "elsewhere-unreported": ("◇", "elsewhere, not evidenced"),
    "depot": ("■", "covered by a depot"),
    "missed": ("✕", "missed"),
    "withheld": ("⊘", "withheld"),
    "not-swallowed": ("⊗", "handed over, not swallowed"),
    "conflict": ("!", "sources disagree"),
    "unreported": ("?", "no report"),
    "due": ("…", "still due"),
    "not-expected": ("·", "not expected"),
}
_PLANNED, _DERIVED = ("▼", "collection planned"), ("▽", "collection worked out from the form's words")
#: Every sign of the picture, and what it says.
LEGEND = (
    *GLYPHS.values(),
    ("▬", "a form is live; with a number: so many at once"),
    _PLANNED,
    _DERIVED,
    ("▪", "handed over"),
    ("⚑", "raised; with a number: so many"),
    ("⚐", "withdrawn: raised, and its ground has gone"),
    ("━", "missed in a row: at least, as is evidenced"),
    ("╍", "missed in a row: at most, as is possible"),
    ("─□─", "days without a dose seen: at least"),
    ("┈┈", "days without a dose seen: at most"),
    ("3 ┄", "a threshold of the policy; >3: when it is exceeded"),
)
#: State -> the lanes in which it has a sign.
_SIGNS = {
    "supervised": ("supplied", "swallowed"),
    "take-home": ("supplied",),
    "partial": ("supplied", "swallowed"),
    "not-swallowed": ("supplied", "not taken"),
    "elsewhere-evidenced": ("swallowed",),
    "depot": ("swallowed",),
    "missed": ("not taken",),
    "withheld": ("not taken",),
    "unreported": ("no report",),
    "elsewhere-unreported": ("no report",),
    "conflict": ("no report",),
    "due": ("no report",),
}
#: Of the page that it stands in it styles nothing else.
_STYLE = "".join(
    f".doses {rule}"
    for rule in (
        "text{font:9px system-ui,sans-serif;fill:#212b32}",
        ".s{font-size:11px;text-anchor:middle}",
        ".d{font-size:8.5px;text-anchor:middle}",
        ".e{font-size:8.5px;text-anchor:end}",
        ".n{fill:#f0f4f5}",
        ".p{fill:#005eb8}",
        ".o{font-size:8.5px;font-weight:700;text-anchor:middle;fill:#fff}",
        ".m{fill:#8a1500;font-weight:700}",
        ".q{fill:#5c3c00}",
        ".b{fill:#fff7d6;stroke:#7a5b00;stroke-dasharray:2 1.5}",
        ".r{font-weight:700}",
        ".min{fill:none;stroke:#8a1500;stroke-width:1.8}",
        ".max{fill:none;stroke:#8a1500;stroke-dasharray:4 2}",
        ".wmin{fill:none;stroke:#212b32;stroke-width:1}",
        ".wdot{fill:#fff;stroke:#212b32;stroke-width:1}",
        ".wmax{fill:none;stroke:#212b32;stroke-dasharray:1 2}",
        ".t{stroke:#4c6272;stroke-width:.6;stroke-dasharray:1 2}",
    )
)


def picture(care: SharedCare, *, bands: int = BANDS, name: str = "p", left_out: str = "") -> str:
    """The timeline of the latest days, the latest band last, as the text of an SVG element with its title and description.

    name: tells it apart from other pictures of a page · left_out: the words for the messages that the ledger is made without
    """
    days = care.ledger.days[-bands * BAND :]
    lead = len(care.ledger.days) - len(days)
    without = without_dose(care, lead)
    tall, top = _HEAD + len(_LANES) * _LANE + 2 * (CHART + 4) + _GAP, 28 if left_out else 0
    lines = []
    for start in range(0, len(days), BAND):
        group = slice(start, start + BAND)
        trace = care.counted.trace[lead:][group]
        lines.append(f'<g transform="translate(0 {top + start // BAND * tall})">')
        lines += _band(days[group], trace, without[group], care)
        lines.append("</g>")
    if left_out:
        lines.append('<text class="r" x="2" y="11">! INCOMPLETE: doses may be missing here.</text>')
        lines.append(f'<text x="2" y="23">{escape(left_out)}</text>')
    height = top + max(-(-len(days) // BAND), 1) * tall
    box = f'class="doses" viewBox="0 0 {_WIDTH} {height}" width="100%"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {box} role="img" aria-labelledby="{name}-title {name}-desc">'
    said = (f"Incomplete: {left_out} " if left_out else "") + _described(care, days, without)
    title = f'<title id="{name}-title">Doses up to {iso(care.ledger.today)}</title>'
    described = f'<desc id="{name}-desc">{escape(said)}</desc>'
    return "\n".join([head, title + described, f"<style>{_STYLE}</style>", *lines, "</svg>"])


def planned(care: SharedCare) -> dict[int, str]:
    """The days of collection of forms that are live on a day that the collection covers, in words."""
    worked_out = tuple(f"{one.form}#{one.rule}@" for one in care.derived)
    found: dict[int, str] = {}
    for one in care.ledger.facts.collections:
        live = [form for day in one.covers for form in care.ledger.forms.live(day)]
        if any(one.form & form.names for form in live):
            words = _DERIVED[1] if one.ref.startswith(worked_out) else _PLANNED[1]
            found[one.on] = words if found.get(one.on, words) == words else _PLANNED[1]
    return found


def without_dose(care: SharedCare, start: int) -> list[Range]:
    """The days since an evidenced dose as they were at the end of each day from the start-th, by what is known now."""
    days, stops = care.ledger.days, care.counted.stops
    # After a full dose that no stop outlasts the count does not depend on what was before it.
    calm = (
        n
        for n in range(min(start, len(days) - 1), -1, -1)
        if days[n].state in FULL
        and not any(one.since <= days[n].day and (one.lifted is None or one.lifted > days[n].day) for one in stops)
    )
    since = next(calm, 0)
    # The records are of no matter here, and to gather them anew for each day of a long run takes the longest.
    bare = tuple(_bare(one) for one in days[since:])
    return [count(replace(care.ledger, days=bare[: n + 1 - since], today=days[n].day)).without for n in range(start, len(days))]


def _bare(day: Day) -> Day:
    """A day without its evidence."""
    return day._replace(doses={number: dose._replace(evidence=()) for number, dose in day.doses.items()})


def _described(care: SharedCare, days: Sequence[Day], without: Sequence[Range]) -> str:
    """The picture in words, for who does not see it."""
    if not days:
        return f"No day. {_named(care)}"
    states = "; ".join(f"{when}: {GLYPHS[state][1]}" for state, when in _stretches((one.day, one.state) for one in days))
    live = [when for is_live, when in _stretches((one.day, bool(one.live)) for one in days) if is_live]
    drawn = {day: words for day, words in planned(care).items() if days[0].day <= day <= days[-1].day}
    said = [states, f"A form is live: {', '.join(live) or 'on no day'}"]
    for _, words in (_PLANNED, _DERIVED):
        on = [iso(day) for day, its in sorted(drawn.items()) if its == words]
        said += [f"{words.capitalize()}: {', '.join(on)}"] if on else []
    said += [] if drawn else ["No collection is planned"]
    said.append(f"Missed in a row, at the end of each day: {_course(days, care.counted.trace[-len(days) :])}")
    said.append(f"Days without a dose seen: {_course(days, without)}")
    return ". ".join(said) + ". " + _named(care)


def _stretches(given: Iterable[tuple[int, What]]) -> list[tuple[What, str]]:
    """Days in order, and what is so on each: what is so, and from when to when, in words."""
    runs: list[tuple[What, int, int]] = []
    for day, what in given:
        if runs and runs[-1][0] == what:
            runs[-1] = (what, runs[-1][1], day)
        else:
            runs.append((what, day, day))
    return [(what, f"{iso(a)}{f' to {iso(b)}' if b > a else ''}") for what, a, b in runs]


def _course(days: Sequence[Day], trace: Sequence[Range]) -> str:
    return "; ".join(
        f"{when} {said}" for said, when in _stretches((d.day, _words(one)) for d, one in zip(days, trace, strict=True))
    )


def _words(one: Range) -> str:
    if one.most is None:
        return f"at least {one.least}"
    return str(one.least) if one.least == one.most else f"{one.least} to {one.most}"


def _named(care: SharedCare) -> str:
    raised = [f"{one.code} since {one.since}" for one in care.actions if not one.withdrawn]
    gone = [f"{one.code} since {one.since}" for one in care.actions if one.withdrawn]
    return f"Raised: {', '.join(raised) or 'nothing'}. Withdrawn: {', '.join(gone) or 'nothing'}."


def _band(days: Sequence[Day], trace: Sequence[Range], without: Sequence[Range], care: SharedCare) -> Iterator[str]:
    first, last = date.fromordinal(days[0].day), date.fromordinal(days[-1].day)
    months = first.strftime("%b") if first.month == last.month else f"{first:%b}-{last:%b}"
    yield f'<text x="2" y="10">{months}</text><text x="2" y="20">{last.year}</text>'
    for lane, name in enumerate(_LANES):
        y = _HEAD + lane * _LANE
        if lane % 2 == 0:
            yield f'<rect class="n" x="0" y="{y}" width="{_WIDTH}" height="{_LANE}"/>'
        yield f'<text x="2" y="{y + 11}">{name}</text>'
    collected = planned(care)
    for column, day in enumerate(days):
        of_day = [one for one in care.actions if one.since == iso(day.day)]
        yield from _day(day, _GUTTER + column * _STEP, collected.get(day.day), of_day)
    thresholds, y = care.ledger.policy.thresholds, _HEAD + len(_LANES) * _LANE + 6
    marks = [[thresholds[name] for name in names] for names in (("discuss", "stop", "drop-out"), ("assess", "drop-out"))]
    yield from chart(Line(("missed in", "a row"), ("min", "max"), "missed in a row"), days, trace, marks[0], (_GUTTER, y, _STEP))
    line = Line(
        ("no dose", "seen for"), ("wmin", "wmax"), "days without a dose seen", dots="wdot", least=thresholds["drop-out"].value
    )
    yield from chart(line, days, without, marks[1], (_GUTTER, y + CHART + 4, _STEP))


def _day(day: Day, x: int, collected: str | None, raised: Sequence[Action]) -> Iterator[str]:
    on = date.fromordinal(day.day)
    middle = x + _STEP / 2
    yield f'<text class="d" x="{middle}" y="10">{"MTWTFSS"[on.weekday()]}</text>'
    yield f'<text class="d" x="{middle}" y="20">{on.day}</text>'
    if day.live:
        # Two forms on one day are drawn thicker, without the gap between days, and with their number.
        wide, high = (_STEP - 1, 5) if len(day.live) == 1 else (_STEP, 10)
        yield f'<rect class="p" x="{x}" y="{_HEAD + 7.5 - high / 2}" width="{wide}" height="{high}"/>'
        if len(day.live) > 1:
            yield f'<text class="o" x="{middle}" y="{_HEAD + 10.5}">{len(day.live)}</text>'
    if collected is not None:
        glyph = _PLANNED[0] if collected == _PLANNED[1] else _DERIVED[0]
        yield _sign("planned", middle, glyph, f"{iso(day.day)}: {collected}")
    glyph, words = GLYPHS[day.state]
    for lane in _SIGNS.get(day.state, ()):
        if lane == "no report" and day.state != "due":
            y = _HEAD + _LANES.index(lane) * _LANE
            yield f'<rect class="b" x="{x + 1.5}" y="{y + 1.5}" width="{_STEP - 3}" height="{_LANE - 3}"/>'
        kind = "m" if lane == "not taken" else "q" if lane == "no report" else ""
        yield _sign(lane, middle, "▪" if lane == "supplied" else glyph, f"{iso(day.day)}: {words}", kind)
    for lane, mark in (("raised", "⚑"), ("withdrawn", "⚐")):
        names = [one.code for one in raised if one.withdrawn is (lane == "withdrawn")]
        if names:
            many = str(len(names)) if len(names) > 1 else ""
            yield _sign(lane, middle, mark + many, f"{iso(day.day)}: {lane}: {', '.join(names)}", "r")


def _sign(lane: str, x: float, sign: str, words: str, kind: str = "") -> str:
    y = _HEAD + _LANES.index(lane) * _LANE + 11.5
    return f'<text class="s {kind}" x="{x}" y="{y}">{sign}<title>{escape(words)}</title></text>'
