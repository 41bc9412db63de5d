"""What a process keeps for each origin that it calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Final, Generic, TypeVar

MOST_ORIGINS: Final = 256
"""More than a registry names. In sandbox mode a caller may name any port of this machine, and what
is kept must not grow with every one.
"""

Kept = TypeVar("Kept")


class ByOrigin(Generic[Kept]):
    """One thing for each origin, made when it is first asked for, and shared by all threads.

    Of more than `most` origins only those asked for last keep theirs. Whoever still holds what was
    let go may use it to the end.
    """

    def __init__(self, make: Callable[[], Kept], most: int = MOST_ORIGINS) -> None:
        self._make = make
        self._most = most
        self._lock = Lock()
        self._kept: dict[str, Kept] = {}

    def of(self, origin: str) -> Kept:
        """What is kept for this origin."""
        with self._lock:
            kept = self._kept.pop(origin) if origin in self._kept else self._make()
            self._kept[origin] = kept  # a dict keeps the order: the one asked for last comes last
            if len(self._kept) > self._most:
                del self._kept[next(iter(self._kept))]
            return kept

    def all(self) -> Sequence[Kept]:
        """Everything that is kept now."""
        with self._lock:
            return tuple(self._kept.values())
