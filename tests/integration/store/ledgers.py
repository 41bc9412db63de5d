"""Six records of one afternoon, and how tests write a ledger of a database and read it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cds_service.store.ledger import Comparison, Ledger, Line, Sound

START = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOURS = (0, 0, 1, 4, 4, 5)
"""When each of six records was made, in hours after noon."""
LATER = START + timedelta(hours=9, seconds=30)


def made(number: int) -> datetime:
    return START + timedelta(hours=HOURS[number], minutes=number, seconds=number)


def written(ledger: Ledger) -> list[bytes]:
    return [line.written() for line in ledger.due([], LATER)]


def read(ledger: Ledger, lines: Sequence[bytes]) -> Sequence[Line]:
    found, state = ledger.read(lines)
    assert state == Sound()
    return found


def compared(ledger: Ledger, lines: Sequence[bytes], kept_since: datetime = START) -> Comparison:
    found = read(ledger, lines)
    steps: list[int] = []
    comparison = ledger.compare(found, kept_since, lambda: steps.append(1))
    assert len(steps) == len(found)
    return comparison
