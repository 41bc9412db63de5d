"""What is read of a notified result: itself as it stands, its reports, its patient, its order."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.core.json_object import JsonObject
from cds_service.events.current import Current, Gone, read_current, read_requester
from cds_service.events.faults import UpstreamFailed
from cds_service.fhir.calls.fetched import UpstreamFault
from cds_service.store.work_item import Kind, Target
from tests.event_world import observation
from tests.unit.events.serving import (
    ELSEWHERE,
    HERE,
    PANELS,
    REPORT,
    REPORTS,
    RESULT,
    Holds,
    Server,
    found,
    report,
)


def result(**more: Any) -> JsonObject:
    return observation(meta={"versionId": "3"}, **more)


def read(of: Target = RESULT, **holds: JsonObject | UpstreamFault) -> Current:
    """As read from a server that holds this result, report or answer about reports."""
    addresses = {"result": "Observation/o1", "report": "DiagnosticReport/d1", "reports": REPORTS}
    given = {"result": result(), "reports": found(), **holds}
    current = read_current(
        Server({addresses[n]: h for n, h in given.items()}).session, of, attempts=1
    )
    assert isinstance(current, Current)
    return current


# ------------------------------------------------------------------ what belongs to it


def test_a_result_is_read_with_the_reports_that_name_it() -> None:
    server = Server({"Observation/o1": result(), REPORTS: found(report())})
    current = read_current(server.session, RESULT, attempts=1)
    assert isinstance(current, Current)
    assert server.asked == ["Observation/o1", REPORTS, PANELS]
    assert current.resource == result()
    assert current.results == {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": result()}, {"resource": report()}],
    }


def test_what_is_no_report_among_the_reports_is_left_out() -> None:
    hint = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning"}]}
    current = read(reports=found(hint, report()))
    assert [each["resource"] for each in current.results["entry"]] == [result(), report()]


@pytest.mark.parametrize(
    ("subject", "patient_id"),
    [
        ("Patient/p1", "p1"),
        (f"{HERE}/Patient/p1", "p1"),
        (f"{ELSEWHERE}/Patient/p1", ""),
        ("Group/p1", ""),
    ],
)
def test_the_patient_is_the_one_of_that_id_on_its_server(subject: str, patient_id: str) -> None:
    assert read(result=result(subject={"reference": subject})).patient_id == patient_id


@pytest.mark.parametrize(
    ("based_on", "order"),
    [
        ([], ""),
        (["ServiceRequest/r1"], "ServiceRequest/r1"),
        ([f"{HERE}/ServiceRequest/r1"], "ServiceRequest/r1"),
        (
            ["CarePlan/c1", f"{ELSEWHERE}/ServiceRequest/r9", "ServiceRequest/r1"],
            "ServiceRequest/r1",
        ),
    ],
    ids=["none", "by id", "by address", "behind others"],
)
def test_the_order_is_the_first_request_on_its_server(based_on: list[str], order: str) -> None:
    references = [{"reference": each} for each in based_on]
    assert read(result=result(basedOn=references)).order == order


def test_a_report_names_its_results_and_nobody_searches_for_reports() -> None:
    named = ["Observation/o1", f"{ELSEWHERE}/Observation/o2", f"{HERE}/Observation/o3"]
    given = report(result=[{"reference": each} for each in named], meta={"versionId": "7"})
    server = Server({"DiagnosticReport/d1": given})
    current = read_current(server.session, REPORT, attempts=1)
    assert isinstance(current, Current)
    assert server.asked == ["DiagnosticReport/d1"]
    assert current.version == "7"
    assert current.reported == (Target(Kind.OBSERVATION, "o1"), Target(Kind.OBSERVATION, "o3"))


# ------------------------------------------------------------------ does it stand


@pytest.mark.parametrize(
    ("states", "stands"),
    [
        ([], True),
        (["final"], True),
        (["entered-in-error"], False),
        (["cancelled"], False),
        (["entered-in-error", "cancelled"], False),
        (["entered-in-error", "final"], True),
    ],
)
def test_a_result_falls_when_all_its_reports_are_withdrawn(
    states: list[str], *, stands: bool
) -> None:
    current = read(reports=found(*map(report, states)))
    upheld, fallen = "3", "3 withdrawn-with-report"
    expected = (upheld, fallen) if stands else (fallen, upheld)
    assert (current.version, current.otherwise) == expected


@pytest.mark.parametrize(
    ("meta", "version"),
    [
        ({"versionId": "3", "lastUpdated": "2026-03-01T09:00:00Z"}, "3"),
        ({"lastUpdated": "2026-03-01T09:00:00Z"}, "2026-03-01T09:00:00Z"),
    ],
)
def test_a_version_is_told_by_its_id_or_by_when_it_was_updated(
    meta: JsonObject, version: str
) -> None:
    assert read(result=observation(meta=meta)).version == version


def test_where_its_server_says_nothing_a_result_is_told_by_all_that_it_holds() -> None:
    first, same, other = (read(result=observation(value=v)).version for v in (5.5, 5.5, 5.6))
    assert first == same != other


# ------------------------------------------------------------------ what cannot be had


def test_what_its_server_has_no_longer_is_gone() -> None:
    assert read_current(Server({}).session, RESULT, attempts=1) == Gone()


@pytest.mark.parametrize(
    ("holds", "cause"),
    [
        ({"Observation/o1": UpstreamFault.STATUS_5XX}, "read: status-5xx"),
        ({"Observation/o1": result(), REPORTS: UpstreamFault.TIMEOUT}, "reports: timeout"),
        (
            {"Observation/o1": result(), REPORTS: found({"resourceType": "OperationOutcome",
             "issue": [{"severity": "error", "code": "exception"}]})},
            "reports: operation-outcome",
        ),
        (
            {"Observation/o1": result(), REPORTS: found(report(), following="page?2"),
             "page?2": UpstreamFault.STATUS_5XX},
            "reports: status-5xx",
        ),
    ],
    ids=["the result", "its reports", "an error among them", "a further page of them"],
)  # fmt: skip
def test_what_may_pass_holds_a_result_up(holds: Holds, cause: str) -> None:
    """A withdrawn report that was not found would leave a withdrawn result standing."""
    with pytest.raises(UpstreamFailed) as failed:
        read_current(Server(holds).session, RESULT, attempts=1)
    assert failed.value.cause == cause


@pytest.mark.parametrize("fault", [UpstreamFault.STATUS_403, UpstreamFault.STATUS_404])
def test_where_reports_may_not_be_read_a_result_is_read_without_them(fault: UpstreamFault) -> None:
    assert read(reports=fault).results["entry"] == [{"resource": result()}]


# ------------------------------------------------------------------ who ordered the test


def requester_of(order: JsonObject | UpstreamFault, patient: str = "p1") -> str:
    session = Server({"ServiceRequest/r1": order}).session
    return read_requester(session, "ServiceRequest/r1", patient)


@pytest.mark.parametrize(
    ("requester", "who"),
    [
        (None, ""),
        ("Practitioner/d1", "Practitioner/d1"),
        (f"{HERE}/PractitionerRole/d1", "PractitionerRole/d1"),
        ("Organization/ward", "Organization/ward"),
        (f"{ELSEWHERE}/Practitioner/d1", ""),
        ("Patient/p1", ""),
    ],
)
def test_who_ordered_the_test_is_a_clinician_on_its_server(requester: str | None, who: str) -> None:
    order: JsonObject = {"resourceType": "ServiceRequest", "id": "r1"}
    if requester:
        order["requester"] = {"reference": requester}
    assert requester_of(order) == who


@pytest.mark.parametrize(
    ("subject", "patient", "who"),
    [
        ("Patient/p1", "p1", "Practitioner/d1"),
        (f"{HERE}/Patient/p1", "p1", "Practitioner/d1"),
        ("Patient/p2", "p1", ""),
        ("Patient/p2", "", "Practitioner/d1"),
    ],
)
def test_whoever_ordered_a_test_of_another_patient_is_not_told(
    subject: str, patient: str, who: str
) -> None:
    order: JsonObject = {
        "resourceType": "ServiceRequest",
        "id": "r1",
        "subject": {"reference": subject},
        "requester": {"reference": "Practitioner/d1"},
    }
    assert requester_of(order, patient) == who


@pytest.mark.parametrize("fault", [UpstreamFault.STATUS_403, UpstreamFault.STATUS_404])
def test_an_order_that_may_not_be_read_names_nobody(fault: UpstreamFault) -> None:
    assert requester_of(fault) == ""


def test_an_order_that_cannot_be_read_now_is_waited_for() -> None:
    server = Server({"ServiceRequest/r1": UpstreamFault.STATUS_5XX})
    with pytest.raises(UpstreamFailed) as failed:
        read_requester(server.session, "ServiceRequest/r1", "p1")
    assert failed.value.cause == "order: status-5xx"
