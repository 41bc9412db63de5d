"""Threads for outbound calls, a fixed number for each origin; no caller waits past its deadline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from typing import TypeVar

from cds_service.fhir.calls.by_origin import ByOrigin
from cds_service.fhir.calls.deadline import Deadline
from cds_service.fhir.calls.fetched import Refused, UpstreamFault
from cds_service.turn import waiting

Outcome = TypeVar("Outcome")


class Workers:
    """Threads shared by all hook calls of the process, separate for each origin: a slow origin uses
    up its own threads and not those of the others.

    A thread may outlast its caller only inside the system's name resolver, which cannot be
    interrupted; sockets end at the deadline by themselves (`dial`). The threads of an origin that
    is no longer kept end by themselves too, once they have nothing to do.
    """

    def __init__(self, threads: int) -> None:
        self._pools = ByOrigin(
            partial(ThreadPoolExecutor, max_workers=threads, thread_name_prefix="fhir-client")
        )

    def run_all(
        self, origin: str, tasks: Mapping[str, Callable[[], Outcome]], deadline: Deadline
    ) -> Mapping[str, Outcome | Refused]:
        """Run the tasks side by side. A task that is not done by the deadline is refused, and so is
        one that waited half of its time for a thread.
        """
        if deadline.passed:
            return dict.fromkeys(tasks, Refused(UpstreamFault.DEADLINE))
        pool = self._pools.of(origin)
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
        for pool in self._pools.all():
            pool.shutdown(wait=True, cancel_futures=True)
