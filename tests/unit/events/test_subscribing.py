"""Our Subscriptions on a source's server: what is asked for, made once, shown, and ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from cds_service.core.knowledge import KnowledgeBase
from cds_service.events import subscribing
from cds_service.events.faults import UpstreamFailed
from cds_service.events.search import criteria
from cds_service.events.subscribing import SubscriptionStanding
from cds_service.knowledge.files import Library
from tests.event_world import TOPIC, World, world
from tests.lab import SECRET
from tests.little_fhir import Refuse

BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"
FHIR_JSON = "application/fhir+json"
WITH_TOPIC = f'topic = "{TOPIC}|1.0.0"\n'

Registered = Callable[[str], World]


@pytest.fixture
def registered(tmp_path: Path, library: Library) -> Iterator[Registered]:
    """Makes a world whose source has these words in its row."""
    with ExitStack() as stack:
        yield lambda row: stack.enter_context(world(tmp_path, library, row))


def subscribe(here: World) -> list[SubscriptionStanding]:
    source = here.room.source("lab")
    return subscribing.subscribe(
        source,
        here.workshop.caretaker.exchange(source),
        here.room.subscriptions,
        knowledge=here.workshop.knowledge,
        endpoint=here.room.endpoint(source),
        at=here.clock(),
    )


def unsubscribe(here: World) -> list[SubscriptionStanding]:
    source = here.room.source("lab")
    exchange = here.workshop.caretaker.exchange(source)
    return subscribing.unsubscribe(source, exchange, here.room.subscriptions)


def made(here: World) -> Any:
    """The one Subscription that was made, as it was sent."""
    subscribe(here)
    sent = here.only("Subscription")
    return {name: value for name, value in sent.items() if name != "id"}


def fails(here: World, monkeypatch: pytest.MonkeyPatch, method: str, status: int) -> None:
    """From now on its server refuses such a call."""
    real = here.fhir._answer

    def answer(given: str, path: str, query: str, body: bytes) -> Any:
        if given == method:
            raise Refuse(status)
        return real(given, path, query, body)

    monkeypatch.setattr(here.fhir, "_answer", answer)


# -------------------------------------------------------------------- what is asked for


def test_without_a_topic_a_classic_one_asks_for_the_codes_of_the_knowledge(
    registered: Registered, sil2r: KnowledgeBase
) -> None:
    sent = made(registered("heartbeat_seconds = 60\n"))
    del sent["meta"]
    assert sent == {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "Decision support for laboratory results",
        "criteria": criteria(sil2r).replace("%7C", "|"),
        "channel": {
            "type": "rest-hook",
            "endpoint": "http://127.0.0.1:8000/events/lab",
            "payload": FHIR_JSON,
            "header": [f"Authorization: Bearer {SECRET}"],
        },
    }
    assert "http://loinc.org|9654-5," in sent["criteria"]


def test_the_codes_stand_in_one_order_whoever_asks(sil2r: KnowledgeBase) -> None:
    """Two processes would else take one criteria for two, and each make a Subscription of it."""
    codes = criteria(sil2r).removeprefix("Observation?code=").split(",")
    assert len(codes) == len(sil2r.analyte_codes)
    assert codes == sorted(codes)


@pytest.mark.parametrize("payloads", [["empty"], ["empty", "id-only"]])
def test_a_classic_one_sends_no_resource_where_none_is_taken(
    registered: Registered, payloads: list[str]
) -> None:
    assert "payload" not in made(registered(f"payloads = {payloads}\n"))["channel"]


def test_where_notifications_are_signed_the_server_is_given_the_secret_to_sign_with(
    registered: Registered,
) -> None:
    sent = made(registered('proof = "hmac-sha256"\n'))
    assert sent["channel"]["header"] == [f"X-Hub-Secret: {SECRET}"]


def test_with_a_topic_it_is_a_backport_one_with_the_heartbeat_that_was_agreed(
    registered: Registered,
) -> None:
    sent = made(registered(f"{WITH_TOPIC}heartbeat_seconds = 60\n"))
    assert sent["criteria"] == TOPIC, "the version of a topic has no place in R4"
    assert sent["meta"]["profile"] == [f"{BACKPORT}/backport-subscription"]
    assert sent["channel"] == {
        "type": "rest-hook",
        "endpoint": "http://127.0.0.1:8000/events/lab",
        "payload": FHIR_JSON,
        "_payload": {
            "extension": [{"url": f"{BACKPORT}/backport-payload-content", "valueCode": "id-only"}]
        },
        "extension": [{"url": f"{BACKPORT}/backport-heartbeat-period", "valueUnsignedInt": 60}],
        "header": [f"Authorization: Bearer {SECRET}"],
    }


@pytest.mark.parametrize(
    ("payloads", "asked_for"),
    [
        (["full-resource", "id-only", "empty"], "id-only"),
        (["empty", "full-resource"], "full-resource"),
        (["empty"], "empty"),
    ],
)
def test_of_what_is_taken_the_ids_are_asked_for_first(
    registered: Registered, payloads: list[str], asked_for: str
) -> None:
    channel = made(registered(f"{WITH_TOPIC}payloads = {payloads}\n"))["channel"]
    (content,) = channel["_payload"]["extension"]
    assert content["valueCode"] == asked_for
    assert channel["payload"] == FHIR_JSON, "the notification is a Bundle in any case"
    assert "extension" not in channel, "no heartbeat was agreed"


# -------------------------------------------------------------------- made once


@pytest.mark.parametrize(("row", "heartbeat"), [("", 0), (WITH_TOPIC, 60)])
def test_it_is_made_once_and_waited_for(registered: Registered, row: str, heartbeat: int) -> None:
    """A classic one knows no heartbeat: it would be called silent."""
    here = registered(f"heartbeat_seconds = 60\n{row}")
    (standing,) = subscribe(here)
    assert (standing.here, standing.there) == ("requested", "requested")
    assert standing.last_heard == here.clock().isoformat(timespec="seconds")
    (state,) = here.room.subscriptions.of("lab")
    assert (state.heartbeat_seconds, state.next_number) == (heartbeat, 1)
    here.fhir.resources[f"Subscription/{state.subscription}"]["status"] = "active"
    (again,) = subscribe(here)
    assert (again.subscription, again.there) == (standing.subscription, "active")
    assert len(here.fhir.of("Subscription")) == 1


@pytest.mark.parametrize(("said", "kept"), [({}, "requested"), ({"status": "active"}, "active")])
def test_how_it_stands_is_what_the_server_answered(
    here: World, monkeypatch: pytest.MonkeyPatch, said: dict[str, str], kept: str
) -> None:
    answer = {"resourceType": "Subscription", "id": "s7", **said}
    monkeypatch.setattr(here.fhir, "_made", lambda _resource: answer)
    (standing,) = subscribe(here)
    assert (standing.subscription, standing.here) == ("s7", kept)


def test_one_that_the_server_does_not_want_is_not_kept(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails(here, monkeypatch, "POST", 403)
    with pytest.raises(UpstreamFailed, match="subscribe: status-403"):
        subscribe(here)
    assert here.room.subscriptions.of("lab") == ()


# -------------------------------------------------------------------- shown and ended


def test_where_the_server_cannot_be_asked_the_fault_is_shown_in_place_of_the_status(
    here: World,
) -> None:
    subscribe(here)
    here.fhir.broken = 503
    (standing,) = subscribe(here)
    assert (standing.here, standing.there) == ("requested", "status-5xx")


def test_one_that_is_ended_is_gone_there_and_here(here: World) -> None:
    (standing,) = subscribe(here)
    assert unsubscribe(here) == [standing]
    assert here.fhir.of("Subscription") == []
    assert here.room.subscriptions.of("lab") == ()


def test_one_that_is_gone_there_already_is_ended_here(here: World) -> None:
    here.expect()
    (ended,) = unsubscribe(here)
    assert (ended.subscription, ended.there) == ("s1", "status-404")
    assert here.room.subscriptions.of("lab") == ()


def test_one_that_the_server_does_not_end_is_not_forgotten(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would go on sending, and nobody here would know its id."""
    subscribe(here)
    fails(here, monkeypatch, "DELETE", 403)
    with pytest.raises(UpstreamFailed, match="unsubscribe: status-403"):
        unsubscribe(here)
    assert len(here.room.subscriptions.of("lab")) == 1
