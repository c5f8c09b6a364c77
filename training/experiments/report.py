"""Report: what an experiment says: its claim, tables, curves; as JSON, Markdown and on a terminal.

`write_part` puts one report into a page that holds many, and leaves the others as they are.
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
from rich.console import Group, RenderableType
from rich.table import Table

from training.experiments.curves import Curve, draw
from training.experiments.results import write


class Grid(msgspec.Struct, frozen=True):
    """A table of texts. The first `num_names` columns are names, the others numbers."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    num_names: int = 1


class Report(msgspec.Struct, frozen=True):
    name: str
    title: str
    claim: str
    command: str
    """What measures this again."""
    verdict: str
    notes: list[str]
    grids: list[Grid]
    curves: list[Curve]


def rendered(report: Report) -> RenderableType:
    parts: list[RenderableType] = [f"{report.title}\nClaim: {report.claim}", ""]
    for grid in report.grids:
        table = Table(title=grid.title, title_justify="left", pad_edge=False, box=None)
        for place, column in enumerate(grid.columns):
            is_name = place < grid.num_names
            table.add_column(column, justify="left" if is_name else "right", no_wrap=True)
        for row in grid.rows:
            table.add_row(*row)
        parts += [table, ""]
    return Group(*parts, report.verdict, *report.notes)


def markdown(report: Report, plot: str | None) -> str:
    """`plot` is the place of the plot as the page sees it."""
    lines = [f"## {report.title}", "", f"Claim: {report.claim}", "", report.verdict, ""]
    lines += ["```sh", report.command, "```", ""]
    for grid in report.grids:
        rule = ["---" if place < grid.num_names else "---:" for place in range(len(grid.columns))]
        lines += [f"{grid.title}:", ""]
        lines += [f"| {' | '.join(row)} |" for row in (grid.columns, rule, *grid.rows)]
        lines.append("")
    if plot:
        lines += [f"![Learning curves of `{report.name}`]({plot})", ""]
    lines += [f"- {note}" for note in report.notes]
    return "\n".join(lines).rstrip() + "\n"


def save(report: Report, folder: Path) -> list[Path]:
    """`report.json`, `report.md` and, where there are curves, `curves.svg`."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / "report.json", folder / "report.md"]
    write(paths[0], report)
    plot = None
    if report.curves:
        plot = folder / "curves.svg"
        plot.write_text(draw(report.title, report.curves))
        paths.append(plot)
    paths[1].write_text(markdown(report, plot.name if plot else None))
    return paths


def write_part(page: Path, report: Report) -> list[Path]:
    """Replace the report's part of the page, or add it at the end; the plot stands beside it."""
    plot = None
    if report.curves:
        plot = page.parent / page.stem / f"{report.name}.svg"
        plot.parent.mkdir(parents=True, exist_ok=True)
        plot.write_text(draw(report.title, report.curves))
    begin, end = f"<!-- begin {report.name} -->", f"<!-- end {report.name} -->"
    place = f"{page.stem}/{report.name}.svg" if plot else None
    part = f"{begin}\n{markdown(report, place)}{end}\n"
    text = page.read_text() if page.exists() else "# Experiments\n"
    old = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}\n", re.DOTALL)
    is_there = old.search(text) is not None
    page.write_text(old.sub(lambda _: part, text) if is_there else f"{text.rstrip()}\n\n{part}")
    return [page, *([plot] if plot else [])]
