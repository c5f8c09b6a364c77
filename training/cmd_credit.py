"""`banyan-train credit`: reward, advantage and weight of every node of logged trees."""

from __future__ import annotations

import json
import math
import sys
from importlib.util import find_spec
from typing import Annotated, Literal

import typer

from banyan.client.exits import Exit
from banyan.client.messages import print_error
from banyan.errors import BanyanError
from banyan.local.errors import LocalError, Missing
from training.telling import fields_of


def credit(
    trees: Annotated[
        str, typer.Argument(metavar="TREES.jsonl", help="One JSON object a node; - is stdin.")
    ],
    *,
    lambda_: Annotated[
        float,
        typer.Option("--lambda", min=0.0, help="Weight of the children's mean success."),
    ] = 0.0,
    baseline: Annotated[
        Literal["root", "success"],
        typer.Option(help="Compare with the other trees' root rewards, or root success."),
    ] = "root",
    as_json: Annotated[bool, typer.Option("--json", help="An error as one JSON object.")] = False,
) -> None:
    """Print one JSON object a node, in the order of the input: what it earned (RAO eq. 1, 3, 4).

    Files may be compressed with zstd. A node without a success of its own takes its root's, and
    how many did is said on stderr.
    """
    if not math.isfinite(lambda_):
        raise typer.BadParameter("is no finite number", param_hint="--lambda")
    try:
        if find_spec("numpy") is None:
            raise Missing("this needs numpy", hint='Install "banyan-serve[credit]".')
        from training import credit_lines  # noqa: PLC0415 - needs numpy

        result = credit_lines.credit_of(trees, lambda_=lambda_, baseline=baseline)
    except BanyanError as error:
        if as_json:
            typer.echo(json.dumps(fields_of(error)))
        else:
            print_error(error, program="banyan-train")
        code = error.exit_code if isinstance(error, LocalError) else Exit.ERROR
        raise typer.Exit(code) from None
    if result.num_proxies:
        typer.echo(
            f"banyan-train: {result.num_proxies} of {result.num_nodes} nodes have no success of "
            "their own; their root's stands for it.",
            err=True,
        )
    for block in result.encoded():
        sys.stdout.buffer.write(block)
