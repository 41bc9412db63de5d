"""F-01 to F-07, T-40, T-49: what was prefetched, completed by what may be fetched."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pytest

from cds_service.core.model import Availability
from cds_service.errors import DataUnavailable
from cds_service.fhir.access import NoAccess, NoAccessReason, ServerAccess, server_access
from cds_service.fhir.authorization import TokenFlaw
from cds_service.fhir.client import FhirClient
from cds_service.fhir.deadline import Deadline
from cds_service.hooks.gather import Gathered, Need, PrefetchTemplate, gather
from cds_service.origins import AllowList, LoopbackRule
from tests import faults
from tests.fault_server import FaultServer
from tests.faults import bundle, observation, reply, reply_json, together

PATIENT = {"resourceType": "Patient", "id": "1"}
OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "exception"}],
}
TOKENS = {"context.patientId": "1"}
ON_THIS_MACHINE = AllowList.of([], LoopbackRule.ALLOWED)
BEARER = {
    "access_token": "secret",
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "patient/*.read",
    "subject": "cds-service",
}


def _template(key: str, query: str, need: Need = Need.OPTIONAL) -> PrefetchTemplate:
    return PrefetchTemplate(key, query, need)


TEMPLATES = {
    template.key: template
    for template in (
        _template("patient", "Patient/{{context.patientId}}"),
        _template("sil2r", "Observation?patient={{context.patientId}}&code=a", Need.REQUIRED),
        _template("labs", "Observation?patient={{ context.patientId }}&code=b"),
    )
}
OPTIONAL_ONLY = {key: TEMPLATES[key] for key in ("patient", "labs")}
NO_SERVER = NoAccess(NoAccessReason.NO_SERVER)

Grants = Callable[..., ServerAccess | NoAccess]


@pytest.fixture
def access(server: FaultServer, client: FhirClient) -> Iterator[Grants]:
    """Access to the fault server: `access()` without a token, `access(authorization)` with one."""
    with ExitStack() as stack:

        def grant(
            authorization: Mapping[str, object] | None = None,
            *,
            allowed: AllowList = ON_THIS_MACHINE,
        ) -> ServerAccess | NoAccess:
            return stack.enter_context(
                server_access(
                    server=server.base,
                    authorization=dict(authorization or {}),
                    patient_id="1",
                    allowed=allowed,
                    client=client,
                    deadline=Deadline.after(20_000),
                )
            )

        yield grant


def _gather(
    prefetch: Mapping[str, dict[str, Any] | None],
    access: ServerAccess | NoAccess,
    templates: Mapping[str, PrefetchTemplate] = TEMPLATES,
    tokens: Mapping[str, str] = TOKENS,
) -> Gathered:
    return gather(prefetch=prefetch, templates=templates, tokens=tokens, access=access)


def _availability(gathered: Gathered) -> dict[str, Availability]:
    return {key: part.availability for key, part in gathered.parts.items()}


SENT: dict[str, dict[str, Any]] = {
    "patient": PATIENT,
    "sil2r": bundle(observation(1)),
    "labs": bundle(observation(2)),
}


def test_what_was_sent_is_used_and_nothing_is_fetched(server: FaultServer, access: Grants) -> None:
    gathered = _gather(SENT, access())
    assert {key: part.resource for key, part in gathered.parts.items()} == SENT
    assert gathered.faults == {}
    assert server.connections == 0


def test_f01_an_absent_key_is_fetched_with_the_token_of_the_request(
    server: FaultServer, access: Grants
) -> None:
    server.on("/fhir/Patient/1", reply_json(PATIENT))
    gathered = _gather({key: SENT[key] for key in ("sil2r", "labs")}, access(BEARER))
    assert gathered.parts["patient"].resource == PATIENT
    assert gathered.faults == {}
    assert server.targets() == ["/fhir/Patient/1"]
    assert server.calls[0].headers["authorization"] == "Bearer secret"


def test_t66_several_absent_keys_are_fetched_side_by_side(
    server: FaultServer, access: Grants
) -> None:
    server.on("/fhir/Patient/1", reply_json(PATIENT))
    server.on("/fhir/Observation", together(2, reply_json(bundle(observation(1)))))
    gathered = _gather({}, access())
    assert set(_availability(gathered).values()) == {Availability.GIVEN}
    assert sorted(server.targets()) == [
        "/fhir/Observation?patient=1&code=a",
        "/fhir/Observation?patient=1&code=b",
        "/fhir/Patient/1",
    ]


def test_f02_null_means_looked_and_nothing_there_and_is_never_fetched_again(
    server: FaultServer, access: Grants
) -> None:
    gathered = _gather({"patient": None, "sil2r": None, "labs": None}, access())
    assert set(_availability(gathered).values()) == {Availability.EMPTY}
    assert server.connections == 0


def test_f03_a_failure_sent_for_an_optional_key_is_taken_as_such(
    server: FaultServer, access: Grants
) -> None:
    gathered = _gather({**SENT, "labs": OUTCOME}, access())
    assert gathered.parts["labs"].availability is Availability.FAILED
    assert gathered.faults == {"labs": "prefetch-failed"}
    assert server.connections == 0


def test_f03_a_failure_sent_for_a_required_key_counts_as_not_prefetched(
    server: FaultServer, access: Grants
) -> None:
    server.on("/fhir/Observation", reply_json(bundle(observation(9))))
    gathered = _gather({**SENT, "sil2r": OUTCOME}, access())
    assert gathered.parts["sil2r"].resource == bundle(observation(9))
    assert gathered.faults == {}


def test_f03_f06_a_failure_sent_for_a_required_key_without_access_is_412() -> None:
    with pytest.raises(DataUnavailable) as raised:
        _gather({**SENT, "sil2r": OUTCOME}, NO_SERVER)
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
        _gather({**SENT, "sil2r": sent}, NO_SERVER)
    assert (raised.value.where, raised.value.cause) == ("prefetch.sil2r", "prefetch-failed")
    server.on("/fhir/Observation", reply_json(bundle(observation(9))))
    gathered = _gather({**SENT, "sil2r": sent}, access())
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
    assert _gather({**SENT, "sil2r": sent}, NO_SERVER).parts["sil2r"].resource == sent


def test_another_resource_under_an_optional_key_is_left_to_the_reader_who_says_so() -> None:
    assert _gather({**SENT, "labs": PATIENT}, NO_SERVER).parts["labs"].resource == PATIENT


def test_f04_a_paged_bundle_is_read_on_from_where_it_ends(
    server: FaultServer, access: Grants
) -> None:
    page = bundle(observation(1), next_link=f"{server.base}/Observation?page=2")
    server.on("/fhir/Observation?page=2", reply_json(bundle(observation(2))))
    gathered = _gather({**SENT, "sil2r": page}, access())
    part = gathered.parts["sil2r"]
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
    part = _gather({**SENT, "sil2r": page}, access()).parts["sil2r"]
    assert part.resource == bundle(nameless, observation(2))


def test_f04_the_total_of_a_search_is_held_against_all_of_its_pages(
    server: FaultServer, access: Grants
) -> None:
    page = bundle(observation(1), next_link=f"{server.base}/Observation?page=2")
    server.on("/fhir/Observation?page=2", reply_json({**bundle(observation(2)), "total": 2}))
    part = _gather({**SENT, "sil2r": {**page, "total": 2}}, access()).parts["sil2r"]
    assert part.availability is Availability.GIVEN
    assert len(part.resource["entry"]) == 2


def test_f04_a_paged_bundle_without_access_is_used_and_stays_partial() -> None:
    page = bundle(observation(1), next_link="https://ehr.example.org/fhir/Observation?page=2")
    gathered = _gather({**SENT, "sil2r": page}, NO_SERVER)
    assert gathered.parts["sil2r"].availability is Availability.PARTIAL
    assert gathered.parts["sil2r"].resource == page
    assert gathered.faults == {"sil2r": "no-fhir-server"}


def test_f04_t46_a_prefetched_link_to_another_server_is_not_followed(
    server: FaultServer, access: Grants
) -> None:
    with FaultServer() as elsewhere:
        page = bundle(observation(1), next_link=f"{elsewhere.base}/Observation?page=2")
        gathered = _gather({**SENT, "sil2r": page}, access(BEARER))
        assert elsewhere.connections == 0
    assert gathered.parts["sil2r"].availability is Availability.PARTIAL
    assert gathered.faults == {"sil2r": "not-allowed"}
    assert server.connections == 0


def test_a_further_page_that_fails_keeps_the_page_that_was_sent(
    server: FaultServer, access: Grants
) -> None:
    page = bundle(observation(1), next_link=f"{server.base}/Observation?page=2")
    server.on("/fhir/Observation?page=2", reply_json(bundle(OUTCOME)))
    gathered = _gather({**SENT, "sil2r": page}, access())
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
    gathered = _gather({**SENT, "sil2r": sent}, access())
    assert gathered.parts["sil2r"].availability is Availability.GIVEN
    assert gathered.parts["sil2r"].resource == bundle(observation(1), observation(2))
    assert gathered.faults == {}
    assert server.targets() == ["/fhir/Observation?patient=1&code=a"]


@pytest.mark.parametrize("sent", NOT_ALL)
def test_f04_a_result_of_an_answer_that_is_not_all_is_kept_beside_what_is_fetched(
    sent: dict[str, Any], server: FaultServer, access: Grants
) -> None:
    server.on("/fhir/Observation", reply_json(bundle(observation(2))))
    part = _gather({**SENT, "sil2r": sent}, access()).parts["sil2r"]
    assert part.availability is Availability.GIVEN
    assert part.resource == bundle(observation(2), observation(1))


@pytest.mark.parametrize("meta", [{"versionId": "2"}, {"lastUpdated": "2026-03-02T08:00:00Z"}])
def test_f04_a_newer_version_that_was_sent_is_not_given_up_for_an_older_one_that_is_fetched(
    server: FaultServer, access: Grants, meta: dict[str, str]
) -> None:
    corrected, before = {**observation(1), "meta": meta}, observation(1)
    server.on("/fhir/Observation", reply_json(bundle(before)))
    sent = {**bundle(corrected), "total": 7}
    part = _gather({**SENT, "sil2r": sent}, access()).parts["sil2r"]
    assert part.resource == bundle(before, corrected)


@pytest.mark.parametrize("answer", [bundle(HINT), {**bundle(), "total": 7}])
def test_f04_an_answer_that_is_not_all_the_second_time_either_stays_a_part(
    answer: dict[str, Any], server: FaultServer, access: Grants
) -> None:
    server.on("/fhir/Observation", reply_json(answer))
    gathered = _gather({**SENT, "sil2r": NOT_ALL[0]}, access())
    part = gathered.parts["sil2r"]
    assert part.availability is Availability.PARTIAL
    assert {"resource": observation(1)} in part.resource["entry"]
    assert gathered.faults == {"sil2r": "incomplete"}
    assert len(server.calls) == 1


def test_f04_an_answer_that_is_not_all_is_kept_where_asking_again_fails(
    server: FaultServer, access: Grants
) -> None:
    server.on("/fhir/Observation", reply_json(OUTCOME))
    gathered = _gather({**SENT, "sil2r": NOT_ALL[0]}, access())
    assert gathered.parts["sil2r"].availability is Availability.PARTIAL
    assert gathered.parts["sil2r"].resource == NOT_ALL[0]
    assert gathered.faults == {"sil2r": "operation-outcome"}


def test_f04_a_resource_asked_for_by_its_id_is_whole_as_it_is_fetched(
    server: FaultServer, access: Grants
) -> None:
    server.on("/fhir/Patient/1", reply_json(PATIENT))
    gathered = _gather({**SENT, "patient": {**bundle(PATIENT), "total": 2}}, access())
    assert gathered.parts["patient"].resource == PATIENT
    assert gathered.faults == {}


def test_f05_keys_nobody_asked_for_are_ignored() -> None:
    gathered = _gather({**SENT, "extra": PATIENT}, NO_SERVER)
    assert set(gathered.parts) == set(TEMPLATES)


def test_f06_a_required_key_that_is_neither_sent_nor_reachable_is_412() -> None:
    with pytest.raises(DataUnavailable, match="sil2r") as raised:
        _gather({"patient": PATIENT}, NO_SERVER)
    assert (raised.value.status, raised.value.where) == (412, "prefetch.sil2r")
    assert raised.value.cause == "no-fhir-server"
    assert raised.value.remedy


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
        _gather({"patient": PATIENT, "labs": None}, access())
    assert raised.value.cause == cause


def test_f07_an_optional_key_that_is_missing_is_named_and_the_rest_is_used() -> None:
    gathered = _gather({"sil2r": SENT["sil2r"]}, NO_SERVER)
    assert _availability(gathered) == {
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
    gathered = _gather({}, access(), OPTIONAL_ONLY)
    assert _availability(gathered) == {
        "patient": Availability.GIVEN,
        "labs": Availability.FAILED,
    }
    assert gathered.faults == {"labs": "status-403"}


def test_a_resource_the_server_does_not_have_is_empty(server: FaultServer, access: Grants) -> None:
    server.on("/fhir/Observation", reply_json(bundle()))
    gathered = _gather({}, access(), OPTIONAL_ONLY)
    assert set(_availability(gathered).values()) == {Availability.EMPTY}
    assert gathered.faults == {}
    assert "/fhir/Patient/1" in server.targets()


def test_t40_a06_an_unregistered_server_is_not_called(server: FaultServer, access: Grants) -> None:
    refused = access(BEARER, allowed=AllowList.of([]))
    assert refused == NoAccess(NoAccessReason.NOT_REGISTERED)
    gathered = _gather({}, refused, OPTIONAL_ONLY)
    assert set(_availability(gathered).values()) == {Availability.MISSING}
    assert set(gathered.faults.values()) == {"fhir-server-not-registered"}
    with pytest.raises(DataUnavailable):
        _gather({}, refused)
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
        _gather({}, refused)
    assert raised.value.cause == flaw
    assert server.connections == 0


def test_t49_only_what_the_scope_covers_is_asked_for(server: FaultServer, access: Grants) -> None:
    server.on("/fhir/Patient/1", reply_json(PATIENT))
    gathered = _gather({}, access({**BEARER, "scope": "patient/Patient.r"}), OPTIONAL_ONLY)
    assert _availability(gathered) == {
        "patient": Availability.GIVEN,
        "labs": Availability.MISSING,
    }
    assert gathered.faults == {"labs": "scope-too-small"}
    assert server.targets() == ["/fhir/Patient/1"]


@pytest.mark.parametrize("answer", [bundle(observation(1)), bundle()])
def test_under_a_restricted_scope_more_may_exist(
    answer: dict[str, object], server: FaultServer, access: Grants
) -> None:
    server.on("/fhir/Observation", reply_json(answer))
    scope = "patient/Observation.rs?category=laboratory"
    gathered = _gather({"patient": PATIENT}, access({**BEARER, "scope": scope}))
    assert gathered.parts["sil2r"].availability is Availability.PARTIAL
    assert gathered.parts["sil2r"].resource == answer
    assert gathered.faults == {"sil2r": "scope-restricted", "labs": "scope-restricted"}


@pytest.mark.parametrize(
    "patient_id", ["", "1&_include=*", "1/../2", "..", "1#x", "1 2", "%2e%2e", "1?x"]
)
def test_a_patient_id_that_could_change_the_query_is_never_sent(
    patient_id: str, server: FaultServer, access: Grants
) -> None:
    tokens = {"context.patientId": patient_id}
    gathered = _gather({}, access(), {"patient": TEMPLATES["patient"]}, tokens)
    assert gathered.parts["patient"].availability is Availability.MISSING
    assert gathered.faults == {"patient": "query-not-readable"}
    assert server.connections == 0


def test_a_token_of_the_template_without_a_value_is_not_fetched(
    server: FaultServer, access: Grants
) -> None:
    templates = {"labs": _template("labs", "Observation?encounter={{context.encounterId}}")}
    gathered = _gather({}, access(), templates)
    assert gathered.faults == {"labs": "query-not-readable"}
    assert server.connections == 0


def test_no_error_text_holds_a_patient_id_or_an_address(
    server: FaultServer, access: Grants
) -> None:
    server.on("/fhir/Observation", faults.reset_mid_body)
    with pytest.raises(DataUnavailable) as raised:
        _gather({}, access(BEARER), tokens={"context.patientId": "canary-4711"})
    said = f"{raised.value.one_line()} {raised.value.cause}"
    assert "canary" not in said
    assert "127.0.0.1" not in said
    assert "secret" not in said
