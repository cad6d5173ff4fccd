"""The profiles of consultation, care plan, referral, consent, dispense, outcome profile, kit and patient: each constraint both ways."""

from __future__ import annotations

import json
import re
from itertools import product
from typing import Any, NamedTuple

import pytest

from adapter import shipped
from adapter.fhir.gate import Gate
from adapter.fhir.outcome import BASE, Issue, rule_of

Json = dict[str, Any]

OST = f"{BASE}/StructureDefinition/"
CODES = f"{BASE}/CodeSystem/"
HL7 = "http://terminology.hl7.org/CodeSystem/"
NHS = "https://fhir.nhs.uk/CodeSystem/"


def ext(name: str, **value: Any) -> Json:
    """An extension of ours."""
    return {"url": OST + name, **value}


def coded(system: str, code: str) -> Json:
    """A CodeableConcept with one coding."""
    return {"coding": [{"system": system, "code": code}]}


ERROR, WARNING = "error", "warning"
ID = [{"system": "https://clinic.example/record", "value": "R-1"}]
WHO = {"reference": "Patient/1"}
ANOTHER = {"reference": "Group/1"}
PIL = {"coding": [{"system": "http://snomed.info/sct", "code": "323281004"}]}
TABLETS = {"value": 28, "unit": "tablet", "system": "http://snomed.info/sct", "code": "428673006"}
ML = {"value": 30, "unit": "ml", "system": "http://snomed.info/sct", "code": "258773002"}
AS_MG = ML | {"extension": [ext("ucum-unit", valueCode="mg")]}
AS_ML = ML | {"extension": [ext("ucum-unit", valueCode="mL")]}
SLOT = ext("planned-period", valuePeriod={"start": "2026-03-17T10:00:00Z"})
RESTART = [coded(CODES + "referral-kind", "restart")]
TO_SHARE = [coded(CODES + "consent-category", "information-sharing")]
RECIPIENT = {"role": coded(HL7 + "v3-ParticipationType", "IRCP"), "reference": {"display": "Invented Lane Pharmacy"}}
PRENOXAD: Json = {"resourceType": "Medication", "id": "kit", "code": {"text": "Prenoxad"}}
BATCH = {"lotNumber": "PX2041", "expirationDate": "2028-01"}
OF_KIT: Json = {"medicationCodeableConcept": None, "medicationReference": {"reference": "#kit"}}
SUPPLY_TYPE = NHS + "medicationdispense-type"


def attended(*more: Json, code: str = "attended", medium: str = "face-to-face") -> list[Json]:
    """The extensions of a contact."""
    return [ext("attendance", valueCode=code), ext("consultation-medium", valueCode=medium), *more]


def last_dose(*parts: Json) -> list[Json]:
    """The extension of a referral that says the last dose."""
    return [ext("last-dose", extension=list(parts))]


def contained(*medications: Json) -> Json:
    """A kit whose medicine is the contained Medication of the id kit."""
    return OF_KIT | {"contained": list(medications)}


def stage(code: str = "start", system: str = CODES + "outcome-profile-stage") -> Json:
    """The item of an outcome profile that says its stage."""
    return {"linkId": "TRSTAGE", "answer": [{"valueCoding": {"system": system, "code": code}}]}


def class_of(code: str) -> Json:
    """A v3 class of encounter."""
    return {"system": HL7 + "v3-ActCode", "code": code}


#: One good instance of each profile, with little more than it demands.
GOOD: dict[str, Json] = {
    "Encounter-consultation": {
        "extension": attended(), "identifier": ID, "status": "finished", "class": class_of("AMB"), "subject": WHO,
        "period": {"start": "2026-03-17T10:00:00Z"},
    },
    "Observation-consultation": {"status": "final", "code": {"text": "Weight"}, "subject": WHO},
    "Procedure-intervention": {
        "status": "completed", "code": coded(CODES + "psychosocial-intervention", "motivational"), "subject": WHO,
    },
    "CarePlan": {"identifier": ID, "status": "active", "intent": "plan", "subject": WHO},
    "Goal": {"lifecycleStatus": "active", "description": {"text": "A room of my own"}, "subject": WHO},
    "CareTeam": {"status": "active", "subject": WHO},
    "ServiceRequest-referral": {
        "identifier": ID, "status": "active", "intent": "order", "subject": WHO,
        "category": [coded(CODES + "referral-kind", "hepatology")],
    },
    "Task-referral": {
        "status": "requested", "intent": "order", "code": coded("http://hl7.org/fhir/CodeSystem/task-code", "fulfill"),
        "focus": {"reference": "ServiceRequest/1"}, "for": WHO,
    },
    "Condition-referral": {"code": {"text": "Opioid dependence"}, "subject": WHO},
    "MedicationStatement-dose-history": {
        "identifier": ID, "status": "stopped", "medicationCodeableConcept": PIL, "subject": WHO,
        "dosage": [{"doseAndRate": [{"doseQuantity": ML}]}],
    },
    "Flag-risk": {"status": "active", "code": coded(CODES + "risk", "lost-tolerance"), "subject": WHO},
    "Consent-sharing": {
        "extension": [ext("consent-decision", valueCode="granted")], "identifier": ID, "status": "active",
        "scope": coded(HL7 + "consentscope", "patient-privacy"), "category": TO_SHARE, "patient": WHO, "dateTime": "2026-03-10",
        "policyRule": {"text": "Common law: consent and confidentiality"},
        "provision": {"type": "permit", "actor": [RECIPIENT]},
    },
    "Communication-alert": {
        "extension": [ext("alert-status", valueCode="due")], "identifier": ID, "status": "completed", "subject": WHO,
        "topic": coded(CODES + "care-action", "not-reported"),
    },
    "Task-alert": {
        "status": "requested", "intent": "order", "code": coded(CODES + "care-action", "not-reported"),
        "focus": {"reference": "Communication/1"}, "for": WHO, "restriction": {"period": {"end": "2026-03-17"}},
    },
    "MedicationDispense-supply": {
        "identifier": ID, "status": "completed", "medicationCodeableConcept": PIL, "subject": WHO, "quantity": TABLETS,
    },
    "MedicationDispense-kit": {
        "contained": [PRENOXAD | {"batch": BATCH}], "identifier": ID, "status": "completed", "subject": WHO,
        "medicationReference": {"reference": "#kit"}, "quantity": {"value": 1}, "whenHandedOver": "2026-03-18",
    },
    "QuestionnaireResponse-outcome-profile": {
        "identifier": ID[0], "status": "completed", "subject": WHO, "authored": "2026-03-18", "item": [stage()],
    },
    "EpisodeOfCare": {"status": "active", "patient": WHO},
    "Patient": {"identifier": ID, "active": True},
}  # fmt: skip


