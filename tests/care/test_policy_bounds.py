"""Bounds of a policy: no number, name or alias in it ends a command unawares, and none of them lets a silence pass unseen."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.care.policy import load, names
from adapter.care.policy_faults import duration
from adapter.mapping.faults import MapFaults, Unknown
from tests.care.test_policy import HEAD, told
from tests.interfaces.running import command


def number(name: str, value: str, unit: str = "dose-day") -> str:
    return f"{HEAD}thresholds:\n  {name}: {{value: {value}, unit: {unit}, source: ours}}\n"


def made(folder: Path, text: str) -> None:
    (folder / "own.yaml").write_text(text, "utf-8")
    assert load("own", [folder]).name == "own"


# numbers that are none ----------------------------------------------------------------------------------------------------
NO_WHOLE = "own.yaml:6: thresholds.stop.value is no whole number"


@pytest.mark.parametrize("said", [".nan", ".NaN", ".inf", "-.inf"])
def test_what_cannot_be_counted_by_is_told(said: str, tmp_path: Path) -> None:
    assert told(tmp_path, own=number("stop", said)) == [f"own.yaml:6: {said} is no number", NO_WHOLE]


@pytest.mark.parametrize("said", ["0x6", "1:30", "1_0", "!!int six", "!!float six", "9" * 5000, "1.0e99999999999"])
def test_a_number_that_is_written_otherwise_is_told(said: str, tmp_path: Path) -> None:
    assert told(tmp_path, own=number("stop", said)) == [NO_WHOLE]


def test_a_time_without_quotes_is_a_time(tmp_path: Path) -> None:
    made(tmp_path, HEAD + "feeds:\n  default: {closing: 19:30}\n")
    assert load("own", [tmp_path]).default_feed.closing.isoformat("minutes") == "19:30"


@pytest.mark.parametrize(("kind", "name", "unit"), [("thresholds", "clock-skew", "minute"), ("clocks", "health-check", "month")])
def test_no_number_lies_beyond_the_calendar(kind: str, name: str, unit: str, tmp_path: Path) -> None:
    text = f"{HEAD}{kind}:\n  {name}: {{value: 10000, unit: {unit}, source: ours}}\n"
    made(tmp_path, text)
    assert told(tmp_path, own=text.replace("10000", "10001")) == [f"own.yaml:6: {kind}.{name}.value is more than 10000"]


# feeds and depots ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("said", ["P367D", "PT8785H", "P366DT1H", "P99999999D", "PT99999999999999H", f"P{'9' * 5000}D"])
@pytest.mark.parametrize("place", ["default", "pharmacies"])
def test_a_cadence_of_more_than_a_year_is_none(said: str, place: str, tmp_path: Path) -> None:
    one = f"{{cadence: {said}}}"
    text = f"{HEAD}feeds:\n  {place}: {one if place == 'default' else f'{{FZZ01: {one}}}'}\n"
    at = "feeds.default" if place == "default" else "feeds.pharmacies.FZZ01"
    assert told(tmp_path, own=text) == [f"own.yaml:6: {at}.cadence is longer than 366 days"]


@pytest.mark.parametrize("said", ["P366D", "PT8784H", "P365DT24H"])
def test_one_of_a_year_is(said: str, tmp_path: Path) -> None:
    made(tmp_path, f"{HEAD}feeds:\n  default: {{cadence: {said}}}\n")


@pytest.mark.parametrize("said", ["", "P", "PT", "1D", "P1W", "P" + "9" * 10 + "D"])
def test_a_duration_that_cannot_be_counted_is_none(said: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        duration(said)


def test_an_injection_lasts_no_longer_than_an_implant(tmp_path: Path) -> None:
    text = HEAD + "depots:\n  implant: {doses-mg: [300], covers: 190, early: 189, source: ours}\n"
    made(tmp_path, text)
    assert told(tmp_path, own=text.replace("190", "191")) == ["own.yaml:6: depots.implant.covers is more than 190"]
    said = "implant may come 190 days early, and covers 190 dose dates"
    assert told(tmp_path, own=text.replace("189", "190")) == [f"own.yaml:6: {said}"]


# silence ------------------------------------------------------------------------------------------------------------------
def test_a_day_is_not_due_for_longer_than_it_takes_to_miss_enough_for_a_talk(tmp_path: Path) -> None:
    """Three dose-days are 72 hours. Of 744, thirteen days of which nobody tells would all be due still."""
    made(tmp_path, number("longest-due", "72", "hour"))
    for hours in ("73", "744"):
        text = number("longest-due", hours, "hour") + "feeds:\n  default: {cadence: P31D}\n"
        assert told(tmp_path, own=text) == [f"own.yaml:6: longest-due, {hours} hour, is longer than discuss, 3 dose-day"]


def test_it_is_told_of_the_one_that_moved(tmp_path: Path) -> None:
    """The default's 48 hours are two dose-days."""
    made(tmp_path, number("discuss", "2"))
    assert told(tmp_path, own=number("discuss", "1")) == ["own.yaml:6: longest-due, 48 hour, is longer than discuss, 1 dose-day"]


