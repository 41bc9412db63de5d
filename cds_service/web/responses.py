"""Writing JSON: members in their order, UTF-8, and nothing that is not JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson
from flask import Response

from cds_service.core.json_object import JsonObject

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

JSON: Final = "application/json"
FHIR_JSON: Final = "application/fhir+json"


class PlainResponse(Response):
    """What Flask makes by itself (the answer to OPTIONS) is not HTML either."""

    default_mimetype = JSON


class _Whole(PlainResponse):
    """An answer in one piece, whose headers need no completing: they hold no relative address."""

    def get_wsgi_response(
        self, environ: WSGIEnvironment
    ) -> tuple[list[bytes], str, list[tuple[str, str]]]:
        """The answer as it was made; for HEAD without its body (RFC 9110, section 9.3.2).

        A list, since granian sends that at once, and any other iterable piece by piece.
        """
        body = [] if environ["REQUEST_METHOD"] == "HEAD" else list(self.iter_encoded())
        return body, self.status, self.headers.to_wsgi_list()


def json_response(body: JsonObject, *, status: int = 200, media_type: str = JSON) -> Response:
    """An answer with a JSON body.

    Raises TypeError for a number that is kept with its text (`exact`) and for one that JSON does
    not know: what is sent out holds texts and plain whole numbers only.
    """
    return raw_response(orjson.dumps(body), status=status, media_type=media_type)


def raw_response(body: bytes, *, status: int = 200, media_type: str = JSON) -> Response:
    """An answer with a body that is ready."""
    return _Whole(body, status=status, content_type=media_type)
