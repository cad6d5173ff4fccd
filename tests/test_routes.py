"""Routes from system to system: what must arrive, stated by hand as (source path, target path, conversion), on values.

Every hand-written fixture of the source that its own contract accepts is translated, and every row of the route's table
holds on the bytes that were written: the same elements at the same places, converted as the table says, and none more.
Where a fixture is refused by the target, the refusal names the rule that the route states.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from adapter import Adapter, Refused
from adapter.fhir.json import decode, encode
from adapter.fhir.outcome import is_error, rule_of
from adapter.shipped import FIXTURES
from adapter.systems.translate import Translation
from adapter.wire.emis_extract import read as read_extract
from tests import codes
from tests.systems.test_emis import translated

#: A conversion: nothing (the value as it is), a table of codes, or a function.
Convert = Mapping[Any, Any] | Callable[[Any], Any] | None
Row = tuple[str, str, Convert]
#: Where a value stands: the indexes of the lists on the way.
Places = dict[tuple[int, ...], Any]


class Open(dict[str, str]):
    """Codes of a list that a source may go beyond: one that is not here is kept among the codes of other systems."""


# codes of both contracts, by hand ----------------------------------------------------------------------------------
UNIT = {"ml": "ML", "mg": "MG", "microgram": "MCG", "g": "GM", "tablet": "TAB", "dose": "DOSE", "pre-filled injection": "PFI"}
OUTCOME = {code: ours for ours, code in codes.OUTCOME.items()}
SUPERVISION = {"required": "SREQ", "not-required": "SNOT", "unknown": "SUNK"}
WORDING = {
    "closed-days": "HOCLO",
    "missed-collection": "HOMIS",
    "consult-prescriber": "HOCON",
    "supervise-on-collection": "HOSUP",
    "separate-containers": "HOSEP",
}
SCHEDULE = {"CD2": "2", "CD3": "3"}
ROUTE = Open({"oral": "PO", "sublingual": "SL", "subcutaneous": "SC"})
RESTART = {
    "missed-doses": "MIS",
    "drop-out": "DRO",
    "release-from-custody": "REL",
    "discharge-from-hospital": "DIS",
    "other": "OTH",
}
CHANGE = {"stopped": "STP", "held": "HLD", "resumed": "RES", "replaced": "RPL", "amended": "AMD", "cancelled": "CAN"}
REASON = Open(
    {
        "tolerance_reassessment": "TOL",
        "missed_doses": "MIS",
        "drop_out": "DRO",
        "transfer": "TRF",
        "change_of_pharmacy": "PHA",
        "dose_change": "DOS",
        "treatment_completed": "CMP",
        "admitted": "ADM",
        "custody": "CUS",
        "patient_request": "PAT",
        "prescriber_decision": "PRE",
        "prescribing_error": "ERR",
        "safety": "SAF",
        "deceased": "DEC",
        "other": "OTH",
    }
)
WITHHELD = Open({"intoxicated": "INTOX", "unwell": "UNWELL", "missed_days": "MDAYS", "other": "OTH"})
NOT_SWALLOWED = Open({"refused": "REF", "concealed": "CON", "spat_out": "SPT", "other": "OTH"})
AFTER = {"vomited": "VOM", "spilled": "SPL"}
COLLECTOR = {"patient": "SLF", "representative": "REP"}
TAKE_HOME = {"agreed": "AGR", "closed-day": "CLO", "other": "OTH"}
TRACE = {code: ours for ours, code in codes.TRACE.items()}
GENDER = {code: ours for ours, code in codes.GENDER.items()}
NAME = {code: ours for ours, code in codes.NAME.items()}


def identifier(source: str, target: str) -> list[Row]:
    return [(f"{source}.{part}", f"{target}.{part}", None) for part in ("system", "value")]


def amount(source: str, target: str) -> list[Row]:
    return [(f"{source}.value", f"{target}.quantity", None), (f"{source}.unit", f"{target}.uom", UNIT)]


# pharmacy and criis ------------------------------------------------------------------------------------------------
PERSON: list[Row] = [
    *identifier("message", "messageId"),
    ("sent_at", "issuedAt", None),
    ("sender.ods_code", "fromOrganisation.odsCode", None),
    ("patient.nhs_number", "client.nhsNumber", None),
    ("patient.nhs_number_status", "client.nhsNumberTrace", TRACE),
    *identifier("patient.identifiers[]", "client.references[]"),
    ("patient.name_use", "client.name.kind", NAME),
    ("patient.family_name", "client.name.surname", None),
    ("patient.given_names[]", "client.name.forenames[]", None),
    ("patient.birth_date", "client.dateOfBirth", None),
    ("patient.gender", "client.gender", GENDER),
]
EPISODE: list[Row] = [
    *identifier("treatment_episode.id", "episode.reference"),
    ("treatment_episode.care_coordinator.name", "episode.keyworker.fullName", None),
]
PRESCRIBER: list[Row] = [
    *identifier("prescriber.code", "episode.prescriber.registration"),
    ("prescriber.name", "episode.prescriber.fullName", None),
    ("prescriber.organisation.ods_code", "episode.prescriber.service.odsCode", None),
    ("pharmacy.ods_code", "episode.dispensingSite.odsCode", None),
    ("pharmacy.name", "episode.dispensingSite.displayName", None),
]
PRODUCT: list[tuple[str, str]] = [("dmd_code", "dmdCode"), ("name", "term"), ("text", "asRecorded")]
FORM: list[Row] = [
    *identifier("items[].item_id", "episode.regimens[].itemId"),
    *identifier("items[].form_serial", "episode.regimens[].formSerial"),
    *identifier("items[].prior_item", "episode.regimens[].precedingItem"),
    *[(f"items[].product.{a}", f"episode.regimens[].medicine.{b}", None) for a, b in PRODUCT],
    ("items[].written_on", "episode.regimens[].dateWritten", None),
    ("items[].cd_schedule", "episode.regimens[].schedule", SCHEDULE),
    *amount("items[].total", "episode.regimens[].dispensing.total"),
    ("items[].total.words", "episode.regimens[].dispensing.total.inWords", None),
    ("items[].supervision", "episode.regimens[].dispensing.supervision", SUPERVISION),
    ("items[].treatment.first_dose_date", "episode.regimens[].course.startDate", None),
    ("items[].treatment.days", "episode.regimens[].course.durationDays", None),
    ("items[].first_supply_window.from", "episode.regimens[].dispensing.firstSupply.notBefore", None),
    ("items[].first_supply_window.to", "episode.regimens[].dispensing.firstSupply.notAfter", None),
    ("items[].closed_days[]", "episode.regimens[].dispensing.siteClosedOn[]", None),
    ("items[].wordings[].code", "episode.regimens[].dispensing.instructions[].type", WORDING),
    ("items[].wordings[].text", "episode.regimens[].dispensing.instructions[].wording", None),
    ("items[].restart.reason", "episode.regimens[].reinduction.reason", RESTART),
    ("items[].restart.text", "episode.regimens[].reinduction.narrative", None),
    ("items[].steps[].step", "episode.regimens[].titration[].stage", None),
    ("items[].steps[].directions", "episode.regimens[].titration[].label", None),
    ("items[].steps[].from", "episode.regimens[].titration[].startDate", None),
    ("items[].steps[].to", "episode.regimens[].titration[].endDate", None),
    ("items[].steps[].times_per_day", "episode.regimens[].titration[].dosesPerDay", None),
    ("items[].steps[].route", "episode.regimens[].titration[].route", ROUTE),
    *amount("items[].steps[].dose", "episode.regimens[].titration[].perDose"),
    ("items[].collections[].date", "episode.regimens[].pickUps[].onDate", None),
    ("items[].collections[].covers[]", "episode.regimens[].pickUps[].forDates[]", None),
    ("items[].collections[].supervised", "episode.regimens[].pickUps[].supervised", None),
    *amount("items[].collections[].quantity", "episode.regimens[].pickUps[].amount"),
    ("items[].version", "episode.regimens[].revision", None),
    *identifier("items[].replaces", "episode.regimens[].supersedes"),
    ("items[].note", "episode.regimens[].comment", None),
]


def changes(item: str, regimen: str) -> list[Row]:
    return [
        (f"{item}.change.type", f"{regimen}.amendment.type", CHANGE),
        (f"{item}.change.reason.code", f"{regimen}.amendment.reason.code", REASON),
        (f"{item}.change.reason.text", f"{regimen}.amendment.reason.narrative", None),
        (f"{item}.change.effective", f"{regimen}.amendment.from", None),
        (f"{item}.change.last_dose_date", f"{regimen}.amendment.lastDoseDate", None),
        (f"{item}.change.recorded_at", f"{regimen}.amendment.enteredAt", None),
        *identifier(f"{item}.change.replaced_by", f"{regimen}.amendment.successor"),
    ]


CHANGED: list[Row] = [
    *identifier("changes[].item_id", "episode.amendments[].itemId"),
    *identifier("changes[].form_serial", "episode.amendments[].formSerial"),
    *[(f"changes[].product.{a}", f"episode.amendments[].medicine.{b}", None) for a, b in PRODUCT],
    *changes("changes[]", "episode.amendments[]"),
    *changes("items[]", "episode.regimens[]"),
    ("changes[].note", "episode.amendments[].comment", None),
]
EVENT = "episode.doseEvents[]"
DOSE: list[Row] = [
    *identifier("doses[].event_id", f"{EVENT}.eventId"),
    *identifier("doses[].item_id", f"{EVENT}.regimenItem"),
    *identifier("doses[].replaces", f"{EVENT}.supersedes"),
    *[(f"doses[].product.{a}", f"{EVENT}.medicine.{b}", None) for a, b in PRODUCT],
    ("doses[].outcome", f"{EVENT}.outcome", OUTCOME),
    ("doses[].dose_date", f"{EVENT}.doseDate", None),
    ("doses[].dose_number", f"{EVENT}.doseOfDay", None),
    ("doses[].recorded_at", f"{EVENT}.enteredAt", None),
    ("doses[].version", f"{EVENT}.revision", None),
    ("doses[].prescribed", f"{EVENT}.amounts.ordered.quantity", None),
    ("doses[].supplied", f"{EVENT}.amounts.handedOver.quantity", None),
    ("doses[].taken", f"{EVENT}.amounts.consumed.quantity", None),
    ("doses[].days_supply", f"{EVENT}.supply.daysCovered", None),
    ("doses[].handed_over_at", f"{EVENT}.supply.at", None),
    ("doses[].collected_by.who", f"{EVENT}.supply.collector.kind", COLLECTOR),
    ("doses[].collected_by.name", f"{EVENT}.supply.collector.fullName", None),
    ("doses[].collected_by.relationship", f"{EVENT}.supply.collector.relationship", None),
    ("doses[].take_home_reason", f"{EVENT}.supply.takeHomeReason", TAKE_HOME),
    ("doses[].witnessed_at", f"{EVENT}.observation.at", None),
    ("doses[].witness.name", f"{EVENT}.observation.by.fullName", None),
    *identifier("doses[].witness.code", f"{EVENT}.observation.by.registration"),
    ("doses[].declined_reason.code", f"{EVENT}.notSupplied.code", WITHHELD),
    ("doses[].declined_reason.text", f"{EVENT}.notSupplied.narrative", None),
    ("doses[].not_swallowed_reason.code", f"{EVENT}.notConsumed.code", NOT_SWALLOWED),
    ("doses[].not_swallowed_reason.text", f"{EVENT}.notConsumed.narrative", None),
    ("doses[].afterwards[].what", f"{EVENT}.sequelae[].kind", AFTER),
    ("doses[].afterwards[].at", f"{EVENT}.sequelae[].at", None),
    ("doses[].asserted_by.name", f"{EVENT}.informant.fullName", None),
    *identifier("doses[].asserted_by.id", f"{EVENT}.informant.reference"),
    ("doses[].note", f"{EVENT}.comment", None),
]
#: One unit for a dose's three amounts; criis gives each its own. Only this way round; the other is `units_of_a_dose`.
DOSE_UNITS: list[Row] = [("doses[].unit", f"{EVENT}.amounts.{one}.uom", UNIT) for one in ("ordered", "handedOver", "consumed")]


# plain orders ------------------------------------------------------------------------------------------------------
def codings(source: str, target: str) -> list[Row]:
    return [(f"{source}.{a}", f"{target}.{b}", None) for a, b in (("system", "system"), ("code", "code"), ("display", "term"))]


def ordered(source: str, target: str) -> list[Row]:
    names = (("value", "quantity"), ("unit", "unitText"), ("unit_code", "unitCode"), ("unit_as_sent", "unitAsSent"))
    return [(f"{source}.{a}", f"{target}.{b}", None) for a, b in names]


TIMING = (
    ("times", "times"),
    ("times_max", "timesMax"),
    ("every", "every"),
    ("every_max", "everyMax"),
    ("every_unit", "everyUnit"),
    ("days[]", "weekdays[]"),
    ("at[]", "clockTimes[]"),
    ("when[]", "moments[]"),
    ("offset_minutes", "offsetMinutes"),
    ("count", "count"),
    ("from", "startDate"),
    ("to", "endDate"),
    ("lasts.value", "duration.quantity"),
    ("lasts.code", "duration.code"),
)
LINE, LABEL = "orders[].dosage[]", "episode.scripts[].dosage[]"
ORDERS: list[Row] = [
    *identifier("orders[].order_id", "episode.scripts[].scriptId"),
    *identifier("orders[].prescription.number", "episode.scripts[].slip.number"),
    *identifier("orders[].prescription.id", "episode.scripts[].slip.id"),
    *identifier("orders[].authorisations[]", "episode.scripts[].authorisedBy[]"),
    ("orders[].status", "episode.scripts[].state", None),
    ("orders[].intent", "episode.scripts[].intent", None),
    ("orders[].status_reason.text", "episode.scripts[].stateReason.narrative", None),
    *codings("orders[].course.codes[]", "episode.scripts[].therapy.codes[]"),
    *[(f"orders[].product.{a}", f"episode.scripts[].medicine.{b}", None) for a, b in PRODUCT],
    *codings("orders[].product.other_codes[]", "episode.scripts[].medicine.foreignCodes[]"),
    ("orders[].product.absent_reason", "episode.scripts[].medicine.absentReason", None),
    ("orders[].written_on", "episode.scripts[].dateWritten", None),
    ("orders[].written_on_absent", "episode.scripts[].dateAbsent", None),
    (f"{LINE}.line", f"{LABEL}.lineNo", None),
    (f"{LINE}.directions", f"{LABEL}.label", None),
    (f"{LINE}.for_patient", f"{LABEL}.advice", None),
    (f"{LINE}.as_needed", f"{LABEL}.whenRequired", None),
    *codings(f"{LINE}.as_needed_for.codes[]", f"{LABEL}.whenRequiredFor.codes[]"),
    (f"{LINE}.as_needed_for.text", f"{LABEL}.whenRequiredFor.narrative", None),
    *[(f"{LINE}.timing.{a}", f"{LABEL}.timing.{b}", None) for a, b in TIMING],
    *codings(f"{LINE}.route.codes[]", f"{LABEL}.route.codes[]"),
    *codings(f"{LINE}.dose_kind", f"{LABEL}.doseKind"),
    *ordered(f"{LINE}.dose", f"{LABEL}.perDose"),
    *ordered(f"{LINE}.dose_least", f"{LABEL}.perDoseLeast"),
    *ordered(f"{LINE}.dose_most", f"{LABEL}.perDoseMost"),
    *ordered(f"{LINE}.at_most.amount", f"{LABEL}.ceiling.amount")[:3],
    (f"{LINE}.at_most.per.value", f"{LABEL}.ceiling.within.quantity", None),
    (f"{LINE}.at_most.per.code", f"{LABEL}.ceiling.within.code", None),
    *ordered("orders[].quantity", "episode.scripts[].total")[:3],
    ("orders[].supply_days", "episode.scripts[].supplyDays", None),
    ("orders[].valid.from", "episode.scripts[].valid.notBefore", None),
    ("orders[].valid.to", "episode.scripts[].valid.notAfter", None),
    ("orders[].repeats_allowed", "episode.scripts[].repeatsAllowed", None),
    ("orders[].nominated_pharmacy.ods_code", "episode.scripts[].nominatedSite.odsCode", None),
    ("orders[].supervision", "episode.scripts[].supervision", SUPERVISION),
    ("orders[].cd.words", "episode.scripts[].controlled.inWords", None),
    ("orders[].cd.schedule", "episode.scripts[].controlled.schedule", None),
    ("orders[].notes[]", "episode.scripts[].comments[]", None),
]


# EPS ---------------------------------------------------------------------------------------------------------------
DM = "https://fhir.nhs.uk/StructureDefinition/Extension-DM-"
ITEM = "MedicationRequest[]"


def eps_rows(orders: str, names: Mapping[str, str]) -> list[Row]:
    """EPS's own elements against a contract's; `names`: pharmacy's name of an order's part -> the contract's."""

    def to(path: str) -> str:
        return f"{orders}." + ".".join(names.get(part, part) for part in re.split(r"\.", path))

    timing = "dosageInstruction[].timing.repeat"
    dose = "dosageInstruction[].doseAndRate[0]"
    amounts = [
        ("dispenseRequest.quantity", "quantity"),
        (f"{dose}.doseQuantity", "dosage[].dose"),
        (f"{dose}.doseRange.low", "dosage[].dose_least"),
        (f"{dose}.doseRange.high", "dosage[].dose_most"),
    ]
    rows: list[tuple[str, str]] = [
        ("identifier[0].system", "order_id.system"),
        ("identifier[0].value", "order_id.value"),
        ("status", "status"),
        ("intent", "intent"),
        ("groupIdentifier.value", "prescription.number.value"),
        (f"groupIdentifier.extension({DM}PrescriptionId).valueIdentifier.value", "prescription.id.value"),
        ("medicationCodeableConcept.coding[0].code", "product.dmd_code"),
        ("medicationCodeableConcept.coding[0].display", "product.name"),
        ("authoredOn", "written_on"),
        ("note[].text", "notes[]"),
        ("dosageInstruction[].sequence", "dosage[].line"),
        ("dosageInstruction[].text", "dosage[].directions"),
        ("dosageInstruction[].patientInstruction", "dosage[].for_patient"),
        ("dosageInstruction[].asNeededBoolean", "dosage[].as_needed"),
        ("dosageInstruction[].asNeededCodeableConcept.coding[].code", "dosage[].as_needed_for.codes[].code"),
        ("dosageInstruction[].route.coding[].code", "dosage[].route.codes[].code"),
        (f"{timing}.frequency", "dosage[].timing.times"),
        (f"{timing}.period", "dosage[].timing.every"),
        (f"{timing}.periodUnit", "dosage[].timing.every_unit"),
        (f"{timing}.boundsDuration.value", "dosage[].timing.lasts.value"),
        (f"{timing}.boundsDuration.code", "dosage[].timing.lasts.code"),
        (f"{timing}.boundsPeriod.start", "dosage[].timing.from"),
        (f"{timing}.boundsPeriod.end", "dosage[].timing.to"),
        (f"{timing}.dayOfWeek[]", "dosage[].timing.days[]"),
        (f"{timing}.timeOfDay[]", "dosage[].timing.at[]"),
        (f"{timing}.when[]", "dosage[].timing.when[]"),
        ("dosageInstruction[].maxDosePerPeriod.numerator.value", "dosage[].at_most.amount.value"),
        ("dosageInstruction[].maxDosePerPeriod.denominator.value", "dosage[].at_most.per.value"),
        ("dosageInstruction[].maxDosePerPeriod.denominator.code", "dosage[].at_most.per.code"),
        ("dispenseRequest.validityPeriod.start", "valid.from"),
        ("dispenseRequest.validityPeriod.end", "valid.to"),
        ("dispenseRequest.numberOfRepeatsAllowed", "repeats_allowed"),
        ("dispenseRequest.expectedSupplyDuration.value", "supply_days"),
        ("dispenseRequest.performer.identifier.value", "nominated_pharmacy.ods_code"),
        ("substitution.allowedBoolean", "substitution_allowed"),
        (f"extension({DM}ControlledDrug).extension(quantityWords).valueString", "cd.words"),
        (f"extension({DM}ControlledDrug).extension(schedule).valueCoding.code", "cd.schedule"),
        (f"extension({DM}PrescriptionType).valueCoding.code", "prescription_type.code"),
    ]
    for source, target in amounts:
        rows += [(f"{source}.value", f"{target}.value"), (f"{source}.unit", f"{target}.unit")]
    for part in ("system", "code", "display"):
        rows.append((f"courseOfTherapyType.coding[].{part}", f"course.codes[].{part}"))
    return [(f"{ITEM}.{source}", to(target), None) for source, target in rows]


