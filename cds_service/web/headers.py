"""What every answer carries, also when it is an error, and what every request is checked for first.

`Knowledge-Version` ties an answer to the knowledge behind it; `X-Request-Id` ties it to our log.
"""

from __future__ import annotations

import re
from uuid import uuid4

from flask import Flask, Response, request

from cds_service.config import Settings, Tls
from cds_service.errors import BadRequest
from cds_service.logs import Event, log
from cds_service.metrics import Metrics
from cds_service.web.body import discard_rest
from cds_service.web.passage import Passage, begin, here

NO_ROUTE = "none"
_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{7,63}", re.ASCII)
"""What a trace id or a UUID looks like; anything else a caller names itself is not taken over."""
_NOT_LOGGED = frozenset({"/health/live", "/health/ready", "/metrics"})
_NO_TLS_NEEDED = frozenset({"/health/live", "/health/ready"})
"""Asked from inside, not through the proxy."""

_FIXED = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
)
_OVER_TLS = (("Strict-Transport-Security", "max-age=31536000"),)


def install(app: Flask, settings: Settings, knowledge: str, metrics: Metrics) -> None:
    """Check, mark, count and log every request of the application."""
    always = (
        *_FIXED,
        ("Knowledge-Version", knowledge),
        *(_OVER_TLS if settings.tls is not Tls.NONE else ()),
    )

    def start() -> None:
        given = request.headers.get("X-Request-Id", "")
        rule = request.url_rule
        passage = Passage(
            request_id=given if _REQUEST_ID.fullmatch(given) else str(uuid4()),
            route=rule.rule if rule else NO_ROUTE,
        )
        begin(passage)
        _require_tls(settings, passage.route)

    def finish(response: Response) -> Response:
        mark(response)
        observe(response)
        return response

    def mark(response: Response) -> None:
        response.headers.extend(always)
        response.headers.add("X-Request-Id", here().request_id)
        if "Vary" in response.headers:
            response.vary.add("Origin")
        else:
            response.headers.add("Vary", "Origin")

    def observe(response: Response) -> None:
        if response.status_code >= 400:
            discard_rest(request)
        passage = here()
        seconds = passage.seconds
        metrics.answered(
            route=passage.route,
            service=passage.service,
            status=response.status_code,
            seconds=seconds,
        )
        if passage.route not in _NOT_LOGGED:
            log(
                Event.ANSWERED if response.status_code < 400 else Event.REFUSED,
                request_id=passage.request_id,
                route=passage.route,
                service=passage.service,
                client=passage.client,
                status=response.status_code,
                duration_ms=round(seconds * 1000, 3),
                **passage.said,
            )

    app.before_request(start)
    app.after_request(finish)


def _require_tls(settings: Settings, route: str) -> None:
    """Behind a proxy, a request that did not come by TLS came by a way it should not have."""
    if settings.tls is not Tls.PROXY or route in _NO_TLS_NEEDED:
        return
    if request.headers.get("X-Forwarded-Proto", "").strip().lower() != "https":
        raise BadRequest(
            "This service is called over TLS only.",
            where="X-Forwarded-Proto",
            remedy="Call the https address; the proxy must say so in X-Forwarded-Proto.",
        )
