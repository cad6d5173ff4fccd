"""A second judge, independent of the gate: the R4B models of fhir.resources. For tests and `validate`, never on a message's way.

Its R4B (4.3.0) stands in for R4 (4.0.1); what it refuses and R4 allows stands in FALSE_REFUSALS. It is imported when it is first
asked, which takes most of a second, and never serialises: it would turn 1.00 into 1.0. https://pypi.org/project/fhir.resources/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from adapter.fhir.issue_text import fhirpath, say
from adapter.fhir.outcome import Issue
from adapter.fhir.schema import tables

Json = dict[str, Any]

#: One error of pydantic: its type and the place, as keys and indexes.
Error = Mapping[str, Any]


def _open_meta(error: Error) -> bool:
    """R4's open choices (*) hold Meta; R4B's models have left it out of some. https://hl7.org/fhir/R4/datatypes.html#open"""
    return error["type"] == "extra_forbidden" and str(error["loc"][-1]) in (
        "valueMeta",
        "defaultValueMeta",
        "fixedMeta",
        "patternMeta",
    )


def _value_sibling(error: Error) -> bool:
    """Extension.value[x] of a primitive type may have extensions of its own; the model has no `_value...`."""
    loc = error["loc"]
    return (
        error["type"] == "extra_forbidden" and str(loc[-1]).startswith("_value") and "xtension" in "".join(map(str, loc[-3:-1]))
    )


def _uuid_version(error: Error) -> bool:
    """Any UUID is a uuid; the model demands version 4. https://hl7.org/fhir/R4/datatypes.html#uuid"""
    return str(error["type"]) == "uuid_version"


#: What fhir.resources refuses though R4 allows it: name -> whether an error is that. The reason is the function's docstring.
FALSE_REFUSALS: dict[str, Callable[[Error], bool]] = {
    "open choice without Meta": _open_meta,
    "no sibling of Extension.value[x]": _value_sibling,
    "uuid of another version than 4": _uuid_version,
}

_TEXTS = {"missing": "This element is required.", "extra_forbidden": "There is no such element here."}


def second_opinion(value: Any) -> list[Issue]:
    """What fhir.resources refuses of a resource or Bundle, each with its FHIRPath, as rule `second-opinion`.

    None where it refuses nothing, and where the value is no resource of a type that it knows: that is the gate's to say.
    """
    from fhir.resources.R4B import get_fhir_model_class
    from pydantic import ValidationError

    name = value.get("resourceType") if isinstance(value, dict) else None
    if not isinstance(name, str) or not tables.types().get(name, {}).get("resource"):
        return []
    try:
        get_fhir_model_class(name).model_validate(value)
    except ValidationError as refused:
        errors = refused.errors(include_url=False, include_context=False, include_input=False)
        return list(_issues(value, [dict(error) for error in errors if not is_false(error)]))
    except Exception:  # noqa: BLE001 - the models raise many kinds on what is no resource at all
        return [say("second-opinion", name, text="fhir.resources cannot read this resource.")]
    return []


def is_false(error: Mapping[str, Any]) -> bool:
    """Whether R4 allows what this error refuses."""
    return bool(error["loc"]) and any(known(error) for known in FALSE_REFUSALS.values())


def _issues(value: Json, errors: Sequence[Error]) -> Iterator[Issue]:
    seen: set[tuple[str, str]] = set()
    for error in errors:
        text = _TEXTS.get(error["type"], "The element does not have the form that it needs.")
        path = _place(value, error["loc"])
        if (path, text) not in seen:
            seen.add((path, text))
            yield say("second-opinion", path, text=f"fhir.resources: {text}")


def _place(value: Json, loc: Sequence[str | int]) -> str:
    """The FHIRPath of a place: below each resource on the way, its type names the elements."""
    path, type_name = value["resourceType"], value["resourceType"]
    node: Any = value
    steps: list[str | int] = []
    for step in loc:
        if isinstance(node, dict) and isinstance(node.get("resourceType"), str) and steps:
            path = fhirpath(path, type_name, steps, tables.types())
            type_name, steps = node["resourceType"], []
        steps.append(step)
        try:
            node = node[step]
        except (KeyError, IndexError, TypeError):
            node = None
    return fhirpath(path, type_name, steps, tables.types())
