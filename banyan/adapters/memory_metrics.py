"""Metrics in memory, for tests, and metrics that go nowhere."""

from __future__ import annotations

from collections import defaultdict

from banyan.signals import Metric


class MemoryMetrics:
    """`banyan.ports.Metrics` that can be read. Values by metric, then by labels."""

    def __init__(self) -> None:
        self.values: dict[Metric, dict[tuple[str, ...], float]] = defaultdict(dict)
        self.observed: dict[Metric, dict[tuple[str, ...], list[float]]] = defaultdict(dict)

    def count(self, metric: Metric, *labels: str, amount: float = 1) -> None:
        known = self.values[metric]
        known[labels] = known.get(labels, 0) + amount

    def observe(self, metric: Metric, value: float, *labels: str) -> None:
        self.observed[metric].setdefault(labels, []).append(value)

    def put(self, metric: Metric, value: float, *labels: str) -> None:
        self.values[metric][labels] = value

    def forget(self, metric: Metric) -> None:
        self.values.pop(metric, None)

    def of(self, metric: Metric, *labels: str) -> float:
        """A value; 0 where there is none."""
        return self.values[metric].get(labels, 0)


class NoMetrics:
    """`banyan.ports.Metrics` where nobody looks."""

    def count(self, metric: Metric, *labels: str, amount: float = 1) -> None:
        """Nothing."""

    def observe(self, metric: Metric, value: float, *labels: str) -> None:
        """Nothing."""

    def put(self, metric: Metric, value: float, *labels: str) -> None:
        """Nothing."""

    def forget(self, metric: Metric) -> None:
        """Nothing."""
