"""One item of event work in words: what was notified, what a worker has leased, what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from cds_service.store.records import EvaluationRecord


class Way(StrEnum):
    """How we came to know of a result."""

    NOTIFIED = "notified"
    RECOVERED = "recovered"
    """By asking: after a gap, a stop, or on the operator's word."""


class Kind(StrEnum):
    """What is to be done."""

    OBSERVATION = "Observation"
    DIAGNOSTIC_REPORT = "DiagnosticReport"
    SWEEP = "Sweep"
    """Something has changed and we were not told what: search for it."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be fetched; a sweep has no id."""

    kind: Kind
    id: str = ""

    @property
    def reference(self) -> str:
        """`Observation/123`"""
        return f"{self.kind}/{self.id}"


SWEEP: Final = Target(Kind.SWEEP)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row leased to a worker."""

    number: int
    source: str
    item: str
    target: Target
    way: Way
    revision: int
    attempts: int
    first_received: datetime
    lease: str

    @property
    def may_have_been_delivered(self) -> bool:
        """Whether a try before this one may have died after it had delivered and before it was
        recorded. A row that was revived counts its tries anew, and has one more revision.
        """
        return self.attempts > 1 or self.revision > 1


@dataclass(frozen=True, slots=True)
class Searched:
    """A span of time of which a search has shown all changes."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One evaluation to keep, of this version of the result."""

    version: str
    replaces: str
    """The id of the evaluation before; empty for the first."""
    record: EvaluationRecord


@dataclass(frozen=True, slots=True)
class Past:
    """The evaluation of a result that was kept last: by which knowledge, and what was said."""

    evaluation: str
    version: str
    knowledge: str
    said: int
    """How many cards were delivered and stand."""
    told: bool
    """Whether it was delivered at all: it had cards, or took those before it back."""


@dataclass(frozen=True, slots=True)
class NeverEvaluated:
    """Nothing was kept of this result."""


class Ending(StrEnum):
    """What became of an attempt to end a row."""

    DONE = "done"
    AGAIN = "again"
    """It was notified again meanwhile, so it waits once more."""
    LEASE_LOST = "lease-lost"
    """Another worker has it by now: nothing was kept."""


def client_name(source: str) -> str:
    """The name of a source among clients: it cannot be that of a registered client."""
    return f"events:{source}"