def _type(profile: str) -> str:
    return profile.partition("-")[0]


def made(profile: str, change: Json | None = None) -> Json:
    """The good instance of a profile, with some of its elements replaced; None takes one away."""
    whole = {"resourceType": _type(profile), "meta": {"profile": [OST + profile]}, **GOOD[profile], **(change or {})}
    return {key: value for key, value in whole.items() if value is not None}


class Case(NamedTuple):
    """A constraint of a profile: what keeps it, though only just, and what breaks it, where and how severely."""

    key: str
    profile: str
    severity: str
    at: str
    good: Json
    bad: Json


CASES = [
    *(
        Case("ost-record-identifier", profile, WARNING, _type(profile), {"identifier": [{"use": "old"}, *ID]}, bad)
        for profile, bad in (
            ("Encounter-consultation", {"identifier": [{"system": "https://clinic.example/record"}]}),
            ("CarePlan", {"identifier": None}),
            ("ServiceRequest-referral", {"identifier": [{"system": "https://clinic.example/record"}]}),
            ("Consent-sharing", {"identifier": [{"value": "R-1"}]}),
            ("MedicationDispense-supply", {"identifier": [{"system": "urn:a"}, {"value": "R-1"}]}),
            ("MedicationDispense-kit", {"identifier": [{"system": "urn:a"}]}),
            ("Communication-alert", {"identifier": [{"value": "R-1"}]}),
        )
    ),
    Case("ost-consultation-status", "Encounter-consultation", ERROR, "Encounter",
         {"status": "entered-in-error"}, {"status": "planned"}),
    Case("ost-consultation-status", "Encounter-consultation", ERROR, "Encounter",
         {"extension": [attended()[1]], "status": "unknown"}, {"extension": [attended()[1]], "status": "arrived"}),
    Case("ost-consultation-class", "Encounter-consultation", WARNING, "Encounter",
         {"extension": attended(medium="home-visit"), "class": class_of("HH")}, {"extension": attended(medium="telephone")}),
    Case("ost-consultation-class", "Encounter-consultation", WARNING, "Encounter",
         {"extension": attended()[:1], "class": class_of("VR")}, {"class": {"system": "urn:other", "code": "AMB"}}),
    Case("ost-consultation-not-held", "Encounter-consultation", WARNING, "Encounter",
         {"extension": attended(SLOT, code="booked"), "status": "planned", "period": None},
         {"extension": attended(SLOT, code="cancelled-by-service"), "status": "cancelled"}),
    Case("ost-consultation-day", "Encounter-consultation", WARNING, "Encounter",
         {"extension": attended(SLOT), "period": None}, {"period": {"end": "2026-03-17"}}),
    Case("ost-consultation-day", "Encounter-consultation", WARNING, "Encounter",
         {"period": None, "status": "entered-in-error"}, {"period": None}),
    Case("ost-consultation-absence", "Encounter-consultation", WARNING, "Encounter",
         {"extension": attended(SLOT, ext("absence-reason", valueCodeableConcept={"text": "Ill"}), code="cancelled-by-person"),
          "status": "cancelled", "period": None},
         {"extension": attended(ext("absence-reason", valueCodeableConcept={"text": "Ill"}), code="attended-late")}),
    Case("ost-consultation-absence", "Encounter-consultation", WARNING, "Encounter",
         {"extension": attended(SLOT, ext("absence-reason", valueCodeableConcept={"text": "Strike"}), code="cancelled-by-service"),
          "status": "cancelled", "period": None},
         {"extension": [SLOT, ext("absence-reason", valueCodeableConcept={"text": "Strike"})], "class": class_of("VR")}),
    Case("ost-consultation-absence", "Encounter-consultation", WARNING, "Encounter",
         {"extension": attended(SLOT, ext("absence-reason", valueCodeableConcept={"text": "Ill"}), code="did-not-attend"),
          "status": "cancelled", "period": None},
         {"extension": attended(ext("absence-reason", valueCodeableConcept={"text": "Ill"}), code="left-before-seen")}),
    Case("ost-consultation-length", "Encounter-consultation", WARNING, "Encounter.length",
         {"length": {"value": 45, "unit": "minutes", "system": "http://unitsofmeasure.org", "code": "min"}},
         {"length": {"value": 1, "unit": "h", "system": "http://unitsofmeasure.org", "code": "h"}}),
    Case("ost-consultation-length", "Encounter-consultation", WARNING, "Encounter.length",
         {"length": {"value": 45, "unit": "min", "system": "http://unitsofmeasure.org", "code": "min"}},
         {"length": {"value": 45, "unit": "min"}}),
    Case("ost-observation-status", "Observation-consultation", WARNING, "Observation",
         {"status": "entered-in-error"}, {"status": "amended"}),
    Case("ost-procedure-status", "Procedure-intervention", WARNING, "Procedure",
         {"status": "entered-in-error"}, {"status": "in-progress"}),
    Case("ost-procedure-not-done-reason", "Procedure-intervention", WARNING, "Procedure",
         {"status": "not-done", "statusReason": {"text": "No time was left"}}, {"status": "not-done"}),
    Case("ost-care-plan-intent", "CarePlan", WARNING, "CarePlan", {"intent": "plan"}, {"intent": "proposal"}),
    Case("ost-care-plan-goal", "CarePlan", WARNING, "CarePlan",
         {"goal": [{"reference": "Goal/1"}, {"reference": "Goal/2"}],
          "activity": [{"detail": {"status": "completed", "goal": [{"reference": "Goal/2"}]}}, {"detail": {"status": "stopped"}}]},
         {"goal": [{"reference": "Goal/1"}],
          "activity": [{"detail": {"status": "completed", "goal": [{"reference": "Goal/1"}, {"reference": "Goal/2"}]}}]}),
    Case("ost-agreement-date", "CarePlan", WARNING, "CarePlan.extension[0]",
         {"extension": [ext("agreement", extension=[{"url": "agreed", "valueBoolean": False}])]},
         {"extension": [ext("agreement", extension=[{"url": "agreed", "valueBoolean": True}])]}),
    Case("ost-agreement-date", "CarePlan", WARNING, "CarePlan.extension[0]",
         {"extension": [ext("agreement", extension=[{"url": "text", "valueString": "Would not say"}])]},
         {"extension": [ext("agreement", extension=[{"url": "text", "valueString": "Yes"}, {"url": "agreed", "valueBoolean": True}])]}),
    Case("ost-agreement-date", "CarePlan", WARNING, "CarePlan.extension[0]",
         {"extension": [ext("agreement", extension=[{"url": "agreed", "valueBoolean": True}, {"url": "date", "valueDate": "2026"}])]},
         {"extension": [ext("agreement", extension=[{"url": "agreed", "valueBoolean": True}])]}),
    Case("ost-goal-words", "Goal", WARNING, "Goal",
         {"description": {"text": "Clean by summer", "coding": [{"code": "G1"}]}}, {"description": {"coding": [{"code": "G1"}]}}),
    Case("ost-referral-intent", "ServiceRequest-referral", WARNING, "ServiceRequest", {"intent": "order"}, {"intent": "plan"}),
    Case("ost-referral-last-dose", "ServiceRequest-referral", ERROR, "ServiceRequest",
         {"category": RESTART, "extension": last_dose({"url": "unknown", "valueBoolean": True})}, {"category": RESTART}),
    Case("ost-referral-last-dose", "ServiceRequest-referral", ERROR, "ServiceRequest",
         {"category": RESTART, "status": "entered-in-error"},
         {"category": [coded(CODES + "referral-kind", "housing"), *RESTART], "status": "draft"}),
    Case("ost-last-dose", "ServiceRequest-referral", ERROR, "ServiceRequest.extension[0]",
         {"extension": last_dose({"url": "date", "valueDate": "2026-03-02"})},
         {"extension": last_dose({"url": "certainty", "valueCode": "stated"})}),
    Case("ost-last-dose", "ServiceRequest-referral", ERROR, "ServiceRequest.extension[0]",
         {"extension": last_dose({"url": "unknown", "valueBoolean": True})},
         {"extension": last_dose({"url": "unknown", "valueBoolean": True}, {"url": "date", "valueDate": "2026-03-02"})}),
    Case("ost-last-dose", "ServiceRequest-referral", ERROR, "ServiceRequest.extension[0]",
         {"extension": last_dose({"url": "date", "valueDate": "2026-03-02"}, {"url": "certainty", "valueCode": "observed"})},
         {"extension": last_dose({"url": "unknown", "valueBoolean": False})}),
    Case("ost-last-dose-written", "ServiceRequest-referral", WARNING, "ServiceRequest",
         {"authoredOn": "2026-03-17T00:05:00Z", "extension": last_dose({"url": "date", "valueDate": "2026-03-17"})},
         {"authoredOn": "2026-03-17T23:55:00Z", "extension": last_dose({"url": "date", "valueDate": "2026-03-18"})}),
    Case("ost-whole-day", "ServiceRequest-referral", ERROR, "ServiceRequest.extension[0].extension[0].value",
         {"extension": last_dose({"url": "date", "valueDate": "2026-03-02"})},
         {"extension": last_dose({"url": "date", "valueDate": "2026-03"})}),
    Case("ost-unit", "ServiceRequest-referral", ERROR, "ServiceRequest.extension[0].extension[1].value",
         {"extension": last_dose({"url": "date", "valueDate": "2026-03-02"}, {"url": "quantity", "valueQuantity": AS_ML})},
         {"extension": last_dose({"url": "date", "valueDate": "2026-03-02"}, {"url": "quantity", "valueQuantity": AS_MG})}),
    Case("ost-task-referral", "Task-referral", WARNING, "Task", {"status": "rejected"}, {"intent": "plan"}),
    Case("ost-task-referral", "Task-referral", WARNING, "Task", {"status": "completed"}, {"code": coded("urn:x", "fulfill")}),
    Case("ost-task-focus", "Task-referral", WARNING, "Task", {"focus": {"identifier": ID[0]}}, {"focus": None}),
    Case("ost-product", "MedicationStatement-dose-history", ERROR, "MedicationStatement",
         {"medicationCodeableConcept": PIL | {"text": "tablets"}}, {"medicationCodeableConcept": {"coding": [{"code": "x"}]}}),
    Case("ost-product-code", "MedicationStatement-dose-history", WARNING, "MedicationStatement",
         {"medicationCodeableConcept": {"text": "tablets"}, "status": "entered-in-error"},
         {"medicationCodeableConcept": {"text": "methadone"}}),
    Case("ost-unit", "MedicationStatement-dose-history", ERROR, "MedicationStatement.dosage[0].doseAndRate[0].dose",
         {"dosage": [{"doseAndRate": [{"doseQuantity": AS_ML}]}]}, {"dosage": [{"doseAndRate": [{"doseQuantity": AS_MG}]}]}),
    Case("ost-consent-decision", "Consent-sharing", ERROR, "Consent",
         {"status": "entered-in-error"}, {"status": "inactive"}),
    Case("ost-consent-recipient", "Consent-sharing", ERROR, "Consent",
         {"provision": {"type": "permit"}, "category": [coded(CODES + "consent-category", "treatment")]},
         {"provision": {"type": "permit"}}),
    Case("ost-consent-recipient", "Consent-sharing", ERROR, "Consent",
         {"provision": {"type": "deny"}, "status": "rejected", "extension": [ext("consent-decision", valueCode="refused")]},
         {"provision": {"type": "permit"}, "category": [coded(CODES + "consent-category", "national-monitoring")]}),
    Case("ost-consent-recipient", "Consent-sharing", ERROR, "Consent",
         {"provision": {"type": "permit"}, "status": "entered-in-error"},
         {"provision": {"type": "permit", "actor": [RECIPIENT | {"reference": {"type": "Organization"}}]}}),
    Case("ost-consent-recipient", "Consent-sharing", ERROR, "Consent",
         {"provision": {"type": "permit", "actor": [RECIPIENT | {"reference": {"identifier": ID[0]}}]}},
         {"provision": {"type": "permit"}, "category": [*TO_SHARE, {"text": "Sharing"}]}),
    Case("ost-consent-recipient", "Consent-sharing", ERROR, "Consent",
         {"provision": {"type": "permit", "actor": [RECIPIENT | {"reference": {"reference": "Organization/1"}}]}},
         {"provision": {"type": "permit"}, "category": [{"text": "Sharing"}, *TO_SHARE]}),
    Case("ost-consent-one-recipient", "Consent-sharing", WARNING, "Consent",
         {"provision": {"type": "permit", "actor": [RECIPIENT]}},
         {"provision": {"type": "permit", "actor": [RECIPIENT | {"role": coded("urn:x", "IRCP")}]}}),
    Case("ost-consent-one-recipient", "Consent-sharing", WARNING, "Consent",
         {"provision": {"type": "permit", "actor": [RECIPIENT]}},
         {"provision": {"type": "permit", "actor": [RECIPIENT | {"role": coded(HL7 + "v3-ParticipationType", "AUT")}]}}),
    Case("ost-consent-one-recipient", "Consent-sharing", WARNING, "Consent",
         {"provision": {"type": "permit", "actor": [RECIPIENT], "period": {"end": "2026-09-10"}}},
         {"provision": {"type": "permit", "actor": [RECIPIENT, RECIPIENT]}}),
    Case("ost-consent-scope", "Consent-sharing", WARNING, "Consent",
         {"scope": coded(HL7 + "consentscope", "patient-privacy") | {"text": "Privacy"}},
         {"scope": coded(HL7 + "consentscope", "treatment")}),
    Case("ost-consent-dated", "Consent-sharing", WARNING, "Consent", {"dateTime": "2026"}, {"dateTime": None}),
    Case("ost-consent-dated", "Consent-sharing", WARNING, "Consent",
         {"dateTime": None, "status": "entered-in-error"}, {"dateTime": None}),
    Case("ost-consent-no-image", "Consent-sharing", WARNING, "Consent.source",
         {"sourceAttachment": {"title": "Form 3"}},
         {"sourceAttachment": {"title": "Form 3", "contentType": "image/png", "data": "aGVsbG8="}}),
    Case("ost-product", "MedicationDispense-supply", ERROR, "MedicationDispense",
         {"medicationCodeableConcept": None, "medicationReference": {"reference": "Medication/1"}},
         {"medicationCodeableConcept": {"coding": [{"code": "x"}]}}),
    Case("ost-product-code", "MedicationDispense-supply", WARNING, "MedicationDispense",
         {"medicationCodeableConcept": None, "medicationReference": {"reference": "Medication/1"}},
         {"medicationCodeableConcept": {"coding": [{"system": "urn:x", "code": "x", "display": "tablets"}]}}),
    Case("ost-unit", "MedicationDispense-supply", ERROR, "MedicationDispense.quantity",
         {"quantity": TABLETS | {"extension": [ext("ucum-unit", valueCode="{tbl}")]}},
         {"quantity": TABLETS | {"extension": [ext("ucum-unit", valueCode="mL")]}}),
    Case("ost-alert-status", "Communication-alert", ERROR, "Communication",
         {"extension": [ext("alert-status", valueCode="withdrawn")], "inResponseTo": [{"identifier": ID[0]}]},
         {"extension": [ext("alert-status", valueCode="withdrawn")], "inResponseTo": [{"display": "the other"}]}),
    Case("ost-alert-status", "Communication-alert", ERROR, "Communication",
         {"inResponseTo": [{"identifier": ID[0]}], "status": "entered-in-error"}, {"inResponseTo": [{"identifier": ID[0]}]}),
    Case("ost-alert-status", "Communication-alert", ERROR, "Communication", {}, {"status": "stopped"}),
    Case("ost-task-alert", "Task-alert", WARNING, "Task", {"focus": {"identifier": ID[0]}}, {"focus": None}),
    Case("ost-task-alert", "Task-alert", WARNING, "Task", {"status": "cancelled"}, {"intent": "plan"}),
    Case("ost-task-due", "Task-alert", WARNING, "Task",
         {"restriction": {"period": {"end": "2026-03-17T18:00:00Z"}}}, {"restriction": {"period": {"start": "2026-03-17"}}}),
    Case("ost-supply-nothing", "MedicationDispense-supply", ERROR, "MedicationDispense",
         {"type": coded(SUPPLY_TYPE, "0004"), "quantity": TABLETS | {"value": 0}}, {"type": coded(SUPPLY_TYPE, "0004")}),
    Case("ost-supply-nothing", "MedicationDispense-supply", ERROR, "MedicationDispense",
         {"type": coded(SUPPLY_TYPE, "0003")}, {"type": coded(SUPPLY_TYPE, "0002"), "status": "cancelled"}),
    Case("ost-supply-nothing", "MedicationDispense-supply", ERROR, "MedicationDispense",
         {"type": coded("urn:x", "0005")}, {"type": coded(SUPPLY_TYPE, "0005")}),
    Case("ost-supply-quantity", "MedicationDispense-supply", WARNING, "MedicationDispense",
         {"quantity": None, "status": "cancelled"}, {"quantity": None}),
    Case("ost-record-identifier", "QuestionnaireResponse-outcome-profile", WARNING, "QuestionnaireResponse",
         {"identifier": {"system": "urn:a", "value": "R-1"}}, {"identifier": {"value": "R-1"}}),
    *(
        Case("ost-outcome-profile-day", "QuestionnaireResponse-outcome-profile", ERROR, "QuestionnaireResponse",
             {"status": status, "authored": None}, {"status": taken, "authored": None})
        for status, taken in (("in-progress", "completed"), ("stopped", "amended"), ("entered-in-error", "completed"))
    ),
    *(
        Case("ost-outcome-profile-stage", "QuestionnaireResponse-outcome-profile", ERROR, "QuestionnaireResponse", good, bad)
        for good, bad in (
            ({"status": "in-progress", "item": None}, {"item": None}),
            ({"status": "entered-in-error", "item": None}, {"status": "amended", "item": None}),
            ({"item": [{"linkId": "OPIUSE"}, stage("exit")]}, {"item": [{"linkId": "OPIUSE", "answer": stage()["answer"]}]}),
            ({"status": "amended", "item": [stage("review")]}, {"item": [{"linkId": "g", "item": [stage()]}]}),
        )
    ),
    Case("ost-product", "MedicationDispense-kit", ERROR, "MedicationDispense",
         {"medicationReference": None, "contained": None, "medicationCodeableConcept": PIL, "status": "declined"},
         {"medicationReference": None, "contained": None, "medicationCodeableConcept": {"coding": [{"code": "x"}]},
          "status": "declined"}),
    Case("ost-product-code", "MedicationDispense-kit", WARNING, "MedicationDispense",
         {}, {"medicationReference": None, "contained": None, "medicationCodeableConcept": {"text": "Prenoxad"},
              "status": "declined"}),
    *(
        Case("ost-kit-medication", "MedicationDispense-kit", ERROR, "MedicationDispense", {"status": "declined", **good}, bad)
        for good, bad in (
            (contained(PRENOXAD | {"code": {"coding": [{"display": "Kit"}]}}),
             contained({"resourceType": "Medication", "id": "kit", "batch": BATCH})),
            (contained(PRENOXAD | {"code": PIL}), contained(PRENOXAD | {"code": {"coding": [{"code": "x"}]}, "batch": BATCH})),
            ({"status": "entered-in-error", **contained({"resourceType": "Medication", "id": "kit"})},
             {"status": "declined", "contained": None, "medicationReference": {"reference": "Medication/1"}}),
            ({"medicationReference": None, "contained": None, "medicationCodeableConcept": PIL},
             {"status": "declined", "contained": None, "medicationReference": {"display": "Prenoxad"}}),
        )
    ),
    Case("ost-kit-handed-over", "MedicationDispense-kit", ERROR, "MedicationDispense",
         {"whenHandedOver": None, "status": "declined"}, {"whenHandedOver": None}),
    Case("ost-kit-handed-over", "MedicationDispense-kit", ERROR, "MedicationDispense",
         {"whenHandedOver": None, "status": "entered-in-error"}, {"whenHandedOver": None, "whenPrepared": "2026-03-18"}),
    Case("ost-kit-quantity", "MedicationDispense-kit", ERROR, "MedicationDispense",
         {"quantity": {"value": 0}, "status": "declined"}, {"quantity": {"value": 0}}),
    Case("ost-kit-quantity", "MedicationDispense-kit", ERROR, "MedicationDispense",
         {"quantity": {"value": 0.5}}, {"quantity": {"value": -1}}),
    Case("ost-kit-batch", "MedicationDispense-kit", WARNING, "MedicationDispense",
         {"contained": [PRENOXAD], "status": "declined"}, {"contained": [PRENOXAD]}),
    Case("ost-kit-batch", "MedicationDispense-kit", WARNING, "MedicationDispense",
         {"contained": [PRENOXAD], "status": "entered-in-error"}, {"contained": [PRENOXAD | {"batch": {"lotNumber": "PX2041"}}]}),
    Case("ost-kit-batch", "MedicationDispense-kit", WARNING, "MedicationDispense",
         {}, {"contained": [PRENOXAD | {"batch": {"expirationDate": "2028-01"}}]}),
    Case("ost-kit-batch", "MedicationDispense-kit", WARNING, "MedicationDispense",
         {}, {"medicationReference": None, "contained": None, "medicationCodeableConcept": PIL}),
    Case("ost-supply-quantity", "MedicationDispense-kit", WARNING, "MedicationDispense",
         {"quantity": None, "status": "declined"}, {"quantity": None}),
    Case("ost-unit", "MedicationDispense-kit", ERROR, "MedicationDispense.quantity",
         {"quantity": TABLETS | {"extension": [ext("ucum-unit", valueCode="{tbl}")]}},
         {"quantity": TABLETS | {"extension": [ext("ucum-unit", valueCode="mL")]}}),
    Case("ost-patient-replaced", "Patient", ERROR, "Patient",
         {"active": False, "link": [{"type": "replaced-by", "other": {"identifier": ID[0]}}]},
         {"active": True, "link": [{"type": "replaced-by", "other": {"identifier": ID[0]}}]}),
    Case("ost-patient-replaced", "Patient", ERROR, "Patient",
         {"link": [{"type": "replaces", "other": {"identifier": ID[0]}}]},
         {"active": None, "link": [{"type": "replaced-by", "other": {"identifier": ID[0]}}]}),
]  # fmt: skip


