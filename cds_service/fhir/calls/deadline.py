"""One point in time by which everything must be over."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point on a monotonic clock, in seconds. Shared by all fetches of one hook call."""

    at: float
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def after(cls, milliseconds: int) -> Self:
        """The deadline this many milliseconds from now."""
        return cls(time.monotonic() + milliseconds / 1000)

    @property
    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.at - self.clock())

    @property
    def passed(self) -> bool:
        """Whether no time is left."""
        return self.remaining <= 0

    def require(self) -> float:
        """Seconds left, more than none. Raises TimeoutError when the deadline has passed."""
        left = self.remaining
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        return left
