from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path

import pytest

from adapter.interfaces.settings import SettingFaults, Settings


def test_nothing_said_gives_the_defaults() -> None:
    assert Settings.from_environment({}) == Settings()
    assert Settings.from_environment({"OST_PORT": "", "OST_LENIENT": " "}) == Settings()


def test_every_setting_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    said = {
        "OST_MAPPINGS": f"{tmp_path / 'a'}{os.pathsep}{tmp_path / 'b'}", "OST_POLICIES": str(tmp_path / "a"),
        "OST_LENIENT": "yes", "OST_HOST": "::1", "OST_PORT": "0", "OST_THREADS": "3", "OST_MAX_BODY": "2000",
    }  # fmt: skip
    read = Settings.from_environment(said)
    assert read == Settings((tmp_path / "a", tmp_path / "b"), (tmp_path / "a",), True, "::1", 0, 3, 2000)
    assert {f"OST_{f.name.upper()}" for f in fields(Settings)} == set(said), "a new setting needs its line here"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OST_PORT", "65536"), ("OST_PORT", "-1"), ("OST_PORT", "8_080"), ("OST_PORT", "80.0"), ("OST_PORT", "\u0661"),
        ("OST_PORT", "tcp://10.0.0.1:80"), ("OST_THREADS", "0"), ("OST_MAX_BODY", "10MB"), ("OST_MAX_BODY", "9" * 5000),
        ("OST_LENIENT", "maybe"), ("OST_HOST", "a b"), ("OST_HOST", "user@host"), ("OST_MAPPINGS", "/no/such/folder"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_a_fault_that_says_what_to_do(name: str, value: str) -> None:
    with pytest.raises(SettingFaults) as raised:
        Settings.from_environment({name: value})
    (fault,) = raised.value.faults
    assert fault.name == name
    assert fault.what.startswith("must ")
    assert fault.mend


def test_all_faults_come_at_once() -> None:
    said = {"OST_PORT": "x", "OST_THREADS": "x", "OST_LENIENT": "x", "OST_MAPINGS": "/x"}
    with pytest.raises(SettingFaults) as raised:
        Settings.from_environment(said)
    assert {fault.name for fault in raised.value.faults} == set(said)


def test_a_misspelt_name_is_a_fault_and_an_orchestrators_is_not() -> None:
    with pytest.raises(SettingFaults, match="did you mean OST_MAX_BODY"):
        Settings.from_environment({"OST_MAXBODY": "1000"})
    # What Kubernetes sets for a service called ost-adapter.
    theirs = {
        "OST_ADAPTER_PORT": "tcp://10.0.0.1:80",
        "OST_ADAPTER_SERVICE_HOST": "10.0.0.1",
        "OST_ADAPTER_PORT_80_TCP_PROTO": "tcp",
    }
    assert Settings.from_environment(theirs) == Settings()
