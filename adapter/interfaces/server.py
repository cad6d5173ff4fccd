"""The server process: gunicorn with one worker of threads, so that maps are compiled once and every request shares them.

Nothing is written to disk: no control socket, no pid file, the worker's heartbeat in memory where there is any.
"""

from __future__ import annotations

import logging
import socket
import sys
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.http import errors
from gunicorn.workers.gthread import ThreadWorker
from werkzeug.exceptions import BadRequest

from adapter.fhir import json
from adapter.fhir.outcome import issue, outcome
from adapter.interfaces import answers
from adapter.interfaces.http import create_app
from adapter.interfaces.settings import SettingFault, SettingFaults, Settings

if TYPE_CHECKING:
    from adapter import Adapter

#: What gunicorn refuses before Flask sees it -> status; every other broken request is 400.
_STATUS: dict[type[Exception], int] = {
    errors.LimitRequestLine: 414,
    errors.LimitRequestHeaders: 431,
    errors.UnsupportedTransferCoding: 501,
    errors.ExpectationFailed: 417,
}


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """A threaded worker that answers a request it cannot parse as we answer everything: with an OperationOutcome."""

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Gunicorn's own answer is HTML that quotes what was sent."""
        status = _STATUS.get(type(exc), 400 if isinstance(exc, errors.ParseException) else 500)
        if status == 500:
            self.log.error("A request could not be handled: %s", type(exc).__name__)
        text = "This is no HTTP request that can be read." if status < 500 else "The server could not handle this request."
        body = json.encode(outcome([issue("fatal", "structure", f"http-{status}", text)]))
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nConnection: close\r\nContent-Type: application/fhir+json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        try:
            client.sendall(head.encode("ascii") + body)
        except OSError:
            self.log.debug("The client has gone before its error could be said.")


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    def __init__(self, ost: Adapter, settings: Settings, listener: socket.socket) -> None:
        self.ost, self.settings, self.listener = ost, settings, listener
        super().__init__()

    def load_config(self) -> None:
        memory = Path("/dev/shm")  # noqa: S108  # memory, where it exists: a read-only root file system has no other place
        chosen = {
            "bind": f"fd://{self.listener.fileno()}",
            "worker_class": f"{__name__}.{Worker.__name__}",
            "workers": 1,
            "threads": self.settings.threads,
            "preload_app": True,
            "control_socket_disable": True,
            "worker_tmp_dir": str(memory) if memory.is_dir() else None,
            "graceful_timeout": 25,
            "timeout": 60,
            "keepalive": 5,
            "proc_name": "ost-adapter",
            "loglevel": "warning",
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        app = create_app(self.ost, self.settings)
        # Gunicorn reads the body only when the application does: a broken chunk is found there.
        app.register_error_handler(errors.ParseException, lambda _: answers.http_error(BadRequest()))
        return app


def listening(settings: Settings) -> socket.socket:
    """A socket that listens where the settings say. Raises SettingFaults where that cannot be had."""
    try:
        family = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((settings.host, settings.port), family=family, backlog=256)
    except OSError as error:
        fault = f"{settings.host}:{settings.port} cannot be listened on: {error.strerror}"
        raise SettingFaults([SettingFault("OST_HOST, OST_PORT", fault, "choose a port that is free on this machine")]) from error


def run(ost: Adapter, settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; requests that are being worked on are finished first. Raises SettingFaults, MapFaults."""
    # Compiled here, before the worker is forked, so that no request waits for it.
    for name, system in ost.systems.items():
        for message in system.messages:
            ost.message(f"{name}/{message}")
    _ = ost.gate
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    listener = listening(settings)
    host, port = listener.getsockname()[:2]  # port 0 asked for any that is free: this is the one that was had
    logging.getLogger("ost-adapter").info(json.encode({"event": "listening", "host": host, "port": port}).decode())
    _Server(ost, settings, listener).run()
