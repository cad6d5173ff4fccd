"""Many messages through the command: rate and memory, beside the same messages one by one in a process.

`python -m tests.bench.stream [--messages N] [--from S/M --to S/M FIXTURE]` prints one line of figures. The file is made anew from a
fixture, each line with an identifier of its own, in a temporary folder.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import adapter

ROOT = Path(__file__).resolve().parents[2]
FIXTURE = "fixtures/pharmacy/dose-outcome/supervised/in.json"
#: As many messages are translated one by one, before the stream and after it.
ALONE = 2000


def bodies(fixture: Path, count: int) -> list[bytes]:
    """The fixture's message so many times, each under its own identifier."""
    record = json.loads(fixture.read_bytes())
    made = []
    for n in range(count):
        record["message"]["value"] = f"M-{n:07}"
        made.append(json.dumps(record, ensure_ascii=False).encode())
    return made


def alone(read: str, write: str, given: list[bytes]) -> float:
    """Messages a second, one by one."""
    ost = adapter.load()
    ost.translate(given[0], read=read, write=write, received="2026-03-18T18:10:00Z")
    begun = time.perf_counter()
    for body in given:
        ost.translate(body, read=read, write=write, received="2026-03-18T18:10:00Z")
    return len(given) / (time.perf_counter() - begun)


def streamed(read: str, write: str, file: Path, *, lines: bool = True) -> tuple[float, int]:
    """Seconds of the whole command, and its peak memory in MB. lines: whether the file holds a message a line."""
    begun = time.perf_counter()
    command = [
        sys.executable,
        "-m",
        "adapter",
        "translate",
        str(file),
        *(["--lines"] if lines else []),
        "--from",
        read,
        "--to",
        write,
        "-o",
        f"{file}.out",
    ]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        status = Path(f"/proc/{process.pid}/status")
        held = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")] if status.exists() else []
        peak = max(peak, *(int(line.split()[1]) for line in held), 0)
        time.sleep(0.1)
    if process.returncode:
        raise SystemExit(f"translate ended with {process.returncode}")
    return time.perf_counter() - begun, peak // 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fixture", nargs="?", default=FIXTURE)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--from", dest="read", default="pharmacy/dose-outcome")
    parser.add_argument("--to", dest="write", default="criis/dose-outcome")
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "in.ndjson"
        given = bodies(ROOT / said.fixture, said.messages)
        file.write_bytes(b"\n".join(given) + b"\n")
        few = given[:ALONE]
        del given
        size = file.stat().st_size / 1e6
        before = alone(said.read, said.write, few)
        seconds, peak = streamed(said.read, said.write, file)
        with Path(f"{file}.out").open("rb") as result:
            written = sum(1 for _ in result)
        one_by_one = (before + alone(said.read, said.write, few)) / 2
    rate = written / seconds
    print(
        f"{written:,} messages ({size:.0f} MB) {said.read} -> {said.write}: {seconds:.0f} s, {rate:,.0f} a second, peak {peak} MB; "
        f"one by one {one_by_one:,.0f} a second; ratio {rate / one_by_one:.2f}"
    )


if __name__ == "__main__":
    main()