@pytest.fixture(scope="module")
def gate() -> Gate:
    return Gate.shipped()


def _told(issues: list[Issue]) -> list[tuple[str, str, str]]:
    return [(rule_of(one), one["severity"], one["expression"][0]) for one in issues]


@pytest.mark.parametrize("profile", GOOD)
def test_a_plain_instance_is_good(gate: Gate, profile: str) -> None:
    assert _told(gate.check(made(profile))) == []


@pytest.mark.parametrize("case", CASES, ids=[f"{one.key} {number}" for number, one in enumerate(CASES)])
def test_a_constraint_refuses_what_breaks_it_and_nothing_else(gate: Gate, case: Case) -> None:
    assert _told(gate.check(made(case.profile, case.good))) == []
    told = _told(gate.check(made(case.profile, case.bad)))
    # A product that is not named at all has no code either.
    others = {"ost-product": {("ost-product-code", WARNING, case.at)}}.get(case.key, set())
    assert set(told) - others == {(case.key, case.severity, case.at)}


def test_every_constraint_of_these_profiles_stands_here_both_ways() -> None:
    stated = {
        (structure["id"], one["key"])
        for structure in (_read(f"StructureDefinition-{name}.json") for name in GOOD)
        for element in structure["differential"]["element"]
        for one in element.get("constraint", ())
    }
    older = {("Patient", key) for key in ("ost-patient-identity", "ost-nhs-number", "ost-nhs-number-check")}
    tried = {(case.profile, case.key) for case in CASES}
    assert stated - older <= tried
    # What else is tried stands on an extension.
    assert {key for _, key in tried - stated} == {"ost-last-dose", "ost-agreement-date", "ost-whole-day", "ost-unit"}


