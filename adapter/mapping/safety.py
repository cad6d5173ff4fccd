"""The safety elements: what may be neither ignored nor carried, and is an error when it was not read.

The list is data and stands here alone. A path is element names from the resource down; an extension is named by its
url in brackets. Source: docs/hub.md; status and intent change what a resource *means*
(https://hl7.org/fhir/R4/conformance-rules.html#isModifier).
"""

from __future__ import annotations

from typing import Any

from adapter.fhir.outcome import BASE

_OURS = f"{BASE}/StructureDefinition/"
_DM = "https://fhir.nhs.uk/StructureDefinition/"

_ANY = ("modifierExtension", "implicitRules")
_MEDICATION = ("status", "medicationCodeableConcept", "medicationReference", "subject")
_OUTCOME = (
    f"extension[{_OURS}dose-outcome]",
    f"extension[{_OURS}dose-date]",
    f"extension[{_OURS}dose-number]",
    f"extension[{_OURS}prescribed-amount]",
)

SAFETY: dict[str, tuple[str, ...]] = {
    "*": _ANY,
    "MedicationRequest": (
        *_MEDICATION,
        "intent",
        "doNotPerform",
        "dosageInstruction.doseAndRate",
        "dosageInstruction.timing",
        "dosageInstruction.asNeededBoolean",
        "dosageInstruction.asNeededCodeableConcept",
        "dosageInstruction.maxDosePerPeriod",
        "dosageInstruction.maxDosePerAdministration",
        "dispenseRequest.quantity",
        f"extension[{_OURS}required-supervision]",
        f"extension[{_OURS}planned-collection]",
        f"extension[{_OURS}treatment-period]",
        f"extension[{_OURS}order-change]",
        f"extension[{_OURS}home-office-wording]",
        f"extension[{_DM}Extension-DM-ControlledDrug]",
    ),
    "MedicationDispense": (*_MEDICATION, *_OUTCOME, "quantity", "statusReasonCodeableConcept"),
    "MedicationAdministration": (*_MEDICATION, *_OUTCOME, "dosage.dose", "statusReason"),
    "MedicationStatement": (*_MEDICATION, *_OUTCOME, "dosage.doseAndRate"),
    "Observation": ("status", "code", "subject", "valueCodeableConcept"),
    "Patient": ("deceasedBoolean", "deceasedDateTime", "link"),
    # What the clocks count, what a restart hangs on, and what may be told to whom.
    "Encounter": ("status", "subject", f"extension[{_OURS}attendance]", f"extension[{_OURS}consultation-medium]"),
    "ServiceRequest": (
        "status",
        "intent",
        "doNotPerform",
        "priority",
        "subject",
        f"extension[{_OURS}last-dose]",
        f"extension[{_OURS}missed-days]",
        f"extension[{_OURS}referral-consent]",
    ),
    "Task": ("status", "for"),
    # What somebody is told to do or not to do, and on what counts.
    "Communication": (
        "status",
        "subject",
        "topic",
        "inResponseTo",
        f"extension[{_OURS}alert-status]",
        f"extension[{_OURS}consecutive-missed]",
        f"extension[{_OURS}days-since-dose]",
        f"extension[{_OURS}last-dose]",
        f"extension[{_OURS}last-possible-dose]",
    ),
    "Flag": ("status", "code", "subject"),
    "CarePlan": ("status", "intent", "subject", "activity.detail.status", "activity.detail.doNotPerform"),
    "Condition": ("clinicalStatus", "verificationStatus", "subject"),
    "Procedure": ("status", "subject"),
    "Consent": (
        "status",
        "patient",
        "provision.type",
        "provision.period",
        "provision.actor",
        "provision.code",
        f"extension[{_OURS}consent-decision]",
    ),
}


def _step(value: Any, part: str | int) -> tuple[Any, str]:
    """One step down: the value below, and the step's name in a safety path ("" for an index)."""
    below: Any = value[part]
    if isinstance(part, int):
        return below, f"[{below['url']}]" if isinstance(below, dict) and isinstance(below.get("url"), str) else ""
    return below, part


def is_safety(resource: Any, parts: tuple[str | int, ...]) -> bool:
    """Whether the element at `parts` (keys and indexes from the resource down) lies at or below a safety element."""
    if not isinstance(resource, dict) or (parts and parts[-1] == "display"):  # a display decides nothing
        return False
    listed = (*SAFETY["*"], *SAFETY.get(str(resource.get("resourceType")), ()))
    value: Any = resource
    name = ""
    for part in parts:
        try:
            value, step = _step(value, part)
        except (KeyError, IndexError, TypeError):
            break
        if step.startswith("[") and name.endswith("extension"):
            name += step
        elif step and not step.startswith("["):
            name += ("." if name else "") + step
        if name in listed or name.endswith("modifierExtension"):
            return True
    return False


def names_safety(kind: str, path: str) -> bool:
    """Whether a map's element path (as under `$ignored`) is a safety element of that type, or holds one."""
    listed = (*SAFETY["*"], *SAFETY.get(kind, ()))
    return any(path == one or path.startswith(one + ".") or one.startswith((path + ".", path + "[")) for one in listed)
