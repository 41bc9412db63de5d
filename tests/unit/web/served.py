"""A server with stand-ins behind it: `python -m tests.unit.web.served PORT WORKERS MANAGEMENT`.

A hook instance that is a number is a port where somebody wants to hear that the call is at work; it
is answered once its worker has heard a signal. `START_AT` in the environment is a port where a
worker that is about to start says so, and stays until the other side hangs up.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from functools import partial

from flask import Flask

from cds_service.config import Settings
from cds_service.hooks.call import Answered, Call
from cds_service.web import invocation
from cds_service.web.app import create_app
from cds_service.web.serve import serve
from tests.unit.web.rooms import answered, card, library


def make_app() -> Flask:
    if port := os.environ.get("START_AT", ""):
        with _reach(port) as line:
            line.recv(1)
    vars(invocation)["answer"] = partial(_slowly, _signals())
    return create_app(Settings(), library())


def _reach(port: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(port)))


def _signals() -> int:
    """Where a byte can be read for each signal that this worker has heard."""
    heard, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told)
    return heard


def _slowly(signals: int, call: Call) -> Answered:
    if (port := call.request.hook_instance).isdigit():
        _reach(port).close()
        os.read(signals, 1)
    return answered(card())


if __name__ == "__main__":
    port, workers, management_port = (int(argument) for argument in sys.argv[1:])
    settings = Settings(management_port=management_port)
    tags = library().tags
    serve(make_app, settings, knowledge=tags, host="127.0.0.1", port=port, workers=workers)
