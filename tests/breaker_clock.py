"""The clock that breakers rest by, held still."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from cds_service.fhir.calls import breaker


@dataclass
class Standing:
    """Counts seconds from any moment on, and moves only when it is told to."""

    at: float = 100.0

    def __call__(self) -> float:
        return self.at

    def shift(self, seconds: float) -> None:
        """Let so much time pass."""
        self.at += seconds


def standing(monkeypatch: pytest.MonkeyPatch) -> Standing:
    """The clock of all breakers for the rest of a test."""
    clock = Standing()
    monkeypatch.setattr(breaker, "monotonic", clock)
    return clock
