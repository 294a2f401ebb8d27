"""Metrics for Prometheus: requests by route and status, their time, bytes sent and received.

A request adds to a few plain numbers, which become Prometheus' families when somebody asks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_LIMITS = (*map(str, _SECONDS), "+Inf")


class _Answers:
    """The requests of one route, method and status."""

    __slots__ = ("by_time", "number", "received", "seconds", "sent")

    def __init__(self) -> None:
        self.number = 0
        self.seconds = 0.0
        self.sent = 0
        self.received = 0
        self.by_time = [0] * len(_LIMITS)


class Metrics(Collector):
    """The numbers of one process; all requests are counted in one thread.

    Routes are a fixed set of words, never what a client typed: a client cannot make the numbers
    grow without end.
    """

    def __init__(self) -> None:
        self.in_flight = 0
        self._answers: dict[tuple[str, str, int], _Answers] = {}
        self.registry = CollectorRegistry()
        self.collected = Counter(
            "nacre_hub_collected",
            "What garbage collection has removed",
            ("kind",),
            registry=self.registry,
        )
        self.registry.register(self)

    def answered(
        self, route: str, method: str, status: int, *, seconds: float, sent: int, received: int
    ) -> None:
        """Count a request."""
        answers = self._answers.get((route, method, status))
        if answers is None:
            answers = self._answers[route, method, status] = _Answers()
        answers.number += 1
        answers.seconds += seconds
        answers.sent += sent
        answers.received += received
        answers.by_time[bisect_left(_SECONDS, seconds)] += 1

    def collect(self) -> Iterator[Metric]:
        """Yield the numbers, as prometheus_client asks for them."""
        requests = CounterMetricFamily(
            "nacre_hub_requests", "Requests answered", labels=("route", "method", "status")
        )
        times = HistogramMetricFamily(
            "nacre_hub_request_seconds",
            "Time from a request's head to the end of its answer",
            labels=("route", "method", "status"),
        )
        sent = CounterMetricFamily(
            "nacre_hub_sent_bytes", "Bytes of bodies sent", labels=("route", "method", "status")
        )
        received = CounterMetricFamily(
            "nacre_hub_received_bytes",
            "Bytes of bodies received",
            labels=("route", "method", "status"),
        )
        for (route, method, status), answers in list(self._answers.items()):
            labels = (route, method, str(status))
            requests.add_metric(labels, answers.number)
            buckets = list(zip(_LIMITS, accumulate(answers.by_time), strict=True))
            times.add_metric(labels, buckets, answers.seconds)
            sent.add_metric(labels, answers.sent)
            received.add_metric(labels, answers.received)
        yield from (requests, times, sent, received)
        yield GaugeMetricFamily(
            "nacre_hub_requests_in_flight", "Requests being answered", self.in_flight
        )

    def text(self) -> bytes:
        """Return the numbers as Prometheus reads them."""
        return generate_latest(self.registry)
