"""Invented people in the compact form of fixtures/care: forms, doses and what else befell them, the same for the same seed.

Kept away from: the two days on which the clocks change, a dose told again after it was corrected.

    python -m tests.care.random_cases      # how often each state, outcome and action comes up, by the oracle
"""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from tests.care.oracle import oracle

Json = dict[str, Any]
LONDON = ZoneInfo("Europe/London")
ZONES = (UTC, LONDON, timezone(timedelta(hours=5)))
PLACES = {"hospital": "RLH01", "custody": "HMP01"}
WEEKLY, MONTHLY = (8, 16, 24, 32), (64, 96, 128, 160)
OUTCOMES = ("supervised", "take-home", "missed", "withheld", "not-swallowed", "partial", "elsewhere", "depot")
#: How a stretch of days goes: how many days it lasts, and how often each outcome; "" is a day that nobody reports.
HABITS: dict[str, tuple[tuple[int, int], dict[str, int]]] = {
    "steady": ((2, 9), {"supervised": 78, "take-home": 16, "missed": 3, "partial": 1, "": 2}),
    "take-home": ((3, 7), {"supervised": 15, "take-home": 80, "missed": 5}),
    "uneven": ((3, 10), {"supervised": 40, "take-home": 8, "missed": 26, "withheld": 6, "not-swallowed": 6, "partial": 7, "": 7}),
    "away": ((2, 7), {"missed": 92, "withheld": 2, "": 6}),
    "lost": ((6, 22), {"missed": 95, "not-swallowed": 1, "": 4}),
    "silent": ((2, 6), {"": 90, "missed": 7, "supervised": 3}),
    "ill": ((2, 5), {"withheld": 34, "not-swallowed": 30, "partial": 26, "supervised": 10}),
}


