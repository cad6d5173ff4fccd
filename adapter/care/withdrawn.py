"""What was withdrawn: actions that stood at some moment by what was known then, and would not have by what is known now.

What time or a later event has ended is ended, and is not withdrawn. Rules: docs/care.md, "The ladder" and "The clocks".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from adapter.care.actions import Action
from adapter.care.facts import Collection, Form, Outcome, ordinal
from adapter.care.known import Known, since_when
from adapter.care.ladder import actions
from adapter.care.ledger import iso
from adapter.care.policy import Feed, Policy
from adapter.care.reckoning import Reckoned, Reckoning
from adapter.care.records import EARLIEST, Record, is_withdrawn, replaces
from adapter.care.times import day_and_moment
from adapter.fhir.dates import INSTANT, day_bounds, precision, service_day

#: What clocks run from (adapter.care.course), and the events in which they do not.
_OF_CLOCKS = frozenset(
    {"CarePlan", "Consent", "Encounter", "EpisodeOfCare", "MedicationDispense", "MedicationRequest", "QuestionnaireResponse"}
)
_NO_CLOCK = frozenset({"dose-outcome", "dispense", "admission", "discharge", "release"})
#: Where a record says when what it tells of took place; the first that is there.
_TOOK_PLACE = ("authoredOn", "authored", "dateTime", "whenHandedOver", "created")


def withdrawn(reckoning: Reckoning, as_of: datetime, known_at: datetime | None) -> list[Action]:
    """Of the ladder by code, of the clocks by code and day, each once; those of a person who has died among them."""
    now = reckoning.ladder(as_of, known_at)
    if now[0].facts.death is not None:
        found = [*_of_ladder(reckoning, as_of, known_at, now[2]), *_by_death(reckoning, now, as_of, known_at)]
    else:
        found = [*_of_ladder(reckoning, as_of, known_at, now[2]), *_of_clocks(reckoning, as_of, known_at)]
    return list({one.key: one.taken_back() for one in found}.values())


def _of_ladder(reckoning: Reckoning, as_of: datetime, known_at: datetime | None, due: Iterable[Action]) -> list[Action]:
    """Only a record that comes late or corrects another can take the ground from an action: so these moments are enough."""
    held = {one.key for one in due}
    gone: dict[tuple[str, ...], Action] = {}
    for moment_then in _moments(reckoning.known, reckoning.policy, as_of, known_at):
        at = min(moment_then, as_of)
        before = [one for one in reckoning.ladder(at, moment_then)[2] if one.key not in held and one.key not in gone]
        if before:
            after = {one.code for one in reckoning.ladder(at, known_at)[2]}
            gone |= {one.key: one for one in before if one.code not in after}
    # Of what else came soon after it happened: what had stood until then was ended by it, and only what had not is withdrawn.
    for happened, received in _soon(reckoning.known, as_of, known_at):
        then = received - INSTANT
        before = [one for one in reckoning.ladder(then, then)[2] if one.key not in held and one.key not in gone]
        if before:
            stood = (reckoning.ladder(at, known_at)[2] for at in (happened - INSTANT, then))
            ground = {one.code for due in stood for one in due}
            gone |= {one.key: one for one in before if one.code not in ground}
    return list(gone.values())


def _soon(known: Known, as_of: datetime, known_at: datetime | None) -> list[tuple[datetime, datetime]]:
    """(when it happened, when it was received) of what is no pharmacy's report of a dose and was received later."""
    found = set()
    for record in known.person.records:
        fact = known.facts.get(id(record))
        if fact is None or isinstance(fact, Collection) or (isinstance(fact, Outcome) and fact.outcome != "depot"):
            continue
        happened, received = since_when(fact), record.received
        if isinstance(happened, datetime) and happened < received <= as_of and (known_at is None or received <= known_at):
            found.add((happened, received))
    return sorted(found)


