"""Many messages in one source: CSV, NDJSON and hub Bundles a line each, through the real systems."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from adapter import Adapter, Refused
from adapter.fhir.json import decode
from adapter.fhir.outcome import place_of, rule_of
from adapter.shipped import FIXTURES
from adapter.systems.cases import RECEIVED
from adapter.systems.translate import Translation

REPORT = "pharmacy/collection-report"
ROW = next(csv.DictReader(io.StringIO((FIXTURES / REPORT / "missed/in.csv").read_text("utf-8"))))


def rows(*changes: dict[str, str], more: tuple[str, ...] = ()) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, [*ROW, *more], lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({**ROW, **change} for change in changes)
    return out.getvalue().encode()


def came(one: Translation | Refused) -> Any:
    if isinstance(one, Refused):
        return [(rule_of(i), place_of(i)) for i in one.issues]
    assert one.bundle
    return one.bundle["identifier"]["value"]


def test_every_row_is_a_message_and_a_bad_one_stops_no_other(ost: Adapter) -> None:
    body = rows({"row_id": "1"}, {"row_id": "2", "dose_date": "31/03/2026"}, {"row_id": "3"})
    found = [came(one) for one in ost.many(body, read=REPORT, received=RECEIVED, name="march.csv")]
    column = list(ROW).index("dose_date") + 1
    assert found == ["1", [("schema-pattern", f"march.csv:3:{column}")], "3"]


def test_rows_become_what_the_treatment_service_hears(ost: Adapter) -> None:
    done = list(
        ost.many(rows({"row_id": "1"}, {"row_id": "2", "dose_date": "2026-03-18"}), read=REPORT, write="criis/dose-outcome")
    )
    heard = [decode(one.result or b"")["episode"]["doseEvents"][0] for one in done if isinstance(one, Translation)]
    assert [(one["outcome"], one["doseDate"]) for one in heard] == [("DNC", "2026-03-17"), ("DNC", "2026-03-18")]


def test_a_row_sent_again_is_the_same_message_and_a_correction_the_same_event(ost: Adapter) -> None:
    body = rows({}, {}, {"revision": "2", "reported_at": "2026-04-01T09:00:00+01:00"})
    first, again, corrected = (one.bundle for one in ost.many(body, read=REPORT) if isinstance(one, Translation))
    assert first == again
    ids = [{e["resource"]["resourceType"]: e["resource"]["id"] for e in one["entry"]} for one in (first, corrected)]
    assert ids[0]["MedicationDispense"] == ids[1]["MedicationDispense"]
    assert ids[0]["MessageHeader"] != ids[1]["MessageHeader"]


def test_a_column_that_nobody_knows_is_told_of_the_file_and_of_every_row_that_fills_it(ost: Adapter) -> None:
    body = rows({"row_id": "1", "mood": "low"}, {"row_id": "2", "mood": ""}, more=("mood",))
    first, second = (one for one in ost.many(body, read=REPORT) if isinstance(one, Translation))
    assert first.unread["source"] == ["mood"] and second.unread["source"] == []
    assert [rule_of(i) for i in first.found] == ["csv-column", "unread"]
    assert [rule_of(i) for i in second.found] == []
    assert "low" not in str(first.found)


def test_a_header_alone_is_no_message(ost: Adapter) -> None:
    with pytest.raises(Refused) as caught:
        ost.translate(rows(), read=REPORT)
    assert came(caught.value) == [("no-record", "")]
    assert [came(one) for one in ost.many(rows(more=("mood",)), read=REPORT, name="f")] == [
        [("csv-column", f"f:1:{len(ROW) + 1}"), ("no-record", "f")]
    ]
    assert list(ost.many(rows(), read=REPORT)) == []


def test_one_message_was_asked_for_and_several_came(ost: Adapter) -> None:
    with pytest.raises(Refused) as caught:
        ost.translate(rows({}, {"row_id": "2"}), read=REPORT)
    assert came(caught.value) == [("many-records", "")]
    assert ost.translate(rows({}), read=REPORT).bundle["identifier"]["value"] == ROW["row_id"]


def line(case: str) -> bytes:
    return json.dumps(json.loads((FIXTURES / "pharmacy/dose-outcome" / case / "in.json").read_bytes(), parse_float=str)).encode()


def test_a_line_is_a_message_and_a_bad_one_is_told_with_its_own_line(ost: Adapter) -> None:
    body = line("supervised") + b"\n\n" + b'{"message": }\n' + line("missed-and-withheld") + b"\n"
    found = [came(one) for one in ost.many(body, read="pharmacy/dose-outcome", name="day.ndjson")]
    assert found[1] == [("json-syntax", "day.ndjson:3:13")]
    assert [isinstance(one, str) for one in found] == [True, False, True]


def test_a_hub_bundle_a_line(ost: Adapter, tmp_path: Path) -> None:
    bundle = ost.translate(line("supervised"), read="pharmacy/dose-outcome").bundle
    from adapter.fhir.json import encode

    (tmp_path / "hub.ndjson").write_bytes(encode(bundle) + b"\n" + encode(bundle) + b"\n[]\n")
    done = list(ost.many(tmp_path / "hub.ndjson", read="fhir", write="criis/dose-outcome"))
    assert [isinstance(one, Refused) for one in done] == [False, False, True]
    assert came(done[2]) == [("not-a-message", "hub.ndjson:3")]


def test_a_line_beyond_all_measure_is_refused_and_never_held(ost: Adapter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapter.wire.ndjson.MOST_BYTES", 4096)
    body = b'"' + b"x" * 10_000 + b'"\n' + b"{}\n"
    found = [came(one) for one in ost.many(body, read="pharmacy/dose-outcome", name="f")]
    assert found[0] == [("line-length", "f:1")] and found[1][0][0].startswith("schema-")


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_memory_does_not_grow_with_the_file(ost: Adapter, tmp_path: Path, kind: str) -> None:
    """The same peak for ten times the messages, within what the interpreter itself wavers by."""

    def peak(count: int) -> int:
        file = tmp_path / f"{count}.{kind}"
        if kind == "csv":
            file.write_bytes(rows(*({"row_id": str(n)} for n in range(count))))
            read = REPORT
        else:
            file.write_bytes((line("supervised") + b"\n") * count)
            read = "pharmacy/dose-outcome"
        tracemalloc.start()
        done = sum(isinstance(one, Translation) for one in ost.many(file, read=read, write="criis/dose-outcome"))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert done == count
        return most

    peak(5)  # what is compiled at first use
    few, many = peak(20), peak(200)
    assert many < few * 1.5 + 200_000
