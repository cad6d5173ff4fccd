"""What the hub demands beyond its profiles: the rules that hold between resources, and whether a dose can be believed.

A message is refused for identity and for a doubtful dose; anything else is carried and raised. docs/hub.md;
https://digital.nhs.uk/developer/api-catalogue (NHS number: modulus 11).
"""

from __future__ import annotations

from typing import Any

from adapter.fhir.outcome import Issue, issue

NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"


def check_bundle(bundle: dict[str, Any], lenient: bool = False) -> list[Issue]:
    """Every breach of a rule between the resources of a hub Bundle."""
    found: list[Issue] = []
    for i, entry in enumerate(bundle.get("entry") or ()):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and resource.get("resourceType") == "Patient":
            found += nhs_number(resource, f"Bundle.entry[{i}].resource", lenient)
    return found


def nhs_number(patient: dict[str, Any], at: str, lenient: bool) -> list[Issue]:
    """The NHS number's check digit: an error, or a warning where a site reads leniently.

    https://www.datadictionary.nhs.uk/attributes/nhs_number.html
    """
    found = []
    for j, identifier in enumerate(patient.get("identifier") or ()):
        if isinstance(identifier, dict) and identifier.get("system") == NHS_NUMBER and not nhs_number_is_valid(identifier.get("value")):
            text = "The NHS number fails its check digit, so it may be another person's."
            found.append(issue("warning" if lenient else "error", "value", "nhs-number", text, expression=f"{at}.identifier[{j}].value", mend="Trace the number again; a lenient setting carries it with its verification status."))
    return found


def nhs_number_is_valid(value: Any) -> bool:
    """Ten digits whose last is the modulus 11 check digit of the others."""
    if not isinstance(value, str) or len(value) != 10 or not value.isascii() or not value.isdigit():
        return False
    total = sum(int(d) * (10 - i) for i, d in enumerate(value[:9]))
    return (11 - total % 11) % 11 == int(value[9])
