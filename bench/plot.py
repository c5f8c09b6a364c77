"""Plots of the benchmarks: lines over one axis, as a PNG file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

Lines = Mapping[str, Sequence[tuple[float, float]]]
"""By name: points (x, y)."""


def write_lines(
    path: Path,
    lines: Lines,
    *,
    x: str,
    y: str,
    title: str,
    goals: Mapping[str, float] | None = None,
    log_x: bool = False,
) -> None:
    """Draw the lines, and a dashed one for each goal. Needs no display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - takes a second
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(7.0, 4.0), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for name, points in lines.items():
        axes.plot(*zip(*points, strict=True), marker="o", label=name)
    for name, goal in (goals or {}).items():
        axes.axhline(goal, linestyle="--", color="grey")
        axes.annotate(name, (0.01, goal), xycoords=("axes fraction", "data"), va="bottom")
    if log_x:
        axes.set_xscale("log")
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_ylim(bottom=0)
    axes.set_title(title)
    figure.legend(loc="outside right upper")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=144)
