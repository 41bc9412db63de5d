"""A bounded pool of threads for outbound calls; who waits for it never waits past a deadline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from cds_service.fhir.deadline import Deadline
from cds_service.fhir.fetched import Refused, UpstreamFault
from cds_service.turn import waiting

Outcome = TypeVar("Outcome")


class Workers:
    """Threads shared by all hook calls of the process.

    A thread may outlast its caller only inside the system's name resolver, which cannot be
    interrupted; sockets end at the deadline by themselves (`line`).
    """

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="fhir-client")

    def run_all(
        self, tasks: Mapping[str, Callable[[], Outcome]], deadline: Deadline
    ) -> Mapping[str, Outcome | Refused]:
        """Run the tasks side by side. A task not done by the deadline comes to a fault."""
        if deadline.passed:
            return dict.fromkeys(tasks, Refused(UpstreamFault.DEADLINE))
        futures = [(key, self._pool.submit(task)) for key, task in tasks.items()]
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
        self._pool.shutdown(wait=True, cancel_futures=True)
