"""`banyan estimate`: what a solve would take, before anything is spent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from banyan.client.calls import SolveOptions
from banyan.client.messages import told
from banyan.client.options import DEFAULT_URL, AsJson, Url
from banyan.client.sdk import Client
from banyan.estimate import Estimate, Plan


def estimate(
    goal: Annotated[str, typer.Argument(metavar="GOAL", help="What would be asked.")],
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Would be read; it is not uploaded, its bytes count as characters.",
        ),
    ] = None,
    *,
    more_files: Annotated[
        list[Path] | None,
        typer.Option(
            "--file",
            "-f",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="The same; repeat it for several.",
        ),
    ] = None,
    window: Annotated[
        int | None, typer.Option(min=512, help="Tokens; where the service does not know it.")
    ] = None,
    policy: Annotated[str | None, typer.Option(help="As for `solve`.")] = None,
    leaves: Annotated[str | None, typer.Option(help="As for `solve`.")] = None,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
) -> None:
    """Say what solving GOAL over the files would take: calls, nodes, depth, tokens, seconds."""
    options = SolveOptions()
    if policy is not None:
        options["policy"] = policy
    if leaves is not None:
        options["leaves"] = leaves
    documents = [*(files or ()), *(more_files or ())]
    with told(as_json=as_json), Client(url) as client:
        found = client.estimate(goal, documents=documents, window=window, **options)
    typer.echo(found.model_dump_json() if as_json else _text(found))


def _text(found: Estimate) -> str:
    fits = "fits" if found.fits else "does not fit"
    return "\n".join(
        [
            f"input: about {found.input_tokens:,} tokens; {fits} the window of {found.window:,}",
            f"at least: {_plan(found.least)}",
            f"at most: {_plan(found.most)}",
            *([f"likely: {_plan(found.likely)}"] if found.likely else []),
        ]
    )


def _plan(plan: Plan) -> str:
    parts = [
        f"{plan.llm_calls:,} calls",
        f"{plan.nodes:,} nodes",
        f"depth {plan.max_depth}",
        f"{plan.tokens:,} tokens",
    ]
    if plan.cost_usd:
        parts.append(f"{plan.cost_usd:.6f} USD")
    parts.append("time not known yet" if plan.seconds is None else f"{plan.seconds:.0f} s")
    return ", ".join(parts)
