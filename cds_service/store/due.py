"""Whether something that waits until a moment is due."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Column, ColumnElement, or_

LONGEST_WAIT: Final = timedelta(minutes=15)
"""Longer than anything is leased or made to wait."""


def is_due(due: Column[datetime], at: datetime) -> ColumnElement[bool]:
    """Whether it need not wait any longer. What would have to wait longer than anything does was
    written before the clock was set back: how long it has waited is not known.
    """
    return or_(due <= at, due > at + LONGEST_WAIT)
