"""The Electronic Prescription Service: which checks each of its messages passes, and the codecs of its units and references.

The checks themselves stand in eps_order, eps_controlled, eps_notification and eps_update; what they share, in eps_rules.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

from adapter.fhir.outcome import Issue, rule_of
from adapter.fhir.terminology import CodeMap
from adapter.mapping.codecs import codec
from adapter.shipped import PROFILES
from adapter.systems import eps_notification, eps_order, eps_update
from adapter.systems.eps_rules import SNOMED, Finding, Laid, instalments, issues, lay_out, old_system

Check = Callable[[Laid], Iterator[Finding]]


def _instalments(laid: Laid) -> Iterator[Finding]:
    return instalments(eps_notification.orders(laid))


def _old_system(laid: Laid) -> Iterator[Finding]:
    return old_system(eps_notification.orders(laid)[:1])


#: Event -> what is asked of the message: in EPS's own on reading, in the hub's (or that made for EPS) on writing.
_READ: dict[str, tuple[Check, ...]] = {
    "prescription-order": (_instalments, *eps_order.CHECKS),
    "prescription-order-update": (_instalments, eps_update.update, eps_update.requested),
    "dispense-notification": (_instalments, eps_notification.notification),
}
_WRITE: dict[str, tuple[Check, ...]] = {
    "prescription": (*eps_order.CHECKS, _old_system),
    "prescription-changed": (eps_update.cancels, eps_update.update, _old_system),
    "dispense": (eps_notification.notification, _old_system),
}


def check_read(bundle: dict[str, Any], *, message: str = "", lenient: bool = False) -> list[Issue]:
    """Every issue that the checks find in EPS's Bundle; one that is not the message asked for is refused by name.

    message: its name, which is that of EPS's event; without it, any that is read. lenient, for official samples, some of which
    have them wrong: the check character of the prescription id only warns, and the check digit of the NHS number is left to the
    hub, which then warns too.
    """
    laid = lay_out(bundle)
    if laid.event not in _READ or (message and laid.event != message):
        rule = "answer" if laid.event.endswith("-response") else "event"
        return issues([(rule, f"{laid.header[0]}.event" if laid.header[1] else laid.header[0])])
    found = _all(_READ[laid.event], laid)
    if not lenient:
        return issues(found)
    soft = issues(one for one in found if one[0] != "nhs-number-check")
    return [one | {"severity": "warning"} if rule_of(one) == "eps-prescription-id-check" else one for one in soft]


def check_write(bundle: dict[str, Any]) -> list[Issue]:
    """The same for a message that is to travel by EPS, over the hub Bundle.

    An instalment form is refused for that alone: what else it lacks for EPS is no fault of it.
    """
    laid = lay_out(bundle)
    barred = list(_instalments(laid)) if laid.event in _WRITE else []
    return issues(barred or _all(_WRITE.get(laid.event, ()), laid))


def check_other(bundle: dict[str, Any]) -> list[Issue]:
    """Why a message of another event can never travel by EPS, where that is more than that nobody wrote a map."""
    laid = lay_out(bundle)
    return issues([("dose-outcome", f"{laid.header[0]}.event")] if laid.event == "dose-outcome" else [])


def _all(checks: Iterable[Check], laid: Laid) -> Iterator[Finding]:
    return (one for check in checks for one in check(laid))


# units -------------------------------------------------------------------------------------------------------------
UCUM = "http://unitsofmeasure.org"
#: UCUM allows l beside L, so ml beside mL. https://ucum.org/ucum
_SPELLINGS = {"ml": "mL"}


@cache
def _units() -> CodeMap:
    """dm+d unit -> UCUM, as the hub pairs them (docs/hub.md, Quantity)."""
    return CodeMap(json.loads((PROFILES / "ConceptMap-unit-ucum.json").read_text(encoding="utf-8")))


def _unit_code(pair: tuple[str | None, str | None]) -> str | None:
    """(dm+d code, UCUM code where the source writes UCUM) and Quantity.code: EPS orders write either, by Quantity.system."""
    dmd, ucum = pair
    return ucum or dmd


def _unit_code_back(code: str) -> tuple[str | None, str | None]:
    """A SNOMED code is a number of six digits or more, which no UCUM unit is. A unit without a pair keeps its UCUM code alone."""
    if re.fullmatch(r"[0-9]{6,18}", code):
        return code, None
    return (_units().backward or {}).get(_SPELLINGS.get(code, code)), code


def _ucum(dmd: str) -> str | None:
    """The UCUM unit of a dm+d unit; declines one that the shared ConceptMap does not have."""
    return _units().forward.get(dmd)


def _unit_system(pair: tuple[str | None, str | None]) -> str:
    """The code system of such a code."""
    return UCUM if pair[1] else SNOMED


codec("eps-unit-code", read=_unit_code, write=_unit_code_back)
codec("eps-unit-system", read=_unit_system)
codec("eps-ucum-unit", read=_ucum)


# codes -------------------------------------------------------------------------------------------------------------
def _our_reason(code: str) -> str | None:
    """Our reason of a change; no hole of the ConceptMap itself, which would keep an unknown code as a second coding."""
    return eps_update.cancel_reasons().forward.get(code)


def _our_reason_name(code: str) -> str | None:
    """The display of that reason."""
    return eps_update.cancel_reasons().display.get(code)


codec("eps-cancel-reason", read=_our_reason)
codec("eps-cancel-reason-name", read=_our_reason_name)


# references --------------------------------------------------------------------------------------------------------
def _fragment(local: str) -> str:
    """The id of a contained resource as a reference to it."""
    return f"#{local}"


def _fragment_back(reference: str) -> str:
    """Only what is contained can be meant; a reference to anything else is refused here."""
    if not re.fullmatch(r"#[A-Za-z0-9.-]{1,64}", reference):
        raise ValueError("no reference to a contained resource")
    return reference[1:]


codec("eps-contained", read=_fragment, write=_fragment_back)
