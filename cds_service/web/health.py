"""`GET /health/live` and `GET /health/ready`: is the process there, and can it do its work."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from itertools import chain

from flask import Blueprint, Response

from cds_service.core.json_object import JsonObject
from cds_service.core.knowledge import KnowledgeBase
from cds_service.errors import StoreUnavailable
from cds_service.logs import Event, log_fault
from cds_service.web.ports import Degraded
from cds_service.web.responses import json_response
from cds_service.web.room import Room
from cds_service.web.standing import READY, Readiness, Standing, StandingLog

_REVIEW_OVERDUE = "review-overdue"
"""The cause that `/health/ready` names for it."""


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
        found = {name: _checked(name, check) for name, check in room.ports.checks.items()}
        standing = _all_together(found.values())
        standing_log.note(standing)
        checks: JsonObject = {"checks": sorted(found)}
        match standing.readiness:
            case Readiness.NOT_READY:
                raise StoreUnavailable(f"The service is not ready: {', '.join(standing.causes)}.")
            case Readiness.DEGRADED:
                told_by = sorted(name for name in found if found[name] != READY)
                causes = {name: found[name].causes for name in told_by}
                told = {"status": "degraded", "degraded": told_by, "causes": causes}
                return json_response(told | checks)
            case Readiness.READY:
                return json_response({"status": "ready"} | checks)

    return blueprint


def review_check(bases: Iterable[KnowledgeBase], now: Callable[[], datetime]) -> Callable[[], None]:
    """The check `knowledge`: degraded past its review-by date, which each card says too."""
    served = tuple(bases)

    def check() -> None:
        today = now().date()
        if any(base.is_overdue(today) for base in served):
            raise Degraded(_REVIEW_OVERDUE)

    return check


def _checked(name: str, check: Callable[[], None]) -> Standing:
    """How the service stands by one check."""
    try:
        check()
    except Degraded as told:
        return Standing(Readiness.DEGRADED, told.causes)
    except Exception as error:  # noqa: BLE001 - whatever it is, the service is not ready
        log_fault(Event.NOT_READY, error, check=name)
        return Standing(Readiness.NOT_READY, (name,))
    return READY


def _all_together(found: Collection[Standing]) -> Standing:
    """The worst readiness found, with the causes of all checks that found it."""
    for readiness in (Readiness.NOT_READY, Readiness.DEGRADED):
        causes = [each.causes for each in found if each.readiness is readiness]
        if causes:
            return Standing(readiness, tuple(sorted(set(chain.from_iterable(causes)))))
    return READY
