"""What the trajectory log costs a worker, in CPU a node, on a fake model server.

    python -m bench.log_overhead                  trees of 1 root + 1,000 children, log on and off
    python -m bench.log_overhead --writer-only    the writer alone, without token ids and with

With and without the log run at the same time in two stacks and take turns, so that a busy machine
slows both. The CPU is that of the worker processes in a window of the same length for all runs, so
that what idle workers spend is the same, but for the log looking for work. The fake server tells no
token ids; `--writer-only` also measures records of 1,536 tokens of prompt and 96 of completion a
turn, as vLLM gives them, in this process and without an engine.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from banyan.adapters.redis_store import RedisStore
from banyan.adapters.redis_trajectories import RedisTrajectoryQueue
from banyan.adapters.trajectory_folder import TrajectoryFolder
from banyan.adapters.trajectory_writer import TrajectoryWriter
from banyan.local.valkey import Valkey
from bench.orchestration import Shape
from bench.results import write_results
from bench.stack import Stack, wait_until
from bench.token_turns import plant

GOAL_MS = 0.2
WINDOW_S = 12.0
_WRITTEN_S = 60.0
_ALL = 1_000_000


@dataclass(frozen=True, slots=True)
class Overhead:
    """Milliseconds of worker CPU a node."""

    nodes: int
    off_ms: float
    on_ms: float

    @property
    def log_ms(self) -> float:
        return self.on_ms - self.off_ms


def main() -> int:
    """Run, print a table, write JSON; exit code 1 where the goal is not met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--children", type=int, default=1_000)
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--writer-only", action="store_true", help="no stack, token ids")
    parser.add_argument("--out", type=Path, help="write the results as JSON")
    options = parser.parse_args()
    if options.writer_only:
        for token_ids in (False, True):
            costs = asyncio.run(
                _writer_alone(options.children, options.repeat, token_ids=token_ids)
            )
            print(f"{'with' if token_ids else 'without'} token ids: {_shown(costs)}")
        return 0
    results = _in_turns(Shape(fan_out=options.children, depth=1, latency_s=0.05), options.repeat)
    costs = [result.log_ms for result in results]
    print(f"the log: {_shown(costs)}")
    write_results(options.out, results)
    return 0 if statistics.median(costs) <= GOAL_MS else 1


def _in_turns(shape: Shape, repeat: int) -> list[Overhead]:
    results = []
    with tempfile.TemporaryDirectory(prefix="banyan-log-") as folder:
        root = Path(folder)
        settings = {"BANYAN_TRAJECTORY_DIR": folder}
        with (
            Stack(latency_s=shape.latency_s, slots=1_100) as off,
            Stack(latency_s=shape.latency_s, slots=1_100, settings=settings) as on,
            httpx.Client(timeout=130.0, trust_env=False) as client,
        ):
            for stack in (off, on):
                _grow(shape, stack, client, lambda _: True)  # warm up
            print("nodes  off ms  on ms  log ms", flush=True)
            for number in range(repeat):
                off_ms, on_ms = 0.0, 0.0
                for logs in (False, True) if number % 2 else (True, False):
                    if logs:
                        on_ms = _grow(shape, on, client, lambda tree: _is_written(root, tree))
                    else:
                        off_ms = _grow(shape, off, client, lambda _: True)
                result = Overhead(shape.num_nodes, round(off_ms, 3), round(on_ms, 3))
                results.append(result)
                print(
                    f"{result.nodes:5}  {result.off_ms:6.3f}  {result.on_ms:5.3f}  "
                    f"{result.log_ms:6.3f}",
                    flush=True,
                )
    return results


def _grow(shape: Shape, stack: Stack, client: httpx.Client, done: Callable[[str], bool]) -> float:
    """One tree; milliseconds of worker CPU a node in a window that is the same for all runs."""
    began, cpu_s = time.monotonic(), _worker_cpu_s(stack)
    tree_id = stack.submit(
        client,
        f"fan-out {shape.fan_out}",
        gate={"mode": "always"},
        limits={"max_depth": 1, "max_nodes": shape.num_nodes, "max_tokens": 10_000_000_000,
                "max_parallel": 10_000},
    )  # fmt: skip
    solve = stack.wait(client, tree_id)
    if (solve["status"], solve["usage"]["nodes"]) != ("completed", shape.num_nodes):
        raise RuntimeError(f"{solve['status']}: {solve['usage']['nodes']} nodes, {solve['error']}")
    wait_until(lambda: done(tree_id), _WRITTEN_S)
    left_s = began + WINDOW_S - time.monotonic()
    if left_s < 0:
        raise RuntimeError(f"the tree took {-left_s:.1f} s longer than the window")
    time.sleep(left_s)
    return 1_000 * (_worker_cpu_s(stack) - cpu_s) / shape.num_nodes


def _worker_cpu_s(stack: Stack) -> float:
    times = [psutil.Process(worker.pid).cpu_times() for worker in stack.workers]
    return sum(each.user + each.system for each in times)


def _is_written(root: Path, tree_id: str) -> bool:
    return any(root.glob(f"trees/*/{tree_id}.*"))


async def _writer_alone(num_children: int, repeat: int, *, token_ids: bool) -> list[float]:
    """CPU milliseconds a node of reading from Valkey, encoding and writing, in this process."""
    costs = []
    with tempfile.TemporaryDirectory(prefix="banyan-log-") as folder:
        with Valkey(Path(folder) / "valkey") as server:
            store = RedisStore(
                server.url, num_shards=1, logs=True, tenant_dispatch=_ALL, tenant_queued=_ALL
            )
            queue = RedisTrajectoryQueue(server.url, num_shards=1)
            writer = TrajectoryWriter(queue, TrajectoryFolder(Path(folder) / "log"))
            for _ in range(repeat):
                await plant(store, num_children, token_ids=token_ids)
                began = time.process_time()
                await writer.write_due()
                costs.append(1_000 * (time.process_time() - began) / (num_children + 1))
            await queue.close()
            await store.close()
        num_bytes = statistics.mean(_sizes(Path(folder) / "log"))
        print(f"{num_bytes / (num_children + 1):,.0f} bytes a node on disk")
    return costs


def _sizes(log: Path) -> list[int]:
    return [file.stat().st_size for file in log.glob("trees/*/*")]


def _shown(costs: list[float]) -> str:
    low, high = min(costs), max(costs)
    return (
        f"median {statistics.median(costs):.3f} ms of CPU a node ({low:.3f} to {high:.3f}), "
        f"goal {GOAL_MS} ms"
    )


if __name__ == "__main__":
    sys.exit(main())
