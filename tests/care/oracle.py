"""A second, naive reading of docs/care.md, from that text alone: states, counts, last doses and fifteen actions of a case.

Left out: the other actions, clocks, withdrawals, thresholds, a repeat of what was corrected, the hour of a change of clock."""
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

NEVER, LONDON, ENDS, NO = "9998-01-01", ZoneInfo("Europe/London"), {"stopped", "replaced", "cancelled"}, {"missed", "withheld"}
UNSURE, FULL = {"unreported", "elsewhere-unreported", "conflict"}, {"supervised", "elsewhere-evidenced", "depot"}
SUPPLY, WHOLE = {"supervised", "take-home", "partial", "not-swallowed"}, FULL | {"take-home"}  # vomited: told as partial
ORDER = ["conflict", "vomited", "partial", "due", "unreported", "elsewhere-unreported", "not-swallowed", "withheld", "missed"]
UNSAID = {"version": 1, "status": "", "n": 0, "mg": None, "pharmacy": "FZZ01", "wordings": [], "closed": [], "collections": []}
def wall(text: str, clock: str = "00:00") -> str:  # what the clock in London shows
    return f"{datetime.fromisoformat(text).astimezone(LONDON):%FT%H:%M}" if "T" in text else f"{text}T{clock}"
def later(text: str, days: float) -> str: return f"{datetime.fromisoformat(text) + timedelta(days):%FT%H:%M}"[: len(text)]
def runs(longer: set[str], ends: set[str]) -> list[list[str]]:  # the days that lengthen each run; the last run goes on
    return [[d for d in sorted(longer) if a <= d < b] for a, b in zip(["", *sorted(ends)], [*sorted(ends), NEVER], strict=True)]
def standing(case: Any, kind: str, dated: str, sent: str = "") -> list[Any]:  # what is known, corrected, and has happened
    read = [{"id": n, "at": r.get(dated) or r["received"]} | UNSAID | r for n, r in enumerate(case.get(kind, []))
            if wall(r.get("received") or r[dated] + sent) <= wall(case.get("known-at", NEVER))]
    last = {r["id"]: r for r in sorted(read, key=lambda r: (r["version"], r["status"]))}.values()
    left = [r | {"at": wall(r["at"], "10:00" if r.get("is") in SUPPLY | {"depot"} else "00:00")} for r in last
            if r["status"] != "entered-in-error" and r.get("attendance") != "did-not-attend"]
    return [r for r in left if r["id"] not in [other.get("replaces") for other in left] and wall(case["as-of"], "23:59") >= min(
        r["at"], wall(r.get("received", NEVER)) if "form" in r else NEVER)]