def _read(name: str) -> Json:
    read: Json = json.loads((shipped.PROFILES / name).read_text(encoding="utf-8"))
    return read


# ---------- whole tables

#: Attendance ("": not said) -> the statuses that agree with it (docs/hub.md, consultation); entered-in-error always does.
STATUSES = {
    "attended": {"finished", "in-progress"},
    "attended-late": {"finished", "in-progress"},
    "left-before-seen": {"finished", "in-progress"},
    "did-not-attend": {"cancelled"},
    "cancelled-by-person": {"cancelled"},
    "cancelled-by-service": {"cancelled"},
    "booked": {"planned"},
    "": {"finished", "in-progress", "unknown"},
}
ENCOUNTER = ["planned", "arrived", "triaged", "in-progress", "onleave", "finished", "cancelled", "entered-in-error", "unknown"]


@pytest.mark.parametrize(("attendance", "status"), [*product(STATUSES, ENCOUNTER)])
def test_the_status_of_a_contact_follows_its_attendance(gate: Gate, attendance: str, status: str) -> None:
    extensions = attended(SLOT, code=attendance) if attendance else attended(SLOT)[1:]
    told = _told(gate.check(made("Encounter-consultation", {"extension": extensions, "status": status, "period": None})))
    agrees = status == "entered-in-error" or status in STATUSES[attendance]
    assert told == ([] if agrees else [("ost-consultation-status", ERROR, "Encounter")])


