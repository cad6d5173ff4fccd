"""Asks one judge about many resources: JSON on stdin, JSON on stdout. Run by tests/fhir/judging.py, in a process of its own.

In: {"judge": google | pyrofile | fhirpath, "ask": [...], "folder": profiles for pyrofile}
Out: one answer for each question, in order: google null or "refused"; pyrofile a list of [code, path]; fhirpath a list of values.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import Any


def google(resources: list[Any]) -> list[Any]:
    json_format = import_module("google.fhir.r4.json_format")
    protos = import_module("google.fhir.r4.proto.core.resources.bundle_and_contained_resource_pb2")
    answers: list[Any] = []
    for resource in resources:
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": resource}]}
        try:
            json_format.merge_json_fhir_string_into_proto(json.dumps(bundle), protos.Bundle(), validate=True)
            answers.append(None)
        except Exception as refused:
            answers.append(type(refused).__name__)
    return answers


def pyrofile(resources: list[Any], folder: str) -> list[Any]:
    config = import_module("pyrofile_validator.config").ValidatorConfig(
        local_package_paths=[folder], allow_unknown_extensions=True, error_on_unknown_profile=False
    )
    validator = import_module("pyrofile_validator.core.engine").Validator(config)
    answers: list[Any] = []
    for resource in resources:
        try:
            issues = validator.validate_resource(resource).issues
        except Exception as crash:  # which it does on some values of a wrong type
            answers.append([["crash", type(crash).__name__]])
            continue
        answers.append([[one.code, one.path] for one in issues if str(one.severity).lower().endswith(("error", "fatal"))])
    return answers


def fhirpath(questions: list[Any]) -> list[Any]:
    """Each question is [element, resource, expression]."""
    fhirpathpy = import_module("fhirpathpy")
    models = import_module("fhirpathpy.models").models
    answers: list[Any] = []
    for element, resource, expression in questions:
        try:
            found = fhirpathpy.evaluate(element, expression, {"context": element, "resource": resource}, models["r4"])
            answers.append([one for one in found if isinstance(one, bool | int | float | str)])
        except Exception as fault:
            answers.append(f"{type(fault).__name__}: {fault}")
    return answers


def main() -> None:
    asked = json.load(sys.stdin)
    match asked["judge"]:
        case "google":
            answers = google(asked["ask"])
        case "pyrofile":
            answers = pyrofile(asked["ask"], asked["folder"])
        case _:
            answers = fhirpath(asked["ask"])
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
