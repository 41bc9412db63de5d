"""The worker as a process: by itself (`cds-service worker`), or beside a server in sandbox mode."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from cds_service import __version__, forking, hang_up, logs
from cds_service.callers import registered_clients
from cds_service.config import Mode, Settings
from cds_service.logs import Event, log
from cds_service.wiring import open_events

STOP_SECONDS: Final = 15
NOBODY: Final = 0
"""In place of a process: the worker ends by a stop signal only."""


def run_worker(settings: Settings, threads: int, parent: int = NOBODY) -> None:
    """Work until a stop signal, or until the process `parent` is gone. Raises ConfigurationError.

    SIGTERM lets what is under way finish.
    """
    hang_up.stay_ignored()
    logs.route_libraries()
    workshop = open_events(settings)
    workshop.queue.open()
    if parent != NOBODY:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    log(Event.STARTED, mode=settings.mode.value, workers=threads, software=__version__)
    workshop.run(threads)
    log(Event.STOPPED)


@contextmanager
def worker_beside(settings: Settings) -> Iterator[None]:
    """A worker process for as long as the server runs, so that in sandbox mode one command is
    enough. Outside sandbox mode, and where no source is registered, there is none.
    """
    if settings.mode is not Mode.SANDBOX or not registered_clients(settings).sources:
        yield
        return
    forking.choose()
    process = multiprocessing.Process(
        target=run_worker, args=(settings, 1, os.getpid()), daemon=True
    )
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join(STOP_SECONDS)


def _end_with(parent: int) -> None:
    """Ends this worker once `parent`, the server that started it, is gone."""
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)
