"""The FHIR API: $validate, ConceptMap/$translate, the artefacts, and a CapabilityStatement that says what is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from adapter.fhir import json
from adapter.interfaces.http import create_app
from adapter.interfaces.settings import Settings
from tests.interfaces.conftest import PERSON, StandIn

FHIR = {"Content-Type": "application/fhir+json"}
COLOURS = {
    "resourceType": "ConceptMap",
    "id": "shop-colour",
    "url": "https://shop.example/fhir/ConceptMap/colour",
    "version": "2.1",
    "name": "ShopColour",
    "status": "active",
    "group": [
        {
            "source": "https://shop.example/colour",
            "target": "https://hub.example/colour",
            "element": [
                {"code": "r", "target": [{"code": "red", "display": "Red", "equivalence": "equivalent"}]},
                {"code": "b", "target": [{"code": "blue", "equivalence": "wider"}]},
                {"code": "x", "target": [{"equivalence": "unmatched"}]},
            ],
        }
    ],
}
SOURCE, TARGET = COLOURS["group"][0]["source"], COLOURS["group"][0]["target"]  # type: ignore[index]


@pytest.fixture
def client(stand_in: StandIn, tmp_path: Path) -> FlaskClient:
    codes = tmp_path / "shop" / "codes"
    codes.mkdir(parents=True)
    (codes / "colour.json").write_bytes(json.encode(COLOURS))
    return create_app(stand_in, Settings(mappings=(tmp_path,))).test_client()  # type: ignore[arg-type]


def _post(client: FlaskClient, address: str, sent: Any) -> TestResponse:
    return client.post(address, data=json.encode(sent), headers=FHIR)


def _parameters(**values: Any) -> dict[str, Any]:
    """Parameters of name=(value[x], value)."""
    return {"resourceType": "Parameters", "parameter": [{"name": name, kind: value} for name, (kind, value) in values.items()]}


# $validate


def test_a_verdict_is_200_whatever_it_is(client: FlaskClient) -> None:
    good = _post(client, "/fhir/$validate", {"resourceType": "Patient"})
    bad = _post(client, "/fhir/Patient/$validate", {"resourceType": "Patient", "bad": 1})
    assert (good.status_code, good.mimetype, json.decode(good.data)["issue"][0]["severity"]) == (
        200,
        "application/fhir+json",
        "information",
    )
    assert (bad.status_code, json.decode(bad.data)["issue"][0]["severity"]) == (200, "error")


@pytest.mark.parametrize("by", ["query", "parameters"])
def test_the_profile_is_passed_on(client: FlaskClient, stand_in: StandIn, by: str) -> None:
    resource = {"resourceType": "Patient"}
    if by == "query":
        _post(client, "/fhir/$validate?profile=https://example.org/p", resource)
    else:
        _post(
            client,
            "/fhir/Patient/$validate",
            _parameters(resource=("resource", resource), profile=("valueUri", "https://example.org/p")),
        )
    assert stand_in.asked == [("validate", {"resource": resource, "profile": "https://example.org/p"})]


def test_parameters_themselves_can_be_judged(client: FlaskClient, stand_in: StandIn) -> None:
    sent = _parameters(a=("valueString", "b"))
    _post(client, "/fhir/Parameters/$validate", sent)
    assert stand_in.asked[0][1]["resource"] == sent


@pytest.mark.parametrize(
    ("address", "sent", "rule"),
    [
        ("/fhir/Patient/$validate", {"resourceType": "Goal"}, "type-mismatch"),
        ("/fhir/Patient/$validate", {}, "type-mismatch"),
        ("/fhir/$validate", [], "json-object"),
        ("/fhir/$validate", {"resourceType": "Parameters"}, "parameter-missing"),
        ("/fhir/$validate", {"resourceType": "Parameters", "parameter": [{"name": "resource"}]}, "parameter-missing"),
        ("/fhir/$validate", {"resourceType": "Parameters", "parameter": ["resource"]}, "parameter-missing"),
        (
            "/fhir/$validate",
            {
                "resourceType": "Parameters",
                "parameter": [{"name": "resource", "resource": {"a": 1}}, {"name": "profile", "valueInteger": 1}],
            },
            "parameter-missing",
        ),
    ],
)
def test_what_cannot_be_judged_is_422(client: FlaskClient, stand_in: StandIn, address: str, sent: Any, rule: str) -> None:
    answer = _post(client, address, sent)
    assert (answer.status_code, answer.mimetype) == (422, "application/fhir+json")
    assert json.decode(answer.data)["issue"][0]["details"]["coding"][0]["code"] == rule
    assert stand_in.asked == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"a":1,"a":2}', b'{"a":NaN}', b"[" * 5000, b'{"a":"\\ud800"}', b"\xff", b'{"a":"\\u0000"}']
)
def test_what_is_no_json_is_422_with_line_and_column(client: FlaskClient, body: bytes) -> None:
    answer = client.post("/fhir/$validate", data=body, headers=FHIR)
    assert answer.status_code == 422
    (issue,) = json.decode(answer.data)["issue"]
    assert {each["url"].rpartition("-")[2] for each in issue["extension"]} == {"line", "col"}


def test_a_fault_of_the_program_is_500_without_the_data(client: FlaskClient) -> None:
    answer = _post(client, "/fhir/$validate", {"resourceType": "Patient", "crash": PERSON})
    assert answer.status_code == 500
    assert not any(part in answer.get_data(as_text=True) for part in PERSON.split())


# ConceptMap/$translate


def _translated(answer: TestResponse) -> tuple[bool, list[tuple[str, Any]]]:
    assert (answer.status_code, answer.mimetype) == (200, "application/fhir+json")
    said = json.decode(answer.data)["parameter"]
    matches = []
    for match in (one["part"] for one in said if one["name"] == "match"):
        parts = {part["name"]: part for part in match}
        matches.append((parts["equivalence"]["valueCode"], parts.get("concept", {}).get("valueCoding")))
    return said[0]["valueBoolean"], matches


RED = ("equivalent", {"system": TARGET, "code": "red", "display": "Red"})


@pytest.mark.parametrize("url", ["", f"&url={COLOURS['url']}", f"&targetsystem={TARGET}"])
def test_a_code_is_translated(client: FlaskClient, url: str) -> None:
    assert _translated(client.get(f"/fhir/ConceptMap/$translate?code=r&system={SOURCE}{url}")) == (True, [RED])


@pytest.mark.parametrize(
    "sent",
    [
        _parameters(code=("valueCode", "r"), system=("valueUri", SOURCE)),
        _parameters(coding=("valueCoding", {"system": SOURCE, "code": "r"}), url=("valueUri", COLOURS["url"])),
        _parameters(codeableConcept=("valueCodeableConcept", {"coding": [{"system": SOURCE, "code": "r"}]})),
    ],
)
def test_a_code_is_translated_by_parameters(client: FlaskClient, sent: dict[str, Any]) -> None:
    assert _translated(_post(client, "/fhir/ConceptMap/$translate", sent)) == (True, [RED])


def test_a_code_is_translated_back(client: FlaskClient) -> None:
    answer = client.get(f"/fhir/ConceptMap/$translate?code=blue&system={TARGET}&reverse=true")
    assert _translated(answer) == (True, [("narrower", {"system": SOURCE, "code": "b"})])
    sent = _parameters(code=("valueCode", "blue"), system=("valueUri", TARGET), reverse=("valueBoolean", True))
    assert _translated(_post(client, "/fhir/ConceptMap/$translate", sent))[0] is True


@pytest.mark.parametrize(
    "query", [f"code=x&system={SOURCE}", f"code=unheard&system={SOURCE}", "code=r&system=https://other.example"]
)
def test_what_has_no_translation_says_why(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/fhir/ConceptMap/$translate?url={COLOURS['url']}&{query}")
    assert _translated(answer)[0] is False
    assert json.decode(answer.data)["parameter"][1]["valueString"]


def test_an_unknown_map_is_404_and_a_missing_code_422(client: FlaskClient) -> None:
    assert client.get("/fhir/ConceptMap/$translate?code=r&system=s&url=https://no.such/map").status_code == 404
    assert client.get("/fhir/ConceptMap/$translate?code=r").status_code == 422
    assert (
        _post(client, "/fhir/ConceptMap/$translate", _parameters(code=("valueInteger", 3), system=("valueUri", "s"))).status_code
        == 422
    )
    assert _post(client, "/fhir/ConceptMap/$translate", {"resourceType": "Bundle"}).status_code == 422
    assert client.get(f"/fhir/ConceptMap/$translate?code=r&system={SOURCE}&reverse=1").status_code == 400
    sent = _parameters(code=("valueCode", "r"), system=("valueUri", SOURCE), reverse=("valueString", "true"))
    assert _post(client, "/fhir/ConceptMap/$translate", sent).status_code == 422


# The artefacts


def test_an_artefact_is_read_as_it_stands(client: FlaskClient) -> None:
    answer = client.get("/fhir/ConceptMap/shop-colour")
    assert (answer.status_code, json.decode(answer.data)) == (200, COLOURS)
    assert client.get("/fhir/ConceptMap/none").status_code == 404


@pytest.mark.parametrize("type_", ["Patient", "Nonsense", "conceptmap"])
def test_other_types_are_not_kept(client: FlaskClient, type_: str) -> None:
    assert client.get(f"/fhir/{type_}").status_code == 404
    assert client.get(f"/fhir/{type_}/1").status_code == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (f"url={COLOURS['url']}", True), ("name=shopcol", True), ("name=colour", False), ("_id=shop-colour", True),
        ("_id=shop-colour&version=2.1", True), ("_id=shop-colour&version=2", False),
        ("url=https://shop.example/fhir/ConceptMap/", False),
    ],
)  # fmt: skip
def test_search(client: FlaskClient, query: str, found: bool) -> None:
    answer = client.get(f"/fhir/ConceptMap?{query}&_format=json")
    bundle = json.decode(answer.data)
    assert (answer.status_code, bundle["type"], bundle["total"]) == (200, "searchset", int(found))
    assert [entry["resource"] for entry in bundle.get("entry", [])] == [COLOURS] * found


def test_an_unknown_search_parameter_is_400(client: FlaskClient) -> None:
    assert client.get("/fhir/ConceptMap?urll=x").status_code == 400


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/fhir+json", 200), ("application/json;q=0.5", 200), ("*/*", 200), ("application/*", 200),
        ("application/fhir+xml", 406), ("text/html", 406),
    ],
)  # fmt: skip
def test_json_is_what_is_spoken(client: FlaskClient, accept: str, status: int) -> None:
    answer = client.get("/fhir/metadata", headers={"Accept": accept})
    assert (answer.status_code, answer.mimetype) == (status, "application/fhir+json")


@pytest.mark.parametrize(
    ("asked", "status"), [("json", 200), ("application/fhir%2Bjson", 200), ("application/fhir+json", 200), ("xml", 406)]
)
def test_the_format_can_be_asked_for(client: FlaskClient, asked: str, status: int) -> None:
    assert client.get(f"/fhir/metadata?_format={asked}", headers={"Accept": "text/html"}).status_code == status


# The CapabilityStatement


def test_the_capability_statement_agrees_with_the_routes(client: FlaskClient) -> None:
    said = json.decode(client.get("/fhir/metadata").data)
    (rest,) = said["rest"]
    assert said["implementation"]["description"] == "Connected: A shop (shop)."
    for resource in rest["resource"]:
        name = resource["type"]
        assert client.get(f"/fhir/{name}").status_code == 200
        assert [one["code"] for one in resource["interaction"]] == ["read", "search-type"]
        for parameter in resource["searchParam"]:
            assert client.get(f"/fhir/{name}?{parameter['name']}=x").status_code == 200
        for operation in resource["operation"]:
            assert _post(client, f"/fhir/{name}/${operation['name']}", {"resourceType": name}).status_code in (200, 422)
    assert [one["name"] for one in rest["operation"]] == ["validate"]
    by_type = {resource["type"]: resource for resource in rest["resource"]}
    assert {one["name"] for one in by_type["ConceptMap"]["operation"]} == {"translate", "validate"}
