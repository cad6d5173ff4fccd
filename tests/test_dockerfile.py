"""The image cannot be built everywhere the tests run, so it is read: by hadolint, and for what we promise of it."""

from __future__ import annotations

import fnmatch
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "Dockerfile").read_text()
STAGES = re.split(r"^(?=FROM )", TEXT.replace("\\\n", " "), flags=re.MULTILINE)[1:]


def _said(instruction: str, stage: str = STAGES[-1]) -> list[str]:
    return re.findall(rf"^{instruction} +(.+)$", stage, flags=re.MULTILINE)


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    found = subprocess.run([str(hadolint), "--no-color", str(ROOT / "Dockerfile")], capture_output=True, text=True, timeout=60)
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_the_last_stage_runs_as_nobody_in_particular() -> None:
    users = _said("USER")
    assert users and all(re.fullmatch(r"[1-9]\d*:[1-9]\d*", user) for user in users)


def test_every_stage_names_its_base_to_the_distribution() -> None:
    assert [stage.split()[1] for stage in STAGES] == ["python:3.11-slim-bookworm"] * 2


def test_health_is_asked_by_the_command_that_follows_the_port() -> None:
    (check,) = _said("HEALTHCHECK")
    assert check.endswith('CMD ["ost-adapter", "healthcheck"]')
    assert not re.search(r"\d{4}", check), "the port stands in OST_PORT alone"


def test_the_image_starts_the_server_on_every_interface() -> None:
    assert _said("ENTRYPOINT") == ['["ost-adapter"]'] and _said("CMD") == ['["serve"]']
    assert "OST_HOST=0.0.0.0" in STAGES[-1]


def test_only_the_result_reaches_the_last_stage() -> None:
    assert [copy.split()[0] for copy in _said("COPY")] == ["--from=build"]


def test_the_context_holds_what_the_wheel_is_made_of_and_no_more() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {*wheel["only-include"], "pyproject.toml", project["project"]["readme"], *project["project"]["license-files"]}
    ignored = (ROOT / ".dockerignore").read_text().split("\n")
    allowed = {line[1:] for line in ignored if line.startswith("!")}
    copied = {part for copy in _said("COPY", STAGES[0]) for part in copy.split()[:-1]}
    assert ignored[1] == "*"
    assert needed | {"requirements.lock"} == copied
    assert copied <= allowed
    assert not any(fnmatch.fnmatch(secret, pattern) for secret in (".git", ".venv", "tests") for pattern in allowed)
