"""One case of the benchmark in one process, spoken to in lines, so that many cases can take turns on one core.

Started as `python worker.py CASE` in the environment that has the case's engine. Says {"output": what the case makes of
input.json}; then, for every line with a number of seconds, works for so long and says {"count", "seconds"}. An empty line ends it.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BODY = (HERE / "input.json").read_bytes()
TASK = "bench/prescription"
PROFILE = "https://ost-adapter.example/fhir/StructureDefinition/bench-prescription"

Work = Callable[[], Any]
#: What is worked, and its output, once: bytes or an object.
Case = tuple[Work, Any]

load: Callable[[str], Any] = importlib.import_module


def peer(name: str) -> str:
    """The task in a peer's language."""
    return (HERE / "peers" / name).read_text("utf-8")


def by(work: Callable[[bytes], Any]) -> Case:
    """A case from bytes to bytes."""
    return lambda: work(BODY), work(BODY)


# the yardsticks ---------------------------------------------------------------------------------------------------------
def limit() -> Case:
    """JSON by orjson in and out, and nothing between: what no engine that uses it can pass."""
    orjson = load("orjson")
    made = orjson.loads((HERE / "expected.json").read_bytes())

    def work(body: bytes) -> Any:
        orjson.loads(body)
        return orjson.dumps(made)

    return by(work)


def hand() -> Case:
    """The hand-written function, orjson in and out."""
    orjson, task = load("orjson"), load("hand").medication_request
    return by(lambda body: orjson.dumps(task(orjson.loads(body))))


def hand_object() -> Case:
    """The hand-written function alone: record to resource."""
    task = load("hand").medication_request
    record = json.loads(BODY)
    return lambda: task(record), task(record)


def hand_checked() -> Case:
    """The hand-written function, orjson in and out, and fhir.resources (R4B) as the check of its result."""
    orjson, task = load("orjson"), load("hand").medication_request
    check = load("fhir.resources.R4B.medicationrequest").MedicationRequest.model_validate

    def work(body: bytes) -> Any:
        made = task(orjson.loads(body))
        check(made)
        return orjson.dumps(made)

    return by(work)


# ost-adapter ------------------------------------------------------------------------------------------------------------
@cache
def ours() -> Any:
    """The adapter's message of the task, from this checkout."""
    sys.path.insert(0, str(ROOT))
    return load("adapter").load([HERE / "mappings"]).message(TASK)


def entries() -> Any:
    """The resource as it comes from another system: decoded from bytes, so that it shares no object with the map."""
    made = load("adapter.fhir.json").decode((HERE / "expected.json").read_bytes())
    return [{"fullUrl": "urn:uuid:3f2d5c1e-0b7a-5d64-9a55-7c0f7c5f1b0a", "resource": made}]


def fill() -> Case:
    """`fill`, orjson in and out, as the hand-written function and the peers have it."""
    orjson, table = load("orjson"), ours().table
    return by(lambda body: orjson.dumps(table.fill(orjson.loads(body))[0][0]["resource"]))


def fill_strict() -> Case:
    """`fill` with the adapter's own JSON in and out: no key twice, no float, decimals to the digit."""
    table, codec = ours().table, load("adapter.fhir.json")
    return by(lambda body: codec.encode(table.fill(codec.decode(body))[0][0]["resource"]))


def fill_object() -> Case:
    """`fill` alone: record to resource, ids and issues included."""
    table, record = ours().table, json.loads(BODY)
    return lambda: table.fill(record), table.fill(record)[0][0]["resource"]


def fill_account() -> Case:
    """`fill` with its account: every field of the record that nothing read."""
    table, record = ours().table, json.loads(BODY)

    def work() -> Any:
        made, run = table.fill(record)
        return made, table.unread_record(record, made, run.lost)

    return work, work()[0][0]["resource"]


def match_account() -> Case:
    """`match` with its account: resource to record, recognition, conflicts, every element that nothing read, the issues."""
    table, held = ours().table, entries()

    def work() -> Any:
        run = table.match(held)
        return run.record, table.account(run)

    record, (unread, ignored, issues) = work()
    assert not (unread or ignored or issues), issues
    return work, table.fill(record)[0][0]["resource"]


