"""Code lists by hand that the goldens of fixtures/ do not hold row by row: criis's code -> the hub's (docs/hub.md, CodeSystems of R4)."""

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
#: System -> ConceptMap -> its rows. A message has one patient, so that a golden could hold one code of the first three only.
LISTS: dict[str, dict[str, dict[str, str]]] = {
    "criis": {"nhs-number-trace": TRACE, "name-kind": NAME, "gender": GENDER, "dose-outcome": OUTCOME},
}