#: criis's name of every part of a plain order that is not pharmacy's.
SCRIPT = {
    "order_id": "scriptId",
    "status": "state",
    "prescription": "slip",
    "product": "medicine",
    "dmd_code": "dmdCode",
    "name": "term",
    "written_on": "dateWritten",
    "notes[]": "comments[]",
    "line": "lineNo",
    "directions": "label",
    "for_patient": "advice",
    "as_needed": "whenRequired",
    "as_needed_for": "whenRequiredFor",
    "every_unit": "everyUnit",
    "lasts": "duration",
    "from": "startDate",
    "to": "endDate",
    "days[]": "weekdays[]",
    "at[]": "clockTimes[]",
    "when[]": "moments[]",
    "at_most": "ceiling",
    "per": "within",
    "quantity": "total",
    "dose": "perDose",
    "dose_least": "perDoseLeast",
    "dose_most": "perDoseMost",
    "unit": "unitText",
    "repeats_allowed": "repeatsAllowed",
    "supply_days": "supplyDays",
    "nominated_pharmacy": "nominatedSite",
    "ods_code": "odsCode",
    "substitution_allowed": "substitutionAllowed",
    "cd": "controlled",
    "words": "inWords",
    "prescription_type": "scriptType",
    "course": "therapy",
    "display": "term",
}


