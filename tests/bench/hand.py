"""The task by hand: what a programmer would write for it, with no map, no check and no account. The oracle, and the figure to reach."""

from __future__ import annotations

from typing import Any

RX = "https://example.org/ost/"
UCUM = "http://unitsofmeasure.org"
STATUS = {"A": "active", "H": "on-hold", "C": "cancelled", "S": "stopped", "D": "completed"}
KIND = {"INST": ("instalment", "Instalment dispensing"), "ACUTE": ("acute", "Acute")}
UNIT = {"ml": ("mL", "mL"), "mg": ("mg", "mg"), "tab": ("tablet", "{tbl}")}
PERIOD = {"day": "d", "week": "wk", "hour": "h"}


def medication_request(rx: dict[str, Any]) -> dict[str, Any]:
    """One flat prescription as a MedicationRequest. Raises KeyError for what is not there or not known."""
    kind, kind_words = KIND[rx["rx_kind"]]
    dose_unit, dose_code = UNIT[rx["dose_unit"]]
    total_unit, total_code = UNIT[rx["total_unit"]]
    start, end, drug = rx["start_date"], rx["end_date"], rx["drug_name"]
    dosage: dict[str, Any] = {
        "sequence": 1,
        "text": rx["dose_text"],
        "timing": {
            "repeat": {
                "boundsPeriod": {"start": start, "end": end},
                "frequency": rx["freq_count"],
                "period": rx["freq_period"],
                "periodUnit": PERIOD[rx["freq_unit"]],
            }
        },
        "route": {"coding": [{"system": "http://snomed.info/sct", "code": rx["route_code"], "display": rx["route_name"]}]},
        "doseAndRate": [{"doseQuantity": {"value": rx["dose_qty"], "unit": dose_unit, "system": UCUM, "code": dose_code}}],
    }
    if rx.get("supervised") == "Y":
        dosage["additionalInstruction"] = [{"text": "Supervised consumption"}]
    made = {
        "resourceType": "MedicationRequest",
        "id": rx["rx_id"],
        "identifier": [{"system": RX + "rx-id", "value": rx["rx_id"]}],
        "status": STATUS[rx["rx_status"]],
        "intent": "order",
        "category": [{"coding": [{"system": RX + "rx-kind", "code": kind, "display": kind_words}]}],
        "medicationCodeableConcept": {
            "coding": [{"system": "https://dmd.nhs.uk", "code": rx["drug_code"], "display": drug}],
            "text": drug,
        },
        "subject": {
            "identifier": {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": rx["nhs_number"]},
            "display": rx["patient_name"],
        },
        "authoredOn": rx["written_on"],
        "requester": {
            "identifier": {"system": RX + "prescriber", "value": rx["prescriber_id"]},
            "display": rx["prescriber_name"],
        },
        "dosageInstruction": [dosage],
        "dispenseRequest": {
            "validityPeriod": {"start": start, "end": end},
            "numberOfRepeatsAllowed": rx["repeats"],
            "quantity": {"value": rx["total_qty"], "unit": total_unit, "system": UCUM, "code": total_code},
            "expectedSupplyDuration": {"value": rx["days_supply"], "unit": "days", "system": UCUM, "code": "d"},
            "performer": {"identifier": {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": rx["pharmacy_ods"]}},
        },
    }
    if note := rx.get("note"):
        made["note"] = [{"text": note}]
    return made
