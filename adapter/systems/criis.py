"""The codecs of criis that its contract needs beyond those which every contract of ours shares (contracts.py).

FHIR says twice whether a contact happened, and twice what was decided on consent: by our own code, and by the status of
the resource. The code is what a map reads back; the status follows from it and from the mark of a record that was struck
out, and is compared. docs/hub.md, sections consultation and consent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache

from adapter.mapping.codecs import codec
from adapter.shipped import MAPPINGS
from adapter.systems.contracts import STATUSES, WITHDRAWN, dose_status, order_status

STRUCK = "STRUCK"

#: Attendance -> status of the Encounter; attended contacts are apart, since their record may still be open.
NOT_HELD: Mapping[str, str] = {"DNA": "cancelled", "CBP": "cancelled", "CBS": "cancelled", "BKD": "planned"}
#: State of the record of a contact that happened, or of which nobody says whether it did -> status of the Encounter.
HELD: Mapping[str, str] = {"LIVE": "finished", "OPEN": "in-progress", "UNSURE": "unknown"}
#: Status of the Encounter -> state of the record.
RECORD_STATES: Mapping[str, str] = {
    **{status: state for state, status in HELD.items()},
    **dict.fromkeys(NOT_HELD.values(), "LIVE"),
    WITHDRAWN: STRUCK,
}
#: Medium -> class of the Encounter (v3-ActCode); any other, and none, is virtual: never face to face.
CLASSES: Mapping[str, str] = {"F2F": "AMB", "HVT": "HH"}

#: Decision -> status of the Consent.
CONSENT_STATUSES: Mapping[str, str] = {"GRA": "active", "REF": "rejected", "WDR": "inactive", "LPS": "inactive"}


@cache
def _codes(name: str) -> Mapping[str, str]:
    """One of the ConceptMaps of criis, its code -> the hub's."""
    elements = json.loads((MAPPINGS / f"criis/codes/{name}.json").read_text("utf-8"))["group"][0]["element"]
    return {element["code"]: element["target"][0]["code"] for element in elements}


def _session_status(pair: tuple[str | None, str | None]) -> str | None:
    """(state of the record, attendance) -> status of the Encounter."""
    state, attendance = pair
    if state is None or state == STRUCK:
        return WITHDRAWN if state else None
    return NOT_HELD.get(attendance or "", HELD.get(state))


def _session_state(status: str) -> tuple[str, None]:
    """Status -> (state of the record, not said). Raises KeyError for a status that no session has."""
    return RECORD_STATES[status], None


def _consent_status(pair: tuple[str | None, str | None]) -> str | None:
    """(state of the record, decision) -> status of the Consent."""
    state, decision = pair
    return WITHDRAWN if state == STRUCK else CONSENT_STATUSES.get(decision or "")


def _consent_state(status: str) -> tuple[str, None]:
    """Status -> (state of the record, not said). Raises ValueError for a status that no decision leads to."""
    if status == WITHDRAWN:
        return STRUCK, None
    if status not in CONSENT_STATUSES.values():
        raise ValueError("a status that no decision leads to")
    return "LIVE", None


codec("criis-session-status", read=_session_status, write=_session_state)
codec(
    "criis-session-class",
    read=lambda pair: CLASSES.get(pair[0] or "", "VR"),
    doc="Medium of a contact -> class of the Encounter; what is not said to be face to face is virtual.",
)
codec("criis-consent-status", read=_consent_status, write=_consent_state)
for _resource, _statuses in STATUSES.items():
    dose_status(f"criis-{_resource}-status", _statuses, STRUCK, "LIVE", lambda code: _codes("dose-outcome").get(code, ""))
order_status("criis-order-status", lambda code: _codes("order-change").get(code, ""))
