"""An alert in words for a GP: what was found, what is asked of whom, by when, and whom to ring; or that it no longer stands.

It never says that nothing is asked where the practice may be meant. The record is that of
mappings/gp_connect/update-record/alert.schema.json.
"""

from __future__ import annotations

from adapter.systems.gp_letter_words import FOR_INFORMATION, dose, kinds, tokens, withdrawn
from adapter.systems.gp_words import (
    WITHDRAWN,
    Record,
    Row,
    count,
    day,
    meanings,
    organisation,
    person,
    reach,
    sent,
    terms,
    token,
    told,
)

SUBJECT = "What the care that is shared asks or tells"
#: Stands before an alert that was told and holds no longer.
TAKEN_BACK = "WITHDRAWN, it no longer stands: "
#: Roles of others than the practice. A prescriber may be one of its doctors; a role in words alone may be anybody's.
ELSEWHERE = frozenset(
    {
        "care-coordinator",
        "deputy",
        "keyworker",
        "pharmacist",
        "clinical-lead",
        "mental-health-worker",
        "social-worker",
        "carer",
    }
)
#: ITK3's codes for what a recipient is sent a message for. https://fhir.nhs.uk/STU3/CodeSystem/ITK-RecipientType-1
FOR = {"FA": "For Action", "FI": "For Information"}
_ACTION = "care-action"
_ROLE = "care-team-role"


# who is meant -----------------------------------------------------------------------------------------------------------
def _meant(record: Record) -> str:
    """Of whom it is or was asked: `practice`, `others`, or `open` where it may be somebody at the practice."""
    task = record.get("task", {})
    codes = [role.get("code") for role in task.get("roles", ())]
    if "gp" in codes:
        return "practice"
    all_known = bool(codes) and ELSEWHERE.issuperset([*codes, *filter(None, [task.get("deputy")])])
    return "others" if all_known else "open"


def _stands(one: Record) -> bool:
    return bool(one["standing"] == "due") and not withdrawn(one)


def recipient_type(record: Record) -> str:
    """FI where others are asked, else FA: whoever was asked must hear of a withdrawal too. Of any other letter FI."""
    return "FA" if "alert" in record and _meant(record) != "others" else "FI"


def purpose(record: Record) -> str:
    """The words beside the type of the document."""
    return f"{SUBJECT} (local document, {FOR[recipient_type(record)].lower()})"


# what was found ---------------------------------------------------------------------------------------------------------
def _standing(one: Record) -> str:
    """What stands before the first fact, so that nobody acts on an alert that was taken back."""
    if withdrawn(one):
        return WITHDRAWN
    return "" if _stands(one) else TAKEN_BACK


def _name(one: Record) -> str:
    return kinds([one["what"]], _ACTION, "")


def _kind(one: Record) -> str:
    return "withdrawal of an alert" if withdrawn(one) and one["standing"] == "withdrawn" else "alert"


def _words(one: Record) -> tuple[list[str], list[str]]:
    """What the action means, and the sender's own words where they are others."""
    meaning = told(one["what"], (("code", "{}", lambda code: meanings(_ACTION)[code]),))
    return meaning, [f"As told: “{words}”." for words in told(one, (("told", "{}", str),)) if words not in meaning]


def _head(one: Record) -> list[str]:
    """Which alert it is and whether it stands: what it says, and before that whether it is to be done."""
    numbers = "".join(told(one, (("identifiers", " ({})", tokens),)))
    meaning, own = _words(one)
    since = told(one, (("since", "{}", day),))
    if _stands(one):
        said = [f"ALERT{numbers}: {_name(one)}.", *meaning, *own]
        return [" ".join(said), *(f"It has stood since {first}." for first in since)]
    had = [*(f"Such an alert says: “{words}”" for words in meaning), *own]
    which = f"{_standing(one)}{_kind(one).capitalize()}{numbers}: {_name(one)}."
    return [which, *_history(one, since), *([" ".join(had)] if had else [])]


def _history(one: Record, since: list[str]) -> list[str]:
    """Which alert it was that no longer stands, since when it stood, and why it does not.

    A message does not say on which day the alert was told, so that neither does the letter.
    """
    which = "".join(told(one, (("withdraws", " {}", token),)))
    stood = "".join(f", which stood since {first}" for first in since)
    if withdrawn(one) and one["standing"] == "withdrawn":
        after_all = "Whether that stands after all is to be asked of the sender."
        return [f"The record of it should never have been made. It was to take back alert{which}{stood}. {after_all}"]
    if withdrawn(one):
        return [
            " ".join(["The record of it should never have been made.", *(f"It was to stand since {first}." for first in since)])
        ]
    return [
        f"It takes back alert{which}{stood}; on which day that was told, this message does not say.",
        "It no longer stands because of what is known now, as is said below. WHAT IT ASKED IS NOT TO BE DONE.",
    ]


def span_of(numbers: Record, what: str) -> str:
    """At least and at most so many, or that the one or the other is not known."""
    least, most = numbers.get("least"), numbers.get("most")
    if least is None:
        return f"how many at least is not said, at most {count(most, what)}"
    if most is None:
        return f"at least {count(least, what)}, how many at most is not known"
    return f"exactly {count(least, what)}" if least == most else f"at least {count(least, what)}, at most {most}"


