"""Metrics for Prometheus: requests by route and status, their time, bytes sent and received."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Metrics:
    """The numbers of one process.

    Routes are a fixed set of words, never what a client typed: a client cannot make the numbers
    grow without end.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "nacre_hub_requests",
            "Requests answered",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "nacre_hub_request_seconds",
            "Time from a request's head to the end of its answer",
            ("route", "method"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._sent = Counter(
            "nacre_hub_sent_bytes", "Bytes of bodies sent", ("route",), registry=self.registry
        )
        self._received = Counter(
            "nacre_hub_received_bytes",
            "Bytes of bodies received",
            ("route",),
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "nacre_hub_requests_in_flight", "Requests being answered", registry=self.registry
        )
        self.collected = Counter(
            "nacre_hub_collected",
            "What garbage collection has removed",
            ("kind",),
            registry=self.registry,
        )
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram, Counter, Counter]] = {}

    def answered(
        self, route: str, method: str, status: int, *, seconds: float, sent: int, received: int
    ) -> None:
        """Count a request."""
        key = (route, method, status)
        numbers = self._known.get(key)
        if numbers is None:
            numbers = self._known[key] = (
                self._requests.labels(route, method, str(status)),
                self._seconds.labels(route, method),
                self._sent.labels(route),
                self._received.labels(route),
            )
        requests, histogram, sent_bytes, received_bytes = numbers
        requests.inc()
        histogram.observe(seconds)
        if sent:
            sent_bytes.inc(sent)
        if received:
            received_bytes.inc(received)

    def text(self) -> bytes:
        """Return the numbers as Prometheus reads them."""
        return generate_latest(self.registry)
