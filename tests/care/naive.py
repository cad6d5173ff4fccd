"""Rules R1 to R7 (Tower Hamlets shared care guideline 2.7, 3.6 and 5) and docs/care.md, as naively as can be.

Left out: what plain_cases.py keeps out, the clocks, and the actions that are not named below."""

from datetime import date, timedelta
from typing import Any

Json = dict[str, Any]
FULL = ("supervised", "elsewhere-evidenced")  # an evidenced full dose (docs/care.md, Counts)
TAKEN = (*FULL, "take-home", "partial")  # ends a run of missed days
WITHOUT = ("missed", "withheld", "not-swallowed", "partial", "not-expected")  # known to be no full dose
UNSURE = ("unreported", "elsewhere-unreported", "conflict")  # perhaps missed, perhaps taken


def state_of(day: str, case: Json, live: list[Json], states: dict[str, str]) -> str:
    """The state of a dose (docs/care.md, 1 to 7); vomited is apart from partial, for it counts otherwise."""
    told = [one for one in case["doses"] if one["on"] == day and one["is"] != "elsewhere"]
    claims = [one["by"] for one in case["doses"] if one["on"] == day and one["is"] == "elsewhere"]
    stays = [one for one in case["stays"] if one["from"][:10] <= day <= one["to"][:10]]
    outcome = told[0]["is"] if told else ""
    if len({(one["is"], one["mg"]) for one in told}) > 1:
        return "conflict"  # 1
    if outcome not in ("", "missed", "withheld"):
        return "vomited" if told[0]["vomited"] else outcome  # 2
    if claims or any(one["from"][:10] < day < one["to"][:10] for one in stays):  # 3; 4: a whole day
        return "elsewhere-evidenced" if {it["place"] for it in stays} & {*claims} else "elsewhere-unreported"
    for form in live if not outcome else ():
        kept = "missed-collection" in form["wordings"] and day not in form["closed"]
        for plan in form["collections"]:
            if day in plan["covers"] and plan["on"] < day and states[plan["on"]] == "missed" and not kept:
                return "missed"  # 5: forfeited, since its collection was missed
    return outcome or ("not-expected" if not live else "due" if day == case["as-of"] else "unreported")


def naive(case: Json) -> Json:
    """The ledger of a case (with nothing unsaid) at the end of its day, and whether each action is due."""
    today = case["as-of"]
    forms = [one for one in case["forms"] if one["authored"] <= today]
    restarts = [one for one in forms if one["restarts"] in [other["id"] for other in forms]]
    stops = {one["id"]: "9" for one in forms} | {it["form"]: it["effective"][:10] for it in case["changes"]}
    talks = [one for one in case["consultations"] if one["attended"] and one["at"][:10] <= today]
    replaced = [one["replaces"] for one in case["doses"]]  # corrected (What is read)
    case = {**case, "doses": [one for one in case["doses"] if one["id"] not in replaced]}
    day, live, states, barred = min(one["first"] for one in forms), {}, dict[str, str](), list[str]()
    while day <= today:  # Which days are expected
        live[day] = [f for f in forms if f["first"] <= day <= f["last"] and day < stops[f["id"]]]
        states[day] = state_of(day, case, live[day], states)
        day = str(date.fromisoformat(day) + timedelta(1))
    lost = [day for day in states if states[day] == "missed"]
    lifts = [r for r in restarts if not any(r["authored"] < day < r["first"] for day in lost)]
    lifts = [r for r in lifts if r["last"] >= r["authored"] < stops[r["id"]] > r["first"]]  # permits a dose
    ended = [day for day in states if not live[day] and any(f["first"] <= day <= f["last"] for f in forms)]
    low = high = anew = without = possible = 0  # Counts: low and without are minima, high and possible maxima
    discuss = assess = refer = stop = lifted = begins = ""  # last days of runs; a stop, its end
    for day, state in states.items():
        low = 0 if state in (*TAKEN, "vomited") else low + (day in lost)
        high = 0 if state in TAKEN else high + (state in ("missed", "vomited", *UNSURE))
        anew = 0 if low == 0 else anew + (day in lost and day >= begins)
        if day in lost and anew >= 5 and day > lifted:  # R3: a stop, until a restart is written ("9": never)
            lifted = min((one["authored"] for one in lifts if one["authored"] >= day), default="9")
            begins = max((one["first"] for one in lifts if one["authored"] == lifted), default="9")
            barred += [one for one in states if day < one < max(lifted, begins)]
            stop, anew = day, min(anew, len([one for one in lost if begins <= one <= day]))
        lacks = state in WITHOUT or (state == "unreported" and day < lifted)
        without = 0 if state in (*FULL, "take-home") else without + lacks
        possible = 0 if state in FULL else possible + (state not in ("take-home", "due"))
        worst, most = max(low, without), max(high, possible)  # the higher decides
        last = str(date.fromisoformat(day) - timedelta(state == "not-expected"))  # an order then clears
        discuss = day if day in lost and low >= 3 else discuss  # the last day of a run that reached the rung
        assess = last if lacks and worst > 3 else assess
        refer = last if lacks and worst >= 14 else refer
    cleared = max([one["authored"] for one in forms] + [one["at"][:10] for one in talks])  # an order, a talk
    urgent = worst >= 14 or refer >= cleared
    seen = max((one["at"][:10] for one in talks if one["medium"] == "face-to-face"), default="")
    routine = [one for one in forms if lifted == "9" and one["authored"] >= stop and one not in restarts]
    given = [one for one in case["doses"] if one["is"] in (*TAKEN, "not-swallowed")]  # handed over
    early = [one for one in given if one["on"] in stops.values() and one["at"][:10] < one["on"]]
    full = max((day for day in states if states[day] in FULL), default="")
    unsure = [day for day in states if day > full and states[day] in ("take-home", *UNSURE)]
    recent = list(states.values())[-28:]  # 28 days, that of as-of included
    return {
        "days": {day: state.replace("vomited", "partial") for day, state in states.items()},
        "consecutiveMissed": [low, high],
        "cumulativeMissed": [recent.count("missed"), sum(map(recent.count, ("missed", "vomited", *UNSURE)))],
        "daysSinceEvidencedDose": [without, len([day for day in states if day > full]) if full else None],
        "lastObservedDose": full or None,
        "lastPossibleDose": max(unsure, default=None),
        "discuss-with-prescriber": low >= 3 or discuss >= cleared,  # R2: 3 missed
        "assess-tolerance": not urgent and (worst > 3 or assess >= cleared),  # R1, R4: over 3
        "supply-not-permitted": lifted == "9",  # R3: no restart has lifted the stop
        "supply-after-stop": any(g["on"] in barred or (g["on"] in ended and g not in early) for g in given),
        "urgent-referral": urgent,  # R5, R6: 14 or over, the safe side
        "confirm-last-dose": any(low < n <= high for n in (3, 5)) or any(worst < n <= most for n in (4, 14)),
        "suitability-review": recent.count("missed") >= 4,  # R7: odd days
        "not-reported": [states[day] for day in states if live[day] and day < today][-1:] == ["unreported"],
        "conflicting-evidence": "conflict" in states.values(),
        "restart-review": bool(routine) or any(f["restarts"] and seen < f["first"] <= today for f in forms),
        "prescriber-gap": not live[today],
    }
