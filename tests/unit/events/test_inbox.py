"""The inbox over HTTP: who is let in, what is kept, and that nothing is done in the request."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

import pytest
from sqlalchemy import Connection

from cds_service.errors import StoreUnavailable
from cds_service.events import inbox
from cds_service.events.notification import read_notification
from cds_service.knowledge.files import Library
from cds_service.store import event_subscriptions
from cds_service.store.events import EventStore
from cds_service.store.work_item import Kind
from cds_service.web import body
from tests.event_world import TOPIC, World, events, notification, observation, world
from tests.lab import BEARER, SECRET


def waiting(here: World) -> list[tuple[str, str]]:
    return [(row.kind, row.way) for row in here.room.store.waiting()]


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
    assert waiting(here) == []
    assert here.work() == 0
    assert here.fhir.calls == []


def test_what_is_received_is_kept_and_acknowledged_and_not_worked_on(here: World) -> None:
    here.fhir.put(observation())
    answer = here.post(observation())
    assert (answer.status_code, answer.get_json()) == (200, {})
    assert waiting(here) == [("Observation", "notified")]
    assert here.fhir.calls == []
    assert here.records() == []


def test_t87_of_a_resource_sent_along_only_the_id_is_used(here: World) -> None:
    here.fhir.put(observation(value=100))
    here.post(observation(value=99_999))
    here.work()
    (record,) = here.records()
    assert "hlh-2004-criterion-met" not in record.findings
    assert here.fhir.count("Observation/o1") >= 1


def test_no_id_and_no_resource_stands_in_the_database_in_clear(here: World) -> None:
    here.post(observation("a-telling-id", note=[{"text": "a-telling-note"}]))
    files = here.room.settings.folder.glob("cds.sqlite3*")
    stored = b"".join(file.read_bytes() for file in files if file.is_file())
    assert stored
    assert b"a-telling" not in stored


def test_put_names_the_resource_in_its_address_with_a_body_or_without(here: World) -> None:
    with_body = here.web.put("/events/lab/Observation/o1", json=observation(), headers=BEARER)
    without = here.web.put("/events/lab/Observation/o2", headers=BEARER)
    assert (with_body.status_code, without.status_code) == (200, 200)
    assert waiting(here) == [("Observation", "notified")] * 2


def test_put_of_another_resource_than_its_address_says_is_400(here: World) -> None:
    answer = here.web.put("/events/lab/Observation/o2", json=observation("o1"), headers=BEARER)
    assert answer.status_code == 400
    assert waiting(here) == []


@pytest.mark.parametrize(
    ("address", "sent"),
    [
        ("Observation/o1", {"resourceType": "DiagnosticReport", "id": "o1"}),
        ("Observation/o1", {"resourceType": "Observation"}),
        ("Observation/" + "o" * 65, {}),
        ("Observation2/o1", {}),
        ("_history/o1", {}),
    ],
)
def test_t87_put_names_one_resource_that_could_be_fetched(
    here: World, address: str, sent: dict[str, str]
) -> None:
    """What is kept here becomes the path of a request to the FHIR server."""
    given = {"json": sent} if sent else {}
    answer = here.web.put(f"/events/lab/{address}", headers=BEARER, **given)
    assert answer.status_code == 400
    assert waiting(here) == []


def test_other_types_are_acknowledged_and_left_alone(here: World) -> None:
    assert here.post({"resourceType": "Patient", "id": "p1"}).status_code == 200
    assert here.notify("e1", kind="Encounter").status_code == 200
    assert waiting(here) == []


@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        (b"<Observation/>", "application/fhir+xml", 415),
        (b"{", "application/fhir+json", 400),
        (b'{"id": 1, "id": 2}', "application/fhir+json", 400),
        (b"{}", "application/fhir+json", 400),
        (b"[]", "application/json", 400),
    ],
)
def test_malformed_bodies_are_refused(
    here: World, data: bytes, content_type: str, status: int
) -> None:
    answer = here.web.post("/events/lab", data=data, content_type=content_type, headers=BEARER)
    assert answer.status_code == status
    assert waiting(here) == []


def test_a_body_over_the_limit_is_413(tmp_path: Path, library: Library) -> None:
    with world(tmp_path, library, max_body=2048) as here:
        assert here.post(observation(note=[{"text": "x" * 4096}])).status_code == 413


def test_content_that_was_not_agreed_is_refused(tmp_path: Path, library: Library) -> None:
    with world(tmp_path, library, 'payloads = ["id-only"]\n') as here:
        assert here.post(observation()).status_code == 400
        assert here.post().status_code == 400
        assert here.notify("o1").status_code == 200


def test_content_that_was_not_agreed_is_refused_in_a_bundle_too(
    tmp_path: Path, library: Library
) -> None:
    with world(tmp_path, library, 'payloads = ["id-only"]\n') as here:
        here.expect()
        assert here.post(events((1, "Observation/o1"), sent=[observation()])).status_code == 400
        assert here.post(events((1, ""))).status_code == 400
        assert waiting(here) == []
        (kept,) = here.room.subscriptions.of("lab")
        assert kept.next_number == 1, "what was refused may be sent again, and is then no gap"


@pytest.mark.parametrize("topic", [TOPIC, "http://example.org/topics/another"])
@pytest.mark.parametrize("kind", ["handshake", "heartbeat", "query-status"])
def test_who_speaks_of_a_subscription_says_which(here: World, kind: str, topic: str) -> None:
    said = notification(kind, subscription="", so_far=0, topic=topic)
    assert here.post(said).status_code == 400
    assert here.room.subscriptions.of("lab") == ()


@pytest.mark.parametrize(
    ("sent", "wakes"),
    [
        (None, 1),
        (observation(), 1),
        (events((1, "Observation/o1")), 1),
        (events((1, "DiagnosticReport/r1"), (2, "Patient/p1")), 1),
        (events((1, "")), 1),
        ({"resourceType": "Patient", "id": "p1"}, 0),
        (events((1, "Patient/p1")), 0),
        (notification("heartbeat", so_far=0), 0),
        (notification("handshake", so_far=0), 0),
    ],
)
def test_a_worker_is_woken_when_there_is_work_and_not_else(
    here: World, sent: Any, wakes: int
) -> None:
    """Without this a result would wait until somebody looks by himself."""
    woken: list[str] = []
    room = here.room
    taking = inbox.Inbox(
        room.sources, room.database, room.store, room.subscriptions, lambda: woken.append("woken")
    )
    taking.take(taking.source("lab"), read_notification(sent or {}), here.clock())
    assert len(woken) == wakes
    assert bool(wakes) == bool(waiting(here))


def test_what_is_named_is_fetched_and_for_what_is_not_named_there_is_a_search(
    here: World,
) -> None:
    here.post(events((1, "Observation/o1"), (2, "")))
    assert sorted(waiting(here)) == [("Observation", "notified"), (Kind.SWEEP.value, "notified")]


@pytest.mark.parametrize("sent", [(), ({**observation(), "id": ""},)], ids=["none", "no id"])
def test_for_events_of_which_none_is_listed_there_is_a_search(here: World, sent: Any) -> None:
    """A server that lists none says that something has happened all the same."""
    assert here.post(events(sent=sent)).status_code == 200
    assert waiting(here) == [("Sweep", "notified")]


@pytest.mark.parametrize("topic", [TOPIC, "http://example.org/topics/another"])
def test_an_event_of_a_subscription_that_has_failed_is_kept(here: World, topic: str) -> None:
    """It was acknowledged as a word on the subscription, and the result was read by nobody."""
    assert here.post(events((1, "Observation/o1"), status="error", topic=topic)).status_code == 200
    assert waiting(here) == [("Observation", "notified")]


def test_where_we_asked_for_events_and_there_were_none_there_is_nothing_to_do(here: World) -> None:
    assert here.post(events(kind="query-event")).status_code == 200
    assert waiting(here) == []


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
        assert waiting(here) == []
        assert send(said, f"sha256={right}") == 200
        assert waiting(here) == [("Observation", "notified")]


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


@pytest.mark.parametrize("kind", ["heartbeat", "query-status"])
def test_what_is_said_of_a_subscription_that_is_not_ours_is_not_kept(
    here: World, kind: str
) -> None:
    """It is acknowledged: after a restore of our database its server must go on sending events."""
    unknown = notification(kind, topic="http://example.org/other", subscription="s9", so_far=0)
    assert here.post(unknown).status_code == 200
    assert here.room.subscriptions.of("lab") == ()
    here.expect(subscription="s9", criteria="Observation?code=9654-5")
    here.clock.pass_(minutes=1)
    assert here.post(unknown).status_code == 200
    (kept,) = here.room.subscriptions.of("lab")
    assert kept.last_heard == here.clock()


def test_no_text_of_a_source_is_kept_of_a_subscription(here: World) -> None:
    here.expect()
    here.post(notification("heartbeat", status="CANARY " * 1000, topic="http://CANARY"))
    here.post(events((1, "Observation/o1"), status="CANARY", topic="http://CANARY"))
    (kept,) = here.room.subscriptions.of("lab")
    assert (kept.status, kept.criteria) == ("active", TOPIC)


def test_t80_a_handshake_is_answered_only_for_a_subscription_of_ours(here: World) -> None:
    unknown = notification("handshake", topic="http://example.org/other", subscription="s9")
    assert here.post(unknown).status_code == 404
    by_topic = notification("handshake", so_far=0, status="requested")
    assert [here.post(by_topic).status_code for _ in range(3)] == [200, 200, 200]
    (state,) = here.room.subscriptions.of("lab")
    assert (state.subscription, state.status, state.next_number) == ("s1", "active", 1)


def test_t80_a_subscription_that_subscribe_made_is_known_by_its_id(
    tmp_path: Path, library: Library
) -> None:
    with world(tmp_path, library) as here:
        sent = notification("handshake", subscription="s7", so_far=0)
        assert here.post(sent).status_code == 404
        here.expect(subscription="s7")
        assert [here.post(sent).status_code for _ in range(2)] == [200, 200]


def test_t88_a_flood_of_empty_notifications_becomes_one_search(here: World) -> None:
    for number in range(30):
        here.fhir.put(observation(f"o{number}", status="cancelled"))
    for _ in range(50):
        assert here.post().status_code == 200
    for number in range(1, 51):
        assert here.post(events((number, ""))).status_code == 200
    assert waiting(here) == [(Kind.SWEEP.value, "notified")]
    assert here.work() == 0  # it waits a moment for more to come
    here.clock.pass_(seconds=2)
    here.work()
    assert here.fhir.count("_lastUpdated") == 1
    assert len(here.evaluated()) == 30
    assert waiting(here) == []


def test_t88_a_flood_about_one_result_is_one_fetch_of_it(here: World) -> None:
    here.fhir.put(observation())
    for _ in range(50):
        here.notify("o1")
        here.post(observation())
    here.work()
    reads = [path for _method, path in here.fhir.calls if path == "/fhir/Observation/o1"]
    assert len(reads) == 1
    assert len(here.records()) == 1


def test_the_openapi_document_describes_the_inbox_where_there_is_one(here: World) -> None:
    document = here.web.get("/openapi.json").get_json()
    described = {path for path in document["paths"] if path.startswith("/events")}
    routes = {rule.rule for rule in here.web.application.url_map.iter_rules()}
    events_ = {rule for rule in routes if rule.startswith("/events")}
    assert described == {rule.replace("<", "{").replace(">", "}") for rule in events_}
    assert described == {"/events/{source}", "/events/{source}/{type}/{id}"}


def test_a_great_notification_is_kept_in_lots_between_which_others_may_write(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "MOST_AT_ONCE", 10)
    lots = transactions(here, monkeypatch)
    many = [(number, f"Observation/o{number}") for number in range(1, 26)]
    assert here.post(events(*many, *many)).status_code == 200
    assert len(waiting(here)) == 25
    assert lots == [10, 10, 5]


def test_a_great_notification_is_acknowledged_only_when_all_of_it_is_kept(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "MOST_AT_ONCE", 10)
    lots = transactions(here, monkeypatch, fails_at=2)
    many = events(*((number, f"Observation/o{number}") for number in range(1, 26)))
    here.expect(next_number=1)
    assert here.post(many).status_code == 503
    (state,) = here.room.subscriptions.of("lab")
    assert (lots, state.next_number) == ([10], 1)
    monkeypatch.undo()
    assert here.post(many).status_code == 200  # as its sender does, which was told that it failed
    assert len(waiting(here)) == 25
    (state,) = here.room.subscriptions.of("lab")
    assert state.next_number == 26


def test_numbers_are_followed_of_more_events_than_a_statement_takes(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_subscriptions, "LOT", 10)
    here.expect(next_number=1)
    here.post(events((31, "Observation/o31")))
    assert here.room.subscriptions.missing("lab") == 30
    here.post(events(*((number, f"Observation/o{number}") for number in range(1, 29))))
    assert here.room.subscriptions.missing("lab") == 2


def transactions(here: World, monkeypatch: pytest.MonkeyPatch, fails_at: int = 0) -> list[int]:
    """How many results each further transaction keeps; one of them fails."""
    kept: list[int] = []
    add_rows = EventStore._add_rows

    def counting(store: EventStore, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
        if len(kept) + 1 == fails_at:
            raise StoreUnavailable("The database cannot be used.")
        kept.append(len(rows))
        add_rows(store, connection, rows)

    monkeypatch.setattr(EventStore, "_add_rows", counting)
    return kept
