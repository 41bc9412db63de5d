"""What can keep a result from being processed, and what is done about it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from cds_service.core.model import Availability
from cds_service.fhir.calls.fetched import (
    Fetched,
    NotFound,
    Partial,
    Refused,
    Resource,
    UpstreamFault,
)
from cds_service.fhir.supplied import supplied

TRANSIENT: Final = frozenset(
    {
        UpstreamFault.CONNECT,
        UpstreamFault.TLS,
        UpstreamFault.TIMEOUT,
        UpstreamFault.BROKEN,
        UpstreamFault.STATUS_401,
        UpstreamFault.STATUS_429,
        UpstreamFault.STATUS_5XX,
        UpstreamFault.BREAKER_OPEN,
        UpstreamFault.DEADLINE,
    }
)
"""Faults that pass by themselves, or once an operator has looked at the other server."""

MOST_ATTEMPTS: Final = 8
"""How often every result is tried. It is then set aside, unless its fault may pass by itself."""
ASKED_FOR: Final = 5
"""How often a result that the server does not have is asked for before it counts as gone, within
half a minute or so: a server may notify a result before it can be read. One about which something
was said counts as gone at once."""
PATIENCE: Final = timedelta(days=7)
"""How long a fault that may pass is waited out even beyond that, counted from when the result was
first notified."""
FIRST_DELAY: Final = timedelta(seconds=2)
LONGEST_DELAY: Final = timedelta(minutes=5)
FAULT_OF_OURS: Final = "fault"

_JITTER = random.SystemRandom()

T = TypeVar("T")


class UpstreamFailed(Exception):  # noqa: N818 - says what happened
    """Something that is needed could not be had or written; `cause` is a word for the log."""

    def __init__(self, fault: UpstreamFault, *, during: str) -> None:
        super().__init__(f"{during}: {fault}")
        self.fault = fault
        self.during = during

    @property
    def cause(self) -> str:
        """`read: timeout`, without address or id."""
        return f"{self.during}: {self.fault}"

    @property
    def passes(self) -> bool:
        """Whether trying again later may help without anybody changing anything here."""
        return self.fault in TRANSIENT


def unless_refused(answer: T | Refused, *, during: str) -> T:
    """What was answered. Raises UpstreamFailed."""
    if isinstance(answer, Refused):
        raise UpstreamFailed(answer.fault, during=during)
    return answer


def answered(search: Fetched, *, during: str) -> Resource:
    """The answer to a search, which every server must be able to give. Raises UpstreamFailed."""
    match search:
        case Resource():
            return search
        case NotFound():
            raise UpstreamFailed(UpstreamFault.STATUS_404, during=during)
        case Refused(fault):
            raise UpstreamFailed(fault, during=during)


def faults_in(search: Resource) -> Iterator[UpstreamFault]:
    """Why the answer to a search may not be all there is: an error among its entries, or a page
    that could not be had.
    """
    if supplied(search.json).availability is Availability.FAILED:
        yield UpstreamFault.OPERATION_OUTCOME
    if isinstance(search.extent, Partial):
        yield search.extent.fault


@dataclass(frozen=True, slots=True)
class TryAgain:
    """A result that failed waits until then."""

    due: datetime


@dataclass(frozen=True, slots=True)
class SetAside:
    """Trying it again would not help."""


def after_failure(
    *, passes: bool, attempts: int, first_received: datetime, at: datetime
) -> TryAgain | SetAside:
    """What becomes of a result that failed.

    One that is older than PATIENCE is still tried MOST_ATTEMPTS times: an operator may have given
    it another turn, or no worker may have run.

    Delays double from 2 s to 5 min, each up to a half longer or shorter at random, so that what
    failed together does not come back together.
    """
    is_waited_for = passes and at - first_received <= PATIENCE
    if attempts >= MOST_ATTEMPTS and not is_waited_for:
        return SetAside()
    delay = min(FIRST_DELAY * 2 ** min(attempts - 1, 16), LONGEST_DELAY)
    return TryAgain(at + delay * _JITTER.uniform(0.5, 1.5))
