"""`banyan delete`: forget a finished solve."""

from __future__ import annotations

import json

import typer

from banyan.client.messages import told
from banyan.client.options import DEFAULT_URL, AsJson, SolveId, Url
from banyan.client.sdk import Client


def delete(solve_id: SolveId, *, as_json: AsJson = False, url: Url = DEFAULT_URL) -> None:
    """Forget the finished solve ID, with its nodes and its answer. Documents stay."""
    with told(as_json=as_json), Client(url) as client:
        client.delete(solve_id)
    deleted = json.dumps({"id": solve_id, "deleted": True})
    typer.echo(deleted if as_json else f"{solve_id} is deleted")
