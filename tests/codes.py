"""Code lists by hand that the goldens of fixtures/ do not hold row by row: a system's code -> the hub's (docs/hub.md, CodeSystems of R4)."""

from __future__ import annotations

#: UKCore-NHSNumberVerificationStatusEngland.
TRACE = {
    "VERIFIED": "01",
    "NOT_TRACED": "02",
    "TRACE_REQUIRED": "03",
    "NO_MATCH": "04",
    "CONFLICT": "05",
    "IN_PROGRESS": "06",
    "NOT_REQUIRED": "07",
    "POSTPONED": "08",
}
#: https://hl7.org/fhir/R4/valueset-name-use.html
NAME = {
    "USUAL": "usual",
    "LEGAL": "official",
    "TEMP": "temp",
    "NICK": "nickname",
    "ANON": "anonymous",
    "FORMER": "old",
    "MAIDEN": "maiden",
}
#: https://hl7.org/fhir/R4/valueset-administrative-gender.html
GENDER = {"M": "male", "F": "female", "X": "other", "U": "unknown"}

#: CodeSystem dose-outcome. ELS and DEP go through the codecs of the statuses, which read the list itself.
OUTCOME = {
    "SUP": "supervised",
    "THD": "take-home",
    "DNC": "missed",
    "WHD": "withheld",
    "NSW": "not-swallowed",
    "PRT": "partial",
    "ELS": "elsewhere",
    "DEP": "depot",
}
#: CodeSystem care-action.
CARE_ACTION = {
    "DIS": "discuss-with-prescriber",
    "SUI": "suitability-review",
    "HAN": "handover-missing",
    "CLD": "confirm-last-dose",
    "CON": "conflicting-evidence",
    "DBL": "possible-double-dose",
    "END": "order-ending",
    "DEP": "depot-due",
    "TOL": "assess-tolerance",
    "STP": "supply-not-permitted",
    "URG": "urgent-referral",
    "NRP": "not-reported",
    "SAS": "supply-after-stop",
    "OVL": "overlapping-orders",
    "GAP": "prescriber-gap",
    "RST": "restart-review",
    "NME": "ost-not-mentioned",
    "DEC": "stop-supply-deceased",
    "CNS": "consultation-due",
    "JRV": "joint-review-due",
    "SRV": "strategic-review-due",
    "TOP": "outcome-profile-due",
    "HCK": "health-check-due",
    "CST": "consent-due",
    "NAL": "naloxone-due",
    "INC": "incident-notice",
}
#: CodeSystem care-team-role.
ROLE = {
    "GP": "gp",
    "PRS": "prescriber",
    "CCO": "care-coordinator",
    "DEP": "deputy",
    "KWK": "keyworker",
    "PHA": "pharmacist",
    "CLD": "clinical-lead",
    "MHW": "mental-health-worker",
    "SWK": "social-worker",
    "CAR": "carer",
    "OTH": "other",
}
#: The same in nebula's codes.
NEBULA_ROLE = {
    "GP": "gp",
    "PR": "prescriber",
    "CC": "care-coordinator",
    "DP": "deputy",
    "KW": "keyworker",
    "PH": "pharmacist",
    "CL": "clinical-lead",
    "MH": "mental-health-worker",
    "SW": "social-worker",
    "CA": "carer",
    "OT": "other",
}
CERTAINTY = {"OBS": "observed", "SUP": "supplied", "STA": "stated"}
#: https://hl7.org/fhir/R4/valueset-contact-point-system.html, valueset-contact-point-use.html
MEANS = {"TEL": "phone", "FAX": "fax", "EML": "email", "PGR": "pager", "URL": "url", "SMS": "sms", "OTH": "other"}
USE = {"HOM": "home", "WRK": "work", "TMP": "temp", "OLD": "old", "MOB": "mobile"}
#: EMIS's column Sex.
SEX = {"M": "male", "F": "female", "I": "other", "U": "unknown"}
#: CodeSystem-UKCore-NHSNumberVerificationStatusEngland, code -> display. EMIS's codes are the same.
STATUS = {
    "01": "Number present and verified",
    "02": "Number present but not traced",
    "03": "Trace required",
    "04": "Trace attempted - No match or multiple match found",
    "05": "Trace needs to be resolved - (NHS number or patient detail conflict)",
    "06": "Trace in progress",
    "07": "Number not present and trace not required",
    "08": "Trace postponed (baby under six weeks old)",
}
#: dm+d unit of measure -> EMIS's words for it, as NHSDigital/electronic-prescription-service-api lists them.
UNITS = {
    "258773002": ["ml", "mls", "millilitre", "millilitres", "millilitre(s)"],
    "258684004": ["mg", "mgs", "milligram", "milligrams", "milligram(s)"],
    "258685003": ["microgram", "micrograms", "microgram(s)"],
    "258682000": ["g", "gram", "grams", "gram(s)"],
    "428673006": ["tablet", "tablets", "tablet(s)"],
    "428641000": ["capsule", "capsules", "capsule(s)"],
    "3317411000001100": ["dose", "doses", "dose(s)"],
    "413516001": ["ampoule", "ampoules", "ampoule(s)"],
    "415818006": ["vial", "vials", "vial(s)"],
    "732988008": ["cartridge", "cartridges", "cartridge(s)"],
    "419702001": ["patch", "patches", "patch(es)"],
    "733013000": ["sachet", "sachets", "sachet(s)"],
    "733010002": ["plaster", "plasters", "plaster(s)"],
    "3318611000001103": [
        "pre-filled disposable injection",
        "pre-filled disposable injections",
        "pre-filled disposable injection(s)",
    ],
}
QUANTITY = {word: code for code, words in UNITS.items() for word in words}

