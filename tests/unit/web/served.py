"""A server with stand-ins behind it: `python -m tests.unit.web.served PORT WORKERS MANAGEMENT`.

An encounter id that is a number is how many seconds an answer takes.
"""

from __future__ import annotations

import os
import sys
import time

from flask import Flask

from cds_service.config import Settings
from cds_service.hooks.answer import Answered, Call
from cds_service.web import invocation
from cds_service.web.app import create_app
from cds_service.web.serve import serve
from tests.unit.web.rooms import answered, card, library


def make_app() -> Flask:
    time.sleep(float(os.environ.get("SECONDS_TO_START", "0")))
    return create_app(Settings(), library())


def _slowly(call: Call, _advice: object) -> Answered:
    time.sleep(float(call.request.context.encounter_id or 0))
    return answered(card())


if __name__ == "__main__":
    port, workers, management_port = (int(argument) for argument in sys.argv[1:])
    vars(invocation)["answer"] = _slowly
    settings = Settings(management_port=management_port)
    serve(make_app, settings, host="127.0.0.1", port=port, workers=workers)
