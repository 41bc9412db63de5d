"""T-60, T-61, T-63, T-64: each way of a server to fail, and the one word it comes to."""

from __future__ import annotations

import gzip
import json
import socket
import threading

import pytest

from cds_service.fhir.calls.authorization import NoToken
from cds_service.fhir.calls.breaker import Breakers
from cds_service.fhir.calls.deadline import Deadline
from cds_service.fhir.calls.exchange import Sending
from cds_service.fhir.calls.fetched import (
    Fetched,
    HttpAnswer,
    NotFound,
    Refused,
    Resource,
    UpstreamFault,
)
from cds_service.fhir.client import FhirClient
from cds_service.origins import AllowList, FhirBase, LoopbackRule, PlainHttp
from tests import faults
from tests.fault_server import DeafServer, FaultServer, unused_base
from tests.faults import FHIR_JSON, Fault, bundle, reply, reply_json
from tests.unit.fhir_client.conftest import SHORT_MS, Opens, read

PATIENT = {"resourceType": "Patient", "id": "1"}
OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "processing"}],
}


def test_a_resource_is_read(server: FaultServer, session_of: Opens) -> None:
    server.on("/fhir/Patient/1", reply_json(PATIENT))
    assert session_of().fetch("Patient/1") == Resource(PATIENT)


def test_numbers_keep_their_text(server: FaultServer, session_of: Opens) -> None:
    server.on("/fhir/Observation/1", reply(b'{"resourceType": "Observation", "value": 150.10}'))
    fetched = session_of().fetch("Observation/1")
    assert isinstance(fetched, Resource)
    assert fetched.json["value"].text == "150.10"


SLOW = pytest.mark.parametrize(
    "fault",
    [faults.hang_before_headers, faults.drip_headers, faults.drip_body, faults.drip_chunk_size],
    ids=["hang", "drip_headers", "drip_body", "drip_chunk_size"],
)


@SLOW
def test_t60_a_server_that_hangs_or_drips_ends_at_the_deadline(
    fault: Fault, server: FaultServer, session_of: Opens
) -> None:
    server.on("/fhir/Patient/1", fault)
    assert session_of(SHORT_MS).fetch("Patient/1") == Refused(UpstreamFault.TIMEOUT)
    assert server.bytes_sent < 1_000


@SLOW
def test_t60_the_thread_that_waited_ends_by_itself(fault: Fault, server: FaultServer) -> None:
    server.on("/fhir/Patient/1", fault)
    client = FhirClient(AllowList.of([], LoopbackRule.ALLOWED))
    assert isinstance(read(client, server.base, SHORT_MS), Refused)
    closing = threading.Thread(target=client.close)  # waits for the threads of the client
    closing.start()
    closing.join(faults.LONGEST_STAY_SECONDS / 2)
    assert not closing.is_alive()


def test_t60_a_server_that_accepts_no_connection_ends_at_the_deadline(client: FhirClient) -> None:
    with DeafServer() as deaf:
        assert read(client, deaf.base, SHORT_MS) == Refused(UpstreamFault.TIMEOUT)


