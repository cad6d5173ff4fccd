"""What a GP must see of the written fixtures, worked out by hand from their bundle.json: who it is about, codes for the practice's
system, sentences for a person. The rows are whole: what is not in a row may not be in the document either. The fixtures that are
not here have an out.json that was itself written by hand, element by element.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import adapter
from adapter.fhir.json import decode
from adapter.shipped import FIXTURES
from tests.systems.test_gp_connect import NAME, Document, extension, parts, text, with_identifier

Json = dict[str, Any]


# reading a document -----------------------------------------------------------------------------------------------------
def amount(quantity: Json) -> str:
    """Number, unit, its code and its UCUM code."""
    return f"{quantity['value']} {quantity['unit']} {quantity['code']} {extension(quantity, 'ucum-unit')['valueCode']}"


def concept(value: Json) -> list[str]:
    """Every coding as system, code and display, then the text."""
    codings = [f"{c['system'].rpartition('/')[2]} {c['code']} {c.get('display', '')}".strip() for c in value.get("coding", ())]
    return codings + ([value["text"]] if "text" in value else [])


def named(resource: Json) -> str:
    """A person or organisation with the code of a register."""
    name = resource["name"] if isinstance(resource["name"], str) else resource["name"][0]["text"]
    codes = [f"{i['system'].rpartition('/')[2]} {i['value']}" for i in resource.get("identifier", ())]
    return " ".join([name, *codes])


def told(pairs: Iterator[tuple[str, Any]]) -> Json:
    """What is there; a fact that several elements give must be the same in all of them."""
    found: Json = {}
    for name, value in pairs:
        if value not in (None, [], {}):
            assert found.setdefault(name, value) == value, name
    return found


def extensions(resource: Json) -> Iterator[tuple[str, Any]]:
    for name, key in (("dose-date", "valueDate"), ("dose-number", "valuePositiveInt"), ("recorded", "valueDateTime")):
        yield name.removeprefix("dose-"), extension(resource, name).get(key)
    yield "version", extension(resource, "version").get("valuePositiveInt")
    yield "corrects", extension(resource, "replaces").get("valueIdentifier", {}).get("value")
    yield "outcome", concept({"coding": [c]}) if (c := extension(resource, "dose-outcome").get("valueCoding")) else None
    if prescribed := extension(resource, "prescribed-amount"):
        yield "prescribed", amount(prescribed["valueQuantity"])
    yield "collected by", parts(extension(resource, "collected-by"))
    yield "why taken home", extension(resource, "take-home-reason").get("valueCode")


def component(part: Json) -> tuple[str, Any]:
    name = {
        "Medicine": "medicine",
        "Amount prescribed for this dose": "prescribed",
        "Amount supplied": "supplied",
        "Amount seen to be taken": "taken",
        "Amount said to have been taken": "said to be taken",
        "What was seen": "seen",
        "Reason not swallowed": "why not swallowed",
        "Who says so": "who says so",
    }[part["code"]["text"]]
    if "valueQuantity" in part:
        return name, amount(part["valueQuantity"])
    return name, part["valueString"] if "valueString" in part else concept(part["valueCodeableConcept"])


def status_codes(number: Json) -> list[str]:
    """The codes of an NHS number's verification status."""
    status = extension(number, "Extension-CareConnect-GPC-NHSNumberVerificationStatus-1")["valueCodeableConcept"]
    return [c["code"] for c in status["coding"] if c["system"].endswith("/CareConnect-NHSNumberVerificationStatus-1")]


