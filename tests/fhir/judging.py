"""Independent judges of FHIR: installed once into a folder of their own, asked in a process of their own.

A test that asks one is skipped by name, with the reason, where they cannot be installed (no package index, say).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

_HERE = Path(__file__).resolve().parent / "judges"
_WANTED = _HERE / "requirements.txt"


def ask(config: pytest.Config, judge: str, questions: list[Any], folder: Path | None = None) -> list[Any]:
    """The judge's answers, one a question, in their order (see judges/judge.py). Skips the test where there is no judge."""
    environment = {**os.environ, "PYTHONPATH": str(_installed(config)), "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python"}
    asked = json.dumps({"judge": judge, "ask": questions, "folder": str(folder)}, default=float)
    run = subprocess.run(
        [sys.executable, "-W", "ignore", str(_HERE / "judge.py")],
        input=asked, capture_output=True, text=True, env=environment, timeout=240,
    )  # fmt: skip
    if run.returncode:
        pytest.skip(f"the judge {judge} does not run on this Python: {run.stderr.strip().splitlines()[-1]}")
    answers: list[Any] = json.loads(run.stdout)
    assert len(answers) == len(questions)
    return answers


def _installed(config: pytest.Config) -> Path:
    """The folder with the judges, installed when it is first asked for."""
    assert config.cache is not None
    stamp = hashlib.sha256(_WANTED.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = Path(config.cache.mkdir("judges")) / stamp
    if not folder.exists():
        # Several workers may begin at once: each installs for itself, and the first to be done gives the name.
        with tempfile.TemporaryDirectory(dir=folder.parent, ignore_cleanup_errors=True) as made:
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", made, "-r", str(_WANTED)]
            run = subprocess.run(command, capture_output=True, text=True, timeout=300)
            if run.returncode:
                pytest.skip(f"the independent judges cannot be installed: {run.stderr.strip().splitlines()[-1]}")
            with contextlib.suppress(OSError):
                Path(made).rename(folder)
    return folder
