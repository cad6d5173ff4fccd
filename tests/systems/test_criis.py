"""criis's shared-care messages beyond their fixtures: what a practice's record becomes, and the tables of their codecs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapter import Adapter, Refused, Translation
from adapter.fhir.json import decode, encode
from adapter.fhir.outcome import rule_of
from adapter.mapping.codecs import REGISTRY
from adapter.shipped import FIXTURES
from adapter.systems import criis
from tests.test_fixtures import RECEIVED

#: docs/hub.md, consultation: (state of the record, attendance) -> status.
STATUSES: dict[tuple[str, str | None], str] = {
    ("LIVE", "ATT"): "finished",
    ("LIVE", "ALT"): "finished",
    ("LIVE", "LBS"): "finished",
    ("OPEN", "ATT"): "in-progress",
    ("OPEN", "ALT"): "in-progress",
    ("OPEN", "LBS"): "in-progress",
    ("LIVE", "DNA"): "cancelled",
    ("LIVE", "CBP"): "cancelled",
    ("LIVE", "CBS"): "cancelled",
    ("LIVE", "BKD"): "planned",
    ("LIVE", None): "finished",
    ("OPEN", None): "in-progress",
    ("UNSURE", None): "unknown",
    **{("STRUCK", one): "entered-in-error" for one in ("ATT", "ALT", "LBS", "DNA", "CBP", "CBS", "BKD", None)},
}


@pytest.mark.parametrize(("pair", "status"), list(STATUSES.items()))
def test_status_of_a_session_both_ways(pair: tuple[str, str | None], status: str) -> None:
    codec = REGISTRY["criis-session-status"]
    assert codec.read(pair) == status
    assert codec.write is not None and codec.write(status) == (pair[0], None)


@pytest.mark.parametrize("status", ["arrived", "triaged", "onleave"])
def test_a_status_that_no_session_has_is_not_turned(status: str) -> None:
    codec = REGISTRY["criis-session-status"]
    assert codec.write is not None and status not in criis.RECORD_STATES
    with pytest.raises(KeyError):
        codec.write(status)


def test_only_two_media_are_face_to_face() -> None:
    read = REGISTRY["criis-session-class"].read
    assert {m: read((m, "LIVE")) for m in ("F2F", "HVT", "TEL", "VID", "TXT", "WRT", "TPY", "NOC", "UNK", None)} == {
        "F2F": "AMB", "HVT": "HH", "TEL": "VR", "VID": "VR", "TXT": "VR", "WRT": "VR", "TPY": "VR", "NOC": "VR", "UNK": "VR", None: "VR",
    }  # fmt: skip


# what a practice's extract becomes --------------------------------------------------------------------------------------
def heard(ost: Adapter, source: str, target: str) -> list[Translation]:
    """Every record of the extracts of fixtures/ that could be read, as criis hears it."""
    folders: list[Path] = sorted(p for p in (FIXTURES / source).iterdir() if (p / "in").is_dir())
    made = [t for f in folders for t in ost.many(f / "in", read=source, write=target, received=RECEIVED)]
    return [t for t in made if isinstance(t, Translation)]


@pytest.mark.parametrize(
    ("source", "target", "least"),
    [
        ("emis/consultation", "criis/keywork-session", 10),
        ("emis/referral", "criis/referral", 8),
        ("emis/patient", "criis/patient", 5),
    ],
)
def test_all_that_a_practice_says_arrives(ost: Adapter, source: str, target: str, least: int) -> None:
    made = heard(ost, source, target)
    assert len(made) >= least
    for one in made:
        assert one.unread["bundle"] == []
        assert one.result is not None
        back = ost.translate(one.result, read=target, write=target, received=RECEIVED)
        assert back.unread == {"source": [], "bundle": []}
        assert decode(back.result or b"") == decode(one.result)


# a plan -----------------------------------------------------------------------------------------------------------------
def plan(case: str) -> dict[str, Any]:
    made: dict[str, Any] = decode((FIXTURES / "criis/care-plan" / case / "in.json").read_bytes())
    return made


def test_two_goals_of_one_value_are_refused_since_an_activity_could_mean_either(ost: Adapter) -> None:
    record = plan("recovery-plan-in-full")
    goals = record["episode"]["plan"]["goals"]
    goals[1]["goalId"] = {"system": "https://other.example/goal", "value": goals[0]["goalId"]["value"]}
    with pytest.raises(Refused) as caught:
        ost.translate(encode(record), read="criis/care-plan")
    assert "duplicate-key" in {rule_of(i) for i in caught.value.issues}


def test_the_words_of_the_client_come_through_to_the_letter(ost: Adapter) -> None:
    record = plan("recovery-plan-in-full")
    goal = record["episode"]["plan"]["goals"][0]
    goal["text"] = "  a dry room,\n\n  no dogs \u2014 \u201cmine\u201d\t!"
    made = ost.translate(encode(record), read="criis/care-plan", write="criis/care-plan")
    first = next(e["resource"] for e in made.bundle["entry"] if e["resource"]["resourceType"] == "Goal")
    assert first["description"] == {"text": goal["text"]}
    assert decode(made.result or b"") == record
