"""Whether a caller's FHIR server is called at all, and the word for why it is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cds_service.fhir.access import NoAccess, NoAccessReason, ServerAccess, server_access
from cds_service.fhir.calls.authorization import Coverage, TokenFlaw
from cds_service.fhir.calls.deadline import Deadline
from cds_service.fhir.calls.query import Read, Search
from cds_service.fhir.client import FhirClient
from cds_service.origins import AllowList, FhirBase

SERVER = "https://ehr.example.org/fhir"
ALLOWED = AllowList.of([FhirBase.parse(SERVER)])
TOKEN = {
    "access_token": "t0ken",
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "patient/Observation.s",
    "patient": "p1",
}


@pytest.fixture
def client() -> Iterator[FhirClient]:
    made = FhirClient(ALLOWED)
    yield made
    made.close()


def access(client: FhirClient, server: str, **authorization: Any) -> ServerAccess | NoAccess:
    with server_access(
        server=server,
        authorization=authorization,
        patient_id="p1",
        allowed=ALLOWED,
        client=client,
        deadline=Deadline.after(20_000),
    ) as judged:
        return judged


@pytest.mark.parametrize(
    ("server", "authorization", "reason"),
    [
        ("", {}, NoAccessReason.NO_SERVER),
        ("https://evil.example/fhir", {}, NoAccessReason.NOT_REGISTERED),
        ("https://evil.example/fhir", TOKEN, NoAccessReason.NOT_REGISTERED),
        (f"{SERVER}/Patient", TOKEN, NoAccessReason.NOT_REGISTERED),
        ("nonsense", TOKEN, NoAccessReason.NOT_REGISTERED),
        (SERVER, TOKEN | {"patient": "p2"}, TokenFlaw.ANOTHER_PATIENT),
        (SERVER, {"scope": "patient/*.read"}, TokenFlaw.TOKEN_ABSENT),
    ],
)
def test_t40_t49_a_server_that_is_not_called_is_so_for_a_reason(
    client: FhirClient, server: str, authorization: dict[str, Any], reason: NoAccessReason
) -> None:
    assert access(client, server, **authorization) == NoAccess(reason)


def test_a07_a_server_that_asks_for_no_token_is_asked_for_anything(client: FhirClient) -> None:
    opened = access(client, SERVER)
    assert isinstance(opened, ServerAccess)
    assert opened.covers(Read("Patient", "p1")) is Coverage.YES


def test_a_token_is_used_for_what_it_was_given_for(client: FhirClient) -> None:
    opened = access(client, SERVER, **TOKEN)
    assert isinstance(opened, ServerAccess)
    assert opened.covers(Search("Observation", "patient=p1")) is Coverage.YES
    assert opened.covers(Read("Observation", "o1")) is Coverage.NO
    assert opened.covers(Search("Condition", "patient=p1")) is Coverage.NO
