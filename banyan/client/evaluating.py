"""Evaluating: what the commands around `banyan eval` share: how they end, and where they print."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from banyan.client.exits import Exit
from banyan.client.messages import exit_of_error, say
from banyan.errors import BanyanError

_TABLE_WIDTH = 130
"""Where stdout is no terminal."""


@contextmanager
def told_errors(*, as_json: bool) -> Iterator[None]:
    """Inside, an error of ours, or a package that is missing, ends the command with its words."""
    # Loaded here, so that the commands that only talk to a service stay quick.
    from banyan.evaluation import extra  # noqa: PLC0415
    from banyan.local.errors import LocalError  # noqa: PLC0415

    try:
        extra.check_packages()
        yield
    except BanyanError as error:
        say(error, as_json=as_json)
        if isinstance(error, LocalError):
            raise typer.Exit(error.exit_code) from None
        raise typer.Exit(exit_of_error(error)) from None
    raise typer.Exit(Exit.OK)


def table_console() -> Console:
    """For tables on stdout, which are not folded to a narrow screen that is none."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _TABLE_WIDTH
    return console
