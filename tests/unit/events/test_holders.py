"""What names a notified result and says more of it: which reports and panels are its own."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.core.json_object import JsonObject
from cds_service.events.faults import MOST_ATTEMPTS, UpstreamFailed
from cds_service.events.holders import Holders, find_holders, first_id, ids_of
from cds_service.fhir.calls.fetched import UpstreamFault
from tests.event_world import SERUM, observation
from tests.unit.events.serving import (
    ELSEWHERE,
    HERE,
    PANELS,
    REPORT,
    REPORTS,
    RESULT,
    Server,
    found,
    report,
)

MEMBER = {"reference": "Observation/o1"}


def panel(**more: Any) -> JsonObject:
    """As a server sends it: a panel with the code and a value of its own, and two things inside."""
    return {
        "resourceType": "Observation",
        "id": "panel",
        "meta": {"versionId": "2"},
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": SERUM}]},
        "subject": {"reference": "Patient/p1"},
        "specimen": {"reference": "#s"},
        "hasMember": [MEMBER],
        "valueQuantity": {"value": 5230, "unit": "U/mL"},
        "contained": [{"resourceType": "Specimen", "id": "s"}, observation("inside")],
        **more,
    }


ONLY_AS_PANEL = {
    "resourceType": "Observation",
    "id": "panel",
    "meta": {"versionId": "2"},
    "status": "final",
    "code": {"text": "panel"},
    "subject": {"reference": "Patient/p1"},
    "specimen": {"reference": "#s"},
    "hasMember": [MEMBER],
    "contained": [{"resourceType": "Specimen", "id": "s"}],
}


def holders(
    *, panels: JsonObject | UpstreamFault | None = None, attempts: int = 1, **more: Any
) -> Holders:
    """Of a result on a server that answers so to the search for its panels."""
    server = Server({REPORTS: found(report()), PANELS: found() if panels is None else panels})
    resource = {**observation(), **more}
    return find_holders(server.session, RESULT, resource, attempts=attempts)


def test_a_panel_counts_as_a_panel_alone_whatever_else_it_is() -> None:
    """Neither its value nor the result inside of it gets an answer with the result."""
    assert holders(panels=found(panel())) == Holders([report()], [ONLY_AS_PANEL])


def test_what_a_panel_does_not_say_is_not_put_into_it() -> None:
    bare = {name: panel()[name] for name in ("resourceType", "subject", "hasMember")}
    assert holders(panels=found(bare)).panels == [{**bare, "code": {"text": "panel"}}]


@pytest.mark.parametrize(
    "other",
    [
        panel(hasMember=[{"reference": "Observation/o2"}]),
        panel(hasMember=[{"reference": "DiagnosticReport/o1"}]),
        panel(hasMember=[{"reference": f"{ELSEWHERE}/Observation/o1"}]),
        panel(hasMember=MEMBER),
        panel(subject={"reference": "Patient/p2"}),
        panel(subject={"reference": f"{ELSEWHERE}/Patient/p1"}),
        panel(subject={"reference": "Group/p1"}),
        panel(subject={"display": "N. N."}),
        {**panel(), "resourceType": "DiagnosticReport"},
    ],
)
def test_a_panel_of_another_result_or_patient_is_left_out(other: JsonObject) -> None:
    assert holders(panels=found(other, panel())).panels == [ONLY_AS_PANEL]


@pytest.mark.parametrize(
    ("subject", "member"),
    [
        ("Patient/p1", f"{HERE}/Observation/o1"),
        (f"{HERE}/Patient/p1", "Observation/o1/_history/3"),
    ],
)
def test_a_panel_may_name_both_by_the_address_of_their_server(subject: str, member: str) -> None:
    members: list[JsonObject] = [{"display": "sIL-2R"}, {"reference": member}]
    named = panel(subject={"reference": subject}, hasMember=members)
    assert len(holders(panels=found(named)).panels) == 1


@pytest.mark.parametrize(
    "more",
    [
        {"specimen": {"reference": "Specimen/s2"}},
        {"subject": {"display": "N. N."}},
        {"subject": {"reference": f"{ELSEWHERE}/Patient/p1"}},
    ],
)
def test_panels_are_asked_for_only_where_they_can_tell_something(more: JsonObject) -> None:
    server = Server({REPORTS: found(report()), PANELS: found(panel())})
    resource = {**observation(), **more}
    assert find_holders(server.session, RESULT, resource, attempts=1) == Holders([report()], [])
    assert server.asked == [REPORTS]


def test_nothing_is_asked_about_a_report() -> None:
    server = Server({})
    assert find_holders(server.session, REPORT, report(), attempts=1) == Holders()
    assert server.asked == []


@pytest.mark.parametrize("fault", [UpstreamFault.TIMEOUT, UpstreamFault.STATUS_5XX])
def test_a_search_for_panels_that_may_succeed_later_is_waited_for_and_not_for_ever(
    fault: UpstreamFault,
) -> None:
    for attempts in (1, MOST_ATTEMPTS - 1):
        with pytest.raises(UpstreamFailed) as failed:
            holders(panels=fault, attempts=attempts)
        assert failed.value.cause == f"panels: {fault}"
    assert holders(panels=fault, attempts=MOST_ATTEMPTS) == Holders([report()], [])


@pytest.mark.parametrize(
    "answer",
    [
        UpstreamFault.STATUS_403,
        UpstreamFault.STATUS_404,
        UpstreamFault.STATUS_501,
        {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "x"}]},
    ],
)
def test_a_server_that_does_not_search_for_panels_is_not_waited_for(
    answer: JsonObject | UpstreamFault,
) -> None:
    assert holders(panels=answer) == Holders([report()], [])


def test_the_ids_of_what_is_referred_to_come_in_order_and_from_this_server() -> None:
    references = [
        {"display": "no reference"},
        {"reference": "ServiceRequest/r1"},
        {"reference": "#inside"},
        {"reference": "Observation/o1"},
        {"reference": f"{ELSEWHERE}/Observation/o2"},
        {"reference": f"{HERE}/Observation/o3"},
    ]
    assert list(ids_of(references, "Observation", HERE)) == ["o1", "o3"]
    assert first_id(references[5], "Observation", HERE) == "o3"


@pytest.mark.parametrize("reference", [None, "Patient/p1", {}, {"reference": "Group/p1"}])
def test_who_is_not_named_by_an_id_has_none(reference: object) -> None:
    assert first_id(reference, "Patient", HERE) == ""
