"""Writing JSON: members in their order, UTF-8, and nothing that is not JSON."""

from __future__ import annotations

from typing import Final

import orjson
from flask import Response

from cds_service.core.card import JsonObject

JSON: Final = "application/json"
FHIR_JSON: Final = "application/fhir+json"


class PlainResponse(Response):
    """What Flask makes by itself (the answer to OPTIONS) is not HTML either."""

    default_mimetype = JSON


def json_response(body: JsonObject, *, status: int = 200, media_type: str = JSON) -> Response:
    """An answer with a JSON body.

    A number that would lose its text, or one that is no JSON number, raises TypeError: what is
    sent out holds texts, and whole numbers at most.
    """
    return raw_response(orjson.dumps(body), status=status, media_type=media_type)


def raw_response(body: bytes, *, status: int = 200, media_type: str = JSON) -> Response:
    """An answer with a body that is ready."""
    return PlainResponse(body, status=status, content_type=media_type)
