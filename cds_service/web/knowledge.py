"""`GET /knowledge/{analyte}`: the source attributes and the state of review of a knowledge base."""

from __future__ import annotations

import orjson
from flask import Blueprint, Response

from cds_service.core.knowledge import KnowledgeBase
from cds_service.errors import NotFound
from cds_service.knowledge.source_attributes import source_attributes
from cds_service.web.responses import raw_response
from cds_service.web.room import Room


def knowledge(room: Room) -> Blueprint:
    """As open as discovery, which links here: neither holds patient data."""
    blueprint = Blueprint("knowledge", __name__)
    bases = {
        service.knowledge.identity.id: service.knowledge
        for service in room.registry.services.values()
    }

    @blueprint.get("/knowledge/<analyte>")
    def show(analyte: str) -> Response:
        room.admit_reader()
        return raw_response(orjson.dumps(source_attributes(_find(bases, analyte))))

    return blueprint


def _find(bases: dict[str, KnowledgeBase], analyte: str) -> KnowledgeBase:
    try:
        return bases[analyte]
    except KeyError:
        raise NotFound(
            "There is no such knowledge.", remedy="GET /cds-services links to what there is."
        ) from None