# texts without an end -----------------------------------------------------------------------------------------------------
def test_aliases_that_write_out_more_than_can_be_read_are_told(tmp_path: Path) -> None:
    """Nine of nine, eleven times: more than thirty thousand million values, of which the first too many are on the tenth line."""
    lines = [f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]" for before, name in zip("abcdefghij", "bcdefghijk", strict=True)]
    bomb = HEAD + "a: &a [x,x,x,x,x,x,x,x,x]\n" + "\n".join(lines) + "\n"
    assert told(tmp_path, own=bomb) == ["own.yaml:10: this is more than can be read"]


def test_what_holds_itself_or_lies_too_deep_is_told(tmp_path: Path) -> None:
    assert told(tmp_path, own=HEAD + "sources: &all {all: *all}\n") == ["own.yaml:5: this holds itself"]
    assert told(tmp_path, own=HEAD + f"sources: {'[' * 900}{']' * 900}\n") == ["own.yaml:5: this is more than can be read"]
    chain = "".join(f"s{n}: &s{n} [*s{n - 1}]\n" for n in range(1, 200))
    assert told(tmp_path, own=f"{HEAD}s0: &s0 []\n{chain}") == ["own.yaml:105: this is more than can be read"]


def test_an_alias_within_bounds_is_read(tmp_path: Path) -> None:
    one = "{value: 4, unit: dose-day, source: ours}"
    made(tmp_path, HEAD + f"thresholds:\n  discuss: &same {one}\n  odd-days: *same\n")


# names --------------------------------------------------------------------------------------------------------------------
def test_a_folder_is_no_policy_and_is_told_as_one(tmp_path: Path) -> None:
    (tmp_path / "dir.yaml").mkdir()
    assert names([tmp_path]) == ["default"]
    with pytest.raises(MapFaults) as raised:
        load("dir", [tmp_path])
    assert [str(one).splitlines()[0] for one in raised.value.faults] == [
        f"{tmp_path / 'dir.yaml'}:1: this is no file, but a folder"
    ]


@pytest.mark.parametrize("name", ['"a\\0b"', "a" * 300, "\N{PILE OF POO}" * 90], ids=["nul", "long", "signs"])
def test_a_name_that_no_file_can_have_is_unknown(name: str, tmp_path: Path) -> None:
    [fault] = told(tmp_path, own=HEAD.replace("extends: default", f"extends: {name}"))
    assert fault.startswith("own.yaml:4: extends ") and fault.endswith(", which is no policy")
    with pytest.raises(Unknown):
        load(name, [tmp_path])


@pytest.mark.parametrize(
    ("policy", "said"), [(number("stop", ".nan"), ".nan is no number"), ("x: &x [*x]\n", "this holds itself")]
)
def test_the_command_tells_it_by_file_and_line(policy: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(policy)
    (tmp_path / "messages.ndjson").write_text("")
    done = command("ledger", str(tmp_path / "messages.ndjson"), "--policies", str(tmp_path), "--policy", "own")
    assert done.returncode == 78 and said in done.stderr.decode() and b"own.yaml:" in done.stderr


def test_an_unknown_policy_is_no_system(tmp_path: Path) -> None:
    """Where there are too many to name, they are not to be looked for among the systems."""
    for n in range(13):
        (tmp_path / f"p{n}.yaml").write_text("")
    (tmp_path / "messages.ndjson").write_text("")
    done = command("ledger", str(tmp_path / "messages.ndjson"), "--policies", str(tmp_path), "--policy", "p99")
    assert done.returncode == 2
    assert (
        done.stderr.decode().splitlines()[1] == "    mend: name a file of the folders of --policies (OST_POLICIES), without .yaml"
    )
