"""R4's invariants that JSON Schema can say: the rule's key, the types it stands on, its schema, and what to tell a person.

The keys are those of https://hl7.org/fhir/R4/ (each is listed on the page of its type); the sentences are ours. What needs a
date compared, a reference followed or a narrative read stands in `adapter/fhir/gate_checks.py`. ppc-2 to ppc-5 are not here:
they compare with the system 'something', which nobody uses. dom-6 (a "should") and the -0 rules (names for code) neither.
"""

from __future__ import annotations

from typing import Any, NamedTuple

Schema = dict[str, Any]

UCUM = "http://unitsofmeasure.org"


class Invariant(NamedTuple):
    """One rule. on: names of generated definitions, blank-separated; text, mend: for OperationOutcome."""

    key: str
    on: str
    schema: Schema
    text: str
    mend: str


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
    coding = {"contains": {"type": "object", "required": ["system", "code"], "properties": {"system": {"const": system}, "code": {"enum": list(codes)}}}}
    return {"type": "object", "required": [name], "properties": {name: {"type": "object", "required": ["coding"], "properties": {"coding": coding}}}}


def never(key: str) -> Schema:
    """A property that must not stand here; `key` is the rule that says so."""
    return {"x-rule": {"key": key}, "not": {}}


def each(name: str, schema: Schema) -> Schema:
    """Every item of the list `name`."""
    return {"properties": {name: {"items": schema}}}


_CI = "http://terminology.hl7.org/CodeSystem/"
_ALLERGY_ERROR = coded("verificationStatus", _CI + "allergyintolerance-verification", "entered-in-error")
_CONDITION_ERROR = coded("verificationStatus", _CI + "condition-ver-status", "entered-in-error")
_ABATED = {"anyOf": [{"required": [f"abatement{t}"]} for t in ("DateTime", "Age", "Period", "Range", "String")]}
_AGES = ("ageAge", "ageRange", "ageString")
_BORN = ("bornPeriod", "bornDate", "bornString")
_NOT_PRACTITIONER = {"not": {"pattern": "^(.*/)?(Patient|RelatedPerson|PractitionerRole|Organization|CareTeam)/[^/]+$"}}

