"""Many notifications become one search or one fetch, and a great one is kept in lots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Connection

from cds_service.errors import StoreUnavailable
from cds_service.events import inbox
from cds_service.store import event_subscriptions
from cds_service.store.events import EventStore
from cds_service.store.work_item import Kind
from tests.event_world import World, events, observation


def test_t88_a_flood_of_empty_notifications_becomes_one_search(here: World) -> None:
    for number in range(30):
        here.fhir.put(observation(f"o{number}", status="cancelled"))
    for _ in range(50):
        assert here.post().status_code == 200
    for number in range(1, 51):
        assert here.post(events((number, ""))).status_code == 200
    assert here.waiting() == [(Kind.SWEEP.value, "notified")]
    assert here.work() == 0  # it waits a moment for more to come
    here.clock.pass_(seconds=2)
    here.work()
    assert here.fhir.count("_lastUpdated") == 1
    assert len(here.evaluated()) == 30
    assert here.waiting() == []


def test_t88_a_flood_about_one_result_is_one_fetch_of_it(here: World) -> None:
    here.fhir.put(observation())
    for _ in range(50):
        here.notify("o1")
        here.post(observation())
    here.work()
    reads = [path for _method, path in here.fhir.calls if path == "/fhir/Observation/o1"]
    assert len(reads) == 1
    assert len(here.records()) == 1


def test_a_great_notification_is_kept_in_lots_between_which_others_may_write(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "MOST_AT_ONCE", 10)
    lots = transactions(here, monkeypatch)
    many = [(number, f"Observation/o{number}") for number in range(1, 26)]
    assert here.post(events(*many, *many)).status_code == 200
    assert len(here.waiting()) == 25
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
    assert len(here.waiting()) == 25
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
