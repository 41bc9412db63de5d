"""What may be sent, in what wrapping, and how much of it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from io import BytesIO
from threading import BoundedSemaphore

import pytest
from flask import Request
from flask.testing import FlaskClient
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder

from cds_service.errors import (
    BadRequest,
    PayloadTooLarge,
    TooManyRequests,
    UnsupportedMediaType,
)
from cds_service.web import body
from cds_service.web.body import discard_rest, json_body, read_unproved
from tests.unit.web.conftest import Open
from tests.unit.web.rooms import URL, hook_request

LIMIT = 2048


def read(sent: bytes, **environ: object) -> object:
    builder = EnvironBuilder(method="POST", input_stream=BytesIO(sent))
    base = builder.get_environ()
    base.pop("CONTENT_LENGTH", None)
    return json_body(Request({**base, "CONTENT_TYPE": "application/json", **environ}), LIMIT)


def padded(size: int) -> bytes:
    return b'{"a":"' + b"x" * (size - 8) + b'"}'


@given(size=st.integers(8, 2 * LIMIT), by_length=st.booleans())
@example(size=LIMIT, by_length=True)
@example(size=LIMIT, by_length=False)
@example(size=LIMIT + 1, by_length=True)
@example(size=LIMIT + 1, by_length=False)
def test_t50_the_limit_is_the_same_by_length_and_by_chunks(size: int, by_length: bool) -> None:
    sent = padded(size)
    way = {"CONTENT_LENGTH": str(size)} if by_length else {"wsgi.input_terminated": True}
    if size <= LIMIT:
        assert read(sent, **way) == json.loads(sent)
    else:
        with pytest.raises(PayloadTooLarge):
            read(sent, **way)


def test_t50_a_body_announced_as_too_long_is_refused_unread() -> None:
    with pytest.raises(PayloadTooLarge):
        read(b"", CONTENT_LENGTH=str(10**12))


def test_what_follows_the_announced_body_is_not_its_own() -> None:
    assert read(b'{"a": 1}{"a": 2}', CONTENT_LENGTH="8") == {"a": 1}


def test_a_body_shorter_than_announced_is_not_taken_for_the_whole() -> None:
    with pytest.raises(BadRequest, match="ended before"):
        read(b"{}", CONTENT_LENGTH="10")


@pytest.mark.parametrize("length", ["-1", "1e3", " 2", "0x10", "\u0661"])
def test_a_length_that_is_no_number_is_refused(length: str) -> None:
    with pytest.raises(BadRequest, match="not a number"):
        read(b"{}", CONTENT_LENGTH=length)


@pytest.mark.parametrize("sent", [b"{}", b"7"])
def test_a_body_without_length_from_a_server_that_does_not_end_it_is_empty(sent: bytes) -> None:
    with pytest.raises(BadRequest, match="not JSON"):
        read(sent)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "APPLICATION/JSON",
        "application/fhir+json",
        "application/json; fhirVersion=4.0",
    ],
)
def test_r01_json_is_known_by_its_content_type(content_type: str) -> None:
    assert read(b"{}", CONTENT_TYPE=content_type, CONTENT_LENGTH="2") == {}


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "text/json",
        "application/xml",
        "application/fhir+xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/json-patch+json",
    ],
)
def test_t55_any_other_content_type_is_415(content_type: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        read(b"{}", CONTENT_TYPE=content_type, CONTENT_LENGTH="2")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "GZIP", "gzip, identity", "x"])
def test_t55_a_compressed_body_is_415(encoding: str) -> None:
    sent = gzip.compress(b"{}")
    with pytest.raises(UnsupportedMediaType):
        read(sent, HTTP_CONTENT_ENCODING=encoding, CONTENT_LENGTH=str(len(sent)))


# ------------------------------------------------------------------ who is refused, and still sends


class Endless(BytesIO):
    """A caller that never stops sending; or one that is cut off after some chunks."""

    def __init__(self, breaks_off: bool = False) -> None:
        super().__init__()
        self.taken = 0
        self._breaks_off = breaks_off

    def read(self, size: int | None = -1, /) -> bytes:
        if self._breaks_off:
            raise OSError("the connection is gone")
        assert size is not None
        assert size > 0
        self.taken += size
        return b"x" * size


def sending(stream: BytesIO, *, ends: bool = True) -> Request:
    return Request({"wsgi.input": stream, "wsgi.input_terminated": ends})


@pytest.fixture
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> BoundedSemaphore:
    place = BoundedSemaphore(1)
    for name in ("_REFUSED", "_UNPROVED"):
        monkeypatch.setattr(body, name, place)
    return place


def test_t56_what_a_refused_caller_still_sends_is_taken_off_the_line_up_to_a_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole, endless = BytesIO(b"x" * 300_000), Endless()
    discard_rest(sending(whole))
    assert whole.read() == b""
    monkeypatch.setattr(body, "_MOST_DISCARDED", 1_000_000)
    discard_rest(sending(endless))
    assert 1_000_000 <= endless.taken < 1_100_000


def test_t56_of_a_server_that_does_not_end_the_stream_nothing_is_waited_for() -> None:
    endless = Endless()
    discard_rest(sending(endless, ends=False))
    assert endless.taken == 0


def asking(stream: BytesIO) -> Request:
    """From a client that sends its body only if it is told to."""
    return Request(
        {
            "wsgi.input": stream,
            "wsgi.input_terminated": True,
            "CONTENT_TYPE": "application/json",
            "HTTP_EXPECT": "100-Continue",
        }
    )


def test_t50_a_refused_client_that_asked_whether_to_send_is_not_told_to() -> None:
    kept = BytesIO(b"still to be sent")
    discard_rest(asking(kept))
    assert kept.read() == b"still to be sent"


def test_t50_a_client_that_was_told_to_send_is_heard_to_the_end() -> None:
    sent = BytesIO(padded(300_000))
    request = asking(sent)
    with pytest.raises(PayloadTooLarge):
        json_body(request, LIMIT)
    discard_rest(request)
    assert sent.read() == b""


def test_t56_few_refused_callers_are_waited_for_at_a_time(one_at_a_time: BoundedSemaphore) -> None:
    kept = BytesIO(b"still to be sent")
    with one_at_a_time:
        discard_rest(sending(kept))
    assert kept.read() == b"still to be sent"


@pytest.mark.parametrize("take", [discard_rest, lambda request: read_unproved(request, 10)])
def test_t56_a_caller_that_breaks_off_leaves_its_place_to_the_next(
    one_at_a_time: BoundedSemaphore, take: Callable[[Request], object]
) -> None:
    with pytest.raises(OSError, match="gone"):
        take(sending(Endless(breaks_off=True)))
    with pytest.raises(PayloadTooLarge):
        read_unproved(sending(Endless()), 10)
    assert read_unproved(sending(BytesIO(b"all of it")), 10) == b"all of it"
    assert one_at_a_time.acquire(blocking=False)


def test_t56_few_of_the_bodies_that_nobody_has_proved_may_be_large(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Sixty-four of the largest would be more memory than a container has."""
    monkeypatch.setattr(body, "_LARGE", one := BoundedSemaphore(1))
    monkeypatch.setattr(body, "SMALL", small := 100_000)
    large = Endless()
    with one:
        assert len(read_unproved(sending(BytesIO(b"x" * small)), 10 * small)) == small
        with pytest.raises(TooManyRequests):
            read_unproved(sending(large), 10 * small)
    assert large.taken <= small + body._CHUNK, "it is not read on"
    for _ in range(2):  # each leaves its place to the next
        assert len(read_unproved(sending(BytesIO(b"x" * 3 * small)), 10 * small)) == 3 * small


def test_the_limit_is_the_one_configured(sandbox: Open) -> None:
    client: FlaskClient = sandbox(max_body=1024)
    request = hook_request(padding="x" * 1024)
    response = client.post(URL, json=request)
    assert response.status_code == 413
    assert "1024 bytes" in response.get_data(as_text=True)
    assert sandbox(max_body=4096).post(URL, json=request).status_code == 200