INVARIANTS: list[Invariant] = [
    Invariant("att-1", "Attachment", needs("data", "contentType"), "An Attachment with data says its content type.", "Add contentType."),
    Invariant("cpt-2", "ContactPoint", needs("value", "system"), "A ContactPoint with a value says its system.", "Add system, e.g. phone or email."),
    Invariant("qty-3", "Quantity Age Count Distance Duration SimpleQuantity", needs("code", "system"),
              "A quantity whose unit is coded says the system of that code.", "Add system beside code."),
    Invariant("age-1", "Age", {"allOf": [needs("value", "code"), {"properties": {"system": {"const": UCUM}, "value": {"exclusiveMinimum": 0}}}]},
              "An Age is above zero, its unit is coded, and the system is UCUM.", "Give a positive value with its UCUM code."),
    Invariant("cnt-3", "Count", {"allOf": [needs("value", "code"), {"properties": {"system": {"const": UCUM}, "code": {"const": "1"}, "value": {"multipleOf": 1}}}]},
              "A Count is a whole number with the UCUM code 1.", "Give a whole value with system UCUM and code 1."),
    Invariant("dis-1", "Distance", {"allOf": [needs("value", "code"), {"properties": {"system": {"const": UCUM}}}]},
              "A Distance has a coded unit, and the system is UCUM.", "Add the UCUM code of the unit."),
    Invariant("drt-1", "Duration", {"dependentSchemas": {"code": {"required": ["system", "value"], "properties": {"system": {"const": UCUM}}}}},
              "A Duration with a code has a value, and the system is UCUM.", "Add value and the UCUM system."),
    Invariant("rat-1", "Ratio", {"allOf": [{"dependentRequired": {"numerator": ["denominator"], "denominator": ["numerator"]}},
              {"anyOf": [{"required": ["numerator"]}, {"required": ["extension"]}]}]},
              "A Ratio has both numerator and denominator, or neither and an extension.", "Add what is missing."),
    Invariant("exp-1", "Expression", either("expression", "reference"), "An Expression has an expression or a reference.", "Add one."),
    Invariant("drq-1", "DataRequirementCodeFilter DataRequirementDateFilter", {"oneOf": [either("path"), either("searchParam")]},
              "A filter names a path or a search parameter, not both.", "Keep one of them."),
    Invariant("trd-1", "TriggerDefinition", {"if": {"required": ["data"]}, "then": without("timingTiming", "timingReference", "timingDate", "timingDateTime")},
              "A trigger has timing or data, not both.", "Keep one of them."),
    Invariant("trd-2", "TriggerDefinition", needs("condition", "data"), "A trigger's condition needs its data.", "Add data."),
    Invariant("trd-3", "TriggerDefinition", {"allOf": [when(equal("type", "named-event"), either("name")),
              when(equal("type", "periodic"), either("timingTiming", "timingReference", "timingDate", "timingDateTime")),
              when({"required": ["type"], "properties": {"type": {"pattern": "^data-"}}}, either("data"))]},
              "A named event has a name, a periodic one timing, a data event data.", "Add what its type needs."),
    Invariant("tim-1", "TimingRepeat", needs("duration", "durationUnit"), "A duration has its unit.", "Add durationUnit."),
    Invariant("tim-2", "TimingRepeat", needs("period", "periodUnit"), "A period has its unit.", "Add periodUnit."),
    Invariant("tim-4", "TimingRepeat", {"properties": {"duration": {"minimum": 0}}}, "A duration is not negative.", "Correct duration."),
    Invariant("tim-5", "TimingRepeat", {"properties": {"period": {"minimum": 0}}}, "A period is not negative.", "Correct period."),
    Invariant("tim-6", "TimingRepeat", needs("periodMax", "period"), "periodMax needs period.", "Add period."),
    Invariant("tim-7", "TimingRepeat", needs("durationMax", "duration"), "durationMax needs duration.", "Add duration."),
    Invariant("tim-8", "TimingRepeat", needs("countMax", "count"), "countMax needs count.", "Add count."),
    Invariant("tim-9", "TimingRepeat", {"dependentSchemas": {"offset": {"required": ["when"], "properties": {"when": {"items": {"not": {"enum": ["C", "CM", "CD", "CV"]}}}}}}},
              "An offset needs a `when` that is not a bare meal (C, CM, CD, CV).", "Add when, or remove offset."),
    Invariant("tim-10", "TimingRepeat", {"not": has("timeOfDay", "when")}, "timeOfDay and when exclude each other.", "Keep one of them."),
    Invariant("cpl-3", "CarePlanActivity", {"not": has("detail", "reference")}, "An activity is a reference or a detail, not both.", "Keep one of them."),
    Invariant("prr-1", "ServiceRequest", needs("orderDetail", "code"), "orderDetail needs code.", "Add code."),
    Invariant("ppc-1", "Consent", either("policy", "policyUri", "policyRule"), "A Consent names a policy or a policy rule.", "Add policy or policyRule."),
    Invariant("pat-1", "PatientContact", either("name", "telecom", "address", "organization"),
              "A contact has a name, telecom, address or organisation.", "Add one, or remove the contact."),
    Invariant("obs-3", "ObservationReferenceRange", either("low", "high", "text"), "A reference range has low, high or text.", "Add one."),
    Invariant("obs-6", "Observation", {"if": {"required": ["dataAbsentReason"]}, "then": without(*(
              f"value{t}" for t in "Quantity CodeableConcept String Boolean Integer Range Ratio SampledData Time DateTime Period".split()))},
              "dataAbsentReason stands only where there is no value.", "Remove one of them."),
    Invariant("org-1", "Organization", either("identifier", "name"), "An Organization has a name or an identifier.", "Add one."),
    Invariant("org-2", "Organization", each("address", {"not": equal("use", "home")}), "No address of an Organization is a home.", "Correct address.use."),
    Invariant("org-3", "Organization", each("telecom", {"not": equal("use", "home")}), "No telecom of an Organization is a home.", "Correct telecom.use."),
    Invariant("mad-1", "MedicationAdministrationDosage", either("dose", "rateRatio", "rateQuantity"), "A dosage given has a dose or a rate.", "Add dose."),
    Invariant("cmp-1", "CompositionSection", either("text", "entry", "section"), "A section has text, entries or sections.", "Add one."),
    Invariant("cmp-2", "CompositionSection", {"not": has("emptyReason", "entry")}, "emptyReason stands only in an empty section.", "Remove one of them."),
    Invariant("gol-1", "GoalTarget", {"if": {"anyOf": [{"required": [f"detail{t}"]} for t in "Quantity Range CodeableConcept String Boolean Integer Ratio".split()]},
              "then": {"required": ["measure"]}}, "A target with detail says what is measured.", "Add measure."),
    Invariant("imm-1", "ImmunizationEducation", either("documentType", "reference"), "Education has a document type or a reference.", "Add one."),
    Invariant("imr-1", "ImmunizationRecommendationRecommendation", either("vaccineCode", "targetDisease"),
              "A recommendation has a vaccine code or a target disease.", "Add one."),
    Invariant("sev-1", "AuditEventEntity", {"not": has("name", "query")}, "An entity has a name or a query, not both.", "Keep one of them."),
    Invariant("ait-1", "AllergyIntolerance", {"anyOf": [_ALLERGY_ERROR, {"required": ["clinicalStatus"]}]},
              "clinicalStatus is there unless the record was entered in error.", "Add clinicalStatus."),
    Invariant("ait-2", "AllergyIntolerance", when(_ALLERGY_ERROR, without("clinicalStatus")),
              "A record entered in error has no clinicalStatus.", "Remove clinicalStatus."),
    Invariant("app-1", "AppointmentParticipant", either("type", "actor"), "A participant has a type or an actor.", "Add one."),
    Invariant("app-2", "Appointment", {"dependentRequired": {"start": ["end"], "end": ["start"]}}, "start and end are both there or neither.", "Add the other."),
    Invariant("app-3", "Appointment", {"anyOf": [has("start", "end"), equal("status", "proposed", "cancelled", "waitlist")]},
              "Only a proposed, cancelled or waiting appointment lacks start and end.", "Add start and end."),
    Invariant("app-4", "Appointment", {"if": {"required": ["cancelationReason"]}, "then": equal("status", "noshow", "cancelled")},
              "cancelationReason is for cancelled appointments and no-shows.", "Remove it, or correct status."),
    Invariant("con-1", "ConditionStage", either("summary", "assessment"), "A stage has a summary or an assessment.", "Add one."),
    Invariant("con-2", "ConditionEvidence", either("code", "detail"), "Evidence has a code or a detail.", "Add one."),
    Invariant("con-4", "Condition", when(_ABATED, coded("clinicalStatus", _CI + "condition-clinical", "resolved", "remission", "inactive")),
              "A condition that abated is inactive, in remission or resolved.", "Correct clinicalStatus."),
    Invariant("con-5", "Condition", when(_CONDITION_ERROR, without("clinicalStatus")), "A record entered in error has no clinicalStatus.", "Remove clinicalStatus."),
    Invariant("ctm-1", "CareTeamParticipant", when({"required": ["onBehalfOf"]}, {"properties": {"member": {"properties": {"reference": _NOT_PRACTITIONER}}}}),
              "Only a Practitioner takes part on behalf of an organisation.", "Remove onBehalfOf."),
    Invariant("fhs-1", "FamilyMemberHistory", {"if": {"anyOf": [{"required": [a]} for a in _AGES]}, "then": without(*_BORN)},
              "An age or a birth date, not both.", "Keep one of them."),
    Invariant("fhs-2", "FamilyMemberHistory", needs("estimatedAge", *_AGES), "estimatedAge needs an age.", "Add an age, or remove it."),
    Invariant("grp-1", "Group", {"if": {"required": ["member"]}, "then": equal("actual", True)}, "Only an actual group has members.", "Correct actual."),
    Invariant("lst-1", "List", {"not": has("emptyReason", "entry")}, "emptyReason stands only in an empty list.", "Remove one of them."),
    Invariant("lst-2", "List", {"anyOf": [equal("mode", "changes"), each("entry", without("deleted"))]}, "Entries are deleted only in a list of changes.", "Correct mode."),
    Invariant("lst-3", "List", {"anyOf": [equal("mode", "working"), each("entry", without("date"))]}, "Entries have a date only in a working list.", "Correct mode."),
    Invariant("mrp-1", "MeasureReport", when(equal("type", "data-collection"), without("group")), "A report of collected data has no group.", "Remove group."),
    Invariant("qrs-1", "QuestionnaireResponseItem", {"not": has("answer", "item")}, "Items nest below an item or its answer, not both.", "Keep one of them."),
    Invariant("rqg-1", "RequestGroupAction", {"oneOf": [{"required": ["resource"]}, {"required": ["action"]}]},
              "An action has a resource or actions, not both.", "Keep one of them."),
    Invariant("ras-2", "RiskAssessmentPrediction", {"properties": {"probabilityDecimal": {"maximum": 100}}}, "A probability is at most 100.", "Correct it."),
    Invariant("que-1", "QuestionnaireItem", {"allOf": [when(equal("type", "group"), {"required": ["item"]}), when(equal("type", "display"), without("item"))]},
              "A group has items, a display has none.", "Add or remove items."),
    Invariant("que-3", "QuestionnaireItem", when(equal("type", "display"), without("code")), "A display has no code.", "Remove code."),
    Invariant("que-4", "QuestionnaireItem", {"not": has("answerOption", "answerValueSet")}, "answerOption and answerValueSet exclude each other.", "Keep one."),
    Invariant("que-6", "QuestionnaireItem", when(equal("type", "display"), without("required", "repeats")),
              "A display is neither required nor repeated.", "Remove required and repeats."),
    Invariant("que-8", "QuestionnaireItem", when(equal("type", "group", "display"), without("initial")), "A group or display has no initial value.", "Remove initial."),
    Invariant("que-9", "QuestionnaireItem", when(equal("type", "display"), without("readOnly")), "A display is not read-only.", "Remove readOnly."),
    Invariant("que-11", "QuestionnaireItem", {"not": has("answerOption", "initial")}, "With answer options there is no initial value.", "Remove initial."),
    Invariant("cpb-1", "CapabilityStatement", either("rest", "messaging", "document"), "There is rest, messaging or document.", "Add one."),
    Invariant("cpb-2", "CapabilityStatement", either("description", "software", "implementation"), "There is a description, software or implementation.", "Add one."),
    Invariant("cpb-14", "CapabilityStatement", when(equal("kind", "instance"), {"required": ["implementation"]}), "An instance has an implementation.", "Add it."),
    Invariant("cmd-1", "ConceptMapGroupElementTarget", when(equal("equivalence", "narrower", "inexact"), either("comment")),
              "A narrower or inexact map has a comment.", "Add comment."),
    Invariant("cmd-2", "ConceptMapGroupUnmapped", when(equal("mode", "fixed"), either("code")), "Mode fixed needs a code.", "Add code."),
    Invariant("cmd-3", "ConceptMapGroupUnmapped", when(equal("mode", "other-map"), either("url")), "Mode other-map needs a url.", "Add url."),
    Invariant("opd-1", "OperationDefinitionParameter", either("type", "part"), "A parameter has a type or parts.", "Add one."),
    Invariant("sdf-4", "StructureDefinition", {"anyOf": [equal("abstract", True), {"required": ["baseDefinition"]}]}, "What is not abstract has a base.", "Add baseDefinition."),
    Invariant("sdf-5", "StructureDefinition", {"anyOf": [{"not": equal("type", "Extension")}, equal("derivation", "specialization"), {"required": ["context"]}]},
              "An extension says where it may stand.", "Add context."),
    Invariant("sdf-6", "StructureDefinition", either("snapshot", "differential"), "There is a differential or a snapshot.", "Add one."),
    Invariant("vsd-1", "ValueSetComposeInclude", either("valueSet", "system"), "An include has a system or a value set.", "Add one."),
    Invariant("vsd-2", "ValueSetComposeInclude", {"allOf": [needs("concept", "system"), needs("filter", "system")]}, "Concepts and filters need a system.", "Add system."),
    Invariant("vsd-3", "ValueSetComposeInclude", {"not": has("concept", "filter")}, "Concepts and filters exclude each other.", "Keep one of them."),
    Invariant("vsd-6", "ValueSetExpansionContains", either("code", "display"), "A concept has a code or a display.", "Add one."),
    Invariant("vsd-9", "ValueSetExpansionContains", {"anyOf": [either("code"), equal("abstract", True)]}, "A concept without code is abstract.", "Add code."),
    Invariant("vsd-10", "ValueSetExpansionContains", needs("code", "system"), "A code has its system.", "Add system."),
    Invariant("bdl-5", "BundleEntry", either("resource", "request", "response"), "An entry has a resource, a request or a response.", "Add one."),
    Invariant("bdl-8", "BundleEntry", {"properties": {"fullUrl": {"not": {"pattern": "/_history/"}}}}, "fullUrl names no version.", "Remove /_history/ and what follows."),
]


