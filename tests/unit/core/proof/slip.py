"""A slip in the knowledge of the toy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Slip:
    """One passage of the toy written otherwise, and what the proof must say of it."""

    file: str
    old: str
    new: str
    where: str
    says: str
