"""What machines lose: a worker in the middle of a lot, the PostgreSQL, the Redis.

Everything comes back by itself; nothing that was acknowledged is lost, and nothing is done twice.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from sqlalchemy import select

from cds_service.event_wiring import EventRoom
from cds_service.events.worker import BATCH
from cds_service.store.tables import evaluations
from tests.event_world import events, result_of_another_patient
from tests.integration.events.process import open_room
from tests.integration.events.processes import Processes
from tests.integration.redis_server import Redis, running_redis
from tests.integration.store.conftest import Cluster, running_cluster
from tests.lab import BEARER
from tests.little_fhir import LittleFhir, little_fhir
from tests.ports import free_port
from tests.processes import eventually

pytestmark = pytest.mark.integration

RESULTS = 60
PATIENT_SECONDS = 120


@dataclass(frozen=True)
class Machines:
    """An inbox and two workers, on one PostgreSQL and one Redis."""

    folder: Path
    fhir: LittleFhir
    processes: Processes
    cluster: Cluster
    redis: Redis
    room: EventRoom

    def evaluated(self) -> int:
        return self.room.store.backlog("lab").evaluated

    def is_done(self) -> bool:
        return self.room.store.backlog("lab").waiting == 0


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL that may be lost: nobody else uses it."""
    with running_cluster() as running:
        yield running


@pytest.fixture
def here(cluster: Cluster, tmp_path: Path) -> Iterator[Machines]:
    with running_redis(tmp_path) as redis, little_fhir() as fhir:
        queue, database = redis.url, cluster.new_database()
        with Processes(tmp_path, fhir.base, free_port(), queue, database) as processes:
            room = open_room(tmp_path, fhir.base, queue_url=queue, database_url=database)
            processes.start("inbox")
            yield Machines(tmp_path, fhir, processes, cluster, redis, room)
            room.database.close()


@dataclass
class Laboratory:
    """Notifies results one after the other, each again until it is acknowledged, as servers do."""

    here: Machines
    most: int = RESULTS
    refused: int = 0
    _is_over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Laboratory:
        self._thread = threading.Thread(target=self._send)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()

    def _send(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            for number in range(1, self.most + 1):
                self.here.fhir.put(result_of_another_patient(number))
                while not self._acknowledged(session, number):
                    self.refused += 1

    def _acknowledged(self, session: requests.Session, number: int) -> bool:
        answer = session.post(
            f"http://127.0.0.1:{self.here.processes.port}/events/lab",
            json=events((number, f"Observation/o{number}")),
            headers=BEARER,
            timeout=30,
        )
        assert answer.status_code in (200, 503)
        return answer.status_code == 200


def is_whole(here: Machines) -> None:
    """Each result was evaluated once, written once, and none was set aside."""
    eventually(here.is_done, PATIENT_SECONDS)
    assert here.room.store.backlog("lab").dead == 0
    about = Counter(issue["implicated"][0]["reference"] for issue in here.fhir.of("DetectedIssue"))
    assert about == {f"Observation/o{number}": 1 for number in range(1, RESULTS + 1)}
    assert [path for path, times in here.fhir.writes.items() if times > 1] == []
    with here.room.database.reading() as connection:
        ids = list(connection.scalars(select(evaluations.c.id)))
    assert len(ids) == len(set(ids)) == RESULTS


def test_a_worker_that_is_killed_in_the_middle_of_a_lot_loses_and_doubles_nothing(
    here: Machines,
) -> None:
    for number in range(1, RESULTS + 1):
        here.fhir.put(result_of_another_patient(number))
    one = here.processes.start("worker")
    with here.fhir.lock:  # its calls wait here, with its lots in hand
        answer = requests.post(
            f"http://127.0.0.1:{here.processes.port}/events/lab",
            json=events(*((0, f"Observation/o{number}") for number in range(1, RESULTS + 1))),
            headers=BEARER,
            timeout=30,
        )
        assert answer.status_code == 200
        eventually(lambda: here.room.store.due(datetime.now(UTC)) <= RESULTS - BATCH)
        here.processes.kill(one)
    here.processes.start("worker")
    is_whole(here)


def test_a_postgresql_that_is_lost_and_comes_back_stops_neither_inbox_nor_workers(
    here: Machines,
) -> None:
    workers = [here.processes.start("worker") for _ in range(2)]
    with Laboratory(here):
        eventually(lambda: here.evaluated() > RESULTS // 10)
        here.cluster.restart()
    is_whole(here)
    assert [worker.poll() for worker in workers] == [None, None]


def test_a_redis_that_is_lost_and_comes_back_stops_neither_inbox_nor_workers(
    here: Machines,
) -> None:
    workers = [here.processes.start("worker") for _ in range(2)]
    with Laboratory(here):
        eventually(lambda: here.evaluated() > RESULTS // 10)
        here.redis.stop()
        before = here.evaluated()
        eventually(lambda: here.evaluated() > before)
        with running_redis(here.folder, here.redis.port):
            is_whole(here)
    assert [worker.poll() for worker in workers] == [None, None]
