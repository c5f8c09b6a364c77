"""What the CPU of a model call goes into, part by part, and what it could not go below.

    python -m bench.call_cost

All in one run, in turns: one root and its children on the thread that runs nodes, with everything
in memory, then with a real store, then with a real store and HTTP; an HTTP call and a round trip to
the store alone, of the same sizes; and the whole stack, by process. CPU is user and system, a model
call, the least of the rounds, since other programs only ever add to it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import uvloop
from redis.asyncio import Redis

from banyan.adapters.engine_http import EngineHttp
from banyan.adapters.memory_library import MemoryLibrary
from banyan.adapters.memory_store import MemoryStore
from banyan.adapters.openai import OpenAIEngine
from banyan.adapters.redis_store import RedisStore
from banyan.admission import admission
from banyan.costs import reserves
from banyan.drive import drive
from banyan.limits import Limits
from banyan.local.valkey import Valkey
from banyan.ports import Claimed, Engine, Hint, Ports, Store
from banyan.serving import Serving
from banyan.task import Gate, Task
from banyan.testing import ScriptedEngine
from banyan.tree import tree_id
from bench.http_clients import CLIENTS, cpu_ms_per_call
from bench.orchestration import Shape, grow
from bench.results import write_results
from bench.stack import Stack

LATENCY_S = 0.05
WIDTH = 64
"""Calls in flight at one time, about as many as a worker of the whole stack has."""
NUM_CONNECTIONS = 16
"""To the store, where round trips are made alone."""
BYTES_TO_STORE = 1_871
BYTES_BACK = 511
"""Of a node under 1,000 siblings (docs/performance.md, counts)."""
TIMEOUT_S = 130.0
HOUR_S = 3_600.0


@dataclass(frozen=True, slots=True)
class Part:
    """Milliseconds of CPU a model call: of the least round, and of all."""

    name: str
    least_ms: float
    all_ms: tuple[float, ...]


Measure = Callable[[], Mapping[str, float]]
"""One round: milliseconds a call, by the name of a part."""


def in_memory(children: int) -> Mapping[str, float]:
    """The agent alone: steps, prompts, schemas, packing; a store and an engine in memory."""
    engine = ScriptedEngine(window=65_536, token_ids=False)
    return {"agent, all in memory": _run(_grown(children, MemoryStore, lambda: engine))}


def on_store(url: str, server: psutil.Process, children: int) -> Mapping[str, float]:
    """The same on a real store; what that takes is told apart."""
    engine = ScriptedEngine(window=65_536, token_ids=False)
    before_s = _used_s(server)
    node_ms = _run(_grown(children, lambda: RedisStore(url, num_shards=1), lambda: engine))
    return {
        "agent and store": node_ms,
        "the store itself": 1_000 * (_used_s(server) - before_s) / (children + 2),
    }


def on_store_and_http(url: str, engine_url: str, children: int) -> Mapping[str, float]:
    """And with calls to a model server."""

    def engine() -> Engine:
        return OpenAIEngine(EngineHttp(engine_url, timeout_s=TIMEOUT_S), window=65_536)

    cost = _run(_grown(children, lambda: RedisStore(url, num_shards=1), engine))
    return {"agent, store and HTTP": cost}


def http_alone(engine_url: str, num_calls: int) -> Mapping[str, float]:
    """A call of 900 tokens, by aiohttp and by our client on it."""
    return {
        f"HTTP alone, {name}": _run(cpu_ms_per_call(CLIENTS[name], engine_url, WIDTH, num_calls))
        for name in ("aiohttp", "banyan")
    }


def store_alone(url: str, server: psutil.Process, num_trips: int) -> Mapping[str, float]:
    """A script that does nothing, with as many bytes there and back as a node has."""
    before_s = _used_s(server)
    client_ms = _run(_round_trips(url, num_trips))
    return {
        "round trip alone": client_ms,
        "round trip alone, the store itself": 1_000 * (_used_s(server) - before_s) / num_trips,
    }


def whole(stack: Stack, client: httpx.Client, children: int) -> Mapping[str, float]:
    """Service, workers and Valkey as they are deployed."""
    pids: Mapping[str, Sequence[int | None]] = {
        "whole stack, service": [stack.service.pid],
        "whole stack, workers": [worker.pid for worker in stack.workers],
        "whole stack, the store itself": [stack.valkey.pid],
    }

    def used_s(name: str) -> float:
        return sum(_used_s(psutil.Process(pid)) for pid in pids[name])

    shape = Shape(fan_out=children, depth=1, latency_s=LATENCY_S)
    before_s = {name: used_s(name) for name in pids}
    grow(shape, stack, client)
    cost = {name: 1_000 * (used_s(name) - before_s[name]) / shape.num_calls for name in pids}
    return {**cost, "whole stack": sum(cost.values())}


async def _grown(
    children: int, make_store: Callable[[], Store], make_engine: Callable[[], Engine]
) -> float:
    """Milliseconds of this thread's CPU a call."""
    store, engine = make_store(), make_engine()
    task = Task(
        tenant="bench",
        goal=f"fan-out {children}",
        gate=Gate(mode="always"),
        limits=Limits(max_nodes=children + 1, max_depth=1, max_tokens=10**10, max_parallel=10_000),
    )
    serving = Serving.only(engine)
    team = await serving.team(task)
    new_id = tree_id(task.tenant, uuid.uuid4().hex, num_shards=1)
    ports = Ports(store, MemoryLibrary(), engine)
    few = asyncio.Semaphore(WIDTH)

    async def claim(hints: Sequence[Hint]) -> None:
        for hint in hints:
            claims = await store.claim(
                new_id, hint.paths, worker="bench", lease_s=HOUR_S, reserves=reserves(team)
            )
            await asyncio.gather(*(go_on(node) for node in claims.nodes), claim(claims.hints))

    async def go_on(node: Claimed) -> None:
        async with few:
            hints = await drive(node, task, serving.policies.resolve(node.policy), ports, team)
        await claim(hints)

    began_s = time.thread_time()
    await claim((await store.admit(admission(task, new_id))).hints)
    spent_s = time.thread_time() - began_s
    tree = await store.get_tree(new_id)
    if (tree.status, tree.usage.nodes) != ("completed", children + 1):
        raise RuntimeError(f"{tree.status}: {tree.usage.nodes} nodes")
    await engine.close()
    await store.close()
    return 1_000 * spent_s / tree.usage.llm_calls


