"""What a worker does about memory before it answers."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import ctypes
from threading import Barrier, Thread
from cds_service.collector import settle

settle()
together, held = Barrier(16), []

def work():
    together.wait()
    held.append(bytes(60_000))
    together.wait()

threads = [Thread(target=work) for _ in range(together.parties)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc = ctypes.CDLL(None)
if hasattr(libc, "malloc_stats"):
    libc.malloc_stats()
"""


def test_t51_threads_share_two_heaps_so_that_none_keeps_what_a_large_body_needed() -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60
    )
    assert run.stderr.count("Arena ") <= 2, run.stderr
