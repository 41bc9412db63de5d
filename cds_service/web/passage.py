"""A request on its way through the service: what its log line, counts and headers are made of."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter


@dataclass(slots=True)
class Passage:
    """What is known of one request so far. The request id is the only text from the caller."""

    request_id: str
    route: str
    """The rule that the address matches (`/cds-services/<service_id>`), never the address."""
    service: str = ""
    client: str = ""
    said: Mapping[str, object] = field(default_factory=dict)
    """Public words for its log line: what was answered, or why not."""
    began: float = field(default_factory=perf_counter)

    @property
    def seconds(self) -> float:
        """Seconds since the request came."""
        return perf_counter() - self.began


_under_way: ContextVar[Passage] = ContextVar("passage")


def begin(passage: Passage) -> None:
    """Make this the passage of the request under way. Comes before all else in every request."""
    _under_way.set(passage)


def here() -> Passage:
    """The passage of the request under way."""
    return _under_way.get()
