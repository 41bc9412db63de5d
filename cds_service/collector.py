"""Python's garbage collector: off while the service loads, rare while it answers.

During a start it would look through all objects again and again, which takes a quarter of the time,
and find nothing: what is loaded stays as long as the process.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_ALLOCATIONS_BETWEEN_COLLECTIONS = 10_000


@contextmanager
def at_rest() -> Iterator[None]:
    """No collections inside; afterwards no collection ever looks at what was loaded inside.

    Workers forked later do not touch it either, so that its memory stays shared with their parent.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def settle() -> None:
    """Let the collector run rarely from now on: a request leaves hardly a cycle behind."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_BETWEEN_COLLECTIONS)
