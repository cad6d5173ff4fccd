"""`rows:` of a message that is read from a multi-file extract: which file its records start from and what is joined to them.

It is data of the system's manifest:

    rows:
      from: Prescribing_IssueRecord
      join:                       # left joins, in this order; each becomes one object of the record, named as here
        patient:  {file: Admin_Patient, on: PatientGuid, missing: refuse}
        drug:     {file: Prescribing_DrugRecord, on: [PatientGuid, DrugRecordGuid]}
        prescriber: {file: Admin_UserInRole, on: {ClinicianUserInRoleGuid: UserInRoleGuid}}   # {column here: column there}
        employer: {file: Admin_Organisation, on: {prescriber.OrganisationGuid: OrganisationGuid}}   # through a join above
        agreement: {file: Agreements_SharingOrganisation, on: OrganisationGuid, file-may-be-absent: true}
        # key: which rows there are versions of one another, where that is less than what is compared
        slot: {file: Appointment_Slot, on: {PatientGuid: PatientGuid, AppointmentSlotGuid: SlotGuid}, key: SlotGuid}
      lists:                      # joins to many rows; each becomes a list of the record, in their own order
        observations:
          file: CareRecord_Observation
          on: [PatientGuid, ConsultationGuid]      # {column of the first file: column there}
          key: [PatientGuid, ObservationGuid]      # which rows are versions of one another
          join: {code: {file: Coding_ClinicalCode, on: CodeId}}    # joins of each of them, as above
      order: ProcessingId         # of several rows with one key the highest counts
      identity: [PersonGuid]      # a later row of one key with another value here is said with a warning
      tombstone: Deleted          # a row that withdraws; its joins may all be missing. Or through a join: observation.Deleted
      flags: [Deleted, IsActive]  # columns that say true or false, in any case of letters
      spelling: {ClinicanUserInRoleGuid: ClinicianUserInRoleGuid}     # headers misspelt by the source: as written, as meant
      columns: {Prescribing_IssueRecord: [...]}          # those that every version of the file has
      later-columns: {Prescribing_IssueRecord: [...]}    # those that some versions have
      remarks:                    # issues on a record: rule, severity, text, mend, and when
        - {when: {drug.IsActive: true, drug.CancellationDate: present}, severity: warning, rule: ..., text: ..., mend: ...}
        # A list: one of these. other-than and same-as: both values are there.
        - {when: {EffectiveDatePrecision: [YMD, YMDT], EffectiveDate: {other-than: slot.AppointmentDate}}, ...}

`missing` says what becomes of a record that names a partner who is not in the extract: `refuse`, `warn` (the default) or `allow`.
A row of a list that names no record is no row of this message; one that names a record that is not in the extract is refused,
and so is a row that withdraws and does not say from which record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_WORDS = frozenset(
    ("from", "join", "lists", "order", "identity", "tombstone", "flags", "spelling", "columns", "later-columns", "remarks")
)  # fmt: skip
_JOIN_WORDS = frozenset(("file", "on", "key", "missing", "file-may-be-absent"))
_LIST_WORDS = frozenset(("file", "on", "key", "join"))
_MISSING = ("refuse", "warn", "allow")
_COMPARED = ("same-as", "other-than")
_REMARK_WORDS = frozenset(("when", "severity", "rule", "text", "mend"))

#: The member of a record that says where it comes from; no join may have this name.
ORIGIN = "extract"


@dataclass(frozen=True, slots=True)
class Join:
    """One left join: the record's member that it fills, the file, the pairs of columns (here, there), and what else."""

    name: str
    file: str
    on: tuple[tuple[str, str], ...]
    key: tuple[str, ...]
    missing: str = "warn"
    file_may_be_absent: bool = False

    @property
    def here(self) -> tuple[str, ...]:
        """The columns on the record's side: a column of the first file, or `join.Column`."""
        return tuple(one for one, _ in self.on)

    @property
    def there(self) -> tuple[str, ...]:
        """The columns on the joined file's side; its key is among them."""
        return tuple(one for _, one in self.on)


