"""A second, naive reading of docs/care.md, from that text alone: where two doses may be one too many."""
from itertools import combinations
from typing import Any

from tests.care.oracle_days import Known
from tests.care.oracle_said import SUPPLY, later


def doubled(known: Known) -> bool:
    given = [d for d in known.doses if d["is"] in SUPPLY - {"not-swallowed"}]
    watched = [d for d in known.doses if d["is"] in {"supervised", "partial"} and d["day"] <= known.today]
    depots = sorted((d for d in known.doses if d["is"] == "depot"), key=lambda d: str(d["on"]))
    return (any(supplied(known, d) or too_much(known, d) for d in given)
        or any(at_once(a, b) for a, b in combinations(watched, 2))
        or any(too_early(a, b) for a, b in combinations(depots, 2)))
def supplied(known: Known, dose: Any) -> bool:  # twice, or where another was or may have been had
    day, forms = dose["on"], known.within(dose["on"])
    had = [d for d in known.doses if d["on"] == day and d["is"] in SUPPLY - {"not-swallowed"} | {"elsewhere"}]
    same = [d for d in had if d["is"] == "elsewhere" or (d["n"] or 1) == (dose["n"] or 1)]
    apart = any(d[key] != dose[key] for d in same for key in ("is", "at", "pharmacy"))
    away = any(s["day"] <= day <= s["out"] for s in known.stays)
    numbers = {d["n"] or 1 for d in had if d["is"] != "elsewhere"}
    more = bool(forms) and len(numbers) > max(f.get("doses-a-day", 1) for f in forms)
    return away or day in known.covered or apart or more
def too_much(known: Known, dose: Any) -> bool:  # more than the forms of its day prescribe together
    written = [f.get("mg", 60) for f in known.case["forms"] if f["first"] <= dose["on"] <= f["last"]]
    usual, forms = [60, *written][-1], known.within(dose["on"])
    most = max(usual, dose["mg"]) if dose["is"] == "partial" else dose["mg"] or usual
    return bool(forms) and most > sum(f.get("mg", 60) * f.get("doses-a-day", 1) for f in forms)
def at_once(a: Any, b: Any) -> bool:  # the doses of two days, seen swallowed on one
    if a["on"] == b["on"] or a["day"] != b["day"]:
        return False
    if a["at"] == b["at"] and "T" in a["raw"] and "T" in b["raw"]:
        return True
    return not any(later(d["on"], 1) == d["day"] and ("T" not in d["raw"] or d["at"][11:] < "04:00") for d in (a, b))
def too_early(a: Any, b: Any) -> bool:  # the second of two injections
    if a["on"] == b["on"]:
        return bool(a["at"] != b["at"] or a["mg"] != b["mg"])
    lasts, near = (28, 7) if a["mg"] >= 64 else (7, 2)
    return later(b["on"], near) < later(a["on"], lasts)
