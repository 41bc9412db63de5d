"""Connections of one hook call: to checked addresses only, and never past the deadline.

The timeouts of the HTTP libraries hold for each single wait, so a server that sends one byte now
and then keeps a caller for as long as it likes. Here every wait on the socket, for the headers as
for the body, is given what is left of one deadline.
"""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Sequence
from functools import partial
from http.client import HTTPResponse
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NewConnectionError

from cds_service.fhir.calls.addresses import Reach, Resolve, checked_addresses
from cds_service.fhir.calls.deadline import Deadline
from cds_service.origins import Url


class Dial:
    """Connects to one host, whose name is resolved once, under one deadline."""

    def __init__(self, url: Url, deadline: Deadline, reach: Reach, resolve: Resolve) -> None:
        self.deadline = deadline
        self._url = url
        self._reach = reach
        self._resolve = resolve
        self._lock = threading.Lock()
        self._addresses: Sequence[str] = ()

    def connect(self) -> socket.socket:
        """A connected socket. Raises AddressRefusedError, TimeoutError, or another OSError."""
        addresses = self._checked()
        failure: OSError = OSError("the name has no address")
        for left_to_try, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            share = self.deadline.require() / left_to_try
            try:
                return socket.create_connection((address, self._url.port), timeout=share)
            except OSError as error:
                failure = error
        raise failure

    def _checked(self) -> Sequence[str]:
        with self._lock:
            if not self._addresses:
                self._addresses = checked_addresses(self._url, self._reach, self._resolve)
            return self._addresses


class _PunctualReader(io.RawIOBase):
    """The reading end of a socket; each wait ends at the deadline at the latest."""

    def __init__(self, stream: io.RawIOBase, sock: socket.socket, deadline: Deadline) -> None:
        super().__init__()
        self._stream = stream
        self._sock = sock
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        self._sock.settimeout(self._deadline.require())
        return self._stream.readinto(buffer)

    def close(self) -> None:
        self._stream.close()
        super().close()


class _PunctualResponse(HTTPResponse):
    """An HTTP response read through a `_PunctualReader`, from the status line on."""

    def __init__(self, sock: socket.socket, *args: Any, deadline: Deadline, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_PunctualReader(self.fp.detach(), sock, deadline))


class _Dialled(HTTPConnection):
    """A connection made by a Dial; the host name still serves for `Host`, SNI and certificate."""

    def __init__(self, *args: Any, dial: Dial, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._dial = dial
        self.response_class = partial(  # type: ignore[assignment]  # called, never subclassed
            _PunctualResponse, deadline=dial.deadline
        )

    def _new_conn(self) -> socket.socket:
        try:
            sock = self._dial.connect()
        except OSError as error:
            raise NewConnectionError(self, "no connection") from error
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(self._dial.deadline.require())  # holds for the whole TLS handshake
        except OSError:  # the deadline came while connecting
            sock.close()
            raise
        return sock


class _DialledTls(_Dialled, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Dialled


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _DialledTls


def dialled_pools(dial: Dial, **pool_options: Any) -> PoolManager:
    """A urllib3 PoolManager all of whose connections are made by this Dial."""
    manager = PoolManager(**pool_options)
    manager.pool_classes_by_scheme = {
        "http": partial(_Pool, dial=dial),  # type: ignore[dict-item]  # called, never subclassed
        "https": partial(_TlsPool, dial=dial),  # type: ignore[dict-item]
    }
    return manager
