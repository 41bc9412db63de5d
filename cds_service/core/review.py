"""Whether clinicians have signed the knowledge, as a closed type.

Until a named reviewer has signed exactly this content, it is pending, and every card says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Pending:
    """Nobody has signed this content."""

    void: str = ""
    """Why an approval on file does not hold; empty where there is none."""


@dataclass(frozen=True, slots=True)
class Approved:
    """A named reviewer has signed exactly this content."""

    reviewer: str
    on: date
    role: str = ""


ReviewState = Pending | Approved
PENDING = Pending()
