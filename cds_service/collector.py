"""Python's garbage collector: off while the service loads, rare while it answers.

During a start it would look through all objects again and again, which takes a quarter of the time,
and find nothing: what is loaded stays as long as the process.

And the heaps of the C library (glibc), from which Python takes its memory. It gives threads heaps
of their own, up to eight for each core, and what a large body once needed stays in the heap of its
thread. Here one thread works at a time (`turn`), so two heaps do.
"""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager

_ALLOCATIONS_BETWEEN_COLLECTIONS = 10_000
_HEAPS = 2
_M_ARENA_MAX = -8  # of malloc.h


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
    """Let the collector run rarely from now on: a request leaves hardly a cycle behind.

    To be called before threads are started.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_BETWEEN_COLLECTIONS)
    libc = ctypes.CDLL(None)
    if hasattr(libc, "gnu_get_libc_version"):
        libc.mallopt(_M_ARENA_MAX, _HEAPS)
