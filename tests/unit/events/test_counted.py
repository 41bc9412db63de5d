"""What an operator reads off the metrics about notifications: what they were, what did not come."""

from __future__ import annotations

import re
from typing import Any

import pytest

from cds_service.store import event_outcomes
from tests.event_world import PATIENT, World, events, notification, observation


@pytest.mark.parametrize(
    ("sent", "taken"),
    [
        (notification("handshake", so_far=0), "handshake"),
        (notification("heartbeat", so_far=0), "heartbeat"),
        (notification("query-status", so_far=0), "status"),
        (notification("heartbeat", status="error"), "trouble"),
        (events((0, "Observation/o1"), (0, "Observation/o2")), "events"),
        (observation(), "events"),
        (None, "events"),
        (events((0, "Patient/p1")), "nothing-of-ours"),
        (PATIENT, "nothing-of-ours"),
        (notification("heartbeat", topic="http://example.org/another"), "nothing-of-ours"),
    ],
)
def test_the_notifications_are_counted_by_what_they_were(
    here: World, sent: Any, taken: str
) -> None:
    here.post(sent)
    assert counted(here, "cds_notifications_total") == [f'{{source="lab",taken="{taken}"}} 1.0']


@pytest.mark.parametrize(
    ("sent", "missing"),
    [
        (events((7, "Observation/o1")), 2),
        (events((7, "Patient/p1")), 2),
        (notification("heartbeat", so_far=6), 2),
        (events((5, "Observation/o1")), 0),
        (events((7, "Observation/o1"), subscription=""), 0),
    ],
)
def test_the_events_that_did_not_come_are_counted(here: World, sent: Any, missing: int) -> None:
    """Number 5 is the next; one of no named subscription follows upon nothing."""
    here.expect(next_number=5)
    here.post(sent)
    assert counted(here, "cds_events_missing_total") == [f'{{source="lab"}} {missing}.0']


def test_that_none_is_missing_is_said_before_anything_comes(here: World) -> None:
    """The first notification after a stop may show a gap: that is a rise only if 0 was there."""
    assert counted(here, "cds_events_missing_total") == ['{source="lab"} 0.0']


def counted(here: World, metric: str) -> list[str]:
    """What a metric says: labels and value."""
    lines = str(here.web.get("/metrics").get_data(as_text=True)).splitlines()
    return [line.removeprefix(metric) for line in lines if line.startswith(f"{metric}{{")]


UNREAD: dict[str, Any] = {"valueQuantity": {"value": 3000, "unit": "zorkmid"}}


def test_results_of_the_last_day_are_told_by_whether_they_could_be_interpreted(
    here: World,
) -> None:
    """Workers have no metrics of their own: without this no alert would see a unit that changes."""
    here.fhir.put(PATIENT)
    here.arrives(observation("o1"))
    here.arrives(observation("o2", **UNREAD))
    here.arrives(observation("o3", **UNREAD))
    assert of_the_day(here) == {"interpreted": 1, "not-interpreted": 2}
    here.clock.pass_(hours=23)
    here.arrives(observation("o4"))
    assert of_the_day(here) == {"interpreted": 2, "not-interpreted": 2}
    here.clock.pass_(hours=2)
    assert of_the_day(here) == {"interpreted": 1, "not-interpreted": 0}


def test_what_failed_is_no_result_that_could_not_be_interpreted(here: World) -> None:
    here.fhir.broken = 403
    here.comes(observation())
    here.try_in_vain()
    assert [row.error for row in here.records()] == ["CDS-3001"]
    assert of_the_day(here) == {"interpreted": 0, "not-interpreted": 0}


def test_only_the_newest_records_are_looked_at(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked with every readiness, and a table may hold years."""
    monkeypatch.setattr(event_outcomes, "LOOKED_AT", 2)
    here.fhir.put(PATIENT)
    for number in range(5):
        here.arrives(observation(f"o{number}"))
    assert of_the_day(here) == {"interpreted": 2, "not-interpreted": 0}


def of_the_day(here: World) -> dict[str, int]:
    """What is told of the results of the last day, by state."""
    here.ready()
    told = [re.search(r'state="(.+)"} (\d+)', line) for line in counted(here, "cds_events_day")]
    return {found[1]: int(found[2]) for found in told if found}


@pytest.mark.parametrize("sent", [events((0, "Observation/o1")), notification("heartbeat")])
def test_what_gives_no_number_says_nothing_of_where_the_numbers_are(here: World, sent: Any) -> None:
    here.post(sent)
    here.post(events((700, "Observation/o2")))
    assert counted(here, "cds_events_missing_total") == ['{source="lab"} 0.0']
