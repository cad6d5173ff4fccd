"""A second, naive reading of docs/care.md, from that text alone: its words, what a record is where it does not say it, and London's clock."""
from datetime import datetime, timedelta
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
