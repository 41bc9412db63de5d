"""Several workers woken through a real Redis, each result evaluated by one of them.

`apt-get install redis-server` (Debian) is enough; no service of the system is used.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis

from cds_service.events.notification import Focus, ResourceSent
from cds_service.events.worker import BATCH
from tests.event_world import result_of_another_patient
from tests.integration.events.process import open_room
from tests.integration.events.processes import Processes
from tests.integration.redis_server import running_redis
from tests.little_fhir import little_fhir
from tests.ports import free_port
from tests.processes import eventually

pytestmark = pytest.mark.integration

RESULTS = 120
WORKERS = 3


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """A Redis of our own on a Unix socket, gone after the test."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no Redis server: `apt-get install redis-server` (Debian, Ubuntu)")
    socket = tmp_path / "redis.sock"
    options = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(
        [program, *options, "--dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        eventually(lambda: _answers(socket))
        yield f"unix://{socket}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def _answers(socket: Path) -> bool:
    try:
        with redis.Redis(unix_socket_path=str(socket)) as client:
            return bool(client.ping())
    except redis.ConnectionError:
        return False


def test_several_workers_on_redis_do_each_result_once(tmp_path: Path, redis_url: str) -> None:
    with little_fhir() as fhir:
        for number in range(RESULTS):
            fhir.put(result_of_another_patient(number))
        with Processes(tmp_path, fhir.base, queue_url=redis_url) as processes:
            room = open_room(tmp_path, fhir.base, redis_url)
            for _ in range(WORKERS):
                processes.start("worker")
            inbox = room.inbox(room.queue())
            source = room.source("lab")
            for number in range(RESULTS):
                sent = ResourceSent(Focus("Observation", f"o{number}"))
                inbox.take(source, sent, datetime.now(UTC))
            eventually(lambda: room.store.backlog("lab").evaluated == RESULTS, 120)
        about = Counter(issue["implicated"][0]["reference"] for issue in fhir.of("DetectedIssue"))
        assert len(about) == RESULTS
        assert set(about.values()) == {1}
        assert max(fhir.writes.values()) == 1
        room.database.close()


def test_with_the_queue_away_events_are_kept_and_acknowledged(tmp_path: Path) -> None:
    with little_fhir() as fhir:
        room = open_room(tmp_path, fhir.base, f"unix://{tmp_path / 'nobody.sock'}")
        inbox = room.inbox(room.queue())
        sent = ResourceSent(Focus("Observation", "o1"))
        inbox.take(room.source("lab"), sent, datetime.now(UTC))
        assert len(room.store.waiting()) == 1
        room.database.close()


def test_with_the_queue_away_a_worker_finds_its_work_by_itself(tmp_path: Path) -> None:
    nobody = f"unix://{tmp_path / 'nobody.sock'}"
    with little_fhir() as fhir, Processes(tmp_path, fhir.base, queue_url=nobody) as processes:
        for number in range(2 * BATCH):
            fhir.put(result_of_another_patient(number))
        room = open_room(tmp_path, fhir.base, nobody)
        processes.start("worker")
        inbox = room.inbox(room.queue())
        for number in range(2 * BATCH):
            sent = ResourceSent(Focus("Observation", f"o{number}"))
            inbox.take(room.source("lab"), sent, datetime.now(UTC))
        eventually(lambda: room.store.backlog("lab").evaluated == 2 * BATCH)
        assert max(fhir.writes.values()) == 1
        room.database.close()
    told = [json.loads(line) for line in (tmp_path / "worker.log").read_text().splitlines()]
    codes = Counter(line["code"] for line in told)
    assert codes["CDS-L305"] >= 1, "nobody was told that the queue is away"
    assert codes["CDS-L407"] == 0, "nothing is wrong with the subscriptions"
    said = Counter(line["library"] for line in told if line["code"] == "CDS-L901")
    assert set(said.values()) <= {1}, "what a library says is not repeated"


def test_a_queue_that_is_lost_and_comes_back_stops_no_worker(tmp_path: Path) -> None:
    port = free_port()
    with little_fhir() as fhir, running_redis(tmp_path, port) as first:
        for number in range(3):
            fhir.put(result_of_another_patient(number))
        with Processes(tmp_path, fhir.base, queue_url=first.url) as processes:
            room = open_room(tmp_path, fhir.base, first.url)
            processes.start("worker")
            inbox, source = room.inbox(room.queue()), room.source("lab")

            def is_worked(number: int) -> None:
                sent = ResourceSent(Focus("Observation", f"o{number}"))
                inbox.take(source, sent, datetime.now(UTC))
                eventually(lambda: room.store.backlog("lab").evaluated == number + 1)

            is_worked(0)
            first.stop()
            is_worked(1)
            with running_redis(tmp_path, port):
                is_worked(2)
        room.database.close()