def _bundle(types: list[str], *, allowed: str, more: Schema | None = None) -> Schema:
    """What a Bundle of these types may carry. allowed: of total, search, request, response; request and response are then demanded."""
    entry: Schema = {"properties": {}}
    for name, key in (("search", "bdl-2"), ("request", "bdl-3"), ("response", "bdl-4")):
        if name not in allowed:
            entry["properties"][name] = never(key)
        elif name != "search":
            entry.setdefault("allOf", []).append({"x-rule": {"key": key}, "required": [name]})
    then: Schema = {"properties": {"entry": {"items": entry}}, **(more or {})}
    if "total" not in allowed:
        then["properties"]["total"] = never("bdl-1")
    return when({"properties": {"type": {"enum": types}}}, then)


def _first(name: str, key: str) -> Schema:
    is_it = {"type": "object", "required": ["resource"], "properties": {"resource": {"type": "object", "required": ["resourceType"],
             "properties": {"resourceType": {"const": name}}}}}
    return {"x-rule": {"key": key, "path": "entry"}, "required": ["entry"], "properties": {"entry": {"prefixItems": [is_it]}}}


_IDENTIFIED = {"x-rule": {"key": "bdl-9", "path": "identifier"}, "required": ["identifier"],
               "properties": {"identifier": {"type": "object", "required": ["system", "value"]}}}
