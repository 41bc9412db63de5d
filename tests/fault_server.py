"""A FHIR server that misbehaves on request: each path is answered by the fault it was given.

Raw sockets on 127.0.0.1, so that a fault can be put anywhere: before the status line, between two
headers, in the middle of a body. What the server saw and how far it got is recorded, so that tests
assert what the client did instead of how long it took.

    with FaultServer() as server:
        server.on("/fhir/Patient/1", drip_body)
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Self

from tests.faults import LONGEST_STAY_SECONDS, Call, Conversation, Fault, reply


@dataclass(frozen=True)
class PlainText:
    """No TLS."""


@dataclass
class FaultServer:
    """Listens on a free port of 127.0.0.1 between `with` and its end."""

    calls: list[Call] = field(default_factory=list)
    """Every request that arrived, in order."""
    tls: ssl.SSLContext | PlainText = field(default_factory=PlainText)
    connections: int = 0
    bytes_sent: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._answers: dict[str, Fault] = {}
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []

    @property
    def port(self) -> int:
        """The port listened on."""
        return int(self._listener.getsockname()[1])

    @property
    def origin(self) -> str:
        """`http://127.0.0.1:<port>`, or `https` with TLS."""
        scheme = "http" if isinstance(self.tls, PlainText) else "https"
        return f"{scheme}://127.0.0.1:{self.port}"

    @property
    def base(self) -> str:
        """The FHIR base address: the origin and `/fhir`."""
        return f"{self.origin}/fhir"

    def on(self, path: str, fault: Fault) -> None:
        """Answer this path (with its query, or for any query when given without) like so."""
        self._answers[path] = fault

    def targets(self) -> list[str]:
        """What was asked for, in order."""
        return [call.target for call in self.calls]

    def count(self, sent: int) -> None:
        """Note bytes that were sent."""
        with self._lock:
            self.bytes_sent += sent

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.stopping.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for sock in self._open:
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(LONGEST_STAY_SECONDS)

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                sock, _address = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
            self._start(partial(self._serve, sock))

    def _serve(self, sock: socket.socket) -> None:
        with suppress(OSError, threading.BrokenBarrierError), self._secured(sock) as line:
            with self._lock:
                self._open.add(line)
            call = _read_call(line)
            with self._lock:
                self.calls.append(call)
            self._answer_for(call.target)(Conversation(line, self.stopping, self.count))

    def _secured(self, sock: socket.socket) -> socket.socket:
        if isinstance(self.tls, PlainText):
            return sock
        return self.tls.wrap_socket(sock, server_side=True)

    def _answer_for(self, target: str) -> Fault:
        path = target.partition("?")[0]
        not_there = reply(b"", status=404)
        return self._answers.get(target, self._answers.get(path, not_there))


def _read_call(sock: socket.socket) -> Call:
    data = b""
    while b"\r\n\r\n" not in data:
        received = sock.recv(65536)
        if not received:
            raise ConnectionError("the client left before its request was complete")
        data += received
    request_line, *lines = data.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    method, target, _version = request_line.split(" ")
    return Call(method, target, dict(_headers(lines)))


def _headers(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, _, value = line.partition(":")
        yield name.strip().lower(), value.strip()


@dataclass
class DeafServer:
    """Accepts nothing: the queue of connections is kept full, so a further connect hangs."""

    def __enter__(self) -> Self:
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(0)
        self._fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(self._listener.getsockname())
            self._fillers.append(filler)
        return self

    @property
    def base(self) -> str:
        """The FHIR base address."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/fhir"

    def __exit__(self, *_exception: object) -> None:
        for sock in (*self._fillers, self._listener):
            sock.close()


def unused_base() -> str:
    """A FHIR base address on which nothing listens: connections are refused."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}/fhir"
