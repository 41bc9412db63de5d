"""The port of the metrics and callers that misbehave."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIServer, make_server

import pytest

from cds_service.web import management

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

WHOLE = b"GET /metrics HTTP/1.1\r\n\r\n"
NO_LINGER = struct.pack("ii", 1, 0)
"""Closes a connection by a reset, as port scanners and some probes do."""


def much(_environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    """An application that answers more than a connection holds for who does not read."""
    start_response("200 OK", [])
    return [bytes(32 * 1024 * 1024)]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WSGIServer]:
    """Takes one caller at a time, and waits a hundredth of the time for the silent."""
    monkeypatch.setattr(management._Handler, "timeout", management._Handler.timeout / 100)
    with make_server("127.0.0.1", 0, much, handler_class=management._Handler) as server:
        yield server


def caller(server: WSGIServer, says: bytes) -> closing[socket.socket]:
    connection = socket.create_connection(("127.0.0.1", server.server_port), timeout=20)
    connection.sendall(says)
    return closing(connection)


@pytest.mark.parametrize("says", [b"", b"GET /met", WHOLE[:-2], WHOLE])
def test_who_says_or_reads_no_more_is_cut_off_without_a_word(
    server: WSGIServer, says: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    with caller(server, says) as connection:
        server.handle_request()
        while connection.recv(65_536):
            pass
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("says", [b"", WHOLE[:-2], WHOLE])
def test_who_breaks_off_leaves_nothing_in_the_log(
    server: WSGIServer, says: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    with caller(server, says) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    server.handle_request()
    assert capsys.readouterr().err == ""


def test_an_error_that_the_server_makes_itself_does_not_name_python(server: WSGIServer) -> None:
    with caller(server, b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n") as connection:
        server.handle_request()
        head = connection.recv(65_536)
    assert head.startswith(b"HTTP/1.0 414")
    assert b"Server: cds-service" in head
    assert b"Python" not in head