def eps_criis() -> list[Row]:
    rows = []
    for source, target, convert in eps_rows("episode.scripts[]", SCRIPT):
        for of in ("total", "perDose", "perDoseLeast", "perDoseMost", "amount", "duration", "within"):
            target = re.sub(rf"(\.{of})\.value$", r"\1.quantity", target)
        target = target.replace("valid.startDate", "valid.notBefore").replace("valid.endDate", "valid.notAfter")
        rows.append((source, target, convert))
    return rows


NHS_NUMBER = "Patient[0].identifier[0].value"
EPS_SENDER = "MessageHeader[0].sender.identifier.value"


@dataclass(frozen=True)
class Route:
    """A way from one message to another. refused: fixture -> the rule that refuses it there."""

    source: str
    target: str
    rows: Sequence[Row]
    refused: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.source} to {self.target}"


def turned(rows: Sequence[Row]) -> list[Row]:
    """The rows of the way back."""
    back: list[Row] = []
    for source, target, convert in rows:
        assert convert is None or isinstance(convert, dict)
        other = {} if convert is None else {v: k for k, v in convert.items()}
        back.append((target, source, None if convert is None else Open(other) if isinstance(convert, Open) else other))
    return back


PRESCRIPTION = [*PERSON, *EPISODE, *PRESCRIBER, *FORM, *ORDERS]
CHANGES = [*PERSON, *EPISODE, *PRESCRIBER, *FORM, *CHANGED]
OUTCOMES = [*PERSON, *EPISODE, ("pharmacy.ods_code", "episode.dispensingSite.odsCode", None), *DOSE]
#: A product that is a resource of its own: the contracts name it within the order, so that nothing stands for it.
PRODUCT_APART = {"every-place": "unread-safety"}
ROUTES = [
    Route("pharmacy/prescription", "criis/prescription", PRESCRIPTION),
    Route("criis/prescription", "pharmacy/prescription", turned(PRESCRIPTION)),
    Route("pharmacy/prescription-change", "criis/prescription-change", CHANGES),
    Route("criis/prescription-change", "pharmacy/prescription-change", turned(CHANGES)),
    Route("pharmacy/dose-outcome", "criis/dose-outcome", OUTCOMES),
    Route("criis/dose-outcome", "pharmacy/dose-outcome", turned(OUTCOMES)),
    Route(
        "eps/prescription-order",
        "pharmacy/prescription",
        [*eps_rows("orders[]", {}), (NHS_NUMBER, "patient.nhs_number", None), (EPS_SENDER, "sender.ods_code", None)],
        PRODUCT_APART,
    ),
    Route(
        "eps/prescription-order",
        "criis/prescription",
        [*eps_criis(), (NHS_NUMBER, "client.nhsNumber", None), (EPS_SENDER, "fromOrganisation.odsCode", None)],
        PRODUCT_APART,
    ),
]


