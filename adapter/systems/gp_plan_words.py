"""A care plan in words for a GP: the person's own priorities in their words, what is asked of the GP, who does the rest, by when.

The record is that of mappings/gp_connect/update-record/care-plan.schema.json.
"""

from __future__ import annotations

from adapter.systems.gp_letter_words import HISTORY, REQUEST, Parties, kinds, notes, standing, tokens, withdrawn
from adapter.systems.gp_words import WITHDRAWN, Record, Row, coding_words, day, person, reach, reasons, sent, span, token, told

SUBJECT = "A care plan"
GOALS = {
    "proposed": "proposed",
    "planned": "planned",
    "accepted": "accepted",
    "active": "being worked towards",
    "on-hold": "on hold",
    "completed": "no longer being worked towards",
    "cancelled": "given up",
    "entered-in-error": "entered in error",
    "rejected": "rejected",
}
ACHIEVEMENT = {
    "in-progress": "in progress",
    "improving": "improving",
    "worsening": "getting worse",
    "no-change": "no change",
    "achieved": "achieved",
    "sustaining": "achieved and kept up",
    "not-achieved": "not achieved",
    "no-progress": "no progress",
    "not-attainable": "not attainable",
}
PRIORITIES = {"high-priority": "high", "medium-priority": "medium", "low-priority": "low"}
ACTIVITIES = {
    "not-started": "not started",
    "scheduled": "scheduled",
    "in-progress": "in progress",
    "on-hold": "on hold",
    "completed": "done",
    "cancelled": "cancelled",
    "stopped": "stopped",
    "unknown": "how far it is, is not known",
    "entered-in-error": "entered in error",
}
TEAMS = {
    "proposed": "proposed",
    "active": "active",
    "suspended": "suspended",
    "inactive": "no longer active",
    "entered-in-error": "entered in error",
}
_PLAN: tuple[Row, ...] = (
    ("status", "Status: {}.", lambda code: REQUEST[code]),
    ("period", "It runs {}.", span),
    ("created", "Written {}.", day),
)
_AGREEMENT: tuple[Row, ...] = (
    ("agreed", "{}", lambda yes: "The person AGREED the plan." if yes else "The person DID NOT AGREE the plan."),
    ("agreed_on", "Asked {}.", day),
    ("agreed_text", "On the agreement: “{}”.", str),
)
_RECORD: tuple[Row, ...] = (("identifiers", "Record {}.", tokens), ("contact", "Made at contact {}.", token), *HISTORY)


def _concept(one: Record, words: dict[str, str]) -> str:
    """A code of a list of FHIR's in plain words, with the source's."""
    said = [words[one["code"]]] if "code" in one else []
    said += told(one, (("name", "{}", str),)) + [coding_words(c) for c in one.get("other_codes", ())]
    return "; ".join(dict.fromkeys([*said, *told(one, (("text", "{}", str),))]))


_GOAL: tuple[Row, ...] = (
    ("status", "Status: {}.", lambda code: GOALS[code]),
    ("status_on", "Since {}.", day),
    ("status_reason", "Why: “{}”.", str),
    ("achievement", "How far: {}.", lambda one: _concept(one, ACHIEVEMENT)),
    ("priority", "Priority: {}.", lambda one: _concept(one, PRIORITIES)),
    ("from", "Begun {}.", day),
    ("by", "TO BE REACHED BY {}.", day),
    ("identifier", "Goal {}.", token),
)


def is_own(one: Record, patient: str | None) -> bool:
    """Whether a goal is the person's own."""
    return "person" in one and one["person"] == patient


def goal(one: Record, patient: str | None) -> str:
    """A goal verbatim, marked with whose words they are."""
    rank = "".join(told(one, (("rank", ", number {} of what matters most to the person", str),)))
    if is_own(one, patient):
        whose = f"THE PERSON'S OWN WORDS{rank}"
    else:
        said = person({k: one[name] for k, name in (("code", "said_by"), ("name", "said_by_name")) if name in one})
        whose = f"Goal{rank}, in the words of {said}" if said else f"Goal{rank}; whose words these are is not said"
    head = f"{WITHDRAWN * withdrawn(one)}{whose}: “{one['text']}”."
    return " ".join([head, *told(one, _GOAL), *notes(one.get("notes", ()))])


# what is to be done, and who does it ----------------------------------------------------------------------------------
def _same(one: Record, member: Record) -> bool:
    code = one.get("code")
    return bool(code == member.get("code") if code and "code" in member else "name" in one and one["name"] == member.get("name"))


def _is_gp(one: Record, record: Record) -> bool:
    """Whether one who does something is the GP of the care team."""
    members = record.get("team", {}).get("members", ())
    return any(m.get("role", {}).get("code") == "gp" and _same(one, m) for m in members)


def of_gp(activity: Record, record: Record) -> bool:
    """Whether an activity is asked of the GP, by the care team of the message."""
    return (
        activity["status"] != "entered-in-error"
        and not activity.get("prohibited")
        and any(_is_gp(one, record) for one in activity.get("by", ()))
    )