#: The pharmacy's words for units -> dm+d units of measure, and these -> UCUM (profiles/README.md, "Units").
CONTRACT_UNITS = {
    "ml": "258773002",
    "mg": "258684004",
    "microgram": "258685003",
    "g": "258682000",
    "tablet": "428673006",
    "dose": "3317411000001100",
    "pre-filled injection": "3318611000001103",
}
UNIT_WORDS = {code: code for code in CONTRACT_UNITS} | {"g": "gram", "pre-filled injection": "pre-filled disposable injection"}
UCUM = {
    "258773002": "mL",
    "258684004": "mg",
    "258685003": "ug",
    "258682000": "g",
    "428673006": "{tbl}",
    "3317411000001100": "{dose}",
    "3318611000001103": "{injection}",
}

UOM = dict(zip(("ML", "MG", "MCG", "GM", "TAB", "DOSE", "PFI"), CONTRACT_UNITS.values(), strict=True))
UOM_WORDS = dict(zip(UOM, UNIT_WORDS.values(), strict=True))
NEBULA_UNITS = dict(zip(("MLS", "MGM", "MCG", "GRM", "TABS", "DOSES", "INJ"), CONTRACT_UNITS.values(), strict=True))
NEBULA_UNIT_WORDS = dict(zip(NEBULA_UNITS, UNIT_WORDS.values(), strict=True))

#: System -> ConceptMap -> its rows. A message has one patient, so that a golden could hold one code of most of them only.
LISTS: dict[str, dict[str, dict[str, str]]] = {
    "criis": {
        "nhs-number-trace": TRACE,
        "name-kind": NAME,
        "gender": GENDER,
        "dose-outcome": OUTCOME,
        "care-action": CARE_ACTION,
        "team-role": ROLE,
        "dose-certainty": CERTAINTY,
        "contact-means": MEANS,
        "contact-use": USE,
        "uom": UOM,
        "unit-ucum": UCUM,
    },
    "nebula": {
        "care-role": NEBULA_ROLE,
        "certainty": {"O": "observed", "S": "supplied", "T": "stated"},
        "sex": {"1": "male", "2": "female", "9": "other", "0": "unknown"},
        "unit": NEBULA_UNITS,
        "unit-ucum": UCUM,
    },
    "pharmacy": {"unit": CONTRACT_UNITS, "unit-ucum": UCUM},
    "emis": {"quantity-unit": QUANTITY, "sex": SEX, "nhs-number-status": {code: code for code in STATUS}},
}
#: The same for the displays that a ConceptMap gives: system -> ConceptMap -> code -> display.
DISPLAYS: dict[str, dict[str, dict[str, str]]] = {
    "pharmacy": {"unit": UNIT_WORDS},
    "criis": {"uom": UOM_WORDS},
    "nebula": {"unit": NEBULA_UNIT_WORDS},
    "emis": {"nhs-number-status": STATUS},
}
