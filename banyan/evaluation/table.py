"""Table: a summary for people. Scores are in percent, with their 95 % intervals."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table

from banyan.evaluation.stats import Estimate
from banyan.evaluation.summary import ALL, Row, Summary

_NONE = "-"


def render(summary: Summary) -> RenderableType:
    """The scores and costs, and below them the differences where there are any."""
    tables = [_scores(summary)]
    if summary.versus:
        tables.append(_differences(summary))
    return Group(*tables)


def _scores(summary: Summary) -> Table:
    table = Table(title=summary.set, title_justify="left", pad_edge=False, box=None)
    for name in ("bucket", "system"):
        table.add_column(name, no_wrap=True)
    for name in (
        *("n", "score", "95 %", "tok/in", "prompt", "cached", "compl", "calls", "nodes"),
        *("depth", "s", "cited", "stand", "read", "fail"),
    ):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("parts")
    before = ""
    for row in summary.rows:
        if before and row.bucket != before:
            table.add_section()
        table.add_row(*_cells(row), style="bold" if row.bucket == ALL else None)
        before = row.bucket
    return table


def _cells(row: Row) -> list[str]:
    return [
        row.bucket,
        row.system,
        str(row.score.n),
        f"{100 * row.score.mean:.1f}",
        interval(row.score),
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
        str(row.failed) if row.failed else _NONE,
        " ".join(f"{name} {100 * value:.1f}" for name, value in row.parts.items()),
    ]


def _differences(summary: Summary) -> Table:
    table = Table(title="differences", title_justify="left", pad_edge=False, box=None)
    for name in ("bucket", "pair"):
        table.add_column(name, no_wrap=True)
    for name in ("n", "points", "95 %"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in summary.versus:
        table.add_row(
            one.bucket,
            f"{one.system} - {one.other}",
            str(one.difference.n),
            f"{100 * one.difference.mean:+.1f}",
            interval(one.difference),
        )
    return table


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
