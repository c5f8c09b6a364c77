"""`banyan trace`: when each node ran and waited, for Perfetto."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from banyan.client.messages import told
from banyan.client.options import DEFAULT_URL, AsJson, SolveId, Url
from banyan.client.sdk import Client


def trace(
    solve_id: SolveId,
    *,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", dir_okay=False, help="File. Default: stdout.")
    ] = None,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
) -> None:
    """Write the Chrome trace of ID, which https://ui.perfetto.dev opens.

    It is JSON in any case; --json says so of errors too.
    """
    with told(as_json=as_json), Client(url) as client:
        text = json.dumps(client.trace(solve_id))
    if out is None:
        typer.echo(text)
    else:
        out.write_text(text, encoding="utf-8")
        typer.echo(json.dumps({"id": solve_id, "file": str(out)}) if as_json else str(out))
