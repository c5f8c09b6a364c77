"""`banyan tree`: the nodes of a solve, as they are now."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from banyan.client.messages import told
from banyan.client.options import DEFAULT_URL, AsJson, SolveId, Url
from banyan.client.results import NodeSummary
from banyan.client.sdk import Client

_PAGE = 1_000


def tree(
    solve_id: SolveId,
    *,
    node: Annotated[
        str | None, typer.Option(help="Path of one node, to show all of it, as JSON.")
    ] = None,
    max_nodes: Annotated[int, typer.Option(min=1, help="Stop after so many nodes.")] = 10_000,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
) -> None:
    """Print the nodes of ID, children below their parent: path, state, children."""
    with told(as_json=as_json), Client(url) as client:
        if node is not None:
            typer.echo(client.node(solve_id, node).model_dump_json(indent=None if as_json else 2))
            return
        nodes: list[NodeSummary] = []
        total = 1
        while len(nodes) < min(total, max_nodes):
            limit = min(_PAGE, max_nodes - len(nodes))
            page = client.tree(solve_id, offset=len(nodes), limit=limit)
            nodes += page.nodes
            total = page.total
            if not page.nodes:
                break
    if as_json:
        shown = [one.model_dump(mode="json") for one in nodes]
        typer.echo(json.dumps({"id": solve_id, "total": total, "nodes": shown}))
        return
    for one in sorted(nodes, key=_place):
        typer.echo(_line(one))
    if len(nodes) < total:
        typer.echo(f"{total - len(nodes)} more nodes: --max-nodes", err=True)


def _place(node: NodeSummary) -> list[int]:
    return [int(part) for part in node.path.split(".")]


def _line(node: NodeSummary) -> str:
    state = node.outcome or node.status
    parts = [f"{'  ' * node.depth}{node.path}", state]
    if node.num_children:
        parts.append(f"{node.num_children} children")
    if node.failure is not None and node.failure.code != state:
        parts.append(node.failure.code)
    return "  ".join(parts)
