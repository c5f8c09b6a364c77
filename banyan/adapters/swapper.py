"""Swapper: makes the model servers have the weights that the registry and running trees need.

`step` is one look at everything. It runs in every worker, under a lease that one of them holds, and
keeps nothing in between: what a crash leaves half done the next step finds. The pointer moves last,
when all replicas are ready and proved; where one is not, it stays, and the registry says why.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path

import structlog

from banyan import moves, promotion, signals
from banyan.adapters.adapter_swap import AdapterSwap
from banyan.adapters.full_swap import FullSwap
from banyan.adapters.memory_metrics import NoMetrics
from banyan.adapters.prover import Prover
from banyan.adapters.publishing import change
from banyan.adapters.swap_rules import SwapRules
from banyan.errors import BanyanError, Conflict, NotProved, StoreUnavailable
from banyan.ports import Metrics, PolicyStore, Weights
from banyan.registry import Line, Registry

log = structlog.get_logger(__name__)

MAX_PINS_LOOKED_AT = 64
"""Of a version that is on its way out, a step; one that is still running is enough to keep it."""

HasEnded = Callable[[str], Awaitable[bool]]
"""Whether a tree has ended, or is not there any more."""


class Swapper:
    """Over all replicas of one engine, which serves the policies `served` (None: all there are).

    `folder` says where a version's files are, for the engine. Swappers of one process share a
    `token`, under which they hold the lease. All methods belong to one event loop.
    """

    def __init__(
        self,
        store: PolicyStore,
        replicas: Mapping[str, Weights],
        *,
        folder: Callable[[str], Path],
        has_ended: HasEnded,
        rules: SwapRules,
        served: Collection[str] | None = None,
        token: str | None = None,
        metrics: Metrics | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._replicas = dict(replicas)
        self._has_ended = has_ended
        self._rules = rules
        self._now = clock
        self._metrics = metrics or NoMetrics()
        self._served = served
        self._token = token or secrets.token_hex(8)
        prover = Prover(store, floor=rules.floor_nats)
        self._adapters = AdapterSwap(self._replicas, folder, prover)
        self._full = FullSwap(store, self._replicas, folder, prover, rules, token=self._token)

    async def step(self) -> bool:
        """Bring everything up to date; False where another worker holds the lease."""
        if not await self._store.lease(self._token, ttl_s=self._rules.lease_s):
            return False
        keeping = asyncio.create_task(self._keep_lease())
        try:
            await self._step()
        finally:
            keeping.cancel()
            with suppress(asyncio.CancelledError):
                await keeping
        return True

    async def close(self) -> None:
        """Give the lease back, so that another worker goes on at once."""
        await self._store.release(self._token)
        for replica in self._replicas.values():
            await replica.close()

    async def _step(self) -> None:
        await self._judge_canaries()
        registry = await self._load()
        if not registry.versions:
            return
        pinned = await self._pinned(registry)
        await self._adapters.tend(registry, pinned)
        await self._full.tend(registry, pinned)
        for policy, line in registry.lines.items():
            if line.wanted is not None:
                await self._move(registry, policy, line, line.wanted.version, pinned)

    async def _load(self) -> Registry:
        """The part of the registry that is this engine's."""
        registry = await self._store.load()
        return registry if self._served is None else registry.of_policies(self._served)

    async def _move(
        self, registry: Registry, policy: str, line: Line, version: str, pinned: set[str]
    ) -> None:
        """Load and prove a wanted version, then move the pointer; or leave it and say why."""
        is_canary = line.wanted is not None and line.wanted.share < 1
        try:
            if registry.version(version).kind == "adapter":
                await self._adapters.bring(registry, version)
            else:
                await self._full.bring(registry, version, pinned)
        except StoreUnavailable:
            raise
        except BanyanError as error:
            reject, why = isinstance(error, NotProved), (str(error),)
            log.warning("policy.not_moved", version=version, code=error.code, rejected=reject)
            self._metrics.count(signals.POLICY_MOVES, "rejected" if reject else "not_moved")
            await self._settle(
                lambda now: moves.give_up(now, version, why, self._now(), reject=reject)
            )
            return
        await self._settle(lambda now: moves.arrive(now, version, self._now()))
        if is_canary:
            await self._store.clear_rewards(version, line.live)
        self._metrics.count(signals.POLICY_MOVES, "canary" if is_canary else "moved")
        log.info("policy.moved", policy=policy, version=version, canary=is_canary)

    async def _settle(self, next_of: Callable[[Registry], Registry]) -> None:
        try:
            await change(self._store, next_of)
        except Conflict as error:  # taken back while it was loaded: the next step puts it right
            log.info("policy.overtaken", detail=str(error))

    async def _judge_canaries(self) -> None:
        """Promote or reject canaries by the rewards of their trees and of the live version's."""
        registry = await self._load()
        for line in registry.lines.values():
            if line.canary is None or line.wanted is not None:
                continue
            canary = line.canary
            verdict, gain = promotion.judge_canary(
                list((await self._store.rewards(canary)).values()),
                list((await self._store.rewards(line.live)).values()),
                self._rules.promotion,
            )
            log.debug("canary.judged", version=canary, verdict=verdict, gain=str(gain))
            if verdict == "non_inferior":
                await self._settle(lambda now, v=canary: moves.want(now, v, 1.0))  # type: ignore[misc]
            elif verdict == "inferior":
                why = (f"as a canary: {gain}",)
                await self._settle(
                    lambda now, v=canary, why=why: moves.reject(now, v, why, self._now())  # type: ignore[misc]
                )

    async def _pinned(self, registry: Registry) -> set[str]:
        """Versions that running trees need. Pins of trees that have ended are taken away.

        What new trees get is needed anyway, so that its pins are not looked at; they end by time.
        """
        served = {line.live for line in registry.lines.values()}
        names = {*registry.versions, *registry.lines} - served
        return {name for name in names if await self._is_pinned(name)}

    async def _is_pinned(self, version: str) -> bool:
        for tree_id in await self._store.pins(version, limit=MAX_PINS_LOOKED_AT):
            if not await self._has_ended(tree_id):
                return True
            await self._store.unpin(version, tree_id)
        return bool(await self._store.pins(version, limit=1))

    async def _keep_lease(self) -> None:
        while True:
            await asyncio.sleep(self._rules.lease_s / 3)
            await self._store.lease(self._token, ttl_s=self._rules.lease_s)