_DATED = {"x-rule": {"key": "bdl-10", "path": "timestamp"}, "required": ["timestamp"]}

#: The rules of a Bundle by its type, so that its type is looked at once and not for each rule.
#: https://hl7.org/fhir/R4/bundle.html#invs
BUNDLE: list[Schema] = [
    _bundle(["message"], allowed="", more={"allOf": [_first("MessageHeader", "bdl-12")]}),
    _bundle(["document"], allowed="", more={"allOf": [_first("Composition", "bdl-11"), _IDENTIFIED, _DATED]}),
    _bundle(["collection"], allowed=""),
    _bundle(["searchset"], allowed="total search"),
    _bundle(["history"], allowed="total request response"),
    _bundle(["batch", "transaction"], allowed="request"),
    _bundle(["batch-response", "transaction-response"], allowed="response"),
]

#: What a resource inside another may not have. https://hl7.org/fhir/R4/domainresource.html#invs
CONTAINED: Schema = {
    "type": "object",
    "required": ["resourceType"],
    "properties": {
        "resourceType": {"type": "string"},
        "contained": never("dom-2"),
        "meta": {"properties": {"versionId": never("dom-4"), "lastUpdated": never("dom-4"), "security": never("dom-5")}},
    },
    "allOf": [{"x-rule": {"key": "contained-id", "path": "id"}, "required": ["id"]}],
}