def test_t60_a_refused_connection_is_tried_at_most_once_more(
    client: FhirClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[object] = []

    def refuse(address: object, **_options: object) -> None:
        tries.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr("cds_service.fhir.calls.dial.socket.create_connection", refuse)
    assert read(client, unused_base()) == Refused(UpstreamFault.CONNECT)
    assert len(tries) == 2


def test_t60_a_connection_that_succeeds_at_the_second_try_is_used(
    server: FaultServer, client: FhirClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, tries = socket.create_connection, iter([ConnectionRefusedError()])

    def refuse_once(address: tuple[str, int], timeout: float) -> socket.socket:
        for error in tries:
            raise error
        return connect(address, timeout)

    monkeypatch.setattr("cds_service.fhir.calls.dial.socket.create_connection", refuse_once)
    server.on("/fhir/Patient/1", reply_json(PATIENT))
    assert read(client, server.base) == Resource(PATIENT)


@pytest.mark.parametrize(
    "fault", [faults.reset_at_once, faults.reset_mid_body, faults.cut_body, faults.garbage]
)
def test_t60_an_answer_that_breaks_off_is_broken_and_not_asked_for_again(
    fault: Fault, server: FaultServer, session_of: Opens
) -> None:
    server.on("/fhir/Patient/1", fault)
    assert session_of().fetch("Patient/1") == Refused(UpstreamFault.BROKEN)
    assert server.connections == 1


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, Refused(UpstreamFault.STATUS_4XX)),
        (401, Refused(UpstreamFault.STATUS_401)),
        (403, Refused(UpstreamFault.STATUS_403)),
        (404, NotFound()),
        (406, Refused(UpstreamFault.STATUS_4XX)),
        (408, Refused(UpstreamFault.TIMEOUT)),
        (410, NotFound()),
        (429, Refused(UpstreamFault.STATUS_429)),
        (500, Refused(UpstreamFault.STATUS_5XX)),
        (501, Refused(UpstreamFault.STATUS_501)),
        (502, Refused(UpstreamFault.STATUS_5XX)),
        (503, Refused(UpstreamFault.STATUS_5XX)),
        (204, Refused(UpstreamFault.STATUS_OTHER)),
        (202, Refused(UpstreamFault.STATUS_OTHER)),
    ],
)
def test_t61_each_status_has_its_meaning_and_none_is_retried(
    status: int, expected: Fetched, server: FaultServer, session_of: Opens
) -> None:
    server.on("/fhir/Patient/1", reply(b"", status=status))
    assert session_of().fetch("Patient/1") == expected
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        *((status, None) for status in (200, 201, 202, 204)),
        (203, UpstreamFault.STATUS_OTHER),
        (206, UpstreamFault.STATUS_OTHER),
        (302, UpstreamFault.REDIRECT),
        (409, UpstreamFault.STATUS_4XX),
        (500, UpstreamFault.STATUS_5XX),
    ],
)
def test_t61_what_is_written_is_taken_by_four_statuses_and_sent_once(
    status: int,
    fault: UpstreamFault | None,
    server: FaultServer,
    client: FhirClient,
    base: FhirBase,
) -> None:
    """https://hl7.org/fhir/R4/http.html: updated, created, taken for later, without an answer."""
    server.on("/fhir/Flag", reply(b"", status=status))
    writing = Sending("POST", "Flag", b"{}")
    sent = client.send(base, writing, NoToken(), Deadline.after(20_000))
    assert isinstance(sent, HttpAnswer) if fault is None else sent == Refused(fault)
    assert len(server.calls) == 1


