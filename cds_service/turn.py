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
    """A lock that goes to whoever has waited longest. With a plain lock, which any thread may take
    next, the slowest answers took twice as long.
    """

    def __init__(self) -> None:
        self._guard = Lock()
        self._is_taken = False
        self._queue: deque[Lock] = deque()
        """One lock for each waiting thread, released when it is that thread's turn."""

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
    """What each thread knows of itself."""

    works = False
    """Whether this thread has the turn."""


_mine = _OfThisThread()


class working:  # noqa: N801 - read as a verb: `with working():`
    """Takes the turn of the process while the block runs; a thread must not take it twice."""

    __slots__ = ()

    def __enter__(self) -> None:
        _turn.acquire()
        _mine.works = True

    def __exit__(self, *_: object) -> None:
        _mine.works = False
        _turn.release()


class waiting:  # noqa: N801
    """Gives the turn to others while the block runs. Does nothing in a thread without the turn."""

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
