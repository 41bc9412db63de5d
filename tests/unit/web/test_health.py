"""Readiness: what an operator should look at, and what keeps the service from its work."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cds_service import wiring
from cds_service.config import Settings
from cds_service.errors import StoreUnavailable
from cds_service.metrics import Reading
from cds_service.web.health import review_check
from tests.lab import registry_of
from tests.packaged import SIL2R
from tests.unit.web.conftest import Open

LAST_DAY = datetime.combine(SIL2R.identity.review_by, datetime.max.time(), UTC)


@pytest.mark.parametrize(
    ("at", "told"),
    [
        (LAST_DAY, {"status": "ready"}),
        (
            LAST_DAY + timedelta(hours=1),
            {
                "status": "degraded",
                "degraded": ["knowledge"],
                "causes": {"knowledge": ["review-overdue"]},
            },
        ),
    ],
)
def test_knowledge_past_its_review_by_date_is_told_and_still_served(
    sandbox: Open, at: datetime, told: dict[str, object]
) -> None:
    check = review_check([SIL2R], lambda: at)
    ready = sandbox({"checks": {"knowledge": check}}).get("/health/ready")
    assert (ready.status_code, ready.get_json()) == (200, {**told, "checks": ["knowledge"]})


def test_a_service_as_it_is_started_names_database_and_knowledge(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/cds.sqlite3")
    client = wiring.make_app(settings, wiring.prepared(settings)).test_client()
    assert client.get("/health/ready").get_json()["checks"] == ["database", "knowledge"]


def test_a_service_with_a_source_of_events_names_them_too_and_reads_their_numbers(
    tmp_path: Path,
) -> None:
    registry = registry_of("http://127.0.0.1:9/fhir", tmp_path)
    settings = Settings(clients=registry, database_url=f"sqlite:///{tmp_path}/cds.sqlite3")
    client = wiring.make_app(settings, wiring.prepared(settings)).test_client()
    ready = client.get("/health/ready").get_json()
    assert ready == {"status": "ready", "checks": ["database", "events", "knowledge"]}
    assert 'cds_events{source="lab",state="waiting"} 0.0' in client.get("/metrics").text


def test_readiness_brings_what_is_counted_in_the_database_up_to_date(sandbox: Open) -> None:
    """Where the metrics have a port of their own, nothing else reads these numbers."""
    read: list[Reading] = []

    def readings() -> list[Reading]:
        read.append(Reading("events", "lab", "waiting", 7))
        return read

    client = sandbox({"readings": readings})
    assert client.get("/health/live").status_code == 200
    assert read == []
    assert client.get("/health/ready").status_code == 200
    assert len(read) == 1


def test_numbers_that_cannot_be_read_are_left_as_they_are(sandbox: Open) -> None:
    """That the database is away is for the check of that name to say."""

    def away() -> list[Reading]:
        raise StoreUnavailable("The database cannot be used.")

    ready = sandbox({"readings": away}).get("/health/ready")
    assert (ready.status_code, ready.get_json()["status"]) == (200, "ready")


def test_a_process_that_answers_is_alive_whatever_its_checks_say(sandbox: Open) -> None:
    client = sandbox({"checks": {"database": failing}})
    live = client.get("/health/live")
    assert (live.status_code, live.get_json()) == (200, {"status": "live"})
    assert client.get("/health/ready").status_code == 503


def test_a_check_that_fails_is_logged_by_its_name_and_not_by_what_it_said(
    sandbox: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox({"checks": {"database": failing}}).get("/health/ready")
    logged = [line for line in capsys.readouterr().err.splitlines() if "OSError" in line]
    assert len(logged) == 1
    assert '"check":"database"' in logged[0]
    assert "canary" not in logged[0]


def failing() -> None:
    raise OSError("canary")
