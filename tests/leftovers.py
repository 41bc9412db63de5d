"""What a call leaves in memory: cycles, which only the garbage collector takes away."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Errors:
    """Errors of some kinds that came into being since, and are still held by something."""

    kinds: tuple[type[BaseException], ...]
    before: tuple[BaseException, ...]

    def left(self) -> list[str]:
        """Their names."""
        known = set(map(id, self.before))
        return [type(one).__name__ for one in in_memory(self.kinds) if id(one) not in known]


@contextmanager
def errors_without_collector(*kinds: type[BaseException]) -> Iterator[Errors]:
    """Inside, nothing is taken away but what nobody holds."""
    gc.collect()
    gc.disable()
    try:
        yield Errors(kinds, in_memory(kinds))
    finally:
        gc.enable()


def in_memory(kinds: tuple[type[BaseException], ...]) -> tuple[BaseException, ...]:
    """All errors of these kinds. Asked by type: some things answer `isinstance` for another."""
    return tuple(thing for thing in gc.get_objects() if issubclass(type(thing), kinds))
