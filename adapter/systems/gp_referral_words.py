"""A referral in words for a GP: how urgent, what is asked of whom, the last dose, days missed, risks, consent, what became of it.

The record is that of mappings/gp_connect/update-record/referral.schema.json.
"""

from __future__ import annotations

from adapter.systems.gp_letter_words import (
    CONFIDENTIAL,
    HISTORY,
    REQUEST,
    Parties,
    dose,
    kinds,
    labels,
    note,
    notes,
    standing,
    tokens,
    withdrawn,
)
from adapter.systems.gp_words import (
    WITHDRAWN,
    Record,
    Row,
    amount,
    count,
    day,
    meanings,
    medicine,
    reasons,
    sent,
    span,
    terms,
    token,
    told,
)

SUBJECT = "A referral and what became of it"
PRIORITIES = {
    "routine": "Routine",
    "urgent": "URGENT",
    "asap": "AS SOON AS POSSIBLE",
    "stat": "AT ONCE",
}
CONSENT = {
    "given": "The person agrees to the referral.",
    "refused": "The person DOES NOT AGREE to the referral.",
    "not-asked": "The person HAS NOT BEEN ASKED whether they agree to the referral.",
    "best-interests": "The person lacks the capacity to decide on the referral; it is made in their best interests.",
}
TASKS = {
    "draft": "draft",
    "requested": "asked for",
    "received": "received",
    "accepted": "accepted",
    "rejected": "REJECTED",
    "ready": "ready to begin",
    "cancelled": "cancelled",
    "in-progress": "in progress",
    "on-hold": "on hold",
    "failed": "FAILED",
    "completed": "completed",
    "entered-in-error": "entered in error",
}
_NAME = "referral-kind"


def _is_restart(one: Record) -> bool:
    return any(kind.get("code") == "restart" for kind in one.get("kinds", ()))


def kind_words(several: list[Record]) -> str:
    """What kinds of referral it is."""
    return kinds(several, _NAME, "")


def head(one: Record) -> str:
    """How urgent, what kind, and whether it stands."""
    written = "".join(told(one, (("priority_words", ", as written: “{}”", str),)))
    urgency = PRIORITIES[one["priority"]] if "priority" in one else "Urgency" if written else "Urgency not said"
    numbers = "".join(told(one, (("identifiers", " ({})", tokens),)))
    what = kinds(one.get("kinds", ()), _NAME, "kind not said")
    said = [f"{standing(one)}{urgency}{written}. Referral{numbers}: {what}. Status: {REQUEST[one['status']]}."]
    return " ".join(said + told(one, (("labels", CONFIDENTIAL, labels),)))


_UNASKED = (
    (("what",), "What is asked is not said."),
    (("performers", "asked"), "Of whom it is asked is not said."),
    (("requester",), "Who asks is not said."),
    (("wanted",), "For when it is wanted is not said."),
)


def request(one: Record, who: Parties) -> str:
    """What is asked, of whom, for when, and who asks."""
    rows: tuple[Row, ...] = (
        ("what", "WHAT IS ASKED: {}.", lambda what: reasons(what, "")),
        ("performers", "Asked of: {}.", lambda several: ", ".join(who.organisation(p) for p in several)),
        ("asked", "Asked of: {}.", lambda handle: who.person({"ref": handle})),
        ("wanted", "WANTED FOR {}.", day),
        ("requester", "Asked by {}.", who.person),
        ("written", "Written {}.", day),
        ("written_absent", "When it was written is not given: {}.", str),
        ("contact", "Written at contact {}.", token),
        ("sent_by", "Sent: {}.", lambda several: kinds(several, "", "")),
    )
    return " ".join(told(one, rows) + [sentence for names, sentence in _UNASKED if not any(name in one for name in names)])


def last_dose(one: Record) -> list[str]:
    """The last dose and how it is known, or that it is not known; and the days missed. A restart always says something."""
    said = told(one, (("last_dose", "{}", dose),)) or (["LAST DOSE: not said."] if _is_restart(one) else [])
    missed = told(one, (("missed_days", "MISSED: {}, as the sender counts them.", lambda n: count(n, "dose-day") + " in a row"),))
    return said + (missed or (["How many dose-days were missed is not said."] if _is_restart(one) else []))


_WHY: tuple[Row, ...] = (
    ("reasons", "Reason: {}.", lambda several: kinds(several, "", "")),
    ("condition_records", "For a condition that is not in this message: record {}.", tokens),
)


