"""One thread of a process works at a time, and whoever waits lets the next one work (decision 34).

Each wait below is ended by another thread that works meanwhile: where nobody could, the wait would
last until the test gives up.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, nullcontext
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from threading import Event
from time import sleep
from typing import TypeVar

import pytest
from flask import Request

from cds_service import turn
from cds_service.access.keys import KeyRing, NoKey
from cds_service.access.registry import Client, KeyUrl
from cds_service.access.replay import Remembered
from cds_service.fhir.calls.deadline import Deadline
from cds_service.fhir.calls.workers import Workers
from cds_service.store.database import Database
from cds_service.store.replay import SqlReplayStore
from cds_service.turn import waiting, working
from cds_service.web.body import discard_rest, read_bytes

Outcome = TypeVar("Outcome")
GIVE_UP = 20
"""Seconds, for what would never end."""
EXPIRES = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _threads_change_often() -> Iterator[None]:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.parametrize("first", [nullcontext, waiting], ids=["at-once", "after-a-wait"])
def test_one_works_at_a_time(first: Callable[[], AbstractContextManager[None]]) -> None:
    under_way: list[int] = []
    seen: set[int] = set()

    def work(number: int) -> None:
        for _ in range(200):
            with working():
                with first():
                    pass
                under_way.append(number)
                seen.add(len(under_way))
                under_way.remove(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert seen == {1}


def test_whoever_has_waited_longest_is_next() -> None:
    served: list[int] = []

    def work(number: int) -> None:
        with working():
            served.append(number)

    with ThreadPoolExecutor(8) as pool, working():
        for number in range(8):
            pool.submit(work, number)
            while len(turn._turn._queue) <= number:
                sleep(0)
    assert served == list(range(8))


def in_turn(wait: Callable[[], Outcome], others_work: Callable[[], object]) -> Outcome:
    """What `wait` comes to, in a thread that has the turn, while another one works."""
    begun = Event()

    def worker() -> Outcome:
        with working():
            begun.set()
            return wait()

    with ThreadPoolExecutor(1) as pool:
        waiter = pool.submit(worker)
        assert begun.wait(GIVE_UP)
        with working():
            others_work()
        return waiter.result()


class Elsewhere:
    """Something outside this process that answers only when it is let."""

    def __init__(self) -> None:
        self._ready = Event()
        self.ready = self._ready.set

    def answer(self) -> bool:
        """Whether it answered before everybody gave up."""
        return self._ready.wait(GIVE_UP)


def test_others_work_while_a_fhir_server_is_waited_for() -> None:
    server, workers = Elsewhere(), Workers(1)
    deadline = Deadline.after(GIVE_UP * 1000)
    fetched = in_turn(
        lambda: workers.run_all("https://ehr.example.org", {"labs": server.answer}, deadline),
        server.ready,
    )
    assert fetched == {"labs": True}
    workers.close()


def test_others_work_while_a_key_set_is_waited_for_and_need_it_too() -> None:
    """The second caller waits for the fetch of the first, and does not keep it from ending."""
    host = Elsewhere()
    fetches: list[bool] = []

    def fetch(_url: str) -> bytes:
        fetches.append(host.answer())
        return b'{"keys": []}'

    keys = KeyRing(fetch, lambda: 0.0)
    client = Client(
        "hospital", "https://ehr.example.org", KeyUrl("https://ehr.example.org/jwks"), ("ES384",)
    )

    def ask() -> object:
        return keys.key(client, "kid")

    def ask_too() -> None:
        second = ThreadPoolExecutor(1).submit(in_turn, ask, host.ready)
        with waiting():
            assert second.result() is NoKey.UNKNOWN

    assert in_turn(ask, ask_too) is NoKey.UNKNOWN
    assert fetches == [True]


class SlowBody(BytesIO):
    """A caller that sends nothing until it is let."""

    def __init__(self, caller: Elsewhere) -> None:
        super().__init__(b"{}")
        self.in_time: list[bool] = []
        self._caller = caller

    def read(self, size: int | None = -1) -> bytes:
        self.in_time.append(self._caller.answer())
        return super().read(size)


@pytest.mark.parametrize("take", [lambda request: read_bytes(request, 100), discard_rest])
def test_t56_others_work_while_a_body_is_waited_for(take: Callable[[Request], object]) -> None:
    caller = Elsewhere()
    body = SlowBody(caller)
    request = Request({"wsgi.input": body, "wsgi.input_terminated": True})
    in_turn(lambda: take(request), caller.ready)
    assert body.in_time
    assert all(body.in_time)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database.open(f"sqlite:///{tmp_path / 'cds.sqlite3'}") as database:
        database.upgrade()
        yield database


def test_others_work_while_another_process_writes(database: Database, tmp_path: Path) -> None:
    tokens = SqlReplayStore(database)
    with closing(sqlite3.connect(tmp_path / "cds.sqlite3", isolation_level=None)) as other:
        tokens.remember("issuer", "of the first purge", EXPIRES)
        other.execute("BEGIN IMMEDIATE")
        remembered = in_turn(
            lambda: tokens.remember("issuer", "jti", EXPIRES), lambda: other.execute("COMMIT")
        )
    assert remembered is Remembered.FRESH


def test_others_work_while_another_thread_writes(database: Database) -> None:
    tokens = SqlReplayStore(database)
    tokens.remember("issuer", "of the first purge", EXPIRES)
    writing = database.writing()
    writing.__enter__()
    remembered = in_turn(
        lambda: tokens.remember("issuer", "jti", EXPIRES),
        lambda: writing.__exit__(None, None, None),
    )
    assert remembered is Remembered.FRESH


def test_a_write_that_must_reach_the_disk_lets_others_work(database: Database) -> None:
    def write() -> bool:
        with database.writing():
            return disk.answer()

    disk = Elsewhere()
    assert in_turn(write, disk.ready)


def test_a_thread_that_takes_no_turns_gives_none_up() -> None:
    with working():
        with ThreadPoolExecutor(1) as pool:
            pool.submit(waits).result()
        assert not another_thread_works_now()


def waits() -> None:
    """As the event worker does: in a process without requests, or beside them."""
    with waiting():
        pass


def test_a_wait_inside_a_wait_gives_the_turn_back_once() -> None:
    with working():
        with waiting():
            with waiting():
                pass
            with working():
                pass
        assert not another_thread_works_now()
    assert another_thread_works_now()


def another_thread_works_now() -> bool:
    """Whether a second thread gets the turn soon."""
    got = Event()

    def take() -> None:
        with working():
            got.set()

    pool = ThreadPoolExecutor(1)
    pool.submit(take)
    pool.shutdown(wait=False)
    return got.wait(0.2)


def test_a_failure_ends_the_turn() -> None:
    def fail() -> None:
        with working(), waiting():
            raise ValueError

    for _ in range(2):
        with pytest.raises(ValueError):  # noqa: PT011 - ours
            fail()
    with working():
        pass
