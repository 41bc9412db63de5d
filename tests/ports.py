"""A port for a server that a test starts."""

from __future__ import annotations

import os
import socket
from itertools import cycle

# Below what systems lend to outgoing connections (Linux from 32768, others from 49152): else the
# call of another test may sit on the port before the server has it.
_LOWEST, _NUMBER = 20_000, 12_000
# Each process of a test run begins elsewhere, and none gives the same port twice in a row.
_begin = os.getpid() * 1_009 % _NUMBER
_candidates = cycle([_LOWEST + (_begin + step) % _NUMBER for step in range(_NUMBER)])


def free_port() -> int:
    """A port of the loopback address on which nobody listens."""
    for port in _candidates:
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
    raise AssertionError("the candidates never end")
