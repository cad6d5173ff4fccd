"""What can be told of an instalment plan and of the form that it is made from: one rule each, with its text and its mend.

Texts show amounts and dose dates, which a person needs to mend the form, and nothing that says who the patient is.
"""

from __future__ import annotations

from collections.abc import Iterable

from adapter.care.records import ours
from adapter.fhir.outcome import Issue, issue

FORM = "MedicationRequest"
STEPS = f"{FORM}.dosageInstruction"
TOTAL = f"{FORM}.dispenseRequest.quantity"
_VALIDITY = f"{FORM}.dispenseRequest.validityPeriod"
CONTROLLED = "https://fhir.nhs.uk/StructureDefinition/Extension-DM-ControlledDrug"
_WORDS = f"{FORM}.extension('{CONTROLLED}').extension('quantityWords')"
_PERIOD, _SUPERVISION, _PLANNED = (
    f"{FORM}.extension('{ours(name)}')" for name in ("treatment-period", "required-supervision", "planned-collection")
)
_ASK = "Ask the prescriber which is meant."
_ANOTHER = "Ask the prescriber for another form."
_MEND = "Mend the planned collections."

#: Severity, place, text with holes, mend.
Rule = tuple[str, str, str, str]


def _units(what: str) -> Rule:
    return "error", TOTAL, f"{what}: they are neither added nor compared.", "Say all amounts in one unit."


def _planned(what: str) -> Rule:
    return "error", _PLANNED, f"{what}: {{days}}.", _MEND


def _sum(text: str) -> Rule:
    return "error", TOTAL, text, _MEND


RULES: dict[str, Rule] = {
    # the form
    "ost-treatment-period": ("error", _PERIOD, "{what}", _ANOTHER),
    "plan-step": (
        "error",
        STEPS,
        "A step does not say surely on which days it is taken, how often a day, and how much: nothing is planned.",
        "Give the step its period, its doses a day and its dose.",
    ),
    "plan-steps-overlap": (
        "error",
        STEPS,
        "Steps that follow each other prescribe for the same day, so that nothing is planned: {days}.",
        "Let each step end before the next begins.",
    ),
    "plan-dose-dates": (
        "error",
        STEPS,
        "Days of the treatment period without a dose: {days}. Steps with days outside of it: {steps}.",
        "Let the steps begin and end with the treatment period.",
    ),
    "mg-against-ml": _units("One amount is in mg and another in ml"),
    "plan-units": _units("The amounts are in different units"),
    "plan-total": ("error", TOTAL, "The doses of the form add up to {doses}, and its total is {total}.", _ASK),
    "plan-words": ("error", _WORDS, "The form's total is {total} in figures, and {words} in words{doses}.", _ASK),
    "plan-words-unread": (
        "warning",
        _WORDS,
        "The total in words cannot be read as one amount, so that it was not compared with the figures.",
        "Compare them by eye.",
    ),
    "plan-supervision": ("warning", _SUPERVISION, "The form {what}.", _ASK),
    # the plan
    "plan-first-supply": (
        "error",
        _VALIDITY,
        "The first collection, on {on}, is not from {first} to {last}, as the first supply must be.",
        _ANOTHER,
    ),
    "plan-first-day": (
        "warning",
        _PERIOD,
        "No day of collection is on or before these dose dates, so that they are collected on the first of them: {days}.",
        "Name a day of collection on or before the first dose date.",
    ),
    "plan-pick-up-unused": (
        "warning",
        _PERIOD,
        "Days of collection on which nothing is due: {days}.",
        "Leave them out, or mend the treatment period.",
    ),
    "plan-supervised-day": (
        "warning",
        _PERIOD,
        "Doses to be supervised that are taken home, since they are collected before: {days}.",
        "Let each supervised day be a day of collection.",
    ),
    "plan-closed-day": (
        "error",
        _PERIOD,
        "The pharmacy is closed on days of collection, and the form does not allow an earlier supply: {days}.",
        "Ask the prescriber for a form with the wording for closed days, or with other days of collection.",
    ),
    "plan-no-prior-day": (
        "error",
        _PERIOD,
        "The pharmacy is closed on days of collection and on every day of the treatment before them: {days}.",
        "Ask the prescriber for another form, or arrange the collection at another pharmacy.",
    ),
    # collections that nobody planned
    "plan-derived": (
        "information",
        FORM,
        "No message plans its collections. They are derived from what the form says of its days (rule {how}): {days}.",
        "Compare them with what was arranged with the pharmacy.",
    ),
    "plan-pick-up-unread": (
        "warning",
        STEPS,
        "What the form says of its days of collection cannot be read as one arrangement: no collections are planned.",
        "Send the planned collections with the form, or say its days in plain words.",
    ),
    # collections that somebody else planned
    "plan-dose-twice": _planned("Dose dates that are covered more than once"),
    "plan-dose-uncovered": _planned("Dose dates that no collection covers"),
    "plan-dose-outside": _planned("Days that are covered and are no dose dates of the form"),
    "ost-planned-covers": _planned("Dose dates before the collection that covers them"),
    "plan-collection-quantity": _sum("The collection on {on} is {quantity}, and the doses that it covers add up to {doses}."),
    "plan-collections-total": _sum("The collections add up to {quantity}, and the form's total is {total}."),
}


def told(rule: str, *, places: Iterable[str] = (), days: Iterable[str] = (), **shown: object) -> Issue:
    """The issue of a rule. places: FHIRPaths, where they are nearer than the rule's own; days and the others fill the text."""
    severity, place, text, mend = RULES[rule]
    said = text.format(days=", ".join(days) or "none", **shown)
    return issue(severity, "business-rule", rule, said, expression=list(places) or place, mend=mend)
