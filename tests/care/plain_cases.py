"""Plain invented schedules in the compact form of fixtures/care: one person, one dose a day, the same for the same seed.

One to three forms one after the other, what became of each day's dose, at times a stay, a stopped form, a consultation; asked about
at the end of a day. All days lie in summer time. Kept out: depots, several doses a day, hours, known-at, versions, withdrawals, serials, changes but stops,
completed treatment, doses before the first form, death, local policies.
"""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

Json = dict[str, Any]
PLACES = {"hospital": "RLH01", "custody": "HMP01"}
#: Every state that a day of a plain schedule can have.
STATES = [
    "supervised",
    "take-home",
    "missed",
    "withheld",
    "not-swallowed",
    "partial",
    "conflict",
    "elsewhere-evidenced",
    "elsewhere-unreported",
    "due",
    "unreported",
    "not-expected",
]
#: How somebody lives for some days (how many at least and at most), and what becomes of the dose of each; "" is told by nobody.
WAYS: list[tuple[int, int, dict[str, int]]] = [
    (3, 10, {"supervised": 80, "take-home": 12, "missed": 5, "": 3}),
    (3, 8, {"supervised": 15, "take-home": 75, "missed": 6, "": 4}),
    (4, 9, {"supervised": 40, "missed": 35, "withheld": 7, "not-swallowed": 6, "partial": 6, "": 6}),
    (2, 8, {"missed": 93, "": 7}),
    (8, 20, {"missed": 90, "withheld": 5, "": 5}),
    (2, 17, {"": 92, "missed": 8}),
    (2, 16, {"withheld": 45, "not-swallowed": 25, "partial": 25, "supervised": 5}),
]
OFTEN = (30, 10, 24, 12, 8, 8, 8)


def plain_case(seed: int) -> Json:
    """An invented schedule."""
    pick = random.Random(seed)
    forms, changes, lapses = _forms(pick, date(2026, 4, 6) + timedelta(pick.randint(0, 90)))
    first, last = forms[0]["first"], max(form["last"] for form in forms)
    span = [
        str(date.fromisoformat(first) + timedelta(n))
        for n in range((date.fromisoformat(last) - date.fromisoformat(first)).days + 5)
    ]
    stays, stated = _stay(pick, span) if pick.random() < 0.25 else ([], [])
    doses = _doses(pick, forms, lapses, span, stays)
    asked = pick.choice(span[2:] if pick.random() < 0.6 else span[-7:])
    case: Json = {"as-of": asked, "forms": forms, "changes": changes, "stays": stays}
    case["doses"] = doses + [{"id": f"E{n}", **one} for n, one in enumerate(stated)]
    case["consultations"] = [_consultation(pick, span) for _ in range(pick.choice((0, 0, 0, 1, 2)))]
    return case


def _forms(pick: random.Random, first: date) -> tuple[list[Json], list[Json], set[str]]:
    """Forms one after the other, which of them were stopped, and the days that were missed before a restart."""
    forms: list[Json] = []
    changes: list[Json] = []
    lapses: set[str] = set()
    pharmacy = "FZZ01"
    for n in range(pick.choice((1, 2, 2, 3))):
        last = first + timedelta(pick.randint(4, 13))
        before = pick.choice((0, 0, 0, 0, 1, 1, 2, 4, -1, -2))  # at times a form is dated back
        form: Json = {"id": f"F{n}", "authored": str(first - timedelta(before)), "first": str(first)}
        form |= {"last": str(last), "mg": pick.choice((30, 40, 60)), "pharmacy": pharmacy}
        if n and pick.random() < 0.45:
            form |= {"restarts": f"F{n - 1}", "reason": pick.choice(("missed-doses", "drop-out"))}
            end = pick.choice((0, 1, 1, 1, 2))
            if pick.random() < 0.12:  # dated back by more, of the days that were missed
                form["authored"] = str(first + timedelta(pick.randint(2, 8)))
                end = -pick.randint(3, 8)
            lapses |= {str(first - timedelta(ago)) for ago in range(end, end + pick.randint(3, 9))}
        if pick.random() < 0.5:
            _plan(pick, form, first, last)
        forms.append(form)
        if (last - first).days > 5 and pick.random() < 0.15:  # stopped before its end
            last = first + timedelta(pick.randint(2, (last - first).days))
            changes.append({"form": form["id"], "type": "stopped", "effective": str(last), "reason": "prescriber-decision"})
            last -= timedelta(1)
        first = max(first + timedelta(1), last + timedelta(pick.choice((1, 1, 1, 1, 2, 4, 7, -1, -3))))
        pharmacy = "FZZ02" if pick.random() < 0.2 else pharmacy
    return forms, changes, lapses


def _plan(pick: random.Random, form: Json, first: date, last: date) -> None:
    """Collections of one to three days each, some of them days on which the pharmacy is closed."""
    collections, closed = [], []
    while first <= last:
        covers = [str(first + timedelta(n)) for n in range(pick.randint(1, 3)) if first + timedelta(n) <= last]
        collections.append({"on": covers[0], "covers": covers})
        closed += [day for day in covers[1:] if pick.random() < 0.2]
        first += timedelta(len(covers))
    form |= {"collections": collections, "closed": closed, "wordings": ["missed-collection"] * pick.randint(0, 1)}


