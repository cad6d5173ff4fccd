"""A large extract through the command: seconds, rate and memory, beside its records one by one in a process.

`python -m tests.bench.extract [--bytes N]` prints one line of figures. The extract is made anew from a fixture in a temporary folder: so
many issues, each with a patient, a drug record and identifiers of its own, until its files have so many bytes together. One by one means
what remains of a translation when a record has been joined: the maps with their account, the gate, the rules of the hub, the JSON.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path

import adapter
from adapter.fhir import json
from adapter.systems.message import Account
from adapter.wire import emis_extract
from tests.bench.stream import ALONE, ROOT, streamed

READ = "emis/issue"
FIXTURE = "fixtures/emis/issue/methadone-fortnight/in"
#: The files with a row for each issue, and the identifiers in their rows that are an issue's own: of issue, patient and drug record.
GROWN = ("Admin_Patient", "Prescribing_DrugRecord", "Prescribing_IssueRecord")
OWN = ("{000000A6-", "{000000A3-", "{000000A5-")
AT_ONCE = 1000


def made(folder: Path, size: int) -> int:
    """Write an extract of at least this many bytes; how many issues it has."""
    shutil.copytree(ROOT / FIXTURE, folder)
    files = [next(folder.glob(f"*_{name}_*")) for name in GROWN]
    tables = [file.read_text("utf-8").splitlines() for file in files]
    count = written = 0
    streams = [file.open("w", encoding="utf-8", newline="") for file in files]
    for stream, lines in zip(streams, tables, strict=True):
        stream.write(lines[0] + "\n")
    while written < size:
        for stream, lines in zip(streams, tables, strict=True):
            text = "".join(own(lines[1], n) + "\n" for n in range(count, count + AT_ONCE))
            written += stream.write(text)
        count += AT_ONCE
    for stream in streams:
        stream.close()
    return count


def own(row: str, number: int) -> str:
    """The row with the identifiers of this issue."""
    for kind, identifier in enumerate(OWN, 1):
        row = row.replace(identifier, f"{{{kind:X}{number:07X}-")
    return row


def alone() -> float:
    """Messages a second, one by one: the record of the fixture, joined before."""
    ost = adapter.load()
    message = ost.message(READ)
    [record] = [one.record for one in emis_extract.read(ROOT / FIXTURE, message.info.entry) if one.record is not None]
    begun = 0.0
    for n in range(ALONE + 1):
        account = Account()
        bundle = message.assemble(message.read_record(record, account), record, "2026-03-18T18:10:00Z")
        assert ost.judge(bundle) is not None
        json.encode(bundle)
        if not n:  # the first makes ready
            begun = time.perf_counter()
    return ALONE / (time.perf_counter() - begun)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bytes", type=int, default=1_000_000_000)
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "extract"
        count = made(folder, said.bytes)
        before = alone()
        seconds, peak = streamed(READ, "fhir", folder, lines=False)
        one_by_one = (before + alone()) / 2
        with Path(f"{folder}.out").open("rb") as result:
            written = sum(1 for _ in result)
    rate = written / seconds
    print(
        f"{written:,} of {count:,} issues ({said.bytes / 1e6:,.0f} MB) {READ} -> fhir: {seconds:.0f} s, {rate:,.0f} a second, "
        f"peak {peak} MB; one by one {one_by_one:,.0f} a second; ratio {rate / one_by_one:.2f}"
    )


if __name__ == "__main__":
    main()