def oracle(case: dict[str, Any]) -> dict[str, Any]:
    today, end, states, parts = wall(case["as-of"])[:10], wall(case["as-of"], "23:59"), dict[str, str](), dict[str, set[str]]()
    forms, changes = standing(case, "forms", "authored", "T12:00Z"), standing(case, "changes", "effective")
    doses, stays = [d for d in standing(case, "doses", "on", "T19:00Z") if d["on"] <= today], standing(case, "stays", "from")
    died = min([d["on"] for d in standing(case | {"death": [case.get("death", {"on": NEVER})]}, "death", "on")], default=NEVER)
    stays = [s | {"in": s["at"][:10], "out": wall(s["to"])[:10] if wall(s.get("to", NEVER)) <= end else NEVER} for s in stays]
    covered = {later(d["on"], n) for d in doses if d["is"] == "depot" for n in range(28 if d["mg"] >= 64 else 7)}
    def within(day: str) -> list[Any]: return [f for f in forms if f["first"] <= day <= f["last"]]
    def live(day: str) -> list[Any]: return [f for f in within(day) if not ended(f, day)]
    def ended(form: Any, day: str) -> list[Any]:
        past = [c for c in changes if c["form"] == form["id"] and c["at"][:10] <= day]
        return [c for c in past if c["type"] in ENDS or all(c["at"] > p["at"] for p in past if p["type"] == "resumed")]
    def final(day: str, *reasons: str) -> bool: return any(c.get("reason") in reasons and c["at"][:10] <= day and not any(
        f["id"] != c["form"] and c["at"][:10] <= f["first"] <= day for f in forms) for c in changes)
    def closed(form: Any, day: str, most: float) -> bool:  # and its feed's cadence, of so many days at most, has passed
        of = {"closing": "18:00", "cadence": "PT24H"} | case.get("policy", {}).get("feeds", {}).get(form["pharmacy"], {})
        return later(f"{day}T{of['closing']}", min(most, int(of["cadence"].strip("PTDH")) / 24 ** ("T" in of["cadence"]))) <= end
    def dose(day: str, n: int) -> str:
        own = [d for d in doses if (d["on"], d["n"] or 1) == (day, n) and d["is"] != "elsewhere"]
        by = [d.get("by", "") for d in doses if d["on"] == day and d["n"] in {0, n} and d["is"] == "elsewhere"]
        state = "depot" if day in covered and not {d["is"] for d in own} - NO else own[0]["is"] if own else ""
        lost = [f for f in live(day) if ("missed-collection" not in f["wordings"] or day in f["closed"]) and any(
            c["on"] < day in c["covers"] and states.get(c["on"]) == "missed" for c in f["collections"])]
        return next((found for holds, found in [(len({(d["is"], d["mg"]) for d in own}) > 1, "conflict"),
            (state == "supervised" and any(d.get("vomited") for d in own), "vomited"), (state in SUPPLY | {"depot"}, state),
            (any(s.get("place") in by for s in stays if s["in"] <= day <= s["out"]), "elsewhere-evidenced"),
            (by or any(s["in"] < day < s["out"] for s in stays), "elsewhere-unreported"), (state, state),
            (not live(day), "not-expected"), (any(closed(f, day, 0) for f in lost), "missed"),
            (not lost and all(closed(f, day, 2) for f in live(day)), "unreported")] if holds), "due")
    first = min([r.get("first") or r["on"] for r in forms + doses], default=NEVER)
    for day in [later(first, n) for n in range(300) if later(first, n) <= today]:
        numbers = [f.get("doses-a-day", 1) for f in within(day)] + [d["n"] for d in doses if d["on"] == day]
        each = parts[day] = {dose(day, n + 1) for n in range(max([1, *numbers]))}
        mixed = next((s for s in ORDER if s in each or (s == "partial" and each & WHOLE)), "")
        states[day] = min(each) if len(each) == 1 else mixed if each - WHOLE else max(each & {"take-home"} | {"supervised"})
    def days(*names: str) -> set[str]: return {d for d in states if states[d] in names}
    missed, taken, stops = days("missed"), days("partial", "vomited", *WHOLE), list[tuple[str, str, str]]()
    restarts = [*sorted((f["authored"], f["first"]) for f in forms if "restarts" in f), (NEVER, NEVER)]
    for _ in restarts:  # as often as one may have lifted a stop: the next count begins with its first dose date
        stops = [(r[4], *next((on, first) for on, first in restarts if on >= max(d for d in missed if d == r[4] or d < first)))
                 for r in runs(missed, taken | {first for *_, first in stops}) if len(r) > 4]
    completed = {d for d in states if final(d, "treatment-completed")}
    empty = {d for d in states if parts[d] & {"missed", "withheld", "not-swallowed", "partial"}} - days("due", *UNSURE)
    empty |= days("not-expected") - completed | {d for d in days("unreported") if any(b < d < lifted for b, lifted, _ in stops)}
    start, last = min([f["first"] for f in forms] + sorted(days(*FULL)), default=""), max(days(*FULL), default="")
    short, long = runs(missed, taken), runs({d for d in empty if d >= start}, days("take-home", *FULL))
    unsure, recent = missed | days("vomited", *UNSURE), {d for d in states if d > later(today, -28)}
    maybe = len({d for d in states if d > last and d >= start} - completed - days("take-home", "due"))
    now, idle, most = len(short[-1]), len(long[-1]), len(runs(unsure, taken - days("vomited"))[-1])
    said, until = max(["", *(r["at"][:10] for r in forms + standing(case, "consultations", "at"))]), max(covered, default=NEVER)
    rung = [max(len(r) for r in found if r is found[-1] or max(r, default="") >= said) for found in (short, long)]
    latest = sorted([f for f in forms if f["first"] <= today], key=lambda f: (f["last"], f["authored"]))[-1:]
    seen = max(["", *(d["on"] for d in doses if states.get(d["on"]) in {d["is"], "supervised", "elsewhere-evidenced"} & FULL)])
    due = {"discuss-with-prescriber": rung[0] > 2, "assess-tolerance": 3 < max(rung) < 14, "urgent-referral": max(rung) > 13,
        "supply-not-permitted": any(lifted > today for _, lifted, _ in stops), "suitability-review": len(missed & recent) > 3,
        "confirm-last-dose": any(now < n <= most for n in (3, 5)) or any(max(now, idle) < n <= max(most, maybe) for n in (4, 14)),
        "supply-after-stop": any(any(b < d["on"] < lifted for b, lifted, _ in stops) or (within(d["on"]) and all(any(c["at"]
            < max(d["on"], d["at"]) for c in ended(f, d["on"])) for f in within(d["on"]))) for d in doses if d["is"] in SUPPLY),
        "not-reported": [states[d] for d in states if any(closed(f, d, 99) for f in live(d))][-1:] == ["unreported"],
        "conflicting-evidence": days("conflict") if died == NEVER else [d for d in doses if d["on"] > died and d["is"] not in NO],
        "possible-double-dose": any(d["on"] in covered or any(s["in"] <= d["on"] <= s["out"] for s in stays) or (
            o["on"] == d["on"] and o["n"] in {0, d["n"]} and any(o[k] != d[k] for k in ("is", "at", "pharmacy"))) for d in doses
            for o in doses if d["is"] in SUPPLY and {d["is"], o["is"]} <= SUPPLY - {"not-swallowed"} | {"elsewhere"}),
        "overlapping-orders": any(len(live(later(today, n))) > 1 for n in range(99)), "stop-supply-deceased": died != NEVER,
        "order-ending": any(d <= later(today, 5) and not live(d) for d in {later(f["last"], 1) for f in live(today)} - covered),
        "prescriber-gap": any(f["last"] < today or any(c["type"] in ENDS for c in ended(f, today)) for f in latest)
            and not live(today) and today not in covered and not final(today, "treatment-completed", "deceased"),
        "depot-due": until <= today and not any(live(later(until, n)) for n in range(1, 99) if n < 2 or later(until, n) <= today)}
    return {"days": {d: "partial" if s == "vomited" else s for d, s in states.items()}, "lastObservedDose": seen or None,
        "consecutiveMissed": [now, most], "cumulativeMissed": [len(missed & recent), len(unsure & recent)],
        "daysSinceEvidencedDose": [idle, len([d for d in states if d > last]) if last else None],
        "lastPossibleDose": max([d for d in days("take-home", *UNSURE) if d > seen], default=None),
        "due": sorted(code for code in (due if died == NEVER else ["conflicting-evidence", "stop-supply-deceased"]) if due[code])}
