"""`banyan cancel`: end a solve."""

from __future__ import annotations

import typer

from banyan.client.messages import told
from banyan.client.options import DEFAULT_URL, AsJson, SolveId, Url
from banyan.client.sdk import Client


def cancel(solve_id: SolveId, *, as_json: AsJson = False, url: Url = DEFAULT_URL) -> None:
    """End what is not finished of ID; repeating it changes nothing."""
    with told(as_json=as_json), Client(url) as client:
        result = client.cancel(solve_id)
    typer.echo(result.model_dump_json() if as_json else f"{result.id} is {result.status}")
