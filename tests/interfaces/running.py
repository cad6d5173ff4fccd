"""The command and the server as processes of their own, with the real systems, bounded in time."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This environment without settings of ours, with the checkout to import from."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OST_")}
    return {**clean, "PYTHONPATH": str(ROOT), **(extra or {})}


def command(
    *arguments: str, env: Mapping[str, str] | None = None, stdin: bytes = b"", cwd: Path = ROOT
) -> subprocess.CompletedProcess[bytes]:
    """`ost-adapter ...`, run to its end."""
    run = [sys.executable, "-m", "adapter", *arguments]
    return subprocess.run(run, input=stdin, capture_output=True, timeout=120, cwd=cwd, env=environment(env))


@dataclass
class Served:
    """A running server: its process, the port it took, and the lines it has said."""

    process: subprocess.Popen[str]
    port: int = 0
    lines: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def served(*arguments: str, env: Mapping[str, str] | None = None, **options: object) -> Iterator[Served]:
    """`ost-adapter serve --port 0` until the block ends; stopped by SIGTERM, killed if that does not help."""
    run = [sys.executable, "-m", "adapter", "serve", "--port", "0", *arguments]
    process = subprocess.Popen(
        run, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment(env), start_new_session=True,
        **{"cwd": ROOT, **options},  # type: ignore[call-overload]
    )  # fmt: skip
    running = Served(process)
    listening = threading.Event()

    def listen() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            running.lines.append(line)
            if found := re.search(r'"event":"listening".*"port":(\d+)', line):
                running.port = int(found[1])
                listening.set()
        listening.set()

    reader = threading.Thread(target=listen, daemon=True)
    reader.start()
    try:
        assert listening.wait(60) and running.port, f"the server did not start: {running.lines[-4:]}"
        yield running
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
        reader.join(10)
        assert process.stderr is not None
        process.stderr.close()