class _Person:
    """One invented person, as it is made up."""

    def __init__(self, seed: int) -> None:
        self.pick = random.Random(seed)
        begin, most = self.pick.choice(((date(2026, 1, 2), 8), (date(2026, 5, 4), 60)))
        self.start = begin + timedelta(self.pick.randint(0, most))
        self.ids = 0
        self.forms: list[Json] = []
        self.changes: list[Json] = []
        self.doses: list[Json] = []
        self.stays: list[Json] = []
        self.depots: list[date] = []
        self.lapses: set[date] = set()
        self.marks: list[date] = []  # days on which much depends on when it is asked
        self.injected = self.often(0.18)

    def often(self, share: float) -> bool:
        """True in this share of cases."""
        return self.pick.random() < share

    def id(self) -> str:
        """An identifier that no other record has."""
        self.ids += 1
        return f"D{self.ids}"

    def moment(self, day: date, first: int = 7, last: int = 21, zone: Any = UTC) -> str:
        """A time of this day by London's clock."""
        at = datetime.combine(day, time(self.pick.randint(first, last), self.pick.choice((0, 10, 30, 55))), LONDON)
        said = at.astimezone(zone)
        return said.strftime("%Y-%m-%dT%H:%M:%SZ") if zone is UTC else said.isoformat()

    def later(self, day: date, most: int) -> str:
        """When something of this day was received, up to so many days after it."""
        return f"{day + timedelta(self.pick.randint(0, most))}T19:00:00Z"

    # --- forms, and what becomes of them ---
    def prescribe(self) -> None:
        """One to three forms, one after the other, with gaps and overlaps."""
        first, pharmacy = self.start, "FZZ01"
        for n in range(self.pick.choices((1, 2, 3), (4, 4, 3))[0]):
            last = first + timedelta(self.pick.randint(2, 13) if self.often(0.96) else self.pick.choice((0, 0, -1, -3)))
            authored = first + timedelta(self.pick.choices((0, -1, -2, -4, 2, 5), (38, 28, 14, 10, 6, 4))[0])
            form: Json = {"id": f"F{n}", "authored": str(authored), "first": str(first), "last": str(last)}
            form |= {"mg": self.pick.choice((30, 40, 60, 80))} | ({"pharmacy": pharmacy} if pharmacy != "FZZ01" else {})
            if self.often(0.12):
                form["doses-a-day"] = 2
            elif self.often(0.5):
                self.plan(form, first, last)
            if self.often(0.1):
                form["received"] = self.later(authored, 5)
            if n and self.often(0.35):
                form |= {"restarts": f"F{n - 1}", "reason": self.pick.choice(("missed-doses", "drop-out"))}
                self.lapse(first)
            self.forms.append(form)
            self.marks += [first, first - timedelta(1), last - timedelta(3), last + timedelta(1)]
            if self.often(0.06):
                self.amend(form, authored, last)
            self.change(form["id"], first, last)
            step = self.pick.choices((1, self.pick.randint(2, 8), -self.pick.randint(0, 4), -self.pick.randint(5, 12)), (45, 28, 22, 5))[0]
            if self.injected and self.often(0.4):
                self.inject(last + timedelta(1))
                step = self.pick.randint(7, 10)
            first = max(last + timedelta(step), first + timedelta(1))
            pharmacy = self.pick.choice(("FZZ01", "FZZ01", "FZZ02")) if first > last else pharmacy

    def lapse(self, first: date) -> None:
        """Days missed before a restart, and at times after it began."""
        if self.often(0.7):
            self.lapses |= {first - timedelta(n) for n in range(self.pick.randint(0, 3), self.pick.randint(5, 10))}
        if self.often(0.4):
            self.lapses |= {first + timedelta(n) for n in range(self.pick.randint(1, 6))}

    def amend(self, form: Json, authored: date, last: date) -> None:
        """A later version of a form, withdrawn or with another last dose date, or a withdrawal of the same version."""
        again = {**form, "received": self.later(authored, 9)} | ({"version": 2} if self.often(0.7) else {})
        if "version" in again and self.often(0.5):
            self.forms.append(again | {"last": str(max(date.fromisoformat(form["first"]), last + timedelta(self.pick.randint(-4, 4))))})
        else:
            self.forms.append(again | {"status": "entered-in-error"})

    def plan(self, form: Json, first: date, last: date) -> None:
        """Collections that cover one to three dose dates, closed days, and the wordings."""
        words = ["separate-containers", "closed-days", "consult-prescriber"]
        form["wordings"] = self.pick.sample(words, self.pick.randint(0, 2)) + ["missed-collection"] * self.often(0.5)
        collections, closed, day = [], [], first
        while day <= last:
            several = self.pick.choices((1, 2, 3), (50, 30, 20))[0]
            covers = [day + timedelta(n) for n in range(several) if day + timedelta(n) <= last]
            collections.append({"on": str(day), "covers": [str(one) for one in covers]})
            closed += [str(one) for one in covers[1:] if self.often(0.4)]
            day = covers[-1] + timedelta(1)
        form |= {"collections": collections} | ({"closed": closed} if closed else {})

    def change(self, form: str, first: date, last: date) -> None:
        """A stop, a replacement, a cancellation, or a hold with or without its end."""
        if not self.often(0.35):
            return
        day = first + timedelta(self.pick.randint(0, max(0, (last - first).days)))
        self.marks += [day, day - timedelta(1)]
        kind = self.pick.choices(("stopped", "held", "replaced", "cancelled"), (45, 35, 10, 10))[0]
        reasons = ("missed-doses", "prescriber-decision", "treatment-completed")
        self.say_change(form, kind, day, self.pick.choice(reasons) if kind == "stopped" else "prescriber-decision")
        if (kind == "held" and self.often(0.6)) or self.often(0.03):
            self.say_change(form, "resumed", day + timedelta(self.pick.randint(1, 5)), "prescriber-decision")
        if self.often(0.1):
            self.say_change(form, self.pick.choice(("held", "stopped")), day + timedelta(self.pick.randint(0, 6)), "missed-doses")

    def say_change(self, form: str, kind: str, day: date, reason: str) -> None:
        """A change, known at once, ahead of its time or late."""
        effective = str(day) if self.often(0.1) else self.moment(day, 8, 17)
        ahead = self.pick.choices((0, -3, 2), (60, 25, 15))[0]
        received = effective if "T" in effective and not ahead else f"{day + timedelta(ahead)}T09:00:00Z"
        self.changes.append({"form": form, "type": kind, "effective": effective, "reason": reason, "received": received})

    # --- where the person was ---
    def stay(self) -> None:
        """A stay in hospital or custody, and the doses that somebody says were had there."""
        days = self.span()
        kind = self.pick.choice(tuple(PLACES))
        begun = self.pick.choice(days)
        ended = begun + timedelta(self.pick.randint(0, 6))
        stay: Json = {"kind": kind, "from": self.moment(begun, 8, 12)} | ({"place": PLACES[kind]} if self.often(0.95) else {})
        if self.often(0.85):
            stay["to"] = self.moment(ended, 13, 20)
            self.marks += [ended, ended + timedelta(1)]
        mention = self.pick.choice(("mentioned", "not-mentioned", ""))
        stay |= {"id": f"S{len(self.stays)}"}
        if self.often(0.3):  # told at its beginning, and again at its end
            self.stays.append({key: value for key, value in stay.items() if key != "to"} | {"received": f"{begun + timedelta(self.pick.randint(0, 1))}T13:00:00Z"})
        self.stays.append(stay | ({"mention": mention} if mention else {}) | {"received": self.later(ended, 3)})
        if self.often(0.05):
            self.stays.append(self.stays[-1] | {"status": "entered-in-error", "received": self.later(ended, 6)})
        for n in range(-1, (ended - begun).days + 2):
            if self.often(0.4 if 0 <= n <= (ended - begun).days else 0.05):
                place = self.pick.choices((PLACES[kind], "RLH09", ""), (40, 20, 40))[0]
                self.elsewhere(begun + timedelta(n), place)

    def elsewhere(self, day: date, place: str) -> None:
        """A statement of a dose elsewhere."""
        said: Json = {"id": self.id(), "on": str(day), "is": "elsewhere"} | ({"by": place} if place else {})
        self.doses.append(said | ({"received": self.later(day, 4)} if self.often(0.4) else {}))

    def span(self) -> list[date]:
        """The days from the first dose date to a few after the last."""
        last = max(date.fromisoformat(form["last"]) for form in self.forms)
        return [self.start + timedelta(n) for n in range(max(1, (last - self.start).days + 3))]

    def inside(self, day: date) -> bool:
        """Whether a day is in a stay."""
        return any(stay["from"][:10] <= str(day) <= stay.get("to", "9")[:10] for stay in self.stays)

    # --- the doses ---
    def attend(self) -> None:
        """The days of the forms, in stretches of one habit."""
        habit, left = "steady", 0
        for day in self.span():
            if not left:
                habit = self.pick.choices(tuple(HABITS), (28, 8, 24, 14, 8, 10, 8))[0]
                left = self.pick.randint(*HABITS[habit][0])
            left -= 1
            forms = [form for form in self.forms if form["first"] <= str(day) <= form["last"] and "status" not in form]
            if self.injected and self.often(0.05 if self.depots else 0.15):
                self.inject(day)
                if self.often(0.7):
                    continue
            if forms and day in self.lapses:
                self.told(day, self.pick.choices(("missed", ""), (9, 1))[0], {}, 1 if "doses-a-day" in forms[-1] else 0)
            elif self.quiet(day, forms):
                continue
            elif not forms:
                self.told(day, "supervised", {}, 0)
            else:
                several = max(form.get("doses-a-day", 1) for form in forms)
                for n in range(1, several + 1):
                    names, weights = zip(*HABITS[habit][1].items(), strict=True)
                    self.told(day, self.pick.choices(names, weights)[0], forms[-1], n if several > 1 else 0)

    def quiet(self, day: date, forms: list[Json]) -> bool:
        """Whether nobody has a reason to report a dose of this day."""
        stopped = {one["form"] for one in self.changes if one["effective"][:10] <= str(day) and one["type"] != "resumed"}
        covered = any(one <= day < one + timedelta(7) for one in self.depots)
        if not forms:
            return self.often(0.985)
        missed = {one["on"] for one in self.doses if one["is"] == "missed"}
        lost = any(one["on"] < str(day) in one["covers"] and one["on"] in missed for one in forms[-1].get("collections", ()))
        over = {form["id"] for form in forms} <= stopped
        return self.often(0.8 if self.inside(day) or covered else 0.75 if over else 0.7 if lost else 0)

    def inject(self, day: date) -> None:
        """An injection that lasts a week or a month; now and then two on one day."""
        mg = self.pick.choice(WEEKLY if self.often(0.8) else MONTHLY)
        self.depots.append(day)
        self.marks += [day + timedelta(n) for n in (6, 7, 9)]
        dose = {"id": self.id(), "on": str(day), "is": "depot", "mg": mg}
        self.doses.append(dose)
        if self.often(0.1):
            self.doses.append({**dose, "id": self.id(), "mg": self.pick.choice((mg, *WEEKLY)), "at": self.moment(day, 9, 17)})

    def told(self, day: date, outcome: str, form: Json, n: int) -> None:
        """What is reported of one dose: once, again, by two sources, corrected, withdrawn, late."""
        if not outcome:
            return
        dose: Json = {"id": self.id(), "on": str(day), "is": outcome} | ({"n": n} if n else {})
        dose |= {"pharmacy": form["pharmacy"]} if "pharmacy" in form else {}
        given = outcome not in ("missed", "withheld")
        if outcome == "partial":
            dose["mg"] = self.pick.choice((5, 10, 25))
        if outcome == "supervised" and self.often(0.06):
            dose["vomited"] = True
        planned = [one["on"] for one in form.get("collections", ()) if str(day) in one["covers"]]
        if outcome == "take-home" and planned:
            dose |= {"at": f"{planned[0]}T11:00:00Z", "received": f"{planned[0]}T19:00:00Z"}
        elif given and self.often(0.15):
            dose["at"] = self.moment(day, 8, 17, self.pick.choice(ZONES))
        if self.often(0.08):
            dose["received"] = self.later(day + timedelta(1), 6)
        self.doses.append(dose)
        if not dose.get("vomited"):
            self.told_again(dose, day, given)

    def told_again(self, dose: Json, day: date, given: bool) -> None:
        """What becomes of a report, mostly nothing."""
        plain = {key: value for key, value in dose.items() if key not in ("mg", "at", "received")}
        other = self.pick.choice([one for one in OUTCOMES[:5] if one != dose["is"]])
        late = {"received": self.later(day, 5)}
        match self.pick.choices(("", "copy", "agrees", "differs", "amount", "twice", "corrected", "version", "withdrawn", "had"),
                                (845, 30, 20, 15, 10, 10, 30, 15, 15, 10))[0]:  # fmt: skip
            case "copy":
                self.doses.append({**dose, "id": self.id()} | (late if self.often(0.5) else {}))
            case "agrees":
                self.doses.append({**dose, "id": self.id(), "from": "criis"})
            case "differs":
                self.doses.append({**plain, "id": self.id(), "is": other, "from": self.pick.choice(("criis", "pharmacy"))} | late)
            case "amount" if dose["is"] in ("supervised", "partial"):
                self.doses.append({**dose, "id": self.id(), "mg": 15, "from": self.pick.choice(("criis", "pharmacy"))})
            case "twice" if given:
                pharmacy = self.pick.choice(("FZZ01", "FZZ03"))
                at = {"at": self.moment(day, 12, 17)} if self.often(0.6) else {}
                self.doses.append({**dose, "id": self.id(), "pharmacy": pharmacy, **at})
            case "corrected":
                self.correct(dose, {**plain, "is": other}, day)
            case "version":
                self.doses.append({**plain, "is": other, "version": 2} | late)
            case "withdrawn":
                self.doses.append({**dose, "status": "entered-in-error"} | ({"version": 2} if self.often(0.5) else {}) | late)
            case "had":
                self.elsewhere(day, self.pick.choice(("", "RLH01")))
            case _:
                pass

    def correct(self, dose: Json, right: Json, day: date) -> None:
        """A correction, which may be of another day, be corrected in turn, or be withdrawn."""
        right = {**right, "id": self.id(), "replaces": dose["id"], "received": self.later(day, 5)}
        before = str(day - timedelta(1))
        alone = "n" not in right and not any("doses-a-day" in one and one["first"] <= before <= one["last"] for one in self.forms)
        if self.often(0.2) and alone and not any(one["on"] == before and one["is"] == right["is"] for one in self.doses):
            self.doses.append({**right, "on": before})
            return
        self.doses.append(right)
        if self.often(0.15):
            third = next(one for one in OUTCOMES if one not in (dose["is"], right["is"], "partial", "elsewhere"))
            self.doses.append({**right, "id": self.id(), "is": third, "replaces": right["id"], "received": self.later(day, 9)})
        elif self.often(0.15):
            self.doses.append({**right, "status": "entered-in-error", "received": self.later(day, 9)})

    # --- the rest ---
    def talk(self) -> Json:
        """A consultation, kept or not."""
        attendance = self.pick.choices(("attended", "attended-late", "did-not-attend"), (5, 2, 3))[0]
        at = self.moment(self.pick.choice(self.span()), 9, 16)
        medium = self.pick.choices(("face-to-face", "telephone", "home-visit", "text-message", "third-party"), (8, 8, 2, 1, 1))[0]
        return {"at": at, "medium": medium, "type": "prescribing-review", "attendance": attendance}

    def death(self) -> Json:
        """A death, at times long after the last form; what is dated after it is mostly not said."""
        on = self.pick.choice(self.span()) if self.often(0.5) else self.span()[-1] + timedelta(self.pick.randint(0, 40))
        self.doses = [one for one in self.doses if one["on"] <= str(on) or self.often(0.1)]
        return {"on": str(on), "received": f"{on + timedelta(self.pick.randint(0, 4))}T21:00:00Z"}

    def asked(self) -> Json:
        """The moment that is asked about, and what was known."""
        days = self.span()
        day = self.pick.choice(days[len(days) // 4 :]) if self.often(0.8) else days[-1] + timedelta(self.pick.randint(0, 9))
        day = max(self.pick.choice(self.marks), self.start) if self.often(0.4) else day
        asked = {"as-of": str(day) if self.often(0.5) else self.moment(day, 0, 23, self.pick.choice(ZONES))}
        known = day + timedelta(self.pick.randint(-4, 4))
        return asked | ({"known-at": self.moment(known, 0, 23)} if self.often(0.25) else {})


def random_case(seed: int) -> Json:
    """An invented person."""
    person = _Person(seed)
    person.prescribe()
    for _ in range(person.pick.choices((0, 1, 2), (64, 29, 7))[0]):
        person.stay()
    person.attend()
    case: Json = person.asked()
    if person.often(0.15):
        cadence = person.pick.choice(("PT12H", "PT48H", "PT72H", "P31D"))
        closing = person.pick.choice(("17:30", "18:00", "20:00"))
        case["policy"] = {"feeds": {"FZZ01": {"cadence": cadence, "closing": closing}}}
    if person.often(0.35):
        case["consultations"] = [person.talk() for _ in range(person.pick.randint(1, 2))]
    if person.often(0.1):
        case["death"] = person.death()
        if person.often(0.5):
            case["as-of"] = str(date.fromisoformat(case["death"]["on"]) + timedelta(person.pick.randint(0, 9)))
    if person.often(0.3):
        person.pick.shuffle(person.doses)
    odd(person, random.Random(-1 - seed))
    told = {"forms": person.forms, "changes": person.changes, "doses": person.doses, "stays": person.stays}
    return case | {name: records for name, records in told.items() if records}


def odd(person: _Person, pick: random.Random) -> None:
    """What is told amiss: doses entered at once or after midnight, statements that differ, another number, a serial alone."""
    doses = person.doses
    named = Counter(name for one in doses for name in (one.get("id"), one.get("replaces")) if name)
    plain = [one for one in doses if one["is"] == "supervised" and named[one["id"]] < 2 and not {"at", "received", "n"} & one.keys()]
    plain.sort(key=lambda one: str(one["on"]))
    if len(plain) > 3 and pick.random() < 0.05:
        start = pick.randrange(len(plain) - 1)
        those = plain[start : start + pick.randint(2, 5)]
        for one in those:
            one |= {"at": f"{those[-1]['on']}T11:00:00Z", "received": f"{those[-1]['on']}T19:00:00Z"}
    elif plain and pick.random() < 0.05:
        one = pick.choice(plain)
        day = date.fromisoformat(one["on"]) + timedelta(1)
        at = pick.choice((f"{day}T00:20:00Z", f"{day}T01:50:00Z", f"{day}T08:30:00Z"))
        one |= {"at": at, "received": f"{day}T09:00:00Z"}
    if pick.random() < 0.04:
        day = pick.choice(person.span())
        number = {"n": pick.randint(1, 2)} if pick.random() < 0.3 else {}
        for mg in (30, pick.choice((30, 40))):
            doses.append({"id": person.id(), "on": str(day), "is": "elsewhere", "mg": mg, **number})
    if pick.random() < 0.03:
        doses.append({"id": person.id(), "on": str(pick.choice(person.span())), "is": pick.choice(("missed", "supervised")), "n": 3})
    for one in person.changes:
        if pick.random() < 0.1:
            one |= {"serial": f"99{one['form']}", "form": "unknown"}


def main(cases: int = 5000) -> None:
    """How often each state, outcome and action comes up."""
    days: Counter[str] = Counter()
    people: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    actions: Counter[str] = Counter()
    for seed in range(cases):
        case = random_case(seed)
        ledger = oracle(case)
        days.update(ledger["days"].values())
        people.update(set(ledger["days"].values()))
        outcomes.update(one["is"] for one in case.get("doses", ()))
        actions.update(ledger["due"])
    for title, counted in (("days", days), ("people with such a day", people), ("records", outcomes), ("actions", actions)):
        print(f"{title} of {cases} people:")
        for name, times in counted.most_common():
            print(f"  {times:7} {name}")


if __name__ == "__main__":
    main()
