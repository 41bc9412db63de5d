"""One thread of a process works at a time; whoever waits lets the next one work.

Python runs one thread at a time (the GIL), and a thread gives way at every call of SQLite or of
cryptography, if only for microseconds; then it queues up again behind the others. With eight
requests side by side, two fifths of the work went into these changes. So each request takes the
turn of its process and gives it up only where it may really wait: for a body, for another server,
for another process (decision 34).

Who takes a turn back must not hold a lock that somebody working may wait for: so `waiting` comes
before the lock, never after it.
"""

from __future__ import annotations

from collections import deque
from threading import Lock, local


class _Turn:
    """A lock that goes to whoever has waited longest. A plain one goes to whoever comes by, and the
    slowest answers took twice as long.
    """

    def __init__(self) -> None:
        self._guard = Lock()
        self._is_taken = False
        self._queue: deque[Lock] = deque()
        """For each thread that waits a lock of its own, which is released when it is its turn."""

    def acquire(self) -> None:
        with self._guard:
            if not self._is_taken:
                self._is_taken = True
                return
            called = Lock()
            called.acquire()
            self._queue.append(called)
        called.acquire()

    def release(self) -> None:
        with self._guard:
            if self._queue:
                self._queue.popleft().release()
            else:
                self._is_taken = False


_turn = _Turn()


class _OfThisThread(local):
    """Whether the turn is this thread's."""

    works = False


_mine = _OfThisThread()


class working:  # noqa: N801 - read as a verb: `with working():`
    """The turn of this process, for as long as the block runs. Not to be taken twice."""

    __slots__ = ()

    def __enter__(self) -> None:
        _turn.acquire()
        _mine.works = True

    def __exit__(self, *_: object) -> None:
        _mine.works = False
        _turn.release()


class waiting:  # noqa: N801
    """Others work while the block runs. Nothing changes for a thread that takes no turns."""

    __slots__ = ("_worked",)

    def __enter__(self) -> None:
        self._worked = _mine.works
        if self._worked:
            _mine.works = False
            _turn.release()

    def __exit__(self, *_: object) -> None:
        if self._worked:
            _turn.acquire()
            _mine.works = True
