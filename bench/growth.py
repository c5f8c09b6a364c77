"""What a solve over a whole document spends for each token of it, from 10,000 tokens on.

    python -m bench.growth                                  10,000 to 1,000,000 tokens
    python -m bench.growth --tokens 10000000 --windows 8192
    python -m bench.growth --gate                           in this process, with calls of the gate

All of Banyan's processes around a fake model server, whose every answer and brief is as long as
its request and its schema allow. A server with OpenAI's protocol scores no kinds, so that its trees
have no calls of the gate; `--gate` grows them on a scripted engine that does, with a modelled
prefix cache, under the policy `base` and under one with the traits of small models.

Goal: as much at any length, at most 1.3 with a window of 8,192 and 1.7 with 2,048, and every
process's memory the same at any length.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace

import httpx
from redis import Redis

from banyan.policy import BASE, Policy
from banyan.testing.fake_server import BYTES_PER_TOKEN
from bench.grown import Grown, grow_scored, solve_text
from bench.huge import nodes_of
from bench.plot import write_lines
from bench.stack import Stack
from bench.texts import entries
from bench.watch import Watch, tree_bytes

GOALS = {8_192: 1.3, 2_048: 1.7}
SMALL = BASE.model_copy(
    update={
        "version": "small",
        "briefs": False,
        "cites": False,
        "json_answers": False,
        "merges": False,
        "word_limits": False,
    }
)


@dataclass(frozen=True, slots=True)
class Row:
    """One tree. Memory in MiB, the most of each process; 0 where it grew in this one."""

    window: int
    policy: str
    grown: Grown
    wall_s: float
    service_mib: float = 0.0
    worker_mib: float = 0.0
    valkey_mib: float = 0.0
    kept_kib_per_node: float = 0.0
    """Of the tree's keys, events and all, when it has finished."""


def on_stack(num_tokens: int, window: int) -> Row:
    """One tree on processes of its own. Raises RuntimeError where not all was read."""
    options, text = ("--rule", "longest"), entries(int(BYTES_PER_TOKEN * num_tokens))
    stack = Stack(window=window, num_workers=1, slots=64, engine_options=options)
    with stack, httpx.Client(timeout=900.0, trust_env=False) as http:
        with Redis.from_url(stack.valkey.url) as redis:
            began = time.monotonic()
            with Watch(stack, every_s=0.25) as watch:
                solve = solve_text(stack, http, text)
            wall_s, kept = time.monotonic() - began, tree_bytes(redis, solve["id"])
        nodes = (
            (node["num_children"], node["depth"], SimpleNamespace(**node["spent"]))
            for node in nodes_of(stack, http, solve["id"])
        )
        grown = Grown.of(solve["coverage"]["total_tokens"], nodes)
        worker = stack.workers[0].name
    most = {name: max(values) for name, values in watch.samples.items()}
    return Row(
        window,
        "base",
        grown,
        round(wall_s, 1),
        service_mib=round(most["service"], 1),
        worker_mib=round(most[worker], 1),
        valkey_mib=round(most["valkey"], 1),
        kept_kib_per_node=round(kept / 1_024 / grown.nodes, 2),
    )


def in_process(num_tokens: int, window: int, policy: Policy) -> Row:
    """One tree in this process, with calls of the gate."""
    began = time.monotonic()
    grown = asyncio.run(grow_scored(num_tokens, window, policy))
    return Row(window, policy.version, grown, round(time.monotonic() - began, 1))


def rows(options: argparse.Namespace) -> Iterator[Row]:
    """All that is asked for, one after the other."""
    for window in options.windows:
        for num_tokens in options.tokens:
            if options.gate:
                for policy in (BASE, SMALL):
                    yield in_process(num_tokens, window, policy)
            else:
                yield on_stack(num_tokens, window)


_TITLES = (
    "window  policy    input  nodes  calls depth |  read answers  inner  spent computed |"
    " service worker valkey MiB, KiB kept/node   wall s"
)


def show(row: Row) -> None:
    """A line of the table."""
    grown = row.grown
    print(
        f"{row.window:6}  {row.policy:6} {grown.input_tokens:8} {grown.nodes:6} {grown.calls:6} "
        f"{grown.depth:5} | {grown.leaf_prompts:5.2f} {grown.leaf_answers:7.2f} {grown.inner:6.2f} "
        f"{grown.spent:6.2f} {grown.computed:8.2f} | {row.service_mib:7.0f} {row.worker_mib:6.0f} "
        f"{row.valkey_mib:6.0f} {row.kept_kib_per_node:19.2f} {row.wall_s:8.1f}",
        flush=True,
    )


def plot(path: Path, found: list[Row]) -> None:
    """Spent tokens over the length of the input, a line for each window and policy."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for row in found:
        name = f"{row.policy}, window {row.window:,}"
        lines.setdefault(name, []).append((row.grown.input_tokens, row.grown.spent))
    windows = {row.window for row in found}
    write_lines(
        path,
        lines,
        x="tokens of the input",
        y="tokens spent for each",
        title="Growth",
        goals={f"goal, {window:,}": goal for window, goal in GOALS.items() if window in windows},
        log_x=True,
    )


def main() -> int:
    """Run, print a table, and write JSON and a plot where they are wanted."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tokens", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--windows", type=int, nargs="+", default=[2_048, 8_192])
    parser.add_argument("--gate", action="store_true", help="in this process, with gate calls")
    parser.add_argument("--out", type=Path, help="write the results as JSON")
    parser.add_argument("--plot", type=Path, help="write a plot as PNG")
    options = parser.parse_args()
    print(_TITLES, flush=True)
    found = []
    for row in rows(options):
        found.append(row)
        show(row)
    if options.out is not None:
        options.out.write_text(json.dumps([asdict(row) for row in found], indent=1))
    if options.plot is not None:
        plot(options.plot, found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
