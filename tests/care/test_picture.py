"""The picture of a ledger: every sign has a word, each lane says its own, and the words for who does not see it say all of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from xml.etree import ElementTree as ET

import pytest

from adapter.care.counts import Range, count
from adapter.care.ledger import iso
from adapter.care.picture import LEGEND, picture, planned, without_dose
from adapter.care.picture_chart import Line, chart
from adapter.care.policy import Threshold
from adapter.care.shared_care import SharedCare
from tests.care.build import Json
from tests.care.cases import all_cases, derived_cases, load, worked

#: A form with planned collections, one whose words say its days, and one that overlaps it; a dose of the 6th that was first said missed.
CASE: Json = {
    "as-of": "2026-04-03T12:00:00Z",
    "forms": [
        {
            "id": "F1", "authored": "2026-02-27", "first": "2026-03-02", "last": "2026-03-15", "mg": 60,
            "collections": [
                {"on": "2026-03-02", "covers": ["2026-03-02", "2026-03-03"]},
                {"on": "2026-03-04", "covers": ["2026-03-04", "2026-03-05"]},
            ],
        },
        {
            "id": "F2", "authored": "2026-03-13", "first": "2026-03-16", "last": "2026-03-29", "mg": 60,
            "text": "Collect Monday, Wednesday and Friday, supervised.",
        },
        {"id": "F3", "authored": "2026-03-26", "first": "2026-03-28", "last": "2026-04-10", "mg": 60},
    ],
    "doses": [
        {"on": "2026-03-02", "is": "supervised"},
        {"on": "2026-03-03", "is": "take-home"},
        *({"id": f"m{n}", "on": f"2026-03-0{n}", "is": "missed"} for n in range(4, 9)),
        {"id": "s6", "on": "2026-03-06", "is": "supervised", "received": "2026-03-12T09:00:00Z", "replaces": "m6"},
        {"on": "2026-03-09..2026-03-16", "is": "supervised"},
        {"on": "2026-03-17", "is": "take-home"},
        {"on": "2026-03-18..2026-03-20", "is": "withheld"},
        {"on": "2026-03-21..2026-03-26", "is": "missed"},
        {"on": "2026-03-30", "is": "not-swallowed"},
        {"on": "2026-03-31", "is": "partial"},
    ],
}  # fmt: skip
_SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def care() -> SharedCare:
    return worked(CASE)


def signs(drawn: str) -> Iterator[tuple[str, str]]:
    """(sign, words) of each that says its words when it is pointed at."""
    for one in ET.fromstring(drawn).iter(f"{_SVG}text"):
        title = one.find(f"{_SVG}title")
        if title is not None:
            yield one.text or "", title.text or ""


def described(drawn: str) -> str:
    """The words for who does not see it."""
    found = ET.fromstring(drawn).find(f"{_SVG}desc")
    assert found is not None and found.text
    return found.text


def test_planned_collections_are_drawn_apart_from_those_worked_out_and_from_live_forms(care: SharedCare) -> None:
    drawn = picture(care)
    found = [(sign, words) for sign, words in signs(drawn) if "collection" in words]
    assert found == [
        ("▼", "2026-03-02: collection planned"),
        ("▼", "2026-03-04: collection planned"),
        *(
            ("▽", f"2026-03-{day}: collection worked out from the form's words")
            for day in (16, 18, 20, 23, 25, 27)
        ),
    ]  # fmt: skip
    assert drawn.count('<rect class="p"') == len(care.ledger.days), "a form is live on each"
    assert drawn.count(">2</text>") >= 2 and 'class="o"' in drawn, "two forms at once are said by their number"


def test_of_a_form_that_is_over_no_collection_is_drawn() -> None:
    stopped = {**CASE, "changes": [{"form": "F1", "type": "stopped", "effective": "2026-03-04"}]}
    assert [iso(day) for day, words in planned(worked(stopped)).items() if words == "collection planned"] == ["2026-03-02"]


def test_what_was_withdrawn_is_drawn_hollow_in_a_lane_of_its_own(care: SharedCare) -> None:
    drawn = picture(care)
    gone = [one for one in care.actions if one.withdrawn]
    assert {one.code for one in gone} >= {"supply-not-permitted", "assess-tolerance", "discuss-with-prescriber"}
    flags = [(sign, words) for sign, words in signs(drawn) if sign[0] in "⚑⚐"]
    for one in care.actions:
        if one.since >= "2026-03-02":
            (sign,) = [
                sign
                for sign, words in flags
                if words.startswith(f"{one.since}: {'withdrawn' if one.withdrawn else 'raised'}: ")
                and one.code in words.split(": ")[2].split(", ")
            ]
            assert sign[0] == ("⚐" if one.withdrawn else "⚑")
    together = replace(care, actions=tuple(replace(one, since="2026-03-07") for one in gone[:2]))
    assert ("⚐2", f"2026-03-07: withdrawn: {gone[0].code}, {gone[1].code}") in signs(picture(together))
    assert ">withdrawn</text>" in drawn and "Withdrawn: " in described(drawn)


def test_the_line_of_days_without_a_dose_seen_is_marked_on_each_day_and_has_its_thresholds(care: SharedCare) -> None:
    drawn = picture(care)
    marks = re.findall(r'<rect class="wdot"[^>]*><title>(\S+): days without a dose seen: at least (\d+)</title>', drawn)
    assert [int(least) for _, least in marks] == [one.least for one in without_dose(care, 0)]
    assert dict(marks)["2026-03-20"] == "3" and dict(marks)["2026-03-31"] == "14"
    assert ">no dose</text>" in drawn and ">seen for</text>" in drawn
    assert drawn.count(">14</text>") >= 3 and drawn.count(">&gt;3</text>") == 3, "in each band: 14, and more than 3"
    assert drawn.count('<polyline class="wmax"') == drawn.count('<polyline class="max"') == 3


@pytest.mark.parametrize("folder", [*all_cases(), *derived_cases()], ids=lambda folder: folder.name)
def test_the_line_is_the_count_as_it_was_on_each_day(folder: object) -> None:
    """Also where it is counted from a later day than the first; and it ends with the ledger's own."""
    care = worked(load(folder), history=False)  # type: ignore[arg-type]
    days = care.ledger.days
    every = [count(replace(care.ledger, days=days[: n + 1], today=one.day)).without for n, one in enumerate(days)]
    for start in {0, len(days) // 2, max(len(days) - 3, 0)}:
        assert without_dose(care, start) == every[start:]
    assert not days or every[-1] == care.counted.without


def test_every_sign_has_its_word_in_the_legend_and_no_two_the_same(care: SharedCare) -> None:
    words = dict(LEGEND)
    assert len(words) == len(LEGEND) == len(set(words.values()))
    for folder in [*all_cases(), *derived_cases()]:
        for sign, _ in signs(picture(worked(load(folder)))):
            assert sign.rstrip("0123456789") in words, (folder.name, sign)
    assert {sign.rstrip("0123456789") for sign, _ in signs(picture(care))} >= set("●○✕⊘⊗?…◐▪▼▽⚑⚐") - {"○"}


def test_its_words_say_all_that_it_draws(care: SharedCare) -> None:
    said = described(picture(care))
    for part in (
        "2026-03-18 to 2026-03-20: withheld",
        "A form is live: 2026-03-02 to 2026-04-03",
        "Collection planned: 2026-03-02, 2026-03-04. Collection worked out from the form's words: 2026-03-16, ",
        "Missed in a row, at the end of each day: 2026-03-02 to 2026-03-03 0; 2026-03-04 1; 2026-03-05 2; 2026-03-06 0; ",
        "2026-03-27 6 to 7; ",
        "Days without a dose seen: 2026-03-02 0; 2026-03-03 0 to 1; ",
        "Raised: supply-after-stop since 2026-03-30, ",
        "Withdrawn: ",
    ):
        assert part in said, part
    assert "No collection is planned. " in described(picture(worked({**CASE, "forms": CASE["forms"][2:]})))


def test_bands_are_of_fourteen_days_with_their_months(care: SharedCare) -> None:
    drawn = picture(care)
    months = re.findall(r'<text x="2" y="10">([^<]+)</text><text x="2" y="20">(\d+)</text>', drawn)
    assert months == [("Mar", "2026"), ("Mar", "2026"), ("Mar-Apr", "2026")]
    assert picture(care, bands=1).count("<g ") == 1


def test_it_says_what_it_is_drawn_without(care: SharedCare) -> None:
    drawn = picture(care, name="p7", left_out="2 <messages> were left out.")
    assert "! INCOMPLETE: doses may be missing here." in drawn
    assert ">2 &lt;messages&gt; were left out.</text>" in drawn
    assert described(drawn).startswith("Incomplete: 2 <messages> were left out. ")
    assert 'aria-labelledby="p7-title p7-desc"' in drawn
    assert "INCOMPLETE" not in picture(care)


def test_of_nobody_who_has_a_day_it_is_said() -> None:
    drawn = picture(worked({"as-of": "2026-03-03", "forms": [{**CASE["forms"][2]}], "doses": []}))
    assert described(drawn).startswith("No day. Raised: ")


# the chart ----------------------------------------------------------------------------------------------------------------
def heights(drawn: str, kind: str) -> list[float]:
    (line,) = re.findall(rf'<polyline class="{kind}" points="([^"]*)"', drawn)
    return [float(point.split(",")[1]) for point in line.split()]


def test_a_count_without_bound_is_drawn_at_the_upper_edge_and_a_very_high_one_leaves_the_thresholds_apart(
    care: SharedCare,
) -> None:
    days = care.ledger.days[:3]
    assert date.fromordinal(days[0].day) == date(2026, 3, 2)
    thresholds = [Threshold(3, "dose-day", "", exceeded=True), Threshold(14, "dose-day", "")]
    trace = [Range(0, 1), Range(20, 500), Range(20, None)]
    drawn = "".join(chart(Line(("a", "b"), ("low", "high"), "x", dots="dot"), days, trace, thresholds, (60, 100, 18)))
    assert heights(drawn, "high")[1] == heights(drawn, "high")[2] == 105, "the upper edge"
    assert heights(drawn, "low")[1] == heights(drawn, "low")[2] > 105
    labels = [(float(x), float(y)) for x, y in re.findall(r'<text class="e" x="([\d.]+)" y="([\d.]+)"', drawn)]
    assert len(labels) == 2 and (labels[0][1] - labels[1][1] >= 10 or labels[0][0] != labels[1][0])


def test_labels_of_thresholds_that_lie_near_stand_side_by_side(care: SharedCare) -> None:
    near = [Threshold(3, "dose-day", ""), Threshold(4, "dose-day", ""), Threshold(14, "dose-day", "")]
    drawn = "".join(chart(Line(("a", "b"), ("low", "high"), "x"), care.ledger.days[:1], [Range(20, 20)], near, (60, 0, 18)))
    at = [float(x) for x in re.findall(r'<text class="e" x="([\d.]+)"', drawn)]
    assert at == [57, 45, 57]
