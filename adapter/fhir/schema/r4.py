"""What the R4B (4.3.0) models say otherwise than R4 (4.0.1), or leave out: the corrections of the generated schema.

Every line names a page of https://hl7.org/fhir/R4/ by its resource or type. The generator fails on an enumeration that the
models cut off (they end it with "+") and that has no replacement here.
"""

from __future__ import annotations

#: The resource types that the gate knows, other than the abstract ones. Left out are the types that R4B changed
#: (https://hl7.org/fhir/R4B/history.html) and those that no message of shared care carries.
RESOURCES = (
    "Account AllergyIntolerance Appointment AuditEvent Basic Binary BodyStructure Bundle CapabilityStatement CarePlan "
    "CareTeam Claim ClaimResponse ClinicalImpression CodeSystem Communication CommunicationRequest Composition ConceptMap "
    "Condition Consent Coverage DetectedIssue Device DeviceRequest DeviceUseStatement DiagnosticReport DocumentReference "
    "Encounter Endpoint EpisodeOfCare FamilyMemberHistory Flag Goal Group HealthcareService ImagingStudy Immunization "
    "ImmunizationRecommendation List Location Measure MeasureReport Media Medication MedicationAdministration "
    "MedicationDispense MedicationRequest MedicationStatement MessageDefinition MessageHeader NamingSystem NutritionOrder "
    "Observation OperationDefinition OperationOutcome Organization Parameters Patient Person Practitioner PractitionerRole "
    "Procedure Provenance Questionnaire QuestionnaireResponse RelatedPerson RequestGroup RiskAssessment Schedule "
    "SearchParameter ServiceRequest Slot Specimen StructureDefinition StructureMap Subscription Substance SupplyDelivery "
    "SupplyRequest Task ValueSet"
).split()

_ENCOUNTER = "planned arrived triaged in-progress onleave finished cancelled entered-in-error unknown"
_OBSERVATION = "registered preliminary final amended corrected cancelled entered-in-error unknown"
_COMPARATOR = "< <= >= >"

#: Element -> every code of its required binding, where the models cut the list off or have none.
ENUMS: dict[str, list[str]] = {
    element: codes.split()
    for element, codes in {
        "Task.status": (
            "draft requested received accepted rejected ready cancelled in-progress on-hold failed completed entered-in-error"
        ),
        "Encounter.status": _ENCOUNTER,
        "Encounter.statusHistory.status": _ENCOUNTER,
        "Observation.status": _OBSERVATION,
        "DetectedIssue.status": _OBSERVATION,
        "RiskAssessment.status": _OBSERVATION,
        "DiagnosticReport.status": (
            "registered partial preliminary final amended corrected appended cancelled entered-in-error unknown"
        ),
        "Questionnaire.item.type": (
            "group display question boolean decimal integer date dateTime time string text url choice open-choice attachment "
            "reference quantity"
        ),
        "Device.udiCarrier.entryType": "barcode rfid manual card self-reported unknown",
        "DeviceUseStatement.status": "active completed entered-in-error intended stopped on-hold",
        "SupplyRequest.status": "draft active suspended cancelled completed entered-in-error unknown",
        "StructureMap.group.rule.target.transform": (
            "create copy truncate escape cast append translate reference dateOp uuid pointer evaluate cc c qty id cp"
        ),
        "Timing.repeat.when": (
            "MORN MORN.early MORN.late NOON AFT AFT.early AFT.late EVE EVE.early EVE.late NIGHT PHS HS WAKE C CM CD CV AC ACM "
            "ACD ACV PC PCM PCD PCV"
        ),
        "Quantity.comparator": _COMPARATOR,
        "Age.comparator": _COMPARATOR,
        "Count.comparator": _COMPARATOR,
        "Distance.comparator": _COMPARATOR,
        "Duration.comparator": _COMPARATOR,
        "OperationOutcome.issue.code": (
            "invalid structure required value invariant security login unknown expired forbidden suppressed processing "
            "not-supported duplicate multiple-matches not-found deleted too-long code-invalid extension too-costly "
            "business-rule conflict transient lock-error no-store exception timeout incomplete throttled informational"
        ),
        "AuditEvent.action": "C R U D E",
        "AuditEvent.outcome": "0 4 8 12",
        "AuditEvent.agent.network.type": "1 2 3 4 5",
        # The models list only a few codes of these: they are bound to all mime types, or extensibly. "" means: any code.
        "CapabilityStatement.format": "",
        "Expression.language": "",
        "Composition.confidentiality": "U L M N R V",
    }.items()
}

#: Datatypes of the models that R4 does not have, with every element of such a type.
DROPPED_TYPES = frozenset({"CodeableReference", "RatioRange"})

#: Element -> the types that R4 lets it refer to.
TARGETS: dict[str, list[str]] = {
    "Observation.subject": ["Patient", "Group", "Device", "Location"],
    "DiagnosticReport.subject": ["Patient", "Group", "Device", "Location"],
    "Group.member.entity": ["Patient", "Practitioner", "PractitionerRole", "Device", "Medication", "Substance", "Group"],
}

#: Elements of type string that hold a URI: a blank in one is a fault. https://hl7.org/fhir/R4/references.html#literal
URIS = frozenset({"Reference.reference"})

#: Elements of type SimpleQuantity (no comparator, sqty-1), which the models call Quantity. Choices by their JSON name.
SIMPLE_QUANTITIES = frozenset(
    (
        "CarePlan.activity.detail.dailyAmount CarePlan.activity.detail.quantity Claim.item.quantity Claim.item.detail.quantity "
        "Claim.item.detail.subDetail.quantity ClaimResponse.addItem.quantity ClaimResponse.addItem.detail.quantity "
        "ClaimResponse.addItem.detail.subDetail.quantity Coverage.costToBeneficiary.valueQuantity Immunization.doseQuantity "
        "MedicationAdministration.dosage.dose MedicationAdministration.dosage.rateQuantity MedicationDispense.quantity "
        "MedicationDispense.daysSupply MedicationRequest.dispenseRequest.initialFill.quantity "
        "MedicationRequest.dispenseRequest.quantity NutritionOrder.oralDiet.nutrient.amount NutritionOrder.supplement.quantity "
        "NutritionOrder.enteralFormula.caloricDensity NutritionOrder.enteralFormula.administration.quantity "
        "NutritionOrder.enteralFormula.administration.rateQuantity NutritionOrder.enteralFormula.maxVolumeToDeliver "
        "Observation.referenceRange.low Observation.referenceRange.high Specimen.collection.quantity "
        "Specimen.container.capacity Specimen.container.specimenQuantity Substance.instance.quantity "
        "SupplyDelivery.suppliedItem.quantity Dosage.doseAndRate.doseQuantity Dosage.doseAndRate.rateQuantity "
        "Dosage.maxDosePerAdministration Dosage.maxDosePerLifetime Range.low Range.high SampledData.origin"
    ).split()
)
