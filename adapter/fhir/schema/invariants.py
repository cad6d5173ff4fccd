"""R4's invariants that JSON Schema can say: the rule's key, the types it stands on, its schema, and what to tell a person.

The keys are those of https://hl7.org/fhir/R4/ (each is listed on the page of its type); the sentences are ours. What needs a
date compared, a reference followed or a narrative read stands in `adapter/fhir/gate_checks.py`. ppc-2 to ppc-5 are not here:
they compare with the system 'something', which nobody uses. dom-6 (a "should") and the -0 rules (names for code) neither.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

UCUM = "http://unitsofmeasure.org"


def has(*names: str) -> Schema:
    """All of these are there."""
    return {"type": "object", "required": list(names)}


def either(*names: str) -> Schema:
    """At least one is there, by its value or (a primitive) its `_` sibling alone."""
    return {"anyOf": [{"required": [name]} for plain in names for name in (plain, f"_{plain}")]}


def needs(name: str, *others: str) -> Schema:
    """Where `name` is there, so is one of the others."""
    return {"dependentSchemas": {name: either(*others)}}


def without(*names: str) -> Schema:
    """None of these is there."""
    return {"not": {"type": "object", "anyOf": [{"required": [name]} for name in names]}}


def when(condition: Schema, then: Schema) -> Schema:
    """A rule that applies where the condition holds."""
    return {"if": condition, "then": then}


def equal(name: str, *values: Any) -> Schema:
    """The element is there and has one of these values."""
    return {"type": "object", "required": [name], "properties": {name: {"enum": list(values)}}}


def coded(name: str, system: str, *codes: str) -> Schema:
    """The CodeableConcept `name` is there with a coding of this system and one of these codes."""
    coding = {
        "contains": {
            "type": "object",
            "required": ["system", "code"],
            "properties": {"system": {"const": system}, "code": {"enum": list(codes)}},
        }
    }
    return {
        "type": "object",
        "required": [name],
        "properties": {name: {"type": "object", "required": ["coding"], "properties": {"coding": coding}}},
    }


def never(key: str) -> Schema:
    """A property that must not stand here; `key` is the rule that says so."""
    return {"x-rule": {"key": key}, "not": {}}


def each(name: str, schema: Schema) -> Schema:
    """Every item of the list `name`."""
    return {"properties": {name: {"items": schema}}}


_CI = "http://terminology.hl7.org/CodeSystem/"
_ALLERGY_ERROR = coded("verificationStatus", _CI + "allergyintolerance-verification", "entered-in-error")
_CONDITION_ERROR = coded("verificationStatus", _CI + "condition-ver-status", "entered-in-error")
_OBSERVED = "Quantity CodeableConcept String Boolean Integer Range Ratio SampledData Time DateTime Period".split()
_ABATED = {"anyOf": [{"required": [f"abatement{t}"]} for t in ("DateTime", "Age", "Period", "Range", "String")]}
_AGES = ("ageAge", "ageRange", "ageString")
_BORN = ("bornPeriod", "bornDate", "bornString")
_NOT_PRACTITIONER = {"not": {"pattern": "^(.*/)?(Patient|RelatedPerson|PractitionerRole|Organization|CareTeam)/[^/]+$"}}

#: (key, definitions it stands on, schema)
INVARIANTS: list[tuple[str, str, Schema]] = [
    ("att-1", "Attachment", needs("data", "contentType")),
    ("cpt-2", "ContactPoint", needs("value", "system")),
    ("qty-3", "Quantity Age Count Distance Duration SimpleQuantity", needs("code", "system")),
    (
        "age-1",
        "Age",
        {"allOf": [needs("value", "code"), {"properties": {"system": {"const": UCUM}, "value": {"exclusiveMinimum": 0}}}]},
    ),
    (
        "cnt-3",
        "Count",
        {
            "allOf": [
                needs("value", "code"),
                {"properties": {"system": {"const": UCUM}, "code": {"const": "1"}, "value": {"multipleOf": 1}}},
            ]
        },
    ),
    ("dis-1", "Distance", {"allOf": [needs("value", "code"), {"properties": {"system": {"const": UCUM}}}]}),
    (
        "drt-1",
        "Duration",
        {"dependentSchemas": {"code": {"required": ["system", "value"], "properties": {"system": {"const": UCUM}}}}},
    ),
    (
        "rat-1",
        "Ratio",
        {
            "allOf": [
                {"dependentRequired": {"numerator": ["denominator"], "denominator": ["numerator"]}},
                {"anyOf": [{"required": ["numerator"]}, {"required": ["extension"]}]},
            ]
        },
    ),
    ("exp-1", "Expression", either("expression", "reference")),
    ("drq-1", "DataRequirementCodeFilter DataRequirementDateFilter", {"oneOf": [either("path"), either("searchParam")]}),
    (
        "trd-1",
        "TriggerDefinition",
        {"if": {"required": ["data"]}, "then": without("timingTiming", "timingReference", "timingDate", "timingDateTime")},
    ),
    ("trd-2", "TriggerDefinition", needs("condition", "data")),
    (
        "trd-3",
        "TriggerDefinition",
        {
            "allOf": [
                when(equal("type", "named-event"), either("name")),
                when(equal("type", "periodic"), either("timingTiming", "timingReference", "timingDate", "timingDateTime")),
                when({"required": ["type"], "properties": {"type": {"pattern": "^data-"}}}, either("data")),
            ]
        },
    ),
    ("tim-1", "TimingRepeat", needs("duration", "durationUnit")),
    ("tim-2", "TimingRepeat", needs("period", "periodUnit")),
    ("tim-4", "TimingRepeat", {"properties": {"duration": {"minimum": 0}}}),
    ("tim-5", "TimingRepeat", {"properties": {"period": {"minimum": 0}}}),
    ("tim-6", "TimingRepeat", needs("periodMax", "period")),
    ("tim-7", "TimingRepeat", needs("durationMax", "duration")),
    ("tim-8", "TimingRepeat", needs("countMax", "count")),
    (
        "tim-9",
        "TimingRepeat",
        {
            "dependentSchemas": {
                "offset": {"required": ["when"], "properties": {"when": {"items": {"not": {"enum": ["C", "CM", "CD", "CV"]}}}}}
            }
        },
    ),
    ("tim-10", "TimingRepeat", {"not": has("timeOfDay", "when")}),
    ("cpl-3", "CarePlanActivity", {"not": has("detail", "reference")}),
    ("prr-1", "ServiceRequest", needs("orderDetail", "code")),
    ("ppc-1", "Consent", either("policy", "policyUri", "policyRule")),
    ("pat-1", "PatientContact", either("name", "telecom", "address", "organization")),
    ("obs-3", "ObservationReferenceRange", either("low", "high", "text")),
    (
        "obs-6",
        "Observation",
        {
            "if": {"required": ["dataAbsentReason"]},
            "then": without(*(f"value{t}" for t in _OBSERVED)),
        },
    ),
    ("org-1", "Organization", either("identifier", "name")),
    ("org-2", "Organization", each("address", {"not": equal("use", "home")})),
    ("org-3", "Organization", each("telecom", {"not": equal("use", "home")})),
    ("mad-1", "MedicationAdministrationDosage", either("dose", "rateRatio", "rateQuantity")),
    ("cmp-1", "CompositionSection", either("text", "entry", "section")),
    ("cmp-2", "CompositionSection", {"not": has("emptyReason", "entry")}),
    (
        "gol-1",
        "GoalTarget",
        {
            "if": {
                "anyOf": [
                    {"required": [f"detail{t}"]} for t in "Quantity Range CodeableConcept String Boolean Integer Ratio".split()
                ]
            },
            "then": {"required": ["measure"]},
        },
    ),
    ("imm-1", "ImmunizationEducation", either("documentType", "reference")),
    ("imr-1", "ImmunizationRecommendationRecommendation", either("vaccineCode", "targetDisease")),
    ("sev-1", "AuditEventEntity", {"not": has("name", "query")}),
    ("ait-1", "AllergyIntolerance", {"anyOf": [_ALLERGY_ERROR, {"required": ["clinicalStatus"]}]}),
    ("ait-2", "AllergyIntolerance", when(_ALLERGY_ERROR, without("clinicalStatus"))),
    ("app-1", "AppointmentParticipant", either("type", "actor")),
    ("app-2", "Appointment", {"dependentRequired": {"start": ["end"], "end": ["start"]}}),
    ("app-3", "Appointment", {"anyOf": [has("start", "end"), equal("status", "proposed", "cancelled", "waitlist")]}),
    ("app-4", "Appointment", {"if": {"required": ["cancelationReason"]}, "then": equal("status", "noshow", "cancelled")}),
    ("con-1", "ConditionStage", either("summary", "assessment")),
    ("con-2", "ConditionEvidence", either("code", "detail")),
    (
        "con-4",
        "Condition",
        when(_ABATED, coded("clinicalStatus", _CI + "condition-clinical", "resolved", "remission", "inactive")),
    ),
    ("con-5", "Condition", when(_CONDITION_ERROR, without("clinicalStatus"))),
    (
        "ctm-1",
        "CareTeamParticipant",
        when({"required": ["onBehalfOf"]}, {"properties": {"member": {"properties": {"reference": _NOT_PRACTITIONER}}}}),
    ),
    ("fhs-1", "FamilyMemberHistory", {"if": {"anyOf": [{"required": [a]} for a in _AGES]}, "then": without(*_BORN)}),
    ("fhs-2", "FamilyMemberHistory", needs("estimatedAge", *_AGES)),
    ("grp-1", "Group", {"if": {"required": ["member"]}, "then": equal("actual", True)}),
    ("lst-1", "List", {"not": has("emptyReason", "entry")}),
    ("lst-2", "List", {"anyOf": [equal("mode", "changes"), each("entry", without("deleted"))]}),
    ("lst-3", "List", {"anyOf": [equal("mode", "working"), each("entry", without("date"))]}),
    ("mrp-1", "MeasureReport", when(equal("type", "data-collection"), without("group"))),
    ("qrs-1", "QuestionnaireResponseItem", {"not": has("answer", "item")}),
    ("rqg-1", "RequestGroupAction", {"oneOf": [{"required": ["resource"]}, {"required": ["action"]}]}),
    ("ras-2", "RiskAssessmentPrediction", {"properties": {"probabilityDecimal": {"maximum": 100}}}),
    (
        "que-1",
        "QuestionnaireItem",
        {"allOf": [when(equal("type", "group"), {"required": ["item"]}), when(equal("type", "display"), without("item"))]},
    ),
    ("que-3", "QuestionnaireItem", when(equal("type", "display"), without("code"))),
    ("que-4", "QuestionnaireItem", {"not": has("answerOption", "answerValueSet")}),
    ("que-6", "QuestionnaireItem", when(equal("type", "display"), without("required", "repeats"))),
    ("que-8", "QuestionnaireItem", when(equal("type", "group", "display"), without("initial"))),
    ("que-9", "QuestionnaireItem", when(equal("type", "display"), without("readOnly"))),
    ("que-11", "QuestionnaireItem", {"not": has("answerOption", "initial")}),
    ("cpb-1", "CapabilityStatement", either("rest", "messaging", "document")),
    ("cpb-2", "CapabilityStatement", either("description", "software", "implementation")),
    ("cpb-14", "CapabilityStatement", when(equal("kind", "instance"), {"required": ["implementation"]})),
    ("cmd-1", "ConceptMapGroupElementTarget", when(equal("equivalence", "narrower", "inexact"), either("comment"))),
    ("cmd-2", "ConceptMapGroupUnmapped", when(equal("mode", "fixed"), either("code"))),
    ("cmd-3", "ConceptMapGroupUnmapped", when(equal("mode", "other-map"), either("url"))),
    ("opd-1", "OperationDefinitionParameter", either("type", "part")),
    ("sdf-4", "StructureDefinition", {"anyOf": [equal("abstract", True), {"required": ["baseDefinition"]}]}),
    (
        "sdf-5",
        "StructureDefinition",
        {"anyOf": [{"not": equal("type", "Extension")}, equal("derivation", "specialization"), {"required": ["context"]}]},
    ),
    ("sdf-6", "StructureDefinition", either("snapshot", "differential")),
    ("vsd-1", "ValueSetComposeInclude", either("valueSet", "system")),
    ("vsd-2", "ValueSetComposeInclude", {"allOf": [needs("concept", "system"), needs("filter", "system")]}),
    ("vsd-3", "ValueSetComposeInclude", {"not": has("concept", "filter")}),
    ("vsd-6", "ValueSetExpansionContains", either("code", "display")),
    ("vsd-9", "ValueSetExpansionContains", {"anyOf": [either("code"), equal("abstract", True)]}),
    ("vsd-10", "ValueSetExpansionContains", needs("code", "system")),
    ("bdl-5", "BundleEntry", either("resource", "request", "response")),
    ("bdl-8", "BundleEntry", {"properties": {"fullUrl": {"not": {"pattern": "/_history/"}}}}),
]


#: Definition name -> (key, path, schema), for the generator.
FRAGMENTS: dict[str, list[tuple[str, str, Schema]]] = {}
for _key, _on, _schema in INVARIANTS:
    for _name in _on.split():
        FRAGMENTS.setdefault(_name, []).append((_key, "", _schema))
