"""Swaps of weights under load: how soon a version is live, what callers see meanwhile.

    python -m bench.swap                          adapters on 8 replicas in memory
    python -m bench.swap --vllm adapter           an adapter on real vLLM (CPU), 4 callers
    python -m bench.swap --vllm full              full weights there, with the pause of the replica

Callers ask without a break, through the engine that workers have; what is aborted for a swap of
full weights they ask again, as the driver does. A call is of the swap where it ran while the
version moved. The registry of the replicas in memory is on a real Valkey; each of their tokens
takes 5 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from banyan.adapters.redis_policies import RedisPolicies
from banyan.errors import BanyanError, EngineUnavailable
from banyan.local.valkey import Valkey
from bench.durations import percentile
from tests.swap.farm import Farm
from tests.swap.real_site import PROBE, Site
from tests.swap.served import serve, write_adapter, write_full

NORMAL_S = 5.0
LIVE_S = {"memory": 2.0, "adapter": 1.0}
"""Goals: until the version is live, on 8 replicas in memory and on one real one."""
MAX_SLOWDOWN = 2.0
_TOKEN_S = 0.005

Ask = Callable[[], Awaitable[object]]


@dataclass(slots=True)
class Load:
    """Callers that ask until told to stop: (began, ended) of every call that was answered."""

    ask: Ask
    calls: list[tuple[float, float]] = field(default_factory=list)
    num_failed: int = 0
    num_again: int = 0

    @asynccontextmanager
    async def by(self, num_callers: int) -> AsyncIterator[None]:
        stop = asyncio.Event()
        callers = [asyncio.create_task(self._call_until(stop)) for _ in range(num_callers)]
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(*callers)

    async def _call_until(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            began = time.perf_counter()
            try:
                await self._answered(stop)
            except BanyanError as error:
                self.num_failed += 1
                print(f"failed: {error}", flush=True)
                continue
            self.calls.append((began, time.perf_counter()))

    async def _answered(self, stop: asyncio.Event) -> None:
        while True:
            try:
                await self.ask()
            except EngineUnavailable:
                if stop.is_set():
                    raise
                self.num_again += 1
                await asyncio.sleep(0.05)
            else:
                return

    def p99_ms(self, begin: float, end: float) -> float:
        """Of the calls that ran between these times."""
        ran = [(first, last) for first, last in self.calls if first < end and last > begin]
        return percentile([1_000 * (last - first) for first, last in ran], 99)


@dataclass(frozen=True, slots=True)
class Swapped:
    """One swap under load."""

    live_s: float
    normal_ms: float
    swap_ms: float
    num_calls: int
    num_failed: int
    num_again: int


async def swapped(load: Load, num_callers: int, promote: Callable[[], Awaitable[None]]) -> Swapped:
    """Measure `promote`, which returns when its version is live."""
    async with load.by(num_callers):
        normal = time.perf_counter()
        await asyncio.sleep(NORMAL_S)
        began = time.perf_counter()
        await promote()
        live = time.perf_counter()
        await asyncio.sleep(NORMAL_S / 5)
    return Swapped(
        live_s=live - began,
        normal_ms=load.p99_ms(normal, began),
        swap_ms=load.p99_ms(began, live),
        num_calls=len(load.calls),
        num_failed=load.num_failed,
        num_again=load.num_again,
    )


async def in_memory(root: Path, num_replicas: int, num_callers: int) -> Swapped:
    """Adapters on replicas in this process, with the registry on Valkey."""
    with Valkey(root / "valkey") as server:
        store = RedisPolicies(server.url)
        names = [f"replica-{number}" for number in range(num_replicas)]
        farm = Farm(root / "policies", *names, store=store)

        async def token() -> None:
            await asyncio.sleep(_TOKEN_S)

        for replica in farm.replicas.values():
            replica.hold = token

        async def ask() -> None:
            await farm.complete(await farm.options())

        async def promote() -> None:
            await farm.want(version)
            await farm.swapper.step()
            _check_live(await farm.live(), version)

        version = await farm.publish()
        try:
            return await swapped(Load(ask), num_callers, promote)
        finally:
            await store.close()


async def on_vllm(root: Path, kind: str, num_callers: int) -> Swapped:
    """One real server, whose weights are swapped."""
    with serve(root / "logs", adapters=kind == "adapter") as served:
        site = Site(served, root / "policies")
        folder = site.root / "run-1"
        folder.mkdir(parents=True)
        if kind == "adapter":
            write_adapter(folder, seed=1)
            [trained] = served.trained(PROBE, adapters=[folder])
        else:
            write_full(folder, served.model, factor=0.5)
            [trained] = served.trained(PROBE, full=[folder])
        version = await site.publish("run-1", kind, trained)

        async def ask() -> None:
            await site.complete(await site.options())

        async def promote() -> None:
            await site.promote(version)
            _check_live(await site.live(), version)

        try:
            await ask()
            return await swapped(Load(ask), num_callers, promote)
        finally:
            await site.close()


def _check_live(live: str, version: str) -> None:
    if live != version:
        raise RuntimeError(f"{version} did not go live, {live} is")


def main() -> int:
    """Run and print; exit code 1 where a call failed, or a goal of adapters is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vllm", choices=("adapter", "full"))
    parser.add_argument("--replicas", type=int, default=8, help="in memory")
    parser.add_argument("--callers", type=int)
    options = parser.parse_args()
    callers = options.callers or (4 if options.vllm else 64)
    with tempfile.TemporaryDirectory(prefix="banyan-swap-") as folder:
        work = (
            on_vllm(Path(folder), options.vllm, callers)
            if options.vllm
            else in_memory(Path(folder), options.replicas, callers)
        )
        found = asyncio.run(work)
    goal_s = LIVE_S.get(options.vllm or "memory", math.inf)
    slowdown = found.swap_ms / found.normal_ms
    print(f"live after {found.live_s:.2f} s (goal {goal_s} s)")
    print(f"calls {found.num_calls}, failed {found.num_failed}, asked again {found.num_again}")
    print(
        f"p99 {found.normal_ms:.0f} ms, in the swap {found.swap_ms:.0f} ms: {slowdown:.2f} times "
        f"(goal {MAX_SLOWDOWN})"
    )
    meets = found.live_s <= goal_s and (options.vllm == "full" or not slowdown > MAX_SLOWDOWN)
    return 0 if meets and not found.num_failed else 1


if __name__ == "__main__":
    sys.exit(main())
