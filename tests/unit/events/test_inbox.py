"""The inbox over HTTP: what is kept of a notification, and that nothing is done in the request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cds_service.events import inbox
from cds_service.events.notification import read_notification
from cds_service.knowledge.files import Library
from cds_service.store.work_item import Kind
from tests.event_world import World, events, notification, observation, world
from tests.lab import BEARER


def test_what_is_received_is_kept_and_acknowledged_and_not_worked_on(here: World) -> None:
    here.fhir.put(observation())
    answer = here.post(observation())
    assert (answer.status_code, answer.get_json()) == (200, {})
    assert here.waiting() == [("Observation", "notified")]
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
    assert here.waiting() == [("Observation", "notified")] * 2


def test_put_of_another_resource_than_its_address_says_is_400(here: World) -> None:
    answer = here.web.put("/events/lab/Observation/o2", json=observation("o1"), headers=BEARER)
    assert answer.status_code == 400
    assert here.waiting() == []


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
    assert here.waiting() == []


def test_other_types_are_acknowledged_and_left_alone(here: World) -> None:
    assert here.post({"resourceType": "Patient", "id": "p1"}).status_code == 200
    assert here.notify("e1", kind="Encounter").status_code == 200
    assert here.waiting() == []


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
    assert here.waiting() == []


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
        assert here.waiting() == []
        (kept,) = here.room.subscriptions.of("lab")
        assert kept.next_number == 1, "what was refused may be sent again, and is then no gap"


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
    assert bool(wakes) == bool(here.waiting())


def test_what_is_named_is_fetched_and_for_what_is_not_named_there_is_a_search(
    here: World,
) -> None:
    here.post(events((1, "Observation/o1"), (2, "")))
    assert sorted(here.waiting()) == [("Observation", "notified"), (Kind.SWEEP.value, "notified")]


def test_the_openapi_document_describes_the_inbox_where_there_is_one(here: World) -> None:
    document = here.web.get("/openapi.json").get_json()
    described = {path for path in document["paths"] if path.startswith("/events")}
    routes = {rule.rule for rule in here.web.application.url_map.iter_rules()}
    events_ = {rule for rule in routes if rule.startswith("/events")}
    assert described == {rule.replace("<", "{").replace(">", "}") for rule in events_}
    assert described == {"/events/{source}", "/events/{source}/{type}/{id}"}
