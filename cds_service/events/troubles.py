"""When to report a subscription in trouble (at once, then every hour), and when to try to mend it
(less and less often). One without heartbeats is read on its server from time to time.

Subscriptions are looked at every few seconds. What is remembered here ends with the process: the
next one reports again, and tries again at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from cds_service.store.subscription import REQUESTED, SubscriptionHealth, SubscriptionState

TELL_AGAIN: Final = timedelta(hours=1)
FIRST_PAUSE: Final = timedelta(minutes=1)
"""Between the first try and the second; each pause is twice as long as the one before."""
LONGEST_PAUSE: Final = timedelta(minutes=15)
READ_AGAIN: Final = timedelta(minutes=15)
"""How often one without a heartbeat is read on its server."""
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class NextSteps:
    """What to do at this look at a subscription."""

    is_to_be_told: bool = False
    """Whether to log that it is in trouble."""
    is_to_be_tried: bool = False
    """Whether to try to mend it."""


@dataclass(frozen=True, slots=True)
class _Course:
    """How it went with one subscription so far."""

    health: SubscriptionHealth = SubscriptionHealth.SOUND
    tell_at: datetime = _LONG_AGO
    try_at: datetime = _LONG_AGO
    pause: timedelta = FIRST_PAUSE

    def sound(self, at: datetime) -> _Course:
        """The course of one that is sound now. It may soon fail again, so its pauses are kept for a
        while.
        """
        if self.health is SubscriptionHealth.SILENT or at > self.try_at + LONGEST_PAUSE:
            return _Course()
        return replace(self, health=SubscriptionHealth.SOUND)

    def in_trouble(self, health: SubscriptionHealth, at: datetime) -> tuple[_Course, NextSteps]:
        """The course from here on, and what to do now."""
        has_changed = health is not self.health
        if has_changed and self.health is SubscriptionHealth.SILENT:
            return _Course().in_trouble(health, at)  # it has answered meanwhile: trying begins anew
        steps = NextSteps(
            has_changed or _has_come(self.tell_at, at, TELL_AGAIN),
            _has_come(self.try_at, at, LONGEST_PAUSE),
        )
        course = replace(self, health=health)
        if steps.is_to_be_told:
            course = replace(course, tell_at=at + TELL_AGAIN)
        if steps.is_to_be_tried:
            pause = min(2 * self.pause, LONGEST_PAUSE)
            course = replace(course, try_at=at + self.pause, pause=pause)
        return course, steps


def _has_come(moment: datetime, at: datetime, longest: timedelta) -> bool:
    """Whether it is time. What lies further ahead than anything is waited for was settled before
    the clock was set back.
    """
    return moment <= at or moment - at > longest


class Troubles:
    """What one process remembers of subscriptions in trouble."""

    def __init__(self) -> None:
        self._courses: dict[tuple[str, str], _Course] = {}
        self._read_at: dict[tuple[str, str], datetime] = {}

    def is_to_be_read(self, state: SubscriptionState, at: datetime) -> bool:
        """Whether to read it on its server now; if so it counts as read, whatever comes of it.

        What another process has read, or a notification said, need not be read again. Of a
        requested one nothing is expected yet; once it is overdue it is silent.
        """
        if state.heartbeat_seconds or state.status == REQUESTED:
            return False
        key = state.source, state.subscription
        read_ago = abs(at - self._read_at.get(key, _LONG_AGO))
        if min(state.heard_apart(at), read_ago) < READ_AGAIN:
            return False
        self._read_at[key] = at
        return True

    def next_steps(self, state: SubscriptionState, at: datetime) -> NextSteps:
        """What to do about a subscription now; nothing about a sound one."""
        key = state.source, state.subscription
        course = self._courses.get(key, _Course())
        match state.health_at(at):
            case SubscriptionHealth.SOUND:
                self._courses[key] = course.sound(at)
                return NextSteps()
            case health:
                self._courses[key], steps = course.in_trouble(health, at)
                return steps
