"""The demo: everything on this machine, one real question over one long document, checked.

    python -m banyan.local.demo [--engine llama|vllm] [--document default|long|PATH] [--goal TEXT]

On a model server that runs already: `--engine vllm|openai --engine-url URL [--small-model]`.

It ends with exit code 0 only where the solve completed, every citation stands in the document and
what the gate chose to read was read. What it started is stopped in any case.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from banyan.client.async_sdk import AsyncClient
from banyan.client.messages import print_error
from banyan.client.progress import Progress, make_progress
from banyan.client.report import print_result
from banyan.client.results import SolveResult
from banyan.errors import BanyanError
from banyan.limits import Limits
from banyan.local.errors import LocalError
from banyan.local.guarded import guarded
from banyan.local.options import Options
from banyan.local.ports import free_port, is_free
from banyan.local.reference import DemoDocument, load
from banyan.local.stop_signal import StopSignal
from banyan.local.timeline import Timeline
from banyan.local.up import AllInOne, Step
from banyan.local.verdict import judge

WINDOW = 2_048
PORT = 8_080
LIMITS = Limits(max_nodes=5_000, max_tokens=20_000_000, deadline_s=3_600)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 when all that is checked holds, else as `banyan up` has them, or 1."""
    options = parsed(arguments)
    console = Console(highlight=False)
    timeline = Timeline(setup_s=options.setup_s)
    try:
        document = load(options.document)
        with StopSignal() as stop:
            return _run(console, options, document, timeline, stop)
    except LocalError as error:
        print_error(error)
        return error.exit_code
    except BanyanError as error:
        print_error(error)
        return 1


def _run(
    console: Console,
    options: argparse.Namespace,
    document: DemoDocument,
    timeline: Timeline,
    stop: StopSignal,
) -> int:
    def report(step: Step) -> None:
        timeline.step(step.part, step.state)
        console.print(Text(f"{step.part:<9} {step.detail}", style="dim"), soft_wrap=True)

    goal = options.goal or document.goal
    with AllInOne(wanted(options), report=report, stop=stop, install_engine=True) as local:
        timeline.ready()
        console.print()
        console.print(Text("question  ", style="bold").append(goal, style="default"))
        size = f"{document.title}, {len(document.text):,} characters"
        console.print(Text("document  ", style="bold").append(size, style="default"))
        console.print()
        with make_progress(console) as progress:
            solving = _solve(local.url, document, goal, progress, timeline)
            result = asyncio.run(guarded(solving, local, stop))
        console.print()
        print_result(console, result, {item.document: document.title for item in result.citations})
        for name, seconds in timeline.rows():
            console.print(Text(f"{name:<24}", style="dim").append(f"{seconds:6.1f} s", "default"))
        verdict = judge(result, document.text)
        for line, holds in verdict:
            console.print(
                Text("ok   " if holds else "FAIL ", "green" if holds else "bold red"), line
            )
        console.print(
            f"\nThe web page was at {local.url}, and the API is described at /docs there."
        )
        console.print(
            "`banyan up` keeps it running; `banyan solve GOAL --file FILE --follow` asks."
        )
        return 0 if all(holds for _, holds in verdict) else 1


async def _solve(
    url: str, document: DemoDocument, goal: str, progress: Progress, timeline: Timeline
) -> SolveResult:
    async with AsyncClient(url) as client:
        stored = await client.upload(document.text, title=document.title)
        timeline.asked()
        solve = await client.submit(goal, documents=[stored], limits=LIMITS)
        async for event in client.stream(solve.id):
            if event.result is not None:
                timeline.answered()
                return event.result
            timeline.saw(event.type)
            progress.show(event)
        return await client.wait(solve.id)


def wanted(options: argparse.Namespace) -> Options:
    """What is to run on this machine for these arguments."""
    return Options(
        engine=options.engine,
        model=options.model,
        small_model=options.small_model,
        engine_url=options.engine_url,
        port=PORT if is_free(PORT) else free_port(),
        window=WINDOW,
    )


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The arguments; where they are wrong, or ask for help, the program ends."""
    parser = argparse.ArgumentParser(
        prog="python -m banyan.local.demo", description="One real question over a long document."
    )
    parser.add_argument("--engine", choices=("llama", "vllm", "openai"), default="llama")
    parser.add_argument("--engine-url", help="a model server that runs already")
    parser.add_argument("--model", help="a GGUF file (llama), a Hugging Face id or folder (vllm)")
    parser.add_argument(
        "--small-model",
        action="store_true",
        help="as of `banyan up`: the model is very small, spare it briefs, JSON and merging",
    )
    parser.add_argument("--document", default="default", help="default, long, or a text file")
    parser.add_argument("--goal", default="", help="the question; default: one that fits")
    parser.add_argument("--setup-s", type=float, help="seconds that the set-up took before this")
    options = parser.parse_args(arguments)
    options.document = options.document or "default"
    return options


if __name__ == "__main__":
    sys.exit(main())