# walking -----------------------------------------------------------------------------------------------------------
_PART = re.compile(r"(\w+)(?:\[(\d*)\]|\((.*)\))?")


def parts(path: str) -> list[tuple[str, str | None, str | None]]:
    """The steps of a path: (name, index or "" for every element, the url of an extension)."""
    found = []
    for part in re.findall(r"\w+\([^)]*\)|[^.]+", path):
        match = _PART.fullmatch(part)
        assert match is not None, path
        found.append((match[1], match[2], match[3]))
    return found


def values(record: Any, path: str) -> Places:
    """Every value at a path, by the indexes of its open lists."""
    level: list[tuple[tuple[int, ...], Any]] = [((), record)]
    for name, index, url in parts(path):
        under = [(at, value[name]) for at, value in level if isinstance(value, dict) and name in value]
        if url is not None:
            level = [(at, one) for at, many in under for one in many if one.get("url") == url]
        elif index is None:
            level = under
        elif index:
            level = [(at, many[int(index)]) for at, many in under if len(many) > int(index)]
        else:
            level = [((*at, j), one) for at, many in under for j, one in enumerate(many)]
    return dict(level)


def converted(value: Any, convert: Convert) -> Any:
    if convert is None:
        return value
    return convert[value] if isinstance(convert, Mapping) else convert(value)


