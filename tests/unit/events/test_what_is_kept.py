"""What is kept of a result that was evaluated: enough to trace it, and no name of anyone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Table, select

from cds_service import __version__
from cds_service.events.matter import Stopwatch
from cds_service.fhir.write.resources import evaluation_key, result_key
from cds_service.store.tables import carded_results, cards
from tests.event_world import World, observation


def pseudonym(here: World, kind: str, id_: str) -> str:
    return here.room.pseudonyms.of("events:lab", kind, id_)


def rows(here: World, table: Table) -> list[Any]:
    with here.room.database.reading() as connection:
        return list(connection.execute(select(table)))


def test_the_record_tells_who_asked_of_whom_and_what_was_looked_at(writing: World) -> None:
    writing.arrives(observation())
    (record,) = writing.records()
    assert (record.client, record.service) == ("events:lab", "sil2r-lab-result")
    assert record.knowledge == writing.workshop.knowledge[0].tag
    assert record.software == __version__
    assert record.patient == pseudonym(writing, "Patient", "p1")
    assert record.duration_ms > 0
    assert record.inputs == (f"Observation/{pseudonym(writing, 'Observation', 'o1')}",)


def test_the_card_is_kept_with_the_result_that_it_is_about(writing: World) -> None:
    writing.arrives(observation())
    (record,), (card,), (carded,) = (
        writing.records(),
        rows(writing, cards),
        rows(writing, carded_results),
    )
    item = pseudonym(writing, "Observation", "o1")
    assert record.cards == (card.uuid,)
    assert (card.client, card.service) == (record.client, record.service)
    assert card.results == (item,)
    assert (carded.patient, carded.result) == (record.patient, item)


def test_what_is_written_carries_a_key_that_the_next_release_knows_again(writing: World) -> None:
    writing.arrives(observation())
    (issue,), (record,) = writing.fhir.of("DetectedIssue"), writing.records()
    key = result_key(writing.fhir.base, "Observation/o1 sil2r 0")
    assert [tag["code"] for tag in issue["meta"]["tag"]] == [key]
    secret = writing.room.pseudonyms.id_secret
    assert record.id == evaluation_key(key, "1", record.knowledge, secret)


def test_a_duration_is_kept_in_milliseconds_to_the_microsecond(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cds_service.events.matter.perf_counter", lambda: 12.3456789)
    assert Stopwatch(datetime(2026, 11, 21, tzinfo=UTC), 12.0).elapsed_ms == 345.679
