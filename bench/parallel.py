"""A long document in parallel against going through it in sequence, on the same model server.

    python -m bench.parallel                             fake servers, 1 s a call, one at a time
    python -m bench.parallel --latency 0.25 --tokens 10000 40000
    python -m bench.parallel --engine-kind vllm --engine http://127.0.0.1:8000 --file book.txt

The sequence is `refine` of `banyan eval`: chunk after chunk beside the answer so far, with prompts
made for it and a window as large. Each fake server computes one call at one time, whatever its
length, so that N servers are N times one; there are as many workers, or `--workers`. `chain` is a
task in which each step needs the one before: N servers can do nothing for it, and every step is
asked twice, once to hand on and once to take back, where a sequence asks once.

Goals: 4.5 times the sequence at 8, and 1.8 times on a real server.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from banyan.adapters.engine_spec import EngineSpec
from banyan.adapters.engines import connect
from banyan.evaluation.baselines.baseline import Baseline
from banyan.evaluation.baselines.job import Job, Method, Reply
from banyan.evaluation.baselines.refine import refine
from banyan.evaluation.question import Answered, Question
from banyan.local.engine_choice import SMALL_MODEL
from banyan.testing.fake_server import BYTES_PER_TOKEN
from bench.grown import GOAL, solve_text
from bench.plot import Lines, write_lines
from bench.stack import Stack
from bench.texts import entries

NUM_STEPS = 8
"""Of the chain."""


@dataclass(frozen=True, slots=True)
class Row:
    """One task on one number of servers."""

    task: str
    servers: int
    calls: int
    wall_s: float
    sequence_calls: int
    sequence_s: float

    @property
    def speed_up(self) -> float:
        """Over the sequence."""
        return self.sequence_s / self.wall_s


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done: `tree` on a stack, its model calls told, or `sequence` on one server."""

    name: str
    tree: Callable[[Stack, httpx.Client], int]
    sequence: Method
    question: Question


def over_text(name: str, text: bytes) -> Task:
    """All of a text is to be read."""

    def tree(stack: Stack, http: httpx.Client) -> int:
        return int(solve_text(stack, http, iter([text]))["usage"]["llm_calls"])

    question = Question(id=name, bucket=name, goal=GOAL, documents=(text.decode(),))
    return Task(name, tree, refine, question)


def chain() -> Task:
    """`NUM_STEPS` steps, each of which needs what the one before found."""

    def tree(stack: Stack, http: httpx.Client) -> int:
        limits = {"max_depth": NUM_STEPS - 1, "max_nodes": 2 * NUM_STEPS}
        started = stack.submit(http, "fan-out 1", gate={"mode": "always"}, limits=limits)
        solve = stack.wait(http, started)
        if (solve["status"], solve["usage"]["nodes"]) != ("completed", NUM_STEPS):
            raise RuntimeError(f"{solve['status']}: {solve['usage']['nodes']} nodes")
        return int(solve["usage"]["llm_calls"])

    return Task("chain", tree, _steps, Question(id="chain", bucket="chain", goal="Do it."))


async def _steps(job: Job) -> Reply:
    said = ""
    for _ in range(NUM_STEPS):
        said = await job.answer(job.single(said))
    return Reply(said, ())


async def in_sequence(task: Task, stack: Stack, window: int) -> Answered:
    """The same task call after call. Raises RuntimeError where it failed."""
    spec = EngineSpec(kind=stack.engine_kind, urls=tuple(stack.engine_urls), window=window)
    engine = connect(spec, spec.urls[0])
    try:
        baseline = Baseline(task.name, task.sequence, engine=engine, window=window)
        answered = await baseline.answer(task.question)
    finally:
        await engine.close()
    if answered.error is not None:
        raise RuntimeError(answered.error)
    return answered


