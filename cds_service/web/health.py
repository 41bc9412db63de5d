"""`GET /health/live` and `GET /health/ready`: is the process there, and can it do its work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import Enum

from flask import Blueprint, Response

from cds_service.core.knowledge import KnowledgeBase
from cds_service.errors import StoreUnavailable
from cds_service.logs import Event, log_fault
from cds_service.web.ports import Degraded
from cds_service.web.responses import json_response
from cds_service.web.room import Room
from cds_service.web.standing import READY, Readiness, Standing, StandingLog

_REVIEW_OVERDUE = "review-overdue"
"""The cause why the knowledge is degraded."""


def health(room: Room) -> Blueprint:
    """Both endpoints. They ask for no token and say nothing that needs one."""
    blueprint = Blueprint("health", __name__)
    standing_log = StandingLog()

    @blueprint.get("/health/live")
    def live() -> Response:
        return json_response({"status": "live"})

    @blueprint.get("/health/ready")
    def ready() -> Response:
        room.read_numbers()
        states = {name: _state(name, check) for name, check in room.ports.checks.items()}
        standing = _standing(states)
        standing_log.note(standing)
        if standing.readiness is Readiness.NOT_READY:
            raise StoreUnavailable(f"The service is not ready: {', '.join(standing.causes)}.")
        causes = {
            name: list(state.causes)
            for name, state in sorted(states.items())
            if isinstance(state, Degraded)
        }
        told = (
            {"status": "degraded", "degraded": list(causes), "causes": causes}
            if causes
            else {"status": "ready"}
        )
        return json_response({**told, "checks": sorted(states)})

    return blueprint


def review_check(bases: Iterable[KnowledgeBase], now: Callable[[], datetime]) -> Callable[[], None]:
    """The check `knowledge`. Past its review-by date it is served on, and each card says so."""
    served = tuple(bases)

    def check() -> None:
        today = now().date()
        if any(base.is_overdue(today) for base in served):
            raise Degraded(_REVIEW_OVERDUE)

    return check


class _State(Enum):
    """What a check came to, unless the service is Degraded."""

    PASSED = "passed"
    FAILED = "failed"


def _state(name: str, check: Callable[[], None]) -> _State | Degraded:
    try:
        check()
    except Degraded as told:
        return told
    except Exception as error:  # noqa: BLE001 - whatever it is, the service is not ready
        log_fault(Event.NOT_READY, error, check=name)
        return _State.FAILED
    return _State.PASSED


def _standing(states: Mapping[str, _State | Degraded]) -> Standing:
    """What all checks together came to."""
    failed = sorted(name for name, state in states.items() if state is _State.FAILED)
    if failed:
        return Standing(Readiness.NOT_READY, tuple(failed))
    told = [state.causes for state in states.values() if isinstance(state, Degraded)]
    causes = sorted({cause for causes in told for cause in causes})
    return Standing(Readiness.DEGRADED, tuple(causes)) if told else READY
