"""The management port: `GET /metrics` of all workers together, and nothing else.

Whoever asks there stands inside (docs/security.md), so no token is asked for and no TLS. Else it
answers as the service does: the same headers, and an OperationOutcome for whatever is not 200.
"""

from __future__ import annotations

import socket
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from flask import Flask, Response

from cds_service.config import Tls
from cds_service.metrics import CONTENT_TYPE, Metrics, text_of_all_workers
from cds_service.web import headers, problems
from cds_service.web.responses import PlainResponse, raw_response


def management_app(directory: str, knowledge: str) -> Flask:
    """The application. `directory` is where the workers count, `knowledge` what every answer names.

    Its own requests are not counted.
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
        response.headers["Server"] = "cds-service"  # else Python and its version
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
    def log_message(self, *_said: object) -> None:
        """Our own log has a line for what is refused."""
