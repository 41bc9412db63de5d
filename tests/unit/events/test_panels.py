"""A notified result that names no specimen has that of its panel, which its server is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from cds_service.events.faults import MOST_ATTEMPTS
from tests.event_world import SERUM, World, a_result, observation
from tests.little_fhir import Json, refusing

ANY_SPECIMEN = "38352-1"
"""Interleukin 2 receptor in units per volume: the code does not say where it was taken."""
SUBJECT = {"reference": "Patient/p1"}
CSF: Json = {
    "resourceType": "Specimen",
    "id": "s1",
    "type": {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0487", "code": "CSF"}]
    },
    "subject": SUBJECT,
}
SAMPLED: Json = {"specimen": {"reference": "Specimen/s1"}}


def panel(*members: str, **more: Any) -> Json:
    """A panel of CSF without a value of its own."""
    return {
        "resourceType": "Observation",
        "id": "panel",
        "status": "final",
        "code": {"text": "Cytokines in CSF"},
        "subject": SUBJECT,
        "hasMember": [{"reference": member} for member in members],
        **SAMPLED,
        **more,
    }


def outcomes(here: World) -> list[tuple[str, ...]]:
    """What each evaluation came to: its findings, or why there are none."""
    return [(*record.findings, *record.reasons) for record in here.records()]


def asked_for_panels(here: World, answer: Callable[[dict[str, list[str]]], Json]) -> None:
    """The server answers like this to the search for panels, and as ever to any other."""

    def observations(query: dict[str, list[str]]) -> Json:
        if "has-member" in query:
            return answer(query)
        return here.fhir._search("Observation", urlencode(query, doseq=True))

    here.fhir.operations["Observation"] = observations


def a_page(*resources: Json, next_link: str = "") -> Json:
    link = [{"relation": "next", "url": next_link}] if next_link else []
    entries = [{"resource": each} for each in resources]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries, "link": link}


def test_a_result_coded_as_serum_whose_panel_says_csf_is_not_interpreted(here: World) -> None:
    here.fhir.put(CSF)
    here.fhir.put(panel("Observation/o1"))
    here.arrives(observation())
    assert outcomes(here) == [("specimen-conflict",)]


def test_a_code_without_a_specimen_is_settled_by_the_panel(here: World) -> None:
    here.fhir.put(CSF)
    here.fhir.put(panel("Observation/o1"))
    here.arrives(a_result("o1", ANY_SPECIMEN))
    assert outcomes(here) == [("no-laboratory-limit",)]


def test_a_specimen_that_the_panel_contains_counts_too(here: World) -> None:
    inside = {**CSF, "id": "s"}
    here.fhir.put(panel("Observation/o1", contained=[inside], specimen={"reference": "#s"}))
    here.arrives(observation())
    assert outcomes(here) == [("specimen-conflict",)]


@pytest.mark.parametrize(
    "more", [{"specimen": {"reference": "Specimen/s2"}}, {"subject": {"display": "N. N."}}]
)
def test_no_panel_is_asked_for_where_it_would_tell_nothing(here: World, more: Json) -> None:
    here.arrives({**observation(), **more})
    assert here.fhir.count("has-member") == 0
    assert here.fhir.count("DiagnosticReport?result") == 1


@pytest.mark.parametrize("status", [400, 403, 404, 501])
def test_a_server_that_does_not_search_for_panels_is_done_without(here: World, status: int) -> None:
    asked_for_panels(here, refusing(status))
    here.arrives(observation())
    assert outcomes(here)[0][0] == "hlh-2004-criterion-met"


@pytest.mark.parametrize(
    "answer",
    [
        {"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]},
        a_page({"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}),
    ],
)
def test_an_error_in_the_answer_holds_no_result_up(here: World, answer: Json) -> None:
    asked_for_panels(here, lambda _query: answer)
    here.arrives(observation())
    assert outcomes(here)[0][0] == "hlh-2004-criterion-met"


def test_of_a_server_that_ignores_the_parameter_one_page_is_read_and_nothing_taken(
    here: World,
) -> None:
    """The patient's other Observations, and somebody else's panel: none names this result."""
    here.fhir.put(CSF)
    others = (
        observation("o2", **SAMPLED),
        panel("Observation/o2"),
        panel(f"{here.fhir.base}x/Observation/o1", id="elsewhere"),
        panel("Observation/o1", id="foreign", subject={"reference": "Patient/p2"}),
        panel("Observation/o1", id="nobody", subject={"display": "N. N."}),
    )
    more = f"{here.fhir.base}/Observation?page=2"
    asked_for_panels(here, lambda _query: a_page(*others, next_link=more))
    here.arrives(observation())
    assert outcomes(here)[0][0] == "hlh-2004-criterion-met"
    assert here.fhir.count("page=2") == 0


@pytest.mark.parametrize("status", [401, 429, 503])
def test_a_result_waits_for_a_search_that_fails_just_now(here: World, status: int) -> None:
    """Evaluated without its panel, this one would be shown as serum, and be looked at only once."""
    here.fhir.put(CSF)
    here.fhir.put(panel("Observation/o1"))
    asked_for_panels(here, refusing(status))
    here.arrives(observation())
    assert here.records() == []
    (cause,) = here.causes()
    assert cause.startswith("panels: status-")

    del here.fhir.operations["Observation"]
    here.clock.pass_(minutes=8)
    here.work()
    assert outcomes(here) == [("specimen-conflict",)]


def test_a_server_that_fails_at_the_parameter_each_time_does_not_keep_results_for_ever(
    here: World,
) -> None:
    asked_for_panels(here, refusing(500))
    here.comes(observation())
    here.try_in_vain()
    assert here.fhir.count("has-member") == MOST_ATTEMPTS
    assert outcomes(here)[0][0] == "hlh-2004-criterion-met"
    assert here.causes() == []


def test_a_panel_under_the_code_of_the_result_gets_no_answer_with_it(here: World) -> None:
    """Nor does a member of it that it contains. It has a notification of its own."""
    sil2r = {"coding": [{"system": "http://loinc.org", "code": SERUM}]}
    here.fhir.put(CSF)
    here.fhir.put(panel("Observation/o1", code=sil2r, contained=[a_result("inside", ANY_SPECIMEN)]))
    here.arrives(a_result("o1", ANY_SPECIMEN))
    assert outcomes(here) == [("no-laboratory-limit",)]


def test_the_specimen_of_a_withdrawn_panel_does_not_count(here: World) -> None:
    here.fhir.put(CSF)
    here.fhir.put(panel("Observation/o1", status="entered-in-error"))
    here.arrives(a_result("o1", ANY_SPECIMEN))
    assert outcomes(here) == [("specimen-unknown",)]
