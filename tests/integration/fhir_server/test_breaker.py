"""T-62 from the outside: a FHIR server that keeps failing is left alone, then tried again."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from cds_service.fhir.calls.breaker import FAILURES_TO_OPEN, OPEN_SECONDS
from cds_service.knowledge.files import Library
from tests.breaker_clock import Standing, standing
from tests.fault_server import FaultServer
from tests.faults import Fault, reply, reply_json
from tests.integration.fhir_server.conftest import Ask, card_of, missing_in, service, story
from tests.integration.fhir_server.server import JsonObject

pytestmark = pytest.mark.integration

LABS = b'{"resourceType": "Bundle", "type": "searchset", "total": 0}'


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Standing:
    return standing(monkeypatch)


def one_read(server: FaultServer) -> JsonObject:
    """A chart for which everything but the other laboratory results was prefetched."""
    return _reading(server, lambda key: key == "labs")


def many_reads(server: FaultServer) -> JsonObject:
    """A chart of which only the results of the analyte were prefetched."""
    return _reading(server, lambda key: key != "sil2r")


def _reading(server: FaultServer, wanted: Callable[[str], bool]) -> JsonObject:
    request = story("patient_view_full_prefetch", "breaker")
    prefetch = {key: part for key, part in request["prefetch"].items() if not wanted(key)}
    return {**request, "prefetch": prefetch, "fhirServer": server.base}


def test_t62_after_five_failures_no_call_is_made_and_after_a_rest_one_is(
    server: FaultServer, library: Library, now: Standing
) -> None:
    ask: Ask = service(library)
    server.on("/fhir/Observation", reply(b"", status=503))
    for _ in range(FAILURES_TO_OPEN + 3):
        assert "labs" in missing_in(card_of(ask(one_read(server))))
    assert len(server.calls) == FAILURES_TO_OPEN

    with FaultServer() as another:
        another.on("/fhir/Observation", reply(LABS))
        assert "labs" not in missing_in(card_of(ask(one_read(another))))

    server.on("/fhir/Observation", reply(LABS))
    assert "labs" in missing_in(card_of(ask(one_read(server))))
    now.shift(OPEN_SECONDS + 1)
    for _ in range(2):
        assert "labs" not in missing_in(card_of(ask(one_read(server))))
    assert len(server.calls) == FAILURES_TO_OPEN + 2


READS = ("labs", "conditions", "medications", "patient")


def _answer_all(server: FaultServer, patient: JsonObject, fault: Fault | None = None) -> None:
    for path in ("Observation", "Condition", "MedicationRequest"):
        server.on(f"/fhir/{path}", fault or reply(LABS))
    server.on(f"/fhir/Patient/{patient['id']}", fault or reply_json(patient))


def test_t62_a_chart_counts_once_however_many_of_its_reads_fail_and_is_tried_again_whole(
    server: FaultServer, library: Library, now: Standing
) -> None:
    ask: Ask = service(library)
    patient = story("patient_view_full_prefetch", "breaker")["prefetch"]["patient"]
    _answer_all(server, patient, reply(b"", status=503))
    for _ in range(FAILURES_TO_OPEN + 1):
        assert missing_in(card_of(ask(many_reads(server)))).issuperset(READS)
    assert len(server.calls) == FAILURES_TO_OPEN * len(READS)

    _answer_all(server, patient)
    now.shift(OPEN_SECONDS + 1)
    assert missing_in(card_of(ask(many_reads(server)))).isdisjoint(READS)
    assert len(server.calls) == (FAILURES_TO_OPEN + 1) * len(READS)
