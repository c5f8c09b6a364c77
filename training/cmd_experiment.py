"""`banyan-train experiment`: measure a claim, and write its table, JSON and plot."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from banyan.client.exits import Exit
from banyan.client.messages import print_error
from banyan.errors import BanyanError
from banyan.local import training_env
from banyan.local.errors import LocalError


def experiment(
    name: Annotated[
        str,
        typer.Argument(
            help=(
                "algebra, credit, depth, dialog, efficiency, gate, links, long_sequence, maze, "
                "memory, oolong, parallel, state, textcraft, unsuitable, or all."
            )
        ),
    ],
    *,
    preset: Annotated[
        str, typer.Option(help="How large: cpu, gpu, small, quick, or smoke.")
    ] = "cpu",
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Independent runs of each arm (default: preset's).")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Environment steps an arm and seed.")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="Of torch (default: cuda for the preset gpu, else cpu).")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.1, help="End then; the same command goes on from there.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch.")] = 1,
    out: Annotated[Path, typer.Option(help="Where runs and reports are kept.")] = Path(
        "var/experiments"
    ),
    docs: Annotated[
        Path | None, typer.Option(help="A Markdown page whose part is written too.")
    ] = None,
) -> None:
    """Run what has not been run, and report. A killed run goes on from its last checkpoint."""
    try:
        training_env.enter(sys.argv[1:])
        from training.experiments.command import measure  # noqa: PLC0415 - needs torch
        from training.experiments.preset import preset as preset_of  # noqa: PLC0415

        chosen = preset_of(preset)
        chosen = replace(
            chosen,
            num_seeds=seeds or chosen.num_seeds,
            num_steps=steps or chosen.num_steps,
        )
        measure(
            name,
            chosen,
            out,
            docs,
            num_threads=threads,
            device=device or ("cuda" if preset == "gpu" else "cpu"),
            minutes=minutes,
        )
    except BanyanError as error:
        print_error(error, program="banyan-train")
        code = error.exit_code if isinstance(error, LocalError) else Exit.ERROR
        raise typer.Exit(code) from None