@pytest.mark.parametrize("attendance", STATUSES)
def test_a_contact_that_did_not_take_place_has_no_period(gate: Gate, attendance: str) -> None:
    held = attendance in ("attended", "attended-late", "left-before-seen", "")
    extensions = attended(SLOT, code=attendance) if attendance else attended(SLOT)[1:]
    told = _told(gate.check(made("Encounter-consultation", {"extension": extensions, "status": min(STATUSES[attendance])})))
    assert told == ([] if held else [("ost-consultation-not-held", WARNING, "Encounter")])


@pytest.mark.parametrize(
    ("medium", "code"),
    [
        ("face-to-face", "AMB"), ("home-visit", "HH"), ("telephone", "VR"), ("video", "VR"), ("text-message", "VR"),
        ("written", "VR"), ("third-party", "VR"), ("no-contact", "VR"), ("unknown", "VR"), ("", "VR"),
    ],
)  # fmt: skip
def test_the_class_of_a_contact_follows_its_medium(gate: Gate, medium: str, code: str) -> None:
    extensions = attended(medium=medium) if medium else attended()[:1]
    for tried in ("AMB", "HH", "VR", "EMER"):
        told = _told(gate.check(made("Encounter-consultation", {"extension": extensions, "class": class_of(tried)})))
        assert told == ([] if tried == code else [("ost-consultation-class", WARNING, "Encounter")])


