"""`banyan resume`: open a finished solve again, and wait for it."""

from __future__ import annotations

from typing import Annotated

import typer

from banyan.client.ending import end_with
from banyan.client.messages import told
from banyan.client.options import DEFAULT_URL, AsJson, SolveId, Url
from banyan.client.sdk import Client
from banyan.client.watching import watch


def resume(
    solve_id: SolveId,
    *,
    extra_tokens: Annotated[int, typer.Option(min=0, help="Added to what is left.")] = 0,
    extra_nodes: Annotated[int, typer.Option(min=0, help="Added to what is left.")] = 0,
    extra_cost: Annotated[
        float, typer.Option(min=0, help="USD added to what is left, where money is limited.")
    ] = 0.0,
    deadline: Annotated[
        float | None, typer.Option(min=1, help="Seconds from now on. Default: as at first.")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Show the tree as it grows; as for `solve`.")
    ] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Do not wait for its end.")] = False,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
) -> None:
    """Run again what failed of ID: what is complete stays. Then wait, and print the answer.

    Ctrl-C cancels the solve.
    """
    with told(as_json=as_json), Client(url) as client:
        result = client.resume(
            solve_id,
            extra_tokens=extra_tokens,
            extra_nodes=extra_nodes,
            extra_cost_usd=extra_cost,
            deadline_s=deadline,
        )
        if not (detach or result.finished):
            result = watch(client, solve_id, follow=follow, as_json=as_json)
    end_with(result, as_json=as_json)
