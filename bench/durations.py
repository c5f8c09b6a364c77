"""Durations of many like things, as the benchmarks tell of them: median, p95, p99 and the worst."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Durations:
    """Milliseconds."""

    count: int
    median_ms: float
    p95_ms: float
    p99_ms: float
    worst_ms: float

    @classmethod
    def of_ms(cls, found: Sequence[float]) -> Self:
        """Of at least two durations in milliseconds."""
        points = statistics.quantiles(found, n=100, method="inclusive")
        return cls(
            count=len(found),
            median_ms=round(points[49], 1),
            p95_ms=round(points[94], 1),
            p99_ms=round(points[98], 1),
            worst_ms=round(max(found), 1),
        )

    @property
    def said(self) -> str:
        """As a part of a line."""
        return (
            f"median {self.median_ms} ms, p95 {self.p95_ms} ms, p99 {self.p99_ms} ms, "
            f"worst {self.worst_ms} ms (of {self.count})"
        )
