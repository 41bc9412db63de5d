"""Processes that a test has started: what comes of them in a while, and what they began."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

PATIENT_SECONDS = 30
Answer = TypeVar("Answer")


def eventually(check: Callable[[], Answer], seconds: float = PATIENT_SECONDS) -> Answer:
    """The first true answer of `check`; fails when there is none in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if answer := check():
            return answer
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


def children(process: int) -> list[int]:
    """The processes that this one has begun."""
    lists = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for each in lists for child in each.read_text(encoding="ascii").split()]


def below(process: int) -> list[int]:
    """The processes that this one has begun, and what those have."""
    begun = children(process)
    return [*begun, *(deeper for each in begun for deeper in below(each))]


def lives(process: int) -> bool:
    """Whether it has not ended, reaped or not."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}


def have_ended(processes: list[int]) -> bool:
    return not any(map(lives, processes))
