"""`POST /cds-services/{id}/feedback`: what clinicians did with the cards (B-01 to B-06)."""

from __future__ import annotations

from flask import Blueprint, Response, request

from cds_service.hooks.feedback import read_feedback
from cds_service.web.body import json_body
from cds_service.web.responses import json_response
from cds_service.web.room import Room


def feedback(room: Room) -> Blueprint:
    """The feedback endpoint: answered once the items are stored, with an empty object."""
    blueprint = Blueprint("feedback", __name__)

    @blueprint.post("/cds-services/<service_id>/feedback")
    def take(service_id: str) -> Response:
        caller, service = room.admit_to(service_id)
        items = read_feedback(json_body(request, room.settings.max_body))
        for outcome, count in room.ports.shelf.save(caller, service, items).items():
            room.metrics.feedback(service=service.id, outcome=outcome.value, count=count)
        return json_response({})

    return blueprint
