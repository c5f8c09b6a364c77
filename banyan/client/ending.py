"""Ending: a result as a command's last words, and the exit code that says how the solve ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

import typer
from rich.console import Console

from banyan.client.exits import Exit, exit_of
from banyan.client.report import print_result
from banyan.client.results import SolveResult


def end_with(
    result: SolveResult, *, as_json: bool, names: Mapping[str, str] | None = None
) -> NoReturn:
    """Print `result` and leave. `names` maps ids of documents. One that runs is exit code 0."""
    if as_json:
        typer.echo(result.model_dump_json())
    elif result.finished:
        print_result(Console(highlight=False), result, names)
    else:
        typer.echo(f"{result.id} is {result.status}")
    raise typer.Exit(exit_of(result.status) if result.finished else Exit.OK)
