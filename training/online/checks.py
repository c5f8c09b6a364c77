"""Checks: the options of an update, before anything is spent."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from training.cmd_update import update

_SET_BY_THE_LOOP = frozenset(
    {
        *("--model", "--out", "--parent", "--policy", "--base", "--adapter", "--weights"),
        *("--groups", "--max-staleness", "--resume", "--json"),
    }
)


def check_update(options: Sequence[str]) -> None:
    """Raises typer's usage errors for what `banyan-train update` would refuse."""
    for option in options:
        name = option.partition("=")[0]
        if name in _SET_BY_THE_LOOP:
            raise typer.BadParameter(f"{name} is set by the loop itself; leave it out behind `--`")
    app = typer.Typer(add_completion=False)
    app.command()(update)
    arguments = ["LOG", "--model", "MODEL", "--out", "OUT", *options]
    typer.main.get_command(app).make_context("update", arguments)
