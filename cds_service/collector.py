"""The collector of cycles while much is loaded, and after.

It looks through everything that lives, again and again, as more is loaded: a quarter of the time
that a start takes. What is loaded stays as long as the process, so there is nothing to find.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_ALLOCATIONS_BETWEEN_COLLECTIONS = 10_000


@contextmanager
def at_rest() -> Iterator[None]:
    """No collections inside; afterwards what was loaded is never looked through again.

    A worker forked later leaves it alone too, so that its memory stays shared with its parent.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def settle() -> None:
    """Keep the collector off the hot path: a request leaves hardly a cycle behind."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_BETWEEN_COLLECTIONS)
