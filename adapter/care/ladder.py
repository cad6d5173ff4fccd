"""The actions due: the ladder of missed doses, and what else of a ledger a person must see. docs/care.md, "The ladder"."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from adapter.care.actions import Action
from adapter.care.clocks import incident_due
from adapter.care.counts import Counted, Rung
from adapter.care.doubled import doubled
from adapter.care.facts import HANDED_OVER, NOT_HAD, Outcome
from adapter.care.ledger import Day, Ledger, feed_of, iso
from adapter.care.policy import Policy


def actions(ledger: Ledger, counted: Counted) -> list[Action]:
    """Every action due at as-of, the gravest first; evidence names the records that each stands on."""
    found = _of_death(ledger) if ledger.facts.death is not None else [*_climbed(ledger, counted), *_seen(ledger, counted)]
    return sorted(found, key=gravity(ledger.policy))


def gravity(policy: Policy) -> Callable[[Action], tuple[bool, int, str, str]]:
    """For sorting actions: those due before those withdrawn, the gravest first (the clocks last), then the oldest."""
    return lambda one: (one.withdrawn, policy.ranks.get(one.code, len(policy.ranks)), one.since, one.code)


def _action(ledger: Ledger, code: str, since: int, evidence: Iterable[str], *, threshold: str = "", due: str = "") -> Action:
    owner, deputy = ledger.policy.owners[code]
    ground = f"{threshold} ({ledger.policy.thresholds[threshold].source})" if threshold else f"{code} (docs/care.md)"
    policy = f"{ledger.policy}: {ground}"
    # Where days without any record are the ground: the orders that they follow, else whatever was last recorded.
    facts = ledger.facts
    named = dict.fromkeys(evidence) or dict.fromkeys(
        [form.ref for form in facts.forms] or [one.ref for one in facts.outcomes[-1:]]
    )
    return Action(code, iso(since), due or iso(since), owner, policy, tuple(named), deputy)


# the rungs --------------------------------------------------------------------------------------------------------------
def _climbed(ledger: Ledger, counted: Counted) -> Iterator[Action]:
    left = {name: _standing(ledger, rungs) for name, rungs in counted.rungs.items()}
    if left["drop-out"]:
        left["assess"] = None
    codes = {"discuss": "discuss-with-prescriber", "assess": "assess-tolerance", "drop-out": "urgent-referral"}
    for name, rung in left.items():
        if rung is not None:
            yield _action(ledger, codes[name], rung.since, rung.evidence, threshold=name)
    stop = counted.stops[-1] if counted.stops else None
    if stop is not None and stop.lifted is None:
        yield _action(ledger, "supply-not-permitted", stop.since, stop.evidence, threshold="stop")
    yield from _possible(ledger, counted)
    yield from _odd(ledger, counted)
    yield from _restarts(ledger, counted)


def _standing(ledger: Ledger, rungs: list[Rung]) -> Rung | None:
    """The rung that stands: its run goes on, or no later order or consultation has come since it ended."""
    rung = rungs[-1] if rungs else None
    if rung is None or not rung.over:
        return rung
    later = [form.authored for form in ledger.forms.orders] + [one.day for one in ledger.facts.contacts]
    return None if any(day > rung.last for day in later) else rung


def _possible(ledger: Ledger, counted: Counted) -> Iterator[Action]:
    """confirm-last-dose: rungs that the possible reaches, and the evidenced does not; the gravest of them is named."""
    if counted.unsure_since is not None:
        days = [day for day in ledger.days if counted.last_full is None or day.day > counted.last_full.day]
        refs = [ref for day in days for ref in day.evidence]
        refs += counted.last_full.evidence if counted.last_full else [form.ref for form in ledger.forms.all]
        yield _action(ledger, "confirm-last-dose", counted.unsure_since, refs, threshold=counted.unsure[-1])


def _odd(ledger: Ledger, counted: Counted) -> Iterator[Action]:
    if counted.odd_since is not None:
        window = ledger.today - ledger.policy["odd-days-window"]
        refs = [ref for day in counted.missed if day.day > window for ref in day.evidence]
        yield _action(ledger, "suitability-review", counted.odd_since, refs, threshold="odd-days")


def _restarts(ledger: Ledger, counted: Counted) -> Iterator[Action]:
    stop = counted.stops[-1] if counted.stops else None
    if stop is not None and stop.lifted is None:
        for form in ledger.forms.orders:
            if not ledger.forms.is_restart(form) and form.authored >= stop.since:
                yield _action(ledger, "restart-review", form.authored, (form.ref, *stop.evidence), threshold="restart-review")
                return
    begun = [form for form in ledger.forms.orders if form.restarts is not None and form.first <= ledger.today]
    if begun:
        latest = begun[-1]
        if not any(one.face_to_face and one.day >= latest.first for one in ledger.facts.contacts):
            due = iso(latest.first + ledger.policy["restart-review"])
            yield _action(ledger, "restart-review", latest.first, (latest.ref,), threshold="restart-review", due=due)


# what the days show -----------------------------------------------------------------------------------------------------
def _seen(ledger: Ledger, counted: Counted) -> Iterator[Action]:
    yield from _first(ledger, "supply-after-stop", _after_stop(ledger, counted))
    yield from _first(ledger, "possible-double-dose", doubled(ledger))
    yield from _first(ledger, "conflicting-evidence", _conflicts(ledger))
    yield from _unreported(ledger)
    yield from _orders(ledger)
    yield from _depots(ledger)
    yield from _stays(ledger)


def _first(ledger: Ledger, code: str, found: Iterable[tuple[int, Iterable[str]]]) -> Iterator[Action]:
    """One action for all the days on which the same thing was seen, since the first."""
    days = list(found)
    if days:
        yield _action(ledger, code, days[0][0], (ref for _, refs in days for ref in refs))


def _conflicts(ledger: Ledger) -> list[tuple[int, Iterable[str]]]:
    """Days in conflict; and doses that somebody had after a form was stopped because the person died."""
    found: list[tuple[int, Iterable[str]]] = [(day.day, day.evidence) for day in ledger.days if day.state == "conflict"]
    dead = [one for one in ledger.facts.changes if one.reason == "deceased"]
    for one in ledger.facts.outcomes if dead else ():
        if one.day <= ledger.today and one.outcome not in NOT_HAD:
            found += [(one.day, (one.ref, each.ref)) for each in dead if each.day < one.day]
    return sorted(found, key=lambda each: each[0])


def _after_stop(ledger: Ledger, counted: Counted) -> Iterator[tuple[int, Iterable[str]]]:
    if not counted.stops and not ledger.facts.changes:
        return
    for one in ledger.facts.outcomes:
        if one.outcome not in HANDED_OVER or one.day > ledger.today:
            continue
        stops = [stop for stop in counted.stops if stop.since < one.day and (stop.until is None or one.day < stop.until)]
        over = ledger.forms.stopped(one.day, one.at, one.orders)
        if stops or over:
            yield one.day, (one.ref, *(ref for stop in stops for ref in stop.evidence), *(form.ref for form in over))


def _covers(ledger: Ledger, depot: Outcome) -> int:
    return ledger.policy.covers(depot.milligrams)


def _unreported(ledger: Ledger) -> Iterator[Action]:
    """not-reported: of the latest expected day that should have been heard of, a dose has not been."""
    since: Day | None = None
    for day in reversed(ledger.days):
        if day.state == "not-expected" or (since is None and not day.live):
            continue
        feed = feed_of(day.live, ledger.policy)
        if since is None and ledger.as_of < feed.closes(iso(day.day)) + feed.cadence:
            continue
        if not any(dose.state == "unreported" for dose in day.doses.values()):
            break
        since = day
    if since is not None:
        yield _action(ledger, "not-reported", since.day, (form.ref for form in since.live))


# orders -----------------------------------------------------------------------------------------------------------------
def _orders(ledger: Ledger) -> Iterator[Action]:
    forms, today = ledger.forms, ledger.today
    ahead = range(today, max((form.last for form in forms.all), default=today) + 1)
    on, twofold = next(((day, live) for day in ahead if len(live := forms.live(day)) > 1), (today, ()))
    if twofold:
        since = sorted(forms.came_back(form, on) for form in twofold)[1]  # when there were two
        yield _action(ledger, "overlapping-orders", since, (form.ref for form in twofold))
    live = forms.live(today) or tuple(form for form in forms.all if form.first <= today <= forms.end(form))  # held
    if live:
        latest = max(live, key=lambda form: (forms.end(form), form.ref))
        end = forms.end(latest)
        followed = forms.live(end + 1) or _is_depot(ledger, end + 1)
        if end - today <= ledger.policy["order-ending"] and not followed:
            since = max(end - ledger.policy["order-ending"], latest.authored, forms.fell_away(end + 1))
            yield _action(ledger, "order-ending", since, (latest.ref,), threshold="order-ending", due=iso(end))
        return
    begun = [form for form in forms.all if form.first <= today]
    if begun and not any(form.first <= today <= forms.end(form) for form in begun) and not _is_depot(ledger, today):
        latest = max(begun, key=lambda form: (forms.end(form), form.ref))
        over = forms.ends[latest.ref]
        if not forms.completed(today):
            refs = (latest.ref, *((over.ref,) if over is not None else ()))
            since = today
            while since - 1 > forms.end(latest) and not _is_depot(ledger, since - 1):
                since -= 1
            yield _action(ledger, "prescriber-gap", since, refs)


def _is_depot(ledger: Ledger, day: int) -> bool:
    return any(one.day <= day < one.day + _covers(ledger, one) for one in ledger.facts.outcomes if one.outcome == "depot")


def _depots(ledger: Ledger) -> Iterator[Action]:
    given = [one for one in ledger.facts.outcomes if one.outcome == "depot" and one.day <= ledger.today]
    if given:
        end, latest = max(((one.day + _covers(ledger, one) - 1, one) for one in given), key=lambda pair: (pair[0], pair[1].ref))
        followed = any(ledger.forms.live(day) for day in range(end + 1, max(end + 1, ledger.today) + 1))
        if end <= ledger.today and not followed:
            yield _action(ledger, "depot-due", max(end, ledger.forms.fell_away(end + 1)), (latest.ref,))


def _stays(ledger: Ledger) -> Iterator[Action]:
    stays = [stay for stay in ledger.facts.stays if stay.last is not None]
    silent = [stay for stay in stays if stay.mention == "not-mentioned"]
    yield from _first(ledger, "ost-not-mentioned", ((stay.last or 0, (stay.ref,)) for stay in silent))
    stated = [(one.day, one.place) for one in ledger.facts.outcomes if one.outcome == "elsewhere"]
    missing = [
        stay
        for stay in stays
        if stay.kind == "custody"
        and stay.mention != "mentioned"
        and not any(stay.touches(day) and place is not None and place == stay.place for day, place in stated)
    ]
    yield from _first(ledger, "handover-missing", ((stay.last or 0, (stay.ref,)) for stay in missing))


def _of_death(ledger: Ledger) -> list[Action]:
    death = ledger.facts.death
    assert death is not None
    found = [_action(ledger, "stop-supply-deceased", death.day, (death.ref, *_supply_planned(ledger, death.day)))]
    window = death.day - ledger.policy["death-after-form"]
    lately = [form for form in ledger.forms.all if form.first <= death.day and form.last > window]
    if lately:
        due = incident_due(death.known, ledger.policy).isoformat()
        refs = (death.ref, *(form.ref for form in lately))
        found.append(_action(ledger, "incident-notice", death.day, refs, threshold="incident-hours", due=due))
    after = [one for one in ledger.facts.outcomes if one.day > death.day and one.day <= ledger.today]
    doses = [one for one in after if one.outcome not in NOT_HAD]
    found += _first(ledger, "conflicting-evidence", ((one.day, (one.ref, death.ref)) for one in doses))
    return found


def _supply_planned(ledger: Ledger, day: int) -> Iterator[str]:
    """The forms with a dose date from a day on, held ones too, that had not ended before, and their collections since then."""
    ends = ledger.forms.ends
    forms = [form for form in ledger.forms.all if form.last >= day and ((over := ends[form.ref]) is None or over.day >= day)]
    yield from (form.ref for form in forms)
    for one in ledger.facts.collections:
        if one.on >= day and "#" not in one.ref and any(one.form & form.names for form in forms):  # one derived is no record
            yield one.ref
