"""The settings of a deployment, read from the environment once, all faults told at once.

Every setting is a field of Settings and an environment variable OST_<FIELD>; README.md lists them, and a test says so.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

PREFIX = "OST_"


@dataclass(frozen=True, slots=True)
class SettingFault:
    """One setting that cannot be used: its name, what it must be, and what to do."""

    name: str
    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.name}: {self.what}\n    mend: {self.mend}"


class SettingFaults(Exception):
    """Raised at start, with every fault of the settings."""

    def __init__(self, faults: list[SettingFault]) -> None:
        self.faults = faults
        super().__init__("\n".join(str(f) for f in faults))


class _Unusable(ValueError):
    """What a setting must be, and what to do; the value itself is not repeated, since another setting may be a key."""

    def __init__(self, what: str, mend: str) -> None:
        self.what, self.mend = what, mend
        super().__init__(what)


def _folders(said: str) -> tuple[Path, ...]:
    found = tuple(Path(part) for part in said.split(os.pathsep) if part)
    missing = [str(folder) for folder in found if not folder.is_dir()]
    if missing:
        raise _Unusable(
            f"must name folders that are there, and {', '.join(missing)} is not", f"separate folders by {os.pathsep!r}"
        )
    return found


def _whole(low: int, high: int, unit: str) -> Callable[[str], int]:
    def read(said: str) -> int:
        # isascii: int() would take the digits of any script, and spaces and underscores besides.
        if not (said.isascii() and said.isdigit() and len(said) < 16 and low <= int(said) <= high):
            raise _Unusable(f"must be a whole number from {low} to {high} ({unit})", "write digits alone")
        return int(said)

    return read


def _yes_or_no(said: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if said.lower() not in words:
        raise _Unusable("must be true or false", "write true or false")
    return words[said.lower()]


def _host(said: str) -> str:
    if not said or any(c.isspace() or c in "/@" for c in said):
        raise _Unusable("must be a host name or an address", "write for instance 127.0.0.1, or 0.0.0.0 for every interface")
    return said


def _setting(default: Any, read: Callable[[str], Any], says: str) -> Any:
    return field(default=default, metadata={"read": read, "says": says})


@dataclass(frozen=True, slots=True)
class Settings:
    """What a deployment can choose. `says` of a field's metadata is what the documents and `serve --help` print."""

    mappings: tuple[Path, ...] = _setting((), _folders, "further folders of systems, separated as PATH is")
    policies: tuple[Path, ...] = _setting((), _folders, "further folders of policies of shared care, separated as PATH is")
    lenient: bool = _setting(False, _yes_or_no, "an NHS number that fails its check digit is carried with a warning, not refused")
    host: str = _setting("127.0.0.1", _host, "the address that `serve` listens on")
    port: int = _setting(8080, _whole(0, 65535, "a TCP port; 0: any that is free"), "the port that `serve` listens on")
    threads: int = _setting(8, _whole(1, 256, "threads"), "how many requests `serve` works on at once")
    max_body: int = _setting(10_000_000, _whole(1, 1_000_000_000, "bytes"), "the largest request body, in bytes")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """The settings that this environment says; an empty variable counts as not set.

        Raises SettingFaults with every setting that cannot be used and every misspelt name.
        """
        chosen: dict[str, Any] = {}
        faults: list[SettingFault] = []
        by_name = {PREFIX + f.name.upper(): f for f in fields(cls)}
        for name, one in by_name.items():
            if said := environ.get(name, "").strip():
                try:
                    chosen[one.name] = one.metadata["read"](said)
                except _Unusable as fault:
                    faults.append(SettingFault(name, fault.what, fault.mend))
        faults += _misspelt(environ, by_name)
        if faults:
            raise SettingFaults(faults)
        return cls(**chosen)


def _misspelt(environ: Mapping[str, str], known: Mapping[str, Any]) -> list[SettingFault]:
    """OST_MAPINGS would be ignored in silence. Names that only share the prefix are not ours to judge.

    An orchestrator sets such names by itself: Kubernetes gives OST_ADAPTER_PORT for a service that is called ost-adapter.
    """
    import difflib

    found = []
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.85)
            if near:
                found.append(SettingFault(name, "no setting has this name", f"did you mean {near[0]}?"))
    return found