def activity(one: Record, record: Record) -> str:
    """Something that is to be done: what, by whom, when, how far it is, and which goals it serves."""
    what = reasons(one["what"], "care-plan-activity") if "what" in one else "An activity that is not named"
    taken_back = WITHDRAWN * (one["status"] == "entered-in-error")
    asked = "NOT TO BE DONE: " if one.get("prohibited") else "ASKED OF THE GP: " if of_gp(one, record) else "To be done: "
    serves = [g["text"] for g in record.get("goals", ()) if g["ref"] in one.get("goals", ())]
    rows: tuple[Row, ...] = (
        ("by", "By {}.", Parties(record).persons),
        ("period", "When: {}.", span),
        ("when", "When, as written: “{}”.", str),
        ("description", "As written: “{}”.", str),
        ("status", "Status: {}.", lambda code: ACTIVITIES[code]),
        ("status_reason", "Why: “{}”.", str),
        ("identifier", "Activity {}.", token),
    )
    nobody = [] if "by" in one else ["Who does it is not said."]
    return " ".join([f"{taken_back}{asked}{what}.", *told(one, rows), *nobody, *(f"For the goal “{text}”." for text in serves)])


def asked(record: Record) -> list[str]:
    """What is to be done: first what is asked of the GP, or that nothing is."""
    every = record["plan"].get("activities", ())
    mine = [one for one in every if of_gp(one, record)]
    if not mine:
        named = any(m.get("role", {}).get("code") == "gp" for m in record.get("team", {}).get("members", ()))
        first = ["No activity of this plan is asked of the GP." if named else "The plan does not say who the person's GP is."]
    else:
        first = [activity(one, record) for one in mine]
    return first + [activity(one, record) for one in every if one not in mine]


# who shares the care --------------------------------------------------------------------------------------------------
_MEMBER: tuple[Row, ...] = (("period", "{}", span),)


def _member(one: Record) -> list[str]:
    role = reasons(one["role"], "care-team-role") if "role" in one else "Member whose part is not said"
    of = person({k: one[name] for k, name in (("code", "organisation_code"), ("name", "organisation")) if name in one})
    said = [person(one) or "not named", *([f"of {of}"] if of else []), *told(one, _MEMBER)]
    return [f"{role}: {', '.join(said)}.", *reach(one)]


def team(record: Record) -> list[str]:
    """Who shares the care, each with the ways to reach them."""
    one = record.get("team")
    if one is None:
        return []
    name = "".join(told(one, (("name", " “{}”", str),)))
    status = "".join(told(one, (("status", ", {}", lambda code: TEAMS[code]),)))
    taken_back = WITHDRAWN * (one.get("status") == "entered-in-error")
    numbers = told(one, (("identifiers", "Record {}.", tokens),))
    members = [line for m in one.get("members", ()) for line in _member(m)]
    return [" ".join([f"{taken_back}Care team{name}{status}.", *numbers]), *members]


# the letter -----------------------------------------------------------------------------------------------------------
def title(record: Record) -> str:
    """The document's title: who reports, what kind of plan, and its title."""
    one = record["plan"]
    name = "".join(told(one, (("title", ", “{}”", str),)))
    what = kinds(one.get("kinds", ()), "care-plan-kind", "Care plan")
    return f"{standing(one)}{record['sender'].get('name', record['sender']['ods_code'])}: {what}{name}"


def plan(record: Record) -> list[str]:
    """What the record says of the plan as a whole: status and review first, then whether the person agreed it."""
    one = record["plan"]
    name = "".join(told(one, (("title", " “{}”", str),)))
    author = told(one, (("author", "By {}.", Parties(record).person),))
    review = told(one, (("review_due", "REVIEW DUE {}.", day),)) or ["When it is to be reviewed is not said."]
    head = f"{standing(one)}Care plan{name}, {kinds(one.get('kinds', ()), 'care-plan-kind', 'kind not said')}."
    agreed = told(one, _AGREEMENT)
    if "agreed" not in one:
        agreed = ["Whether the person agreed the plan is not said.", *agreed]
    words = told(one, (("description", "The plan, as written: “{}”.", str),))
    return [" ".join([head, *told(one, _PLAN), *author, *review]), " ".join(agreed), *words]


def report(record: Record) -> list[str]:
    """The letter in sentences: the plan, the person's own priorities, what is asked, the other goals, notes."""
    patient = record["patient"].get("ref")
    goals = sorted(record.get("goals", ()), key=lambda one: (not is_own(one, patient), one.get("rank", float("inf"))))
    one = record["plan"]
    own = [goal(g, patient) for g in goals if is_own(g, patient)] or ["No goal of this plan is marked as the person's own."]
    others = [goal(g, patient) for g in goals if not is_own(g, patient)]
    filed = " ".join(told(one, _RECORD))
    return [sent(record), *plan(record), *own, *asked(record), *others, *notes(one.get("notes", ())), *([filed] if filed else [])]
