"""What watching costs, in CPU a model call, on a fake model server.

    python -m bench.observing_overhead                 trees of 1 root + 1,000 children
    python -m bench.observing_overhead --in-process    the same without Celery, in one process

Three stacks take turns, so that a busy machine slows all of them: workers that tell nothing, with
metrics, and with metrics and all traces, which a collector in this process takes and drops. The CPU
is that of service, workers and Valkey. In one process, the thread that drives nodes on a Valkey is
measured alone, without the spans of nodes: less is done for a call there, so that shares are
larger, and a busy machine disturbs it less. Exit code 1 where metrics cost more than 5 %.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import httpx

from banyan.adapters.engine_spec import EngineSpec
from banyan.adapters.memory_library import MemoryLibrary
from banyan.adapters.observed_store import ObservedStore
from banyan.adapters.observing import Observing
from banyan.adapters.stores import make_store
from banyan.in_process import grow
from banyan.limits import Limits
from banyan.local.valkey import Valkey
from banyan.ports import Engine, Ports, Store
from banyan.serving import Serving
from banyan.settings import Settings
from banyan.task import Gate, Task
from banyan.testing import ScriptedEngine
from banyan.testing.collector import Collector
from bench.orchestration import Shape, run
from bench.stack import Stack

Measure = Callable[[], float]

GOAL_SHARE = 0.05


def main() -> int:
    """Run, print a table and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--children", type=int, default=1_000)
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--in-process", action="store_true")
    parser.add_argument("--out", type=Path, help="write the results as JSON")
    options = parser.parse_args()
    with ExitStack() as around:
        collector = around.enter_context(Collector(keep=False))
        ways = _in_process if options.in_process else _in_stacks
        measures = ways(around, collector.url, options.children)
        costs = _in_turns(measures, options.repeat)
    middle = {name: statistics.median(of) for name, of in costs.items()}
    shares = {name: cost / middle["off"] - 1 for name, cost in middle.items()}
    for name in ("metrics", "traces"):
        print(f"{name}: {middle[name]:.3f} ms instead of {middle['off']:.3f}, {shares[name]:+.1%}")
    if options.out is not None:
        options.out.write_text(json.dumps(costs, indent=2))
    return 0 if shares["metrics"] <= GOAL_SHARE else 1


def _in_turns(measures: Mapping[str, Measure], repeat: int) -> dict[str, list[float]]:
    """CPU milliseconds a call, by what is told."""
    costs: dict[str, list[float]] = {name: [] for name in measures}
    print("CPU ms/call: " + "  ".join(f"{name:>8}" for name in costs), flush=True)
    for number in range(repeat):
        for name in measures if number % 2 else reversed(list(measures)):
            costs[name].append(measures[name]())
        print(" " * 13 + "  ".join(f"{of[-1]:8.3f}" for of in costs.values()), flush=True)
    return costs


def _in_stacks(around: ExitStack, collector: str, children: int) -> dict[str, Measure]:
    shape = Shape(fan_out=children, depth=1, latency_s=0.05)
    client = around.enter_context(httpx.Client(timeout=130.0, trust_env=False))
    measures: dict[str, Measure] = {}
    for name, settings in _settings(collector).items():
        stack = around.enter_context(Stack(latency_s=0.05, slots=1_100, settings=settings))
        run(Shape(fan_out=8, depth=1, latency_s=0.05), stack, client)  # warm up
        measures[name] = partial(_stack_ms, shape, stack, client)
    return measures


def _stack_ms(shape: Shape, stack: Stack, client: httpx.Client) -> float:
    return run(shape, stack, client).cpu_ms_per_call


def _in_process(around: ExitStack, collector: str, children: int) -> dict[str, Measure]:
    folder = around.enter_context(tempfile.TemporaryDirectory(prefix="banyan-bench-"))
    server = around.enter_context(Valkey(Path(folder)))
    measures: dict[str, Measure] = {}
    for name, settings in _settings(collector).items():
        told = {field.removeprefix("BANYAN_").lower(): value for field, value in settings.items()}
        chosen = Settings.model_validate({"redis_url": server.url, **told})
        observing = around.enter_context(closing(Observing(chosen, "worker")))
        measures[name] = partial(_process_ms, chosen, observing, children, told=bool(told))
    return measures


def _process_ms(settings: Settings, observing: Observing, children: int, *, told: bool) -> float:
    return asyncio.run(_grow(settings, observing, children, told=told))


async def _grow(settings: Settings, observing: Observing, children: int, *, told: bool) -> float:
    store: Store = make_store(settings)
    engine: Engine = ScriptedEngine(window=65_536)
    if told:
        store = ObservedStore(store, observing.metrics)
        engine = observing.engine(engine, EngineSpec("vllm", ("http://gpu:8000",)), "http://gpu")
    limits = Limits(max_nodes=children + 1, max_depth=1, max_tokens=10**9, max_parallel=10_000)
    task = Task(tenant="bench", goal=f"fan-out {children}", gate=Gate(mode="always"), limits=limits)
    serving = Serving.only(engine)
    ports = Ports(store, MemoryLibrary(), engine)
    began = time.thread_time()
    tree = await grow(task, ports, serving=serving)
    cost_ms = 1_000 * (time.thread_time() - began) / tree.usage.llm_calls
    await store.close()
    return cost_ms


def _settings(collector: str) -> dict[str, dict[str, str]]:
    page = {"BANYAN_METRICS_PORT": "0"}
    return {"off": {}, "metrics": page, "traces": {**page, "BANYAN_TRACES_URL": collector}}


if __name__ == "__main__":
    sys.exit(main())
