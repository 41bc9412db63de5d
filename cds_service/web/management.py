"""The management port: `GET /metrics` of all workers together, and nothing else.

Only callers inside the network reach it (docs/security.md), so it asks for neither token nor TLS.
Else it answers as the service does: the same headers, and an OperationOutcome for all but 200.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from io import StringIO
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from flask import Flask, Response

from cds_service.config import Tls
from cds_service.metrics import CONTENT_TYPE, Metrics, text_of_all_workers
from cds_service.web import headers, problems
from cds_service.web.responses import PlainResponse, raw_response

SILENT_SECONDS = 30
"""How long a caller may send nothing, or read nothing, before it is cut off: it holds a thread."""


def management_app(directory: str, knowledge: str) -> Flask:
    """The application. `directory` is the folder in which the workers count, `knowledge` the value
    of the `Knowledge-Version` header. Its own requests are not counted.
    """
    app = Flask("cds_service.management", static_folder=None)
    app.response_class = PlainResponse
    uncounted = Metrics()
    headers.install(app, Tls.NONE, knowledge, uncounted)
    problems.install(app, uncounted)

    @app.get("/metrics")
    def show() -> Response:
        return raw_response(text_of_all_workers(directory), media_type=CONTENT_TYPE)

    @app.after_request
    def unnamed(response: Response) -> Response:
        response.headers["Server"] = _Handler.server_version
        return response

    return app


def serve_management(app: Flask, host: str, port: int) -> None:
    """Answer until the process is ended."""

    class Server(ThreadingMixIn, WSGIServer):
        address_family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        daemon_threads = True

    with make_server(host, port, app, Server, _Handler) as server:
        server.serve_forever()


class _Handler(WSGIRequestHandler):
    timeout = SILENT_SECONDS
    server_version = "cds-service"
    sys_version = ""  # else that of Python

    def handle(self) -> None:
        """A caller that is gone, or was cut off, is no fault of ours."""
        with suppress(OSError):
            super().handle()

    def get_stderr(self) -> StringIO:
        """Takes the tracebacks of what `handle` passes over: our log has one JSON object a line."""
        return StringIO()

    def log_message(self, *_said: object) -> None:
        """Our own log has a line for what is refused."""
