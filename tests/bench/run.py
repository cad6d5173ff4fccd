"""The benchmark: ost-adapter, a hand-written function and other mapping engines on one task, in turns on one core.

`python tests/bench/run.py [--rounds N] [--seconds S] [--no-peers]` prints a Markdown table and writes results.md beside itself.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
if not __package__:
    sys.path[0] = str(ROOT)

from tests.bench import peers  # noqa: E402
from tests.bench.peers import Engine, Missing  # noqa: E402

#: Case of worker.py -> title. The others are the engines of peers.py.
YARDSTICKS = {"limit": "the limit (orjson in and out)", "hand": "by hand, orjson"}
OURS = {
    "fill": "**ost-adapter `fill`**, orjson",
    "fill_strict": "**ost-adapter `fill`**, its own strict JSON",
    "checked": "**ost-adapter, all checks**: strict JSON, payload schema, fill with account, R4 and profile",
}
CHECKED_BY_HAND = {"hand_checked": "by hand, orjson, result checked by fhir.resources"}
OBJECTS = {
    "hand_object": "by hand",
    "fill_object": "`fill`",
    "fill_account": "`fill` with its account",
    "match_account": "`match` with its account",
}
FIXTURE = ROOT / "fixtures" / "pharmacy" / "dose-outcome" / "supervised" / "in.json"
#: As many times at most a whole process is started.
STARTS = 15
#: Whole processes, from start to exit.
COLD = {
    "a bare interpreter": ["-c", "pass"],
    "importing one fhir.resources model (R4B)": ["-c", "from fhir.resources.R4B.medicationrequest import MedicationRequest"],
    "`ost-adapter translate` to the hub": ["-m", "adapter", "translate", str(FIXTURE), "--from", "pharmacy/dose-outcome"],
    "`ost-adapter translate` to another system": [
        "-m", "adapter", "translate", str(FIXTURE), "--from", "pharmacy/dose-outcome", "--to", "criis/dose-outcome",
    ],
}  # fmt: skip


@dataclass
class Runner:
    """A case in its process, and what it did in each round: messages a second."""

    title: str
    process: subprocess.Popen[str]
    rates: list[float] = field(default_factory=list)

    @property
    def pipes(self) -> tuple[IO[str], IO[str]]:
        """Its standard input and output."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        return self.process.stdin, self.process.stdout

    def hear(self) -> dict[str, Any]:
        """Its next line. Raises Missing where it has ended instead."""
        line = self.pipes[1].readline()
        if not line:
            self.process.wait(10)
            raise Missing(f"its process ended with {self.process.returncode}")
        said: dict[str, Any] = json.loads(line)
        return said

    def work(self, seconds: float) -> None:
        """One round."""
        self.pipes[0].write(f"{seconds}\n")
        self.pipes[0].flush()
        done = self.hear()
        self.rates.append(done["count"] / done["seconds"])

    def end(self) -> None:
        """Let it go."""
        with contextlib.suppress(OSError):
            self.pipes[0].close()
        self.process.terminate()
        self.process.wait(10)


def start(title: str, command: Sequence[str], environment: dict[str, str]) -> Runner:
    """A case, started on the core, its output compared with expected.json. Raises Missing."""
    made = Runner(
        title,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **environment},
        ),
    )
    try:
        output = made.hear()["output"]
    except Missing:
        made.end()
        raise
    if plain(output) == plain(json.loads((HERE / "expected.json").read_text("utf-8"))):
        return made
    made.end()
    raise Missing("its output is not the one expected")


def plain(value: Any) -> Any:
    """A value in which key order and 60 or 60.0 make no difference."""
    if isinstance(value, dict):
        return {key: plain(below) for key, below in value.items()}
    if isinstance(value, list):
        return [plain(below) for below in value]
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def engine(one: Engine, extra: dict[str, str]) -> Runner:
    """A peer, installed and started. Raises Missing."""
    if one.node:
        command = [str(peers.node(one)), str(HERE / "peers" / "worker.mjs"), one.case]
        return start(one.title, command, {"BENCH_NODE": str(one.folder)})
    return start(one.title, [str(peers.python(one)), "-W", "ignore", str(HERE / "worker.py"), one.case], extra)


def runners(with_peers: bool) -> tuple[dict[str, Runner], dict[str, str]]:
    """Every case that runs here, by name, and why each other one does not."""
    made: dict[str, Runner] = {}
    left_out: dict[str, str] = {}
    try:
        extra = {"BENCH_EXTRA": peers.site_packages(peers.python(peers.ORJSON))}
    except Missing as why:
        raise SystemExit(f"orjson, which every comparison needs, could not be installed: {why}") from None
    for case, title in {**YARDSTICKS, **OURS, **CHECKED_BY_HAND, **OBJECTS}.items():
        made[case] = start(title, [sys.executable, "-W", "ignore", str(HERE / "worker.py"), case], extra)
    for one in peers.ENGINES:
        if not with_peers:
            left_out[one.title] = "--no-peers"
            continue
        try:
            made[one.case] = engine(one, extra)
        except Missing as why:
            left_out[one.title] = str(why)
    return made, left_out


