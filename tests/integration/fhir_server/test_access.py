"""The token of a call, too small a scope, and servers that stop or hang (A-01 to A-04, F-06)."""

from __future__ import annotations

import json

import pytest

from cds_service.callers import FhirReach
from cds_service.config import Settings
from cds_service.knowledge.files import Library
from tests.fault_server import FaultServer
from tests.faults import reply
from tests.integration.fhir_server.conftest import (
    AMPLE_MS,
    Ask,
    authorization,
    card_of,
    evaluation_of,
    missing_in,
    prefetched,
    refused_key,
    service,
    service_through,
    story,
    without_prefetch,
)
from tests.integration.fhir_server.server import FULL_TOKEN, NARROW_SCOPE, FhirServer, JsonObject

pytestmark = pytest.mark.integration

EVERYTHING = "patient/*.read"
OPTIONAL = {"patient", "labs", "conditions", "medications"}


def chart(mark: str, server: FhirServer, **more: object) -> JsonObject:
    """A chart that is opened, everything about it loaded on the server and nothing prefetched."""
    request = story("patient_view_full_prefetch", mark)
    server.load(prefetched(request))
    return without_prefetch(request, server, **more)


def arrived(mark: str, server: FhirServer, **more: object) -> JsonObject:
    """A result that has arrived, everything else on the server and nothing prefetched."""
    request = story("lab_result_full_prefetch", mark)
    server.load(prefetched(request))
    return without_prefetch(request, server, **more)


# ------------------------------------------------------------------ the token


def test_a01_a04_a_guarded_server_is_read_with_the_token_of_the_call(
    guarded: FhirServer, ask: Ask
) -> None:
    """The server answers 401 to any read without the token, so each read carried it."""
    token = authorization(FULL_TOKEN, EVERYTHING)
    card = card_of(ask(chart("bearer", guarded, fhirAuthorization=token)))
    assert not missing_in(card) & (OPTIONAL | {"sil2r"})
    assert "hlh-2004-item-count" in evaluation_of(card)["findings"]


def test_a02_the_token_of_one_call_does_not_serve_the_next(guarded: FhirServer, ask: Ask) -> None:
    token = authorization(FULL_TOKEN, EVERYTHING)
    with_token = chart("transient", guarded, fhirAuthorization=token)
    without = {name: value for name, value in with_token.items() if name != "fhirAuthorization"}
    assert card_of(ask(with_token))
    assert refused_key(ask(without)) == "prefetch.sil2r"


def test_a02_t30_the_token_is_in_no_answer_and_no_log(
    guarded: FhirServer, ask: Ask, capfd: pytest.CaptureFixture[str]
) -> None:
    wrong = "canary-token-that-the-server-refuses"
    for secret in (FULL_TOKEN, wrong):
        request = chart("canary", guarded, fhirAuthorization=authorization(secret, EVERYTHING))
        answer = ask(request)
        assert answer.status_code == (200 if secret == FULL_TOKEN else 412)
        logged = capfd.readouterr()
        assert "CDS-L" in logged.out + logged.err
        for place in (answer.get_data(as_text=True), logged.out, logged.err):
            assert secret not in place
        assert "canary-adult-01" not in logged.out + logged.err


def test_a03_every_read_is_over_when_the_answer_is_given(library: Library) -> None:
    """Nothing is asked in the background: one read for each key, all before the answer."""
    reach = FhirReach(Settings(deadline_ms=AMPLE_MS))
    empty = b'{"resourceType": "Bundle", "type": "searchset", "total": 0}'
    with FaultServer() as recorder:
        for kind in ("Observation", "Condition", "MedicationRequest"):
            recorder.on(f"/fhir/{kind}", reply(empty))
        request = story("patient_view_full_prefetch", "over")
        bare = {name: value for name, value in request.items() if name != "prefetch"}
        answer = service_through(reach, library)({**bare, "fhirServer": recorder.base})
        seen = recorder.targets()
        reach._client.close()  # waits for whatever might still be under way
        assert recorder.targets() == seen
    assert answer.get_json() == {"cards": []}
    kinds = sorted(target.removeprefix("/fhir/").partition("?")[0] for target in seen)
    assert kinds == [
        "Condition",
        "MedicationRequest",
        "Observation",
        "Observation",
        "Patient/over-adult-01",
    ]


# ------------------------------------------------------------------ too small a scope


def test_t49_what_the_scope_does_not_cover_is_not_asked_for_and_named(
    guarded: FhirServer, ask: Ask
) -> None:
    token = authorization(guarded.narrow_token(), "patient/Patient.read patient/Observation.read")
    card = card_of(ask(chart("narrow", guarded, fhirAuthorization=token)))
    assert missing_in(card) & (OPTIONAL | {"sil2r"}) == {"conditions", "medications"}
    assert "could not be obtained" not in card["detail"]
    assert "narrow-adult-01" not in "".join(
        line for line in guarded.log().splitlines() if "/Condition" in line
    )


def test_t49_t61_a_403_of_the_server_is_named_as_a_failure(guarded: FhirServer, ask: Ask) -> None:
    """The client says more than the token holds; the server does not."""
    token = authorization(guarded.narrow_token(), EVERYTHING)
    card = card_of(ask(chart("forbidden", guarded, fhirAuthorization=token)))
    assert missing_in(card) & (OPTIONAL | {"sil2r"}) == {"conditions", "medications"}
    for part in ("conditions", "medications"):
        assert f"This part of the record could not be obtained: {part}." in card["detail"]
    refused = [line for line in guarded.log().splitlines() if "forbidden-adult-01" in line]
    assert [line for line in refused if "/Condition" in line and "403" in line]


def test_f06_h03_a_scope_without_the_required_key_is_412(guarded: FhirServer, ask: Ask) -> None:
    token = authorization(guarded.narrow_token(), NARROW_SCOPE.partition(" ")[0])
    request = chart("required", guarded, fhirAuthorization=token)
    assert refused_key(ask(request)) == "prefetch.sil2r"


# ------------------------------------------------------------------ servers that go away


def test_f01_f06_a_server_that_stops_costs_the_required_key_and_is_named_for_the_others(
    own_server: FhirServer, ask: Ask
) -> None:
    opened, came = chart("chart", own_server), arrived("came", own_server)
    assert card_of(ask(opened))
    assert not missing_in(card_of(ask(came))) & OPTIONAL

    own_server.stop()
    assert refused_key(ask(opened)) == "prefetch.sil2r"
    card = card_of(ask(came))
    assert missing_in(card) >= OPTIONAL
    for part in ("patient record", "other laboratory results", "conditions", "medications"):
        assert f"This part of the record could not be obtained: {part}." in card["detail"]


def test_r06_t60_a_server_that_hangs_is_given_up_at_the_deadline(
    own_server: FhirServer, library: Library
) -> None:
    """The answer comes while the server is still silent: it could not come otherwise."""
    opened, came = chart("hung-chart", own_server), arrived("hung-came", own_server)
    own_server.freeze()
    answer = service(library, deadline_ms=300)(opened)
    assert refused_key(answer) == "prefetch.sil2r"
    assert "(timeout)" in json.dumps(answer.get_json(force=True))
    card = card_of(service(library, deadline_ms=300)(came))
    assert missing_in(card) >= OPTIONAL
    own_server.thaw()
    assert card_of(service(library)(opened))