def exact(value: Any) -> Any:
    """A value with its precision: 2.50 is not 2.5."""
    return ("decimal", str(value)) if isinstance(value, Decimal) else value


def laid_out(native: Any) -> Any:
    """A FHIR message as a record of lists by type; any other as it is."""
    if native.get("resourceType") != "Bundle":
        return native
    found: dict[str, list[Any]] = {}
    for entry in native["entry"]:
        found.setdefault(entry["resource"]["resourceType"], []).append(entry["resource"])
    return found


def unmet(rows: Sequence[Row], source: Any, target: Any) -> list[str]:
    """The rows that do not hold, with both sides."""
    bad = []
    for here, there, convert in rows:
        said = values(source, here)
        if isinstance(convert, Open):
            said = {at: code for at, code in said.items() if code in convert}
        wanted = {at: exact(converted(v, convert)) for at, v in said.items()}
        got = {at: exact(v) for at, v in values(target, there).items()}
        if wanted != got:
            bad.append(f"{here} -> {there}: {wanted} came as {got}")
    return bad


@cache
def inputs(message: str) -> list[Path]:
    """The native bytes of every fixture that its own message accepts."""
    return [f.parent for f in sorted((FIXTURES / message).glob("*/in.json")) if (f.parent / "bundle.json").is_file()]


def lost_safety(made: Translation) -> list[str]:
    """Issues that say that a safety element did not arrive."""
    return [rule_of(one) for one in made.found if rule_of(one) in ("unread-safety", "conflict", "combination") or is_error(one)]


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_what_must_arrive_arrives(route: Route, ost: Adapter) -> None:
    said: set[str] = set()
    for folder in inputs(route.source):
        body = (folder / "in.json").read_bytes()
        if folder.name in route.refused:
            with pytest.raises(Refused) as caught:
                ost.translate(body, read=route.source, write=route.target)
            assert route.refused[folder.name] in {rule_of(i) for i in caught.value.issues if is_error(i)}
            continue
        made = ost.translate(body, read=route.source, write=route.target)
        assert made.result is not None and lost_safety(made) == [], folder.name
        source, target = laid_out(decode(body)), decode(made.result)
        assert unmet(route.rows, source, target) == [], folder.name
        said.update(here for here, _, _ in route.rows if values(source, here))
    idle = [here for here, _, _ in route.rows if here not in said]
    assert not idle, f"no fixture of {route.source} says {idle}"


