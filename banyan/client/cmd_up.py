"""`banyan up`: everything on this machine, until Ctrl-C."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.text import Text

from banyan.client.exits import Exit
from banyan.client.messages import say

EngineName = Literal["llama", "vllm", "openai"]
SwapName = Literal["none", "full", "adapters"]


def up(
    *,
    engine: Annotated[
        EngineName,
        typer.Option(
            help="Model server: llama (embedded llama.cpp), vllm (a local vLLM), or openai "
            "(any OpenAI-compatible server; needs --engine-url)."
        ),
    ] = "llama",
    engine_url: Annotated[
        str | None,
        typer.Option(
            help="URL of a model server that runs already; nothing is started in its place. "
            "Its key, if it wants one: BANYAN_ENGINE_API_KEY."
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="llama: a GGUF file. vllm: a Hugging Face id or a folder. openai: the served "
            "name. Default: the small model that is installed, or the first that is served."
        ),
    ] = None,
    small_model: Annotated[
        bool,
        typer.Option(
            "--small-model",
            help="The model is very small (well below a billion parameters): spare it briefs, JSON "
            "and merging, as the one that is installed is spared. See docs/running.md.",
        ),
    ] = False,
    port: Annotated[
        int, typer.Option(min=1, max=65_535, help="Port of the service, on 127.0.0.1.")
    ] = 8080,
    window: Annotated[
        int, typer.Option(min=512, help="Tokens of prompt and completion together.")
    ] = 2_048,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Worker processes.")] = 1,
    slots: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=4_096,
            help="Model calls at one time, over all workers. Default: 8 of llama, 64 of others.",
        ),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            help="Keep documents, trees and logs here. Default: a temporary folder that is removed "
            "at the end.",
        ),
    ] = None,
    swap: Annotated[
        SwapName,
        typer.Option(
            help="vllm: let published weights replace the served ones while it runs: full weights, "
            "or adapters. It opens calls of the model server, on 127.0.0.1, that change them."
        ),
    ] = "none",
    install_engine: Annotated[
        bool,
        typer.Option(
            "--install-engine",
            help="vllm: make the engine's environment first where it is missing (0.6 GB to "
            "download, 3.6 GB on disk).",
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line instead of text.")
    ] = False,
) -> None:
    """Run Redis, the model server, workers and the service here, until Ctrl-C.

    Redis is found at REDIS_URL, else started from a redis-server or valkey-server on PATH, else
    from the embedded Valkey. Ctrl-C stops everything in order; a second one stops it at once.
    """
    if engine == "openai" and engine_url is None:
        raise typer.BadParameter("openai needs the server's URL", param_hint="--engine-url")
    # Loaded here, so that the commands that only talk to a service stay quick.
    from banyan.local.errors import LocalError  # noqa: PLC0415
    from banyan.local.options import Options  # noqa: PLC0415
    from banyan.local.stop_signal import StopSignal  # noqa: PLC0415
    from banyan.local.up import AllInOne, Step  # noqa: PLC0415

    options = Options(
        engine=engine,
        engine_url=engine_url,
        model=model,
        small_model=small_model,
        port=port,
        window=window,
        num_workers=workers,
        slots=slots,
        data_dir=data_dir,
        swap=swap,
    )
    out = Console(highlight=False)

    def show(step: Step) -> None:
        if as_json:
            print_json({"event": step.state, "part": step.part, "detail": step.detail})
        else:
            out.print(step_line(step.part, step.state, step.detail), soft_wrap=True)

    stop = StopSignal()
    try:
        with (
            stop,
            AllInOne(options, report=show, stop=stop, install_engine=install_engine) as local,
        ):
            if as_json:
                print_json({"event": "ready", "url": local.url})
            else:
                out.print(f"[bold green]ready[/]  {local.url}  [dim](Ctrl-C stops everything)[/]")
            local.wait()
    except LocalError as error:
        say(error, as_json=as_json)
        raise typer.Exit(error.exit_code) from None
    raise typer.Exit(Exit.OK)


def step_line(part: str, state: str, detail: str) -> Text:
    """`redis     Valkey 9.1 ...`; parts that are still starting are dim."""
    style = "cyan" if state == "up" else "dim"
    text = Text(f"{part:<9} ", style=style)
    text.append(detail, style="default" if state == "up" else "dim")
    return text


def print_json(value: dict[str, str]) -> None:
    """One object on one line, at once."""
    typer.echo(json.dumps(value))
