"""The command `banyan`. Each sub-command lives in a file of its own, `cmd_*.py`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.metadata import version
from typing import Annotated, ClassVar

try:
    import typer
except ModuleNotFoundError:  # the SDK alone was installed
    sys.stderr.write('banyan: the command line needs "banyan-serve[cli]"; install that.\n')
    sys.exit(3)

from banyan.client.completion import complete_at_once
from banyan.client.exits import EXIT_CODES_HELP
from banyan.client.lazy import Lazy, LazyGroup


class Commands(LazyGroup):
    """What there is; a test compares each line with the command's own help."""

    table: ClassVar[Mapping[str, Lazy]] = {
        "up": Lazy(
            "banyan.client.cmd_up",
            "up",
            "Run Redis, the model server, workers and the service here, until Ctrl-C.",
        ),
        "solve": Lazy(
            "banyan.client.cmd_solve",
            "solve",
            "Upload the files, solve GOAL over them, and print the answer with its sources.",
        ),
        "follow": Lazy(
            "banyan.client.cmd_follow",
            "follow",
            "Show the tree of ID as it grows, and its answer when it is finished.",
        ),
        "list": Lazy(
            "banyan.client.cmd_list",
            "list_all",
            "Show your solves, newest first: a table on a terminal, tab-separated lines when "
            "piped.",
        ),
        "tree": Lazy(
            "banyan.client.cmd_tree",
            "tree",
            "Print the nodes of ID, children below their parent: path, state, children.",
        ),
        "cancel": Lazy(
            "banyan.client.cmd_cancel",
            "cancel",
            "End what is not finished of ID; repeating it changes nothing.",
        ),
        "resume": Lazy(
            "banyan.client.cmd_resume",
            "resume",
            "Run again what failed of ID: what is complete stays. Then wait, and print the answer.",
        ),
        "estimate": Lazy(
            "banyan.client.cmd_estimate",
            "estimate",
            "Say what solving GOAL over the files would take: calls, nodes, depth, tokens, "
            "seconds.",
        ),
        "trace": Lazy(
            "banyan.client.cmd_trace",
            "trace",
            "Write the Chrome trace of ID, which https://ui.perfetto.dev opens.",
        ),
        "delete": Lazy(
            "banyan.client.cmd_delete",
            "delete",
            "Forget ID: a finished solve with its nodes and its answer, or a document with its "
            "text.",
        ),
        "feedback": Lazy(
            "banyan.client.cmd_feedback",
            "feedback",
            "Attach a success VALUE to the solve ID in the trajectory log.",
        ),
        "doctor": Lazy(
            "banyan.client.cmd_doctor",
            "doctor",
            "Say what this machine has of what Banyan needs, and how to get the rest.",
        ),
        "policies": Lazy(
            "banyan.client.cmd_policies",
            "app",
            "Versions of the served weights: list, publish, promote, take back.",
        ),
        "keys": Lazy("banyan.client.cmd_keys", "app", "API keys: make, list, revoke."),
        "eval": Lazy(
            "banyan.client.cmd_eval",
            "evaluate",
            "Measure the service and baselines on SETs: scores, intervals, tokens, calls, time.",
        ),
        "eval-compare": Lazy(
            "banyan.client.cmd_eval_compare",
            "compare",
            "Put runs of `banyan eval` beside each other, over the items that all of them "
            "answered.",
        ),
        "eval-citations": Lazy(
            "banyan.client.cmd_eval_citations",
            "judge",
            "Let a model judge a sample of the service's citations, and pairs whose answer is "
            "known.",
        ),
    }


app = typer.Typer(
    name="banyan",
    cls=Commands,
    help="Banyan: recursive inference as a service.",
    epilog=EXIT_CODES_HELP,
    no_args_is_help=True,
    rich_markup_mode=None,  # rich is slow to import, and the list needs none of it
    pretty_exceptions_enable=False,
)


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
    command = typer.main.get_command(app)
    complete_at_once(command)
    command()


if __name__ == "__main__":
    main()
