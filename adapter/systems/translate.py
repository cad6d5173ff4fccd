"""Translation: one message read into the hub, checked, and written in the form that another system hears.

This is the product in one place: `Adapter.translate`. Everything found on the way comes back at once, in the result
or in the Refused that is raised instead of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from adapter.fhir.gate import Gate
from adapter.fhir.json import decode
from adapter.fhir.outcome import Issue, Refused, is_error, issue, outcome
from adapter.mapping.check_map import fhir_types
from adapter.mapping.faults import Fault, Unknown
from adapter.systems import hub
from adapter.systems.catalogue import Catalogue
from adapter.systems.hub_rules import check_bundle
from adapter.systems.message import Account, Message

_STEP = re.compile(r"([A-Za-z_]\w*)((?:\[\d+\])?)")


@dataclass(slots=True)
class Translation:
    """What came of one message.

    bundle: the hub Bundle · result: the target's bytes (None without a target, or with errors) · unread: source paths and
    FHIRPaths that nothing read · carried: what rode along unread · found: every issue · ignored: what was left out on purpose,
    and lineage: where every value came from, both worked out when asked for.
    """

    bundle: dict[str, Any]
    result: bytes | None
    unread: dict[str, list[str]]
    carried: list[str]
    found: list[Issue]
    _ignored: Any = field(repr=False, default=None)
    _lineage: Any = field(repr=False, default=None)

    @property
    def issues(self) -> dict[str, Any]:
        """Every issue, as an OperationOutcome."""
        return outcome(self.found)

    @property
    def refused(self) -> bool:
        """Whether an issue is an error."""
        return any(is_error(i) for i in self.found)

    @property
    def ignored(self) -> dict[str, dict[str, str]]:
        """What the maps leave out for a stated reason, by "source" and "bundle" as in `unread`: each path with that reason."""
        return self._ignored() if self._ignored else {"source": {}, "bundle": {}}

    @property
    def lineage(self) -> list[dict[str, Any]]:
        """Rows {"target", "source", "map", "codecs"}: hub element from source path, then target path from hub element."""
        return self._lineage() if self._lineage else []


class Adapter:
    """The connected systems, compiled when first used; safe to share between threads."""

    def __init__(self, mappings: Iterable[str | Path] = (), *, lenient: bool = False) -> None:
        self.systems = Catalogue([Path(m) for m in mappings])
        self.lenient = lenient

    @cached_property
    def gate(self) -> Gate:
        """The gate with the shipped profiles."""
        return Gate.shipped()

    def message(self, name: str) -> Message:
        """The message called system/message. Raises Unknown with the nearest names, or MapFaults with every fault."""
        return self.systems.message(name)

    def check(self, system: str | None = None) -> list[Fault]:
        """Every fault of one system's maps and manifest, or of all."""
        names = [system] if system else list(self.systems)
        return [fault for name in names for fault in self.systems[name].check()]

    def validate(self, value: Any, profile: str | None = None, second_opinion: bool = True) -> dict[str, Any]:
        """The gate's judgement of a resource or Bundle, and fhir.resources' beside it, as an OperationOutcome."""
        found = self.gate.check(value, profiles={0: [profile]} if profile else None)
        if second_opinion:
            from adapter.fhir.second_opinion import second_opinion as judge

            found = found + judge(value)
        return outcome(found)

    # translation --------------------------------------------------------------------------------------------------
    def translate(
        self,
        body: bytes,
        *,
        read: str,
        write: str | None = None,
        received: str | None = None,
        source: str = "",
        refuse: bool = True,
    ) -> Translation:
        """Read `body` as message `read` ("fhir": a hub Bundle) and write it as `write` (None or "fhir": stop at the hub).

        received: instant at which the message came, stamped into the hub; without it, none is. source: a name of the bytes
        for issues. refuse: whether errors raise Refused; without, they stand in the result, whose bytes are None.
        Raises Refused, Unknown, MapFaults.
        """
        target = self.message(write) if write not in (None, "fhir") else None
        _direction(target, write, "write")
        account = Account()
        record: dict[str, Any] = {}
        if read == "fhir":
            origin = None
            bundle = self.read_hub(body, source)
        else:
            origin = self.message(read)
            _direction(origin, read, "read")
            try:
                entries, record = origin.read(body, account, source, self.lenient)
            except Refused as refused:
                raise Refused([_as_fhirpath(i) for i in refused.issues]) from None
            bundle = origin.assemble(entries, record, received)
        return self._finish(body, bundle, record, origin, target, account, refuse)

    def many(
        self, source: bytes | Path, *, read: str, write: str | None = None, received: str | None = None, name: str = ""
    ) -> Iterator[Translation | Refused]:
        """Translate every message of a source of many, in the source's own order.

        source: an extract (a folder, a zip file, or its bytes), a CSV file or an NDJSON file (path or bytes), as the message's
        format says; name: that of the source, for issues. Yields a Translation, or the Refused of one that is refused; the
        others go on. Raises Refused where the source as a whole cannot be read, Unknown, MapFaults.
        """
        from adapter.systems import many

        name = name or (source.name if isinstance(source, Path) else "")
        target = self.message(write) if write not in (None, "fhir") else None
        _direction(target, write, "write")
        origin = self.message(read) if read != "fhir" else None
        _direction(origin, read, "read")
        if origin is None or origin.info.format in many.BY_LINE:
            yield from many.by_line(source, name, lambda body: self.translate(body, read=read, write=write, received=received))
            return

        def finish(entries: list[dict[str, Any]], record: dict[str, Any], account: Account) -> Translation:
            bundle = origin.assemble(entries, record, received)
            return self._finish(b"", bundle, record, origin, target, account, refuse=True)

        records = many.by_record if origin.rows is not None else many.by_extract
        for one in records(source, name, origin, finish):
            yield Refused([_as_fhirpath(i) for i in one.issues]) if isinstance(one, Refused) else one

    def _finish(
        self,
        body: bytes,
        bundle: dict[str, Any],
        record: dict[str, Any],
        origin: Message | None,
        target: Message | None,
        account: Account,
        refuse: bool,
    ) -> Translation:
        account.issues += self.judge(bundle)
        result = None
        hearer = target.hears(hub.event_of(bundle)) if target is not None else None
        if target is not None and not any(is_error(i) for i in account.issues):
            if hearer is not None:
                result = hearer.write(bundle, account)
            else:  # a system may know why it could never hear this
                why = getattr(target.system.hooks, "check_other", None)
                account.issues += (why(bundle) if why is not None else []) or [_other_event(target)]
        account.issues = [_as_fhirpath(i) for i in account.issues]
        if refuse and any(is_error(i) for i in account.issues):
            raise Refused(account.issues)

        def lineage() -> list[dict[str, Any]]:
            rows = origin.read_lineage(bundle, record, decode(body) if origin.native else None) if origin else []
            rows += hearer.write_lineage(bundle) if hearer else []
            return [
                {"target": fhirpath(r.target), "source": fhirpath(r.source), "map": r.map, "codecs": list(r.codecs)} for r in rows
            ]

        def ignored() -> dict[str, dict[str, str]]:
            source = account.ignored_source | (origin.ignored_record(record) if origin else {})
            return {
                "source": {fhirpath(p): why for p, why in source.items()},
                "bundle": {fhirpath(p): why for p, why in account.ignored_bundle.items()},
            }

        unread = {"source": [fhirpath(p) for p in account.unread_source], "bundle": [fhirpath(p) for p in account.unread_bundle]}
        return Translation(
            bundle,
            result,
            unread,
            [fhirpath(p) for p in account.carried],
            account.issues,
            ignored,
            lineage,
        )

    def read_hub(self, body: bytes, source: str = "") -> dict[str, Any]:
        """A hub Bundle from bytes. Raises Refused where it is none."""
        bundle = decode(body, source=source)
        if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle" or bundle.get("type") != "message":
            raise Refused(
                [
                    issue(
                        "error",
                        "structure",
                        "not-a-message",
                        "This is not a FHIR Bundle of type message.",
                        expression="Bundle",
                        mend="Send a hub Bundle: docs/hub.md.",
                        source=source,
                    )
                ]
            )
        if hub.event_of(bundle) is None:
            refused = issue(
                "error",
                "code-invalid",
                "hub-event",
                "The Bundle's first entry is no MessageHeader with an event of the hub.",
                expression="Bundle.entry[0].resource.event",
                mend=f"Give eventCoding a code of {hub.EVENT_SYSTEM}.",
                source=source,
            )
            raise Refused([*self.gate.check(bundle), refused])
        return bundle

    def judge(self, bundle: dict[str, Any], writing: bool = False) -> list[Issue]:
        """The gate on a hub Bundle, with the profiles that its event demands, and the rules that no profile can say."""
        known = hub.profiles(hub.event_of(bundle) or "")
        demanded: dict[int, Sequence[str]] = {}
        entries = bundle.get("entry")
        for i, entry in enumerate(entries if isinstance(entries, list) else ()):
            resource = entry.get("resource") if isinstance(entry, dict) else None
            profile = known.of(resource) if isinstance(resource, dict) else None
            meta = resource.get("meta") if isinstance(resource, dict) else None
            claimed = meta.get("profile") if isinstance(meta, dict) else None
            if profile is not None and not (isinstance(claimed, list) and profile in claimed):
                demanded[i] = [profile]
        return self.gate.check(bundle, profiles=demanded, writing=writing) + check_bundle(bundle, self.lenient)


