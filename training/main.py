"""The command `banyan-train`. Each sub-command lives in a file of its own, `cmd_*.py`."""

from __future__ import annotations

import sys

try:
    import typer
except ModuleNotFoundError:  # the library alone was installed
    sys.stderr.write('banyan-train: the command line needs "banyan-serve[credit]"; install that.\n')
    sys.exit(3)

from training.cmd_credit import credit
from training.cmd_data import data
from training.cmd_experiment import experiment
from training.cmd_run import run
from training.cmd_update import update

app = typer.Typer(
    name="banyan-train",
    help="Train the policy from the trees that the service logs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(credit)
app.command()(update)
app.add_typer(data)
app.command()(experiment)
app.command(context_settings={"allow_extra_args": True})(run)


def main() -> None:
    """Entry point of `python -m training`, which is what `banyan-train` becomes."""
    app(prog_name="banyan-train")