@dataclass(frozen=True, slots=True)
class Listed:
    """A join to many rows: the record's list that it fills, the file, the pairs of columns (here, there), what makes two rows
    versions of one another, and the joins of each."""

    name: str
    file: str
    on: tuple[tuple[str, str], ...]
    key: tuple[str, ...]
    joins: tuple[Join, ...] = ()

    @property
    def there(self) -> tuple[str, ...]:
        """The columns that name the record."""
        return tuple(one for _, one in self.on)


@dataclass(frozen=True, slots=True)
class Remark:
    """An issue that a record gets when each path has the value (or one of those) given, is present or absent, or has (has not)
    the value of another path."""

    when: tuple[tuple[tuple[str, ...], Any], ...]
    severity: str
    rule: str
    text: str
    mend: str


@dataclass(frozen=True, slots=True)
class Layout:
    """`rows:`, checked."""

    start: str
    key: tuple[str, ...]
    joins: tuple[Join, ...]
    lists: tuple[Listed, ...]
    order: str
    identity: tuple[str, ...]
    tombstone: str
    flags: frozenset[str]
    spelling: Mapping[str, str]
    columns: Mapping[str, tuple[str, ...]]
    later: Mapping[str, tuple[str, ...]]
    remarks: tuple[Remark, ...]

    @property
    def every_join(self) -> tuple[Join, ...]:
        """The joins of the record and those of its lists."""
        return (*self.joins, *(join for one in self.lists for join in one.joins))

    @property
    def files(self) -> dict[str, bool]:
        """Every file that is read, and whether it must be there."""
        needed = {self.start: True} | {one.file: True for one in self.lists}
        for join in self.every_join:
            needed[join.file] = needed.get(join.file, False) or not join.file_may_be_absent
        return needed

    @property
    def keys(self) -> list[tuple[str, tuple[str, ...]]]:
        """(file, key) for every key that tells the rows of a file apart."""
        lists, joins = [(one.file, one.key) for one in self.lists], [(one.file, one.key) for one in self.every_join]
        return list(dict.fromkeys([(self.start, self.key), *lists, *joins]))

    def compared(self, file: str) -> set[str]:
        """The columns of a file that a key or a join compares."""
        found = {column for name, key in self.keys if name == file for column in key}
        for start, joins in ((self.start, self.joins), *((one.file, one.joins) for one in self.lists)):
            files = {"": start} | {join.name: join.file for join in joins}
            for join in joins:
                found.update(join.there if join.file == file else ())
                found.update(column for owner, column in map(_apart, join.here) if files.get(owner) == file)
        for one in self.lists:
            found.update(one.there if one.file == file else ())
            found.update(here for here, _ in one.on if self.start == file)
        return found

    def keys_of(self, file: str) -> set[str]:
        """The columns of a file that are compared, ordered by or branched on: read without the spaces around them."""
        return {self.order, _apart(self.tombstone)[1], *self.flags, *self.compared(file)}


def _apart(path: str) -> tuple[str, str]:
    """`join.Column` -> ("join", "Column"); `Column` -> ("", "Column")."""
    owner, _, column = path.rpartition(".")
    return owner, column