def _direction(message: Message | None, name: str | None, direction: str) -> None:
    if message is not None and not (message.info.reads if direction == "read" else message.info.writes):
        raise Unknown(
            f"message to {direction}",
            str(name),
            [
                f"{message.system.name}/{m.name}"
                for m in message.system.messages.values()
                if (m.reads if direction == "read" else m.writes)
            ],
        )


def _other_event(target: Message) -> Issue:
    events = " and ".join(target.info.events)
    text = f"{target.name} hears the event {events}, and this message is another."
    return issue(
        "error",
        "not-supported",
        "event",
        text,
        expression="Bundle.entry[0].resource.event",
        mend=f"Choose a target message with this event: ost-adapter systems lists them ({events} is {target.name}'s).",
    )


def fhirpath(place: str) -> str:
    """A place in a Bundle with choice elements by their FHIRPath name: medicationCodeableConcept is medication."""
    if not place.startswith("Bundle.entry["):
        return place
    return "Bundle." + ".".join(_STEP.sub(lambda m: choices().get(m[1], m[1]) + m[2], part) for part in place[7:].split("."))


@cache
def choices() -> dict[str, str]:
    """JSON name -> FHIRPath name of every choice element of R4."""
    return {
        name: element["b"]
        for kind in fhir_types().values()
        for name, element in kind.get("elements", {}).items()
        if "b" in element
    }


def _as_fhirpath(one: Issue) -> Issue:
    if "expression" in one:
        one = {**one, "expression": [fhirpath(e) for e in one["expression"]]}
    return one