#: A Parameters.parameter has one of value, resource and part (inv-1); the values are those of the type table.
ONE_OF_PARAMETER = ("inv-1", "A parameter has one value, one resource or parts, and only one of these.", "Keep one of them.")

#: Text and mend of the rules above that are no Invariant.
OTHERS: dict[str, tuple[str, str]] = {
    "ele-1": ("An element has a value or children besides its id.", "Give it content, or remove it."),
    "ext-1": ("An extension has one value or extensions, and never both.", "Give it exactly one value[x], or only extensions."),
    "sqty-1": ("This quantity is an exact amount: it has no comparator.", "Remove comparator."),
    "bdl-1": ("total stands only in a searchset or history.", "Remove total."),
    "bdl-2": ("entry.search stands only in a searchset.", "Remove search."),
    "bdl-3": ("entry.request is demanded in a batch, transaction or history, and stands nowhere else.", "Add or remove request."),
    "bdl-4": ("entry.response is demanded in a batch-response, transaction-response or history, and stands nowhere else.", "Add or remove response."),
    "bdl-9": ("A document has an identifier with system and value.", "Add identifier."),
    "bdl-10": ("A document has a timestamp.", "Add timestamp."),
    "bdl-11": ("The first resource of a document is a Composition.", "Put a Composition first."),
    "bdl-12": ("The first resource of a message is a MessageHeader.", "Put the MessageHeader first."),
    "dom-2": ("A contained resource contains no other.", "Move the inner resource to the outer one's contained."),
    "dom-4": ("A contained resource has no meta.versionId and no meta.lastUpdated.", "Remove them."),
    "dom-5": ("A contained resource has no security label.", "Label the resource that contains it."),
    "contained-id": ("A contained resource has an id, else nothing can refer to it.", "Add id, and refer to it as #id."),
    ONE_OF_PARAMETER[0]: ONE_OF_PARAMETER[1:],
}

TEXTS: dict[str, tuple[str, str]] = {one.key: (one.text, one.mend) for one in INVARIANTS} | OTHERS

#: Definition name -> (key, path, schema), for the generator.
FRAGMENTS: dict[str, list[tuple[str, str, Schema]]] = {}
for _one in INVARIANTS:
    for _name in _one.on.split():
        FRAGMENTS.setdefault(_name, []).append((_one.key, "", _one.schema))