async def _round_trips(url: str, num_trips: int) -> float:
    """Milliseconds of this thread's CPU for one."""
    argument, left = b"x" * BYTES_TO_STORE, num_trips
    async with Redis.from_url(url, max_connections=NUM_CONNECTIONS) as client:
        sha = await client.script_load(f"return string.rep('x', {BYTES_BACK})")

        async def caller() -> None:
            nonlocal left
            while left > 0:
                left -= 1
                await client.evalsha(sha, 0, argument)

        began_s = time.thread_time()
        await asyncio.gather(*(caller() for _ in range(NUM_CONNECTIONS)))
        return 1_000 * (time.thread_time() - began_s) / num_trips


def _run(measured: Coroutine[Any, Any, float]) -> float:
    """On the loop that workers use."""
    return uvloop.run(measured)


def _used_s(process: psutil.Process) -> float:
    used = process.cpu_times()
    return used.user + used.system


def _measures(around: ExitStack, children: int) -> list[Measure]:
    """All that they need runs until `around` ends."""
    folder = Path(around.enter_context(tempfile.TemporaryDirectory(prefix="banyan-bench-")))
    valkey = around.enter_context(Valkey(folder))
    server = psutil.Process(valkey.pid)
    stack = around.enter_context(Stack(latency_s=LATENCY_S, slots=1_100))
    client = around.enter_context(httpx.Client(timeout=TIMEOUT_S, trust_env=False))
    engine_url = stack.engine_url
    return [
        lambda: in_memory(children),
        lambda: on_store(valkey.url, server, children),
        lambda: on_store_and_http(valkey.url, engine_url, children),
        lambda: http_alone(engine_url, 2 * children),
        lambda: store_alone(valkey.url, server, 2 * children),
        lambda: whole(stack, client, children),
    ]


def main() -> int:
    """Measure in turns, print a table and write JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--children", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, help="write the results as JSON")
    options = parser.parse_args()
    found: dict[str, list[float]] = {}
    with ExitStack() as around:
        measures = _measures(around, options.children)
        gc.collect()
        gc.freeze()  # as workers do
        for number in range(options.rounds + 1):
            for measure in measures:
                for name, cost_ms in measure().items():
                    if number:  # the first round warms up
                        found.setdefault(name, []).append(round(cost_ms, 3))
    parts = [Part(name, min(costs), tuple(costs)) for name, costs in found.items()]
    print("CPU ms a call                        least  median")
    for part in parts:
        print(f"{part.name:35}  {part.least_ms:6.3f}  {statistics.median(part.all_ms):6.3f}")
    write_results(options.out, parts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
