"""`banyan follow`: watch a solve that runs, from its first event, and print its answer."""

from __future__ import annotations

import typer

from banyan.client.ending import end_with
from banyan.client.messages import told
from banyan.client.options import DEFAULT_URL, AsJson, SolveId, Url
from banyan.client.sdk import Client
from banyan.client.watching import follow_to_end


def follow(solve_id: SolveId, *, as_json: AsJson = False, url: Url = DEFAULT_URL) -> None:
    """Show the tree of ID as it grows, and its answer when it is finished.

    Drawn on a terminal, else line by line on stderr; with --json each event is a line on stdout,
    and the result the last one. Ctrl-C leaves; the solve goes on.
    """
    with told(as_json=as_json), Client(url) as client:
        try:
            result = follow_to_end(client, solve_id, as_json=as_json)
        except KeyboardInterrupt:
            raise typer.Exit(130) from None
    end_with(result, as_json=as_json)
