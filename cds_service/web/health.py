"""`GET /health/live` and `GET /health/ready`: is the process there, and can it do its work."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from enum import StrEnum

from flask import Blueprint, Response

from cds_service.core.knowledge import KnowledgeBase
from cds_service.errors import StoreUnavailable
from cds_service.logs import Event, log_fault
from cds_service.web.ports import Degraded
from cds_service.web.responses import json_response
from cds_service.web.room import Room


def health(room: Room) -> Blueprint:
    """Both endpoints. They ask for no token and say nothing that needs one."""
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/health/live")
    def live() -> Response:
        return json_response({"status": "live"})

    @blueprint.get("/health/ready")
    def ready() -> Response:
        room.read_numbers()
        states = {name: _state(name, check) for name, check in room.ports.checks.items()}
        failed = [name for name, state in states.items() if state is _State.FAILED]
        if failed:
            raise StoreUnavailable(f"The service is not ready: {', '.join(failed)}.")
        degraded = sorted(name for name, state in states.items() if state is _State.DEGRADED)
        told = {"status": "degraded", "degraded": degraded} if degraded else {"status": "ready"}
        return json_response({**told, "checks": sorted(states)})

    return blueprint


def review_check(bases: Iterable[KnowledgeBase], now: Callable[[], datetime]) -> Callable[[], None]:
    """The check `knowledge`. Past its review-by date it is served on, and each card says so."""
    served = tuple(bases)

    def check() -> None:
        today = now().date()
        if any(base.is_overdue(today) for base in served):
            raise Degraded

    return check


class _State(StrEnum):
    """What a check came to."""

    PASSED = "passed"
    DEGRADED = "degraded"
    FAILED = "failed"


def _state(name: str, check: Callable[[], None]) -> _State:
    try:
        check()
    except Degraded:
        return _State.DEGRADED
    except Exception as error:  # noqa: BLE001 - whatever it is, the service is not ready
        log_fault(Event.NOT_READY, error, check=name)
        return _State.FAILED
    return _State.PASSED
