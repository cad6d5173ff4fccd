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
      order: ProcessingId         # of several rows with one key the highest counts
      tombstone: Deleted          # a row that withdraws; its joins may all be missing
      flags: [Deleted, IsActive]  # columns that say true or false, in any case of letters
      spelling: {ClinicanUserInRoleGuid: ClinicianUserInRoleGuid}     # headers misspelt by the source: as written, as meant
      columns: {Prescribing_IssueRecord: [...]}          # those that every version of the file has
      later-columns: {Prescribing_IssueRecord: [...]}    # those that some versions have
      remarks:                    # issues on a record: rule, severity, text, mend, and when
        - {when: {drug.IsActive: true, drug.CancellationDate: present}, severity: warning, rule: ..., text: ..., mend: ...}

`missing` says what becomes of a record that names a partner who is not in the extract: `refuse`, `warn` (the default) or `allow`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_WORDS = frozenset(
    ("from", "join", "order", "tombstone", "flags", "spelling", "columns", "later-columns", "remarks")
)  # fmt: skip
_JOIN_WORDS = frozenset(("file", "on", "missing", "file-may-be-absent"))
_MISSING = ("refuse", "warn", "allow")
_REMARK_WORDS = frozenset(("when", "severity", "rule", "text", "mend"))

#: The member of a record that says where it comes from; no join may have this name.
ORIGIN = "extract"


@dataclass(frozen=True, slots=True)
class Join:
    """One left join: the record's member that it fills, the file, the pairs of columns (here, there), and what else."""

    name: str
    file: str
    on: tuple[tuple[str, str], ...]
    missing: str = "warn"
    file_may_be_absent: bool = False

    @property
    def here(self) -> tuple[str, ...]:
        """The columns on the record's side: a column of the first file, or `join.Column`."""
        return tuple(one for one, _ in self.on)

    @property
    def there(self) -> tuple[str, ...]:
        """The columns on the joined file's side: its key."""
        return tuple(one for _, one in self.on)


@dataclass(frozen=True, slots=True)
class Remark:
    """An issue that a record gets when each path has the value given, is present or is absent."""

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
    order: str
    tombstone: str
    flags: frozenset[str]
    spelling: Mapping[str, str]
    columns: Mapping[str, tuple[str, ...]]
    later: Mapping[str, tuple[str, ...]]
    remarks: tuple[Remark, ...]

    @property
    def files(self) -> dict[str, bool]:
        """Every file that is read, and whether it must be there."""
        needed = {self.start: True}
        for join in self.joins:
            needed[join.file] = needed.get(join.file, False) or not join.file_may_be_absent
        return needed

    def keys_of(self, file: str) -> set[str]:
        """The columns of a file that are compared, ordered by or branched on: read without the spaces around them."""
        found = {self.order, self.tombstone, *self.flags}
        if file == self.start:
            found.update(self.key)
        for join in self.joins:
            if join.file == file:
                found.update(join.there)
            for here in join.here:
                owner, _, column = here.rpartition(".")
                if (not owner and file == self.start) or any(j.name == owner and j.file == file for j in self.joins):
                    found.add(column)
        return found


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
    remarks = tuple(_remark(number, one, faults) for number, one in enumerate(said.get("remarks", ()), 1))
    if faults:
        raise ValueError("\n".join(faults))
    return Layout(
        start=said["from"],
        key=key,
        joins=joins,
        order=said.get("order", ""),
        tombstone=said.get("tombstone", ""),
        flags=frozenset(said.get("flags", ())),
        spelling=dict(said.get("spelling", {})),
        columns={file: tuple(columns) for file, columns in said.get("columns", {}).items()},
        later={file: tuple(columns) for file, columns in said.get("later-columns", {}).items()},
        remarks=remarks,
    )


def _joins(said: Mapping[str, Any], faults: list[str]) -> tuple[Join, ...]:
    made: list[Join] = []
    for name, one in said.items():
        if not isinstance(one, Mapping) or not {"file", "on"} <= set(one) <= _JOIN_WORDS:
            faults.append(f"join {name}: needs file and on, and may have missing and file-may-be-absent")
            continue
        if name == ORIGIN or not name.islower():
            faults.append(f"join {name}: the name is in small letters, so that it is no column's, and is not {ORIGIN}")
        if one.get("missing", "warn") not in _MISSING:
            faults.append(f"join {name}: missing is one of {', '.join(_MISSING)}")
        on = one["on"]
        pairs = on.items() if isinstance(on, Mapping) else ((c, c) for c in ([on] if isinstance(on, str) else on))
        join = Join(name, one["file"], tuple(pairs), one.get("missing", "warn"), bool(one.get("file-may-be-absent", False)))
        above = {j.name for j in made}
        faults.extend(
            f"join {name}: {here} goes through a join that does not stand above it"
            for here in join.here
            if "." in here and here.split(".")[0] not in above
        )
        made.append(join)
    return tuple(made)


def _remark(number: int, said: Any, faults: list[str]) -> Remark:
    if not isinstance(said, Mapping) or set(said) != _REMARK_WORDS or not isinstance(said["when"], Mapping):
        faults.append(f"remark {number}: needs {', '.join(sorted(_REMARK_WORDS))}")
        return Remark((), "", "", "", "")
    when = tuple((tuple(path.split(".")), wanted) for path, wanted in said["when"].items())
    return Remark(when, said["severity"], said["rule"], said["text"], said["mend"])
