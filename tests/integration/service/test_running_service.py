"""A service that was started: what it answers, keeps and logs, and how it ends."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

import fhir_fixtures
from tests.integration.service.running import CARD, Service, bare_environment, rows

pytestmark = pytest.mark.integration


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with Service(tmp_path) as running:
        yield running


def dismissal(card: str) -> str:
    return json.dumps(
        {
            "feedback": [
                {
                    "card": card,
                    "outcome": "overridden",
                    "overrideReason": {"userComment": "CANARY-COMMENT"},
                    "outcomeTimestamp": "2026-11-21T01:02:03.004Z",
                }
            ]
        }
    )


def test_a_fresh_start_answers_with_a_card(service: Service) -> None:
    answer = service.invoke(CARD)
    (card,) = answer.json()["cards"]
    assert answer.headers["Knowledge-Version"] == "sil2r@2026.1"
    assert "U/mL (serum/plasma" in card["summary"]
    assert "doi:10.1002/pbc.21039" in card["detail"]
    assert "no medical device" in card["detail"]


def test_every_invocation_leaves_one_record_without_the_patient(service: Service) -> None:
    service.invoke(CARD)
    service.invoke("lab_result_unrelated")
    service.invoke("patient_view_without_prefetch")
    kept = rows(service.folder, "select status, error, patient from evaluations order by number")
    assert [(status, error) for status, error, _ in kept] == [
        (200, ""),
        (200, ""),
        (412, "CDS-3001"),
    ]
    patient_id = fhir_fixtures.load(CARD)["context"]["patientId"]
    assert all(patient and patient_id not in patient for _, _, patient in kept)


def test_b01_feedback_is_kept_once_and_its_comment_sealed(service: Service) -> None:
    card = service.invoke(CARD).json()["cards"][0]["uuid"]
    for _ in range(2):
        answer = service.post("/cds-services/sil2r-lab-result/feedback", dismissal(card))
        assert (answer.status_code, answer.json()) == (200, {})
    assert rows(service.folder, "select count(*) from feedback") == [(1,)]
    for file in service.folder.glob("cds-service.sqlite3*"):
        assert b"CANARY-COMMENT" not in file.read_bytes()


def test_a_reason_is_kept_in_clear_only_where_the_card_offers_it(service: Service) -> None:
    """What is none of ours may say anything, also of the patient."""
    card = service.invoke(CARD).json()["cards"][0]
    theirs = {"system": "http://CANARY-SYSTEM", "code": "CANARY-CODE", "display": "CANARY"}
    for reason in (card["overrideReasons"][0], theirs):
        said = json.loads(dismissal(card["uuid"]))
        said["feedback"][0]["overrideReason"] = {"reason": reason}
        assert service.post("/cds-services/sil2r-lab-result/feedback", json.dumps(said)).ok
    (ours,), (pseudonym,) = rows(service.folder, "select reason from feedback order by number")
    assert json.loads(ours) == [card["overrideReasons"][0][name] for name in ("system", "code")]
    assert re.fullmatch(r'\["", "[a-z2-7]{32}"\]', pseudonym)
    for file in service.folder.glob("cds-service.sqlite3*"):
        assert b"CANARY" not in file.read_bytes()


def test_t67_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    with Service(tmp_path) as service:
        card = service.invoke(CARD).json()["cards"][0]["uuid"]
        assert service.post("/cds-services/sil2r-lab-result/feedback", dismissal(card)).ok
        service.stop(signal.SIGKILL)
    with Service(tmp_path) as again:
        assert rows(tmp_path, "select count(*) from feedback") == [(1,)]
        assert again.invoke(CARD).json()["cards"][0]["uuid"] == card


def test_a_stop_signal_ends_it_cleanly(tmp_path: Path) -> None:
    with Service(tmp_path) as service:
        assert service.stop() == 0


def test_tr21_a_withdrawn_result_is_told_once_it_had_been_carded(service: Service) -> None:
    """The same Observation, first final, then entered in error."""
    request = fhir_fixtures.text(CARD)
    assert service.post("/cds-services/sil2r-lab-result", request).json()["cards"]
    withdrawn = request.replace('"status": "final"', '"status": "entered-in-error"')
    (card,) = service.post("/cds-services/sil2r-lab-result", withdrawn).json()["cards"]
    assert card["extension"]["org.sil2r-cds.evaluation"]["reason"] == "status-withdrawn"
    other = withdrawn.replace("synthetic-observation", "another-observation")
    assert service.post("/cds-services/sil2r-lab-result", other).json() == {"cards": []}


def test_t30_no_value_name_or_token_stands_in_the_log(service: Service) -> None:
    document = json.loads(fhir_fixtures.text(CARD))
    document["context"]["patientId"] = "CANARY-PATIENT"
    result = document["context"]["results"]["entry"][0]["resource"]
    result["subject"] = {"reference": "Patient/CANARY-PATIENT"}
    result["valueQuantity"]["value"] = 98765.4321
    document["fhirServer"] = "http://127.0.0.1:9/CANARY-BASE"
    document["fhirAuthorization"] = {
        "access_token": "CANARY-TOKEN",
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/*.read",
        "subject": "cds",
    }
    answer = service.post("/cds-services/sil2r-lab-result", json.dumps(document))
    assert "98765.4321" in answer.json()["cards"][0]["summary"]
    service.post("/cds-services/sil2r-lab-result", '{"CANARY-MEMBER": "CANARY-TEXT"')
    service.post("/cds-services/CANARY-SERVICE", "{}")
    requests.get(service.url("/cds-services?CANARY-QUERY"), timeout=5)
    metrics = requests.get(service.url("/metrics"), timeout=5).text
    assert "CDS-L" in service.log()
    for place in (service.log(), metrics):
        assert "CANARY" not in place
        assert "98765" not in place


def test_t50_a_client_that_asks_whether_to_send_too_much_is_told_at_once(service: Service) -> None:
    head = (
        "POST /cds-services/sil2r-patient-view HTTP/1.1\r\nHost: x\r\n"
        "Content-Type: application/json\r\nContent-Length: 99999999\r\n"
        "Expect: 100-continue\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as line:
        line.sendall(head.encode())
        assert line.recv(100).startswith(b"HTTP/1.1 413 ")


def test_tr27_it_listens_on_loopback_only(service: Service) -> None:
    listening = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    port = f"{service.port:04X}"
    bound = [line.split()[1] for line in listening if line.split()[1].endswith(f":{port}")]
    assert {address.split(":")[0] for address in bound if address.startswith("0100007F")}
    assert not [address for address in bound if address.startswith("00000000")]


def test_a_database_file_that_others_may_open_is_told(tmp_path: Path) -> None:
    """It was there before: our own is for its owner only."""
    (tmp_path / "cds-service.sqlite3").touch()
    (tmp_path / "cds-service.sqlite3").chmod(0o666)
    with Service(tmp_path, arguments=("--sandbox", "--workers", "2")) as service:
        service.stop()
    assert service.log().count("CDS-L203") == 1


def test_t70_production_refuses_to_start_insecurely(tmp_path: Path) -> None:
    refused = subprocess.run(
        [sys.executable, "-m", "cds_service", "serve"],
        cwd=tmp_path,
        env=bare_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode == 1
    assert refused.stderr.startswith("CDS-5002 ")
    assert refused.stderr.count("\n") == 1
