"""Serve a WSGI application as the service itself is served: one process of granian, and no log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from granian.constants import Interfaces
from granian.server import Server


def serve(load: Callable[[], Any], port: int, *, threads: int) -> None:
    """Serve until stopped. `load` runs in the worker process, so it is a function of a module."""
    Server(
        "wsgi",
        address="127.0.0.1",
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=threads,
        websockets=False,
        log_enabled=False,
        log_access=False,
    ).serve(target_loader=load, wrap_loader=False)
