"""`GET /metrics`, in sandbox mode; otherwise only the management port answers it."""

from __future__ import annotations

from flask import Blueprint, Response

from cds_service.metrics import CONTENT_TYPE
from cds_service.web.responses import raw_response
from cds_service.web.room import Room


def metrics_endpoint(room: Room) -> Blueprint:
    """What was counted, in the Prometheus text format."""
    blueprint = Blueprint("metrics", __name__)

    @blueprint.get("/metrics")
    def show() -> Response:
        room.read_numbers()
        return raw_response(room.metrics.text(), media_type=CONTENT_TYPE)

    return blueprint
