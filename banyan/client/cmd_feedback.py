"""`banyan feedback`: say how well a solve did, for training."""

from __future__ import annotations

from typing import Annotated

import typer

from banyan.client.calls import DEFAULT_URL
from banyan.client.messages import told
from banyan.client.sdk import Client
from banyan.feedback_source import Source


def feedback(
    solve_id: Annotated[str, typer.Argument(metavar="ID", help="The solve's id.")],
    value: Annotated[float, typer.Argument(min=0.0, max=1.0, help="0 is wrong, 1 is right.")],
    *,
    comment: Annotated[str | None, typer.Option(help="Why, in a few words.")] = None,
    node: Annotated[str, typer.Option(help="Path of one node; `0` is the solve as a whole.")] = "0",
    source: Annotated[Source, typer.Option(help="Who says so.")] = "user",
    as_json: Annotated[bool, typer.Option("--json", help="The receipt as a JSON object.")] = False,
    url: Annotated[
        str, typer.Option(envvar="BANYAN_URL", help="The service; see `banyan up`.")
    ] = DEFAULT_URL,
) -> None:
    """Attach a success VALUE to the solve ID in the trajectory log."""
    with told(as_json=as_json), Client(url) as client:
        received = client.feedback(solve_id, value, node=node, source=source, comment=comment)
    if as_json:
        typer.echo(received.model_dump_json())
    else:
        typer.echo(f"{received.value:g} for node {received.node} of {received.id}, received")
