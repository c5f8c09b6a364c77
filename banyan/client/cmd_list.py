"""`banyan list`: the latest solves."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from banyan.client.evaluating import table_console
from banyan.client.listing import SolvePage
from banyan.client.messages import told
from banyan.client.options import DEFAULT_URL, AsJson, Url
from banyan.client.sdk import Client
from banyan.tree import TreeStatus

_GOAL_CHARS = 60


def list_all(
    *,
    status: Annotated[TreeStatus | None, typer.Option(help="Only those.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most so many.")] = 20,
    cursor: Annotated[str | None, typer.Option(help="Of the page before, to go on.")] = None,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
) -> None:
    """Show your solves, newest first: a table on a terminal, tab-separated lines when piped."""
    with told(as_json=as_json), Client(url) as client:
        page = client.list(status=status, cursor=cursor, limit=limit)
    if as_json:
        typer.echo(page.model_dump_json())
    else:
        _print(Console(highlight=False), page)


def _print(console: Console, page: SolvePage) -> None:
    rows = [
        (
            one.id,
            one.status,
            time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(one.created_at)),
            str(one.usage.nodes),
            " ".join(one.goal.split())[:_GOAL_CHARS],
        )
        for one in page.solves
    ]
    if not console.is_terminal:
        for row in rows:
            typer.echo("\t".join(row))
        return
    table = Table("id", "status", "since", "nodes", "goal", box=None)
    for row in rows:
        table.add_row(*map(Text, row))
    table_console().print(table)
    if page.next:
        typer.echo(f"more: --cursor {page.next}")
