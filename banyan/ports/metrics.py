"""The metrics port: where programs tell what they count and measure."""

from __future__ import annotations

from typing import Protocol

from banyan.signals import Metric


class Metrics(Protocol):
    """Calls are quick, never wait and never fail; any thread may make them.

    `labels` are the values of the metric's labels, in their order.
    """

    def count(self, metric: Metric, *labels: str, amount: float = 1) -> None:
        """Add to a counter, or change a gauge by `amount`."""
        ...

    def observe(self, metric: Metric, value: float, *labels: str) -> None:
        """Put a value into a histogram."""
        ...

    def put(self, metric: Metric, value: float, *labels: str) -> None:
        """Set a gauge, or a counter that is kept elsewhere."""
        ...

    def forget(self, metric: Metric) -> None:
        """Drop what was put, for a metric whose labels are told anew each time."""
        ...
