"""What is told of the facts of a person: what could not be counted as it was said (docs/care.md, "What is told of the facts").

No text shows a value of the person: a record is told of by the system that it came from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from adapter.care.dose_reading import happened
from adapter.care.facts import Change, Fact, Form, Outcome
from adapter.care.forms import changed
from adapter.care.known import Known, deaths
from adapter.care.ledger import Ledger
from adapter.care.records import EARLIEST, Record, ours, part, standing
from adapter.care.times import day_and_moment, day_received, is_after_receipt
from adapter.fhir.outcome import Issue, issue

_FORM, _DOSE, _DEATH = "MedicationRequest", "MedicationDispense", "Patient.deceased"
_KINDS = {_FORM: "form", _DOSE: "dose", "MedicationAdministration": "dose", "MedicationStatement": "dose elsewhere"}
_CHANGE = f"{_FORM}.extension('{ours('order-change')}')"
_NAME, _SERIAL = f"{_FORM}.identifier", f"{_FORM}.groupIdentifier"
_MEANT = "Ask the sender which form is meant, and before the next supply; have the change sent with the identifier of that form."
_WHEN = "Ask the sender for the right time, and have the record corrected."

#: Rule -> severity, places, text with a hole for what it is about, mend.
RULES: dict[str, tuple[str, tuple[str, ...], str, str]] = {
    "change-form-unknown": (
        "error",
        (_NAME, _SERIAL),
        "A change of a form ({what}) names no form that stands, by identifier or by serial: nothing is changed by it.",
        _MEANT,
    ),
    "change-form-several": (
        "error",
        (_SERIAL,),
        "A change of a form ({what}) names several forms, by a serial that they share: none of them is changed by it.",
        _MEANT,
    ),
    "change-form-differs": (
        "warning",
        (_NAME, _SERIAL),
        "A change of a form ({what}) has the identifier of one form and the serial of another: the former is changed.",
        _MEANT,
    ),
    "dose-number": (
        "warning",
        (f"{_DOSE}.extension('{ours('dose-number')}')",),
        "A dose is told of ({what}) by a number that no form prescribes for its day: it counts as one more dose of that day.",
        "Ask the sender which dose is meant, and have the record corrected.",
    ),
    "medicine-unknown": (
        "warning",
        ("MedicationRequest.medication", "MedicationDispense.medication"),
        "A record ({what}) counts whose medicine no code or name tells: it may be none of opioid substitution treatment.",
        "Name or code the product as dm+d does.",
    ),
    "copy-withdrawn": (
        "warning",
        (f"{_DOSE}.identifier",),
        "A dose ({what}) is not counted: a record that says the same under another identifier was withdrawn or corrected.",
        "Ask the sender whether the dose was withdrawn, or its double entry alone; then have it sent as what replaces that.",
    ),
    "told-ahead": (
        "error",
        (f"{_DOSE}.extension('{ours('dose-date')}')", "Encounter.period"),
        "A record ({what}) tells of a day that had not come when it was received as if it had: it is not counted.",
        "Ask the sender what is known, and have the record sent again when the day has come.",
    ),
    "supply-undated": (
        "warning",
        (f"{_DOSE}.extension('{ours('dose-date')}')",),
        "A supply of substitution treatment ({what}) names no dose date: it is not counted, and nothing is raised by it.",
        "See in the system that sent it for which days it is, and whether one of them comes after a stop.",
    ),
    "injection-unknown": (
        "warning",
        ("MedicationAdministration.dosage.dose",),
        "An injection ({what}) is of a dose that no policy knows: it counts for its own day, and raises what the longest does.",
        "Send the dose in milligrams, or add it to the depots of the policy.",
    ),
    "time-after-receipt": (
        "warning",
        (f"{_DOSE}.whenHandedOver", f"{_DOSE}.extension('{ours('recorded')}')", f"{_CHANGE}.extension('recorded')"),
        "A record ({what}) says a time that is later than its receipt: it counts from its receipt.",
        _WHEN,
    ),
    "death-by-change": (
        "error",
        (f"{_CHANGE}.extension('reason')", _DEATH),
        "A form was stopped because the person died ({what}), and no record of the person says so: no death is counted.",
        "Find out today whether the person lives; stop every supply, or have the reason corrected.",
    ),
    "death-not-denied": (
        "warning",
        (_DEATH,),
        "A record received later than the death says beside what it is about that the person lives ({what}): the death stands.",
        "Ask the sender; where the person lives, have that told in a message about the person.",
    ),
    "death-after-receipt": (
        "warning",
        (_DEATH,),
        "The death ({what}) is dated after the day on which that was received: it counts from the day of receipt.",
        _WHEN,
    ),
    "death-after-as-of": (
        "information",
        (_DEATH,),
        "A death ({what}) is dated, or where nobody dates it was received, after the day that is asked about: it is not counted.",
        "Ask about a later day.",
    ),
}


def told(rule: str, what: str) -> Issue:
    """The issue of a rule. what: the kind of record and the system that it came from."""
    severity, places, text, mend = RULES[rule]
    return issue(severity, "business-rule", rule, text.format(what=what), expression=places, mend=mend)


def of_facts(ledger: Ledger, known: Known, records: Sequence[Record], known_at: datetime | None) -> list[Issue]:
    """What is told of the facts of a ledger, the same thing once. records: those of the person that stand at known_at."""
    counted = {id(one) for one in (*ledger.facts.changes, *ledger.facts.outcomes)}
    found = [(known.facts[id(one)], one) for one in records if id(known.facts.get(id(one))) in counted]
    said = [*_of_death(ledger, known, known_at)]
    copies = (one for one in ledger.facts.copies if one.day <= ledger.today)
    said += [("copy-withdrawn", f"{one.outcome}, from {one.source}") for one in copies]
    ahead = (one for one in standing(known.ahead, known_at) if known.days_ahead[id(one)] <= ledger.today)
    said += [("told-ahead", f"{_KINDS.get(one.type, 'consultation')}, {_source(one)}") for one in ahead]
    said += [("supply-undated", _source(one)) for one in _happened(known.dateless, ledger, known_at)]
    said += _of_unsure_deaths(ledger, known, known_at)
    unknown = _of_unknown_medicines(ledger, known, records)
    said += [("medicine-unknown", f"{_KINDS[one.type]}, {_source(one)}") for one in unknown]
    for fact, record in found:
        if isinstance(fact, Outcome) and fact.day > ledger.today:
            continue  # handed over for a day that has not come: nothing counts by it yet
        said += ((rule, f"{kind}, {_source(record)}") for rule, kind in _of(fact, record, ledger))
    return [told(rule, what) for rule, what in sorted(set(said), key=lambda one: (list(RULES).index(one[0]), one[1]))]


def _happened(records: Sequence[Record], ledger: Ledger, known_at: datetime | None) -> Iterator[Record]:
    """Those that stand, and were received by as-of."""
    return (one for one in standing(records, known_at) if one.received <= ledger.as_of)


def _of_unsure_deaths(ledger: Ledger, known: Known, known_at: datetime | None) -> Iterator[tuple[str, str]]:
    """A death of which only a stop speaks, and one that a record about something else seems to deny."""
    death = ledger.facts.death
    if death is None:
        yield from (("death-by-change", "change of a form") for one in ledger.facts.changes if one.reason == "deceased")
        return
    later = [one for one in known.carrying_life if known_at is None or one.received <= known_at]
    yield from (("death-not-denied", _source(one)) for one in later if death.known < one.received <= ledger.as_of)


def _of_unknown_medicines(ledger: Ledger, known: Known, records: Iterable[Record]) -> Iterator[Record]:
    """The records of forms and doses that count though nobody here knows what medicine they are of."""
    if not known.unknown:
        return
    doses = {one.ref for one in ledger.facts.outcomes if one.day <= ledger.today}
    counted = {form.ref for form in ledger.facts.forms} | doses
    for record in records:
        fact = known.facts.get(id(record))
        if id(record) in known.unknown and isinstance(fact, Form | Outcome) and fact.ref in counted:
            yield record


def _source(record: Record) -> str:
    return f"from {record.source or 'a system that is not named'}"


def _of(fact: Fact, record: Record, ledger: Ledger) -> Iterator[tuple[str, str]]:
    """The rules that a record breaks, and what it is."""
    skew = timedelta(minutes=ledger.policy["clock-skew"])
    if isinstance(fact, Change):
        if (rule := _named(fact, ledger)) is not None:
            yield rule, fact.kind
        if is_after_receipt(record, part(record.said("order-change"), "recorded"), skew):
            yield "time-after-receipt", "change of a form"
    elif isinstance(fact, Outcome):
        prescribed = any(form.first <= fact.day <= form.last for form in ledger.forms.all)
        if prescribed and fact.number > ledger.forms.doses(fact.day):
            yield "dose-number", fact.outcome
        if fact.outcome == "depot" and not ledger.policy.knows(fact.milligrams):
            yield "injection-unknown", _source(record)
        if any(is_after_receipt(record, at, skew) for at in (happened(record), record.said("recorded"))):
            yield "time-after-receipt", fact.outcome


def _named(change: Change, ledger: Ledger) -> str | None:
    """How a change does not name one form."""
    facts = ledger.facts
    alike = {form.names for form in facts.forms if change.serial is not None and form.serial == change.serial}
    if change.form & facts.orders:
        return None
    if not changed(change, facts):
        return "change-form-several" if alike else "change-form-unknown"
    differs = alike and not any(change.form & names for names in alike) and any(change.form & form.names for form in facts.forms)
    return "change-form-differs" if differs else None


def _of_death(ledger: Ledger, known: Known, known_at: datetime | None) -> Iterator[tuple[str, str]]:
    said = deaths(known.deaths, known_at)
    if not said:
        return
    if ledger.facts.death is None:
        yield "death-after-as-of", _source(said[-1])
        return
    dated = day_and_moment(said[-1].resource.get("deceasedDateTime"))
    if dated is not None and said[-1].received > EARLIEST and dated[0] > day_received(said[-1]):
        yield "death-after-receipt", _source(said[-1])