def referral(record: Record) -> list[str]:
    """What the record says of the referral itself."""
    one = record["referral"]
    consent = CONSENT[one["consent"]] if "consent" in one else "Whether the person agrees to the referral is not said."
    why = " ".join(told(one, _WHY))
    filed = " ".join(told(one, HISTORY))
    doses = " ".join(last_dose(one))
    return [
        head(one),
        request(one, Parties(record)),
        *([doses] if doses else []),
        consent,
        *([why] if why else []),
        *notes(one.get("notes", ())),
        *([filed] if filed else []),
    ]


# what became of it ----------------------------------------------------------------------------------------------------
def outcome(one: Record, who: Parties) -> str:
    """What became of the referral, who deals with it, and by when."""
    came = reasons(one["outcome"], "referral-outcome") if "outcome" in one else "not said"
    rows: tuple[Row, ...] = (
        ("status", "Status: {}.", lambda code: TASKS[code]),
        ("status_reason", "Why: {}.", lambda why: reasons(why, "")),
        ("owner", "Dealt with by {}.", who.organisation),
        ("due", "TO BE DONE BY {}.", day),
        ("period", "Done {}.", span),
        ("made", "Taken up {}.", day),
        ("changed", "Last changed {}.", day),
        ("identifier", "Record {}.", token),
    )
    head = f"{WITHDRAWN * withdrawn(one)}WHAT BECAME OF THE REFERRAL: {came}."
    return " ".join([head, *told(one, rows), *notes(one.get("notes", ()))])


# risks, conditions, doses before --------------------------------------------------------------------------------------
def risk(one: Record) -> str:
    """A risk, with what it means."""
    code = one["what"].get("code")
    means = [] if code in (None, "other") else [meanings("risk")[code]]
    active = {"active": "RISK", "inactive": "Risk, no longer active", "entered-in-error": f"{WITHDRAWN}Risk"}[one["status"]]
    rows: tuple[Row, ...] = (("period", "Known {}.", span), ("by", "According to {}.", Parties({}).person))
    filed = told(one, (("identifier", "Record {}.", token),))
    return " ".join(
        [f"{active}: {reasons(one['what'], 'risk')}.", *means, *told(one, rows), *map(note, one.get("notes", ())), *filed]
    )


CONDITIONS = {
    "active": "active",
    "recurrence": "back",
    "relapse": "in relapse",
    "inactive": "not active",
    "remission": "in remission",
    "resolved": "resolved",
}
_CONDITION: tuple[Row, ...] = (
    ("status", "It is {}.", lambda code: CONDITIONS[code]),
    ("since", "Since {}.", day),
    ("identifier", "Record {}.", token),
)


def condition(one: Record) -> str:
    """A condition for which the person is referred."""
    what = reasons(one["what"], "") if "what" in one else "not named"
    return " ".join([f"Condition: {what}.", *told(one, _CONDITION), *notes(one.get("notes", ()))])


HISTORIES = {
    "active": "still had",
    "completed": "ended as planned",
    "stopped": "stopped",
    "on-hold": "on hold",
    "unknown": "whether it is still had is not known",
    "entered-in-error": "entered in error",
}
_DOSES: tuple[Row, ...] = (
    ("dose", "Dose: {}.", amount),
    ("directions", "As written: “{}”.", str),
    ("period", "Had {}.", span),
    ("status", "Status: {}.", lambda code: HISTORIES[code]),
    ("identifier", "Record {}.", token),
)


def history(one: Record) -> str:
    """What the person has had, by the sender's record."""
    return " ".join(
        [
            f"{WITHDRAWN * withdrawn(one)}Dose history: {medicine(one['product'])}.",
            *told(one, _DOSES),
            *notes(one.get("notes", ())),
        ]
    )


# the letter -----------------------------------------------------------------------------------------------------------
def title(record: Record) -> str:
    """The document's title: how urgent, who reports, what kind, and what became of it."""
    one = record["referral"]
    urgency = f"{PRIORITIES[one['priority']]}, " if one.get("priority") in ("urgent", "asap", "stat") else ""
    what = kinds(one.get("kinds", ()), _NAME, "referral")
    came = [terms("referral-outcome")[o["outcome"]["code"]] for o in record.get("outcomes", ())
            if "code" in o.get("outcome", {}) and not withdrawn(o)]  # fmt: skip
    said = ", ".join([what, *came])
    return f"{standing(one)}{urgency}{record['sender'].get('name', record['sender']['ods_code'])}: referral, {said}"


def report(record: Record) -> list[str]:
    """The letter in sentences: the referral, what became of it, the risks, then what stands behind it."""
    who = Parties(record)
    came = [outcome(one, who) for one in record.get("outcomes", ())]
    return [
        sent(record),
        *referral(record),
        *(came or ["What became of the referral is not said in this message."]),
        *map(risk, record.get("risks", ())),
        *map(history, record.get("history", ())),
        *map(condition, record.get("conditions", ())),
    ]
