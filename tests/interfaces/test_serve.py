"""The server as a process: what only a real socket shows. Loopback, a free port, bounded in count and time."""

from __future__ import annotations

import contextlib
import functools
import io
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

import adapter
from adapter.fhir import json
from adapter.interfaces.exits import Exit
from adapter.shipped import FIXTURES
from tests.interfaces.running import ROOT, Served, command, environment, served

pytestmark = pytest.mark.slow

CASE = FIXTURES / "pharmacy" / "dose-outcome" / "missed-and-withheld"
BODY = (CASE / "in.json").read_bytes()
DOSE = "/translate/pharmacy/dose-outcome"
LIMIT = 50_000
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served(env={"OST_MAX_BODY": str(LIMIT)}) as running:
        yield running


def test_a_message_is_translated(server: Served) -> None:
    answer = requests.post(server.url + DOSE, data=BODY, headers=JSON, timeout=20)
    assert answer.status_code == 200, answer.text
    header = json.decode(answer.content)["entry"][0]["resource"]
    (received,) = [e["valueInstant"] for e in header["extension"] if e["url"].endswith("/received")]
    assert abs(datetime.now(UTC) - datetime.fromisoformat(received)).total_seconds() < 60
    # The time of receipt is the one thing that the clock decides.
    assert answer.content == json.encode(adapter.load().translate(BODY, read="pharmacy/dose-outcome", received=received).bundle)


def test_what_it_answers_can_be_sent_back(server: Served) -> None:
    bundle = requests.post(server.url + DOSE, data=BODY, headers=JSON, timeout=20).content
    back = requests.post(f"{server.url}/translate/fhir?to=pharmacy/dose-outcome", data=bundle, headers=JSON, timeout=20)
    assert (back.status_code, back.headers["Content-Type"], back.headers["X-OST-Issues"]) == (200, "application/json", "0")
    assert json.decode(back.content) == json.decode(BODY)


def test_the_capability_statement_is_valid_by_the_gate_and_by_the_second_opinion(server: Served) -> None:
    statement = requests.get(f"{server.url}/fhir/metadata", timeout=20)
    assert statement.status_code == 200
    verdict = requests.post(
        f"{server.url}/fhir/CapabilityStatement/$validate", data=statement.content, headers=JSON, timeout=20
    ).json()
    assert [issue for issue in verdict["issue"] if issue["severity"] in ("fatal", "error")] == []


def test_a_bad_resource_is_refused_by_the_gate_over_http(server: Served) -> None:
    sent = {"resourceType": "Patient", "gender": "unheard"}
    verdict = requests.post(f"{server.url}/fhir/Patient/$validate", json=sent, timeout=20)
    assert verdict.status_code == 200
    errors = [issue for issue in verdict.json()["issue"] if issue["severity"] == "error"]
    assert ["Patient.gender"] in [issue["expression"] for issue in errors]
    assert "unheard" not in verdict.text


def test_our_artefacts_can_be_read_and_are_valid(server: Served) -> None:
    for kind in ("StructureDefinition", "CodeSystem", "ValueSet", "ConceptMap", "MessageDefinition", "NamingSystem"):
        found = requests.get(f"{server.url}/fhir/{kind}", timeout=20).json()
        assert found["total"] == len(found["entry"]) > 0
        assert requests.get(found["entry"][0]["fullUrl"], timeout=20).json() == found["entry"][0]["resource"]


def test_the_unit_is_translated(server: Served) -> None:
    query = {
        "url": "https://ost-adapter.example/fhir/ConceptMap/unit-ucum",
        "code": "258773002",
        "system": "http://snomed.info/sct",
    }
    said = requests.get(f"{server.url}/fhir/ConceptMap/$translate", params=query, timeout=20).json()["parameter"]
    assert said[0] == {"name": "result", "valueBoolean": True}
    assert [part["valueCoding"]["code"] for part in said[1]["part"] if part["name"] == "concept"] == ["mL"]


def test_an_extract_is_taken_as_a_zip(server: Served) -> None:
    case = FIXTURES / "emis" / "issue" / "several"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for file in sorted((case / "in").iterdir()):
            archive.write(file, file.name)
    headers = {"Content-Type": "application/zip"}
    answer = requests.post(f"{server.url}/translate/emis/issue", data=packed.getvalue(), headers=headers, timeout=30)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/x-ndjson")
    assert len(answer.content.splitlines()) == len(list(case.glob("bundle.*.json")))
    assert answer.headers["X-OST-Refused"] == "0"
    broken = requests.post(f"{server.url}/translate/emis/issue", data=b"PK no zip", headers=headers, timeout=30)
    assert (broken.status_code, broken.json()["resourceType"]) == (422, "OperationOutcome")


