"""What every HTTP answer has in common: its media type, its request ids, and errors, which are always an OperationOutcome.

An answer never carries a traceback or a value of the message; the log carries a request's id, its route and its status.
"""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import BadRequest, HTTPException, RequestEntityTooLarge

from adapter.fhir import json
from adapter.fhir.outcome import Issue, Refused, http_status, issue, outcome
from adapter.mapping.faults import MapFaults, Unknown, did_you_mean, nearest

FHIR_JSON = "application/fhir+json"
JSON = "application/json"

#: What may stand in an id that we echo: no space, no control character, nothing that could forge a header or a line of a log.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+=@-]{0,127}", re.ASCII)
_LOG = logging.getLogger("ost-adapter")


class Problem(Exception):
    """A request that cannot be answered, for a reason that lies in HTTP and not in the content; with its status."""

    def __init__(self, status: int, rule: str, text: str, *, code: str = "invalid", mend: str = "", expression: str = "") -> None:
        self.status = status
        self.issue = issue("error", code, rule, text, mend=mend, expression=expression)
        super().__init__(rule)


def answer(value: Mapping[str, Any] | Sequence[Any], status: int = 200, media_type: str = FHIR_JSON) -> Response:
    """A JSON answer."""
    return Response(json.encode(value), status, content_type=media_type)


def refusal(issues: Sequence[Issue], status: int = 0) -> Response:
    """An OperationOutcome; without a status, the one that its first error stands for."""
    return answer(outcome(issues), status or http_status(issues))


def parameters(*allowed: str) -> dict[str, str]:
    """The query's parameters. Raises Problem (400) for one that is unknown or given twice: a slip must not pass unseen."""
    for name, values in request.args.lists():
        if name not in allowed:
            known = did_you_mean(nearest(name, allowed))
            raise Problem(
                400, "query-unknown", f"A parameter of the query is not known here{known or '.'}", mend=_listed(allowed)
            )
        if len(values) > 1:
            raise Problem(400, "query-repeated", f"The parameter {name} is given more than once.", mend="Send it once.")
    return request.args.to_dict()


def yes_or_no(said: Mapping[str, str], name: str) -> bool:
    """A boolean parameter, false where it is not given. Raises Problem (400)."""
    value = said.get(name, "false")
    if value not in ("true", "false"):
        raise Problem(400, "query-boolean", f"The parameter {name} is true or false.", mend=f"Write {name}=true or leave it out.")
    return value == "true"


def body(media_types: Collection[str] = (JSON, FHIR_JSON)) -> bytes:
    """The request's body, where its media type is one of these. Raises Problem (415); the size limit is Flask's (413)."""
    said = request.mimetype
    # RFC 9110 8.3: without a Content-Type the content may be looked at; what it must be is known from the address.
    if said and said not in media_types:
        raise Problem(
            415,
            "media-type",
            "This address does not take this media type.",
            code="not-supported",
            mend=f"Send Content-Type: {' or '.join(media_types)}.",
        )
    if request.mimetype_params.get("charset", "utf-8").lower() not in ("utf-8", "us-ascii"):
        raise Problem(415, "charset", "Text is read as UTF-8 only.", code="not-supported", mend="Send it as UTF-8.")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem(
            415, "content-encoding", "A compressed body is not unpacked.", code="not-supported", mend="Send it as it is."
        )
    return _read()


def _read() -> bytes:
    """The whole body or a refusal. Not request.get_data(): that gives a chunked body cut off at the limit, and one whose
    sender broke off, as if they were whole; a table that ends early can still be read, less its last doses.
    """
    most: int = current_app.config["MAX_CONTENT_LENGTH"]
    told = request.content_length
    if told is None and not request.environ.get("wsgi.input_terminated"):
        return b""
    if told is not None and told > most:
        raise RequestEntityTooLarge
    stream, parts, left = request.environ["wsgi.input"], [], most + 1 if told is None else told
    try:
        while left > 0 and (part := stream.read(left)):
            parts.append(part)
            left -= len(part)
    except OSError as error:  # gunicorn's errors of chunked bodies are OSErrors as well
        raise BadRequest from error
    if told is not None and left:
        raise BadRequest
    if told is None and not left:
        raise RequestEntityTooLarge
    return b"".join(parts)


