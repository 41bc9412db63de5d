"""All that is kept of one patient goes at once, and nothing of any other patient."""

from __future__ import annotations

from itertools import islice

import pytest
from sqlalchemy import select

from cds_service.store.database import Database
from cds_service.store.events import EventStore
from cds_service.store.records import recorded_clients
from cds_service.store.tables import cards, evaluations, event_work
from cds_service.store.work_item import Kind, Target, Way, client_name
from tests.integration.store.keeping import (
    NEW,
    OF_ONE_CARD,
    counts,
    erase,
    keep,
    keep_event,
    retention,
    times,
)
from tests.kept import CLIENT, KEY, PSEUDONYMS, evaluation, pseudonym

pytestmark = pytest.mark.integration

CARD_OF_P1, NAMELESS_CARD, CARD_OF_P2 = (
    f"9d2c1c3e-6f0c-5a4f-9b7d-{number:012d}" for number in range(3)
)


def test_all_of_one_patient_goes_and_the_next_patient_stays(database: Database) -> None:
    for number in range(5):
        keep(database, "p1", number)
        keep(database, "p2", 100 + number)
    found = erase(database, "p1")
    assert found.counts() == times(5)
    assert counts(database) == times(5)
    assert erase(database, "p1").counts() == times(0)
    erase(database, "p2")
    assert counts(database) == {}


def test_a_card_that_was_sent_five_times_is_one_card(database: Database) -> None:
    for _ in range(5):
        keep(database, "p1", 1)
    assert erase(database, "p1").counts() == OF_ONE_CARD | {"evaluations": 5}
    assert counts(database) == {}


def test_the_same_id_at_another_client_is_another_patient(database: Database) -> None:
    keep(database, "p1", 1)
    keep(database, "p1", 2, client="other-hospital")
    erase(database, "p1")
    assert counts(database) == OF_ONE_CARD


def test_looking_for_what_belongs_to_a_patient_changes_nothing(database: Database) -> None:
    keep(database, "p1", 1)
    retention(database).belongings(CLIENT, pseudonym("p1"))
    assert counts(database) == OF_ONE_CARD


def test_what_events_left_of_a_patient_goes_with_what_still_waits(database: Database) -> None:
    client = client_name("lab")
    for patient in ("p1", "p2"):
        keep_event(database, patient, f"result-of-{patient}")
        keep_event(database, "", f"result-of-{patient}")  # deleted there: names no patient
    store = EventStore(database, KEY, PSEUDONYMS)
    again = [Target(Kind.OBSERVATION, f"result-of-{patient}") for patient in ("p1", "p2")]
    store.add("lab", again, Way.NOTIFIED, NEW)
    of_one = {"evaluations": 2, "event_evaluations": 2, "event_work": 1}
    assert counts(database) == times(2, of_one)
    found = erase(database, "p1", client)
    assert {name: rows for name, rows in found.counts().items() if rows} == of_one
    assert counts(database) == of_one
    with database.reading() as connection:
        (item,) = connection.scalars(select(event_work.c.item))
    assert item == store.item("lab", again[1])


def test_the_records_of_tries_that_failed_go_with_the_result(database: Database) -> None:
    """They name no patient, but the result, by the same pseudonym as what was evaluated of it."""
    client, store = client_name("lab"), EventStore(database, KEY, PSEUDONYMS)
    named: dict[str, tuple[str, ...]] = {}
    for patient in ("p1", "p2"):
        result = Target(Kind.OBSERVATION, f"result-of-{patient}")
        keep_event(database, patient, result.id)
        store.add("lab", [result], Way.NOTIFIED, NEW)
        (claimed,) = store.claim(NEW)
        named[patient] = (f"Observation/{claimed.item}",)
        about = {"client": client, "patient": "", "inputs": named[patient]}
        store.set_aside(claimed, "read: status-4xx", evaluation(f"failed-{patient}", **about))
    erase(database, "p1", client)
    with database.reading() as connection:
        left = list(connection.scalars(select(evaluations.c.inputs)))
    assert named["p1"] not in left
    assert named["p2"] in left
    assert len(left) == 2


def test_the_card_of_a_version_that_named_no_patient_goes_with_its_record(
    database: Database,
) -> None:
    """Once the record is gone nothing would lead to the card, which names the result."""
    client = client_name("lab")
    for patient, card in (("p1", CARD_OF_P1), ("", NAMELESS_CARD)):
        keep_event(database, patient, "result", card=card)
    keep_event(database, "p2", "result-of-p2", card=CARD_OF_P2)
    erase(database, "p1", client)
    with database.reading() as connection:
        assert list(connection.scalars(select(cards.c.uuid))) == [CARD_OF_P2]


@pytest.mark.parametrize("done", range(10))
def test_an_erasure_that_was_stopped_anywhere_can_be_made_good(
    database: Database, done: int
) -> None:
    client = client_name("lab")
    for number in range(4):
        keep(database, "p1", number, client=client)
    for patient in ("p1", ""):
        keep_event(database, patient, "result")
    unfinished = retention(database)
    list(islice(unfinished.erase(unfinished.belongings(client, pseudonym("p1", client))), done))
    erase(database, "p1", client)
    assert counts(database) == {}


@pytest.mark.parametrize("done", range(5))
def test_an_erasure_that_was_stopped_between_the_versions_of_a_result_can_be_made_good(
    database: Database, done: int
) -> None:
    """The later version names no patient: only the one before it tells whose result it was."""
    client = client_name("lab")
    for patient in ("p1", ""):
        keep_event(database, patient, "result")
    unfinished = retention(database, lot=1)
    list(islice(unfinished.erase(unfinished.belongings(client, pseudonym("p1", client))), done))
    erase(database, "p1", client)
    assert counts(database) == {}


def test_the_clients_of_whom_something_is_stored_are_known(database: Database) -> None:
    for number, client in enumerate(("south", "north", "south")):
        keep(database, "p", number, client=client)
    assert recorded_clients(database) == ("north", "south")
