"""What is counted, for Prometheus. Labels are of closed lists: no patient, no id, no address.

A service or finding that the knowledge does not have never becomes a label, so nothing a caller
sends can make the number of time series grow.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    values,
)
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
"""The library's name for the folder in which the workers of one service add up their counts."""

_DURATIONS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


@dataclass(frozen=True, slots=True)
class Reading:
    """A number that stands in the database: `name` is one of Metrics._readings."""

    name: str
    source: str
    state: str
    value: int


_Metric = TypeVar("_Metric", Counter, Histogram)


class _Series(dict[tuple[str, ...], _Metric], Generic[_Metric]):
    """The time series of one metric by their labels, which are of closed lists.

    Each is looked up in the library once and kept: the lookup costs more than the counting.
    """

    def __init__(self, metric: _Metric) -> None:
        super().__init__()
        self._metric: _Metric = metric

    def __missing__(self, labels: tuple[str, ...]) -> _Metric:
        series = self[labels] = self._metric.labels(*labels)
        return series


class Metrics:
    """The counters of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = self._counter(
            "requests",
            "Requests answered, by route, service and status.",
            "route",
            "service",
            "status",
        )
        self._durations = _Series(
            Histogram(
                "cds_request_duration_seconds",
                "Time to answer, by route and service.",
                ("route", "service"),
                buckets=_DURATIONS,
                registry=self.registry,
            )
        )
        self._calls = self._counter(
            "calls",
            "Calls answered, by client, service, and whether cards were made.",
            "client",
            "service",
            "said",
        )
        self._cards = self._counter(
            "cards", "Cards made, by service and outcome.", "service", "outcome"
        )
        self._withheld = self._counter(
            "cards_withheld", "Cards made for a client in shadow mode, and not sent.", "service"
        )
        self._findings = self._counter("findings", "Findings on cards made.", "finding")
        self._reasons = self._counter("reasons", "Why results were not interpreted.", "reason")
        self._missing = self._counter("missing_data", "Data that an evaluation lacked.", "what")
        self._upstream = self._counter(
            "upstream_faults", "Why data were not fetched, by prefetch key.", "key", "fault"
        )
        self._refusals = self._counter("token_refusals", "Tokens refused, by cause.", "cause")
        self._feedback = self._counter(
            "feedback", "New feedback on cards sent, by service and outcome.", "service", "outcome"
        )
        self._notified = self._counter(
            "notifications", "Notifications taken, by source and what they were.", "source", "taken"
        )
        self._missing_events = self._counter(
            "events_missing", "Event numbers found missing, by source.", "source"
        )
        self._readings = {
            "events": self._gauge(
                "events", "Results of a source that were notified, by what became of them."
            ),
            "events_day": self._gauge(
                "events_day",
                "Evaluations of a source's results of the last day, by what came of them.",
            ),
            "event_subscriptions": self._gauge(
                "event_subscriptions", "Subscriptions at a source, by how they stand."
            ),
        }

    def _gauge(self, name: str, words: str) -> Gauge:
        return Gauge(
            f"cds_{name}",
            words,
            ("source", "state"),
            registry=self.registry,
            multiprocess_mode="mostrecent",
        )

    def _counter(self, name: str, words: str, *labels: str) -> _Series[Counter]:
        return _Series(Counter(f"cds_{name}", words, labels, registry=self.registry))

    def answered(self, *, route: str, service: str, status: int, seconds: float) -> None:
        """One request was answered."""
        self._requests[route, service, str(status)].inc()
        self._durations[route, service].observe(seconds)

    def called(self, *, client: str, service: str, cards: int) -> None:
        """One call came to so many cards, sent or withheld; `client` is a name of the registry."""
        # Both series exist from the first call on. To Prometheus a series that begins at 1 has not
        # risen, so an alert would miss the only card of a quiet week.
        nothing = self._calls[client, service, "nothing"]
        with_cards = self._calls[client, service, "cards"]
        (with_cards if cards else nothing).inc()

    def card(self, *, service: str, outcome: str, findings: Iterable[str], reason: str) -> None:
        """One card was made."""
        self._cards[service, outcome].inc()
        for finding in findings:
            self._findings[(finding,)].inc()
        if reason:
            self._reasons[(reason,)].inc()

    def withheld(self, *, service: str, count: int) -> None:
        """So many of the cards were not sent: the client is in shadow mode."""
        self._withheld[(service,)].inc(count)

    def lacked(self, what: Iterable[str]) -> None:
        """Data that an evaluation lacked, in the public `missing` words."""
        for word in what:
            self._missing[(word,)].inc()

    def not_fetched(self, *, key: str, fault: str) -> None:
        """A prefetch key was not complete, and why."""
        self._upstream[key, fault].inc()

    def refused_token(self, cause: str) -> None:
        """A token was refused; `cause` is the code for the log, which the caller never sees."""
        self._refusals[(cause,)].inc()

    def feedback(self, *, service: str, outcome: str, count: int) -> None:
        """So many items of feedback were new and of a card that was sent."""
        self._feedback[service, outcome].inc(count)

    def expect_reasons(self, reasons: Iterable[str]) -> None:
        """Show each of these reasons with 0 before a result is left uninterpreted for it.

        Prometheus sees no rise in a series whose first value is 1, so without the 0 the alert
        would miss the first result after every start.
        """
        for reason in reasons:
            self._reasons[(reason,)].inc(0)

    def expect_gaps(self, sources: Iterable[str]) -> None:
        """Show 0 missing events for each of these sources before one is found missing.

        Often the first notification after a stop shows the gap. A series whose first value is 3
        has not risen for Prometheus, and nobody would be told.
        """
        for source in sources:
            self._missing_events[(source,)].inc(0)

    def notified(self, *, source: str, taken: str, missing: int) -> None:
        """One notification of a source was kept; `missing` event numbers are new gaps."""
        self._notified[source, taken].inc()
        self._missing_events[(source,)].inc(missing)

    def read(self, readings: Iterable[Reading]) -> None:
        """Show these numbers, as they stand in the database at present."""
        for reading in readings:
            gauge = self._readings[reading.name]
            gauge.labels(reading.source, reading.state).set(reading.value)

    def text(self) -> bytes:
        """Everything counted, in the Prometheus text format."""
        if _DIRECTORY in os.environ:
            return text_of_all_workers(os.environ[_DIRECTORY])
        return generate_latest(self.registry)


def share(directory: str) -> None:
    """Count in a folder, together with the other workers. To be called before Metrics is made."""
    os.environ[_DIRECTORY] = directory
    values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]


def text_of_all_workers(directory: str) -> bytes:
    """Everything counted in a folder that workers share, in the Prometheus text format."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=directory)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
