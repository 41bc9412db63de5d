"""The one place where an error becomes an answer: a FHIR OperationOutcome (H-05).

Three rules: the body of a 401 is always the same (H-06); a fault of ours says the request id and
nothing else (T-29); and nothing that fails ever looks like "nothing to say" (TR-02).
"""

from __future__ import annotations

import re

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from cds_service.core.json_object import JsonObject
from cds_service.errors import (
    BadRequest,
    CdsError,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    ServiceFault,
    StoreUnavailable,
    TooManyRequests,
    Unauthorised,
    let_go,
)
from cds_service.fhir.canonical import OURS
from cds_service.logs import Event, log_fault
from cds_service.metrics import Metrics
from cds_service.web.passage import here
from cds_service.web.responses import FHIR_JSON, json_response

_ERROR_SYSTEM = f"{OURS}/CodeSystem/error"
"""Names the public error codes (`CDS-1001`)."""

_PATH = re.compile(r"[A-Za-z]\w*(\[\d+\])?(\.[A-Za-z]\w*(\[\d+\])?)*", re.ASCII)


def install(app: Flask, metrics: Metrics) -> None:
    """Let every error of the application end here."""

    def on_error(error: Exception) -> Response:
        return answer_to(error, metrics)

    app.register_error_handler(Exception, on_error)


def answer_to(error: Exception, metrics: Metrics) -> Response:
    """The answer to any exception, designed or not."""
    designed = as_designed(error)
    passage = here()
    passage.said = {"error": designed.code, "cause": designed.cause}
    if isinstance(designed, ServiceFault):
        log_fault(
            Event.FAILED,
            error,
            request_id=passage.request_id,
            route=passage.route,
            service=passage.service,
        )
    if isinstance(designed, Unauthorised):
        metrics.refused_token(designed.cause)
    response = json_response(
        outcome(designed, passage.request_id), status=designed.status, media_type=FHIR_JSON
    )
    _add_headers(response, designed, error)
    let_go(error)
    return response


def outcome(error: CdsError, request_id: str) -> JsonObject:
    """The OperationOutcome that tells a caller what happened, where, and what to do."""
    issue: JsonObject = {"severity": "error", "code": error.issue_type}
    details: JsonObject = {"coding": [{"system": _ERROR_SYSTEM, "code": error.code}]}
    match error:
        case ServiceFault():
            issue["severity"] = "fatal"
            details["text"] = f"The service failed. Request {request_id}."
        case StoreUnavailable():  # its remedy is for whoever runs the service, not for callers
            details["text"] = error.text
            issue["diagnostics"] = "Call again later."
        case _:
            details["text"] = error.text
            said = " ".join(part for part in (_at(error.where), error.remedy) if part)
            if said:
                issue["diagnostics"] = said
            if _PATH.fullmatch(error.where):
                issue["expression"] = [error.where]
    issue["details"] = details
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def as_designed(error: Exception) -> CdsError:
    """The designed error for any exception: our own, the framework's, or a fault of ours."""
    if isinstance(error, CdsError) and error.status != 500:
        return error
    if isinstance(error, HTTPException):
        return _of_framework(error)
    return ServiceFault("The service failed.")


def _of_framework(error: HTTPException) -> CdsError:
    match error.code:
        case 404:
            return NotFound(
                "There is nothing here.", remedy="GET /openapi.json lists what there is."
            )
        case 405:
            return MethodNotAllowed(
                "This path does not answer that method.",
                remedy="GET /openapi.json lists those it answers.",
            )
        case 413:
            return PayloadTooLarge("The body is too large.", remedy="Send a smaller one.")
        case int() as status if 400 <= status < 500:
            return BadRequest("The request cannot be read.", remedy="See /openapi.json.")
        case _:
            return ServiceFault("The service failed.")


def _at(where: str) -> str:
    return f"At {where}." if where else ""


def _add_headers(response: Response, designed: CdsError, error: Exception) -> None:
    match designed:
        case Unauthorised():
            response.headers["WWW-Authenticate"] = "Bearer"
        case TooManyRequests():
            response.headers["Retry-After"] = str(designed.retry_after)
        case MethodNotAllowed() if isinstance(error, HTTPException):
            allowed = getattr(error, "valid_methods", None) or ()
            response.headers["Allow"] = ", ".join(sorted(allowed))
        case _:
            pass
