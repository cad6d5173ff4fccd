"""The FHIR API: what this server can do, $validate, ConceptMap/$translate, and our artefacts to read and search.

https://hl7.org/fhir/R4/http.html · https://hl7.org/fhir/R4/operationslist.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, request
from werkzeug.routing import BaseConverter

from adapter.fhir.outcome import Refused, issue
from adapter.fhir.terminology import translate
from adapter.interfaces import answers
from adapter.interfaces.answers import Problem, answer
from adapter.interfaces.artefacts import SEARCHED, Artefacts
from adapter.interfaces.capability import statement
from adapter.interfaces.views import listed

if TYPE_CHECKING:
    from adapter import Adapter

Parameters = dict[str, Any]


class TypeName(BaseConverter):
    """The name of a resource type in an address."""

    regex = "[A-Z][A-Za-z]{1,63}"


class Id(BaseConverter):
    """A resource's id in an address; what begins with $ is an operation. https://hl7.org/fhir/R4/datatypes.html#id"""

    regex = "[A-Za-z0-9.-]{1,64}"


#: The kinds of parts that the routes name.
CONVERTERS: dict[str, type[BaseConverter]] = {"type": TypeName, "id": Id}


def fhir_api(ost: Adapter, artefacts: Artefacts) -> Blueprint:
    """The routes under /fhir."""
    routes = Blueprint("fhir", __name__, url_prefix="/fhir")
    capability = statement(artefacts, listed(ost))
    routes.before_request(_format)

    @routes.get("/metadata")
    def metadata() -> Response:
        """The CapabilityStatement."""
        answers.parameters("_format", "mode")
        return answer(capability)

    @routes.post("/$validate")
    def validate_any() -> Response:
        """Judge a resource, or the one in Parameters."""
        return _validate(ost, None)

    @routes.post("/<type:resource_type>/$validate")
    def validate_type(resource_type: str) -> Response:
        """Judge a resource that must be of this type."""
        return _validate(ost, resource_type)

    @routes.get("/ConceptMap/$translate")
    def translate_get() -> Response:
        """Translate a code that the query names."""
        said: Parameters = dict(answers.parameters("_format", *_NAMES))
        return answer(_translate(artefacts, None, {**said, "reverse": answers.yes_or_no(said, "reverse")}))

    @routes.post("/ConceptMap/$translate")
    def translate_post() -> Response:
        """Translate the code that Parameters name."""
        answers.parameters("_format")
        return answer(_translate(artefacts, None, _flat(answers.json_body())))

    @routes.get("/<type:resource_type>")
    def search(resource_type: str) -> Response:
        """Search the artefacts of a type."""
        _known(artefacts, resource_type)
        said = answers.parameters("_format", *SEARCHED)
        said.pop("_format", None)
        return answer(_searchset(artefacts.search(resource_type, said)))

    @routes.get("/<type:resource_type>/<id:resource_id>")
    def read(resource_type: str, resource_id: str) -> Response:
        """One artefact."""
        answers.parameters("_format")
        _known(artefacts, resource_type)
        found = artefacts.read(resource_type, resource_id)
        if found is None:
            raise Problem(
                404, "unknown-id", "There is no artefact of this type with this id.", code="not-found", mend="Search for it."
            )
        return answer(found)

    return routes


def _format() -> None:
    """Answers are JSON. https://hl7.org/fhir/R4/http.html#mime-type"""
    asked = request.args.get("_format")
    spoken = (answers.FHIR_JSON, answers.JSON)
    if asked is not None:
        good = asked.replace(" ", "+") in ("json", "text/json", *spoken)
    else:
        good = not request.accept_mimetypes or request.accept_mimetypes.best_match(spoken) is not None
    if not good:
        raise Problem(
            406, "accept", "FHIR is spoken as JSON only here.", code="not-supported", mend=f"Accept {answers.FHIR_JSON}."
        )


def _known(artefacts: Artefacts, resource_type: str) -> None:
    if resource_type not in artefacts.types:
        known = ", ".join(artefacts.types)
        raise Problem(
            404, "unknown-type", "No resource of this type is kept here.", code="not-supported", mend=f"Kept are {known}."
        )


