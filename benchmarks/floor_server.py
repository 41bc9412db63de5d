"""Serve one floor with the server and the settings that the service itself uses.

`python -m benchmarks.floor_server flask_fhir 8000`
"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

from benchmarks import floors, wsgi
from cds_service.web.serve import THREADS

_FLOORS = {
    "bare": floors.bare,
    "flask": floors.flask,
    "flask_fhir": floors.flask_fhir,
    "flask_duties": floors.flask_duties,
}


def _load(floor: str) -> Any:
    return _FLOORS[floor]()


def main(floor: str, port: int) -> None:
    """Serve until stopped."""
    wsgi.serve(partial(_load, floor), port, threads=THREADS)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
