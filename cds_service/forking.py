"""How the processes of a service are started (decision 86)."""

from __future__ import annotations

import multiprocessing
import sys


def choose() -> None:
    """Fork on Linux, which Python 3.14 no longer does by default. Call this before any start."""
    if sys.platform == "linux":
        multiprocessing.set_start_method("fork", force=True)
