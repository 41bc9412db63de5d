"""F-04: results that were sent in part are completed where that is allowed, and else named."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.core.model import Availability
from tests.fault_server import FaultServer
from tests.faults import bundle, observation, reply_json
from tests.unit.fhir_client.gathering import (
    BEARER,
    OUTCOME,
    PATIENT,
    SENT,
    Grants,
    gathered_of,
    to_be_continued,
    with_results,
)


def test_f04_a_paged_bundle_is_read_on_from_where_it_ends(
    server: FaultServer, access: Grants
) -> None:
    page = to_be_continued(server)
    server.on("/fhir/Observation?page=2", reply_json(bundle(observation(2))))
    part = with_results(page, access()).parts["sil2r"]
    assert part.availability is Availability.GIVEN
    assert part.resource == bundle(observation(1), observation(2))
    assert server.targets() == ["/fhir/Observation?page=2"]


def test_f04_what_has_no_id_on_the_page_that_was_sent_comes_back_once(
    server: FaultServer, access: Grants
) -> None:
    nameless = {**observation(1)}
    del nameless["id"]
    page = bundle(nameless, next_link=f"{server.base}/Observation?page=2")
    server.on("/fhir/Observation?page=2", reply_json(bundle(observation(2))))
    part = with_results(page, access()).parts["sil2r"]
    assert part.resource == bundle(nameless, observation(2))


def test_f04_the_total_of_a_search_is_held_against_all_of_its_pages(
    server: FaultServer, access: Grants
) -> None:
    page = to_be_continued(server)
    server.on("/fhir/Observation?page=2", reply_json({**bundle(observation(2)), "total": 2}))
    part = with_results({**page, "total": 2}, access()).parts["sil2r"]
    assert part.availability is Availability.GIVEN
    assert len(part.resource["entry"]) == 2


def test_f04_a_paged_bundle_without_access_is_used_and_stays_partial() -> None:
    page = bundle(observation(1), next_link="https://ehr.example.org/fhir/Observation?page=2")
    gathered = with_results(page)
    assert gathered.parts["sil2r"].availability is Availability.PARTIAL
    assert gathered.parts["sil2r"].resource == page
    assert gathered.faults == {"sil2r": "no-fhir-server"}


def test_f04_t46_a_prefetched_link_to_another_server_is_not_followed(
    server: FaultServer, access: Grants
) -> None:
    with FaultServer() as elsewhere:
        page = bundle(observation(1), next_link=f"{elsewhere.base}/Observation?page=2")
        gathered = with_results(page, access(BEARER))
        assert elsewhere.connections == 0
    assert gathered.parts["sil2r"].availability is Availability.PARTIAL
    assert gathered.faults == {"sil2r": "not-allowed"}
    assert server.connections == 0


def test_a_further_page_that_fails_keeps_the_page_that_was_sent(
    server: FaultServer, access: Grants
) -> None:
    page = to_be_continued(server)
    server.on("/fhir/Observation?page=2", reply_json(bundle(OUTCOME)))
    gathered = with_results(page, access())
    assert gathered.parts["sil2r"].resource == page
    assert gathered.parts["sil2r"].availability is Availability.PARTIAL
    assert gathered.faults == {"sil2r": "operation-outcome"}


HINT = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "warning", "code": "incomplete"}],
}
NOT_ALL = [bundle(observation(1), HINT), {**bundle(observation(1)), "total": 7}]


@pytest.mark.parametrize("sent", NOT_ALL)
def test_f04_an_answer_that_is_not_all_and_names_no_further_page_is_asked_for_again_once(
    sent: dict[str, Any], server: FaultServer, access: Grants
) -> None:
    server.on("/fhir/Observation", reply_json(bundle(observation(1), observation(2))))
    gathered = with_results(sent, access())
    assert gathered.parts["sil2r"].availability is Availability.GIVEN
    assert gathered.parts["sil2r"].resource == bundle(observation(1), observation(2))
    assert gathered.faults == {}
    assert server.targets() == ["/fhir/Observation?patient=1&code=a"]


@pytest.mark.parametrize("sent", NOT_ALL)
def test_f04_a_result_of_an_answer_that_is_not_all_is_kept_beside_what_is_fetched(
    sent: dict[str, Any], server: FaultServer, access: Grants
) -> None:
    server.on("/fhir/Observation", reply_json(bundle(observation(2))))
    part = with_results(sent, access()).parts["sil2r"]
    assert part.availability is Availability.GIVEN
    assert part.resource == bundle(observation(2), observation(1))


@pytest.mark.parametrize("meta", [{"versionId": "2"}, {"lastUpdated": "2026-03-02T08:00:00Z"}])
def test_f04_a_newer_version_that_was_sent_is_not_given_up_for_an_older_one_that_is_fetched(
    server: FaultServer, access: Grants, meta: dict[str, str]
) -> None:
    corrected, before = {**observation(1), "meta": meta}, observation(1)
    server.on("/fhir/Observation", reply_json(bundle(before)))
    sent = {**bundle(corrected), "total": 7}
    part = with_results(sent, access()).parts["sil2r"]
    assert part.resource == bundle(before, corrected)


@pytest.mark.parametrize("answer", [bundle(HINT), {**bundle(), "total": 7}])
def test_f04_an_answer_that_is_not_all_the_second_time_either_stays_a_part(
    answer: dict[str, Any], server: FaultServer, access: Grants
) -> None:
    server.on("/fhir/Observation", reply_json(answer))
    gathered = with_results(NOT_ALL[0], access())
    part = gathered.parts["sil2r"]
    assert part.availability is Availability.PARTIAL
    assert {"resource": observation(1)} in part.resource["entry"]
    assert gathered.faults == {"sil2r": "incomplete"}
    assert len(server.calls) == 1


def test_f04_an_answer_that_is_not_all_is_kept_where_asking_again_fails(
    server: FaultServer, access: Grants
) -> None:
    server.on("/fhir/Observation", reply_json(OUTCOME))
    gathered = with_results(NOT_ALL[0], access())
    assert gathered.parts["sil2r"].availability is Availability.PARTIAL
    assert gathered.parts["sil2r"].resource == NOT_ALL[0]
    assert gathered.faults == {"sil2r": "operation-outcome"}


def test_f04_a_resource_asked_for_by_its_id_is_whole_as_it_is_fetched(
    server: FaultServer, access: Grants
) -> None:
    server.on("/fhir/Patient/1", reply_json(PATIENT))
    gathered = gathered_of({**SENT, "patient": {**bundle(PATIENT), "total": 2}}, access())
    assert gathered.parts["patient"].resource == PATIENT
    assert gathered.faults == {}
