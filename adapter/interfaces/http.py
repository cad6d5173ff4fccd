"""The HTTP interface as a Flask application: translation here, the FHIR API and ledgers beside it, what all share in answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Flask, Response, request

from adapter.fhir import json
from adapter.fhir.outcome import Refused
from adapter.interfaces import answers, media
from adapter.interfaces.artefacts import Artefacts
from adapter.interfaces.fhir_api import CONVERTERS, fhir_api
from adapter.interfaces.ledgers import ledgers
from adapter.interfaces.openapi import described
from adapter.interfaces.opening import now
from adapter.interfaces.settings import Settings
from adapter.interfaces.views import explained, listed, result_of, said_issues, wire_format

if TYPE_CHECKING:
    from adapter import Adapter, Translation


def create_app(ost: Adapter, settings: Settings | None = None) -> Flask:
    """The application. It keeps no state between requests; `ost` is shared by all threads."""
    settings = settings or Settings()
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False  # a redirect would ask for the body twice
    app.url_map.converters.update(CONVERTERS)
    answers.prepare(app)
    app.register_blueprint(translation(ost))
    app.register_blueprint(fhir_api(ost, Artefacts(settings.mappings)))
    app.register_blueprint(ledgers(ost, settings))

    @app.get("/livez")
    def livez() -> Response:
        """The process answers. Looks at nothing else: a supervisor restarts what does not."""
        return answers.answer({"status": "alive"}, media_type=answers.JSON)

    @app.get("/openapi.json")
    def openapi() -> Response:
        """This interface, described."""
        return answers.answer(described(listed(ost), settings), media_type=answers.JSON)

    return app


def translation(ost: Adapter) -> Blueprint:
    """POST /translate/..."""
    routes = Blueprint("translation", __name__)

    @routes.post("/translate/fhir")
    def from_hub() -> Response:
        """A hub Bundle in, native body out (with `to`), or the Bundle checked."""
        return _translate(ost, "fhir")

    @routes.post("/translate/<system>/<message>")
    def from_system(system: str, message: str) -> Response:
        """A native body in; the hub Bundle, or with `to` another system's native body, out."""
        return _translate(ost, f"{system}/{message}")

    return routes


def _translate(ost: Adapter, read: str) -> Response:
    said = answers.parameters("to", "explain")
    explain = answers.yes_or_no(said, "explain")
    write = said.get("to", "fhir")
    read_format, write_format = wire_format(ost, read), wire_format(ost, write)
    body = answers.body(media.taken(read_format))
    target = None if write == "fhir" else write
    if media.holds_many(read_format, request.mimetype):
        many = list(ost.many(body, read=read, write=target, received=now()))
        # A file of rows with one record is one message, and is answered as one.
        if read_format != "csv" or len(many) != 1:
            return _many(many, explain=explain)
        if isinstance(many[0], Refused):
            raise many[0]
        done = many[0]
    else:
        done = ost.translate(body, read=read, write=target, received=now())
    if explain:
        return answers.answer(explained(done), media_type=answers.JSON)
    payload = json.encode(done.bundle) if done.result is None else done.result
    response = Response(payload, content_type=media.of_format(write_format)[0])
    # A native body has no place for what was not understood, and silence is no answer: ?explain=true says it in full.
    response.headers["X-OST-Issues"] = str(len(said_issues(done.issues)))
    return response


def _many(done: list[Translation | Refused], *, explain: bool) -> Response:
    """A line of JSON for each message of a source of many, in its order; a refused one is an OperationOutcome in its place."""
    lines = []
    for one in done:
        if explain:
            lines.append(explained(one))
        elif isinstance(one, Refused):
            lines.append(one.outcome)
        else:
            lines.append(one.bundle if one.result is None else result_of(one))
    response = Response(b"".join(json.encode(line) + b"\n" for line in lines), content_type=media.NDJSON)
    issues = [one.issues if isinstance(one, Refused) else said_issues(one.issues) for one in done]
    response.headers["X-OST-Issues"] = str(sum(len(each) for each in issues))
    response.headers["X-OST-Refused"] = str(sum(isinstance(one, Refused) for one in done))
    return response
