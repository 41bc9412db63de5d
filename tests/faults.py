"""Ways in which a FHIR server can answer badly (and well), for `fault_server.FaultServer`.

A fault is a function that is handed the connection once the request has been read.
"""

from __future__ import annotations

import gzip
import json
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass

STEP_SECONDS = 0.02
"""Pause between two bytes of a drip: short against any single timeout, endless in sum."""
LONGEST_STAY_SECONDS = 30.0
"""A hanging answer gives up after this time, so a forgotten client cannot keep a test for ever."""

FHIR_JSON = "application/fhir+json"


@dataclass(frozen=True)
class Call:
    """One request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]


@dataclass
class Conversation:
    """One connection while it is being answered."""

    sock: socket.socket
    stopping: threading.Event
    count: Callable[[int], None]

    def send(self, data: bytes) -> None:
        """Send bytes and count them; raises OSError once the client has gone."""
        self.sock.sendall(data)
        self.count(len(data))

    def pause(self, seconds: float) -> None:
        """Wait, but not longer than the server lives."""
        if self.stopping.wait(seconds):
            raise ConnectionAbortedError("the server is stopping")

    def wait_for_client_to_leave(self) -> None:
        """Say nothing until the client hangs up (or the longest stay is over)."""
        self.sock.settimeout(LONGEST_STAY_SECONDS)
        while self.sock.recv(65536):
            pass


Fault = Callable[[Conversation], None]
"""How one request is answered."""


def reply(
    body: bytes,
    *,
    status: int = 200,
    content_type: str = FHIR_JSON,
    headers: tuple[tuple[str, str], ...] = (),
) -> Fault:
    """A plain answer."""

    def answer(talk: Conversation) -> None:
        length = ("Content-Length", str(len(body)))
        talk.send(_head(status, ("Content-Type", content_type), length, *headers) + body)

    return answer


def reply_json(
    resource: object,
    *,
    content_type: str = FHIR_JSON,
    headers: tuple[tuple[str, str], ...] = (),
) -> Fault:
    """A resource as FHIR JSON."""
    return reply(json.dumps(resource).encode(), content_type=content_type, headers=headers)


def hang_before_headers(talk: Conversation) -> None:
    """Read the request and never answer."""
    talk.wait_for_client_to_leave()


def drip_headers(talk: Conversation) -> None:
    """A status line, then one header that never ends, byte by byte."""
    talk.send(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        talk.pause(STEP_SECONDS)
        talk.send(b"x")


def drip_body(talk: Conversation) -> None:
    """Correct headers, then a body of blanks that never ends, one at a time."""
    talk.send(_head(200, ("Content-Type", FHIR_JSON)))
    while True:
        talk.pause(STEP_SECONDS)
        talk.send(b" ")


def drip_chunk_size(talk: Conversation) -> None:
    """A chunked body whose first chunk size is written with endless leading zeros."""
    talk.send(_head(200, ("Content-Type", FHIR_JSON), ("Transfer-Encoding", "chunked")))
    while True:
        talk.pause(STEP_SECONDS)
        talk.send(b"0")


def reset_mid_body(talk: Conversation) -> None:
    """Announce a long body, send a little of it, then reset the connection."""
    talk.send(_head(200, ("Content-Type", FHIR_JSON), ("Content-Length", "5000")) + b'{"resou')
    talk.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def reset_at_once(talk: Conversation) -> None:
    """Reset the connection instead of answering."""
    talk.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def cut_body(talk: Conversation) -> None:
    """Announce a long body and close politely after a little of it."""
    talk.send(_head(200, ("Content-Type", FHIR_JSON), ("Content-Length", "5000")) + b'{"resou')


def garbage(talk: Conversation) -> None:
    """Something that is not HTTP."""
    talk.send(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")


half_json = reply(b'{"resourceType": "Patient", "id": ')
"""A complete HTTP answer whose JSON stops in the middle."""


def gzip_bomb(decoded_bytes: int) -> Fault:
    """A small compressed body that decodes to this many spaces inside a JSON object."""
    packed = gzip.compress(b"{" + b" " * decoded_bytes + b"}")
    return reply(packed, headers=(("Content-Encoding", "gzip"),))


def endless_body(talk: Conversation) -> None:
    """A body without announced length and without end."""
    talk.send(_head(200, ("Content-Type", FHIR_JSON)))
    while True:
        talk.send(b" " * 65536)


def redirect(location: str, status: int = 302) -> Fault:
    """Send the client elsewhere."""
    return reply(b"", status=status, headers=(("Location", location),))


def together(others: int, answer: Fault) -> Fault:
    """Answer only once this many requests are waiting at the same time."""
    barrier = threading.Barrier(others)

    def wait_then_answer(talk: Conversation) -> None:
        barrier.wait(timeout=LONGEST_STAY_SECONDS)
        answer(talk)

    return wait_then_answer


def bundle(*resources: object, next_link: str = "") -> dict[str, object]:
    """A searchset Bundle, with a `next` link where one is given."""
    page: dict[str, object] = {"resourceType": "Bundle", "type": "searchset"}
    if resources:
        page["entry"] = [{"resource": resource} for resource in resources]
    if next_link:
        page["link"] = [{"relation": "next", "url": next_link}]
    return page


def observation(number: int) -> dict[str, object]:
    """A tiny synthetic Observation."""
    return {"resourceType": "Observation", "id": f"o{number}"}


def _head(status: int, *headers: tuple[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join([*lines, "Connection: close"]) + "\r\n\r\n").encode()
