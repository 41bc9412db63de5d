"""Two instances of the service and two workers on one PostgreSQL, with Redis to wake them."""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
import requests

import fhir_fixtures
from tests.event_world import observation
from tests.integration.events.hospital import FhirServer, fhir_server, patient
from tests.integration.redis_server import running_redis
from tests.integration.service.running import CARD, Service
from tests.integration.store.conftest import Cluster, cluster
from tests.lab import BEARER, row_of
from tests.processes import eventually
from tests.unit.access.minting import EC, ISSUER, claims, key_set, token

__all__ = ["cluster"]  # the fixture of the store's tests, used here too
pytestmark = pytest.mark.integration

PUBLIC = "https://cds.example.org"
SERVICE = "sil2r-lab-result"
PATH = f"/cds-services/{SERVICE}"
EVENTS = 12


@dataclass(frozen=True)
class Pair:
    """Two instances, each with a worker beside it, and what they share."""

    one: Service
    other: Service
    database: str
    hospital: FhirServer
    queue: redis.Redis

    @property
    def both(self) -> tuple[Service, Service]:
        return (self.one, self.other)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def queue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server.url


@pytest.fixture(scope="module")
def pair(cluster: Cluster, queue: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("pair")
    with (
        fhir_server(tmp_path_factory.mktemp("sekmet")) as hospital,
        redis.Redis.from_url(queue) as client,
    ):
        hospital.put(patient())
        database = cluster.new_database()
        shared = {
            "CDS_DATABASE_URL": database,
            "CDS_QUEUE_URL": queue,
            "CDS_DATA_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
            "CDS_PUBLIC_URL": PUBLIC,
            "CDS_CLIENTS": str(_registry(folder, hospital)),
        }
        running = []
        for name in ("one", "other"):
            (folder / name).mkdir()
            instance = Service(folder / name, ("--sandbox", "--workers", "2"), shared)
            instance.start()
            running.append(instance)
        try:
            yield Pair(running[0], running[1], database, hospital, client)
        finally:
            for instance in running:
                instance.stop()


def _registry(folder: Path, hospital: FhirServer) -> Path:
    (folder / "keys.json").write_bytes(key_set(EC))
    file = folder / "clients.toml"
    client = f'[[client]]\nname = "hospital"\nissuer = "{ISSUER}"\njwks_file = "keys.json"\n'
    file.write_text(client + row_of(hospital.base, folder), encoding="utf-8")
    return file


def minted(jti: str, path: str = PATH) -> dict[str, str]:
    """The headers of one call with a token of its own."""
    now = int(time.time())
    bearer = token(None, claims(jti=jti, aud=PUBLIC + path, iat=now, exp=now + 300))
    return {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"}


def invoke(instance: Service, headers: dict[str, str]) -> requests.Response:
    body = fhir_fixtures.text(CARD).encode()
    return requests.post(instance.url(PATH), body, headers=headers, timeout=30)


def test_t15_s07_of_many_replays_over_both_instances_one_is_accepted(pair: Pair) -> None:
    headers = minted("replayed")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: invoke(pair.both[n % 2], headers), range(40)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 401: 39}


def test_both_instances_give_the_same_card_for_the_same_request(pair: Pair) -> None:
    cards = [invoke(each, minted(f"same-{number}")) for number, each in enumerate(pair.both)]
    assert {answer.status_code for answer in cards} == {200}
    assert cards[0].content == cards[1].content


def test_feedback_sent_to_either_instance_is_in_one_place_once_and_finds_its_card(
    pair: Pair,
) -> None:
    (card,) = invoke(pair.one, minted("card")).json()["cards"]
    said = {
        "card": card["uuid"],
        "outcome": "overridden",
        "outcomeTimestamp": "2026-11-10T09:30:00Z",
    }
    path = f"{PATH}/feedback"
    for number, instance in enumerate((pair.other, pair.one, pair.other)):
        answer = requests.post(
            instance.url(path),
            json.dumps({"feedback": [said]}).encode(),
            headers=minted(f"feedback-{number}", path),
            timeout=30,
        )
        assert (answer.status_code, answer.json()) == (200, {})
    kept = pair.rows(f"SELECT outcome, matched FROM feedback WHERE card = '{card['uuid']}'")  # noqa: S608 - our own uuid
    assert kept == [("overridden", True)]


def test_each_event_notified_to_both_instances_is_evaluated_once_by_the_two_workers(
    pair: Pair,
) -> None:
    results = [observation(f"o{number}", value=2000 + number) for number in range(EVENTS)]
    for result in results:
        pair.hospital.put(result)

    def notify(number: int) -> int:
        result = results[number % EVENTS]
        answer = requests.put(
            pair.both[number % 2].url(f"/events/lab/Observation/{result['id']}"),
            json.dumps(result).encode(),
            headers={**BEARER, "Content-Type": "application/fhir+json"},
            timeout=30,
        )
        return answer.status_code

    with ThreadPoolExecutor(8) as pool:
        numbers = [*range(EVENTS), *range(1, EVENTS + 1)]  # each result to both instances
        assert set(pool.map(notify, numbers)) == {200}

    def evaluated() -> bool:
        (count,) = pair.rows("SELECT count(*) FROM event_evaluations")[0]
        (waiting,) = pair.rows("SELECT count(*) FROM event_work")[0]
        return bool(count >= EVENTS and waiting == 0)

    eventually(evaluated)
    once = pair.rows("SELECT item, count(*) FROM event_evaluations GROUP BY item")
    assert len(once) == EVENTS
    assert {count for _, count in once} == {1}
    doors = pair.rows("SELECT count(*) FROM evaluations WHERE door = 'event'")
    assert doors == [(EVENTS,)]
    assert "cmdstat_lpush" in pair.queue.info("commandstats"), "nobody was woken by way of Redis"


def test_an_instance_that_starts_and_migrates_does_not_disturb_the_one_that_serves(
    pair: Pair,
) -> None:
    """An upgrade one instance at a time: the other answers throughout."""
    pair.other.stop()
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(pair.other.start)
        answers: list[int] = []
        while not starting.done() or len(answers) < 5:
            answers.append(invoke(pair.one, minted(f"while-{len(answers)}")).status_code)
        starting.result()
    assert set(answers) == {200}
    assert invoke(pair.other, minted("after")).status_code == 200
