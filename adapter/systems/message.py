"""One message of one system, compiled: bytes to hub entries and back, with the account of every step.

read:  bytes -> record -> hub entries           (a system that speaks FHIR: bytes -> native match -> record -> hub entries)
write: hub entries -> record -> bytes
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from adapter.fhir.json import decode, encode
from adapter.fhir.outcome import Issue, Refused, is_error, issue
from adapter.fhir.payload import Payload
from adapter.mapping.issues import unread as unread_issue
from adapter.mapping.lineage import Lineage
from adapter.mapping.runtime import namespace, uuid5
from adapter.mapping.spec import TableSpec
from adapter.mapping.table import Table
from adapter.systems import hub
from adapter.wire import csv_layout, csv_records

if TYPE_CHECKING:
    from adapter.systems.catalogue import System
    from adapter.systems.manifest import MessageInfo

Entry = dict[str, Any]


@dataclass(slots=True)
class Account:
    """What became of every field: unread, carried and ignored paths (these with the reason), and the issues found on the way."""

    issues: list[Issue] = field(default_factory=list)
    unread_source: list[str] = field(default_factory=list)
    unread_bundle: list[str] = field(default_factory=list)
    carried: list[str] = field(default_factory=list)
    ignored_source: dict[str, str] = field(default_factory=dict)
    ignored_bundle: dict[str, str] = field(default_factory=dict)


class Message:
    """A compiled message. `fill` and `match` are the map alone; `read` and `write` are what translation calls."""

    def __init__(
        self, system: System, info: MessageInfo, schema: dict[str, Any], maps: TableSpec, native: TableSpec | None
    ) -> None:
        self.system, self.info = system, info
        self.payload = Payload(schema)
        self.table = Table(maps)
        self.native = Table(native) if native else None
        self.rows = csv_layout.layout(info.entry, schema) if info.format == "csv" else None
        self.others: tuple[Message, ...] = ()  # the same message for its other events
        self._header = namespace(f"{system.name}/{info.name}/MessageHeader")

    @property
    def name(self) -> str:
        """system/message."""
        return f"{self.system.name}/{self.info.name}"

    def hears(self, event: str | None) -> Message | None:
        """This message with the maps for a hub event; None where it is not about that event."""
        return next((one for one in (self, *self.others) if one.info.event == event), None)

    # the map alone ------------------------------------------------------------------------------------------------
    def fill(self, record: dict[str, Any]) -> list[dict[str, Any]]:
        """The resources of a record. Raises Refused for what no map can turn."""
        entries, run = self.table.fill(record)
        if run.issues and any(is_error(i) for i in run.issues):
            raise Refused(run.issues)
        return [entry["resource"] for entry in entries]

    def match(self, resources: list[dict[str, Any]]) -> dict[str, Any]:
        """The record of these resources. Raises Refused where they contradict each other or lose a safety element."""
        entries = [{"fullUrl": _url(r), "resource": r} for r in resources]
        run = self.table.match(entries, "")
        _, _, unread = self.table.account(run)
        issues = run.issues + unread
        if any(is_error(i) for i in issues):
            raise Refused(issues)
        return run.record

    # read ---------------------------------------------------------------------------------------------------------
    def read(self, body: bytes, account: Account, source: str = "", lenient: bool = False) -> tuple[list[Entry], dict[str, Any]]:
        """Hub entries and the record between. Raises Refused on bytes that are no payload of this message."""
        if self.rows is not None:
            from adapter.systems.many import one_record

            record = one_record(self, body, account, source)
            return self.read_record(record, account), record
        value = self.decode(body, source)
        if self.native is not None:
            record = self._match_native(value, account, lenient)
        else:
            record = self.payload.read(value)
            self.refuse(self.payload.check(record, body, source))
        return self.read_record(record, account), record

    def read_record(self, record: dict[str, Any], account: Account) -> list[Entry]:
        """The same from a record that some other wire made."""
        self._hook("check_record", account, record)
        entries, run = self.table.fill(record)
        account.issues += run.issues
        account.issues += same_identity(entries)
        unread = self.table.unread_record(record, entries, run.lost)
        account.unread_source += unread
        account.issues += [unread_issue(place, False) for place in unread]
        return entries

    def decode(self, body: bytes, source: str = "") -> Any:
        """The payload as data. Raises Refused."""
        if self.info.format not in ("json", "fhir"):
            text = "This message comes many at a time, as an extract of several files, and not as one payload."
            mend = "Give the folder or zip file: ost-adapter translate FOLDER, or Adapter.many."
            raise Refused([issue("error", "not-supported", "many-records", text, expression=".", mend=mend, source=source)])
        value = decode(body, source=source)
        if not isinstance(value, dict):
            raise Refused(
                [
                    issue(
                        "error",
                        "structure",
                        "not-an-object",
                        "The payload is not a JSON object.",
                        expression=".",
                        mend="Send one object.",
                        source=source,
                        line=1,
                        column=1,
                    )
                ]
            )
        return value

    def _match_native(self, value: dict[str, Any], account: Account, lenient: bool) -> dict[str, Any]:
        assert self.native is not None
        self._hook("check_read", account, value, message=self.info.name, lenient=lenient)
        self.refuse([i for i in account.issues if is_error(i)], account.issues)
        run = self.native.match(native_entries(value))
        for i, entry in enumerate(value.get("entry") or ()):
            if isinstance(entry, dict):
                run.extras(entry, ("fullUrl", "resource"), f"Bundle.entry[{i}]")
        unread, ignored, issues = self.native.account(run)
        account.unread_source += unread
        account.ignored_source |= ignored
        account.carried += run.carried
        account.issues += run.issues + issues
        self.refuse([i for i in account.issues if is_error(i)], account.issues)
        faults = self.payload.check(run.record)
        self.refuse(faults, account.issues + faults)
        return run.record

    def record_of(self, body: bytes) -> Any:
        """What this message's own bytes say, as data: JSON as it stands, or the record of one file of rows. Raises Refused."""
        if self.rows is None:
            return decode(body)
        return next((found.record for found in csv_records.read(body, self.rows) if found.record is not None), None)

    def assemble(self, entries: list[Entry], record: dict[str, Any], received: str | None) -> dict[str, Any]:
        """The hub Bundle of these entries."""
        keys = [_at(record, p.parts) for p in self.table.spec.key]
        url = uuid5(self._header, "\x1f".join(str(k) for k in keys))
        return hub.assemble(entries, self.info.event, self.system.name, url, received)

    def take_apart(self, bundle: dict[str, Any]) -> list[Entry]:
        """A hub Bundle's entries as the maps see them."""
        return hub.take_apart(
            bundle, self.info.event, header=any(m.id is not None for m in self.table.spec.maps if m.type == "MessageHeader")
        )

    # write --------------------------------------------------------------------------------------------------------
    def write(self, bundle: dict[str, Any], account: Account) -> bytes | None:
        """The native bytes of a hub Bundle; None where the account has errors."""
        self._hook("check_write", account, bundle)
        if any(is_error(i) for i in account.issues):
            return None
        entries = self.take_apart(bundle)
        if left_out := self.table.spec.left_out:
            account.ignored_bundle |= {
                f"Bundle.entry[{e['index']}].resource": left_out[e["resource"]["resourceType"]]
                for e in entries
                if e["resource"]["resourceType"] in left_out and "index" in e
            }
            entries = [e for e in entries if e["resource"]["resourceType"] not in left_out]
        run = self.table.match(entries)
        unread, ignored, issues = self.table.account(run)
        account.unread_bundle += unread
        account.ignored_bundle |= ignored
        account.carried += run.carried
        account.issues += run.issues + issues
        account.issues += self.payload.check(run.record)
        if any(is_error(i) for i in account.issues):
            return None
        body = self.encode(run.record, account)
        return None if any(is_error(i) for i in account.issues) else body

    def encode(self, record: dict[str, Any], account: Account) -> bytes:
        """The record as the system's own bytes."""
        if self.rows is not None:
            return self.header + csv_records.write(record, self.rows)
        if self.native is None:
            return encode(record)
        entries, filled = self.native.fill(record)
        account.issues += filled.issues
        pack = getattr(self.system.hooks, "pack", native_bundle)  # a system's own Bundle, where it is not flat
        return encode(pack(entries))

    @property
    def header(self) -> bytes:
        """What stands once at the top of a file with many of these messages, and at the top of each alone."""
        return csv_records.header_line(self.rows) if self.rows is not None else b""

    def ignored_record(self, record: dict[str, Any]) -> dict[str, str]:
        """What of the record of a payload the maps leave out on purpose, each path with the reason.

        Of a system that speaks FHIR the record is none of its own: what is left out of its resources is found as they are read.
        """
        return self.table.ignored_record(record) if self.native is None else {}

    # lineage ------------------------------------------------------------------------------------------------------
    def read_lineage(self, bundle: dict[str, Any], record: dict[str, Any], body: Any = None) -> list[Lineage]:
        """Hub element <- source path, for a Bundle that this message made of a record; body: of a system that speaks FHIR."""
        rows = self.table.lineage(self.take_apart(bundle), record=record)
        if self.native is None:
            return rows
        by_record: dict[str, list[Lineage]] = {}
        for row in self.native.lineage(native_entries(body)):
            by_record.setdefault(row.source, []).append(row)
        return [Lineage(r.target, n.target, r.map, (*n.codecs, *r.codecs)) for r in rows for n in by_record.get(r.source, ())]

    def write_lineage(self, bundle: dict[str, Any]) -> list[Lineage]:
        """Target path <- hub element, for a Bundle that this message writes.

        A system that speaks FHIR: the target is its own Bundle; where it packs that Bundle itself, the record between.
        """
        entries = self.take_apart(bundle)
        rows = [Lineage(r.source, r.target, r.map, r.codecs) for r in self.table.lineage(entries)]
        if self.native is None or hasattr(self.system.hooks, "pack"):
            return rows
        record = self.table.match(entries).record
        made = native_entries(native_bundle(self.native.fill(record)[0]))
        by_record: dict[str, list[Lineage]] = {}
        for row in self.native.lineage(made, record=record):
            by_record.setdefault(row.source, []).append(row)
        return [Lineage(n.target, r.source, r.map, (*r.codecs, *n.codecs)) for r in rows for n in by_record.get(r.target, ())]

    # small things -------------------------------------------------------------------------------------------------
    def _hook(self, name: str, account: Account, *values: Any, **options: Any) -> None:
        check = getattr(self.system.hooks, name, None)
        if check is not None:
            account.issues += check(*values, **options)

    @staticmethod
    def refuse(errors: list[Issue], every: list[Issue] | None = None) -> None:
        """Raise Refused where there is an error, with all issues."""
        if any(is_error(i) for i in errors):
            raise Refused(every or errors)