#: Decision -> (status, type of the provision).
DECISIONS = {
    "granted": ("active", "permit"),
    "refused": ("rejected", "deny"),
    "withdrawn": ("inactive", "deny"),
    "lapsed": ("inactive", "deny"),
}
CONSENT = ["draft", "proposed", "active", "rejected", "inactive", "entered-in-error"]


@pytest.mark.parametrize(("decision", "status"), [*product(DECISIONS, CONSENT)])
def test_status_and_provision_of_a_consent_follow_the_decision(gate: Gate, decision: str, status: str) -> None:
    for type_ in ("permit", "deny"):
        change = {
            "extension": [ext("consent-decision", valueCode=decision)],
            "status": status,
            "provision": {"type": type_, "actor": [RECIPIENT]},
        }
        told = _told(gate.check(made("Consent-sharing", change)))
        agrees = status == "entered-in-error" or (status, type_) == DECISIONS[decision]
        assert told == ([] if agrees else [("ost-consent-decision", ERROR, "Consent")])


@pytest.mark.parametrize("code", [f"000{number}" for number in range(1, 9)])
def test_only_what_was_dispensed_has_an_amount(gate: Gate, code: str) -> None:
    told = _told(gate.check(made("MedicationDispense-supply", {"type": coded(SUPPLY_TYPE, code)})))
    assert told == ([] if code in ("0001", "0003") else [("ost-supply-nothing", ERROR, "MedicationDispense")])