def test_every_code_of_a_person_travels(ost: Adapter) -> None:
    """A message has one patient, so that no fixture holds two of these codes."""
    record = decode((FIXTURES / "pharmacy/prescription/least/in.json").read_bytes())
    for name, rows, there in (
        ("nhs_number_status", TRACE, "client.nhsNumberTrace"),
        ("gender", GENDER, "client.gender"),
        ("name_use", NAME, "client.name.kind"),
    ):
        for code, wanted in rows.items():
            body = encode({**record, "patient": {**record["patient"], name: code}})
            made = ost.translate(body, read="pharmacy/prescription", write="criis/prescription")
            assert values(decode(made.result or b""), there) == {(): wanted}
            back = ost.translate(made.result or b"", read="criis/prescription", write="pharmacy/prescription")
            assert decode(back.result or b"")["patient"][name] == code


def test_a_dose_has_one_unit_and_criis_says_it_of_every_amount(ost: Adapter) -> None:
    for folder in inputs("pharmacy/dose-outcome"):
        made = ost.translate((folder / "in.json").read_bytes(), read="pharmacy/dose-outcome", write="criis/dose-outcome")
        target = decode(made.result or b"")
        for dose, event in zip(decode((folder / "in.json").read_bytes())["doses"], target["episode"]["doseEvents"], strict=True):
            named = {one["uom"] for one in event.get("amounts", {}).values()}
            assert named == ({UNIT[dose["unit"]]} if "unit" in dose else set())


@pytest.mark.parametrize(
    ("message", "here", "there"),
    [
        ("prescription-change", "changes[].change.reason", "episode.amendments[].amendment.reason"),
        ("dose-outcome", "doses[].declined_reason", f"{EVENT}.notSupplied"),
    ],
)
def test_a_reason_that_is_not_on_the_list_is_kept_with_its_system(message: str, here: str, there: str, ost: Adapter) -> None:
    body = (FIXTURES / "pharmacy" / message / "unknown-reason-is-kept/in.json").read_bytes()
    made = ost.translate(body, read=f"pharmacy/{message}", write=f"criis/{message}")
    said = values(decode(body), f"{here}.code")
    target = decode(made.result or b"")
    kept = values(target, f"{there}.foreignCodes[0].code")
    assert said and {at: kept[at] for at, code in said.items() if code not in REASON and code not in WITHHELD} == {
        at: code for at, code in said.items() if code not in REASON and code not in WITHHELD
    }
    assert all("CodeSystem/pharmacy-" in values(target, f"{there}.foreignCodes[0].system")[at] for at in kept)
    back = ost.translate(made.result or b"", read=f"criis/{message}", write=f"pharmacy/{message}")
    assert values(decode(back.result or b""), f"{here}.code") == said


def test_a_retracted_dose_is_struck_and_the_others_live(ost: Adapter) -> None:
    body = (FIXTURES / "pharmacy/dose-outcome/retracted/in.json").read_bytes()
    marks = [bool(dose.get("retracted")) for dose in decode(body)["doses"]]
    made = ost.translate(body, read="pharmacy/dose-outcome", write="criis/dose-outcome")
    states = [event["recordState"] for event in decode(made.result or b"")["episode"]["doseEvents"]]
    assert states == ["STRUCK" if mark else "LIVE" for mark in marks] and True in marks
    back = ost.translate(made.result or b"", read="criis/dose-outcome", write="pharmacy/dose-outcome")
    assert [bool(dose.get("retracted")) for dose in decode(back.result or b"")["doses"]] == marks


# EPS: and back -----------------------------------------------------------------------------------------------------
#: What an order has when it comes back to EPS.
EPS_BACK = [
    NHS_NUMBER,
    *(f"{ITEM}.{one}" for one in ("identifier[0].value", "status", "intent", "groupIdentifier.value", "authoredOn")),
    *(f"{ITEM}.{one}" for one in ("medicationCodeableConcept.coding[0].code", "dosageInstruction[].text")),
    *(f"{ITEM}.dispenseRequest.{one}" for one in ("quantity.value", "quantity.code", "validityPeriod.start")),
    *(f"{ITEM}.dosageInstruction[].doseAndRate[].doseQuantity.{one}" for one in ("value", "code")),
    *(f"{ITEM}.dosageInstruction[].timing.repeat.{one}" for one in ("frequency", "period", "periodUnit", "dayOfWeek[]")),
]


@pytest.mark.parametrize("by", ["pharmacy/prescription", "criis/prescription"])
def test_an_order_goes_back_to_eps(by: str, ost: Adapter) -> None:
    came = 0
    for folder in inputs("eps/prescription-order"):
        if folder.name in ("released-by-spine", *PRODUCT_APART):  # a cancelled item: only the Spine says such a thing
            continue
        body = (folder / "in.json").read_bytes()
        there = ost.translate(body, read="eps/prescription-order", write=by)
        back = ost.translate(there.result or b"", read=by, write="eps/prescription-order")
        source, target = laid_out(decode(body)), laid_out(decode(back.result or b""))
        assert unmet([(path, path, None) for path in EPS_BACK], source, target) == [], folder.name
        came += 1
    assert came >= 5


@pytest.mark.parametrize("by", ["pharmacy/prescription", "criis/prescription"])
def test_an_instalment_form_does_not_travel_by_eps(by: str, ost: Adapter) -> None:
    for name in ("least", "fourteen-days-closed-days"):
        with pytest.raises(Refused) as caught:
            ost.translate((FIXTURES / by / name / "in.json").read_bytes(), read=by, write="eps/prescription-order")
        assert {rule_of(i) for i in caught.value.issues if is_error(i)} == {"eps-instalment"}