def same_identity(entries: list[Entry]) -> list[Issue]:
    """Two resources of a message with one identity: one of them would hide the other."""
    seen: set[str] = set()
    found = []
    for i, entry in enumerate(entries):
        url = entry.get("fullUrl")
        if url in seen:
            text = "Two records of the message have the same identifier; which of them counts is not known."
            found.append(
                issue(
                    "error",
                    "duplicate",
                    "duplicate-key",
                    text,
                    expression=f"Bundle.entry[{i}].resource",
                    mend="Give every record an identifier of its own, or send one of them.",
                )
            )
        if url is not None:
            seen.add(url)
    return found


def native_entries(bundle: dict[str, Any]) -> list[Entry]:
    """The entries of a Bundle that is not the hub's, the Bundle itself last."""
    entries: list[Entry] = []
    for i, entry in enumerate(bundle.get("entry") or ()):
        if isinstance(entry, dict) and isinstance(entry.get("resource"), dict):
            entries.append({"fullUrl": entry.get("fullUrl", ""), "resource": entry["resource"], "index": i})
    entries.append({"resource": {k: v for k, v in bundle.items() if k != "entry"}})
    return entries


def native_bundle(entries: list[Entry]) -> dict[str, Any]:
    """The Bundle that these entries stand in."""
    shell: dict[str, Any] = {"resourceType": "Bundle"}
    inside = []
    for entry in entries:
        if entry["resource"]["resourceType"] == "Bundle":
            shell.update(entry["resource"])
        else:
            inside.append(entry)
    return {**shell, "entry": inside}


def _url(resource: dict[str, Any]) -> str:
    name = str(resource.get("id", ""))
    return f"urn:uuid:{name}" if name.count("-") == 4 else name


def _at(record: Any, parts: tuple[str, ...]) -> Any:
    for part in parts:
        record = record.get(part) if isinstance(record, dict) else None
    return record
