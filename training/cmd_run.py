"""`banyan-train run`: the closed loop against a running service."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from banyan.client.calls import DEFAULT_URL
from banyan.client.exits import Exit
from banyan.client.messages import exit_of_error, print_error
from banyan.errors import BanyanError
from banyan.local.errors import LocalError
from banyan.settings import TraitSettings
from training.online.checks import check_update
from training.online.plan import Plan
from training.online.report import save, table, table_console
from training.online.state import RunFolder
from training.online.telling import Teller
from training.telling import fields_of


def run(
    context: typer.Context,
    *,
    model: Annotated[Path, typer.Option(help="The base model, as transformers writes it.")],
    eval_engine: Annotated[
        str,
        typer.Option(
            metavar="URL", help="A vLLM server of the same model that serves nobody else."
        ),
    ],
    folder: Annotated[Path, typer.Option("--run", help="The run's folder, which is made.")],
    url: Annotated[str, typer.Option(help="The service.")] = DEFAULT_URL,
    iterations: Annotated[int, typer.Option(min=1, help="Turns of the loop in all.")] = 8,
    environment: Annotated[str, typer.Option(help="Whose tasks: lookup.")] = "lookup",
    difficulty: Annotated[int, typer.Option(min=0, help="Of its tasks.")] = 2,
    tasks: Annotated[int, typer.Option(min=1, help="Tasks a turn, each a group of trees.")] = 12,
    group_size: Annotated[int, typer.Option(min=2, help="Trees of a task.")] = 8,
    eval_tasks: Annotated[
        int, typer.Option(min=20, help="Fresh tasks that each version is measured on.")
    ] = 64,
    ahead: Annotated[
        int, typer.Option(min=0, help="Batches that are collected while an update runs.")
    ] = 1,
    max_staleness: Annotated[
        int, typer.Option(min=0, help="Changes of the live version that a row may be behind.")
    ] = 2,
    max_depth: Annotated[int, typer.Option(min=0, max=32, help="Of each tree.")] = 0,
    max_nodes: Annotated[int, typer.Option(min=1, help="Of each tree.")] = 16,
    parallel: Annotated[int, typer.Option(min=1, help="Trees at one time.")] = 16,
    seed: Annotated[int, typer.Option(min=0, help="Of the tasks.")] = 0,
    policy: Annotated[str, typer.Option(help="The policy that is trained.")] = "base",
    base: Annotated[
        str | None, typer.Option(help="The base model's name on engines; default: its folder's.")
    ] = None,
    log: Annotated[
        Path | None, typer.Option(help="The trajectory log; default: BANYAN_TRAJECTORY_DIR.")
    ] = None,
    policy_dir: Annotated[
        Path | None, typer.Option(help="The folder of policies; default: BANYAN_POLICY_DIR.")
    ] = None,
    max_gap: Annotated[
        float,
        typer.Option(min=0.0, help="Nats a token that trainer and server may differ by."),
    ] = 0.2,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run there.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line, the last one the result.")
    ] = False,
) -> None:
    """Roll out, give credit, update, evaluate and publish, again and again.

    Options behind `--` are those of `banyan-train update`, such as `-- --full --lr 2e-5`. What
    workers know by BANYAN_ variables is read from the same ones. Exit code 1: a phase failed, and
    --resume goes on; 2: wrong usage; 3: something is missing.
    """
    try:
        plan = Plan(
            environment=environment,
            difficulty=difficulty,
            policy=policy,
            num_tasks=tasks,
            group_size=group_size,
            num_evaluation_tasks=eval_tasks,
            ahead=ahead,
            max_staleness=max_staleness,
            max_depth=max_depth,
            max_nodes=max_nodes,
            num_parallel=parallel,
            seed=seed,
            update=tuple(context.args),
        )
    except ValidationError as error:
        raise typer.BadParameter(error.errors()[0]["msg"].removeprefix("Value error, ")) from None
    # What talks to engines is not in the trainer's environment, where the other commands run too.
    from training.online.command import run_loop  # noqa: PLC0415
    from training.online.site import Places  # noqa: PLC0415

    check_update(plan.update)
    settings = TraitSettings()
    log = log or settings.trajectory_dir
    if log is None:
        raise typer.BadParameter("name the log, or set BANYAN_TRAJECTORY_DIR", param_hint="--log")
    places = Places(
        url=url,
        eval_engine=eval_engine,
        log=log,
        policies=policy_dir or settings.policy_dir,
        model=model,
        base=base or model.resolve().name,
        max_gap=max_gap,
    )

    def write(line: str) -> None:
        sys.stdout.write(f"{line}\n") if as_json else sys.stderr.write(f"{line}\n")
        sys.stdout.flush()

    def teller(first: int) -> Teller:
        return Teller(write, num_turns=iterations, first=first, as_json=as_json)

    try:
        work = run_loop(
            places,
            plan,
            settings,
            RunFolder(folder),
            num_turns=iterations,
            tell=teller,
            resume=resume,
        )
        state = asyncio.run(work)
    except BanyanError as error:
        if as_json:
            typer.echo(json.dumps(fields_of(error)))
        else:
            print_error(error, program="banyan-train")
        code = error.exit_code if isinstance(error, LocalError) else exit_of_error(error)
        raise typer.Exit(code) from None
    paths = save(state, folder)
    if as_json:
        typer.echo(json.dumps({"event": "result", **state.model_dump(mode="json")}))
    else:
        console = table_console()
        console.print(table(state))
        console.print(f"written: {', '.join(map(str, paths))}", soft_wrap=True)
    raise typer.Exit(Exit.OK)
