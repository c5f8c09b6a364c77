"""Observing: makes a program's metrics and traces as the settings have it."""

from __future__ import annotations

from importlib import metadata

import structlog

from banyan import signals
from banyan.adapters.engine_spec import EngineSpec
from banyan.adapters.memory_metrics import NoMetrics
from banyan.adapters.no_traces import NoTraces
from banyan.adapters.observed_engine import ObservedEngine
from banyan.adapters.prometheus import MetricsPage, PrometheusMetrics
from banyan.ports import Engine, Metrics, Traces
from banyan.settings import Settings

log = structlog.get_logger("banyan.observing")


class Observing:
    """Close it at the end. Raises InvalidInput where the page cannot have its address.

    A worker without a page counts nothing: nobody could read it. The service shows what it counts
    among its routes, too.
    """

    def __init__(self, settings: Settings, program: signals.Program) -> None:
        self.metrics: Metrics = NoMetrics()
        self._told: PrometheusMetrics | None = None
        self._page: MetricsPage | None = None
        if program == "service" or settings.metrics_port is not None:
            without = () if settings.metrics_tenants else signals.BY_TENANT
            self.metrics = self._told = PrometheusMetrics(program, without=without)
            self.metrics.put(signals.BUILD, 1, metadata.version("banyan-serve"), program)
            if settings.metrics_port is not None:
                self._page = MetricsPage(self._told, settings.metrics_host, settings.metrics_port)
                log.info("metrics.listening", host=settings.metrics_host, port=self._page.port)
        self.traces = _traces(settings, program)

    def page(self) -> bytes:
        """What a scraper reads; empty where nothing is counted."""
        return self._told.page() if self._told is not None else b""

    def engine(self, inner: Engine, spec: EngineSpec, url: str) -> Engine:
        """The engine, observed."""
        return ObservedEngine(
            inner, url, provider=spec.kind, metrics=self.metrics, traces=self.traces
        )

    def close(self) -> None:
        """Close the page, and send what is left of the traces."""
        if self._page is not None:
            self._page.close()
        self.traces.close()


def _traces(settings: Settings, program: signals.Program) -> Traces:
    if not settings.traces_url:
        return NoTraces()
    # What sends them is loaded only where somebody collects them.
    from banyan.adapters.opentelemetry_traces import collected_at  # noqa: PLC0415

    return collected_at(
        settings.traces_url, service=f"banyan-{program}", share=settings.traces_share
    )
