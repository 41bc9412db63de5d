"""Answer a number of requests in this process, with no server: what `benchmarks.counted` counts.

`python -m benchmarks.answers NAME TOKENS CALLS`: a floor or `ours`, a file of tokens, how often.
The settings of the floor or the service come from the environment.
"""
# ruff: noqa: PLC0415 - what is counted loads only what it uses

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

from benchmarks import floors, payload


def application(name: str) -> Any:
    """The WSGI application, as a server loads it."""
    if name == "nothing":
        return _nothing
    if name != "ours":
        return getattr(floors, name)()
    from cds_service import collector
    from cds_service.config import Mode, load_settings
    from cds_service.wiring import make_app, prepared

    mode = Mode.PRODUCTION if "CDS_CLIENTS" in os.environ else Mode.SANDBOX
    settings = load_settings(mode, os.environ)
    app = make_app(settings, prepared(settings))
    collector.settle()
    return app


def _nothing(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [])
    return [b""]


def answer(app: Any, body: bytes, token: str) -> None:
    """One call, answered to its last byte."""
    headers = Headers({"Authorization": f"Bearer {token}", "X-Forwarded-Proto": "https"})
    environ = EnvironBuilder(
        path=payload.PATH,
        method="POST",
        data=body,
        content_type="application/json",
        headers=headers,
    ).get_environ()
    statuses: list[str] = []
    said = app(environ, lambda status, _headers, _info=None: statuses.append(status))
    b"".join(said)
    getattr(said, "close", lambda: None)()
    assert statuses == ["200 OK"], statuses


def main() -> None:
    """Answer, each time another request with another token."""
    name, tokens, calls = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    app = application(name)
    bodies = payload.results()
    for number, token in zip(range(calls), tokens.read_text().split(), strict=False):
        answer(app, bodies[number % len(bodies)], token)


if __name__ == "__main__":
    main()