def test_an_order_with_required_supervision_does_not_travel_by_eps(ost: Adapter) -> None:
    """EPS has no place for supervision, and what it cannot say must not be dropped."""
    body = (FIXTURES / "pharmacy/prescription/orders-in-full/in.json").read_bytes()
    with pytest.raises(Refused) as caught:
        ost.translate(body, read="pharmacy/prescription", write="eps/prescription-order")
    assert "eps-instalment" in {rule_of(i) for i in caught.value.issues if is_error(i)}


# GP Connect: to the practice's record --------------------------------------------------------------------------------
OURS = "https://ost-adapter.example/fhir/StructureDefinition/"
#: The hub's words for the units, by hand; profiles/ConceptMap-unit.json.
UNIT_WORD = {"g": "gram", "pre-filled injection": "pre-filled disposable injection"}


def unit_word(unit: str) -> str:
    return UNIT_WORD.get(unit, unit)


def withdrawn(mark: bool) -> str:
    return "entered-in-error" if mark else "final"


#: A dose against its Observation; `component(text)` is the component of that name.
GPC_DOSE: list[Row] = [
    *identifier("doses[].event_id", "of[].identifier[0]"),
    ("doses[].outcome", f"of[].extension({OURS}dose-outcome).valueCoding.code", None),
    ("doses[].outcome", "of[].code.coding[0].code", None),
    ("doses[].dose_date", f"of[].extension({OURS}dose-date).valueDate", None),
    ("doses[].dose_number", f"of[].extension({OURS}dose-number).valuePositiveInt", None),
    ("doses[].prescribed", f"of[].extension({OURS}prescribed-amount).valueQuantity.value", None),
    ("doses[].prescribed", "of[].component(Amount prescribed for this dose).valueQuantity.value", None),
    ("doses[].supplied", "of[].component(Amount supplied).valueQuantity.value", None),
    ("doses[].seen", "of[].component(Amount seen to be taken).valueQuantity.value", None),
    ("doses[].said", "of[].component(Amount said to have been taken).valueQuantity.value", None),
    ("doses[].product.dmd_code", "of[].component(Medicine).valueCodeableConcept.coding[1].code", None),
    ("doses[].retracted", "of[].status", withdrawn),
]
#: A form in full, and an item that changed, against their MedicationRequests.
GPC_CHANGE: list[Row] = [
    *identifier("{}[].item_id", "of[].identifier[0]"),
    *identifier("{}[].form_serial", "of[].groupIdentifier"),
    ("{}[].change.type", f"of[].extension({OURS}order-change).extension(type).valueCode", None),
    ("{}[].change.effective", f"of[].extension({OURS}order-change).extension(effective).valueDateTime", None),
    ("{}[].change.last_dose_date", f"of[].extension({OURS}order-change).extension(lastDose).valueDate", None),
    ("{}[].change.replaced_by.value", f"of[].extension({OURS}order-change).extension(replacedBy).valueIdentifier.value", None),
    ("{}[].product.dmd_code", "of[].medicationCodeableConcept.coding[1].code", None),
]
GPC_FORM: list[Row] = [
    ("items[].steps[].directions", "of[].dosageInstruction[].text", None),
    ("items[].steps[].dose.value", "of[].dosageInstruction[].doseQuantity.value", None),
    ("items[].steps[].dose.unit", "of[].dosageInstruction[].doseQuantity.unit", unit_word),
    ("items[].steps[].from", "of[].dosageInstruction[].timing.repeat.boundsPeriod.start", None),
    ("items[].steps[].to", "of[].dosageInstruction[].timing.repeat.boundsPeriod.end", None),
    ("items[].steps[].times_per_day", "of[].dosageInstruction[].timing.repeat.frequency", None),
    ("items[].total.value", "of[].dispenseRequest.quantity.value", None),
    ("items[].total.unit", "of[].dispenseRequest.quantity.unit", unit_word),
    ("items[].total.words", f"of[].extension({DM}ControlledDrug).extension(quantityWords).valueString", None),
    ("items[].cd_schedule", f"of[].extension({DM}ControlledDrug).extension(schedule).valueCoding.code", None),
    ("items[].supervision", f"of[].extension({OURS}required-supervision).valueCode", None),
    ("items[].treatment.first_dose_date", f"of[].extension({OURS}treatment-period).valuePeriod.start", None),
]
TO_PRACTICE = "gp_connect/update-record"


