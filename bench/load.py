"""Many tenants at one time, and what one greedy tenant does to the others.

    python -m bench.load                        10 tenants, 500 solves of 50 nodes at one time
    python -m bench.load --no-quotas            the greedy one is held back by nothing but dispatch
    python -m bench.load --minutes 30           for as long; memory must be flat

Nine tenants keep their share of the solves under way, first alone, then beside a greedy one, which
has four times as many as its quota allows and comes back as soon as it may. Then everything that
was kept is made a week older (`bench.aging`): Redis must be back at what it held before.

The oracle: no error but the greedy one's 429s; the others' p95 with it at most 1.5 times that
without it; no key but a tenant's own counters is left.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx
from redis import Redis

from banyan.access import SCOPES
from banyan.local import first_key
from bench.aging import age, kinds
from bench.durations import percentile
from bench.stack import Stack
from bench.watch import MIB, Watch, settled_bytes

GREED = 4
"""How many times its quota the greedy tenant sends at one time."""
MAX_RATIO = 1.5
RETENTION_S = 7 * 86_400.0
_WAIT_S = 600.0


@dataclass(slots=True)
class Tenant:
    """One tenant's key and what its solves have shown."""

    name: str
    headers: dict[str, str]
    seconds: list[float] = field(default_factory=list)
    refused: int = 0
    errors: Counter[str] = field(default_factory=Counter)

    @property
    def num_completed(self) -> int:
        return len(self.seconds)


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent: trees of a root and `nodes - 1` children."""

    url: str
    nodes: int
    http: httpx.AsyncClient

    async def solve(self, tenant: Tenant) -> None:
        """One solve to its end, waited for by its caller as long as it takes."""
        began = time.monotonic()
        reply = await self.http.post(
            f"{self.url}/solve",
            json={
                "goal": f"fan-out {self.nodes - 1}",
                "gate": {"mode": "always"},
                "limits": {
                    "max_depth": 1,
                    "max_nodes": self.nodes,
                    "max_tokens": 10_000_000,
                    "deadline_s": 3_600,
                },
            },
            headers={**tenant.headers, "Prefer": f"wait={_WAIT_S:.0f}"},
        )
        while reply.status_code == 202:
            place = f"{self.url}{reply.headers['Location']}"
            wait = {**tenant.headers, "Prefer": f"wait={_WAIT_S:.0f}"}
            reply = await self.http.get(place, headers=wait)
            if reply.status_code == 200 and reply.json()["status"] in {"queued", "running"}:
                reply.status_code = 202
        if reply.status_code == 429:
            tenant.refused += 1
            await asyncio.sleep(min(1.0, float(reply.headers["Retry-After"])))
        elif reply.status_code != 200:
            tenant.errors[f"{reply.status_code} {reply.json().get('code')}"] += 1
        elif (status := reply.json()["status"]) != "completed":
            tenant.errors[status] += 1
        else:
            tenant.seconds.append(time.monotonic() - began)

    async def keep_busy(self, tenant: Tenant, width: int, until: float) -> None:
        """`width` solves at one time until then (monotonic seconds); those begun are ended."""

        async def one() -> None:
            while time.monotonic() < until:
                try:
                    await self.solve(tenant)
                except httpx.HTTPError as error:
                    tenant.errors[type(error).__name__] += 1

        await asyncio.gather(*(one() for _ in range(width)))


def main() -> int:
    """Run, print the figures; exit code 1 where the oracle does not hold."""
    options = _options()
    quota = {} if options.no_quotas else {"BANYAN_QUOTA_TREES": str(options.solves // 10)}
    stack = Stack(
        latency_s=options.latency,
        num_workers=options.workers,
        slots=options.slots,
        settings={"BANYAN_AUTH": "on", **quota},
    )
    with stack, Redis.from_url(stack.valkey.url) as redis:
        tenants = [_tenant(stack, f"tenant-{number}") for number in range(10)]
        greedy, others = tenants[0], tenants[1:]
        before, alone, beside = settled_bytes(redis), [], []
        with Watch(stack) as watch:
            # In turns, so that whatever else the machine does strikes both alike.
            for _ in range(options.rounds):
                alone += asyncio.run(_phase(stack, options, others, None))
                beside += asyncio.run(_phase(stack, options, others, greedy))
        after, num_messages = settled_bytes(redis), _messages(redis)
        age(redis, RETENTION_S + 86_400.0)
        time.sleep(5)  # reaping takes expired trees off the lists
        left, kept = settled_bytes(redis), kinds(redis)
    print(watch.table())
    print(f"Redis data: {before / MIB:.1f} MiB before, {after / MIB:.1f} after the load, ", end="")
    print(f"{left / MIB:.1f} a week later; keys left: {dict(sorted(kept.items()))}")
    errors = sum((tenant.errors for tenant in tenants), Counter[str]())
    num_nodes = options.nodes * (len(alone) + len(beside) + greedy.num_completed)
    print(
        f"hints: {num_messages} messages for {num_nodes} nodes, {greedy.refused} refused with 429"
    )
    alone_s, beside_s = percentile(alone, 95), percentile(beside, 95)
    ratio = beside_s / alone_s
    p95s = f"{alone_s:.1f} s alone, {beside_s:.1f} s beside, {ratio:.2f} times"
    holds = {
        f"errors {dict(errors)}": not errors,
        f"others' p95 {p95s}": ratio <= MAX_RATIO,
        "nothing of a tree is left": not any(kind.split(":")[0] == "tree" for kind in kept),
    }
    for name, held in holds.items():
        print(f"{'ok   ' if held else 'FAIL '} {name}")
    return 0 if all(holds.values()) else 1


def _messages(redis: Redis) -> int:
    """How many the broker was sent."""
    return int(redis.info("commandstats").get("cmdstat_lpush", {}).get("calls", 0))


async def _phase(
    stack: Stack, options: argparse.Namespace, others: list[Tenant], greedy: Tenant | None
) -> list[float]:
    """How long each of the others' solves took, in seconds."""
    width = options.solves // 10
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=options.solves)
    until = time.monotonic() + 60 * options.minutes / (2 * options.rounds)
    for tenant in others:
        tenant.seconds = []
    async with httpx.AsyncClient(timeout=_WAIT_S + 30, limits=limits, trust_env=False) as http:
        load = Load(stack.url, options.nodes, http)
        works = [load.keep_busy(tenant, width, until) for tenant in others]
        if greedy is not None:
            works.append(load.keep_busy(greedy, GREED * width, until))
        await asyncio.gather(*works)
    seconds = [one for tenant in others for one in tenant.seconds]
    print(f"others {'beside a greedy one' if greedy else 'alone'}: {len(seconds)} solves, ", end="")
    median_s, p95_s = percentile(seconds, 50), percentile(seconds, 95)
    print(f"median {median_s:.1f} s, p95 {p95_s:.1f} s", flush=True)
    return seconds


def _tenant(stack: Stack, name: str) -> Tenant:
    made = first_key.create(stack.valkey.url, tenant=name, scopes=SCOPES, name="load")
    return Tenant(name, {"Authorization": f"Bearer {made.key}"})


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--solves", type=int, default=500, help="at one time, of ten tenants")
    parser.add_argument("--nodes", type=int, default=50, help="of one solve")
    parser.add_argument("--minutes", type=float, default=10.0, help="of all phases together")
    parser.add_argument("--rounds", type=int, default=2, help="alone and beside, in turns")
    parser.add_argument("--latency", type=float, default=0.2, help="seconds of a model call")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--slots", type=int, default=512, help="over all workers")
    parser.add_argument("--no-quotas", action="store_true", help="no limit of solves a tenant")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