def _stay(pick: random.Random, span: list[str]) -> tuple[list[Json], list[Json]]:
    """A stay in hospital or custody, ended or not, and the doses that somebody says were had there."""
    kind = pick.choice(("hospital", "custody"))
    begin = pick.randrange(len(span))
    days = span[begin : begin + pick.randint(1, 7)]
    stay: Json = {"kind": kind, "from": f"{days[0]}T08:00:00Z", "place": PLACES[kind], "mention": "mentioned"}
    if pick.random() < 0.85:
        stay["to"] = f"{days[-1]}T15:00:00Z"
    told = [day for day in span[max(0, begin - 1) : begin + len(days) + 1] if pick.random() < 0.4]
    by = [pick.choice(({"by": PLACES[kind]}, {"by": PLACES[kind]}, {"by": "RLH09"}, {})) for _ in told]
    return [stay], [{"on": day, "is": "elsewhere", **who} for day, who in zip(told, by, strict=True)]


def _doses(pick: random.Random, forms: list[Json], lapses: set[str], span: list[str], stays: list[Json]) -> list[Json]:
    """What is told of each day."""
    doses: list[Json] = []
    left, way = 0, WAYS[0][2]
    for day in span:
        if not left:
            least, most, way = pick.choices(WAYS, OFTEN)[0]
            left = pick.randint(least, most)
        left -= 1
        here = [form for form in forms if form["first"] <= day <= form["last"]]
        away = any(stay["from"][:10] <= day <= stay.get("to", day)[:10] for stay in stays)
        outcome = pick.choices(list(way), list(way.values()))[0]
        if day in lapses:
            outcome = pick.choices(("missed", "", "withheld"), (94, 3, 3))[0]
        elif away:
            outcome = pick.choices(("", "missed", "withheld", outcome), (60, 20, 5, 15))[0]
        elif not here:
            outcome = outcome if pick.random() < 0.02 else ""
        handed = next((plan["on"] for form in here for plan in form.get("collections", ()) if day in plan["covers"][1:]), "")
        before = {one["is"] for one in doses if one["on"] == handed}
        if handed and "supervised" in before and pick.random() < 0.85:
            outcome = "take-home"
        elif handed and "missed" in before and pick.random() < 0.8:
            outcome = ""
        if outcome:
            doses += _told(pick, {"id": f"D{len(doses)}", "on": day, "is": outcome}, handed, here)
    return doses


def _told(pick: random.Random, dose: Json, handed: str, here: list[Json]) -> list[Json]:
    """A report of a dose, and what became of it: late, vomited, corrected, contradicted by another system."""
    dose |= {"pharmacy": here[-1]["pharmacy"]} if here else {}
    if dose["is"] == "partial":
        dose["mg"] = 20
    if dose["is"] == "take-home" and handed:
        dose |= {"at": f"{handed}T11:00:00Z", "received": f"{handed}T19:00:00Z"}
    late = f"{date.fromisoformat(dose['on']) + timedelta(pick.randint(1, 6))}T19:00:00Z"
    other = pick.choice([one for one in ("supervised", "take-home", "missed", "withheld", "not-swallowed") if one != dose["is"]])
    again = {"on": dose["on"], "is": other, "pharmacy": dose.get("pharmacy", "FZZ01"), "received": late}
    match pick.choices(("", "late", "vomited", "corrected", "contradicted"), (84, 6, 4, 4, 2))[0]:
        case "late":
            return [dose | {"received": late}]
        case "vomited" if dose["is"] == "supervised":
            return [dose | {"vomited": True}]
        case "corrected":
            return [dose, {**again, "id": f"{dose['id']}-again", "replaces": dose["id"]}]
        case "contradicted" if dose["is"] == "partial":  # by another amount
            return [dose, dose | {"id": f"{dose['id']}-other", "from": "criis", "mg": 10, "received": late}]
        case "contradicted":
            return [dose, {**again, "id": f"{dose['id']}-other", "from": "criis"}]
        case _:
            return [dose]


def _consultation(pick: random.Random, span: list[str]) -> Json:
    """A consultation, kept or not."""
    attendance = pick.choice(("attended", "attended", "attended", "did-not-attend"))
    medium = pick.choice(("face-to-face", "face-to-face", "telephone"))
    return {"at": f"{pick.choice(span)}T11:00:00Z", "medium": medium, "type": "prescribing-review", "attendance": attendance}


def said(case: Json) -> Json:
    """What a case in compact form leaves unsaid, said: the oracle has no defaults."""
    form: Json = {"restarts": "", "collections": [], "wordings": [], "closed": []}
    dose: Json = {"mg": None, "by": "nobody", "vomited": False, "replaces": ""}
    stays = [{"place": "nowhere", "to": "9999-12-31", **one} for one in case.get("stays", ())]
    talks = [
        {"medium": "unknown", **one, "attended": one.get("attendance", "attended") == "attended"}
        for one in case.get("consultations", ())
    ]
    return {
        "as-of": case["as-of"],
        "forms": [form | one for one in case.get("forms", ())],
        "changes": case.get("changes", []),
        "doses": [{"id": f"unnamed {n}", "at": one["on"], **dose, **one} for n, one in enumerate(case.get("doses", ()))],
        "stays": stays,
        "consultations": talks,
    }
