"""Records: what the messages about one person hold, each with who said it and when it was received, after corrections.

A record is a resource with those of its message that belong to it. A withdrawn record is none; a later version takes the place of
an earlier one; a record that names the one it replaces takes its place. The order in which messages come makes no difference.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from adapter.fhir import bundle as bundles
from adapter.fhir.dates import moment_of
from adapter.fhir.json import encode
from adapter.fhir.outcome import BASE

Json = dict[str, Any]
NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
ODS = "https://fhir.nhs.uk/Id/ods-organization-code"
#: When a message was received that does not say it.
EARLIEST = datetime.min.replace(tzinfo=UTC)
#: Element by which a resource names the one that it belongs to, in the same message.
_BELONGS = {"MedicationAdministration": "supportingInformation", "Observation": "partOf"}


def ours(name: str) -> str:
    """The url of an extension of ours."""
    return f"{BASE}/StructureDefinition/{name}"


@dataclass(frozen=True, slots=True)
class Record:
    """One resource of a message.

    event: of its message · source: the system that said it · received: when the adapter received it · ref: what evidence
    names it by (its first identifier, else fullUrl) · names: all its identifiers, by which together it is the same as another
    · parts: the resources that belong to it · known: those of its message, by fullUrl
    """

    resource: Json
    event: str
    source: str
    received: datetime
    ref: str
    names: frozenset[str]
    parts: tuple[Json, ...]
    known: Mapping[str, Json]

    @property
    def type(self) -> str:
        """Its resource type."""
        return str(self.resource["resourceType"])

    def said(self, name: str) -> Any:
        """The value of its extension of ours of that name; None where it has none."""
        return extension(self.resource, name)

    def ods(self, reference: Any) -> str | None:
        """The ODS code of the organisation to which a Reference leads, in the message or by identifier."""
        target = self.known.get(reference.get("reference", ""), {}) if isinstance(reference, dict) else {}
        held = [reference.get("identifier")] if isinstance(reference, dict) else []
        return next((one["value"] for one in (*target.get("identifier", ()), *held) if one and one.get("system") == ODS), None)


@dataclass(frozen=True, slots=True)
class Person:
    """Everything given about one person. patients: the Patient resources, one for each message, with when it was received.

    identifiers: those by which the person is known · ended: those of records that were merged into others · contested: those
    that another person has as well
    """

    identifiers: frozenset[str]
    records: tuple[Record, ...]
    patients: tuple[Record, ...]
    ended: frozenset[str] = frozenset()
    contested: frozenset[str] = frozenset()


def extension(resource: Any, name: str) -> Any:
    """The value of an extension of ours (of a complex one: itself); None where there is none."""
    url = ours(name)
    for one in resource.get("extension", ()) if isinstance(resource, dict) else ():
        if one.get("url") == url:
            return next((value for key, value in one.items() if key.startswith("value")), one)
    return None


def part(complex_extension: Any, name: str) -> Any:
    """The value of a part of a complex extension."""
    return next(iter(parts(complex_extension, name)), None)


def parts(complex_extension: Any, name: str) -> Iterator[Any]:
    """The values of all parts of that name."""
    for one in complex_extension.get("extension", ()) if isinstance(complex_extension, dict) else ():
        if one.get("url") == name:
            yield next((value for key, value in one.items() if key.startswith("value")), one)


def person(messages: Sequence[Json], contested: frozenset[str] = frozenset()) -> Person:
    """The person whom these messages are about, whoever they say it is. contested: the identifiers that several people have."""
    records: list[Record] = []
    patients: list[Record] = []
    for one in _different(messages):
        for record in _records(one):
            (patients if record.type == "Patient" else records).append(record)
    identifiers = {name for patient in patients for name in names_of(patient.resource)}
    ended = _ended(patients, identifiers)
    return Person(frozenset(identifiers - ended), tuple(records), tuple(patients), frozenset(ended), contested & identifiers)


def _ended(patients: Iterable[Record], identifiers: Collection[str]) -> set[str]:
    """The identifiers of records that were merged into others. In each system something goes on: else nothing of it has ended."""
    over: set[str] = set()
    for patient in patients:
        own = set(names_of(patient.resource))
        for kind, other in merged(patient.resource):
            before, after = (own, {other}) if kind == "replaced-by" else ({other}, own)
            going_on = {_system(name) for name in after & set(identifiers)}
            over |= {name for name in before - after if _system(name) in going_on}
    left = {_system(name) for name in set(identifiers) - over}
    return {name for name in over if name in identifiers and _system(name) in left}


def names_of(resource: Json) -> list[str]:
    """Its identifiers as `system|value`; what lacks either names nobody."""
    said = resource.get("identifier", ())
    return [name for one in (said if isinstance(said, list | tuple) else [said]) if (name := _name_of(one)) is not None]


def _name_of(identifier: Any) -> str | None:
    system, value = (identifier.get(part) if isinstance(identifier, dict) else None for part in ("system", "value"))
    return f"{system}|{value}" if system and value and isinstance(system, str) and isinstance(value, str) else None


def merged(patient: Json) -> Iterator[tuple[str, str]]:
    """Of a record that was merged: (`replaced-by` or `replaces`, identifier of the other). https://hl7.org/fhir/R4/patient.html#linking"""
    for link in patient.get("link", ()):
        other = _name_of(link.get("other", {}).get("identifier"))
        if link.get("type") in ("replaced-by", "replaces") and other is not None:
            yield link["type"], other


def _system(name: str) -> str:
    return name.partition("|")[0]


