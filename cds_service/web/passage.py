"""A request on its way through the service: what its log line, counts and headers are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import perf_counter

from flask import g


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


def begin(passage: Passage) -> None:
    """Let the request under way be known by this passage."""
    g.passage = passage


def here() -> Passage:
    """The passage of the request under way."""
    passage: Passage = g.passage
    return passage
