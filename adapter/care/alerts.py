"""An action as the resources of a hub `alert`: Communication and Task (docs/hub.md, "alert")."""

from __future__ import annotations

from adapter.care.actions import Action
from adapter.care.counts import Range
from adapter.care.ledger import Day, iso
from adapter.care.records import Json, ours
from adapter.care.voice import URI, Voice, role_coding, words
from adapter.fhir.outcome import BASE

ALERT = f"{BASE}/Id/care-alert"
#: Actions whose ground is a run of days: a day of which nobody says anything belongs to it too.
_RUNS = frozenset(
    {
        "discuss-with-prescriber",
        "assess-tolerance",
        "supply-not-permitted",
        "urgent-referral",
        "confirm-last-dose",
        "not-reported",
    }
)
_QUIET = frozenset({"supervised", "depot", "elsewhere-evidenced", "due", "not-expected"})


def alert(voice: Voice, action: Action) -> list[Json]:
    """Communication and Task."""
    name, state = voice.alert_id(action), "withdrawn" if action.withdrawn else "due"
    own = voice.id("withdrawal", name).removeprefix("urn:uuid:") if action.withdrawn else name
    display, meaning = words("care-action")[action.code]
    topic = {"coding": [{"system": f"{BASE}/CodeSystem/care-action", "code": action.code}]}
    told = f"Withdrawn, because of what is known now: {display}." if action.withdrawn else meaning
    owner, recipients = voice.parties.in_role(action.owner), _recipients(voice, action)
    communication: Json = {
        "resourceType": "Communication",
        "id": voice.id("Communication", own),
        "extension": [*_standing(voice, action, state), *_counts(voice), *_days(voice, action)],
        "identifier": [{"system": ALERT, "value": own}],
        **({"inResponseTo": [{"identifier": {"system": ALERT, "value": name}}]} if action.withdrawn else {}),
        "status": "completed",
        "subject": voice.subject,
        "topic": topic,
        "sent": voice.made,
        **({"recipient": recipients} if recipients else {}),
        "payload": [{"contentString": told}, *({"contentReference": {"identifier": one}} for one in _evidence(action))],
    }
    task: Json = {
        "resourceType": "Task",
        "id": voice.id("Task", name),
        **({"extension": [{"url": ours("deputy"), "valueCode": action.deputy}]} if action.deputy else {}),
        "identifier": [{"system": ALERT, "value": name}],
        "status": "cancelled" if action.withdrawn else "requested",
        "intent": "order",
        "code": topic,
        "focus": {"reference": communication["id"]},
        "for": voice.subject,
        "performerType": [{"coding": [role_coding(action.owner)]}],
        **({"owner": owner} if owner else {}),
        "reasonCode": {"text": action.policy},
        "restriction": {"period": {"end": action.due}},
    }
    return [communication, task]


def _recipients(voice: Voice, action: Action) -> list[Json]:
    """Who acts and the deputy; of a death every pharmacy and prescriber of a supply that it stops, and the coordinator too."""
    of_death = action.code == "stop-supply-deceased"
    roles = [action.owner, *([action.deputy] if action.deputy else []), *(("prescriber", "care-coordinator") if of_death else ())]
    named = [one for role in roles if (one := voice.parties.in_role(role)) is not None]
    named += voice.parties.of_supply(action.evidence) if of_death else []
    once: dict[str, Json] = {}
    for one in named:
        once.setdefault(repr(one.get("identifier") or one), one)
    return list(once.values())


def _standing(voice: Voice, action: Action, state: str) -> list[Json]:
    return [
        {"url": ours("alert-status"), "valueCode": state},
        {"url": ours("alert-since"), "valueDate": action.since},
        {"url": ours("as-of"), "valueDateTime": voice.as_of},
    ]


def _counts(voice: Voice) -> list[Json]:
    counted = voice.care.counted
    ranges = (
        ("consecutive-missed", counted.consecutive),
        ("cumulative-missed", counted.cumulative),
        ("days-since-dose", counted.without),
    )
    made: list[Json] = [{"url": ours(name), "valueRange": _range(value)} for name, value in ranges]
    if counted.last_observed is not None:
        made.append(voice.last_dose(counted.last_observed, "observed"))
    if counted.last_possible is not None:
        made.append({"url": ours("last-possible-dose"), "valueDate": iso(counted.last_possible.day)})
    return made


def _days(voice: Voice, action: Action) -> list[Json]:
    named, last = set(action.evidence), voice.care.counted.last_full
    found = [day for day in voice.care.ledger.days if named & set(day.evidence) or (action.code in _RUNS and _of_run(day, last))]
    return [
        {
            "url": ours("dose-day"),
            "extension": [{"url": "date", "valueDate": iso(day.day)}, {"url": "state", "valueCode": day.state}],
        }
        for day in found
    ]


def _of_run(day: Day, last: Day | None) -> bool:
    return (last is None or day.day > last.day) and day.state not in _QUIET


def _range(value: Range) -> Json:
    low, high = (
        {"value": n, "unit": "day", "system": "http://unitsofmeasure.org", "code": "d"} for n in (value.least, value.most)
    )
    return {"low": low} | ({} if value.most is None else {"high": high})


def _evidence(action: Action) -> list[Json]:
    """The records that an action names, each once, as identifiers. A change of a form is named by the form."""
    found: dict[str, Json] = {}
    for ref in action.evidence:
        system, _, value = ref.partition("#")[0].partition("|")
        found[f"{system}|{value}"] = {"system": system, "value": value} if value else {"system": URI, "value": system}
    return list(found.values())
