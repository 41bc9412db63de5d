"""How the processes of a service are started (decision 86)."""

from __future__ import annotations

import multiprocessing
import sys


def choose() -> None:
    """On Linux they are forked, which Python 3.14 would not do by itself; before the first one."""
    if sys.platform == "linux":
        multiprocessing.set_start_method("fork", force=True)