class Read:
    """The facts of one document's doses or orders, by identifier."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.urls = {e["fullUrl"]: e["resource"] for e in document.document["entry"]}

    def name(self, reference: Json) -> str:
        return named(self.urls[reference["reference"]])

    def report(self, one: Json) -> Iterator[tuple[str, Any]]:
        """An Observation."""
        yield from extensions(one)
        yield "report", one["status"]
        yield "outcome", concept({"coding": one["code"]["coding"]})
        yield "outcome in words", one["code"]["text"]
        yield "at", one["effectiveDateTime"]
        yield "sent", one["issued"]
        yield "reported by", [self.name(p) for p in one.get("performer", ())]
        for part in one["component"]:
            yield component(part)

    def filed(self, one: Json) -> Iterator[tuple[str, Any]]:
        """A MedicationDispense or MedicationStatement."""
        yield from extensions(one)
        yield "filed", f"{one['resourceType']} {one['status']}"
        yield "medicine", concept(one["medicationCodeableConcept"])
        for element in ("authorizingPrescription", "basedOn"):
            yield "item", one[element][0]["identifier"]["value"] if element in one else None
        yield "note", one["note"][0]["text"] if "note" in one else None
        if "notDone" in one:
            yield "not done", one["notDone"]
            yield "why not", concept(one.get("notDoneReasonCodeableConcept", {}))
            yield "pharmacy", [self.name(p["actor"]) for p in one.get("performer", ())]
            yield "supplied", amount(one["quantity"]) if "quantity" in one else None
            yield "days", f"{one['daysSupply']['value']} {one['daysSupply']['code']}" if "daysSupply" in one else None
            yield "handed over", one.get("whenHandedOver")
        else:
            yield "at", one["effectiveDateTime"]
            yield "asserted", one.get("dateAsserted")
            yield "was it taken", one["taken"]
            source = one.get("informationSource", {})
            yield "source", [v for v in (source.get("display"), source.get("identifier", {}).get("value")) if v]
            for dosage in one.get("dosage", ()):
                how = "taken" if dosage["text"].startswith("Injected") else "said to be taken"
                yield how, amount(dosage["doseQuantity"])
                yield "dosage", dosage["text"]

    def doses(self) -> dict[str, Json]:
        made = {}
        for one in self.document.of("Observation"):
            if "identifier" in one:
                kinds = ("MedicationDispense", "MedicationStatement")
                [record] = with_identifier(self.document.resources, one["identifier"][0], *kinds)
                pairs = (pair for pairs in (self.report(one), self.filed(record)) for pair in pairs)
                made[one["identifier"][0]["value"]] = told(pairs)
        return made

    def afterwards(self) -> list[tuple[str, ...]]:
        """(dose, what happened, when, status)."""
        return [
            (
                self.urls[one["related"][0]["target"]["reference"]]["identifier"][0]["value"],
                *concept(one["code"]),
                one["effectiveDateTime"],
                one["status"],
            )
            for one in self.document.of("Observation")
            if "related" in one
        ]

    def orders(self) -> dict[str, Json]:
        return {one["identifier"][0]["value"]: told(self.order(one)) for one in self.document.of("MedicationRequest")}

    def order(self, one: Json) -> Iterator[tuple[str, Any]]:
        yield "status", f"{one['status']} {one['intent']}"
        yield "form", one.get("groupIdentifier", {}).get("value")
        yield "follows", one.get("priorPrescription", {}).get("identifier", {}).get("value")
        yield "therapy", concept(one.get("category", {}))
        yield "medicine", concept(one["medicationCodeableConcept"])
        yield "written", one.get("authoredOn")
        yield "prescriber", [self.name(one["requester"][k]) for k in ("agent", "onBehalfOf")]
        wanted = one["dispenseRequest"]
        yield "pharmacy", self.name(wanted["performer"])
        yield "total", amount(wanted["quantity"]) if "quantity" in wanted else None
        yield "first supply", wanted.get("validityPeriod")
        yield "substitution", one.get("substitution")
        yield "note", one["note"][0]["text"] if "note" in one else None
        yield from self.changed(one)
        yield from self.controlled(one)
        for step in one.get("dosageInstruction", ()):
            repeat = step["timing"]["repeat"]
            when = f"{repeat['frequency']} per {repeat['period']} {repeat['periodUnit']}"
            period = f"{repeat['boundsPeriod']['start']} {repeat['boundsPeriod']['end']}"
            yield f"step {step['sequence']}", [amount(step["doseQuantity"]), when, period, *concept(step["route"]), step["text"]]

    def changed(self, one: Json) -> Iterator[tuple[str, Any]]:
        reason = parts(extension(one, "Extension-CareConnect-GPC-MedicationStatusReason-1"))
        yield "why", concept(reason.get("statusReason", {}))
        yield "from", reason.get("statusChangeDate")
        change = parts(extension(one, "order-change"))
        yield "change", change.get("type")
        yield "from", change.get("effective")
        yield "replaced by", change.get("replacedBy", {}).get("value")
        yield "last dose", change.get("lastDose")
        yield "recorded", change.get("recorded")

    def controlled(self, one: Json) -> Iterator[tuple[str, Any]]:
        drug = parts(extension(one, "Extension-DM-ControlledDrug"))
        yield "total in words", drug.get("quantityWords")
        yield "schedule", drug.get("schedule", {}).get("code")
        yield "supervision", extension(one, "required-supervision").get("valueCode")
        yield "treatment", extension(one, "treatment-period").get("valuePeriod")
        yield "restart", parts(extension(one, "restart"))
        every = [(e["url"].rpartition("/")[2], e) for e in one.get("extension", ())]
        yield "wordings", [parts(e) for name, e in every if name == "home-office-wording"]
        yield "closed", [e["valueDate"] for name, e in every if name == "closed-day"]
        yield "collections", [self.collection(e) for name, e in every if name == "planned-collection"]

    @staticmethod
    def collection(planned: Json) -> list[Any]:
        said = parts(planned)
        covers = [p["valueDate"] for p in planned["extension"] if p["url"] == "covers"]
        return [said["date"], covers, amount(said["amount"]), said["supervised"], said["status"]]


# the table --------------------------------------------------------------------------------------------------------------
METHADONE = [
    "dmd.nhs.uk 36120711000001104 Methadone 1mg/ml oral solution",
    "sct 36120711000001104 Methadone 1mg/ml oral solution",
    "Methadone 1mg/ml oral solution",
]
ML = "ml 258773002 mL"
WILLOW, RESET = "Willow Lane Pharmacy ods-organization-code FZZ01", "Reset Treatment Service ods-organization-code YZ901"
PRIYA = "Priya Nandra gphc-number 9900001"
SAID = "Methadone 1mg/ml oral solution (dm+d 36120711000001104)."
NOT_COLLECTED = "medicationdispense-status-reason 0010 Patient did not collect medication"

#: Fixture -> identifier of the dose -> its facts.
DOSES: dict[str, dict[str, Json]] = {
    "supervised-and-missed": {
        "D-20260318-0001": {
            "outcome": ["dose-outcome supervised Supervised"],
            "outcome in words": "Supervised, seen to be swallowed in full",
            "report": "final",
            "filed": "MedicationDispense completed",
            "date": "2026-03-18",
            "at": "2026-03-18T09:12:00Z",
            "sent": "2026-03-18T17:45:00Z",
            "recorded": "2026-03-18T09:13:20Z",
            "version": 1,
            "medicine": METHADONE,
            "prescribed": f"40 {ML}",
            "supplied": f"40 {ML}",
            "taken": f"40 {ML}",
            "seen": ["medication-admin-status completed"],
            "reported by": [PRIYA, WILLOW],
            "pharmacy": [WILLOW],
            "item": "RX-5501-1",
            "not done": False,
            "days": "1 d",
            "handed over": "2026-03-18T09:10:00Z",
            "collected by": {"who": "patient"},
            "note": 'Said <"fine"> & left',
        },
        "D-20260317-0901": {
            "outcome": ["dose-outcome missed Missed"],
            "outcome in words": "Missed, not collected",
            "report": "final",
            "filed": "MedicationDispense stopped",
            "date": "2026-03-17",
            "at": "2026-03-17",
            "sent": "2026-03-18T17:45:00Z",
            "recorded": "2026-03-17T18:05:00Z",
            "medicine": METHADONE,
            "prescribed": f"40 {ML}",
            "reported by": [WILLOW],
            "pharmacy": [WILLOW],
            "item": "RX-5501-1",
            "not done": True,
            "why not": [NOT_COLLECTED, "No answer to two calls"],
        },
    },
    "withheld-with-reason": {
        "D-20260317-0002": {
            "outcome": ["dose-outcome missed Missed"],
            "outcome in words": "Missed, not collected",
            "report": "final",
            "filed": "MedicationDispense stopped",
            "date": "2026-03-17",
            "at": "2026-03-17",
            "sent": "2026-03-18T17:45:00Z",
            "recorded": "2026-03-17T18:05:00Z",
            "medicine": METHADONE,
            "prescribed": f"40 {ML}",
            "reported by": [WILLOW],
            "pharmacy": [WILLOW],
            "item": "RX-5501-1",
            "not done": True,
            "why not": [NOT_COLLECTED, "No answer to two calls"],
        },
        "D-20260318-0002": {
            "outcome": ["dose-outcome withheld Withheld"],
            "outcome in words": "Withheld, the patient attended and the dose was not supplied",
            "report": "final",
            "filed": "MedicationDispense stopped",
            "date": "2026-03-18",
            "at": "2026-03-18",
            "sent": "2026-03-18T17:45:00Z",
            "medicine": METHADONE,
            "prescribed": f"40 {ML}",
            "reported by": [WILLOW],
            "pharmacy": [WILLOW],
            "item": "RX-5501-1",
            "not done": True,
            "why not": [
                "medicationdispense-status-reason 0002 Clinically unsuitable",
                "withheld-reason intoxicated",
                "Smelled of alcohol, slurred speech; to come back at 16:00",
            ],
        },
    },
    "taken-home": {
        "D-20260314-0004A": {
            "outcome": ["dose-outcome supervised Supervised"],
            "outcome in words": "Supervised, seen to be swallowed in full",
            "report": "final",
            "filed": "MedicationDispense completed",
            "date": "2026-03-14",
            "at": "2026-03-14T10:03:00Z",
            "sent": "2026-03-18T17:45:00Z",
            "medicine": METHADONE,
            "supplied": f"40 {ML}",
            "taken": f"40 {ML}",
            "seen": ["medication-admin-status completed"],
            "reported by": [WILLOW],
            "pharmacy": [WILLOW],
            "item": "RX-5501-1",
            "not done": False,
            "days": "3 d",
            "handed over": "2026-03-14T10:02:00Z",
        },
        **{
            identifier: {
                "outcome": ["dose-outcome take-home Taken home"],
                "outcome in words": "Supplied to take home; whether it was taken is not known",
                "report": "final",
                "filed": "MedicationDispense completed",
                "date": day,
                "at": day,
                "sent": "2026-03-18T17:45:00Z",
                "medicine": METHADONE,
                "supplied": f"40 {ML}",
                "reported by": [WILLOW],
                "pharmacy": [WILLOW],
                "item": "RX-5501-1",
                "not done": False,
                "handed over": "2026-03-14T10:02:00Z",
                "why taken home": "closed-day",
            }
            for identifier, day in (("D-20260314-0004B", "2026-03-15"), ("D-20260314-0004C", "2026-03-16"))
        },
    },
    "not-swallowed": {
        "DE-88180": {
            "outcome": ["dose-outcome not-swallowed Not swallowed"],
            "outcome in words": "Handed over under supervision and not swallowed",
            "report": "final",
            "filed": "MedicationDispense completed",
            "date": "2026-03-18",
            "at": "2026-03-18T09:15:00Z",
            "sent": "2026-03-18T17:55:00Z",
            "medicine": METHADONE,
            "prescribed": f"40 {ML}",
            "supplied": f"40 {ML}",
            "seen": ["medication-admin-status not-done"],
            "why not swallowed": ["not-swallowed-reason concealed", "Held in the mouth; given back on request"],
            "reported by": [PRIYA, WILLOW],
            "pharmacy": [WILLOW],
            "item": "RX-5501-1",
            "not done": False,
            "handed over": "2026-03-18T09:10:00Z",
        },
    },
    "partial-then-vomited": {
        "DE-88170": {
            "outcome": ["dose-outcome partial Partial"],
            "outcome in words": "Handed over under supervision and seen to be swallowed in part",
            "report": "final",
            "filed": "MedicationDispense completed",
            "date": "2026-03-18",
            "at": "2026-03-18T09:12:00Z",
            "sent": "2026-03-18T17:55:00Z",
            "medicine": METHADONE,
            "prescribed": f"40 {ML}",
            "supplied": f"40 {ML}",
            "taken": f"25.0 {ML}",
            "seen": ["medication-admin-status completed"],
            "reported by": [PRIYA, WILLOW],
            "pharmacy": [WILLOW],
            "item": "RX-5501-1",
            "not done": False,
        },
    },
    "elsewhere": {
        "D-20260316-0009": {
            "outcome": ["dose-outcome elsewhere Had elsewhere"],
            "outcome in words": "Said to have been had elsewhere",
            "report": "final",
            "filed": "MedicationStatement completed",
            "date": "2026-03-16",
            "at": "2026-03-16",
            "sent": "2026-03-18T17:45:00Z",
            "recorded": "2026-03-17T10:00:00Z",
            "asserted": "2026-03-17T10:00:00Z",
            "was it taken": "y",
            "medicine": METHADONE,
            "said to be taken": f"30 {ML}",
            "dosage": "Amount said to have been had: 30 ml.",
            "source": ["Ward 4, Example General Hospital", "RZZ99"],
            "who says so": "Ward 4, Example General Hospital (ODS RZZ99)",
            "note": "By telephone",
        },
        "D-20260317-0009": {
            "outcome": ["dose-outcome elsewhere Had elsewhere"],
            "outcome in words": "Said to have been had elsewhere",
            "report": "final",
            "filed": "MedicationStatement completed",
            "date": "2026-03-17",
            "at": "2026-03-17",
            "sent": "2026-03-18T17:45:00Z",
            "was it taken": "y",
            "medicine": ["methadone, strength not known"],
            "source": ["the patient"],
            "who says so": "the patient",
        },
    },
    "depot": {
        "D-20260318-0010": {
            "outcome": ["dose-outcome depot Depot"],
            "outcome in words": "Given by a professional as a prolonged-release injection",
            "report": "final",
            "filed": "MedicationStatement completed",
            "date": "2026-03-18",
            "at": "2026-03-18T14:05:00Z",
            "sent": "2026-03-18T17:45:00Z",
            "was it taken": "y",
            "medicine": [
                (
                    "dmd.nhs.uk 36751711000001103"
                    " Buprenorphine 16mg/0.32ml prolonged-release solution for injection pre-filled syringes"
                ),
                "sct 36751711000001103 Buprenorphine 16mg/0.32ml prolonged-release solution for injection pre-filled syringes",
                "Buprenorphine 16mg/0.32ml prolonged-release solution for injection pre-filled syringes",
            ],
            "prescribed": "16 mg 258684004 mg",
            "taken": "16 mg 258684004 mg",
            "dosage": "Injected: 16 mg.",
            "reported by": ["Sam Okoro nmc-number 99A0003E"],
            "item": "RX-5700-1",
        },
    },
    "withdrawn": {
        "DE-88112": {
            "outcome": ["dose-outcome supervised Supervised"],
            "outcome in words": "Supervised, seen to be swallowed in full",
            "report": "entered-in-error",
            "filed": "MedicationDispense entered-in-error",
            "date": "2026-03-17",
            "at": "2026-03-17T09:12:00Z",
            "sent": "2026-03-18T17:55:00Z",
            "version": 2,
            "corrects": "DE-88112",
            "medicine": METHADONE,
            "prescribed": f"40 {ML}",
            "supplied": f"40 {ML}",
            "taken": f"40 {ML}",
            "seen": ["medication-admin-status entered-in-error"],
            "reported by": [WILLOW],
            "pharmacy": [WILLOW],
            "item": "RX-5501-1",
            "not done": False,
        },
        "DE-88113": {
            "outcome": ["dose-outcome missed Missed"],
            "outcome in words": "Missed, not collected",
            "report": "entered-in-error",
            "filed": "MedicationDispense entered-in-error",
            "date": "2026-03-16",
            "at": "2026-03-16",
            "sent": "2026-03-18T17:55:00Z",
            "medicine": METHADONE,
            "reported by": [WILLOW],
            "pharmacy": [WILLOW],
            "not done": True,
            "why not": [NOT_COLLECTED],
        },
        "DE-88114": {
            "outcome": ["dose-outcome elsewhere Had elsewhere"],
            "outcome in words": "Said to have been had elsewhere",
            "report": "entered-in-error",
            "filed": "MedicationStatement entered-in-error",
            "date": "2026-03-15",
            "at": "2026-03-15",
            "sent": "2026-03-18T17:55:00Z",
            "was it taken": "y",
            "medicine": METHADONE,
            "source": ["the patient"],
            "who says so": "the patient",
        },
        "DE-88115": {
            "outcome": ["dose-outcome depot Depot"],
            "outcome in words": "Given by a professional as a prolonged-release injection",
            "report": "entered-in-error",
            "filed": "MedicationStatement entered-in-error",
            "date": "2026-03-14",
            "at": "2026-03-14",
            "sent": "2026-03-18T17:55:00Z",
            "was it taken": "y",
            "medicine": ["dmd.nhs.uk 36751711000001103", "sct 36751711000001103"],
            "taken": "16 mg 258684004 mg",
            "dosage": "Injected: 16 mg.",
        },
    },
}

#: Fixture -> (dose, what happened afterwards, when, status of the report).
AFTERWARDS: dict[str, list[tuple[str, ...]]] = {
    "partial-then-vomited": [
        ("DE-88170", "after-dose spilled Spilled", "2026-03-18T09:12:30Z", "final"),
        ("DE-88170", "after-dose vomited Vomited", "2026-03-18T09:31:00Z", "final"),
    ],
    "withdrawn": [("DE-88112", "after-dose vomited Vomited", "2026-03-17T09:31:00Z", "entered-in-error")],
}

LENA = ["Dr Lena Osei gmc-number 9900002", RESET]
ORAL = "sct 26643006 Oral"
INSTALMENTS = ["medicationrequest-course-of-therapy instalment-dispensing"]
#: Fixture -> identifier of the item -> its facts.
ORDERS: dict[str, dict[str, Json]] = {
    "stopped-and-restarted": {
        "RX-5400-1": {
            "status": "stopped plan",
            "form": "99000000009",
            "medicine": METHADONE,
            "prescriber": LENA,
            "pharmacy": WILLOW,
            "change": "stopped",
            "why": ["prescription-change-reason tolerance-reassessment"],
            "from": "2026-03-18T12:00:00Z",
            "last dose": "2026-03-14",
        },
        "RX-5506-1": {
            "status": "active plan",
            "form": "99000000066",
            "follows": "RX-5400-1",
            "therapy": INSTALMENTS,
            "medicine": METHADONE,
            "written": "2026-03-18",
            "prescriber": LENA,
            "pharmacy": WILLOW,
            "total": f"130 {ML}",
            "total in words": "one hundred and thirty millilitres",
            "schedule": "CD2",
            "supervision": "required",
            "treatment": {"start": "2026-03-19", "end": "2026-03-23"},
            "restart": {"reason": "missed-doses", "text": "Missed 15 to 18 March; seen 18 March"},
            "substitution": {"allowed": False},
            "step 1": [f"20 {ML}", "1 per 1 d", "2026-03-19 2026-03-20", ORAL, "20ml daily, supervised, for two days"],
            "step 2": [f"30 {ML}", "1 per 1 d", "2026-03-21 2026-03-23", ORAL, "then 30ml daily, supervised, for three days"],
        },
    },
    "replaced-with-a-new-order": {
        "RX-5501-1": {
            "status": "stopped plan",
            "form": "99000000017",
            "medicine": METHADONE,
            "prescriber": LENA,
            "pharmacy": WILLOW,
            "change": "replaced",
            "why": ["prescription-change-reason dose-change"],
            "from": "2026-03-23",
            "replaced by": "RX-5600-1",
            "last dose": "2026-03-22",
        },
        "RX-5600-1": {
            "status": "active plan",
            "form": "99000000074",
            "follows": "RX-5501-1",
            "therapy": INSTALMENTS,
            "medicine": METHADONE,
            "written": "2026-03-18",
            "prescriber": LENA,
            "pharmacy": WILLOW,
            "total": f"225 {ML}",
            "total in words": "two hundred and twenty-five millilitres",
            "schedule": "CD2",
            "supervision": "required",
            "first supply": {"start": "2026-03-18", "end": "2026-04-14"},
            "treatment": {"start": "2026-03-23", "end": "2026-03-27"},
            "closed": ["2026-03-29"],
            "substitution": {"allowed": False},
            "note": "Review on 27 March",
            "step 1": [f"45 {ML}", "1 per 1 d", "2026-03-23 2026-03-27", ORAL, "45ml daily, supervised"],
            "wordings": [
                {
                    "code": "closed-days",
                    "text": "Please dispense instalments due on pharmacy closed days on a prior suitable day.",
                },
                {"code": "supervise-on-collection", "text": "Supervise consumption on collection days."},
            ],
            "collections": [
                ["2026-03-23", ["2026-03-23"], f"45 {ML}", True, "active"],
                ["2026-03-24", ["2026-03-24"], f"45 {ML}", True, "active"],
                ["2026-03-25", ["2026-03-25"], f"45 {ML}", True, "active"],
                ["2026-03-26", ["2026-03-26"], f"45 {ML}", True, "active"],
                ["2026-03-27", ["2026-03-27"], f"45 {ML}", True, "active"],
            ],
        },
    },
}

#: Fixture -> the document's title, the paragraphs of its first section, and those of its second.
WORDS: dict[str, tuple[str, list[str], list[str]]] = {
    "supervised-and-missed": (
        "Willow Lane Pharmacy & Travel Clinic: supervised consumption, Tuesday 17 March 2026 to Wednesday 18 March 2026",
        [
            "Report of Willow Lane Pharmacy & Travel Clinic (FZZ01), sent Wednesday 18 March 2026 at 17:45 (UK time).",
            (
                f"Wednesday 18 March 2026: Supervised, seen to be swallowed in full. {SAID} Prescribed for this dose: 40 ml."
                " Supplied: 40 ml. Handed over for 1 day. Handed over Wednesday 18 March 2026 at 09:10 (UK time). Collected by: patient."
                " Seen swallowed: 40 ml. Witnessed Wednesday 18 March 2026 at 09:12 (UK time). Witness: Priya Nandra (GPhC 9900001)."
                ' Note: “Said <"fine"> & left”. Prescription item RX-5501-1. Recorded Wednesday 18 March 2026 at 09:13 (UK time).'
                " Version 1 of the record."
            ),
            (
                f"Tuesday 17 March 2026: Missed, not collected. {SAID} Prescribed for this dose: 40 ml."
                " Reason: Patient did not collect medication; No answer to two calls. Prescription item RX-5501-1."
                " Recorded Tuesday 17 March 2026 at 18:05 (UK time)."
            ),
            f"Last dose in this report that was seen to be swallowed in full: Wednesday 18 March 2026, 40 ml, {SAID}",
        ],
        [
            "Reported by Willow Lane Pharmacy & Travel Clinic (FZZ01).",
            "To reach them: telephone 01632 960 001 (work).",
            "Pharmacy: Willow Lane Pharmacy (FZZ01).",
            "Care coordinator: Jo Marsh.",
            "Episode of care: EP-204.",
            "Status of the episode: active.",
        ],
    ),
    "withheld-with-reason": (
        "Willow Lane Pharmacy: supervised consumption, Tuesday 17 March 2026 to Wednesday 18 March 2026",
        [
            "Report of Willow Lane Pharmacy (FZZ01), sent Wednesday 18 March 2026 at 17:45 (UK time).",
            (
                f"Tuesday 17 March 2026: Missed, not collected. {SAID} Prescribed for this dose: 40 ml."
                " Reason: Patient did not collect medication; No answer to two calls. Prescription item RX-5501-1."
                " Recorded Tuesday 17 March 2026 at 18:05 (UK time)."
            ),
            (
                f"Wednesday 18 March 2026: Withheld, the patient attended and the dose was not supplied. {SAID}"
                " Prescribed for this dose: 40 ml."
                " Reason: Clinically unsuitable; Intoxicated; Smelled of alcohol, slurred speech; to come back at 16:00."
                " Prescription item RX-5501-1."
            ),
            "No dose in this report was seen to be swallowed in full.",
        ],
        ["Reported by Willow Lane Pharmacy (FZZ01)."],
    ),
    "taken-home": (
        "Willow Lane Pharmacy: supervised consumption, Saturday 14 March 2026 to Monday 16 March 2026",
        [
            "Report of Willow Lane Pharmacy (FZZ01), sent Wednesday 18 March 2026 at 17:45 (UK time).",
            (
                f"Saturday 14 March 2026: Supervised, seen to be swallowed in full. {SAID} Supplied: 40 ml. Handed over for 3 days."
                " Handed over Saturday 14 March 2026 at 10:02 (UK time). Seen swallowed: 40 ml."
                " Witnessed Saturday 14 March 2026 at 10:03 (UK time). Prescription item RX-5501-1."
            ),
            (
                f"Sunday 15 March 2026: Supplied to take home; whether it was taken is not known. {SAID} Supplied: 40 ml."
                " Handed over Saturday 14 March 2026 at 10:02 (UK time). Taken home because: closed day. Prescription item RX-5501-1."
            ),
            (
                f"Monday 16 March 2026: Supplied to take home; whether it was taken is not known. {SAID} Supplied: 40 ml."
                " Handed over Saturday 14 March 2026 at 10:02 (UK time). Taken home because: closed day. Prescription item RX-5501-1."
            ),
            f"Last dose in this report that was seen to be swallowed in full: Saturday 14 March 2026, 40 ml, {SAID}",
        ],
        ["Reported by Willow Lane Pharmacy (FZZ01)."],
    ),
    "not-swallowed": (
        "Reset Treatment Service: supervised consumption, Wednesday 18 March 2026",
        [
            "Report of Reset Treatment Service (YZ901), sent Wednesday 18 March 2026 at 17:55 (UK time).",
            (
                f"Wednesday 18 March 2026: Handed over under supervision and not swallowed. {SAID} Prescribed for this dose: 40 ml."
                " Supplied: 40 ml. Handed over Wednesday 18 March 2026 at 09:10 (UK time). Not swallowed."
                " Reason not swallowed: Concealed; Held in the mouth; given back on request."
                " Witnessed Wednesday 18 March 2026 at 09:15 (UK time). Witness: Priya Nandra (GPhC 9900001)."
                " Prescription item RX-5501-1."
            ),
            "No dose in this report was seen to be swallowed in full.",
        ],
        ["Reported by Reset Treatment Service (YZ901).", "Pharmacy: Willow Lane Pharmacy (FZZ01)."],
    ),
    "partial-then-vomited": (
        "Reset Treatment Service: supervised consumption, Wednesday 18 March 2026",
        [
            "Report of Reset Treatment Service (YZ901), sent Wednesday 18 March 2026 at 17:55 (UK time).",
            (
                f"Wednesday 18 March 2026: Handed over under supervision and seen to be swallowed in part. {SAID}"
                " Prescribed for this dose: 40 ml. Supplied: 40 ml. Seen swallowed: 25.0 ml."
                " Witnessed Wednesday 18 March 2026 at 09:12 (UK time). Witness: Priya Nandra (GPhC 9900001)."
                " Spilled afterwards, Wednesday 18 March 2026 at 09:12 (UK time)."
                " Vomited afterwards, Wednesday 18 March 2026 at 09:31 (UK time). Prescription item RX-5501-1."
            ),
            "No dose in this report was seen to be swallowed in full.",
        ],
        ["Reported by Reset Treatment Service (YZ901).", "Pharmacy: Willow Lane Pharmacy (FZZ01)."],
    ),
    "elsewhere": (
        "Willow Lane Pharmacy: supervised consumption, Monday 16 March 2026 to Tuesday 17 March 2026",
        [
            "Report of Willow Lane Pharmacy (FZZ01), sent Wednesday 18 March 2026 at 17:45 (UK time).",
            (
                f"Monday 16 March 2026: Said to have been had elsewhere. {SAID} Amount said to have been had: 30 ml."
                " According to Ward 4, Example General Hospital (ODS RZZ99). Note: “By telephone”."
                " Recorded Tuesday 17 March 2026 at 10:00 (UK time)."
            ),
            "Tuesday 17 March 2026: Said to have been had elsewhere. methadone, strength not known. According to the patient.",
            "No dose in this report was seen to be swallowed in full.",
        ],
        ["Reported by Willow Lane Pharmacy (FZZ01)."],
    ),
    "depot": (
        "Willow Lane Pharmacy: supervised consumption, Wednesday 18 March 2026",
        [
            "Report of Willow Lane Pharmacy (FZZ01), sent Wednesday 18 March 2026 at 17:45 (UK time).",
            (
                "Wednesday 18 March 2026: Given by a professional as a prolonged-release injection. Buprenorphine 16mg/0.32ml"
                " prolonged-release solution for injection pre-filled syringes (dm+d 36751711000001103). Prescribed for this dose: 16 mg."
                " Injected: 16 mg. Witnessed Wednesday 18 March 2026 at 14:05 (UK time). Witness: Sam Okoro (NMC 99A0003E)."
                " Prescription item RX-5700-1."
            ),
            "No dose in this report was seen to be swallowed in full.",
        ],
        ["Reported by Willow Lane Pharmacy (FZZ01)."],
    ),
    "withdrawn": (
        "Reset Treatment Service: supervised consumption, Saturday 14 March 2026 to Tuesday 17 March 2026",
        [
            "Report of Reset Treatment Service (YZ901), sent Wednesday 18 March 2026 at 17:55 (UK time).",
            (
                f"WITHDRAWN, entered in error: Tuesday 17 March 2026: Supervised, seen to be swallowed in full. {SAID}"
                " Prescribed for this dose: 40 ml. Supplied: 40 ml. What was seen of it is withdrawn, entered in error."
                " Seen swallowed: 40 ml. Witnessed Tuesday 17 March 2026 at 09:12 (UK time)."
                " WITHDRAWN, entered in error: Vomited afterwards, Tuesday 17 March 2026 at 09:31 (UK time)."
                " Prescription item RX-5501-1. Version 2 of the record. It corrects record DE-88112."
            ),
            (
                f"WITHDRAWN, entered in error: Monday 16 March 2026: Missed, not collected. {SAID}"
                " Reason: Patient did not collect medication."
            ),
            f"WITHDRAWN, entered in error: Sunday 15 March 2026: Said to have been had elsewhere. {SAID} According to the patient.",
            (
                "WITHDRAWN, entered in error: Saturday 14 March 2026: Given by a professional as a prolonged-release injection."
                " Medicine (dm+d 36751711000001103). Injected: 16 mg."
                " Witnessed Saturday 14 March 2026."
            ),
            "No dose in this report was seen to be swallowed in full.",
        ],
        ["Reported by Reset Treatment Service (YZ901).", "Pharmacy: Willow Lane Pharmacy (FZZ01)."],
    ),
    "stopped-and-restarted": (
        "Reset Treatment Service: changes of an instalment prescription",
        [
            "Report of Reset Treatment Service (YZ901), sent Wednesday 18 March 2026 at 12:30 (UK time).",
            (
                f"Prescription item RX-5400-1 of form 99000000009: stopped. {SAID} From Wednesday 18 March 2026 at 12:00 (UK time)."
                " Reason: Tolerance to be reassessed. Last dose date that the order still covers: Saturday 14 March 2026."
            ),
            f"New prescription item RX-5506-1 of form 99000000066. {SAID}",
            (
                "Status: active. Written Wednesday 18 March 2026. Doses from Thursday 19 March 2026 to Monday 23 March 2026."
                " Total on the form: 130 ml. Total in words: one hundred and thirty millilitres. Controlled drug, CD2."
                " Supervised consumption: asked for. It follows item RX-5400-1."
            ),
            (
                "Step 1: from Thursday 19 March 2026 to Friday 20 March 2026, 20 ml, once a day, Oral,"
                " as written: “20ml daily, supervised, for two days”."
            ),
            (
                "Step 2: from Saturday 21 March 2026 to Monday 23 March 2026, 30 ml, once a day, Oral,"
                " as written: “then 30ml daily, supervised, for three days”."
            ),
            "Restart of treatment: missed doses.",
            "On the restart: “Missed 15 to 18 March; seen 18 March”.",
        ],
        [
            "Reported by Reset Treatment Service (YZ901).",
            "Pharmacy: Willow Lane Pharmacy (FZZ01).",
            "Prescriber: Dr Lena Osei (GMC 9900002).",
            "Prescriber's organisation: Reset Treatment Service (YZ901).",
        ],
    ),
    "replaced-with-a-new-order": (
        "Reset Treatment Service: changes of an instalment prescription",
        [
            "Report of Reset Treatment Service (YZ901), sent Wednesday 18 March 2026 at 12:30 (UK time).",
            (
                f"Prescription item RX-5501-1 of form 99000000017: replaced by another item. {SAID} From Monday 23 March 2026."
                " Reason: Change of dose. Last dose date that the order still covers: Sunday 22 March 2026."
                " Item RX-5600-1 takes its place."
            ),
            f"New prescription item RX-5600-1 of form 99000000074. {SAID} Note: “Review on 27 March”.",
            (
                "Status: active. Written Wednesday 18 March 2026. Doses from Monday 23 March 2026 to Friday 27 March 2026."
                " Total on the form: 225 ml. Total in words: two hundred and twenty-five millilitres. Controlled drug, CD2."
                " Supervised consumption: asked for. First supply from Wednesday 18 March 2026 to Tuesday 14 April 2026."
                " It follows item RX-5501-1. Pharmacy closed: Sunday 29 March 2026."
            ),
            (
                "Step 1: from Monday 23 March 2026 to Friday 27 March 2026, 45 ml, once a day, Oral,"
                " as written: “45ml daily, supervised”."
            ),
            (
                "Wording on the form, Closed days: supply before:"
                " “Please dispense instalments due on pharmacy closed days on a prior suitable day.”"
            ),
            "Wording on the form, Supervise on collection: “Supervise consumption on collection days.”",
            "Planned collection Monday 23 March 2026: 45 ml, for Monday 23 March 2026, supervised.",
            "Planned collection Tuesday 24 March 2026: 45 ml, for Tuesday 24 March 2026, supervised.",
            "Planned collection Wednesday 25 March 2026: 45 ml, for Wednesday 25 March 2026, supervised.",
            "Planned collection Thursday 26 March 2026: 45 ml, for Thursday 26 March 2026, supervised.",
            "Planned collection Friday 27 March 2026: 45 ml, for Friday 27 March 2026, supervised.",
        ],
        [
            "Reported by Reset Treatment Service (YZ901).",
            "Pharmacy: Willow Lane Pharmacy (FZZ01).",
            "Prescriber: Dr Lena Osei (GMC 9900002).",
            "To reach them: telephone 01632 960 002.",
            "Prescriber's organisation: Reset Treatment Service (YZ901).",
        ],
    ),
}
PATIENTS = {
    "9990000018": ["01", "Mr Aidan Paul Testerton official", "male", "1984-05-17", ["C-40217", "P-1007"], []],
    "9990000026": ["01", "Bridie Sampleton", "female", "1990-11-02", ["C-40388"], ["No fixed abode"]],
}
CASES = sorted(WORDS)
EVERY = sorted(f.parent.name for f in (FIXTURES / NAME).glob("*/out.json"))


@pytest.fixture
def document(ost: adapter.Adapter, request: pytest.FixtureRequest) -> Document:
    return Document(ost, decode((FIXTURES / NAME / request.param / "bundle.json").read_bytes()))


def test_every_case_has_codes_and_sentences() -> None:
    assert sorted([*DOSES, *ORDERS]) == CASES
    assert set(CASES) <= set(EVERY)


@pytest.mark.parametrize(("document", "case"), [(c, c) for c in EVERY], ids=EVERY, indirect=["document"])
def test_a_message_is_its_golden_to_the_last_id_and_profile(document: Document, case: str) -> None:
    assert document.message == decode((FIXTURES / NAME / case / "out.json").read_bytes())


@pytest.mark.parametrize(("document", "case"), [(c, c) for c in CASES], ids=CASES, indirect=["document"])
def test_it_is_about_this_person(document: Document, case: str) -> None:
    [person] = document.of("Patient")
    number, *others = person["identifier"]
    assert number["system"] == "https://fhir.nhs.uk/Id/nhs-number"
    [status] = status_codes(number)
    [name] = person["name"]
    words = [*name.get("prefix", ()), *name["given"], name["family"], name.get("use", "")]
    lines = [line for address in person.get("address", ()) for line in address["line"]]
    said = [status, " ".join(words).strip(), person["gender"], person["birthDate"], sorted(i["value"] for i in others), lines]
    assert said == PATIENTS[number["value"]], case


@pytest.mark.parametrize(("document", "case"), [(c, c) for c in CASES], ids=CASES, indirect=["document"])
def test_a_system_reads_these_codes_and_no_others(document: Document, case: str) -> None:
    read = Read(document)
    assert read.doses() == DOSES.get(case, {})
    assert read.afterwards() == AFTERWARDS.get(case, [])
    assert read.orders() == ORDERS.get(case, {})


@pytest.mark.parametrize(("document", "case"), [(c, c) for c in CASES], ids=CASES, indirect=["document"])
def test_a_person_reads_these_sentences_and_no_others(document: Document, case: str) -> None:
    title, first, second = WORDS[case]
    sections = [text(s["text"]["div"]).split("\n") for s in document.composition["section"]]
    assert document.composition["title"] == title
    assert sections == [first, second]
    [summary] = document.of("ClinicalImpression")
    assert summary["summary"].split("\n") == first + second
