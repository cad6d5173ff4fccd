"""What belongs to HTTP alone, over a stand-in for the adapter: statuses, media types, limits, ids, and what never leaks."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from adapter.fhir import json
from tests.interfaces.conftest import PERSON, StandIn

NOTE = "/translate/shop/note"
JSON = {"Content-Type": "application/json"}


def _issue(answer: TestResponse) -> dict[str, Any]:
    """The first issue of an answer that must be an OperationOutcome."""
    assert answer.mimetype == "application/fhir+json"
    said = json.decode(answer.data)
    assert said["resourceType"] == "OperationOutcome"
    first: dict[str, Any] = said["issue"][0]
    return {**first, "rule": first["details"]["coding"][0]["code"]}


def test_the_hub_bundle_is_fhir_with_its_digits(client: FlaskClient) -> None:
    answer = client.post(NOTE, data=b'{"dose":1.00}', headers=JSON)
    assert (answer.status_code, answer.mimetype) == (200, "application/fhir+json")
    assert b'"dose":1.00' in answer.data
    assert answer.headers["X-OST-Issues"] == "0"


def test_a_native_result_comes_as_its_own_type(client: FlaskClient) -> None:
    answer = client.post(f"{NOTE}?to=shop/sheet", data=b"{}", headers=JSON)
    assert (answer.status_code, answer.mimetype, answer.data) == (200, "text/csv", b"A,B\r\n1.00,2\r\n")
    answer = client.post("/translate/shop/sheet?to=shop/note", data=b"A;1", headers={"Content-Type": "text/csv"})
    assert (answer.status_code, answer.mimetype) == (200, "application/json")


def test_a_hub_bundle_can_be_sent(client: FlaskClient, stand_in: StandIn) -> None:
    answer = client.post(
        "/translate/fhir?to=shop/note", data=b"{}", headers={"Content-Type": "application/fhir+json; charset=UTF-8"}
    )
    assert answer.status_code == 200
    assert (stand_in.asked[0][1]["read"], stand_in.asked[0][1]["write"]) == ("fhir", "shop/note")
    assert stand_in.asked[0][1]["received"].endswith("Z")


def test_explain_says_it_all(client: FlaskClient) -> None:
    answer = client.post(f"{NOTE}?to=shop/note&explain=true", data=b'{"warn":1}', headers=JSON)
    said = json.decode(answer.data)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert set(said) == {"bundle", "result", "lineage", "unread", "carried", "ignored", "issues"}
    assert said["ignored"] == {"source": [], "bundle": [{"path": "Bundle.total", "reason": "not asked for"}]}
    assert said["unread"]["source"] == ["note"]


def test_what_was_not_read_is_counted_where_the_body_has_no_place_for_it(client: FlaskClient) -> None:
    assert client.post(f"{NOTE}?to=shop/note", data=b'{"warn":1}', headers=JSON).headers["X-OST-Issues"] == "1"


def test_a_refused_message_is_422_with_every_issue(client: FlaskClient) -> None:
    answer = client.post(NOTE, data=b'{"refuse":1}', headers=JSON)
    assert answer.status_code == 422
    issues = json.decode(answer.data)["issue"]
    assert [(one["severity"], one["expression"]) for one in issues] == [("warning", ["note"]), ("error", ["doses[0].date"])]


EXTRACT = b'{"n":1}\n{"refuse":1}\n{"warn":1}'


def test_an_extract_is_answered_a_line_for_each_record(client: FlaskClient) -> None:
    answer = client.post("/translate/shop/extract", data=EXTRACT, headers={"Content-Type": "application/zip"})
    assert (answer.status_code, answer.mimetype) == (200, "application/x-ndjson")
    assert (answer.headers["X-OST-Refused"], answer.headers["X-OST-Issues"]) == ("1", "3")
    lines = [json.decode(line) for line in answer.data.splitlines()]
    assert [line["resourceType"] for line in lines] == ["Bundle", "OperationOutcome", "Bundle"]
    answer = client.post("/translate/shop/extract?to=shop/note", data=EXTRACT, headers={"Content-Type": "application/zip"})
    assert answer.data.splitlines()[::2] == [b'{"n":1}', b'{"warn":1}']
    answer = client.post("/translate/shop/extract?explain=true", data=EXTRACT, headers={"Content-Type": "application/zip"})
    explained = [json.decode(line) for line in answer.data.splitlines()]
    assert [line["bundle"] is None for line in explained] == [False, True, False]


def test_many_messages_come_a_line_each(client: FlaskClient) -> None:
    lines = {"Content-Type": "application/x-ndjson"}
    answer = client.post(NOTE, data=EXTRACT, headers=lines)
    assert (answer.status_code, answer.mimetype, answer.headers["X-OST-Refused"]) == (200, "application/x-ndjson", "1")
    assert [json.decode(line)["resourceType"] for line in answer.data.splitlines()] == ["Bundle", "OperationOutcome", "Bundle"]
    assert client.post("/translate/fhir", data=EXTRACT, headers=lines).mimetype == "application/x-ndjson"
    assert client.post("/translate/shop/sheet", data=EXTRACT, headers=lines).status_code == 415


def test_rows_are_one_message_or_many(client: FlaskClient) -> None:
    rows = {"Content-Type": "text/csv"}
    answer = client.post("/translate/shop/sheet", data=b"1\n2", headers=rows)
    assert [json.decode(line)["total"] for line in answer.data.splitlines()] == [{"text": "1"}, {"text": "2"}]
    answer = client.post("/translate/shop/sheet?to=shop/note", data=b"1", headers=rows)
    assert (answer.mimetype, answer.data) == ("application/json", b'{"text":"1"}')
    answer = client.post("/translate/shop/sheet", data=b"refuse", headers=rows)
    assert (answer.status_code, _issue(answer)["severity"]) == (422, "warning")


@pytest.mark.parametrize(
    ("address", "near"),
    [
        ("/translate/shp/note", "shop"),
        ("/translate/shop/ntoe", "shop/note"),
        (f"{NOTE}?to=shop/shet", "shop/sheet"),
        (f"{NOTE}?to=note", ""),
    ],
)
def test_an_unknown_name_is_404_with_the_nearest(client: FlaskClient, address: str, near: str) -> None:
    answer = client.post(address, data=b"{}", headers=JSON)
    assert answer.status_code == 404
    assert _issue(answer)["code"] == "not-found"
    assert near in _issue(answer)["details"]["text"]


@pytest.mark.parametrize(
    "address",
    ["/nothing", "/translate", "/translate/", "/translate/shop", "/translate/shop/note/more", "/fhir", "/%00", "//livez"],
)
def test_an_unknown_address_is_404(client: FlaskClient, address: str) -> None:
    answer = client.post(address, data=b"{}", headers=JSON)
    assert answer.status_code in (404, 405)
    assert _issue(answer)["severity"] == "error"


@pytest.mark.parametrize(
    ("method", "address"),
    [("GET", NOTE), ("DELETE", NOTE), ("POST", "/livez"), ("PUT", "/fhir/metadata"), ("PATCH", "/openapi.json")],
)
def test_a_wrong_method_is_405_and_says_which_is_right(client: FlaskClient, method: str, address: str) -> None:
    answer = client.open(address, method=method)
    assert answer.status_code == 405
    assert answer.headers["Allow"]
    assert _issue(answer)["code"] == "not-supported"


@pytest.mark.parametrize(
    ("headers", "rule"),
    [
        ({"Content-Type": "text/csv"}, "media-type"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, "media-type"),
        ({"Content-Type": "application/json; charset=latin-1"}, "charset"),
        ({**JSON, "Content-Encoding": "gzip"}, "content-encoding"),
    ],
)
def test_what_is_not_taken_is_415(client: FlaskClient, headers: dict[str, str], rule: str) -> None:
    answer = client.post(NOTE, data=b"{}", headers=headers)
    assert answer.status_code == 415
    assert _issue(answer)["rule"] == rule
    assert _issue(answer)["diagnostics"]


def test_no_content_type_is_taken_for_what_the_address_says(client: FlaskClient) -> None:
    assert client.post(NOTE, data=b"{}").status_code == 200


def test_a_body_over_the_limit_is_413(client: FlaskClient) -> None:
    whole = b'{"a":"' + b"x" * 992 + b'"}'
    assert client.post(NOTE, data=whole, headers=JSON).status_code == 200, "a thousand bytes are allowed"
    answer = client.post(NOTE, data=whole + b" ", headers=JSON)
    assert (answer.status_code, _issue(answer)["code"]) == (413, "too-long")


@pytest.mark.parametrize(
    "query",
    ["explian=true", "explain=yes", "explain=true&explain=false", "to=shop/note&to=shop/sheet", "to=shop/note&format=json"],
)
def test_a_slip_in_the_query_is_400_and_not_ignored(client: FlaskClient, query: str) -> None:
    answer = client.post(f"{NOTE}?{query}", data=b"{}", headers=JSON)
    assert answer.status_code == 400
    assert _issue(answer)["diagnostics"]
    if query.startswith("explian"):
        assert "did you mean explain?" in _issue(answer)["details"]["text"]


def test_a_fault_of_the_program_is_500_and_says_nothing_of_the_message(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = client.post(f"{NOTE}?to=shop/note", data=b'{"crash":1}', headers={**JSON, "X-Request-ID": "r-1"})
    assert (answer.status_code, _issue(answer)["rule"]) == (500, "program-fault")
    said = answer.get_data(as_text=True) + caplog.text + "".join(capfd.readouterr())
    assert not any(part in said for part in (*PERSON.split(), "Traceback"))
    assert '"type":"RuntimeError"' in caplog.text and '"request_id":"r-1"' in caplog.text and "conftest.py:" in caplog.text


def test_neither_path_nor_query_is_logged(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client.post(f"{NOTE}?Quillfeather=9990000018", data=b"{}", headers=JSON)
    client.get("/fhir/Patient/9990000018")
    client.get("/9990000018")
    assert "9990000018" not in caplog.text and "Quillfeather" not in caplog.text
    assert '"route":"/translate/<system>/<message>","status":400' in caplog.text


def test_ids_are_echoed_where_they_are_safe(client: FlaskClient) -> None:
    answer = client.get("/livez", headers={"X-Request-ID": "a.b-1", "X-Correlation-ID": "urn:uuid:0f6c"})
    assert (answer.headers["X-Request-ID"], answer.headers["X-Correlation-ID"]) == ("a.b-1", "urn:uuid:0f6c")
    assert client.get("/nothing", headers={"X-Request-ID": "e-1"}).headers["X-Request-ID"] == "e-1", "on errors as well"


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "<script>", "caf\u00e9"])
def test_an_id_that_is_not_safe_is_replaced_and_never_echoed(client: FlaskClient, given: str) -> None:
    answer = client.get("/livez", headers={"X-Request-ID": given, "X-Correlation-ID": given})
    made = answer.headers["X-Request-ID"]
    assert made != given and len(made) == 36
    assert "X-Correlation-ID" not in answer.headers
    assert client.get("/livez").headers["X-Request-ID"] != made


def test_answers_are_kept_by_nobody(client: FlaskClient) -> None:
    answer = client.post(NOTE, data=b"{}", headers=JSON)
    assert (answer.headers["Cache-Control"], answer.headers["X-Content-Type-Options"]) == ("no-store", "nosniff")


def test_alive(client: FlaskClient) -> None:
    answer = client.get("/livez")
    assert (answer.status_code, answer.json) == (200, {"status": "alive"})


def test_the_description_is_valid_and_has_every_route(client: FlaskClient) -> None:
    from openapi_spec_validator import validate

    described = client.get("/openapi.json").json
    assert described
    validate(described)
    routes = {
        (method.lower(), re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in client.application.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {(method, path) for path, methods in described["paths"].items() for method in methods} == routes
    # What a route takes of the query is what the description says it takes.
    for path, methods in described["paths"].items():
        for method, said in methods.items():
            known = {each["name"] for each in said["parameters"] if each["in"] == "query"}
            asked = (
                path.replace("{system}/{message}", "shop/note")
                .replace("{resource_type}", "ConceptMap")
                .replace("{resource_id}", "x")
            )
            answer = client.open(f"{asked}?nonsense=1", method=method.upper(), data=b"{}", headers=JSON)
            if path not in ("/livez", "/openapi.json"):
                listed = set(_issue(answer)["diagnostics"].removeprefix("Known here: ").rstrip(".").split(", "))
                assert answer.status_code == 400
                assert listed - {"_format", "This address takes no parameters"} == known, (method, path)
