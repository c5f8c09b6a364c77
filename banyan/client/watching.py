"""Watching: a solve until its end, as its tree is drawn, told line by line, or not shown at all."""

from __future__ import annotations

from collections.abc import Callable

import typer
from rich.console import Console

from banyan.client.progress import make_progress
from banyan.client.results import SolveResult, StreamEvent
from banyan.client.sdk import Client


def watch(client: Client, solve_id: str, *, follow: bool, as_json: bool) -> SolveResult:
    """The result; Ctrl-C cancels the solve, and its result says so."""
    try:
        return _wait(client, solve_id, follow=follow, as_json=as_json)
    except KeyboardInterrupt:
        client.cancel(solve_id)
        return client.wait(solve_id)


def follow_to_end(client: Client, solve_id: str, *, as_json: bool) -> SolveResult:
    """The result, while every event is shown."""
    if as_json:
        return _follow(client, solve_id, lambda event: typer.echo(_event_json(event)))
    with make_progress(Console(stderr=True, highlight=False)) as progress:
        return _follow(client, solve_id, progress.show)


def _wait(client: Client, solve_id: str, *, follow: bool, as_json: bool) -> SolveResult:
    if follow:
        return follow_to_end(client, solve_id, as_json=as_json)
    console = Console(stderr=True, highlight=False)
    with console.status("solving"):  # shows nothing where stderr is no terminal
        return client.wait(solve_id)


def _follow(client: Client, solve_id: str, show: Callable[[StreamEvent], None]) -> SolveResult:
    for event in client.stream(solve_id):
        if event.result is not None:
            return event.result
        show(event)
    return client.wait(solve_id)


def _event_json(event: StreamEvent) -> str:
    return event.model_dump_json(exclude={"result"})