# What only a socket shows


def _raw(server: Served, sent: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        said = b""
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(65536):
                said += part
    return said


def _chunked(*chunks: bytes) -> bytes:
    head = f"POST {DOSE} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    return head + b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)


def test_a_chunked_body_is_taken_up_to_the_limit(server: Served) -> None:
    assert _raw(server, _chunked(BODY[:700], BODY[700:], b"")).startswith(b"HTTP/1.1 200 ")


def test_a_chunked_body_over_the_limit_is_413_and_never_cut_off(server: Served) -> None:
    # Cut off at the limit it would be a whole message followed by spaces, and pass for good.
    padded = BODY + b" " * LIMIT
    said = _raw(server, _chunked(padded[:30_000], padded[30_000:], b""))
    assert said.startswith(b"HTTP/1.1 413 ") and b"too-long" in said


def test_a_body_whose_sender_breaks_off_is_400(server: Served) -> None:
    head = (
        f"POST {DOSE} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(BODY) + 1}\r\n\r\n".encode()
    )
    assert _raw(server, head + BODY).startswith(b"HTTP/1.1 400 ")
    assert _raw(server, _chunked(BODY)).startswith(b"HTTP/1.1 400 "), "the last chunk never came"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GARBAGE 9990000018\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nNo colon 9990000018\r\n\r\n", 400),
        (b"GET /" + b"9990000018" * 1000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nX: " + b"9990000018" * 2000 + b"\r\n\r\n", 431),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n9990000018", 400),
        (f"POST {DOSE} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n9990000018zz\r\n".encode(), 400),
        (f"POST {DOSE} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n".encode(), 400),
    ],
    ids=["method", "header", "long-line", "long-header", "two-lengths", "chunk-size", "coding"],
)
def test_what_is_no_http_is_an_outcome_too_and_quotes_nothing(server: Served, sent: bytes, status: int) -> None:
    said = _raw(server, sent)
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), said
    assert b"application/fhir+json" in head
    assert json.decode(body)["resourceType"] == "OperationOutcome"
    assert b"9990000018" not in said
    assert not any("9990000018" in line for line in server.lines)


def test_threads_do_not_mix_messages_up(server: Served) -> None:
    def ask(number: int) -> tuple[str, list[str]]:
        family = f"Testerton{number}"
        body = BODY.replace(b'"Testerton"', json.encode(family))
        said = requests.post(server.url + DOSE, data=body, headers=JSON, timeout=30).json()
        patients = [e["resource"] for e in said["entry"] if e["resource"]["resourceType"] == "Patient"]
        return family, [name["family"] for patient in patients for name in patient["name"]]

    with ThreadPoolExecutor(8) as pool:
        for family, found in pool.map(ask, range(60)):
            assert found == [family]


def test_the_log_is_lines_of_json_without_a_patient(server: Served) -> None:
    requests.post(
        server.url + DOSE,
        data=BODY.replace(b'"dose_date"', b'"dose_dote"'),
        headers={**JSON, "X-Request-ID": "log-1"},
        timeout=20,
    )
    deadline = time.monotonic() + 10
    while not any("log-1" in line for line in server.lines) and time.monotonic() < deadline:
        time.sleep(0.05)
    (line,) = [json.decode(line.encode()) for line in server.lines if "log-1" in line]
    assert (line["event"], line["status"], line["route"]) == ("request", 422, "/translate/<system>/<message>")
    assert not any(word in "".join(server.lines) for word in ("Testerton", "9990000018", "1984-05-17"))


# Start and stop


def test_the_health_check_follows_the_port(server: Served) -> None:
    assert command("healthcheck", env={"OST_PORT": str(server.port)}).returncode == Exit.DONE
    assert command("healthcheck", env={"OST_PORT": str(server.port), "OST_HOST": "0.0.0.0"}).returncode == Exit.DONE  # noqa: S104  # asked, not bound
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ran = command("healthcheck", env={"OST_PORT": str(port)})
    assert ran.returncode == Exit.DESTINATION and str(port) in ran.stderr.decode()


