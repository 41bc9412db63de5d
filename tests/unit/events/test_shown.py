"""What is only recorded was shown to nobody, and counts as withheld."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_service.store.finding_counts import finding_counts
from tests.event_world import observation, world
from tests.packaged import LIBRARY


@pytest.mark.parametrize(
    ("row", "shown"), [("", 0), ('delivery = "record"\n', 0), ('delivery = "write-back"\n', 1)]
)
def test_t106_a_card_counts_as_shown_only_where_it_is_delivered(
    tmp_path: Path, row: str, shown: int
) -> None:
    with world(tmp_path, LIBRARY, row) as here:
        here.arrives(observation())
        (record,) = here.records()
        assert len(record.cards) == shown
        assert record.findings
        counted = finding_counts(here.room.database)
    assert {each.client for each in counted} == {"events:lab"}
    assert {(each.shown, each.withheld) for each in counted} == {(shown, 1 - shown)}