def _of_clocks(reckoning: Reckoning, as_of: datetime, known_at: datetime | None) -> list[Action]:
    """An action of a clock stands until something ends it: so it is seen just before the receipt of what came late.

    It had its ground if it stood, by what is known now, at the end of the day on which it fell due.
    """
    late = _late(reckoning.person.records, known_at)
    held = {one.key for one in reckoning.clocks(as_of, known_at)} if late else set()
    gone: dict[tuple[str, ...], Action] = {}
    for moment_then in late:
        for one in reckoning.clocks(min(moment_then, as_of), moment_then):
            if one.key not in held and one.key not in gone:
                that_day = min(day_bounds(one.since)[1] - INSTANT, as_of)
                if one.key not in {other.key for other in reckoning.clocks(that_day, known_at)}:
                    gone[one.key] = one
    return list(gone.values())


def _late(records: Iterable[Record], known_at: datetime | None) -> list[datetime]:
    """Just before the receipt of each record of a clock that came on a later day than it tells of, or corrects another."""
    found = set()
    for record in records:
        resource = record.resource
        if record.type not in _OF_CLOCKS or record.event in _NO_CLOCK or resource.get("intent") == "instance-order":
            continue
        if record.received == EARLIEST or (known_at is not None and record.received > known_at):
            continue
        said = next((resource[name] for name in _TOOK_PLACE if name in resource), resource.get("period", {}).get("start"))
        known_day = said is not None and precision(said) in ("day", "time")
        late = not known_day or service_day(said) < service_day(record.received.isoformat())
        if late or replaces(record) or record.said("version") or is_withdrawn(record):
            found.add(record.received - INSTANT)
    return sorted(found)


def _by_death(reckoning: Reckoning, now: Reckoned, as_of: datetime, known_at: datetime | None) -> list[Action]:
    """What would be due if the person lived."""
    ledger, counted, due = now
    alive = replace(ledger, facts=replace(ledger.facts, death=None))
    codes = {one.code for one in due}
    ladder = [one for one in actions(alive, counted) if one.code not in codes]
    return ladder + reckoning.clocks(as_of, known_at, alive=True)


def _moments(known: Known, policy: Policy, as_of: datetime, known_at: datetime | None) -> list[datetime]:
    """The moments at which something may have stood by what was not yet known: each due time till then, and just before it."""
    told = [one.received for one in known.deaths if one.received > EARLIEST and (known_at is None or one.received <= known_at)]
    found = {received - INSTANT for received in told}
    last_day = ordinal(service_day(as_of.isoformat()))
    feeds = {policy.default_feed, *(policy.feed(form.pharmacy) for form in known.facts.values() if isinstance(form, Form))}
    for start, end in _spans(known, policy, feeds, known_at):
        if start >= end:
            continue
        found.add(end - INSTANT)
        first = ordinal(service_day(start.isoformat()))
        for day in range(first - 2, min(ordinal(service_day(end.isoformat())), last_day) + 1):
            found |= {due for feed in feeds if start <= (due := _due(feed, iso(day), policy)) < end}
    return sorted(found)


def _spans(known: Known, policy: Policy, feeds: set[Feed], known_at: datetime | None) -> Iterator[tuple[datetime, datetime]]:
    """From when something should have been known, or something else was, until it was received."""
    first: dict[str, datetime] = {}
    for record in known.person.records:
        if id(record) in known.facts:
            for name in record.names:
                first[name] = min(record.received, first.get(name, record.received))
    for record in known.person.records:
        if id(record) not in known.facts or record.received == EARLIEST or (known_at is not None and record.received > known_at):
            continue
        said = record.said("dose-date") or record.resource.get("authoredOn") or record.resource.get("period", {}).get("start")
        if day_and_moment(said) is not None:
            yield min(_due(feed, service_day(said), policy) for feed in feeds), record.received
        if known.corrects(record):
            since = min(first[name] for name in (*record.names, *replaces(record)) if name in first)
            yield (since if since > EARLIEST else record.received - 2 * INSTANT), record.received


def _due(feed: Feed, day: str, policy: Policy) -> datetime:
    """Until when a day is due, and not unreported, by a feed."""
    return feed.closes(day).astimezone(UTC) + min(feed.cadence, timedelta(hours=policy["longest-due"]))
