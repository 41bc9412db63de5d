"""Every invocation leaves a record that names nobody; sent cards are known again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from cds_service.errors import InputError, NotFound
from cds_service.store import records as store_records
from cds_service.store.database import Database
from cds_service.store.engine import Durability
from cds_service.store.pseudonym import DataKey, Pseudonymiser
from cds_service.store.records import Door, EvaluationRecord, Records, SentCard
from cds_service.store.tables import cards, evaluations, metadata
from tests.integration.store.conftest import Cluster
from tests.kept import CLIENT, PSEUDONYMS, evaluation, keep, pseudonym

pytestmark = pytest.mark.integration

NOON = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)
PATIENT = pseudonym("patient-canary")
RESULT = PSEUDONYMS.of(CLIENT, "Observation", "observation-canary")

CARD = SentCard(
    uuid=str(UUID(int=1, version=4)),
    findings=("above-laboratory-limit", "hlh-2004-criterion-met"),
    suggestions=(str(UUID(int=2, version=4)),),
    override_reasons=("not-applicable",),
    results=(RESULT,),
)
RECORD = evaluation(
    "0b5f3e5e-0000-5000-8000-000000000001",
    at=NOON,
    hook_instance="d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    knowledge="sil2r@2026.1",
    software="0.1.0",
    outcomes=("interpreted",),
    findings=CARD.findings,
    missing=("ferritin",),
    duration_ms=3.25,
    patient=PATIENT,
    inputs=(f"Observation/{RESULT}",),
    cards=(CARD,),
)
IN_SHADOW = replace(RECORD, door=Door.SHADOW, cards=())
FAILED = evaluation("0b5f3e5e-0000-5000-8000-000000000002", at=NOON, status=412, error="CDS-3001")


@pytest.fixture
def records(database: Database) -> Records:
    """The records of an up-to-date database."""
    return Records(database, PSEUDONYMS)


@pytest.mark.parametrize(
    "record",
    [RECORD, FAILED, replace(RECORD, cards=()), replace(RECORD, door=Door.EVENT), IN_SHADOW],
    ids=["cards", "error", "no card", "event", "shadow"],
)
def test_a_record_is_given_back_as_it_was_saved(records: Records, record: EvaluationRecord) -> None:
    records.save(record)
    assert records.find(record.id, CLIENT) == (record,)


def test_a_postgresql_that_was_made_without_an_encoding_gives_texts_too(cluster: Cluster) -> None:
    with Database.open(cluster.new_database(encoding="SQL_ASCII")) as database:
        database.upgrade()
        keep(database, RECORD)
        assert Records(database, PSEUDONYMS).find(RECORD.id, CLIENT) == (RECORD,)


def test_the_same_request_twice_is_two_records_of_one_card(
    records: Records, database: Database
) -> None:
    again = replace(RECORD, at=NOON + timedelta(hours=1))
    records.save(RECORD)
    records.save(again)
    assert records.find(RECORD.id, CLIENT) == (again, RECORD)
    with database.reading() as connection:
        card = connection.execute(select(cards)).one()
    assert (card.first_sent, card.last_sent, card.times_sent) == (NOON, again.at, 2)


def test_of_an_evaluation_its_own_records_are_found_and_the_newest_where_there_are_many(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (replace(RECORD, at=NOON + timedelta(hours=n)) for n in range(3))
    for record in (first, FAILED, second, third):
        records.save(record)
    assert records.find(FAILED.id, CLIENT) == (FAILED,)
    monkeypatch.setattr(store_records, "MOST_RECORDS", 2)
    assert records.find(RECORD.id, CLIENT) == (third, second)


def test_the_newest_records_are_those_of_one_client(records: Records) -> None:
    for record in (FAILED, RECORD, replace(FAILED, client="south"), IN_SHADOW):
        records.save(record)
    assert records.newest(CLIENT, 5) == (IN_SHADOW, RECORD, FAILED)
    assert records.newest(CLIENT, 2) == (IN_SHADOW, RECORD)
    assert records.newest("west", 2) == ()


def test_a_card_is_given_back_with_the_record_that_it_was_sent_with(records: Records) -> None:
    """An id of a card is made from what it says: two clients, or services, may have the same."""
    others = [
        replace(RECORD, client="south", cards=(replace(CARD, findings=("of-south",)),)),
        replace(RECORD, service="other", cards=(replace(CARD, findings=("of-the-other",)),)),
        replace(RECORD, id="later", cards=(replace(CARD, uuid=str(UUID(int=9, version=4))),)),
    ]
    for record in (RECORD, *others):
        records.save(record)
    assert records.find(RECORD.id, CLIENT) == (others[1], RECORD)
    assert records.find(RECORD.id, "south") == (others[0],)


def test_records_of_one_hook_instance_are_found_as_the_client_sent_it(database: Database) -> None:
    """A UUID is kept as it is, any other text as pseudonym: also under the key of before."""
    former = Pseudonymiser(DataKey(bytes(reversed(range(32)))))
    instance = RECORD.hook_instance
    then = replace(RECORD, id="then", hook_instance="call-1")
    now = replace(RECORD, id="now", hook_instance="call-1")
    Records(database, former).save(then)
    records = Records(database, PSEUDONYMS)
    for record in (now, RECORD, replace(now, id="another", hook_instance="call-2")):
        records.save(record)

    def found(received: str, *before: Pseudonymiser, most: int = 9) -> list[str]:
        return [each.id for each in records.of_hook_instance(CLIENT, received, most, before)]

    assert found("call-1") == ["now"]
    assert found("call-1", former) == ["now", "then"]
    assert found("call-1", former, most=1) == ["now"]
    assert found(instance) == found(instance.upper()) == [RECORD.id]
    assert found("call-3", former) == []
    assert records.of_hook_instance("south", "call-1", 9, [former]) == ()


def test_a_record_that_was_written_by_hand_is_told_with_what_to_do(
    records: Records, database: Database
) -> None:
    records.save(RECORD)
    with database.writing(Durability.PROCESS_LOSS) as connection:
        connection.execute(update(evaluations).values(door="window"))
    with pytest.raises(InputError) as told:
        records.find(RECORD.id, CLIENT)
    assert "this software did not write it so" in told.value.text
    assert told.value.where == "evaluations"
    assert "records verify" in told.value.remedy


def test_a_record_inside_a_transaction_is_kept_with_it_or_not_at_all(
    records: Records, database: Database
) -> None:
    def stopped() -> None:
        with database.writing(Durability.PROCESS_LOSS) as connection:
            records.save_in(connection, RECORD)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    with pytest.raises(NotFound) as told:
        records.find(RECORD.id, CLIENT)
    assert told.value.remedy.startswith("Give `id` of a card's extension")
    with database.writing(Durability.PROCESS_LOSS) as connection:
        records.save_in(connection, RECORD)
    assert records.find(RECORD.id, CLIENT) == (RECORD,)


def test_a_moment_keeps_its_instant_whatever_its_time_zone(records: Records) -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=-9, minutes=-30)))
    records.save(replace(RECORD, at=elsewhere))
    (back,) = records.find(RECORD.id, CLIENT)
    assert back.at == NOON
    assert back.at.tzinfo is UTC


def test_t23_an_evaluation_of_another_client_is_not_found(records: Records) -> None:
    records.save(RECORD)
    with pytest.raises(NotFound):
        records.find(RECORD.id, "south")


def test_a_hook_instance_that_is_no_uuid_is_kept_as_pseudonym(records: Records) -> None:
    records.save(replace(RECORD, hook_instance="Anna-1970\x00"))
    (back,) = records.find(RECORD.id, CLIENT)
    assert back.hook_instance == PSEUDONYMS.of(CLIENT, "hookInstance", "Anna-1970\x00")


def test_what_was_carded_is_known_by_patient_and_client(records: Records) -> None:
    records.save(RECORD)
    records.save(RECORD)
    assert records.carded_before(PATIENT, CLIENT) == {RESULT}
    assert records.carded_before(PATIENT, "south") == frozenset()
    assert records.carded_before("another-patient", CLIENT) == frozenset()


def test_of_very_many_results_those_carded_last_are_known(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    for days, result, card in ((-1, "0", 4), (0, RESULT, 5), (-2, "z", 6)):
        sent = replace(CARD, uuid=str(UUID(int=card, version=4)), results=(result,))
        records.save(replace(RECORD, at=NOON + timedelta(days=days), cards=(sent,)))
    assert records.carded_before(PATIENT, CLIENT) == {"0", RESULT, "z"}
    monkeypatch.setattr(store_records, "MOST_RESULTS", 1)
    assert records.carded_before(PATIENT, CLIENT) == {RESULT}


@pytest.mark.parametrize("record", [FAILED, replace(RECORD, cards=())], ids=["error", "no card"])
def test_a_result_without_a_card_was_not_carded(records: Records, record: EvaluationRecord) -> None:
    records.save(record)
    assert records.carded_before(PATIENT, CLIENT) == frozenset()


def test_of_nobody_no_result_is_known_to_have_been_carded(records: Records) -> None:
    records.save(replace(RECORD, patient=""))
    assert records.carded_before("", CLIENT) == frozenset()


def test_no_patient_and_no_resource_stands_in_any_table_in_clear(
    records: Records, database: Database
) -> None:
    records.save(RECORD)
    with database.reading() as connection:
        everything = [connection.execute(select(table)).all() for table in metadata.sorted_tables]
    assert "canary" not in str(everything)
    assert RESULT in str(everything)


def test_writers_at_once_lose_nothing_and_do_not_block_each_other_for_good(
    records: Records, database: Database
) -> None:
    second = replace(CARD, uuid=str(UUID(int=3, version=4)))
    both = [replace(RECORD, cards=(CARD, second)), replace(RECORD, cards=(second, CARD))] * 40
    with ThreadPoolExecutor(max_workers=8) as threads:
        list(threads.map(records.save, both))
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(evaluations)) == 80
        assert connection.scalars(select(cards.c.times_sent)).all() == [80, 80]
