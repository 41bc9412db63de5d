"""The service without the worker of sandbox mode: `python -m benchmarks.event_inbox PORT`.

Production has the two apart, and a benchmark wants to measure one after the other.
"""

from __future__ import annotations

import os
import sys
from functools import partial

from cds_service.config import Mode, load_settings
from cds_service.web.serve import serve
from cds_service.wiring import make_app, prepared

if __name__ == "__main__":
    settings = load_settings(Mode.SANDBOX, os.environ)
    library = prepared(settings)
    serve(
        partial(make_app, settings, library),
        settings,
        knowledge=library.tags,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        workers=1,
    )