def layout(manifest: Mapping[str, Any]) -> Layout:
    """The layout of one message of a system.yaml, from its `key` and `rows`.

    Raises ValueError that names every fault of them at once.
    """
    said = manifest.get("rows")
    if not isinstance(said, Mapping):
        raise ValueError("rows: is missing; it says which file the records start from")  # noqa: TRY004 - a fault of the manifest
    faults = [f"rows: {word} is no word here; the words are {', '.join(sorted(_WORDS))}" for word in said if word not in _WORDS]
    key = tuple(manifest.get("key", ()))
    if "from" not in said:
        faults.append("rows: from is missing; it names the file that gives one record a row")
    if not key or any("." in column for column in key):
        faults.append("key: name one or more columns of the first file")
    joins = _joins(said.get("join", {}), faults)
    lists = _lists(said.get("lists", {}), {ORIGIN, *(join.name for join in joins)}, faults)
    remarks = tuple(_remark(number, one, faults) for number, one in enumerate(said.get("remarks", ()), 1))
    if faults:
        raise ValueError("\n".join(faults))
    return Layout(
        start=said["from"],
        key=key,
        joins=joins,
        lists=lists,
        order=said.get("order", ""),
        identity=_names(said.get("identity", ())),
        tombstone=said.get("tombstone", ""),
        flags=frozenset(said.get("flags", ())),
        spelling=dict(said.get("spelling", {})),
        columns={file: tuple(columns) for file, columns in said.get("columns", {}).items()},
        later={file: tuple(columns) for file, columns in said.get("later-columns", {}).items()},
        remarks=remarks,
    )


def _joins(said: Mapping[str, Any], faults: list[str], of: str = "join") -> tuple[Join, ...]:
    made: list[Join] = []
    for name, one in said.items():
        if not isinstance(one, Mapping) or not {"file", "on"} <= set(one) <= _JOIN_WORDS:
            faults.append(f"{of} {name}: needs file and on, and may have key, missing and file-may-be-absent")
            continue
        if name == ORIGIN or not name.islower():
            faults.append(f"{of} {name}: the name is in small letters, so that it is no column's, and is not {ORIGIN}")
        if one.get("missing", "warn") not in _MISSING:
            faults.append(f"{of} {name}: missing is one of {', '.join(_MISSING)}")
        on = _pairs(one["on"])
        there = tuple(column for _, column in on)
        key = _names(one.get("key", there))
        if not set(key) <= set(there):
            faults.append(f"{of} {name}: key has a column that on does not compare, so that several rows could be joined")
        join = Join(name, one["file"], on, key, one.get("missing", "warn"), bool(one.get("file-may-be-absent", False)))
        above = {j.name for j in made}
        faults.extend(
            f"{of} {name}: {here} goes through a join that does not stand above it"
            for here in join.here
            if "." in here and here.split(".")[0] not in above
        )
        made.append(join)
    return tuple(made)


def _lists(said: Mapping[str, Any], taken: set[str], faults: list[str]) -> tuple[Listed, ...]:
    made: list[Listed] = []
    for name, one in said.items():
        if not isinstance(one, Mapping) or not {"file", "on", "key"} <= set(one) <= _LIST_WORDS:
            faults.append(f"list {name}: needs file, on and key, and may have join")
            continue
        if name in taken or not name.islower():
            faults.append(f"list {name}: the name is in small letters, so that it is no column's, and is no join's")
        on = _pairs(one["on"])
        if any("." in here for here, _ in on):
            faults.append(f"list {name}: on compares columns of the first file")
        joins = _joins(one.get("join", {}), faults, f"join of {name}")
        made.append(Listed(name, one["file"], on, _names(one["key"]), joins))
    return tuple(made)


def _pairs(on: Any) -> tuple[tuple[str, str], ...]:
    return tuple(on.items() if isinstance(on, Mapping) else ((column, column) for column in _names(on)))


def _names(said: Any) -> tuple[str, ...]:
    return (said,) if isinstance(said, str) else tuple(said)


def _remark(number: int, said: Any, faults: list[str]) -> Remark:
    if not isinstance(said, Mapping) or set(said) != _REMARK_WORDS or not isinstance(said["when"], Mapping):
        faults.append(f"remark {number}: needs {', '.join(sorted(_REMARK_WORDS))}")
        return Remark((), "", "", "", "")
    when = tuple((tuple(path.split(".")), wanted) for path, wanted in said["when"].items())
    for path, wanted in said["when"].items():
        if isinstance(wanted, Mapping) and (len(wanted) != 1 or not set(wanted) <= set(_COMPARED)):
            faults.append(f"remark {number}: {path} is compared by {' or '.join(_COMPARED)}: path")
    return Remark(when, said["severity"], said["rule"], said["text"], said["mend"])
