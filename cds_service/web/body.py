"""Reading a request body: JSON by its content type, plain, and bounded before it is read.

Flask's own limit answers 400 to a chunked body that is too long, so the bytes are counted here,
whichever way they come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from flask import Request

from cds_service.core.json_object import JsonObject
from cds_service.errors import (
    BadRequest,
    PayloadTooLarge,
    TooManyRequests,
    UnsupportedMediaType,
)
from cds_service.strict_json import parse_object
from cds_service.turn import waiting

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_CONTENT_ENCODING = "HTTP_CONTENT_ENCODING"
MEDIA_TYPES = frozenset({"application/json", "application/fhir+json"})
_CHUNK = 64 * 1024
_MOST_DISCARDED = 64 * 1024 * 1024
_BEGUN = "cds_service.body_begun"
"""In the environment of a request whose body began to be read: whoever waited for it was told to
send."""
FEW_THREADS = 64
"""How many threads of a worker (`serve.THREADS`) may wait for bodies of each kind below."""
_REFUSED = BoundedSemaphore(FEW_THREADS)
"""Bodies of refused callers, which are read to their end and thrown away."""
_UNPROVED = BoundedSemaphore(FEW_THREADS)
"""Bodies that hold the proof of who sends them."""
SMALL = 1024 * 1024
"""Bytes that each of these bodies may hold; a longer one is one of FEW_LARGE."""
FEW_LARGE = 4
_LARGE = BoundedSemaphore(FEW_LARGE)
"""Those of them that are not small. Without this, senders nobody knows could make each worker hold
FEW_THREADS times CDS_MAX_BODY, which is more than most containers may have.
"""


def json_body(request: Request, limit: int) -> JsonObject:
    """The JSON object sent, of at most `limit` bytes.

    Raises UnsupportedMediaType, PayloadTooLarge, BadRequest (MalformedJson).
    """
    require_plain_json(request)
    return parse_object(read_bytes(request, limit))


def require_plain_json(request: Request) -> None:
    """Raises UnsupportedMediaType unless the headers say JSON, not compressed, in UTF-8."""
    environ = request.environ
    if environ.get("CONTENT_TYPE") in MEDIA_TYPES and _CONTENT_ENCODING not in environ:
        return  # the short way for nearly every client
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding != "identity":
        raise UnsupportedMediaType("The body is compressed.", remedy="Send it as it is.")
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype not in MEDIA_TYPES or charset != "utf-8":
        raise UnsupportedMediaType(
            "The body is not JSON by its content type.",
            remedy="Send Content-Type: application/json, in UTF-8.",
        )


def read_bytes(request: Request, limit: int, *, grown: Callable[[], object] | None = None) -> bytes:
    """The bytes sent, at most `limit`; `grown` is called once they are more than SMALL.

    Raises PayloadTooLarge, BadRequest, and what `grown` raises.
    """
    environ = request.environ
    declared = environ.get("CONTENT_LENGTH") or ""
    if declared and not (declared.isascii() and declared.isdigit()):
        raise BadRequest(
            "Content-Length is not a number.",
            where="Content-Length",
            remedy="Send how many bytes follow.",
        )
    if declared:
        expected = int(declared)
        if expected > limit:
            raise _too_large(limit)
    else:  # no length given: read to the end only if the server itself ends the stream
        expected = limit + 1 if environ.get("wsgi.input_terminated") else 0
    body = bytearray()
    environ[_BEGUN] = True
    while len(body) < expected:
        if grown and len(body) > SMALL:
            grown()
            grown = None
        with waiting():
            chunk = environ["wsgi.input"].read(min(_CHUNK, expected - len(body)))
        if not chunk:
            break
        body += chunk
    if len(body) > limit:
        raise _too_large(limit)
    if declared and len(body) < expected:
        raise BadRequest(
            "The body ended before its Content-Length.",
            where="Content-Length",
            remedy="Send the whole body.",
        )
    return bytes(body)


def read_unproved(request: Request, limit: int) -> bytes:
    """The bytes of a sender not proved yet. Only FEW_THREADS such bodies are read at a time, and
    FEW_LARGE of them that are not small.

    Raises TooManyRequests, PayloadTooLarge, BadRequest.
    """
    with ExitStack() as held:
        held.enter_context(_one_of(_UNPROVED))
        return read_bytes(request, limit, grown=lambda: held.enter_context(_one_of(_LARGE)))


@contextmanager
def _one_of(places: BoundedSemaphore) -> Iterator[None]:
    """One of the places, for as long as the block runs. Raises TooManyRequests."""
    if not places.acquire(blocking=False):
        raise TooManyRequests("Too many bodies are being read before their proof.", retry_after=1)
    try:
        yield
    finally:
        places.release()


def discard_rest(request: Request) -> None:
    """Read and drop what a refused caller is still sending, so that it can read the answer.

    Most clients send the whole body before they read; if cut off, they would see a broken
    connection instead of the status. After _MOST_DISCARDED bytes the connection is cut all the
    same, and at once while FEW_THREADS refused callers are being waited for: they may never send a
    byte. A client that asked whether to send at all is answered at once (RFC 9110, section 10.1.1).
    """
    environ = request.environ
    if not environ.get("wsgi.input_terminated") or _waits_for_leave(environ):
        return
    if not _REFUSED.acquire(blocking=False):
        return
    left = _MOST_DISCARDED
    try:
        with waiting():
            while left > 0 and (chunk := environ["wsgi.input"].read(_CHUNK)):
                left -= len(chunk)
    finally:
        _REFUSED.release()


def _waits_for_leave(environ: WSGIEnvironment) -> bool:
    """Whether the client sends its body only if it is told to, and was not."""
    return environ.get("HTTP_EXPECT", "").lower() == "100-continue" and _BEGUN not in environ


def _too_large(limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(
        f"The body is larger than {limit} bytes.", remedy="Send fewer or smaller resources."
    )
