"""One subscription in words: how it stands, what was heard of it, and what of it is missing.

Nothing here is of a patient: the id of a Subscription, its criteria, counts and moments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

MISSED_HEARTBEATS: Final = 2
"""After so many missed heartbeats a subscription counts as silent."""
ACTIVATION: Final = timedelta(minutes=15)
"""How long a server may take to switch a subscription on."""
REACH: Final = timedelta(hours=1)
"""How far before the last sign of life a search begins. A notification that says that the
subscription failed is a sign of life too, so this is longer than any pause between two tries
(`events.troubles`)."""
REACH_OF_GAP: Final = timedelta(days=7)
"""How far back a search goes where nothing tells when something was missed, and how far before the
last sign of life one for missing numbers. The notification that shows the gap is itself the last
sign of life, and may come days after the missing event; or the server could not be asked since."""
REQUESTED: Final = "requested"
"""The status of one that we have asked for, and that its server has not switched on yet."""
ACTIVE: Final = "active"
"""The status of one that is at work."""


class SubscriptionHealth(StrEnum):
    """How a subscription stands."""

    SOUND = "sound"
    SILENT = "silent"
    """Two heartbeats in a row have not come, or it was never switched on."""
    BROKEN = "broken"
    """The server says that it has failed, is off, or was a mistake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionState:
    """One subscription: `next_number` is the number the next event should have."""

    source: str
    subscription: str
    criteria: str
    status: str
    heartbeat_seconds: int
    next_number: int
    last_heard: datetime

    def health_at(self, at: datetime) -> SubscriptionHealth:
        """How it stands at that moment."""
        if self.status in ("error", "off", "entered-in-error"):
            return SubscriptionHealth.BROKEN
        silence = timedelta(seconds=MISSED_HEARTBEATS * self.heartbeat_seconds)
        if self.status == REQUESTED:
            silence = max(silence, ACTIVATION)
        if silence and self.heard_apart(at) > silence:
            return SubscriptionHealth.SILENT
        return SubscriptionHealth.SOUND

    def heard_apart(self, at: datetime) -> timedelta:
        """How far from that moment it was last heard of. What lies ahead was written before the
        clock was set back: when that was is not known, so it is worth no more than an old one.
        """
        return abs(at - self.last_heard)

    def is_at_work_at(self, at: datetime) -> bool:
        """Whether nothing can have been missed: it is switched on, and was heard of in time."""
        return self.status == ACTIVE and self.health_at(at) is SubscriptionHealth.SOUND

    def missed_since(self, at: datetime) -> datetime:
        """From when on to search, at that moment, for what did not come while it was not at work.

        What was last heard lies ahead where the clock has been set back since.
        """
        return min(self.last_heard, at) - REACH


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a notification says of its subscription; `numbers` are those of its events."""

    subscription: str
    criteria: str = ""
    status: str = ACTIVE
    heartbeat: timedelta = timedelta(0)
    """How often a subscription that is new here is expected to be heard of."""
    is_numbered: bool = True
    """Whether its numbers count the events of this subscription, and so tell which are missing."""
    numbers: Sequence[int] = ()
    so_far: int = 0
    """How many events there have been, as far as that is known."""
    begins: bool = False
    """A handshake: numbers may begin anew."""

    @property
    def is_at_work(self) -> bool:
        """Whether it says that it is switched on."""
        return self.status == ACTIVE

    def begins_anew_after(self, next_number: int) -> bool:
        """Whether its numbers begin anew, where this one was expected next."""
        return self.is_numbered and self.begins and self.so_far + 1 < next_number


@dataclass(frozen=True, slots=True)
class Gap:
    """Events of one subscription that have not come."""

    source: str
    subscription: str
    first: int
    last: int
    missing: int
    """How many of the numbers from first to last have not come."""
    due: datetime
    """When the last of them had been missing long enough."""
