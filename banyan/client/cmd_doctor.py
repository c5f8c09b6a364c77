"""`banyan doctor`: what is here, what is missing, and how to get it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from banyan.client.exits import Exit

_MARKS = {"ok": ("ok", "green"), "missing": ("missing", "bold red"), "note": ("note", "yellow")}


def doctor(
    *,
    port: Annotated[
        int, typer.Option(min=1, max=65_535, help="Port that `banyan up` would use.")
    ] = 8080,
    url: Annotated[
        str | None,
        typer.Option(envvar="BANYAN_URL", help="Service to look for. Default: this machine."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of text.")] = False,
) -> None:
    """Say what this machine has of what Banyan needs, and how to get the rest.

    "missing" is needed for `banyan up` as it is without options, and makes the exit code 3; a
    "note" is not.
    """
    from banyan.local.checks import all_checks  # noqa: PLC0415 - the solve command needs none of it

    checks = all_checks(port=port, url=url)
    if as_json:
        typer.echo(json.dumps([asdict(check) for check in checks], indent=2))
    else:
        console = Console(highlight=False)
        for check in checks:
            mark, style = _MARKS[check.state]
            line = Text(f"{mark:<8}", style=style)
            line.append(f"{check.name} ".ljust(16), style="bold")
            line.append(check.detail)
            console.print(line, soft_wrap=True)
            if check.how:
                console.print(Text(f"{'':8}{'':16}{check.how}", style="dim"), soft_wrap=True)
    if any(check.state == "missing" for check in checks):
        raise typer.Exit(Exit.MISSING)
