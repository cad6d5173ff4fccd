"""What letters for a GP have in common: who is who in a message, what stands before a correction, notes, and whom to ring.

A letter is a document about a contact, a care plan, a referral, a decision on consent or an alert. Persons and organisations are
meant by handles; `Parties` turns them into names. The records are those of mappings/gp_connect/update-record/*.schema.json.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from adapter.systems.gp_words import (
    VERSIONS,
    WITHDRAWN,
    Record,
    Row,
    amount,
    coding_words,
    contacts,
    day,
    full_name,
    medicine,
    person,
    reach,
    reasons,
    span,
    token,
    told,
)

#: Status of a care plan or of a referral.
REQUEST = {
    "draft": "draft, not in force yet",
    "active": "active",
    "on-hold": "on hold",
    "revoked": "revoked",
    "completed": "completed",
    "entered-in-error": "entered in error",
    "unknown": "not known",
}
#: Stands before a plan or a referral that was true and holds no longer.
REVOKED = "REVOKED, it no longer stands: "
#: What stands beside a record that is not for everybody's eyes.
CONFIDENTIAL = "CONFIDENTIAL, by the sender's mark: {}."
#: How a letter ends that reports and requests nothing.
FOR_INFORMATION = "This report asks nothing of the practice; it is for information."
#: How a dose is known.
CERTAINTY = {
    "observed": "OBSERVED: somebody saw it swallowed or gave it",
    "supplied": "SUPPLIED, NOT SEEN: it was handed over to be taken away",
    "stated": "STATED ONLY: the person, or somebody for them, says so",
}
#: When a record was made, and which one it takes the place of.
HISTORY: tuple[Row, ...] = (("recorded_at", "Recorded {}.", day), *VERSIONS)


class Parties:
    """Who is who in a message: the names behind the handles of roles, persons and organisations."""

    def __init__(self, record: Record) -> None:
        self.staff, self.people, self.organisations = (
            {one["ref"]: one for one in record.get(name) or ()} for name in ("staff", "people", "organisations")
        )

    def person(self, one: Record) -> str:
        """A person, by name and registration, from what is said here or of their role."""
        role = self.staff.get(one.get("ref"), {})
        individual = self.people.get(role.get("person"), {})
        known: Record = {}
        for source in (one, role):
            known = {**{k: source[k] for k in ("code", "name") if k in source}, **known}
        if "name" not in known and "names" in individual:
            known["name"] = full_name(individual["names"][0])
        if "code" not in known and "codes" in individual:
            known["code"] = individual["codes"][0]
        return person(known) or "a person who is not named"

    def organisation(self, one: Record) -> str:
        """An organisation, by name and code, from what is said here or where it stands in the message."""
        party = self.organisations.get(one.get("ref"), {})
        code = {"code": {"system": "ods-organization-code", "value": party["ods_code"]}} if "ods_code" in party else {}
        other = {"code": party["identifiers"][0]} if "identifiers" in party else {}
        known = {
            **other,
            **code,
            **{k: party[k] for k in ("name",) if k in party},
            **{k: v for k, v in one.items() if k != "ref"},
        }
        return person(known) or "an organisation that is not named"

    def persons(self, several: Iterable[Record]) -> str:
        """Several persons."""
        return ", ".join(self.person(one) for one in several)

    def lines(self, sender: Record) -> list[str]:
        """Everybody whom the message says more of than a name, with the ways to reach them."""
        said = []
        for role in self.staff.values():
            of = told(role, (("organisation", "of {}", self.organisation),))
            jobs = [reasons(job, "") for job in role.get("jobs", ())]
            period = told(role, (("period", "{}", span),))
            numbers = [token(one) for one in role.get("identifiers", ())]
            said.append(f"{', '.join([self.person({'ref': role['ref']}), *jobs, *of, *period, *numbers])}.")
            said += reach(role) + reach(self.people.get(role.get("person"), {}))
        for party in self.organisations.values():
            if party.get("ods_code") != sender["ods_code"]:
                name = ", ".join([self.organisation({"ref": party["ref"]}), *party.get("types", ())])
                said += [f"Organisation in the message: {name}.", *reach(party)]
        return said


def parties(record: Record) -> list[str]:
    """Who reports, and everybody who can be asked."""
    return contacts(record) + Parties(record).lines(record["sender"])


def withdrawn(one: Record) -> bool:
    """Whether the record was taken back."""
    return bool(one["status"] == "entered-in-error")


def standing(one: Record) -> str:
    """What stands before the first fact, so that nobody reads that first: taken back, revoked, in place of another record."""
    if withdrawn(one):
        return WITHDRAWN
    revoked = REVOKED if one["status"] == "revoked" else ""
    return revoked + "".join(told(one, (("replaces", "CORRECTED, in place of record {}: ", token),)))


def kinds(several: Iterable[Record], system: str, otherwise: str) -> str:
    """What kind of thing it is, by code and in the source's words."""
    return "; ".join(dict.fromkeys(reasons(one, system) for one in several)) or otherwise


def labels(several: Iterable[Record]) -> str:
    """How confidential the source says it is."""
    return "; ".join(coding_words(one) for one in several)


def note(one: Record) -> str:
    """What somebody wrote, with who and when."""
    who = "".join(told(one, (("by", " of {}", str), ("at", ", {}", day))))
    return f"Note{who}: “{one['text']}”."


def notes(several: Iterable[Any]) -> list[str]:
    """Notes that are words alone."""
    return [note({"text": text}) for text in several]


def tokens(several: Iterable[Record]) -> str:
    """Identifiers for people."""
    return ", ".join(token(one) for one in several)


_DOSE: tuple[Row, ...] = (("date", "{}", day), ("amount", "{}", amount), ("medicine", "{}", medicine))


def dose(one: Record) -> str:
    """The last dose and how it is known, or that it is not known."""
    if one.get("unknown"):
        return "LAST DOSE: NOT KNOWN."
    unsaid = [f"{name} not said" for name in ("amount", "medicine") if name not in one]
    known = CERTAINTY[one["certainty"]] if "certainty" in one else "how it is known is not said"
    return f"LAST DOSE: {', '.join([*told(one, _DOSE), *unsaid])}. {known}."
