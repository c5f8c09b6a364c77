"""Messages: an error as the command line says it, with what to do about it."""

from __future__ import annotations

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
