"""A second, naive reading of docs/care.md, from that text alone: the counts, and what is due."""
from itertools import pairwise
from typing import Any

from tests.care.oracle_days import Known
from tests.care.oracle_doubles import doubled
from tests.care.oracle_said import FULL, NEVER, NOT_HAD, SUPPLY, UNSURE, later

Stops = list[tuple[str, str, str]]  # when each began, was lifted, and its first dose can be
def runs(days: set[str], end: set[str]) -> list[list[str]]:  # the days of each; the last goes on
    return [[d for d in sorted(days) if a <= d < b] for a, b in pairwise(["", *sorted(end), NEVER])]
def stops(known: Known, short: list[list[str]]) -> Stops:
    found, anew, missed = Stops(), "", [day for run in short for day in run]
    since = [f for f in known.orders if any(f in known.live(later(f["first"], n)) for n in range(99) if later(f["first"], n) >= f["day"])]
    restarts = sorted((f["day"], f["first"]) for f in since if f["restarts"] in known.ids - {f["id"]})
    for day, run in [(day, one) for one in short for day in one]:
        if len([d for d in run if anew <= d <= day]) >= 5 and (not found or found[-1][1] < day):
            lifting = [(on, first) for on, first in [*restarts, (NEVER, NEVER)]
                if on >= max(d for d in missed if d == day or d < first)]
            lifted, anew = lifting[0]
            found.append((day, lifted, max(lifting[0])))
    return found
def over(known: Known, day: str, *reasons: str) -> bool:  # by a stop that no form has followed
    ends = [f for f in known.forms if f["over"] <= day and f["reason"] in reasons]
    return any(all(f is e or not e["over"] <= f["first"] <= day for f in known.forms) for e in ends)
def after_stop(known: Known, dose: Any, stopped: Stops) -> bool:
    day, forms = dose["on"], known.within(dose["on"])
    before = [any(c["at"] < max(day, dose["at"]) for c in known.ended(f, day)) for f in forms]
    return any(began < day < until for began, _, until in stopped) or (bool(forms) and all(before))
def orders(known: Known, stopped: Stops) -> dict[str, Any]:
    today, live, forms = known.today, known.live, known.forms
    given = [d for d in known.doses if d["is"] in SUPPLY]
    heard = [known.parts[d] for d in known.states if any(known.closed(f, d, 99) for f in live(d))]
    ends = {f["id"]: min(later(f["last"], 1), f["over"]) for f in forms}  # its first day without
    after = max([ends[f["id"]] for f in live(today) or known.within(today)], default=NEVER)
    final = max([ends[f["id"]] for f in forms if f["first"] <= today], default=NEVER)
    until = max(known.covered, default=NEVER)
    since = {today, later(until, 1), *(d for d in known.states if d > until)}
    met = ["", *(t["day"] for t in known.talks if t["medium"] in {"face-to-face", "home-visit"})]
    standing = [began for began, lifted, _ in stopped if lifted > today]
    left = [s for s in known.stays if s["out"] != NEVER]
    return {
        "supply-after-stop": any(after_stop(known, d, stopped) for d in given),
        "not-reported": heard and "unreported" in heard[-1],
        "conflicting-evidence": known.days("conflict"), "supply-not-permitted": standing,
        "possible-double-dose": doubled(known),
        "overlapping-orders": any(len(live(later(today, n))) > 1 for n in range(99)),
        "order-ending": today < after <= later(today, 5) and not live(after)
            and after not in known.covered,
        "prescriber-gap": final <= today and today not in known.covered
            and not over(known, today, "treatment-completed", "deceased"),
        "depot-due": until <= today and not any(live(d) for d in since if d > until),
        "ost-not-mentioned": any(s["mention"] == "not-mentioned" for s in left),
        "handover-missing": any(s["kind"] == "custody" and s["mention"] != "mentioned" and not any(
            s["day"] <= d["on"] <= s["out"] and d["by"] == s["place"] for d in known.doses) for s in left),
        "restart-review": any(max(met) < f["first"] <= today for f in known.orders if f["restarts"])
            or any(b <= f["day"] for f in known.orders if f["restarts"] not in known.ids for b in standing)}
def oracle(case: dict[str, Any]) -> dict[str, Any]:
    death = [case["death"] | {"is": "death"}] if "death" in case else []
    known = Known(case | {"death": death})
    states, today, days = known.states, known.today, known.days
    missed, taken = days("missed"), days("partial", "vomited", "take-home", *FULL)
    unsure, short = missed | days("vomited", *UNSURE), runs(missed, taken)
    stopped = stops(known, short)
    completed = {d for d in states if over(known, d, "treatment-completed")}
    lacking = {d for d in states if known.parts[d] & {"partial", "not-swallowed", *NOT_HAD}}
    empty = lacking - days("due", *UNSURE) | days("not-expected") - completed
    empty |= {d for d in days("unreported") if any(b < d < lifted for b, lifted, _ in stopped)}
    last, full = max(days(*FULL), default=""), sorted(days(*FULL))
    start = min([f["first"] for f in known.forms] + full) if known.forms else known.first
    long = runs({d for d in empty if d >= start}, days("take-home", *FULL))
    possible = {d for d in states if d > last and d >= start} - completed - days("take-home", "due")
    now, idle, most = len(short[-1]), len(long[-1]), len(runs(unsure, taken - days("vomited"))[-1])
    said = max([r["day"] for r in known.orders + known.talks], default="")
    until = {d: later(d, -1) if s == "not-expected" else d for d, s in states.items()}  # an order of that day clears
    row, none = [max(len(r) for r in found if r is found[-1] or max([until[d] for d in r], default="") >= said)
        for found in (short, long)]  # of the runs that no later order or consultation has cleared
    recent = {d for d in states if d > later(today, -28)}
    high, low = max(most, len(possible)), max(now, idle)
    due = orders(known, stopped) | {
        "discuss-with-prescriber": row >= 3, "assess-tolerance": 3 < max(row, none) < 14,
        "urgent-referral": max(row, none) >= 14, "suitability-review": len(missed & recent) >= 4,
        "confirm-last-dose": any(now < n <= most for n in (3, 5))
            or any(low < n <= high for n in (4, 14))}
    if known.died != NEVER:
        late = [d for d in known.doses if d["on"] > known.died and d["is"] not in NOT_HAD]
        lately = [f for f in known.forms if f["first"] <= known.died < later(f["last"], 28)]
        due = {"stop-supply-deceased": 1, "incident-notice": lately, "conflicting-evidence": late}
    seen = {d["on"] for d in known.doses if d["is"] == "depot"}
    seen |= days("supervised", "elsewhere-evidenced")
    maybe = [d for d in days("take-home", *UNSURE) if d > max(seen, default="")]
    return {
        "days": {d: "partial" if s == "vomited" else s for d, s in states.items()},
        "consecutiveMissed": [now, most],
        "cumulativeMissed": [len(missed & recent), len(unsure & recent)],
        "daysSinceEvidencedDose": [idle, len([d for d in states if d > last]) if last else None],
        "lastObservedDose": max(seen, default=None), "lastPossibleDose": max(maybe, default=None),
        "due": sorted(code for code in due if due[code])}
