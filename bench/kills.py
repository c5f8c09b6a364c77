"""SIGKILL workers at random moments while a tree of 1,365 nodes grows, and count what it cost.

    python -m bench.kills --kills 3 --seed 1

The oracle: the answer is right, every node finished and spawned exactly once, and there were at
most as many extra calls as slots that died.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter

import httpx

from banyan.testing import ANSWER
from bench.orchestration import Shape
from bench.stack import Stack, wait_until

LEASE_S = 3.0
_START_S = 120.0


def main() -> int:
    """Run, print the figures; exit code 1 where the oracle does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--slots", type=int, default=64, help="over all workers")
    parser.add_argument("--latency", type=float, default=0.2)
    options = parser.parse_args()
    chance = random.Random(options.seed)  # noqa: S311 - which worker dies is no secret
    shape = Shape(fan_out=4, depth=5, latency_s=options.latency)
    stack = Stack(
        latency_s=shape.latency_s,
        num_workers=options.workers,
        slots=options.slots,
        lease_s=LEASE_S,
    )
    with stack, httpx.Client(timeout=130.0, trust_env=False) as client:
        began = time.monotonic()
        tree_id = stack.submit(
            client,
            f"fan-out {shape.fan_out}",
            gate={"mode": "always"},
            limits={"max_depth": shape.depth, "max_tokens": 10_000_000_000},
        )
        for moment in sorted(chance.randrange(10, shape.num_calls) for _ in range(options.kills)):
            wait_until(lambda n=moment: stack.engine_stats(client)["calls"] >= n, _START_S)
            stack.kill_worker(chance.choice(stack.workers))
            stack.start_worker()
        solve = stack.wait(client, tree_id)
        wall_s = time.monotonic() - began
        calls = stack.engine_stats(client)["calls"]
        happened = _events(stack, client, tree_id)
    finished = Counter(node for kind, node in happened if kind == "node.finished")
    spawned = Counter(node for kind, node in happened if kind == "node.spawned")
    extra = calls - shape.num_calls
    most_extra = options.kills * options.slots // options.workers
    holds = {
        "completed": solve["status"] == "completed" and solve["answer"] == ANSWER,
        "every node finished once": sorted(finished.values()) == [1] * shape.num_nodes,
        "every spawn once": set(spawned.values()) == {1},
        "extra calls": 0 <= extra <= most_extra,
    }
    print(f"nodes {solve['usage']['nodes']}, calls {calls} ({extra} extra, at most {most_extra})")
    print(f"lost tokens {solve['usage']['lost_tokens']}, wall {wall_s:.1f} s")
    for name, held in holds.items():
        print(f"{'ok   ' if held else 'FAIL '} {name}")
    return 0 if all(holds.values()) else 1


def _events(stack: Stack, client: httpx.Client, tree_id: str) -> list[tuple[str, str]]:
    with client.stream("GET", f"{stack.url}/solve/{tree_id}/events") as stream:
        data = [json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: ")]
    return [(event.get("type", ""), event.get("data", {}).get("node", "")) for event in data]


if __name__ == "__main__":
    sys.exit(main())
