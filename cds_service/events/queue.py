"""Waking workers: huey, in a file beside the database or on Redis for several machines.

The queue carries one word, "look". What there is to do stands in the database, so nothing is lost
with the queue, and one message that waits is as good as a thousand. Messages are signed with a key
derived from the data key: huey writes them with pickle, and whoever can write to the Redis must not
thereby run code here.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Final

from huey import RedisHuey, SqliteHuey
from huey.api import Huey
from huey.serializer import SignedSerializer

from cds_service.errors import StoreUnavailable
from cds_service.logs import Event, log_fault
from cds_service.store.pseudonym import DataKey
from cds_service.turn import waiting

QUEUE_FILE: Final = "cds-service-queue.sqlite3"
PULSE_SECONDS: Final = 1.0
"""How often a worker looks by itself whether something has come due."""
AWAY_SECONDS: Final = 5.0
"""After a failure the queue is left alone for so long."""

_NAME = "sil2r-cds-events"


class Queue:
    """Wakes workers. `work` and `look_after` are what a worker then does; senders do neither."""

    def __init__(
        self,
        url: str,
        folder: Path,
        key: DataKey,
        work: Callable[[], object] = lambda: None,
        look_after: Callable[[], object] = lambda: None,
    ) -> None:
        serializer = SignedSerializer(secret=key.subkey("queue").hex(), salt=_NAME)
        self._huey = _huey(url, folder, serializer)
        self._work, self._look_after = _guarded(work), _guarded(look_after)
        self._say_work = self._huey.task(name="work", context=False)(self._work)
        self._say_look_after = self._huey.task(name="look-after")(self._look_after)
        self._beat = threading.Event()
        self._away_until = 0.0

    def wake(self) -> None:
        """Let a worker look, unless one has been told to and has not yet begun.

        The queue being away is no reason to refuse what is kept already: workers look by themselves
        as well.
        """
        self._is_told(self._wake)

    def work(self) -> None:
        """Let a worker look, as `wake` does; while the queue is away, work here and now."""
        if not self._is_told(self._wake):
            self._work()

    def care(self) -> None:
        """Let one worker look after the subscriptions; while the queue is away, do it here."""
        if not self._is_told(self._say_look_after):
            self._look_after()

    def _wake(self) -> None:
        if self._huey.pending_count() == 0:
            self._say_work()

    def _is_told(self, tell: Callable[[], object]) -> bool:
        if monotonic() < self._away_until:
            return False
        try:
            with waiting():
                tell()
        except Exception as error:  # noqa: BLE001 - of SQLite, Redis or the network
            self._away_until = monotonic() + AWAY_SECONDS
            log_fault(Event.QUEUE_AWAY, error)
            return False
        return True

    def waiting(self) -> int:
        """How many messages wait."""
        return int(self._huey.pending_count())

    def run(self, threads: int, pulse: Callable[[], None]) -> None:
        """Work until a stop signal: SIGTERM and SIGINT let what is under way finish.

        `pulse` is called every second, in a thread of its own; where something has come due it has
        it worked off.
        """
        beating = threading.Thread(target=self._keep_beating, args=(pulse,), daemon=True)
        consumer = self._huey.create_consumer(
            workers=threads,
            worker_type="thread",
            periodic=False,
            initial_delay=0.02,
            max_delay=0.5,
            check_worker_health=True,
            graceful_signal="TERM",
        )
        beating.start()
        try:
            consumer.run()
        finally:
            self._beat.set()
            beating.join()

    def _keep_beating(self, pulse: Callable[[], None]) -> None:
        guarded = _guarded(pulse)
        while not self._beat.wait(PULSE_SECONDS):
            guarded()


def _guarded(work: Callable[[], object]) -> Callable[[], None]:
    """A failure is ours to log, without texts; huey would log whatever the exception says."""

    def run() -> None:
        try:
            work()
        except StoreUnavailable as lost:
            log_fault(Event.EVENT_LOOK_FAILED, lost, cause=lost.cause)
        except Exception as error:  # noqa: BLE001 - the worker goes on
            log_fault(Event.EVENT_LOOK_FAILED, error)

    return run


def _huey(url: str, folder: Path, serializer: SignedSerializer) -> Huey:
    if url:
        return RedisHuey(
            _NAME, url=url, results=False, serializer=serializer, read_timeout=1, blocking=True
        )
    file = folder / QUEUE_FILE
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    return SqliteHuey(_NAME, filename=str(file), results=False, serializer=serializer, fsync=False)