def checked() -> Case:
    """The whole checked path: strict decode, the payload's JSON Schema, fill with its account, R4 and a profile, encode."""
    message, codec = ours(), load("adapter.fhir.json")
    gate = load("adapter.fhir.gate").Gate.shipped(HERE / "profiles")
    demanded = {0: [PROFILE]}

    def work(body: bytes) -> Any:
        record = message.payload.read(codec.decode(body))
        faults = message.payload.check(record, body)
        made, run = message.table.fill(record)
        unread = message.table.unread_record(record, made, run.lost)
        written, found = gate.encode(made[0]["resource"], profiles=demanded)
        assert not (faults or found or unread or run.issues), faults or found
        return written

    return by(work)


# peers ------------------------------------------------------------------------------------------------------------------
def python_fhir_converter() -> Case:
    """python-fhir-converter: Liquid, JSON5 in, JSON out; checks nothing."""
    from_folder = load("liquid.loaders").FileSystemLoader(str(HERE / "peers"))
    renderers = load("fhir_converter.renderers")
    renderer = renderers.Stu3FhirRenderer(renderers.make_environment(loader=from_folder))
    return by(lambda body: renderer.render_fhir_string("prescription.liquid", body))


def jsonata_python() -> Case:
    """jsonata-python: JSONata interpreted in Python."""
    orjson, task = load("orjson"), load("jsonata").Jsonata(peer("prescription.jsonata"))
    return by(lambda body: orjson.dumps(task.evaluate(orjson.loads(body))))


def jsonatapy() -> Case:
    """jsonatapy: JSONata in Rust."""
    orjson, task = load("orjson"), load("jsonatapy").compile(peer("prescription.jsonata"))
    return by(lambda body: orjson.dumps(task.evaluate(orjson.loads(body))))


def jsonata2py() -> Case:
    """jsonata2py: JSONata translated to Python source."""
    orjson, task = load("orjson"), load("jsonata2py").compile(peer("prescription.jsonata"))
    return by(lambda body: orjson.dumps(task.evaluate(orjson.loads(body))))


def jq() -> Case:
    """The jq language, by its C library, on text."""
    task = load("jq").compile(peer("prescription.jq"))
    return by(lambda body: task.input_text(body.decode()).text())


def fpml() -> Case:
    """fpml: a FHIR resource with FHIRPath in it; expressions compiled once, as its documentation advises."""
    orjson, resolve = load("orjson"), load("fpml").resolve_template
    task = json.loads(peer("prescription.fpml.json"))
    compiled = cache(lambda expression: load("fhirpathpy").compile(expression, None))

    def evaluate(resource: Any, expression: str, context: Any) -> Any:
        return compiled(expression)(resource, context)

    return by(lambda body: orjson.dumps(resolve(orjson.loads(body), task, {}, evaluate=evaluate), default=float))


CASES: dict[str, Callable[[], Case]] = {
    f.__name__: f
    for f in (limit, hand, hand_object, hand_checked, fill, fill_strict, fill_object, fill_account, match_account, checked)
} | {f.__name__: f for f in (python_fhir_converter, jsonata_python, jsonatapy, jsonata2py, jq, fpml)}


def main() -> None:
    """Answer on standard output until standard input ends."""
    # What only some environments have, for all that take part: orjson, beside the adapter's own dependencies.
    sys.path += [folder for folder in os.environ.get("BENCH_EXTRA", "").split(os.pathsep) if folder]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # an engine that prints must not be taken for the answer
    work, output = CASES[sys.argv[1]]()
    print(json.dumps({"output": json.loads(output) if isinstance(output, str | bytes) else output}), file=answers, flush=True)
    clock = time.perf_counter
    for line in sys.stdin:
        if not line.strip():
            break
        start = clock()
        end, count = start + float(line), 0
        while clock() < end:
            for _ in range(20):
                work()
            count += 20
        print(json.dumps({"count": count, "seconds": clock() - start}), file=answers, flush=True)


if __name__ == "__main__":
    main()