# ---------- what the elements demand


@pytest.mark.parametrize(
    ("profile", "change", "told"),
    [
        ("Encounter-consultation", {"subject": None}, ("required", ERROR, "Encounter.subject")),
        ("Encounter-consultation", {"subject": ANOTHER}, ("reference-target", ERROR, "Encounter.subject")),
        ("Encounter-consultation", {"extension": [*attended()[:1], *attended()]}, ("slice", ERROR, "Encounter.extension")),
        ("Encounter-consultation", {"extension": [*attended()[1:], ext("attendance", valueCode="came")], "status": "finished"},
         ("binding", ERROR, "Encounter.extension[1].value")),
        ("Observation-consultation", {"subject": None}, ("required", ERROR, "Observation.subject")),
        ("CareTeam", {"subject": None}, ("required", ERROR, "CareTeam.subject")),
        ("Goal", {"subject": {"reference": "Organization/1"}}, ("reference-target", ERROR, "Goal.subject")),
        ("Task-referral", {"for": None}, ("required", ERROR, "Task.for")),
        ("Flag-risk", {"subject": {"reference": "Location/1"}}, ("reference-target", ERROR, "Flag.subject")),
        ("MedicationStatement-dose-history", {"status": "not-taken"}, ("binding", ERROR, "MedicationStatement.status")),
        ("MedicationStatement-dose-history", {"dosage": [{"doseAndRate": [{"doseQuantity": {"value": 30, "unit": "ml"}}]}]},
         ("required", ERROR, "MedicationStatement.dosage[0].doseAndRate[0].dose.code")),
        ("Consent-sharing", {"patient": None}, ("required", ERROR, "Consent.patient")),
        ("Consent-sharing", {"extension": None}, ("required", ERROR, "Consent.extension")),
        ("Consent-sharing", {"policyRule": None}, ("ppc-1", ERROR, "Consent")),
        ("Consent-sharing", {"provision": {"type": "permit", "actor": [RECIPIENT], "provision": [{"type": "deny"}]}},
         ("absent", ERROR, "Consent.provision.provision")),
        ("Communication-alert", {"extension": None}, ("slice", ERROR, "Communication.extension")),
        ("Communication-alert", {"topic": None}, ("required", ERROR, "Communication.topic")),
        ("Communication-alert", {"subject": ANOTHER}, ("reference-target", ERROR, "Communication.subject")),
        ("Task-alert", {"status": "accepted"}, ("binding", ERROR, "Task.status")),
        ("Task-alert", {"for": None}, ("required", ERROR, "Task.for")),
        ("MedicationDispense-supply", {"subject": None}, ("required", ERROR, "MedicationDispense.subject")),
        ("MedicationDispense-supply", {"quantity": {"value": 28, "system": "http://unitsofmeasure.org", "code": "1"}},
         ("fixed", ERROR, "MedicationDispense.quantity.system")),
        ("MedicationDispense-kit", {"subject": None}, ("required", ERROR, "MedicationDispense.subject")),
        ("MedicationDispense-kit", {"subject": ANOTHER}, ("reference-target", ERROR, "MedicationDispense.subject")),
        ("MedicationDispense-kit", {"medicationReference": None, "contained": None},
         ("required", ERROR, "MedicationDispense.medication")),
        ("MedicationDispense-kit", {"contained": None}, ("ref-1", ERROR, "MedicationDispense.medication")),
        ("MedicationDispense-kit", {"quantity": {"unit": "kit"}}, ("required", ERROR, "MedicationDispense.quantity.value")),
        ("MedicationDispense-kit", {"extension": [ext("dose-outcome", valueCoding={"system": CODES + "dose-outcome", "code": "depot"})]},
         ("absent", ERROR, "MedicationDispense.extension")),
        ("QuestionnaireResponse-outcome-profile", {"subject": None}, ("required", ERROR, "QuestionnaireResponse.subject")),
        ("QuestionnaireResponse-outcome-profile", {"subject": ANOTHER},
         ("reference-target", ERROR, "QuestionnaireResponse.subject")),
        ("QuestionnaireResponse-outcome-profile", {"item": [stage(), stage()]}, ("slice", ERROR, "QuestionnaireResponse.item")),
        ("QuestionnaireResponse-outcome-profile", {"item": [{"linkId": "OPIUSE"}, stage("halfway")]},
         ("binding", ERROR, "QuestionnaireResponse.item[1].answer[0].value")),
        ("QuestionnaireResponse-outcome-profile", {"item": [stage(system="urn:x")]},
         ("binding", ERROR, "QuestionnaireResponse.item[0].answer[0].value")),
        ("QuestionnaireResponse-outcome-profile", {"item": [{"linkId": "TRSTAGE", "answer": [{"valueString": "start"}]}]},
         ("choice-type", ERROR, "QuestionnaireResponse.item[0].answer[0].value")),
        ("QuestionnaireResponse-outcome-profile", {"item": [{"linkId": "TRSTAGE"}]},
         ("required", ERROR, "QuestionnaireResponse.item[0].answer")),
        ("EpisodeOfCare", {"patient": None}, ("required", ERROR, "EpisodeOfCare.patient")),
    ],
)  # fmt: skip
def test_what_an_element_demands(gate: Gate, profile: str, change: Json, told: tuple[str, str, str]) -> None:
    assert told in _told(gate.check(made(profile, change)))


