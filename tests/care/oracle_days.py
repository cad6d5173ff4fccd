"""A second, naive reading of docs/care.md, from that text alone: what is known, and the days."""
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

NEVER, LONDON = "9998-01-01", ZoneInfo("Europe/London")
ENDS, NO_TALK = {"stopped", "replaced", "cancelled"}, {"text-message", "written", "third-party"}
NOT_HAD, FULL = {"missed", "withheld"}, {"supervised", "elsewhere-evidenced", "depot"}
UNSURE = {"unreported", "elsewhere-unreported", "conflict"}
SUPPLY = {"supervised", "take-home", "partial", "not-swallowed"}
MIXED = "conflict vomited partial due unreported elsewhere-unreported not-swallowed withheld missed"
PLAIN = {"version": 1, "status": "", "n": 0, "mg": None, "by": "", "place": None, "mention": ""}
PLAIN |= {"pharmacy": "FZZ01", "wordings": [], "closed": [], "collections": [], "restarts": ""}
PLAIN |= {"attendance": "", "medium": "face-to-face", "over": NEVER, "reason": "", "is": ""}
def wall(text: str, clock: str = "00:00") -> str:  # what the clock in London shows then
    at = datetime.fromisoformat(text)
    return f"{at.astimezone(LONDON):%FT%H:%M}" if "T" in text else f"{text}T{clock}"
def later(text: str, days: float) -> str:
    return f"{datetime.fromisoformat(text) + timedelta(days):%FT%H:%M}"[: len(text)]
class Known:
    def __init__(self, case: dict[str, Any]) -> None:
        self.case, self.end = case, wall(case["as-of"], "23:59")
        self.today, self.states, self.parts = self.end[:10], dict[str, str](), dict[str, set[str]]()
        self.forms = self.told("forms", "authored", "T12:00Z")
        self.changes = sorted(self.told("changes", "effective"), key=lambda c: c["at"])
        for form in self.forms:  # over by the first of the changes that end it
            for c in [c for c in self.changes if c["form"] == form["id"] and c["type"] in ENDS][:1]:
                form |= {"over": c["day"], "reason": c["reason"]}
        self.orders = [f for f in self.forms if f["over"] > f["first"]]  # the others were none
        self.ids = {f["id"] for f in self.forms}
        came = [t for t in self.told("consultations", "at") if t["attendance"] != "did-not-attend"]
        self.talks = [t for t in came if t["medium"] not in NO_TALK]
        self.doses = [d for d in self.told("doses", "on", "T19:00Z") if d["on"] <= self.today]
        self.died = min([d["on"] for d in self.told("death", "on", "T19:00Z")], default=NEVER)
        over = [(s, wall(s.get("to", NEVER))) for s in self.told("stays", "from")]
        self.stays = [s | {"out": out[:10] if out <= self.end else NEVER} for s, out in over]
        lasts = [(d["on"], 28 if d["mg"] >= 64 else 7) for d in self.doses if d["is"] == "depot"]
        self.covered = {later(day, n) for day, days in lasts for n in range(days)}
        self.first = min([r["first"] for r in self.forms + self.doses], default=NEVER)
        for day in [later(self.first, n) for n in range(300) if later(self.first, n) <= self.today]:
            numbers = [d["n"] for d in self.doses if d["on"] == day] + [1]
            numbers += [f.get("doses-a-day", 1) for f in self.within(day)]
            self.parts[day] = {self.dose(day, n + 1) for n in range(max(numbers))}
            self.states[day] = self.together(self.parts[day])
    def told(self, kind: str, dated: str, sent: str = "") -> list[Any]:  # what stands, and happened
        raw, known_at = self.case.get(kind, []), wall(self.case.get("known-at", NEVER))
        read = [PLAIN | {"id": n, "at": r[dated], "first": r[dated]} | r for n, r in enumerate(raw)]
        read = [r | {"got": wall(r.get("received") or r[dated] + sent)} for r in read]
        order = sorted(read, key=lambda r: (r["version"], r["status"], "to" in r, r["got"]))
        last = {r["id"]: r for r in order if r["got"] <= known_at}
        left = [r for r in last.values() if r["status"] != "entered-in-error"]
        right = [r for r in left if r["id"] not in [other.get("replaces") for other in left]]
        clock = ["10:00" if r["is"] in FULL | SUPPLY else "00:00" for r in right]
        right = [r | {"at": wall(r["at"], at)} for r, at in zip(right, clock, strict=True)]
        right = [r for r in right if min(r["at"], r["got"] if "form" in r else NEVER) <= self.end]
        return [r | {"day": r["at"][:10]} for r in right]
    def days(self, *names: str) -> set[str]:
        return {day for day in self.states if self.states[day] in names}
    def within(self, day: str) -> list[Any]:
        return [f for f in self.forms if f["first"] <= day <= f["last"]]
    def live(self, day: str) -> list[Any]:
        return [f for f in self.within(day) if not self.ended(f, day)]
    def ended(self, form: Any, day: str) -> list[Any]:  # the changes by which it is not live then
        past = [c for c in self.changes if c["form"] == form["id"] and c["day"] <= day]
        resumed = max([c["at"] for c in past if c["type"] == "resumed"], default="")
        return [c for c in past if c["type"] in ENDS or c["at"] > resumed]
    def closed(self, form: Any, day: str, most: float) -> bool:  # and its cadence is over
        feed = {"closing": "18:00", "cadence": "PT24H"}
        feed |= self.case.get("policy", {}).get("feeds", {}).get(form["pharmacy"], {})
        cadence = int(feed["cadence"].strip("PTDH")) / (24 if "T" in feed["cadence"] else 1)
        return later(f"{day}T{feed['closing']}", min(most, cadence)) <= self.end
    def together(self, each: set[str]) -> str:  # of states that differ the first that any dose has
        whole = each & (FULL | {"take-home"})
        if each == whole or len(each) == 1:
            return min(each) if len(each) == 1 else max(each & {"take-home"}, default="supervised")
        return next(s for s in MIXED.split() if s in each or (s == "partial" and whole))
    def dose(self, day: str, n: int) -> str:
        said = [d for d in self.doses if d["on"] == day and d["is"] != "depot"]
        own = [d for d in said if d["is"] != "elsewhere" and (d["n"] or 1) == n]
        by = [d["by"] for d in said if d["is"] == "elsewhere" and d["n"] in {0, n}]
        state = own[0]["is"] if own else ""
        if len({(d["is"], d["mg"]) for d in own}) > 1:
            return "conflict"
        if state in SUPPLY and not (state == "not-swallowed" and day in self.covered):
            return "vomited" if state == "supervised" and any(d.get("vomited") for d in own) else state
        if day in self.covered:
            return "depot"
        if any(s["place"] in by for s in self.stays if s["day"] <= day <= s["out"]):
            return "elsewhere-evidenced"
        if by or any(s["day"] < day < s["out"] for s in self.stays):
            return "elsewhere-unreported"
        if state or not self.live(day):
            return state or "not-expected"
        for form in self.live(day):  # forfeited with the collection of an earlier day
            planned = [c["on"] for c in form["collections"] if c["on"] < day in c["covers"]]
            lost = "missed-collection" not in form["wordings"] or day in form["closed"]
            if lost and "missed" in [self.states.get(on) for on in planned]:
                return "missed" if self.closed(form, day, 0) else "due"
        return "unreported" if all(self.closed(f, day, 2) for f in self.live(day)) else "due"
