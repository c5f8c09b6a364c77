"""Prometheus: the metrics of one process, and the page on which a scraper reads them.

The page has an address of its own, apart from the API: it asks for no key, so that a network policy
can let scrapers in and nobody else. It holds counts, and never a tenant unless that was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Thread
from wsgiref.simple_server import WSGIServer

from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
    start_http_server,
)

from banyan.errors import InvalidInput
from banyan.signals import METRICS, Metric, Program

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class PrometheusMetrics:
    """`banyan.ports.Metrics` of one program. Its metrics are there from the start.

    But for those that are kept elsewhere: they are there once they were looked up. `without`:
    those that are not kept, whoever tells them.
    """

    def __init__(self, program: Program, *, without: Iterable[Metric] = ()) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(PLATFORM_COLLECTOR)
        self.registry.register(GC_COLLECTOR)
        ProcessCollector(registry=self.registry)
        left_out = frozenset(without)
        kept = [
            metric
            for metric in METRICS
            if metric.program in (program, "both") and metric not in left_out
        ]
        self._families = {metric: self._made(metric) for metric in kept}
        self._counting: dict[tuple[Metric, tuple[str, ...]], Callable[[float], None]] = {}
        self._observing: dict[tuple[Metric, tuple[str, ...]], Callable[[float], None]] = {}
        self._put: dict[tuple[Metric, tuple[str, ...]], float] = {}

    def _made(self, metric: Metric) -> Counter | Gauge | Histogram:
        family = _family(metric)
        if not metric.kept_elsewhere:
            self.registry.register(family)
        for value in metric.first:
            family.labels(value)
        return family

    def count(self, metric: Metric, *labels: str, amount: float = 1) -> None:
        add = self._counting.get((metric, labels))
        if add is None:
            family = self._families.get(metric)
            if family is None:
                return
            child = family.labels(*labels) if labels else family
            if isinstance(child, Histogram):
                raise TypeError(f"{metric.name} is a histogram")
            add = self._counting[metric, labels] = child.inc
        add(amount)

    def observe(self, metric: Metric, value: float, *labels: str) -> None:
        tell = self._observing.get((metric, labels))
        if tell is None:
            family = self._families.get(metric)
            if family is None:
                return
            child = family.labels(*labels) if labels else family
            if not isinstance(child, Histogram):
                raise TypeError(f"{metric.name} is no histogram")
            tell = self._observing[metric, labels] = child.observe
        tell(value)

    def put(self, metric: Metric, value: float, *labels: str) -> None:
        family = self._families.get(metric)
        if family is None:
            return
        child = family.labels(*labels) if labels else family
        if isinstance(child, Gauge):
            child.set(value)
        elif isinstance(child, Counter):
            before = self._put.get((metric, labels), 0.0)
            if value < before:  # its keeper has begun anew, and so does the series
                child.reset()
                before = 0.0
            child.inc(value - before)
            if metric.kept_elsewhere and (metric, labels) not in self._put:
                self.registry.register(family)
            self._put[metric, labels] = value

    def forget(self, metric: Metric) -> None:
        family = self._families.get(metric)
        if family is not None:
            family.clear()

    @property
    def kept(self) -> frozenset[Metric]:
        """The metrics that this program has."""
        return frozenset(self._families)

    def page(self) -> bytes:
        """What a scraper reads."""
        return generate_latest(self.registry)


def _family(metric: Metric) -> Counter | Gauge | Histogram:
    match metric.kind:
        case "counter":
            name = metric.name.removesuffix("_total")
            return Counter(name, metric.help, metric.labels, registry=None)
        case "gauge":
            return Gauge(metric.name, metric.help, metric.labels, registry=None)
        case "histogram":
            return Histogram(
                metric.name, metric.help, metric.labels, registry=None, buckets=metric.buckets
            )


class MetricsPage:
    """The page at an address of its own, served by a thread until `close`."""

    def __init__(self, metrics: PrometheusMetrics, host: str, port: int) -> None:
        """Raises InvalidInput where nobody can listen there."""
        try:
            self._server, self._thread = _listen(metrics, host, port)
        except OSError as error:
            raise InvalidInput(
                f"cannot listen on {host}:{port} for metrics: {error.strerror}",
                hint="Set BANYAN_METRICS_HOST and BANYAN_METRICS_PORT to an address that is free.",
            ) from error

    @property
    def port(self) -> int:
        return int(self._server.server_port)

    def close(self) -> None:
        """End the thread and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)


def _listen(metrics: PrometheusMetrics, host: str, port: int) -> tuple[WSGIServer, Thread]:
    return start_http_server(port, host, registry=metrics.registry)
