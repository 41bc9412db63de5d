"""What every answer carries, also when it is an error, and what every request is checked for first.

`Knowledge-Version` ties an answer to the knowledge behind it; `X-Request-Id` ties it to our log.
"""

from __future__ import annotations

import re
from time import perf_counter
from uuid import uuid4

from flask import Flask, Response, g, request

from cds_service.config import Settings, Tls
from cds_service.errors import BadRequest
from cds_service.logs import Event, log
from cds_service.metrics import Metrics
from cds_service.web.body import discard_rest

NO_ROUTE = "none"
_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{7,63}", re.ASCII)
"""What a trace id or a UUID looks like; anything else a caller names itself is not taken over."""
_NOT_LOGGED = frozenset({"/health/live", "/health/ready", "/metrics"})
_NO_TLS_NEEDED = frozenset({"/health/live", "/health/ready"})
"""Asked from inside, not through the proxy."""

_FIXED = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


def install(app: Flask, settings: Settings, knowledge: str, metrics: Metrics) -> None:
    """Check, mark, count and log every request of the application."""

    def begin() -> None:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if _REQUEST_ID.fullmatch(given) else str(uuid4())
        g.started = perf_counter()
        g.route = request.url_rule.rule if request.url_rule else NO_ROUTE
        g.service = g.client = ""
        _require_tls(settings)

    def mark(response: Response) -> Response:
        response.headers.update(_FIXED)
        response.vary.add("Origin")
        response.headers["Knowledge-Version"] = knowledge
        response.headers["X-Request-Id"] = g.request_id
        if settings.tls is not Tls.NONE:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        return response

    def observe(response: Response) -> Response:
        if response.status_code >= 400:
            discard_rest(request)
        seconds = perf_counter() - g.started
        metrics.answered(
            route=g.route, service=g.service, status=response.status_code, seconds=seconds
        )
        if g.route not in _NOT_LOGGED:
            log(
                Event.ANSWERED if response.status_code < 400 else Event.REFUSED,
                request_id=g.request_id,
                route=g.route,
                service=g.service,
                client=g.client,
                status=response.status_code,
                duration_ms=round(seconds * 1000, 3),
                **g.pop("summary", {}),
            )
        return response

    app.before_request(begin)
    app.after_request(observe)
    app.after_request(mark)


def _require_tls(settings: Settings) -> None:
    """Behind a proxy, a request that did not come by TLS came by a way it should not have."""
    if settings.tls is not Tls.PROXY or g.route in _NO_TLS_NEEDED:
        return
    if request.headers.get("X-Forwarded-Proto", "").strip().lower() != "https":
        raise BadRequest(
            "This service is called over TLS only.",
            where="X-Forwarded-Proto",
            remedy="Call the https address; the proxy must say so in X-Forwarded-Proto.",
        )
