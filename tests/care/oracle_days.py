"""A second, naive reading of docs/care.md, from that text alone: what is known, and the days."""
from typing import Any

from tests.care.oracle_said import ENDS, FULL, MIXED, NEVER, NO_TALK, PLAIN, SUPPLY, later, wall


class Known:
    def __init__(self, case: dict[str, Any]) -> None:
        self.case, self.end = case, wall(case["as-of"], "23:59")
        self.today, self.states, self.parts = self.end[:10], dict[str, str](), dict[str, set[str]]()
        self.forms = self.told("forms", "authored", "T12:00Z")
        self.changes = sorted(self.told("changes", "effective"), key=lambda c: c["at"])
        self.ids = {f["id"] for f in self.forms}
        for c in [c for c in self.changes if c["form"] not in self.ids]:  # of the one that has its serial
            alike = {f["id"] for f in self.forms if f["serial"] == c["serial"]}
            c["form"] = min(alike) if len(alike) == 1 else ""
        for form in self.forms:  # over by the first of the changes that end it
            for c in [c for c in self.changes if c["form"] == form["id"] and c["type"] in ENDS][:1]:
                form |= {"over": c["day"], "reason": c["reason"]}
        self.orders = [f for f in self.forms if f["over"] > f["first"]]  # the others were none
        came = [t for t in self.told("consultations", "at") if t["attendance"] != "did-not-attend"]
        self.talks = [t for t in came if t["medium"] not in NO_TALK]
        self.doses = [d for d in self.told("doses", "on", "T19:00Z") if d["on"] <= self.today]
        died = self.told("death", "on", "T19:00Z")
        self.died = min([min(d["day"], d["got"][:10]) for d in died], default=NEVER)
        over = [(s, wall(s.get("to", NEVER))) for s in self.told("stays", "from")]
        self.stays = [s | {"out": out[:10] if out <= self.end else NEVER} for s, out in over]
        lasts = [(d["on"], 28 if d["mg"] >= 64 else 7) for d in self.doses if d["is"] == "depot"]
        self.covered = {later(day, n) for day, days in lasts for n in range(days)}
        self.first = min([r["first"] for r in self.forms + self.doses], default=NEVER)
        for day in [later(self.first, n) for n in range(300) if later(self.first, n) <= self.today]:
            most = max([f.get("doses-a-day", 1) for f in self.within(day)], default=1)
            numbers = {d["n"] or 1 for d in self.doses if d["on"] == day} | {*range(1, most + 1)}
            self.parts[day] = {self.dose(day, n) for n in numbers}
            self.states[day] = self.together(self.parts[day])
    def told(self, kind: str, dated: str, sent: str = "") -> list[Any]:  # what stands, and happened
        raw, known_at = self.case.get(kind, []), wall(self.case.get("known-at", NEVER))
        read = [PLAIN | {"id": n, "at": r[dated], "first": r[dated]} | r for n, r in enumerate(raw)]
        read = [{"serial": f"99{r.get('form', r['id'])}"} | r for r in read]
        read = [r | {"got": wall(r.get("received") or r[dated] + sent)} for r in read]
        order = sorted(read, key=lambda r: (r["version"], r["status"], "to" in r, r["got"]))
        last = {r["id"]: r for r in order if r["got"] <= known_at}
        left = [r for r in last.values() if r["status"] != "entered-in-error"]
        right = [r for r in left if r["id"] not in [other.get("replaces") for other in left]]
        clock = ["10:00" if r["is"] in FULL | SUPPLY else "00:00" for r in right]
        right = [r | {"at": wall(r["at"], c), "raw": r["at"]} for r, c in zip(right, clock, strict=True)]
        heard = [r["got"] if "form" in r or r["is"] else NEVER for r in right]
        right = [r for r, got in zip(right, heard, strict=True) if min(r["at"], got) <= self.end]
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
        told = [[d["mg"] for d in said if d["is"] == "elsewhere" and d["n"] == m] for m in (0, n)]
        if any(len(set(amounts)) > 1 for amounts in told):
            return "conflict"
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
