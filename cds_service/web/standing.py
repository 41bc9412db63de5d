"""How the service stands, as `/health/ready` says it, and when a change of that is logged."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from threading import Lock
from time import monotonic
from typing import Final

from cds_service.logs import Event, log

QUIET_SECONDS: Final = 60.0
"""How long after one line about the standing no other is logged."""


class Readiness(StrEnum):
    """The state in one word."""

    READY = "ready"
    DEGRADED = "degraded"
    NOT_READY = "not-ready"


@dataclass(frozen=True, slots=True)
class Standing:
    """The state and its causes in public words. When not ready these are the names of the checks
    that failed, when degraded the causes that the checks gave.
    """

    readiness: Readiness
    causes: tuple[str, ...] = ()


READY: Final = Standing(Readiness.READY)


class StandingLog:
    """Writes a line when the standing differs from the one that was logged last.

    Each process logs for itself and counts as ready at first. However often the checks change,
    there is at most one line in QUIET_SECONDS; a change that lasts longer is logged after them.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._told = READY
        self._quiet_until = 0.0

    def note(self, standing: Standing) -> None:
        """Log what a probe found, if it is news."""
        with self._lock:
            now = monotonic()
            if standing == self._told or now < self._quiet_until:
                return
            self._told = standing
            self._quiet_until = now + QUIET_SECONDS
        event = Event.READY_AGAIN if standing == READY else Event.NOT_SOUND
        log(event, status=standing.readiness.value, causes=standing.causes)
