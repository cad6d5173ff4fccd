"""What an urgent referral says in words for whoever decides on a restart, and which actions are risks (docs/care.md)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from adapter.care.actions import Action
from adapter.care.course import Decision, course
from adapter.care.ledger import Day, iso
from adapter.care.records import Json
from adapter.care.voice import Voice, words

#: Days that are told one by one, whatever came before them.
_DAYS = 28
#: Actions that are risks to a person who has not had a dose for long, the gravest first.
_RISKS = (
    "possible-double-dose",
    "supply-after-stop",
    "supply-not-permitted",
    "overlapping-orders",
    "confirm-last-dose",
    "conflicting-evidence",
    "restart-review",
    "depot-due",
    "prescriber-gap",
    "ost-not-mentioned",
    "handover-missing",
    "naloxone-due",
)
_ROLES = {"prescriber": "Prescriber", "care-coordinator": "Care coordinator", "pharmacist": "Pharmacy"}


def risks(voice: Voice, withdrawn: bool) -> list[Action]:
    """The actions that are risks, of a referral that is withdrawn those that were withdrawn with it; of each code one."""
    found = {one.code: one for one in reversed(voice.care.actions) if one.withdrawn is withdrawn}
    return [found[code] for code in _RISKS if code in found]


def note(voice: Voice) -> str:
    """The doses day by day, the last of them, what is recorded of consent to share, and whom to ring."""
    return " ".join([*_doses(voice), _consent(voice), *_people(voice)])


# doses ------------------------------------------------------------------------------------------------------------------
def _doses(voice: Voice) -> Iterator[str]:
    ledger, counted = voice.care.ledger, voice.care.counted
    first = ledger.today - _DAYS + 1
    if counted.last_full is not None:
        first = min(first, counted.last_full.day)
    runs = [list(run) for _, run in groupby((day for day in ledger.days if day.day >= first), key=_said)]
    told = "; ".join(f"{_span(run[0], run[-1])}: {_said(run[0])}" for run in runs)
    yield f"Dose days from {iso(runs[0][0].day)}, by what was known: {told}." if runs else "No dose day is known."
    observed, possible = counted.last_observed, counted.last_possible
    amount = f", {_amount(observed.amount)}" if observed is not None and observed.amount is not None else ""
    seen = "none is known" if observed is None else f"{iso(observed.day)}{amount}"
    yield f"Last dose that was observed or is evidenced by the place that gave it: {seen}."
    if possible is not None:
        yield f"A dose may have been taken as late as {iso(possible.day)} ({_said(possible)})."


def _span(first: Day, last: Day) -> str:
    return iso(first.day) if first is last else f"{iso(first.day)} to {iso(last.day)}"


def _said(day: Day) -> str:
    """The state of a day and its amount; of several doses each."""
    states = words("dose-day-state")
    if len(day.doses) < 2:
        return ", ".join([states[day.state][0], *([_amount(day.amount)] if day.amount is not None else [])])
    each = [
        f"dose {n} {states[dose.state][0]}"
        + (f" {_amount(dose.amount.quantity)}" if dose.amount and dose.amount.quantity else "")
        for n, dose in sorted(day.doses.items())
    ]
    return f"{states[day.state][0]} ({', '.join(each)})"


def _amount(quantity: Json) -> str:
    return f"{quantity.get('value', '')} {quantity.get('unit') or quantity.get('code') or ''}".strip()


# consent ----------------------------------------------------------------------------------------------------------------
def _consent(voice: Voice) -> str:
    """The latest decision for each with whom what is known of the person may be shared."""
    care = voice.care
    seen = course(voice.parties.records, care.ledger.as_of)
    latest = {one.recipient: one for one in seen.decisions if one.recipient[1] in ("information-sharing", "")}
    if not latest:
        return "Consent to share: none is recorded."
    said = "; ".join(_decision(one, iso(care.ledger.today)) for one in latest.values())
    return f"Consent to share, as recorded: {said}."


def _decision(one: Decision, today: str) -> str:
    until = f", until {one.ends.isoformat()}" if one.ends is not None else ""
    over = " (over since then)" if one.ends is not None and one.ends.isoformat() < today else ""
    return f"with {one.recipient[0] or 'nobody named'} {one.decision} {one.day.isoformat()}{until}{over}"


# people -----------------------------------------------------------------------------------------------------------------
def _people(voice: Voice) -> Iterator[str]:
    number = voice.sender.telephone or "no number is given"
    yield f"Whom to ring about this referral: {voice.sender.name}, {number}."
    for role, name in _ROLES.items():
        party = voice.parties.in_role(role)
        if party is not None:
            shown = party.get("display") or party["identifier"]["value"]
            yield f"{name}: {', '.join([shown, *voice.parties.telephones(party)])}."
