"""`GET /health/live` and `GET /health/ready`: is the process there, and can it do its work."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response

from cds_service.errors import StoreUnavailable
from cds_service.logs import Event, log_fault
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
        failed = [name for name, check in room.ports.checks.items() if not _passes(name, check)]
        if failed:
            raise StoreUnavailable(
                f"The service is not ready: {', '.join(failed)}.", remedy="Look into its log."
            )
        return json_response({"status": "ready", "checks": sorted(room.ports.checks)})

    return blueprint


def _passes(name: str, check: Callable[[], None]) -> bool:
    try:
        check()
    except Exception as error:  # noqa: BLE001 - whatever it is, the service is not ready
        log_fault(Event.NOT_READY, error, check=name)
        return False
    return True
