"""Policies: every fault of a policy file is told at once and in its place; a local policy changes what it names and nothing else.

The faults stand as they were worked out by hand: file and line, what, and the name that was meant.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapter.care.policy import POLICIES, load, names
from adapter.fhir.schema_document import schema_faults
from adapter.mapping.faults import MapFaults, Unknown
from adapter.shipped import PROFILES

Json = dict[str, Any]
DEFAULT = (POLICIES / "default.yaml").read_text("utf-8")
HEAD = "policy: own\nversion: 1.0.0\ntitle: Ours\nextends: default\n"  # four lines: what follows begins on the fifth


def told(folder: Path, name: str = "own", **files: str) -> list[str]:
    """The faults of these files, each as `file:line: what`; several of one name lie in folders of their own."""
    for file, text in files.items():
        (folder / f"{file}.yaml").write_text(text, "utf-8")
    with pytest.raises(MapFaults) as raised:
        load(name, [folder])
    for fault in raised.value.faults:
        assert fault.why or fault.mend, fault
    return [f"{fault.file}:{fault.line}: {fault.what}" for fault in raised.value.faults]


# one fault at a time ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "said"),
    [
        # what is no policy
        ("policy: own\nversion: 1.0.0\ntitle: [Ours\n", ["own.yaml:4: this is not YAML"]),
        ("policy: own\nversion: 1.0.0\ntitle: \x07\n", ["own.yaml:1: this is not YAML"]),
        ("", ["own.yaml:1: a policy is a mapping"]),
        ("- policy: own\n", ["own.yaml:1: a policy is a mapping"]),
        # its head
        (HEAD.replace("version: 1.0.0\n", ""), ["own.yaml:1: the policy has no version"]),
        (HEAD.replace("title: Ours\n", ""), ["own.yaml:1: the policy has no title"]),
        (HEAD.replace("1.0.0", "1.0"), ["own.yaml:2: version has not its form"]),
        (HEAD.replace("1.0.0", "2026-03-18"), ["own.yaml:2: version has not its form"]),
        (HEAD.replace("own", "other"), ["own.yaml:1: policy is not the name of the file"]),
        (HEAD + "version: 1.0.1\n", ["own.yaml:5: version is written twice"]),
        (HEAD.replace("extends", "extend"), ["own.yaml:4: extend is no word of a policy; did you mean extends?"]),
        (HEAD + "treshholds: {}\n", ["own.yaml:5: treshholds is no word of a policy; did you mean thresholds?"]),
        (HEAD + "thresholds: []\n", ["own.yaml:5: thresholds is no mapping"]),
        # a number
        (HEAD + "thresholds:\n  stop: 6\n", ["own.yaml:6: thresholds.stop is no mapping"]),
        (
            HEAD + "thresholds:\n  stop: {value: 6, source: ours}\n",
            ["own.yaml:6: thresholds.stop has no unit"],
        ),
        (
            HEAD + "thresholds:\n  stop: {value: 6, unit: dose-day}\n",
            ["own.yaml:6: thresholds.stop has no source"],
        ),
        (
            HEAD + "thresholds:\n  stop: {value: 6, unit: dose-day, source: ''}\n",
            ["own.yaml:6: thresholds.stop.source is empty"],
        ),
        (
            HEAD + "thresholds:\n  stop:\n    value: 6\n    unit: dose-days\n    source: ours\n",
            ["own.yaml:8: thresholds.stop.unit is none of its words; did you mean dose-day?"],
        ),
        (
            HEAD + "thresholds:\n  stop:\n    vlaue: 6\n    value: 6\n    unit: dose-day\n    source: ours\n",
            ["own.yaml:7: thresholds.stop.vlaue is no word of a policy; did you mean value?"],
        ),
        *(
            (HEAD + f"thresholds:\n  stop: {{value: {value}, unit: dose-day, source: ours}}\n", [f"own.yaml:6: {what}"])
            for value, what in {
                "0": "thresholds.stop.value is less than 1",
                "-3": "thresholds.stop.value is less than 1",
                "5.5": "thresholds.stop.value is no whole number",
                "five": "thresholds.stop.value is no whole number",
                "true": "thresholds.stop.value is no whole number",
                "": "thresholds.stop.value is no whole number",
            }.items()
        ),
        (
            HEAD
            + "thresholds:\n  stop: {value: 6, unit: dose-day, source: ours}\n  stop: {value: 7, unit: dose-day, source: x}\n",
            ["own.yaml:7: stop is written twice"],
        ),
        (
            HEAD + "thresholds:\n  assess: {value: 3, unit: dose-day, exceeded: false, source: ours}\n",
            ["own.yaml:6: thresholds.assess.exceeded is not as it must be"],
        ),
        (
            HEAD + "clocks:\n  consent: {value: 6, unit: month, exceeded: true, source: ours}\n",
            ["own.yaml:6: clocks.consent.exceeded is not as it must be"],
        ),
        # its name and its unit
        (
            HEAD + "thresholds:\n  stpo: {value: 6, unit: dose-day, source: ours}\n",
            ["own.yaml:6: stpo is no threshold; did you mean stop?"],
        ),
        (
            HEAD + "clocks:\n  joint-revue: {value: 26, unit: week, source: ours}\n",
            ["own.yaml:6: joint-revue is no clock; did you mean joint-review?"],
        ),
        (
            HEAD + "thresholds:\n  consent: {value: 6, unit: month, source: ours}\n",
            ["own.yaml:6: consent is no threshold; it stands among the clocks"],
        ),
        (
            HEAD + "thresholds:\n  stop:\n    value: 120\n    unit: hour\n    source: ours\n",
            ["own.yaml:8: stop is in hour, and is counted in dose-day"],
        ),
        (
            HEAD + "thresholds:\n  longest-due: {value: 2, unit: day, source: ours}\n",
            ["own.yaml:6: longest-due is in day, and is counted in hour"],
        ),
        (
            HEAD + "clocks:\n  consent: {value: 99, unit: hour, source: ours}\n",
            ["own.yaml:6: clocks.consent.unit is none of its words"],
        ),
        # what it extends
        (HEAD.replace("default", "defualt"), ["own.yaml:4: extends defualt, which is no policy; did you mean default?"]),
        (HEAD.replace("default", "own"), ["own.yaml:4: it extends itself: own, own"]),
        # feeds
        (
            HEAD + "feeds:\n  pharmacies:\n    FZZ01: {closing: '25:00'}\n",
            ["own.yaml:7: feeds.pharmacies.FZZ01.closing has not its form"],
        ),
        (
            HEAD + "feeds:\n  pharmacies:\n    FZZ01: {cadence: P}\n",
            ["own.yaml:7: feeds.pharmacies.FZZ01.cadence has not its form"],
        ),
        (
            HEAD + "feeds:\n  pharmacies:\n    fzz01: {closing: '17:00'}\n",
            ["own.yaml:7: fzz01 has not the form of a name under feeds.pharmacies"],
        ),
        (
            HEAD + "feeds:\n  default: {closed: [sunday, satruday]}\n",
            ["own.yaml:6: feeds.default.closed[1] is none of its words; did you mean saturday?"],
        ),
        (
            HEAD + "feeds:\n  default: {closed-dates: ['2026-02-30']}\n",
            ["own.yaml:6: feeds.default.closed-dates[0] is no day"],
        ),
        # depots
        (
            HEAD + "depots:\n  fortnightly: {doses-mg: [12, 16], covers: 14, source: ours}\n",
            ["own.yaml:6: fortnightly has 16 mg, and so has weekly"],
        ),
        # owners
        (
            HEAD + "owners:\n  ladder:\n    not-reported: {owner: pharmasist, deputy: prescriber}\n",
            ["own.yaml:7: owners.ladder.not-reported.owner is none of its words; did you mean pharmacist?"],
        ),
        (
            HEAD + "owners:\n  ladder:\n    not-reported: {owner: pharmacist}\n",
            ["own.yaml:7: owners.ladder.not-reported has no deputy"],
        ),
        (
            HEAD + "owners:\n  ladder:\n    not-told: {owner: pharmacist, deputy: prescriber}\n",
            ["own.yaml:7: not-told is no action; did you mean not-reported?"],
        ),
        (
            HEAD + "owners:\n  clocks:\n    not-reported: {owner: pharmacist, deputy: prescriber}\n",
            ["own.yaml:7: not-reported is no action of the clocks; it stands among those of the ladder"],
        ),
    ],
)
def test_a_fault_is_told_by_file_and_line(text: str, said: list[str], tmp_path: Path) -> None:
    assert told(tmp_path, own=text) == said


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        # discuss at 3, assess at more than 3 (so from 4), stop at 5, urgent referral at 14
        ({"discuss": "5"}, ["discuss is reached at 5, and assess, which follows it, at 4"]),
        ({"assess": "2, exceeded: true", "discuss": "4"}, ["discuss is reached at 4, and assess, which follows it, at 3"]),
        ({"assess": "5, exceeded: true"}, ["assess is reached at 6, and stop, which follows it, at 5"]),
        ({"stop": "2"}, ["assess is reached at 4, and stop, which follows it, at 2"]),
        ({"stop": "15"}, ["stop is reached at 15, and drop-out, which follows it, at 14"]),
        ({"odd-days": "29"}, ["odd-days is reached at 29, and odd-days-window, which follows it, at 28"]),
        (
            {"discuss": "4", "assess": "4", "stop": "4"},
            [],
        ),  # more than 4 is 5 where it is not said: assess has no `exceeded` here
    ],
)
def test_rungs_out_of_order_are_told(numbers: dict[str, str], said: list[str], tmp_path: Path) -> None:
    lines = [f"  {name}: {{value: {value}, unit: dose-day, source: ours}}" for name, value in numbers.items()]
    text = HEAD + "thresholds:\n" + "\n".join(lines) + "\n"
    if not said:
        (tmp_path / "own.yaml").write_text(text)
        assert load("own", [tmp_path])["stop"] == 4
        return
    assert [one.partition(": ")[2] for one in told(tmp_path, own=text)] == said


def test_a_rung_out_of_order_is_told_where_the_local_policy_moved_it(tmp_path: Path) -> None:
    """The title is the third line, so that discuss stands on the sixth; assess is the default's."""
    text = HEAD + "thresholds:\n  discuss: {value: 5, unit: dose-day, source: ours}\n"
    assert [one.partition(": ")[0] for one in told(tmp_path, own=text)] == ["own.yaml:6"]