def speaks_of_death(patient: Record) -> bool:
    """Whether a Patient says that the person has died or, in a message about the person, has not."""
    said = [name for name in patient.resource if name.startswith("deceased")]
    return bool(said) and not carries_life(patient)


def carries_life(patient: Record) -> bool:
    """Whether it says that the person lives in a message about something else, where it is but carried along."""
    return patient.resource.get("deceasedBoolean") is False and patient.event != "patient"


def _different(messages: Sequence[Json]) -> Iterator[Json]:
    """The messages without those that are the same in all they hold, the time of their receipt included."""
    alike: dict[str, list[Json]] = {}
    for one in messages:
        alike.setdefault(repr(bundles.header(one)), []).append(one)
    for those in alike.values():
        yield from those if len(those) == 1 else {encode(one): one for one in those}.values()


def _records(message: Json) -> Iterator[Record]:
    known = dict(bundles.entries(message))
    header = bundles.header(message) or {}
    said = extension(header, "received")
    received = moment_of(said) if said else EARLIEST
    source = str(header.get("source", {}).get("name", ""))
    event = bundles.event(message) or ""
    belonging: dict[str, list[Json]] = {}
    own: list[tuple[str, Json]] = []
    for url, resource in known.items():
        owners = resource.get(_BELONGS.get(resource["resourceType"], ""), ())
        to = next((one["reference"] for one in owners if one.get("reference") in known), None)
        if to is None:
            own.append((url, resource))
        else:
            belonging.setdefault(to, []).append(resource)
    for url, resource in own:
        below = belonging.get(url, [])
        deeper = [one for part_of in below for one in belonging.get(_url_of(part_of, known), ())]
        names = _named(resource, url)
        yield Record(resource, event, source, received, names[0], frozenset(names), (*below, *deeper), known)


def _url_of(resource: Json, known: Mapping[str, Json]) -> str:
    return next(url for url, one in known.items() if one is resource)


def _named(resource: Json, url: str) -> list[str]:
    """Its identifiers in their order, or where it has none its fullUrl; of a change of a form with what is changed and when."""
    said = resource.get("identifier", [])
    given = [one for one in (said if isinstance(said, list) else [said]) if isinstance(one, dict) and "value" in one]
    names = [f"{one.get('system')}|{one['value']}" for one in given] or [url]
    change = extension(resource, "order-change")  # a change carries the identifier of the form that it changes
    return [f"{name}#{part(change, 'type')}@{part(change, 'effective')}" for name in names] if change else names


# corrections ------------------------------------------------------------------------------------------------------------
def standing(records: Iterable[Record], known_at: datetime | None = None) -> list[Record]:
    """The records that stand, of those received by then: without the withdrawn and those that others take the place of."""
    by_name: dict[tuple[str, frozenset[str]], list[Record]] = {}
    for one in records:
        if known_at is None or one.received <= known_at:
            by_name.setdefault((one.type, one.names), []).append(one)
    latest = [record for group in by_name.values() for record in _latest(group)]
    kinds: dict[str, list[Record]] = {}
    for record in latest:
        kinds.setdefault(_kind(record), []).append(record)
    gone = {id(record) for those in kinds.values() for record in _replaced(those)}
    return [record for record in latest if id(record) not in gone]


def _kind(record: Record) -> str:
    """What it takes the place of another within: a dose of a dose, in whatever resource each is told."""
    return "dose" if record.said("dose-outcome") is not None else record.type


def _replaced(records: Iterable[Record]) -> list[Record]:
    """Those whose place another of them takes."""
    named: dict[str, list[Record]] = {}
    replacing = []
    for record in records:
        for name in record.names:
            named.setdefault(name, []).append(record)
        if replaces(record):
            replacing.append(record)
    replaced = {name for record in replacing for name in replaces(record) if not _leads_back(name, record.names, named)}
    # An identifier that several records share names none of them.
    alike = (named.get(name, []) for name in replaced)
    return [record for those in alike if len({one.names for one in those}) == 1 for record in those]


def _latest(group: list[Record]) -> list[Record]:
    """Of records of the same identifiers the latest; none where that was withdrawn; several where nothing orders them."""
    if len(group) > 1:
        versions = [record.said("version") or 1 for record in group]  # what has none is the first
        group = [record for record, version in zip(group, versions, strict=True) if version == max(versions)]
        if any(is_withdrawn(record) for record in group):  # what was withdrawn does not come back by an older message
            return []
        ended = [record for record in group if _has_ended(record)]  # what began does not begin again by an older message
        group = ended or group
        last = max(record.received for record in group)
        group = list({encode(record.resource): record for record in group if record.received == last}.values())
    return [record for record in group if not is_withdrawn(record)]


def _has_ended(record: Record) -> bool:
    """Whether it is of a stay or a contact, and says when that ended."""
    return record.type == "Encounter" and "end" in record.resource.get("period", {})


def is_withdrawn(record: Record) -> bool:
    """Whether it says that it was entered in error."""
    return record.resource.get("status") == "entered-in-error"


def replaces(record: Record) -> list[str]:
    """The identifiers of the records that it says it takes the place of."""
    named = record.said("replaces")
    return [f"{named.get('system')}|{named.get('value')}"] if isinstance(named, dict) else []


def _leads_back(name: str, to: frozenset[str], names: Mapping[str, list[Record]]) -> bool:
    """Whether what replaces what ... comes back to the record itself: then neither takes the other's place."""
    seen = set()
    while name not in seen:
        if name in to:
            return True
        seen.add(name)
        name = next((below for record in names.get(name, ()) for below in replaces(record)), "")
    return False
