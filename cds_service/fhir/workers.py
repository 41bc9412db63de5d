"""Threads for outbound calls, a fixed number for each origin; no caller waits past its deadline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Lock
from typing import TypeVar

from cds_service.fhir.deadline import Deadline
from cds_service.fhir.fetched import Refused, UpstreamFault
from cds_service.turn import waiting

Outcome = TypeVar("Outcome")


class Workers:
    """Threads shared by all hook calls of the process, separate for each origin: a slow origin uses
    up its own threads and not those of the others.

    A thread may outlast its caller only inside the system's name resolver, which cannot be
    interrupted; sockets end at the deadline by themselves (`dial`). Origins come from what is
    registered, never from an answer, so their number is bounded.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._lock = Lock()
        self._by_origin: dict[str, ThreadPoolExecutor] = {}

    def run_all(
        self, origin: str, tasks: Mapping[str, Callable[[], Outcome]], deadline: Deadline
    ) -> Mapping[str, Outcome | Refused]:
        """Run the tasks side by side. A task that is not done by the deadline is refused, and so is
        one that waited half of its time for a thread.
        """
        if deadline.passed:
            return dict.fromkeys(tasks, Refused(UpstreamFault.DEADLINE))
        pool = self._of(origin)
        half = deadline.remaining / 2

        def in_time(task: Callable[[], Outcome]) -> Outcome | Refused:
            # Cut off later, for our own lack of threads, it would count as a failure of the server.
            return task() if deadline.remaining >= half else Refused(UpstreamFault.DEADLINE)

        futures = [(key, pool.submit(in_time, task)) for key, task in tasks.items()]
        with waiting():
            wait([future for _key, future in futures], timeout=deadline.remaining)
        outcomes: dict[str, Outcome | Refused] = {}
        for key, future in futures:
            if future.done():
                outcomes[key] = future.result()
            else:
                never_began = future.cancel()
                fault = UpstreamFault.DEADLINE if never_began else UpstreamFault.TIMEOUT
                outcomes[key] = Refused(fault)
        return outcomes

    def close(self) -> None:
        """Let calls under way end by their deadlines, and end the threads."""
        for pool in self._by_origin.values():
            pool.shutdown(wait=True, cancel_futures=True)

    def _of(self, origin: str) -> ThreadPoolExecutor:
        with self._lock:
            if origin not in self._by_origin:
                self._by_origin[origin] = ThreadPoolExecutor(
                    max_workers=self._threads, thread_name_prefix="fhir-client"
                )
            return self._by_origin[origin]
