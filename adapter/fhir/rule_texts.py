"""What each rule says to a person: its issue code, a sentence that says what holds, and one that says what to do.

The sentences are ours; the invariants' keys are R4's, each on the page of its type, and the issue codes are those of
https://hl7.org/fhir/R4/valueset-issue-type.html. One rule a line, so that a sentence is found by its key.
"""

from __future__ import annotations

#: rule | issue code | what holds | what to do
_OWN = """
resource | structure | This must be a FHIR resource: a JSON object with a resourceType. | Give one resource, or a Bundle of them.
resource-type | not-supported | This resource type is unknown here. | Use an R4 resource type that the CapabilityStatement names.
json | structure | This is no JSON: a name or value of another kind, or no Unicode. | Send plain JSON values.
depth | structure | This is nested too deeply. | Nest at most 100 levels.
type | structure | This element has the wrong JSON type. | Use the type that R4 gives this element.
unknown-element | structure | R4 has no such element here. | Correct the name, or remove it.
empty | structure | An array is never empty. | Give it an item, or leave it out.
required | required | This element is required. | Add it.
choice | structure | Only one type of this choice may be there. | Keep one of them.
binding | code-invalid | This is not one of the codes to which the element is bound. | Use a code of the value set.
value | value | The value does not have the form of its type. | Correct the value.
integer | value | A whole number is written without point and exponent. | Write it as an integer.
null | structure | A null stands for nothing: the other array has nothing at its index either. | Remove it.
modifier-extension | extension | This unknown modifier extension may change the meaning. | Agree on it, or send without it.
implicit-rules | not-supported | These rules are unknown here, and may change the meaning. | Agree on them, or leave them out.
extension-context | extension | This extension does not belong on this element. | Move it to an element that its definition names.
reference-target | structure | This element may not refer to a resource of that type. | Refer to one of the types that it allows.
reference-type | structure | The reference says another type than it refers to. | Correct Reference.type.
reference-unresolved | value | No entry of the Bundle has this fullUrl. | Add the resource, or refer to it in another way.
cardinality | structure | There are more of this element than the profile allows. | Remove what is too many.
absent | structure | The profile does not allow this element. | Remove it.
fixed | value | The profile gives this element one value, and this is another. | Use the value of the profile.
pattern | value | The profile gives this element a pattern, which is not met. | Add or correct what the pattern demands.
slice | structure | The profile allows another number of this slice. | Add or remove items of the slice.
slice-closed | structure | The profile allows no item outside its slices. | Use one of the slices, or remove the item.
choice-type | structure | The profile does not allow this type of the choice. | Use a type that the profile allows.
max-length | value | The text is longer than the profile allows. | Shorten it.
focus | structure | The event demands another number of such focus resources. | Add or remove focus resources.
focus-profile | structure | The event demands one of several profiles of this resource. | Name the profile in meta.profile.
event | code-invalid | No message definition has this event. | Use an event of the hub.
profile-unknown | not-supported | This profile is unknown here: the resource was not judged by it. | Nothing, or add the profile.
profile-type | structure | This profile is for another resource type. | Name a profile of this type.
profile | invariant | A rule of the profile is broken. | See the profile's constraint of this key.
second-opinion | value | fhir.resources refuses this. | Compare with R4: two judges see more than one.
too-many | incomplete | There are more issues than are listed. | Mend these first.
"""

