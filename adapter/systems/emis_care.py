"""The codecs of consultations and referrals in the EMIS bulk extract: whether a contact took place and how, what a clinical code
is, what a value is, and what became of a referral.

Columns, words and codes: github.com/NHSISL/Datasets, OLIDS/Documentation/Source-data. What a column does not say is not said.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from adapter.fhir.dates import from_wall_clock, precision
from adapter.mapping.codecs import codec
from adapter.shipped import MAPPINGS
from adapter.systems.emis import day, effective, no_date

# the contact ------------------------------------------------------------------------------------------------------
#: ConsultationSourceTerm, the Term of its code, DidNotAttend, SendInTime and Deleted of the appointment.
Contact = tuple[str | None, str | None, bool | None, str | None, bool | None]


@cache
def _words(table: str) -> Mapping[str, str]:
    """Words of the source in small letters -> code of the hub, as the ConceptMap of that name has them."""
    group = json.loads((MAPPINGS / f"emis/codes/{table}.json").read_text("utf-8"))["group"][0]
    return {one["code"]: one["target"][0]["code"] for one in group["element"]}


def _said(table: str, *terms: str | None) -> str | None:
    """What the words of the source and of its code say; None where they say nothing that is known, or two things."""
    found = {_words(table).get(" ".join(term.lower().split())) for term in terms if term is not None} - {None}
    return found.pop() if len(found) == 1 else None


def _came(contact: Contact) -> bool:
    """Sent in to be seen. (Left alone is no proof: who leaves unseen leaves too.)"""
    return contact[3] is not None and contact[4] is not True


def _missed(contact: Contact) -> bool:
    dna = contact[2] is True and contact[4] is not True
    return dna or _said("consultation-attendance", *contact[:2]) == "did-not-attend"


def attendance(contact: Contact) -> str | None:
    """A contact -> attendance; declines where neither is said, or both."""
    came, missed = _came(contact), _missed(contact)
    return None if came == missed else "attended" if came else "did-not-attend"


def encounter_status(said: tuple[Any, ...]) -> str:
    """(Deleted, Complete, contact) -> status. A contact that contradicts itself is unknown."""
    deleted, complete, contact = said[0], said[1], said[2:]
    if deleted:
        return "entered-in-error"
    if _missed(contact):
        return "unknown" if _came(contact) else "cancelled"
    if complete is None:
        return "finished" if _came(contact) else "unknown"
    return "finished" if complete else "in-progress"


def medium(terms: tuple[str | None, str | None]) -> str | None:
    """(ConsultationSourceTerm, Term of its code) -> medium; declines where the words leave a doubt: a place is no medium."""
    return _said("consultation-medium", *terms)


def encounter_class(said: tuple[bool | None, str | None, str | None]) -> str:
    """(Deleted, ConsultationSourceTerm, Term of its code) -> v3-ActCode by the medium; VR where it is not said."""
    return {"face-to-face": "AMB", "home-visit": "HH"}.get(medium(said[1:]) or "", "VR")


def consultation_type(said: tuple[str | None, str | None, str | None]) -> str | None:
    """(OrganisationType, ConsultationSourceTerm, Term of its code) -> type; declines an entry that is no consultation, and
    what is not a general practice."""
    return _said("consultation-type", *said[1:]) if said[0] == "General Practice" else None


# when -------------------------------------------------------------------------------------------------------------
# A date that cannot be read refuses nothing here: it is declined, and so stays unread. A record of care must not be lost over it.
_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]")


def dated(pair: tuple[str | None, str | None]) -> str | None:
    """(EffectiveDate, EffectiveDatePrecision) -> a FHIR date as precise as was meant; declines U, no date, and what is none."""
    try:
        return effective(pair)
    except (ValueError, KeyError):
        return None


def moment(pair: tuple[str | None, str | None]) -> str | None:
    """(a day, a time on a clock in London) -> dateTime; the day alone where there is no time, or one that the clock showed twice
    or never; declines both where either cannot be read."""
    on, time = pair
    if on is None or precision(on) != "day" or (time is not None and not _TIME.fullmatch(time)):
        return None
    return (_at(on, time) if time is not None else None) or on


def _at(on: str, time: str) -> str | None:
    """A day and a time -> dateTime; None where it is no time, or one that the clock showed twice or never."""
    try:
        return from_wall_clock(f"{on}T{time}")
    except ValueError:
        return None


def started(said: tuple[Any, ...]) -> str | None:
    """(EffectiveDate, EffectiveDatePrecision, AppointmentDate, contact) -> when the contact began.

    To the second where the patient attended and was sent in on that day; declines where it did not take place, or has no date.
    """
    (date, meant, appointment), contact = said[:3], said[3:]
    on, came = dated((date, meant)), attendance(contact)
    if on is None or came == "did-not-attend":
        return None
    return (moment((on, contact[3])) or on) if came == "attended" and on == appointment else on


def ended(said: tuple[Any, ...]) -> str | None:
    """(EffectiveDate, EffectiveDatePrecision, AppointmentDate, LeftTime, contact) -> when it ended, if a time says so."""
    (date, meant, appointment, left), contact = said[:4], said[4:]
    if left is None or attendance(contact) != "attended" or dated((date, meant)) != appointment or left < contact[3]:
        return None
    return _at(appointment, left) if _at(appointment, contact[3]) else None


def no_start(said: tuple[Any, ...]) -> str | None:
    """(EffectiveDate, EffectiveDatePrecision, contact) -> `unknown` where the source has no date of a contact that was held."""
    return None if attendance(said[2:]) == "did-not-attend" else no_date(said[:2])


def planned_start(said: tuple[Any, ...]) -> str | None:
    """(AppointmentDate, AppointmentStartTime, EffectiveDate, EffectiveDatePrecision, contact) -> when it was to begin.

    That is the appointment; without one, the date of an entry that says that the person did not come.
    """
    (on, time, date, meant), contact = said[:4], said[4:]
    if no_date((date, meant)) is None and dated((date, meant)) is None:
        return None  # so that the date which cannot be read is not taken for one that was
    if on is not None and contact[4] is not True:
        return moment((on, time))
    return dated((date, meant)) if attendance(contact) == "did-not-attend" else None


def planned_end(said: tuple[str | None, str | None, str | None, bool | None]) -> str | None:
    """(AppointmentDate, AppointmentStartTime, PlannedDurationInMinutes, Deleted) -> when the appointment was to end."""
    on, time, length, deleted = said
    if on is None or time is None or length is None or deleted or not length.isdecimal() or not _at(on, time):
        return None
    end = datetime.fromisoformat(f"{on}T{time}") + timedelta(minutes=int(length))
    return _at(*end.isoformat().split("T"))


def minutes(said: tuple[Any, ...]) -> int | None:
    """(ActualDurationInMinutes, contact) -> minutes; declines those of a contact that did not take place."""
    length, contact = said[0], said[1:]
    if length is None or not length.isdecimal() or attendance(contact) == "did-not-attend":
        return None
    return int(length)


# codes ------------------------------------------------------------------------------------------------------------
#: The namespace in which EMIS makes SNOMED CT identifiers of its own (SCTIDs of the long form, digits 10 to 3 from the right).
_EMIS = "1000006"
_READ = re.compile(r"(?P<code>[0-9A-Za-z]{1,5}\.{0,4})(?:-[0-9A-Za-z]{1,2})?")
_DIHEDRAL = ("0123456789", "1234067895", "2340178956", "3401289567", "4012395678", "5987604321", "6598710432", "7659821043",
             "8765932104", "9876543210")  # fmt: skip
_PERMUTED = ("0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258")


def _is_concept(value: str) -> bool:
    """Whether a number is a SNOMED CT concept identifier: partition 00 or 10, and the right check digit.

    https://confluence.ihtsdotools.org/display/DOCRELFMT/6+SNOMED+CT+Identifiers
    """
    if not re.fullmatch(r"[1-9][0-9]{5,17}", value) or value[-3:-1] not in ("00", "10"):
        return False
    check = 0
    for place, digit in enumerate(reversed(value)):
        check = int(_DIHEDRAL[check][int(_PERMUTED[place % 8][int(digit)])])
    return check == 0


def _is_own(value: str) -> bool:
    return value[-3:-1] == "10" and value[-10:-3] == _EMIS


def concept(value: str) -> str | None:
    """SnomedCTConceptId -> the same; declines what is no concept, and EMIS's own, which no edition of SNOMED CT publishes."""
    return value if _is_concept(value) and not _is_own(value) else None


