"""`GET /cds-services`: what there is to call (D-01)."""

from __future__ import annotations

import orjson
from flask import Blueprint, Response

from cds_service.web.responses import raw_response
from cds_service.web.room import Room


def discovery(room: Room) -> Blueprint:
    """Discovery, written once: it depends on nothing in a request."""
    blueprint = Blueprint("discovery", __name__)
    document = orjson.dumps(room.registry.discovery())

    @blueprint.get("/cds-services")
    def list_services() -> Response:
        room.admit_reader()
        return raw_response(document)

    return blueprint
