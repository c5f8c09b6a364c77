"""What a durable tree costs beside its model calls, on a fake model server.

    python -m bench.orchestration             1 root + 1,000 children, 50 ms a call
    python -m bench.orchestration --deep      fan-out 4, depth 5: 1,365 nodes, 1,706 calls, 1 s each
    python -m bench.orchestration --deep --latency 0.2

CPU is that of all of Banyan's processes (service, workers, Valkey), without the model server. The
limit beside it is what the calls alone take at the same width: one after another on the longest
path, and no orchestration at all. `start` is what a child waits from its parent's spawn to its
first claim: what orchestration takes before its call, and the queue where slots are few.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.child_starts import child_starts
from bench.durations import Durations
from bench.results import write_results
from bench.stack import Stack


@dataclass(frozen=True, slots=True)
class Result:
    """One run. `ratio` is wall time over the longest path of calls."""

    nodes: int
    llm_calls: int
    wall_s: float
    cpu_ms_per_call: float
    limit_s: float
    ratio: float
    child_starts: Durations


@dataclass(frozen=True, slots=True)
class Shape:
    """A tree: every inner node asks for `fan_out` children, down to `depth`."""

    fan_out: int
    depth: int
    latency_s: float

    def num_at(self, level: int) -> int:
        """Nodes of one level."""
        return int(math.pow(self.fan_out, level))

    @property
    def num_nodes(self) -> int:
        return sum(self.num_at(level) for level in range(self.depth + 1))

    @property
    def num_calls(self) -> int:
        """A leaf answers; an inner node delegates and merges."""
        return 2 * self.num_nodes - self.num_at(self.depth)

    @property
    def limit_s(self) -> float:
        """Calls on the longest path, with slots for all."""
        return (2 * self.depth + 1) * self.latency_s


def run(shape: Shape, stack: Stack, client: httpx.Client) -> Result:
    """Grow one tree and look at its events. Raises RuntimeError where it is not whole."""
    cpu_s, began = stack.cpu_s(), time.monotonic()
    tree_id = grow(shape, stack, client)
    wall_s, cpu_s = time.monotonic() - began, stack.cpu_s() - cpu_s
    return Result(
        nodes=shape.num_nodes,
        llm_calls=shape.num_calls,
        wall_s=round(wall_s, 3),
        cpu_ms_per_call=round(1_000 * cpu_s / shape.num_calls, 3),
        limit_s=shape.limit_s,
        ratio=round(wall_s / shape.limit_s, 3),
        child_starts=child_starts(client, stack.url, tree_id),
    )


def grow(shape: Shape, stack: Stack, client: httpx.Client) -> str:
    """Grow one tree to its end; its id. Raises RuntimeError where it is not whole."""
    calls = stack.engine_stats(client)["calls"]
    tree_id = stack.submit(
        client,
        f"fan-out {shape.fan_out}",
        gate={"mode": "always"},
        limits={
            "max_depth": shape.depth,
            "max_nodes": shape.num_nodes,
            "max_parallel": 10_000,
            "max_tokens": 10_000_000_000,
        },
    )
    solve = stack.wait(client, tree_id)
    calls = stack.engine_stats(client)["calls"] - calls
    nodes = solve["usage"]["nodes"]
    if (solve["status"], nodes, calls) != ("completed", shape.num_nodes, shape.num_calls):
        raise RuntimeError(f"{solve['status']}: {nodes} nodes, {calls} calls, {solve['error']}")
    return tree_id


def main() -> int:
    """Run, print a table and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--children", type=int, default=1_000)
    parser.add_argument("--deep", action="store_true", help="1,365 nodes instead of 1 level")
    parser.add_argument("--latency", type=float, help="seconds of a call")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--slots", type=int, default=1_100, help="over all workers")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--out", type=Path, help="write the results as JSON")
    options = parser.parse_args()
    shape = (
        Shape(fan_out=4, depth=5, latency_s=options.latency or 1.0)
        if options.deep
        else Shape(fan_out=options.children, depth=1, latency_s=options.latency or 0.05)
    )
    stack = Stack(latency_s=shape.latency_s, num_workers=options.workers, slots=options.slots)
    results = []
    with stack, httpx.Client(timeout=130.0, trust_env=False) as client:
        run(Shape(fan_out=8, depth=1, latency_s=shape.latency_s), stack, client)  # warm up
        print("nodes  calls  wall s  CPU ms/call  limit s  ratio  start p50 ms  p95 ms  p99 ms")
        for _ in range(options.repeat):
            result = run(shape, stack, client)
            results.append(result)
            print(
                f"{result.nodes:5}  {result.llm_calls:5}  {result.wall_s:6.2f}  "
                f"{result.cpu_ms_per_call:11.2f}  {result.limit_s:7.2f}  {result.ratio:5.2f}  "
                f"{result.child_starts.median_ms:12.1f}  {result.child_starts.p95_ms:6.1f}  "
                f"{result.child_starts.p99_ms:6.1f}"
            )
    write_results(options.out, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
