"""Who tells what is due of a person, and when: the ids of what is told, and what is known of the last dose."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from adapter.care.actions import Action
from adapter.care.ledger import Day, iso
from adapter.care.parties import Parties
from adapter.care.records import Json, ours
from adapter.care.shared_care import SharedCare
from adapter.fhir.dates import LONDON
from adapter.fhir.outcome import BASE
from adapter.mapping.runtime import namespace, uuid5
from adapter.shipped import PROFILES

SOURCE = "shared-care"
URI = "urn:ietf:rfc:3986"


@dataclass(frozen=True, slots=True)
class Sender:
    """The organisation that speaks. ods: its ODS code · telephone: whom to ring; none where it is empty."""

    ods: str
    name: str
    telephone: str = ""


class Voice:
    """One sender who tells at one moment what is due of one person."""

    def __init__(self, care: SharedCare, sender: Sender, made: str) -> None:
        self.care, self.sender, self.made = care, sender, made
        self.parties = Parties(care)
        self.person = self.parties.key()
        self.subject = {"reference": self.id("Patient", self.person)}
        self.as_of = care.ledger.as_of.astimezone(LONDON).isoformat(timespec="seconds")

    def id(self, kind: str, *key: str) -> str:
        """`urn:uuid:` and the uuid5 of a key."""
        return uuid5(namespace(f"{SOURCE}/{kind}"), "\x1f".join(key))

    def alert_id(self, action: Action) -> str:
        """What an action is known by, whoever tells of it, and when."""
        return self.id("alert", self.person, *action.key).removeprefix("urn:uuid:")

    def last_dose(self, day: Day, certainty: str) -> Json:
        """Extension last-dose: the day, its amount and medicine where one is said, and how it is known."""
        parts: list[Json] = [{"url": "date", "valueDate": iso(day.day)}]
        if amount := amount_of(day):
            parts.append({"url": "quantity", "valueQuantity": amount})
        if medicine := self.medicine_of(day):
            parts.append({"url": "medicine", "valueCodeableConcept": medicine})
        return {"url": ours("last-dose"), "extension": [*parts, {"url": "certainty", "valueCode": certainty}]}

    def medicine_of(self, day: Day) -> Json | None:
        """What was given on a day, by the first of its records that says so."""
        for ref in day.evidence:
            record = self.parties.record(ref)
            said = record.resource.get("medicationCodeableConcept") if record is not None else None
            if isinstance(said, dict):
                return said
        return None


def amount_of(day: Day) -> Json | None:
    """The amount of a day of one dose, where its unit has a code: the hub takes no other."""
    amount = day.amount
    return amount if amount is not None and {"value", "system", "code"} <= amount.keys() else None


def role_coding(role: str) -> Json:
    """A role of the care team as Coding."""
    return {"system": f"{BASE}/CodeSystem/care-team-role", "code": role}


@cache
def words(system: str) -> dict[str, tuple[str, str]]:
    """Code -> (display, definition) of a CodeSystem of the hub."""
    concepts: list[Any] = json.loads((PROFILES / f"CodeSystem-{system}.json").read_text("utf-8"))["concept"]
    return {one["code"]: (one["display"], one["definition"]) for one in concepts}