_COUNTS: tuple[Row, ...] = (
    ("missed", "MISSED IN A ROW: {}.", lambda n: span_of(n, "dose-day")),
    ("missed_in_all", "Missed in the time on which the policy looks back: {}.", lambda n: span_of(n, "dose-day")),
    ("without", "WITHOUT A DOSE THAT IS EVIDENCED: {}.", lambda n: span_of(n, "day")),
)
_UNCOUNTED = (
    ("missed", "How many dose-days were missed in a row is not said."),
    ("without", "How many days went by without a dose is not said."),
)
_POSSIBLE: Row = ("last_possible_dose", "A dose MAY HAVE BEEN TAKEN as late as {}.", day)
_STATE = "dose-day-state"


def _days(several: list[Record]) -> str:
    """Every day with its state, and what the states that were named mean."""
    each = "; ".join(f"{day(one['date'])}: {terms(_STATE)[one['state']]}" for one in several)
    named = dict.fromkeys(one["state"] for one in several)
    return f"{each}. " + " ".join(f"{terms(_STATE)[state]}: {meanings(_STATE)[state]}" for state in named)


_GROUND: tuple[Row, ...] = (
    ("days", "DAY BY DAY: {}", _days),
    ("evidence", "The records that it names: {}.", tokens),
    ("as_of", "It speaks of what had happened by {}; what happened later is not counted.", day),
)
_TOLD: tuple[Row, ...] = (
    ("told_at", "Told {}.", day),
    ("told_to", "Told to: {}.", lambda several: ", ".join(map(person, several))),
)


def alert(record: Record) -> list[str]:
    """What the record says of the alert itself."""
    return [*_head(record["alert"]), *_ground(record)]


def _ground(record: Record) -> list[str]:
    """What the alert stands on: counts, doses, days, records, until when, and when it was told."""
    one = record["alert"]
    counts = told(one, _COUNTS) + [sentence for name, sentence in _UNCOUNTED if name not in one]
    doses = told(one, (("last_dose", "{}", dose),)) or ["LAST DOSE: none that was observed is told of."]
    return [
        " ".join(counts),
        " ".join(doses + told(one, (_POSSIBLE,))),
        *told(one, _GROUND),
        *([" ".join(said)] if (said := told(one, _TOLD)) else []),
    ]


# what is asked ----------------------------------------------------------------------------------------------------------
_ASKED = {
    "practice": "ASKED OF THE PRACTICE",
    "others": "Asked of others than the practice",
    "open": "ASKED, and it may be of somebody at the practice",
}
_TASK: tuple[Row, ...] = (
    ("roles", "Role: {}.", lambda several: kinds(several, _ROLE, "")),
    ("owner", "In that role: {}.", person),
    ("deputy", "Deputy, where they are absent: {}.", lambda code: terms(_ROLE)[code]),
    ("policy", "By the policy: {}.", str),
    ("identifiers", "Task {}.", tokens),
)


def asked(record: Record) -> list[str]:
    """What is asked of whom, and by when; of an alert that was taken back, that it is not asked."""
    if "task" not in record:
        return ["Who is to act, and by when, is not said in this message."] if _stands(record["alert"]) else []
    one, what = record["task"], _name(record["alert"])
    who = " ".join(told(one, _TASK) + ([] if {"roles", "owner"} & set(one) else ["Who is to act is not said."]))
    if _stands(record["alert"]):
        due = told(one, (("due", "TO BE DONE BY {}.", day),)) or ["By when is not said."]
        return [" ".join([f"{_ASKED[_meant(record)]}: {what}.", *due, who])]
    was = "".join(told(one, (("due", ", by {}", day),)))
    return [f"NO LONGER ASKED: {what}{was}. {who}"]


def ring(record: Record) -> list[str]:
    """Whom to ring about it, or that no number is given."""
    numbers = [way for way in record["sender"].get("telecoms", ()) if way.get("system") in ("phone", "sms")]
    said = [" ".join([f"WHOM TO RING ABOUT IT: {organisation(record['sender'])}.", *reach(record["sender"])])]
    return said if numbers else [*said, "No number to ring is given in this message."]


# the letter -------------------------------------------------------------------------------------------------------------
def title(record: Record) -> str:
    """The document's title: whether it stands, whether the practice is to act and by when, who reports, and what."""
    one = record["alert"]
    by = "".join(told(record.get("task", {}), (("due", " BY {}", day),)))
    meant = _meant(record)
    perhaps = " (PERHAPS OF THE PRACTICE)" if meant == "open" else ""
    action = f"FOR ACTION{by}{perhaps}: " if "task" in record and _stands(one) and meant != "others" else ""
    return f"{_standing(one)}{action}{record['sender'].get('name', record['sender']['ods_code'])}: {_kind(one)}, {_name(one)}"


def report(record: Record) -> list[str]:
    """The letter in sentences: what is told, what is asked by when, whom to ring, and after that on what ground."""
    others = [FOR_INFORMATION] if recipient_type(record) == "FI" else []
    return [sent(record), *_head(record["alert"]), *asked(record), *ring(record), *_ground(record), *others]
