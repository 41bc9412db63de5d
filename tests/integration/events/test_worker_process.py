"""The worker as an operator starts it: by itself, or beside a server in sandbox mode."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from cds_service.store.database import Database
from cds_service.store.events import EventStore
from cds_service.store.work_item import Kind, Target, Way
from tests.event_world import PATIENT, events, observation
from tests.integration.service.running import Service, bare_environment, rows
from tests.kept import KEY, PSEUDONYMS
from tests.lab import BEARER, registry_of
from tests.little_fhir import little_fhir
from tests.processes import below, eventually, have_ended

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


def test_in_sandbox_mode_one_command_is_enough(tmp_path: Path, environment: dict[str, str]) -> None:
    with Service(tmp_path, environment=environment) as service:
        notify(service)
        eventually(lambda: evaluated(tmp_path))
        begun = below(service.process.pid)
        assert service.stop() == 0
    assert begun
    assert have_ended(begun), "what it began has ended with it"


def test_a_server_that_is_killed_takes_its_worker_with_it(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    """Else the next one would find an older worker beside its own."""
    with Service(tmp_path, environment=environment) as service:
        notify(service)
        eventually(lambda: evaluated(tmp_path))
        begun = below(service.process.pid)
        service.stop(signal.SIGKILL)
    assert begun
    eventually(lambda: have_ended(begun))


@contextmanager
def worker(folder: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A worker by itself, with one result that waits for it."""
    with Database.open(f"sqlite:///{folder / 'cds-service.sqlite3'}") as database:
        database.upgrade()
        store = EventStore(database, KEY, PSEUDONYMS)
        store.add("lab", [Target(Kind.OBSERVATION, "o1")], Way.NOTIFIED, datetime.now(UTC))
    with subprocess.Popen(
        [sys.executable, "-m", "cds_service", "worker", "--sandbox", "--threads", "3"],
        cwd=folder,
        env={**bare_environment(), **environment},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            eventually(lambda: evaluated(folder))
            yield process
        finally:
            process.kill()


def test_a_worker_by_itself_works_until_it_is_told_to_stop(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    with worker(tmp_path, environment) as process:
        process.send_signal(signal.SIGTERM)
        _nothing, said = process.communicate(timeout=30)
    assert process.returncode == 0
    told = [json.loads(line) for line in said.splitlines()]
    assert [line["code"] for line in told] == [STARTED, PROCESSED, STOPPED]
    assert (told[0]["mode"], told[0]["workers"]) == ("sandbox", 3)


# -------------------------------------------------------------------- by `nohup`


@pytest.fixture
def _nohup() -> Iterator[None]:
    """What is started meanwhile is started as by `nohup`."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGHUP, before)


def deaf(process: int) -> bool:
    """Whether no thread of a process would hear that its terminal is closed."""
    blocked: list[int] = []
    for thread in Path(f"/proc/{process}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            status = (thread / "status").read_text()
            blocked += [int(mask, 16) for mask in re.findall(r"SigBlk:\t(\w+)", status)]
    return all(mask & (1 << (signal.SIGHUP - 1)) for mask in blocked)


@pytest.mark.usefixtures("_nohup")
def test_a_worker_that_was_to_outlive_its_terminal_does(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    """One thread that hears the signal is enough: the system gives it to any that does."""
    with worker(tmp_path, environment) as process:
        assert deaf(process.pid)


@pytest.mark.usefixtures("_nohup")
def test_a_worker_beside_a_server_outlives_the_terminal_with_it(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    with Service(tmp_path, environment=environment) as service:
        notify(service)
        eventually(lambda: evaluated(tmp_path))
        everybody = [service.process.pid, *below(service.process.pid)]
        for each in everybody:
            os.kill(each, signal.SIGHUP)
        assert [each for each in everybody if not deaf(each)] == []
        assert service.stop() == 0
