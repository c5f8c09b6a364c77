"""What a node costs the store: memory, scripts, commands in them, bytes on the wire, CPU.

    python -m bench.store_cost
    python -m bench.store_cost --deep

Counted by Valkey itself (INFO) while one tree grows on the fake model server; `bench.orchestration`
describes the trees. What is idle is taken off: workers renew, reap and look for work all the time.
CPU is that of Valkey's process.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
from redis import Redis

from bench.orchestration import Shape, run
from bench.stack import Stack

IDLE_S = 5.0
_SCRIPTS = ("eval", "evalsha", "eval_ro", "evalsha_ro", "fcall")


@dataclass(frozen=True, slots=True)
class Counters:
    """Of a server, since it started."""

    at: float
    commands: float
    scripts: float
    bytes_in: float
    bytes_out: float
    cpu_s: float
    memory_bytes: float

    def minus(self, other: Counters) -> Counters:
        return Counters(
            **{name: value - getattr(other, name) for name, value in asdict(self).items()}
        )


def counters(client: Redis, server: psutil.Process) -> Counters:
    info: dict[str, Any] = client.info("everything")
    calls = {
        name.removeprefix("cmdstat_"): stat["calls"]
        for name, stat in info.items()
        if name.startswith("cmdstat_")
    }
    cpu = server.cpu_times()
    return Counters(
        at=time.monotonic(),
        commands=info["total_commands_processed"],
        scripts=sum(calls.get(name, 0) for name in _SCRIPTS),
        bytes_in=info["total_net_input_bytes"],
        bytes_out=info["total_net_output_bytes"],
        cpu_s=cpu.user + cpu.system,
        memory_bytes=info["used_memory"],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="What a node costs the store.")
    parser.add_argument("--deep", action="store_true", help="1,365 nodes instead of 1 level")
    parser.add_argument("--children", type=int, default=1_000)
    parser.add_argument("--latency", type=float, default=0.2, help="seconds of a call")
    parser.add_argument("--out", type=Path, help="write the result as JSON")
    options = parser.parse_args()
    fan_out, depth = (4, 5) if options.deep else (options.children, 1)
    shape = Shape(fan_out=fan_out, depth=depth, latency_s=options.latency)
    stack = Stack(latency_s=options.latency, num_workers=2, slots=1_100)
    with stack, httpx.Client(timeout=130.0, trust_env=False) as http:
        run(Shape(fan_out=8, depth=1, latency_s=options.latency), stack, http)  # warm up
        server = psutil.Process(stack.valkey.pid)
        with Redis.from_url(stack.valkey.url) as client:
            before = counters(client, server)
            time.sleep(IDLE_S)
            begun = counters(client, server)
            result = run(shape, stack, http)
            ended = counters(client, server)
    idle, whole = begun.minus(before), ended.minus(begun)
    rest_s = whole.at / idle.at
    nodes = {
        name: (value - getattr(idle, name) * rest_s * (name != "memory_bytes")) / result.nodes
        for name, value in asdict(whole).items()
        if name != "at"
    }
    print(f"{result.nodes} nodes, {result.llm_calls} calls in {result.wall_s} s; for each node:")
    for name, value in nodes.items():
        print(
            f"{name:<13}{value * 1_000:>10.3f} ms"
            if name == "cpu_s"
            else f"{name:<13}{value:>10.1f}"
        )
    if options.out:
        options.out.write_text(json.dumps(nodes, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
