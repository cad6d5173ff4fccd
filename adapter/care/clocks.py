"""The clocks of shared care: reviews, profiles, consents and kits that fall due by the calendar, and the notice of an incident.

A clock runs from the last record that counts, else from entry into treatment; without either it is silent. An action stands from
the day on which its clock runs out, never before. Numbers: the policy's `clocks`, with their sources.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from adapter.care.actions import Action
from adapter.care.course import Course, Event, course
from adapter.care.policy import Policy, Threshold, is_bank_holiday
from adapter.care.records import Record
from adapter.fhir.dates import LONDON, day_bounds


@dataclass(frozen=True, slots=True)
class _Due:
    """That a clock runs out. names: of the clocks · on: the day on which it falls due · by: the last day for it."""

    code: str
    names: tuple[str, ...]
    on: date
    by: date
    evidence: tuple[str, ...]


def clocks(records: Sequence[Record], policy: Policy, as_of: datetime, patients: Sequence[Record] = ()) -> list[Action]:
    """The actions that fall due by the calendar, by code and day; each once, but consent-due once for each recipient.

    records: those of one person that stand (adapter.care.records.standing) · as_of: an aware moment; of a date, the last one of
    that service day · patients: the person's Patient resources. Since and due are service days. A death silences every clock
    here; the notice of it (incident-notice) is the ladder's, due at incident_due.
    """
    seen = course(records, as_of, patients)
    if seen.died:
        return []
    found = [due for clock in _CLOCKS for due in clock(seen, policy) if due.on <= seen.today]
    return [_action(due, policy) for due in sorted(found, key=lambda one: (one.code, one.on, one.evidence))]


def shifted(day: date, clock: Threshold, times: int = 1) -> date:
    """The day so much later (times -1: earlier). A month is a calendar month, and ends where the other is shorter.

    Raises ValueError for a clock of another unit than days, weeks and months.
    """
    count = clock.value * times
    match clock.unit:
        case "day":
            return day + timedelta(days=count)
        case "week":
            return day + timedelta(weeks=count)
        case "month":
            year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
            return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
    raise ValueError("a clock runs in days, weeks or months")


def _action(due: _Due, policy: Policy) -> Action:
    owner, deputy = policy.owners[due.code]
    ground = "; ".join(f"{name} ({policy.clocks[name].source})" for name in due.names)
    said = f"{policy}: {ground}"
    return Action(due.code, due.on.isoformat(), due.by.isoformat(), owner, said, tuple(dict.fromkeys(due.evidence)), deputy)


# contacts and reviews ---------------------------------------------------------------------------------------------------
def _runs_out(seen: Sequence[Event], entry: Event, clock: Threshold) -> tuple[date, str]:
    """When an interval runs out, and the record it runs from. One from before entry counts while it reaches beyond it."""
    last = seen[-1] if seen else entry
    on = shifted(last.day, clock)
    return (on, last.ref) if on > entry.day else (shifted(entry.day, clock), entry.ref)


def _intervals(seen: Course, policy: Policy) -> Iterator[_Due]:
    if seen.entry is None or seen.exit is not None:
        return
    of: tuple[tuple[str, str, Sequence[Event]], ...] = (
        ("joint-review-due", "joint-review", seen.of_kind("joint-review")),
        ("health-check-due", "health-check", seen.health_checks),
    )
    for code, name, events in of:
        on, ref = _runs_out(events, seen.entry, policy.clocks[name])
        yield _Due(code, (name,), on, on, (ref,))


def _consultation(seen: Course, policy: Policy) -> Iterator[_Due]:
    """At least monthly of any kind, at least three-monthly face to face: one action, which names the clocks that ran out."""
    if seen.entry is None or seen.exit is not None:
        return
    of: tuple[tuple[str, Sequence[Event]], ...] = (
        ("consultation", seen.consultations),
        ("consultation-face-to-face", [one for one in seen.consultations if one.in_person]),
    )
    out = [(name, *_runs_out(events, seen.entry, policy.clocks[name])) for name, events in of]
    over = [(name, on, ref) for name, on, ref in out if on <= seen.today]
    if over:
        first = min(on for _, on, _ in over)
        yield _Due("consultation-due", tuple(name for name, _, _ in over), first, first, tuple(ref for _, _, ref in over))


def _strategic(seen: Course, policy: Policy) -> Iterator[_Due]:
    """R10: normally within 3 months of entry, no later than 6, then six-monthly: falls due at 3, to be done by 6."""
    if seen.entry is None or seen.exit is not None:
        return
    entry, code = seen.entry, "strategic-review-due"
    first, latest = (shifted(entry.day, policy.clocks[f"strategic-review-{name}"]) for name in ("first", "latest"))
    reviews = [one for one in seen.of_kind("strategic-review") if one.day >= entry.day]
    if not reviews:
        yield _Due(code, ("strategic-review-first", "strategic-review-latest"), first, latest, (entry.ref,))
        return
    last = reviews[-1]
    if last.day <= first:
        yield _Due(code, ("strategic-review-latest",), latest, latest, (last.ref,))
    else:
        again = shifted(last.day, policy.clocks["strategic-review"])
        yield _Due(code, ("strategic-review",), again, again, (last.ref,))


def _outcomes(seen: Course, policy: Policy) -> Iterator[_Due]:
    """R11: what is reported of outcomes. An outcome profile and a review of sub-interventions due on one day are one action."""
    of_profile = next(iter(_outcome_profile(seen, policy)), None)
    for one in _sub_interventions(seen, policy):
        if of_profile is not None and one.on == of_profile.on:
            names, evidence = (*of_profile.names, *one.names), (*of_profile.evidence, *one.evidence)
            of_profile = _Due(one.code, tuple(dict.fromkeys(names)), one.on, min(one.by, of_profile.by), evidence)
        else:
            yield one
    if of_profile is not None:
        yield of_profile


def _sub_interventions(seen: Course, policy: Policy) -> Iterator[_Due]:
    """R11: 26 weeks after the last review, or after entry; at exit within the window of an outcome profile."""
    code, name, window = "outcome-profile-due", "sub-intervention-review", policy.clocks["outcome-profile-window"]
    if seen.exit is not None:
        opens, closes = shifted(seen.exit.day, window, -1), shifted(seen.exit.day, window)
        if not any(one.day >= opens for one in seen.sub_interventions):
            yield _Due(code, (name,), closes, closes, (seen.exit.ref,))
    elif seen.entry is not None:
        on, ref = _runs_out(seen.sub_interventions, seen.entry, policy.clocks[name])
        yield _Due(code, (name,), on, shifted(on, window), (ref,))


def _outcome_profile(seen: Course, policy: Policy) -> Iterator[_Due]:
    """R11: a start within the window either side of entry, a review 26 weeks after the last, an exit as the start."""
    window = policy.clocks["outcome-profile-window"]
    code, name = "outcome-profile-due", "outcome-profile-window"
    at_exit = ("exit", "post-treatment-exit")
    if seen.exit is not None:
        opens, closes = shifted(seen.exit.day, window, -1), shifted(seen.exit.day, window)
        if not any(one.day >= opens and one.stage in at_exit for one in seen.profiles):
            yield _Due(code, (name,), closes, closes, (seen.exit.ref,))
        return
    if seen.entry is None:
        return
    opens, closes = shifted(seen.entry.day, window, -1), shifted(seen.entry.day, window)
    taken = [one for one in seen.profiles if one.day >= opens and one.stage not in at_exit]
    if not any(one.stage == "start" for one in taken):  # a review cannot be read without it
        yield _Due(code, (name,), closes, closes, (seen.entry.ref,))
        return
    on = shifted(taken[-1].day, policy.clocks["outcome-profile"])
    yield _Due(code, ("outcome-profile", name), on, shifted(on, window), (taken[-1].ref,))


# the person's own -------------------------------------------------------------------------------------------------------
def _consent(seen: Course, policy: Policy) -> Iterator[_Due]:
    """R12, by the latest decision for each recipient: one granted ends, one lapsed has; after any other it is asked again."""
    if seen.exit is not None:
        return
    for one in {decision.recipient: decision for decision in seen.decisions}.values():  # in order: the latest stays
        ends = [one.ends] if one.ends is not None else []
        match one.decision:
            case "granted":
                name, on = "consent", min([shifted(one.confirmed, policy.clocks["consent"]), *ends])
            case "lapsed":
                name, on = "consent", min([one.day, *ends])
            case _:
                name, on = "consent-after-refusal", shifted(one.day, policy.clocks["consent-after-refusal"])
        yield _Due("consent-due", (name,), on, on, (one.ref,))


def _naloxone(seen: Course, policy: Policy) -> Iterator[_Due]:
    """The kit that lasts longest expires; or there is none, and a form is live or was lately. Leaving treatment ends neither."""
    name = "naloxone-kit"
    lasts = [(one.expires or shifted(one.day, policy.clocks[name]), one) for one in seen.kits]
    if lasts:
        on, kit = max(lasts, key=lambda pair: (pair[0], pair[1].ref))
        yield _Due("naloxone-due", (name,), on, on, (kit.ref,))
        return
    recent = policy.clocks["naloxone-after-form"]
    since, until, last = date.min, date.min, ""
    for one in seen.scripts:  # in the order in which they were written: it stands since the first of those without a gap
        since = one.day if one.day >= until else since
        until, last = max(shifted(one.last, recent), until), one.ref
    if until > seen.today:
        yield _Due("naloxone-due", ("naloxone-after-form",), since, since, (last,))


_CLOCKS: tuple[Callable[[Course, Policy], Iterable[_Due]], ...] = (
    _consultation,
    _intervals,
    _strategic,
    _outcomes,
    _consent,
    _naloxone,
)


# the notice of an incident ----------------------------------------------------------------------------------------------
def incident_times(known: datetime, policy: Policy) -> dict[str, datetime]:
    """When a death or serious incident must have been notified, by each of R13's two clocks, on London's clock.

    known: the aware moment at which it became known. `incident-hours`: so many hours that passed, whatever the clocks did.
    `incident-working-days`: the end of that working day, the day on which it became known not counted; a Saturday, a Sunday and
    a bank holiday in England are none.
    """
    day = known.astimezone(LONDON).date()
    left = policy["incident-working-days"]
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < 5 and not is_bank_holiday(day)
    hours = known.astimezone(UTC) + timedelta(hours=policy["incident-hours"])
    both = {"incident-hours": hours, "incident-working-days": day_bounds(day.isoformat())[1]}
    return {name: at.astimezone(LONDON) for name, at in both.items()}


def incident_due(known: datetime, policy: Policy) -> datetime:
    """The earlier of R13's two times, on London's clock; where nobody said when it became known (datetime.min), that: at once."""
    try:
        return min(incident_times(known, policy).values(), key=lambda at: at.astimezone(UTC))
    except OverflowError:
        return known
