"""What is installed from the wheel, in an environment with nothing else, is whole: code, data and dependencies.

The wheel is built without isolation, from the build tool of the extra `test`; its dependencies come from the package
index with the versions of requirements.lock. Where there is no index, the second half is skipped and says so.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def _run(*arguments: str | Path, cwd: Path, limit: int = 300) -> subprocess.CompletedProcess[str]:
    env = {
        name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "COLUMNS") and not name.startswith("OST_")
    }
    return subprocess.run([str(a) for a in arguments], cwd=cwd, env=env, capture_output=True, text=True, timeout=limit)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    ran = _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    assert ran.returncode == 0, ran.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of commands of a new environment that holds the wheel and what it asks for."""
    folder = tmp_path_factory.mktemp("env")
    assert _run(sys.executable, "-m", "venv", folder / "env", cwd=folder).returncode == 0
    commands = folder / "env" / "bin"
    pip = (commands / "python", "-m", "pip", "--disable-pip-version-check", "--quiet")
    ran = _run(*pip, "install", "--constraint", ROOT / "requirements.lock", wheel, cwd=folder, limit=500)
    if ran.returncode and re.search(r"NewConnectionError|Failed to establish|name resolution|Could not fetch URL", ran.stderr):
        pytest.skip("no package index can be reached, so nothing can be installed")
    assert ran.returncode == 0, ran.stderr
    return commands


def _data(folder: str) -> set[str]:
    return {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_code_and_data_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    code = {
        path.relative_to(ROOT).as_posix() for path in (ROOT / "adapter").rglob("*") if path.is_file() and path.suffix != ".pyc"
    }
    data = {f"adapter/shipped_data/{name}" for folder in ("mappings", "profiles", "fixtures") for name in _data(folder)}
    assert {name for name in names if ".dist-info/" not in name} == code | data
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_source_distribution_can_make_the_wheel_again(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "requirements.lock", "Makefile", "adapter/__main__.py"} <= names
    assert _data("mappings") | _data("profiles") | _data("fixtures") <= names


def test_the_demo_runs_where_only_the_wheel_is(installed: Path, tmp_path: Path) -> None:
    ran = _run(installed / "ost-adapter", "demo", cwd=tmp_path, limit=120)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.startswith("ost-adapter demo")
    assert list(tmp_path.iterdir()) == []


def test_the_same_systems_are_connected(installed: Path, tmp_path: Path) -> None:
    ran = _run(installed / "python", "-m", "adapter", "systems", "--json", cwd=tmp_path)
    assert {one["system"] for one in json.loads(ran.stdout)} == {
        path.parent.name for path in (ROOT / "mappings").glob("*/system.yaml")
    }


def test_every_dependency_is_there_and_agrees(installed: Path, tmp_path: Path) -> None:
    assert _run(installed / "python", "-m", "pip", "check", cwd=tmp_path).returncode == 0
    # Every module can be imported with what the wheel asks for, and nothing of the tests' own.
    walk = "import pkgutil, adapter, importlib\n"
    walk += "for module in pkgutil.walk_packages(adapter.__path__, 'adapter.'): importlib.import_module(module.name)"
    ran = _run(installed / "python", "-c", walk, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr


def test_types_travel_with_it(wheel: Path) -> None:
    assert "adapter/py.typed" in zipfile.ZipFile(wheel).namelist()
