"""`banyan eval-compare`: runs of one set beside each other, item by item."""

from __future__ import annotations

from typing import Annotated

import typer

from banyan.client.evaluating import table_console, told_errors


def compare(
    name: Annotated[str, typer.Argument(metavar="SET", help="One set that all runs have.")],
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            help="The --out of each run, as FOLDER or FOLDER:SYSTEM, such as var/large:head. "
            "Without a system: the service. The others are compared with the first.",
        ),
    ],
    *,
    seed: Annotated[int, typer.Option(help="Of the intervals.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="The result as one JSON object.")] = False,
) -> None:
    """Put runs of `banyan eval` beside each other, over the items that all of them answered.

    Scores, paired differences, tokens, calls, seconds and the model server's memory.
    """
    with told_errors(as_json=as_json):
        from banyan.evaluation import compare as comparing  # noqa: PLC0415 - needs the extra
        from banyan.evaluation.table import render  # noqa: PLC0415

        summary = comparing.compare(name, runs, seed=seed)
        if as_json:
            typer.echo(summary.model_dump_json())
        else:
            table_console().print(render(summary))
