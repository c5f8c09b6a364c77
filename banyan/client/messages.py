"""Messages: an error as the command line says it, with what to do about it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.text import Text

from banyan.client.errors import ServiceProblem, ServiceUnreachable
from banyan.client.exits import Exit
from banyan.errors import BanyanError

_REQUEST_AT_FAULT = range(400, 500)


def print_error(error: BanyanError, program: str = "banyan") -> None:
    """One sentence in red on stderr; below it what to do."""
    console = Console(stderr=True, highlight=False)
    console.print(Text(f"{program}: {error}", style="red"), soft_wrap=True)
    if error.hint:
        console.print(Text(error.hint), soft_wrap=True)


def say(error: BanyanError, *, as_json: bool) -> None:
    """The error as the command's output, in the form that was asked for."""
    if as_json:
        typer.echo(json.dumps(error_fields(error)))
    else:
        print_error(error)


@contextmanager
def told(*, as_json: bool) -> Iterator[None]:
    """Inside, an error of ours ends the command: its words, and the exit code that it has."""
    try:
        yield
    except BanyanError as error:
        say(error, as_json=as_json)
        raise typer.Exit(exit_of_error(error)) from None


def error_fields(error: BanyanError) -> dict[str, str]:
    """The error for `--json`."""
    return {"event": "error", "code": error.code, "message": str(error), "hint": error.hint}


def exit_of_error(error: BanyanError) -> Exit:
    """3 where there is no service, 2 where the request is at fault, else 1."""
    if isinstance(error, ServiceUnreachable):
        return Exit.MISSING
    if isinstance(error, ServiceProblem) and error.status in _REQUEST_AT_FAULT:
        return Exit.USAGE
    return Exit.ERROR
