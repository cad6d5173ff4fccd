"""What the benchmark compares with: each engine's packages, and a throw-away environment for them under .bench/.

Nothing here is a dependency of the project. An engine that cannot be installed is left out, by name and with the reason.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parents[1] / ".bench"
#: Seconds that one installation may take.
PATIENCE = 600


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine to compare with: the case of worker.py (or of peers/worker.mjs), its title and what it needs, exactly."""

    case: str
    title: str
    packages: tuple[str, ...]
    node: bool = False

    @property
    def folder(self) -> Path:
        """Its environment; all of Node's share one."""
        return FOLDER / ("node" if self.node else self.case)


#: orjson, which the hand-written function and every Python engine use at both ends, stands in an environment of its own.
ORJSON = Engine("orjson", "orjson", ("orjson==3.13.0",))

ENGINES = (
    Engine("jq", "jq (C library)", ("jq==1.13.0",)),
    Engine("jsonatapy", "jsonatapy (JSONata, Rust)", ("jsonatapy==2.2.13",)),
    Engine("jsonata2py", "jsonata2py (JSONata as Python)", ("jsonata2py==0.1.3",)),
    Engine("jsonata_python", "jsonata-python", ("jsonata-python==0.7.1",)),
    Engine("python_fhir_converter", "python-fhir-converter (Liquid)", ("python-fhir-converter==0.3.0",)),
    # fpml 1.0.0 does not declare typing_extensions, which it imports.
    Engine("fpml", "fpml (FHIRPath)", ("fpml==1.0.0", "typing_extensions==4.15.0")),
    Engine("jsonata_js", "jsonata (Node)", ("jsonata@2.2.2",), node=True),
    Engine("fumifier", "fumifier (Node)", ("fumifier@2.1.2",), node=True),
)


class Missing(Exception):
    """An engine that cannot be had here; the text says why."""


def python(engine: Engine) -> Path:
    """The interpreter of a Python engine's environment, made anew where it does not hold these versions. Raises Missing."""
    made = engine.folder / "bin" / "python"
    _ignored()
    if _noted(engine):
        return made
    shutil.rmtree(engine.folder, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(engine.folder)])
    _run([str(made), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", *engine.packages])
    _note(engine)
    return made


def node(engine: Engine) -> Path:
    """Node itself, with the engine's packages in its folder. Raises Missing."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found is None or npm is None:
        raise Missing("there is no node or npm here")
    _ignored()
    if not _noted(engine):
        engine.folder.mkdir(parents=True, exist_ok=True)
        (engine.folder / "package.json").touch()
        if not (engine.folder / "package.json").read_text():
            (engine.folder / "package.json").write_text('{"private": true}\n')
        _run([npm, "install", "--no-audit", "--no-fund", "--silent", "--prefix", str(engine.folder), *engine.packages])
        _note(engine)
    return Path(found)


def site_packages(interpreter: Path) -> str:
    """Where an environment keeps its packages."""
    said = _run([str(interpreter), "-c", "import sysconfig; print(sysconfig.get_path('platlib'))"])
    return said.strip()


def _ignored() -> None:
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / ".gitignore").write_text("*\n", "utf-8")  # whatever the project's own says


def _mark(engine: Engine) -> Path:
    return engine.folder / f".{engine.case}"


def _noted(engine: Engine) -> bool:
    return _mark(engine).is_file() and _mark(engine).read_text("utf-8") == " ".join((sys.version, *engine.packages))


def _note(engine: Engine) -> None:
    _mark(engine).write_text(" ".join((sys.version, *engine.packages)), "utf-8")


def _run(command: list[str]) -> str:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=environment, check=False)
    except subprocess.TimeoutExpired:
        raise Missing(f"it was not installed within {PATIENCE} s") from None
    if done.returncode:
        said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise Missing(
            next((line.strip() for line in said if "rror" in line), said[-1].strip() if said else "it could not be installed")
        )
    return done.stdout