def told(
    folder: Path, message: str, kind: str, names: Sequence[tuple[str, str]], ost: Adapter
) -> tuple[Any, list[dict[str, Any]]]:
    """(source, its records' resources in the document, in the source's order): `names` are the source's lists and their keys."""
    body = (folder / "in.json").read_bytes()
    source = decode(body)
    made = ost.translate(body, read=message, write=TO_PRACTICE)
    assert made.result is not None and lost_safety(made) == [], folder.name
    outer = decode(made.result)["entry"]
    [document] = [entry["resource"] for entry in outer if entry["resource"]["resourceType"] == "Bundle"]
    by: dict[tuple[str, str], dict[str, Any]] = {}
    for entry in document["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] == kind and "identifier" in resource:
            own = resource["identifier"][0]
            assert by.setdefault((own["system"], own["value"]), resource) is resource, "two resources of one record"
            for one in resource.get("component", ()):
                one["url"] = one["code"]["text"]  # components by name, as extensions by url
        if resource["resourceType"] == "Patient":
            assert {i["value"] for i in resource["identifier"] if i["system"].endswith("nhs-number")} == {
                source["patient"]["nhs_number"]
            }
    found = [by[one[key]["system"], one[key]["value"]] for name, key in names for one in source.get(name, ())]
    return source, found


def test_what_became_of_a_dose_reaches_the_practice(ost: Adapter) -> None:
    said: set[str] = set()
    for folder in inputs("pharmacy/dose-outcome"):
        source, found = told(folder, "pharmacy/dose-outcome", "Observation", [("doses", "event_id")], ost)
        for dose in source["doses"]:
            dose.setdefault("retracted", False)
            if "taken" in dose:  # what somebody saw is never mixed with what somebody says
                dose["said" if dose["outcome"] == "elsewhere" else "seen"] = dose["taken"]
        assert unmet(GPC_DOSE, source, {"of": found}) == [], folder.name
        for dose, observation in zip(source["doses"], found, strict=True):
            for one in observation["component"]:
                if "valueQuantity" in one:
                    assert one["valueQuantity"]["unit"] == unit_word(dose["unit"])
        said.update(here for here, _, _ in GPC_DOSE if values(source, here))
    assert said == {here for here, _, _ in GPC_DOSE}


def test_what_changed_of_a_prescription_reaches_the_practice(ost: Adapter) -> None:
    said: set[str] = set()
    for folder in inputs("pharmacy/prescription-change"):
        for name, more in (("changes", []), ("items", GPC_FORM)):
            rows = [(here.format(name), there, convert) for here, there, convert in GPC_CHANGE] + more
            source, found = told(folder, "pharmacy/prescription-change", "MedicationRequest", [(name, "item_id")], ost)
            if found:
                assert unmet(rows, source, {"of": found}) == [], folder.name
                said.update(here for here, _, _ in rows if values(source, here))
    wanted = {here.format(name) for name in ("changes", "items") for here, _, _ in GPC_CHANGE} | {here for here, _, _ in GPC_FORM}
    assert said == wanted


# EMIS --------------------------------------------------------------------------------------------------------------
def whole(value: str) -> int:
    return int(value)


#: Columns of an issue against an order of the pharmacy's contract.
EMIS: list[Row] = [
    ("IssueRecordGuid", "orders[0].order_id.value", None),
    ("DrugRecordGuid", "orders[0].authorisations[0].value", None),
    ("code.DmdProductCodeId", "orders[0].product.dmd_code", None),
    ("code.Term", "orders[0].product.text", None),
    ("CodeId", "orders[0].product.other_codes[0].code", None),
    ("Dosage", "orders[0].dosage[0].directions", None),
    ("Quantity", "orders[0].quantity.value", Decimal),
    ("QuantityUnit", "orders[0].quantity.unit", None),
    ("CourseDurationInDays", "orders[0].supply_days", whole),
    ("Deleted", "orders[0].status", {False: "active", True: "entered-in-error"}),
    ("drug.NumberOfIssues", "orders[0].repeat.issued", whole),
    ("patient.NhsNumber", "patient.nhs_number", None),
    ("patient.Surname", "patient.family_name", None),
    ("organisation.ODSCode", "sender.ods_code", None),
    ("prescriber.Surname", "prescriber.person.family_name", None),
    ("employer.ODSCode", "prescriber.organisation.ods_code", None),
]
#: The same for criis, by criis's names.
EMIS_CRIIS: list[Row] = [
    ("IssueRecordGuid", "episode.scripts[0].scriptId.value", None),
    ("code.DmdProductCodeId", "episode.scripts[0].medicine.dmdCode", None),
    ("Dosage", "episode.scripts[0].dosage[0].label", None),
    ("Quantity", "episode.scripts[0].total.quantity", Decimal),
    ("QuantityUnit", "episode.scripts[0].total.unitText", None),
    ("CourseDurationInDays", "episode.scripts[0].supplyDays", whole),
    ("Deleted", "episode.scripts[0].state", {False: "active", True: "entered-in-error"}),
    ("patient.NhsNumber", "client.nhsNumber", None),
    ("prescriber.Surname", "episode.prescriber.person.surname", None),
]


def same_number(value: Any) -> Any:
    """A number by value: a column holds text, and 840 is 840.0 of nothing else."""
    return Decimal(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value


@pytest.mark.parametrize("case", ["methadone-fortnight", "several", "undated-as-directed", "tombstone"])
@pytest.mark.parametrize(("target", "rows"), [("pharmacy/prescription", EMIS), ("criis/prescription", EMIS_CRIIS)])
def test_an_issue_of_a_practice_arrives(case: str, target: str, rows: list[Row], ost: Adapter) -> None:
    folder = FIXTURES / "emis/issue" / case / "in"
    records = [row.record for row in read_extract(folder, ost.message("emis/issue").info.entry)]
    for record, came in zip(records, translated(ost, folder, "emis/issue"), strict=True):
        assert record is not None and came.bundle is not None
        made = ost.translate(encode(came.bundle), read="fhir", write=target)
        written = decode(made.result or b"")
        bad = []
        for here, there, convert in rows:
            if here == "CourseDurationInDays" and values(record, here).get(()) == "0":
                convert = {"0": None}.get  # the source's word for not knowing; then nothing is said
            wanted = {at: same_number(converted(v, convert)) for at, v in values(record, here).items()}
            wanted = {at: v for at, v in wanted.items() if v is not None}
            got = {at: same_number(v) for at, v in values(written, there).items()}
            if wanted != got:
                bad.append(f"{here} -> {there}: {wanted} came as {got}")
        assert bad == []
        order = (written.get("orders") or written["episode"]["scripts"])[0]
        # The extract cannot say whether doses are supervised: unknown, and never not required.
        assert (order["supervision"], order["intent"]) == ("unknown" if target.startswith("pharmacy") else "SUNK", "order")
        # What the target was sent it reads back as the same order.
        again = ost.translate(made.result or b"", read=target, write=target)
        assert decode(again.result or b"") == written
