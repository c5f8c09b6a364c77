"""Observed store: tells metrics what became of trees, nodes and turns, once the store has it.

It tells what this process did; what others did, these tell.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from banyan import signals
from banyan.adapters.around_store import AroundStore
from banyan.adapters.lru import Lru
from banyan.budget import Budget
from banyan.node import ROOT_PATH, Outcome, depth_of
from banyan.ports import (
    Admission,
    Admitted,
    ChildNode,
    Claimed,
    Claims,
    Hint,
    Lease,
    Metrics,
    Reserve,
    Store,
    TurnLog,
)
from banyan.prices import usd
from banyan.tree import TreeRecord, final_status

_TREES_REMEMBERED = 4_096

log = structlog.get_logger("banyan.store")


@dataclass(frozen=True, slots=True)
class _Tree:
    """What is told of a tree, once it was read here."""

    tenant: str
    created_at: float


@dataclass(frozen=True, slots=True)
class _Root:
    """What was known of a tree's root when it was last claimed here."""

    generation: int
    ahead_s: float
    """How far the store's clock, by which trees are made, is ahead of the one here."""


class ObservedStore(AroundStore):
    """`banyan.ports.Store` around another one. `clock` counts seconds evenly, from anywhere."""

    def __init__(
        self, inner: Store, metrics: Metrics, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(inner)
        self._metrics = metrics
        self._clock = clock
        self._trees: Lru[str, _Tree] = Lru(_TREES_REMEMBERED)
        self._roots: Lru[str, _Root] = Lru(_TREES_REMEMBERED)

    async def admit(self, admission: Admission) -> Admitted:
        admitted = await self._inner.admit(admission)
        if admitted.created:
            self._metrics.count(signals.TREES_ADMITTED)
        return admitted

    async def resume(
        self, tree_id: str, *, extra: Budget, deadline_s: float, key: str | None = None
    ) -> tuple[bool, list[Hint]]:
        opened, hints = await self._inner.resume(
            tree_id, extra=extra, deadline_s=deadline_s, key=key
        )
        if opened:
            self._metrics.count(signals.TREES_RESUMED)
        return opened, hints

    async def claim(
        self,
        tree_id: str,
        paths: Sequence[str],
        *,
        worker: str,
        lease_s: float,
        reserves: Mapping[str, Reserve],
    ) -> Claims:
        claimed = await self._inner.claim(
            tree_id, paths, worker=worker, lease_s=lease_s, reserves=reserves
        )
        for node in claimed.nodes:
            wake = wake_of(node)
            self._metrics.count(signals.NODES_CLAIMED, wake)
            waited_s = max(0.0, node.now - node.queued_at)
            self._metrics.observe(signals.NODE_QUEUE_SECONDS, waited_s, wake)
            if node.lease.path == ROOT_PATH:
                root = _Root(node.generation, node.now - self._clock())
                self._roots.put(tree_id, root, 1)
        return claimed

    async def turn(self, lease: Lease, log: TurnLog, packed: bytes) -> Budget:
        budget = await self._inner.turn(lease, log, packed)
        self._tell_turn(lease, log)
        return budget

    async def spawn(
        self,
        lease: Lease,
        children: Sequence[ChildNode],
        *,
        packed: bytes,
        kept: Budget,
        log: TurnLog | None,
        event: Mapping[str, Any],
        shared: tuple[str, bytes] | None = None,
    ) -> list[Hint]:
        hints = await self._inner.spawn(
            lease, children, packed=packed, kept=kept, log=log, event=event, shared=shared
        )
        self._tell_turn(lease, log)
        depth = signals.depth_label(depth_of(lease.path) + 1)
        self._metrics.count(signals.NODES_SPAWNED, depth, amount=len(children))
        return hints

    async def finish(
        self, lease: Lease, outcome: Outcome, *, log: TurnLog | None, packed: bytes | None = None
    ) -> list[Hint]:
        hints = await self._inner.finish(lease, outcome, log=log, packed=packed)
        self._tell_turn(lease, log)
        depth = signals.depth_label(depth_of(lease.path))
        self._metrics.count(signals.NODES_FINISHED, depth, outcome.status)
        if outcome.failure is not None:
            self._metrics.count(signals.NODE_FAILURES, outcome.failure.code)
        if lease.path == ROOT_PATH:
            self._tell_tree(lease.tree_id, outcome)
        return hints

    async def cancel(self, tree_id: str) -> bool:
        cancelled = await self._inner.cancel(tree_id)
        if cancelled:
            self._metrics.count(signals.TREES_FINISHED, "cancelled")
        return cancelled

    async def reap(self, *, limit: int = 256) -> list[Hint]:
        hints = await self._inner.reap(limit=limit)
        if hints:
            num_nodes = sum(len(hint.paths) for hint in hints)
            self._metrics.count(signals.HINTS_RESENT, amount=num_nodes)
        return hints

    async def get_tree(self, tree_id: str) -> TreeRecord:
        record = await self._inner.get_tree(tree_id)
        self._trees.put(tree_id, _Tree(record.tenant, record.created_at), 1)
        return record

    def _tell_tree(self, tree_id: str, outcome: Outcome) -> None:
        status, known = final_status(outcome), self._trees.get(tree_id)
        self._metrics.count(signals.TREES_FINISHED, status)
        log.info("tree.ended", tree_id=tree_id, status=status)
        if known is None:
            return
        self._metrics.count(signals.TENANT_TREES, known.tenant, status)
        root = self._roots.get(tree_id)
        if root is not None and root.generation == 1:
            took_s = max(0.0, self._clock() + root.ahead_s - known.created_at)
            self._metrics.observe(signals.TREE_SECONDS, took_s, status)

    def _tell_turn(self, lease: Lease, log: TurnLog | None) -> None:
        if log is None:
            return
        spent, event, count = log.spent, log.event, self._metrics.count
        policy = str(event.get("policy", ""))
        tokens = {
            "prompt": spent.prompt_tokens,
            "cached": spent.cached_tokens,
            "completion": spent.completion_tokens,
        }
        known = self._trees.get(lease.tree_id)
        for name, number in tokens.items():
            count(signals.TURN_TOKENS, policy, name, amount=number)
            if known is not None:
                count(signals.TENANT_TOKENS, known.tenant, name, amount=number)
        count(signals.COST, policy, amount=usd(spent.nano_usd))
        count(signals.COALESCED_CALLS, policy, amount=spent.coalesced_calls)
        results = {
            "valid": spent.actions - spent.invalid_actions,
            "invalid": spent.invalid_actions,
            "retried": spent.retries,
            "determined": spent.determined_actions,
        }
        for result, number in results.items():
            if number:
                count(signals.ACTIONS, result, amount=number)
        if (kind := event.get("kind")) is not None:
            count(signals.TURNS, str(kind))
            by = "forced" if event.get("forced") else "choice"
            count(signals.GATE_DECISIONS, str(kind), by)


def wake_of(claimed: Claimed) -> str:
    """Why a node runs: it is new, or goes on with what its children found."""
    return "continuation" if claimed.suspended_epoch is not None else "start"