def _validate(ost: Adapter, resource_type: str | None) -> Response:
    """https://hl7.org/fhir/R4/resource-operation-validate.html: 200 whatever the verdict."""
    said = answers.parameters("_format", "profile", "mode")
    sent = answers.json_body()
    profile = said.get("profile") or None
    # A body of Parameters carries the resource, unless Parameters themselves are to be judged.
    if sent.get("resourceType") == "Parameters" and resource_type != "Parameters":
        given = _flat(sent)
        profile = given.get("profile", profile)
        sent = given.get("resource", {})
        if not isinstance(sent, dict) or not sent:
            raise Refused(
                [
                    _missing(
                        "resource",
                        "The resource to judge is missing.",
                        "Send it as the body, or as Parameters.parameter.resource.",
                    )
                ]
            )
    if profile is not None and not isinstance(profile, str):
        raise Refused([_missing("profile", "The profile is named by its canonical.", "Send it as valueUri.")])
    if resource_type is not None and sent.get("resourceType") != resource_type:
        text = "The resource is not of the type that the address names."
        raise Refused(
            [
                issue(
                    "error",
                    "invalid",
                    "type-mismatch",
                    text,
                    expression="resourceType",
                    mend="Send it to its own type's address.",
                )
            ]
        )
    return answer(ost.validate(sent, profile))


#: The parameters of ConceptMap/$translate that are understood. https://hl7.org/fhir/R4/conceptmap-operation-translate.html
_NAMES = ("url", "code", "system", "targetsystem", "reverse")


def _translate(artefacts: Artefacts, concept_map: dict[str, Any] | None, said: Parameters) -> Parameters:
    """Asks every map that could know the code, or the one that is named."""
    said = {**said, **_coding(said)}
    code, system = said.get("code"), said.get("system")
    if not isinstance(code, str) or not isinstance(system, str):
        raise Refused(
            [
                _missing(
                    "code",
                    "A code and its system are needed.",
                    "Send code and system, coding, or a codeableConcept of one coding.",
                )
            ]
        )
    reverse = said.get("reverse", False)
    if not isinstance(reverse, bool):
        raise Refused([_missing("reverse", "The parameter reverse is true or false.", "Send it as valueBoolean.")])
    target = said.get("targetsystem")
    maps = [concept_map] if concept_map is not None else artefacts.concept_maps(said.get("url"))
    if not maps:
        raise Problem(
            404, "unknown-map", "There is no ConceptMap with this url.", code="not-found", mend="GET /fhir/ConceptMap lists them."
        )
    answered = [translate(one, code, system, reverse=reverse, target_system=target) for one in maps]
    matches = [part for one in answered for part in one["parameter"] if part["name"] == "match"]
    good = any(one["parameter"][0]["valueBoolean"] for one in answered)
    if len(maps) == 1:
        return answered[0]
    found: Parameters = {"resourceType": "Parameters", "parameter": [{"name": "result", "valueBoolean": good}]}
    if not good:
        found["parameter"].append({"name": "message", "valueString": "No ConceptMap here translates this code."})
    found["parameter"] += matches
    return found


def _coding(said: Parameters) -> Parameters:
    coding = said.get("coding")
    concept = said.get("codeableConcept")
    if isinstance(concept, dict) and isinstance(codings := concept.get("coding"), list) and len(codings) == 1:
        coding = codings[0]
    return {key: coding[key] for key in ("code", "system") if key in coding} if isinstance(coding, dict) else {}


def _flat(sent: dict[str, Any]) -> Parameters:
    """Parameters as name -> value or resource. Raises Refused for what are no Parameters."""
    given = sent.get("parameter")
    if sent.get("resourceType") != "Parameters" or not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise Refused(
            [_missing("parameter", "Parameters are expected.", "Send a Parameters resource with at least one parameter.")]
        )
    flat: Parameters = {}
    for one in given:
        value = next((one[key] for key in one if key.startswith("value") or key == "resource"), None)
        if isinstance(name := one.get("name"), str):
            flat[name] = value
    return flat


def _missing(place: str, text: str, mend: str) -> dict[str, Any]:
    return issue("error", "required", "parameter-missing", text, expression=place, mend=mend)


def _searchset(found: list[dict[str, Any]]) -> dict[str, Any]:
    base = request.base_url
    entries = [{"fullUrl": f"{base}/{one['id']}", "resource": one, "search": {"mode": "match"}} for one in found]
    bundle: dict[str, Any] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(found),
        "link": [{"relation": "self", "url": request.url}],
    }
    return {**bundle, "entry": entries} if entries else bundle