@pytest.mark.parametrize(
    ("clocks", "said"),
    [
        ("strategic-review-first: {value: 7, unit: month, source: ours}", "strategic-review-first, 7 month, is longer than"),
        ("outcome-profile-window: {value: 27, unit: week, source: ours}", "outcome-profile-window, 27 week, is longer than"),
        (
            "consultation: {value: 14, unit: week, source: ours}",
            "consultation, 14 week, is longer than consultation-face-to-face",
        ),
    ],
)
def test_clocks_out_of_order_are_told(clocks: str, said: str, tmp_path: Path) -> None:
    """14 weeks are 98 days, and three months at most 92."""
    [one] = told(tmp_path, own=f"{HEAD}clocks:\n  {clocks}\n")
    assert one.startswith(f"own.yaml:6: {said}")


# a policy of its own, which extends nothing -----------------------------------------------------------------------------
def whole(*changes: tuple[str, str]) -> str:
    text = DEFAULT.replace("policy: default", "policy: own")
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def line_of(text: str, start: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), 1) if line.startswith(start))


def test_a_policy_of_its_own_may_say_all_that_the_default_says(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(whole())
    own, default = load("own", [tmp_path]), load()
    assert (own.thresholds, own.clocks, own.depots, own.owners) == (
        default.thresholds,
        default.clocks,
        default.depots,
        default.owners,
    )
    assert own.extends == ()


@pytest.mark.parametrize("name", load().thresholds)
def test_a_missing_threshold_is_told(name: str, tmp_path: Path) -> None:
    text = whole((f"\n  {name}:\n    value", "\n  forgotten:\n    value"))
    assert told(tmp_path, own=text) == [
        f"own.yaml:{line_of(text, 'thresholds:')}: {name} is missing among the thresholds",
        f"own.yaml:{line_of(text, '  forgotten:')}: forgotten is no threshold",
    ]


@pytest.mark.parametrize("name", load().clocks)
def test_a_missing_clock_is_told(name: str, tmp_path: Path) -> None:
    text = whole((f"\n  {name}:\n    value", "\n  forgotten:\n    value"))
    assert told(tmp_path, own=text) == [
        f"own.yaml:{line_of(text, 'clocks:')}: {name} is missing among the clocks",
        f"own.yaml:{line_of(text, '  forgotten:')}: forgotten is no clock",
    ]


def test_what_is_missing_as_a_whole_is_told(tmp_path: Path) -> None:
    """Without numbers, feeds and owners: as many faults as there are names, and the two things that a feed must say."""
    default = load()
    said = told(tmp_path, own="policy: own\nversion: 1.0.0\ntitle: Ours\n")
    assert len(said) == len(default.thresholds) + len(default.clocks) + len(default.owners) + 2
    assert {one.partition(": ")[0] for one in said} == {"own.yaml:1"}
    assert "own.yaml:1: feeds.default has no closing" in said and "own.yaml:1: feeds.default has no cadence" in said
    assert "own.yaml:1: not-reported is missing among the owners" in said


def test_a_number_that_names_none_of_the_sources_is_told(tmp_path: Path) -> None:
    text = whole(('"S0 5 (would not be able to dispense if 5 days missed, without a new prescription)"', "hearsay"))
    line = line_of(text, "  stop:")
    assert told(tmp_path, own=text) == [f"own.yaml:{line}: stop names none of the sources"]


# several files ----------------------------------------------------------------------------------------------------------
def test_a_circle_is_told_with_its_names(tmp_path: Path) -> None:
    middle = HEAD.replace("policy: own", "policy: middle").replace("default", "own")
    assert told(tmp_path, own=HEAD.replace("default", "middle"), middle=middle) == [
        "middle.yaml:4: it extends itself: own, middle, own"
    ]


def test_the_faults_of_all_files_come_at_once(tmp_path: Path) -> None:
    middle = HEAD.replace("policy: own", "policy: middle").replace("default", "nowhere") + "thresholds:\n  stpo: {}\n"
    own = HEAD.replace("default", "middle") + "clocks:\n  consent: {value: 0, unit: month, source: ours}\n"
    assert told(tmp_path, own=own, middle=middle) == [
        "middle.yaml:4: extends nowhere, which is no policy",
        "middle.yaml:6: stpo is no threshold; did you mean stop?",
        "middle.yaml:6: thresholds.stpo has no source",
        "middle.yaml:6: thresholds.stpo has no unit",
        "middle.yaml:6: thresholds.stpo has no value",
        "own.yaml:6: clocks.consent.value is less than 1",
    ]


def test_all_faults_of_one_file_come_at_once_in_the_order_of_its_lines(tmp_path: Path) -> None:
    text = (
        "policy: other\n"  # 1: not the file's name
        "version: 1\n"  # 2: no version
        "extends: default\n"  # the title is missing: told of the whole
        "thresholds:\n"
        "  stop: {value: 5, unit: hour, source: ours}\n"  # 5: wrong unit
        "  stop: {value: 6, unit: dose-day, source: ours}\n"  # 6: twice
        "  discuss: {value: 9, unit: dose-day, source: ours}\n"  # 7: after assess
        "  asess: {value: 9, unit: dose-day, source: ours}\n"  # 8: misspelt
        "  drop-out: {value: 0, unit: dose-day, source: ours}\n"  # 9: less than 1
        "owners: {ladder: {order-ending: {owner: dr, deputy: prescriber}}}\n"  # 10: no such role
        "xyz: red\n"  # 11: no such word
    )
    assert told(tmp_path, own=text) == [
        "own.yaml:1: policy is not the name of the file",
        "own.yaml:1: the policy has no title",
        "own.yaml:2: version has not its form",
        "own.yaml:6: stop is written twice",
        "own.yaml:7: discuss is reached at 9, and assess, which follows it, at 4",
        "own.yaml:8: asess is no threshold; did you mean assess?",
        "own.yaml:9: thresholds.drop-out.value is less than 1",
        "own.yaml:10: owners.ladder.order-ending.owner is none of its words",
        "own.yaml:11: xyz is no word of a policy",
    ]


def test_two_policies_of_one_name_are_told_with_both_places(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
        (folder / "own.yaml").write_text(HEAD)
    with pytest.raises(MapFaults) as raised:
        load("own", [one, other])
    [fault] = raised.value.faults
    assert f"{fault.file}:{fault.line}: {fault.what}" == "own.yaml:1: two files are the policy own"
    assert str(one / "own.yaml") in fault.mend and str(other / "own.yaml") in fault.mend
    assert load("own", [one, one]).name == "own"  # one folder named twice is one


def test_a_local_file_does_not_take_the_place_of_the_default(tmp_path: Path) -> None:
    assert told(tmp_path, "own", own=HEAD, default=DEFAULT) == ["default.yaml:1: two files are the policy default"]


def test_what_is_no_utf_8_is_told(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_bytes(HEAD.encode() + b"title: caf\xe9\n")
    with pytest.raises(MapFaults, match=r"own\.yaml:1: this is not UTF-8"):
        load("own", [tmp_path])


def test_a_policy_that_is_not_there_is_told_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "our-own.yaml").write_text(HEAD)
    with pytest.raises(Unknown) as raised:
        load("ourown", [tmp_path])
    assert raised.value.nearest == ["our-own"]
    assert names([tmp_path]) == ["default", "our-own"]


ODD: list[Any] = [None, [], {}, "", "x", 0, -1, "1.5", True, [[]], {"a": []}, {"value": 3, "unit": ["day"], "source": []}]


def places(said: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below = said.items() if isinstance(said, dict) else enumerate(said) if isinstance(said, list) else ()
    return [path, *(place for key, one in below for place in places(one, (*path, key)))]


PLACES = places(yaml.safe_load(DEFAULT))[1:]


@pytest.mark.parametrize("n", range(0, len(PLACES), 3))
def test_whatever_stands_in_a_place_is_a_policy_or_its_faults(n: int, tmp_path: Path) -> None:
    """Never another error, and a fault of it is on a line of the file."""
    document = yaml.safe_load(DEFAULT) | {"policy": "own"}
    *path, last = PLACES[n]
    within = document
    for step in path:
        within = within[step]
    within[last] = ODD[n // 3 % len(ODD)]
    text = yaml.safe_dump(document, sort_keys=False)
    (tmp_path / "own.yaml").write_text(text)
    lines: list[int] = []
    try:
        load("own", [tmp_path])
    except MapFaults as raised:
        lines = [fault.line for fault in raised.faults]
    assert set(lines) <= set(range(1, len(text.splitlines()) + 1))


def test_the_schema_is_one() -> None:
    assert list(schema_faults(json.loads((POLICIES / "policy.schema.json").read_text("utf-8")))) == []


def test_the_shipped_policy_has_no_fault_and_its_words_are_ours() -> None:
    """Roles and actions are said in profiles/ as well: the two agree."""
    schema = json.loads((POLICIES / "policy.schema.json").read_text("utf-8"))
    codes = {
        name: [one["code"] for one in json.loads((PROFILES / f"CodeSystem-{name}.json").read_text("utf-8"))["concept"]]
        for name in ("care-team-role", "care-action")
    }
    assert schema["$defs"]["role"]["enum"] == codes["care-team-role"]
    assert sorted(load().owners) == sorted(codes["care-action"])
