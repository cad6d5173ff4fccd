"""The timeline of a ledger as one SVG: what was planned, supplied, swallowed, missed, and of what there is no report.

Bands of fourteen days, as long as a form; each sign is a shape and a word in the legend, so that nothing is said by colour alone.
The same picture stands in the page of the command and in the web pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from html import escape

from adapter.care.actions import Action
from adapter.care.counts import Range
from adapter.care.ledger import Day, iso
from adapter.care.shared_care import SharedCare

#: Days in a band, and as many bands as are drawn.
BAND, BANDS = 14, 6
_STEP, _GUTTER, _LANE, _CHART, _GAP = 19, 66, 15, 46, 16
_WIDTH = _GUTTER + BAND * _STEP + 8
_LANES = ("planned", "supplied", "swallowed", "not taken", "no report", "raised")
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
}
_STYLE = (
    "text{font:9px system-ui,sans-serif;fill:#212b32}.s{font-size:11px;text-anchor:middle}.d{font-size:7.5px;text-anchor:middle}"
    ".n{fill:#f0f4f5}.p{fill:#005eb8}.m{fill:#8a1500;font-weight:700}.q{fill:#5c3c00}"
    ".b{fill:#fff7d6;stroke:#7a5b00;stroke-dasharray:2 1.5}"
    ".min{fill:none;stroke:#8a1500;stroke-width:1.6}.max{fill:none;stroke:#8a1500;stroke-dasharray:3 2}"
    ".t{stroke:#4c6272;stroke-width:.6;stroke-dasharray:1 2}.r{font-weight:700}"
)


def picture(care: SharedCare, *, bands: int = BANDS) -> str:
    """The timeline of the latest days, the latest band last, as the text of an SVG element with its title and description."""
    days = care.ledger.days[-bands * BAND :]
    lead = len(care.ledger.days) - len(days)
    groups = [days[start : start + BAND] for start in range(0, len(days), BAND)]
    tall = _band_height()
    lines = []
    for number, group in enumerate(groups):
        trace = care.counted.trace[lead + number * BAND :][: len(group)]
        lines.append(f'<g transform="translate(0 {number * tall})">')
        lines += _band(group, trace, care)
        lines.append("</g>")
    height = max(len(groups), 1) * tall
    box = f'viewBox="0 0 {_WIDTH} {height}" width="100%"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {box} role="img" aria-labelledby="tl td">'
    said = _described(care, days)
    title = f'<title id="tl">Doses up to {iso(care.ledger.today)}</title><desc id="td">{escape(said)}</desc>'
    return "\n".join([head, title, f"<style>{_STYLE}</style>", *lines, "</svg>"])


def _band_height() -> int:
    return 24 + len(_LANES) * _LANE + _CHART + _GAP


def _described(care: SharedCare, days: Sequence[Day]) -> str:
    """The picture in words, for who does not see it."""
    if not days:
        return "No day."
    runs: list[tuple[str, int, int]] = []
    for day in days:
        if runs and runs[-1][0] == day.state:
            runs[-1] = (day.state, runs[-1][1], day.day)
        else:
            runs.append((day.state, day.day, day.day))
    said = [f"{iso(a)}{f' to {iso(b)}' if b > a else ''}: {GLYPHS[state][1]}" for state, a, b in runs]
    raised = [f"{one.code} since {one.since}" for one in care.actions if not one.withdrawn]
    return "; ".join(said) + ". Raised: " + (", ".join(raised) or "nothing") + "."


def _band(days: Sequence[Day], trace: Sequence[Range], care: SharedCare) -> Iterator[str]:
    top = 24
    for lane, name in enumerate(_LANES):
        y = top + lane * _LANE
        if lane % 2 == 0:
            yield f'<rect class="n" x="0" y="{y}" width="{_WIDTH}" height="{_LANE}"/>'
        yield f'<text x="2" y="{y + 11}">{name}</text>'
    raised = [one for one in care.actions if not one.withdrawn]
    for column, day in enumerate(days):
        yield from _day(day, _GUTTER + column * _STEP, top, [one for one in raised if one.since == iso(day.day)])
    yield from _chart(days, trace, care, top + len(_LANES) * _LANE + 6)


def _day(day: Day, x: int, top: int, raised: Sequence[Action]) -> Iterator[str]:
    on = date.fromordinal(day.day)
    middle = x + _STEP / 2
    yield f'<text class="d" x="{middle}" y="10">{"MTWTFSS"[on.weekday()]}</text>'
    month = on.strftime(" %b") if on.day == 1 else ""
    yield f'<text class="d" x="{middle}" y="19">{on.day}{month}</text>'
    if day.live:
        # Two forms on one day are drawn thicker, and without the gap between days.
        wide, high = (_STEP - 1, 5) if len(day.live) == 1 else (_STEP, 10)
        yield f'<rect class="p" x="{x}" y="{top + 5}" width="{wide}" height="{high}"/>'
    glyph, words = GLYPHS[day.state]
    for lane in _SIGNS.get(day.state, ()):
        y = top + _LANES.index(lane) * _LANE
        kind = "m" if lane == "not taken" else "q" if lane == "no report" else ""
        if lane == "no report":
            yield f'<rect class="b" x="{x + 1.5}" y="{y + 1.5}" width="{_STEP - 3}" height="{_LANE - 3}"/>'
        sign = "▪" if lane == "supplied" else glyph
        yield f'<text class="s {kind}" x="{middle}" y="{y + 11.5}">{sign}<title>{iso(day.day)}: {words}</title></text>'
    if raised:
        y = top + _LANES.index("raised") * _LANE
        names = ", ".join(one.code for one in raised)
        yield f'<text class="s r" x="{middle}" y="{y + 11.5}">⚑<title>{iso(day.day)}: {escape(names)}</title></text>'


def _chart(days: Sequence[Day], trace: Sequence[Range], care: SharedCare, y: int) -> Iterator[str]:
    """Consecutive missed days: what is evidenced (drawn through) and what is possible (dashed), with the policy's lines."""
    thresholds = care.ledger.policy.thresholds
    most = max([thresholds["stop"].value + 1, *((one.most or 0) for one in trace)])
    scale = (_CHART - 8) / most
    base = y + _CHART - 4
    yield f'<text x="2" y="{y + 10}">missed in</text><text x="2" y="{y + 20}">a row</text>'
    for name in ("discuss", "stop", "drop-out"):
        value = thresholds[name].value
        if value <= most:
            at = base - value * scale
            yield f'<line class="t" x1="{_GUTTER}" x2="{_WIDTH - 8}" y1="{at:.1f}" y2="{at:.1f}"/>'
            yield f'<text class="d" x="{_GUTTER - 7}" y="{at + 2.5:.1f}">{value}</text>'
    for kind in ("max", "min"):
        points = []
        for column, one in enumerate(trace):
            height = base - ((one.most or 0) if kind == "max" else one.least) * scale
            points += [f"{_GUTTER + column * _STEP},{height:.1f}", f"{_GUTTER + (column + 1) * _STEP},{height:.1f}"]
        yield f'<polyline class="{kind}" points="{" ".join(points)}"/>'
