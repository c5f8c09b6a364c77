"""The command `banyan`. Each sub-command lives in a file of its own, `cmd_*.py`."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

try:
    import typer
except ModuleNotFoundError:  # the SDK alone was installed
    sys.stderr.write('banyan: the command line needs "banyan-serve[cli]"; install that.\n')
    sys.exit(3)

from banyan.client.cmd_doctor import doctor
from banyan.client.cmd_eval import evaluate
from banyan.client.cmd_eval_citations import judge
from banyan.client.cmd_eval_compare import compare
from banyan.client.cmd_feedback import feedback
from banyan.client.cmd_keys import app as keys
from banyan.client.cmd_policies import app as policies
from banyan.client.cmd_solve import solve
from banyan.client.cmd_up import up
from banyan.client.exits import EXIT_CODES_HELP

app = typer.Typer(
    name="banyan",
    help="Banyan: recursive inference as a service.",
    epilog=EXIT_CODES_HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command(epilog=EXIT_CODES_HELP)(up)
app.command(epilog=EXIT_CODES_HELP)(solve)
app.command(epilog=EXIT_CODES_HELP)(feedback)
app.command(epilog=EXIT_CODES_HELP)(doctor)
app.command("eval", epilog=EXIT_CODES_HELP)(evaluate)
app.command("eval-compare", epilog=EXIT_CODES_HELP)(compare)
app.command("eval-citations", epilog=EXIT_CODES_HELP)(judge)
app.add_typer(policies, name="policies")
app.add_typer(keys, name="keys")


def _version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it with the option's value
    if wanted:
        typer.echo(f"banyan {version('banyan-serve')}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    del show_version  # its callback has acted on it


def main() -> None:
    """Entry point of the installed command."""
    app()


if __name__ == "__main__":
    main()
