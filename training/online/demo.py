"""The training demo: the closed loop with everything on this machine, measured before and after.

    python -m training.online.demo [--loss cispo|ppo] [--turns N] [--out DIR]

Service, workers and two vLLM servers are started: one serves, the other measures. It ends with exit
code 0 only where a trained version went live, and one that was trained to do badly was rejected.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from banyan.client.messages import print_error
from banyan.errors import BanyanError
from banyan.local import engine_choice, vllm_server
from banyan.local.engine_choice import SMALL_MODEL
from banyan.local.errors import LocalError, NotStarted
from banyan.local.guarded import guarded
from banyan.local.options import Options
from banyan.local.ports import free_port
from banyan.local.processes import Processes
from banyan.local.stop_signal import StopSignal
from banyan.local.up import AllInOne, Step
from banyan.settings import TraitSettings
from training.online.demo_story import Story, shown, tell_story
from training.online.plan import Plan
from training.online.report import save, table, table_console
from training.online.site import Places

WINDOW = 512
SLOTS = 16
FLOAT32 = ("--dtype", "float32", "--max-num-batched-tokens", "2048")
"""Trainer and server then compute alike, and small steps of the weights are not rounded away."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 where both ends of the gate were seen, else as `banyan up` has them, or 1."""
    options = _parse(arguments)
    console, began = table_console(), time.monotonic()
    try:
        with StopSignal() as stop:
            story = _run(console, options, stop)
    except LocalError as error:
        print_error(error, program="train-demo")
        return error.exit_code
    except BanyanError as error:
        print_error(error, program="train-demo")
        return 1
    minutes = (time.monotonic() - began) / 60
    paths = save(story.state, options.out, **story.fields(), loss=options.loss, minutes=minutes)
    console.print()
    console.print(table(story.state))
    console.print()
    for line in shown(story):
        console.print(line, soft_wrap=True)
    console.print(f"loss {options.loss}, {minutes:.0f} min, written: {', '.join(map(str, paths))}")
    return 0 if story.shows_both_ends else 1


def _run(console: Console, options: argparse.Namespace, stop: StopSignal) -> Story:
    def report(step: Step) -> None:
        console.print(Text(f"{step.part:<9} {step.detail}", style="dim"), soft_wrap=True)

    data = options.out / "data"
    if data.exists():
        raise NotStarted(f"{options.out}: a demo ran there", hint="Choose another --out.")
    wanted = Options(
        engine="vllm",
        port=free_port(),
        window=WINDOW,
        slots=SLOTS,
        data_dir=data,
        swap="full",
        vllm_options=FLOAT32,
    )
    measuring = engine_choice.choose(
        wanted, lambda text: report(Step("measuring", "starting", text)), install=True
    )
    if measuring.argv is None:
        raise NotStarted("there is no vLLM server to measure on")
    with Processes(options.out / "logs") as processes:
        # Both servers load at the same time.
        child = processes.start("measuring", measuring.argv, env=measuring.env)
        with AllInOne(wanted, report=report, stop=stop) as local:
            vllm_server.wait_ready(
                child, measuring.url, lambda text: report(Step("measuring", "starting", text))
            )
            report(Step("measuring", "up", f"{measuring.title}  {measuring.url}"))
            places = Places(
                url=local.url,
                eval_engine=measuring.url,
                log=data.resolve() / "trajectories",
                policies=data.resolve() / "policies",
                model=Path(_model_of(measuring.argv)),
                base=measuring.served_model,
            )
            plan = _plan(options)
            settings = _settings(measuring.served_model)
            work = tell_story(
                places,
                plan,
                settings,
                options.out,
                num_turns=options.turns,
                num_tests=options.tests,
            )
            return asyncio.run(guarded(work, local, stop))


def _plan(options: argparse.Namespace) -> Plan:
    return Plan(
        environment="lookup",
        difficulty=options.difficulty,
        num_tasks=options.tasks,
        group_size=8,
        num_evaluation_tasks=options.eval_tasks,
        num_parallel=SLOTS,
        max_depth=0,
        max_nodes=1,
        update=(
            *("--full", "--loss", options.loss, "--lr", str(options.lr)),
            *("--step-rows", "32", "--micro-tokens", "4096", "--max-tokens", "512"),
        ),
    )


def _settings(model: str) -> TraitSettings:
    """The traits that the all-in-one gives to the workers for this model."""
    small = {
        name.removeprefix("BANYAN_").lower(): value
        for name, value in SMALL_MODEL.items()
        if name not in os.environ
    }
    return TraitSettings.model_validate(
        {**TraitSettings().model_dump(), **small, "engine_model": model, "engine_window": WINDOW}
    )


def _model_of(argv: Sequence[str]) -> str:
    return argv[argv.index("--model") + 1]


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m training.online.demo", description="The closed loop on real parts."
    )
    parser.add_argument("--loss", choices=("cispo", "ppo"), default="cispo")
    parser.add_argument("--turns", type=int, default=4, help="updates (default: 4)")
    parser.add_argument("--tasks", type=int, default=12, help="groups of 8 trees a turn")
    parser.add_argument("--eval-tasks", type=int, default=40, help="fresh tasks for each version")
    parser.add_argument("--tests", type=int, default=60, help="fresh tasks before and after")
    parser.add_argument("--difficulty", type=int, default=1, help="lines of the document")
    parser.add_argument("--lr", type=float, default=1e-4)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    parser.add_argument("--out", type=Path, default=Path("var/train-demo") / stamp)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
