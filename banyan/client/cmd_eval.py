"""`banyan eval`: how good the answers are, and what they cost, on sets of questions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from banyan.client.cmd_up import EngineName
from banyan.client.evaluating import table_console, told_errors
from banyan.task import GateMode, StateChoice


def evaluate(
    sets: Annotated[
        list[str],
        typer.Argument(
            metavar="SET...",
            help="squality, qmsum, oolong_style, babilong, reasoning_gym, sgd_dialog, textcraft, "
            "maze, books_lm (vLLM only), or examples and contradictions, which come with Banyan.",
        ),
    ],
    *,
    data: Annotated[Path, typer.Option(file_okay=False, help="Folder that holds the sets.")] = Path(
        "../shared/data"
    ),
    baselines: Annotated[
        list[str] | None,
        typer.Option(
            "--baseline",
            metavar="NAME",
            help="Also run this baseline on the same model and window; repeat it for several, or "
            "`all`.",
        ),
    ] = None,
    only_baselines: Annotated[
        bool, typer.Option("--only-baselines", help="Leave the service out.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Items of each bucket, spread over its tasks.")
    ] = None,
    buckets: Annotated[
        list[str] | None,
        typer.Option("--bucket", help="Only this bucket, such as 2k; repeat it for several."),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="A service that runs already. Default: one is started.")
    ] = None,
    engine_url: Annotated[
        str | None,
        typer.Option("--engine", help="A model server that runs already; see --engine-kind."),
    ] = None,
    engine_kind: Annotated[EngineName, typer.Option(help="As --engine of `banyan up`.")] = "llama",
    packer_url: Annotated[
        str | None,
        typer.Option(
            "--packer",
            help="A packer server that runs already, started with --scores; for books_lm beside "
            "an --engine.",
        ),
    ] = None,
    model: Annotated[str | None, typer.Option(help="As --model of `banyan up`.")] = None,
    small_model: Annotated[
        bool, typer.Option("--small-model", help="As --small-model of `banyan up`.")
    ] = False,
    window: Annotated[
        int, typer.Option(min=512, help="Tokens of prompt and completion together.")
    ] = 2_048,
    gate: Annotated[
        GateMode | None, typer.Option(help="When to delegate. Default: the service's.")
    ] = None,
    threshold: Annotated[float | None, typer.Option(help="For --gate threshold, in nats.")] = None,
    state: Annotated[
        StateChoice, typer.Option(help="In which form a parent hands its context to its children.")
    ] = "auto",
    seed: Annotated[int, typer.Option(help="Of the choice of items and of the intervals.")] = 0,
    parallel: Annotated[
        int, typer.Option(min=1, help="Questions in flight at one time; more make each slower.")
    ] = 1,
    out: Annotated[
        Path,
        typer.Option(
            file_okay=False,
            help="Folder for records, summaries and plots; answers that are there already under "
            "the same settings are not asked for again.",
        ),
    ] = Path("var/eval"),
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Ask for everything again, whatever is in --out.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The result as one JSON object.")] = False,
) -> None:
    """Measure the service and baselines on SETs: scores, intervals, tokens, calls, time.

    Ctrl-C stops; the same command goes on where it stopped.
    """
    # Loaded here, so that the commands that only talk to a service stay quick.
    from banyan.evaluation.plan import BOOKS, Plan  # noqa: PLC0415

    if only_baselines and not baselines and set(sets) != {BOOKS}:
        raise typer.BadParameter("needs a --baseline", param_hint="--only-baselines")
    if small_model and url is not None:
        raise typer.BadParameter(
            "a service that runs already has its own settings: start it so, and leave this out",
            param_hint="--small-model",
        )
    plan = Plan(
        sets=tuple(sets),
        data=data,
        out=out,
        with_service=not only_baselines,
        url=url,
        engine_kind=engine_kind,
        engine_url=engine_url,
        packer_url=packer_url,
        model=model,
        small_model=small_model,
        window=window,
        gate=gate,
        threshold=threshold,
        state=state,
        baselines=tuple(baselines or ()),
        limit=limit,
        buckets=tuple(buckets or ()),
        seed=seed,
        parallel=parallel,
        fresh=fresh,
    )
    with told_errors(as_json=as_json):
        from banyan.evaluation import report  # noqa: PLC0415 - needs the extra's packages

        summaries = report.run(plan, Console(stderr=True, highlight=False))
        if as_json:
            typer.echo(report.as_json(plan, summaries))
        else:
            report.show(table_console(), plan, summaries)
