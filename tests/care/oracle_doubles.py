"""A second, naive reading of docs/care.md, from that text alone: where two doses may be one too many."""
from itertools import combinations
from typing import Any

from tests.care.oracle_days import Known
from tests.care.oracle_said import SUPPLY, later


def doubled(known: Known) -> bool:
    given = [d for d in known.doses if d["is"] in SUPPLY - {"not-swallowed"}]
    watched = [d for d in known.doses if d["is"] in {"supervised", "partial"} and d["day"] <= known.today]
    depots = sorted((d for d in known.doses if d["is"] == "depot"), key=lambda d: str(d["on"]))
    return (any(supplied(known, d) for d in given)
        or any(at_once(a, b) for a, b in combinations(watched, 2))
        or any(too_early(a, b) for a, b in combinations(depots, 2)))
def supplied(known: Known, dose: Any) -> bool:  # twice, or where another was or may have been had
    day, supplies = dose["on"], SUPPLY - {"not-swallowed"} | {"elsewhere"}
    same = [d for d in known.doses if d["on"] == day and d["n"] in {0, dose["n"]}]
    apart = [d for d in same if any(d[key] != dose[key] for key in ("is", "at", "pharmacy"))]
    away = any(s["day"] <= day <= s["out"] for s in known.stays)
    return away or day in known.covered or any(d["is"] in supplies for d in apart)
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
