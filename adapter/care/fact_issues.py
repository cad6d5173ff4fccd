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
from adapter.care.records import EARLIEST, Record, ours, part
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
    "time-after-receipt": (
        "warning",
        (f"{_DOSE}.whenHandedOver", f"{_DOSE}.extension('{ours('recorded')}')", f"{_CHANGE}.extension('recorded')"),
        "A record ({what}) says a time that is later than its receipt: it counts from its receipt.",
        _WHEN,
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


def of_facts(ledger: Ledger, known: Known, standing: Sequence[Record], known_at: datetime | None) -> list[Issue]:
    """What is told of the facts of a ledger, the same thing once. standing: the person's records that stand at known_at."""
    counted = {id(one) for one in (*ledger.facts.changes, *ledger.facts.outcomes)}
    found = [(known.facts[id(one)], one) for one in standing if id(known.facts.get(id(one))) in counted]
    said = [*_of_death(ledger, known, known_at)]
    said += [
        ("medicine-unknown", f"{_KINDS[one.type]}, {_source(one)}") for one in _of_unknown_medicines(ledger, known, standing)
    ]
    for fact, record in found:
        said += ((rule, f"{kind}, {_source(record)}") for rule, kind in _of(fact, record, ledger))
    return [told(rule, what) for rule, what in sorted(set(said), key=lambda one: (list(RULES).index(one[0]), one[1]))]


def _of_unknown_medicines(ledger: Ledger, known: Known, standing: Iterable[Record]) -> Iterator[Record]:
    """The records of forms and doses that count though nobody here knows what medicine they are of."""
    if not known.unknown:
        return
    counted = {form.ref for form in ledger.facts.forms} | {one.ref for one in ledger.facts.outcomes}
    for record in standing:
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