def test_a_port_that_is_taken_is_a_fault_of_the_settings(server: Served) -> None:
    ran = command("serve", "--port", str(server.port))
    assert ran.returncode == Exit.SETTINGS
    assert "OST_PORT" in ran.stderr.decode() and "Traceback" not in ran.stderr.decode()


def test_a_bad_map_stops_the_start_before_the_port_opens(tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "system.yaml").write_text("system: broken\nmessages: 3\n")
    ran = command("serve", "--port", "0", "--mappings", str(tmp_path))
    assert ran.returncode == Exit.SETTINGS
    assert "broken/system.yaml" in ran.stderr.decode() and "listening" not in ran.stderr.decode()


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_request_that_is_being_worked_on_is_finished(stop: signal.Signals) -> None:
    with served() as running:
        half = len(BODY) // 2
        head = (
            f"POST {DOSE} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()
        )
        with socket.create_connection(("127.0.0.1", running.port), timeout=30) as connection:
            connection.sendall(head + BODY[:half])
            time.sleep(0.5)  # until a thread waits for the rest
            if stop == signal.SIGTERM:
                running.process.send_signal(stop)
                time.sleep(0.3)
            connection.sendall(BODY[half:])
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        if stop == signal.SIGINT:
            running.process.send_signal(stop)
        assert running.process.wait(30) == 0


def _nothing_may_be_written() -> None:
    """In the new process: a write to any file fails (pipes and sockets are none), as on a read-only root file system."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def test_it_serves_where_nothing_can_be_written(tmp_path: Path) -> None:
    env = {"HOME": "/nonexistent", "TMPDIR": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    with served(env=env, cwd=tmp_path, preexec_fn=_nothing_may_be_written) as running:
        for body in (BODY, BODY + b" " * 2_000_000):
            assert requests.post(running.url + DOSE, data=body, headers=JSON, timeout=20).status_code == 200
        requests.post(
            f"{running.url}/fhir/$validate", data=b'{"resourceType":"Patient"}', headers=JSON, timeout=20
        ).raise_for_status()
    assert list(tmp_path.iterdir()) == []


def test_output_that_nobody_reads_ends_quietly() -> None:
    """`ost-adapter translate ... | head -1` is no fault of anyone's."""
    run = [sys.executable, "-m", "adapter", "translate", str(CASE / "in.json"), "--from", "pharmacy/dose-outcome"]
    process = subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), cwd=ROOT)
    assert process.stdout and process.stderr
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert (process.wait(60), said) == (Exit.STORAGE, b"")


def test_ctrl_c_says_so() -> None:
    run = [sys.executable, "-m", "adapter", "translate", "-", "--from", "pharmacy/dose-outcome"]
    # A suite that runs in the background may have been started with the signal ignored, and its children inherit that.
    heed = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(
        run,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        cwd=ROOT,
        preexec_fn=heed,  # noqa: PLW1509 # no other thread runs yet
    )
    timer = threading.Timer(3, process.send_signal, [signal.SIGINT])
    timer.start()
    assert process.stderr
    said = process.stderr.read().decode()
    timer.join()
    assert process.stdin
    process.stdin.close()
    process.stderr.close()
    assert process.wait(60) == Exit.INTERRUPTED
    assert re.fullmatch(r"\s*Interrupted\.\n", said)


def test_no_request_that_can_be_made_up_is_answered_wrongly(server: Served, tmp_path: Path) -> None:
    """Schemathesis makes requests from our own description, right and wrong ones: none may meet a fault of the program, a status,
    media type or body that the description does not have, or be taken although it is wrong.
    """
    schemathesis = Path(sys.executable).with_name("schemathesis")
    run = [schemathesis, "run", f"{server.url}/openapi.json", "--no-color", "--generation-database", "none", "--seed", "20261122"]
    # A message is refused for its content, which no description of the interface can foresee.
    bounds = [
        "--exclude-checks",
        "positive_data_acceptance",
        "--phases",
        "coverage,fuzzing",
        "--max-examples",
        "15",
        "--max-time",
        "40",
    ]
    ran = subprocess.run([*map(str, run), *bounds], cwd=tmp_path, capture_output=True, text=True, timeout=150)
    assert ran.returncode == 0, ran.stdout[-4000:]
    assert not any('"event":"fault"' in line for line in server.lines)
