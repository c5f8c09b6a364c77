"""Durations of many like things, as the benchmarks tell of them: median, p95, p99 and the worst."""

from __future__ import annotations

import math
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
        """Of at least one duration in milliseconds."""
        return cls(
            count=len(found),
            median_ms=round(percentile(found, 50), 1),
            p95_ms=round(percentile(found, 95), 1),
            p99_ms=round(percentile(found, 99), 1),
            worst_ms=round(max(found), 1),
        )

    @property
    def said(self) -> str:
        """As a part of a line."""
        return (
            f"median {self.median_ms} ms, p95 {self.p95_ms} ms, p99 {self.p99_ms} ms, "
            f"worst {self.worst_ms} ms (of {self.count})"
        )


def percentile(values: Sequence[float], percent: int) -> float:
    """Of 1 to 99: the value below which so many of 100 lie, between two by their distance.

    The least and the largest are taken to be the 0th and the 100th. NaN of no values.
    """
    if len(values) < 2:
        return values[0] if values else math.nan
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