@pytest.mark.parametrize(
    ("name", "value", "profile"),
    [
        ("attendance", {"valueCode": "attended"}, "Consent-sharing"),
        ("consent-decision", {"valueCode": "granted"}, "CarePlan"),
        ("missed-days", {"valueUnsignedInt": 3}, "Encounter-consultation"),
        ("rank", {"valuePositiveInt": 1}, "CarePlan"),
        ("recorded", {"valueDateTime": "2026-03-17"}, "Goal"),
        ("contact", {"valueContactPoint": {"system": "email", "value": "a@clinic.example"}}, "CareTeam"),
        ("recipient-kind", {"valueCode": "gp"}, "Flag-risk"),
        ("collected-by", {"extension": [{"url": "who", "valueCode": "patient"}]}, "QuestionnaireResponse-outcome-profile"),
    ],
)
def test_an_extension_stands_where_the_hub_says(gate: Gate, name: str, value: Json, profile: str) -> None:
    before = GOOD[profile].get("extension", [])
    told = _told(gate.check(made(profile, {"extension": [*before, ext(name, **value)]})))
    place = f"{_type(profile)}.extension[{len(before)}]"
    assert ("extension-context", place) in {(rule, at) for rule, _, at in told}


# ---------- the hub's own words

LISTED = (
    "attendance", "consultation-medium", "consultation-type", "psychosocial-intervention", "care-plan-kind", "care-plan-activity",
    "care-team-role", "referral-kind", "referral-outcome", "referral-consent", "dose-certainty", "risk", "consent-decision",
    "consent-category", "consent-content", "recipient-kind", "alert-status", "care-action", "dose-day-state",
    "outcome-profile-stage",
)  # fmt: skip


@pytest.mark.parametrize("system", LISTED)
def test_the_hub_page_lists_the_codes_of_a_system_and_no_others(system: str) -> None:
    page = (shipped.ROOT / "docs" / "hub.md").read_text(encoding="utf-8")
    listed = re.search(rf"`ost:CodeSystem/{system}`(?:: | \()((?:`[a-z-]+`(?:, )?)+)", page)
    assert listed
    assert re.findall(r"`([a-z-]+)`", listed[1]) == [one["code"] for one in _read(f"CodeSystem-{system}.json")["concept"]]


@pytest.mark.parametrize(
    ("event", "focus", "others"),
    [
        ("consultation", "Encounter", {"Observation", "Procedure", "EpisodeOfCare"}),
        ("care-plan", "CarePlan", {"Goal", "CareTeam", "EpisodeOfCare"}),
        ("referral", "ServiceRequest", {"Task", "Condition", "MedicationStatement", "Flag", "EpisodeOfCare"}),
        ("consent", "Consent", set()),
        ("dispense", "MedicationDispense", set()),
        ("alert", "Communication", {"Task", "EpisodeOfCare"}),
        ("outcome-profile", "QuestionnaireResponse", {"EpisodeOfCare"}),
        ("supply", "MedicationDispense", set()),
    ],
)
def test_a_message_knows_its_resources(event: str, focus: str, others: set[str]) -> None:
    message = _read(f"MessageDefinition-{event}.json")
    assert [one["code"] for one in message["focus"]] == [focus]
    always = {"Bundle", "MessageHeader", "Patient", "Practitioner", "PractitionerRole", "Organization"}
    named = [part["valueCode"] for one in message["extension"] for part in one["extension"] if part["url"] == "code"]
    assert sorted(named) == sorted(always | others)
