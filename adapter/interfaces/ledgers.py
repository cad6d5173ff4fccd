"""POST /ledger: hub messages in, the dose ledger and the actions due out. Shape: docs/reference.md, "The ledger"."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from adapter.care.as_json import ledger_json
from adapter.care.policy import Policy, load, names
from adapter.care.shared_care import of_people
from adapter.fhir import json
from adapter.fhir.outcome import Refused, outcome
from adapter.interfaces import answers, media
from adapter.interfaces.answers import FHIR_JSON, JSON, Problem
from adapter.interfaces.hub_messages import HubMessages
from adapter.interfaces.opening import ASKED, is_asked, now
from adapter.interfaces.settings import Settings
from adapter.mapping.faults import Unknown

if TYPE_CHECKING:
    from adapter import Adapter


def ledgers(ost: Adapter, settings: Settings) -> Blueprint:
    """POST /ledger, by the policies shipped and those of the settings. Raises MapFaults with every fault of every policy."""
    routes = Blueprint("ledgers", __name__)
    policies = {name: load(name, settings.policies) for name in names(settings.policies)}

    @routes.post("/ledger")
    def ledger() -> Response:
        """The ledger of the person whom a hub Bundle is about; of each, a line of JSON, where the messages come a line each."""
        said = answers.parameters("as-of", "known-at", "policy")
        policy = _policy(policies, said.get("policy", "default"))
        as_of, known_at = _time(said.get("as-of"), "as-of") or now(), _time(said.get("known-at"), "known-at")
        given = HubMessages(ost.judge)
        given.take(BytesIO(answers.body((JSON, FHIR_JSON, media.NDJSON))))
        if given.issues:  # a ledger without one of its messages would not be that person's
            raise Refused(given.issues)
        found = of_people(given.people(), as_of, known_at=known_at, policy=policy)
        made = [{**ledger_json(one), "issues": outcome(one.issues)} for one in found]
        if request.mimetype != media.NDJSON and given.count == 1:
            return answers.answer(made[0], media_type=JSON)
        return Response(b"".join(json.encode(one) + b"\n" for one in made), content_type=media.NDJSON)

    return routes


def _policy(policies: dict[str, Policy], name: str) -> Policy:
    if name not in policies:
        raise Unknown("policy", name, policies)
    return policies[name]


def _time(said: str | None, name: str) -> str | None:
    """A day, or a moment with its zone. Raises Problem (400)."""
    if said is not None and not is_asked(said):
        text = f"The parameter {name} is neither a day nor a moment that can be asked about."
        raise Problem(400, "query-time", text, mend=f"{ASKED[0].upper()}{ASKED[1:]}.")
    return said
