"""The worker as an operator starts it: by itself, or beside a server in sandbox mode."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from cds_service.store.database import Database
from cds_service.store.events import EventStore
from cds_service.store.work_item import Kind, Target, Way
from tests.event_world import PATIENT, events, observation
from tests.integration.events.hospital import eventually
from tests.integration.service.running import Service, bare_environment, rows
from tests.kept import KEY, PSEUDONYMS
from tests.lab import BEARER, registry_of
from tests.little_fhir import little_fhir

pytestmark = pytest.mark.integration

STARTED, STOPPED, PROCESSED = "CDS-L001", "CDS-L002", "CDS-L401"


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A source that has one result."""
    with little_fhir() as fhir:
        fhir.put(PATIENT)
        fhir.put(observation())
        yield {"CDS_CLIENTS": registry_of(fhir.base, tmp_path).name, "CDS_DATA_KEY": KEY.base64()}


def notify(service: Service) -> None:
    body = events((0, "Observation/o1"))
    answer = requests.post(service.url("/events/lab"), json=body, headers=BEARER, timeout=20)
    assert answer.status_code == 200


def evaluated(folder: Path) -> bool:
    return rows(folder, "SELECT count(*) FROM event_evaluations") == [(1,)]


def children(process: int) -> list[int]:
    """All processes below this one."""
    text = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
    direct = [int(each) for each in text.split()]
    return [*direct, *(below for each in direct for below in children(each))]


def lives(process: int) -> bool:
    try:
        stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}


def test_in_sandbox_mode_one_command_is_enough(tmp_path: Path, environment: dict[str, str]) -> None:
    with Service(tmp_path, environment=environment) as service:
        notify(service)
        eventually(lambda: evaluated(tmp_path))
        below = children(service.process.pid)
        assert service.stop() == 0
    assert below
    assert not [each for each in below if lives(each)], "what it began has ended with it"


def test_a_server_that_is_killed_takes_its_worker_with_it(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    """Else the next one would find an older worker beside its own."""
    with Service(tmp_path, environment=environment) as service:
        notify(service)
        eventually(lambda: evaluated(tmp_path))
        below = children(service.process.pid)
        service.stop(signal.SIGKILL)
    assert below
    eventually(lambda: not [each for each in below if lives(each)])


def test_a_worker_by_itself_works_until_it_is_told_to_stop(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    with Database.open(f"sqlite:///{tmp_path / 'cds-service.sqlite3'}") as database:
        database.upgrade()
        store = EventStore(database, KEY, PSEUDONYMS)
        store.add("lab", [Target(Kind.OBSERVATION, "o1")], Way.NOTIFIED, datetime.now(UTC))
    worker = subprocess.Popen(
        [sys.executable, "-m", "cds_service", "worker", "--sandbox", "--threads", "3"],
        cwd=tmp_path,
        env={**bare_environment(), **environment},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        eventually(lambda: evaluated(tmp_path))
        worker.send_signal(signal.SIGTERM)
        _nothing, said = worker.communicate(timeout=30)
    finally:
        worker.kill()
    assert worker.returncode == 0
    told = [json.loads(line) for line in said.splitlines()]
    assert [line["code"] for line in told] == [STARTED, PROCESSED, STOPPED]
    assert (told[0]["mode"], told[0]["workers"]) == ("sandbox", 3)
