"""What is told of the results of the last day, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cds_service.core.verdict import Reason
from cds_service.store.database import Database
from cds_service.store.event_outcomes import OF_LATE, EventOutcomes, outcomes_of_late
from cds_service.store.records import Door
from tests.kept import NOON, evaluation, keep

pytestmark = pytest.mark.integration

LAB, OTHER = "events:lab", "events:other"
UNREAD = (Reason.UNIT_UNKNOWN,)


def test_the_outcomes_of_each_source_are_those_of_its_own_results_of_late(
    database: Database,
) -> None:
    assert outcomes_of_late(database, NOON) == {}
    for client, reasons in ((LAB, ()), (LAB, UNREAD), (LAB, UNREAD), (OTHER, ())):
        keep(database, evaluation(door=Door.EVENT, client=client, reasons=reasons))
    keep(
        database,
        evaluation(door=Door.EVENT, client=LAB, at=NOON - OF_LATE),
        evaluation(door=Door.EVENT, client=LAB, status=500, error="CDS-9000"),
        evaluation(door=Door.HOOK, reasons=UNREAD),
    )
    assert outcomes_of_late(database, NOON + timedelta(minutes=1)) == {
        LAB: EventOutcomes(interpreted=1, not_interpreted=2),
        OTHER: EventOutcomes(interpreted=1),
    }
