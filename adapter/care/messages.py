"""The actions of a ledger as messages of the hub: an `alert` for each, and a `referral` beside an urgent one (docs/hub.md).

Nothing here decides: what is due, to whom and on what ground stands in the action. The same care and the same arguments give the
same bytes: every id is worked out from the person, the action's code and since when it stands.
"""

from __future__ import annotations

from collections.abc import Iterator

from adapter.care.actions import Action
from adapter.care.alerts import alert
from adapter.care.records import ODS, Json
from adapter.care.referrals import referral
from adapter.care.shared_care import SharedCare
from adapter.care.voice import SOURCE, URI, Sender, Voice
from adapter.fhir.dates import is_instant
from adapter.systems import hub

__all__ = ["Sender", "messages"]


def messages(care: SharedCare, *, sender: Sender, made: str) -> list[Json]:
    """Hub Bundles: one `alert` for each action, due or withdrawn, and after that of urgent-referral a `referral`.

    made: the instant at which they are made, with its zone. Raises ValueError for one that is none.
    """
    if not is_instant(made):
        raise ValueError("made is an instant with its zone")
    voice = Voice(care, sender, made)
    return [message for action in care.actions for message in _messages(voice, action)]


def _messages(voice: Voice, action: Action) -> Iterator[Json]:
    yield _bundle(voice, "alert", action, alert(voice, action))
    if action.code == "urgent-referral":
        yield _bundle(voice, "referral", action, referral(voice, action))


def _bundle(voice: Voice, event: str, action: Action, resources: list[Json]) -> Json:
    """The hub Bundle of a message's own resources, with who speaks and of whom."""
    state = "withdrawn" if action.withdrawn else "due"
    name = voice.id(f"{event}/Bundle", voice.alert_id(action), state, voice.as_of, voice.made)
    organization: Json = {
        "resourceType": "Organization",
        "id": voice.id("Organization", voice.sender.ods),
        "identifier": [{"system": ODS, "value": voice.sender.ods}],
        "name": voice.sender.name,
    }
    if voice.sender.telephone and event == "alert":  # of a referral it stands with who asks
        organization["telecom"] = [{"system": "phone", "value": voice.sender.telephone}]
    episode = voice.parties.episode(voice.id("EpisodeOfCare", voice.person), voice.subject)
    header_url = voice.id(f"{event}/MessageHeader", name)
    given: list[Json] = [
        {"resourceType": "Bundle", "identifier": {"system": URI, "value": name}, "timestamp": voice.made},
        {"resourceType": "MessageHeader", "id": header_url, "sender": {"reference": organization["id"]}},
        organization,
        voice.parties.patient(voice.subject["reference"]),
        *([episode] if episode else []),
        *resources,
    ]
    entries = [
        {"fullUrl": one.get("id", ""), "resource": one | ({"id": one["id"].removeprefix("urn:uuid:")} if "id" in one else {})}
        for one in given
    ]
    return hub.assemble(entries, event, SOURCE, header_url, voice.made)
