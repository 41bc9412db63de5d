"""T-85: `kill -9` of inbox and worker at any moment. Nothing acknowledged is lost, nothing is done
twice.

A few rounds by default; `EVENT_ROUNDS=50` (`make event-rounds`) for many.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
import requests
from sqlalchemy import select

from cds_service.store.tables import evaluations
from tests.event_world import events, result_of_another_patient
from tests.integration.events.process import open_room
from tests.integration.events.processes import Processes
from tests.lab import BEARER
from tests.little_fhir import LittleFhir, little_fhir
from tests.ports import free_port
from tests.processes import eventually

pytestmark = pytest.mark.integration

ROUNDS = int(os.environ.get("EVENT_ROUNDS", "4"))
LONGEST_LIFE_SECONDS = 0.6
PAUSE_SECONDS = 0.15
WAIT_SECONDS = 120 + 10 * ROUNDS
"""For what is left after the last round; a busy machine may need it."""


class Laboratory:
    """Posts results to the FHIR server and notifies the inbox of them, one after the other."""

    def __init__(self, fhir: LittleFhir, address: str) -> None:
        self.acknowledged: set[str] = set()
        self._fhir = fhir
        self._address = address
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send)
        self._session = requests.Session()
        self._session.trust_env = False

    def _send(self) -> None:
        number = 0
        while not self._stop.wait(PAUSE_SECONDS):
            number += 1
            result = f"o{number}"
            self._fhir.put(result_of_another_patient(number))
            body = events((number, f"Observation/{result}"))
            try:
                answer = self._session.post(self._address, json=body, headers=BEARER, timeout=10)
            except requests.RequestException:
                continue  # the inbox has just been killed
            if answer.status_code == 200:
                self.acknowledged.add(result)

    def __enter__(self) -> Laboratory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._session.close()


def test_t85_no_acknowledged_event_is_lost_and_none_is_done_twice(tmp_path: Path) -> None:
    chance = random.SystemRandom()
    with little_fhir() as fhir:
        with Processes(tmp_path, fhir.base, free_port()) as processes:
            inbox, worker = processes.start("inbox"), processes.start("worker")
            with Laboratory(fhir, f"http://127.0.0.1:{processes.port}/events/lab") as laboratory:
                for _ in range(ROUNDS):
                    time.sleep(chance.uniform(0.05, LONGEST_LIFE_SECONDS))
                    processes.kill(inbox)
                    inbox = processes.start("inbox")
                    time.sleep(chance.uniform(0.05, LONGEST_LIFE_SECONDS))
                    processes.kill(worker)
                    worker = processes.start("worker")
            room = open_room(tmp_path, fhir.base)
            eventually(lambda: room.store.backlog("lab").waiting == 0, WAIT_SECONDS)

        acknowledged = laboratory.acknowledged
        assert len(acknowledged) > ROUNDS
        assert room.store.backlog("lab").dead == 0
        about = Counter(issue["implicated"][0]["reference"] for issue in fhir.of("DetectedIssue"))
        assert {f"Observation/{result}" for result in acknowledged} <= set(about)
        assert set(about.values()) == {1}
        changed = [path for path, times in fhir.writes.items() if times > 1]
        assert changed == []
        with room.database.reading() as connection:
            ids = list(connection.scalars(select(evaluations.c.id)))
        assert len(ids) == len(set(ids)) == len(about)
        room.database.close()