def own_concept(value: str) -> str | None:
    """SnomedCTConceptId -> the same where it is EMIS's own."""
    return value if _is_concept(value) and _is_own(value) else None


def read_code(value: str) -> str | None:
    """ReadTermId -> Read code of five characters, without the number of its term; declines EMIS's own codes."""
    found = _READ.fullmatch(value)
    return found["code"].ljust(5, ".") if found and len(found["code"]) <= 5 else None


def egton_code(value: str) -> str | None:
    """ReadTermId -> the same where it is no Read code, but one of EMIS's own."""
    return None if read_code(value) else value


# observations -----------------------------------------------------------------------------------------------------
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})?(?:\.[0-9]{1,18})?")


def observation_status(deleted: bool) -> str:
    """Deleted -> status. The extract has no column that says less than final."""
    return "entered-in-error" if deleted else "final"


def decimal(value: str) -> Decimal | int | None:
    """A value that is a number, to the digit; declines any other."""
    text = value.strip()
    if not _NUMBER.fullmatch(text) or not text.strip("-."):
        return None
    return Decimal(text) if "." in text else int(text)


def words(value: str) -> str | None:
    """A value that is no number, as it stands."""
    return value if decimal(value) is None else None


def person(parts: tuple[str | None, ...]) -> str | None:
    """(Title, GivenName, Surname) -> the name in one line; declines one without a surname."""
    return " ".join(part.strip() for part in parts if part is not None) if parts[-1] is not None else None


