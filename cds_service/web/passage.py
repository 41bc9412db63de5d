"""A request on its way through the service: what its log line, counts and headers are made of."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter


@dataclass(slots=True)
class Passage:
    """What is known of one request so far. No text of the caller but the request id."""

    request_id: str
    route: str
    """The rule of the address, never the address."""
    service: str = ""
    client: str = ""
    said: Mapping[str, object] = field(default_factory=dict)
    """Public words for its log line: what was answered, or why not."""
    began: float = field(default_factory=perf_counter)

    @property
    def seconds(self) -> float:
        """Since the request came."""
        return perf_counter() - self.began


_under_way: ContextVar[Passage] = ContextVar("passage")


def begin(passage: Passage) -> None:
    """Let the request under way be known by this passage: the first thing that every one does."""
    _under_way.set(passage)


def here() -> Passage:
    """The passage of the request under way."""
    return _under_way.get()
