"""How the service stands, as `/health/ready` says it, and how the log hears of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from threading import Lock
from time import monotonic
from typing import Final

from cds_service.logs import Event, log

QUIET_SECONDS: Final = 60.0
"""For so long after one line about it there is no other."""


class Readiness(StrEnum):
    """The state in one word."""

    READY = "ready"
    DEGRADED = "degraded"
    NOT_READY = "not-ready"


@dataclass(frozen=True, slots=True)
class Standing:
    """The state and its causes in public words: of not ready the names of the checks that failed,
    of degraded what the checks said.
    """

    readiness: Readiness
    causes: tuple[str, ...] = ()


READY: Final = Standing(Readiness.READY)


class StandingLog:
    """Writes a line when the service stands otherwise than was told last.

    Each process tells by itself and begins as ready. However the checks flap, there is one line in
    QUIET_SECONDS at most; what still stands after it is then told.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._told = READY
        self._quiet_until = 0.0

    def note(self, standing: Standing) -> None:
        """One probe found this."""
        with self._lock:
            now = monotonic()
            if standing == self._told or now < self._quiet_until:
                return
            self._told = standing
            self._quiet_until = now + QUIET_SECONDS
        event = Event.READY_AGAIN if standing == READY else Event.NOT_SOUND
        log(event, status=standing.readiness.value, causes=standing.causes)
