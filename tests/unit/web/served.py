"""A server with stand-ins behind it: `python -m tests.unit.web.served PORT WORKERS MANAGEMENT`.

An encounter id that is a number is a port on which somebody waits for the call to be at work, and
says when it may go on, by hanging up. `START_AT` in the environment is such a port for a worker
that is about to start.
"""

from __future__ import annotations

import os
import socket
import sys

from flask import Flask

from cds_service.config import Settings
from cds_service.hooks.answer import Answered, Call
from cds_service.web import invocation
from cds_service.web.app import create_app
from cds_service.web.serve import serve
from tests.unit.web.rooms import answered, card, library


def _stay_until_told(port: str) -> None:
    if port:
        with socket.create_connection(("127.0.0.1", int(port))) as line:
            line.recv(1)


def make_app() -> Flask:
    _stay_until_told(os.environ.get("START_AT", ""))
    return create_app(Settings(), library())


def _slowly(call: Call, _advice: object) -> Answered:
    _stay_until_told(call.request.context.encounter_id)
    return answered(card())


if __name__ == "__main__":
    port, workers, management_port = (int(argument) for argument in sys.argv[1:])
    vars(invocation)["answer"] = _slowly
    settings = Settings(management_port=management_port)
    serve(make_app, settings, host="127.0.0.1", port=port, workers=workers)