def turns(found: dict[str, Runner], rounds: int, seconds: float) -> None:
    """Every case once a round, each round beginning with another one, so that the machine's moods fall on all alike."""
    order = list(found.values())
    for n in range(rounds):
        for one in order[n % len(order) :] + order[: n % len(order)]:
            one.work(seconds)


def cold(runs: int) -> dict[str, list[float]]:
    """Seconds of every cold start, in turns."""
    found: dict[str, list[float]] = {title: [] for title in COLD}
    for n in range(runs + 1):
        for title, arguments in COLD.items():
            begun = time.perf_counter()
            subprocess.run(
                [sys.executable, *arguments],
                cwd=ROOT,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(peers.FOLDER / "pycache")},
                check=True,
            )
            if n:  # the first run leaves byte code behind, as it does on any machine
                found[title].append(time.perf_counter() - begun)
    return found


def ratio(found: dict[str, Runner], one: str, other: str) -> str:
    """The median over the rounds of one case's rate to another's, with the middle half."""
    low, middle, high = quarters([a / b for a, b in zip(found[one].rates, found[other].rates, strict=True)])
    return f"{middle:.2f} ({low:.2f}-{high:.2f})"


def quarters(values: Sequence[float]) -> list[float]:
    """The first quartile, the median and the third."""
    return statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [*values] * 3


def rows(found: dict[str, Runner], cases: Sequence[str], base: str) -> Iterator[str]:
    """A table's rows, the fastest first."""
    for case in sorted(cases, key=lambda c: -statistics.median(found[c].rates)):
        low, middle, high = quarters(found[case].rates)
        speed = f"{middle:,.0f} | {1e6 / middle:,.1f} | {low:,.0f}-{high:,.0f}"
        yield f"| {found[case].title} | {speed} | {ratio(found, case, base)} |"


def report(found: dict[str, Runner], left_out: dict[str, str], starts: dict[str, list[float]], how: str) -> str:
    """The results as Markdown; how: rounds and seconds, in words."""
    made = f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}, one core"
    lines = [
        "# Results",
        "",
        f"{time.strftime('%d %B %Y')}, {made}; {how}. Made by `make bench`; README.md says how to read it.",
        "",
    ]
    lines += [*tables(found), "", *start_table(starts)]
    if left_out:
        lines += ["", "Left out: " + "; ".join(f"{name} ({why})" for name, why in left_out.items()) + "."]
    return "\n".join(lines) + "\n"


def tables(found: dict[str, Runner]) -> Iterator[str]:
    """What was measured message by message."""
    head = "| message/s | us a message | middle half a second | ratio to"
    whole = [*YARDSTICKS, *OURS, *CHECKED_BY_HAND, *(e.case for e in peers.ENGINES if e.case in found)]
    yield from ("## One prescription, bytes to bytes", "", f"| case {head} by hand |", "|---|---:|---:|---:|---:|")
    yield from rows(found, whole, "hand")
    if "python_fhir_converter" in found:
        times = ratio(found, "checked", "python_fhir_converter")
        yield from ("", f"With all checks: {times} times the messages of python-fhir-converter, which checks nothing.")
    yield from ("", "## The same without JSON: record to resource, and back", "")
    yield from (f"| case {head} `fill` |", "|---|---:|---:|---:|---:|")
    yield from rows(found, list(OBJECTS), "fill_object")
    bare, full = took(found, "match_account", "fill_object"), took(found, "match_account", "fill_account")
    yield from (
        "",
        f"`match` with its account takes {bare} times as long as `fill`, {full} times as long as `fill` with its account.",
    )


def start_table(starts: dict[str, list[float]]) -> Iterator[str]:
    """What a whole process takes."""
    yield from ("## From start to exit, one small file", "")
    yield from ("| process | median s | middle half s | ratio to the import |", "|---|---:|---:|---:|")
    imported = list(starts.values())[1]
    for title, seconds in starts.items():
        each = statistics.median(a / b for a, b in zip(seconds, imported, strict=True))
        low, middle, high = quarters(seconds)
        yield f"| {title} | {middle:.3f} | {low:.3f}-{high:.3f} | {each:.2f} |"


def took(found: dict[str, Runner], one: str, other: str) -> str:
    """How many times as long one case takes as another."""
    return ratio(found, other, one)


def main() -> None:
    """Measure, print, write results.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=75)
    parser.add_argument("--seconds", type=float, default=0.04, help="for each case in each round")
    parser.add_argument(
        "--no-peers", dest="peers", action="store_false", help="without what must be installed first, but for orjson"
    )
    said = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # this process waits while a case works: they share the core
    found, left_out = runners(said.peers)
    try:
        turns(found, said.rounds, said.seconds)
    finally:
        for one in found.values():
            one.end()
    text = report(found, left_out, cold(min(said.rounds, STARTS)), f"{said.rounds} rounds of {said.seconds} s a case, in turns")
    (HERE / "results.md").write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main()
