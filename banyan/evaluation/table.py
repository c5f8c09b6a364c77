"""Table: a summary for people. Scores are in percent, with their 95 % intervals."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table

from banyan.evaluation.stats import Estimate
from banyan.evaluation.summary import ALL, Row, Summary

_NONE = "-"
COUNTS = frozenset({"steps"})
"""Parts of scores that are no shares."""


def render(summary: Summary) -> RenderableType:
    """The scores, the differences where there are any, and the costs."""
    tables: list[RenderableType] = [_scores(summary)]
    if summary.versus:
        tables += ["", _differences(summary)]
    return Group(*tables, "", _costs(summary))


def _scores(summary: Summary) -> Table:
    table = _table(summary.set, ("bucket", "system"), ("n", "score", "95 %", "partial", "failed"))
    table.add_column("parts", no_wrap=True)
    for row in summary.rows:
        table.add_row(
            row.bucket,
            row.system,
            str(row.score.n),
            f"{100 * row.score.mean:.1f}",
            interval(row.score),
            str(row.partial or _NONE),
            str(row.failed or _NONE),
            "  ".join(f"{name} {_part(name, value)}" for name, value in row.parts.items()),
            style=_style(row),
        )
    return table


def _costs(summary: Summary) -> Table:
    table = _table(
        "costs",
        ("bucket", "system"),
        (
            *("tok/in", "prompt", "cached", "compl", "calls", "nodes", "depth", "s"),
            *("cited", "stand", "read"),
        ),
    )
    for row in summary.rows:
        table.add_row(
            row.bucket,
            row.system,
            f"{row.tokens_per_input_token:.2f}",
            thousands(row.prompt_tokens),
            thousands(row.cached_tokens),
            thousands(row.completion_tokens),
            f"{row.llm_calls:.1f}",
            f"{row.nodes:.1f}",
            f"{row.depth:.1f}",
            f"{row.seconds:.1f}",
            str(row.citations),
            percent(row.resolved),
            percent(row.coverage),
            style=_style(row),
        )
    return table


def _differences(summary: Summary) -> Table:
    table = _table("differences", ("bucket", "pair"), ("n", "points", "95 %"))
    for one in summary.versus:
        table.add_row(
            one.bucket,
            f"{one.system} - {one.other}",
            str(one.difference.n),
            f"{100 * one.difference.mean:+.1f}",
            interval(one.difference),
        )
    return table


def _table(title: str, names: tuple[str, ...], numbers: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left", pad_edge=False, box=None)
    for name in names:
        table.add_column(name, no_wrap=True)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _style(row: Row) -> str | None:
    return "bold" if row.bucket == ALL else None


def _part(name: str, value: float) -> str:
    """In percent, but for a count."""
    return f"{value:.1f}" if name in COUNTS else f"{100 * value:.1f}"


def interval(value: Estimate) -> str:
    """`12.0..34.5`, in percent."""
    return f"{100 * value.low:.1f}..{100 * value.high:.1f}"


def percent(share: float | None) -> str:
    """A share, or a dash where there is none."""
    return _NONE if share is None else f"{100 * share:.0f}%"


def thousands(count: int) -> str:
    """`950`, `12.3k`, `1.2M`."""
    if count < 1_000:
        return str(count)
    if count < 1_000_000:
        return f"{count / 1_000:.1f}k"
    return f"{count / 1_000_000:.1f}M"