def json_body() -> dict[str, Any]:
    """The JSON object in the body. Raises Refused for what is no JSON, Problem for what is no object."""
    value = json.decode(body())
    if not isinstance(value, dict):
        raise Refused([issue("fatal", "structure", "json-object", "A FHIR resource is a JSON object.", mend="Send one object.")])
    return value


def prepare(app: Flask) -> None:
    """Ids, headers, log and errors for every route of an app."""
    app.before_request(_begin)
    app.after_request(_finish)
    app.register_error_handler(Problem, lambda problem: refusal([problem.issue], problem.status))
    app.register_error_handler(Refused, lambda refused: refusal(refused.issues))
    app.register_error_handler(Unknown, _unknown)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(MapFaults, _program_error)
    app.register_error_handler(Exception, _program_error)


def _begin() -> None:
    g.began = time.perf_counter()
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if _ID.fullmatch(given) else str(uuid.uuid4())
    if request.accept_mimetypes and not any(q > 0 for _, q in request.accept_mimetypes):
        raise Problem(406, "accept", "The Accept header allows no media type at all.", code="not-supported", mend="Leave it out.")


def _finish(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.request_id
    correlation = request.headers.get("X-Correlation-ID", "")
    if _ID.fullmatch(correlation):
        response.headers["X-Correlation-ID"] = correlation
    # Health data: not for a cache, not to be guessed at by a browser.
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    # The route's template, never the path or the query that was asked for: a person may stand in those.
    line = {
        "event": "request",
        "request_id": g.request_id,
        "method": request.method,
        "route": request.url_rule.rule if request.url_rule else None,
        "status": response.status_code,
        "ms": round((time.perf_counter() - g.began) * 1000),
    }
    _LOG.info(json.encode(line).decode())
    return response


def _unknown(error: Unknown) -> Response:
    text = f"There is no {error.what} of this name{did_you_mean(error.nearest) or '.'}"
    mend = f"Known are {', '.join(error.known)}." if error.known else "GET /fhir/metadata and /openapi.json say what is there."
    return refusal([issue("error", "not-found", "unknown-name", text, mend=mend)])


def http_error(error: HTTPException) -> Response:
    """Werkzeug's own errors, said as an OperationOutcome; their headers (Allow, Retry-After) are kept."""
    status = error.code or 500
    code, text, mend = _HTTP.get(status, ("processing", f"{error.name}.", ""))
    made = refusal([issue("error", code, f"http-{status}", text, mend=mend)], status)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            made.headers[name] = value
    return made


#: Status -> (issue code, text, mend).
_HTTP = {
    400: ("structure", "The request is broken or was cut off.", "Send the whole request again."),
    404: ("not-found", "There is nothing at this address.", "GET /openapi.json lists the addresses."),
    405: ("not-supported", "This address does not take this method.", "The Allow header says which it takes."),
    413: ("too-long", "The body is larger than this server takes.", "Send less at once, or raise OST_MAX_BODY."),
}


def _program_error(error: Exception) -> Response:
    frames = []
    trace = error.__traceback__
    while trace is not None:
        frames.append(f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}")
        trace = trace.tb_next
    # Where it broke, never the exception's own words: they often quote the data.
    _LOG.error(
        json.encode({"event": "fault", "request_id": g.request_id, "type": type(error).__name__, "frames": frames[-12:]}).decode()
    )
    text = "The program itself has failed; the message was not translated."
    return refusal(
        [issue("fatal", "exception", "program-fault", text, mend="Report it with the X-Request-ID of this answer.")], 500
    )


def _listed(allowed: Collection[str]) -> str:
    return f"Known here: {', '.join(allowed)}." if allowed else "This address takes no parameters."