# referrals --------------------------------------------------------------------------------------------------------
#: ReferralUrgency in small letters -> priority. The others of the source (Soon, Dated) have no like in FHIR.
_PRIORITY = {"routine": "routine", "urgent": "urgent", "2 week wait": "urgent"}


def priority(urgency: str) -> str | None:
    """ReferralUrgency -> priority; declines a word without its like, which stands verbatim beside it."""
    return _PRIORITY.get(urgency.strip().lower())


def referral_status(said: tuple[str, bool | None, str | None, str | None, str | None]) -> str:
    """(ObservationGuid, Deleted, ReferralEndDate, ReferralEpisodeClosureDate, ReferralClosureReasonCodeId) -> status.

    The source has no status: what is not closed is unknown, since the columns that close it are empty by its specification.
    """
    _, deleted, *closed = said
    if deleted:
        return "entered-in-error"
    return "unknown" if not any(closed) else "completed"


def task_status(said: tuple[bool | None, str | None, str | None, str | None, str | None]) -> str | None:
    """(Deleted, ReferralReceivedDate, ReferralEndDate, ReferralEpisodeClosureDate, ReferralClosureReasonCodeId) -> status of
    what became of the referral; declines where nothing says it."""
    deleted, received, *closed = said
    if not (received or any(closed)):
        return None
    return "entered-in-error" if deleted else "completed" if any(closed) else "received"


def closed_on(dates: tuple[str | None, str | None]) -> str | None:
    """(ReferralEndDate, ReferralEpisodeClosureDate) -> the day on which it ended; declines two that differ, refuses no day."""
    found = {day(one) for one in dates if one is not None}
    return found.pop() if len(found) == 1 else None


def requester(organisations: tuple[str | None, str | None, str | None]) -> str | None:
    """(OrganisationGuid, ReferralTargetOrganisationGuid, ReferralSourceOrganisationGuid) -> the type of who asks, where it is the
    practice's own clinician; declines a referral to the practice, or from elsewhere: its clinician only wrote it down."""
    own, target, source = organisations
    return "PractitionerRole" if target != own and source in (None, own) else None


# What the maps call them. The extract is read and never written, so that each has one half.
_CODECS: dict[str, Callable[[Any], Any]] = {
    "emis-attendance": attendance,
    "emis-encounter-status": encounter_status,
    "emis-encounter-class": encounter_class,
    "emis-consultation-medium": medium,
    "emis-consultation-type": consultation_type,
    "emis-dated": dated,
    "emis-moment": moment,
    "emis-started": started,
    "emis-ended": ended,
    "emis-no-start": no_start,
    "emis-planned-start": planned_start,
    "emis-planned-end": planned_end,
    "emis-minutes": minutes,
    "emis-concept": concept,
    "emis-own-concept": own_concept,
    "emis-read-code": read_code,
    "emis-egton-code": egton_code,
    "emis-observation-status": observation_status,
    "emis-decimal": decimal,
    "emis-words": words,
    "emis-person": person,
    "emis-priority": priority,
    "emis-referral-status": referral_status,
    "emis-task-status": task_status,
    "emis-closed-on": closed_on,
    "emis-requester": requester,
}
for _name, _read in _CODECS.items():
    codec(_name, read=_read)
