"""Readiness: what an operator should look at, and what keeps the service from its work."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cds_service import wiring
from cds_service.config import Settings
from cds_service.knowledge.files import load_library
from cds_service.web.health import review_check
from tests.unit.web.conftest import Open

(KNOWLEDGE,) = load_library().bases.values()
LAST_DAY = datetime.combine(KNOWLEDGE.identity.review_by, datetime.max.time(), UTC)


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
    check = review_check([KNOWLEDGE], lambda: at)
    ready = sandbox({"checks": {"knowledge": check}}).get("/health/ready")
    assert (ready.status_code, ready.get_json()) == (200, {**told, "checks": ["knowledge"]})


def test_a_service_as_it_is_started_names_database_and_knowledge(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/cds.sqlite3")
    client = wiring.make_app(settings, wiring.prepared(settings)).test_client()
    assert client.get("/health/ready").get_json()["checks"] == ["database", "knowledge"]
