"""Codes that a message says once, of its one patient, by hand: criis's code -> the hub's (docs/hub.md, CodeSystems of R4)."""

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

#: ConceptMap -> its rows, where a golden Bundle could hold one of them only.
ONE_OF_A_MESSAGE: dict[str, dict[str, dict[str, str]]] = {
    "criis": {"nhs-number-trace": TRACE, "name-kind": NAME, "gender": GENDER},
}
