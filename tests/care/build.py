"""Hub Bundles from the compact form in which the cases of shared care are written (fixtures/care/README.md).

One Bundle for each thing that a system said, as it would come from the maps; a test judges them by the gate.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Json = dict[str, Any]

BASE = "https://ost-adapter.example/fhir"
OURS = f"{BASE}/StructureDefinition/"
ODS = "https://fhir.nhs.uk/Id/ods-organization-code"
ITEM, DOSE, STAY = "https://reset.example/item", "https://pmr.willowlane.example/dose", "https://ward.example/stay"
_LONDON = ZoneInfo("Europe/London")
_PATIENT = {
    "resourceType": "Patient",
    "id": "p",
    "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018"}],
}
_METHADONE = {
    "coding": [{"system": "http://snomed.info/sct", "code": "36120711000001104", "display": "Methadone 1mg/ml oral solution"}]
}
_DEPOT = {
    "coding": [
        {
            "system": "http://snomed.info/sct",
            "code": "36751711000001103",
            "display": "Buprenorphine 16mg/0.32ml prolonged-release solution for injection pre-filled syringes",
        }
    ]
}
_COURSE = {
    "coding": [{"system": "https://fhir.nhs.uk/CodeSystem/medicationrequest-course-of-therapy", "code": "instalment-dispensing"}]
}
_REASONS = "https://fhir.nhs.uk/CodeSystem/medicationdispense-status-reason"
_EVENTS = {"hospital": ("admission", "discharge"), "custody": ("admission", "release")}


def days(said: str) -> list[str]:
    """The days of `2026-03-02` or `2026-03-02..2026-03-05`."""
    first, _, last = said.partition("..")
    start, end = date.fromisoformat(first), date.fromisoformat(last or first)
    return [(start + timedelta(days=n)).isoformat() for n in range((end - start).days + 1)]


def expanded(case: Json) -> Json:
    """The case with one entry for each dose."""
    doses = []
    for one in case.get("doses", ()):
        on = days(str(one["on"]))
        for n, day in enumerate(on, 1):
            name = {"id": one["id"] if len(on) == 1 else f"{one['id']}-{n}"} if "id" in one else {}
            doses.append({**one, "on": day, **name})
    return {**case, "doses": doses}


def bundles(case: Json) -> list[Json]:
    """The hub Bundles of a case, in the order in which it tells them."""
    case = expanded(case)
    made = [_form(one) for one in case.get("forms", ())]
    made += [_change(one, n) for n, one in enumerate(case.get("changes", ()))]
    periods = [(form, f"{form['first']}..{form['last']}") for form in case.get("forms", ()) if "last" in form]
    amounts = {day: form.get("mg", 60) for form, period in periods for day in days(period)}
    made += [_dose(one, n, amounts.get(one["on"], 60)) for n, one in enumerate(case["doses"])]
    made += [_stay(one, n) for n, one in enumerate(case.get("stays", ()))]
    made += [_contact(one, n) for n, one in enumerate(case.get("consultations", ()))]
    made += [_episode(one, n) for n, one in enumerate(case.get("episodes", ()))]
    made += [_profile(one, n) for n, one in enumerate(case.get("profiles", ()))]
    made += [_consent(one, n) for n, one in enumerate(case.get("consents", ()))]
    made += [_kit(one, n) for n, one in enumerate(case.get("kits", ()))]
    made += _death(case["death"]) if case.get("death") else []
    return made


def _bundle(event: str, received: str, source: str, patient: Json, *resources: Json) -> Json:
    header = {
        "resourceType": "MessageHeader",
        "id": "h",
        "extension": [{"url": f"{OURS}received", "valueInstant": received}],
        "eventCoding": {"system": f"{BASE}/CodeSystem/hub-event", "code": event},
        "source": {"name": source, "endpoint": f"{BASE}/system/{source}"},
        "focus": [{"reference": f"urn:uuid:{(resources or (patient,))[0]['id']}"}],
    }
    entries = [{"fullUrl": f"urn:uuid:{one['id']}", "resource": one} for one in (header, patient, *resources)]
    return {"resourceType": "Bundle", "type": "message", "timestamp": received, "entry": entries}


def _extension(name: str, **value: Any) -> Json:
    return {"url": f"{OURS}{name}", **value}


def _amount(mg: Any) -> Json:
    return {"value": mg, "unit": "mg", "system": "http://snomed.info/sct", "code": "258684004"}


def _pharmacy(code: str) -> Json:
    return {"resourceType": "Organization", "id": "pharmacy", "identifier": [{"system": ODS, "value": code}]}


def _form(one: Json) -> Json:
    if one.get("order"):
        return _order(one)
    first, last, code = str(one["first"]), str(one["last"]), one.get("pharmacy", "FZZ01")
    period = {"start": first, "end": last}
    total = one.get("total", len(days(f"{first}..{last}")) * one.get("doses-a-day", 1) * one.get("mg", 60))
    form: Json = {
        "resourceType": "MedicationRequest",
        "id": "form",
        "meta": {"profile": [f"{OURS}MedicationRequest-form"]},
        "identifier": [{"system": ITEM, "value": one["id"]}],
        "groupIdentifier": {"system": "https://fhir.example/fp10mda-serial", "value": str(one.get("serial", f"99{one['id']}"))},
        "status": one.get("status", "active"),
        "intent": "original-order",
        "courseOfTherapyType": _COURSE,
        "medicationCodeableConcept": _METHADONE,
        "subject": {"reference": "urn:uuid:p"},
        "authoredOn": str(one["authored"]),
        "requester": {"identifier": {"system": "https://fhir.hl7.org.uk/Id/gphc-number", "value": "9900001"}},
        "dosageInstruction": [
            {
                "text": one.get("text", "once daily"),
                "timing": {
                    "repeat": {"boundsPeriod": period, "frequency": one.get("doses-a-day", 1), "period": 1, "periodUnit": "d"}
                },
                "doseAndRate": [{"doseQuantity": _amount(one.get("mg", 60))}],
            }
        ],
        "dispenseRequest": {"quantity": _amount(total), "performer": {"reference": "urn:uuid:pharmacy"}},
        "substitution": {"allowedBoolean": False},
        "extension": [
            _extension("treatment-period", valuePeriod=period),
            _extension("required-supervision", valueCode="required"),
        ],
    }
    form["extension"] += [
        _extension("home-office-wording", extension=[{"url": "code", "valueCode": word}]) for word in one.get("wordings", ())
    ]
    if "interval" in one:
        every = {"value": one["interval"], "unit": "day", "system": "http://unitsofmeasure.org", "code": "d"}
        form["dispenseRequest"]["dispenseInterval"] = every
    form["extension"] += [_extension("closed-day", valueDate=str(day)) for day in one.get("closed", ())]
    if "version" in one:
        form["extension"].append(_extension("version", valuePositiveInt=one["version"]))
    if "restarts" in one:
        form["priorPrescription"] = {"identifier": {"system": ITEM, "value": one["restarts"]}}
        reason = {"url": "reason", "valueCode": one.get("reason", "missed-doses")}
        form["extension"].append(_extension("restart", extension=[reason]))
    planned = [_collection(each, n, one["id"], one.get("mg", 60)) for n, each in enumerate(one.get("collections", ()))]
    received = one.get("received", f"{str(one['authored'])[:10]}T12:00:00Z")
    return _bundle("prescription", received, "criis", _PATIENT, form, *planned, _pharmacy(code))


def _order(one: Json) -> Json:
    """An order that is no instalment form, with what its dosage says and, where it is said, its first dose date."""
    start = {"boundsPeriod": {"start": str(one["first"])}} if "first" in one else {}
    lasts = {"value": one["days"], "unit": "day", "system": "http://unitsofmeasure.org", "code": "d"}
    order: Json = {
        "resourceType": "MedicationRequest",
        "id": "order",
        "meta": {"profile": [f"{OURS}MedicationRequest-order"]},
        "identifier": [{"system": ITEM, "value": one["id"]}],
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": _METHADONE,
        "subject": {"reference": "urn:uuid:p"},
        "authoredOn": str(one["authored"]),
        "requester": {"identifier": {"system": "https://fhir.hl7.org.uk/Id/gphc-number", "value": "9900001"}},
        "dosageInstruction": [
            {
                "text": one["text"],
                "timing": {"repeat": {**start, "frequency": 1, "period": 1, "periodUnit": "d"}},
                "doseAndRate": [{"doseQuantity": _amount(one["mg"])}],
            }
        ],
        "dispenseRequest": {
            "quantity": _amount(one["mg"] * one["days"]),
            "expectedSupplyDuration": lasts,
            "performer": {"reference": "urn:uuid:pharmacy"},
        },
        "substitution": {"allowedBoolean": False},
    }
    received = one.get("received", f"{str(one['authored'])[:10]}T12:00:00Z")
    return _bundle("prescription", received, "emis", _PATIENT, order, _pharmacy(one.get("pharmacy", "FZZ01")))


def _collection(one: Json, n: int, form: str, mg: int) -> Json:
    said = [{"url": "date", "valueDate": str(one["on"])}, *({"url": "covers", "valueDate": str(day)} for day in one["covers"])]
    return {
        "resourceType": "MedicationRequest",
        "id": f"collection-{form}-{n}",
        "status": "active",
        "intent": "instance-order",
        "meta": {"profile": [f"{OURS}MedicationRequest-instalment"]},
        "basedOn": [{"reference": "urn:uuid:form"}],
        "courseOfTherapyType": _COURSE,
        "medicationCodeableConcept": _METHADONE,
        "subject": {"reference": "urn:uuid:p"},
        "substitution": {"allowedBoolean": False},
        "dispenseRequest": {"quantity": _amount(len(one["covers"]) * mg)},
        "extension": [_extension("planned-collection", extension=said)],
    }


def _change(one: Json, n: int) -> Json:
    status = {"stopped": "stopped", "held": "on-hold", "resumed": "active", "replaced": "stopped", "cancelled": "cancelled"}[
        one["type"]
    ]
    effective = str(one["effective"])
    change: Json = {
        "resourceType": "MedicationRequest",
        "id": f"change-{n}",
        "meta": {"profile": [f"{OURS}MedicationRequest-change"]},
        "identifier": [{"system": ITEM, "value": one["form"]}],
        "groupIdentifier": {"system": "https://fhir.example/fp10mda-serial", "value": str(one.get("serial", f"99{one['form']}"))},
        "status": status,
        "intent": "original-order",
        "medicationCodeableConcept": _METHADONE,
        "subject": {"reference": "urn:uuid:p"},
        "extension": [
            _extension(
                "order-change",
                extension=[{"url": "type", "valueCode": one["type"]}, {"url": "effective", "valueDateTime": effective}],
            )
        ],
    }
    if "reason" in one:
        change["statusReason"] = {"coding": [{"system": f"{BASE}/CodeSystem/prescription-change-reason", "code": one["reason"]}]}
    received = one.get("received") or (effective if "T" in effective else f"{effective}T09:00:00Z")
    return _bundle("prescription-changed", received, "criis", _PATIENT, change)


def _at(one: Json) -> str | None:
    if "at" in one:
        return str(one["at"])
    if one["is"] in ("missed", "withheld", "elsewhere"):
        return None
    return datetime.fromisoformat(f"{one['on']}T10:00:00").replace(tzinfo=_LONDON).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _dose(one: Json, n: int, prescribed: Any) -> Json:
    outcome, day, at = one["is"], one["on"], _at(one)
    mg = one.get("mg", prescribed)
    status = one.get("status")
    identifier = [{"system": DOSE, "value": one.get("id", f"auto-{n}")}]
    said = [
        _extension("dose-outcome", valueCoding={"system": f"{BASE}/CodeSystem/dose-outcome", "code": outcome}),
        _extension("dose-date", valueDate=day),
    ]
    said += [_extension("dose-number", valuePositiveInt=one["n"])] if "n" in one else []
    said += [_extension("recorded", valueDateTime=str(one["recorded"]))] if "recorded" in one else []
    said += [_extension("version", valuePositiveInt=one["version"])] if "version" in one else []
    said += [_extension("replaces", valueIdentifier={"system": DOSE, "value": one["replaces"]})] if "replaces" in one else []
    common: Json = {"medicationCodeableConcept": _METHADONE, "subject": {"reference": "urn:uuid:p"}}
    resources: list[Json] = []
    if outcome == "elsewhere":
        by = {"informationSource": {"identifier": {"system": ODS, "value": one["by"]}}} if "by" in one else {}
        stated = {"resourceType": "MedicationStatement", "id": "dose", "identifier": identifier, "status": status or "completed"}
        dosage = [{"doseAndRate": [{"doseQuantity": _amount(mg)}]}]
        resources = [{**stated, **common, "effectiveDateTime": day, **by, "dosage": dosage, "extension": said}]
    elif outcome == "depot":
        given = {
            "resourceType": "MedicationAdministration",
            "id": "dose",
            "identifier": identifier,
            "status": status or "completed",
        }
        medicine = {
            "medicationCodeableConcept": _DEPOT,
            "category": {"coding": [{"system": f"{BASE}/CodeSystem/dose-outcome", "code": "depot"}]},
        }
        resources = [{**given, **common, **medicine, "effectiveDateTime": at, "dosage": {"dose": _amount(mg)}, "extension": said}]
    else:
        declined = outcome in ("missed", "withheld")
        dispense: Json = {
            "resourceType": "MedicationDispense",
            "id": "dose",
            "identifier": identifier,
            **common,
            "extension": said,
        }
        dispense["status"] = status or ("declined" if declined else "completed")
        if declined:
            reason = {"system": _REASONS, "code": "0010" if outcome == "missed" else "0002"}
            more = [] if outcome == "missed" else [{"system": f"{BASE}/CodeSystem/withheld-reason", "code": "intoxicated"}]
            dispense["statusReasonCodeableConcept"] = {"coding": [reason, *more]}
        dispense["performer"] = [{"actor": {"reference": "urn:uuid:pharmacy"}}]
        if not declined:
            dispense |= {"quantity": _amount(prescribed if outcome == "partial" else mg), "whenHandedOver": at}
        resources = [dispense]
        if outcome in ("supervised", "partial", "not-swallowed"):
            done = status or ("not-done" if outcome == "not-swallowed" else "completed")
            given = {"resourceType": "MedicationAdministration", "id": "given", "status": done, **common, "effectiveDateTime": at}
            swallowed: Json = {} if outcome == "not-swallowed" else {"dosage": {"dose": _amount(mg)}}
            resources.append({**given, "supportingInformation": [{"reference": "urn:uuid:dose"}], **swallowed})
            if one.get("vomited"):
                seen = {
                    "resourceType": "Observation",
                    "id": "seen",
                    "status": status or "final",
                    "subject": {"reference": "urn:uuid:p"},
                }
                code = {"coding": [{"system": f"{BASE}/CodeSystem/after-dose", "code": "vomited"}]}
                resources.append({**seen, "code": code, "effectiveDateTime": at, "partOf": [{"reference": "urn:uuid:given"}]})
    received = one.get("received", f"{day}T19:00:00Z")
    return _bundle(
        "dose-outcome", received, one.get("from", "pharmacy"), _PATIENT, *resources, _pharmacy(one.get("pharmacy", "FZZ01"))
    )


def _stay(one: Json, n: int) -> Json:
    custody = one["kind"] == "custody"
    at = {"system": f"{BASE}/CodeSystem/stay-place", "code": "custody"} if custody else {
        "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"
    }  # fmt: skip
    period = {"start": str(one["from"])} | ({"end": str(one["to"])} if "to" in one else {})
    stay: Json = {
        "resourceType": "Encounter",
        "id": "stay",
        "identifier": [{"system": STAY, "value": one.get("id", f"S{n}")}],
        "status": one.get("status") or ("finished" if "to" in one else "in-progress"),
        "class": at,
        "subject": {"reference": "urn:uuid:p"},
        "period": period,
    }
    if "place" in one:
        stay["serviceProvider"] = {"identifier": {"system": ODS, "value": one["place"]}}
    if "mention" in one:
        stay["extension"] = [_extension("ost-mention", valueCode=one["mention"])]
    event = _EVENTS[one["kind"]]["to" in one]
    told = str(one.get("received") or one.get("to") or one["from"])
    received = told if "T" in told else f"{told}T19:00:00Z"
    return _bundle(event, received, "hospital", _PATIENT, stay)


def _contact(one: Json, n: int) -> Json:
    attendance = one.get("attendance", "attended")
    came = attendance in ("attended", "attended-late")
    contact: Json = {
        "resourceType": "Encounter",
        "id": "contact",
        "identifier": [{"system": "https://reset.example/session", "value": f"K{n}"}],
        "status": "finished" if came else "cancelled",
        "class": {
            "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
            "code": {"face-to-face": "AMB", "home-visit": "HH"}.get(one.get("medium", ""), "VR"),
        },
        "type": [{"coding": [{"system": f"{BASE}/CodeSystem/consultation-type", "code": one.get("type", "prescribing-review")}]}],
        "subject": {"reference": "urn:uuid:p"},
        "extension": [
            _extension("attendance", valueCode=attendance),
            _extension("consultation-medium", valueCode=one.get("medium", "face-to-face")),
        ],
    }
    if came:
        contact["period"] = {"start": str(one["at"])}
    return _bundle("consultation", str(one.get("received") or one["at"]), "criis", _PATIENT, contact)


def _concept(system: str, code: str) -> Json:
    return {"coding": [{"system": f"{BASE}/CodeSystem/{system}", "code": code}]}


def _told(one: Json, on: str) -> str:
    """When a record is received of which the case does not say so: at noon of its day, or at its moment."""
    return str(one.get("received") or (on if "T" in on else f"{on}T12:00:00Z"))


def _episode(one: Json, n: int) -> Json:
    """An episode has no message of its own: it is told beside a care plan, which is no health check."""
    plan: Json = {
        "resourceType": "CarePlan",
        "id": "plan",
        "identifier": [{"system": "https://reset.example/plan", "value": f"P{n}"}],
        "status": "active",
        "intent": "plan",
        "category": [_concept("care-plan-kind", "recovery")],
        "subject": {"reference": "urn:uuid:p"},
    }
    episode: Json = {
        "resourceType": "EpisodeOfCare",
        "id": "episode",
        "identifier": [{"system": "https://reset.example/episode", "value": one.get("id", f"E{n}")}],
        "status": "finished" if "to" in one else "active",
        "patient": {"reference": "urn:uuid:p"},
        "period": {"start": str(one["from"])} | ({"end": str(one["to"])} if "to" in one else {}),
    }
    return _bundle("care-plan", _told(one, str(one.get("to", one["from"]))), "criis", _PATIENT, plan, episode)


def _profile(one: Json, n: int) -> Json:
    stage = {"valueCoding": {"system": f"{BASE}/CodeSystem/outcome-profile-stage", "code": one["stage"]}}
    taken: Json = {
        "resourceType": "QuestionnaireResponse",
        "id": "profile",
        "identifier": {"system": "https://reset.example/outcome-profile", "value": f"Q{n}"},
        "status": one.get("status", "completed"),
        "subject": {"reference": "urn:uuid:p"},
        "authored": str(one["on"]),
        "item": [{"linkId": "TRSTAGE", "answer": [stage]}],
    }
    if not one.get("alone"):
        taken["item"].append({"linkId": "SUBMODDT", "answer": [{"valueDate": str(one["on"])}]})
    return _bundle("outcome-profile", _told(one, str(one["on"])), "criis", _PATIENT, taken)


def _consent(one: Json, n: int) -> Json:
    status, kind = {"granted": ("active", "permit"), "refused": ("rejected", "deny")}.get(one["is"], ("inactive", "deny"))
    role = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}]}
    actor = {"role": role, "reference": {"identifier": {"system": ODS, "value": one["to"]}}}
    privacy = {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}
    consent: Json = {
        "resourceType": "Consent",
        "id": "consent",
        "identifier": [{"system": "https://reset.example/consent", "value": f"C{n}"}],
        "status": status,
        "scope": {"coding": [privacy]},
        "category": [_concept("consent-category", "information-sharing")],
        "patient": {"reference": "urn:uuid:p"},
        "dateTime": str(one["on"]),
        "policyRule": {"text": "Common law: consent and confidentiality"},
        "provision": {"type": kind, "actor": [actor]} | ({"period": {"end": str(one["ends"])}} if "ends" in one else {}),
        "extension": [_extension("consent-decision", valueCode=one["is"])],
    }
    if "confirmed" in one:
        consent["verification"] = [{"verified": True, "verificationDate": str(one["confirmed"])}]
    return _bundle("consent", _told(one, str(one.get("confirmed", one["on"]))), "criis", _PATIENT, consent)


def _kit(one: Json, n: int) -> Json:
    naloxone = {"coding": [{"system": "http://snomed.info/sct", "code": "89018006", "display": "Naloxone"}]}
    given: Json = {
        "resourceType": "MedicationDispense",
        "id": "kit",
        "identifier": [{"system": "https://reset.example/kit", "value": f"N{n}"}],
        "status": one.get("status", "completed"),
        "subject": {"reference": "urn:uuid:p"},
        "quantity": {"value": 1},
        "whenHandedOver": str(one["on"]),
    }
    if "expires" in one:
        batch = {"lotNumber": f"NX{n}", "expirationDate": str(one["expires"])}
        given["contained"] = [{"resourceType": "Medication", "id": "box", "code": naloxone, "batch": batch}]
        given["medicationReference"] = {"reference": "#box"}
    else:
        given["medicationCodeableConcept"] = naloxone
    return _bundle("supply", _told(one, str(one["on"])), "criis", _PATIENT, given)


def _death(one: Json) -> list[Json]:
    """The message of a death, and those that later give another day or deny it: all say how the practice has the person."""
    said: list[tuple[Json, str]] = [({"deceasedDateTime": str(one["on"])}, str(one.get("received", f"{one['on']}T19:00:00Z")))]
    if "corrected" in one:
        said.append(({"deceasedDateTime": str(one["corrected"]["on"])}, str(one["corrected"]["received"])))
    if "denied" in one:
        said.append(({"deceasedBoolean": False}, str(one["denied"])))
    return [_bundle("patient", received, "emis", {**_PATIENT, **deceased}) for deceased, received in said]