#: R4's invariants: key | what holds | what to do
_INVARIANTS = """
age-1 | An Age is above zero, its unit is coded, and the system is UCUM. | Give a positive value with its UCUM code.
ait-1 | clinicalStatus is there unless the record was entered in error. | Add clinicalStatus.
ait-2 | A record entered in error has no clinicalStatus. | Remove clinicalStatus.
app-1 | A participant has a type or an actor. | Add one.
app-2 | start and end are both there or neither. | Add the other.
app-3 | Only a proposed, cancelled or waiting appointment lacks start and end. | Add start and end.
app-4 | cancelationReason is for cancelled appointments and no-shows. | Remove it, or correct status.
att-1 | An Attachment with data says its content type. | Add contentType.
bdl-1 | total stands only in a searchset or history. | Remove total.
bdl-2 | entry.search stands only in a searchset. | Remove search.
bdl-3 | entry.request is demanded in a batch, transaction or history, and stands nowhere else. | Add or remove request.
bdl-4 | entry.response stands in answers to a batch or transaction and in a history, and only there. | Add or remove response.
bdl-5 | An entry has a resource, a request or a response. | Add one.
bdl-7 | A fullUrl stands once in a Bundle, unless the versions differ. | Give each entry its own fullUrl.
bdl-8 | fullUrl names no version. | Remove /_history/ and what follows.
bdl-9 | A document has an identifier with system and value. | Add identifier.
bdl-10 | A document has a timestamp. | Add timestamp.
bdl-11 | The first resource of a document is a Composition. | Put a Composition first.
bdl-12 | The first resource of a message is a MessageHeader. | Put the MessageHeader first.
cmd-1 | A narrower or inexact map has a comment. | Add comment.
cmd-2 | Mode fixed needs a code. | Add code.
cmd-3 | Mode other-map needs a url. | Add url.
cmp-1 | A section has text, entries or sections. | Add one.
cmp-2 | emptyReason stands only in an empty section. | Remove one of them.
cnt-3 | A Count is a whole number with the UCUM code 1. | Give a whole value with system UCUM and code 1.
con-1 | A stage has a summary or an assessment. | Add one.
con-2 | Evidence has a code or a detail. | Add one.
con-4 | A condition that abated is inactive, in remission or resolved. | Correct clinicalStatus.
con-5 | A record entered in error has no clinicalStatus. | Remove clinicalStatus.
contained-id | A contained resource has an id, else nothing can refer to it. | Add id, and refer to it as #id.
cpb-1 | There is rest, messaging or document. | Add one.
cpb-2 | There is a description, software or implementation. | Add one.
cpb-14 | An instance has an implementation. | Add it.
cpl-3 | An activity is a reference or a detail, not both. | Keep one of them.
cpt-2 | A ContactPoint with a value says its system. | Add system, e.g. phone or email.
ctm-1 | Only a Practitioner takes part on behalf of an organisation. | Remove onBehalfOf.
dis-1 | A Distance has a coded unit, and the system is UCUM. | Add the UCUM code of the unit.
dom-2 | A contained resource contains no other. | Move the inner resource to the outer one's contained.
dom-3 | A contained resource is referred to from the resource that contains it. | Refer to it as #id, or remove it.
dom-4 | A contained resource has no meta.versionId and no meta.lastUpdated. | Remove them.
dom-5 | A contained resource has no security label. | Label the resource that contains it.
drq-1 | A filter names a path or a search parameter, not both. | Keep one of them.
drt-1 | A Duration with a code has a value, and the system is UCUM. | Add value and the UCUM system.
ele-1 | An element has a value or children besides its id. | Give it content, or remove it.
exp-1 | An Expression has an expression or a reference. | Add one.
ext-1 | An extension has one value or extensions, and never both. | Give it exactly one value[x], or only extensions.
fhs-1 | An age or a birth date, not both. | Keep one of them.
fhs-2 | estimatedAge needs an age. | Add an age, or remove it.
gol-1 | A target with detail says what is measured. | Add measure.
grp-1 | Only an actual group has members. | Correct actual.
imm-1 | Education has a document type or a reference. | Add one.
imr-1 | A recommendation has a vaccine code or a target disease. | Add one.
inv-1.Task | A task is not modified before it is authored. | Correct authoredOn or lastModified.
inv-1 | A parameter has one value, one resource or parts, and only one of these. | Keep one of them.
lst-1 | emptyReason stands only in an empty list. | Remove one of them.
lst-2 | Entries are deleted only in a list of changes. | Correct mode.
lst-3 | Entries have a date only in a working list. | Correct mode.
mad-1 | A dosage given has a dose or a rate. | Add dose.
mdd-1 | Nothing is handed over before it is prepared. | Correct whenPrepared or whenHandedOver.
mrp-1 | A report of collected data has no group. | Remove group.
obs-3 | A reference range has low, high or text. | Add one.
obs-6 | dataAbsentReason stands only where there is no value. | Remove one of them.
obs-7 | No component has the code of the observation itself where that has a value. | Remove one of the two.
opd-1 | A parameter has a type or parts. | Add one.
org-1 | An Organization has a name or an identifier. | Add one.
org-2 | No address of an Organization is a home. | Correct address.use.
org-3 | No telecom of an Organization is a home. | Correct telecom.use.
pat-1 | A contact has a name, telecom, address or organisation. | Add one, or remove the contact.
per-1 | A period does not end before it starts. | Correct start or end.
ppc-1 | A Consent names a policy or a policy rule. | Add policy or policyRule.
prr-1 | orderDetail needs code. | Add code.
qrs-1 | Items nest below an item or its answer, not both. | Keep one of them.
qty-3 | A quantity whose unit is coded says the system of that code. | Add system beside code.
que-1 | A group has items, a display has none. | Add or remove items.
que-3 | A display has no code. | Remove code.
que-4 | answerOption and answerValueSet exclude each other. | Keep one.
que-6 | A display is neither required nor repeated. | Remove required and repeats.
que-8 | A group or display has no initial value. | Remove initial.
que-9 | A display is not read-only. | Remove readOnly.
que-11 | With answer options there is no initial value. | Remove initial.
ras-2 | A probability is at most 100. | Correct it.
rat-1 | A Ratio has both numerator and denominator, or neither and an extension. | Add what is missing.
ref-1 | A reference #id points at a resource contained in the same resource. | Contain it, or correct the reference.
rng-2 | low is not above high. | Correct low or high.
rqg-1 | An action has a resource or actions, not both. | Keep one of them.
sdf-4 | What is not abstract has a base. | Add baseDefinition.
sdf-5 | An extension says where it may stand. | Add context.
sdf-6 | There is a differential or a snapshot. | Add one.
sev-1 | An entity has a name or a query, not both. | Keep one of them.
sqty-1 | This quantity is an exact amount: it has no comparator. | Remove comparator.
tim-1 | A duration has its unit. | Add durationUnit.
tim-2 | A period has its unit. | Add periodUnit.
tim-4 | A duration is not negative. | Correct duration.
tim-5 | A period is not negative. | Correct period.
tim-6 | periodMax needs period. | Add period.
tim-7 | durationMax needs duration. | Add duration.
tim-8 | countMax needs count. | Add count.
tim-9 | An offset needs a `when` that is not a bare meal (C, CM, CD, CV). | Add when, or remove offset.
tim-10 | timeOfDay and when exclude each other. | Keep one of them.
trd-1 | A trigger has timing or data, not both. | Keep one of them.
trd-2 | A trigger's condition needs its data. | Add data.
trd-3 | A named event has a name, a periodic one timing, a data event data. | Add what its type needs.
txt-1 | A narrative is a div of plain XHTML: no scripts, forms, entities or links to styles. | Simplify the narrative.
txt-2 | A narrative has some content. | Add text, or leave the narrative out.
vsd-1 | An include has a system or a value set. | Add one.
vsd-2 | Concepts and filters need a system. | Add system.
vsd-3 | Concepts and filters exclude each other. | Keep one of them.
vsd-6 | A concept has a code or a display. | Add one.
vsd-9 | A concept without code is abstract. | Add code.
vsd-10 | A code has its system. | Add system.
"""


def _rows(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split(" | ")] for line in table.strip().splitlines()]


#: rule -> (issue code, text, mend)
RULES: dict[str, tuple[str, str, str]] = {
    **{rule: (code, text, mend) for rule, code, text, mend in _rows(_OWN)},
    **{rule: ("invariant", text, mend) for rule, text, mend in _rows(_INVARIANTS)},
}
