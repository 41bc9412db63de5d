"""Who may notify: the secret of a source, or a signature over the whole body."""

from __future__ import annotations

import hashlib
import hmac
import json
from io import BytesIO
from pathlib import Path
from threading import BoundedSemaphore

import pytest

from cds_service.knowledge.files import Library
from cds_service.web import body
from tests.event_world import World, events, notification, observation, world
from tests.lab import BEARER, SECRET


def test_an_unknown_source_is_404_and_says_nothing_of_secrets(here: World) -> None:
    for headers in ({}, BEARER):
        answer = here.post(observation(), source="elsewhere", headers=headers)
        assert answer.status_code == 404
        assert answer.get_json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic eDp5"},
        {"X-Events-Token": ""},
    ],
)
def test_t87_a_wrong_secret_is_401_with_one_body_and_is_not_queued(
    here: World, headers: dict[str, str]
) -> None:
    refused = here.post(observation(), headers=headers)
    other = here.post(notification("heartbeat"), headers={"Authorization": "Bearer x"})
    assert refused.status_code == other.status_code == 401
    bodies = [json.loads(each.get_data()) for each in (refused, other)]
    assert bodies[0] == bodies[1]
    assert here.waiting() == []
    assert here.work() == 0
    assert here.fhir.calls == []


def test_t86_with_hmac_the_whole_body_is_proved(tmp_path: Path, library: Library) -> None:
    with world(tmp_path, library, 'proof = "hmac-sha256"\n') as here:
        said = json.dumps(events((0, "Observation/o1"))).encode()
        right = hmac.new(SECRET.encode(), said, hashlib.sha256).hexdigest()
        weak = hmac.new(SECRET.encode(), said, hashlib.sha1).hexdigest()

        def send(data: bytes, signature: str) -> int:
            return here.web.post(
                "/events/lab",
                data=data,
                content_type="application/fhir+json",
                headers={"X-Hub-Signature": signature},
            ).status_code

        assert send(said, "") == 401
        assert send(said, f"sha1={weak}") == 401
        assert send(said.replace(b"o1", b"o2"), f"sha256={right}") == 401
        assert here.post(events((0, "Observation/o1"))).status_code == 401
        assert here.waiting() == []
        assert send(said, f"sha256={right}") == 200
        assert here.waiting() == [("Observation", "notified")]


def test_t86_with_hmac_a_result_is_named_by_what_was_signed(
    tmp_path: Path, library: Library
) -> None:
    """Else whoever saw one signed notification without a body could name any result by it."""
    with world(tmp_path, library, 'proof = "hmac-sha256"\n') as here:

        def put(data: bytes, path: str) -> int:
            signature = hmac.new(SECRET.encode(), data, hashlib.sha256).hexdigest()
            return here.web.put(
                f"/events/lab/{path}",
                data=data,
                content_type="application/fhir+json",
                headers={"X-Hub-Signature": f"sha256={signature}"},
            ).status_code

        assert put(b"", "Observation/o1") == 401
        assert put(b" \n", "Observation/o1") == 401
        signed = json.dumps(observation()).encode()
        assert put(signed, "Observation/another") == 400
        assert here.waiting() == []
        assert put(signed, f"Observation/{observation()['id']}") == 200
        assert here.waiting() == [("Observation", "notified")]


class Endless(BytesIO):
    """A body that nobody should be waiting for."""

    def read(self, _size: int | None = -1, /) -> bytes:
        raise AssertionError("the body was read")


@pytest.mark.parametrize(
    ("proof", "headers"),
    [
        ("token", {}),
        ("token", {"Authorization": "Bearer wrong"}),
        ("token", {"X-Hub-Signature": f"sha256={'0' * 64}"}),
        ("hmac-sha256", {}),
        ("hmac-sha256", BEARER),
        ("hmac-sha256", {"X-Hub-Signature": "sha1=abc"}),
    ],
)
def test_t56_t86_no_byte_of_a_body_is_read_for_who_shows_no_proof(
    tmp_path: Path, library: Library, proof: str, headers: dict[str, str]
) -> None:
    with world(tmp_path, library, f'proof = "{proof}"\n') as here:
        announced = {"wsgi.input": Endless(), "CONTENT_LENGTH": "1000"}
        answer = here.web.post("/events/lab", headers=headers, environ_overrides=announced)
        assert answer.status_code == 401


def test_t56_few_bodies_that_only_they_themselves_can_prove_are_read_at_a_time(
    tmp_path: Path, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "_UNPROVED", BoundedSemaphore(1))
    with world(tmp_path, library, 'proof = "hmac-sha256"\n') as here:
        signed = {"X-Hub-Signature": f"sha256={'0' * 64}"}
        with body._UNPROVED:
            busy = here.post(observation(), headers=signed)
        assert (busy.status_code, busy.headers["Retry-After"]) == (429, "1")
        paths = here.web.get("/openapi.json").get_json()["paths"]
        assert "429" in paths["/events/{source}"]["post"]["responses"]
        assert here.post(observation(), headers=signed).status_code == 401
