"""What the inbox takes as a word on a subscription, and whose subscriptions it knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cds_service.knowledge.files import Library
from tests.event_world import TOPIC, World, events, notification, observation, world


@pytest.mark.parametrize("topic", [TOPIC, "http://example.org/topics/another"])
@pytest.mark.parametrize("kind", ["handshake", "heartbeat", "query-status"])
def test_who_speaks_of_a_subscription_says_which(here: World, kind: str, topic: str) -> None:
    said = notification(kind, subscription="", so_far=0, topic=topic)
    assert here.post(said).status_code == 400
    assert here.room.subscriptions.of("lab") == ()


@pytest.mark.parametrize("sent", [(), ({**observation(), "id": ""},)], ids=["none", "no id"])
def test_for_events_of_which_none_is_listed_there_is_a_search(here: World, sent: Any) -> None:
    """A server that lists none says that something has happened all the same."""
    assert here.post(events(sent=sent)).status_code == 200
    assert here.waiting() == [("Sweep", "notified")]


@pytest.mark.parametrize("topic", [TOPIC, "http://example.org/topics/another"])
def test_an_event_of_a_subscription_that_has_failed_is_kept(here: World, topic: str) -> None:
    """It was acknowledged as a word on the subscription, and the result was read by nobody."""
    assert here.post(events((1, "Observation/o1"), status="error", topic=topic)).status_code == 200
    assert here.waiting() == [("Observation", "notified")]


def test_where_we_asked_for_events_and_there_were_none_there_is_nothing_to_do(here: World) -> None:
    assert here.post(events(kind="query-event")).status_code == 200
    assert here.waiting() == []


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
