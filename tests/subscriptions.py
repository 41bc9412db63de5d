"""A subscription as the database holds it, with what a test is about and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from cds_service.store.subscription import SubscriptionState


def subscription(last_heard: datetime, **state: Any) -> SubscriptionState:
    """`s1` at the source `lab`: at work, of no heartbeat, before its first event."""
    plain = SubscriptionState(
        source="lab",
        subscription="s1",
        criteria="Observation?code=a",
        status="active",
        heartbeat_seconds=0,
        next_number=1,
        last_heard=last_heard,
    )
    return replace(plain, **state)