def rows(options: argparse.Namespace, tasks: list[Task]) -> Iterator[Row]:
    """All tasks on each number of servers; the sequence runs once, on the first of them."""
    sequences: dict[str, Answered] = {}
    for servers in options.servers:
        if options.engine:
            stack = Stack(
                engine=(options.engine_kind, options.engine),
                num_workers=1,
                slots=options.slots,
                window=options.window,
                settings=SMALL_MODEL if options.small_model else None,
            )
        else:
            workers = options.workers or servers
            stack = Stack(
                latency_s=options.latency,
                num_workers=workers,
                num_engines=servers,
                slots=options.slots * workers,
                window=options.window,
                engine_options=("--rule", "longest", "--serves", "1"),
            )
        with stack, httpx.Client(timeout=3_600.0, trust_env=False) as http:
            for task in tasks:
                if task.name not in sequences:
                    sequences[task.name] = asyncio.run(in_sequence(task, stack, options.window))
                sequence, began = sequences[task.name], time.monotonic()
                calls = task.tree(stack, http)
                yield Row(
                    task=task.name,
                    servers=servers,
                    calls=calls,
                    wall_s=round(time.monotonic() - began, 2),
                    sequence_calls=sequence.llm_calls,
                    sequence_s=round(sequence.seconds, 2),
                )


def _tasks(options: argparse.Namespace) -> list[Task]:
    found = []
    for num_tokens in options.tokens:
        num_bytes = int(BYTES_PER_TOKEN * num_tokens)
        text = options.file.read_bytes() if options.file else b"".join(entries(num_bytes))
        if len(text) < num_bytes:
            raise SystemExit(f"{options.file} has fewer than {num_tokens} tokens")
        whole = text[:num_bytes].decode(errors="ignore").encode()
        found.append(over_text(f"{num_tokens} tokens", whole))
    return found if options.engine else [*found, chain()]


def show(row: Row) -> None:
    """A line of the table."""
    print(
        f"{row.task:>15} {row.servers:7} {row.calls:6} {row.wall_s:8.2f} "
        f"{row.sequence_calls:14} {row.sequence_s:10.2f} {row.speed_up:8.2f}",
        flush=True,
    )


def main() -> int:
    """Run, print a table, and write JSON and a plot where they are wanted."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tokens", type=int, nargs="+", default=[10_000, 40_000, 170_000])
    parser.add_argument("--servers", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--workers", type=int, help="default: as many as servers")
    parser.add_argument("--latency", type=float, default=1.0, help="seconds of a fake call")
    parser.add_argument("--window", type=int, default=2_048)
    parser.add_argument("--slots", type=int, default=64, help="of a worker")
    parser.add_argument("--engine", help="URL of a model server that runs, instead of fake ones")
    parser.add_argument("--engine-kind", choices=("vllm", "llama", "openai"), default="vllm")
    parser.add_argument("--small-model", action="store_true", help="there, as of `banyan up`")
    parser.add_argument("--file", type=Path, help="text to be read; default: a generated one")
    parser.add_argument("--out", type=Path, help="write the results as JSON")
    parser.add_argument("--plot", type=Path, help="write a plot as PNG")
    options = parser.parse_args()
    if options.small_model and not options.engine:
        parser.error("--small-model is for --engine")
    if options.engine:
        options.servers = [1]
    print("           task servers  calls   wall s  sequence calls sequence s speed-up", flush=True)
    found = []
    lines: dict[str, list[tuple[float, float]]] = {}
    for row in rows(options, _tasks(options)):
        show(row)
        found.append({**asdict(row), "speed_up": round(row.speed_up, 2)})
        lines.setdefault(row.task, []).append((row.servers, row.speed_up))
    if options.out is not None:
        options.out.write_text(json.dumps(found, indent=1))
    if options.plot is not None:
        _plot(options.plot, lines)
    return 0


def _plot(path: Path, lines: Lines) -> None:
    write_lines(
        path,
        lines,
        x="model servers, and workers",
        y="times as fast as in sequence",
        title="Parallel against sequence",
        goals={"goal at 8": 4.5},
    )


if __name__ == "__main__":
    sys.exit(main())
