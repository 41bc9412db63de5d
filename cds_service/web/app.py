"""`create_app`: the HTTP edge, put together from its parts. It decides nothing itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from flask import Flask, Request
from flask_cors import CORS
from werkzeug.routing import MapAdapter

from cds_service.config import Mode, Settings
from cds_service.errors import ConfigurationError
from cds_service.events.inbox import Inbox
from cds_service.hooks.services import build_registry
from cds_service.knowledge.files import Library
from cds_service.metrics import Metrics
from cds_service.web import headers, problems
from cds_service.web.discovery import discovery
from cds_service.web.events import events
from cds_service.web.feedback import feedback
from cds_service.web.health import health
from cds_service.web.invocation import invocation
from cds_service.web.knowledge import knowledge
from cds_service.web.limits import RateLimit
from cds_service.web.metrics_endpoint import metrics_endpoint
from cds_service.web.openapi import openapi
from cds_service.web.ports import NOBODY_REGISTERED, NoInbox, OpenGate, Ports
from cds_service.web.responses import PlainResponse
from cds_service.web.room import Room

_CORS_PATHS = r"/(cds-services|knowledge).*"
_SANDBOX_REMARK = (
    "Sandbox mode: no token is asked for, so anybody may call. For synthetic patients only."
)


class _Application(Flask):
    """Flask without two steps that it repeats for every call and that nothing here needs."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The view or hook unchanged: none is a coroutine."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Routes by path and method alone: the Host header has no say in what is called (T-11), and
        no address of ours is ever made from it.
        """
        if request is None:
            return None
        return MapAdapter(self.url_map, "", "", "", request.scheme, request.path, request.method)


def create_app(settings: Settings, library: Library, ports: Ports | None = None) -> Flask:
    """The WSGI application for these settings and this knowledge.

    Raises ConfigurationError when callers must prove who they are and the gate asks for no token.
    """
    ports = ports or Ports()
    _require_gate(settings, ports)
    app = _Application("cds_service", static_folder=None)
    app.response_class = PlainResponse
    # Exact paths, no redirects: a redirect would break a browser's preflight.
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.debug = False  # whatever FLASK_DEBUG says

    metrics = Metrics()
    metrics.expect_reasons(reason for base in library.bases.values() for reason in base.reasons)
    room = Room(
        settings=settings,
        registry=build_registry(
            library.bases.values(),
            lab_result_hook=settings.lab_result_hook,
            remark=_SANDBOX_REMARK if isinstance(ports.gate, OpenGate) else "",
        ),
        ports=ports,
        metrics=metrics,
        rate=RateLimit(settings),
    )
    headers.install(app, settings.tls, library.tags, metrics)
    problems.install(app, metrics)
    _allow_browsers(app, settings)
    for blueprint in (discovery, knowledge, invocation, feedback, health, openapi):
        app.register_blueprint(blueprint(room))
    if settings.mode is Mode.SANDBOX:
        app.register_blueprint(metrics_endpoint(room))
    match ports.inbox:
        case Inbox() as inbox:
            app.register_blueprint(events(room, inbox))
        case NoInbox():
            pass
    return app


def _require_gate(settings: Settings, ports: Ports) -> None:
    """An open gate is for sandbox mode without registered clients. Raises ConfigurationError."""
    nobody_registered = settings.clients is None or ports.gate is NOBODY_REGISTERED
    may_be_open = settings.mode is Mode.SANDBOX and nobody_registered
    if isinstance(ports.gate, OpenGate) and not may_be_open:
        raise ConfigurationError(
            "Nobody would check the tokens of callers.",
            where="CDS_CLIENTS",
            remedy="Plug in a gate, or start with --sandbox.",
        )


def _allow_browsers(app: Flask, settings: Settings) -> None:
    """CORS on answers of every status. Never any origin together with credentials (TR-10)."""
    match settings.mode:
        case Mode.SANDBOX:
            origins: str | list[re.Pattern[str]] = "*"
        case Mode.PRODUCTION:
            # as patterns: flask-cors compares texts without regard to case
            origins = [re.compile(rf"{re.escape(origin)}\Z") for origin in settings.cors_origins]
    if not origins:
        return
    CORS(
        app,
        resources=_CORS_PATHS,
        origins=origins,
        methods=["GET", "POST", "OPTIONS"],
        allow_headers=["Authorization", "Content-Type", "X-Request-Id"],
        expose_headers=["Knowledge-Version", "X-Request-Id", "Retry-After"],
        supports_credentials=False,
        vary_header=False,  # every answer has it (`headers`)
        send_wildcard=origins == "*",
        max_age=600,
    )
