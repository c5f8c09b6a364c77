"""Swapping: one worker of all keeps the weights of the replicas as the registry wants them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence

import structlog

from banyan.adapters.engines import make_weights
from banyan.adapters.looping import survived
from banyan.adapters.policy_file import Listed
from banyan.adapters.swap_rules import SwapRules
from banyan.adapters.swapper import Swapper
from banyan.errors import NotFound
from banyan.ports import Metrics, PolicyStore, Store
from banyan.promotion import Rules
from banyan.tree import FINAL
from workers.settings import WorkerSettings

log = structlog.get_logger(__name__)


def make_swappers(
    settings: WorkerSettings,
    listed: Listed,
    policies: PolicyStore,
    store: Store,
    metrics: Metrics,
) -> list[Swapper]:
    """One for each engine whose servers can change their weights; they share one lease."""
    folder = (settings.engine_policy_dir or settings.policy_dir).resolve()
    token = secrets.token_hex(8)

    async def has_ended(tree_id: str) -> bool:
        try:
            return (await store.get_tree(tree_id)).status in FINAL
        except NotFound:
            return True

    swappers = []
    for spec in dict.fromkeys(listed.engines.values()):
        replicas = make_weights(spec)
        if not replicas:
            continue
        swappers.append(
            Swapper(
                policies,
                replicas,
                served=frozenset(name for name, of in listed.engines.items() if of == spec),
                folder=lambda version: folder / version,
                has_ended=has_ended,
                rules=SwapRules(
                    drain_s=settings.drain_s,
                    floor_nats=settings.proof_floor_nats,
                    promotion=Rules(
                        margin=settings.policy_margin, canary_trees=settings.canary_trees
                    ),
                ),
                token=token,
                metrics=metrics,
            )
        )
    return swappers


async def swap_for_ever(swappers: Sequence[Swapper], every_s: float, metrics: Metrics) -> None:
    """Look again and again, whatever goes wrong in between."""
    while True:
        for swapper in swappers:
            with survived(log, "swapping failed", "swap", metrics):
                await swapper.step()
        await asyncio.sleep(every_s)
