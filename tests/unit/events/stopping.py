"""How a queue that runs is told to stop: by a signal, once it listens to signals."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_HEARD = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_EARLY = threading.Event()
"""Nobody sets it: it is slept by."""


@contextmanager
def told_by(sent: signal.Signals) -> Iterator[Callable[[], None]]:
    """What sends the signal, as an operator does; afterwards nobody listens to signals.

    It is sent once, since a second one would interrupt what is under way, and not before somebody
    listens: it would end the tests.
    """
    before = {each: signal.getsignal(each) for each in _HEARD}
    once = iter([sent])

    def send() -> None:
        while signal.getsignal(sent) is before[sent]:
            _EARLY.wait(0.01)
        for each in once:
            os.kill(os.getpid(), each)

    try:
        yield send
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
