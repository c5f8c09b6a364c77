"""Table: a summary for people. Scores are in their measure's unit, with 95 % intervals."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from banyan.evaluation.measure import MEASURES, SHARE, Measure
from banyan.evaluation.stats import Estimate
from banyan.evaluation.summary import ALL, Row, Summary

_NONE = "-"
COUNTS = frozenset({"steps", "state_tokens", "last_tokens"})
"""Parts of scores that are no shares."""


def render(summary: Summary) -> RenderableType:
    """The scores, the differences where there are any, and the costs."""
    tables: list[RenderableType] = [_scores(summary)]
    if summary.versus:
        tables += ["", _differences(summary)]
    tables += ["", _costs(summary)]
    if any(row.actions or row.determined_actions for row in summary.rows):
        tables += ["", _actions(summary)]
    return Group(*tables, *(Text(note) for note in summary.notes))


def _scores(summary: Summary) -> Table:
    measure = MEASURES[summary.unit]
    title = f"{summary.set}: {measure.title}"
    table = plain_table(title, ("bucket", "system"), ("n", "score", "95 %", "partial", "failed"))
    table.add_column("parts", no_wrap=True)
    for row in summary.rows:
        table.add_row(
            row.bucket,
            row.system,
            *estimate_cells(row.score, measure),
            str(row.partial or _NONE),
            str(row.failed or _NONE),
            "  ".join(f"{name} {_part(name, value)}" for name, value in row.parts.items()),
            style=_style(row),
        )
    return table


def _costs(summary: Summary) -> Table:
    table = plain_table(
        "costs",
        ("bucket", "system"),
        (
            *("tok/in", "prompt", "cached", "compl", "calls", "nodes", "depth", "s"),
            *("cited", "stand", "read", "memory"),
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
            memory(row.engine_peak_bytes),
            style=_style(row),
        )
    return table


def _actions(summary: Summary) -> Table:
    names = ("written", "first try", "retries/100", "determined")
    table = plain_table("actions", ("bucket", "system"), names)
    for row in summary.rows:
        if row.actions or row.determined_actions:
            retries = row.retries_per_100_turns
            table.add_row(
                row.bucket,
                row.system,
                str(row.actions),
                percent(row.first_try, digits=1),
                _NONE if retries is None else f"{retries:.1f}",
                str(row.determined_actions),
                style=_style(row),
            )
    return table


def _differences(summary: Summary) -> Table:
    measure = MEASURES[summary.unit]
    table = plain_table("differences", ("bucket", "pair"), ("n", "points", "95 %"))
    for one in summary.versus:
        table.add_row(
            one.bucket,
            f"{one.system} - {one.other}",
            *estimate_cells(one.difference, measure, signed=True),
        )
    return table


def plain_table(title: str, names: tuple[str, ...], numbers: tuple[str, ...]) -> Table:
    """An empty table: columns of names, then of numbers."""
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


def estimate_cells(
    value: Estimate | None, measure: Measure, *, signed: bool = False
) -> tuple[str, ...]:
    """Items, mean and interval; dashes where there is nothing."""
    if value is None:
        return "0", _NONE, _NONE
    return str(value.n), measure.show(value.mean, signed=signed), interval(value, measure)


def interval(value: Estimate, measure: Measure = SHARE) -> str:
    """`12.0..34.5`, in the unit of the measure."""
    return f"{measure.show(value.low)}..{measure.show(value.high)}"


def percent(share: float | None, digits: int = 0) -> str:
    """A share, or a dash where there is none."""
    return _NONE if share is None else f"{100 * share:.{digits}f}%"


def memory(num_bytes: int | None) -> str:
    """`1.5G`, or a dash where it is not known."""
    return _NONE if num_bytes is None else f"{num_bytes / 2**30:.2f}G"


def thousands(count: int) -> str:
    """`950`, `12.3k`, `1.2M`."""
    if count < 1_000:
        return str(count)
    if count < 1_000_000:
        return f"{count / 1_000:.1f}k"
    return f"{count / 1_000_000:.1f}M"
