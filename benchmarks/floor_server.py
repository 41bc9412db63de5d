"""Serve one floor with the server and the settings that the service itself uses.

`python -m benchmarks.floor_server flask_fhir 8000`
"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

from granian.constants import Interfaces
from granian.server import Server

from benchmarks import floors
from cds_service.web.serve import THREADS

_FLOORS = {
    "bare": floors.bare,
    "flask": floors.flask,
    "flask_fhir": floors.flask_fhir,
    "flask_duties": floors.flask_duties,
}


def _load(floor: str) -> Any:
    """Runs in the worker process, so it must be a function of the module."""
    return _FLOORS[floor]()


def main(floor: str, port: int) -> None:
    """Serve until stopped."""
    Server(
        "floor",
        address="127.0.0.1",
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=THREADS,
        websockets=False,
        log_enabled=False,
        log_access=False,
    ).serve(target_loader=partial(_load, floor), wrap_loader=False)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
