"""What was answered with 200 and failed all the same is not taken for done or for nothing there."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.events.faults import UpstreamFailed
from cds_service.events.subscribing import subscribe, unsubscribe
from tests.event_world import World, observation
from tests.little_fhir import Json, refusing

WITHDRAWN = {
    "resourceType": "DiagnosticReport",
    "id": "d1",
    "status": "entered-in-error",
    "result": [{"reference": "Observation/o1"}],
}


def _outcome(severity: str, code: str = "incomplete") -> Json:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code}]}


def _page(*resources: Any, links: Any = ()) -> Json:
    page: Json = {"resourceType": "Bundle", "type": "searchset"}
    if resources:
        page["entry"] = [{"resource": each} for each in resources]
    if links:
        page["link"] = list(links)
    return page


def _first_page(here: World, *resources: Any) -> Json:
    return _page(*resources, links=[{"relation": "next", "url": f"{here.fhir.base}/next-page"}])


def test_an_error_among_the_entries_of_a_search_for_what_has_changed_is_no_search(
    here: World,
) -> None:
    here.fhir.put(observation())
    here.fhir.operations["Observation"] = lambda _: _page(_outcome("error"))
    here.something_has_changed()
    assert here.work() == 0
    assert here.causes() == ["search: operation-outcome"]

    del here.fhir.operations["Observation"]
    here.clock.pass_(minutes=8)
    here.work()
    assert len(here.evaluated()) == len(here.records()) == 1


@pytest.mark.parametrize("link", [{"relation": "next"}, {"relation": "next", "url": ""}])
def test_a_search_whose_next_page_has_no_address_is_not_at_its_end(
    here: World, link: dict[str, str]
) -> None:
    here.fhir.operations["Observation"] = lambda _: _page(links=[link])
    here.something_has_changed()
    assert here.work() == 0
    assert here.causes() == ["search: not-allowed"]


def test_a_hint_among_the_entries_is_no_failure(here: World) -> None:
    here.fhir.operations["Observation"] = lambda _: _page(_outcome("warning", "informational"))
    here.something_has_changed()
    assert here.work() == 1


def test_a_result_waits_while_the_search_for_its_reports_holds_an_error(here: World) -> None:
    here.fhir.put(observation())
    here.fhir.put(WITHDRAWN)
    here.fhir.operations["DiagnosticReport"] = lambda _: _page(_outcome("error"))
    here.notify("o1")
    assert here.work() == 0
    assert here.causes() == ["reports: operation-outcome"]

    del here.fhir.operations["DiagnosticReport"]
    here.clock.pass_(minutes=8)
    assert here.work() == 1
    assert [record.outcomes for record in here.records()] == [()]


def test_a_search_for_reports_that_is_answered_with_an_error_alone_holds_the_result_up(
    here: World,
) -> None:
    here.fhir.put(observation())
    here.fhir.operations["DiagnosticReport"] = lambda _: _outcome("error")
    here.notify("o1")
    here.try_in_vain()
    assert here.evaluated() == []
    assert here.set_aside() == ["reports: operation-outcome"]


def test_a_result_waits_while_a_further_page_of_its_reports_cannot_be_had(here: World) -> None:
    here.fhir.put(observation())
    here.fhir.operations["DiagnosticReport"] = lambda _: _first_page(here)
    here.fhir.operations["next-page"] = refusing(500)
    here.notify("o1")
    assert here.work() == 0
    assert here.causes() == ["reports: status-5xx"]

    here.fhir.operations["next-page"] = lambda _: _page(WITHDRAWN)
    here.clock.pass_(minutes=8)
    assert here.work() == 1
    assert [record.outcomes for record in here.records()] == [()]


@pytest.mark.parametrize("answer", [_page(_outcome("error")), _page(links=[{"relation": "next"}])])
def test_what_was_written_before_and_cannot_be_found_is_not_taken_for_never_written(
    writing: World, answer: Json
) -> None:
    writing.comes(observation())
    assert writing.work() == 1
    writing.fhir.put(observation(status="entered-in-error"))
    writing.fhir.operations["DetectedIssue"] = lambda _: answer
    writing.notify("o1")
    assert writing.work() == 0
    (row,) = writing.room.store.waiting()
    assert row.cause.startswith("write-back: ")

    del writing.fhir.operations["DetectedIssue"]
    writing.clock.pass_(minutes=8)
    assert writing.work() == 1
    assert [issue["status"] for issue in writing.fhir.of("DetectedIssue")] == ["entered-in-error"]


@pytest.mark.parametrize("named", [{}, {"id": "../Patient/p1"}, {"id": 1}])
def test_an_answer_of_ours_that_comes_back_without_an_id_is_not_written_over(
    writing: World, named: Json
) -> None:
    """Its id would be part of the address that is written to."""
    writing.comes(observation())
    assert writing.work() == 1
    (issue,) = writing.fhir.of("DetectedIssue")
    nameless = {name: value for name, value in issue.items() if name != "id"}
    writing.fhir.put(observation(status="entered-in-error"))
    writing.fhir.operations["DetectedIssue"] = lambda _: _page({**nameless, **named})
    writing.notify("o1")
    assert writing.work() == 0
    assert writing.causes() == ["write-back: not-fhir"]
    assert [issue["status"] for issue in writing.fhir.of("DetectedIssue")] == [issue["status"]]


def test_reports_that_may_not_be_read_are_done_without(here: World) -> None:
    here.fhir.put(observation())
    here.fhir.operations["DiagnosticReport"] = refusing(403)
    here.notify("o1")
    assert here.work() == 1
    assert len(here.records()) == 1


def test_a_subscription_that_comes_back_without_its_id_is_not_kept(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kept without one, ending it would ask the server to delete no Subscription in particular."""
    monkeypatch.setattr(here.fhir, "_made", lambda _resource: _outcome("information"))
    source, subscriptions = here.room.source("lab"), here.room.subscriptions
    exchange = here.workshop.caretaker.exchange(source)
    with pytest.raises(UpstreamFailed, match="subscribe: not-fhir"):
        subscribe(
            source,
            exchange,
            subscriptions,
            knowledge=here.workshop.knowledge,
            endpoint=here.room.endpoint(source),
            at=here.clock(),
        )
    assert unsubscribe(source, exchange, subscriptions) == []
