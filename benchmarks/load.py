"""A bounded load generator: kept-alive connections on 127.0.0.1, each with one request under way.

It runs in this process, beside the server on the other core. Every answer must be 200 and hold a
card, else the run fails: a fast refusal is no speed.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle
from threading import Lock
from time import perf_counter

_CARD = b'"summary"'


@dataclass(frozen=True, slots=True)
class Slice:
    """What one slice of load came to; `latencies` in seconds, sorted."""

    seconds: float
    latencies: tuple[float, ...]

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    def quantile(self, share: float) -> float:
        """The latency that this share of the answers did not exceed."""
        return self.latencies[min(len(self.latencies) - 1, int(share * len(self.latencies)))]


@dataclass(frozen=True, slots=True)
class Post:
    """Requests of one kind, in turn; with `tokens` each is sent with a token of its own."""

    path: str
    bodies: Sequence[bytes]
    tokens: Iterator[str] | None = None

    def requests(self) -> Iterator[bytes]:
        """The bytes of each request in turn."""
        heads_and_bodies = cycle([(self._head(body), body) for body in self.bodies])
        if self.tokens is None:
            for head, body in heads_and_bodies:
                yield head + b"\r\n" + body
        else:
            for token, (head, body) in zip(self.tokens, heads_and_bodies, strict=False):
                yield head + f"Authorization: Bearer {token}\r\n\r\n".encode() + body

    def _head(self, body: bytes) -> bytes:
        return (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"X-Forwarded-Proto: https\r\nContent-Length: {len(body)}\r\n"
        ).encode()


class _Locked:
    """An iterator that several threads may share."""

    def __init__(self, requests: Iterator[bytes]) -> None:
        self._requests = requests
        self._lock = Lock()

    def next(self) -> bytes:
        with self._lock:
            return next(self._requests)


def run(port: int, post: Post, *, connections: int, seconds: float) -> Slice:
    """Send for so long over so many connections. Raises AssertionError for an answer but 200."""
    requests = _Locked(post.requests())
    begun = perf_counter()
    until = begun + seconds
    with ThreadPoolExecutor(connections) as pool:
        futures = [pool.submit(_connection, port, requests, until) for _ in range(connections)]
        latencies = [latency for future in futures for latency in future.result()]
    return Slice(perf_counter() - begun, tuple(sorted(latencies)))


def _connection(port: int, requests: _Locked, until: float) -> list[float]:
    latencies = []
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while (sent := perf_counter()) < until:
            connection.sendall(requests.next())
            _require_card(_answer(connection))
            latencies.append(perf_counter() - sent)
    return latencies


def _answer(connection: socket.socket) -> bytes:
    received = connection.recv(65_536)
    while (end := received.find(b"\r\n\r\n")) < 0:
        received += _more(connection)
    at = received.lower().index(b"content-length:", 0, end + 2) + len(b"content-length:")
    length = int(received[at : received.index(b"\r\n", at)])
    while len(received) < end + 4 + length:
        received += _more(connection)
    return received


def _more(connection: socket.socket) -> bytes:
    chunk = connection.recv(65_536)
    assert chunk, "the server closed the connection"
    return chunk


def _require_card(answer: bytes) -> None:
    assert answer.startswith(b"HTTP/1.1 200"), answer[:400]
    assert _CARD in answer, "an answer without a card"
