"""What every answer carries, also when it is an error, and what every request is checked for first.

`Knowledge-Version` ties an answer to the knowledge behind it; `X-Request-Id` ties it to our log.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from flask import Flask, Response, request

from cds_service.config import Tls
from cds_service.errors import BadRequest, NotFound
from cds_service.logs import Event, log
from cds_service.metrics import Metrics
from cds_service.web.body import discard_rest
from cds_service.web.passage import Passage, begin, here

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

NO_ROUTE = "none"
_REQUEST_ID = re.compile(
    r"(?=.*[A-Fa-f])"
    r"([0-9a-f]{32}|[0-9a-f]{16}|[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})",
    re.ASCII,
)
"""A trace or span id (W3C Trace Context, section 3.2.2) or a UUID, with at least one letter. Other
texts are not logged: a caller may have made them from a patient's number.
"""
_NOT_LOGGED = frozenset({"/health/live", "/health/ready", "/metrics"})
_NO_TLS_NEEDED = frozenset({"/health/live", "/health/ready"})
"""Probes ask for these from inside, not through the proxy."""

_FIXED = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Vary", "Origin"),
)
_OVER_TLS = (("Strict-Transport-Security", "max-age=31536000"),)


def install(app: Flask, tls: Tls, knowledge: str, metrics: Metrics) -> None:
    """Check, mark, count and log every request of the application."""
    always = (
        *_FIXED,
        ("Knowledge-Version", knowledge),
        *(_OVER_TLS if tls is not Tls.NONE else ()),
    )

    def start() -> None:
        environ = request.environ
        passage = _new_passage(environ)
        begin(passage)
        if environ["PATH_INFO"].startswith("//"):  # routing ignores the first
            raise NotFound("There is nothing here.", remedy="Call with one slash at the start.")
        _require_tls(tls, passage.route, environ)

    def finish(response: Response) -> Response:
        passage = here()
        response.headers.add("X-Request-Id", passage.request_id)
        if response.status_code >= 400:
            discard_rest(request)
        _count_and_log(response.status_code, passage, metrics)
        return response

    app.before_request(start)
    app.after_request(finish)
    app.wsgi_app = _with_headers(app.wsgi_app, always)  # type: ignore[method-assign, assignment]


def _new_passage(environ: WSGIEnvironment) -> Passage:
    given = environ.get("HTTP_X_REQUEST_ID", "")
    rule = request.url_rule
    return Passage(
        request_id=given if _REQUEST_ID.fullmatch(given) else str(uuid4()),
        route=rule.rule if rule else NO_ROUTE,
    )


def _count_and_log(status: int, passage: Passage, metrics: Metrics) -> None:
    seconds = passage.seconds
    metrics.answered(route=passage.route, service=passage.service, status=status, seconds=seconds)
    if passage.route not in _NOT_LOGGED:
        log(
            Event.ANSWERED if status < 400 else Event.REFUSED,
            request_id=passage.request_id,
            route=passage.route,
            service=passage.service,
            client=passage.client,
            status=status,
            duration_ms=round(seconds * 1000, 3),
            **passage.said,
        )


def _with_headers(app: WSGIApplication, always: Sequence[tuple[str, str]]) -> WSGIApplication:
    """Adds the headers that every answer has, at the very end, where that costs nothing."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *fault: Any) -> Any:
            return start_response(status, [*headers, *always], *fault)

        return app(environ, start)

    return answer


def _require_tls(tls: Tls, route: str, environ: WSGIEnvironment) -> None:
    """Raises BadRequest unless the proxy says that the request reached it over TLS."""
    if tls is not Tls.PROXY or route in _NO_TLS_NEEDED:
        return
    if environ.get("HTTP_X_FORWARDED_PROTO", "").strip().lower() != "https":
        raise BadRequest(
            "This service is called over TLS only.",
            where="X-Forwarded-Proto",
            remedy="Call the https address; the proxy must say so in X-Forwarded-Proto.",
        )
