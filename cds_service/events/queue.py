"""Waking workers: huey, in a file or on Redis for several machines.

The queue carries one word, "look". What there is to do stands in the database, so nothing is lost
with the queue, and one message that waits is as good as a thousand. Messages are signed with a key
derived from the data key: huey writes them with pickle, and whoever can write to the Redis must not
thereby run code here.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from time import monotonic
from typing import Final
from weakref import finalize

from huey import RedisHuey, SqliteHuey
from huey.api import Huey
from huey.serializer import SignedSerializer

from cds_service.errors import ConfigurationError, StoreUnavailable
from cds_service.logs import Event, log_fault
from cds_service.store.engine import create_sqlite_file
from cds_service.store.pseudonym import DataKey
from cds_service.turn import waiting

QUEUE_FILE: Final = "cds-service-queue.sqlite3"
PULSE_SECONDS: Final = 1.0
"""How often a worker looks by itself whether something has come due."""
CARE_SECONDS: Final = 5.0
"""Seconds between two rounds of looking after the subscriptions."""
AWAY_SECONDS: Final = 5.0
"""How long the queue is not tried again after a failure."""

_NAME = "sil2r-cds-events"


class Queue:
    """Wakes workers. `work` is what a woken worker does; a process that only wakes gives none.

    Nothing is opened before the first use.
    """

    def __init__(
        self,
        url: str,
        folder: Path,
        key: DataKey,
        work: Callable[[], object] = lambda: None,
    ) -> None:
        serializer = SignedSerializer(secret=key.subkey("queue").hex(), salt=_NAME)
        self._make = partial(_new_huey, url, folder, serializer)
        self._work = _guarded(work)
        self.stopping = threading.Event()
        """Set as soon as a worker is told to stop."""
        self._away_until = 0.0
        self._opening = threading.Lock()

    def open(self) -> None:
        """Makes sure that messages can be left and read.

        Raises ConfigurationError where the file cannot be made. A Redis may be away: it is tried
        again with every message.
        """
        self._opened()

    def _opened(self) -> tuple[Huey, Callable[[], object]]:
        """huey, and the call that leaves a message in it."""
        with self._opening:  # by one thread: huey knows a task once
            return self._made

    @cached_property
    def _made(self) -> tuple[Huey, Callable[[], object]]:
        """Both at once: the task must be known to huey before it reads a message of it."""
        huey = self._make()
        finalize(self, huey.storage.close).atexit = False
        return huey, huey.task(name="work", context=False)(self._work)

    def wake(self) -> None:
        """Let a worker look, unless one has been told to and has not yet begun.

        Never fails: the work is kept already, and while the queue is away workers look by
        themselves.
        """
        self._tell()

    def work(self) -> None:
        """Let a worker look, as `wake` does; while the queue is away, work here and now."""
        if not self._tell():
            self._work()

    def _tell(self) -> bool:
        """Whether a worker was told, now or before."""
        if monotonic() < self._away_until:
            return False
        try:
            with waiting():
                huey, say_work = self._opened()
                if huey.pending_count() == 0:
                    say_work()
        except Exception as error:  # noqa: BLE001 - of SQLite, Redis or the network
            self._away_until = monotonic() + AWAY_SECONDS
            log_fault(Event.QUEUE_AWAY, error)
            return False
        return True

    def run(
        self, threads: int, pulse: Callable[[], object], look_after: Callable[[], object]
    ) -> None:
        """Work until a stop signal: SIGTERM, SIGINT and SIGHUP let what is under way finish.

        Beside the workers one thread calls `pulse` every second, which sees to work that has come
        due, and another `look_after` every few seconds, which may have to wait for slow servers.
        Raises ConfigurationError where the queue cannot be opened.
        """
        huey, _ = self._opened()
        beside = self._beat(PULSE_SECONDS, pulse), self._beat(CARE_SECONDS, look_after)
        consumer = huey.create_consumer(
            workers=threads,
            worker_type="thread",
            periodic=False,
            initial_delay=0.02,
            max_delay=0.5,
            check_worker_health=True,
            graceful_signal="TERM",
        )
        stop = consumer.stop

        def stop_all(**how: bool) -> None:
            self.stopping.set()  # tells the work under way
            stop(**how)
            consumer._restart = False  # noqa: SLF001 - at SIGHUP huey would start itself anew

        consumer.stop = stop_all
        try:
            consumer.run()
        finally:
            self.stopping.set()
            for each in beside:
                each.join()

    def _beat(self, seconds: float, what: Callable[[], object]) -> threading.Thread:
        """Calls `what` again and again in one thread, with a pause after each call."""
        guarded = _guarded(what)

        def go_on() -> None:
            while not self.stopping.wait(seconds):
                guarded()

        thread = threading.Thread(target=go_on, daemon=True)
        thread.start()
        return thread


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


def _new_huey(url: str, folder: Path, serializer: SignedSerializer) -> Huey:
    if url:
        return RedisHuey(
            _NAME, url=url, results=False, serializer=serializer, read_timeout=1, blocking=True
        )
    file = folder / QUEUE_FILE
    try:
        create_sqlite_file(file)
        return SqliteHuey(
            _NAME, filename=str(file), results=False, serializer=serializer, fsync=False
        )
    except (OSError, sqlite3.Error):
        raise ConfigurationError(
            f"No queue is given, and its file {QUEUE_FILE} cannot be made in this folder.",
            where="CDS_QUEUE_URL",
            remedy="Give a Redis, or start in a folder that can be written.",
        ) from None
