"""A count over the days of a band of the picture: what is evidenced, what is possible, and the thresholds of the policy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from adapter.care.counts import Range
from adapter.care.ledger import Day, iso
from adapter.care.policy import Threshold

#: How high a chart is.
CHART = 46
#: What lies above so many times the highest threshold is drawn at the upper edge: it would press the thresholds flat.
_TIMES = 3
#: Labels of thresholds that lie nearer to each other stand side by side.
_APART = 10


@dataclass(frozen=True, slots=True)
class Line:
    """A count to draw. caption: beside it · kinds: classes of what is evidenced and of what is possible · words: what it counts.

    dots: the class of the mark on each day; without it the line goes in steps · least: how high the chart reaches at the least
    """

    caption: tuple[str, str]
    kinds: tuple[str, str]
    words: str
    dots: str = ""
    least: int = 0


def chart(
    line: Line, days: Sequence[Day], trace: Sequence[Range], thresholds: Sequence[Threshold], place: tuple[int, int, int]
) -> Iterator[str]:
    """The chart of these days. place: where its first day begins, its upper edge, and how wide a day is."""
    left, top, step = place
    right, base = left + len(trace) * step, top + CHART - 3
    limit = _TIMES * max(one.value for one in thresholds)
    reached = max([0, *(limit if one.most is None else one.most for one in trace), *(one.least for one in trace)])
    most = min(max(reached, line.least + 1, min(one.value for one in thresholds) + 3), limit)
    scale = (CHART - 8) / most

    def height(value: int | None) -> float:
        return base - (most if value is None else min(value, most)) * scale

    for n, words in enumerate(line.caption):
        yield f'<text x="2" y="{top + 10 + n * 10}">{words}</text>'
    before: list[float] = []
    for threshold in sorted(thresholds, key=lambda one: (one.value, one.exceeded)):
        if threshold.value <= most:
            at = height(threshold.value)
            beside = 12 if before and before[-1] - at < _APART else 0
            before.append(at if not beside else at + CHART)
            yield f'<line class="t" x1="{left}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}"/>'
            said = f"{'&gt;' if threshold.exceeded else ''}{threshold.value}"
            yield f'<text class="e" x="{left - 3 - beside}" y="{at + 3:.1f}">{said}</text>'
    evidenced, possible = [height(one.least) for one in trace], [height(one.most) for one in trace]
    for kind, heights in ((line.kinds[1], possible), (line.kinds[0], evidenced)):
        yield f'<polyline class="{kind}" points="{" ".join(_points(line, heights, left, step))}"/>'
    if line.dots:
        for n, (day, one) in enumerate(zip(days, trace, strict=True)):
            mark = f'class="{line.dots}" x="{left + (n + 0.5) * step - 2}" y="{height(one.least) - 2:.1f}" width="4" height="4"'
            yield f"<rect {mark}><title>{iso(day.day)}: {line.words}: at least {one.least}</title></rect>"


def _points(line: Line, heights: Sequence[float], left: int, step: int) -> Iterator[str]:
    for n, at in enumerate(heights):
        if line.dots:
            yield f"{left + (n + 0.5) * step},{at:.1f}"
        else:
            yield f"{left + n * step},{at:.1f} {left + (n + 1) * step},{at:.1f}"
