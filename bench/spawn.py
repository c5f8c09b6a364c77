"""How long children take to start after the spawn that made them, by how many it made.

    python -m bench.spawn
    python -m bench.spawn --children 1 --trees 300

One tree at a time on the fake model server, so that nothing is waited for but what starting takes.
`claim` is from the parent's spawn to the child's first claim, both stamped by the store in whole
milliseconds; `call` is from the spawn to when the child's call came to the model server, by the
same machine's clock.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.child_starts import events_of, spawned_at, starts_ms
from bench.durations import Durations
from bench.orchestration import Shape
from bench.results import write_results
from bench.stack import Stack

LATENCY_S = 0.05
TREES = {1: 300, 8: 60, 64: 10, 1_000: 3}
"""How many are grown, by their number of children."""


@dataclass(frozen=True, slots=True)
class Starts:
    """Of all children of all trees of one width."""

    children: int
    trees: int
    claim: Durations
    call: Durations


def measure(stack: Stack, client: httpx.Client, children: int, trees: int) -> Starts:
    """Grow the trees one after another. Raises RuntimeError where one is not whole."""
    shape = Shape(fan_out=children, depth=1, latency_s=LATENCY_S)
    claims: list[float] = []
    calls: list[float] = []
    for _ in range(trees):
        tree_id = stack.submit(
            client,
            f"fan-out {children}",
            gate={"mode": "always"},
            limits={
                "max_depth": 1,
                "max_nodes": shape.num_nodes + 1,  # none delegates where only one is left
                "max_parallel": 10_000,
                "max_tokens": 10_000_000_000,
            },
        )
        solve = stack.wait(client, tree_id)
        if (solve["status"], solve["usage"]["nodes"]) != ("completed", shape.num_nodes):
            raise RuntimeError(f"{solve['status']}: {solve['usage']['nodes']} nodes")
        events = events_of(client, stack.url, tree_id)
        claims += starts_ms(events)
        calls += calls_ms(spawned_at(events), stack.arrivals(client)[-children - 1 : -1])
    return Starts(children, trees, Durations.of_ms(claims), Durations.of_ms(calls))


def calls_ms(spawned: float, arrivals: Iterable[float]) -> list[float]:
    """Milliseconds from the one spawn of a tree to the calls of its children."""
    return [1_000 * (arrival - spawned) for arrival in arrivals]


def main() -> int:
    """Run, print a table and write JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--children", type=int, nargs="+", default=[*TREES])
    parser.add_argument("--trees", type=int, help="of each width")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--slots", type=int, default=1_100, help="over all workers")
    parser.add_argument("--out", type=Path, help="write the results as JSON")
    options = parser.parse_args()
    stack = Stack(latency_s=LATENCY_S, num_workers=options.workers, slots=options.slots)
    results = []
    with stack, httpx.Client(timeout=130.0, trust_env=False) as client:
        measure(stack, client, 8, 3)  # warm up
        print("children  trees  claim p50 ms    p95    p99  call p50 ms    p95    p99")
        for children in options.children:
            trees = options.trees or TREES.get(children, 10)
            found = measure(stack, client, children, trees)
            results.append(found)
            claim, call = found.claim, found.call
            print(
                f"{children:8}  {trees:5}  {claim.median_ms:12.1f}  {claim.p95_ms:5.1f}  "
                f"{claim.p99_ms:5.1f}  {call.median_ms:11.1f}  {call.p95_ms:5.1f}  "
                f"{call.p99_ms:5.1f}",
                flush=True,
            )
    write_results(options.out, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
