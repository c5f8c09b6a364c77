"""Plot: the score of each system in each bucket, with its interval, as a PNG file."""

from __future__ import annotations

from pathlib import Path

from banyan.evaluation.measure import MEASURES
from banyan.evaluation.summary import Summary

_WIDTH = 0.8
"""Of a group of bars, where groups are 1 apart."""
_INCHES_PER_BAR = 0.45
_MIN_INCHES, _MAX_INCHES = 5.0, 24.0
_MANY = 8
"""Buckets whose names stand slanted, so that they do not overlap."""


def write_plot(summary: Summary, path: Path) -> None:
    """Bars grouped by bucket. Needs no display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - takes a second
    from matplotlib.figure import Figure  # noqa: PLC0415

    buckets = list(dict.fromkeys(row.bucket for row in summary.rows))
    systems = list(dict.fromkeys(row.system for row in summary.rows))
    inches = 2.5 + _INCHES_PER_BAR * len(buckets) * (len(systems) + 1)
    figure = Figure(figsize=(min(max(inches, _MIN_INCHES), _MAX_INCHES), 4.0), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    width = _WIDTH / len(systems)
    measure = MEASURES[summary.unit]
    for number, system in enumerate(systems):
        bars = [
            (buckets.index(row.bucket), row.score)
            for row in summary.rows
            if row.system == system and row.score is not None
        ]
        axes.bar(
            [place + (number + 0.5) * width - _WIDTH / 2 for place, _ in bars],
            [measure.scale * score.mean for _, score in bars],
            width,
            yerr=[
                [measure.scale * max(0.0, score.mean - score.low) for _, score in bars],
                [measure.scale * max(0.0, score.high - score.mean) for _, score in bars],
            ],
            label=system,
            capsize=3,
        )
    axes.set_xticks(range(len(buckets)), buckets)
    if len(buckets) > _MANY:
        axes.tick_params("x", rotation=30)
    axes.set_ylabel(f"{measure.title} (95 % interval)")
    axes.set_ylim(bottom=0)
    axes.set_title(summary.set)
    figure.legend(loc="outside right upper")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=144)
