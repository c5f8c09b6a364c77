"""`banyan eval-citations`: whether what answers cite supports what they say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from banyan.client.cmd_up import EngineName
from banyan.client.evaluating import table_console, told_errors


def judge(
    name: Annotated[str, typer.Argument(metavar="SET", help="The set that was evaluated.")],
    *,
    data: Annotated[Path, typer.Option(file_okay=False, help="Folder that holds the sets.")] = Path(
        "../shared/data"
    ),
    out: Annotated[
        Path, typer.Option(file_okay=False, help="The --out of the evaluation; lines go there too.")
    ] = Path("var/eval"),
    samples: Annotated[int, typer.Option(min=1, help="Citations to judge.")] = 50,
    engine_url: Annotated[
        str | None,
        typer.Option("--engine", help="The judge's model server, where it runs already."),
    ] = None,
    engine_kind: Annotated[EngineName, typer.Option(help="As --engine of `banyan up`.")] = "llama",
    model: Annotated[str | None, typer.Option(help="The judge; as --model of `banyan up`.")] = None,
    window: Annotated[int, typer.Option(min=512, help="Tokens, of the judge.")] = 2_048,
    seed: Annotated[int, typer.Option(help="Of the sample and of the intervals.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="The result as one JSON object.")] = False,
) -> None:
    """Let a model judge a sample of the service's citations, and pairs whose answer is known.

    Every judgement is a line of SET.citations.jsonl, with sentence and quote, to be read.
    """
    with told_errors(as_json=as_json):
        from banyan.evaluation.plan import Plan  # noqa: PLC0415 - loaded when it is needed
        from banyan.evaluation.support import report  # noqa: PLC0415
        from banyan.evaluation.support.table import render  # noqa: PLC0415

        plan = Plan(
            sets=(name,),
            data=data,
            out=out,
            with_service=False,
            engine_kind=engine_kind,
            engine_url=engine_url,
            model=model,
            window=window,
            seed=seed,
        )
        result = report.run(plan, samples, Console(stderr=True, highlight=False))
        if as_json:
            typer.echo(result.model_dump_json())
        else:
            console = table_console()
            console.print(render(result))
            console.print(f"judgements: {report.lines_of(plan)}", markup=False, soft_wrap=True)