def test_t61_a_search_that_is_not_found_is_a_fault_and_never_an_empty_result(
    server: FaultServer, session_of: Opens
) -> None:
    server.on("/fhir/Observation", reply(b"", status=404))
    assert session_of().fetch("Observation?patient=1") == Refused(UpstreamFault.STATUS_404)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (reply_json(OUTCOME), UpstreamFault.OPERATION_OUTCOME),
        (reply_json({"resourceType": "Observation"}), UpstreamFault.WRONG_TYPE),
        (reply_json(bundle()), UpstreamFault.WRONG_TYPE),
        (reply_json({"id": "1"}), UpstreamFault.NOT_FHIR),
        (reply_json({"resourceType": 7}), UpstreamFault.NOT_FHIR),
        (reply_json([PATIENT]), UpstreamFault.NOT_FHIR),
        (reply_json("Patient"), UpstreamFault.NOT_FHIR),
        (reply(b""), UpstreamFault.NOT_JSON),
        (faults.half_json, UpstreamFault.NOT_JSON),
        (reply(b'{"resourceType": "Patient", "resourceType": "Patient"}'), UpstreamFault.NOT_JSON),
        (reply(b'{"resourceType": "Patient", "x": NaN}'), UpstreamFault.NOT_JSON),
        (reply(b"\xff\xfe{\x00}\x00"), UpstreamFault.NOT_JSON),
        (reply(b"<Patient/>", content_type="application/fhir+xml"), UpstreamFault.NOT_JSON),
        (reply_json(PATIENT, content_type="text/html"), UpstreamFault.NOT_JSON),
        (reply_json(PATIENT, content_type=""), UpstreamFault.NOT_JSON),
        (
            reply_json(PATIENT, content_type=f"{FHIR_JSON}; fhirVersion=3.0"),
            UpstreamFault.WRONG_VERSION,
        ),
        (
            reply_json(PATIENT, content_type=f"{FHIR_JSON}; FHIRVERSION = 4.6"),
            UpstreamFault.WRONG_VERSION,
        ),
        (
            reply_json(PATIENT, content_type=f'{FHIR_JSON};charset=utf-8;fhirVersion="5.0"'),
            UpstreamFault.WRONG_VERSION,
        ),
        (reply_json(PATIENT, headers=(("Content-Encoding", "br"),)), UpstreamFault.NOT_JSON),
    ],
)
def test_t61_t64_what_is_not_the_resource_asked_for_is_refused_with_its_reason(
    fault: Fault, expected: UpstreamFault, server: FaultServer, session_of: Opens
) -> None:
    server.on("/fhir/Patient/1", fault)
    assert session_of().fetch("Patient/1") == Refused(expected)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/fhir+json",
        "Application/FHIR+JSON; charset=UTF-8",
        "application/json",
        "application/fhir+json; fhirVersion=4.0",
        "application/fhir+json; fhirVersion=4.3",
        "application/fhir+json;fhirversion=4.0.1",
        'application/fhir+json; charset=utf-8; fhirVersion = "4.3.0"',
        "text/json",
    ],
)
def test_t64_r4_and_r4b_are_read(content_type: str, server: FaultServer, session_of: Opens) -> None:
    server.on("/fhir/Patient/1", reply_json(PATIENT, content_type=content_type))
    assert session_of().fetch("Patient/1") == Resource(PATIENT)


def test_t63_a_gzip_bomb_is_cut_off_at_the_cap_of_decoded_bytes(
    server: FaultServer, session_of: Opens
) -> None:
    server.on("/fhir/Patient/1", faults.gzip_bomb(60_000_000))
    assert session_of().fetch("Patient/1") == Refused(UpstreamFault.TOO_LARGE)


def test_a_compressed_answer_is_read(server: FaultServer, session_of: Opens) -> None:
    body = gzip.compress(json.dumps(PATIENT).encode())
    server.on("/fhir/Patient/1", reply(body, headers=(("Content-Encoding", "gzip"),)))
    assert session_of().fetch("Patient/1") == Resource(PATIENT)
    assert server.calls[0].headers["accept-encoding"] == "gzip"


def test_t63_a_body_without_end_is_left_at_the_cap(server: FaultServer, session_of: Opens) -> None:
    server.on("/fhir/Patient/1", faults.endless_body)
    assert session_of().fetch("Patient/1") == Refused(UpstreamFault.TOO_LARGE)


def test_t60_two_hundred_faulty_calls_leave_no_thread_behind() -> None:
    modes = [
        faults.hang_before_headers,
        faults.drip_body,
        faults.reset_mid_body,
        faults.half_json,
    ]
    of_others = set(threading.enumerate())
    with FaultServer() as many:
        for number, mode in enumerate(modes):
            many.on(f"/fhir/Patient/{number}", mode)
        never_open = Breakers(failures=1_000)
        client = FhirClient(AllowList.of([], LoopbackRule.ALLOWED), threads=4, breakers=never_open)
        base = FhirBase.parse(many.base, PlainHttp.LOOPBACK)
        for call in range(200):
            with client.session(base, NoToken(), Deadline.after(20)) as session:
                assert isinstance(session.fetch(f"Patient/{call % len(modes)}"), Refused)
        ours = [t for t in set(threading.enumerate()) - of_others if "fhir-client" in t.name]
        assert len(ours) <= 4
        client.close()
    assert many.connections > 4
    assert not set(threading.enumerate()) - of_others
