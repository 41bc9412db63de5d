"""F-01 to F-07, T-40, T-49: what was prefetched, completed by what may be fetched."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from cds_service.core.model import Availability
from cds_service.errors import DataUnavailable
from cds_service.fhir.access import NoAccess, NoAccessReason
from cds_service.fhir.calls.authorization import TokenFlaw
from cds_service.hooks.gather import require_whole
from cds_service.origins import AllowList
from tests import faults
from tests.fault_server import FaultServer
from tests.faults import bundle, observation, reply, reply_json, together
from tests.unit.fhir_client.gathering import (
    BEARER,
    NO_SERVER,
    OUTCOME,
    PATIENT,
    SENT,
    TEMPLATES,
    Grants,
    availability,
    gathered_of,
    with_results,
)

OPTIONAL_ONLY = {key: TEMPLATES[key] for key in ("patient", "labs")}


def test_what_was_sent_is_used_and_nothing_is_fetched(server: FaultServer, access: Grants) -> None:
    gathered = gathered_of(SENT, access())
    assert {key: part.resource for key, part in gathered.parts.items()} == SENT
    assert gathered.faults == {}
    assert server.connections == 0


def test_f01_an_absent_key_is_fetched_with_the_token_of_the_request(
    server: FaultServer, access: Grants
) -> None:
    server.on("/fhir/Patient/1", reply_json(PATIENT))
    gathered = gathered_of({key: SENT[key] for key in ("sil2r", "labs")}, access(BEARER))
    assert gathered.parts["patient"].resource == PATIENT
    assert gathered.faults == {}
    assert server.targets() == ["/fhir/Patient/1"]
    assert server.calls[0].headers["authorization"] == "Bearer secret"


def test_t66_several_absent_keys_are_fetched_side_by_side(
    server: FaultServer, access: Grants
) -> None:
    server.on("/fhir/Patient/1", reply_json(PATIENT))
    server.on("/fhir/Observation", together(2, reply_json(bundle(observation(1)))))
    gathered = gathered_of({}, access())
    assert set(availability(gathered).values()) == {Availability.GIVEN}
    assert sorted(server.targets()) == [
        "/fhir/Observation?patient=1&code=a",
        "/fhir/Observation?patient=1&code=b",
        "/fhir/Patient/1",
    ]


def test_f02_null_means_looked_and_nothing_there_and_is_never_fetched_again(
    server: FaultServer, access: Grants
) -> None:
    gathered = gathered_of({"patient": None, "sil2r": None, "labs": None}, access())
    assert set(availability(gathered).values()) == {Availability.EMPTY}
    assert server.connections == 0


def test_f03_a_failure_sent_for_an_optional_key_is_taken_as_such(
    server: FaultServer, access: Grants
) -> None:
    gathered = gathered_of({**SENT, "labs": OUTCOME}, access())
    assert gathered.parts["labs"].availability is Availability.FAILED
    assert gathered.faults == {"labs": "prefetch-failed"}
    assert server.connections == 0


def test_f03_a_failure_sent_for_a_required_key_counts_as_not_prefetched(
    server: FaultServer, access: Grants
) -> None:
    server.on("/fhir/Observation", reply_json(bundle(observation(9))))
    gathered = with_results(OUTCOME, access())
    assert gathered.parts["sil2r"].resource == bundle(observation(9))
    assert gathered.faults == {}


def test_f03_f06_a_failure_sent_for_a_required_key_without_access_is_412() -> None:
    with pytest.raises(DataUnavailable) as raised:
        with_results(OUTCOME)
    assert raised.value.cause == "prefetch-failed"
    assert raised.value.where == "prefetch.sil2r"


OF_ANOTHER_TYPE = [
    PATIENT,
    bundle(PATIENT),
    bundle(PATIENT, next_link="https://ehr.example.org/fhir/Patient?page=2"),
    {"resourceType": "Bundle"},
]


@pytest.mark.parametrize("sent", OF_ANOTHER_TYPE)
def test_t64_another_resource_than_was_asked_for_under_a_required_key_is_no_answer_to_it(
    sent: dict[str, Any], server: FaultServer, access: Grants
) -> None:
    """A Patient where results were asked for does not say that there is no result."""
    with pytest.raises(DataUnavailable) as raised:
        with_results(sent)
    assert (raised.value.where, raised.value.cause) == ("prefetch.sil2r", "prefetch-failed")
    server.on("/fhir/Observation", reply_json(bundle(observation(9))))
    gathered = with_results(sent, access())
    assert gathered.parts["sil2r"].resource == bundle(observation(9))
    assert gathered.faults == {}


@pytest.mark.parametrize(
    "sent",
    [
        observation(1),
        {"resourceType": "DiagnosticReport"},
        bundle(PATIENT, observation(1)),
        bundle({"status": "final"}),
        {"resourceType": "Bundle", "type": "collection", "entry": [7]},
    ],
)
def test_what_may_be_a_result_under_a_required_key_is_left_to_the_reader(
    sent: dict[str, Any],
) -> None:
    assert with_results(sent).parts["sil2r"].resource == sent


def test_another_resource_under_an_optional_key_is_left_to_the_reader_who_says_so() -> None:
    assert gathered_of({**SENT, "labs": PATIENT}, NO_SERVER).parts["labs"].resource == PATIENT


def test_f05_keys_nobody_asked_for_are_ignored() -> None:
    gathered = gathered_of({**SENT, "extra": PATIENT}, NO_SERVER)
    assert set(gathered.parts) == set(TEMPLATES)


def test_f06_a_required_key_that_is_neither_sent_nor_reachable_is_412() -> None:
    with pytest.raises(DataUnavailable, match="sil2r") as raised:
        gathered_of({"patient": PATIENT}, NO_SERVER)
    assert (raised.value.status, raised.value.where) == (412, "prefetch.sil2r")
    assert raised.value.cause == "no-fhir-server"
    told = "is required, and was neither sent as asked for nor could be read (no-fhir-server)."
    assert raised.value.text == f"The prefetch key 'sil2r' {told}"
    assert raised.value.remedy


def test_where_a_part_of_what_is_required_calls_for_no_card_it_is_412_and_says_why() -> None:
    """No card would look like nothing to say, while a result may stand on the page not read."""
    a_part = bundle(observation(1), next_link="https://ehr.example.org/fhir/Observation?page=2")
    with pytest.raises(DataUnavailable) as raised:
        require_whole(gathered_of({**SENT, "sil2r": a_part}, NO_SERVER), TEMPLATES)
    assert (raised.value.status, raised.value.where) == (412, "prefetch.sil2r")
    assert raised.value.cause == "no-fhir-server"
    told = "only a part of it could be read, which calls for no card (no-fhir-server)."
    assert raised.value.text == f"The prefetch key 'sil2r' is required, and {told}"
    for enough in (SENT, {**SENT, "labs": a_part}, {**SENT, "sil2r": None}):
        require_whole(gathered_of(enough, NO_SERVER), TEMPLATES)


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (reply(b"", status=401), "status-401"),
        (reply(b"", status=404), "status-404"),
        (reply(b"", status=503), "status-5xx"),
        (reply_json(OUTCOME), "operation-outcome"),
        (reply_json(bundle(OUTCOME)), "operation-outcome"),
        (reply_json(PATIENT), "wrong-type"),
        (reply_json(bundle(PATIENT)), "wrong-type"),
        (faults.half_json, "not-json"),
        (faults.reset_mid_body, "broken"),
    ],
)
def test_f06_t60_a_required_key_that_could_not_be_fetched_is_412_and_says_why(
    fault: faults.Fault, cause: str, server: FaultServer, access: Grants
) -> None:
    server.on("/fhir/Observation", fault)
    with pytest.raises(DataUnavailable) as raised:
        gathered_of({"patient": PATIENT, "labs": None}, access())
    assert raised.value.cause == cause


def test_f07_an_optional_key_that_is_missing_is_named_and_the_rest_is_used() -> None:
    gathered = gathered_of({"sil2r": SENT["sil2r"]}, NO_SERVER)
    assert availability(gathered) == {
        "patient": Availability.MISSING,
        "sil2r": Availability.GIVEN,
        "labs": Availability.MISSING,
    }
    assert gathered.faults == {"patient": "no-fhir-server", "labs": "no-fhir-server"}


def test_f07_an_optional_key_whose_fetch_fails_has_failed(
    server: FaultServer, access: Grants
) -> None:
    server.on("/fhir/Patient/1", reply_json(PATIENT))
    server.on("/fhir/Observation", reply(b"", status=403))
    gathered = gathered_of({}, access(), OPTIONAL_ONLY)
    assert availability(gathered) == {"patient": Availability.GIVEN, "labs": Availability.FAILED}
    assert gathered.faults == {"labs": "status-403"}


def test_a_resource_the_server_does_not_have_is_empty(server: FaultServer, access: Grants) -> None:
    server.on("/fhir/Observation", reply_json(bundle()))
    gathered = gathered_of({}, access(), OPTIONAL_ONLY)
    assert set(availability(gathered).values()) == {Availability.EMPTY}
    assert gathered.faults == {}
    assert "/fhir/Patient/1" in server.targets()


def test_t40_a06_an_unregistered_server_is_not_called(server: FaultServer, access: Grants) -> None:
    refused = access(BEARER, allowed=AllowList.of([]))
    assert refused == NoAccess(NoAccessReason.NOT_REGISTERED)
    gathered = gathered_of({}, refused, OPTIONAL_ONLY)
    assert set(availability(gathered).values()) == {Availability.MISSING}
    assert set(gathered.faults.values()) == {"fhir-server-not-registered"}
    with pytest.raises(DataUnavailable):
        gathered_of({}, refused)
    assert server.connections == 0


@pytest.mark.parametrize(
    ("change", "flaw"),
    [
        ({"expires_in": 0}, TokenFlaw.EXPIRED),
        ({"token_type": "MAC"}, TokenFlaw.NOT_BEARER),
        ({"patient": "2"}, TokenFlaw.ANOTHER_PATIENT),
    ],
)
def test_t49_with_a_token_that_cannot_be_used_nothing_is_called_not_even_without_it(
    change: dict[str, object], flaw: TokenFlaw, server: FaultServer, access: Grants
) -> None:
    refused = access({**BEARER, **change})
    assert refused == NoAccess(flaw)
    with pytest.raises(DataUnavailable) as raised:
        gathered_of({}, refused)
    assert raised.value.cause == flaw
    assert server.connections == 0


def test_t49_only_what_the_scope_covers_is_asked_for(server: FaultServer, access: Grants) -> None:
    server.on("/fhir/Patient/1", reply_json(PATIENT))
    gathered = gathered_of({}, access({**BEARER, "scope": "patient/Patient.r"}), OPTIONAL_ONLY)
    assert availability(gathered) == {"patient": Availability.GIVEN, "labs": Availability.MISSING}
    assert gathered.faults == {"labs": "scope-too-small"}
    assert server.targets() == ["/fhir/Patient/1"]


def test_t49_what_the_scope_does_not_cover_keeps_nothing_from_being_asked_for_after_it(
    server: FaultServer, access: Grants
) -> None:
    server.on("/fhir/Observation", reply_json(bundle(observation(1))))
    gathered = gathered_of({}, access({**BEARER, "scope": "patient/Observation.rs"}))
    assert gathered.faults == {"patient": "scope-too-small"}
    assert gathered.parts["sil2r"].availability is Availability.GIVEN
    assert gathered.parts["labs"].availability is Availability.GIVEN


@pytest.mark.parametrize("answer", [bundle(observation(1)), bundle()])
def test_under_a_restricted_scope_more_may_exist(
    answer: dict[str, object], server: FaultServer, access: Grants
) -> None:
    server.on("/fhir/Observation", reply_json(answer))
    scope = "patient/Observation.rs?category=laboratory"
    gathered = gathered_of({"patient": PATIENT}, access({**BEARER, "scope": scope}))
    assert gathered.parts["sil2r"].availability is Availability.PARTIAL
    assert gathered.parts["sil2r"].resource == answer
    assert gathered.faults == {"sil2r": "scope-restricted", "labs": "scope-restricted"}


@pytest.mark.parametrize(
    ("key", "patient_id"),
    [
        *product(OPTIONAL_ONLY, ["", "1&_include=*", "1/../2", "1#x", "1 2", "%2e%2e", "1?x"]),
        ("patient", ".."),
        ("labs", "1,2"),
    ],
)
def test_a_patient_id_that_could_change_the_query_is_never_sent(
    key: str, patient_id: str, server: FaultServer, access: Grants
) -> None:
    gathered = gathered_of({}, access(), {key: OPTIONAL_ONLY[key]}, patient_id)
    assert gathered.parts[key].availability is Availability.MISSING
    assert gathered.faults == {key: "query-not-readable"}
    assert server.connections == 0


def test_no_error_text_holds_a_patient_id_or_an_address(
    server: FaultServer, access: Grants
) -> None:
    server.on("/fhir/Observation", faults.reset_mid_body)
    with pytest.raises(DataUnavailable) as raised:
        gathered_of({}, access(BEARER), patient_id="canary-4711")
    said = f"{raised.value.one_line()} {raised.value.cause}"
    assert "canary" not in said
    assert "127.0.0.1" not in said
    assert "secret" not in said
