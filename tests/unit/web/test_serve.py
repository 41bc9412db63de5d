"""The real server: bodies by length and by chunks, slow callers, and the port of the metrics."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from selectors import EVENT_READ, DefaultSelector
from typing import cast
from uuid import UUID

import pytest

from tests.unit.web.rooms import URL, hook_request
from tests.unit.web.serving import Running, running

LIMIT = 10 * 1024 * 1024


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("served") / "log") as started:
        yield started


def test_t50_a_body_over_the_limit_is_413_by_length_and_by_chunks(server: Running) -> None:
    large = b'{"a":"' + b"x" * LIMIT + b'"}'
    chunks = (large[start : start + 65_536] for start in range(0, len(large), 65_536))
    by_length = server.call("POST", URL, large)
    by_chunks = server.call("POST", URL, chunks, encode_chunked=True)
    assert by_length == by_chunks
    assert by_length[0] == 413
    assert json.loads(by_length[1])["resourceType"] == "OperationOutcome"
    small = iter([json.dumps(hook_request()).encode()])
    assert server.call("POST", URL, small, encode_chunked=True)[0] == 200


def test_head_answers_as_get_does_without_the_body(server: Running) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)) as connection:
        lengths = []
        for method in ("HEAD", "GET", "HEAD"):  # over one connection: nothing is left over
            connection.request(method, "/cds-services")
            response = connection.getresponse()
            assert (response.status, bool(response.read())) == (200, method == "GET")
            lengths.append(response.headers["Content-Length"])
    assert len(set(lengths)) == 1


@pytest.mark.parametrize(
    ("path", "status"), [(URL.upper(), 404), ("/health/live", 405), (f"{URL}/feedback", 413)]
)
def test_a_refused_caller_can_read_why_after_sending_everything(
    server: Running, path: str, status: int
) -> None:
    told, body = server.call("POST", path, b"x" * (2 * LIMIT))
    assert told == status
    assert json.loads(body)["resourceType"] == "OperationOutcome"


def test_t56_slow_callers_do_not_shut_out_the_next_one(server: Running) -> None:
    head = f"POST {URL} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    with ExitStack() as slow:
        for _ in range(500):
            caller = slow.enter_context(
                closing(socket.create_connection(("127.0.0.1", server.port)))
            )
            caller.sendall(f"{head}Content-Length: 1000\r\n\r\n{{".encode())
        for _ in range(20):
            assert server.call("POST", URL, json.dumps(hook_request()))[0] == 200


def test_t56_refused_callers_that_send_no_body_are_answered_all_the_same(server: Running) -> None:
    """Of each worker's threads only 64 wait for such callers, so nobody without a token can hold
    all of them.
    """
    callers, waited_for = 300, 2 * 64
    head = f"POST {URL.upper()} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n".encode()
    with ExitStack() as silent, DefaultSelector() as answers:
        for _ in range(callers):
            caller = silent.enter_context(
                closing(socket.create_connection(("127.0.0.1", server.port)))
            )
            caller.sendall(head)
            answers.register(caller, EVENT_READ)
        answered = 0
        while answered < callers - waited_for:
            heard = answers.select(timeout=20)
            assert heard, f"only {answered} were answered"
            for key, _ in heard:
                answers.unregister(key.fileobj)
                assert cast("socket.socket", key.fileobj).recv(64).startswith(b"HTTP/1.1 404")
                answered += 1
        assert server.call("GET", "/health/live")[0] == 200


def test_t56_http_2_is_not_spoken(server: Running) -> None:
    """A few bytes of it stand for megabytes of headers, and one connection for 200 callers."""
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    settings = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
    address = ("127.0.0.1", server.port)
    with closing(socket.create_connection(address, timeout=20)) as connection:
        connection.sendall(preface + settings)
        assert connection.recv(64) == b"", "it hangs up"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/metrics", 200),
        ("HEAD", "/metrics", 200),
        ("POST", "/metrics", 405),
        ("DELETE", "/metrics", 405),
        ("GET", "/zz", 404),
        ("POST", URL, 404),
    ],
)
def test_the_management_port_answers_as_the_service_does(
    server: Running, method: str, path: str, status: int
) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", server.management_port)) as connection:
        connection.request(method, path, body=b"{}" if method == "POST" else None)
        response = connection.getresponse()
        body = response.read()
    assert response.status == status
    assert response.headers["Knowledge-Version"] == "toy@2026.1"
    assert UUID(response.headers["X-Request-Id"])
    assert response.headers["Server"] == "cds-service"
    if status == 200:
        assert response.headers["Content-Type"].startswith("text/plain")
    else:
        assert response.headers["Content-Type"] == "application/fhir+json"
        assert json.loads(body)["resourceType"] == "OperationOutcome"
